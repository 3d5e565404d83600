/* SPDX-License-Identifier: MIT */
/* A device and a host in one thread, for tests of what they agree on: the
 * pipelined drive, where no call waits for the other. For cmocka programs,
 * which include it once. */
#ifndef DUET_H
#define DUET_H

#include "shmlink/shmlink.h"

#include "core/shm/segment.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 20000 /* only a hang is that slow */
#define FRAMES   64

static shl_device *device;
static shl_host *host;
static struct shl_block block;
static struct shl_why why;
static float in_memory[SHL_MAX_CHANNELS][FRAMES];
static float out_memory[SHL_MAX_CHANNELS][FRAMES];
static const float *in[SHL_MAX_CHANNELS];
static float *out[SHL_MAX_CHANNELS];

static inline void new_device(struct shl_device_options options)
{
    options.id = "Duet";
    options.rate_hz = 48000;
    options.block_frames = FRAMES;
    assert_int_equal(shl_device_open(&options, &device, &why), SHL_OK);
}

static inline void new_host(uint32_t ins, uint32_t outs, uint32_t mode)
{
    const struct shl_host_options options = {.in_channels = ins,
                                             .out_channels = outs,
                                             .rate_hz = 48000,
                                             .block_frames = FRAMES,
                                             .drive = SHL_DRIVE_PIPELINED,
                                             .mode = mode,
                                             .deadline_ms = 1000};
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++) {
        in[c] = in_memory[c];
        out[c] = out_memory[c];
    }
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
}

/* The host claims, the device looks until the claim is ready. */
static inline void link_up(void)
{
    assert_int_equal(shl_host_open(host, "Duet:0", 0), SHL_OK);
    for (int i = 0; i < LIMIT_MS && shl_host_linked(host) != 2; i++) {
        shl_device_wait(device, 1, &block);
        shl_host_poll(host);
    }
    assert_int_equal(shl_host_linked(host), 2);
}

/* Ring a block (which hears the one before) and have the device take it. */
static inline void next_block(void)
{
    shl_host_process(host, in, out, FRAMES);
    assert_int_equal(shl_device_wait(device, 0, &block), SHL_OK);
}

static inline int silent(uint32_t channel)
{
    for (uint32_t i = 0; i < FRAMES; i++)
        if (out_memory[channel][i] != 0)
            return 0;
    return 1;
}

/* First byte of the segment from `from` on that has memory behind it. */
static inline long memory_from(long from)
{
    char path[64];
    snprintf(path, sizeof path, "/dev/shm%s", shl_device_segment(device));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    long at = (long)lseek(fd, from, SEEK_DATA);
    close(fd);
    return at;
}

static inline int tear_down(void **state)
{
    (void)state;
    shl_host_free(host);
    shl_device_close(device);
    host = NULL;
    device = NULL;
    memset(in_memory, 0, sizeof in_memory);
    memset(out_memory, 0, sizeof out_memory);
    return 0;
}

static inline int start(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

#endif
