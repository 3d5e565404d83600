/* SPDX-License-Identifier: MIT */
/* A small host that plays until it has heard so many blocks:
 * for tests that watch, trace or kill. Marks its audio path.
 *
 * Without a pause, but with a device that keeps its own time, and after a block
 * that did not come: a device that is only looked at would have no time to answer
 * in.
 *
 *   live_host ID BLOCKS [POLLS]     POLLS 0: none once the device is linked;
 *                                   ID may be a plugin, format:name
 */
#include "shmlink/shmlink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNELS 2u
#define FRAMES   64u
#define EVENTS   8

static float memory[2 * CHANNELS][FRAMES];
static const float *const in[CHANNELS] = {memory[0], memory[1]};
static float *const out[CHANNELS] = {memory[2], memory[3]};

/* All of it is the audio path, but for the polling. */
static int play(shl_host *host, uint64_t n)
{
    struct shl_event event;
    uint32_t offset;
    shl_rt(1);
    for (uint32_t i = 0; i < EVENTS; i++) {
        uint8_t key = (uint8_t)(48 + (n + i) % 24);
        event = shl_event_midi(0, 0, i % 2 ? 0x80 : 0x90, key, 100);
        shl_host_send(host, &event, i * (FRAMES / EVENTS));
    }
    int heard = shl_host_process(host, in, out, FRAMES);
    while (shl_host_event(host, &event, &offset)) {
    }
    shl_rt(0);
    return heard;
}

static void poll(shl_host *host)
{
    struct shl_notice notice;
    shl_host_poll(host);
    while (shl_host_notice(host, &notice)) {
    }
}

/* Until the next block is due by the system's clock. */
static void keep_time(uint64_t *due_ns)
{
    uint64_t now_ns = shl_clock_ns();
    *due_ns += 1000000000u * UINT64_C(64) / 48000;
    if (*due_ns + 200000000 < now_ns)
        *due_ns = now_ns;
    while (shl_clock_ns() < *due_ns)
        usleep(100);
}

static void run(shl_host *host, uint64_t wanted, int polls)
{
    uint64_t heard = 0, asked = 0, last = 0, due_ns = 0;
    while (heard < wanted) {
        int came = play(host, asked++);
        heard += (uint64_t)came;
        if (shl_host_drive(host) == SHL_DRIVE_FREE)
            keep_time(&due_ns);
        else if (polls && !came)
            usleep(1000); /* a stalled device is asked again by the next */
        if (polls && asked % 64 == 0)
            poll(host);
        /* nothing to hear: wait for the next device in peace */
        if (polls && asked - last > 64) {
            if (!shl_host_linked(host))
                usleep(1000);
            last = asked;
        }
    }
    struct shl_host_stats stats;
    shl_host_get_stats(host, &stats);
    printf("%llu blocks heard, %llu missed, %llu links\n",
           (unsigned long long)heard, (unsigned long long)stats.missed,
           (unsigned long long)stats.links);
}

/* A plugin is told from a device by what stands behind the colon; the protocol
 * comes from the environment, so that it goes by pipes. */
static shl_status want(shl_host *host, const char *id)
{
    const char *colon = strchr(id, ':'), *number = getenv("LIVE_PROTOCOL");
    const struct shl_host_program what = {
        id, NULL, number ? (uint32_t)atoi(number) : 0, 0, 0};
    if (colon && strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return shl_host_spawn(host, &what, 10000);
    return shl_host_open(host, id, 10000);
}

int main(int count, char **words)
{
    const int polls = count < 4 || atoi(words[3]);
    struct shl_host_options options = {.in_channels = CHANNELS,
                                       .out_channels = CHANNELS,
                                       .rate_hz = 48000,
                                       .block_frames = FRAMES,
                                       .deadline_ms = polls ? 20 : 1000};
    shl_host *host;
    if (count < 3)
        return 2;
    alarm(getenv("SHL_SOAK") ? 3600 : 1400);
    if (shl_host_new(&options, &host) != SHL_OK ||
        want(host, words[1]) != SHL_OK)
        return 3;
    (void)getppid(); /* a tracer counts from here on */
    run(host, strtoull(words[2], NULL, 10), polls);
    shl_host_free(host);
    return 0;
}
