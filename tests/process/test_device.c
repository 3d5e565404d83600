/* SPDX-License-Identifier: MIT */
/* The device role, step by step: the host is a link in the same thread, in the
 * pipelined drive, where no call waits for the other. */
#include "shmlink/device.h"

#include "core/host/link.h"
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
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 20000 /* only a hang is that slow */

static shl_device *device;
static struct shl_link host;
static struct shl_transport transport;
static struct shl_block block;
static float memory[2][2][SHL_MAX_FRAMES];
static const float *const in[2] = {memory[0][0], memory[0][1]};
static float *const out[2] = {memory[1][0], memory[1][1]};

static const struct shl_param params[2] = {
    {.id = 30, .minimum = 0, .maximum = 1, .initial = 0.5, .name = "depth"},
    {.id = 20,
     .flags = SHL_PARAM_READ_ONLY,
     .minimum = 0,
     .maximum = 1,
     .name = "meter"}};

static struct shl_device_options usual(void)
{
    return (struct shl_device_options){
        .id = "Probe",
        .in_channels = 2,
        .out_channels = 2,
        .rate_hz = 48000,
        .block_frames = 64,
        .latency_frames = 17,
        .capabilities = SHL_CAP_MIDI_IN | SHL_CAP_PARAMS | SHL_CAP_PARAM_OUT,
        .params = params,
        .param_count = 2};
}

static int set_up(void **state)
{
    struct shl_device_options options = usual();
    struct shl_why why;
    (void)state;
    transport = shl_transport_default(48000);
    return shl_device_open(&options, &device, &why) != SHL_OK;
}

static int tear_down(void **state)
{
    char segment[40];
    (void)state;
    if (!device)
        return 0;
    snprintf(segment, sizeof segment, "%s", shl_device_segment(device));
    if (host.epoch)
        shl_link_close(&host);
    shl_device_close(device);
    device = NULL;
    return peer_there(segment);
}

static shl_status open_host(const char *tag)
{
    struct shl_link_options options = {.tag = tag,
                                       .rate_hz = 48000,
                                       .block_frames = 64,
                                       .in_channels = 2,
                                       .out_channels = 2,
                                       .drive = SHL_DRIVE_PIPELINED,
                                       .deadline_us = 20000000};
    struct shl_why why;
    return shl_link_open(&host, shl_device_segment(device), &options, &why);
}

/* What becomes of a claim: the keeper may have to make it ready. */
static shl_status answer(void)
{
    shl_status st = SHL_AGAIN;
    for (int i = 0; i < LIMIT_MS && st == SHL_AGAIN; i++) {
        assert_int_equal(shl_device_wait(device, 1, &block), SHL_TIMEOUT);
        st = shl_link_state(&host);
    }
    return st;
}

/* A host comes and is accepted. */
static void host_comes(void)
{
    assert_int_equal(open_host(""), SHL_OK);
    assert_int_equal(shl_link_state(&host), SHL_AGAIN);
    assert_int_equal(answer(), SHL_OK);
}

/* A host dies: its lease goes, its epoch stays. */
static void host_dies(void)
{
    struct shl_segment *segment = &host.segment;
    shl_segment_close(segment);
    host.epoch = 0;
    shl_link_close(&host);
}

static void play(uint32_t frames)
{
    shl_link_play(&host, in, 2, out, 2, frames, &transport);
}

static void next_block(void)
{
    assert_int_equal(shl_device_wait(device, 0, &block), SHL_OK);
}

static void send(uint8_t status, uint8_t data1, uint8_t data2)
{
    struct shl_event event = shl_event_midi(0, 0, status, data1, data2);
    assert_int_equal(shl_link_send(&host, &event, 0), SHL_OK);
}

static uint32_t events_now(void)
{
    struct shl_event event;
    uint32_t count = 0;
    while (shl_device_event(device, &event))
        count++;
    return count;
}

/* ---- opening ------------------------------------------------------------------ */

static void expect_refusal(const struct shl_device_options *options,
                           shl_status expected)
{
    struct shl_why why = {""};
    shl_device *none = NULL;
    uint32_t before = peer_descriptors();
    assert_int_equal(shl_device_open(options, &none, &why), expected);
    assert_null(none);
    assert_true(strlen(why.text) > 10);
    assert_int_equal(peer_descriptors(), before);
    assert_int_equal(shl_device_open(options, &none, NULL), expected);
}

