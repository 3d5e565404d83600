/* SPDX-License-Identifier: MIT */
/* The audio thread of a device runs one step below its host's, while it is
 * claimed by one: never above it, so that a device that hangs cannot keep its
 * host from the processor. A thread that is realtime by its own choice stays
 * as it is, and so does one whose host is not. */
#ifndef SHL_PRIORITY_H
#define SHL_PRIORITY_H

#include "shmlink/realtime.h"
#include "shmlink/system.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct shl_priority {
    bool raised; /* the audio thread's own, as all but `answer` */
    uint32_t policy_before, priority_before;
    uint32_t policy, priority; /* what it has been raised to */
    /* shl_status of the last time, +1; 0: there was nothing to do. The audio
     * thread writes, others read: relaxed, it orders nothing */
    _Atomic uint32_t answer;
};

/** Raise the calling thread for a host whose audio thread has this policy and
 * priority, as the system numbers them. [audio] A system call or three, once
 * per claim. */
SHL_RT void shl_priority_raise(struct shl_priority *own, uint32_t policy,
                               uint32_t priority);

/** Make it what it was, if it is the one that was raised. [audio] */
SHL_RT void shl_priority_restore(struct shl_priority *own);

/** SHL_OK: it runs below its host; SHL_AGAIN: there was no need; else why it
 * was refused. [any] */
shl_status shl_priority_answer(const struct shl_priority *own);

#endif
