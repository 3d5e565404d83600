/* SPDX-License-Identifier: MIT */
/* What `shmlink device` does with messages: parameters, programs, states,
 * files, untimed MIDI. A thread of its own does the work, in the order in which
 * it was asked; pings, and what it does not know, are left to the core. */
#ifndef TOOL_MESSAGE_THREAD_H
#define TOOL_MESSAGE_THREAD_H

#include "param_exchange.h"

struct message_thread_options {
    struct exchange *exchange; /* the caller's */
    const char *files; /* the folder for files, or NULL: none are taken */
    const char *kind;  /* whose states it understands */
    uint32_t in_channels, out_channels;
    int sysex; /* SysEx goes back to the host */
};

struct message_thread;

/** @return NULL if there is no memory. [control] */
struct message_thread *
message_thread_new(const struct message_thread_options *options);
void message_thread_free(struct message_thread *message_thread);

/** Work for this device from now on. [control] */
shl_status message_thread_open(struct message_thread *message_thread,
                               shl_device *device);

/** No more, before the device is closed; what was not done is not answered.
 * Waits for work that has begun. [control] */
void message_thread_close(struct message_thread *message_thread);

#endif
