/* SPDX-License-Identifier: MIT */
/* One block there and back through a plugin program that passes its inputs on
 * (shmplug, null), woken by a doorbell word or by pipes.
 *
 *     plugin doorbell|pipes one|two PROGRAM [frames channels count]
 *
 * doorbell: by the link area, as our own program has it. pipes: by the Maolan
 * protocol alone, number 6. Prints p50 p99 p99.9 mean (ns per block). */
#include "measure.h"

#include "shmlink/shmlink.h"

#include <dirent.h>

#define CHANNELS 32u
#define FRAMES   4096u

static float memory[2][CHANNELS][FRAMES];
static const float *in[CHANNELS];
static float *out[CHANNELS];

/* All threads of a program, on one processor. */
static void move(uint32_t pid, int cpu)
{
    char path[64];
    struct dirent *entry;
    DIR *folder;
    snprintf(path, sizeof path, "/proc/%u/task", pid);
    folder = opendir(path);
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            bind_to(atoi(entry->d_name), cpu);
    if (folder)
        closedir(folder);
}

static shl_host *open_host(int pipes, const char *program,
                           const struct place *place,
                           const struct shl_host_options *options)
{
    const struct shl_host_program what = {"null:", program, pipes ? 6 : 0, 0,
                                          0};
    struct shl_device_info info;
    char why[256];
    shl_host *host;
    if (shl_host_new(options, &host))
        exit(2);
    if (shl_host_spawn(host, &what, 10000) ||
        shl_host_get_device(host, &info)) {
        shl_host_why(host, why, sizeof why);
        fprintf(stderr, "plugin: %s\n", why);
        exit(2);
    }
    move(info.pid, place->theirs);
    bind_to(0, place->ours);
    return host;
}

static uint32_t number(int argc, char **argv, int at, uint32_t otherwise)
{
    return argc > at ? (uint32_t)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "plugin doorbell|pipes one|two PROGRAM [frames "
                        "channels count]\n");
        return 2;
    }
    struct place place = place_of(argv[2]);
    uint32_t frames = number(argc, argv, 4, 64) % (FRAMES + 1);
    uint32_t channels = number(argc, argv, 5, 2) % (CHANNELS + 1);
    uint32_t count = number(argc, argv, 6, 20000), failed = 0;
    struct shl_host_options options = {.in_channels = channels,
                                       .out_channels = channels,
                                       .rate_hz = 48000,
                                       .block_frames = frames,
                                       .deadline_ms = 1000};
    for (uint32_t c = 0; c < channels; c++) {
        in[c] = memory[0][c];
        out[c] = memory[1][c];
    }
    tick_ns();
    shl_host *host =
        open_host(strcmp(argv[1], "pipes") == 0, argv[3], &place, &options);
    struct samples samples = samples_new(count);
    for (uint32_t n = 0; n < count + count / 10; n++) {
        for (uint32_t c = 0; c < channels; c++)
            memory[0][c][n % frames] = (float)n;
        uint64_t began = ticks();
        failed += !shl_host_process(host, in, out, frames) ||
                  (channels && out[0][n % frames] != (float)n);
        if (n >= count / 10)
            samples_add(&samples, ticks() - began);
        else if (n % 64 == 0)
            shl_host_poll(host);
    }
    shl_host_free(host);
    while (shl_host_programs())
        usleep(1000);
    samples_print(&samples);
    printf("\n");
    if (failed)
        fprintf(stderr, "plugin: %u blocks missed or wrong\n", failed);
    return failed ? 2 : 0;
}
