/* SPDX-License-Identifier: MIT */
/* The free drive: a host and a device that each run by their own clock, and
 * both clocks are virtual. Of two processes one is real, see the last part. */
#include "hosting.h"

#include "child.h"
#include "core/shm/segment.h"
#include "rate/samplerate.h"
#include "shmlink/device.h"
#include "shmlink/midi.h"

#include <cmocka.h> /* the rule that links looks for it here */
#include <math.h>
#include <stdlib.h>

#define RESAMPLER rate_samplerate()

#define TEST(name) cmocka_unit_test_setup_teardown(name, NULL, close_all)

/* ---- two ends and their clocks -------------------------------------------------- */

static shl_device *device;
static struct shl_block block;
static uint64_t now_ns;
static float silence[SHL_MAX_FRAMES];

static uint64_t virtual_clock(void)
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

static double due_s(const struct side *side)
{
    return side->start_s + (double)side->frame / side->rate_hz;
}

static void host_block(void)
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

static void device_block(void)
{
    now_ns = (uint64_t)(1e9 + due_s(&devices) * 1e9);
    devices.frame += devices.frames;
    assert_int_equal(shl_device_begin(device, devices.frames, &block), SHL_OK);
    if (on_device)
        on_device();
    shl_device_done(device);
}

/* Both, each when it is due; the host first when both are. */
static void run(double until_s)
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

static struct shl_device_options device_usual(void)
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

static struct shl_host_options host_usual(void)
{
    return (struct shl_host_options){.in_channels = 2,
                                     .out_channels = 2,
                                     .rate_hz = 48000,
                                     .block_frames = 64,
                                     .clock_ns = virtual_clock};
}

static void open_both(struct shl_host_options of_host,
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
static void accept_host(void)
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

static void link_own(struct shl_host_options of_host,
                     struct shl_device_options of_device)
{
    open_both(of_host, of_device);
    accept_host();
}

static int close_all(void **state)
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

/* ---- events ---------------------------------------------------------------------- */

/* A note on becomes one sample on all outputs. */
static void click(void)
{
    struct shl_event event;

    for (uint32_t c = 0; c < 2; c++)
        memset(block.out[c], 0, block.frames * sizeof(float));
    while (shl_device_event(device, &event)) {
        assert_in_range(event.frame, block.frame,
                        block.frame + block.frames - 1);
        if (event.data[0] >> 20 == 0x209)
            block.out[0][event.frame - block.frame] =
                (float)(event.data[0] & 127);
        shl_device_send(device, &event);
    }
}

#define EVERY 177u

static uint64_t clicks, echoes;

/* A note every 177 frames, with its number; its click must come exactly the
 * latency later, and its echo with the click. */
static void clicks_through(uint64_t frame, uint32_t frames, int heard)
{
    uint32_t latency = shl_host_link_latency(host), offset;
    struct shl_event event;

    if (heard < 0) {
        for (uint64_t n = frame; n < frame + frames; n++)
            if (n % EVERY == 0)
                send_midi(0x90, 60, (uint8_t)(n / EVERY % 126 + 1),
                          (uint32_t)(n - frame));
        return;
    }
    for (uint64_t n = frame; n < frame + frames; n++) {
        uint64_t sent = n - latency;
        bool here = n >= latency && sent % EVERY == 0;
        float want = here ? (float)(sent / EVERY % 126 + 1) : 0;
        if (out_memory[0][n - frame] < want || out_memory[0][n - frame] > want)
            fail_msg("frame %llu is %g, not %g", (unsigned long long)n,
                     (double)out_memory[0][n - frame], (double)want);
        clicks += here;
    }
    while (shl_host_event(host, &event, &offset)) {
        uint64_t sent = frame + offset - latency;
        assert_int_equal(sent % EVERY, 0);
        assert_int_equal(event.data[0] & 127, sent / EVERY % 126 + 1);
        echoes++;
    }
}

static void expect_exact_events(uint32_t host_frames, uint32_t device_frames,
                                uint32_t device_ins)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();

    of_host.block_frames = host_frames;
    of_device.block_frames = device_frames;
    of_device.in_channels = device_ins;
    link_own(of_host, of_device);
    on_host = clicks_through;
    on_device = click;
    clicks = echoes = 0;
    run(3);
    assert_true(clicks > 700);
    assert_int_equal(echoes, clicks);
    close_all(NULL);
}

