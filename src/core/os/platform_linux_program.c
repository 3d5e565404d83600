/* SPDX-License-Identifier: MIT */
/* The platform on Linux, fourth part: what a program of our own needs, that
 * somebody has started and will end: a bell for its threads, the signals that
 * ask it to end, and its parent. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif

#include "core/os/platform.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the bell ------------------------------------------------------------- */

/* Both seq_cst: either the waiter sees the ring or the ringer that it sleeps. */
struct shl_bell {
    _Atomic uint32_t rung; /* anybody adds, the waiter loads and sleeps on it */
    _Atomic uint32_t parked; /* the waiter stores, ringers load */
    uint32_t seen;           /* the waiter's own */
};

shl_status shl_bell_new(shl_bell **bell)
{
    struct shl_bell *made = calloc(1, sizeof *made);

    if (!made)
        return SHL_NO_MEMORY;
    *bell = made;
    return SHL_OK;
}

void shl_bell_free(shl_bell *bell)
{
    free(bell);
}

SHL_RT void shl_bell_ring(shl_bell *bell)
{
    atomic_fetch_add_explicit(&bell->rung, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&bell->parked, memory_order_seq_cst))
        shl_word_wake(&bell->rung);
}

SHL_RT int shl_bell_wait(shl_bell *bell, uint32_t timeout_ms)
{
    uint32_t now;

    atomic_store_explicit(&bell->parked, 1, memory_order_seq_cst);
    now = atomic_load_explicit(&bell->rung, memory_order_seq_cst);
    if (now == bell->seen) {
        shl_word_wait(&bell->rung, now,
                      timeout_ms < 1000000 ? timeout_ms * 1000 : 1000000000);
        now = atomic_load_explicit(&bell->rung, memory_order_seq_cst);
    }
    atomic_store_explicit(&bell->parked, 0, memory_order_relaxed);
    const int rung = now != bell->seen;
    bell->seen = now;
    return rung;
}

/* ---- the end ---------------------------------------------------------------- */

static atomic_int ending;
static uint32_t grace_seconds;

/* Signal handler. The alarm's own action is to end the process. */
static void end_asked(int number)
{
    (void)number;
    /* a second signal must not give it more time */
    if (!atomic_exchange_explicit(&ending, 1, memory_order_relaxed))
        alarm(grace_seconds);
}

shl_status shl_ending_catch(uint32_t grace_s)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
    struct sigaction action;
    sigset_t heard;

    grace_seconds = grace_s;
    memset(&action, 0, sizeof action);
    sigemptyset(&heard);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        action.sa_handler = signals[i] == SIGALRM ? SIG_DFL : end_asked;
        if (sigaction(signals[i], &action, NULL))
            return SHL_SYSTEM;
        sigaddset(&heard, signals[i]);
    }
    /* whoever started us may have blocked them for itself */
    return sigprocmask(SIG_UNBLOCK, &heard, NULL) ? SHL_SYSTEM : SHL_OK;
}

int shl_ending(void)
{
    return atomic_load_explicit(&ending, memory_order_relaxed);
}

/* The system's signal comes with the end of the thread that has started us, and
 * a DAW may start its programs by threads that end while it goes on. So it is a
 * signal of its own, which asks who the parent is now. */
#define PARENT_SIGNAL (SIGRTMAX - 3)

static volatile pid_t followed;

static void thread_of_parent_ended(int number)
{
    (void)number;
    if (getppid() != followed)
        raise(SIGTERM);
}

static void follow(pid_t parent)
{
    struct sigaction action;
    sigset_t heard;

    memset(&action, 0, sizeof action);
    action.sa_handler = thread_of_parent_ended;
    action.sa_flags = SA_RESTART;
    sigemptyset(&heard);
    sigaddset(&heard, PARENT_SIGNAL);
    followed = parent;
    sigaction(PARENT_SIGNAL, &action, NULL);
    sigprocmask(SIG_UNBLOCK, &heard, NULL);
    prctl(PR_SET_PDEATHSIG, PARENT_SIGNAL);
}

int shl_parent_follow(uint32_t *pid)
{
    const pid_t parent = getppid();

    follow(parent);
    *pid = (uint32_t)parent;
    /* it may have ended before the system knew our wish */
    return getppid() == parent;
}

int shl_parent_is(uint32_t pid)
{
    return getppid() == (pid_t)pid;
}

/* ---- inherited pipes ----------------------------------------------------------- */

static bool same_pipe(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Descriptors that were inherited are low numbers. */
#define INHERITED 1024

void shl_pipes_alone(const struct shl_pipes *pipes)
{
    struct stat news, bell, other;

    if (fstat(pipes->news, &news) || fstat(pipes->bell, &bell))
        return;
    for (int fd = 3; fd < INHERITED; fd++) {
        if (fd == pipes->news || fd == pipes->bell || fstat(fd, &other))
            continue;
        if (same_pipe(&other, &news) || same_pipe(&other, &bell))
            close(fd);
    }
}
