/* SPDX-License-Identifier: MIT */
#include "core/free/stream.h"

#include <stdlib.h>
#include <string.h>

struct shl_stream_writer {
    struct shl_stream_memory memory;
    uint32_t channels;
    uint64_t frame;
    uint64_t overrun;
    struct shl_clock_estimator estimator;
};

shl_status shl_stream_writer_new(const struct shl_stream_memory *memory,
                                 uint32_t channels, double rate_hz,
                                 shl_stream_writer **writer)
{
    if (channels > SHL_MAX_CHANNELS)
        return SHL_WRONG_CHANNELS;
    if (!shl_stream_is_rate(rate_hz))
        return SHL_WRONG_RATE;
    shl_stream_writer *w = calloc(1, sizeof *w);
    if (!w)
        return SHL_NO_MEMORY;
    w->memory = *memory;
    w->channels = channels;
    shl_clock_estimator_init(&w->estimator, rate_hz);
    atomic_store_explicit(&memory->clock->sequence, 0, memory_order_relaxed);
    /* release: pairs with the reader's acquire, as every store to it */
    atomic_store_explicit(memory->written, 0, memory_order_release);
    *writer = w;
    return SHL_OK;
}

void shl_stream_writer_free(shl_stream_writer *writer)
{
    free(writer);
}

void shl_stream_writer_exact(shl_stream_writer *writer)
{
    writer->estimator.exact = true;
}

static SHL_RT void copy_in(float *plane, const float *from, uint64_t frame,
                           uint32_t frames)
{
    uint32_t at = (uint32_t)frame & (SHL_STREAM_FRAMES - 1u);
    uint32_t first =
        SHL_STREAM_FRAMES - at < frames ? SHL_STREAM_FRAMES - at : frames;

    if (!from) {
        memset(plane + at, 0, first * sizeof *plane);
        memset(plane, 0, (frames - first) * sizeof *plane);
        return;
    }
    memcpy(plane + at, from, first * sizeof *plane);
    memcpy(plane, from + first, (frames - first) * sizeof *plane);
}

/* A reader that is ahead of us lies: nothing of its is written over. */
static SHL_RT void count_overrun(shl_stream_writer *w, uint32_t frames)
{
    /* acquire: the reader has copied what lies below */
    uint64_t unread =
        w->frame - atomic_load_explicit(w->memory.read, memory_order_acquire);
    uint64_t after = unread + frames;

    if (unread > w->frame || after <= SHL_STREAM_FRAMES)
        return;
    w->overrun +=
        after - SHL_STREAM_FRAMES < frames ? after - SHL_STREAM_FRAMES : frames;
}

SHL_RT void shl_stream_write(shl_stream_writer *writer,
                             const float *const *planes, uint32_t frames,
                             uint64_t now_ns)
{
    count_overrun(writer, frames);
    for (uint32_t c = 0; c < writer->channels; c++)
        copy_in(writer->memory.planes + (size_t)c * SHL_STREAM_FRAMES,
                planes[c], writer->frame, frames);
    if (shl_clock_estimator_see(&writer->estimator, writer->frame, now_ns))
        shl_shared_clock_write(writer->memory.clock, &writer->estimator.line);
    writer->frame += frames;
    /* release: the frames below are whole before the reader sees the number */
    atomic_store_explicit(writer->memory.written, writer->frame,
                          memory_order_release);
}

SHL_RT uint32_t shl_stream_writer_late(const shl_stream_writer *writer)
{
    const struct shl_clock_estimator *estimator = &writer->estimator;

    return shl_burst_word(shl_burst_late(&estimator->burst) /
                              estimator->nominal_s,
                          shl_clock_estimator_settled(estimator));
}

uint64_t shl_stream_writer_frame(const shl_stream_writer *writer)
{
    return writer->frame;
}

uint64_t shl_stream_writer_overrun(const shl_stream_writer *writer)
{
    return writer->overrun;
}
