/* SPDX-License-Identifier: MIT */
/* The platform on Linux, third part: two pipes between a process and its
 * child. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif

#include "core/os/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_BYTES 4096u
#define DRAIN_READS                                                            \
    32u         /* a pipe holds 64 KiB; one that is filled meanwhile
                           must not keep us */
#define TRIES 8 /* of a call that signals interrupt */

static const struct shl_pipes none = SHL_PIPES_NONE;

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool unblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

shl_status shl_pipes_make(struct shl_pipes *pipes)
{
    int bell[2] = {-1, -1}, news[2] = {-1, -1};

    *pipes = none;
    if (pipe2(bell, O_CLOEXEC))
        return SHL_NO_DESCRIPTORS;
    pipes->kept = bell[0];
    pipes->bell = bell[1];
    if (!pipe2(news, O_CLOEXEC)) {
        pipes->news = news[0];
        pipes->child[1] = news[1];
        pipes->child[0] = fcntl(bell[0], F_DUPFD_CLOEXEC, 0);
    }
    /* flags of an open description: the child's ends stay as it expects them */
    if (pipes->child[0] < 0 || !unblock(pipes->bell) || !unblock(pipes->news)) {
        shl_pipes_close(pipes);
        return SHL_NO_DESCRIPTORS;
    }
    return SHL_OK;
}

void shl_pipes_started(struct shl_pipes *pipes)
{
    shut(&pipes->child[0]);
    shut(&pipes->child[1]);
}

/* Whether a descriptor is a pipe's end of this direction, made ours. */
static bool adopt(int fd, int mode)
{
    struct stat about;
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_ACCMODE) == mode && !fstat(fd, &about) &&
           S_ISFIFO(about.st_mode) && !fcntl(fd, F_SETFD, FD_CLOEXEC) &&
           unblock(fd);
}

shl_status shl_pipes_adopt(struct shl_pipes *pipes, int news, int bell)
{
    struct sigaction now;

    *pipes = none;
    if (!adopt(news, O_RDONLY) || !adopt(bell, O_WRONLY))
        return SHL_BAD_VALUE;
    if (!sigaction(SIGPIPE, NULL, &now) && !(now.sa_flags & SA_SIGINFO) &&
        now.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
    pipes->news = news;
    pipes->bell = bell;
    return SHL_OK;
}

void shl_pipes_close(struct shl_pipes *pipes)
{
    shl_pipes_started(pipes);
    shut(&pipes->bell);
    shut(&pipes->news);
    shut(&pipes->kept);
}

SHL_RT_BEGIN("the wake-up of a Maolan peer, and the bounded wait for it")

shl_status shl_pipes_ring(const struct shl_pipes *pipes)
{
    const uint8_t byte = 1;

    for (int i = 0; i < TRIES; i++) {
        if (write(pipes->bell, &byte, 1) == 1)
            return SHL_OK;
        if (errno == EAGAIN)
            return SHL_RING_FULL;
        if (errno != EINTR)
            return SHL_GONE;
    }
    return SHL_RING_FULL;
}

shl_status shl_pipes_wait(const struct shl_pipes *pipes, uint32_t timeout_us)
{
    uint64_t began_ns = shl_clock_ns();
    uint64_t limit_ns = (uint64_t)timeout_us * 1000, gone_ns = 0;

    for (;;) {
        struct pollfd look = {.fd = pipes->news, .events = POLLIN};
        uint64_t left_ns = limit_ns - gone_ns;
        struct timespec left = {(time_t)(left_ns / 1000000000u),
                                (long)(left_ns % 1000000000u)};
        int got = ppoll(&look, 1, &left, NULL);

        if (got > 0)
            return look.revents & POLLIN ? SHL_OK : SHL_GONE;
        if (got == 0)
            return SHL_TIMEOUT;
        if (errno != EINTR)
            return SHL_GONE;
        gone_ns = shl_clock_ns() - began_ns;
        if (gone_ns >= limit_ns)
            return SHL_TIMEOUT;
    }
}

/* Bytes taken, at most `size`; 0: none there; -1: the other end is closed. */
static ssize_t take(const struct shl_pipes *pipes, uint8_t *bytes, size_t size)
{
    for (int i = 0; i < TRIES; i++) {
        ssize_t got = read(pipes->news, bytes, size);
        if (got > 0)
            return got;
        if (got == 0 || (errno != EINTR && errno != EAGAIN))
            return -1;
        if (errno == EAGAIN)
            return 0;
    }
    return 0;
}

shl_status shl_pipes_take(const struct shl_pipes *pipes)
{
    uint8_t byte;
    ssize_t got = take(pipes, &byte, 1);

    return got > 0 ? SHL_OK : got == 0 ? SHL_AGAIN : SHL_GONE;
}

shl_status shl_pipes_drain(const struct shl_pipes *pipes, uint32_t *count)
{
    uint8_t bytes[DRAIN_BYTES];

    *count = 0;
    for (uint32_t i = 0; i < DRAIN_READS; i++) {
        ssize_t got = take(pipes, bytes, sizeof bytes);
        if (got < 0)
            return SHL_GONE;
        *count += (uint32_t)got;
        if (got < (ssize_t)sizeof bytes)
            return SHL_OK;
    }
    return SHL_OK;
}

SHL_RT_END
