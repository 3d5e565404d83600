/* SPDX-License-Identifier: MIT */
/* A host in blocks of its own and a device in others: every pair of sizes is
 * exact, later by what the link states and no more, with events and transport
 * at their sample. First the arithmetic alone, then whole links. */
#include "shmlink/host.h"

#include "core/lockstep/reblock.h"
#include "loopback.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 60000
#define TOTAL   25000 /* frames, at most, that one pair is played for */

static const uint32_t sizes[] = {1, 16, 17, 48, 64, 100, 480, 512, 1000, 4096};
#define SIZES (sizeof sizes / sizeof *sizes)

static struct loopback *device;
static shl_host *host;
static float in_memory[2][TOTAL], out_memory[3][TOTAL];

static uint32_t common(uint32_t a, uint32_t b)
{
    return b ? common(b, a % b) : a;
}

/* ---- the arithmetic ---------------------------------------------------------- */

static struct shl_reblock reblock;

/* Through it and back, as a device without latency would. */
static void pass(uint32_t at, uint32_t frames)
{
    const struct shl_transport still = {0};
    const float *const ins[1] = {in_memory[0] + at};
    float *const outs[1] = {out_memory[0] + at};
    uint32_t piece;
    shl_reblock_expect(&reblock, frames);
    for (uint32_t done = 0; done < frames; done += piece) {
        piece = shl_reblock_room(&reblock, frames - done);
        if (shl_reblock_gather(&reblock, ins, done, piece, &still)) {
            memcpy(shl_reblock_planes(&reblock)[0], reblock.in[0],
                   reblock.frames * sizeof(float));
            shl_reblock_came(&reblock, true);
        }
        shl_reblock_read(&reblock, outs, done, piece);
        assert_int_equal(reblock.gathered + reblock.waiting,
                         reblock.latency_frames);
    }
}

static void count_up(uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        in_memory[0][i] = (float)(i + 1);
}

static bool counts_late(const float *out, uint32_t frames, uint32_t late)
{
    for (uint32_t i = 0; i < frames; i++)
        if (out[i] != (i < late ? 0 : (float)(i - late + 1)))
            return false;
    return true;
}

/* Not less: the sample that is missing then is not there yet. */
static void every_pair_is_exact_and_as_early_as_can_be(void **state)
{
    (void)state;
    count_up(TOTAL);
    for (uint32_t host_frames = 1; host_frames <= 70; host_frames++) {
        for (uint32_t frames = 1; frames <= 70; frames++) {
            assert_int_equal(
                shl_reblock_set(&reblock, 1, 1, frames, host_frames), SHL_OK);
            uint32_t late = frames - common(host_frames, frames), at = 0;
            assert_int_equal(reblock.latency_frames, late);
            bool empty = false;
            while (at < 70 * 70 + 70) {
                pass(at, host_frames);
                at += host_frames;
                empty = empty || reblock.waiting == 0;
            }
            assert_true(counts_late(out_memory[0], at, late));
            assert_true(empty);
        }
    }
    shl_reblock_free(&reblock);
}

static void another_size_than_usual_grows_the_latency_once(void **state)
{
    (void)state;
    count_up(TOTAL);
    assert_int_equal(shl_reblock_set(&reblock, 1, 1, 512, 64), SHL_OK);
    for (uint32_t at = 0; at < 640; at += 64)
        pass(at, 64);
    pass(640, 48); /* a multiple of 16 alone */
    assert_int_equal(reblock.latency_frames, 512 - 16);
    for (uint32_t at = 688; at < 6448; at += 64)
        pass(at, 64);
    assert_int_equal(reblock.latency_frames, 512 - 16);
    assert_true(counts_late(out_memory[0], 640, 448));
    for (uint32_t i = 640; i < 688; i++)
        assert_true(out_memory[0][i] == 0);
    for (uint32_t i = 688; i < 6448; i++)
        assert_true(out_memory[0][i] == (float)(i - 496 + 1));
    pass(6448, 1);
    assert_int_equal(reblock.latency_frames, 511);
    shl_reblock_free(&reblock);
}

