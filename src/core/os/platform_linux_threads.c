/* SPDX-License-Identifier: MIT */
/* Threads on Linux: how they are scheduled, workers that sleep until they are called,
 * and lone ones. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif

#include "core/os/mpsc.h"
#include "core/os/platform.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#if defined(__SSE__)
#    include <xmmintrin.h>
#endif

void shl_thread_priority(uint32_t *policy, uint32_t *priority)
{
    struct sched_param param;
    int now;

    *policy = 0;
    *priority = 0;
    if (pthread_getschedparam(pthread_self(), &now, &param))
        return;
    *policy = (uint32_t)now & ~(uint32_t)SCHED_RESET_ON_FORK;
    *priority = (uint32_t)param.sched_priority;
}

shl_status shl_thread_set_priority(uint32_t policy, uint32_t priority)
{
    struct sched_param param = {.sched_priority = (int)priority};
    int error = pthread_setschedparam(pthread_self(), (int)policy, &param);

    if (error == EPERM)
        return SHL_NO_PERMISSION;
    return error ? SHL_BAD_VALUE : SHL_OK;
}

uint32_t shl_priority_below(uint32_t policy, uint32_t priority)
{
    int least, most;

    if (policy != SCHED_FIFO && policy != SCHED_RR)
        return 0;
    least = sched_get_priority_min((int)policy);
    most = sched_get_priority_max((int)policy);
    if (least < 0 || priority <= (uint32_t)least || priority > (uint32_t)most)
        return 0;
    return priority - 1;
}

void shl_thread_flush_denormals(void)
{
#if defined(__x86_64__) || defined(__SSE2__)
    _mm_setcsr(_mm_getcsr() | 0x8040u); /* to zero, and taken for zero */
#elif defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8000u); /* the second bit came with SSE2 */
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(mode));
    mode |= UINT64_C(1) << 24;
    __asm__ __volatile__("msr fpcr, %0" : : "r"(mode));
#endif
}

struct shl_worker {
    pthread_t thread;
    void (*job)(void *arg);
    void *arg;
    uint32_t period_ms;
    /* calls asked for; anyone adds, the thread waits on it. Both seq_cst with
     * `parked`: either the thread sees the call or the caller that it sleeps */
    _Atomic uint32_t *calls;
    _Atomic uint32_t *parked;
    _Atomic uint32_t own_calls, own_parked; /* unless they are elsewhere */
    struct shl_mpsc tasks;                  /* posted */
    _Atomic uint32_t quit; /* release by free, acquire by the thread */
};

/** Sleep until somebody calls or the period is over. */
static void worker_sleep(struct shl_worker *worker, uint32_t seen)
{
    uint64_t began = shl_clock_ns();
    uint64_t period = (uint64_t)worker->period_ms * 1000000u;

    atomic_store_explicit(worker->parked, 1, memory_order_seq_cst);
    while (atomic_load_explicit(worker->calls, memory_order_seq_cst) == seen) {
        uint64_t past = shl_clock_ns() - began;
        uint64_t left_us = 1000000;

        if (period && past >= period)
            break;
        if (period && (period - past) / 1000 < left_us)
            left_us = (period - past) / 1000 + 1;
        shl_word_wait(worker->calls, seen, (uint32_t)left_us);
    }
    atomic_store_explicit(worker->parked, 0, memory_order_relaxed);
}

static void worker_tasks(struct shl_worker *worker)
{
    struct shl_mpsc_node *node = shl_mpsc_take(&worker->tasks);

    while (node) {
        struct shl_task *task = (struct shl_task *)node;
        node = node->next;
        task->run(task);
    }
}

static void *worker_run(void *arg)
{
    struct shl_worker *worker = arg;

    for (;;) {
        uint32_t seen =
            atomic_load_explicit(worker->calls, memory_order_seq_cst);
        if (atomic_load_explicit(&worker->quit, memory_order_acquire))
            return NULL;
        if (worker->job)
            worker->job(worker->arg);
        worker_tasks(worker);
        worker_sleep(worker, seen);
    }
}

/** Start a thread with ordinary scheduling, also when the caller is a realtime
 * thread, with all signals blocked but the faults, which belong to the thread
 * that makes them: blocked, they kill. */
static int thread_start(pthread_t *thread, bool detached,
                        void *(*run)(void *arg), void *arg)
{
    static const int faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP};
    sigset_t blocked, before;
    pthread_attr_t attr;
    int error = pthread_attr_init(&attr);

    if (error)
        return error;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    if (detached)
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    error = pthread_create(thread, &attr, run, arg);
    if (error == EPERM) {
        pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED);
        error = pthread_create(thread, &attr, run, arg);
    }
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct lone {
    void (*job)(void *arg);
    void *arg;
};

static void *lone_run(void *arg)
{
    struct lone lone = *(struct lone *)arg;

    free(arg);
    lone.job(lone.arg);
    return NULL;
}

shl_status shl_thread_start(void (*job)(void *arg), void *arg)
{
    struct lone *lone = malloc(sizeof *lone);
    pthread_t thread;

    if (!lone)
        return SHL_NO_MEMORY;
    *lone = (struct lone){job, arg};
    if (!thread_start(&thread, true, lone_run, lone))
        return SHL_OK;
    free(lone);
    return SHL_NO_MEMORY;
}

shl_status shl_worker_new(void (*job)(void *arg), void *arg, uint32_t period_ms,
                          shl_worker **worker)
{
    return shl_worker_new_at(job, arg, period_ms, NULL, NULL, worker);
}

shl_status shl_worker_new_at(void (*job)(void *arg), void *arg,
                             uint32_t period_ms, _Atomic uint32_t *calls,
                             _Atomic uint32_t *parked, shl_worker **worker)
{
    struct shl_worker *made = calloc(1, sizeof *made);

    if (!made)
        return SHL_NO_MEMORY;
    made->job = job;
    made->arg = arg;
    made->period_ms = period_ms;
    made->calls = calls ? calls : &made->own_calls;
    made->parked = parked ? parked : &made->own_parked;
    if (thread_start(&made->thread, false, worker_run, made)) {
        free(made);
        return SHL_NO_MEMORY;
    }
    *worker = made;
    return SHL_OK;
}

void shl_worker_wake(shl_worker *worker)
{
    atomic_fetch_add_explicit(worker->calls, 1, memory_order_seq_cst);
    if (atomic_load_explicit(worker->parked, memory_order_seq_cst))
        shl_word_wake(worker->calls);
}

void shl_worker_post(shl_worker *worker, struct shl_task *task)
{
    shl_mpsc_push(&worker->tasks, &task->node);
    shl_worker_wake(worker);
}

void shl_worker_free(shl_worker *worker)
{
    if (!worker)
        return;
    atomic_store_explicit(&worker->quit, 1, memory_order_release);
    shl_worker_wake(worker);
    pthread_join(worker->thread, NULL);
    free(worker);
}
