/* SPDX-License-Identifier: MIT */
#include "wave.h"

#include <math.h>
#include <string.h>

#define MOST_HARMONICS 512
#define TWO_PI         6.283185307179586

static int harmonics_of(int table)
{
    /* 1e-9: exact powers must not fall below themselves */
    return (int)(MOST_HARMONICS * pow(2.0, -0.5 * table) + 1e-9);
}

void wave_init(struct wave *wave)
{
    static const double level = 2.0 / 3.141592653589793;
    double sum[WAVE_SIZE] = {0};
    double sine[WAVE_SIZE];
    int harmonic = 1;

    for (int i = 0; i < WAVE_SIZE; i++)
        sine[i] = sin(TWO_PI * i / WAVE_SIZE);
    for (int t = WAVE_TABLES - 1; t >= 0; t--) {
        for (; harmonic <= harmonics_of(t); harmonic++)
            for (int i = 0; i < WAVE_SIZE; i++)
                sum[i] +=
                    level / harmonic * sine[harmonic * i & (WAVE_SIZE - 1)];
        for (int i = 0; i < WAVE_SIZE; i++)
            wave->table[t][i] = (float)sum[i];
        wave->table[t][WAVE_SIZE] = wave->table[t][0];
    }
}

struct wave_band wave_pick(const struct wave *wave, float octaves)
{
    /* half octaves from the pitch at which 512 harmonics just fit: that is
     * log2(0.46 / 512) */
    const float place = 2.f * (octaves + 10.12029f);
    const float low = place < -1.f ? -1.f : floorf(place);
    const int rich = low > WAVE_TABLES - 3 ? WAVE_TABLES - 2 : (int)low + 1;
    float mix = place < -1.f ? 0.f : place - low;

    if (low > WAVE_TABLES - 3)
        mix = 1.f; /* the last one is a sine: it fits up to the top */
    return (struct wave_band){wave->table[rich], wave->table[rich + 1], mix};
}
