/* SPDX-License-Identifier: MIT */
/* Plugin state as bytes of any length: grown while a plugin saves, bounded by
 * what a message can carry. */
#ifndef PLUG_STATE_H
#define PLUG_STATE_H

#include "shmlink/shmlink-plugin.h"

/** All zero: empty. */
struct state {
    uint8_t *bytes;
    size_t size, room;
    shl_status status; /* of the first write that failed */
};

/** Append. False: no memory, or more than SHL_MAX_PAYLOAD. [control] */
int state_write(struct state *state, const void *bytes, size_t size);

/** Let go of the bytes. [control] */
void state_free(struct state *state);

struct plugin;

/** Have the plugin save; on failure there are no bytes. SHL_UNSUPPORTED: it
 * has no state. [control] */
shl_status state_save(struct plugin *plugin, struct state *state,
                      struct shl_why *why);

/** Have the plugin restore. [control] */
shl_status state_restore(struct plugin *plugin, const uint8_t *bytes,
                         size_t size, struct shl_why *why);

#endif
