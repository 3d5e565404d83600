/* SPDX-License-Identifier: MIT */
/* The points of the synth that hosts can hear one by one: its taps. */
#ifndef TOOL_TAPS_H
#define TOOL_TAPS_H

#include "shmlink/shmlink.h"

#include "synth.h"

enum taps_point {
    TAPS_OSC1, /* what enters the filter, all notes together */
    TAPS_OSC2,
    TAPS_FILTER, /* and what leaves it, before the envelope */
    TAPS_LFO,    /* -1 to 1 */
    TAPS_ENV,    /* of the newest note, 0 to 1 */
    TAPS_GATE,   /* 1 while a key is down */
    TAPS_BUS1,   /* the synth alone, left and right */
    TAPS_BUS2,   /* what came in */
    TAPS_MAX
};

/** What a device with so many inputs publishes; returns how many. Without
 * inputs there is no second bus. [control] */
uint32_t taps_list(uint32_t in_channels, struct shl_tap taps[TAPS_MAX]);

/** Where the synth writes those that a host wants in this block; all is zeroed
 * first. [audio] */
SHL_RT void taps_begin(const struct shl_block *block, struct synth_taps *taps);

/** The second bus. [audio] */
SHL_RT void taps_inputs(const struct shl_block *block, uint32_t in_channels);

#endif