static void events_and_the_audio_of_a_frame_stay_together(void **state)
{
    (void)state;
    expect_exact_events(64, 64, 2);
    expect_exact_events(64, 512, 0);
    expect_exact_events(480, 64, 0);
    expect_exact_events(64, 100, 2);
}

static uint64_t last_heard, bad_spacing;

static void send_each_10_ms(uint64_t frame, uint32_t frames, int heard)
{
    for (uint64_t n = frame; n < frame + frames && heard < 0; n++)
        if (n % 480 == 0)
            send_midi(0x90, 60, 100, (uint32_t)(n - frame));
}

/* Once it is clear that there are two clocks. */
static void look_at_spacing(void)
{
    struct shl_event event;

    while (shl_device_event(device, &event)) {
        uint64_t spacing = event.frame - last_heard;
        if (clicks++ && event.frame > 8 * 48000)
            bad_spacing += spacing < 479 || spacing > 481;
        last_heard = event.frame;
    }
}

/* No channel goes to the device, and none need be resampled: its events follow
 * the other clock all the same, at worst a frame beside their place. */
static void events_follow_another_clock(void **state)
{
    struct shl_device_options of_device = device_usual();

    (void)state;
    of_device.in_channels = 0;
    link_own(host_usual(), of_device);
    devices.rate_hz = 48000 * (1 + 300e-6);
    on_host = send_each_10_ms;
    on_device = look_at_spacing;
    clicks = bad_spacing = 0;
    run(20);
    assert_in_range(clicks, 1990, 2000);
    assert_int_equal(bad_spacing, 0);
}

static uint32_t unsounded;

static void count_events(void)
{
    struct shl_event event;
    while (shl_device_event(device, &event))
        unsounded++;
}

/* The host's audio is off: nothing tells the time, so what it sends is due. */
static void events_without_audio_are_not_kept_for_ever(void **state)
{
    (void)state;
    link_own(host_usual(), device_usual());
    on_device = count_events;
    run(0.1);
    send_midi(0x90, 60, 100, 0);
    unsounded = 0;
    for (int i = 0; i < LIMIT_MS && !unsounded; i++) {
        shl_host_poll(host);
        device_block();
        usleep(1000);
    }
    assert_int_equal(unsounded, 1);
}

static void a_full_ring_is_counted(void **state)
{
    struct shl_event event = shl_event_midi(0, 0, 0x90, 60, 100);

    (void)state;
    link_own(host_usual(), device_usual());
    run(0.1);
    for (int i = 0; i < 5000; i++)
        shl_host_send(host, &event, 0);
    assert_int_equal(stats_now().events_dropped, 5000 - 4095);
    on_device = count_events;
    unsounded = 0;
    run(0.2);
    assert_int_equal(unsounded, 4095);
    /* and the transport found its way through behind them */
    assert_int_equal(stats_now().events_dropped, 5000 - 4095);
}

/* ---- transport -------------------------------------------------------------------- */

static int64_t change_delay;
static double worst_beats;
static uint64_t moved_blocks;
static double expected_beats(double seconds);

/* What the device sees at its first frame is what the host had there. */
static void see_transport(void)
{
    double there_s =
        (double)devices.frame / 48000 - 64 / 48000.0 - 480 / 48000.0;
    struct shl_transport t = block.transport;
    double off = fabs(t.beats - expected_beats(there_s));

    if (there_s < 0.1)
        return;
    assert_true(t.tempo > 0 && t.numerator >= 3);
    /* a change in the midst of a block is seen in the next */
    if (fabs(there_s - 1) < 0.003 || fabs(there_s - 2) < 0.003 ||
        fabs(there_s - 3) < 0.003)
        return;
    worst_beats = off > worst_beats ? off : worst_beats;
    moved_blocks += t.playing;
}

/* 0 to 1 s stopped, to 2 s at 120, to 3 s at 90 from beat 10, then stopped. */
static double expected_beats(double seconds)
{
    if (seconds < 1)
        return 0;
    if (seconds < 2)
        return (seconds - 1) * 2;
    if (seconds < 3)
        return 10 + (seconds - 2) * 1.5;
    return 11.5;
}

