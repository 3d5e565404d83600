/* SPDX-License-Identifier: MIT */
/* The host's end of one mine, against a device in a second thread: what it
 * sends arrives exactly, in both drives, and what it hears is of its block. */
#include "core/host/link.h"

#include "one_mapping.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLENTY_US 20000000u /* a deadline that only a hang misses */

static struct peer *peer;
static struct shl_link mine;
static struct shl_transport transport;
static float in_memory[SHL_MAX_CHANNELS][SHL_MAX_FRAMES];
static float out_memory[SHL_MAX_CHANNELS][SHL_MAX_FRAMES];
static const float *in[SHL_MAX_CHANNELS];
static float *out[SHL_MAX_CHANNELS];

static struct shl_link_options options(uint32_t drive)
{
    return (struct shl_link_options){.tag = "",
                                     .rate_hz = 48000,
                                     .block_frames = 64,
                                     .in_channels = 2,
                                     .out_channels = 2,
                                     .drive = drive,
                                     .deadline_us = PLENTY_US};
}

static shl_status accepted(void)
{
    shl_status st = SHL_AGAIN;
    for (int i = 0; i < 20000 && st == SHL_AGAIN; i++) {
        usleep(500);
        st = shl_link_state(&mine);
    }
    return st;
}

static void close_link(void)
{
    one_mapping_end(&mine);
    shl_link_close(&mine);
}

static void begin(uint32_t ins, uint32_t outs, uint32_t drive)
{
    struct peer_wish wish = {.in = ins, .out = outs};
    struct shl_link_options wanted = options(drive);
    struct shl_why why;
    transport = shl_transport_default(48000);
    peer = peer_thread(&wish);
    assert_int_equal(
        shl_link_open(&mine, peer_report(peer)->segment, &wanted, &why),
        SHL_OK);
    one_mapping(&mine);
    assert_int_equal(accepted(), SHL_OK);
}

static int tear_down(void **state)
{
    (void)state;
    if (mine.epoch)
        close_link();
    peer_free(peer);
    peer = NULL;
    return 0;
}

static float sample(uint32_t n, uint32_t c, uint32_t i)
{
    return (float)((n % 64) * 4096 + i) + (float)c / 64;
}

static enum shl_heard play(uint32_t n, uint32_t ins, uint32_t outs,
                           uint32_t frames)
{
    for (uint32_t c = 0; c < ins; c++)
        for (uint32_t i = 0; i < frames; i++)
            in_memory[c][i] = sample(n, c, i);
    return shl_link_play(&mine, in, ins, out, outs, frames, &transport);
}

/* Whether out is what block n must sound like. */
static bool sounds(uint32_t n, uint32_t ins, uint32_t outs, uint32_t frames)
{
    for (uint32_t c = 0; c < outs; c++)
        for (uint32_t i = 0; i < frames; i++)
            if (out_memory[c][i] != (c < ins ? sample(n, c, i) : 0))
                return false;
    return true;
}

static const uint32_t sizes[] = {1, 2, 3, 63, 64, 65, 1000, 4095, 4096};
#define SIZES (sizeof sizes / sizeof *sizes)

/* ---- audio --------------------------------------------------------------------- */

/* shows DL-04 DL-32 MP-07 MP-09 MP-43 */
static void lockstep_is_exact_for_every_size_and_channel_count(void **state)
{
    (void)state;
    for (uint32_t channels = 0; channels <= 32; channels += 4) {
        begin(channels, channels, SHL_DRIVE_LOCKSTEP);
        for (uint32_t n = 0; n < 3 * SIZES; n++) {
            uint32_t frames = sizes[n % SIZES];
            assert_int_equal(play(n, channels, channels, frames),
                             SHL_HEARD_DEVICE);
            assert_true(sounds(n, channels, channels, frames));
        }
        assert_int_equal(mine.stats.missed, 0);
        tear_down(NULL);
    }
}

