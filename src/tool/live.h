/* SPDX-License-Identifier: MIT */
/* Playing in real time: paced by the system's clock, watched by a second thread
 * that prints, so that a slow terminal does not hold up the sound. */
#ifndef TOOL_LIVE_H
#define TOOL_LIVE_H

#include "perform.h"

struct live_options {
    double rate_hz;
    uint32_t block_frames;
    int quiet;
};

/** Play to the end, or until the user ends it. */
shl_status live_play(const struct live_options *options, shl_host *host,
                     struct perform *perform);

#endif
