/* SPDX-License-Identifier: MIT */
/* Parameters: plain value, 0..1 and text, there and back. */
#include "shmlink/param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

static const struct shl_param gain = {
    .minimum = -60, .maximum = 6, .initial = -6, .name = "Gain", .label = "dB"};
static const struct shl_param cutoff = {.curve = SHL_CURVE_LOG,
                                        .minimum = 20,
                                        .maximum = 20000,
                                        .initial = 1000,
                                        .name = "Cutoff freq",
                                        .label = "Hz"};
static const struct shl_param wave = {.curve = SHL_CURVE_STEPPED,
                                      .steps = 5,
                                      .minimum = 0,
                                      .maximum = 4,
                                      .name = "Wave"};
static const struct shl_param mute = {.curve = SHL_CURVE_STEPPED,
                                      .steps = 2,
                                      .flags = SHL_PARAM_TOGGLE,
                                      .minimum = 0,
                                      .maximum = 1,
                                      .name = "Mute"};
static const struct shl_param *const all[] = {&gain, &cutoff, &wave, &mute};
#define COUNT 4

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9 * (1 + fabs(b))))
        fail_msg("%.12g is not %.12g", a, b);
}

static void good_descriptions_pass(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(shl_param_check(all[i]), SHL_OK);
}

static void range_must_make_sense(void **state)
{
    static const double bad[][3] = {
        {1, 1, 1},
        {2, 1, 1},
        {0, 1, 2},
        {0, 1, -1},
        {(double)NAN, 1, 0},
        {0, (double)NAN, 0},
        {0, 1, (double)NAN},
        {0, (double)INFINITY, 0},
        {-(double)INFINITY, 0, 0},
        {-1e308, 1e308, 0} /* its width is no number */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct shl_param p = gain;
        p.minimum = bad[i][0];
        p.maximum = bad[i][1];
        p.initial = bad[i][2];
        assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    }
}

static void curve_must_exist_and_fit(void **state)
{
    struct shl_param p = gain;

    (void)state;
    p.curve = 3;
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    p = gain;
    p.steps = 5; /* but not stepped */
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    p = wave;
    p.steps = 1;
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    p = gain;
    p.curve = SHL_CURVE_LOG; /* from below 0 */
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    p = cutoff;
    p.minimum = 0;
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    p = mute;
    p.steps = 3;
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    p = gain;
    p.flags = SHL_PARAM_TOGGLE; /* without steps */
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
}

static void texts_must_end_and_a_name_must_be_there(void **state)
{
    struct shl_param p = gain;

    (void)state;
    p.name[0] = 0;
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    p = gain;
    memset(p.name, 'x', sizeof p.name);
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    p = gain;
    memset(p.label, 'x', sizeof p.label);
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
    p = gain;
    memset(p.group, 'x', sizeof p.group);
    assert_int_equal(shl_param_check(&p), SHL_BAD_VALUE);
}

static void linear_is_a_straight_line(void **state)
{
    (void)state;
    for (int i = 0; i <= 100; i++) {
        assert_near(shl_param_plain(&gain, i / 100.0), -60 + 0.66 * i);
        assert_near(shl_param_normal(&gain, -60 + 0.66 * i), i / 100.0);
    }
}

static void log_makes_equal_ratios_of_equal_distances(void **state)
{
    double step = shl_param_plain(&cutoff, 0.01) / 20;

    (void)state;
    for (int i = 0; i < 100; i++) {
        double here = shl_param_plain(&cutoff, i / 100.0);
        double next = shl_param_plain(&cutoff, (i + 1) / 100.0);
        assert_near(next / here, step);
    }
    assert_near(shl_param_plain(&cutoff, 1 / 3.0), 200);
    assert_near(shl_param_normal(&cutoff, 2000), 2 / 3.0);
}

static void stepped_lands_on_the_nearest_step(void **state)
{
    (void)state;
    for (int i = 0; i <= 1000; i++) {
        double nearest = floor(i / 250.0 + 0.5);
        assert_near(shl_param_plain(&wave, i / 1000.0), nearest);
        assert_near(shl_param_clip(&wave, i / 250.0), nearest);
        assert_near(shl_param_normal(&wave, i / 250.0), nearest / 4);
    }
    assert_near(shl_param_plain(&mute, 0.49), 0);
    assert_near(shl_param_plain(&mute, 0.5), 1);
}

