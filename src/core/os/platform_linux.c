/* SPDX-License-Identifier: MIT */
/* Shared memory objects on Linux: POSIX shared memory, opened, sized, mapped and
 * guarded. No file of the core but platform_linux*.c makes a system call. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif
#define _FILE_OFFSET_BITS 64

#include "core/os/platform_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Mode bits that an object must not have: ours are 0600; those of others may
 * be read by everybody, and executed for all we care. */
#define PRIVATE  0177
#define READABLE 0022

/** shm_open that stays off the standard descriptors: a program that closed
 * them must not print into shared memory. -1 and errno on failure. */
static int object_open(const char *name, int flags)
{
    int fd = shm_open(name, flags | O_CLOEXEC | O_NONBLOCK, 0600);

    if (fd >= 0 && fd <= 2) {
        int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        int saved = errno;
        close(fd);
        errno = saved;
        fd = high;
    }
    return fd;
}

/** Whether an open object is one of ours: of this user, and with no mode bit of
 * `never`; *size gets its size. */
static shl_status object_look(int fd, mode_t never, uint64_t *size)
{
    struct stat at;

    if (fstat(fd, &at))
        return shl_linux_status(errno, SHL_SYSTEM);
    if (!S_ISREG(at.st_mode) || at.st_uid != geteuid() ||
        (at.st_mode & 0600) != 0600 || at.st_mode & never)
        return SHL_FOREIGN;
    if (at.st_nlink == 0)
        return SHL_NOT_FOUND; /* removed between opening and looking */
    *size = (uint64_t)at.st_size;
    return SHL_OK;
}

static shl_status object_check(int fd, uint64_t *size)
{
    return object_look(fd, PRIVATE, size);
}

static shl_status object_size(int fd, size_t size)
{
    const int shield = shl_limit_shield();
    int result;

    do {
        result = ftruncate(fd, (off_t)size);
    } while (result && errno == EINTR);
    shl_limit_unshield(shield);
    return result ? shl_linux_status(errno, SHL_SYSTEM) : SHL_OK;
}

static shl_status object_map(struct shl_map *map, int protection)
{
    struct shl_guard *g = shl_guard_open();
    void *base;

    if (!g)
        return SHL_NO_MEMORY;
    base = mmap(NULL, map->size, protection, MAP_SHARED, map->fd, 0);
    if (base == MAP_FAILED) {
        shl_status status = shl_linux_status(errno, SHL_SYSTEM);
        shl_guard_close(g);
        return status;
    }
    atomic_store_explicit(&g->size, map->size, memory_order_release);
    atomic_store_explicit(&g->base, (uintptr_t)base, memory_order_release);
    map->base = base;
    map->bad = &g->bad;
    return SHL_OK;
}

/** Create exclusively. The mode is set by hand: the user's mask may have taken
 * away what the check of the others asks for. */
static shl_status object_create(const char *name, int *fd)
{
    int created = object_open(name, O_RDWR | O_CREAT | O_EXCL);

    if (created < 0)
        return shl_linux_status(errno, SHL_NO_SHM);
    if (fchmod(created, 0600)) {
        shl_status status = shl_linux_status(errno, SHL_SYSTEM);
        shm_unlink(name);
        close(created);
        return status;
    }
    *fd = created;
    return SHL_OK;
}

/** The same, held before it has its name. SHL_SYSTEM: not possible here. */
static shl_status object_create_held(const char *name, uint64_t lease, int *fd)
{
    char path[sizeof SHL_SHM_FOLDER + NAME_MAX + 1], self[32];
    struct shl_map made = SHL_MAP_NONE;
    shl_status status;

    if (snprintf(path, sizeof path, SHL_SHM_FOLDER "%s", name) >=
        (int)sizeof path)
        return SHL_BAD_NAME;
    made.fd = open(SHL_SHM_FOLDER, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (made.fd < 0)
        return SHL_SYSTEM;
    snprintf(self, sizeof self, "/proc/self/fd/%d", made.fd);
    status =
        made.fd <= 2 || fchmod(made.fd, 0600) || shl_lease_take(&made, lease)
            ? SHL_SYSTEM
            : SHL_OK;
    if (!status && linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW))
        status = errno == EEXIST ? SHL_TAKEN : SHL_SYSTEM;
    if (status)
        close(made.fd);
    else
        *fd = made.fd;
    return status;
}