static void what_waits_is_not_heard_after_a_reset(void **state)
{
    (void)state;
    count_up(TOTAL);
    assert_int_equal(shl_reblock_set(&reblock, 1, 1, 100, 64), SHL_OK);
    for (uint32_t at = 0; at < 640; at += 64)
        pass(at, 64);
    shl_reblock_reset(&reblock);
    count_up(TOTAL);
    for (uint32_t at = 0; at < 640; at += 64)
        pass(at, 64);
    assert_true(counts_late(out_memory[0], 640, 96));
    /* the same again changes nothing, other sizes begin anew */
    uint32_t waits = reblock.waiting;
    assert_int_equal(shl_reblock_set(&reblock, 1, 1, 100, 64), SHL_OK);
    assert_int_equal(reblock.waiting, waits);
    assert_int_equal(shl_reblock_set(&reblock, 1, 1, 100, 50), SHL_OK);
    assert_int_equal(reblock.gathered, 0);
    assert_int_equal(shl_reblock_set(&reblock, 1, 1, 0, 50), SHL_OK);
    assert_int_equal(reblock.latency_frames, 0);
}

/* ---- whole links ------------------------------------------------------------- */

static void open_device(uint32_t quantum, uint32_t latency)
{
    const struct shl_device_options options = {
        .id = "Loop",
        .in_channels = 2,
        .out_channels = 3,
        .rate_hz = 48000,
        .block_frames = quantum ? quantum : 64,
        .quantum = quantum,
        .latency_frames = latency,
        .capabilities = SHL_CAP_MIDI_IN | SHL_CAP_MIDI_OUT};
    struct shl_why why;
    shl_status status;
    device = loopback_start(&options, &status, &why);
    assert_non_null(device);
}

static void open_host(uint32_t usual, uint32_t exchanged, uint32_t drive)
{
    const struct shl_host_options options = {.in_channels = 2,
                                             .out_channels = 3,
                                             .rate_hz = 48000,
                                             .block_frames = usual,
                                             .reblock_frames = exchanged,
                                             .drive = drive,
                                             .batch = 1};
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
    assert_int_equal(shl_host_open(host, "Loop", WAIT_MS), SHL_OK);
}

static void close_host(void)
{
    shl_host_free(host);
    host = NULL;
}

static int tear_down(void **state)
{
    (void)state;
    close_host();
    loopback_end(device);
    device = NULL;
    return 0;
}

/* The places of the notes, and where their answers came. */
static uint32_t sent_at[TOTAL], heard_at[TOTAL], sent, heard;

static void send_notes(uint32_t at, uint32_t frames, uint64_t *random)
{
    while (peer_random(random) % 8 == 0) {
        uint32_t offset = (uint32_t)(peer_random(random) % frames);
        if (sent && sent_at[sent - 1] > at + offset)
            continue;
        struct shl_event on = shl_event_midi(0, 0, 0x90, sent & 127, 64);
        assert_int_equal(shl_host_send(host, &on, offset), SHL_OK);
        sent_at[sent++] = at + offset;
    }
}

static void hear_notes(uint32_t at, uint32_t frames)
{
    struct shl_event event;
    uint32_t offset;
    while (shl_host_event(host, &event, &offset)) {
        assert_true(offset < frames);
        assert_int_equal(event.data[0] >> 8 & 127, heard & 127);
        heard_at[heard++] = at + offset;
    }
}

/* Numbered samples on two channels, notes at random places, a rolling
 * transport. Returns how many frames were played. */
static uint32_t play_numbered(uint32_t frames, uint32_t total, uint64_t *random)
{
    uint32_t at = 0;
    sent = heard = 0;
    shl_host_transport(host)->playing = 1;
    for (uint32_t i = 0; i < TOTAL; i++) {
        in_memory[0][i] = (float)(i + 1);
        in_memory[1][i] = -(float)(i + 1);
    }
    while (at + frames <= total) {
        const float *const ins[2] = {in_memory[0] + at, in_memory[1] + at};
        float *const outs[3] = {out_memory[0] + at, out_memory[1] + at,
                                out_memory[2] + at};
        send_notes(at, frames, random);
        shl_host_process(host, ins, outs, frames);
        hear_notes(at, frames);
        at += frames;
    }
    return at;
}

