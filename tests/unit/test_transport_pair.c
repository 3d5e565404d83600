/* SPDX-License-Identifier: MIT */
/* The transport of the free drive as a pair of events: what is sent, what is taken,
 * what it says of each frame. Two programs by it: test_transport_events. */
#include "core/free/transport_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define RATE 48000.0

static struct shl_transport_receiver receiver;

static struct shl_transport seven(void)
{
    struct shl_transport transport = shl_transport_default(RATE);

    transport.tempo = 90;
    transport.numerator = 7;
    transport.denominator = 8;
    transport.beats = 3.5;
    transport.frame = 112000;
    transport.playing = 1;
    return transport;
}

static int set_up(void **state)
{
    (void)state;
    shl_transport_begin(&receiver, RATE);
    return 0;
}

static bool take(const struct shl_transport *transport, uint64_t frame)
{
    struct shl_event pair[2];
    bool first, second;

    shl_transport_pair(transport, frame, pair);
    first = shl_transport_receive(&receiver, &pair[0]);
    second = shl_transport_receive(&receiver, &pair[1]);
    return first && second;
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) < 1e-9))
        fail_msg("%.17g is not %.17g", a, b);
}

static void assert_same(const struct shl_transport *a,
                        const struct shl_transport *b)
{
    assert_memory_equal(a, b, sizeof *a);
}

static void without_news_it_is_the_default(void **state)
{
    const struct shl_transport now = shl_transport_at(&receiver, 123456);
    const struct shl_transport first = shl_transport_default(RATE);

    (void)state;
    assert_same(&now, &first);
}

static void a_pair_holds_from_its_frame(void **state)
{
    const struct shl_transport sent = seven();

    (void)state;
    assert_true(take(&sent, 1000));
    const struct shl_transport now = shl_transport_at(&receiver, 1000);
    assert_same(&now, &sent);
}

static void it_is_known_for_each_frame_after_and_before(void **state)
{
    const struct shl_transport sent = seven();

    (void)state;
    take(&sent, 1000000);
    struct shl_transport now = shl_transport_at(&receiver, 1000000 + 32000);
    assert_near(now.beats, 3.5 + 1.0); /* 90 a minute: a beat has 32000 */
    assert_int_equal(now.frame, 112000 + 32000);
    now = shl_transport_at(&receiver, 1000000 - 32000);
    assert_near(now.beats, 2.5);
    assert_int_equal(now.frame, 112000 - 32000);
    now = shl_transport_at(&receiver, 1000000 - 120000); /* before it all */
    assert_near(now.beats, 0);
    assert_int_equal(now.frame, 0);
}

static void stopped_it_stays(void **state)
{
    struct shl_transport sent = seven();

    (void)state;
    sent.playing = 0;
    take(&sent, 1000);
    const struct shl_transport now = shl_transport_at(&receiver, 900000);
    assert_same(&now, &sent);
}

static void impossible_tempos_and_meters_change_nothing(void **state)
{
    static const double tempos[] = {0, -120, (double)NAN, HUGE_VAL, -HUGE_VAL};
    const struct shl_transport good = seven();

    (void)state;
    take(&good, 1000);
    for (uint32_t i = 0; i < 7; i++) {
        struct shl_transport bad = shl_transport_default(RATE);

        if (i < 5)
            bad.tempo = tempos[i];
        else if (i == 5)
            bad.numerator = 0;
        else
            bad.denominator = 0;
        assert_false(take(&bad, 2000));
        const struct shl_transport now = shl_transport_at(&receiver, 1000);
        assert_same(&now, &good);
    }
}

static void an_impossible_playhead_changes_nothing(void **state)
{
    static const double beats[] = {(double)NAN, HUGE_VAL, -HUGE_VAL};
    const struct shl_transport good = seven();

    (void)state;
    take(&good, 1000);
    for (uint32_t i = 0; i < 3; i++) {
        struct shl_transport bad = shl_transport_default(RATE);

        bad.beats = beats[i];
        assert_false(take(&bad, 2000));
        const struct shl_transport now = shl_transport_at(&receiver, 1000);
        assert_same(&now, &good);
    }
}

static void half_a_pair_changes_nothing(void **state)
{
    const struct shl_transport first = shl_transport_default(RATE);
    const struct shl_transport sent = seven();
    struct shl_event pair[2];

    (void)state;
    shl_transport_pair(&sent, 1000, pair);
    assert_false(shl_transport_receive(&receiver, &pair[1]));
    assert_true(shl_transport_receive(&receiver, &pair[0]));
    struct shl_transport now = shl_transport_at(&receiver, 1000);
    assert_same(&now, &first);
    /* a tempo is for one playhead only */
    assert_true(shl_transport_receive(&receiver, &pair[1]));
    assert_false(shl_transport_receive(&receiver, &pair[1]));
    now = shl_transport_at(&receiver, 1000);
    assert_same(&now, &sent);
}