static void conduct(uint64_t frame, uint32_t frames, int heard)
{
    struct shl_transport *t = shl_host_transport(host);

    (void)frames;
    if (heard >= 0)
        return;
    /* an event late in the block: the news of the transport comes behind it */
    if (frame % 48000 == 0 && frame)
        send_midi(0x90, 60, 100, 40);
    if (frame == 48000)
        t->playing = 1;
    if (frame == 96000) {
        shl_transport_locate(t, 10);
        t->tempo = 90;
        t->numerator = 3;
    }
    if (frame == 144000)
        t->playing = 0;
}

/* shows MP-26 */
static void the_transport_is_exact_and_whole(void **state)
{
    (void)state;
    link_own(host_usual(), device_usual());
    on_host = conduct;
    on_device = see_transport;
    worst_beats = 0;
    moved_blocks = 0;
    run(4);
    if (worst_beats > 1e-6)
        fail_msg("off by %g beats", worst_beats);
    assert_in_range(moved_blocks, 1490, 1500);
    assert_int_equal(block.transport.numerator, 3);
    assert_false(block.transport.playing);
}

/* The transport by the host's frame, as the device saw it. */
static struct shl_transport seen[24000];

static void see_each_sample(void)
{
    struct shl_event event;
    int64_t first = (int64_t)devices.frame - devices.frames - change_delay;
    struct shl_transport now = block.transport;
    uint32_t at = 0;

    for (;;) {
        int more = shl_device_event(device, &event);
        uint32_t end = block.frames;
        if (more && event.kind != SHL_EVENT_PLAYHEAD)
            continue;
        if (more)
            end = (uint32_t)(event.frame - block.frame);
        for (; at < end; at++) {
            if (first + at >= 0 && first + at < 24000)
                seen[first + at] = now;
            shl_transport_advance(&now, 1);
        }
        if (!more)
            return;
        now = shl_device_transport(device);
    }
}

/* At every place of a block of either side, its first sample too. */
static uint64_t change_place(uint32_t n)
{
    return 4800 + n * 641;
}

static void change_some(uint64_t frame, uint32_t frames, int heard)
{
    for (uint32_t n = 0; n < 24 && heard < 0; n++) {
        if (change_place(n) < frame || change_place(n) >= frame + frames)
            continue;
        uint32_t offset = (uint32_t)(change_place(n) - frame);
        struct shl_transport now = shl_host_transport_at(host, offset);
        now.playing = 1;
        now.tempo = 100 + n;
        shl_transport_locate(&now, n);
        shl_host_transport_event(host, &now, offset);
    }
}

static void changes_at_their_sample(uint32_t of_host, uint32_t of_device)
{
    struct shl_host_options options = host_usual();
    struct shl_device_options device_options = device_usual();

    options.block_frames = of_host;
    options.latency_frames = 2048;
    device_options.block_frames = of_device;
    link_own(options, device_options);
    on_host = change_some;
    on_device = see_each_sample;
    change_delay = 2048;
    memset(seen, 0, sizeof seen);
    run(0.45);
    for (uint32_t n = 0; n < 23; n++)
        for (uint64_t i = change_place(n); i < change_place(n + 1); i++) {
            double beats =
                n + (double)(i - change_place(n)) * (100 + n) / 2880000;
            if (fabs(seen[i].tempo - 100 - n) > 0 ||
                fabs(seen[i].beats - beats) > 1e-6)
                fail_msg("%u and %u, change %u, frame %u after it: tempo %g, "
                         "beat %g, not %g",
                         of_host, of_device, n, (unsigned)(i - change_place(n)),
                         seen[i].tempo, seen[i].beats, beats);
        }
    close_all(NULL);
}

static void changes_take_effect_at_their_sample(void **state)
{
    (void)state;
    changes_at_their_sample(64, 64);
    changes_at_their_sample(64, 512);
    changes_at_their_sample(512, 64);
    changes_at_their_sample(64, 1);
    changes_at_their_sample(1, 64);
    changes_at_their_sample(641, 641);
}

/* ---- claims ------------------------------------------------------------------------ */

static uint32_t offs;

static void count_offs(void)
{
    struct shl_event event;
    while (shl_device_event(device, &event))
        offs += event.data[0] >> 20 == 0x208;
}

