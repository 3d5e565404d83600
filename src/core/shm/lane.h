/* SPDX-License-Identifier: MIT */
/* The lane: the first events of a block once more, in lines that are used again
 * for each block. All events are in the ring; there each lies in a line that
 * comes from the other processor for the first time, which is slow. So the
 * producer also copies the first 16 of a block into the lane, and the consumer
 * takes those from there as long as the lane is its own: the device from
 * doorbell to answer, the host from answer to doorbell. Whoever does not look at
 * the lane, or not in time, finds the same events in the ring. */
#ifndef SHL_LANE_H
#define SHL_LANE_H

#include "core/shm/layout.h"
#include "core/shm/ring.h"
#include "shmlink/realtime.h"

/** Copy the events that were published last, and say so in `word` of our line.
 * `lane` NULL: there is none. Before the doorbell or the answer. [audio] */
SHL_RT void shl_lane_fill(struct shl_lane *lane, _Atomic uint32_t *word,
                          const struct shl_ring *ring);

/** Have room for so many events brought here to be filled: the consumer had the
 * lines last. After its answer or doorbell. [audio] */
SHL_RT void shl_lane_fetch(const struct shl_lane *lane, uint32_t count);

/** Take events from the lane until shl_ring_near_end, by `word` of the other's
 * line; one that cannot be is no lane. Has what waits brought here. After the
 * doorbell or the answer. [audio] */
SHL_RT void shl_lane_use(const struct shl_lane *lane,
                         const _Atomic uint32_t *word, struct shl_ring *ring);

/** The same for a lane that is soon the other's again: `own` gets the events.
 * [audio] */
SHL_RT void shl_lane_copy(const struct shl_lane *lane,
                          const _Atomic uint32_t *word, struct shl_ring *ring,
                          struct shl_event own[SHL_LANE_EVENTS]);

#endif
