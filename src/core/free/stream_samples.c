/* SPDX-License-Identifier: MIT */
/* The samples of a stream's reader: out of the ring as they are, or through the
 * resampler. */
#include "core/free/stream_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MASK (CAPACITY - 1u)
/* Chunks in which the resampler works. */
#define CHUNK_IN  1024u
#define CHUNK_OUT 256u

shl_status shl_reader_make_resampler(shl_stream_reader *r)
{
    const struct shl_resampler *resampler = r->options.resampler;
    uint32_t channels = r->options.channels ? r->options.channels : 1;
    double scale = r->nominal > 1.0 ? r->nominal : 1.0;

    if (!resampler)
        return SHL_OK;
    r->ahead = (uint32_t)ceil(resampler->ahead_frames * scale) + 2;
    r->in = calloc((size_t)channels * CHUNK_IN, sizeof *r->in);
    r->out = calloc((size_t)channels * CHUNK_OUT, sizeof *r->out);
    r->state = resampler->make(channels);
    return r->in && r->out && r->state ? SHL_OK : SHL_NO_MEMORY;
}

static SHL_RT void copy_out(const shl_stream_reader *r, uint32_t channel,
                            int64_t from, float *to, uint32_t frames)
{
    const float *plane = r->memory.planes + (size_t)channel * CAPACITY;
    uint32_t before = 0;

    if (from < 0) {
        before = from <= -(int64_t)frames ? frames : (uint32_t)-from;
        memset(to, 0, before * sizeof *to);
        from += before;
        frames -= before;
    }
    uint32_t at = (uint32_t)from & MASK;
    uint32_t first = CAPACITY - at < frames ? CAPACITY - at : frames;
    memcpy(to + before, plane + at, first * sizeof *to);
    memcpy(to + before + first, plane, (frames - first) * sizeof *to);
}

static SHL_RT void gather(const shl_stream_reader *r, uint32_t frames)
{
    uint32_t channels = r->options.channels;

    for (uint32_t c = 0; c < channels; c++) {
        const float *plane = r->memory.planes + (size_t)c * CAPACITY;
        float *to = r->in + c;
        for (uint32_t i = 0; i < frames; i++, to += channels) {
            int64_t frame = r->cursor + i;
            *to = frame < 0 ? 0.0f : plane[(uint32_t)frame & MASK];
        }
    }
}

static SHL_RT void advance(shl_stream_reader *r, double frames)
{
    struct place next = place_after(r->at.whole, r->at.rest + frames);

    r->at = next;
}

/* Up to CHUNK_OUT frames into `out`, with some more input than is thought to be
 * needed. */
static SHL_RT uint32_t pull(shl_stream_reader *r, uint32_t want, uint32_t more,
                            uint64_t written)
{
    int64_t need = end_of_need(r, r->at, want) + more - r->cursor;
    int64_t there = (int64_t)(written - (uint64_t)r->cursor);
    uint32_t used = 0;

    if (need > there)
        need = there;
    if (need > CHUNK_IN)
        need = CHUNK_IN;
    if (need < 0)
        need = 0;
    gather(r, (uint32_t)need);
    uint32_t got = r->options.resampler->process(
        r->state, r->step, r->in, (uint32_t)need, r->out, want, &used);
    r->cursor += used;
    advance(r, (double)got * r->step);
    return got;
}

/* The resampler, as if it had always run: it has heard what was before. */
SHL_RT void shl_reader_start_resampler(shl_stream_reader *r, uint64_t written)
{
    uint32_t used, idle = 0;
    uint32_t left = (uint32_t)(2.0 * r->ahead / r->step);

    r->options.resampler->process(r->state, r->step, NULL, 0, NULL, 0, &used);
    r->resampling = true;
    advance(r, 0.5 - (double)left * r->step);
    r->cursor = r->at.whole;
    r->at.rest = 0.0;
    while (left && idle < 8) {
        uint32_t got =
            pull(r, left < CHUNK_OUT ? left : CHUNK_OUT, 16 * idle, written);
        left -= got;
        idle = got ? 0 : idle + 1;
    }
}

static SHL_RT void scatter(const shl_stream_reader *r, float *const *planes,
                           uint32_t at, uint32_t frames)
{
    uint32_t channels = r->options.channels;

    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++)
            planes[c][at + i] = r->out[i * channels + c];
}

SHL_RT bool shl_reader_resample(shl_stream_reader *r, float *const *planes,
                                uint32_t frames, uint64_t written)
{
    uint32_t done = 0, idle = 0;

    while (done < frames && idle < 8) {
        uint32_t left = frames - done;
        uint32_t got =
            pull(r, left < CHUNK_OUT ? left : CHUNK_OUT, 16 * idle, written);
        scatter(r, planes, done, got);
        done += got;
        idle = got ? 0 : idle + 1;
    }
    return done == frames;
}

SHL_RT void shl_reader_copy(shl_stream_reader *r, float *const *planes,
                            uint32_t frames)
{
    for (uint32_t c = 0; c < r->options.channels; c++)
        copy_out(r, c, r->cursor, planes[c], frames);
    r->cursor += frames;
    r->at.whole = r->cursor;
}
