/* SPDX-License-Identifier: MIT */
/* What the files of a segment share, for them alone: which regions there are. */
#ifndef SHL_SEGMENT_STATE_H
#define SHL_SEGMENT_STATE_H

#include "core/shm/segment.h"

#define REGIONS (SHL_REGION_END - 1)

struct place {
    uint32_t offset, size;
};

/** What we know of each region: its place in segments that we create, and the
 * least size it must have in those that we open. By enum shl_region - 1. */
struct shl_region_place {
    uint32_t id, offset, size;
};
extern const struct shl_region_place shl_regions[REGIONS];

/** The pointers of a segment whose regions lie there. No region begins at 0: that
 * place is none. */
void shl_segment_point(struct shl_segment *s, const struct place *places);

/** The pointers of one that has our own layout. */
void shl_segment_point_own(struct shl_segment *s);

/** Nothing is open. */
void shl_segment_none(struct shl_segment *s);

/** Nothing is open, under this name. SHL_BAD_NAME. */
shl_status shl_segment_begin(const char *name, struct shl_segment *s);

enum { COMMON = 4 };

/** What every link uses: all but planes, parameters and streams. */
struct place shl_segment_common(const struct shl_segment *s, int i);

/** Reserve and touch it. */
shl_status shl_segment_reserve_common(struct shl_segment *s);

static inline void word_set(const struct shl_segment *s, uint32_t offset,
                            uint32_t value)
{
    atomic_store_explicit(shl_segment_word(s, offset), value,
                          memory_order_relaxed);
}

#endif
