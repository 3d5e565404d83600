/* SPDX-License-Identifier: MIT */
/* What is heard instead of a missing block, sample by sample. */
#include "core/lockstep/loss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define MOST 4096u

static float left[MOST], right[MOST], dry_left[MOST], dry_right[MOST];
static float *const out[2] = {left, right};
static const float *const dry[2] = {dry_left, dry_right};

static void fill(float *plane, float value)
{
    for (uint32_t i = 0; i < MOST; i++)
        plane[i] = value;
}

/* A block came that ends on these samples. */
static struct shl_loss heard(enum shl_onloss policy, float a, float b,
                             uint32_t frames)
{
    struct shl_loss loss = {.policy = policy};

    fill(left, a);
    fill(right, b);
    shl_loss_came(&loss, out, 2, frames);
    return loss;
}

static void lose(struct shl_loss *loss, uint32_t frames)
{
    fill(left, 77); /* leftovers that nobody must hear */
    fill(right, 77);
    shl_loss_fill(loss, dry, 2, out, 2, frames);
    assert_true(frames == MOST || left[frames] > 76);
}

static void assert_near(float a, double b)
{
    if (fabs((double)a - b) > 1e-6)
        fail_msg("%.9g is not %.9g", (double)a, b);
}

static void assert_all(const float *plane, uint32_t from, uint32_t to,
                       float value)
{
    for (uint32_t i = from; i < to; i++)
        if (plane[i] < value || plane[i] > value || isnan(plane[i]))
            fail_msg("sample %u is %g", i, (double)plane[i]);
}

static const uint32_t sizes[] = {1, 2, 16, 64, 127, 128, 129, 256, 4096};
#define EACH_SIZE(s) (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)

static void good_audio_is_not_touched(void **state)
{
    static float before[MOST];

    (void)state;
    for (int policy = SHL_ONLOSS_FADE; policy <= SHL_ONLOSS_HOLD; policy++) {
        struct shl_loss loss = {.policy = (enum shl_onloss)policy};
        for (int block = 0; block < 5; block++) {
            for (uint32_t i = 0; i < MOST; i++)
                before[i] = sinf((float)i) * 3 + (i == 7 ? 1e-42f : 0);
            before[9] = -0.0f;
            memcpy(left, before, sizeof left);
            memcpy(right, before, sizeof right);
            shl_loss_came(&loss, out, 2, MOST);
            assert_memory_equal(left, before, sizeof left);
            assert_memory_equal(right, before, sizeof right);
        }
        assert_int_equal(loss.lost, 0);
    }
}

/* shows DL-51 */
static void fade_goes_from_the_last_sample_to_silence(void **state)
{
    (void)state;
    for
        EACH_SIZE(s)
        {
            uint32_t frames = sizes[s];
            uint32_t n = frames < 128 ? frames : 128;
            struct shl_loss loss = heard(SHL_ONLOSS_FADE, 0.5f, -1, frames);
            lose(&loss, frames);
            for (uint32_t i = 0; i < n; i++) {
                double gain = 1 - (i + 1.0) / n;
                assert_near(left[i], 0.5 * gain);
                assert_near(right[i], -gain);
            }
            assert_all(left, n - 1, frames, 0);
            assert_all(right, n - 1, frames, 0);
            assert_int_equal(loss.lost, 1);
        }
}

static void fade_ends_in_its_first_block(void **state)
{
    (void)state;
    for
        EACH_SIZE(s)
        {
            struct shl_loss loss = heard(SHL_ONLOSS_FADE, 1, 1, sizes[s]);
            lose(&loss, sizes[s]);
            for (uint32_t block = 2; block < 6; block++) {
                lose(&loss, sizes[s]);
                assert_all(left, 0, sizes[s], 0);
                assert_all(right, 0, sizes[s], 0);
                assert_int_equal(loss.lost, block);
            }
        }
}

