/* SPDX-License-Identifier: MIT */
/* Taps and transport modes in the free drive: a host and a device in one
 * process, on one virtual clock, block for block. */
#include "child.h"
#include "core/shm/layout.h"
#include "peer.h"
#include "shmlink/device.h"
#include "shmlink/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 64, OUTS = 6, PATIENCE = 20000 };

static shl_device *device;
static shl_host *host;
static struct shl_block block;
static uint64_t now_ns, turn;
static float memory[OUTS][BLOCK];
static float *const out[OUTS] = {memory[0], memory[1], memory[2],
                                 memory[3], memory[4], memory[5]};
static struct shl_event heard;
static uint32_t heard_count;

static const struct shl_tap taps[] = {
    {.name = "one", .kind = SHL_TAP_CONTROL, .channels = 1},
    {.name = "two", .kind = SHL_TAP_AUDIO, .channels = 2}};

static uint64_t virtual_clock(void)
{
    return now_ns;
}

/* What a plane carries: another whole number for each frame and plane. */
static float sample(uint64_t frame, uint32_t plane)
{
    return (float)(1 + frame + 1000000 * plane);
}

static void fill(float *plane, uint32_t number)
{
    for (uint32_t i = 0; i < block.frames; i++)
        plane[i] = sample(block.frame + i, number);
}

/* One block of each side. */
static void play(void)
{
    now_ns = 1000000000u + turn++ * BLOCK * 1000000000u / 48000;
    assert_int_equal(shl_device_begin(device, BLOCK, &block), SHL_OK);
    for (struct shl_event e; shl_device_event(device, &e); heard = e)
        heard_count++;
    fill(block.out[0], 0);
    for (uint32_t t = 0; t < 2; t++)
        for (uint32_t c = 0; block.tap[t] && c < taps[t].channels; c++)
            fill(block.tap[t][c], 1 + t + c);
    shl_device_done(device);
    shl_host_process(host, NULL, out, BLOCK);
}

static void open_both(uint32_t mode)
{
    struct shl_why why;
    const struct shl_device_options of_device = {.id = "Free",
                                                 .out_channels = 1,
                                                 .rate_hz = 48000,
                                                 .block_frames = BLOCK,
                                                 .capabilities =
                                                     SHL_CAP_MIDI_IN,
                                                 .drives = SHL_DRIVE_FREE,
                                                 .taps = taps,
                                                 .tap_count = 2,
                                                 .clock_ns = virtual_clock};
    const struct shl_host_options of_host = {.out_channels = OUTS,
                                             .rate_hz = 48000,
                                             .block_frames = BLOCK,
                                             .mode = mode,
                                             .clock_ns = virtual_clock};

    heard_count = 0;
    assert_int_equal(shl_device_open(&of_device, &device, &why), SHL_OK);
    assert_int_equal(shl_host_new(&of_host, &host), SHL_OK);
    assert_int_equal(shl_host_open(host, "Free", 0), SHL_OK);
    /* streams are made by a thread of the device's, in real time */
    for (int i = 0; i < PATIENCE && shl_host_linked(host) < 2; i++) {
        play();
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 2);
    for (int i = 0; i < 100; i++)
        play();
}

static int close_both(void **state)
{
    (void)state;
    shl_host_free(host);
    shl_device_close(device);
    host = NULL;
    device = NULL;
    return 0;
}

static int own_board(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

/* The plane in each output, by its first sample; -1: silence. */
static int carried(uint32_t channel)
{
    const float *plane = memory[channel];
    int number = (int)((plane[0] - 1) / 1000000);

    for (uint32_t i = 0; i < BLOCK; i++)
        if (plane[i] != (plane[0] == 0 ? 0 : plane[0] + (float)i))
            return -2;
    return plane[0] == 0 ? -1 : number;
}

static shl_status route(uint32_t tap, uint32_t channel)
{
    struct shl_why why;
    shl_status st = shl_host_route(host, tap, channel, NULL, NULL, NULL, &why);

    for (int i = 0;
         !st && i < PATIENCE && shl_host_routed(host, tap) != channel; i++) {
        shl_host_poll(host);
        play();
        usleep(1000);
    }
    for (int i = 0; !st && i < 100; i++)
        play();
    return st;
}

static void expect(const int *wanted)
{
    for (uint32_t c = 0; c < OUTS; c++)
        assert_int_equal(carried(c), wanted[c]);
}

/* shows DL-33 */
static void taps_travel_in_the_streams(void **state)
{
    (void)state;
    open_both(SHL_MODE_BOTH);
    expect((const int[]){0, -1, -1, -1, -1, -1});
    assert_int_equal(route(1, 3), SHL_OK);
    expect((const int[]){0, -1, -1, 2, 3, -1});
    assert_int_equal(route(0, 5), SHL_OK);
    expect((const int[]){0, -1, -1, 2, 3, 1});
    assert_int_equal(route(1, SHL_NO_ROUTE), SHL_OK);
    expect((const int[]){0, -1, -1, -1, -1, 1});
    assert_int_equal(route(1, 5), SHL_WRONG_CHANNELS);
    assert_int_equal(route(0, 0), SHL_WRONG_CHANNELS);
}

static long blocks_of_segment(void)
{
    char path[64];
    struct stat about;

    snprintf(path, sizeof path, "/dev/shm%s", shl_device_segment(device));
    assert_int_equal(stat(path, &about), 0);
    return (long)about.st_blocks;
}

/* shows DL-34 */
static void mode_midi_has_no_planes(void **state)
{
    struct shl_event note = shl_event_midi(0, 0, 0x90, 60, 100);
    uint64_t before;
    long midi, both;

    (void)state;
    open_both(SHL_MODE_MIDI);
    midi = blocks_of_segment();
    assert_int_equal(shl_host_send(host, &note, 17), SHL_OK);
    for (int i = 0; i < 100 && heard_count == 0; i++)
        play();
    assert_int_equal(heard_count, 1);
    before = heard.frame;
    assert_int_equal(shl_host_send(host, &note, 18), SHL_OK);
    for (int i = 0; i < 200; i++)
        play();
    assert_int_equal(heard_count, 2);
    assert_int_equal((heard.frame - before) % BLOCK, 1);
    expect((const int[]){-1, -1, -1, -1, -1, -1});
    assert_int_equal(route(1, 3), SHL_UNSUPPORTED);
    close_both(NULL);
    open_both(SHL_MODE_BOTH);
    both = blocks_of_segment();
    assert_true(both >= midi + OUTS * (long)sizeof(float) *
                                   (long)SHL_STREAM_FRAMES / 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(taps_travel_in_the_streams, close_both),
        cmocka_unit_test_teardown(mode_midi_has_no_planes, close_both),
    };

    return cmocka_run_group_tests(tests, own_board, NULL);
}
