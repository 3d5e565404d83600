/* SPDX-License-Identifier: MIT */
/* What hosts on the board ask for by messages, answered by a plugin. They come
 * on a thread of the device's own, and wait here for the control thread. */
#ifndef PLUG_MESSAGES_H
#define PLUG_MESSAGES_H

#include "plugin.h"

struct messages;

/** Hear what this device is asked; `control` is rung for each. NULL: no memory.
 * [control] */
struct messages *messages_new(shl_device *device, struct plugin *plugin,
                              shl_bell *control);

/** After the device was closed: forget what waits. NULL is fine. [control] */
void messages_free(struct messages *messages);

/** What the control thread can do with the plugin. */
struct messages_holder {
    void *arg;
    int (*hold)(void *arg); /* false: the plugin hangs */
    void (*release)(void *arg);
    void (*tell)(void *arg);    /* values may have changed */
    void (*silence)(void *arg); /* end notes and tails */
    /* have the plugin hear an event; false: too many wait */
    int (*give)(void *arg, const struct shl_event *event);
    int (*given)(void *arg); /* false: they are not heard in time */
};

/** Answer everything that waits. [control] */
void messages_answer(struct messages *messages,
                     const struct messages_holder *holder);

#endif
