/* SPDX-License-Identifier: MIT */
/* The devices that this process hosts and rings, as far as they sleep on their
 * doorbells. A patch with several links plays them one after the other, in
 * rounds: a tick of Pd is a round. Each would wake its device when its turn
 * comes, and a processor that has to be woken takes its time. So the first to
 * ring in a round wakes all that sleep, and they wake at the same time. And each
 * tells its device how many others there are, since then it must not keep a
 * processor to itself while it waits.
 *
 * Links join and leave on control threads; audio threads only look, without a
 * lock. Who leaves waits until nobody looks. */
#ifndef SHL_WAKE_GROUP_H
#define SHL_WAKE_GROUP_H

#include "core/shm/layout.h"
#include "shmlink/realtime.h"
#include "shmlink/system.h"

#include <stdint.h>

#define SHL_WAKE_GROUP_NONE UINT32_MAX

/** A link whose device is this process. Returns its place; SHL_WAKE_GROUP_NONE: there
 * are too many already, and it does without. [control] */
uint32_t shl_wake_group_join(struct shl_lines *lines, uint32_t device_pid);

/** Afterwards nobody looks at its lines. `place` may be SHL_WAKE_GROUP_NONE.
 * [control] */
void shl_wake_group_leave(uint32_t place);

/** How many processes there are of other devices. [audio] */
SHL_RT uint32_t shl_wake_group_others(void);

/** The link at this place, in lockstep, has rung. If that begins a round, wake the sleepers
 * that rang in the last two. [audio] One system call for each. */
SHL_RT void shl_wake_group_rang(uint32_t place);

#endif
