/* What `shmlink device` does with messages: parameters, programs, states,
 * files, untimed MIDI. A thread of its own does the work, in the order in which
 * it was asked; pings, and what it does not know, are left to the core. */
#ifndef TOOL_CLERK_H
#define TOOL_CLERK_H

#include "panel.h"

struct clerk_options {
    struct panel *panel; /* the caller's */
    const char *files;   /* the folder for files, or NULL: none are taken */
    const char *kind;    /* whose states it understands */
    uint32_t in_channels, out_channels;
    int sysex; /* SysEx goes back to the host */
};

struct clerk;

/** @return NULL if there is no memory. [control] */
struct clerk *clerk_new(const struct clerk_options *options);
void clerk_free(struct clerk *clerk);

/** Work for this device from now on. [control] */
shl_status clerk_open(struct clerk *clerk, shl_device *device);

/** No more, before the device is closed; what was not done is not answered.
 * Waits for work that has begun. [control] */
void clerk_close(struct clerk *clerk);

#endif
