/* SPDX-License-Identifier: MIT */
/* Shared memory objects on Linux by their names alone: whose they are, which there
 * are, and taking a name away. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif
#define _FILE_OFFSET_BITS 64

#include "core/os/platform_linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/** By path: no descriptor is needed, so running out of them does not look like a
 * removed object. */
static shl_status name_stat(const char *name, struct stat *at)
{
    char path[sizeof SHL_SHM_FOLDER + NAME_MAX + 1];

    if (snprintf(path, sizeof path, SHL_SHM_FOLDER "%s", name) >=
        (int)sizeof path)
        return SHL_BAD_NAME;
    return lstat(path, at) ? shl_linux_status(errno, SHL_NOT_FOUND) : SHL_OK;
}

shl_status shl_map_owner(const char *name, uint32_t *owner)
{
    struct stat at;
    shl_status status = name_stat(name, &at);

    if (!status)
        *owner = (uint32_t)at.st_uid;
    return status;
}

void shl_map_foreign(const char *name, char *text, size_t size)
{
    struct stat at;

    if (name_stat(name, &at))
        snprintf(text, size,
                 "no permission to use " SHL_SHM_FOLDER "%s: let user %u read "
                 "and write that folder",
                 name, (unsigned)geteuid());
    else if (at.st_uid != geteuid())
        snprintf(text, size,
                 SHL_SHM_FOLDER "%s belongs to user %u, not to user %u", name,
                 (unsigned)at.st_uid, (unsigned)geteuid());
    else if (!S_ISREG(at.st_mode))
        snprintf(text, size, SHL_SHM_FOLDER "%s is no regular file: remove it",
                 name);
    else if ((at.st_mode & 07777) != 0600)
        snprintf(text, size,
                 SHL_SHM_FOLDER
                 "%s has mode %04o, not 0600: type chmod 600 " SHL_SHM_FOLDER
                 "%s",
                 name, (unsigned)at.st_mode & 07777, name);
    else
        snprintf(text, size,
                 SHL_SHM_FOLDER "%s has %llu bytes, which fits no "
                                "version: remove it",
                 name, (unsigned long long)at.st_size);
}

bool shl_map_current(const struct shl_map *map, const char *name)
{
    struct stat here, there;

    return !fstat(map->fd, &here) && !name_stat(name, &there) &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

shl_status shl_map_unlink(const char *name)
{
    return shm_unlink(name) ? shl_linux_status(errno, SHL_NOT_FOUND) : SHL_OK;
}

shl_status shl_map_each(const char *prefix,
                        void (*job)(const char *name, uint64_t age_s,
                                    void *arg),
                        void *arg)
{
    DIR *folder = opendir(SHL_SHM_FOLDER);
    struct dirent *entry;

    if (!folder)
        return shl_linux_status(errno, SHL_NO_SHM);
    while ((entry = readdir(folder)) != NULL) {
        char name[NAME_MAX + 2];
        struct stat at;
        time_t now = time(NULL);

        snprintf(name, sizeof name, "/%.*s", NAME_MAX, entry->d_name);
        if (strncmp(name, prefix, strlen(prefix)) != 0 ||
            fstatat(dirfd(folder), entry->d_name, &at, AT_SYMLINK_NOFOLLOW) ||
            !S_ISREG(at.st_mode) || at.st_uid != geteuid())
            continue;
        job(name, now > at.st_ctime ? (uint64_t)(now - at.st_ctime) : 0, arg);
    }
    closedir(folder);
    return SHL_OK;
}
