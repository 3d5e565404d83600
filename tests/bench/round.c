/* SPDX-License-Identifier: MIT */
/* One block there and back through the core: a host here, a device in a second
 * process that plays every sample and every event back.
 *
 *     round lockstep|pipelined|free one|two|fifo [frames channels events gap_us
 *                                            count [observer|monitor]]
 *
 * fifo: both on one core under SCHED_FIFO, the device one step below the host,
 * as it is where a yield gives the processor to nobody. gap_us: what the host
 * does between its blocks, looking at the clock. free: each side is due by the
 * system's clock, as often as a block of that size is; gap_us says nothing.
 * observer: a third process looks at the link, every 20 ms, on the device's core.
 * monitor: the host has one, with nothing in it.
 * Prints p50 p99 p99.9 mean (ns per block of the host's own time), CPU of both
 * (ns per block, without the gap), system calls of the host's audio path per
 * block, page faults of both, blocks that did not come. */
#include "measure.h"

#include "shmlink/shmlink.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <sys/resource.h>

#define RATE_HZ  48000
#define CHANNELS 32u
#define FRAMES   4096u
#define EVENTS   64u

/* ---- counting what the audio path asks of the system -------------------------- */

/* The core is linked into this program, so its calls come here first. The two
 * below are all that its audio path makes (the watcher of the tests proves that
 * there is no other). */
static _Atomic uint64_t calls;

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    va_list list;
    long a[6];
    if (!real)
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "syscall");
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int sched_yield(void)
{
    static int (*real)(void);
    if (!real)
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "sched_yield");
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    return real();
}

/* ---- the device -------------------------------------------------------------------- */

struct job {
    uint32_t frames, channels, events, gap_us, count;
    int fifo, pipelined, is_free;
    const char *look; /* "observer", "monitor" or "" */
    _Atomic uint32_t *ready, *quit;
    _Atomic uint64_t *faults;
};

static uint64_t faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)(usage.ru_minflt + usage.ru_majflt);
}

static void play_back(shl_device *device, const struct shl_block *block,
                      uint32_t channels)
{
    struct shl_event event;
    shl_rt(1);
    while (shl_device_event(device, &event))
        shl_device_send(device, &event);
    for (uint32_t c = 0; c < channels; c++)
        memcpy(block->out[c], block->in[c], block->frames * sizeof(float));
    shl_device_done(device);
    shl_rt(0);
}

static uint64_t period_ns(const struct job *job)
{
    return job->frames * UINT64_C(1000000000) / RATE_HZ;
}

