/* SPDX-License-Identifier: MIT */
/* How well a clock is known that is seen through calls only, with simulated time. */
#include "core/free/clock_estimator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define RATE  48000.0
#define BLOCK 64u
#define MS    1000000u

static struct shl_clock_estimator estimator;
static uint64_t random_word;

/* The clock that is watched: a block each so many nanoseconds from `begin_ns`. */
struct watched {
    uint64_t begin_ns, first_frame;
    double ppm;
    uint64_t n; /* blocks */
    uint64_t called_ns;
};

static struct watched watched;

static int set_up(void **state)
{
    (void)state;
    random_word = 88172645463325252u;
    watched = (struct watched){.begin_ns = UINT64_C(5000000000)};
    shl_clock_estimator_init(&estimator, RATE);
    return 0;
}

static double chance(void)
{
    random_word ^= random_word << 13;
    random_word ^= random_word >> 7;
    random_word ^= random_word << 17;
    return ((double)(random_word >> 11) + 0.5) / 9007199254740992.0;
}

static double period_ns(void)
{
    return 1e9 / RATE * (1 + watched.ppm * 1e-6);
}

static uint64_t due_ns(uint64_t n)
{
    return watched.begin_ns +
           (uint64_t)llround((double)(n * BLOCK) * period_ns());
}

/* The next block, called so late, and not before the one before it. */
static bool call(uint64_t late_ns)
{
    const uint64_t n = watched.n++;
    const uint64_t now_ns = due_ns(n) + late_ns;

    if (n == 0 || (int64_t)(now_ns - watched.called_ns) > 0)
        watched.called_ns = now_ns;
    return shl_clock_estimator_see(&estimator, watched.first_frame + n * BLOCK,
                                   watched.called_ns);
}

static void run(double seconds, double jitter_ns)
{
    const uint64_t blocks = (uint64_t)(seconds * RATE / BLOCK);

    for (uint64_t i = 0; i < blocks; i++)
        call(jitter_ns > 0 ? (uint64_t)(-log(chance()) * jitter_ns) : 0);
}

/* By how much the estimate of the next block's time is off. */
static double off_ns(void)
{
    return shl_clock_estimator_due(
        &estimator, watched.first_frame + watched.n * BLOCK, due_ns(watched.n));
}

static double off_ppm(void)
{
    return (estimator.line.period_ns / period_ns() - 1) * 1e6;
}

static void assert_within(double value, double limit)
{
    if (!(fabs(value) <= limit))
        fail_msg("%g is beyond %g", value, limit);
}

static void assert_sane(void)
{
    assert_true(isfinite(estimator.line.period_ns));
    assert_true(isfinite(estimator.line.spread_ns));
    assert_true(estimator.line.spread_ns >= 0);
    assert_true(isfinite(estimator.line.rate_spread));
    assert_within(estimator.line.period_ns * RATE * 1e-9 - 1, 0.0100001);
}

static void before_the_first_call_it_is_the_nominal_rate(void **state)
{
    (void)state;
    assert_within(estimator.line.period_ns - 1e9 / RATE, 1e-9);
    assert_false(shl_clock_estimator_settled(&estimator));
    assert_true(estimator.line.rate_spread >= 1);
}

static void without_jitter_it_is_exact_at_once(void **state)
{
    (void)state;
    call(0);
    call(0);
    for (int i = 0; i < 1000; i++) {
        assert_within(off_ns(), 2);
        call(0);
    }
    run(2, 0);
    assert_true(shl_clock_estimator_settled(&estimator));
}

static void a_clock_that_is_off_is_learned(void **state)
{
    static const double ppms[] = {-300, -50, 50, 300, 3000};

    for (uint32_t i = 0; i < sizeof ppms / sizeof ppms[0]; i++) {
        set_up(state);
        watched.ppm = ppms[i];
        run(60, 0);
        assert_within(off_ppm(), 0.05);
        assert_within(off_ns(), 100);
        assert_sane();
    }
}

/* Exponential lateness: calls come late, never early. */
static void jitter_averages_out(void **state)
{
    (void)state;
    watched.ppm = 120;
    run(180, 1 * MS);
    assert_within(off_ppm(), 0.5);
    assert_within(off_ns(), 20000);
    /* and it knows how well it knows */
    assert_within(off_ppm() * 1e-6, 8 * estimator.line.rate_spread);
    assert_within(off_ns(), 8 * estimator.line.spread_ns + 2000);
    assert_true(estimator.line.rate_spread < 1e-6);
    assert_sane();
}

static void a_hiccup_moves_nothing(void **state)
{
    (void)state;
    run(20, 0);
    call(100 * MS); /* those behind it come at once */
    for (int i = 0; i < 100; i++)
        call(0);
    assert_within(off_ns(), 1000);
    run(1, 0);
    assert_within(off_ns(), 1000);
    assert_within(off_ppm(), 0.5);
}

/* The phase begins anew, what is known of the rate stays. */
static void after_a_stop_the_rate_is_still_known(void **state)
{
    (void)state;
    watched.ppm = 200;
    run(60, 0);
    watched.begin_ns += UINT64_C(3000000000);
    assert_true(call(0));
    assert_within(off_ns(), 5);
    assert_within(off_ppm(), 0.1);
    run(10, 0);
    assert_within(off_ns(), 200);
}

