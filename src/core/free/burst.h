/* SPDX-License-Identifier: MIT */
/* How late the blocks of a clock come that computes several of them at once, and
 * then none for a while: Pd with a sound card's long period, a program that
 * sleeps long. A burst's last block is on time and its first one is late; what
 * comes back again and again is how its clock works, what comes once is an
 * accident. Arithmetic on plain values. */
#ifndef SHL_BURST_H
#define SHL_BURST_H

#include "shmlink/realtime.h"
#include "shmlink/system.h"

#include <stdbool.h>
#include <stdint.h>

#define SHL_BURST_KEPT 3u

struct shl_burst {
    double largest_s[SHL_BURST_KEPT]; /* of this window, largest first */
    double before_s;                  /* of the window before */
    uint32_t count;                   /* bursts of this window */
    bool ready;                       /* enough were seen to tell */
    uint64_t window_ns;
};

/** A burst has begun, so late by an even clock. [audio] */
SHL_RT void shl_burst_see(struct shl_burst *burst, double late_s,
                          uint64_t now_ns);

/** So late the blocks come, again and again: in a second three bursts were as
 * late. [any] */
SHL_RT double shl_burst_late(const struct shl_burst *burst);

/* The same as a word in shared memory: frames at the writer's rate, and whether
 * that has been measured or is what its program expects. 0: a peer of link 1.1,
 * which does not say. */
#define SHL_BURST_SAID     0x40000000u
#define SHL_BURST_MEASURED 0x80000000u
#define SHL_BURST_FRAMES   0x00FFFFFFu

static inline uint32_t shl_burst_word(double frames, bool measured)
{
    uint32_t most = SHL_BURST_FRAMES;
    uint32_t whole = frames > 0 ? (frames < most ? (uint32_t)frames : most) : 0;

    return whole | SHL_BURST_SAID | (measured ? SHL_BURST_MEASURED : 0);
}

#endif
