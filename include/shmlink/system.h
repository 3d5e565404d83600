/* SPDX-License-Identifier: MIT */
/* What the other rooms may ask of the system: a worker thread, a symbol of
 * the running program, clocks, and the marks of the realtime watcher. */
#ifndef SHL_SYSTEM_H
#define SHL_SYSTEM_H

#include "realtime.h"
#include "status.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct shl_worker shl_worker;

/** A link in a list: the first member of whatever is put into one. */
struct shl_mpsc_node {
    struct shl_mpsc_node *next;
};

/** Something for a worker to do once. The caller's; whoever has it done may free it. */
struct shl_task {
    struct shl_mpsc_node node;
    void (*run)(struct shl_task *task);
};

/** Start a thread that calls job(arg) at once, then every period_ms, and
 * whenever it is woken; NULL: it only does what is posted to it. Signals are
 * blocked in it. [control] */
shl_status shl_worker_new(void (*job)(void *arg), void *arg, uint32_t period_ms,
                          shl_worker **worker);

/** Have the job called soon. [any], no system call if it is awake. */
SHL_RT void shl_worker_wake(shl_worker *worker);

/** Have the worker do this as well, each task once, in the order in which they
 * were posted. Tasks not begun when the worker is freed are not done. [any] */
SHL_RT void shl_worker_post(shl_worker *worker, struct shl_task *task);

/** Wait for a running job, end the thread. NULL is fine. [control] */
void shl_worker_free(shl_worker *worker);

/** A function of the running program by name, or NULL. [control] */
void *shl_symbol(const char *name);

/** Whether a word is on this process's command line. [control] */
int shl_command_line_has(const char *word);

/** Nanoseconds of a clock that never goes back. [any] */
SHL_RT uint64_t shl_clock_ns(void);

/** Sleep. [control] */
void shl_sleep_ms(uint32_t ms);

/* ---- a program of one's own ---------------------------------------------- */

/** What one thread waits on and others ring. */
typedef struct shl_bell shl_bell;

/** A bell that has not been rung. SHL_NO_MEMORY. [control] */
shl_status shl_bell_new(shl_bell **bell);
/** Nobody waits on it any more. NULL is fine. [control] */
void shl_bell_free(shl_bell *bell);

/** Wake who waits; if nobody does, the next wait returns at once. [any] No
 * system call unless somebody sleeps. */
SHL_RT void shl_bell_ring(shl_bell *bell);

/** Sleep until it is rung, at most timeout_ms; a signal ends it, too. 1: it was
 * rung since the last wait. [any, one thread] */
SHL_RT int shl_bell_wait(shl_bell *bell, uint32_t timeout_ms);

/** Have SIGINT, SIGTERM and SIGHUP ask this program to end: shl_ending is 1
 * from then on. If it is still there grace_s seconds later, it is killed: a
 * plugin that hangs cannot keep it. SHL_SYSTEM. [control] */
shl_status shl_ending_catch(uint32_t grace_s);

/** Whether one of them has come. [any] */
int shl_ending(void);

/** End with the process that started this one, whose pid *pid gets: its death
 * asks us to end. 0: it has ended meanwhile. [control] */
int shl_parent_follow(uint32_t *pid);

/** Whether that one is still our parent. [control] */
int shl_parent_is(uint32_t pid);

/** Defined by the watcher of the tests and nobody else: 1 when a thread enters
 * the audio path, 0 when it leaves it. */
#if defined(__GNUC__) && !defined(_WIN32)
__attribute__((weak, visibility("default"))) SHL_RT void
shl_rt_mark(int inside);
SHL_RT static inline void shl_rt(int inside)
{
    if (shl_rt_mark)
        shl_rt_mark(inside);
}
#else
SHL_RT static inline void shl_rt(int inside)
{
    (void)inside;
}
#endif

/** The same: 1 when a thread may do in the audio path what it must not
 * otherwise, since it renders and nobody listens; 0 at the end. */
#if defined(__GNUC__) && !defined(_WIN32)
__attribute__((weak, visibility("default"))) SHL_RT void
shl_rt_rest_mark(int resting);
SHL_RT static inline void shl_rt_rest(int resting)
{
    if (shl_rt_rest_mark)
        shl_rt_rest_mark(resting);
}
#else
SHL_RT static inline void shl_rt_rest(int resting)
{
    (void)resting;
}
#endif

#ifdef __cplusplus
}
#endif
#endif
