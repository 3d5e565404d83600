/* SPDX-License-Identifier: MIT */
#include "timer.h"

#include "terminal.h"
#include "tool.h"

#define SLACK_NS 20000000u  /* so far behind nobody minds */
#define LATE_NS  200000000u /* as much behind: give up catching up */

void timer_start(struct timer *timer, double rate_hz, uint32_t block_frames)
{
    *timer = (struct timer){.block_ns = block_frames * 1e9 / rate_hz,
                            .start_ns = shl_clock_ns()};
}

void timer_next(struct timer *timer)
{
    const uint64_t now = shl_clock_ns();
    const uint64_t due =
        timer->start_ns + (uint64_t)(timer->block_ns * (double)++timer->blocks);

    if (now > due + LATE_NS) {
        timer->start_ns = now;
        timer->blocks = 0;
    } else {
        terminal_sleep_until(due);
    }
}

uint32_t timer_slack_us(void *argument)
{
    const struct timer *timer = argument;
    const uint64_t until = timer->start_ns + SLACK_NS +
                           (uint64_t)(timer->block_ns * (double)timer->blocks);
    const uint64_t now = shl_clock_ns();

    return now < until ? (uint32_t)((until - now) / 2000) : 0;
}
