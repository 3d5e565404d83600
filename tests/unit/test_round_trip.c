/* SPDX-License-Identifier: MIT */
/* Where a stream's place follows from what the other end says it hears. */
#include "core/free/round_trip.h"

#include "core/shm/layout.h"

#include "torn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define RATE    48000.0
#define LATENCY 200u
#define OTHER   100u
#define APART   (LATENCY / 4)

struct said {
    _Atomic uint64_t heard;
    _Atomic uint32_t other;
};

static struct said *said;
static struct shl_round_trip trip;

/* What is heard on one page, the latency on the next. */
static int set_up(void **state)
{
    (void)state;
    said = torn_new(8);
    atomic_store(&said->other, OTHER);
    shl_round_trip_init(&trip, &said->heard, &said->other, LATENCY, RATE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    torn_free();
    return 0;
}

static void say(uint64_t frame, int64_t first)
{
    atomic_store(&said->heard, shl_round_trip_heard(frame, first));
}

static bool holds(uint64_t frame, int64_t aim)
{
    shl_round_trip_look(&trip, frame, aim);
    return trip.holds;
}

static void nothing_said_is_no_place(void **state)
{
    (void)state;
    assert_false(holds(7000, 7000));
    shl_round_trip_init(&trip, NULL, NULL, LATENCY, RATE);
    assert_false(holds(7000, 7000));
    assert_false(shl_round_trip_await(&trip, 64));
}

static void both_ways_are_as_long_as_both_latencies(void **state)
{
    (void)state;
    say(5000, 0);
    assert_true(holds(7000, 11700));
    assert_int_equal(trip.place, 7000 + 5000 - (int64_t)(LATENCY + OTHER));
    say(10, 5000); /* heard before it began, by the other clock */
    assert_true(holds(7000, 1710));
    assert_int_equal(trip.place, 7000 - 4990 - (int64_t)(LATENCY + OTHER));
}

static void the_clocks_may_contradict_by_a_quarter_of_the_latency(void **state)
{
    (void)state;
    say(5000, 0);
    assert_true(holds(7000, 11700 + APART));
    assert_true(holds(7000, 11700 - (int64_t)APART));
    assert_false(holds(7000, 11700 + APART + 1));
    assert_false(holds(7000, 11700 - (int64_t)APART - 1));
    assert_false(holds(7000, -11700));
    /* and a latency of nothing has no play at all */
    shl_round_trip_latency(&trip, 0);
    assert_true(holds(7000, 11900));
    assert_false(holds(7000, 11901));
}

static void a_latency_that_rises_moves_the_place(void **state)
{
    (void)state;
    say(5000, 0);
    atomic_store(&said->other, OTHER + 40);
    assert_true(holds(7000, 11660));
    assert_int_equal(trip.place, 11660);
    shl_round_trip_latency(&trip, LATENCY + 100);
    assert_true(holds(7000, 11560));
    assert_int_equal(trip.place, 11560);
    assert_true(holds(7000, 11560 + (LATENCY + 100) / 4));
}

static void a_latency_that_cannot_be_is_not_used(void **state)
{
    (void)state;
    say(5000, 0);
    atomic_store(&said->other, SHL_STREAM_FRAMES - 1);
    assert_true(holds(7000, 12000 - (int64_t)LATENCY - SHL_STREAM_FRAMES + 1));
    atomic_store(&said->other, SHL_STREAM_FRAMES);
    assert_false(holds(7000, 12000 - (int64_t)LATENCY - SHL_STREAM_FRAMES));
    atomic_store(&said->other, UINT32_MAX);
    assert_false(holds(7000, 12000 - (int64_t)LATENCY + 1));
}

static void what_led_to_no_good_is_not_taken_again(void **state)
{
    (void)state;
    say(5000, 0);
    assert_true(holds(7000, 11700));
    shl_round_trip_drop(&trip);
    assert_false(trip.holds);
    assert_false(holds(7064, 11764));
    say(5001, 0);
    assert_true(holds(7064, 11765));
    say(5000, 0); /* only the last one is remembered */
    shl_round_trip_drop(&trip);
    assert_true(holds(7064, 11764));
    shl_round_trip_drop(&trip);
    shl_round_trip_latency(&trip, LATENCY); /* a new latency, a new try */
    assert_true(holds(7064, 11764));
}

static void the_wait_for_it_ends(void **state)
{
    uint32_t blocks = 0;

    (void)state;
    while (shl_round_trip_await(&trip, 64))
        blocks++;
    assert_int_equal(blocks, 12000 / 64 + 1); /* a quarter of a second */
    assert_false(shl_round_trip_await(&trip, 64));
    shl_round_trip_init(&trip, &said->heard, &said->other, LATENCY, RATE);
    assert_true(shl_round_trip_await(&trip, UINT32_MAX));
    assert_false(shl_round_trip_await(&trip, 1));
    shl_round_trip_init(&trip, &said->heard, &said->other, LATENCY, RATE);
    for (int i = 0; i < 1000; i++)
        assert_true(shl_round_trip_await(&trip, 0)); /* no time has gone */
}

static void take_back(void)
{
    atomic_store(&said->heard, shl_round_trip_heard(5040, 0));
}

/* Who changes the latency takes back what it has heard before. */
static void a_latency_and_a_place_that_do_not_belong_together(void **state)
{
    (void)state;
    say(5000, 0);
    torn_arm(take_back);
    assert_false(holds(7000, 11700));
    assert_true(torn_happened());
    assert_true(holds(7000, 11740));
}

static void whatever_is_said_leads_nowhere_else(void **state)
{
    uint64_t random = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        const uint64_t word = i % 4 ? random : UINT64_MAX - random % 4;
        const uint64_t frame = random * 7;
        const int64_t aim = (int64_t)(random * 31 >> (i % 60));

        atomic_store(&said->heard, word);
        if (!holds(frame, aim))
            continue;
        assert_true(word & 1u);
        assert_true((uint64_t)trip.place - (uint64_t)aim + APART <= 2 * APART);
    }
    say(UINT64_MAX, INT64_MIN);
    holds(UINT64_MAX, INT64_MAX);
    say(0, INT64_MAX);
    holds(0, INT64_MIN);
}

static void frames_wrap(void **state)
{
    (void)state;
    say(4, -6); /* first heard ten frames before */
    assert_true(holds(UINT64_MAX - 9, -(int64_t)(LATENCY + OTHER)));
    assert_int_equal(trip.place, -(int64_t)(LATENCY + OTHER));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_said_is_no_place),
        TEST(both_ways_are_as_long_as_both_latencies),
        TEST(the_clocks_may_contradict_by_a_quarter_of_the_latency),
        TEST(a_latency_that_rises_moves_the_place),
        TEST(a_latency_that_cannot_be_is_not_used),
        TEST(what_led_to_no_good_is_not_taken_again),
        TEST(the_wait_for_it_ends),
        TEST(a_latency_and_a_place_that_do_not_belong_together),
        TEST(whatever_is_said_leads_nowhere_else),
        TEST(frames_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
