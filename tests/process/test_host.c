/* SPDX-License-Identifier: MIT */
/* The host role with a polite device in another process: finding it, events in
 * their time, planes, bypass, and what is known. */
#include "hosting.h"

#include <cmocka.h> /* the rule that links looks for it here */
#include <math.h>
#include <stdlib.h>

/* ---- finding --------------------------------------------------------------------- */

/* shows DL-11 */
static void nobody_there_is_said_and_waited_for(void **state)
{
    char why[256];
    (void)state;
    new_host(usual());
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "open"));
    assert_int_equal(shl_host_open(host, "Peer", 0), SHL_NOT_FOUND);
    assert_int_equal(shl_host_open(host, "Peer", 30), SHL_NOT_FOUND);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "Peer"));
    assert_false(play(1, 64));
    assert_true(constant(0, 64));
    new_peer((struct peer_wish){0});
    assert_true(wait_notice(SHL_NOTICE_OPEN));
    assert_string_equal(notice.id, "Peer:0");
    assert_true(wait_sound());
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "linked"));
}

static void events_are_heard_when_the_device_has_read_them(void **state)
{
    (void)state;
    new_host(usual());
    assert_true(shl_host_heard(host)); /* there is nobody who could */
    shl_host_free(host);
    link_both(usual(), (struct peer_wish){0});
    assert_true(shl_host_heard(host));
    send_midi(0x90, 60, 100, 0);
    assert_false(shl_host_heard(host));
    for (int i = 0; i < LIMIT_MS && !shl_host_heard(host); i++)
        play(0, 64);
    assert_true(shl_host_heard(host));
}

static void a_name_that_cannot_be_is_refused(void **state)
{
    char why[256];
    (void)state;
    new_host(usual());
    assert_int_equal(shl_host_open(host, "a/b", 0), SHL_BAD_NAME);
    assert_int_equal(shl_host_open(host, "", 0), SHL_BAD_NAME);
    assert_int_equal(shl_host_set_tag(host, "a\nb"), SHL_BAD_NAME);
    shl_host_why(host, why, sizeof why);
    assert_true(strlen(why) > 10);
}

static void without_a_wish_it_is_a_wire(void **state)
{
    (void)state;
    new_host(usual());
    assert_false(play(0.5f, 64));
    assert_true(constant(0.5f, 64));
}

/* shows DL-25 */
static void a_busy_device_names_its_host_and_is_taken_when_free(void **state)
{
    struct shl_host_options options = usual();
    char why[256];
    shl_host *second;
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    assert_int_equal(shl_host_new(&options, &second), SHL_OK);
    assert_int_equal(shl_host_open(second, "Peer:0", 0), SHL_BUSY);
    shl_host_why(second, why, sizeof why);
    assert_non_null(strstr(why, "claimed in this very program"));
    assert_true(wait_sound());
    shl_host_close(host);
    assert_int_equal(shl_host_linked(host), 0);
    for (int i = 0; i < LIMIT_MS && shl_host_linked(second) < 2; i++) {
        shl_host_poll(second);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(second), 2);
    assert_int_equal(shl_host_open(host, "Peer:0", 0), SHL_BUSY);
    shl_host_free(second);
}

static void another_rate_is_refused_with_both(void **state)
{
    struct shl_host_options options = usual();
    char why[256];
    (void)state;
    options.rate_hz = 44100;
    new_peer((struct peer_wish){0});
    new_host(options);
    assert_int_equal(shl_host_open(host, "Peer", 0), SHL_WRONG_RATE);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "44100"));
    assert_non_null(strstr(why, "48000"));
    /* it is heard as soon as the rates agree, and lost when they do not */
    assert_int_equal(shl_host_setup(host, 48000, 64), SHL_OK);
    assert_true(wait_sound());
    assert_int_equal(shl_host_setup(host, 96000, 64), SHL_WRONG_RATE);
    assert_int_equal(shl_host_linked(host), 0);
    assert_int_equal(shl_host_setup(host, (double)NAN, 64), SHL_BAD_VALUE);
    assert_int_equal(shl_host_setup(host, 48000, 4097), SHL_WRONG_BLOCK);
    assert_int_equal(shl_host_setup(host, 48000, 128), SHL_OK);
    assert_true(wait_sound());
}

