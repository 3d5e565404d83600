/* SPDX-License-Identifier: MIT */
/* A sawtooth without aliasing: tables of one period each, with fewer harmonics
 * from table to table (half an octave apart). Between two tables the oscillator
 * blends, so a gliding pitch never jumps in timbre. Pure arithmetic. */
#ifndef TOOL_WAVE_H
#define TOOL_WAVE_H

#include "shmlink/shmlink.h"

#include <stdint.h>

#define WAVE_BITS   12
#define WAVE_SIZE   (1 << WAVE_BITS)
#define WAVE_TABLES 19 /* 512 harmonics down to 1 */

struct wave {
    float table[WAVE_TABLES][WAVE_SIZE + 1]; /* the first sample once more */
};

/** What an oscillator reads at its present pitch. */
struct wave_band {
    const float *rich;
    const float *poor;
    float mix; /* 0: rich, 1: poor */
};

/** Fill the tables. Some milliseconds; not on an audio thread. */
void wave_init(struct wave *wave);

/** The tables for a pitch of 2^octaves cycles per sample: no harmonic above
 * 0.46 of the sample rate. [audio] */
SHL_RT struct wave_band wave_pick(const struct wave *wave, float octaves);

/** The sample at a phase of 2^32 to a period, -1 to 1. [audio] */
SHL_RT static inline float wave_at(const struct wave_band *band, uint32_t phase)
{
    const uint32_t i = phase >> (32 - WAVE_BITS);
    const float part =
        (float)(phase << WAVE_BITS >> 8) * (1.f / (float)(1 << 24));
    const float rich =
        band->rich[i] + part * (band->rich[i + 1] - band->rich[i]);
    const float poor =
        band->poor[i] + part * (band->poor[i + 1] - band->poor[i]);

    return rich + band->mix * (poor - rich);
}

#endif
