/* SPDX-License-Identifier: MIT */
/* The reader of a stream: made, and one block after the other read from where its
 * clocks say. */
#include "core/free/stream_state.h"

#include <math.h>
#include <stdlib.h>

/* ---- making one ---- */

bool shl_stream_is_rate(double rate_hz)
{
    return rate_hz >= 1000.0 && rate_hz <= 1000000.0;
}

static shl_status check_options(const struct shl_stream_options *o)
{
    if (o->channels > SHL_MAX_CHANNELS)
        return SHL_WRONG_CHANNELS;
    if (o->block_frames < 1 || o->block_frames > SHL_MAX_FRAMES ||
        o->from_frames < 1 || o->from_frames > SHL_MAX_FRAMES)
        return SHL_WRONG_BLOCK;
    if (!shl_stream_is_rate(o->rate_hz) || !shl_stream_is_rate(o->from_hz))
        return SHL_WRONG_RATE;
    /* exact: two names of one rate are the same number */
    if ((o->rate_hz < o->from_hz || o->rate_hz > o->from_hz) && !o->resampler)
        return SHL_WRONG_RATE;
    return SHL_OK;
}

shl_status shl_stream_reader_new(const struct shl_stream_memory *memory,
                                 const struct shl_stream_options *options,
                                 shl_stream_reader **reader)
{
    shl_status st = check_options(options);

    if (st)
        return st;
    shl_stream_reader *r = calloc(1, sizeof *r);
    if (!r)
        return SHL_NO_MEMORY;
    r->memory = *memory;
    r->options = *options;
    r->nominal = options->from_hz / options->rate_hz;
    r->step = r->nominal;
    st = shl_reader_make_resampler(r);
    if (!st)
        st = shl_reader_set_latency(r);
    if (st) {
        shl_stream_reader_free(r);
        return st;
    }
    r->resampling = r->nominal < 1.0 || r->nominal > 1.0;
    r->stats.mode = r->resampling ? SHL_STREAM_CONVERT : SHL_STREAM_COPY;
    r->stats.spare_frames = CAPACITY;
    shl_round_trip_init(&r->round_trip, options->other_heard,
                        options->other_frames, latency_of(r), options->rate_hz);
    if (options->told_frames)
        atomic_store_explicit(options->told_frames, latency_of(r),
                              memory_order_relaxed);
    shl_clock_estimator_init(&r->own, options->rate_hz);
    r->own.exact = options->exact;
    atomic_store_explicit(memory->heard, 0, memory_order_relaxed);
    /* release: as every store to it */
    atomic_store_explicit(memory->read, 0, memory_order_release);
    *reader = r;
    return SHL_OK;
}

void shl_stream_reader_free(shl_stream_reader *reader)
{
    if (!reader)
        return;
    if (reader->state)
        reader->options.resampler->destroy(reader->state);
    free(reader->in);
    free(reader->out);
    free(reader);
}

uint32_t shl_stream_latency(const shl_stream_reader *reader)
{
    return latency_of(reader);
}

/* ---- there and back ---- */

static SHL_RT void take_pair(shl_stream_reader *r)
{
    r->round_trip.holds = false;
    if (r->known && copies(r))
        shl_round_trip_look(&r->round_trip, r->count, r->aim.whole);
}

/* For the peer's round trip. `frame` is our own at the begin of this block. */
static SHL_RT void tell_heard(shl_stream_reader *r, uint64_t frame)
{
    uint64_t heard = copies(r) ? shl_round_trip_heard(frame, r->part_first) : 0;

    if (heard == r->told)
        return;
    r->told = heard;
    /* release: the latency that it was heard with */
    atomic_store_explicit(r->memory.heard, heard, memory_order_release);
}

/* ---- one block ---- */

/* Whether all that a block needs is there. */
static SHL_RT bool readable(const struct shl_stream_reader *r, struct place at,
                            uint32_t frames, uint64_t written)
{
    int64_t end = end_of_need(r, at, frames);

    return (int64_t)(written - (uint64_t)end) >= 0 &&
           written - (uint64_t)at.whole <= r->limit;
}

static SHL_RT bool round_trip_readable(const struct shl_stream_reader *r,
                                       uint32_t frames, uint64_t written)
{
    return r->round_trip.holds &&
           readable(r, (struct place){r->round_trip.place, 0.0}, frames,
                    written);
}

/* Where it was before it was lost, if that is as good as anything. */
static SHL_RT bool same_place(const shl_stream_reader *r, uint32_t frames,
                              struct place *at)
{
    int64_t same = (int64_t)(r->count - frames + (uint64_t)r->offset);
    double off = fabs(frames_between(same, r->aim.whole));

    if (!r->was || !copies(r) || r->options.own_times ||
        !(off <= same_frames(r)))
        return false;
    *at = (struct place){same, 0.0};
    return true;
}

/* Take the aimed at place, if all that a block needs is there. */
static SHL_RT void start(shl_stream_reader *r, uint64_t written,
                         uint32_t frames)
{
    if (!r->known || written == 0)
        return;
    /* without times: wait for the latency, rather than hear frames again */
    if (r->options.one_clock && r->at.whole > 0 && r->aim.whole < r->at.whole &&
        r->at.whole - r->aim.whole < CAPACITY)
        return;
    struct place at = r->aim;
    if (round_trip_readable(r, frames, written))
        at = (struct place){r->round_trip.place, 0.0};
    else if (copies(r) && !r->was &&
             shl_round_trip_await(&r->round_trip, frames))
        return;
    else if (!same_place(r, frames, &at) && !r->resampling)
        at = (struct place){at.whole + (at.rest >= 0.5), 0.0};
    if (!readable(r, at, frames, written)) {
        shl_reader_missing(
            r, (int64_t)((uint64_t)end_of_need(r, at, frames) - written));
        return;
    }
    if (r->missing)
        shl_reader_end_missing(r);
    r->at = at;
    r->cursor = at.whole;
    if (r->resampling)
        shl_reader_start_resampler(r, written);
    r->playing = true;
    r->differ_since_ns = 0;
    r->far_since_ns = 0;
    /* the stream's own beginning needs no fade */
    r->loss.lost = at.whole > 0;
}

