/* SPDX-License-Identifier: MIT */
/* Many links of one host at a real pace, a process for each device, wherever the
 * system lets them run:
 *
 *     pace lockstep|pipelined COUNT [burst [blocks]]
 *
 * The host plays a block of 64 frames and 2 channels on every link, as a patch
 * does in each tick; `burst` of these follow each other at once, and the next
 * are due when so much time has passed as they last.
 * Prints p50 p99 p99.9 mean, in ns of the host's own time per tick, for all
 * links together; CPU of all devices, ns per tick. */
#include "measure.h"

#include "shmlink/shmlink.h"

#define FRAMES  64u
#define MOST    64u
#define RATE_HZ 48000u

struct job {
    uint32_t count, burst, blocks, index;
    int pipelined;
    _Atomic uint32_t *ready, *quit;
};

static void play_back(shl_device *device, const struct shl_block *block)
{
    for (uint32_t c = 0; c < 2; c++)
        memcpy(block->out[c], block->in[c], block->frames * sizeof(float));
    shl_device_done(device);
}

static void serve(void *arg)
{
    const struct job *job = arg;
    char id[32];
    snprintf(id, sizeof id, "Pace%u:0", job->index);
    const struct shl_device_options options = {.id = id,
                                               .in_channels = 2,
                                               .out_channels = 2,
                                               .rate_hz = RATE_HZ,
                                               .block_frames = FRAMES};
    shl_device *device;
    struct shl_why why;
    struct shl_block block;
    if (shl_device_open(&options, &device, &why)) {
        fprintf(stderr, "device: %s\n", why.text);
        _exit(2);
    }
    atomic_fetch_add(job->ready, 1);
    while (!atomic_load_explicit(job->quit, memory_order_relaxed))
        if (shl_device_wait(device, 20, &block) == SHL_OK)
            play_back(device, &block);
    shl_device_close(device);
}

static shl_host *host[MOST];
static pid_t pid[MOST];
static float sound[2][FRAMES], heard[2][FRAMES];

static void open_all(const struct job *job)
{
    const struct shl_host_options options = {
        .in_channels = 2,
        .out_channels = 2,
        .rate_hz = RATE_HZ,
        .block_frames = FRAMES,
        .drive = job->pipelined ? SHL_DRIVE_PIPELINED : SHL_DRIVE_LOCKSTEP,
        .deadline_ms = 1000};
    char why[256] = "no memory", id[32];
    for (uint32_t k = 0; k < job->count; k++) {
        snprintf(id, sizeof id, "Pace%u:0", k);
        if (shl_host_new(&options, &host[k]) == SHL_OK &&
            shl_host_open(host[k], id, 10000) == SHL_OK)
            continue;
        if (host[k])
            shl_host_why(host[k], why, sizeof why);
        fprintf(stderr, "host: %s\n", why);
        exit(2);
    }
}

/* Returns how many blocks did not come, or not as they should. */
static uint32_t play_all(const struct job *job, uint32_t round)
{
    const float *const in[2] = {sound[0], sound[1]};
    float *const out[2] = {heard[0], heard[1]};
    uint32_t failed = 0;
    for (uint32_t k = 0; k < job->count; k++) {
        sound[0][0] = (float)round;
        sound[1][0] = (float)k;
        failed += !shl_host_process(host[k], in, out, FRAMES) ||
                  heard[0][0] != (float)(round - (uint32_t)job->pipelined) ||
                  heard[1][0] != (float)k;
    }
    return failed;
}

static void wait_until(uint64_t due_ns)
{
    struct timespec due = {(time_t)(due_ns / 1000000000),
                           (long)(due_ns % 1000000000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static uint64_t devices_cpu_ns(const struct job *job)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < job->count; k++)
        sum += process_cpu_ns(pid[k]);
    return sum;
}

static int run(const struct job *job)
{
    struct samples samples = samples_new(job->blocks);
    uint64_t period_ns = UINT64_C(1000000000) * FRAMES / RATE_HZ * job->burst;
    uint32_t failed = 0, warm = 200 - 200 % job->burst;
    uint64_t cpu_ns = 0;
    open_all(job);
    uint64_t due_ns = clock_now_ns(CLOCK_MONOTONIC);
    for (uint32_t n = 0; n < warm + job->blocks; n++) {
        if (n % job->burst == 0)
            wait_until(due_ns += period_ns);
        if (n == warm)
            cpu_ns = devices_cpu_ns(job);
        uint64_t began = ticks();
        uint32_t bad = play_all(job, n);
        if (n < warm)
            continue;
        samples_add(&samples, ticks() - began);
        failed += bad;
    }
    cpu_ns = devices_cpu_ns(job) - cpu_ns;
    atomic_store(job->quit, 1);
    for (uint32_t k = 0; k < job->count; k++)
        shl_host_free(host[k]);
    int ended = 0;
    for (uint32_t k = 0; k < job->count; k++)
        ended |= join_process(pid[k]);
    samples_print(&samples);
    printf(" %.1f\n", (double)cpu_ns / job->blocks);
    if (failed || ended)
        fprintf(stderr, "pace: %u blocks failed, devices ended with %d\n",
                failed, ended);
    return ended || failed * 100 > job->blocks * job->count ? 2 : 0;
}

static uint32_t number(int argc, char **argv, int at, uint32_t otherwise)
{
    return argc > at ? (uint32_t)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "pace lockstep|pipelined COUNT [burst [blocks]]\n");
        return 2;
    }
    struct job job = {.count = number(argc, argv, 2, 1),
                      .burst = number(argc, argv, 3, 1),
                      .blocks = number(argc, argv, 4, 600),
                      .pipelined = strcmp(argv[1], "pipelined") == 0};
    uint8_t *shared = shared_memory(256);
    if (job.count < 1 || job.count > MOST || job.burst < 1 || job.burst > 100 ||
        job.blocks < 1)
        return 2;
    job.ready = (_Atomic uint32_t *)(void *)shared;
    job.quit = (_Atomic uint32_t *)(void *)(shared + 128);
    tick_ns();
    for (job.index = 0; job.index < job.count; job.index++)
        pid[job.index] = second_process(serve, &job, -1);
    for (int i = 0; i < 10000 && atomic_load(job.ready) < job.count; i++)
        usleep(1000);
    return run(&job);
}
