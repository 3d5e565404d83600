/* SPDX-License-Identifier: MIT */
/* The platform on Linux, second half: who lives, waiting and waking, threads,
 * clocks. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif
#define _FILE_OFFSET_BITS 64

#include "core/os/platform.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__SSE__)
#    include <xmmintrin.h>
#endif

/* ---- processes --------------------------------------------------------- */

/** Read a file of /proc into `text`, terminated. -1 if that fails. */
static ssize_t proc_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return -1;
    do {
        got = read(fd, text, size - 1);
    } while (got < 0 && errno == EINTR);
    text[got > 0 ? got : 0] = 0;
    close(fd);
    return got;
}

struct proc_stat {
    char state;
    uint64_t threads;
    uint64_t start_time;
};

/** What /proc says of a process; false if it says nothing. The command's name
 * may hold spaces and parentheses: what counts begins behind the last one. */
static bool proc_stat(const char *path, struct proc_stat *out)
{
    char text[1024];
    char *at;

    if (proc_read(path, text, sizeof text) <= 0)
        return false;
    at = strrchr(text, ')');
    if (!at || at[1] != ' ' || !at[2])
        return false;
    out->state = at[2];
    at += 3;
    for (int field = 4; field <= 22; field++) {
        uint64_t value = strtoull(at, &at, 10);
        if (field == 20)
            out->threads = value;
        if (field == 22)
            out->start_time = value;
    }
    return true;
}

static uint64_t proc_namespace(void)
{
    struct stat at;

    return stat("/proc/self/ns/pid", &at) ? 0 : (uint64_t)at.st_ino;
}

/** Whether /proc shows the processes of our own namespace: it may still be that of
 * the parent (unshare --pid without --mount-proc), where other processes have our
 * numbers. */
static bool proc_is_ours(void)
{
    char self[24];
    ssize_t length = readlink("/proc/self", self, sizeof self - 1);

    if (length <= 0)
        return false;
    self[length] = 0;
    return strtol(self, NULL, 10) == (long)getpid();
}

/** Whether a process counts its time as we do: in another time namespace its
 * start time reads differently. */
static bool same_time(uint32_t pid)
{
    char path[40];
    struct stat ours, its;

    if (stat("/proc/self/ns/time", &ours))
        return true; /* there is but one */
    snprintf(path, sizeof path, "/proc/%u/ns/time", (unsigned)pid);
    return !stat(path, &its) && its.st_ino == ours.st_ino;
}

struct shl_process shl_process_self(void)
{
    struct shl_process self = {.pid = (uint32_t)getpid()};
    struct proc_stat about;

    if (proc_stat("/proc/self/stat", &about))
        self.start_time = about.start_time;
    self.pid_namespace = proc_namespace();
    return self;
}