/* shows DL-51 */
static void what_a_host_left_sounding_ends(void **state)
{
    (void)state;
    link_own(host_usual(), device_usual());
    on_device = count_offs;
    send_midi(0x90, 60, 100, 0);
    send_midi(0x90, 64, 100, 0);
    run(0.5);
    offs = 0;
    shl_host_close(host);
    device_block();
    assert_int_equal(offs, 2);
    assert_int_equal(block.frames, 64);
    device_block();
    assert_int_equal(offs, 2);
    /* alone again, by its own count, and with nothing to hear */
    assert_true(block.frame < 24000);
    assert_memory_equal(block.in[0], silence, 64 * sizeof(float));
    assert_false(shl_device_claimed(device, &(struct shl_host_info){0}));
}

static float loudest, says;

static void listen(void)
{
    for (uint32_t i = 0; i < block.frames; i++) {
        float x = fabsf(block.in[0][i]);
        loudest = x > loudest ? x : loudest;
        block.out[0][i] = block.out[1][i] = says;
    }
}

static void nothing_old_is_heard_by_the_next_host(void **state)
{
    (void)state;
    link_own(host_usual(), device_usual());
    on_device = listen;
    says = 7;
    for (uint32_t i = 0; i < 64; i++)
        in_memory[0][i] = 1;
    run(0.5);
    assert_true(loudest >= 1);
    shl_host_close(host);
    memset(in_memory, 0, sizeof in_memory);
    on_device = NULL;
    device_block();
    assert_int_equal(shl_host_open(host, "Free", 0), SHL_OK);
    on_device = listen;
    loudest = says = 0;
    /* it has accepted, and the host has not noticed yet */
    for (int i = 0; i < LIMIT_MS && !block.fresh; i++) {
        device_block();
        usleep(1000);
    }
    for (int i = 0; i < 20; i++)
        device_block();
    assert_true(loudest <= 0);
    on_device = NULL;
    accept_host();
    on_device = listen;
    says = 7;
    hosts.frame = devices.frame; /* the device has gone on alone */
    for (int i = 0; i < 400; i++) {
        host_block();
        for (uint32_t n = 0; n < 64 && i < 7; n++)
            assert_true(out_memory[0][n] < 7 || i > 6);
        device_block();
    }
    assert_true(loudest <= 0);
    assert_true(block.fresh == 0 && block.frame > 0);
}

static void a_device_of_both_kinds_can_tell(void **state)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();
    struct shl_host_info info;
    float *planes[2] = {out_memory[0], out_memory[1]};

    (void)state;
    of_device.drives = SHL_DRIVE_FREE | SHL_DRIVE_PIPELINED;
    of_host.clock_ns = NULL;
    of_host.drive = SHL_DRIVE_PIPELINED;
    open_both(of_host, of_device);
    /* asked in its own time it hears that it is waited for */
    shl_status st = SHL_OK;
    for (int i = 0; i < LIMIT_MS && st == SHL_OK; i++) {
        st = shl_device_begin(device, 64, &block);
        usleep(1000);
    }
    assert_int_equal(st, SHL_WRONG_DRIVE);
    assert_true(shl_device_claimed(device, &info));
    assert_int_equal(info.drive, SHL_DRIVE_PIPELINED);
    shl_host_poll(host);
    shl_host_process(host, in, planes, 64);
    assert_int_equal(shl_device_wait(device, LIMIT_MS, &block), SHL_OK);
    shl_device_done(device);
    shl_host_free(host);
    /* and the other way round */
    of_host.drive = SHL_DRIVE_FREE;
    new_host(of_host);
    assert_int_equal(shl_host_open(host, "Free", 0), SHL_OK);
    for (int i = 0; i < LIMIT_MS && st != SHL_OK; i++) {
        st = shl_device_wait(device, 5, &block);
        if (st == SHL_WRONG_DRIVE)
            break;
    }
    assert_int_equal(st, SHL_WRONG_DRIVE);
    assert_int_equal(shl_device_begin(device, 64, &block), SHL_OK);
    assert_true(shl_device_claimed(device, &info));
    assert_int_equal(info.drive, SHL_DRIVE_FREE);
}

