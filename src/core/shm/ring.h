/* SPDX-License-Identifier: MIT */
/* One producer, one consumer, in one process or two: indices and their
 * ordering, for every kind of slot. The indices run freely and wrap at 2^32;
 * 4095 of 4096 slots are usable, as the Maolan protocol has it. The caller
 * copies slots; this file says which, and when the other side may see them.
 *
 * A ring is a local view: pointers into shared memory, and our own copies of
 * both indices, so a lying peer can only make us lose events. */
#ifndef SHL_RING_H
#define SHL_RING_H

#include "shmlink/realtime.h"
#include "shmlink/system.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shl_ring {
    _Atomic uint32_t *write; /* producer stores (release), consumer loads
                                (acquire): the slots below are whole */
    _Atomic uint32_t *read;  /* consumer stores (release), producer loads
                                (acquire): the slots below are free again */
    uint8_t *slots;
    uint32_t slot_size;
    uint32_t mask;  /* slots - 1; slots is a power of two */
    uint32_t own;   /* our index, ahead of the published one */
    uint32_t peer;  /* the other's, when we last looked */
    uint32_t shown; /* slots published last */
    /* consumer: copies of some slots, see shl_ring_near */
    const uint8_t *near;
    uint32_t near_first, near_count;
};

/** Look at a ring from one side. Takes the present indices; does not write. */
SHL_RT void shl_ring_init_producer(struct shl_ring *ring,
                                   _Atomic uint32_t *write,
                                   _Atomic uint32_t *read, void *slots,
                                   uint32_t slot_size, uint32_t count);
SHL_RT void shl_ring_init_consumer(struct shl_ring *ring,
                                   _Atomic uint32_t *write,
                                   _Atomic uint32_t *read, void *slots,
                                   uint32_t slot_size, uint32_t count);

static inline uint8_t *shl_ring_slot(const struct shl_ring *ring,
                                     uint32_t index)
{
    return ring->slots + (size_t)(index & ring->mask) * ring->slot_size;
}

/* What is done for every single slot stands here, to become part of the
 * caller's loop; it knows only our own copies of the indices. */

/* ---- producer ---- */

/** Slots that are free now. [audio] */
SHL_RT uint32_t shl_ring_free(struct shl_ring *ring);

/** The next free slot to fill, or NULL: full. Nobody sees it before
 * shl_ring_publish. [audio] */
SHL_RT static inline void *shl_ring_push(struct shl_ring *ring)
{
    /* full as far as we have seen: only now is it worth a look */
    if (ring->own - ring->peer >= ring->mask && shl_ring_free(ring) == 0)
        return NULL;
    return shl_ring_slot(ring, ring->own++);
}

/** Show everything pushed since the last time, but the last `later` slots.
 * Once per block. [audio] */
SHL_RT void shl_ring_publish_but(struct shl_ring *ring, uint32_t later);
SHL_RT void shl_ring_publish(struct shl_ring *ring);

/** The index behind the last slot that the consumer can see. [audio] */
SHL_RT uint32_t shl_ring_shown(const struct shl_ring *ring);

/** Have as many slots as were published last brought here to be filled: the
 * consumer had them, a lap ago, and they travel while nobody waits. After a
 * block. [audio] */
SHL_RT void shl_ring_fetch_free(struct shl_ring *ring);

/* ---- consumer ---- */

/** Copies of `count` slots, index `first` and following, are quicker to reach:
 * peek gives them instead of the slots, until shl_ring_near_end. [audio] */
SHL_RT static inline void shl_ring_near(struct shl_ring *ring,
                                        const void *copies, uint32_t first,
                                        uint32_t count)
{
    ring->near = copies;
    ring->near_first = first;
    ring->near_count = count;
}

static inline void shl_ring_near_end(struct shl_ring *ring)
{
    ring->near_count = 0;
}

/** The oldest slot not yet taken; the caller knows that it is there. */
static inline const void *shl_ring_front(const struct shl_ring *ring)
{
    uint32_t at = ring->own - ring->near_first;
    if (at < ring->near_count)
        return ring->near + (size_t)at * ring->slot_size;
    return shl_ring_slot(ring, ring->own);
}

/** As shl_ring_peek, when none is left that we have seen. [audio] */
SHL_RT const void *shl_ring_look(struct shl_ring *ring, bool *lost);

/** The oldest slot not yet taken, or NULL: empty. The peer may still scribble
 * on it: copy, check, use the copy. A write index that cannot be is answered
 * by starting over at it: *lost (may be NULL) is set. [audio] */
SHL_RT static inline const void *shl_ring_peek(struct shl_ring *ring,
                                               bool *lost)
{
    uint32_t there = ring->peer - ring->own;
    if (there == 0 || there > ring->mask)
        return shl_ring_look(ring, lost);
    return shl_ring_front(ring);
}

/** Go past the slot that peek gave. [audio] */
SHL_RT static inline void shl_ring_pop(struct shl_ring *ring)
{
    ring->own++;
}

/** Give the popped slots back to the producer. Once per block. [audio] */
SHL_RT void shl_ring_release(struct shl_ring *ring);

/** Have the first of the waiting slots brought here: the peer wrote them on
 * another processor, and their lines travel while we do something else. [audio]
 */
SHL_RT void shl_ring_fetch(struct shl_ring *ring);

/** Slots waiting now; never more than the ring holds. Peek may still find that
 * they are not there. [audio] */
SHL_RT uint32_t shl_ring_waiting(struct shl_ring *ring);

/** Drop what waits, up to index `until`, or everything if that is not inside.
 * [audio] */
SHL_RT void shl_ring_skip(struct shl_ring *ring, uint32_t until);

#endif