static void a_stop_of_less_than_a_quarter_second_is_none(void **state)
{
    const uint32_t windows = 10;

    (void)state;
    run(20, 0);
    assert_true(estimator.windows > windows);
    watched.begin_ns += 15 * MS; /* less than a step, too */
    for (int i = 0; i < 100; i++)
        call(0);
    assert_true(estimator.windows > windows);
}

static void a_step_to_later_is_followed(void **state)
{
    (void)state;
    run(20, 0);
    watched.begin_ns += 50 * MS; /* from now on */
    run(0.2, 0);
    assert_within(off_ns() + 50.0 * MS, 100000); /* might still be jitter */
    run(0.2, 0);
    assert_within(off_ns(), 100);
    assert_within(off_ppm(), 0.5);
}

static void lateness_that_comes_and_goes_is_no_step(void **state)
{
    (void)state;
    run(20, 0);
    for (int i = 0; i < 40; i++) { /* together longer than a stop */
        for (int k = 0; k < 75; k++)
            call(50 * MS);
        for (int k = 0; k < 60; k++)
            call(0); /* at once at first, then in time */
    }
    assert_within(off_ns(), 100000);
}

static void a_step_to_earlier_is_followed_at_once(void **state)
{
    (void)state;
    run(20, 0);
    watched.first_frame += 21 * 48; /* milliseconds */
    assert_true(call(0));
    assert_within(off_ns(), 5);
    watched.first_frame += 480000; /* ten seconds were left out */
    assert_true(call(0));
    assert_within(off_ns(), 5);
    assert_within(off_ppm(), 0.5);
}

static void an_exact_clock_steps_by_less_than_a_frame(void **state)
{
    (void)state;
    estimator.exact = true;
    run(5, 0);
    watched.begin_ns += 4000; /* a fifth of a frame: rounding */
    call(0);
    assert_within(off_ns() + 4000, 1000);
    watched.begin_ns += 4000;
    assert_true(call(0));
    assert_within(off_ns(), 5);
}

/* Eight blocks at a time, then none for as long: the last one tells. */
static void bursts_are_one_call(void **state)
{
    (void)state;
    for (int i = 0; i < 6000; i++) {
        const uint64_t last_ns = due_ns(watched.n + 7);

        for (int k = 0; k < 8; k++)
            call(last_ns + (uint64_t)k * 2000 - due_ns(watched.n));
        if (i == 100)
            assert_within(off_ns(), 100000);
    }
    assert_true(shl_clock_estimator_settled(&estimator));
    assert_true(estimator.several);
    assert_within(off_ns(), 30000);
    assert_within(off_ppm(), 0.5);
    /* and seven of them are how late the first one comes */
    assert_within(shl_burst_late(&estimator.burst) - 7 * BLOCK / RATE, 2e-4);
}

static void numbers_of_frames_and_of_time_wrap(void **state)
{
    for (int which = 1; which < 4; which++) {
        set_up(state);
        if (which & 1)
            watched.first_frame = UINT64_MAX - 30 * 48000;
        if (which & 2)
            watched.begin_ns = UINT64_MAX - UINT64_C(31000000000);
        watched.ppm = 80;
        run(60, 0);
        assert_within(off_ns(), 100);
        assert_within(off_ppm(), 0.05);
    }
}

static void the_same_frame_again_does_no_harm(void **state)
{
    (void)state;
    run(5, 0);
    for (int i = 0; i < 1000; i++) {
        shl_clock_estimator_see(&estimator, watched.n * BLOCK,
                                due_ns(watched.n));
        assert_sane();
    }
    for (int i = 0; i < 1000; i++) { /* a peer that does not go on */
        shl_clock_estimator_see(&estimator, watched.n * BLOCK,
                                due_ns(watched.n) + (uint64_t)i * MS);
        assert_sane();
    }
    run(5, 0);
    assert_within(off_ns(), 1000);
}

static void a_clock_beyond_all_clocks_is_held(void **state)
{
    static const double ppms[] = {-50000, 50000, -15000, 15000};

    for (uint32_t i = 0; i < sizeof ppms / sizeof ppms[0]; i++) {
        set_up(state);
        watched.ppm = ppms[i];
        for (int k = 0; k < 60; k++) {
            run(0.5, 0);
            assert_sane();
        }
    }
}

static void whatever_is_seen_gives_numbers(void **state)
{
    uint64_t frame = 0, now_ns = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        const double kind = chance();

        frame += kind < 0.01   ? random_word
                 : kind < 0.02 ? 0
                               : random_word % 4096;
        now_ns += kind > 0.99   ? random_word
                  : kind > 0.98 ? 0
                                : random_word % 90000000;
        shl_clock_estimator_see(&estimator, frame, now_ns);
        assert_sane();
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(before_the_first_call_it_is_the_nominal_rate),
        TEST(without_jitter_it_is_exact_at_once),
        TEST(a_clock_that_is_off_is_learned),
        TEST(jitter_averages_out),
        TEST(a_hiccup_moves_nothing),
        TEST(after_a_stop_the_rate_is_still_known),
        TEST(a_stop_of_less_than_a_quarter_second_is_none),
        TEST(a_step_to_later_is_followed),
        TEST(lateness_that_comes_and_goes_is_no_step),
        TEST(a_step_to_earlier_is_followed_at_once),
        TEST(an_exact_clock_steps_by_less_than_a_frame),
        TEST(bursts_are_one_call),
        TEST(numbers_of_frames_and_of_time_wrap),
        TEST(the_same_frame_again_does_no_harm),
        TEST(a_clock_beyond_all_clocks_is_held),
        TEST(whatever_is_seen_gives_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
