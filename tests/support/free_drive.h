/* SPDX-License-Identifier: MIT */
/* What the tests of the free drive share: two ends in this process, each with a clock
 * of its own, and time that is given. For cmocka programs, which include it once. */
#ifndef FREE_DRIVE_H
#define FREE_DRIVE_H

#include "hosting.h"

#include <cmocka.h>

#include "shmlink/device.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, NULL, close_all)

static shl_device *device;
static struct shl_block block;
static uint64_t now_ns;

static inline uint64_t virtual_clock(void)
{
    return now_ns;
}

/* When the next block of a side is due, in seconds. */
struct side {
    double rate_hz; /* true */
    uint32_t frames;
    uint64_t frame; /* of the next block */
    double start_s;
};

static struct side hosts, devices;

/* What the two do with their blocks. */
static void (*on_host)(uint64_t frame, uint32_t frames, int heard);

static void (*on_device)(void);

static inline double due_s(const struct side *side)
{
    return side->start_s + (double)side->frame / side->rate_hz;
}

static inline void host_block(void)
{
    uint64_t frame = hosts.frame;

    now_ns = (uint64_t)(1e9 + due_s(&hosts) * 1e9);
    hosts.frame += hosts.frames;
    if (on_host) {
        on_host(frame, hosts.frames, -1);
        on_host(frame, hosts.frames,
                shl_host_process(host, in, out, hosts.frames));
    } else {
        shl_host_process(host, in, out, hosts.frames);
    }
}

static inline void device_block(void)
{
    now_ns = (uint64_t)(1e9 + due_s(&devices) * 1e9);
    devices.frame += devices.frames;
    assert_int_equal(shl_device_begin(device, devices.frames, &block), SHL_OK);
    if (on_device)
        on_device();
    shl_device_done(device);
}

/* Both, each when it is due; the host first when both are. */
static inline void run(double until_s)
{
    for (;;) {
        bool of_host = due_s(&hosts) <= due_s(&devices);
        if (due_s(of_host ? &hosts : &devices) >= until_s)
            return;
        if (of_host)
            host_block();
        else
            device_block();
    }
}

static inline struct shl_device_options device_usual(void)
{
    return (struct shl_device_options){.id = "Free",
                                       .in_channels = 2,
                                       .out_channels = 2,
                                       .rate_hz = 48000,
                                       .block_frames = 64,
                                       .capabilities =
                                           SHL_CAP_MIDI_IN | SHL_CAP_MIDI_OUT,
                                       .drives = SHL_DRIVE_FREE,
                                       .clock_ns = virtual_clock};
}

static inline struct shl_host_options host_usual(void)
{
    return (struct shl_host_options){.in_channels = 2,
                                     .out_channels = 2,
                                     .rate_hz = 48000,
                                     .block_frames = 64,
                                     .clock_ns = virtual_clock};
}

static inline void open_both(struct shl_host_options of_host,
                             struct shl_device_options of_device)
{
    struct shl_why why;

    hosts = (struct side){.rate_hz = of_host.rate_hz,
                          .frames = of_host.block_frames};
    devices = (struct side){.rate_hz = of_device.rate_hz,
                            .frames = of_device.block_frames};
    assert_int_equal(shl_device_open(&of_device, &device, &why), SHL_OK);
    new_host(of_host);
    assert_int_equal(shl_host_open(host, of_device.id, 0), SHL_OK);
}

/* The device's thread for streams needs real time, whatever the clock says. */
static inline void accept_host(void)
{
    now_ns = 0;
    for (int i = 0; i < LIMIT_MS && shl_host_linked(host) < 2; i++) {
        assert_int_equal(shl_device_begin(device, devices.frames, &block),
                         SHL_OK);
        for (int c = 0; c < 2; c++)
            memset(block.out[c], 0, block.frames * sizeof(float));
        shl_device_done(device);
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 2);
}

static inline void link_own(struct shl_host_options of_host,
                            struct shl_device_options of_device)
{
    open_both(of_host, of_device);
    accept_host();
}

static inline int close_all(void **state)
{
    char segment[40] = "";

    if (device)
        snprintf(segment, sizeof segment, "%s", shl_device_segment(device));
    shl_host_free(host);
    host = NULL;
    shl_device_close(device);
    device = NULL;
    on_host = NULL;
    on_device = NULL;
    if (segment[0] && peer_there(segment))
        return 1;
    return tear_down(state);
}

#endif