static void a_device_alone_goes_on(void **state)
{
    struct shl_device_options of_device = device_usual();

    (void)state;
    assert_int_equal(shl_device_open(&of_device, &device, NULL), SHL_OK);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(shl_device_begin(device, 32, &block), SHL_OK);
        assert_int_equal(block.frame, 32 * i);
        assert_int_equal(block.frames, 32);
        assert_memory_equal(block.in[1], silence, 32 * sizeof(float));
        shl_device_done(device);
    }
    assert_int_equal(shl_device_begin(device, 0, &block), SHL_WRONG_BLOCK);
    assert_int_equal(shl_device_begin(device, 4097, &block), SHL_WRONG_BLOCK);
    assert_int_equal(shl_device_wait(device, 0, &block), SHL_TIMEOUT);
}

static void options_that_cannot_be_are_refused(void **state)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();
    struct shl_why why = {""};
    shl_host *none;

    (void)state;
    of_host.drive = 3;
    assert_int_equal(shl_host_new(&of_host, &none), SHL_WRONG_DRIVE);
    of_host.drive = 8;
    assert_int_equal(shl_host_new(&of_host, &none), SHL_WRONG_DRIVE);
    of_host.drive = SHL_DRIVE_FREE;
    of_host.latency_frames = 20000;
    assert_int_equal(shl_host_new(&of_host, &none), SHL_BAD_VALUE);
    of_device.rate_hz = 100;
    assert_int_equal(shl_device_open(&of_device, &device, &why),
                     SHL_WRONG_RATE);
    assert_non_null(strstr(why.text, "1000"));
}

/* The device reads no clock of this process's own, and is told of one. */
static void a_clock_that_only_one_has_is_refused(void **state)
{
    struct shl_device_options of_device = device_usual();

    (void)state;
    of_device.clock_ns = NULL;
    open_both(host_usual(), of_device);
    device_block();
    shl_host_poll(host);
    assert_int_equal(shl_host_linked(host), 0);
}

static void write_claim(const struct shl_claim *claim)
{
    struct shl_device_info info;
    struct shl_segment segment;
    shl_registry *registry;

    assert_int_equal(shl_registry_open(NULL, &registry, NULL), SHL_OK);
    assert_int_equal(shl_registry_find(registry, "Free:0", &info), SHL_OK);
    shl_registry_close(registry);
    assert_int_equal(shl_segment_open(info.segment, &segment, NULL), SHL_OK);
    assert_int_equal(shl_segment_claim(&segment), SHL_OK);
    shl_segment_claim_write(&segment, claim);
    assert_int_equal(shl_device_begin(device, 64, &block), SHL_OK);
    shl_device_done(device);
    assert_int_equal(atomic_load(&segment.lines->device.refused),
                     atomic_load(&segment.claim->epoch));
    assert_int_equal(atomic_load(&segment.lines->device.refusal),
                     SHL_WRONG_DRIVE);
    shl_segment_release(&segment);
    shl_segment_close(&segment);
}

/* A host of another process cannot read our clock, and must not have our audio
 * thread make what it needs. */
static void a_clock_of_another_process_is_refused(void **state)
{
    struct shl_device_options of_device = device_usual();
    struct shl_claim claim = {.drive = SHL_DRIVE_FREE,
                              .mode = SHL_MODE_BOTH,
                              .pid = 1,
                              .rate_hz = 48000,
                              .block_frames = 64,
                              .in_channels = 2,
                              .out_channels = 2,
                              .flags = SHL_CLAIM_OWN_CLOCK};

    (void)state;
    assert_int_equal(shl_device_open(&of_device, &device, NULL), SHL_OK);
    write_claim(&claim);
    claim.flags |= SHL_CLAIM_RENDERS;
    write_claim(&claim);
}

/* More latency than the ring holds with these blocks. */
static void a_latency_beyond_the_ring_is_refused(void **state)
{
    struct shl_host_options of_host = host_usual();

    (void)state;
    of_host.latency_frames = 16000;
    open_both(of_host, device_usual());
    for (int i = 0; i < LIMIT_MS && shl_host_linked(host); i++) {
        device_block();
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0);
    assert_true(shl_host_notice(host, &notice));
    assert_int_equal(notice.status, SHL_BAD_VALUE);
}

/* ---- memory -------------------------------------------------------------------------- */

