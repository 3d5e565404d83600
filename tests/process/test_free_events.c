/* SPDX-License-Identifier: MIT */
/* The free drive: events and the transport beside the sound. */
#include "free_drive.h"

#include "shmlink/midi.h"

#include <math.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_and_the_audio_of_a_frame_stay_together),
        TEST(events_follow_another_clock),
        TEST(events_without_audio_are_not_kept_for_ever),
        TEST(a_full_ring_is_counted),
        TEST(the_transport_is_exact_and_whole),
        TEST(changes_take_effect_at_their_sample),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
