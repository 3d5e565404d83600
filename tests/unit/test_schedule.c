/* SPDX-License-Identifier: MIT */
/* Pd's logical time and sample offsets, with a clock of our own in place of
 * Pd's: every sample of every block is met, at each sample rate. */
#include "pd/schedule.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* As Pd counts: units of which a millisecond has so many. */
#define UNITS (32.0 * 441.0)

static double now;

double clock_getlogicaltime(void)
{
    return now;
}

double clock_gettimesince(double before)
{
    return (now - before) / UNITS;
}

double clock_getsystimeafter(double ms)
{
    return now + UNITS * ms;
}

static const double rates[] = {8000,  11025, 22050, 44100,
                               48000, 88200, 96000, 192000};

/* A message reaches us by a delay in milliseconds, a float in most Pds. */
static double time_of(double start, double frames, double rate_hz)
{
    return start + UNITS * (double)(float)(frames * 1000 / rate_hz);
}

static struct schedule_block enter_all(uint32_t frames, double rate_hz,
                                       uint32_t tick_frames)
{
    struct schedule_block block;

    memset(&block, 0, sizeof block);
    schedule_enter(&block, frames, rate_hz, tick_frames);
    return block;
}

static void every_sample_of_a_block_is_met(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        for (uint32_t frames = 64; frames <= 4096; frames *= 4) {
            const double start = UNITS * 1000;
            now = start + UNITS * frames * 1000 / rates[r];
            const struct schedule_block block = enter_all(frames, rates[r], 64);
            for (uint32_t i = 0; i < frames; i++)
                assert_int_equal(
                    schedule_offset(&block, time_of(start, i, rates[r])), i);
        }
    }
}

static void times_between_samples_belong_to_the_one_before(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 64; i++) {
        const double start = UNITS * 1000;
        now = start + UNITS * 64 * 1000 / 48000.0;
        const struct schedule_block block = enter_all(64, 48000, 64);

        assert_int_equal(
            schedule_offset(&block, time_of(start, i + 0.25, 48000)), i);
        assert_int_equal(
            schedule_offset(&block, time_of(start, i + 0.5, 48000)), i);
        assert_int_equal(
            schedule_offset(&block, time_of(start, i + 0.96, 48000)), i);
        assert_int_equal(
            schedule_offset(&block, time_of(start, i + 0.99, 48000)), i + 1);
    }
}

static void blocks_of_a_tick_follow_each_other(void **state)
{
    struct schedule_block block;

    (void)state;
    memset(&block, 0, sizeof block);
    for (int tick = 1; tick < 20; tick++) {
        const double start = UNITS * (tick - 1) * 64 * 1000 / 48000.0;
        now = UNITS * tick * 64 * 1000 / 48000.0;
        for (uint32_t part = 0; part < 4; part++) {
            schedule_enter(&block, 16, 48000, 64);
            assert_int_equal(block.position, part * 16);
            for (uint32_t i = 0; i < 64; i++) {
                const uint32_t offset =
                    schedule_offset(&block, time_of(start, i, 48000));
                const uint32_t want = i < part * 16        ? 0
                                      : i < part * 16 + 16 ? i - part * 16
                                                           : 16;
                assert_int_equal(offset, want);
            }
        }
    }
}

static void late_times_are_at_once_and_later_ones_wait(void **state)
{
    (void)state;
    now = UNITS * 1000;
    const struct schedule_block block = enter_all(64, 48000, 64);

    assert_int_equal(schedule_offset(&block, now - UNITS * 500), 0);
    assert_int_equal(schedule_offset(&block, now), 64);
    assert_int_equal(schedule_offset(&block, now + UNITS * 500), 64);
}

static void a_queue_keeps_its_order_and_counts_what_it_refuses(void **state)
{
    static struct schedule queue;
    const struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 7, 0.5);
    double value = 0;

    (void)state;
    assert_true(schedule_push(&queue, 10, &event));
    assert_true(schedule_push(&queue, 5, &event)); /* raised */
    assert_true(schedule_first(&queue)->time >= 10);
    schedule_pop(&queue);
    assert_true(schedule_first(&queue)->time >= 10);
    assert_true(schedule_value(&queue, 7, &value) && value >= 0.5);
    assert_false(schedule_value(&queue, 8, &value));
    for (uint32_t i = 1; i < SCHEDULE_SIZE; i++)
        assert_true(schedule_push(&queue, 20 + i, &event));
    assert_int_equal(schedule_room(&queue), 0);
    assert_false(schedule_push(&queue, 30000, &event));
    assert_int_equal(queue.lost, 1);
    assert_int_equal(schedule_clear(&queue), SCHEDULE_SIZE);
    assert_null(schedule_first(&queue));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_of_a_block_is_met),
        cmocka_unit_test(times_between_samples_belong_to_the_one_before),
        cmocka_unit_test(blocks_of_a_tick_follow_each_other),
        cmocka_unit_test(late_times_are_at_once_and_later_ones_wait),
        cmocka_unit_test(a_queue_keeps_its_order_and_counts_what_it_refuses),
    };

    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
