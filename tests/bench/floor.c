/* SPDX-License-Identifier: MIT */
/* The floors: what two processes on this machine cannot do faster, by the
 * barest code there is for it.
 *
 *     floor raw|futex|tight one|two|fifo [frames channels gap_us count]
 *
 * raw: one word there and back, by looking. futex: the same, both sleep, and
 * nobody wakes who is awake. tight: a whole block with 8 events of 32 bytes,
 * all that goes one way in one contiguous run, its number stored last.
 * Prints p50 p99 p99.9 mean, and CPU of both (ns per round trip). */
#include "measure.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#define EVENTS   8
#define CHANNELS 32
#define FRAMES   512

struct event {
    uint64_t frame;
    uint32_t words[6];
};

/* One direction: number, head, events and planes follow each other. */
struct run {
    _Atomic uint32_t number; /* release: what follows is whole; acquire */
    uint32_t frames, channels, events;
    uint64_t frame;
    uint64_t reserved[5];
    struct event event[EVENTS];
    float planes[CHANNELS * FRAMES];
};

struct word {
    _Atomic uint32_t value;
    uint8_t reserved[124];
};

struct floor {
    struct word there, back, there_parked, back_parked, stop;
    _Alignas(128) struct run to_device;
    _Alignas(128) struct run to_host;
};

struct job {
    struct floor *floor;
    const char *kind;
    uint32_t frames, channels, gap_us, count;
    int fifo;
    float *in[CHANNELS], *out[CHANNELS];
    struct event sent[EVENTS], heard[EVENTS];
};

