#include "core/shm/trail.h"

#include <stddef.h>
#include <string.h>

#define LOOKS    4           /* for one slot, while the producer runs over us */
#define BACKWARD 0x80000000u /* no producer gets so far ahead */

void shl_trail_init(struct shl_trail *trail, const _Atomic uint32_t *write,
                    const _Atomic uint32_t *read, const void *slots,
                    uint32_t slot_size, uint32_t count)
{
    *trail = (struct shl_trail){.write = write,
                                .read = read,
                                .slots = slots,
                                .slot_size = slot_size,
                                .count = count};
    trail->next = atomic_load_explicit(write, memory_order_acquire);
}

/** How far behind the write index a slot is still sure to be what it was. */
static uint32_t reach(const struct shl_trail *trail, uint32_t write)
{
    /* acquire: pairs with the consumer's release, as for the producer */
    uint32_t waiting =
        write - atomic_load_explicit(trail->read, memory_order_acquire);
    uint32_t in_hand = trail->count / 4;

    if (waiting < trail->count && trail->count - 1 - waiting < in_hand)
        in_hand = trail->count - 1 - waiting;
    return trail->count - in_hand;
}

/** Word by word with acquire, so that the look at the index comes after. */
static void copy_slot(const struct shl_trail *trail, void *slot)
{
    const uint8_t *from =
        trail->slots +
        (size_t)(trail->next & (trail->count - 1)) * trail->slot_size;
    uint8_t *to = slot;

    for (uint32_t i = 0; i < trail->slot_size; i += 8) {
        uint64_t word = atomic_load_explicit(
            (const _Atomic uint64_t *)(const void *)(from + i),
            memory_order_acquire);
        memcpy(to + i, &word, sizeof word);
    }
}

bool shl_trail_next(struct shl_trail *trail, void *slot)
{
    for (int look = 0; look < LOOKS; look++) {
        /* acquire: the slots below are whole */
        uint32_t write =
            atomic_load_explicit(trail->write, memory_order_acquire);
        uint32_t behind = write - trail->next;
        uint32_t most = reach(trail, write);

        if (behind >= BACKWARD) {
            trail->wild++;
            trail->next = write;
        }
        if (behind == 0 || behind >= BACKWARD)
            return false;
        if (behind > most) {
            trail->lost += behind - most;
            trail->next = write - most;
        }
        copy_slot(trail, slot);
        /* acquire: as above; what was written over meanwhile shows here */
        write = atomic_load_explicit(trail->write, memory_order_acquire);
        if (write - trail->next <= reach(trail, write)) {
            trail->next++;
            return true;
        }
    }
    return false;
}