/* shows DL-04 */
static void pipelined_is_exact_and_one_block_late(void **state)
{
    (void)state;
    for (uint32_t frames = 1; frames <= 4096; frames *= 8) {
        begin(2, 2, SHL_DRIVE_PIPELINED);
        assert_int_equal(play(0, 2, 2, frames), SHL_HEARD_NOTHING);
        for (uint32_t n = 1; n < 50; n++) {
            assert_int_equal(play(n, 2, 2, frames), SHL_HEARD_DEVICE);
            assert_true(sounds(n - 1, 2, 2, frames));
        }
        assert_int_equal(mine.stats.missed, 0);
        tear_down(NULL);
    }
}

/* shows MP-43 */
static void a_pipelined_block_of_another_size_is_cut_or_filled(void **state)
{
    (void)state;
    begin(1, 1, SHL_DRIVE_PIPELINED);
    play(0, 1, 1, 64);
    assert_int_equal(play(1, 1, 1, 128), SHL_HEARD_DEVICE);
    assert_true(sounds(0, 1, 1, 64));
    for (uint32_t i = 64; i < 128; i++)
        assert_true(out_memory[0][i] == 0);
    assert_int_equal(play(2, 1, 1, 32), SHL_HEARD_DEVICE);
    assert_true(sounds(1, 1, 1, 32));
    assert_int_equal(play(3, 1, 1, 32), SHL_HEARD_DEVICE);
    assert_true(sounds(2, 1, 1, 32));
}

static void channels_that_the_device_lacks_are_silent(void **state)
{
    (void)state;
    begin(1, 1, SHL_DRIVE_LOCKSTEP);
    memset(out_memory, 0x55, sizeof out_memory);
    assert_int_equal(play(0, 4, 4, 64), SHL_HEARD_DEVICE);
    assert_true(sounds(0, 1, 4, 64));
}

static void inputs_that_the_host_lacks_are_silent(void **state)
{
    (void)state;
    begin(4, 4, SHL_DRIVE_LOCKSTEP);
    assert_int_equal(play(0, 4, 4, 64), SHL_HEARD_DEVICE);
    assert_int_equal(play(1, 1, 4, 64), SHL_HEARD_DEVICE);
    assert_true(sounds(1, 1, 4, 64));
}

/* ---- events ---------------------------------------------------------------------- */

static void send_note(uint32_t key, uint32_t offset)
{
    struct shl_event event = shl_event_midi(0, 0, 0x90, (uint8_t)key, 127);
    assert_int_equal(shl_link_send(&mine, &event, offset), SHL_OK);
}

/* The one event that must be waiting; its offset. */
static uint32_t hear_one(struct shl_event *event)
{
    uint32_t offset = 0xFFFF;
    struct shl_event none;
    assert_true(shl_link_event(&mine, event, &offset));
    assert_false(shl_link_event(&mine, &none, &(uint32_t){0}));
    return offset;
}

/* shows DL-01 MP-12 */
static void events_keep_their_offset_both_ways_in_lockstep(void **state)
{
    struct shl_event back;
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    for (uint32_t frames = 64; frames <= 4096; frames *= 64) {
        for (uint32_t offset = 0; offset < frames; offset++) {
            send_note(offset & 127, offset);
            assert_int_equal(play(0, 0, 1, frames), SHL_HEARD_DEVICE);
            for (uint32_t i = 0; i < frames; i++)
                assert_true(out_memory[0][i] ==
                            (i == offset ? peer_click(127) : 0));
            assert_int_equal(hear_one(&back), offset);
            assert_int_equal(back.data[0] >> 8 & 127, offset & 127);
        }
    }
    assert_int_equal(peer_report(peer)->misplaced, 0);
    assert_int_equal(mine.stats.raised, 0);
}

/* The device may be done before or after we look: the echo must not come
 * before its block is heard. */
