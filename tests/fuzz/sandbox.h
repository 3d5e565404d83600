/* SPDX-License-Identifier: MIT */
/* A folder of one's own for fuzzers of files: two rooms that the code under test
 * may fill, and a secret beside them that nobody may touch. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "input.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char sandbox[64], sandbox_home[80], sandbox_inbox[80];
static struct stat sandbox_secret;

/* Everything in a folder, by its description, which is closed. */
static inline void sandbox_empty_at(int fd)
{
    DIR *dir = fdopendir(fd);
    const struct dirent *entry;

    MUST(dir);
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;

        if (!strcmp(name, ".") || !strcmp(name, "..") ||
            !unlinkat(dirfd(dir), name, 0))
            continue;
        sandbox_empty_at(openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY));
        MUST(!unlinkat(dirfd(dir), name, AT_REMOVEDIR));
    }
    closedir(dir);
}

static inline void sandbox_empty(const char *folder)
{
    sandbox_empty_at(open(folder, O_RDONLY | O_DIRECTORY));
}

static inline void sandbox_close(void)
{
    sandbox_empty(sandbox);
    rmdir(sandbox);
}

/* Where no disk makes it slow, if there is such a place. */
static inline void sandbox_open(void)
{
    char secret[80];

    strcpy(sandbox, "/dev/shm/fuzz-XXXXXX");
    if (!mkdtemp(sandbox)) {
        strcpy(sandbox, "/tmp/fuzz-XXXXXX");
        MUST(mkdtemp(sandbox));
    }
    snprintf(sandbox_home, sizeof sandbox_home, "%s/home", sandbox);
    snprintf(sandbox_inbox, sizeof sandbox_inbox, "%s/inbox", sandbox);
    snprintf(secret, sizeof secret, "%s/secret", sandbox);
    const int fd = open(secret, O_WRONLY | O_CREAT, 0600);
    MUST(write(fd, "secret", 6) == 6 && !fstat(fd, &sandbox_secret));
    close(fd);
    MUST(!mkdir(sandbox_home, 0700) && !mkdir(sandbox_inbox, 0700));
    atexit(sandbox_close);
}

/* Nothing has come or gone beside the rooms. */
static inline void sandbox_check(void)
{
    DIR *dir = opendir(sandbox);
    const struct dirent *entry;
    struct stat now;
    char secret[80];
    int names = 0;

    MUST(dir);
    while ((entry = readdir(dir)))
        names++;
    closedir(dir);
    MUST(names == 5); /* . .. home inbox secret */
    snprintf(secret, sizeof secret, "%s/secret", sandbox);
    MUST(!stat(secret, &now) && now.st_ino == sandbox_secret.st_ino &&
         now.st_size == sandbox_secret.st_size &&
         now.st_mtim.tv_nsec == sandbox_secret.st_mtim.tv_nsec);
}

#endif
