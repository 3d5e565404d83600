/* SPDX-License-Identifier: MIT */
/* What the programs of the bench share: a clock of few nanoseconds, samples
 * and their percentiles, processors, and a second process that cannot be left
 * behind. Every program measures one thing and prints one line of numbers; the
 * script puts lines of the same round beside each other. */
#ifndef MEASURE_H
#define MEASURE_H

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 60u /* no program of the bench lives longer */

/* ---- time ------------------------------------------------------------------ */

static inline uint64_t clock_now_ns(clockid_t clock)
{
    struct timespec now = {0, 0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/** A count that runs evenly; tick_ns() says how fast. */
static inline uint64_t ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#else
    return clock_now_ns(CLOCK_MONOTONIC);
#endif
}

static inline double tick_ns(void)
{
    static double known;
    if (known > 0)
        return known;
    uint64_t ns = clock_now_ns(CLOCK_MONOTONIC), count = ticks();
    uint64_t past;
    do {
        past = clock_now_ns(CLOCK_MONOTONIC) - ns;
    } while (past < 20000000u);
    known = (double)past / (double)(ticks() - count);
    return known;
}

static inline void busy_wait_us(uint32_t us)
{
    uint64_t until = ticks() + (uint64_t)((double)us * 1000 / tick_ns());
    while (ticks() < until) {
    }
}

/* ---- samples ----------------------------------------------------------------- */

struct samples {
    uint32_t *ticks;
    uint32_t count, room;
};

static inline struct samples samples_new(uint32_t room)
{
    struct samples made = {calloc(room, sizeof(uint32_t)), 0, room};
    if (!made.ticks) {
        fprintf(stderr, "no memory for %u samples\n", room);
        exit(2);
    }
    /* no page of it is new inside a loop that is timed */
    memset(made.ticks, 1, room * sizeof(uint32_t));
    return made;
}

static inline void samples_add(struct samples *samples, uint64_t took)
{
    if (samples->count < samples->room)
        samples->ticks[samples->count++] =
            took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
}

static inline int samples_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/** Of samples in order; `part` is 0.5 for the median. */
static inline double samples_part_ns(const struct samples *samples, double part)
{
    uint32_t at = (uint32_t)(part * samples->count);
    return samples->count ? samples->ticks[at] * tick_ns() : 0;
}

static inline void samples_sort(struct samples *samples)
{
    qsort(samples->ticks, samples->count, sizeof(uint32_t), samples_compare);
}

static inline double samples_mean_ns(const struct samples *samples)
{
    double sum = 0;
    for (uint32_t i = 0; i < samples->count; i++)
        sum += samples->ticks[i];
    return samples->count ? sum * tick_ns() / samples->count : 0;
}

/** p50 p99 p99.9 mean */
static inline void samples_print(struct samples *samples)
{
    samples_sort(samples);
    printf("%.1f %.1f %.1f %.1f", samples_part_ns(samples, 0.5),
           samples_part_ns(samples, 0.99), samples_part_ns(samples, 0.999),
           samples_mean_ns(samples));
}

/* ---- processors ----------------------------------------------------------------- */

/** The processor number `index` of those that we may use, or -1. */
static inline int processor(int index)
{
    cpu_set_t may;
    if (sched_getaffinity(0, sizeof may, &may))
        return -1;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &may) && index-- == 0)
            return (int)cpu;
    return -1;
}

/** Bind a process (0: this thread) to one processor; ends the program with 77,
 * "could not run", where there is none. */
static inline void bind_to(pid_t pid, int cpu)
{
    cpu_set_t only;
    CPU_ZERO(&only);
    if (cpu >= 0)
        CPU_SET((unsigned)cpu, &only);
    if (cpu < 0 || sched_setaffinity(pid, sizeof only, &only)) {
        fprintf(stderr, "there is no such processor to run on\n");
        exit(77);
    }
}

struct place {
    int ours, theirs;
    int fifo;
};

/** "two" cores, "one" for both, or "fifo": one, and realtime scheduling, where
 * a yield gives the processor to nobody. Must be asked before binding. */
static inline struct place place_of(const char *name)
{
    int two = strcmp(name, "two") == 0;
    return (struct place){processor(0), processor(two ? 1 : 0),
                          strcmp(name, "fifo") == 0};
}

/** This process alone; 77 if that is not allowed. */
static inline void be_fifo(int priority)
{
    struct sched_param param = {.sched_priority = priority};
    if (sched_setscheduler(0, SCHED_FIFO, &param)) {
        fprintf(stderr, "not allowed to use SCHED_FIFO\n");
        _exit(77);
    }
}

/* ---- the other process ------------------------------------------------------------ */

/** Memory that parent and child share. */
static inline void *shared_memory(size_t size)
{
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (base == MAP_FAILED) {
        fprintf(stderr, "no shared memory\n");
        exit(2);
    }
    return base;
}

/** A child that ends with us, or by itself after LIMIT_S. `cpu` below 0: it runs
 * where the system likes. */
static inline pid_t second_process(void (*job)(void *), void *arg, int cpu)
{
    pid_t parent = getpid();
    alarm(LIMIT_S);
    pid_t pid = fork();
    if (pid < 0) {
        fprintf(stderr, "no second process\n");
        exit(2);
    }
    if (pid > 0)
        return pid;
    alarm(LIMIT_S);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(2);
    if (cpu >= 0)
        bind_to(0, cpu);
    job(arg);
    _exit(0);
}

static inline uint64_t process_cpu_ns(pid_t pid)
{
    clockid_t clock;
    return clock_getcpuclockid(pid, &clock) ? 0 : clock_now_ns(clock);
}

/** Its exit status; -1 if a signal ended it. */
static inline int join_process(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
