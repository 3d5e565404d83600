/* SPDX-License-Identifier: MIT */
/* There and back: two streams between two clocks, of which each end knows the
 * other as well as its calls are punctual. Who reads says where it hears the
 * stream; who gets back what was heard there takes its own place from that, so
 * that both ways together are as long as both latencies, whatever either thought
 * of the clocks when it began. Only while both copy frame by frame. */
#ifndef SHL_ROUND_TRIP_H
#define SHL_ROUND_TRIP_H

#include "shmlink/realtime.h"
#include "shmlink/system.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct shl_round_trip {
    const _Atomic uint64_t
        *heard; /* as the peer says it; NULL: no round_trip */
    const _Atomic uint32_t
        *other;               /* latency of the other stream; it may rise */
    uint32_t latency_frames;  /* of this one */
    uint32_t apart_frames;    /* most that the clocks may contradict it */
    uint32_t patience_frames; /* that it is waited for yet */
    uint64_t by, not_by;      /* what was said; what led to no good */
    bool holds;               /* `place` does */
    int64_t place;            /* in the stream that comes back */
};

/** @param latency_frames of the stream that comes back, which has to make up for
 * what the other end is wrong by. [control] */
SHL_RT void shl_round_trip_init(struct shl_round_trip *round_trip,
                                const _Atomic uint64_t *heard,
                                const _Atomic uint32_t *other,
                                uint32_t latency_frames, double rate_hz);

/** This stream's latency is another now. [audio] */
SHL_RT void shl_round_trip_latency(struct shl_round_trip *round_trip,
                                   uint32_t latency_frames);

/** What is said now: `frame` is our own, `aim` the place by the clocks; both are
 * checked against it. [audio] */
SHL_RT void shl_round_trip_look(struct shl_round_trip *round_trip,
                                uint64_t frame, int64_t aim);

/** Frames were missing there: not again before the peer says another. [audio] */
SHL_RT void shl_round_trip_drop(struct shl_round_trip *round_trip);

/** Whether to wait for it in this block; not for ever. [audio] */
SHL_RT bool shl_round_trip_await(struct shl_round_trip *round_trip,
                                 uint32_t frames);

/** What to say: frame `first` of the stream was heard at our own `frame`. */
static inline uint64_t shl_round_trip_heard(uint64_t frame, int64_t first)
{
    return (frame - (uint64_t)first) << 1 | 1u;
}

#endif
