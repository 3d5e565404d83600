/* SPDX-License-Identifier: MIT */
#include "core/free/burst.h"

#define WINDOW_NS 1000000000u
/* Late calls of a second that has just begun may look like bursts. */
#define READY_NS 50000000u

SHL_RT void shl_burst_see(struct shl_burst *burst, double late_s,
                          uint64_t now_ns)
{
    double *largest_s = burst->largest_s;

    if (now_ns - burst->window_ns > WINDOW_NS) {
        if (burst->count >= SHL_BURST_KEPT)
            burst->before_s = largest_s[SHL_BURST_KEPT - 1];
        burst->window_ns = now_ns;
        burst->count = 0;
    }
    if (burst->count == 0)
        for (uint32_t i = 0; i < SHL_BURST_KEPT; i++)
            largest_s[i] = 0.0;
    burst->count++;
    burst->ready = burst->ready || (burst->count >= SHL_BURST_KEPT &&
                                    now_ns - burst->window_ns >= READY_NS);
    for (uint32_t i = 0; i < SHL_BURST_KEPT; i++)
        if (late_s > largest_s[i]) {
            double next_s = largest_s[i];
            largest_s[i] = late_s;
            late_s = next_s;
        }
}

double shl_burst_late(const struct shl_burst *burst)
{
    double now_s = burst->largest_s[SHL_BURST_KEPT - 1];

    return burst->before_s > now_s ? burst->before_s : now_s;
}