static void what_cannot_be_is_refused_with_a_sentence(void **state)
{
    static const double rates[] = {0, -1, (double)NAN, (double)INFINITY};
    static const char *const ids[] = {"", "-x", "a/b", "lv2", "a\nb"};
    struct shl_device_options options;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        options = usual();
        options.rate_hz = rates[i];
        expect_refusal(&options, SHL_BAD_VALUE);
    }
    for (size_t i = 0; i < 5; i++) {
        options = usual();
        options.id = ids[i];
        expect_refusal(&options, SHL_BAD_NAME);
    }
    options = usual();
    options.in_channels = 33;
    expect_refusal(&options, SHL_WRONG_CHANNELS);
    options = usual();
    options.block_frames = 4097;
    expect_refusal(&options, SHL_WRONG_BLOCK);
    options.block_frames = 0;
    expect_refusal(&options, SHL_WRONG_BLOCK);
    options = usual();
    options.param_count = 1025;
    expect_refusal(&options, SHL_BAD_VALUE);
    options = usual();
    options.id = "Probe:0";
    expect_refusal(&options, SHL_TAKEN);
}

static void parameters_must_make_sense_and_differ(void **state)
{
    struct shl_param bad[2] = {params[0], params[0]};
    struct shl_device_options options = usual();
    (void)state;
    options.params = bad;
    expect_refusal(&options, SHL_BAD_VALUE);
    bad[1] = params[1];
    bad[1].maximum = (double)NAN;
    expect_refusal(&options, SHL_BAD_VALUE);
}

/* shows DL-21 */
static void a_second_device_gets_the_next_number(void **state)
{
    struct shl_device_options options = usual();
    struct shl_why why;
    shl_device *second;
    (void)state;
    assert_string_equal(shl_device_id(device), "Probe:0");
    assert_int_equal(shl_device_open(&options, &second, &why), SHL_OK);
    assert_string_equal(shl_device_id(second), "Probe:1");
    shl_device_close(second);
}

static void nobody_there_is_a_timeout(void **state)
{
    struct shl_host_info info;
    (void)state;
    assert_int_equal(shl_device_wait(device, 0, &block), SHL_TIMEOUT);
    assert_int_equal(shl_device_wait(device, 20, &block), SHL_TIMEOUT);
    assert_false(shl_device_claimed(device, &info));
    shl_device_done(device); /* not working: nothing happens */
    struct shl_device_stats stats;
    shl_device_get_stats(device, &stats);
    assert_int_equal(stats.blocks, 0);
    shl_device_close(NULL);
}

/* ---- claims -------------------------------------------------------------------- */

/* shows DL-16 DL-19 */
static void a_claim_is_accepted_and_named(void **state)
{
    struct shl_host_info info;
    (void)state;
    host_comes();
    assert_true(shl_device_claimed(device, &info));
    assert_int_equal(info.pid, getpid());
    assert_int_equal(info.drive, SHL_DRIVE_PIPELINED);
    assert_true(info.rate_hz == 48000);
    shl_link_close(&host);
    assert_int_equal(shl_device_wait(device, 0, &block), SHL_TIMEOUT);
    assert_false(shl_device_claimed(device, &info));
}

/* What a host of another make might ask for, past the checks of our own. */
static void expect_judgement(struct shl_claim claim, shl_status expected)
{
    host.epoch = shl_segment_claim_write(&host.segment, &claim);
    host.accepted = false;
    assert_int_equal(answer(), expected);
}

/* shows DL-16 */
static void a_claim_that_cannot_be_is_refused_with_its_reason(void **state)
{
    (void)state;
    host_comes();
    struct shl_claim good = host.claim, bad = good;
    bad.rate_hz = 44100;
    expect_judgement(bad, SHL_WRONG_RATE);
    bad.rate_hz = (double)NAN;
    expect_judgement(bad, SHL_WRONG_RATE);
    bad = good;
    bad.drive = SHL_DRIVE_FREE;
    expect_judgement(bad, SHL_WRONG_DRIVE);
    bad = good;
    bad.mode = SHL_MODE_AUDIO | SHL_MODE_MIDI;
    expect_judgement(bad, SHL_WRONG_MODE);
    bad = good;
    bad.block_frames = 4097;
    expect_judgement(bad, SHL_WRONG_BLOCK);
    bad = good;
    bad.in_channels = 33;
    expect_judgement(bad, SHL_WRONG_CHANNELS);
    expect_judgement(good, SHL_OK);
}

