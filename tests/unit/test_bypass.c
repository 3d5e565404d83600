/* SPDX-License-Identifier: MIT */
/* What is kept of a host's inputs, and how it is mixed with the device's sound. */
#include "core/lockstep/bypass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

enum { OFF, HARD, SOFT };

#define FRAMES 64u

static struct shl_bypass bypass;
static float in_left[SHL_MAX_FRAMES], in_right[SHL_MAX_FRAMES];
static float out_left[SHL_MAX_FRAMES], out_right[SHL_MAX_FRAMES];
static const float *const in[2] = {in_left, in_right};
static float *const out[2] = {out_left, out_right};

static int set_up(void **state)
{
    (void)state;
    return shl_bypass_new(&bypass, 2) != SHL_OK;
}

static int tear_down(void **state)
{
    (void)state;
    shl_bypass_free(&bypass);
    return 0;
}

static void fill(float *plane, uint32_t frames, float value)
{
    for (uint32_t i = 0; i < frames; i++)
        plane[i] = value;
}

/* Numbers that floats hold exactly, other ones in the right channel. */
static void number(uint64_t first, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        in_left[i] = (float)(first + i + 1);
        in_right[i] = -in_left[i];
    }
}

static void assert_near(float a, float b)
{
    if (!(fabsf(a - b) < 1e-6f))
        fail_msg("%.9g is not %.9g", (double)a, (double)b);
}

static const float *const *block(uint32_t mode, uint32_t frames)
{
    bypass.mode = mode;
    const float *const *to_device =
        shl_bypass_in(&bypass, in, frames, 0, false);
    shl_bypass_out(&bypass, out, 2, frames);
    return to_device;
}

static void off_it_touches_nothing(void **state)
{
    (void)state;
    fill(in_left, FRAMES, NAN);
    fill(out_left, FRAMES, 3);
    fill(out_right, FRAMES, 4);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(block(OFF, FRAMES), in);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_true(out_left[i] >= 3 && out_left[i] <= 3 && out_right[i] >= 4 &&
                    out_right[i] <= 4);
}

/* Equal sounds on both ways stay as loud as they are, at each sample. */
static void a_hard_bypass_crosses_over_within_a_block(void **state)
{
    (void)state;
    fill(in_left, FRAMES, 0.5f);
    fill(in_right, FRAMES, 1);
    for (int back = 0; back < 2; back++) {
        fill(out_left, FRAMES, 0.5f);
        fill(out_right, FRAMES, 0);
        /* the device goes on as if nothing were */
        assert_ptr_equal(block(back ? OFF : HARD, FRAMES), in);
        for (uint32_t i = 0; i < FRAMES; i++) {
            const float share = (float)(i + 1) / FRAMES;

            assert_near(out_left[i], 0.5f);
            assert_near(out_right[i], back ? 1 - share : share);
        }
    }
    fill(out_left, FRAMES, 9);
    block(OFF, FRAMES);
    assert_near(out_left[0], 9);
}

static void a_hard_bypass_is_the_dry_sound(void **state)
{
    (void)state;
    block(HARD, FRAMES);
    for (uint64_t n = 0; n < 5; n++) {
        number(n * FRAMES, FRAMES);
        fill(out_left, FRAMES, 777);
        fill(out_right, FRAMES, 777);
        block(HARD, FRAMES);
        for (uint32_t i = 0; i < FRAMES; i++) {
            assert_near(out_left[i], in_left[i]);
            assert_near(out_right[i], in_right[i]);
        }
    }
}

/* The device hears less and less, what it still sounds is heard beside the dry. */
static void a_soft_bypass_lets_the_device_fade(void **state)
{
    const float *const *to_device;

    (void)state;
    fill(in_left, FRAMES, 1);
    fill(in_right, FRAMES, 1);
    fill(out_left, FRAMES, 0.25f);
    to_device = block(SOFT, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++) {
        const float share = (float)(i + 1) / FRAMES;

        assert_near(to_device[0][i], 1 - share);
        assert_near(to_device[1][i], 1 - share);
        assert_near(out_left[i], 0.25f + share);
    }
    fill(out_left, FRAMES, 0.25f);
    to_device = block(SOFT, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++) {
        assert_near(to_device[0][i], 0);
        assert_near(out_left[i], 1.25f);
    }
    fill(out_left, FRAMES, 0);
    to_device = block(OFF, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++) {
        const float share = (float)(i + 1) / FRAMES;

        assert_near(to_device[0][i], share);
        assert_near(out_left[i], 1 - share);
    }
    assert_ptr_equal(block(OFF, FRAMES), in);
}

/* Numbered samples through more than the whole history, in blocks of all sizes. */
static void late_by(uint32_t latency)
{
    static const uint32_t sizes[] = {1, 64, 63, 4096, 1000, 2, 512};
    uint64_t first = 0;

    for (uint32_t n = 0; first < 4 * SHL_DRY_FRAMES; n++) {
        const uint32_t frames = sizes[n % 7];
        const uint64_t before = SHL_DRY_FRAMES - frames;
        const uint64_t by = latency < before ? latency : before;

        number(first, frames);
        shl_bypass_in(&bypass, in, frames, latency, true);
        for (uint32_t i = 0; i < frames; i++) {
            const uint64_t at = first + i + 1;
            const float good = at > by ? (float)(at - by) : 0;

            if (bypass.dry[0][i] < good || bypass.dry[0][i] > good)
                fail_msg("frame %u, latency %u: %g is not %g", (unsigned)at,
                         latency, (double)bypass.dry[0][i], (double)good);
            assert_near(bypass.dry[1][i], -good);
        }
        first += frames;
    }
}