static void a_drive_that_it_lacks_is_refused(void **state)
{
    struct shl_host_options options = usual();
    char why[256];
    (void)state;
    options.drive = SHL_DRIVE_PIPELINED;
    new_peer((struct peer_wish){.drives = SHL_DRIVE_LOCKSTEP});
    new_host(options);
    assert_int_equal(shl_host_open(host, "Peer", 0), SHL_WRONG_DRIVE);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "pipelined"));
}

/* shows DL-27 */
static void a_tag_finds_its_device_again(void **state)
{
    struct shl_device_info info;
    struct peer_wish wish = {.out = 1, .tag = "lead"};
    (void)state;
    new_peer((struct peer_wish){0});
    struct peer *second = peer_start(&wish);
    new_host(usual());
    assert_int_equal(shl_host_set_tag(host, "lead"), SHL_OK);
    assert_int_equal(shl_host_open(host, "Peer:0", LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_string_equal(info.id, "Peer:1");
    peer_free(second);
}

/* ---- events in time ---------------------------------------------------------------------------- */

static void a_poll_between_blocks_does_not_move_events(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    struct peer_report *report = peer_report(peer);
    play(1, 64);
    for (uint32_t i = 0; i < 64; i++) {
        send_midi(0x90, 60, 1, i);
        shl_host_poll(host);
        play(1, 64);
        assert_int_equal(report->log[i].offset, i);
        assert_int_equal(report->log[i].block, i + 1);
    }
    assert_int_equal(report->empty_blocks, 0);
}

static void a_poll_does_not_cost_a_pipelined_block(void **state)
{
    struct shl_host_options options = usual();
    (void)state;
    options.drive = SHL_DRIVE_PIPELINED;
    link_both(options, (struct peer_wish){0});
    play(0, 64);
    for (uint32_t i = 1; i < 100; i++) {
        usleep(500);
        send_midi(0x90, 60, 0, 0);
        shl_host_poll(host);
        assert_true(play((float)i, 64));
        assert_true(out_memory[0][1] == (float)(i - 1));
    }
}

static void without_audio_events_go_by_poll(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    play(1, 64); /* audio ran, and has stopped */
    for (uint32_t n = 1; n <= 3; n++) {
        send_midi(0x90, 60, 1, 17);
        for (int i = 0; i < LIMIT_MS && peer_report(peer)->ons < n; i++) {
            shl_host_poll(host);
            usleep(1000);
        }
        assert_int_equal(peer_report(peer)->ons, n);
    }
    assert_true(peer_report(peer)->empty_blocks >= 3);
    assert_true(wait_sound()); /* and it runs again */
    assert_int_equal(stats_now().missed, 0);
}

/* ---- planes, bypass ------------------------------------------------------------------------------ */

/* What goes in must be read before anything comes out, also of a block before.
 */
static void inputs_and_outputs_may_be_the_same_memory(void **state)
{
    struct shl_host_options options = usual();
    struct peer_wish wish = {.in = 2, .out = 2};
    float a[64], b[64];
    const float *const ins[2] = {a, b};
    float *const outs[2] = {b, a}; /* crosswise */
    (void)state;
    options.in_channels = options.out_channels = 2;
    for (uint32_t drive = 1; drive <= 2; drive++) {
        options.drive = drive;
        peer = peer_start(&wish);
        new_host(options);
        assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
        for (uint32_t n = 0; n < 4; n++) {
            for (uint32_t i = 0; i < 64; i++) {
                a[i] = (float)(n * 64 + i);
                b[i] = -(float)(n * 64 + i);
            }
            bool came = shl_host_process(host, ins, outs, 64);
            assert_int_equal(came, drive == 1 || n > 0);
            for (uint32_t i = 0; came && i < 64; i++) {
                float value = (float)((n - (drive - 1)) * 64 + i);
                assert_true(b[i] == value && a[i] == -value);
            }
        }
        tear_down(NULL);
    }
}

static uint32_t ramp;

/* A slow ramp goes in; the largest step that comes out. */
static float step_of_block(uint32_t frames)
{
    static float before;
    float largest = 0;
    for (uint32_t i = 0; i < frames; i++)
        in_memory[0][i] = (float)ramp++ / 65536;
    shl_host_process(host, in, out, frames);
    for (uint32_t i = 0; i < frames; i++) {
        float step = fabsf(out_memory[0][i] - before);
        if (step > largest && ramp > frames)
            largest = step;
        before = out_memory[0][i];
    }
    return largest;
}

static void bypass_makes_no_step(void **state)
{
    static const uint32_t modes[] = {0, 1, 0, 2, 0, 1, 2, 1, 0, 2};
    struct shl_event louder = shl_event_param(0, SHL_EVENT_PARAM, 7, 2);
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    ramp = 0;
    step_of_block(64);
    shl_host_send(host, &louder, 0); /* wet is not dry */
    for (int i = 0; i < 2; i++)
        step_of_block(64);
    for (size_t m = 0; m < 10; m++) {
        shl_host_set_bypass(host, modes[m]);
        for (int i = 0; i < 4; i++) {
            float step = step_of_block(64);
            assert_true(step < 0.1f);
        }
    }
}

/* shows ME-07 */
static void hard_bypass_is_the_input_as_late_as_the_link(void **state)
{
    struct shl_host_options options = usual();
    (void)state;
    for (uint32_t drive = 1; drive <= 2; drive++) {
        uint32_t latency = 100 + (drive == 2 ? 64 : 0);
        options.drive = drive;
        link_both(options, (struct peer_wish){.latency = 100});
        assert_int_equal(shl_host_latency(host), latency);
        assert_int_equal(shl_host_link_latency(host), drive == 2 ? 64 : 0);
        shl_host_set_bypass(host, 1);
        ramp = 0;
        for (uint32_t n = 0; n < 100; n++) {
            uint32_t first = ramp;
            step_of_block(64);
            for (uint32_t i = 0; i < 64 && n > 4; i++)
                assert_true(out_memory[0][i] ==
                            (float)(first + i - latency) / 65536);
        }
        tear_down(NULL);
    }
}

static void soft_bypass_sends_silence_and_lets_it_ring_out(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    play(1, 64);
    shl_host_set_bypass(host, 2);
    play(1, 64);
    play(1, 64);
    assert_true(constant(1, 64)); /* dry alone: the device hears silence */
    send_midi(0x90, 60, 64, 10);
    play(1, 64);
    assert_true(out_memory[0][10] == 1 + peer_click(64)); /* and is heard */
}

/* shows ME-02 ME-14 */
static void hard_bypass_goes_on_without_the_device(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    shl_host_set_deadline(host, 1);
    play(0.5f, 64);
    shl_host_set_bypass(host, 1);
    play(0.5f, 64);
    peer_kill(peer);
    for (int i = 0; i < 300; i++) {
        play(0.5f, 64);
        assert_true(constant(0.5f, 64));
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0);
}

/* ---- what is known -------------------------------------------------------------------------------- */

static void what_is_wrong_is_refused_at_making(void **state)
{
    struct shl_host_options options = usual();
    shl_host *none;
    (void)state;
    options.in_channels = 33;
    assert_int_equal(shl_host_new(&options, &none), SHL_WRONG_CHANNELS);
    options = usual();
    options.block_frames = 0;
    assert_int_equal(shl_host_new(&options, &none), SHL_WRONG_BLOCK);
    options = usual();
    options.rate_hz = (double)NAN;
    assert_int_equal(shl_host_new(&options, &none), SHL_BAD_VALUE);
    options = usual();
    options.drive = SHL_DRIVE_LOCKSTEP | SHL_DRIVE_FREE;
    assert_int_equal(shl_host_new(&options, &none), SHL_WRONG_DRIVE);
    options = usual();
    options.registry = "no board!";
    assert_int_equal(shl_host_new(&options, &none), SHL_BAD_NAME);
    shl_host_free(NULL);
}

static void parameters_are_found_by_name_and_id(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 7, 3);
    (void)state;
    new_host(usual());
    assert_int_equal(shl_host_send(host, &event, 0), SHL_NO_DEVICE);
    assert_null(shl_host_param(host, 0));
    tear_down(NULL);
    link_both(usual(), (struct peer_wish){0});
    assert_int_equal(shl_host_param_count(host), 2);
    assert_int_equal(shl_host_param_find(host, "meter"), 1);
    assert_int_equal(shl_host_param_find(host, "nothing"), -1);
    assert_int_equal(shl_host_param_index(host, 7), 0);
    assert_string_equal(shl_host_param(host, 0)->name, "gain");
    assert_null(shl_host_param(host, 2));
    assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
    assert_true(shl_host_param_value(host, 0) == 3);
}

static void figures_last_over_several_links(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    for (int i = 0; i < 10; i++)
        play(1, 64);
    send_midi(0x90, 60, 1, 0); /* never sent */
    shl_host_close(host);
    assert_int_equal(stats_now().blocks, 10);
    assert_int_equal(stats_now().events_dropped, 1);
    assert_int_equal(shl_host_open(host, "*", LIMIT_MS), SHL_OK);
    for (int i = 0; i < 10; i++)
        play(1, 64);
    assert_int_equal(stats_now().blocks, 20);
    assert_int_equal(stats_now().links, 2);
}

/* Whatever the device is: its samples go on to loudspeakers, and to filters that
 * never get rid of them. */
static void samples_that_are_no_numbers_are_silence(void **state)
{
    struct shl_host_stats stats;
    char why[300];

    (void)state;
    link_both(usual(), (struct peer_wish){0});
    assert_true(wait_sound());
    assert_true(play(NAN, 64));
    assert_true(constant(0, 64));
    assert_true(play(-INFINITY, 64));
    assert_true(constant(0, 64));
    assert_true(play(1, 64));
    assert_true(constant(1, 64));
    shl_host_get_stats(host, &stats);
    assert_int_equal(stats.samples_bad, 128);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "no numbers, and are silence: 128"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nobody_there_is_said_and_waited_for),
        TEST(events_are_heard_when_the_device_has_read_them),
        TEST(a_name_that_cannot_be_is_refused),
        TEST(without_a_wish_it_is_a_wire),
        TEST(a_busy_device_names_its_host_and_is_taken_when_free),
        TEST(another_rate_is_refused_with_both),
        TEST(a_drive_that_it_lacks_is_refused),
        TEST(a_tag_finds_its_device_again),
        TEST(a_poll_between_blocks_does_not_move_events),
        TEST(a_poll_does_not_cost_a_pipelined_block),
        TEST(without_audio_events_go_by_poll),
        TEST(inputs_and_outputs_may_be_the_same_memory),
        TEST(bypass_makes_no_step),
        TEST(hard_bypass_is_the_input_as_late_as_the_link),
        TEST(soft_bypass_sends_silence_and_lets_it_ring_out),
        TEST(hard_bypass_goes_on_without_the_device),
        TEST(what_is_wrong_is_refused_at_making),
        TEST(parameters_are_found_by_name_and_id),
        TEST(figures_last_over_several_links),
        TEST(samples_that_are_no_numbers_are_silence),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
