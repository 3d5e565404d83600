/* SPDX-License-Identifier: MIT */
/* What the host does with its own inputs: keep them for dry sound, as late as
 * the link makes them, and crossfade between device and dry. Buffers of its
 * own, made once, so inputs and outputs may be the same memory. */
#ifndef SHL_BYPASS_H
#define SHL_BYPASS_H

#include "core/shm/layout.h"
#include "shmlink/realtime.h"
#include "shmlink/system.h"

#include <stdbool.h>

#define SHL_DRY_FRAMES 16384u /* the longest latency that dry sound follows */

struct shl_bypass {
    uint32_t mode; /* wanted: 0 off, 1 hard, 2 soft */
    uint32_t channels;
    uint32_t at;                               /* in the history, runs on */
    uint32_t known;                            /* frames in it without a gap */
    float to_device, from_device, past_device; /* gains at the block's begin */
    float *history;                            /* channels x SHL_DRY_FRAMES */
    float *memory; /* two planes per channel: dry, and faded for the device */
    const float *dry[SHL_MAX_CHANNELS]; /* of this block */
    const float *faded[SHL_MAX_CHANNELS];
};

/** [control] SHL_NO_MEMORY. */
shl_status shl_bypass_new(struct shl_bypass *bypass, uint32_t channels);
void shl_bypass_free(struct shl_bypass *bypass);

/** Take the block's inputs. With `dry`, or when the mode needs it, bypass->dry
 * is then what they were `latency` frames ago. Returns the planes for the
 * device. [audio] */
SHL_RT const float *const *shl_bypass_in(struct shl_bypass *bypass,
                                         const float *const *in,
                                         uint32_t frames, uint32_t latency,
                                         bool dry);

/** Mix dry sound into the device's, as the mode says, without a step. [audio]
 */
SHL_RT void shl_bypass_out(struct shl_bypass *bypass, float *const *out,
                           uint32_t channels, uint32_t frames);

#endif
