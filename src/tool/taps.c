/* SPDX-License-Identifier: MIT */
#include "taps.h"

#include <string.h>

static const struct shl_tap table[TAPS_MAX] = {
    [TAPS_OSC1] = {"osc1", SHL_TAP_AUDIO, 1},
    [TAPS_OSC2] = {"osc2", SHL_TAP_AUDIO, 1},
    [TAPS_FILTER] = {"filter", SHL_TAP_AUDIO, 1},
    [TAPS_LFO] = {"lfo", SHL_TAP_CONTROL, 1},
    [TAPS_ENV] = {"env", SHL_TAP_CONTROL, 1},
    [TAPS_GATE] = {"gate", SHL_TAP_GATE, 1},
    [TAPS_BUS1] = {"bus1", SHL_TAP_AUDIO, 2},
    [TAPS_BUS2] = {"bus2", SHL_TAP_AUDIO, 0},
};

uint32_t taps_list(uint32_t in_channels, struct shl_tap taps[TAPS_MAX])
{
    memcpy(taps, table, sizeof(table));
    taps[TAPS_BUS2].channels = in_channels;
    return in_channels ? TAPS_MAX : TAPS_BUS2;
}

/* One plane of a tap, silent; NULL: not wanted. */
static float *plane(const struct shl_block *block, enum taps_point point,
                    uint32_t channel)
{
    float *to;

    if (!block->tap[point])
        return NULL;
    to = block->tap[point][channel];
    memset(to, 0, block->frames * sizeof(float));
    return to;
}

void taps_begin(const struct shl_block *block, struct synth_taps *taps)
{
    taps->osc1 = plane(block, TAPS_OSC1, 0);
    taps->osc2 = plane(block, TAPS_OSC2, 0);
    taps->filter = plane(block, TAPS_FILTER, 0);
    taps->lfo = plane(block, TAPS_LFO, 0);
    taps->env = plane(block, TAPS_ENV, 0);
    taps->gate = plane(block, TAPS_GATE, 0);
    taps->left = plane(block, TAPS_BUS1, 0);
    taps->right = plane(block, TAPS_BUS1, 1);
}

void taps_inputs(const struct shl_block *block, uint32_t in_channels)
{
    if (!in_channels || !block->tap[TAPS_BUS2])
        return;
    for (uint32_t c = 0; c < in_channels; c++)
        memcpy(block->tap[TAPS_BUS2][c], block->in[c],
               block->frames * sizeof(float));
}
