/* SPDX-License-Identifier: MIT */
/* What the files of the platform on Linux share, for them alone. */
#ifndef SHL_PLATFORM_LINUX_H
#define SHL_PLATFORM_LINUX_H

#include "core/os/platform.h"

#include <assert.h>

/* Where Linux shows shared memory objects as files. */
#define SHL_SHM_FOLDER "/dev/shm"

/* ---- platform_linux_status.c ---- */

/** `missing` is what ENOENT means to the caller. */
shl_status shl_linux_status(int error, shl_status missing);

/* ---- platform_linux_guard.c ---- */

#define GUARD_FREE    ((uintptr_t)0)
#define GUARD_PENDING ((uintptr_t)1)

/* `base` is stored last (release) and loaded first (acquire): the size belongs
 * to it. Entries stay for good, so a flag may be read after its map is closed;
 * `bad` is the first of an entry. */
struct shl_guard {
    atomic_bool bad;
    _Atomic uintptr_t base;
    _Atomic size_t size;
};

/** An entry of the table, or NULL when there is no memory for more. */
struct shl_guard *shl_guard_open(void);
void shl_guard_close(struct shl_guard *g);

/** The entry of a mapping, which always has one. */
static inline struct shl_guard *shl_guard_of(const struct shl_map *map)
{
    static_assert(offsetof(struct shl_guard, bad) == 0,
                  "the first of an entry");

    /* by way of a number: a cast cannot shed _Atomic */
    return (struct shl_guard *)(uintptr_t)map->bad;
}

#endif