static void a_refused_host_gets_no_block(void **state)
{
    (void)state;
    host_comes();
    struct shl_claim bad = host.claim;
    bad.rate_hz = 1;
    expect_judgement(bad, SHL_WRONG_RATE);
    play(64);
    assert_int_equal(shl_device_wait(device, 0, &block), SHL_TIMEOUT);
    assert_int_equal(atomic_load(&host.segment.lines->device.frames), 0);
}

static void a_claim_in_the_middle_of_being_written_is_refused(void **state)
{
    (void)state;
    assert_int_equal(open_host(""), SHL_OK);
    /* its host died between the two stores of the sequence */
    atomic_fetch_add(&host.segment.claim->seqlock.sequence, 1);
    assert_int_equal(answer(), SHL_BAD_PEER);
    /* the next one goes on from there */
    shl_link_close(&host);
    host_comes();
}

/* Its keeper may have begun with it, be done with it, or not know of it. */
static void a_claim_that_is_gone_before_it_is_ready_is_nobodys(void **state)
{
    struct shl_host_info info;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(open_host("gone"), SHL_OK);
        assert_int_equal(shl_device_wait(device, 0, &block), SHL_TIMEOUT);
        shl_link_close(&host);
        assert_int_equal(open_host("next"), SHL_OK);
        assert_int_equal(answer(), SHL_OK);
        assert_true(shl_device_claimed(device, &info));
        assert_string_equal(info.tag, "next");
        play(64);
        next_block();
        shl_device_done(device);
        tear_down(NULL); /* a new device has no planes yet */
        assert_int_equal(set_up(state), 0);
    }
}

/* shows DL-27 */
static void the_tag_of_a_host_stays(void **state)
{
    char tag[64] = "";
    (void)state;
    assert_int_equal(open_host("lead"), SHL_OK);
    for (int i = 0; i < 2000 && strcmp(tag, "lead"); i++) {
        shl_device_wait(device, 5, &block);
        shl_device_get_tag(device, tag);
    }
    assert_string_equal(tag, "lead");
    shl_link_tag(&host, "bass"); /* changed while linked */
    for (int i = 0; i < 2000 && strcmp(tag, "bass"); i++) {
        shl_device_wait(device, 5, &block);
        shl_device_get_tag(device, tag);
    }
    assert_string_equal(tag, "bass");
    shl_link_close(&host);
    host_comes(); /* without a tag */
    shl_device_wait(device, 250, &block);
    shl_device_get_tag(device, tag);
    assert_string_equal(tag, "bass");
}

/* ---- what is left sounding ------------------------------------------------------- */

/* Three notes, a pedal, a wheel; one note has ended by itself. */
static void sound_something(void)
{
    send(0x90, 60, 100);
    send(0x90, 64, 100);
    send(0x93, 67, 100);
    send(0x90, 70, 100);
    send(0x80, 70, 0);
    send(0xB0, 64, 127);
    send(0xE0, 0, 0x50);
    play(64);
    next_block();
    assert_int_equal(events_now(), 7);
    shl_device_done(device);
}

/* One block of 0 frames brings 3 offs, 1 pedal, 1 wheel; then no more. */
static void expect_release(void)
{
    uint32_t offs = 0, pedals = 0, bends = 0, others = 0;
    struct shl_event event;
    assert_int_equal(block.frames, 0);
    while (shl_device_event(device, &event)) {
        uint32_t status = event.data[0] >> 20 & 0xF;
        if (status == 8)
            offs++;
        else if (status == 0xB && (event.data[0] & 0x7FFF) == 64 << 8)
            pedals++;
        else if (status == 0xE && (event.data[0] & 0x7F7F) == 0x40)
            bends++;
        else
            others++;
    }
    shl_device_done(device);
    assert_int_equal(offs, 3);
    assert_int_equal(pedals, 1);
    assert_int_equal(bends, 1);
    assert_int_equal(others, 0);
    assert_int_equal(shl_device_wait(device, 150, &block), SHL_TIMEOUT);
}