static void pause_once(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* ---- one word, by looking ------------------------------------------------------ */

static void look(_Atomic uint32_t *word, uint32_t wanted)
{
    while (atomic_load_explicit(word, memory_order_acquire) != wanted)
        pause_once();
}

static void raw_device(struct floor *floor)
{
    for (uint32_t n = 1;; n++) {
        look(&floor->there.value, n);
        atomic_store_explicit(&floor->back.value, n, memory_order_release);
    }
}

static void raw_host(struct job *job, uint32_t n)
{
    struct floor *floor = job->floor;
    atomic_store_explicit(&floor->there.value, n, memory_order_release);
    look(&floor->back.value, n);
}

/* ---- one word, by sleeping ------------------------------------------------------- */

static void sleep_for(_Atomic uint32_t *word, _Atomic uint32_t *parked,
                      uint32_t wanted)
{
    static const struct timespec most = {.tv_sec = 1};
    uint32_t seen;
    while ((seen = atomic_load_explicit(word, memory_order_acquire)) !=
           wanted) {
        atomic_store_explicit(parked, 1, memory_order_seq_cst);
        if (atomic_load_explicit(word, memory_order_seq_cst) == seen)
            syscall(SYS_futex, word, FUTEX_WAIT, seen, &most, NULL, 0);
        atomic_store_explicit(parked, 0, memory_order_relaxed);
    }
}

static void post(_Atomic uint32_t *word, _Atomic uint32_t *parked, uint32_t n)
{
    atomic_store_explicit(word, n, memory_order_seq_cst);
    if (atomic_load_explicit(parked, memory_order_seq_cst))
        syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void futex_device(struct floor *floor)
{
    for (uint32_t n = 1;; n++) {
        sleep_for(&floor->there.value, &floor->there_parked.value, n);
        post(&floor->back.value, &floor->back_parked.value, n);
    }
}

static void futex_host(struct job *job, uint32_t n)
{
    struct floor *floor = job->floor;
    post(&floor->there.value, &floor->there_parked.value, n);
    sleep_for(&floor->back.value, &floor->back_parked.value, n);
}

/* ---- a whole block -------------------------------------------------------------- */

static void tight_device(const struct job *job)
{
    struct run *from = &job->floor->to_device, *to = &job->floor->to_host;
    for (uint32_t n = 1;; n++) {
        look(&from->number, n);
        to->frames = from->frames;
        to->channels = from->channels;
        to->events = from->events;
        to->frame = from->frame;
        memcpy(to->event, from->event, sizeof to->event);
        for (uint32_t c = 0; c < job->channels; c++)
            memcpy(to->planes + c * job->frames, from->planes + c * job->frames,
                   job->frames * sizeof(float));
        atomic_store_explicit(&to->number, n, memory_order_release);
    }
}

static void tight_host(struct job *job, uint32_t n)
{
    struct run *to = &job->floor->to_device, *from = &job->floor->to_host;
    to->frames = job->frames;
    to->channels = job->channels;
    to->events = EVENTS;
    to->frame = (uint64_t)n * job->frames;
    memcpy(to->event, job->sent, sizeof to->event);
    for (uint32_t c = 0; c < job->channels; c++)
        memcpy(to->planes + c * job->frames, job->in[c],
               job->frames * sizeof(float));
    atomic_store_explicit(&to->number, n, memory_order_release);
    look(&from->number, n);
    memcpy(job->heard, from->event, sizeof job->heard);
    for (uint32_t c = 0; c < job->channels; c++)
        memcpy(job->out[c], from->planes + c * job->frames,
               job->frames * sizeof(float));
}

/* ---- measuring -------------------------------------------------------------------- */

static void device(void *arg)
{
    struct job *job = arg;
    if (job->fifo)
        be_fifo(49);
    if (strcmp(job->kind, "raw") == 0)
        raw_device(job->floor);
    else if (strcmp(job->kind, "futex") == 0)
        futex_device(job->floor);
    else
        tight_device(job);
}

static void measure(struct job *job, struct samples *samples)
{
    void (*trip)(struct job *, uint32_t) =
        strcmp(job->kind, "raw") == 0     ? raw_host
        : strcmp(job->kind, "futex") == 0 ? futex_host
                                          : tight_host;
    uint32_t warm = job->count / 10 + 1;
    for (uint32_t n = 1; n <= warm + job->count; n++) {
        if (job->gap_us)
            busy_wait_us(job->gap_us);
        for (uint32_t c = 0; c < job->channels; c++)
            job->in[c][0] = (float)n;
        uint64_t began = ticks();
        trip(job, n);
        uint64_t took = ticks() - began;
        if (n > warm)
            samples_add(samples, took);
    }
}

static int verify(const struct job *job)
{
    if (strcmp(job->kind, "tight") != 0)
        return 1;
    for (uint32_t c = 0; c < job->channels; c++)
        if (memcmp(job->in[c], job->out[c], job->frames * sizeof(float)) != 0)
            return 0;
    return memcmp(job->sent, job->heard, sizeof job->sent) == 0;
}

static void prepare(struct job *job)
{
    for (uint32_t c = 0; c < job->channels; c++) {
        job->in[c] = calloc(job->frames, sizeof(float));
        job->out[c] = calloc(job->frames, sizeof(float));
        if (!job->in[c] || !job->out[c])
            exit(2);
        for (uint32_t i = 0; i < job->frames; i++)
            job->in[c][i] = (float)(c * job->frames + i);
    }
    for (uint32_t i = 0; i < EVENTS; i++)
        job->sent[i] = (struct event){.frame = i, .words = {i, 1, 2, 3, 4, 5}};
}

static uint32_t number(int argc, char **argv, int at, uint32_t otherwise,
                       uint32_t most)
{
    unsigned long value = argc > at ? strtoul(argv[at], NULL, 10) : otherwise;
    return value <= most ? (uint32_t)value : most;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "floor raw|futex|tight one|two|fifo [frames "
                        "channels gap_us count]\n");
        return 2;
    }
    struct place place = place_of(argv[2]);
    struct job job = {.floor = shared_memory(sizeof(struct floor)),
                      .kind = argv[1],
                      .frames = number(argc, argv, 3, 64, FRAMES),
                      .channels = number(argc, argv, 4, 2, CHANNELS),
                      .gap_us = number(argc, argv, 5, 0, 100000),
                      .count = number(argc, argv, 6, 20000, 10000000),
                      .fifo = place.fifo};
    struct samples samples = samples_new(job.count);
    tick_ns();
    prepare(&job);
    bind_to(0, place.ours);
    pid_t pid = second_process(device, &job, place.theirs);
    if (job.fifo)
        be_fifo(50);
    uint64_t cpu = process_cpu_ns(getpid()) + process_cpu_ns(pid);
    measure(&job, &samples);
    cpu = process_cpu_ns(getpid()) + process_cpu_ns(pid) - cpu;
    kill(pid, SIGKILL);
    join_process(pid);
    if (!verify(&job)) {
        fprintf(stderr, "floor %s: what came back is not what was sent\n",
                job.kind);
        return 2;
    }
    samples_print(&samples);
    printf(" %.1f\n", (double)cpu / (double)(job.count + job.count / 10 + 1));
    return 0;
}
