/* SPDX-License-Identifier: MIT */
/* How clean a sine is. */
#ifndef TESTS_SINE_H
#define TESTS_SINE_H

#include <stdint.h>

/** What is left of n samples when the sine that fits best is taken away
 * (amplitude, phase, frequency near `step` radians per sample, and a constant):
 * distortion and noise, in dB under it. */
double sine_residual(const float *x, uint32_t n, double step);

#endif
