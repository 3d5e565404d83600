/* SPDX-License-Identifier: MIT */
#include "plugin.h"

#include <stdlib.h>
#include <string.h>

/* The room doubles, so that many small writes cost no more than one. */
static int grow(struct state *state, size_t size)
{
    size_t room = state->room ? state->room : 4096;
    uint8_t *bytes;

    while (room < size)
        room *= 2;
    bytes = realloc(state->bytes, room);
    if (!bytes)
        return 0;
    state->bytes = bytes;
    state->room = room;
    return 1;
}

int state_write(struct state *state, const void *bytes, size_t size)
{
    if (state->status)
        return 0;
    if (size > SHL_MAX_PAYLOAD - state->size)
        state->status = SHL_NO_SPACE;
    else if (state->size + size > state->room &&
             !grow(state, state->size + size))
        state->status = SHL_NO_MEMORY;
    if (state->status)
        return 0;
    if (size)
        memcpy(state->bytes + state->size, bytes, size);
    state->size += size;
    return 1;
}

void state_free(struct state *state)
{
    free(state->bytes);
    memset(state, 0, sizeof(*state));
}

shl_status state_save(struct plugin *plugin, struct state *state,
                      struct shl_why *why)
{
    shl_status status;

    if (!plugin->calls->save) {
        shl_why_set(why, "this plugin has no state");
        return SHL_UNSUPPORTED;
    }
    status = plugin->calls->save(plugin, state, why);
    if (!status && state->status) {
        status = state->status;
        shl_why_set(why, "the state of this plugin is too long: %s",
                    shl_status_text(status));
    }
    if (status)
        state_free(state);
    return status;
}

shl_status state_restore(struct plugin *plugin, const uint8_t *bytes,
                         size_t size, struct shl_why *why)
{
    if (!plugin->calls->restore) {
        shl_why_set(why, "this plugin has no state");
        return SHL_UNSUPPORTED;
    }
    return plugin->calls->restore(plugin, bytes, size, why);
}
