/* SPDX-License-Identifier: MIT */
/* What is heard instead of a block that did not come: fade, silence, dry or
 * hold, and the way back. Pure arithmetic on the host's own buffers. */
#ifndef SHL_LOSS_H
#define SHL_LOSS_H

#include "core/shm/layout.h"
#include "shmlink/realtime.h"
#include "shmlink/system.h"

enum shl_onloss { /* also in host.h, for its users */
                  SHL_ONLOSS_FADE,
                  SHL_ONLOSS_SILENCE,
                  SHL_ONLOSS_DRY,
                  SHL_ONLOSS_HOLD
};

#define SHL_FADE_FRAMES 128u

struct shl_loss {
    enum shl_onloss policy;
    uint32_t lost;     /* blocks in a row that were replaced; 0: all is well */
    uint32_t channels; /* of `last`; 0 beyond them */
    float last[SHL_MAX_CHANNELS]; /* last sample heard per channel */
};

/** A block came: remember its end; if some were lost before it, fade it in
 * over min(frames, SHL_FADE_FRAMES). Only after silence: dry and hold go back
 * at once. A block of 0 frames is none. [audio] */
SHL_RT void shl_loss_came(struct shl_loss *loss, float *const *out,
                          uint32_t channels, uint32_t frames);

/** Make silence of samples that are no numbers or infinite, which no program has
 * to send. Returns how many there were. [audio] */
SHL_RT uint32_t shl_loss_clean(float *plane, uint32_t frames);

/** A block is missing: fill `out`. A fade reaches 0 within the first one. `dry`
 * are the host's inputs, in buffers that do not overlap `out`; NULL: none.
 * [audio] */
SHL_RT void shl_loss_fill(struct shl_loss *loss, const float *const *dry,
                          uint32_t dry_channels, float *const *out,
                          uint32_t channels, uint32_t frames);

#endif
