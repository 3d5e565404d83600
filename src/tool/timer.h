/* SPDX-License-Identifier: MIT */
/* Real time, block by block, by the system's clock. */
#ifndef TOOL_TIMER_H
#define TOOL_TIMER_H

#include "shmlink/shmlink.h"

#include <stdint.h>

struct timer {
    double block_ns;
    uint64_t start_ns, blocks; /* since then */
};

/** The first block is due now. */
void timer_start(struct timer *timer, double rate_hz, uint32_t block_frames);

/** Sleep until the next block is due; early when the command is ended. Much too
 * late: it is due now, and those in between are left out. */
void timer_next(struct timer *timer);

/** How long the next block may wait beyond its deadline, as shl_host_set_slack asks:
 * half of what is left until the timer is 20 ms behind. */
SHL_RT uint32_t timer_slack_us(void *timer);

#endif
