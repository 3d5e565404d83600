/* SPDX-License-Identifier: MIT */
#include "core/shm/ring.h"

#include "core/os/platform.h"

#define FETCHED 16u /* slots; two or more of them share a line */

static void init(struct shl_ring *ring, _Atomic uint32_t *write,
                 _Atomic uint32_t *read, void *slots, uint32_t slot_size,
                 uint32_t count)
{
    ring->write = write;
    ring->read = read;
    ring->slots = slots;
    ring->slot_size = slot_size;
    ring->mask = count - 1;
    ring->shown = 0;
    shl_ring_near(ring, NULL, 0, 0);
}

void shl_ring_init_producer(struct shl_ring *ring, _Atomic uint32_t *write,
                            _Atomic uint32_t *read, void *slots,
                            uint32_t slot_size, uint32_t count)
{
    init(ring, write, read, slots, slot_size, count);
    ring->own = atomic_load_explicit(write, memory_order_relaxed);
    ring->peer = atomic_load_explicit(read, memory_order_acquire);
}

void shl_ring_init_consumer(struct shl_ring *ring, _Atomic uint32_t *write,
                            _Atomic uint32_t *read, void *slots,
                            uint32_t slot_size, uint32_t count)
{
    init(ring, write, read, slots, slot_size, count);
    ring->own = atomic_load_explicit(read, memory_order_relaxed);
    ring->peer = atomic_load_explicit(write, memory_order_acquire);
}

/* acquire: the consumer has copied the slots below before we refill them */
static void look_at_read(struct shl_ring *ring)
{
    ring->peer = atomic_load_explicit(ring->read, memory_order_acquire);
}

/* By the index we last saw; a read index ahead of ours counts as full. */
static uint32_t free_seen(const struct shl_ring *ring)
{
    uint32_t used = ring->own - ring->peer;

    return used < ring->mask ? ring->mask - used : 0;
}

SHL_RT uint32_t shl_ring_free(struct shl_ring *ring)
{
    look_at_read(ring);
    return free_seen(ring);
}

/* An index that has not moved is not stored: the store would take the line from
 * the side that looks at it. */
static uint32_t moved(const _Atomic uint32_t *index, uint32_t to)
{
    return to - atomic_load_explicit(index, memory_order_relaxed);
}

SHL_RT void shl_ring_publish_but(struct shl_ring *ring, uint32_t later)
{
    uint32_t to = ring->own - later;

    ring->shown = moved(ring->write, to);
    /* release: the slots below are whole before the consumer can see them */
    if (ring->shown)
        atomic_store_explicit(ring->write, to, memory_order_release);
}

SHL_RT void shl_ring_publish(struct shl_ring *ring)
{
    shl_ring_publish_but(ring, 0);
}

uint32_t shl_ring_shown(const struct shl_ring *ring)
{
    return atomic_load_explicit(ring->write, memory_order_relaxed);
}

SHL_RT void shl_ring_fetch_free(struct shl_ring *ring)
{
    for (uint32_t i = 0; i < ring->shown && i < FETCHED; i += 2)
        shl_fetch_to_write(shl_ring_slot(ring, ring->own + i));
}

/* acquire: the slots below this index are whole */
static uint32_t look_at_write(struct shl_ring *ring)
{
    ring->peer = atomic_load_explicit(ring->write, memory_order_acquire);
    return ring->peer - ring->own;
}

/* A distance that no producer can reach starts the ring over: a hostile index
 * costs at most one look, never a long loop. */
SHL_RT const void *shl_ring_look(struct shl_ring *ring, bool *lost)
{
    uint32_t there = look_at_write(ring);

    if (there > ring->mask) {
        ring->own = ring->peer;
        if (lost)
            *lost = true;
        return NULL;
    }
    return there ? shl_ring_front(ring) : NULL;
}

SHL_RT void shl_ring_release(struct shl_ring *ring)
{
    /* release: we have copied the slots below before they are refilled */
    if (moved(ring->read, ring->own))
        atomic_store_explicit(ring->read, ring->own, memory_order_release);
}

/* An impossible distance stays for peek to find and to report. */
SHL_RT uint32_t shl_ring_waiting(struct shl_ring *ring)
{
    uint32_t there = look_at_write(ring);

    return there < ring->mask ? there : ring->mask;
}

SHL_RT void shl_ring_fetch(struct shl_ring *ring)
{
    uint32_t there = shl_ring_waiting(ring);

    for (uint32_t i = 0; i < there && i < FETCHED; i += 2)
        shl_fetch(shl_ring_slot(ring, ring->own + i));
}

SHL_RT void shl_ring_skip(struct shl_ring *ring, uint32_t until)
{
    uint32_t there = look_at_write(ring);

    if (there <= ring->mask && until - ring->own <= there)
        ring->own = until;
    else
        ring->own = ring->peer;
    shl_ring_release(ring);
}
