/* SPDX-License-Identifier: MIT */
/* Second processes for tests: run a job in one, with a time limit, and hear
 * how it ended. cmocka's asserts stay in the parent. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/** Run job(arg) in a forked child that is killed after 60 s; its return value
 * (0 to 100), or 128 + the signal it died of. */
int child_run(int (*job)(void *arg), void *arg);

/** Start it and go on. The child says so with child_ready(). */
pid_t child_start(int (*job)(void *arg), void *arg);

/** In the child: let the parent's child_start return. */
void child_ready(void);

/** In the child: be ready, and then wait for the end. */
_Noreturn void child_forever(void);

/** Wait for a child's end; as child_run. */
int child_wait(pid_t pid);

/** SIGKILL and wait. */
void child_kill(pid_t pid);

/** Give the calling process its own /dev/shm of so many KiB (0: none at all).
 * False if the system does not permit it. */
bool child_own_shm(unsigned kib);

/** Returned by a job that could not be done here. */
#define CHILD_SKIP 77

/** In a job: print the line and fail. */
#define CHILD_CHECK(x)                                                         \
    do {                                                                       \
        if (!(x))                                                              \
            return child_failed(__FILE__, __LINE__, #x);                       \
    } while (0)

/** Prints what failed; 1. */
int child_failed(const char *file, int line, const char *what);

#endif
