/* SPDX-License-Identifier: MIT */
/* Many links of one host, their devices in one thread of a second process:
 *
 *     links lockstep|pipelined COUNT [rounds]
 *
 * In each round the host plays one block of 64 frames and 2 channels on every
 * link; the devices are looked after in the same order.
 * Prints p50 p99 p99.9 mean, in ns per block and link. */
#include "measure.h"

#include "shmlink/shmlink.h"

#define FRAMES 64u
#define MOST   64u

struct job {
    uint32_t count, rounds;
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
    static shl_device *device[MOST];
    const struct job *job = arg;
    const struct shl_device_options options = {.id = "Bench",
                                               .in_channels = 2,
                                               .out_channels = 2,
                                               .rate_hz = 48000,
                                               .block_frames = FRAMES};
    struct shl_why why;
    struct shl_block block;
    for (uint32_t k = 0; k < job->count; k++)
        if (shl_device_open(&options, &device[k], &why)) {
            fprintf(stderr, "device: %s\n", why.text);
            _exit(2);
        }
    atomic_store(job->ready, 1);
    while (!atomic_load_explicit(job->quit, memory_order_relaxed))
        for (uint32_t k = 0; k < job->count; k++)
            if (shl_device_wait(device[k], 20, &block) == SHL_OK)
                play_back(device[k], &block);
    for (uint32_t k = 0; k < job->count; k++)
        shl_device_close(device[k]);
}

static shl_host *host[MOST];
static float sound[2][FRAMES], heard[2][FRAMES];

static void open_all(const struct job *job)
{
    const struct shl_host_options options = {
        .in_channels = 2,
        .out_channels = 2,
        .rate_hz = 48000,
        .block_frames = FRAMES,
        .drive = job->pipelined ? SHL_DRIVE_PIPELINED : SHL_DRIVE_LOCKSTEP,
        .deadline_ms = 1000};
    char why[256] = "no memory";
    for (uint32_t k = 0; k < job->count; k++) {
        if (shl_host_new(&options, &host[k]) == SHL_OK &&
            shl_host_open(host[k], "Bench", 10000) == SHL_OK)
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

static int run(const struct job *job, pid_t pid)
{
    struct samples samples = samples_new(job->rounds);
    uint32_t failed = 0;
    open_all(job);
    for (uint32_t n = 0; n < 200; n++)
        play_all(job, n);
    for (uint32_t n = 0; n < job->rounds; n++) {
        uint64_t began = ticks();
        failed += play_all(job, n + 200);
        samples_add(&samples, (ticks() - began) / job->count);
    }
    atomic_store(job->quit, 1);
    for (uint32_t k = 0; k < job->count; k++)
        shl_host_free(host[k]);
    int ended = join_process(pid);
    samples_print(&samples);
    putchar('\n');
    if (failed || ended)
        fprintf(stderr, "links: %u blocks failed, devices ended with %d\n",
                failed, ended);
    return ended || failed * 100 > job->rounds * job->count ? 2 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "links lockstep|pipelined COUNT [rounds]\n");
        return 2;
    }
    struct place place = place_of("two");
    struct job job = {.count = (uint32_t)strtoul(argv[2], NULL, 10),
                      .rounds = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10)
                                         : 2000,
                      .pipelined = strcmp(argv[1], "pipelined") == 0};
    uint8_t *shared = shared_memory(256);
    if (job.count < 1 || job.count > MOST || job.rounds < 1)
        return 2;
    job.ready = (_Atomic uint32_t *)(void *)shared;
    job.quit = (_Atomic uint32_t *)(void *)(shared + 128);
    tick_ns();
    bind_to(0, place.ours);
    pid_t pid = second_process(serve, &job, place.theirs);
    for (int i = 0; i < 10000 && !atomic_load(job.ready); i++) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
        usleep(1000);
    }
    return run(&job, pid);
}