/** Give a new object its size, and map it; or none. */
static shl_status object_begin(const char *name, size_t size,
                               struct shl_map *map)
{
    struct shl_map made = *map;
    shl_status status;

    made.size = size;
    status = object_size(made.fd, size);
    if (!status)
        status = object_map(&made, PROT_READ | PROT_WRITE);
    if (status) {
        shm_unlink(name);
        close(made.fd);
        return status;
    }
    *map = made;
    return SHL_OK;
}

shl_status shl_map_create(const char *name, size_t size, struct shl_map *map)
{
    struct shl_map made = SHL_MAP_NONE;
    shl_status status = object_create(name, &made.fd);

    if (!status)
        status = object_begin(name, size, &made);
    if (!status)
        *map = made;
    return status;
}

shl_status shl_map_create_held(const char *name, size_t size, uint64_t lease,
                               struct shl_map *map)
{
    struct shl_map made = SHL_MAP_NONE;
    shl_status status = object_create_held(name, lease, &made.fd);

    if (status == SHL_SYSTEM) { /* without /proc, for one */
        status = object_create(name, &made.fd);
        if (!status)
            status = shl_lease_take(&made, lease);
    }
    if (!status)
        status = object_begin(name, size, &made);
    if (!status)
        *map = made;
    return status;
}

/** A description of an existing object, checked; not mapped. `access` is
 * O_RDWR or O_RDONLY, `never` the mode bits that it must not have. */
static shl_status object_find(const char *name, int access, mode_t never,
                              struct shl_map *map)
{
    struct shl_map found = SHL_MAP_NONE;
    uint64_t size = 0;
    shl_status status;

    found.fd = object_open(name, access);
    if (found.fd < 0)
        return shl_linux_status(errno, SHL_NOT_FOUND);
    status = object_look(found.fd, never, &size);
    if (!status && size > SIZE_MAX / 2)
        status = SHL_FOREIGN;
    if (status) {
        close(found.fd);
        return status;
    }
    found.size = (size_t)size;
    *map = found;
    return SHL_OK;
}

shl_status shl_map_ask(const char *name, struct shl_map *map)
{
    return object_find(name, O_RDWR, PRIVATE, map);
}

static shl_status open_as(const char *name, size_t least, int access,
                          mode_t never, struct shl_map *map)
{
    int protection = access == O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ;
    struct shl_map opened;
    shl_status status = object_find(name, access, never, &opened);

    if (status)
        return status;
    if (opened.size == 0)
        status = SHL_AGAIN; /* created a moment ago */
    else if (opened.size < least)
        status = SHL_CUT;
    else
        status = object_map(&opened, protection);
    if (status) {
        close(opened.fd);
        return status;
    }
    *map = opened;
    return SHL_OK;
}

shl_status shl_map_open(const char *name, size_t least, struct shl_map *map)
{
    return open_as(name, least, O_RDWR, PRIVATE, map);
}

shl_status shl_map_view(const char *name, size_t least, struct shl_map *map)
{
    return open_as(name, least, O_RDONLY, PRIVATE, map);
}

shl_status shl_map_join(const char *name, size_t least, struct shl_map *map)
{
    return open_as(name, least, O_RDWR, READABLE, map);
}

/** Give a shared object its size, if it has none yet or was cut short: new
 * bytes are zero. Callers at the same time do the same. */
static shl_status share_prepare(struct shl_map *map, size_t size)
{
    uint64_t now = 0;
    shl_status status = object_check(map->fd, &now);

    if (!status && now > size)
        status = SHL_FOREIGN;
    if (!status && now < size)
        status = object_size(map->fd, size);
    map->size = size;
    if (!status)
        status = shl_map_reserve(map, 0, size);
    if (!status)
        status = object_map(map, PROT_READ | PROT_WRITE);
    return status;
}

