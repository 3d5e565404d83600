/* SPDX-License-Identifier: MIT */
/* Looking on: everything that goes over a link reaches the callbacks, and none
 * is called that was not given. DL-53, DL-54. */
#include "shmlink/shmlink.h"

#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* What a monitor saw, by direction: 0 in, 1 out. */
struct seen {
    _Atomic uint32_t messages[2], events[2], levels[2], errors, begun, ended;
    _Atomic uint32_t loud; /* levels of 0.5 */
    char who[64];
};

static void see_message(void *arg, int out, const struct shl_received *message)
{
    struct seen *seen = arg;

    /* a slow machine has no audio at times, which is told */
    if (message->type != SHL_MESSAGE_IDLE &&
        message->type != SHL_MESSAGE_ACTIVE)
        atomic_fetch_add(&seen->messages[out], message->type > 0);
}

static void see_event(void *arg, int out, const struct shl_event *event)
{
    struct seen *seen = arg;

    atomic_fetch_add(&seen->events[out], event->kind == SHL_EVENT_UMP);
}

static void see_level(void *arg, int out, uint32_t channel, float peak)
{
    struct seen *seen = arg;

    atomic_fetch_add(&seen->levels[out], 1);
    atomic_fetch_add(&seen->loud, channel == 0 && peak == 0.5f);
}

static void see_error(void *arg, shl_status status, const char *text)
{
    struct seen *seen = arg;

    atomic_fetch_add(&seen->errors, status != SHL_OK && text[0]);
}

static void see_connection(void *arg, int linked, const char *who)
{
    struct seen *seen = arg;

    snprintf(seen->who, sizeof seen->who, "%s", who);
    atomic_fetch_add(linked ? &seen->begun : &seen->ended, 1);
}

static struct seen at_host, at_device;

static struct shl_monitor all_of(struct seen *seen)
{
    return (struct shl_monitor){.arg = seen,
                                .message = see_message,
                                .event = see_event,
                                .level = see_level,
                                .error = see_error,
                                .connection = see_connection};
}

static shl_device *device;
static shl_host *host;
static pthread_t thread;
static _Atomic uint32_t quit, blocks;

static void *play(void *arg)
{
    struct shl_block block;
    struct shl_event event;

    (void)arg;
    while (!atomic_load(&quit)) {
        if (shl_device_wait(device, 10, &block) != SHL_OK)
            continue;
        while (shl_device_event(device, &event))
            shl_device_send(device, &event);
        for (uint32_t i = 0; i < block.frames; i++)
            block.out[0][i] = i == 3 ? -0.5f : 0;
        shl_device_done(device);
        atomic_fetch_add(&blocks, 1);
    }
    return NULL;
}

static int set_up(void **state)
{
    const struct shl_device_options options = {
        .id = "Seen",
        .in_channels = 2,
        .out_channels = 1,
        .rate_hz = 48000,
        .block_frames = 64,
        .capabilities = SHL_CAP_MIDI_IN | SHL_CAP_MIDI_OUT};
    const struct shl_host_options wish = {.in_channels = 2,
                                          .out_channels = 1,
                                          .rate_hz = 48000,
                                          .block_frames = 64,
                                          .deadline_ms = 1000};
    (void)state;
    memset(&at_host, 0, sizeof at_host);
    memset(&at_device, 0, sizeof at_device);
    atomic_store(&quit, 0);
    return shl_device_open(&options, &device, NULL) ||
           shl_host_new(&wish, &host) ||
           pthread_create(&thread, NULL, play, NULL);
}

static void stop_device(void)
{
    atomic_store(&quit, 1);
    pthread_join(thread, NULL);
    shl_device_close(device);
    device = NULL;
}

static int tear_down(void **state)
{
    (void)state;
    shl_host_free(host);
    if (device)
        stop_device();
    return 0;
}

static void play_blocks(uint32_t count)
{
    static float memory[3][64];
    const float *const in[2] = {memory[0], memory[1]};
    float *const out[1] = {memory[2]};
    struct shl_event event = shl_event_midi(0, 0, 0x90, 60, 100), echo;
    uint32_t offset;

    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
        shl_host_process(host, in, out, 64);
        while (shl_host_event(host, &echo, &offset))
            continue;
        shl_host_poll(host);
    }
}

static void wait_for(const _Atomic uint32_t *word)
{
    for (uint32_t i = 0; i < 20000 && !atomic_load(word); i++) {
        shl_host_poll(host);
        shl_sleep_ms(1);
    }
    assert_true(atomic_load(word) > 0);
}

