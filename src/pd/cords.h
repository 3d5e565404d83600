/* SPDX-License-Identifier: MIT */
/* Signals of several channels in one cord, which Pd has since 0.54. We were
 * compiled for an older one: what is newer is looked up in the running Pd. */
#ifndef PD_CORDS_H
#define PD_CORDS_H

#include "pd/replies.h"

/** For class_new: this class knows of such cords, where Pd does. Without the flag
 * Pd leaves the vectors of a class that gets one as they were before. */
int cords_flag(void);

/** Channels of a signal in `dsp`: 1 in older Pds. */
int cords_channels(const t_signal *signal);

/** In `dsp`: of what came in at `count` inlets the first channel is used; the
 * others are told of, once. */
void cords_check(struct replies *replies, t_signal **in, int count);

/** In `dsp`, for all outlets, and before their vectors are taken: one channel
 * each. */
void cords_make(t_signal **out, int count);

#endif