static void pipelined_events_come_back_with_their_block(void **state)
{
    struct shl_event back;
    uint32_t offset;
    (void)state;
    begin(0, 1, SHL_DRIVE_PIPELINED);
    for (uint32_t n = 0; n < 400; n++) {
        send_note(n & 127, n % 64);
        play(n, 0, 1, 64);
        if (n % 2)
            usleep(500);
        if (n == 0)
            assert_false(shl_link_event(&mine, &back, &offset));
        if (n == 0)
            continue;
        assert_int_equal(hear_one(&back), (n - 1) % 64);
        assert_int_equal(back.data[0] >> 8 & 127, (n - 1) & 127);
        assert_true(out_memory[0][(n - 1) % 64] == peer_click(127));
    }
}

static void one_ring_keeps_notes_and_parameters_in_order(void **state)
{
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    for (uint32_t i = 0; i < 64; i++) {
        struct shl_event value =
            shl_event_param(0, SHL_EVENT_PARAM, 7, (double)i / 16);
        send_note(i, i);
        assert_int_equal(shl_link_send(&mine, &value, i), SHL_OK);
    }
    play(0, 0, 1, 64);
    struct peer_report *report = peer_report(peer);
    assert_int_equal(report->logged, 128);
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(peer_heard(peer, 2 * i)->offset, i);
        assert_int_equal(peer_heard(peer, 2 * i)->data[0] >> 8 & 127, i);
        assert_int_equal(peer_heard(peer, 2 * i + 1)->offset, i);
        assert_int_equal(peer_heard(peer, 2 * i + 1)->data[0], 7);
    }
}

static void an_earlier_frame_is_raised_and_counted(void **state)
{
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    send_note(1, 40);
    send_note(2, 10);
    play(0, 0, 1, 64);
    assert_int_equal(peer_heard(peer, 0)->offset, 40);
    assert_int_equal(peer_heard(peer, 1)->offset, 40);
    assert_int_equal(mine.stats.raised, 1);
}

static void an_offset_beyond_the_block_does_not_delay_the_next(void **state)
{
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    send_note(1, 4000000000u);
    play(0, 0, 1, 64);
    send_note(2, 5);
    play(1, 0, 1, 64);
    assert_int_equal(peer_heard(peer, 0)->offset, 63);
    assert_int_equal(peer_heard(peer, 1)->offset, 5);
    assert_int_equal(mine.stats.raised, 0);
}

/* shows MP-15 MP-16 */
static void a_full_ring_refuses_counts_and_keeps_what_is_in_it(void **state)
{
    struct shl_event event = shl_event_midi(0, 0, 0x90, 1, 1);
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    for (uint32_t i = 0; i < SHL_EVENT_SLOTS - 1; i++)
        assert_int_equal(shl_link_send(&mine, &event, 0), SHL_OK);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(shl_link_send(&mine, &event, 0), SHL_RING_FULL);
    assert_int_equal(mine.stats.dropped, 5);
    play(0, 0, 1, 64);
    assert_int_equal(peer_report(peer)->ons, SHL_EVENT_SLOTS - 1);
    send_note(2, 3);
    play(1, 0, 1, 64);
    assert_int_equal(peer_report(peer)->ons, SHL_EVENT_SLOTS);
}

/* shows MP-16 */
static void a_full_ring_to_the_host_is_counted_by_the_device(void **state)
{
    struct shl_event event;
    uint32_t heard = 0, offset;
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    for (uint32_t n = 0; n < 5; n++) {
        for (uint32_t i = 0; i < 1000; i++)
            send_note(1, 0);
        play(n, 0, 1, 64);
    }
    while (shl_link_event(&mine, &event, &offset))
        heard++;
    assert_int_equal(heard, SHL_EVENT_SLOTS - 1);
    assert_int_equal(peer_report(peer)->send_full, 5000 - heard);
    assert_int_equal(atomic_load(&mine.segment.counters->device_events_dropped),
                     5000 - heard);
    send_note(2, 7);
    play(6, 0, 1, 64);
    assert_int_equal(hear_one(&event), 7);
}

/* How many of the events we took the device cannot know of yet. */
static uint32_t withheld(void)
{
    return mine.to_host.own - atomic_load(&mine.segment.lines->host.event_read);
}