/* Each sample as late as the link says, with the notes on top. */
static void check_numbered(uint32_t played, uint32_t late)
{
    uint32_t note = 0;
    for (uint32_t i = 0; i < played; i++) {
        float clicks = 0;
        for (; i >= late && note < sent && sent_at[note] == i - late; note++)
            clicks += 0.5f;
        float want = i < late ? 0 : (float)(i - late + 1);
        assert_true(out_memory[0][i] == want + clicks);
        assert_true(out_memory[1][i] == -want);
        assert_true(out_memory[2][i] == (i < late ? 0 : want - 1));
    }
    for (uint32_t n = 0; n < heard; n++)
        assert_int_equal(heard_at[n], sent_at[n] + late);
    for (uint32_t n = heard; n < sent; n++)
        assert_true(sent_at[n] + late >= played);
}

static void check_pair(uint32_t frames, uint32_t exchanged, uint32_t drive,
                       uint64_t *random)
{
    struct shl_host_stats stats;
    uint32_t late = exchanged - common(frames, exchanged) +
                    (drive == SHL_DRIVE_PIPELINED ? exchanged : 0);
    open_host(frames, exchanged, drive);
    assert_int_equal(shl_host_block(host), exchanged);
    assert_int_equal(shl_host_link_latency(host), late);
    uint32_t total = late + 2 * (frames + exchanged) + 100;
    uint32_t played = play_numbered(frames, total, random);
    check_numbered(played, late);
    assert_int_equal(loopback_frames(device), exchanged);
    shl_host_get_stats(host, &stats);
    assert_int_equal(stats.missed, 0);
    assert_int_equal(stats.events_raised, 0);
    assert_int_equal(stats.events_late, 0);
    close_host();
}

/* shows DL-16 DL-04 MP-12 */
static void audio_events_and_transport_are_exact_for_all_pairs(void **state)
{
    uint64_t random = 1;
    (void)state;
    open_device(0, 0);
    for (size_t a = 0; a < SIZES; a++) {
        for (size_t n = 0; n < SIZES; n++) {
            check_pair(sizes[a], sizes[n], SHL_DRIVE_LOCKSTEP, &random);
            check_pair(sizes[a], sizes[n], SHL_DRIVE_PIPELINED, &random);
        }
    }
}

/* shows DL-16 */
static void a_device_of_whole_blocks_gets_them_from_any_host(void **state)
{
    uint64_t random = 2;
    (void)state;
    open_device(512, 7);
    for (size_t a = 0; a < SIZES; a++) {
        uint32_t used = sizes[a] % 512 ? 512 : sizes[a];
        uint32_t late = used - common(sizes[a], used);
        open_host(sizes[a], 0, SHL_DRIVE_LOCKSTEP);
        assert_int_equal(shl_host_block(host), used);
        assert_int_equal(shl_host_link_latency(host), late);
        assert_int_equal(shl_host_latency(host), late + 7);
        uint32_t played = play_numbered(sizes[a], 3 * 4096, &random);
        check_numbered(played, late);
        assert_int_equal(loopback_frames(device), used);
        close_host();
    }
}

static void blocks_that_it_cannot_take_are_refused_with_both(void **state)
{
    struct shl_host_options options = {.in_channels = 2,
                                       .out_channels = 2,
                                       .rate_hz = 48000,
                                       .block_frames = 64,
                                       .reblock_frames = 100};
    char why[256];
    (void)state;
    open_device(512, 0);
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
    assert_int_equal(shl_host_open(host, "Loop", 0), SHL_WRONG_BLOCK);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "512"));
    assert_non_null(strstr(why, "100"));
    close_host();
    options.reblock_frames = 4097;
    assert_int_equal(shl_host_new(&options, &host), SHL_WRONG_BLOCK);
}