static void a_single_step_is_no_division_by_nothing(void **state)
{
    struct shl_param p = wave;

    (void)state;
    p.steps = 1;
    for (double normal = 0; normal <= 1; normal += 0.125)
        assert_true(isfinite(shl_param_plain(&p, normal)));
    assert_near(shl_param_plain(&p, 1), p.maximum);
}

static void ends_are_exact_and_nothing_leaves_the_range(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        const struct shl_param *p = all[i];
        assert_true(shl_param_plain(p, 0) <= p->minimum);
        assert_true(shl_param_plain(p, 1) >= p->maximum);
        for (int n = -50; n <= 150; n++) {
            double plain = shl_param_plain(p, n / 100.0);
            double normal = shl_param_normal(
                p, p->minimum + (p->maximum - p->minimum) * n / 100);
            assert_true(plain >= p->minimum && plain <= p->maximum);
            assert_true(normal >= 0 && normal <= 1);
        }
    }
}

static void ends_are_exact_in_awkward_ranges_too(void **state)
{
    (void)state;
    for (int i = 1; i < 2000; i++) {
        struct shl_param p = gain;
        p.minimum = i / 7.0;
        p.maximum = i / 7.0 + i / 3.0 + 1e-3;
        p.initial = p.minimum;
        for (p.curve = SHL_CURVE_LINEAR; p.curve <= SHL_CURVE_LOG; p.curve++) {
            double low = shl_param_plain(&p, 0), high = shl_param_plain(&p, 1);
            assert_true(low <= p.minimum && low >= p.minimum);
            assert_true(high <= p.maximum && high >= p.maximum);
            assert_near(shl_param_normal(&p, p.maximum), 1);
        }
    }
}

static void nonsense_is_clipped(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        const struct shl_param *p = all[i];
        assert_near(shl_param_plain(p, (double)NAN), p->minimum);
        assert_near(shl_param_plain(p, (double)INFINITY), p->maximum);
        assert_near(shl_param_plain(p, -(double)INFINITY), p->minimum);
        assert_near(shl_param_normal(p, (double)NAN), 0);
        assert_near(shl_param_normal(p, (double)INFINITY), 1);
        assert_near(shl_param_normal(p, -(double)INFINITY), 0);
        assert_near(shl_param_clip(p, (double)NAN), p->minimum);
        assert_near(shl_param_clip(p, 1e300), p->maximum);
        assert_near(shl_param_clip(p, -1e300), p->minimum);
    }
}

static void values_go_there_and_back(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++)
        for (int n = 0; n <= 1000; n++) {
            double plain = shl_param_plain(all[i], n / 1000.0);
            double normal = shl_param_normal(all[i], plain);
            assert_near(shl_param_plain(all[i], normal), plain);
            assert_near(shl_param_clip(all[i], plain), plain);
        }
}

static void assert_text(const struct shl_param *p, double plain,
                        const char *expected)
{
    char text[64];

    shl_param_text(p, plain, text, sizeof text);
    assert_string_equal(text, expected);
}

static void texts_have_four_digits_and_a_unit(void **state)
{
    (void)state;
    assert_text(&gain, -6.0206, "-6.021 dB");
    assert_text(&gain, 0, "0 dB");
    assert_text(&gain, -6.02, "-6.02 dB");
    assert_text(&cutoff, 440, "440 Hz");
    assert_text(&cutoff, 12345, "12345 Hz");
    assert_text(&cutoff, 999.96, "1000 Hz");
    assert_text(&wave, 3, "3");
    assert_text(&wave, 2.8, "3");
    assert_text(&mute, 1, "on");
    assert_text(&mute, 0, "off");
    assert_text(&mute, 0.4, "off");
    assert_text(&gain, 1000, "6 dB");
    assert_text(&gain, (double)NAN, "-60 dB");
}

static void texts_stay_in_their_room(void **state)
{
    char text[8] = "-------";

    (void)state;
    for (size_t size = 0; size <= 8; size++) {
        memset(text, '-', sizeof text);
        shl_param_text(&gain, -6.0206, text, size);
        if (size)
            assert_int_equal(strlen(text), size - 1);
        for (size_t i = size; i < sizeof text; i++)
            assert_int_equal(text[i], '-');
    }
}

static void texts_are_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++)
        for (int n = 0; n <= 1000; n++) {
            double plain = shl_param_plain(all[i], n / 1000.0), back = 0;
            char text[64], again[64];
            shl_param_text(all[i], plain, text, sizeof text);
            assert_int_equal(shl_param_read(all[i], text, &back), SHL_OK);
            assert_true(fabs(back - plain) <= 1e-3 * fabs(plain));
            shl_param_text(all[i], back, again, sizeof again);
            assert_string_equal(again, text);
        }
}

