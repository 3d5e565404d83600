/* SPDX-License-Identifier: MIT */
#include "core/shm/ring_tap.h"

#include <stddef.h>
#include <string.h>

#define LOOKS    4           /* for one slot, while the producer runs over us */
#define BACKWARD 0x80000000u /* no producer gets so far ahead */

void shl_ring_tap_init(struct shl_ring_tap *ring_tap,
                       const _Atomic uint32_t *write,
                       const _Atomic uint32_t *read, const void *slots,
                       uint32_t slot_size, uint32_t count)
{
    *ring_tap = (struct shl_ring_tap){.write = write,
                                      .read = read,
                                      .slots = slots,
                                      .slot_size = slot_size,
                                      .count = count};
    ring_tap->next = atomic_load_explicit(write, memory_order_acquire);
}

/** How far behind the write index a slot is still sure to be what it was. */
static uint32_t reach(const struct shl_ring_tap *ring_tap, uint32_t write)
{
    /* acquire: pairs with the consumer's release, as for the producer */
    uint32_t waiting =
        write - atomic_load_explicit(ring_tap->read, memory_order_acquire);
    uint32_t in_hand = ring_tap->count / 4;

    if (waiting < ring_tap->count && ring_tap->count - 1 - waiting < in_hand)
        in_hand = ring_tap->count - 1 - waiting;
    return ring_tap->count - in_hand;
}

/** Word by word with acquire, so that the look at the index comes after. */
static void copy_slot(const struct shl_ring_tap *ring_tap, void *slot)
{
    const uint8_t *from =
        ring_tap->slots +
        (size_t)(ring_tap->next & (ring_tap->count - 1)) * ring_tap->slot_size;
    uint8_t *to = slot;

    for (uint32_t i = 0; i < ring_tap->slot_size; i += 8) {
        uint64_t word = atomic_load_explicit(
            (const _Atomic uint64_t *)(const void *)(from + i),
            memory_order_acquire);
        memcpy(to + i, &word, sizeof word);
    }
}

bool shl_ring_tap_next(struct shl_ring_tap *ring_tap, void *slot)
{
    for (int look = 0; look < LOOKS; look++) {
        /* acquire: the slots below are whole */
        uint32_t write =
            atomic_load_explicit(ring_tap->write, memory_order_acquire);
        uint32_t behind = write - ring_tap->next;
        uint32_t most = reach(ring_tap, write);

        if (behind >= BACKWARD) {
            ring_tap->wild++;
            ring_tap->next = write;
        }
        if (behind == 0 || behind >= BACKWARD)
            return false;
        if (behind > most) {
            ring_tap->lost += behind - most;
            ring_tap->next = write - most;
        }
        copy_slot(ring_tap, slot);
        /* acquire: as above; what was written over meanwhile shows here */
        write = atomic_load_explicit(ring_tap->write, memory_order_acquire);
        if (write - ring_tap->next <= reach(ring_tap, write)) {
            ring_tap->next++;
            return true;
        }
    }
    return false;
}
