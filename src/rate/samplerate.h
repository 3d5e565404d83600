/* SPDX-License-Identifier: MIT */
/* libsamplerate as the free drive's resampler: the only file that knows it. */
#ifndef RATE_SAMPLERATE_H
#define RATE_SAMPLERATE_H

#include "shmlink/shmlink.h"

#ifdef SHL_HAVE_SAMPLERATE

/** Its sinc of medium quality: below -120 dB of noise. Lasts for ever. NULL in a
 * program that was built without libsamplerate. [any] */
const struct shl_resampler *rate_samplerate(void);

#else

static inline const struct shl_resampler *rate_samplerate(void)
{
    return 0;
}

#endif

#endif