static int streams_without_space(void *arg)
{
    struct shl_host_options of_host = {.out_channels = 2,
                                       .rate_hz = 48000,
                                       .block_frames = 64,
                                       .clock_ns = virtual_clock};
    struct shl_device_options of_device = device_usual();
    char text[256];

    (void)arg;
    of_device.out_channels = 32;
    of_device.in_channels = 32;
    of_host.out_channels = 32;
    if (!child_own_shm(2600))
        return CHILD_SKIP;
    CHILD_CHECK(shl_device_open(&of_device, &device, NULL) == SHL_OK);
    CHILD_CHECK(shl_host_new(&of_host, &host) == SHL_OK);
    CHILD_CHECK(shl_host_open(host, "Free", 0) == SHL_OK);
    for (int i = 0; i < LIMIT_MS && shl_host_linked(host); i++) {
        CHILD_CHECK(shl_device_begin(device, 64, &block) == SHL_OK);
        shl_device_done(device);
        shl_host_poll(host);
        usleep(1000);
    }
    CHILD_CHECK(!shl_host_linked(host));
    shl_host_why(host, text, sizeof text);
    CHILD_CHECK(strstr(text, "shared memory is full"));
    /* it is still a device: fewer channels find room */
    shl_host_free(host);
    of_host.out_channels = 1;
    CHILD_CHECK(shl_host_new(&of_host, &host) == SHL_OK);
    CHILD_CHECK(shl_host_open(host, "Free", 0) == SHL_OK);
    for (int i = 0; i < LIMIT_MS && shl_host_linked(host) < 2; i++) {
        CHILD_CHECK(shl_device_begin(device, 64, &block) == SHL_OK);
        shl_device_done(device);
        shl_host_poll(host);
        usleep(1000);
    }
    CHILD_CHECK(shl_host_linked(host) == 2);
    shl_host_free(host);
    shl_device_close(device);
    return 0;
}

/* shows DL-55 */
static void full_memory_refuses_the_drive_and_nothing_else(void **state)
{
    int result = child_run(streams_without_space, NULL);

    (void)state;
    if (result == CHILD_SKIP)
        skip();
    assert_int_equal(result, 0);
}

/* ---- two processes -------------------------------------------------------------------- */

static struct peer_wish own_time(void)
{
    return (struct peer_wish){.drives = SHL_DRIVE_FREE};
}

/* A host that plays by the system's clock, until something has come to pass. */
static bool play_until(bool (*passed)(void))
{
    uint64_t due_ns = shl_clock_ns();

    for (int i = 0; i < LIMIT_MS; i++) {
        play(1, 64);
        shl_host_poll(host);
        if (passed())
            return true;
        due_ns += 1333333;
        while (shl_clock_ns() < due_ns)
            usleep(200);
    }
    return false;
}

static bool sounds(void)
{
    return constant(1, 64);
}

static bool is_silent(void)
{
    return constant(0, 64);
}

static enum shl_notice_kind wanted_notice;

static bool told(void)
{
    while (shl_host_notice(host, &notice))
        if (notice.kind == wanted_notice)
            return true;
    return false;
}

static bool tells(enum shl_notice_kind kind)
{
    wanted_notice = kind;
    return play_until(told);
}

/* The device offers nothing else, and so gets it unasked. */
static void a_device_that_dies_is_gone_and_comes_back(void **state)
{
    (void)state;
    link_both(usual(), own_time());
    assert_int_equal(shl_host_drive(host), SHL_DRIVE_FREE);
    for (int round = 0; round < 2; round++) {
        assert_true(play_until(sounds));
        peer_kill(peer);
        assert_true(play_until(is_silent));
        assert_true(tells(SHL_NOTICE_GONE));
        peer_free(peer);
        new_peer(own_time());
        assert_true(tells(SHL_NOTICE_OPEN));
    }
    assert_true(play_until(sounds));
    assert_int_equal(stats_now().links, 3);
}

static void a_device_that_hangs_costs_no_time(void **state)
{
    char why[256];

    (void)state;
    link_both(usual(), own_time());
    assert_true(play_until(sounds));
    peer_stop(peer);
    assert_true(play_until(is_silent));
    assert_true(tells(SHL_NOTICE_STALLED));
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "stopped"));
    uint64_t began_ns = shl_clock_ns();
    for (int i = 0; i < 1000; i++)
        play(1, 64);
    /* it waits for nothing: 1000 deadlines would be a thousand seconds */
    assert_true(shl_clock_ns() - began_ns < 500000000000u);
    assert_true(stats_now().missed >= 1000);
    peer_continue(peer);
    assert_true(tells(SHL_NOTICE_RESUMED));
    assert_true(play_until(sounds));
}

