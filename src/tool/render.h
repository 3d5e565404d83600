/* SPDX-License-Identifier: MIT */
/* Playing into a file: as fast as the device answers. The ending of its name
 * says which format; equal sound gives equal bytes: a file holds no date and no
 * peak. What was there stays until the new one is complete. */
#ifndef TOOL_RENDER_H
#define TOOL_RENDER_H

#include "perform.h"

struct render_options {
    const char *path;
    double rate_hz;
    uint32_t channels, block_frames;
    uint64_t frames; /* how long it will be */
};

struct render;

/** Whether the ending of a name is a format that there is; none is WAV.
 * SHL_BAD_VALUE, with the sentence in `why`. */
shl_status render_check(const char *path, struct shl_why *why);

/** Begin the file, beside the one that it will replace. A device or a pipe is
 * written to as it is. A WAV longer than 4 GiB becomes RF64. SHL_SYSTEM and
 * those of shl_draft_new; SHL_BAD_VALUE: the format cannot have this; with the
 * sentence in `why`. SHL_NO_MEMORY. */
shl_status render_open(const struct render_options *options,
                       struct render **render, struct shl_why *why);

/** Play to the end. SHL_TIMEOUT, SHL_GONE: the device did not; SHL_RING_FULL:
 * too many events at once; SHL_AGAIN: the user ended it; SHL_NO_SPACE,
 * SHL_SYSTEM: the file. `why` has the sentence. */
shl_status render_play(struct render *render, shl_host *host,
                       struct perform *perform, struct shl_why *why);

/** Add frames, channel by channel. SHL_NO_SPACE, SHL_SYSTEM. */
shl_status render_write(struct render *render, const float *const *planes,
                        uint32_t frames, struct shl_why *why);

/** Finish it: with `keep` it takes the place of what was there, else that stays
 * as it was. SHL_NO_SPACE, SHL_SYSTEM: it could not be written to the end. NULL
 * is fine. */
shl_status render_close(struct render *render, int keep, struct shl_why *why);

#endif
