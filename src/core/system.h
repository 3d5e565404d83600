/* What the other rooms may ask of the system: a worker thread, a symbol of
 * the running program, clocks, and the marks of the realtime watcher. */
#ifndef SHL_SYSTEM_H
#define SHL_SYSTEM_H

#include "status.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Functions that the audio thread may call: no allocation, no lock, no system
 * call but the wake-up and the bounded wait. */
#define SHL_RT

typedef struct shl_worker shl_worker;

/** Start a thread that calls job(arg) at once, then every period_ms, and
 * whenever it is woken. Signals are blocked in it. [control] */
shl_status shl_worker_new(void (*job)(void *arg), void *arg, uint32_t period_ms,
                          shl_worker **worker);

/** Have the job called soon. [any], no system call if it is awake. */
void shl_worker_wake(shl_worker *worker);

/** Wait for a running job, end the thread. NULL is fine. [control] */
void shl_worker_free(shl_worker *worker);

/** A function of the running program by name, or NULL. [control] */
void *shl_symbol(const char *name);

/** Whether a word is on this process's command line. [control] */
int shl_command_line_has(const char *word);

/** Nanoseconds of a clock that never goes back. [any] */
uint64_t shl_clock_ns(void);

/** Sleep. [control] */
void shl_sleep_ms(uint32_t ms);

/** Defined by the watcher of the tests and nobody else: 1 when a thread enters
 * the audio path, 0 when it leaves it. */
#if defined(__GNUC__) && !defined(_WIN32)
__attribute__((weak, visibility("default"))) void shl_rt_mark(int inside);
static inline void shl_rt(int inside)
{
    if (shl_rt_mark)
        shl_rt_mark(inside);
}
#else
static inline void shl_rt(int inside)
{
    (void)inside;
}
#endif

#ifdef __cplusplus
}
#endif
#endif