static void dry_sound_is_as_late_as_the_link(void **state)
{
    static const uint32_t latencies[] = {1,     2,     64,    100,  4095,
                                         10000, 12287, 16383, 16384};

    (void)state;
    for (uint32_t i = 0; i < sizeof latencies / sizeof latencies[0]; i++) {
        late_by(latencies[i]);
        shl_bypass_free(&bypass);
        assert_int_equal(shl_bypass_new(&bypass, 2), SHL_OK);
    }
    late_by(UINT32_MAX);
}

/* The history of a time without latency was not kept: nothing stale from before. */
static void a_gap_in_the_history_is_silence(void **state)
{
    (void)state;
    number(0, FRAMES);
    shl_bypass_in(&bypass, in, FRAMES, 32, true);
    shl_bypass_in(&bypass, in, FRAMES, 0, true);
    assert_near(bypass.dry[0][5], 6);
    number(FRAMES, FRAMES);
    shl_bypass_in(&bypass, in, FRAMES, 32, true);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_near(bypass.dry[0][i],
                    i < 32 ? 0 : (float)(FRAMES + i + 1 - 32));
}

/* What is not asked for is not copied, but it is kept for when it will be. */
static void the_history_grows_while_nobody_asks(void **state)
{
    (void)state;
    number(0, FRAMES);
    shl_bypass_in(&bypass, in, FRAMES, FRAMES, false);
    number(FRAMES, FRAMES);
    shl_bypass_in(&bypass, in, FRAMES, FRAMES, true);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_near(bypass.dry[0][i], (float)(i + 1));
}

static void inputs_and_outputs_may_be_the_same_memory(void **state)
{
    const float *const same[2] = {out_left, out_right};

    (void)state;
    bypass.mode = HARD;
    for (int n = 0; n < 2; n++) {
        fill(out_left, FRAMES, 5);
        fill(out_right, FRAMES, 6);
        shl_bypass_in(&bypass, same, FRAMES, 0, false);
        fill(out_left, FRAMES, 77); /* the device's */
        fill(out_right, FRAMES, 77);
        shl_bypass_out(&bypass, out, 2, FRAMES);
    }
    assert_near(out_left[10], 5);
    assert_near(out_right[10], 6);
}

static void outputs_without_an_input_fade_out(void **state)
{
    (void)state;
    shl_bypass_free(&bypass);
    assert_int_equal(shl_bypass_new(&bypass, 1), SHL_OK);
    fill(in_left, FRAMES, 1);
    fill(out_left, FRAMES, 0);
    fill(out_right, FRAMES, 1);
    block(HARD, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_near(out_right[i], 1 - (float)(i + 1) / FRAMES);
    assert_near(out_left[FRAMES - 1], 1);
}

static void no_inputs_at_all_are_fine(void **state)
{
    (void)state;
    shl_bypass_free(&bypass);
    assert_int_equal(shl_bypass_new(&bypass, 0), SHL_OK);
    assert_null(bypass.memory);
    fill(out_left, FRAMES, 1);
    for (int n = 0; n < 2; n++)
        block(SOFT, FRAMES);
    assert_near(out_left[0], 1); /* the device's tail */
    block(HARD, FRAMES);
    assert_near(out_left[FRAMES - 1], 0);
}

static void a_block_of_no_frames_leaves_no_number_that_is_none(void **state)
{
    (void)state;
    block(HARD, 0);
    block(SOFT, 0);
    block(HARD, 0);
    fill(in_left, FRAMES, 1);
    fill(out_left, FRAMES, 0);
    block(HARD, FRAMES);
    block(HARD, FRAMES);
    assert_true(isfinite(bypass.to_device) && isfinite(bypass.from_device) &&
                isfinite(bypass.past_device));
    assert_near(out_left[0], 1);
}

static void what_is_no_number_does_not_stay(void **state)
{
    (void)state;
    fill(in_left, FRAMES, NAN);
    fill(out_left, FRAMES, INFINITY);
    block(SOFT, FRAMES);
    fill(in_left, FRAMES, 1);
    fill(out_left, FRAMES, 0);
    block(SOFT, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_near(out_left[i], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(off_it_touches_nothing),
        TEST(a_hard_bypass_crosses_over_within_a_block),
        TEST(a_hard_bypass_is_the_dry_sound),
        TEST(a_soft_bypass_lets_the_device_fade),
        TEST(dry_sound_is_as_late_as_the_link),
        TEST(a_gap_in_the_history_is_silence),
        TEST(the_history_grows_while_nobody_asks),
        TEST(inputs_and_outputs_may_be_the_same_memory),
        TEST(outputs_without_an_input_fade_out),
        TEST(no_inputs_at_all_are_fine),
        TEST(a_block_of_no_frames_leaves_no_number_that_is_none),
        TEST(what_is_no_number_does_not_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
