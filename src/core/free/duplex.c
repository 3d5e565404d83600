/* SPDX-License-Identifier: MIT */
#include "core/free/duplex.h"

#include "shmlink/arithmetic.h"

#include <math.h>
#include <stdlib.h>

/* ---- what has no channels ---------------------------------------------------- */

/* A stream without channels still tells the time for its events. To follow
 * another clock it needs no filter, only to count. */
struct counter {
    double place; /* of the next frame, from the first not used */
};

static void *count_make(uint32_t channels)
{
    (void)channels;
    return calloc(1, sizeof(struct counter));
}

static SHL_RT uint32_t count_frames(void *state, double step, const float *in,
                                    uint32_t in_frames, float *out,
                                    uint32_t out_frames, uint32_t *used)
{
    struct counter *counter = state;
    uint32_t got = 0, whole;

    (void)in;
    (void)out;
    *used = 0;
    if (in_frames == 0 && out_frames == 0)
        counter->place = 0;
    for (; got < out_frames && counter->place < in_frames; got++)
        counter->place += step;
    whole = counter->place < in_frames ? (uint32_t)counter->place : in_frames;
    counter->place -= whole;
    *used = whole;
    return got;
}

static const struct shl_resampler counting = {.ahead_frames = 1,
                                              .make = count_make,
                                              .process = count_frames,
                                              .destroy = free};

/* ---- making one -------------------------------------------------------------- */

uint32_t shl_duplex_channels(const struct shl_identity *identity,
                             const struct shl_claim *claim, bool to_host)
{
    /* behind a device's own outputs come the taps that its host selects */
    uint32_t outs =
        identity->tap_count ? SHL_MAX_CHANNELS : identity->out_channels;

    if (claim->mode == SHL_MODE_MIDI)
        return 0;
    return to_host ? shl_least(outs, claim->out_channels)
                   : shl_least(identity->in_channels, claim->in_channels);
}

/* Two names of one rate are one number. */
static double same_rate(double rate_hz, double peer_hz)
{
    return fabs(rate_hz - peer_hz) <= 1e-6 * rate_hz ? rate_hz : peer_hz;
}

bool shl_duplex_can(const struct shl_duplex_options *options)
{
    double peer_hz = same_rate(options->rate_hz, options->peer_hz);

    if (!shl_stream_is_rate(options->rate_hz) || !shl_stream_is_rate(peer_hz))
        return false;
    if (options->resampler || options->in_channels == 0)
        return true;
    return !(peer_hz < options->rate_hz || peer_hz > options->rate_hz);
}

/* Latency is more than the block that the writer brings at once. */
static uint32_t wanted_latency(const struct shl_duplex_options *o)
{
    if (o->latency_frames == 0 || o->latency_frames > o->peer_frames)
        return o->latency_frames;
    return o->peer_frames;
}

/* A resampler wants to see more frames than a short latency allows; on one clock
 * and at one rate it is not needed. */
static const struct shl_resampler *needed(const struct shl_duplex_options *o)
{
    const struct shl_resampler *resampler =
        o->in_channels ? o->resampler : &counting;
    double peer_hz = same_rate(o->rate_hz, o->peer_hz);
    bool two_rates = peer_hz < o->rate_hz || peer_hz > o->rate_hz;

    if (resampler && o->one_clock && !two_rates && o->latency_frames &&
        o->latency_frames < o->block_frames + resampler->ahead_frames + 2)
        return NULL;
    return resampler;
}

/* By one clock no block is late. */
static SHL_RT uint32_t peer_late(const struct shl_duplex_options *o)
{
    if (!o->peer_late || o->one_clock)
        return 0;
    /* relaxed: a number alone */
    return atomic_load_explicit(o->peer_late, memory_order_relaxed);
}

static struct shl_stream_options reading(const struct shl_duplex_options *o)
{
    return (struct shl_stream_options){.channels = o->in_channels,
                                       .rate_hz = o->rate_hz,
                                       .from_hz =
                                           same_rate(o->rate_hz, o->peer_hz),
                                       .block_frames = o->block_frames,
                                       .from_frames = o->peer_frames,
                                       .latency_frames = wanted_latency(o),
                                       .late = peer_late(o),
                                       .resampler = needed(o),
                                       .told_frames = o->told_frames,
                                       .own_times = o->one_clock,
                                       .exact = o->exact};
}

