/* SPDX-License-Identifier: MIT */
/* Linux: what the C library does not offer for files and folders. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif
#define _FILE_OFFSET_BITS 64 /* recordings are long, also in 32 bit builds */

#include "core/os/platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

shl_status shl_file_status(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return SHL_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return SHL_NO_PERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SHL_NO_SPACE;
    case EEXIST:
    case ENOTEMPTY:
        return SHL_TAKEN;
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
        return SHL_BAD_NAME;
    case EMFILE:
    case ENFILE:
        return SHL_NO_DESCRIPTORS;
    case ENOMEM:
        return SHL_NO_MEMORY;
    default:
        return SHL_SYSTEM;
    }
}

static shl_status open_stream(int fd, const char *mode, FILE **file)
{
    *file = fdopen(fd, mode);
    if (*file)
        return SHL_OK;
    shl_status st = shl_file_status();
    close(fd);
    return st;
}

shl_status shl_file_read_open(const char *path, FILE **file, uint64_t *length)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return shl_file_status();
    if (fstat(fd, &about) || !S_ISREG(about.st_mode)) {
        close(fd);
        return SHL_BAD_NAME;
    }
    *length = (uint64_t)about.st_size;
    return open_stream(fd, "rb", file);
}

shl_status shl_file_write_open(const char *path, FILE **file)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    return fd < 0 ? shl_file_status() : open_stream(fd, "wb", file);
}

/* ---- the limit of file sizes ------------------------------------------------ */

/* The signal goes to the thread that writes: blocked, it waits for us to take
 * it. 0: it was blocked before, and stays so. */
int shl_limit_shield(void)
{
    const int saved = errno;
    sigset_t limit, before;

    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    const int ours = !pthread_sigmask(SIG_BLOCK, &limit, &before) &&
                     !sigismember(&before, SIGXFSZ);
    errno = saved;
    return ours;
}

void shl_limit_unshield(int shield)
{
    const struct timespec at_once = {0, 0};
    const int saved = errno;
    sigset_t limit;

    if (!shield)
        return;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    while (sigtimedwait(&limit, NULL, &at_once) > 0)
        continue;
    pthread_sigmask(SIG_UNBLOCK, &limit, NULL);
    errno = saved;
}

shl_status shl_file_write(FILE *file, const void *bytes, size_t size)
{
    const int shield = shl_limit_shield();
    shl_status st = SHL_OK;

    if (size && fwrite(bytes, 1, size, file) != size)
        st = shl_file_status();
    shl_limit_unshield(shield);
    return st;
}

shl_status shl_file_seek(FILE *file, uint64_t offset)
{
    const int shield = shl_limit_shield(); /* it writes what waits */
    shl_status st = SHL_OK;

    if (fseeko(file, (off_t)offset, SEEK_SET))
        st = shl_file_status();
    shl_limit_unshield(shield);
    return st;
}

shl_status shl_file_settle(FILE *file)
{
    const int shield = shl_limit_shield();
    shl_status st = SHL_OK;

    if (fflush(file) || fsync(fileno(file)))
        st = shl_file_status();
    shl_limit_unshield(shield);
    return st;
}

void shl_file_close(FILE *file)
{
    const int shield = shl_limit_shield();

    fclose(file);
    shl_limit_unshield(shield);
}

void shl_file_mode_of(FILE *file, const char *path)
{
    struct stat about;

    /* where the system refuses, it is a file of the usual permissions */
    if (!stat(path, &about) && S_ISREG(about.st_mode) &&
        fchmod(fileno(file), about.st_mode & 0777))
        errno = 0;
}

shl_status shl_link_read(const char *path, char *target, size_t size)
{
    const ssize_t got = readlink(path, target, size);

    if (got <= 0)
        return SHL_NOT_FOUND;
    if ((size_t)got >= size)
        return SHL_BAD_NAME;
    target[got] = 0;
    return SHL_OK;
}

/* Pipes, devices and the like, which a file's name would take away. */
static bool is_no_file(const char *path)
{
    struct stat about;

    return lstat(path, &about) == 0 && !S_ISREG(about.st_mode) &&
           !S_ISLNK(about.st_mode);
}

shl_status shl_file_move(const char *from, const char *to, bool replace)
{
    if (replace && is_no_file(to))
        return SHL_BAD_NAME;
    if (replace)
        return rename(from, to) ? shl_file_status() : SHL_OK;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return SHL_OK;
    if (errno != EINVAL && errno != ENOSYS)
        return shl_file_status();
    /* a file system that cannot: a link is refused where the name exists */
    if (link(from, to))
        return shl_file_status();
    return unlink(from) ? shl_file_status() : SHL_OK;
}

shl_status shl_dir_make(const char *path)
{
    struct stat about;

    if (mkdir(path, 0700) == 0)
        return SHL_OK;
    shl_status st = shl_file_status();
    if (stat(path, &about))
        return st;
    return S_ISDIR(about.st_mode) ? SHL_OK : SHL_BAD_NAME;
}

shl_status shl_dir_each(const char *path,
                        bool (*each)(void *arg, const char *name), void *arg)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (!dir)
        return shl_file_status();
    while ((entry = readdir(dir)) && each(arg, entry->d_name))
        continue;
    closedir(dir);
    return SHL_OK;
}
