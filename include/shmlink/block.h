/* SPDX-License-Identifier: MIT */
/* One block of a device or a plugin: what it is given to work on. */
#ifndef SHL_BLOCK_H
#define SHL_BLOCK_H

#include "transport.h"

#include <stdint.h>

/** One block to work on. Valid until shl_device_done. */
struct shl_block {
    uint32_t frames;        /* 0: only events; 1 to SHL_MAX_FRAMES */
    uint32_t fresh;         /* 1: the first block of a new claim */
    uint32_t mode;          /* of the claim. SHL_MODE_MIDI: nobody hears `out`,
                               nothing is in `in`: leave both alone */
    uint64_t frame;         /* absolute frame of its first sample */
    const float *const *in; /* in_channels planes; silence where the host
                               sends fewer */
    float *const *out;      /* out_channels planes; fill all frames of each */
    float *const *const *tap; /* tap[i]: the planes of tap i, to be filled like
                                 out; NULL while no host wants them */
    struct shl_transport transport; /* at the first sample; later changes are
                                       events */
};

#endif