static void returning_audio_fades_in_from_silence(void **state)
{
    static const enum shl_onloss policies[] = {SHL_ONLOSS_FADE,
                                               SHL_ONLOSS_SILENCE};

    (void)state;
    for
        EACH_SIZE(s)
    for (size_t p = 0; p < 2; p++) {
        uint32_t frames = sizes[s];
        uint32_t n = frames < 128 ? frames : 128;
        struct shl_loss loss = heard(policies[p], 1, 1, frames);
        lose(&loss, frames);
        fill(left, 0.25f);
        fill(right, -0.5f);
        shl_loss_came(&loss, out, 2, frames);
        for (uint32_t i = 0; i < n; i++) {
            assert_near(left[i], 0.25 * (i + 1.0) / n);
            assert_near(right[i], -0.5 * (i + 1.0) / n);
        }
        assert_all(left, n - 1, frames, 0.25f);
        assert_int_equal(loss.lost, 0);
        fill(left, 0.25f); /* only once */
        shl_loss_came(&loss, out, 2, frames);
        assert_all(left, 0, frames, 0.25f);
    }
}

/* shows DL-51 */
static void silence_is_silent_at_once(void **state)
{
    struct shl_loss loss = heard(SHL_ONLOSS_SILENCE, 1, 1, 64);

    (void)state;
    for (int block = 0; block < 3; block++) {
        lose(&loss, 64);
        assert_all(left, 0, 64, 0);
        assert_all(right, 0, 64, 0);
    }
}

/* shows ME-02 */
static void dry_plays_the_inputs_and_returns_at_once(void **state)
{
    struct shl_loss loss = heard(SHL_ONLOSS_DRY, 1, 1, 64);

    (void)state;
    for (uint32_t i = 0; i < MOST; i++) {
        dry_left[i] = (float)i;
        dry_right[i] = -(float)i;
    }
    for (int block = 0; block < 3; block++) {
        lose(&loss, 64);
        assert_memory_equal(left, dry_left, 64 * sizeof *left);
        assert_memory_equal(right, dry_right, 64 * sizeof *right);
    }
    fill(left, 0.5f);
    fill(right, 0.5f);
    shl_loss_came(&loss, out, 2, 64);
    assert_all(left, 0, 64, 0.5f);
}

static void dry_without_inputs_is_silent(void **state)
{
    struct shl_loss loss = heard(SHL_ONLOSS_DRY, 1, 1, 64);

    (void)state;
    fill(left, 77);
    fill(right, 77);
    shl_loss_fill(&loss, dry, 1, out, 2, 64);
    assert_memory_equal(left, dry_left, 64 * sizeof *left);
    assert_all(right, 0, 64, 0);
    fill(left, 77);
    shl_loss_fill(&loss, NULL, 0, out, 2, 64);
    assert_all(left, 0, 64, 0);
}

static void hold_keeps_the_last_sample_and_returns_at_once(void **state)
{
    struct shl_loss loss = heard(SHL_ONLOSS_HOLD, 0.75f, -0.25f, 64);

    (void)state;
    for (int block = 0; block < 3; block++) {
        lose(&loss, 64);
        assert_all(left, 0, 64, 0.75f);
        assert_all(right, 0, 64, -0.25f);
    }
    fill(left, 0.5f);
    fill(right, 0.5f);
    shl_loss_came(&loss, out, 2, 64);
    assert_all(left, 0, 64, 0.5f);
}

static void nothing_was_heard_yet_so_nothing_fades(void **state)
{
    struct shl_loss loss = {.policy = SHL_ONLOSS_FADE};

    (void)state;
    lose(&loss, 64);
    assert_all(left, 0, 64, 0);
    loss = (struct shl_loss){.policy = SHL_ONLOSS_HOLD};
    lose(&loss, 64);
    assert_all(left, 0, 64, 0);
}

/* Pd lets users change it at any time: from the last sample, not from the last
 * good one. */
static void policy_changed_in_a_loss_fades_from_what_was_heard(void **state)
{
    struct shl_loss loss = heard(SHL_ONLOSS_HOLD, 1, 1, 64);

    (void)state;
    lose(&loss, 64);
    loss.policy = SHL_ONLOSS_FADE;
    lose(&loss, 64);
    assert_near(left[0], 63.0 / 64);
    assert_all(left, 63, 64, 0);
    lose(&loss, 64);
    assert_all(left, 0, 64, 0);
    loss.policy = SHL_ONLOSS_HOLD;
    lose(&loss, 64);
    assert_all(left, 0, 64, 0);
}

