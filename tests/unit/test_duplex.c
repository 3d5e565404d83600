/* SPDX-License-Identifier: MIT */
/* Both ends of a duplex, each called late by its own scheduler: what the device
 * sends back at once comes to the host exactly as late as both latencies say. */
#include "core/free/duplex.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RATE   48000
#define MOST   512
#define SETTLE (RATE / 2)

static struct shl_streams memory;
static struct shl_segment segment = {.streams = &memory};
static struct shl_duplex *host, *device;
static uint64_t now_ns;
static uint32_t seed;

/* One end and when it is called. */
struct side {
    uint32_t frames;
    uint64_t frame; /* of the next block */
    double jitter_s, start_s, at_s;
    double stops_at_s, stops_for_s; /* once */
    bool catches_up;       /* after it, else its clock has stood still, too */
    uint32_t burst_frames; /* so many at a time, by the last one's time */
};

static struct side hosts, devices;
static _Atomic uint32_t there_frames;
static _Atomic uint32_t late_hosts, late_devices; /* as both say it */
static uint32_t expected_frames;

/* What the host heard. */
static struct {
    uint64_t exact, other, silent; /* since it settled */
    int64_t delay;
    uint64_t breaks; /* ever since the first sound */
    bool begun, sounds;
    float last;
} heard;

static uint64_t virtual_clock(void)
{
    return now_ns;
}

static double chance(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (double)(seed >> 8) / 16777216.0;
}

/* When its next block is called: late, and in order. */
static void arrange(struct side *side)
{
    uint64_t frame = side->frame, burst = side->burst_frames;

    if (burst > side->frames)
        frame = frame / burst * burst + burst - side->frames;
    double due_s = side->start_s + (double)frame / RATE;
    double at_s = due_s + side->jitter_s * chance();

    if (side->stops_for_s > 0 && due_s >= side->stops_at_s) {
        at_s += side->stops_for_s;
        if (!side->catches_up)
            side->start_s += side->stops_for_s;
        side->stops_for_s = 0;
    }
    if (at_s > side->at_s)
        side->at_s = at_s;
}

static struct shl_duplex_options
options_of(const struct side *side, const struct side *peer, uint32_t latency)
{
    return (struct shl_duplex_options){.out_channels = 1,
                                       .in_channels = 1,
                                       .rate_hz = RATE,
                                       .peer_hz = RATE,
                                       .block_frames = side->frames,
                                       .peer_frames = peer->frames,
                                       .latency_frames = latency,
                                       .expected_frames = expected_frames,
                                       .clock_ns = virtual_clock};
}

static void open_both(uint32_t there, uint32_t back)
{
    struct shl_duplex_options options = options_of(&devices, &hosts, there);

    options.told_frames = &there_frames;
    options.own_late = &late_devices;
    options.peer_late = &late_hosts;
    late_hosts = shl_burst_word(expected_frames, false);

    memset(&heard, 0, sizeof heard);
    assert_int_equal(shl_duplex_new(&segment, &options, &device), SHL_OK);
    options = options_of(&hosts, &devices, back);
    options.from_host = true;
    options.own_late = &late_hosts;
    options.peer_late = &late_devices;
    options.there_frames = &there_frames;
    assert_int_equal(shl_duplex_new(&segment, &options, &host), SHL_OK);
}

static int close_both(void **state)
{
    (void)state;
    shl_duplex_free(host);
    shl_duplex_free(device);
    host = device = NULL;
    return 0;
}

static void device_block(void)
{
    static float plane[MOST];
    float *to[] = {plane};
    const float *from[] = {plane};

    shl_duplex_begin(device);
    shl_duplex_read(device, to, devices.frames);
    shl_duplex_write(device, from, devices.frames);
}

/* Of what is to be a ramp. */
static void count_breaks(const float *plane, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        bool goes_on = plane[i] >= heard.last + 1 && plane[i] <= heard.last + 1;
        if (heard.begun && !goes_on && heard.sounds)
            heard.breaks++;
        heard.begun = heard.begun || plane[i] > 0;
        heard.sounds = goes_on || !heard.begun;
        heard.last = plane[i];
    }
}

static void listen(const float *plane, uint64_t frame, uint64_t settle)
{
    count_breaks(plane, hosts.frames);
    int64_t both = shl_duplex_latency(host) + shl_duplex_latency(device);

    for (uint32_t i = 0; i < hosts.frames; i++) {
        if (frame + i < settle)
            continue;
        if (!(plane[i] > 0)) {
            heard.silent++;
            continue;
        }
        heard.delay = (int64_t)(frame + i) - llround((double)plane[i]);
        if (heard.delay == both)
            heard.exact++;
        else
            heard.other++;
    }
}

static void host_block(uint64_t settle)
{
    static float out[MOST], in[MOST];
    const float *from[] = {out};
    float *to[] = {in};

    for (uint32_t i = 0; i < hosts.frames; i++)
        out[i] = (float)(hosts.frame + i); /* whole below 2^24 */
    shl_duplex_begin(host);
    shl_duplex_write(host, from, hosts.frames);
    shl_duplex_read(host, to, hosts.frames);
    listen(in, hosts.frame, settle);
}