static void a_quantum_that_cannot_be_is_refused(void **state)
{
    struct shl_device_options options = {.id = "Loop",
                                         .out_channels = 1,
                                         .rate_hz = 48000,
                                         .block_frames = 64,
                                         .quantum = 48};
    struct shl_why why;
    shl_status status;
    (void)state;
    assert_null(loopback_start(&options, &status, &why));
    assert_int_equal(status, SHL_WRONG_BLOCK);
    options.quantum = options.block_frames = 8192;
    assert_null(loopback_start(&options, &status, &why));
    assert_int_equal(status, SHL_WRONG_BLOCK);
}

/* ---- changes while it runs ------------------------------------------------------ */

static uint32_t number; /* of the next sample, ever */

/* One block; the samples that came, all of them above `least`, in a row. */
static void play_on(uint32_t frames, float *least)
{
    const float *const ins[2] = {in_memory[0], in_memory[1]};
    float *const outs[3] = {out_memory[0], out_memory[1], out_memory[2]};
    for (uint32_t i = 0; i < frames; i++)
        in_memory[0][i] = (float)++number;
    shl_host_process(host, ins, outs, frames);
    for (uint32_t i = 0; i < frames; i++) {
        if (out_memory[0][i] == 0)
            continue;
        assert_true(out_memory[0][i] > *least);
        *least = out_memory[0][i];
    }
}

/* shows DL-19 MP-43 */
static void without_reblocking_another_block_is_no_step_at_all(void **state)
{
    float least = 0;
    (void)state;
    number = 0;
    open_device(0, 0);
    open_host(64, 0, SHL_DRIVE_LOCKSTEP);
    for (size_t k = 0; k < 3 * SIZES; k++) {
        uint32_t frames = sizes[k * 7 % SIZES];
        assert_int_equal(shl_host_setup(host, 48000, frames), SHL_OK);
        assert_int_equal(shl_host_set_tag(host, k % 2 ? "one" : "two"), SHL_OK);
        for (int i = 0; i < 4; i++) {
            play_on(frames, &least);
            assert_true(out_memory[0][0] == (float)(number - frames + 1));
            assert_true(least == (float)number);
        }
    }
}

/* shows DL-19 */
static void another_block_of_the_host_replays_nothing(void **state)
{
    float least = 0;
    (void)state;
    for (uint32_t drive = 1; drive <= 2; drive++) {
        number = 0;
        least = 0;
        open_device(512, 0);
        open_host(64, 0, drive);
        for (size_t k = 0; k < 3 * SIZES; k++) {
            uint32_t frames = sizes[k * 7 % SIZES];
            assert_int_equal(shl_host_setup(host, 48000, frames), SHL_OK);
            uint32_t used = frames % 512 ? 512 : frames;
            uint32_t late = used - common(frames, used) + (drive - 1) * used;
            assert_int_equal(shl_host_link_latency(host), late);
            uint32_t played = 0;
            for (; played < 2 * late + 4096; played += frames)
                play_on(frames, &least);
            assert_true(least == (float)(number - late));
        }
        tear_down(NULL);
    }
}

/* shows DL-19 */
static void after_a_pause_nothing_old_is_heard(void **state)
{
    float least = 0;
    (void)state;
    number = 0;
    open_device(0, 0);
    open_host(64, 512, SHL_DRIVE_PIPELINED);
    for (int k = 0; k < 40; k++)
        play_on(64, &least);
    for (int k = 0; k < 100; k++) { /* half a second, and polled all along */
        shl_host_poll(host);
        usleep(5000);
    }
    uint32_t paused = number;
    least = (float)paused;
    for (int k = 0; k < 40; k++)
        play_on(64, &least);
    assert_true(least == (float)(number - 448 - 512));
}

/* shows DL-16 */
static void polls_leave_what_waits_for_a_large_block(void **state)
{
    float least = 0;
    (void)state;
    number = 0;
    open_device(0, 0);
    open_host(64, 4096, SHL_DRIVE_LOCKSTEP);
    for (int round = 0; round < 2; round++) {
        for (int k = 0; k < 200; k++) {
            play_on(64, &least);
            shl_host_poll(host);
        }
        assert_true(least == (float)(number - 4032));
        for (int k = 0; k < 100; k++) {
            shl_host_poll(host);
            usleep(5000);
        }
        least = (float)number;
    }
}

