/* SPDX-License-Identifier: MIT */
/* How far behind the writer a stream's reader stays: by the blocks of both and how
 * late they come, and more where that was too short. */
#include "core/free/stream_state.h"

#include <math.h>

/* Room in the ring beyond what the blocks take: late calls. */
#define ROOM 1024u
/* Beyond what blocks are late: this share of it, at least so much. */
#define SPARE_SHARE  4u
#define SPARE_FRAMES 64u
/* A gap longer than this is no late block. */
#define STOOD_S 0.2

static uint32_t with_spare(uint32_t frames)
{
    uint32_t share = frames / SPARE_SHARE;

    return frames + (share > SPARE_FRAMES ? share : SPARE_FRAMES);
}

/* By the blocks and how late they come, which is never twice the same: what is
 * enough stays. */
static SHL_RT uint32_t default_latency(const struct shl_stream_reader *r)
{
    const struct shl_stream_options *o = &r->options;
    double block = (double)o->block_frames * r->nominal;
    double larger = block > o->from_frames ? block : o->from_frames;
    double frames = ceil(2.0 * larger);

    if (frames < 0.01 * o->from_hz)
        frames = ceil(0.01 * o->from_hz);
    if (r->late) {
        uint32_t late = r->late & SHL_BURST_FRAMES, now = latency_of(r);
        double wanted = r->least + with_spare(late);
        if (now >= r->least + late + SPARE_FRAMES / 2)
            wanted = now;
        frames = wanted > frames ? wanted : frames;
    }
    if (frames < r->least)
        frames = r->least;
    return frames < r->most ? (uint32_t)frames : r->most;
}

shl_status shl_reader_set_latency(shl_stream_reader *r)
{
    const struct shl_stream_options *o = &r->options;

    r->most = CAPACITY - 2 * o->from_frames - ROOM;
    r->least = (uint32_t)ceil((double)o->block_frames * r->nominal) + r->ahead;
    r->late = o->late;
    if (r->least > r->most)
        return SHL_WRONG_BLOCK;
    if (o->latency_frames > r->most)
        return SHL_BAD_VALUE;
    uint32_t latency =
        o->latency_frames ? o->latency_frames : default_latency(r);
    if (latency < r->least)
        latency = r->least;
    atomic_store_explicit(&r->latency, latency, memory_order_relaxed);
    r->limit = CAPACITY - o->from_frames;
    return SHL_OK;
}

/* Nothing is heard, and what has to be heard later makes no other gap. */
static SHL_RT void raise_latency(shl_stream_reader *r, uint32_t frames)
{
    uint32_t before = latency_of(r);

    if (frames > r->most)
        frames = r->most;
    if (frames <= before)
        return;
    /* in this order, and release: see round_trip.c */
    r->told = 0;
    atomic_store_explicit(r->memory.heard, 0, memory_order_relaxed);
    if (r->options.told_frames)
        atomic_store_explicit(r->options.told_frames, frames,
                              memory_order_release);
    atomic_store_explicit(&r->latency, frames, memory_order_relaxed);
    shl_round_trip_latency(&r->round_trip, frames);
    r->offset -= frames - before;
    r->short_count = 0;
}

SHL_RT void shl_reader_underrun(shl_stream_reader *r)
{
    r->stats.underruns++;
    r->short_at[r->short_count++ % SHORT_TIMES] = r->count;
    r->missing = 0;
    r->stood = false;
}

/* So many are missing in a block. */
SHL_RT void shl_reader_missing(shl_stream_reader *r, int64_t frames)
{
    if (frames <= 0 || frames > INT32_MAX || r->stood)
        return;
    r->stood = (double)frames > STOOD_S * r->options.from_hz;
    if (frames > r->missing)
        r->missing = (uint32_t)frames;
}

/* So much would have done for these underruns and those just before. */
static SHL_RT uint32_t wanted(const struct shl_stream_reader *r)
{
    double since = (double)(r->count - r->wanted_at);
    bool recent = since < SHORT_WITHIN * r->options.rate_hz;
    uint32_t before = recent ? r->stats.wanted_frames : 0, now = 0;

    if (!r->stood && r->missing)
        now = latency_of(r) + with_spare(r->missing);
    return now > before ? now : before;
}

SHL_RT void shl_reader_end_missing(struct shl_stream_reader *r)
{
    r->stats.wanted_frames = wanted(r);
    r->wanted_at = r->count;
    r->missing = 0;
}

static SHL_RT bool often_short(const struct shl_stream_reader *r)
{
    return r->short_count >= SHORT_TIMES &&
           (double)(r->count - r->short_at[r->short_count % SHORT_TIMES]) <
               SHORT_WITHIN * r->options.rate_hz;
}

/* While nothing is heard: once the beginning has been, or sound has failed. */
SHL_RT void shl_reader_follow_lateness(shl_stream_reader *r)
{
    if (r->options.latency_frames || r->options.one_clock ||
        r->options.own_times)
        return;
    /* a host that does not say anything does not look for it either */
    if (r->options.told_frames && !r->late)
        return;
    if (r->playing && r->at.whole > 0)
        return;
    uint32_t frames = default_latency(r);
    if (often_short(r) && wanted(r) > frames)
        frames = wanted(r);
    if (frames <= latency_of(r))
        return;
    raise_latency(r, frames);
    r->playing = false;
}

SHL_RT void shl_stream_short(const shl_stream_reader *reader, uint32_t *times,
                             uint32_t *wanted_frames)
{
    *times = (uint32_t)reader->stats.underruns;
    uint32_t late = reader->late & SHL_BURST_FRAMES;
    uint32_t wanted_now = reader->stats.wanted_frames;
    if (late && reader->least + late > latency_of(reader) &&
        reader->least + with_spare(late) > wanted_now)
        wanted_now = reader->least + with_spare(late);
    /* once may be an accident, and the first ones tell too little */
    *wanted_frames = reader->stats.underruns >= SHORT_TIMES ? wanted_now : 0;
}