static void run(double until_s, uint64_t settle)
{
    arrange(&hosts);
    arrange(&devices);
    for (;;) {
        struct side *side = hosts.at_s <= devices.at_s ? &hosts : &devices;

        if (side->at_s >= until_s)
            return;
        now_ns = 1000000000u + (uint64_t)(side->at_s * 1e9);
        if (side == &hosts)
            host_block(settle);
        else
            device_block();
        side->frame += side->frames;
        arrange(side);
    }
}

static void set_sides(uint32_t of_host, uint32_t of_device, double jitter_s)
{
    hosts = (struct side){.frames = of_host, .jitter_s = jitter_s};
    devices = (struct side){
        .frames = of_device, .jitter_s = jitter_s, .start_s = chance() * 0.02};
}

/* shows DL-48 DL-59 */
static void the_way_there_and_back_is_exact(void **state)
{
    const uint32_t blocks[] = {64, 16, 512, 100};

    for (uint32_t n = 1; n <= 200; n++) {
        seed = n;
        set_sides(blocks[n % 4], blocks[n / 4 % 4], 0.003);
        open_both(0, n % 2 ? 0 : 1500);
        run(2, SETTLE);
        if (heard.other || heard.silent)
            print_error("seed %u: %lld frames late, stated %u + %u\n", n,
                        (long long)heard.delay, shl_duplex_latency(device),
                        shl_duplex_latency(host));
        assert_int_equal(heard.other, 0);
        assert_int_equal(heard.silent, 0);
        assert_true(heard.exact > RATE);
        close_both(state);
    }
}

/* Where one of them stands still for a while the other finds a new place. */
static void it_is_exact_again_after_a_pause(void **state)
{
    for (uint32_t n = 1; n <= 40; n++) {
        seed = n;
        set_sides(64, 64, 0.002);
        open_both(0, 0);
        (n % 2 ? &hosts : &devices)->stops_at_s = 1;
        (n % 2 ? &hosts : &devices)->stops_for_s = 0.5;
        run(8, 5 * RATE);
        assert_int_equal(heard.other, 0);
        assert_int_equal(heard.silent, 0);
        assert_true(heard.exact > RATE);
        close_both(state);
    }
}

/* The device's word is a word of a peer: whatever it is, there is sound, and no
 * place that the clocks contradict. */
static void a_lie_about_it_does_no_harm(void **state)
{
    const uint64_t lies[] = {1, UINT64_MAX, UINT64_MAX / 2, 1u << 20 | 1, 0};

    for (uint32_t n = 0; n < sizeof lies / sizeof *lies; n++) {
        seed = n;
        set_sides(64, 64, 0.001);
        open_both(0, 0);
        for (uint32_t k = 1; k <= 200; k++) {
            run(k * 0.01, RATE);
            atomic_store_explicit(&memory.to_device.heard, lies[n],
                                  memory_order_relaxed);
        }
        assert_true(heard.exact + heard.other > RATE / 2);
        assert_true(llabs(heard.delay - 960) < 240);
        close_both(state);
    }
}

static uint32_t bursts_of(uint32_t n)
{
    const uint32_t bursts[] = {64, 256, 512, 1024, 960, 2048};

    return bursts[n % 6];
}

static struct shl_stream_stats stats_of(const struct shl_duplex *duplex)
{
    struct shl_stream_stats stats;

    shl_stream_get_stats(duplex->reader, &stats);
    return stats;
}

/* Both, or one of them, compute several blocks at a time: the latency is what
 * that takes from the start, as stated, and no sound is lost. */
static void bursts_are_heard_without_a_break(void **state)
{
    for (uint32_t n = 0; n < 72; n++) {
        seed = n + 1;
        set_sides(64, 64, n % 2 ? 0.001 : 0);
        hosts.burst_frames = bursts_of(n / 2);
        devices.burst_frames = bursts_of(n / 12);
        open_both(0, 0);
        run(4, RATE);
        if (heard.breaks || heard.silent || heard.other)
            print_error("bursts of %u and %u: %llu breaks, %llu silent, %llu "
                        "elsewhere: %lld late, stated %u + %u\n",
                        hosts.burst_frames, devices.burst_frames,
                        (unsigned long long)heard.breaks,
                        (unsigned long long)heard.silent,
                        (unsigned long long)heard.other, (long long)heard.delay,
                        shl_duplex_latency(device), shl_duplex_latency(host));
        assert_int_equal(heard.breaks, 0);
        assert_int_equal(heard.silent, 0);
        assert_int_equal(heard.other, 0);
        assert_true(heard.exact > 2 * RATE);
        assert_true(shl_duplex_latency(device) >= hosts.burst_frames);
        assert_true(shl_duplex_latency(host) >= devices.burst_frames);
        assert_true(shl_duplex_latency(host) < 2 * devices.burst_frames + 600);
        close_both(state);
    }
}

