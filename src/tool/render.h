/* Playing into a file: as fast as the device answers, 32-bit float WAV. Equal
 * sound gives equal bytes: the file holds no date and no peak. */
#ifndef TOOL_RENDER_H
#define TOOL_RENDER_H

#include "perform.h"

struct render_options {
    const char *path;
    double rate_hz;
    uint32_t channels, block_frames;
};

struct render;

/** Open the file. SHL_SYSTEM and `why`; SHL_NO_MEMORY. */
shl_status render_open(const struct render_options *options,
                       struct render **render, struct shl_why *why);

/** Play to the end. SHL_TIMEOUT, SHL_GONE: the device did not; SHL_RING_FULL:
 * too many events at once; SHL_AGAIN: the user ended it. `why` has the
 * sentence. */
shl_status render_play(struct render *render, shl_host *host,
                       struct perform *perform, struct shl_why *why);

/** Close it. Without `keep` the file is removed. SHL_SYSTEM: it could not be
 * written to the end. NULL is fine. */
shl_status render_close(struct render *render, int keep, struct shl_why *why);

#endif