static void a_host_that_leaves_lets_go_of_its_notes_once(void **state)
{
    (void)state;
    host_comes();
    sound_something();
    shl_link_close(&host);
    next_block();
    expect_release();
}

static void a_host_that_dies_lets_go_of_its_notes_once(void **state)
{
    (void)state;
    host_comes();
    sound_something();
    host_dies();
    assert_int_equal(shl_device_wait(device, 20000, &block), SHL_OK);
    expect_release();
    struct shl_host_info info;
    assert_false(shl_device_claimed(device, &info));
}

static void a_host_that_takes_over_comes_after_the_release(void **state)
{
    (void)state;
    host_comes();
    sound_something();
    host_dies();
    assert_int_equal(open_host(""), SHL_OK);
    next_block(); /* before the keeper has looked, or after: the release */
    assert_int_equal(shl_link_state(&host), SHL_AGAIN);
    expect_release();
    assert_int_equal(shl_link_state(&host), SHL_OK);
    send(0x90, 1, 1);
    play(64);
    next_block();
    assert_int_equal(block.fresh, 1);
    assert_int_equal(events_now(), 1);
    shl_device_done(device);
}

static void events_that_nobody_fetched_are_followed(void **state)
{
    (void)state;
    host_comes();
    send(0x90, 60, 100);
    play(64);
    next_block();
    shl_device_done(device); /* without looking */
    shl_link_close(&host);
    next_block();
    assert_int_equal(events_now(), 1);
}

static void a_block_rung_by_a_dead_host_is_not_played(void **state)
{
    (void)state;
    host_comes();
    send(0x90, 60, 100);
    play(64);
    host_dies();
    assert_int_equal(open_host(""), SHL_OK);
    assert_true(host.cycle.outstanding);
    assert_int_equal(answer(), SHL_OK);
    play(64); /* finds the old answer, rings its own */
    next_block();
    assert_int_equal(block.fresh, 1);
    assert_int_equal(events_now(), 0);
}

/* ---- blocks ---------------------------------------------------------------------- */

/* shows MP-25 */
static void a_block_shows_frames_planes_and_transport(void **state)
{
    (void)state;
    host_comes();
    transport.tempo = 97;
    transport.playing = 1;
    memory[0][0][5] = 0.25f;
    memory[0][1][6] = 0.5f;
    play(100);
    next_block();
    assert_int_equal(block.frames, 100);
    assert_int_equal(block.frame, 0);
    assert_int_equal(block.fresh, 1);
    assert_true(block.in[0][5] == 0.25f && block.in[1][6] == 0.5f);
    assert_true(block.transport.tempo == 97 && block.transport.playing == 1);
    block.out[1][99] = 3;
    shl_device_done(device);
    play(64);
    assert_true(out[1][63] == 0);
    next_block();
    assert_int_equal(block.frame, 100);
    assert_int_equal(block.fresh, 0);
}

static void an_impossible_block_is_answered_with_nothing(void **state)
{
    (void)state;
    host_comes();
    struct shl_lines *lines = host.segment.lines;
    for (uint32_t bad = 0; bad < 3; bad++) {
        shl_cycle_ring(&host.cycle, 0, bad == 0 ? 4097 : 64, bad == 1 ? 33 : 2,
                       2, host.epoch + (bad == 2 ? 2 : 0));
        assert_int_equal(shl_device_wait(device, 0, &block), SHL_TIMEOUT);
        assert_true(shl_cycle_collect(&host.cycle));
        assert_int_equal(atomic_load(&lines->device.frames), 0);
    }
    play(64);
    next_block();
}

static void a_transport_that_makes_no_sense_is_the_usual_one(void **state)
{
    static const double tempos[] = {(double)NAN, (double)INFINITY, 0, -1};
    (void)state;
    host_comes();
    for (size_t i = 0; i < 4; i++) {
        transport.tempo = tempos[i];
        play(64);
        next_block();
        assert_true(block.transport.tempo == 120);
        shl_device_done(device);
    }
}