/* What its program knows beforehand is right from the first block. */
static void expected_bursts_are_in_the_latency_at_once(void **state)
{
    set_sides(64, 64, 0);
    hosts.burst_frames = devices.burst_frames = 1024;
    expected_frames = 960;
    open_both(0, 0);
    expected_frames = 0;
    const uint32_t there = shl_duplex_latency(device);
    const uint32_t back = shl_duplex_latency(host);
    run(4, RATE);
    assert_int_equal(shl_duplex_latency(device), there);
    assert_int_equal(shl_duplex_latency(host), back);
    assert_int_equal(heard.breaks + heard.silent + heard.other, 0);
    close_both(state);
}

/* Bursts that grow while the link lasts: some sound is lost, then no more, and
 * nothing goes back and forth. */
static void growing_bursts_raise_the_latency_once(void **state)
{
    for (uint32_t n = 0; n < 48; n++) {
        seed = n + 1;
        set_sides(64, 64, 0.0005);
        open_both(0, 0);
        run(2, RATE);
        assert_int_equal(heard.breaks + heard.silent + heard.other, 0);
        if (n % 3 != 1)
            hosts.burst_frames = 1024;
        if (n % 3)
            devices.burst_frames = n % 2 ? 1024 : 512;
        run(6, 4 * RATE);
        if (heard.silent + heard.other >= RATE / 10 || heard.breaks > 6)
            print_error("%u: %llu breaks, %llu silent, %llu elsewhere: %lld, "
                        "stated %u + %u\n",
                        n, (unsigned long long)heard.breaks,
                        (unsigned long long)heard.silent,
                        (unsigned long long)heard.other, (long long)heard.delay,
                        shl_duplex_latency(device), shl_duplex_latency(host));
        /* what was nearly enough is raised when it once was not */
        assert_true(heard.silent + heard.other < RATE / 10);
        assert_true(heard.breaks <= 6);
        close_both(state);
    }
}

/* A latency that was asked for stays; what would do is known, and does. */
static void too_short_a_latency_stays_and_tells_what_would_do(void **state)
{
    set_sides(64, 64, 0);
    devices.burst_frames = 1024;
    open_both(480, 480);
    run(4, RATE);
    assert_int_equal(shl_duplex_latency(device), 480);
    assert_int_equal(shl_duplex_latency(host), 480);
    struct shl_stream_stats told = stats_of(host);
    assert_true(told.underruns > 50);
    assert_true(told.wanted_frames >= 1024 && told.wanted_frames < 2048);
    close_both(state);
    set_sides(64, 64, 0);
    devices.burst_frames = 1024;
    open_both(480, told.wanted_frames);
    run(4, RATE);
    assert_int_equal(heard.breaks + heard.silent + heard.other, 0);
    close_both(state);
}

/* Whoever is stopped computes what it has missed at once: no sample is heard
 * twice or late after it, and it is back within a second. */
static void a_stopped_program_that_catches_up_is_back_in_time(void **state)
{
    const double stops_s[] = {0.05, 0.1, 0.3, 2};

    for (uint32_t n = 0; n < 64; n++) {
        double stop_s = stops_s[n % 4];
        seed = n + 1;
        set_sides(64, 64, 0.001);
        hosts.burst_frames = devices.burst_frames = n & 8 ? 1024 : 240;
        struct side *stopped = n & 4 ? &hosts : &devices;
        stopped->stops_at_s = 2;
        stopped->stops_for_s = stop_s;
        stopped->catches_up = true;
        open_both(0, 0);
        run(6, (uint64_t)((2 + stop_s + 0.5) * RATE));
        if (heard.silent || heard.other || heard.breaks > 3)
            print_error("%u: %llu breaks, %llu silent, %llu elsewhere: %lld, "
                        "stated %u + %u\n",
                        n, (unsigned long long)heard.breaks,
                        (unsigned long long)heard.silent,
                        (unsigned long long)heard.other, (long long)heard.delay,
                        shl_duplex_latency(device), shl_duplex_latency(host));
        assert_int_equal(heard.silent + heard.other, 0);
        assert_true(heard.breaks <= 3);
        close_both(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_way_there_and_back_is_exact, close_both),
        cmocka_unit_test_teardown(it_is_exact_again_after_a_pause, close_both),
        cmocka_unit_test_teardown(a_lie_about_it_does_no_harm, close_both),
        cmocka_unit_test_teardown(bursts_are_heard_without_a_break, close_both),
        cmocka_unit_test_teardown(expected_bursts_are_in_the_latency_at_once,
                                  close_both),
        cmocka_unit_test_teardown(growing_bursts_raise_the_latency_once,
                                  close_both),
        cmocka_unit_test_teardown(
            too_short_a_latency_stays_and_tells_what_would_do, close_both),
        cmocka_unit_test_teardown(
            a_stopped_program_that_catches_up_is_back_in_time, close_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