static void taken_events_go_back_with_the_next_doorbell(void **state)
{
    struct shl_event event;
    uint32_t offset;
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    send_note(1, 0);
    play(0, 0, 1, 64);
    hear_one(&event);
    assert_int_equal(withheld(), 1);
    play(1, 0, 1, 64);
    assert_int_equal(withheld(), 0);
    for (uint32_t i = 0; i < SHL_EVENT_SLOTS / 2; i++) /* many: at once */
        send_note(1, 0);
    play(2, 0, 1, 64);
    while (shl_link_event(&mine, &event, &offset)) {
    }
    assert_int_equal(mine.stats.received, 1 + SHL_EVENT_SLOTS / 2);
    assert_int_equal(withheld(), 0);
}

/* Each event we take it follows by another. */
static void a_device_that_never_stops_is_cut_short(void **state)
{
    struct shl_event event = shl_event_midi(0, 0, 0x90, 1, 1);
    uint32_t offset, heard = 0;
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    play(0, 0, 1, 64);
    for (uint32_t i = 0; i < SHL_EVENT_SLOTS; i++)
        mine.segment.events_to_host[i] = event;
    _Atomic uint32_t *write = &mine.segment.lines->device.event_write;
    atomic_fetch_add(write, 1);
    while (shl_link_event(&mine, &event, &offset)) {
        atomic_fetch_add(write, 1);
        assert_true(++heard <= SHL_EVENT_SLOTS);
    }
    assert_true(heard > 0);
    assert_true(shl_link_event(&mine, &event, &offset)); /* the next time */
}

/* shows DL-36 */
static void what_no_device_can_take_is_refused(void **state)
{
    struct shl_event nan = shl_event_param(0, SHL_EVENT_PARAM, 7, (double)NAN);
    struct shl_event unknown = shl_event_param(0, SHL_EVENT_PARAM, 8, 1);
    struct shl_event meter = shl_event_param(0, SHL_EVENT_PARAM, 9, 1);
    struct shl_event sysex = shl_event_ump(0, (uint32_t[2]){0x30017E00, 0}, 2);
    struct shl_event odd = {.kind = 77, .size = 4};
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    assert_int_equal(shl_link_send(&mine, &nan, 0), SHL_BAD_VALUE);
    assert_int_equal(shl_link_send(&mine, &odd, 0), SHL_BAD_VALUE);
    assert_int_equal(shl_link_send(&mine, &unknown, 0), SHL_NOT_FOUND);
    assert_int_equal(shl_link_send(&mine, &meter, 0), SHL_UNSUPPORTED);
    assert_int_equal(shl_link_send(&mine, &sysex, 0), SHL_UNSUPPORTED);
    assert_int_equal(mine.unsent, 0);
}

/* shows DL-57 MP-14 */
static void parameters_are_known_cached_and_echoed_once(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 7, 99);
    (void)state;
    begin(1, 1, SHL_DRIVE_LOCKSTEP);
    assert_int_equal(mine.param_count, 2);
    assert_string_equal(mine.params[0].name, "gain");
    assert_true(mine.values[0] == 1);
    /* what we set ourselves does not come back */
    assert_int_equal(shl_link_send(&mine, &event, 0), SHL_OK);
    assert_true(mine.values[0] == 4); /* clipped to its range */
    play(0, 1, 1, 64);
    assert_false(shl_link_event(&mine, &event, &(uint32_t){0}));
    /* what the device changes comes once */
    event = shl_event_midi(0, 0, 0xB0, 20, 64);
    assert_int_equal(shl_link_send(&mine, &event, 9), SHL_OK);
    play(1, 1, 1, 64);
    assert_int_equal(hear_one(&event), 9);
    assert_int_equal(event.kind, SHL_EVENT_PARAM);
    assert_true(shl_event_value(&event) == 2);
    assert_true(mine.values[0] == 2);
    play(2, 1, 1, 64);
    assert_false(shl_link_event(&mine, &event, &(uint32_t){0}));
    assert_true(out_memory[0][5] == peer_sound(sample(2, 0, 5), 2));
}