static void assert_read(const struct shl_param *p, const char *text,
                        double expected)
{
    double plain = 4711;

    assert_int_equal(shl_param_read(p, text, &plain), SHL_OK);
    assert_near(plain, expected);
}

static void assert_unread(const struct shl_param *p, const char *text)
{
    double plain = 4711;

    assert_int_equal(shl_param_read(p, text, &plain), SHL_BAD_VALUE);
    assert_near(plain, 4711);
}

static void numbers_are_read_with_and_without_unit(void **state)
{
    (void)state;
    assert_read(&gain, "-6", -6);
    assert_read(&gain, "-6dB", -6);
    assert_read(&gain, "  -6   dB  ", -6);
    assert_read(&gain, "100", 6); /* clipped */
    assert_read(&cutoff, "1e3 Hz", 1000);
    assert_read(&wave, "2.2", 2);
    assert_read(&mute, "on", 1);
    assert_read(&mute, " off ", 0);
    assert_read(&mute, "1", 1);
}

static void other_texts_are_refused_and_change_nothing(void **state)
{
    (void)state;
    assert_unread(&gain, "");
    assert_unread(&gain, " ");
    assert_unread(&gain, "loud");
    assert_unread(&gain, "-6 Hz");
    assert_unread(&gain, "-6 d");
    assert_unread(&gain, "-6 dB please");
    assert_unread(&gain, "nan");
    assert_unread(&gain, "inf");
    assert_unread(&gain, "on"); /* no toggle */
    assert_unread(&mute, "onward");
    assert_unread(&mute, "o");
    assert_unread(&wave, "2 Hz");
}

static void names_match_with_spaces_or_underscores(void **state)
{
    (void)state;
    assert_true(shl_name_matches("Cutoff freq", "Cutoff freq"));
    assert_true(shl_name_matches("Cutoff_freq", "Cutoff freq"));
    assert_true(shl_name_matches("a_b", "a_b"));
    assert_true(shl_name_matches("", ""));
    assert_false(shl_name_matches("Cutoff freq", "Cutoff_freq"));
    assert_false(shl_name_matches("Cutoff", "Cutoff freq"));
    assert_false(shl_name_matches("Cutoff_freq_", "Cutoff freq"));
    assert_false(shl_name_matches("cutoff_freq", "Cutoff freq"));
    assert_false(shl_name_matches("", "x"));
    assert_false(shl_name_matches("x", ""));
}

static void ids_in_any_order_are_found_and_twins_refused(void **state)
{
    enum { MANY = 1000 };
    static struct shl_param many[MANY];
    static uint32_t by_id[MANY];

    (void)state;
    for (uint32_t count = 0; count <= MANY; count += count < 9 ? 1 : 991) {
        for (uint32_t i = 0; i < count; i++)
            many[i].id = (i + 1) * 2654435761u;
        assert_int_equal(shl_param_order(many, count, by_id), SHL_OK);
        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(shl_param_index(many, count, by_id, many[i].id),
                             i);
        assert_int_equal(shl_param_index(many, count, by_id, 12345), -1);
    }
    many[17].id = many[800].id;
    assert_int_equal(shl_param_order(many, MANY, by_id), SHL_BAD_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_descriptions_pass),
        cmocka_unit_test(range_must_make_sense),
        cmocka_unit_test(curve_must_exist_and_fit),
        cmocka_unit_test(texts_must_end_and_a_name_must_be_there),
        cmocka_unit_test(linear_is_a_straight_line),
        cmocka_unit_test(log_makes_equal_ratios_of_equal_distances),
        cmocka_unit_test(stepped_lands_on_the_nearest_step),
        cmocka_unit_test(a_single_step_is_no_division_by_nothing),
        cmocka_unit_test(ends_are_exact_and_nothing_leaves_the_range),
        cmocka_unit_test(ends_are_exact_in_awkward_ranges_too),
        cmocka_unit_test(nonsense_is_clipped),
        cmocka_unit_test(values_go_there_and_back),
        cmocka_unit_test(texts_have_four_digits_and_a_unit),
        cmocka_unit_test(texts_stay_in_their_room),
        cmocka_unit_test(texts_are_read_back),
        cmocka_unit_test(numbers_are_read_with_and_without_unit),
        cmocka_unit_test(other_texts_are_refused_and_change_nothing),
        cmocka_unit_test(names_match_with_spaces_or_underscores),
        cmocka_unit_test(ids_in_any_order_are_found_and_twins_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
