/* SPDX-License-Identifier: MIT */
/* What has changed on the board between two looks: the monitor of the registry.
 * Whoever watches keeps what he knew and looks as often as he likes; nothing
 * runs by itself. */
#ifndef SHL_WATCH_H
#define SHL_WATCH_H

#include "registry.h"

#ifdef __cplusplus
extern "C" {
#endif

enum shl_change {
    SHL_CHANGE_ADDED, /* also one that came back: it has another segment */
    SHL_CHANGE_REMOVED,
    SHL_CHANGE_CLAIMED,  /* info says by whom; not told with SHL_CHANGE_ADDED */
    SHL_CHANGE_RELEASED, /* by whoever had it */
    SHL_CHANGE_CHANGED   /* anything else that is shown of it */
};

/** "added", "removed", "claimed", "released", "changed". [any] */
const char *shl_change_name(enum shl_change change);

/** One look at the board. All zero: an empty one. */
struct shl_look {
    uint32_t count;
    struct shl_device_info device[SHL_MAX_DEVICES];
};

/** `info` is valid during the call: of a removed device as it was, else as it
 * is now. */
typedef void (*shl_change_handler)(void *arg, enum shl_change change,
                                   const struct shl_device_info *info);

/** Tell the difference of two looks, first what is gone, then in slot order.
 * [any] */
void shl_watch_compare(const struct shl_look *before,
                       const struct shl_look *now, shl_change_handler handler,
                       void *arg);

/** Look at the board, tell what differs from *known, and put the new look
 * there. On failure nothing is told and *known stays. [control] */
shl_status shl_registry_watch(shl_registry *registry, struct shl_look *known,
                              shl_change_handler handler, void *arg);

#ifdef __cplusplus
}
#endif
#endif
