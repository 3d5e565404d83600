/* SPDX-License-Identifier: MIT */
/* What the free drive asks of a resampler. The core has none of its own: whoever
 * wants clocks and rates to differ gives one, such as src/rate. */
#ifndef SHL_RESAMPLER_H
#define SHL_RESAMPLER_H

#include "realtime.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** All frames are interleaved. The first output frame after the beginning lies
 * exactly on the first input frame, each further one `step` input frames on. */
struct shl_resampler {
    /** Input frames it wants to see beyond the one that it computes, at a step
     * of 1 or less; in proportion above. */
    uint32_t ahead_frames;

    /** A state for 1 to SHL_MAX_CHANNELS channels; NULL: no memory. [control] */
    void *(*make)(uint32_t channels);

    /** Compute up to out_frames from up to in_frames; *used input frames need
     * not be given again. `step` is in input frames per output frame. With
     * in_frames and out_frames 0: forget the past. Returns the frames
     * written. [audio] No allocation, lock or system call. */
    SHL_RT uint32_t (*process)(void *state, double step, const float *in,
                               uint32_t in_frames, float *out,
                               uint32_t out_frames, uint32_t *used);

    /** NULL is fine. [control] */
    void (*destroy)(void *state);
};

#ifdef __cplusplus
}
#endif
#endif
