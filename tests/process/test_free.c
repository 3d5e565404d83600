/* SPDX-License-Identifier: MIT */
/* The free drive: each end at its own time. Here the sound: one clock, two clocks, two
 * rates. */
#include "free_drive.h"

#include "rate/samplerate.h"

#include <math.h>
#include <stdlib.h>

#define RESAMPLER rate_samplerate()

static struct shl_host_stream stream_now(void)
{
    struct shl_host_stream stream;
    assert_true(shl_host_get_stream(host, &stream));
    return stream;
}

/* ---- one clock: every bit -------------------------------------------------------- */

/* A ramp of whole numbers, exact in a float, another one per channel. */
static float ramp(uint64_t frame, uint32_t channel)
{
    return (float)((frame + 1000u * channel) % 8000000u + 1);
}

static uint64_t compared, wrong;

static void ramp_through(uint64_t frame, uint32_t frames, int heard)
{
    uint32_t latency = shl_host_link_latency(host);

    for (uint32_t c = 0; c < 2; c++)
        for (uint32_t i = 0; i < frames; i++) {
            uint64_t n = frame + i;
            if (heard < 0) {
                in_memory[c][i] = ramp(n, c);
                continue;
            }
            float want = n < latency ? 0 : ramp(n - latency, c);
            wrong += out_memory[c][i] < want || out_memory[c][i] > want;
            compared += n >= latency;
        }
}

static void echo(void)
{
    for (uint32_t c = 0; c < 2; c++)
        memcpy(block.out[c], block.in[c], block.frames * sizeof(float));
}

static void expect_every_bit(uint32_t host_frames, uint32_t device_frames,
                             double device_start_s, uint32_t latency)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();

    of_host.block_frames = host_frames;
    of_host.latency_frames = latency;
    of_device.block_frames = device_frames;
    link_own(of_host, of_device);
    devices.start_s = device_start_s;
    on_host = ramp_through;
    on_device = echo;
    compared = wrong = 0;
    run(5);
    if (wrong)
        fail_msg("blocks of %u and %u: %llu samples wrong of %llu", host_frames,
                 device_frames, (unsigned long long)wrong,
                 (unsigned long long)compared);
    assert_true(compared > 2 * 4 * 48000);
    assert_string_equal(stream_now().mode, "copy");
    assert_int_equal(stats_now().missed, 0);
    assert_int_equal(shl_host_drive(host), SHL_DRIVE_FREE);
    close_all(NULL);
}

/* shows DL-49 */
static void two_roles_on_one_clock_are_bit_exact(void **state)
{
    (void)state;
    /* host first, device first */
    expect_every_bit(64, 64, 0, 0);
    expect_every_bit(64, 64, -64 / 48000.0, 0);
    expect_every_bit(64, 64, 0, 64);
    expect_every_bit(64, 64, 0, 1000);
    expect_every_bit(64, 512, 0, 0);
    expect_every_bit(512, 64, 0, 0);
    expect_every_bit(64, 48, 16 / 48000.0, 0);
    expect_every_bit(1, 64, 0, 0);
    expect_every_bit(4096, 64, 0, 0);
}

/* One side stands still for a while: at once the latency is what is stated, as
 * the clock cannot have been late. */
static void an_exact_clock_is_followed_over_a_pause(void **state)
{
    struct shl_host_options of_host = host_usual();

    (void)state;
    of_host.clock_exact = 1;
    of_host.resampler = RESAMPLER;
    link_own(of_host, device_usual());
    on_host = ramp_through;
    on_device = echo;
    for (int pause = 0; pause < 6; pause++) {
        run(pause + 0.5);
        /* 20 ms, 40 ms, ... of one and of the other */
        *(pause % 2 ? &devices.start_s : &hosts.start_s) += 0.02 * (pause + 1);
        run(pause + 0.8);
        compared = wrong = 0;
        run(pause + 1.0);
        assert_true(compared > 2 * 9000);
        assert_int_equal(wrong, 0);
    }
}

static void latency_is_both_directions(void **state)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();

    (void)state;
    of_host.latency_frames = 700;
    of_device.latency_frames = 17;
    link_own(of_host, of_device);
    assert_int_equal(shl_host_link_latency(host), 1400);
    assert_int_equal(shl_host_latency(host), 1417);
    close_all(NULL);
    /* by the blocks: twice the larger, at least 10 ms */
    link_own(host_usual(), device_usual());
    assert_int_equal(shl_host_link_latency(host), 960);
    close_all(NULL);
    of_host.latency_frames = 0;
    of_device.block_frames = 1024;
    link_own(of_host, of_device);
    assert_int_equal(shl_host_link_latency(host), 4096);
}

/* A rendering has no other time than its own: nothing waits, and the same
 * blocks come out each time. */
static void a_rendering_in_one_process_begins_at_once(void **state)
{
    struct shl_host_options of_host = host_usual();

    (void)state;
    of_host.batch = 1;
    for (int round = 0; round < 3; round++) {
        open_both(of_host, device_usual());
        host_block(); /* not accepted yet */
        device_block();
        assert_int_equal(shl_host_linked(host), 1);
        on_host = ramp_through;
        on_device = echo;
        compared = wrong = 0;
        hosts.start_s = due_s(&hosts);
        hosts.frame = 0; /* what it sends first */
        run(1);
        assert_int_equal(stats_now().blocks, hosts.frame / 64);
        shl_host_poll(host);
        assert_int_equal(shl_host_linked(host), 2);
        assert_int_equal(stats_now().missed, 0);
        assert_int_equal(wrong, 0);
        close_all(NULL);
    }
}

/* ---- two clocks -------------------------------------------------------------------- */

