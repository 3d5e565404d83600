/* SPDX-License-Identifier: MIT */
/* Leases: locks of open file descriptions, which the kernel drops when their holder
 * dies. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif
#define _FILE_OFFSET_BITS 64 /* leases lie at 2^61, also in 32 bit builds */

#include "core/os/platform_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

static int lease_call(int fd, int command, short type, uint64_t byte,
                      struct flock *lock)
{
    int result;

    memset(lock, 0, sizeof *lock);
    lock->l_type = type;
    lock->l_whence = SEEK_SET;
    lock->l_start = (off_t)byte;
    lock->l_len = 1;
    do {
        result = fcntl(fd, command, lock);
    } while (result && errno == EINTR);
    return result;
}

shl_status shl_lease_take(struct shl_map *map, uint64_t byte)
{
    struct flock lock;

    /* a cleaner may hold it for a moment */
    for (int tries = 0; tries < 4; tries++) {
        if (!lease_call(map->fd, F_OFD_SETLK, F_WRLCK, byte, &lock))
            return SHL_OK;
        if (errno != EAGAIN && errno != EACCES)
            return shl_linux_status(errno, SHL_SYSTEM);
        sched_yield();
    }
    return SHL_BUSY;
}

void shl_lease_drop(struct shl_map *map, uint64_t byte)
{
    struct flock lock;

    lease_call(map->fd, F_OFD_SETLK, F_UNLCK, byte, &lock);
}

bool shl_lease_held(const struct shl_map *map, uint64_t byte)
{
    struct flock lock;

    /* if the system does not say, nobody shall be taken for dead */
    return lease_call(map->fd, F_OFD_GETLK, F_WRLCK, byte, &lock) ||
           lock.l_type != F_UNLCK;
}