static void a_later_host_finds_the_present_value(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 7, 3);
    struct shl_link_options wanted = options(SHL_DRIVE_LOCKSTEP);
    struct shl_why why;
    (void)state;
    begin(1, 1, SHL_DRIVE_LOCKSTEP);
    shl_link_send(&mine, &event, 0);
    /* a value for one note is not the parameter's */
    event = shl_event_param(0, SHL_EVENT_PARAM, 7, 1);
    event.data[3] = 5;
    shl_link_send(&mine, &event, 0);
    assert_true(mine.values[0] == 3);
    play(0, 1, 1, 64);
    assert_int_equal(peer_heard(peer, 1)->data[3], 5);
    close_link();
    assert_int_equal(
        shl_link_open(&mine, peer_report(peer)->segment, &wanted, &why),
        SHL_OK);
    assert_true(mine.values[0] == 3);
}

/* ---- without audio ------------------------------------------------------------------ */

static void events_go_out_by_themselves_when_flushed(void **state)
{
    (void)state;
    begin(1, 1, SHL_DRIVE_LOCKSTEP);
    play(0, 1, 1, 64);
    struct peer_report *report = peer_report(peer);
    for (uint32_t i = 1; i <= 10; i++) {
        send_note(i, 50);
        shl_link_flush(&mine, &transport);
        for (int k = 0; k < 20000 && report->ons < i; k++)
            usleep(500);
        assert_int_equal(report->ons, i);
        assert_int_equal(report->empty_blocks, i);
        assert_int_equal(peer_heard(peer, i - 1)->offset, 0);
    }
    shl_link_flush(&mine, &transport);
    usleep(20000);
    assert_int_equal(report->empty_blocks, 10); /* nothing to say */
    /* and back to audio, with its time */
    send_note(9, 5);
    assert_int_equal(play(1, 1, 1, 64), SHL_HEARD_DEVICE);
    assert_int_equal(peer_heard(peer, 10)->offset, 5);
    assert_int_equal(mine.stats.missed, 0);
    assert_int_equal(mine.stats.raised, 0);
}

static void a_pipelined_link_starts_again_after_a_flush(void **state)
{
    (void)state;
    begin(1, 1, SHL_DRIVE_PIPELINED);
    play(0, 1, 1, 64);
    play(1, 1, 1, 64);
    for (int i = 0; i < 20000 && peer_report(peer)->ons < 1; i++) {
        if (i == 0)
            send_note(1, 0);
        shl_link_flush(&mine, &transport);
        usleep(500);
    }
    assert_int_equal(peer_report(peer)->ons, 1);
    assert_int_equal(play(2, 1, 1, 64), SHL_HEARD_NOTHING);
    assert_int_equal(play(3, 1, 1, 64), SHL_HEARD_DEVICE);
    assert_true(sounds(2, 1, 1, 64));
    assert_int_equal(mine.stats.missed, 0);
}

/* ---- late answers -------------------------------------------------------------------- */

#define LONG_US 20000000u /* until it is told to end */

static void slow(uint32_t us)
{
    atomic_store(&peer_report(peer)->work_us, us);
}

static void settle(void)
{
    slow(0);
    usleep(30000);
    for (int i = 0; i < 20000 && mine.cycle.outstanding; i++) {
        shl_link_flush(&mine, &transport);
        usleep(500);
    }
}

static void a_late_lockstep_answer_is_counted_and_never_played(void **state)
{
    (void)state;
    begin(1, 1, SHL_DRIVE_LOCKSTEP);
    mine.cycle.deadline_us = 1000;
    slow(LONG_US);
    assert_int_equal(play(1, 1, 1, 64), SHL_HEARD_MISSED);
    assert_int_equal(play(2, 1, 1, 64), SHL_HEARD_MISSED);
    assert_int_equal(mine.stats.missed, 2);
    assert_int_equal(mine.stats.late, 0);
    settle();
    assert_int_equal(mine.stats.late, 1); /* 2 was never rung */
    mine.cycle.deadline_us = PLENTY_US;
    assert_int_equal(play(3, 1, 1, 64), SHL_HEARD_DEVICE);
    assert_true(sounds(3, 1, 1, 64));
    assert_int_equal(peer_report(peer)->blocks, 2);
}