/* Write what a host could never write into the ring, in one block. */
static void push_raw(const struct shl_event *event)
{
    struct shl_event *slot = shl_ring_push(&host.to_device);
    assert_non_null(slot);
    *slot = *event;
}

/* shows MP-12 */
static void events_land_inside_the_block_whatever_they_say(void **state)
{
    static const uint64_t frames[] = {0, 63, 64, 1000, UINT64_MAX, 64 + 5};
    struct shl_event event;
    (void)state;
    host_comes();
    play(64);
    next_block();
    shl_device_done(device);
    for (size_t i = 0; i < 6; i++) {
        event = shl_event_midi(frames[i], 0, 0x90, 60, 1);
        push_raw(&event);
    }
    play(64);
    next_block();
    static const uint64_t offsets[] = {0, 0, 0, 63, 63, 5};
    for (size_t i = 0; i < 6; i++) {
        assert_true(shl_device_event(device, &event));
        assert_int_equal(event.frame - block.frame, offsets[i]);
    }
    struct shl_device_stats stats;
    shl_device_get_stats(device, &stats);
    assert_int_equal(stats.events_bad, 2);
}

static void events_that_make_no_sense_are_counted_and_skipped(void **state)
{
    struct shl_event bad[5] = {
        {.kind = 0, .size = 4},
        {.kind = SHL_EVENT_UMP, .size = 65535, .data = {0x20903C64}},
        shl_event_param(0, SHL_EVENT_PARAM, 30, (double)NAN),
        shl_event_param(0, SHL_EVENT_PARAM, 31, 0), /* no such parameter */
        shl_event_param(0, SHL_EVENT_PARAM, 20, 1)  /* a meter */
    };
    struct shl_event event;
    (void)state;
    host_comes();
    for (size_t i = 0; i < 5; i++)
        push_raw(&bad[i]);
    send(0x90, 60, 1);
    play(64);
    next_block();
    assert_true(shl_device_event(device, &event));
    assert_int_equal(event.data[0], 0x20903C01);
    assert_false(shl_device_event(device, &event));
    struct shl_device_stats stats;
    shl_device_get_stats(device, &stats);
    assert_int_equal(stats.events_bad, 5);
    assert_int_equal(atomic_load(&host.segment.counters->device_events_bad), 5);
}

static void an_impossible_ring_is_counted_and_started_over(void **state)
{
    (void)state;
    host_comes();
    shl_ring_publish(&host.to_device);
    atomic_fetch_add(&host.segment.lines->host.event_write, 100000);
    shl_cycle_ring(&host.cycle, 0, 64, 2, 2, host.epoch);
    next_block();
    assert_int_equal(events_now(), 0);
    shl_device_done(device);
    struct shl_device_stats stats;
    shl_device_get_stats(device, &stats);
    assert_int_equal(stats.events_bad, 1);
}

/* ---- what the device says ------------------------------------------------------------ */

static void the_device_speaks_only_inside_a_block(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 30, 0.75);
    (void)state;
    assert_int_equal(shl_device_send(device, &event), SHL_NO_DEVICE);
    host_comes();
    assert_true(host.values[0] == 0.75); /* kept all the same */
    event = shl_event_param(0, SHL_EVENT_PARAM, 30, (double)INFINITY);
    assert_int_equal(shl_device_send(device, &event), SHL_BAD_VALUE);
    event = shl_event_param(0, SHL_EVENT_PARAM, 31, 0);
    assert_int_equal(shl_device_send(device, &event), SHL_NOT_FOUND);
}

