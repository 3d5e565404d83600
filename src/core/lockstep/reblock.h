/* SPDX-License-Identifier: MIT */
/* A host that works in its own blocks and exchanges others with the device:
 * what comes in waits until there is one whole block of the other size, and
 * what comes back until it is its turn. Silence in front of the first block
 * makes up for the waiting, as little as will do: `frames` less the greatest
 * common divisor of both sizes. Plain arithmetic on memory made before.
 *
 * Always: gathered + waiting = latency. */
#ifndef SHL_REBLOCK_H
#define SHL_REBLOCK_H

#include "core/shm/layout.h"
#include "shmlink/realtime.h"
#include "shmlink/system.h"
#include "shmlink/transport.h"

#include <stdbool.h>

struct shl_reblock {
    uint32_t frames; /* of a block exchanged; 0: the host's own go across */
    uint32_t step;   /* divides it and all blocks of the host so far */
    uint32_t latency_frames;
    uint32_t in_channels, out_channels;
    uint32_t gathered; /* frames of the next block that are there */
    uint32_t waiting;  /* frames that came back and have not been read */
    uint32_t half;     /* of the outputs, which the next block fills */
    bool came[2];      /* whether the device filled that half */
    bool whole;        /* all that was read in this block came from it */
    float *memory;     /* one block per input, two per output */
    float *in[SHL_MAX_CHANNELS];
    float *out[2][SHL_MAX_CHANNELS];
    struct shl_transport transport; /* at the first frame gathered */
};

/** Exchange blocks of `frames` (1 to SHL_MAX_FRAMES; 0: none), for a host that
 * usually works in blocks of `usual`. What waits is thrown away if anything of
 * this changes. SHL_NO_MEMORY: all is as it was. [control] */
shl_status shl_reblock_set(struct shl_reblock *reblock, uint32_t in_channels,
                           uint32_t out_channels, uint32_t frames,
                           uint32_t usual);
void shl_reblock_free(struct shl_reblock *reblock);

/** Throw away what waits, begin again with silence. [audio] */
SHL_RT void shl_reblock_reset(struct shl_reblock *reblock);

/** The host's next block has so many frames. One that fits no multiple of the
 * step makes the latency grow: there is no other way. [audio] */
SHL_RT void shl_reblock_expect(struct shl_reblock *reblock, uint32_t frames);

/** How many of `frames` more fit into the block that is gathered. [audio] */
SHL_RT uint32_t shl_reblock_room(const struct shl_reblock *reblock,
                                 uint32_t frames);

/** Gather `frames` from the place `at` of the planes; true: the block is
 * whole, and shl_reblock_came must follow. `transport` is at that place.
 * [audio] */
SHL_RT bool shl_reblock_gather(struct shl_reblock *reblock,
                               const float *const *in, uint32_t at,
                               uint32_t frames,
                               const struct shl_transport *transport);

/** Where the block that comes back belongs. [audio] */
SHL_RT float *const *shl_reblock_planes(struct shl_reblock *reblock);
/** It is there now, from the device or not. [audio] */
SHL_RT void shl_reblock_came(struct shl_reblock *reblock, bool from_device);

/** Read `frames` to the place `at` of the planes. [audio] */
SHL_RT void shl_reblock_read(struct shl_reblock *reblock, float *const *out,
                             uint32_t at, uint32_t frames);

#endif