static void a_late_pipelined_answer_is_counted_and_never_played(void **state)
{
    (void)state;
    begin(1, 1, SHL_DRIVE_PIPELINED);
    play(1, 1, 1, 64);
    while (peer_report(peer)->blocks < 1)
        usleep(100);
    slow(LONG_US);
    assert_int_equal(play(2, 1, 1, 64), SHL_HEARD_DEVICE);
    mine.cycle.deadline_us = 1000;
    assert_int_equal(play(3, 1, 1, 64), SHL_HEARD_MISSED);
    uint32_t score = mine.cycle.score;
    slow(0);
    while (atomic_load_explicit(&mine.segment.lines->device.answer,
                                memory_order_acquire) != mine.cycle.doorbell)
        usleep(100);
    /* 3 was not rung and 2 is too late: one more block without sound, but
     * nothing was waited for, so it does not count against the device */
    mine.cycle.deadline_us = PLENTY_US;
    assert_int_equal(play(4, 1, 1, 64), SHL_HEARD_MISSED);
    assert_int_equal(mine.cycle.score, score);
    assert_int_equal(mine.stats.late, 1);
    assert_int_equal(play(5, 1, 1, 64), SHL_HEARD_DEVICE);
    assert_true(sounds(4, 1, 1, 64));
}

static void events_of_a_missed_block_are_late_once(void **state)
{
    (void)state;
    begin(1, 1, SHL_DRIVE_LOCKSTEP);
    mine.cycle.deadline_us = 1000;
    slow(LONG_US);
    play(0, 1, 1, 64);
    send_note(1, 10);
    for (uint32_t n = 1; n < 6; n++)
        assert_int_equal(play(n, 1, 1, 64), SHL_HEARD_MISSED);
    assert_int_equal(mine.stats.delayed, 1);
    settle();
    mine.cycle.deadline_us = PLENTY_US;
    mine.cycle.stalled = false;
    assert_int_equal(play(7, 1, 1, 64), SHL_HEARD_DEVICE);
    struct peer_report *report = peer_report(peer);
    assert_int_equal(report->ons, 1);
    assert_int_equal(peer_heard(peer, 0)->offset, 0);
    assert_int_equal(mine.stats.delayed, 1);
}

/* ---- a claim after another --------------------------------------------------------------- */

static void a_new_host_hears_nothing_of_the_last_one(void **state)
{
    struct shl_link_options wanted = options(SHL_DRIVE_LOCKSTEP);
    struct shl_event event;
    struct shl_why why;
    uint32_t offset;
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    for (uint32_t i = 0; i < 50; i++) {
        send_note(i, 0);
        play(i, 0, 1, 64);
    }
    /* events rung and not yet answered, as by a host that is killed */
    mine.cycle.deadline_us = 0;
    slow(LONG_US);
    for (uint32_t i = 0; i < 50; i++)
        send_note(i, 0);
    play(51, 0, 1, 64);
    close_link();
    slow(0);
    assert_int_equal(
        shl_link_open(&mine, peer_report(peer)->segment, &wanted, &why),
        SHL_OK);
    assert_int_equal(accepted(), SHL_OK);
    assert_false(shl_link_event(&mine, &event, &offset));
    send_note(99, 9);
    assert_int_equal(play(0, 0, 1, 64), SHL_HEARD_DEVICE);
    assert_int_equal(hear_one(&event), 9);
    assert_int_equal(event.data[0] >> 8 & 127, 99);
    assert_true(out_memory[0][9] == peer_click(127));
    assert_int_equal(peer_report(peer)->fresh_blocks, 2);
}