shl_status shl_map_share(const char *name, size_t size, struct shl_map *map)
{
    shl_status status = SHL_SYSTEM;

    for (int tries = 0; tries < 100; tries++) {
        struct shl_map shared = SHL_MAP_NONE;
        bool created = false;

        shared.fd = object_open(name, O_RDWR);
        if (shared.fd < 0 && errno != ENOENT)
            return shl_linux_status(errno, SHL_NO_SHM);
        if (shared.fd < 0) {
            status = object_create(name, &shared.fd);
            if (status == SHL_TAKEN)
                continue; /* somebody else was faster */
            if (status)
                return status;
            created = true;
        }
        status = share_prepare(&shared, size);
        if (!status) {
            *map = shared;
            return SHL_OK;
        }
        if (created)
            shm_unlink(name);
        close(shared.fd);
        if (status != SHL_NOT_FOUND) /* removed while we looked */
            return status;
    }
    return status;
}

shl_status shl_map_peek(const struct shl_map *map, size_t offset, void *bytes,
                        size_t size)
{
    uint8_t *to = bytes;

    while (size > 0) {
        ssize_t got = pread(map->fd, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return shl_linux_status(errno, SHL_SYSTEM);
        if (got == 0)
            return SHL_CUT;
        to += got;
        offset += (size_t)got;
        size -= (size_t)got;
    }
    return SHL_OK;
}

/** Descriptors `a` and `b` change numbers. */
static shl_status exchange_numbers(int a, int b)
{
    int kept = fcntl(a, F_DUPFD_CLOEXEC, 3);
    shl_status status = SHL_OK;

    if (kept < 0)
        return shl_linux_status(errno, SHL_SYSTEM);
    if (dup3(b, a, O_CLOEXEC) < 0 || dup3(kept, b, O_CLOEXEC) < 0)
        status = shl_linux_status(errno, SHL_SYSTEM);
    close(kept);
    return status;
}

/** Put what the descriptor leads to in the place of what is mapped. */
static bool map_over(const struct shl_map *map)
{
    return mmap(map->base, map->size, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_FIXED, map->fd, 0) != MAP_FAILED;
}

shl_status shl_map_exchange(struct shl_map *a, struct shl_map *b)
{
    shl_status status;

    if (!a->base || !b->base || a->size != b->size)
        return SHL_BAD_VALUE;
    status = exchange_numbers(a->fd, b->fd);
    if (status)
        return status;
    /* first the one that nobody uses: if the system refuses, nothing is lost */
    if (map_over(b) && map_over(a))
        return SHL_OK;
    exchange_numbers(a->fd, b->fd);
    map_over(b);
    return SHL_NO_MEMORY;
}

shl_status shl_map_reserve(struct shl_map *map, size_t offset, size_t size)
{
    int error, shield;

    if (offset > map->size || size > map->size - offset)
        return SHL_BAD_VALUE;
    if (size == 0)
        return SHL_OK;
    shield = shl_limit_shield();
    do {
        error = posix_fallocate(map->fd, (off_t)offset, (off_t)size);
    } while (error == EINTR);
    shl_limit_unshield(shield);
    return shl_linux_status(error, SHL_SYSTEM);
}

/* The peer may already work on these pages: or-ing 0 changes nothing, and the
 * thread sanitizer is told not to wonder. */
__attribute__((no_sanitize("thread"))) void
shl_map_touch(const struct shl_map *map, size_t offset, size_t size)
{
    const size_t step = 4096; /* no page is smaller */

    if (offset > map->size || size > map->size - offset)
        return;
    for (size_t at = offset & ~(step - 1); at < offset + size; at += step)
        __atomic_fetch_or((uint32_t *)(void *)(map->base + at), 0,
                          __ATOMIC_RELAXED);
}

void shl_map_close(struct shl_map *map)
{
    if (map->fd > 2) {
        struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

        /* by hand: a forked child may keep the description open */
        fcntl(map->fd, F_OFD_SETLK, &all);
        if (map->base) {
            struct shl_guard *g = shl_guard_of(map);

            atomic_store_explicit(&g->base, GUARD_PENDING,
                                  memory_order_release);
            munmap(map->base, map->size);
            shl_guard_close(g);
        }
        close(map->fd);
    }
    *map = (struct shl_map)SHL_MAP_NONE;
}