shl_status shl_duplex_new(const struct shl_segment *segment,
                          const struct shl_duplex_options *options,
                          struct shl_duplex **result)
{
    struct shl_streams *streams = segment->streams;
    struct shl_stream_memory to_device =
        shl_stream_memory_of(&streams->to_device);
    struct shl_stream_memory to_host = shl_stream_memory_of(&streams->to_host);
    struct shl_stream_options read = reading(options);
    const bool pairs =
        options->from_host && !options->one_clock && options->there_frames;
    struct shl_duplex *duplex = calloc(1, sizeof *duplex);
    shl_status st;

    if (!duplex)
        return SHL_NO_MEMORY;
    duplex->options = *options;
    read.other_heard = pairs ? &streams->to_device.heard : NULL;
    read.other_frames = options->there_frames;
    duplex->told_late = shl_burst_word(options->expected_frames, false);
    if (options->own_late)
        atomic_store_explicit(options->own_late, duplex->told_late,
                              memory_order_relaxed);
    st = shl_stream_writer_new(options->from_host ? &to_device : &to_host,
                               options->out_channels, options->rate_hz,
                               &duplex->writer);
    if (!st)
        st = shl_stream_reader_new(options->from_host ? &to_host : &to_device,
                                   &read, &duplex->reader);
    if (st) {
        shl_duplex_free(duplex);
        return st;
    }
    if (options->exact)
        shl_stream_writer_exact(duplex->writer);
    *result = duplex;
    return SHL_OK;
}

void shl_duplex_free(struct shl_duplex *duplex)
{
    if (!duplex)
        return;
    shl_stream_writer_free(duplex->writer);
    shl_stream_reader_free(duplex->reader);
    free(duplex);
}

uint32_t shl_duplex_latency(const struct shl_duplex *duplex)
{
    return shl_stream_latency(duplex->reader);
}

/* ---- blocks -------------------------------------------------------------------- */

/* One time for all of a block, so that what the block costs is no delay. */
SHL_RT void shl_duplex_begin(struct shl_duplex *duplex)
{
    duplex->now_ns = duplex->options.clock_ns();
}

/* What has not been measured yet is what was expected. */
static SHL_RT void tell_late(struct shl_duplex *duplex)
{
    uint32_t late = shl_stream_writer_late(duplex->writer);

    if (!(late & SHL_BURST_MEASURED))
        late = duplex->told_late & ~SHL_BURST_MEASURED;
    if (!duplex->options.own_late || late == duplex->told_late)
        return;
    duplex->told_late = late;
    atomic_store_explicit(duplex->options.own_late, late, memory_order_relaxed);
}

SHL_RT void shl_duplex_write(struct shl_duplex *duplex,
                             const float *const *planes, uint32_t frames)
{
    shl_stream_write(duplex->writer, planes, frames, duplex->now_ns);
    tell_late(duplex);
}

uint64_t shl_duplex_frame(const struct shl_duplex *duplex)
{
    return shl_stream_writer_frame(duplex->writer);
}

SHL_RT bool shl_duplex_read(struct shl_duplex *duplex, float *const *planes,
                            uint32_t frames)
{
    uint32_t enough = (uint32_t)duplex->options.rate_hz;

    shl_stream_late(duplex->reader, peer_late(&duplex->options));
    duplex->heard =
        shl_stream_read(duplex->reader, planes, frames, duplex->now_ns);
    shl_stream_read_part(duplex->reader, &duplex->first, &duplex->end);
    duplex->frames = frames;
    /* what lies before the stream is silence that nobody misses */
    duplex->begun = duplex->begun || (duplex->heard && duplex->end > 0);
    if (duplex->heard)
        duplex->silent_frames = 0;
    else if (duplex->silent_frames < enough)
        duplex->silent_frames += frames;
    return duplex->heard;
}

/* ---- events -------------------------------------------------------------------- */

/* How far a frame lies beyond another, whatever the peer made up. */
static int64_t beyond(uint64_t frame, int64_t from)
{
    return (int64_t)(frame - (uint64_t)from);
}

SHL_RT bool shl_duplex_early(const struct shl_duplex *duplex, uint64_t frame)
{
    if (duplex->heard)
        return beyond(frame, duplex->end) >= 0;
    return (double)duplex->silent_frames < 0.1 * duplex->options.rate_hz;
}

SHL_RT uint32_t shl_duplex_place(const struct shl_duplex *duplex,
                                 uint64_t frame)
{
    int64_t length = duplex->end - duplex->first;
    int64_t after = beyond(frame, duplex->first);

    if (!duplex->heard || length <= 0 || after <= 0)
        return 0;
    if (after >= length)
        return duplex->frames - 1;
    return (uint32_t)(after * (int64_t)duplex->frames / length);
}
