/* SPDX-License-Identifier: MIT */
#include "core/shm/lane.h"

#include "core/os/platform.h"
#include "shmlink/arithmetic.h"

#include <string.h>

#define WORDS (sizeof(struct shl_event) / 8)

/* Word by word: they were written a moment ago, and a load of more than was
 * stored at once would wait for the stores. */
static void fill(struct shl_lane *lane, uint32_t at, const uint8_t *slot)
{
    for (size_t i = 0; i < WORDS; i++) {
        uint64_t word;
        memcpy(&word, slot + 8 * i, sizeof word);
        atomic_store_explicit(&lane->event[at][i], word, memory_order_relaxed);
    }
}

SHL_RT void shl_lane_fill(struct shl_lane *lane, _Atomic uint32_t *word,
                          const struct shl_ring *ring)
{
    uint32_t shown = ring->shown;
    uint32_t count = shl_least(shown, SHL_LANE_EVENTS);
    uint32_t first = shl_ring_shown(ring) - shown;
    uint32_t value = shown << 16 | count;
    if (!lane)
        return;
    for (uint32_t i = 0; i < count; i++)
        fill(lane, i, shl_ring_slot(ring, first + i));
    /* relaxed: doorbell or answer follow. What has not changed is not stored */
    if (atomic_load_explicit(word, memory_order_relaxed) != value)
        atomic_store_explicit(word, value, memory_order_relaxed);
}

SHL_RT void shl_lane_fetch(const struct shl_lane *lane, uint32_t count)
{
    for (uint32_t i = 0; lane && i < count && i < SHL_LANE_EVENTS; i += 2)
        shl_fetch_to_write(lane->event[i]);
}

/* How many events the lane has of this block; *first gets the index of the
 * first. The ring's own write index was loaded after the same doorbell. */
static uint32_t events_of(const struct shl_lane *lane,
                          const _Atomic uint32_t *word,
                          const struct shl_ring *ring, uint32_t *first)
{
    if (!lane)
        return 0;
    uint32_t value = atomic_load_explicit(word, memory_order_relaxed);
    uint32_t shown = value >> 16, count = value & 0xFFFF;
    if (count > SHL_LANE_EVENTS || count > shown || shown > ring->mask)
        return 0;
    *first = ring->peer - shown;
    return count;
}

SHL_RT void shl_lane_use(const struct shl_lane *lane,
                         const _Atomic uint32_t *word, struct shl_ring *ring)
{
    uint32_t first = 0;
    shl_ring_waiting(ring);
    uint32_t count = events_of(lane, word, ring, &first);
    for (uint32_t i = 0; i < count; i += 2)
        shl_fetch(lane->event[i]);
    if (count)
        shl_ring_near(ring, lane->event, first, count);
    else
        shl_ring_fetch(ring);
}

SHL_RT void shl_lane_copy(const struct shl_lane *lane,
                          const _Atomic uint32_t *word, struct shl_ring *ring,
                          struct shl_event own[SHL_LANE_EVENTS])
{
    uint32_t first = 0;
    shl_ring_waiting(ring);
    uint32_t count = events_of(lane, word, ring, &first);
    if (!count) {
        shl_ring_fetch(ring);
        return;
    }
    memcpy(own, (const void *)lane->event, count * sizeof *own);
    shl_ring_near(ring, own, first, count);
}
