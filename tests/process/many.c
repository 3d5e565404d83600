/* SPDX-License-Identifier: MIT */
/* Many devices in one process and one thread, each looked after in turn:
 *
 *     many COUNT NAME      NAME:0 and so on, until its input ends
 *
 * Output of device k: its input, and k + 1 on top. Says "ready" and its ids when
 * all are announced, or why one is not. */
#include "shmlink/shmlink.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 64

static shl_device *device[MOST];

static void play(const struct shl_block *block, int number)
{
    for (uint32_t i = 0; i < block->frames; i++)
        block->out[0][i] = block->in[0][i] + (float)(number + 1);
}

/* Whether one of them had something to do. */
static int serve_all(int count)
{
    struct shl_block block;
    int busy = 0;
    for (int k = 0; k < count; k++) {
        if (shl_device_wait(device[k], 0, &block) != SHL_OK)
            continue;
        play(&block, k);
        shl_device_done(device[k]);
        busy = 1;
    }
    return busy;
}

static int open_all(int count, const char *name)
{
    const struct shl_device_options options = {.id = name,
                                               .in_channels = 1,
                                               .out_channels = 1,
                                               .rate_hz = 48000,
                                               .block_frames = 64};
    struct shl_why why;
    for (int k = 0; k < count; k++) {
        if (shl_device_open(&options, &device[k], &why) == SHL_OK)
            continue;
        fprintf(stderr, "many: number %d: %s\n", k, why.text);
        return 0;
    }
    return 1;
}

static int input_ended(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char byte;
    return poll(&input, 1, 0) > 0 && read(0, &byte, 1) <= 0;
}

int main(int argc, char **argv)
{
    int count = argc == 3 ? atoi(argv[1]) : 0, quiet = 0, all = 0;
    if (count < 1 || count > MOST)
        return 2;
    alarm(600);
    all = open_all(count, argv[2]);
    for (int k = 0; k < count && all; k++)
        printf("%s\n", shl_device_id(device[k]));
    if (all)
        puts("ready");
    fflush(stdout);
    /* input is looked at when there is nothing else to do */
    while (all && !(quiet && input_ended())) {
        quiet = !serve_all(count);
        if (quiet)
            usleep(50);
    }
    for (int k = 0; k < count; k++)
        shl_device_close(device[k]);
    return !all;
}
