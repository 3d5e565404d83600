/* SPDX-License-Identifier: MIT */
/* What the fuzzers of segments share: an input is a list of edits, words that
 * are written over a good segment. */
#ifndef EDITS_H
#define EDITS_H

#include "core/shm/layout.h"

#include "input.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing over a segment ------------------------------------------------------ */

static const struct {
    uint32_t offset, size;
} areas[] = {{0, SHL_AUDIO_OFFSET},
             {SHL_LINK_OFFSET, sizeof(struct shl_link_header)},
             {SHL_IDENTITY_OFFSET, 8 + sizeof(struct shl_identity)},
             {SHL_CLAIM_OFFSET, sizeof(struct shl_claim_region)},
             {SHL_LINES_OFFSET, 256},
             {SHL_LINES_OFFSET, sizeof(struct shl_lines)},
             {SHL_EVENTS_TO_DEVICE_OFFSET, 64 * 32},
             {SHL_EVENTS_TO_HOST_OFFSET, 64 * 32},
             {SHL_PARAMS_OFFSET, 4 * sizeof(struct shl_param_slot)},
             {SHL_MESSAGES_OFFSET, 4096},
             {SHL_LANES_OFFSET, sizeof(struct shl_lanes)},
             {SHL_TAPS_OFFSET, 4 * sizeof(struct shl_tap_slot)}};
#define AREAS (sizeof areas / sizeof *areas)

/* Values at which something ends. */
static const uint32_t edges[] = {SHL_SEGMENT_SIZE,
                                 SHL_SEGMENT_SIZE - 8,
                                 SHL_SEGMENT_SIZE - 4096,
                                 SHL_SEGMENT_SIZE - 65536,
                                 SHL_LINK_OFFSET,
                                 SHL_LINK_OFFSET + 256,
                                 0xFFFFFFF8,
                                 0x80000000,
                                 SHL_MAX_CHANNELS + 1,
                                 SHL_MAX_FRAMES + 1,
                                 SHL_MAX_PARAMS + 1,
                                 SHL_MAX_TAPS + 1,
                                 20,
                                 21};
#define EDGES (sizeof edges / sizeof *edges)

/* A few edits: an area, a word of it, and what becomes of the word. */
static inline void edit(struct input *input, uint8_t *base)
{
    uint32_t count = take(input, 1) % 8;
    while (count-- > 0 && input->at < input->end) {
        uint32_t choice = take(input, 1);
        uint32_t area = choice % AREAS;
        uint32_t word = take(input, 2) % (areas[area].size / 4);
        uint8_t *to = base + areas[area].offset + 4 * word;
        uint32_t value;
        memcpy(&value, to, 4);
        if (choice & 0x80)
            value += (uint32_t)(int8_t)take(input, 1);
        else if (choice & 0x40)
            value = edges[take(input, 1) % EDGES];
        else
            value = take(input, 4);
        atomic_store_explicit((_Atomic uint32_t *)(void *)to, value,
                              memory_order_relaxed);
    }
}

/* What is good of each area, to begin each input with. */
static uint8_t *good;

static inline void keep_good(const uint8_t *base)
{
    uint8_t *to = good = malloc(1 << 20);
    for (size_t i = 0; i < AREAS; i++) {
        memcpy(to, base + areas[i].offset, areas[i].size);
        to += areas[i].size;
    }
}

static inline void restore_good(uint8_t *base)
{
    const uint8_t *from = good;
    for (size_t i = 0; i < AREAS; i++) {
        memcpy(base + areas[i].offset, from, areas[i].size);
        from += areas[i].size;
    }
}

#endif
