/* One block there and back: doorbell, wait with a deadline, answer; who owns
 * the planes when; late answers; the score by which a host stops waiting for a
 * device that cannot keep up. At most one block is outstanding. The two halves
 * never run on the same object.
 *
 * From doorbell to answer planes and lines belong to the device. */
#ifndef SHL_CYCLE_H
#define SHL_CYCLE_H

#include "segment.h"

/* ---- host half ----------------------------------------------------------- */

struct shl_cycle_host {
    struct shl_lines *lines;
    struct shl_counters *counters;
    const struct shl_segment *segment; /* for its lease, in long waits only */
    uint32_t doorbell;                 /* last rung */
    bool outstanding;                  /* and not answered yet */
    bool late;              /* the outstanding block has been given up */
    bool stalled;           /* look, do not wait */
    uint32_t deadline_us;   /* of one block */
    uint32_t score;         /* in 64ths of a missed block */
    uint32_t in_a_row;      /* answers that were there at the next block */
    uint32_t needed;        /* of them before we wait again: 4 to 4096 */
    uint32_t calm_blocks;   /* since the last miss */
    uint32_t second_blocks; /* blocks in a second */
    uint32_t pauses_per_us;
    bool may_yield; /* same scheduling policy on both sides */
    uint64_t missed_in_stall;
};

/** Go on from the present doorbell; a block that a dead host left is
 * outstanding, and late. [control] */
void shl_cycle_host_init(struct shl_cycle_host *cycle,
                         const struct shl_segment *segment,
                         uint32_t deadline_us, uint32_t blocks_per_second);

/** Wait for the outstanding answer, at most the deadline (not at all when
 * stalled). True: nothing is outstanding now. [audio] */
SHL_RT bool shl_cycle_collect(struct shl_cycle_host *cycle);

/** Announce a block; all else is written. Only when nothing is outstanding.
 * [audio] One system call if the device sleeps. */
SHL_RT void shl_cycle_ring(struct shl_cycle_host *cycle, uint64_t frame,
                           uint32_t frames, uint32_t in_channels,
                           uint32_t out_channels, uint32_t epoch);

/** Keep the score. `came`: a block's audio was there in time. Returns +1 when
 * the link has just stalled, -1 when it has just resumed. [audio] */
SHL_RT int shl_cycle_score(struct shl_cycle_host *cycle, bool came);

/** Wake the device without a block: it looks at epoch and messages. [any] */
void shl_cycle_nudge(struct shl_lines *lines);

/* ---- device half ----------------------------------------------------------- */

struct shl_cycle_device {
    struct shl_lines *lines;
    struct shl_claim_region *claim;
    uint32_t answered; /* last doorbell answered */
    uint32_t epoch_seen;
    uint32_t pauses_per_us;
    uint64_t began_ns; /* of the block being worked on */
};

void shl_cycle_device_init(struct shl_cycle_device *cycle,
                           const struct shl_segment *segment);

/** Wait for a new doorbell or epoch, at most timeout_us; `*alarm` (own
 * process) other than 0 ends the wait too. True if there may be something.
 * [audio] */
SHL_RT bool shl_cycle_wait(struct shl_cycle_device *cycle, uint32_t timeout_us,
                           _Atomic uint32_t *alarm);

/** The doorbell that is not answered yet, or the answered one: none. [audio] */
SHL_RT uint32_t shl_cycle_bell(const struct shl_cycle_device *cycle);

/** Answer it: everything written before is the host's now. [audio] One system
 * call if the host sleeps. */
SHL_RT void shl_cycle_answer(struct shl_cycle_device *cycle, uint32_t bell,
                             uint64_t frame, uint32_t frames,
                             uint32_t in_channels, uint32_t out_channels);

#endif