/* Sleep until the next block is due, then begin it. */
static shl_status begin(shl_device *device, const struct job *job,
                        struct shl_block *block, uint64_t *due_ns)
{
    *due_ns += period_ns(job);
    struct timespec due = {(time_t)(*due_ns / 1000000000),
                           (long)(*due_ns % 1000000000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    return shl_device_begin(device, job->frames, block);
}

static void serve(void *arg)
{
    const struct job *job = arg;
    struct shl_device_options options = {
        .id = "Bench",
        .in_channels = job->channels,
        .out_channels = job->channels,
        .rate_hz = RATE_HZ,
        .block_frames = job->frames,
        .capabilities = SHL_CAP_MIDI_IN | SHL_CAP_MIDI_OUT,
        .drives = job->is_free ? SHL_DRIVE_FREE : 0};
    shl_device *device;
    struct shl_why why;
    struct shl_block block;
    if (shl_device_open(&options, &device, &why)) {
        fprintf(stderr, "device: %s\n", why.text);
        _exit(2);
    }
    if (job->fifo)
        be_fifo(49);
    atomic_store(job->ready, 1);
    uint64_t due_ns = shl_clock_ns();
    while (!atomic_load_explicit(job->quit, memory_order_relaxed)) {
        if (job->is_free ? begin(device, job, &block, &due_ns)
                         : shl_device_wait(device, 100, &block))
            continue;
        play_back(device, &block, job->channels);
        /* what the host reads when it is done; a system call beside each
         * block would be measured, too */
        if (atomic_load_explicit(job->ready, memory_order_relaxed) == 2) {
            atomic_store(job->faults, faults());
            atomic_store(job->ready, 3);
        }
    }
    atomic_store(job->faults, faults() - atomic_load(job->faults));
    shl_device_close(device);
}

/* ---- the observer ------------------------------------------------------------------- */

static void see_event(void *arg, int out, const struct shl_event *event)
{
    *(uint64_t *)arg += event->frame + (uint64_t)out;
}

static void see_level(void *arg, int out, uint32_t channel, float peak)
{
    *(uint64_t *)arg += channel + (uint64_t)out + (peak > 0);
}

static void look_on(void *arg)
{
    uint64_t seen = 0;
    const struct shl_monitor monitor = {
        .arg = &seen, .event = see_event, .level = see_level};
    const struct job *job = arg;
    shl_observer *observer;
    struct shl_why why;
    if (shl_observer_open("Bench", &monitor, &observer, &why)) {
        fprintf(stderr, "observer: %s\n", why.text);
        _exit(2);
    }
    while (!atomic_load_explicit(job->quit, memory_order_relaxed) &&
           shl_observer_poll(observer, NULL) == SHL_OK)
        usleep(20000);
    shl_observer_close(observer);
}

/* ---- the host ------------------------------------------------------------------------ */

struct bench {
    shl_host *host;
    float *in[CHANNELS], *out[CHANNELS];
    struct shl_event event[EVENTS];
    uint64_t heard, failed;
    uint64_t due_ns; /* free: the next block */
};

static void prepare(struct bench *bench, const struct job *job)
{
    for (uint32_t c = 0; c < job->channels; c++) {
        bench->in[c] = calloc(job->frames, sizeof(float));
        bench->out[c] = calloc(job->frames, sizeof(float));
        if (!bench->in[c] || !bench->out[c])
            exit(2);
        for (uint32_t i = 0; i < job->frames; i++)
            bench->in[c][i] = (float)(c * job->frames + i);
    }
    for (uint32_t i = 0; i < job->events; i++)
        bench->event[i] =
            shl_event_midi(0, 0, 0xB0, (uint8_t)(i & 127), (uint8_t)i);
}

static void open_host(struct bench *bench, const struct job *job)
{
    struct shl_host_options options = {.in_channels = job->channels,
                                       .out_channels = job->channels,
                                       .rate_hz = RATE_HZ,
                                       .block_frames = job->frames,
                                       .drive = job->is_free ? SHL_DRIVE_FREE
                                                : job->pipelined
                                                    ? SHL_DRIVE_PIPELINED
                                                    : SHL_DRIVE_LOCKSTEP,
                                       .deadline_ms = 1000,
                                       /* block after block: a rendering */
                                       .batch = !job->gap_us && !job->is_free};
    static const struct shl_monitor nothing;
    char why[256];
    shl_status st = shl_host_new(&options, &bench->host);
    if (!st) {
        if (strcmp(job->look, "monitor") == 0)
            shl_host_set_monitor(bench->host, &nothing);
        st = shl_host_open(bench->host, "Bench", 5000);
        if (!st)
            return;
        shl_host_why(bench->host, why, sizeof why);
        fprintf(stderr, "host: %s\n", why);
    }
    exit(2);
}

static void one_block(struct bench *bench, const struct job *job)
{
    struct shl_event event;
    uint32_t offset;
    shl_rt(1);
    for (uint32_t i = 0; i < job->events; i++)
        bench->failed +=
            shl_host_send(bench->host, &bench->event[i], i) != SHL_OK;
    bench->failed += !shl_host_process(
        bench->host, (const float *const *)bench->in, bench->out, job->frames);
    while (shl_host_event(bench->host, &event, &offset))
        bench->heard++;
    shl_rt(0);
}

static void wait_due(struct bench *bench, const struct job *job)
{
    uint64_t now_ns = shl_clock_ns();
    if (bench->due_ns + 100000000 < now_ns)
        bench->due_ns = now_ns;
    bench->due_ns += period_ns(job);
    while (shl_clock_ns() < bench->due_ns) {
    }
}

static void measure(struct bench *bench, const struct job *job,
                    struct samples *samples, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        if (job->is_free)
            wait_due(bench, job);
        else if (job->gap_us)
            busy_wait_us(job->gap_us);
        for (uint32_t c = 0; c < job->channels; c++)
            bench->in[c][0] = (float)n;
        uint64_t began = ticks();
        one_block(bench, job);
        uint64_t took = ticks() - began;
        if (samples)
            samples_add(samples, took);
        else if (n % 64 == 0)
            shl_host_poll(bench->host); /* its faults would count as ours */
    }
}

/* In the free drive a block of the host's lies anywhere in the device's: the ramp
 * goes on but where one ends. */
static int goes_on(const float *plane, uint32_t frames)
{
    uint32_t steps = 0;
    for (uint32_t i = 1; i < frames; i++)
        steps += plane[i] == plane[i - 1] + 1;
    return steps + 4 >= frames;
}

/* The last block must be what was sent: this one, or the one before it. */
static int verify(const struct bench *bench, const struct job *job)
{
    for (uint32_t c = 0; c < job->channels; c++) {
        float late = job->pipelined ? 1 : 0;
        if (job->is_free) {
            if (!goes_on(bench->out[c], job->frames))
                return 0;
            continue;
        }
        if (bench->out[c][0] != bench->in[c][0] - late ||
            memcmp(bench->in[c] + 1, bench->out[c] + 1,
                   (job->frames - 1) * sizeof(float)) != 0)
            return 0;
    }
    return 1;
}

static uint32_t number(int argc, char **argv, int at, uint32_t otherwise,
                       uint32_t most)
{
    unsigned long value = argc > at ? strtoul(argv[at], NULL, 10) : otherwise;
    return value <= most ? (uint32_t)value : most;
}

static int run(struct job *job, pid_t pid, pid_t observer)
{
    static struct bench bench;
    struct samples samples = samples_new(job->count);
    prepare(&bench, job);
    if (job->fifo)
        be_fifo(50);
    open_host(&bench, job);
    measure(&bench, job, NULL, job->count / 10 + 100);
    atomic_store(job->ready, 2);
    measure(&bench, job, NULL, 100);
    struct shl_host_stats warm, stats;
    shl_host_get_stats(bench.host, &warm);
    bench.failed = bench.heard = 0;
    uint64_t own_faults = faults(), own_calls = atomic_load(&calls);
    uint64_t cpu = process_cpu_ns(getpid()) + process_cpu_ns(pid);
    measure(&bench, job, &samples, job->count);
    cpu = process_cpu_ns(getpid()) + process_cpu_ns(pid) - cpu;
    own_calls = atomic_load(&calls) - own_calls;
    own_faults = faults() - own_faults;
    shl_host_get_stats(bench.host, &stats);
    int same = verify(&bench, job);
    atomic_store(job->quit, 1);
    shl_host_free(bench.host);
    int ended = join_process(pid);
    if (observer && join_process(observer))
        ended = -1;
    double gap = (double)job->gap_us * 1000;
    samples_print(&samples);
    uint64_t missed = stats.missed - warm.missed;
    printf(" %.1f %.3f %llu %llu\n", (double)cpu / job->count - gap,
           (double)own_calls / job->count,
           (unsigned long long)(own_faults + atomic_load(job->faults)),
           (unsigned long long)missed);
    if (missed || bench.failed || !same || ended)
        fprintf(stderr,
                "round: %llu blocks missed, %llu calls failed, sound %s, "
                "device ended with %d\n",
                (unsigned long long)missed, (unsigned long long)bench.failed,
                same ? "right" : "wrong", ended);
    /* in the free drive each hole of a busy machine is one in the sound: the
     * table tells how many */
    return !same || ended || missed * (job->is_free ? 2 : 100) > job->count ? 2
                                                                            : 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "round lockstep|pipelined|free one|two|fifo [frames "
                        "channels events gap_us count [observer|monitor]]\n");
        return 2;
    }
    struct place place = place_of(argv[2]);
    struct job job = {.frames = number(argc, argv, 3, 64, FRAMES),
                      .channels = number(argc, argv, 4, 2, CHANNELS),
                      .events = number(argc, argv, 5, 8, EVENTS),
                      .gap_us = number(argc, argv, 6, 0, 100000),
                      .count = number(argc, argv, 7, 20000, 10000000),
                      .fifo = place.fifo,
                      .look = argc > 8 ? argv[8] : "",
                      .pipelined = strcmp(argv[1], "pipelined") == 0,
                      .is_free = strcmp(argv[1], "free") == 0};
    uint8_t *shared = shared_memory(512);
    job.ready = (_Atomic uint32_t *)(void *)shared;
    job.quit = (_Atomic uint32_t *)(void *)(shared + 128);
    job.faults = (_Atomic uint64_t *)(void *)(shared + 256);
    tick_ns();
    bind_to(0, place.ours);
    pid_t pid = second_process(serve, &job, place.theirs);
    for (int i = 0; i < 5000 && !atomic_load(job.ready); i++) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
        usleep(1000);
    }
    pid_t observer = 0;
    if (strcmp(job.look, "observer") == 0)
        observer = second_process(look_on, &job, place.theirs);
    return run(&job, pid, observer);
}
