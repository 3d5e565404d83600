/* SPDX-License-Identifier: MIT */
/* One block there and back: doorbell, wait with a deadline, answer; who owns
 * the planes when; late answers; the score by which a host stops waiting for a
 * device that cannot keep up. At most one block is outstanding. The two halves
 * never run on the same object.
 *
 * From doorbell to answer planes and lines belong to the device. */
#ifndef SHL_CYCLE_H
#define SHL_CYCLE_H

#include "core/shm/segment.h"
#include "shmlink/realtime.h"

/** A word of a line whose order the doorbell or the answer gives: each is
 * loaded once, checked, then used. [audio] */
SHL_RT static inline uint32_t shl_line_load(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void shl_line_store(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

/** Have the first frames of a plane brought here to be written: the other side
 * had them last, and stores alone bring few lines at a time. [audio] */
SHL_RT static inline void shl_plane_fetch(const float *plane, uint32_t frames)
{
    for (uint32_t i = 0; i < frames && i < 512; i += 16)
        shl_fetch_to_write(plane + i);
}

/** Add to a counter of our own side. [audio] */
SHL_RT static inline void shl_count(_Atomic uint64_t *counter, uint64_t more)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + more, memory_order_relaxed);
}

/* ---- host half ----------------------------------------------------------- */

struct shl_cycle_host {
    const struct shl_segment *segment;
    uint32_t doorbell;    /* last rung */
    bool outstanding;     /* and not answered yet */
    bool given_up;        /* what is outstanding will not be played */
    bool stalled;         /* look, do not wait */
    bool late;            /* what is outstanding is: its deadline has passed */
    bool may_yield;       /* the device may run on our processor */
    bool asked;           /* for slack, in this block */
    uint32_t deadline_us; /* of one block, without slack */
    uint32_t left_us;     /* of what this block may be waited for */
    uint32_t limit_us;    /* within which the block rung last is in time */
    uint32_t score;       /* in 64ths of a missed block */
    uint32_t needed;      /* blocks in time before we wait again */
    uint32_t credit;      /* of them in this stall, in 16ths */
    uint32_t passed;      /* blocks of the host since the doorbell */
    uint32_t steady;      /* blocks in time since the last stall */
    uint32_t calm;        /* likewise, since the last relapse or relief */
    uint32_t second_blocks; /* blocks in a second */
    uint64_t rung_ns;       /* when the doorbell was rung, if stalled */
    uint64_t lost;          /* blocks of the present or last stall */
    SHL_RT uint32_t (*slack_us)(
        void *arg); /* see shl_host_set_slack; NULL: none */
    void *slack_arg;
};

/** Go on from the present doorbell; a block that a dead host left is
 * outstanding and given up. [control] */
void shl_cycle_host_init(struct shl_cycle_host *cycle,
                         const struct shl_segment *segment,
                         uint32_t deadline_us, uint32_t blocks_per_second);

/** A new block begins, with a deadline of its own. [audio] */
SHL_RT void shl_cycle_begin(struct shl_cycle_host *cycle);

/** How long this block may still be waited for: the deadline and the slack that
 * the host's user has, less what has been waited. For who is about to wait; the
 * first call of a block asks for the slack. [audio] */
SHL_RT uint32_t shl_cycle_patience(struct shl_cycle_host *cycle);

/** Wait for the outstanding answer, at most what is left of the patience (not
 * at all when stalled). True: nothing is outstanding now. [audio] */
SHL_RT bool shl_cycle_collect(struct shl_cycle_host *cycle);

/** Announce a block; all else is written. Only when nothing is outstanding.
 * [audio] One system call if the device sleeps. */
SHL_RT void shl_cycle_ring(struct shl_cycle_host *cycle, uint64_t frame,
                           uint32_t frames, uint32_t in_channels,
                           uint32_t out_channels, uint32_t epoch);

/** The doorbell has been rung for a new block: what ringing means for the host,
 * whoever gives the answer. [audio] */
SHL_RT void shl_cycle_rung(struct shl_cycle_host *cycle);

/** Keep the score of a link that is not stalled. `came`: the answer was there in
 * time; else its deadline has passed. True: the link has just stalled. [audio] */
SHL_RT bool shl_cycle_score(struct shl_cycle_host *cycle, bool came);

enum shl_verdict { SHL_UNDECIDED, SHL_IN_TIME, SHL_LATE };

/** A stalled link, at a block of the host: judge by time what is outstanding.
 * `there`: shl_cycle_collect has just found the answer. An answer is in time if
 * it came within the patience of its doorbell: by the device's clock, or, if it
 * does not say so, unless we have looked for it in vain after that. The link resumes
 * (`stalled` is false then) after enough blocks in time, at any spacing: an
 * answer stands for all blocks of the host since its doorbell, and 16 late ones
 * for one in time. [audio] */
SHL_RT enum shl_verdict shl_cycle_judge(struct shl_cycle_host *cycle,
                                        bool there, uint64_t now_ns);

/** Wake the device without a block: it looks at epoch and messages. [any] */
SHL_RT void shl_cycle_nudge(struct shl_lines *lines);

/* ---- device half ----------------------------------------------------------- */

struct shl_cycle_device {
    struct shl_lines *lines;
    struct shl_claim_region *claim;
    bool may_yield;    /* the host may run on our processor */
    bool nudged;       /* woken without a block: one is about to come */
    bool slept;        /* since the last block, and not just for a moment */
    uint32_t eager;    /* above 0: blocks follow each other at once, of late */
    uint32_t shy;      /* blocks for which it does not yield to siblings */
    uint32_t sleeps;   /* another odd number for each */
    uint32_t cpus;     /* processors that we may run on */
    uint32_t answered; /* last doorbell answered */
    uint64_t began_ns; /* the block being worked on */
};

void shl_cycle_device_init(struct shl_cycle_device *cycle,
                           const struct shl_segment *segment);

/** Wait until there is a doorbell to answer, an epoch other than `epoch`, or
 * an alarm (a word of our own process) other than 0; at most timeout_us. True
 * if there is. [audio] */
SHL_RT bool shl_cycle_wait(struct shl_cycle_device *cycle, uint32_t epoch,
                           const _Atomic uint32_t *alarm, uint32_t timeout_us);

/** Whether a doorbell waits for its answer. *bell gets it. [audio] */
SHL_RT bool shl_cycle_bell(struct shl_cycle_device *cycle, uint32_t *bell);

/** Answer it: everything written before is the host's now. [audio] One system
 * call if the host sleeps. */
SHL_RT void shl_cycle_answer(struct shl_cycle_device *cycle, uint32_t bell,
                             uint64_t frame, uint32_t frames,
                             uint32_t in_channels, uint32_t out_channels);

#endif