static void what_it_says_stays_in_its_block_and_in_order(void **state)
{
    struct shl_event event;
    uint32_t offset;
    (void)state;
    host_comes();
    play(64);
    next_block();
    static const uint64_t frames[] = {10, 5, 5000, 3};
    static const uint32_t offsets[] = {10, 10, 63, 63};
    for (size_t i = 0; i < 4; i++) {
        event = shl_event_param(frames[i], SHL_EVENT_PARAM, 20, 1);
        assert_int_equal(shl_device_send(device, &event), SHL_OK);
    }
    shl_device_done(device);
    play(64);
    for (size_t i = 0; i < 4; i++) {
        assert_true(shl_link_event(&host, &event, &offset));
        assert_int_equal(offset, offsets[i]);
    }
    assert_false(shl_link_event(&host, &event, &offset));
    struct shl_device_stats stats;
    shl_device_get_stats(device, &stats);
    assert_int_equal(stats.events_raised, 2);
    next_block();
    event = shl_event_param(64 + 3, SHL_EVENT_PARAM, 20, 1);
    shl_device_send(device, &event);
    shl_device_done(device);
    play(64);
    assert_true(shl_link_event(&host, &event, &offset));
    assert_int_equal(offset, 3); /* not held back by the one before */
}

/* shows MP-47 */
static void its_latency_can_change(void **state)
{
    (void)state;
    host_comes();
    assert_int_equal(shl_link_device_latency(&host), 17);
    shl_device_set_latency(device, 300);
    assert_int_equal(shl_link_device_latency(&host), 300);
    shl_device_set_latency(device, 0xFFFFFFFF);
    assert_true(shl_link_device_latency(&host) <= 10000000);
}

/* ---- bad ends ------------------------------------------------------------------------- */

static void a_cut_segment_is_noticed_by_both_and_nobody_dies(void **state)
{
    if (PEER_THREAD_SANITIZER)
        skip();
    for (uint64_t size = 0; size <= 4096; size += 4096) {
        host_comes();
        play(64);
        assert_true(peer_cut(shl_device_segment(device), size));
        assert_int_equal(shl_device_wait(device, 1000, &block), SHL_BAD_PEER);
        host.cycle.deadline_us = 1000;
        play(64);
        assert_int_equal(shl_link_state(&host), SHL_BAD_PEER);
        tear_down(NULL); /* here our own handler of faults is on top */
        assert_int_equal(set_up(state), 0);
    }
}

static void hosts_that_come_and_go_wildly_do_no_harm(void **state)
{
    uint64_t random = 1;
    (void)state;
    host_comes();
    for (int i = 0; i < 20000; i++) {
        uint64_t r = peer_random(&random);
        if (r & 1)
            atomic_store(&host.segment.claim->epoch, (uint32_t)(r >> 32));
        if (r & 2)
            atomic_store(&host.segment.lines->host.doorbell,
                         (uint32_t)(r >> 16));
        shl_status st = shl_device_wait(device, 0, &block);
        assert_true(st == SHL_OK || st == SHL_TIMEOUT);
        if (st == SHL_OK)
            shl_device_done(device);
    }
}

static int start(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_is_refused_with_a_sentence),
        TEST(parameters_must_make_sense_and_differ),
        TEST(a_second_device_gets_the_next_number),
        TEST(nobody_there_is_a_timeout),
        TEST(a_claim_is_accepted_and_named),
        TEST(a_claim_that_cannot_be_is_refused_with_its_reason),
        TEST(a_refused_host_gets_no_block),
        TEST(a_claim_in_the_middle_of_being_written_is_refused),
        TEST(a_claim_that_is_gone_before_it_is_ready_is_nobodys),
        TEST(the_tag_of_a_host_stays),
        TEST(a_host_that_leaves_lets_go_of_its_notes_once),
        TEST(a_host_that_dies_lets_go_of_its_notes_once),
        TEST(a_host_that_takes_over_comes_after_the_release),
        TEST(events_that_nobody_fetched_are_followed),
        TEST(a_block_rung_by_a_dead_host_is_not_played),
        TEST(a_block_shows_frames_planes_and_transport),
        TEST(an_impossible_block_is_answered_with_nothing),
        TEST(a_transport_that_makes_no_sense_is_the_usual_one),
        TEST(events_land_inside_the_block_whatever_they_say),
        TEST(events_that_make_no_sense_are_counted_and_skipped),
        TEST(an_impossible_ring_is_counted_and_started_over),
        TEST(the_device_speaks_only_inside_a_block),
        TEST(what_it_says_stays_in_its_block_and_in_order),
        TEST(its_latency_can_change),
        TEST(a_cut_segment_is_noticed_by_both_and_nobody_dies),
        TEST(hosts_that_come_and_go_wildly_do_no_harm),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
