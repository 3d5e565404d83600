/* SPDX-License-Identifier: MIT */
/* What the files of the registry share, for them alone. */
#ifndef SHL_REGISTRY_STATE_H
#define SHL_REGISTRY_STATE_H

#include "core/board/board.h"
#include "shmlink/registry.h"

struct shl_registry {
    struct shl_board_view view;
};

/** Whether the process that has written this lives. */
bool shl_registry_alive(const struct shl_board_entry *entry);

/** A live device in a slot, or SHL_NOT_FOUND; a dead one is cleared. Other
 * failures are the system's. */
shl_status shl_registry_look(shl_registry *registry, uint32_t slot,
                             struct shl_device_info *info);

/** As shl_registry_find, for a host with a tag of its own: a device without a number
 * in the id that remembers another tag is passed over. */
shl_status shl_registry_find_id(shl_registry *registry, const char *id,
                                const char *own, struct shl_device_info *info);

#endif
