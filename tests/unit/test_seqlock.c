/* SPDX-License-Identifier: MIT */
/* Values of several words that one side writes and the other copies whole: the
 * seqlock, and the clocks of the free drive that are shown in the same way. */
#include "core/shm/seqlock.h"

#include "core/free/shared_clock.h"

#include "torn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define WORDS 5u

struct locked {
    _Atomic uint32_t sequence;
    uint32_t reserved;
    uint64_t word[WORDS];
};

static struct shl_shared_clock *clock_shown;
static struct locked *locked;
static uint32_t clock_sequence;
static struct shl_clock_line seen;
static bool was_read;

static struct shl_clock_line line_of(uint32_t n)
{
    return (struct shl_clock_line){.frame = n,
                                   .time_ns = n + 1000u,
                                   .period_ns = n + 0.5,
                                   .spread_ns = n + 0.25,
                                   .rate_spread = n + 0.125};
}

static void assert_line(const struct shl_clock_line *line, uint32_t n)
{
    const struct shl_clock_line good = line_of(n);

    assert_memory_equal(line, &good, sizeof good);
}

static void show(uint32_t n)
{
    const struct shl_clock_line line = line_of(n);

    shl_shared_clock_write(clock_shown, &line);
}

static void write_words(uint64_t n)
{
    uint64_t value[WORDS];

    for (uint32_t i = 0; i < WORDS; i++)
        value[i] = n;
    shl_seqlock_write(locked, value, WORDS);
}

static void assert_words(const uint64_t *value, uint64_t n)
{
    for (uint32_t i = 0; i < WORDS; i++)
        assert_int_equal(value[i], n);
}

/* The sequence and two words on one page, the rest on the next. */
static int set_up(void **state)
{
    static_assert(sizeof(struct shl_shared_clock) == 8 + 8 * WORDS, "words");
    static_assert(sizeof(struct locked) == 8 + 8 * WORDS, "words");
    (void)state;
    clock_shown = torn_new(24);
    locked = (struct locked *)(void *)clock_shown;
    clock_sequence = 0;
    memset(&seen, 0, sizeof seen);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    torn_free();
    return 0;
}

/* ---- the clock of a stream --------------------------------------------------- */