static void samples_that_are_no_numbers_do_not_linger(void **state)
{
    static const float strange[] = {NAN, INFINITY, -INFINITY};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct shl_loss loss = heard(SHL_ONLOSS_FADE, strange[i], 1, 64);
        lose(&loss, 64);
        assert_all(left, 0, 64, 0);
        assert_near(right[0], 63.0 / 64);
    }
}

static void block_of_no_frames_changes_nothing(void **state)
{
    struct shl_loss loss = heard(SHL_ONLOSS_FADE, 1, 1, 64);
    struct shl_loss before = loss;

    (void)state;
    shl_loss_came(&loss, out, 2, 0);
    shl_loss_fill(&loss, dry, 2, out, 2, 0);
    assert_memory_equal(&loss, &before, sizeof loss);
    lose(&loss, 64);
    shl_loss_came(&loss, out, 2, 0);
    assert_int_equal(loss.lost, 1);
}

static void the_count_of_lost_blocks_stops_at_its_end(void **state)
{
    struct shl_loss loss = heard(SHL_ONLOSS_FADE, 1, 1, 64);

    (void)state;
    loss.lost = UINT32_MAX - 1;
    lose(&loss, 64);
    assert_int_equal(loss.lost, UINT32_MAX);
    lose(&loss, 64);
    assert_int_equal(loss.lost, UINT32_MAX);
}

static void channels_that_went_away_are_forgotten(void **state)
{
    struct shl_loss loss = heard(SHL_ONLOSS_HOLD, 1, 1, 64);

    (void)state;
    fill(left, 0.5f);
    shl_loss_came(&loss, out, 1, 64);
    lose(&loss, 64);
    assert_all(left, 0, 64, 0.5f);
    assert_all(right, 0, 64, 0);
}

static void all_32_channels_have_a_last_sample(void **state)
{
    static float many[SHL_MAX_CHANNELS][16];
    float *planes[SHL_MAX_CHANNELS];
    struct shl_loss loss = {.policy = SHL_ONLOSS_HOLD};

    (void)state;
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++) {
        planes[c] = many[c];
        many[c][15] = (float)(c + 1);
    }
    shl_loss_came(&loss, planes, SHL_MAX_CHANNELS, 16);
    shl_loss_fill(&loss, NULL, 0, planes, SHL_MAX_CHANNELS, 16);
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++)
        assert_all(many[c], 0, 16, (float)(c + 1));
}

/* Each place in blocks of every size up to a few lanes. */
static void what_is_no_number_becomes_silence(void **state)
{
    static const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    float plane[39];

    (void)state;
    for (uint32_t frames = 0; frames <= 39; frames++) {
        for (uint32_t i = 0; i < frames; i++)
            plane[i] = i % 2 ? FLT_MAX : -FLT_MIN;
        assert_int_equal(shl_loss_clean(plane, frames), 0);
        for (uint32_t at = 0; at < frames; at++) {
            float before = plane[at];
            plane[at] = bad[(at + frames) % 4];
            assert_int_equal(shl_loss_clean(plane, frames), 1);
            assert_true(plane[at] == 0);
            plane[at] = before;
        }
        for (uint32_t i = 0; i < frames; i++)
            assert_true(plane[i] == (i % 2 ? FLT_MAX : -FLT_MIN));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_audio_is_not_touched),
        cmocka_unit_test(fade_goes_from_the_last_sample_to_silence),
        cmocka_unit_test(fade_ends_in_its_first_block),
        cmocka_unit_test(returning_audio_fades_in_from_silence),
        cmocka_unit_test(silence_is_silent_at_once),
        cmocka_unit_test(dry_plays_the_inputs_and_returns_at_once),
        cmocka_unit_test(dry_without_inputs_is_silent),
        cmocka_unit_test(hold_keeps_the_last_sample_and_returns_at_once),
        cmocka_unit_test(nothing_was_heard_yet_so_nothing_fades),
        cmocka_unit_test(policy_changed_in_a_loss_fades_from_what_was_heard),
        cmocka_unit_test(samples_that_are_no_numbers_do_not_linger),
        cmocka_unit_test(block_of_no_frames_changes_nothing),
        cmocka_unit_test(the_count_of_lost_blocks_stops_at_its_end),
        cmocka_unit_test(channels_that_went_away_are_forgotten),
        cmocka_unit_test(all_32_channels_have_a_last_sample),
        cmocka_unit_test(what_is_no_number_becomes_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
