/* SPDX-License-Identifier: MIT */
/* How fast a clock runs that is only seen through calls that come at bad times.
 * Whoever moves audio calls once per block, with the number of the block's
 * first frame and the system's time; the system wakes it late, never early.
 * So the earliest calls tell the truth: of each window the one with the
 * smallest lateness, less its distance to the next (as far is it likely to be
 * from the truth), goes into a second-order delay-locked loop, whose gains
 * are those of a Kalman filter for a clock that wanders slowly. Blocks that come
 * several at a time are one call, of which the last block tells. It is exact
 * after two blocks when there is no jitter, and averages over minutes when
 * there is. Arithmetic on plain values; all times are given from outside. */
#ifndef SHL_CLOCK_ESTIMATOR_H
#define SHL_CLOCK_ESTIMATOR_H

#include "core/free/burst.h"
#include "shmlink/realtime.h"
#include "shmlink/system.h"

#include <stdbool.h>
#include <stdint.h>

/** When which frame is due: time(f) = time_ns + (f - frame) * period_ns. */
struct shl_clock_line {
    uint64_t frame;
    uint64_t time_ns;
    double period_ns;   /* per frame */
    double spread_ns;   /* standard deviation of time_ns, as far as is known */
    double rate_spread; /* the same of period_ns, relative to it */
};

struct shl_clock_estimator {
    struct shl_clock_line line; /* time_ns is whole; the rest is in `rest_s` */
    double nominal_s;
    double rest_s;
    double rate;          /* period / nominal - 1 */
    double p00, p01, p11; /* covariance, in variances of one observation */
    double variance_s2;   /* of one observation */
    uint32_t windows;     /* since the beginning or the last restart */
    bool started;
    bool exact; /* set after init: no call is ever late, so what deviates is a
                   step of the clock */
    uint64_t first_ns, last_ns, late_since_ns;
    uint64_t window_ns; /* when the present one began */
    uint64_t best_frame, best_ns;
    double best_s, next_s; /* smallest lateness of this window, the next */
    /* blocks that come several at a time */
    uint64_t last_frame;
    uint32_t bursts; /* begun since the beginning or the last restart */
    uint32_t calls;  /* of the present one */
    bool several;    /* the burst before had more than one call */
    struct shl_burst burst;
};

SHL_RT void shl_clock_estimator_init(struct shl_clock_estimator *estimator,
                                     double rate_hz);

/** A block begins with this frame, now. The first frame of the next call is
 * usually this one's plus its block; any size goes. Returns true when the line
 * has changed. A stop of a quarter of a second or more, and any sudden step,
 * starts the phase anew and keeps the rate. [audio] */
SHL_RT bool shl_clock_estimator_see(struct shl_clock_estimator *estimator,
                                    uint64_t frame, uint64_t now_ns);

/** Whether it can be relied on: a whole burst has ended since the phase began anew, and
 * enough were seen to know how late they come. [audio] */
SHL_RT bool
shl_clock_estimator_settled(const struct shl_clock_estimator *estimator);

/** When a frame is due, in nanoseconds after origin_ns, which should be near.
 * [audio] */
SHL_RT double
shl_clock_estimator_due(const struct shl_clock_estimator *estimator,
                        uint64_t frame, uint64_t origin_ns);

#endif
