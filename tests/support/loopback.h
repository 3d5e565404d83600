/* SPDX-License-Identifier: MIT */
/* A device in a thread of the test's own: output c is input c; what has no
 * input is the transport's frame, sample by sample. A note on is one sample on
 * top of output 0, and notes go back to the host. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "shmlink/shmlink.h"

#include <stdatomic.h>

struct loopback;

/** Open a device as asked and play it until loopback_end. NULL: `why` says. */
struct loopback *loopback_start(const struct shl_device_options *options,
                                shl_status *status, struct shl_why *why);
void loopback_end(struct loopback *loopback);

shl_device *loopback_device(struct loopback *loopback);

/** Frames of the last block that had some; blocks that had some. */
uint32_t loopback_frames(const struct loopback *loopback);
uint64_t loopback_blocks(const struct loopback *loopback);

/** From now on it takes no block, or takes them again. */
void loopback_hold(struct loopback *loopback, int hold);

/** Scheduling of its thread when it last took a block, as the system numbers
 * it. */
void loopback_priority(const struct loopback *loopback, uint32_t *policy,
                       uint32_t *priority);

#endif
