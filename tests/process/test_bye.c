/* SPDX-License-Identifier: MIT */
/* The last word of either side, and whether audio is asked for: host and device
 * in one thread, the device's keeper beside them. */
#include "duet.h"

#include "core/messages/requester.h"

#include <cmocka.h> /* the rule that links looks for it here */
#include <stdatomic.h>

static _Atomic uint32_t byes, idles, actives, begun, ended;
static char heard[SHL_TEXT_SIZE], left[128];

static int on_message(void *arg, const struct shl_received *message)
{
    (void)arg;
    if (message->type == SHL_MESSAGE_BYE) {
        shl_bye_text(message, heard);
        atomic_fetch_add(&byes, 1);
    }
    if (message->type == SHL_MESSAGE_IDLE)
        atomic_fetch_add(&idles, 1);
    if (message->type == SHL_MESSAGE_ACTIVE)
        atomic_fetch_add(&actives, 1);
    return 0;
}

static void on_connection(void *arg, int linked, const char *who)
{
    (void)arg;
    if (!linked)
        snprintf(left, sizeof left, "%s", who);
    atomic_fetch_add(linked ? &begun : &ended, 1);
}

static const struct shl_monitor monitor = {.connection = on_connection};

/* Until it has grown beyond `before`; the audio threads look, too. */
static bool grows(const _Atomic uint32_t *count, uint32_t before, bool plays)
{
    for (int i = 0; i < LIMIT_MS && atomic_load(count) == before; i++) {
        if (plays) {
            shl_host_process(host, in, out, FRAMES);
            if (shl_device_wait(device, 0, &block) == SHL_OK)
                shl_device_done(device);
        }
        if (host)
            shl_host_poll(host);
        usleep(1000);
    }
    return atomic_load(count) != before;
}

static void begin(void)
{
    new_device(
        (struct shl_device_options){.in_channels = 1, .out_channels = 1});
    assert_int_equal(shl_device_on_message(device, on_message, NULL), SHL_OK);
    shl_device_set_monitor(device, &monitor);
    new_host(1, 1, SHL_MODE_BOTH);
}

static void wait_for_gone(struct shl_notice *notice)
{
    notice->kind = SHL_NOTICE_OPEN;
    for (int i = 0; i < LIMIT_MS && notice->kind != SHL_NOTICE_GONE; i++) {
        shl_host_poll(host);
        if (!shl_host_notice(host, notice))
            usleep(1000);
    }
    assert_int_equal(notice->kind, SHL_NOTICE_GONE);
}

/* shows DL-09 */
static void a_device_that_is_closed_says_so(void **state)
{
    struct shl_notice notice;
    char text[400];
    (void)state;
    begin();
    link_up();
    shl_device_close(device);
    device = NULL;
    wait_for_gone(&notice);
    assert_string_equal(notice.reason, "closed");
    shl_host_why(host, text, sizeof text);
    assert_non_null(strstr(text, "(closed)"));
    /* its successor has not said anything yet */
    new_device(
        (struct shl_device_options){.in_channels = 1, .out_channels = 1});
    link_up();
    assert_string_equal(shl_host_requester(host)->bye, "");
}

/* Whoever is first: the audio thread that sees the claim end, or the keeper
 * that takes what was said. */
static void a_host_that_leaves_is_heard_whoever_looks_first(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < 30; i++) {
        uint32_t before = atomic_load(&byes);
        link_up();
        shl_host_close(host);
        if (i % 2)
            shl_device_wait(device, 0, &block);
        assert_true(grows(&byes, before, false));
        assert_string_equal(heard, "closed");
        shl_device_wait(device, 0, &block);
    }
}

/* A link too short for the keeper to notice it is not shown. */
static void a_monitor_sees_the_reason(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 3; i++) {
        uint32_t begins = atomic_load(&begun), ends = atomic_load(&ended);
        link_up();
        assert_true(grows(&begun, begins, false));
        shl_host_close(host);
        shl_device_wait(device, 0, &block);
        assert_true(grows(&ended, ends, false));
        assert_string_equal(left, "the host: closed");
    }
}

static void each_end_has_its_reason(void **state)
{
    (void)state;
    begin();
    link_up();
    assert_int_equal(shl_host_setup(host, 48000, FRAMES), SHL_OK);
    assert_int_equal(atomic_load(&byes), 0);
    assert_int_equal(shl_host_setup(host, 44100, FRAMES), SHL_WRONG_RATE);
    assert_true(grows(&byes, 0, false));
    assert_string_equal(heard, "other sample rate or block");
    shl_host_setup(host, 48000, FRAMES);
    link_up();
    shl_host_open(host, "Other", 0);
    assert_true(grows(&byes, 1, false));
    assert_string_equal(heard, "opened another device");
    link_up();
    shl_host_free(host);
    host = NULL;
    assert_true(grows(&byes, 2, false));
    assert_string_equal(heard, "ended");
}

static void a_device_hears_whether_audio_is_asked_for(void **state)
{
    (void)state;
    begin();
    link_up();
    assert_true(grows(&idles, 0, false));
    for (int i = 0; i < 20; i++)
        shl_host_poll(host);
    assert_int_equal(atomic_load(&actives), 0);
    assert_true(grows(&actives, 0, true));
    assert_int_equal(atomic_load(&idles), 1);
    assert_true(grows(&idles, 1, false));
}

static int forget(void **state)
{
    tear_down(state);
    byes = idles = actives = begun = ended = 0;
    heard[0] = left[0] = 0;
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, forget)
    const struct CMUnitTest tests[] = {
        TEST(a_device_that_is_closed_says_so),
        TEST(a_host_that_leaves_is_heard_whoever_looks_first),
        TEST(a_monitor_sees_the_reason),
        TEST(each_end_has_its_reason),
        TEST(a_device_hears_whether_audio_is_asked_for),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
