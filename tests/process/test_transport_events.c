/* SPDX-License-Identifier: MIT */
/* Changes of the transport take effect at their sample, for the device too, in
 * every drive and with blocks of any size. The free drive: test_free.c. */
#include "duet.h"

#include <cmocka.h>

#include <math.h>

#define LENGTH 4096

/* What the device saw, by the host's frame. */
static struct shl_transport seen[LENGTH];
static uint64_t note_frame;

static void fill(uint64_t from, uint64_t end, struct shl_transport now)
{
    for (uint64_t i = from; i < end && i < LENGTH; i++) {
        seen[i] = now;
        shl_transport_advance(&now, 1);
    }
}

/* A device that follows: from the block's first sample on, and from each change
 * on. */
static void follow(void)
{
    struct shl_event event;
    uint64_t end = block.frame + block.frames;

    fill(block.frame, end, block.transport);
    while (shl_device_event(device, &event)) {
        if (event.kind == SHL_EVENT_PLAYHEAD) {
            assert_true(event.frame > block.frame && event.frame < end);
            fill(event.frame, end, shl_device_transport(device));
        } else {
            note_frame = event.frame;
        }
    }
    shl_device_done(device);
}

static void link_with(uint32_t drive, uint32_t reblock)
{
    const struct shl_host_options options = {.rate_hz = 48000,
                                             .block_frames = FRAMES,
                                             .reblock_frames = reblock,
                                             .drive = drive,
                                             .deadline_ms = 1000};

    new_device((struct shl_device_options){
        .capabilities = SHL_CAP_MIDI_IN | SHL_CAP_TRANSPORT_IN});
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
    link_up();
    memset(seen, 0, sizeof seen);
}

/* Changes at these frames, each told with the block that has it. */
static const struct {
    uint64_t frame;
    double tempo, beats; /* beats below 0: it goes on */
    uint32_t playing;
} changes[] = {{100, 120, -1, 1},    {128, 90, -1, 1},   {640 + 63, 90, 8, 1},
               {640 + 64, 91, 3, 1}, {1000, 200, -1, 1}, {1001, 201, -1, 1},
               {1500, 60, -1, 0},    {1536, 60, 2, 1}};

static void conduct(uint64_t first)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        if (changes[i].frame < first || changes[i].frame >= first + FRAMES)
            continue;
        uint32_t offset = (uint32_t)(changes[i].frame - first);
        struct shl_transport now = shl_host_transport_at(host, offset);
        now.tempo = changes[i].tempo;
        now.playing = changes[i].playing;
        if (changes[i].beats >= 0)
            shl_transport_locate(&now, changes[i].beats);
        shl_host_transport_event(host, &now, offset);
        if (changes[i].frame == 1001) {
            const struct shl_event note = shl_event_midi(0, 0, 0x90, 60, 100);
            assert_int_equal(shl_host_send(host, &note, offset), SHL_OK);
        }
    }
}

static void compare(uint64_t end)
{
    struct shl_transport now = shl_transport_default(48000);
    size_t next = 0;

    for (uint64_t i = 0; i < end; i++) {
        for (; next < sizeof changes / sizeof *changes &&
               changes[next].frame == i;
             next++) {
            now.tempo = changes[next].tempo;
            now.playing = changes[next].playing;
            if (changes[next].beats >= 0)
                shl_transport_locate(&now, changes[next].beats);
        }
        if (fabs(seen[i].beats - now.beats) > 1e-9 ||
            fabs(seen[i].tempo - now.tempo) > 0 ||
            seen[i].playing != now.playing)
            fail_msg("frame %u: %g at %g, playing %u, not %g at %g, %u",
                     (unsigned)i, seen[i].beats, seen[i].tempo, seen[i].playing,
                     now.beats, now.tempo, now.playing);
        shl_transport_advance(&now, 1);
    }
    assert_int_equal(next, sizeof changes / sizeof *changes);
}

static void run(uint32_t drive, uint32_t reblock)
{
    link_with(drive, reblock);
    for (uint64_t first = 0; first < 2048; first += FRAMES) {
        conduct(first);
        shl_host_process(host, in, out, FRAMES);
        while (shl_device_wait(device, 0, &block) == SHL_OK)
            follow();
    }
    compare(1900);
    assert_int_equal(note_frame, 1001);
    tear_down(NULL);
}

/* shows MP-26 */
static void changes_take_effect_at_their_sample(void **state)
{
    (void)state;
    run(SHL_DRIVE_PIPELINED, 0);
    run(SHL_DRIVE_PIPELINED, 256);
    run(SHL_DRIVE_PIPELINED, 100);
}

/* More in one block than are kept: the last one holds. */
static void the_last_of_too_many_holds(void **state)
{
    (void)state;
    link_with(SHL_DRIVE_PIPELINED, 0);
    for (uint32_t n = 0; n < 200; n++) {
        struct shl_transport now = shl_host_transport_at(host, n * 63 / 199);
        now.tempo = 50 + n;
        shl_host_transport_event(host, &now, n * 63 / 199);
    }
    next_block();
    follow();
    next_block();
    follow();
    assert_true(seen[63].tempo >= 249 && seen[63].tempo <= 249);
    assert_true(seen[64].tempo >= 249 && seen[64].tempo <= 249);
    assert_true(seen[0].tempo < 60);
}

/* A device that follows none is not told. */
static void who_does_not_listen_gets_no_event(void **state)
{
    struct shl_event event;
    struct shl_transport now;

    (void)state;
    new_device((struct shl_device_options){.capabilities = SHL_CAP_MIDI_IN});
    new_host(0, 0, SHL_MODE_BOTH);
    link_up();
    now = shl_host_transport_at(host, 10);
    now.playing = 1;
    shl_host_transport_event(host, &now, 10);
    next_block();
    assert_false(shl_device_event(device, &event));
    shl_device_done(device);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, NULL, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(changes_take_effect_at_their_sample),
        TEST(the_last_of_too_many_holds),
        TEST(who_does_not_listen_gets_no_event),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
