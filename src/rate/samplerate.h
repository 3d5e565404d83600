/* libsamplerate as the free drive's resampler: the only file that knows it. */
#ifndef RATE_SAMPLERATE_H
#define RATE_SAMPLERATE_H

#include "core/shl.h"

/** Its sinc of medium quality: below -120 dB of noise. Lasts for ever. [any] */
const struct shl_resampler *rate_samplerate(void);

#endif