static void a_clock_comes_whole_and_once(void **state)
{
    (void)state;
    assert_false(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
    for (uint32_t n = 1; n < 50; n++) {
        show(n);
        assert_true(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
        assert_line(&seen, n);
        assert_false(
            shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
    }
}

static void of_many_lines_the_last_is_seen(void **state)
{
    (void)state;
    for (uint32_t n = 0; n <= 7; n++)
        show(n);
    assert_true(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
    assert_line(&seen, 7);
}

static void show_another(void)
{
    show(2);
}

static void a_line_that_changes_while_it_is_read_is_left(void **state)
{
    (void)state;
    show(1);
    assert_true(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
    show(3);
    torn_arm(show_another);
    assert_false(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
    assert_true(torn_happened());
    assert_line(&seen, 1); /* untouched */
    assert_true(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
    assert_line(&seen, 2);
}

static void read_in_the_midst(void)
{
    was_read = shl_shared_clock_read(clock_shown, &clock_sequence, &seen);
}

static void a_half_written_line_is_not_taken(void **state)
{
    (void)state;
    show(1);
    was_read = true;
    torn_arm(read_in_the_midst);
    show(2);
    assert_true(torn_happened());
    assert_false(was_read);
    read_in_the_midst();
    assert_true(was_read);
    assert_line(&seen, 2);
}

/* Its sequence stays odd; the next writer goes on from there. */
static void a_writer_that_died_in_the_midst_blocks_nobody(void **state)
{
    (void)state;
    show(1);
    atomic_fetch_add(&clock_shown->sequence, 1);
    assert_false(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
    show(2);
    assert_true(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
    assert_line(&seen, 2);
    assert_int_equal(clock_sequence % 2, 0);
}

static void the_sequence_of_a_clock_wraps(void **state)
{
    (void)state;
    atomic_store(&clock_shown->sequence, UINT32_MAX - 3);
    for (uint32_t n = 1; n < 6; n++) {
        const uint32_t before = (uint32_t)atomic_load(&clock_shown->sequence);

        show(n);
        assert_true((uint32_t)(atomic_load(&clock_shown->sequence) - before) ==
                    2);
        clock_sequence = before;
        assert_true(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
        assert_line(&seen, n);
    }
}

static void all_bits_of_numbers_go_through(void **state)
{
    const double odd[] = {-0.0, HUGE_VAL, -HUGE_VAL, 5e-324, 1.7e308};
    struct shl_clock_line line = line_of(1);

    (void)state;
    line.frame = UINT64_MAX;
    line.time_ns = UINT64_C(1) << 63;
    for (uint32_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        line.period_ns = line.spread_ns = line.rate_spread = odd[i];
        shl_shared_clock_write(clock_shown, &line);
        assert_true(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
        assert_memory_equal(&seen, &line, sizeof line);
    }
    line.period_ns = (double)NAN; /* who reads it has to check */
    shl_shared_clock_write(clock_shown, &line);
    assert_true(shl_shared_clock_read(clock_shown, &clock_sequence, &seen));
    assert_true(isnan(seen.period_ns));
}

/* ---- the seqlock ------------------------------------------------------------- */

static void a_value_comes_whole(void **state)
{
    uint64_t value[WORDS];

    (void)state;
    for (uint64_t n = 1; n < 50; n++) {
        write_words(n);
        assert_int_equal(shl_seqlock_read(locked, value, WORDS), SHL_OK);
        assert_words(value, n);
    }
}

static void write_another(void)
{
    write_words(9);
}

static void a_value_that_changes_while_it_is_read_is_read_again(void **state)
{
    uint64_t value[WORDS];

    (void)state;
    write_words(1);
    torn_arm(write_another);
    assert_int_equal(shl_seqlock_read(locked, value, WORDS), SHL_OK);
    assert_true(torn_happened());
    assert_words(value, 9);
}

static shl_status in_the_midst;

static void read_words_in_the_midst(void)
{
    uint64_t value[WORDS];

    in_the_midst = shl_seqlock_read(locked, value, WORDS);
}

static void a_half_written_value_is_busy(void **state)
{
    uint64_t value[WORDS];

    (void)state;
    write_words(1);
    in_the_midst = SHL_OK;
    torn_arm(read_words_in_the_midst);
    write_words(2);
    assert_true(torn_happened());
    assert_int_equal(in_the_midst, SHL_AGAIN);
    assert_int_equal(shl_seqlock_read(locked, value, WORDS), SHL_OK);
    assert_words(value, 2);
}

static void a_dead_writers_odd_sequence_is_made_good(void **state)
{
    uint64_t value[WORDS];

    (void)state;
    write_words(1);
    atomic_fetch_add(&locked->sequence, 1);
    assert_int_equal(shl_seqlock_read(locked, value, WORDS), SHL_AGAIN);
    write_words(2);
    assert_int_equal(shl_seqlock_read(locked, value, WORDS), SHL_OK);
    assert_words(value, 2);
}

static void the_sequence_of_a_seqlock_wraps(void **state)
{
    uint64_t value[WORDS];

    (void)state;
    atomic_store(&locked->sequence, UINT32_MAX - 3);
    for (uint64_t n = 1; n < 6; n++) {
        write_words(n);
        assert_int_equal(atomic_load(&locked->sequence) % 2, 0);
        assert_int_equal(shl_seqlock_read(locked, value, WORDS), SHL_OK);
        assert_words(value, n);
    }
}

static void a_value_of_no_words_touches_nothing(void **state)
{
    uint64_t value = 77;

    (void)state;
    write_words(1);
    shl_seqlock_write(locked, &value, 0);
    assert_int_equal(shl_seqlock_read(locked, &value, 0), SHL_OK);
    assert_int_equal(value, 77);
    assert_int_equal(locked->word[0], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clock_comes_whole_and_once),
        TEST(of_many_lines_the_last_is_seen),
        TEST(a_line_that_changes_while_it_is_read_is_left),
        TEST(a_half_written_line_is_not_taken),
        TEST(a_writer_that_died_in_the_midst_blocks_nobody),
        TEST(the_sequence_of_a_clock_wraps),
        TEST(all_bits_of_numbers_go_through),
        TEST(a_value_comes_whole),
        TEST(a_value_that_changes_while_it_is_read_is_read_again),
        TEST(a_half_written_value_is_busy),
        TEST(a_dead_writers_odd_sequence_is_made_good),
        TEST(the_sequence_of_a_seqlock_wraps),
        TEST(a_value_of_no_words_touches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