bool shl_process_alive(const struct shl_process *process)
{
    char path[32];
    struct proc_stat about;

    if (!process->pid || process->pid > INT_MAX || !process->pid_namespace ||
        process->pid_namespace != proc_namespace())
        return true;
    if (kill((pid_t)process->pid, 0) && errno == ESRCH)
        return false;
    snprintf(path, sizeof path, "/proc/%u/stat", (unsigned)process->pid);
    if (!proc_is_ours() || !proc_stat(path, &about))
        return true;
    if (process->start_time && process->start_time != about.start_time)
        return !same_time(process->pid);
    /* a process whose first thread has ended looks like a zombie, but has
     * others */
    return !(about.state == 'X' || (about.state == 'Z' && about.threads <= 1));
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/** Whether we are in a namespace other than the first of its kind, which has the
 * same number on every system. */
static bool apart(const char *path, uint64_t first)
{
    struct stat at;

    return !stat(path, &at) && (uint64_t)at.st_ino != first;
}

const char *shl_sandbox(void)
{
    char users[64];

    if (is_there("/.flatpak-info"))
        return "this program is in a Flatpak sandbox, whose shared memory is "
               "its "
               "own unless it is started with --device=shm";
    if (getenv("SNAP_NAME"))
        return "this program is in a snap, which may not share memory with "
               "others";
    if (is_there("/run/.containerenv") || is_there("/.dockerenv") ||
        getenv("container"))
        return "this program is in a container, whose shared memory is its own "
               "unless it is started with --ipc=host";
    if (proc_read("/proc/self/uid_map", users, sizeof users) > 0 &&
        !strstr(users, "4294967295"))
        return "this program is in a user namespace, where this user has "
               "another "
               "number";
    if (apart("/proc/self/ns/pid", 0xEFFFFFFCu) ||
        apart("/proc/self/ns/ipc", 0xEFFFFFFFu))
        return "this program is in a namespace of its own, which may have "
               "shared memory of its own";
    return NULL;
}

uint32_t shl_user_id(void)
{
    return (uint32_t)geteuid();
}

void shl_random_bytes(void *bytes, size_t size)
{
    uint8_t *to = bytes;

    while (size > 0) {
        ssize_t got = getrandom(to, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        to += got;
        size -= (size_t)got;
    }
    /* a kernel without it: names need to differ, not to be secret */
    for (; size > 0; size--) {
        static _Atomic uint64_t count;
        uint64_t mix = shl_clock_ns() + (uint64_t)getpid() * 2654435761u +
                       atomic_fetch_add(&count, 1) * 0x9E3779B97F4A7C15u;
        *to++ = (uint8_t)((mix * 0xD1342543DE82EF95u) >> 56);
    }
}

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

/* ---- waiting and waking -------------------------------------------------- */

void shl_word_wait(_Atomic uint32_t *word, uint32_t seen, uint32_t timeout_us)
{
    /* the kernel's own form, whatever the width of time_t is here */
    struct {
        long s, ns;
    } timeout = {(long)(timeout_us / 1000000u),
                 (long)(timeout_us % 1000000u) * 1000};

    if (timeout_us)
        SHL_RT_EXCEPT("the bounded wait", syscall(SYS_futex, word, FUTEX_WAIT,
                                                  seen, &timeout, NULL, 0);)
}

bool shl_word_wake(_Atomic uint32_t *word)
{
    SHL_RT_EXCEPT("the wake-up", return syscall(SYS_futex, word, FUTEX_WAKE,
                                                INT_MAX, NULL, NULL, 0) > 0;)
}

void shl_yield(void)
{
    SHL_RT_EXCEPT("the bounded wait, on one processor", sched_yield();)
}

uint32_t shl_cpu(void)
{
    SHL_RT_EXCEPT("no system call: the vDSO", int cpu = sched_getcpu();)

    return cpu < 0 ? 0 : (uint32_t)cpu + 1;
}

uint32_t shl_cpus(void)
{
    cpu_set_t may;
    int count = 0;

    if (sched_getaffinity(0, sizeof may, &may) == 0)
        count = CPU_COUNT(&may);
    return count > 0 ? (uint32_t)count : 1;
}

static _Atomic uint32_t pauses_known;

uint32_t shl_pauses_per_us(void)
{
    uint32_t answer = atomic_load_explicit(&pauses_known, memory_order_relaxed);
    uint64_t best_ns = UINT64_MAX;
    const uint32_t pauses = 2000;

    if (answer)
        return answer;
    /* the best of a few: in the others we were interrupted */
    for (int round = 0; round < 8; round++) {
        uint64_t began = shl_clock_ns();
        for (uint32_t i = 0; i < pauses; i++)
            shl_pause();
        uint64_t took = shl_clock_ns() - began;
        if (took < best_ns)
            best_ns = took;
    }
    answer = (uint32_t)((uint64_t)pauses * 1000u / (best_ns ? best_ns : 1));
    answer = answer ? answer : 1;
    atomic_store_explicit(&pauses_known, answer, memory_order_relaxed);
    return answer;
}

/* ---- for the other rooms (system.h) -------------------------------------- */

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

static void *worker_run(void *arg)
{
    struct shl_worker *worker = arg;

    for (;;) {
        uint32_t seen =
            atomic_load_explicit(worker->calls, memory_order_seq_cst);
        if (atomic_load_explicit(&worker->quit, memory_order_acquire))
            return NULL;
        worker->job(worker->arg);
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

void shl_worker_free(shl_worker *worker)
{
    if (!worker)
        return;
    atomic_store_explicit(&worker->quit, 1, memory_order_release);
    shl_worker_wake(worker);
    pthread_join(worker->thread, NULL);
    free(worker);
}

void *shl_symbol(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

int shl_command_line_has(const char *word)
{
    size_t length = strlen(word) + 1; /* with its end: a whole word */
    size_t same = 0;
    bool failed = false;
    char part[512];
    ssize_t got;
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    int found = 0;

    if (fd < 0)
        return 0;
    while (!found && (got = read(fd, part, sizeof part)) > 0) {
        for (ssize_t i = 0; i < got && !found; i++) {
            failed = failed || part[i] != word[same];
            same += failed ? 0 : 1;
            found = !failed && same == length;
            if (!part[i]) {
                same = 0;
                failed = false;
            }
        }
    }
    close(fd);
    return found;
}

uint64_t shl_clock_ns(void)
{
    struct timespec now;

    SHL_RT_EXCEPT("no system call: the vDSO",
                  clock_gettime(CLOCK_MONOTONIC, &now);)
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void shl_sleep_ms(uint32_t ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};

    while (nanosleep(&left, &left) && errno == EINTR)
        continue;
}
