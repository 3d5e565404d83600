/* SPDX-License-Identifier: MIT */
/* What the reader of a stream remembers: for its files alone (stream.c, stream_*.c). */
#ifndef SHL_STREAM_STATE_H
#define SHL_STREAM_STATE_H

#include "core/free/round_trip.h"
#include "core/free/stream.h"
#include "core/lockstep/loss.h"

#include <math.h>

#define CAPACITY SHL_STREAM_FRAMES
/* Whoever does not say how late its blocks come: so often silent in this time,
 * and the latency was too short. */
#define SHORT_TIMES  3u
#define SHORT_WITHIN 10.0
/* As far as that share of the latency a stream that comes back is taken up where
 * it was: what is known of clocks that stood still is worse. */
#define SAME_SHARE 4

/* A place in the stream, between two frames; before frame 0 is silence. */
struct place {
    int64_t whole;
    double rest; /* 0 to below 1 */
};

/* All of it is the audio thread's, but for the latency. */
struct shl_stream_reader {
    struct shl_stream_memory memory;
    struct shl_stream_options options;
    double nominal;           /* writer's frames per own frame, by the rates */
    _Atomic uint32_t latency; /* written by the audio thread alone */
    uint32_t least, most;     /* that it can be */
    uint32_t late;            /* the writer's blocks, as it says */
    uint32_t waited;          /* own frames that it has not measured for */
    /* underruns of one latency, the last of them */
    uint64_t short_at[SHORT_TIMES];
    uint32_t short_count;
    uint32_t missing; /* most frames that were */
    bool stood;       /* too many of them: the writer has stood still */
    uint64_t wanted_at;
    uint64_t limit; /* more than so many unread: the writer may be on them */
    /* clocks */
    struct shl_clock_estimator own;
    struct shl_clock_line line; /* of the writer, checked */
    uint32_t sequence;
    uint64_t count; /* own frames ever */
    bool known;     /* `aim` holds */
    struct place aim;
    struct shl_round_trip round_trip;
    uint64_t told; /* the last `heard` */
    /* place */
    bool playing;
    bool resampling;
    bool steered;    /* `step` has been set by the clocks */
    struct place at; /* of the next frame to be heard */
    int64_t cursor;  /* next frame to take from the ring */
    int64_t part_first, part_end;
    bool was;       /* it has copied, with so much between */
    int64_t offset; /* place and own frame */
    double step;
    double deviation;
    uint64_t differ_since_ns, far_since_ns;
    /* sound */
    struct shl_loss loss;
    void *state; /* the resampler's */
    float *in, *out;
    uint32_t ahead;
    struct shl_stream_stats stats;
};

static inline SHL_RT uint32_t latency_of(const struct shl_stream_reader *r)
{
    /* relaxed: a number alone */
    return atomic_load_explicit(&r->latency, memory_order_relaxed);
}

/* How far from its place a stream that comes back may be to be taken up there. */
static inline SHL_RT uint32_t same_frames(const struct shl_stream_reader *r)
{
    return latency_of(r) / SAME_SHARE;
}

static inline struct place place_after(int64_t whole, double frames)
{
    double below = floor(frames);

    return (struct place){whole + (int64_t)below, frames - below};
}

/* Frames, as a difference of numbers that a peer may have made up. */
static inline double frames_between(int64_t from, int64_t to)
{
    return (double)(int64_t)((uint64_t)to - (uint64_t)from);
}

static inline bool copies(const struct shl_stream_reader *r)
{
    return !r->resampling && r->stats.mode == SHL_STREAM_COPY;
}

/* First frame of the ring that a block of so many needs to be there not. */
static inline int64_t end_of_need(const shl_stream_reader *r, struct place at,
                                  uint32_t frames)
{
    if (!r->resampling)
        return at.whole + frames;
    double more = at.rest + (double)frames * r->step;
    return at.whole + (int64_t)ceil(more) + r->ahead;
}

/* ---- stream_clocks.c ---- */

/** The writer's line, if it can be true. [audio] */
SHL_RT void shl_reader_take_line(shl_stream_reader *r);
/** Where the next frame should come from, by the clocks. [audio] */
SHL_RT void shl_reader_take_aim(shl_stream_reader *r, uint64_t written,
                                uint64_t now_ns);
/** How far the place is from there. [audio] */
SHL_RT void shl_reader_take_deviation(shl_stream_reader *r);
/** Too far, for too long: another place is to be taken. [audio] */
SHL_RT bool shl_reader_is_far(shl_stream_reader *r, uint64_t now_ns);
/** Go there, if the clocks differ. [audio] */
SHL_RT void shl_reader_follow(shl_stream_reader *r, uint64_t written,
                              uint32_t frames, uint64_t now_ns);

/* ---- stream_latency.c ---- */

/** Least, most and first. SHL_WRONG_BLOCK, SHL_BAD_VALUE. [control] */
shl_status shl_reader_set_latency(shl_stream_reader *r);
/** Frames were missing. [audio] */
SHL_RT void shl_reader_underrun(shl_stream_reader *r);
/** So many are missing in a block. [audio] */
SHL_RT void shl_reader_missing(shl_stream_reader *r, int64_t frames);
/** None is missing any more. [audio] */
SHL_RT void shl_reader_end_missing(struct shl_stream_reader *r);
/** While nothing is heard: a longer latency, if it was too short. [audio] */
SHL_RT void shl_reader_follow_lateness(shl_stream_reader *r);

/* ---- stream_samples.c ---- */

/** SHL_NO_MEMORY. [control] */
shl_status shl_reader_make_resampler(shl_stream_reader *r);
/** The resampler, as if it had always run. [audio] */
SHL_RT void shl_reader_start_resampler(shl_stream_reader *r, uint64_t written);
/** A block through the resampler. False: it gave less. [audio] */
SHL_RT bool shl_reader_resample(shl_stream_reader *r, float *const *planes,
                                uint32_t frames, uint64_t written);
/** A block as it is in the ring. [audio] */
SHL_RT void shl_reader_copy(shl_stream_reader *r, float *const *planes,
                            uint32_t frames);

#endif
