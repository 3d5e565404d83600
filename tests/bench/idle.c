/* SPDX-License-Identifier: MIT */
/* What a host costs that has nothing to play: 2 channels, 64 frames, both ways.
 *
 *     idle
 *
 * Prints one line each, ns per block:
 *     zero N        filling the outputs with 0, the least there is to do
 *     wanted N      a host whose device is not there
 *     hung N W      its device was stopped; W blocks were waited for
 *     dead N W      its device was killed; W blocks were waited for
 */
#include "measure.h"

#include "shmlink/shmlink.h"

#define RATE_HZ     48000
#define CHANNELS    2
#define FRAMES      64
#define BATCH       64 /* blocks between two looks at the clock */
#define BATCHES     500
#define DEADLINE_MS 2
#define WAITED_NS   500000 /* a block that took so long was waited for */

struct sound {
    float in[CHANNELS][FRAMES], out[CHANNELS][FRAMES];
    const float *in_planes[CHANNELS];
    float *out_planes[CHANNELS];
};

static struct sound *new_sound(void)
{
    struct sound *sound = calloc(1, sizeof *sound);
    if (!sound)
        exit(2);
    for (int c = 0; c < CHANNELS; c++) {
        sound->in_planes[c] = sound->in[c];
        sound->out_planes[c] = sound->out[c];
    }
    return sound;
}

/* ---- what is measured ---------------------------------------------------------- */

static void zero(shl_host *host, struct sound *sound)
{
    static volatile uint32_t frames = FRAMES; /* not known to the compiler */
    (void)host;
    for (int c = 0; c < CHANNELS; c++)
        memset(sound->out_planes[c], 0, frames * sizeof(float));
}

static void process(shl_host *host, struct sound *sound)
{
    shl_host_process(host, sound->in_planes, sound->out_planes, FRAMES);
}

static double cost_ns(void (*block)(shl_host *, struct sound *), shl_host *host,
                      struct sound *sound)
{
    static struct samples samples;
    if (!samples.room)
        samples = samples_new(BATCHES);
    samples.count = 0;
    for (int batch = 0; batch < BATCHES; batch++) {
        uint64_t began = ticks();
        for (int i = 0; i < BATCH; i++)
            block(host, sound);
        samples_add(&samples, ticks() - began);
    }
    samples_sort(&samples);
    return samples_part_ns(&samples, 0.5) / BATCH;
}

/* ---- a device that is stopped or killed ------------------------------------------- */

static void serve(void *arg)
{
    _Atomic uint32_t *ready = *(_Atomic uint32_t **)arg;
    struct shl_device_options options = {.id = "Idle",
                                         .in_channels = CHANNELS,
                                         .out_channels = CHANNELS,
                                         .rate_hz = RATE_HZ,
                                         .block_frames = FRAMES};
    shl_device *device;
    struct shl_block block;
    if (shl_device_open(&options, &device, NULL))
        _exit(2);
    atomic_store(ready, 1);
    while (shl_device_wait(device, 1000, &block) != SHL_BAD_PEER)
        shl_device_done(device);
}

static shl_host *new_host(const char *wanted)
{
    struct shl_host_options options = {.in_channels = CHANNELS,
                                       .out_channels = CHANNELS,
                                       .rate_hz = RATE_HZ,
                                       .block_frames = FRAMES,
                                       .deadline_ms = DEADLINE_MS};
    shl_host *host;
    if (shl_host_new(&options, &host)) {
        fprintf(stderr, "idle: cannot make a host\n");
        exit(2);
    }
    shl_host_open(host, wanted, 0);
    return host;
}

/* Play until blocks come from the device, one after the other; 0 if they never
 * do. A busy machine may stall the link before. */
static int playing(shl_host *host, struct sound *sound)
{
    int came = 0;
    for (int i = 0; i < 20000 && came < 100; i++) {
        int here =
            shl_host_process(host, sound->in_planes, sound->out_planes, FRAMES);
        came = here ? came + 1 : 0;
        shl_host_poll(host);
        if (!here)
            usleep(200);
    }
    return came == 100;
}

static uint32_t waited(shl_host *host, struct sound *sound, uint32_t blocks)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < blocks; i++) {
        uint64_t began = clock_now_ns(CLOCK_MONOTONIC);
        process(host, sound);
        count += clock_now_ns(CLOCK_MONOTONIC) - began > WAITED_NS;
    }
    return count;
}

static int without_device(const char *name, int deadly, struct sound *sound,
                          struct place place)
{
    _Atomic uint32_t *ready = shared_memory(64);
    pid_t pid = second_process(serve, &ready, place.theirs);
    for (int i = 0; i < 5000 && !atomic_load(ready); i++)
        usleep(1000);
    shl_host *host = new_host("Idle");
    int linked = playing(host, sound);
    if (linked) {
        kill(pid, deadly ? SIGKILL : SIGSTOP);
        usleep(20000);
        uint32_t waits = waited(host, sound, 1000);
        for (int i = 0; i < 20 && deadly; i++) {
            usleep(20000);
            shl_host_poll(host);
        }
        waits += waited(host, sound, 1000);
        printf("%s %.1f %u\n", name, cost_ns(process, host, sound), waits);
    } else {
        fprintf(stderr, "idle: no link to a device\n");
    }
    kill(pid, SIGKILL);
    join_process(pid);
    shl_host_free(host);
    return linked;
}

int main(void)
{
    struct place place = place_of("two");
    struct sound *sound = new_sound();
    if (place.theirs < 0)
        place = place_of("one");
    tick_ns();
    bind_to(0, place.ours);
    printf("zero %.1f\n", cost_ns(zero, NULL, sound));
    shl_host *host = new_host("Nobody");
    printf("wanted %.1f\n", cost_ns(process, host, sound));
    shl_host_free(host);
    fflush(stdout);
    int linked = without_device("hung", 0, sound, place);
    fflush(stdout);
    return linked && without_device("dead", 1, sound, place) ? 0 : 2;
}