/* shows DL-53 */
static void monitor_sees_all_that_goes_over_a_link(void **state)
{
    const struct shl_monitor here = all_of(&at_host),
                             there = all_of(&at_device);
    uint32_t request;

    (void)state;
    shl_host_set_monitor(host, &here);
    shl_device_set_monitor(device, &there);
    assert_int_equal(shl_host_open(host, "Seen", 20000), SHL_OK);
    assert_int_equal(shl_host_ping(host, 20000, NULL, NULL, &request), SHL_OK);
    assert_int_equal(shl_host_await(host, request, 20000), SHL_OK);
    play_blocks(20);
    wait_for(&at_device.begun);
    assert_int_equal(at_host.messages[0], 1);
    assert_int_equal(at_host.messages[1], 1);
    assert_int_equal(at_device.messages[0], 1);
    assert_int_equal(at_device.messages[1], 1);
    assert_int_equal(at_host.events[1], 20);
    assert_int_equal(at_host.events[0], 20);
    assert_int_equal(at_device.events[0], 20);
    assert_int_equal(at_device.events[1], 20);
    assert_int_equal(at_host.levels[0], 20);
    assert_int_equal(at_host.levels[1], 40);
    assert_int_equal(at_device.levels[0], 40);
    assert_int_equal(at_device.levels[1], 20);
    assert_int_equal(at_device.loud, 20);
    assert_int_equal(at_host.begun, 1);
    assert_string_equal(at_host.who, "Seen:0");
    assert_non_null(strstr(at_device.who, "process "));
    assert_int_equal(at_host.errors, 0);
    stop_device();
    wait_for(&at_host.ended);
    assert_int_equal(at_host.ended, 1);
    assert_true(at_host.errors > 0);
}

/* shows DL-53 */
static void empty_monitor_is_never_called(void **state)
{
    static const struct shl_monitor empty;
    uint32_t request;

    (void)state;
    shl_host_set_monitor(host, &empty);
    shl_device_set_monitor(device, &empty);
    assert_int_equal(shl_host_open(host, "Seen", 20000), SHL_OK);
    assert_int_equal(shl_host_ping(host, 20000, NULL, NULL, &request), SHL_OK);
    assert_int_equal(shl_host_await(host, request, 20000), SHL_OK);
    play_blocks(5);
    shl_host_set_monitor(host, NULL);
    shl_device_set_monitor(device, NULL);
    play_blocks(5);
    shl_host_close(host);
}

static char lines[64][160];
static uint32_t line_count;

static void keep_line(void *arg, const char *text)
{
    assert_ptr_equal(arg, lines);
    if (line_count < 64)
        snprintf(lines[line_count++], sizeof lines[0], "%s", text);
}

static bool said(const char *text)
{
    for (uint32_t i = 0; i < line_count; i++)
        if (strstr(lines[i], text))
            return true;
    return false;
}

/* shows DL-54 */
static void console_has_a_line_for_everything(void **state)
{
    struct shl_console console;
    uint32_t request;

    (void)state;
    line_count = 0;
    shl_monitor_console(&console, keep_line, lines);
    shl_host_set_monitor(host, &console.monitor);
    assert_int_equal(shl_host_open(host, "Seen", 20000), SHL_OK);
    assert_int_equal(shl_host_ping(host, 20000, NULL, NULL, &request), SHL_OK);
    assert_int_equal(shl_host_await(host, request, 20000), SHL_OK);
    play_blocks(3);
    shl_host_post(host, 999, "x", 1);
    stop_device();
    for (uint32_t i = 0; i < 20000 && shl_host_linked(host); i++) {
        shl_host_poll(host);
        shl_sleep_ms(1);
    }
    assert_true(said("linked with Seen:0"));
    assert_true(said("-> message ping (1), id"));
    assert_true(said("<- message pong (2), id"));
    assert_true(said("-> message unknown (999)"));
    assert_true(said("-> event at"));
    assert_true(said("<- event at"));
    assert_true(said("<- level of channel 1: 0.500"));
    assert_true(said("error gone: "));
    assert_true(said("left Seen:0"));
}

static int begin(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

static void peaks_keep_the_largest(void **state)
{
    struct shl_peaks peaks = {.channels = {0}};
    (void)state;
    shl_peaks_keep(&peaks, 1, 3, 0.25f);
    shl_peaks_keep(&peaks, 1, 3, 0.5f);
    shl_peaks_keep(&peaks, 1, 3, 0.125f);
    shl_peaks_keep(&peaks, 1, 1, 0);
    shl_peaks_keep(&peaks, 1, 32, 1); /* there is no such channel */
    assert_int_equal(peaks.channels[0], 0);
    assert_int_equal(peaks.channels[1], 4);
    assert_true(peaks.peak[1][3] == 0.5f);
    assert_true(peaks.peak[1][1] == 0 && peaks.peak[0][3] == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(monitor_sees_all_that_goes_over_a_link),
        TEST(empty_monitor_is_never_called),
        TEST(console_has_a_line_for_everything),
        cmocka_unit_test(peaks_keep_the_largest),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