/* Whether the block that comes next is whole; counts why not. */
static SHL_RT bool is_there(shl_stream_reader *r, uint64_t written,
                            uint32_t frames)
{
    int64_t unread = (int64_t)(written - (uint64_t)r->at.whole);
    int64_t spare =
        (int64_t)(written - (uint64_t)end_of_need(r, r->at, frames));

    if (spare >= 0 && unread >= 0 && unread <= (int64_t)r->limit) {
        if (spare < r->stats.spare_frames)
            r->stats.spare_frames = (uint32_t)spare;
        return true;
    }
    if (unread < 0 || unread > INT32_MAX)
        r->stats.bad++;
    else if (spare >= 0)
        r->stats.skips++;
    else if (r->at.whole > 0) /* before that nobody misses it */
        shl_reader_underrun(r);
    return false;
}

static SHL_RT void find_place(shl_stream_reader *r, uint64_t written,
                              uint32_t frames, uint64_t now_ns)
{
    const bool at_pair =
        r->round_trip.holds && r->at.whole == r->round_trip.place;
    if (r->playing && (shl_reader_is_far(r, now_ns) ||
                       (!at_pair && round_trip_readable(r, frames, written)))) {
        r->stats.skips++;
        r->playing = false;
    }
    if (r->playing && !is_there(r, written, frames)) {
        if (at_pair)
            shl_round_trip_drop(&r->round_trip);
        r->playing = false;
    }
    if (!r->playing)
        start(r, written, frames);
    if (r->playing)
        shl_reader_follow(r, written, frames, now_ns);
    /* steering may have asked for a frame more */
    if (r->playing && !is_there(r, written, frames))
        r->playing = false;
}

static uint64_t not_below_zero(int64_t frame)
{
    return frame > 0 ? (uint64_t)frame : 0;
}

/* Whether the writer may have come round to the frames that were just read: it
 * happens when this thread stands still in the midst of them. */
static SHL_RT bool overtaken(const shl_stream_reader *r)
{
    /* acquire: no frame is read after this */
    atomic_thread_fence(memory_order_acquire);
    uint64_t written =
        atomic_load_explicit(r->memory.written, memory_order_relaxed);
    return written + r->options.from_frames - not_below_zero(r->part_first) >
           CAPACITY;
}

static SHL_RT bool fill(shl_stream_reader *r, float *const *planes,
                        uint32_t frames, uint64_t written)
{
    bool whole = r->playing;

    if (whole && r->resampling)
        whole = shl_reader_resample(r, planes, frames, written);
    else if (whole)
        shl_reader_copy(r, planes, frames);
    if (whole && overtaken(r)) {
        r->stats.skips++;
        r->playing = whole = false;
    }
    if (whole) {
        shl_loss_came(&r->loss, planes, r->options.channels, frames);
        return true;
    }
    shl_loss_fill(&r->loss, NULL, 0, planes, r->options.channels, frames);
    r->stats.silent_frames += frames;
    return false;
}

SHL_RT bool shl_stream_read(shl_stream_reader *reader, float *const *planes,
                            uint32_t frames, uint64_t now_ns)
{
    /* acquire: the frames below are whole */
    uint64_t written =
        atomic_load_explicit(reader->memory.written, memory_order_acquire);

    shl_reader_take_line(reader);
    shl_clock_estimator_see(&reader->own, reader->count, now_ns);
    if (shl_clock_estimator_settled(&reader->own) &&
        !(reader->late & SHL_BURST_MEASURED))
        reader->waited += frames;
    shl_reader_follow_lateness(reader);
    shl_reader_take_aim(reader, written, now_ns);
    take_pair(reader);
    shl_reader_take_deviation(reader);
    reader->count += frames;
    find_place(reader, written, frames, now_ns);
    reader->part_first = reader->at.whole;
    bool whole = fill(reader, planes, frames, written);
    reader->part_end = whole ? reader->at.whole : reader->part_first;
    if (whole)
        tell_heard(reader, reader->count - frames);
    if (whole && copies(reader)) {
        reader->was = true;
        reader->offset =
            (int64_t)((uint64_t)reader->part_first - (reader->count - frames));
    }
    /* release: what lies below has been copied */
    if (whole)
        atomic_store_explicit(reader->memory.read,
                              not_below_zero(reader->cursor),
                              memory_order_release);
    return whole;
}

SHL_RT void shl_stream_read_part(const shl_stream_reader *reader,
                                 int64_t *first, int64_t *end)
{
    *first = reader->part_first;
    *end = reader->part_end;
}

SHL_RT void shl_stream_get_stats(shl_stream_reader *reader,
                                 struct shl_stream_stats *stats)
{
    reader->stats.ratio = reader->step;
    reader->stats.deviation = reader->deviation;
    reader->stats.position = (double)reader->at.whole + reader->at.rest;
    *stats = reader->stats;
    reader->stats.spare_frames = CAPACITY;
}