/* Whatever it writes over lines, rings and claim: the host goes on. */
static void a_liar_cannot_crash_its_host(void **state)
{
    struct shl_event event;
    uint32_t offset;
    (void)state;
    new_peer((struct peer_wish){
        .kind = PEER_LIAR, .drives = SHL_DRIVE_FREE, .seed = 7});
    new_host(usual());
    shl_host_open(host, "Peer", 0);
    for (int i = 0; i < 20000; i++) {
        event = shl_event_midi(0, 0, 0x90, 60, 100);
        shl_host_send(host, &event, 0);
        play(1, 64);
        while (shl_host_event(host, &event, &offset))
            assert_in_range(offset, 0, 63);
        assert_true(shl_host_link_latency(host) < 2 * SHL_STREAM_FRAMES);
        if (i % 16 == 0)
            shl_host_poll(host);
    }
    assert_true(stats_now().links > 0);
}

static bool released(void)
{
    return atomic_load(&peer_report(peer)->offs) > 0;
}

static int play_and_die(void *arg)
{
    (void)arg;
    new_host(usual());
    CHILD_CHECK(shl_host_open(host, "Peer", LIMIT_MS) == SHL_OK);
    for (int i = 0; i < LIMIT_MS && atomic_load(&peer_report(peer)->ons) == 0;
         i++) {
        struct shl_event event = shl_event_midi(0, 0, 0x90, 60, 100);
        if (i == 0)
            shl_host_send(host, &event, 0);
        play(1, 64);
        shl_host_poll(host);
        usleep(1333);
    }
    _exit(9); /* with the claim, and a note that sounds */
}

static void a_host_that_dies_leaves_no_note(void **state)
{
    (void)state;
    new_peer(own_time());
    assert_int_equal(child_run(play_and_die, NULL), 9);
    assert_int_equal(atomic_load(&peer_report(peer)->ons), 1);
    for (int i = 0; i < LIMIT_MS && !released(); i++)
        usleep(1000);
    assert_true(released());
    new_host(usual());
    assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
    assert_true(play_until(sounds));
}

static void a_rendering_cannot_follow_another_clock(void **state)
{
    struct shl_host_options options = usual();
    char why[256];

    (void)state;
    options.batch = 1;
    new_peer(own_time());
    new_host(options);
    assert_int_equal(shl_host_open(host, "Peer", 0), SHL_WRONG_DRIVE);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "play live"));
}

static uint32_t answers;

static void on_answer(void *arg, const struct shl_answer *answer)
{
    (void)arg;
    answers += answer->status == SHL_OK;
}

static bool answered(void)
{
    return answers > 0;
}

static void messages_cross_a_free_link(void **state)
{
    (void)state;
    link_both(usual(), own_time());
    answers = 0;
    assert_int_equal(shl_host_ping(host, 10000, on_answer, NULL, NULL), SHL_OK);
    assert_true(play_until(answered));
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
        TEST(events_and_the_audio_of_a_frame_stay_together),
        TEST(events_follow_another_clock),
        TEST(events_without_audio_are_not_kept_for_ever),
        TEST(a_full_ring_is_counted),
        TEST(the_transport_is_exact_and_whole),
        TEST(changes_take_effect_at_their_sample),
        TEST(what_a_host_left_sounding_ends),
        TEST(nothing_old_is_heard_by_the_next_host),
        TEST(a_device_of_both_kinds_can_tell),
        TEST(a_device_alone_goes_on),
        TEST(options_that_cannot_be_are_refused),
        TEST(a_clock_that_only_one_has_is_refused),
        TEST(a_clock_of_another_process_is_refused),
        TEST(a_latency_beyond_the_ring_is_refused),
        TEST(full_memory_refuses_the_drive_and_nothing_else),
        TEST(a_device_that_dies_is_gone_and_comes_back),
        TEST(a_device_that_hangs_costs_no_time),
        TEST(a_liar_cannot_crash_its_host),
        TEST(a_host_that_dies_leaves_no_note),
        TEST(a_rendering_cannot_follow_another_clock),
        TEST(messages_cross_a_free_link),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