/* ---- loss, bypass ------------------------------------------------------------------ */

static void a_device_that_holds_still_fades_and_comes_back(void **state)
{
    const struct shl_host_options options = {.in_channels = 2,
                                             .out_channels = 3,
                                             .rate_hz = 48000,
                                             .block_frames = 64,
                                             .reblock_frames = 512,
                                             .deadline_ms = 1000};
    const float *const ins[2] = {in_memory[0], in_memory[1]};
    float *const outs[3] = {out_memory[0], out_memory[1], out_memory[2]};
    struct shl_host_stats stats;
    (void)state;
    open_device(0, 0);
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
    assert_int_equal(shl_host_open(host, "Loop", WAIT_MS), SHL_OK);
    for (uint32_t i = 0; i < 64; i++)
        in_memory[0][i] = 1;
    for (int k = 0; k < 16; k++)
        shl_host_process(host, ins, outs, 64);
    assert_true(out_memory[0][63] == 1);
    shl_host_set_deadline(host, 5);
    loopback_hold(device, 1);
    float before = 1;
    for (int k = 0; k < 24; k++) {
        shl_host_process(host, ins, outs, 64);
        for (uint32_t i = 0; i < 64; i++) {
            float step = before - out_memory[0][i];
            assert_true(step >= 0 && step < 0.01f); /* 1/128, no jump */
            before = out_memory[0][i];
        }
    }
    assert_true(before == 0);
    shl_host_get_stats(host, &stats);
    assert_true(stats.missed >= 2);
    assert_int_equal(stats.silent_frames, 512 * stats.missed);
    loopback_hold(device, 0);
    int heard_again = 0;
    for (int k = 0; k < 20000 && !heard_again; k++) {
        heard_again = shl_host_process(host, ins, outs, 64) &&
                      out_memory[0][0] == 1 && out_memory[0][63] == 1;
        usleep(500);
    }
    assert_true(heard_again);
}

static void hard_bypass_is_as_late_as_the_link_and_the_device(void **state)
{
    (void)state;
    open_device(0, 100);
    open_host(64, 480, SHL_DRIVE_PIPELINED);
    uint32_t late = 480 - 32 + 480 + 100;
    assert_int_equal(shl_host_latency(host), late);
    shl_host_set_bypass(host, 1);
    float least = 0;
    number = 0;
    for (int k = 0; k < 60; k++)
        play_on(64, &least);
    assert_true(least == (float)(number - late));
}

static void without_a_wish_it_is_a_wire_at_once(void **state)
{
    const struct shl_host_options options = {.in_channels = 2,
                                             .out_channels = 3,
                                             .rate_hz = 48000,
                                             .block_frames = 64,
                                             .reblock_frames = 512};
    float least = 0;
    (void)state;
    number = 0;
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
    for (int k = 0; k < 10; k++)
        play_on(64, &least);
    assert_true(least == (float)number);
    assert_int_equal(shl_host_latency(host), 0);
}

static int start(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_pair_is_exact_and_as_early_as_can_be),
        TEST(another_size_than_usual_grows_the_latency_once),
        TEST(what_waits_is_not_heard_after_a_reset),
        TEST(audio_events_and_transport_are_exact_for_all_pairs),
        TEST(a_device_of_whole_blocks_gets_them_from_any_host),
        TEST(blocks_that_it_cannot_take_are_refused_with_both),
        TEST(a_quantum_that_cannot_be_is_refused),
        TEST(without_reblocking_another_block_is_no_step_at_all),
        TEST(another_block_of_the_host_replays_nothing),
        TEST(after_a_pause_nothing_old_is_heard),
        TEST(polls_leave_what_waits_for_a_large_block),
        TEST(a_device_that_holds_still_fades_and_comes_back),
        TEST(hard_bypass_is_as_late_as_the_link_and_the_device),
        TEST(without_a_wish_it_is_a_wire_at_once),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