static void drift(double ppm, double seconds, const char *mode)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();

    of_host.resampler = of_device.resampler = RESAMPLER;
    link_own(of_host, of_device);
    devices.rate_hz = 48000 * (1 + ppm * 1e-6);
    on_device = echo;
    run(15);
    uint64_t missed = stats_now().missed;
    run(seconds);
    struct shl_host_stream stream = stream_now();
    assert_string_equal(stream.mode, mode);
    assert_true(fabs(stream.drift_ppm - ppm) < 1.0);
    assert_true(fabs(stream.off_frames) < 1.0);
    assert_int_equal(stats_now().missed, missed);
    struct shl_device_stats of_device_stats;
    shl_device_get_stats(device, &of_device_stats);
    assert_int_equal(of_device_stats.missed, 0);
    close_all(NULL);
}

static void two_clocks_are_followed(void **state)
{
    double seconds = getenv("SHL_SOAK") ? 600 : 45;

    (void)state;
    if (!RESAMPLER)
        skip();
    drift(300, seconds, "steered");
    drift(-300, seconds, "steered");
}

static void without_a_resampler_frames_are_dropped_and_doubled(void **state)
{
    struct shl_host_stream stream;

    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        link_own(host_usual(), device_usual());
        devices.rate_hz = 48000 * (1 + sign * 300e-6);
        run(30);
        stream = stream_now();
        assert_string_equal(stream.mode, "corrected");
        assert_true((sign > 0 ? stream.dropped : stream.doubled) > 100);
        assert_int_equal(stats_now().missed, 0);
        close_all(NULL);
    }
}

/* ---- two rates -------------------------------------------------------------------- */

static void expect_refused(struct shl_host_options of_host,
                           struct shl_device_options of_device,
                           const char *words)
{
    struct shl_why why;
    char text[256];

    assert_int_equal(shl_device_open(&of_device, &device, &why), SHL_OK);
    new_host(of_host);
    assert_int_equal(shl_host_open(host, of_device.id, 0), SHL_WRONG_RATE);
    shl_host_why(host, text, sizeof text);
    assert_non_null(strstr(text, "44100"));
    assert_non_null(strstr(text, "48000"));
    if (!strstr(text, words))
        fail_msg("\"%s\" does not say %s", text, words);
    assert_int_equal(shl_host_linked(host), 0);
    close_all(NULL);
}

/* shows DL-16 */
static void another_rate_is_refused_with_both_numbers(void **state)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();

    (void)state;
    of_device.rate_hz = 44100;
    of_host.resampler = RESAMPLER;
    expect_refused(of_host, of_device, "-resample");
    of_host.resample = 1;
    of_host.resampler = NULL;
    expect_refused(of_host, of_device, "libsamplerate");
}

/* The device hears the host, too, and has no resampler for it. */
static void a_device_that_cannot_resample_says_so(void **state)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();
    char text[256];

    (void)state;
    if (!RESAMPLER)
        skip();
    of_device.rate_hz = 44100;
    of_host.resampler = RESAMPLER;
    of_host.resample = 1;
    open_both(of_host, of_device);
    for (int i = 0; i < 3; i++) {
        device_block();
        shl_host_poll(host);
    }
    assert_int_equal(shl_host_linked(host), 0);
    shl_host_why(host, text, sizeof text);
    assert_non_null(strstr(text, "44100"));
    assert_non_null(strstr(text, "48000"));
    assert_non_null(strstr(text, "no resampler"));
    close_all(NULL);
    /* one without inputs needs none */
    of_device.in_channels = 0;
    link_own(of_host, of_device);
    assert_string_equal(stream_now().mode, "convert");
}

static void sine_through(uint64_t frame, uint32_t frames, int heard)
{
    for (uint32_t i = 0; i < frames; i++) {
        float x = (float)sin(6.283185307179586 * 1000 * (double)(frame + i) /
                             hosts.rate_hz);
        if (heard < 0)
            in_memory[0][i] = in_memory[1][i] = x;
    }
}

static void two_rates_are_converted_at_the_stated_latency(void **state)
{
    static const double rates[][2] = {
        {48000, 44100}, {44100, 48000}, {48000, 96000}};
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();

    (void)state;
    if (!RESAMPLER)
        skip();
    of_host.resampler = of_device.resampler = RESAMPLER;
    of_host.resample = 1;
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        of_host.rate_hz = rates[r][0];
        of_device.rate_hz = rates[r][1];
        link_own(of_host, of_device);
        on_host = sine_through;
        on_device = echo;
        run(3);
        assert_string_equal(stream_now().mode, "convert");
        assert_int_equal(stats_now().missed, 0);
        /* the last block against the sine, so many frames before */
        double worst = 0;
        uint64_t first = hosts.frame - hosts.frames;
        for (uint32_t i = 0; i < hosts.frames; i++) {
            double n = (double)(first + i) - shl_host_link_latency(host);
            double want = sin(6.283185307179586 * 1000 * n / of_host.rate_hz);
            double off = fabs(want - (double)out_memory[0][i]);
            worst = off > worst ? off : worst;
        }
        /* less than a frame off: a frame of 1 kHz is 0.13 */
        if (worst > 0.13)
            fail_msg("%g Hz to %g Hz and back: off by %g", rates[r][0],
                     rates[r][1], worst);
        close_all(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_roles_on_one_clock_are_bit_exact),
        TEST(an_exact_clock_is_followed_over_a_pause),
        TEST(latency_is_both_directions),
        TEST(a_rendering_in_one_process_begins_at_once),
        TEST(two_clocks_are_followed),
        TEST(without_a_resampler_frames_are_dropped_and_doubled),
        TEST(another_rate_is_refused_with_both_numbers),
        TEST(a_device_that_cannot_resample_says_so),
        TEST(two_rates_are_converted_at_the_stated_latency),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