static void wrong_sizes_change_nothing(void **state)
{
    const struct shl_transport first = shl_transport_default(RATE);
    const struct shl_transport sent = seven();
    struct shl_event pair[2];

    (void)state;
    for (int which = 0; which < 2; which++)
        for (uint8_t size = 0; size <= 32; size++) {
            shl_transport_pair(&sent, 1000, pair);
            if (pair[which].size == size)
                continue;
            pair[which].size = size;
            shl_transport_receive(&receiver, &pair[0]);
            assert_false(shl_transport_receive(&receiver, &pair[1]));
            const struct shl_transport now = shl_transport_at(&receiver, 1000);
            assert_same(&now, &first);
        }
}

static void other_events_are_no_concern(void **state)
{
    const struct shl_transport sent = seven();
    struct shl_event pair[2], note = {.kind = SHL_EVENT_UMP, .size = 8};

    (void)state;
    shl_transport_pair(&sent, 1000, pair);
    assert_true(shl_transport_receive(&receiver, &note));
    assert_true(shl_transport_receive(&receiver, &pair[0]));
    assert_true(shl_transport_receive(&receiver, &note));
    assert_true(shl_transport_receive(&receiver, &pair[1]));
    const struct shl_transport now = shl_transport_at(&receiver, 1000);
    assert_same(&now, &sent);
}

static void a_transport_is_sent_when_it_is_news(void **state)
{
    struct shl_transport_sender sender = {0};
    struct shl_transport now = seven();

    (void)state;
    sender.next = now;
    assert_true(shl_transport_news(&sender, &now)); /* never sent */
    sender.sent = true;
    assert_false(shl_transport_news(&sender, &now));
    now.playing = 0;
    assert_true(shl_transport_news(&sender, &now));
    now = seven();
    now.frame++;
    assert_true(shl_transport_news(&sender, &now));
    now = seven();
    now.denominator = 4;
    assert_true(shl_transport_news(&sender, &now));
}

static void what_differs_is_told_from_what_goes_on(void **state)
{
    const struct shl_transport a = seven();
    struct shl_transport b = a;

    (void)state;
    assert_false(shl_transport_differs(&a, &b));
    b.beats += 1e-12; /* rounding */
    b.frame += 5;     /* says the same as the beats */
    assert_false(shl_transport_differs(&a, &b));
    b = a, b.beats += 1e-6;
    assert_true(shl_transport_differs(&a, &b));
    b = a, b.beats -= 1e-6;
    assert_true(shl_transport_differs(&a, &b));
    b = a, b.tempo += 1e-6;
    assert_true(shl_transport_differs(&a, &b));
    b = a, b.tempo = (double)NAN;
    assert_true(shl_transport_differs(&a, &b));
    b = a, b.beats = (double)NAN;
    assert_true(shl_transport_differs(&a, &b));
    b = a, b.numerator++;
    assert_true(shl_transport_differs(&a, &b));
    b = a, b.denominator++;
    assert_true(shl_transport_differs(&a, &b));
    b = a, b.playing = 0;
    assert_true(shl_transport_differs(&a, &b));
}

static void frames_that_cannot_be_give_numbers_that_can(void **state)
{
    static const int64_t frames[] = {INT64_MIN, INT64_MIN + 1, -1, 0,
                                     1,         INT64_MAX};
    struct shl_transport sent = seven();

    (void)state;
    for (int fast = 0; fast < 2; fast++)
        for (uint32_t from = 0; from < 6; from++)
            for (uint32_t at = 0; at < 6; at++) {
                sent.tempo = fast ? DBL_MAX : 90;
                assert_true(take(&sent, (uint64_t)frames[from]));
                const struct shl_transport now =
                    shl_transport_at(&receiver, frames[at]);
                assert_true(isfinite(now.beats) && now.beats >= 0);
                assert_true(now.frame <= INT64_MAX);
            }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_news_it_is_the_default),
        TEST(a_pair_holds_from_its_frame),
        TEST(it_is_known_for_each_frame_after_and_before),
        TEST(stopped_it_stays),
        TEST(impossible_tempos_and_meters_change_nothing),
        TEST(an_impossible_playhead_changes_nothing),
        TEST(half_a_pair_changes_nothing),
        TEST(wrong_sizes_change_nothing),
        TEST(other_events_are_no_concern),
        TEST(a_transport_is_sent_when_it_is_news),
        TEST(what_differs_is_told_from_what_goes_on),
        TEST(frames_that_cannot_be_give_numbers_that_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