/* shows DL-23 */
static void the_claim_is_exclusive(void **state)
{
    struct shl_link_options wanted = options(SHL_DRIVE_LOCKSTEP);
    struct shl_link other;
    struct shl_why why;
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    const char *segment = peer_report(peer)->segment;
    assert_int_equal(shl_link_open(&other, segment, &wanted, &why), SHL_BUSY);
    assert_true(strlen(why.text) > 10);
    close_link();
    assert_int_equal(shl_link_open(&other, segment, &wanted, &why), SHL_OK);
    assert_int_equal(shl_link_open(&mine, segment, &wanted, &why), SHL_BUSY);
    shl_link_close(&other);
}

/* shows DL-16 */
static void another_rate_or_drive_is_refused_with_both_named(void **state)
{
    struct shl_link_options wanted = options(SHL_DRIVE_LOCKSTEP);
    struct shl_link other;
    struct shl_why why;
    (void)state;
    begin(0, 1, SHL_DRIVE_LOCKSTEP);
    close_link();
    const char *segment = peer_report(peer)->segment;
    wanted.rate_hz = 44100;
    assert_int_equal(shl_link_open(&other, segment, &wanted, &why),
                     SHL_WRONG_RATE);
    assert_non_null(strstr(why.text, "48000"));
    assert_non_null(strstr(why.text, "44100"));
    wanted.rate_hz = 48000;
    wanted.drive = SHL_DRIVE_FREE;
    assert_int_equal(shl_link_open(&other, segment, &wanted, &why),
                     SHL_WRONG_DRIVE);
    assert_non_null(strstr(why.text, "free"));
    /* nothing is held after a refusal */
    wanted.drive = SHL_DRIVE_LOCKSTEP;
    assert_int_equal(shl_link_open(&mine, segment, &wanted, &why), SHL_OK);
}

static void a_block_that_the_device_did_not_take_is_silence(void **state)
{
    (void)state;
    begin(1, 1, SHL_DRIVE_LOCKSTEP);
    play(1, 1, 1, 64);
    /* a block of another epoch: the device answers it with 0 frames */
    uint32_t epoch = mine.epoch;
    mine.epoch = epoch + 100;
    assert_int_equal(play(2, 1, 1, 64), SHL_HEARD_DEVICE);
    mine.epoch = epoch;
    for (uint32_t i = 0; i < 64; i++)
        assert_true(out_memory[0][i] == 0);
}

static int start(void **state)
{
    (void)state;
    peer_own_board();
    mine.segment.map.fd = mine.segment.ask.fd = -1;
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++) {
        in[c] = in_memory[c];
        out[c] = out_memory[c];
    }
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lockstep_is_exact_for_every_size_and_channel_count),
        TEST(pipelined_is_exact_and_one_block_late),
        TEST(a_pipelined_block_of_another_size_is_cut_or_filled),
        TEST(channels_that_the_device_lacks_are_silent),
        TEST(inputs_that_the_host_lacks_are_silent),
        TEST(events_keep_their_offset_both_ways_in_lockstep),
        TEST(pipelined_events_come_back_with_their_block),
        TEST(one_ring_keeps_notes_and_parameters_in_order),
        TEST(an_earlier_frame_is_raised_and_counted),
        TEST(an_offset_beyond_the_block_does_not_delay_the_next),
        TEST(a_full_ring_refuses_counts_and_keeps_what_is_in_it),
        TEST(a_full_ring_to_the_host_is_counted_by_the_device),
        TEST(taken_events_go_back_with_the_next_doorbell),
        TEST(a_device_that_never_stops_is_cut_short),
        TEST(what_no_device_can_take_is_refused),
        TEST(parameters_are_known_cached_and_echoed_once),
        TEST(a_later_host_finds_the_present_value),
        TEST(events_go_out_by_themselves_when_flushed),
        TEST(a_pipelined_link_starts_again_after_a_flush),
        TEST(a_late_lockstep_answer_is_counted_and_never_played),
        TEST(a_late_pipelined_answer_is_counted_and_never_played),
        TEST(events_of_a_missed_block_are_late_once),
        TEST(a_new_host_hears_nothing_of_the_last_one),
        TEST(the_claim_is_exclusive),
        TEST(another_rate_or_drive_is_refused_with_both_named),
        TEST(a_block_that_the_device_did_not_take_is_silence),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
