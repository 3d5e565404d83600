/* SPDX-License-Identifier: MIT */
/* Numbers as text: the same in every locale, and the same as the C library has
 * them in the usual one. */
#include "shmlink/number.h"
#include "shmlink/param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t seed = 7;

static uint64_t chance(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed ^ seed >> 29;
}

/* Any bits, or an ordinary number. */
static double any(void)
{
    const uint64_t bits = chance();
    double value;

    if (bits & 1)
        return (double)(int64_t)(chance() % 2000000) / 1000.0 - 1000.0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* ---- as the C library ------------------------------------------------------------- */

static void numbers_are_written_as_printf_writes_them(void **state)
{
    char text[400];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const double value = any();
        const int digits = 1 + i % 17;

        if (isnan(value))
            continue;
        snprintf(text, sizeof text, "%.*g", digits, value);
        assert_string_equal(shl_digits(value, digits).text, text);
        if (!(fabs(value) < 1e15))
            continue;
        snprintf(text, sizeof text, "%.*f", i % 10, value);
        assert_string_equal(shl_places(value, i % 10).text, text);
    }
    assert_string_equal(shl_digits((double)INFINITY, 5).text, "inf");
    assert_string_equal(shl_digits((double)-INFINITY, 5).text, "-inf");
    assert_string_equal(shl_places(-0.5, 99).text, "-0.500000000");
    assert_string_equal(shl_places(1e15, 2).text, shl_digits(1e15, 17).text);
    assert_string_equal(shl_places(1e300, 2).text, "1.0000000000000001e+300");
}

static void what_was_written_is_read_again(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        const double value = any();
        const struct shl_number number = shl_digits(value, 17);
        const char *end;

        if (!isfinite(value))
            continue;
        const double read = shl_number_read(number.text, &end);
        assert_true(same(read, value));
        assert_int_equal(*end, 0);
    }
}

static void read_as(const char *text, double value, const char *rest)
{
    const char *end = NULL;
    const double read = shl_number_read(text, &end);

    if (!same(read, value) || strcmp(end, rest))
        print_error("'%s' gives %s and '%s'\n", text, shl_digits(read, 17).text,
                    end);
    assert_true(same(read, value));
    assert_string_equal(end, rest);
}

static void every_form_is_read_and_no_other(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "1.",
        ".5",
        "-.5",
        "+2",
        "1e3",
        "1E-3",
        "1e+3x",
        "1e",
        "1e+",
        "12.5 dB",
        "1,5",
        "1.5.5",
        "0001.50",
        "1e400",
        "-1e400",
        "1e-400",
        "0e999999999999",
        "1e9999",
        "00",
        "0.00001",
        "4.9e-324",
        "1.7976931348623157e308",
        "1797693134862315807937289714053034150799341327100378269361737789804449"
        "68"
        "2927647509466490179775872070963302864166928879109465555478519404026306"
        "57"
        "4886715058206819089020007083836762738548458177115317644757302700698555"
        "71"
        "3669596228429148198608349364752927190741684443655107043427115596995080"
        "93"
        "042880",
        "0.3000000000000000166533453693773481063544750213623046875",
        "9007199254740993",
        "9007199254740992.999999999999999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *end;
        const double value = strtod(texts[i], &end);
        read_as(texts[i], value, end);
    }
    read_as("", 0, "");
    read_as(".", 0, ".");
    read_as("-", 0, "-");
    read_as(" 1", 0, " 1");
    read_as("inf", 0, "inf");
    read_as("nan", 0, "nan");
    read_as("e5", 0, "e5");
    read_as("0x10", 0, "x10");
}

/* More digits than any number needs; the last one decides the rounding. */
static void long_texts_are_rounded_right(void **state)
{
    char text[3000];
    size_t length;

    (void)state;
    for (int i = 0; i < 200; i++) {
        length = (size_t)snprintf(text, sizeof text, "1.5");
        memset(text + length, '0', 2900);
        text[1 + i * 14] = '.';
        if (i)
            text[1] = '7';
        text[length + 2000] = '1';
        text[length + 2900] = 0;
        read_as(text, strtod(text, NULL), "");
    }
    /* just above the middle between 1 and the next: only its end says so */
    length = (size_t)snprintf(
        text, sizeof text,
        "1.00000000000000011102230246251565404236316680908203125");
    read_as(text, 1, "");
    memset(text + length, '0', 1500);
    text[length + 1500] = 0;
    read_as(text, 1, "");
    text[length + 1499] = '1';
    read_as(text, strtod(text, NULL), "");
    assert_true(shl_number_read(text, (const char *[]){NULL}) > 1);
    memset(text, '0', 2999);
    text[1] = '.';
    text[2990] = '5';
    memcpy(text + 2991, "e2990", 6);
    read_as(text, strtod(text, NULL), "");
}

/* ---- in any locale ------------------------------------------------------------------- */

/* de_DE and fa_IR (a point of two bytes) are made by localedef, in a folder of
 * this test; without it, they are looked for. */
static char folder[64];

static int use_locale(const char *name)
{
    char command[400], path[200];

    if (!folder[0]) {
        snprintf(folder, sizeof folder, "/tmp/shmlink-locale-XXXXXX");
        if (!mkdtemp(folder) || setenv("LOCPATH", folder, 1))
            return 0;
    }
    snprintf(path, sizeof path, "%s.UTF-8", name);
    snprintf(command, sizeof command,
             "localedef -i %s -f UTF-8 %s/%s >/dev/null 2>&1", name, folder,
             path);
    if (system(command) < 0)
        return 0;
    const int used = setlocale(LC_ALL, path) != NULL;
    snprintf(command, sizeof command, "rm -rf %s/%s", folder, path);
    if (system(command) < 0)
        return 0;
    return used;
}

static void every_locale_has_a_point(void **state)
{
    static const char *const names[] = {"de_DE", "fa_IR"};
    static const struct shl_param gain = {.minimum = -60,
                                          .maximum = 6,
                                          .curve = SHL_CURVE_LINEAR,
                                          .name = "gain",
                                          .label = "dB"};
    int used = 0;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[64];
        double plain = 0;

        if (!use_locale(names[i]))
            continue;
        snprintf(text, sizeof text, "%g", 0.5);
        if (!strcmp(text, "0.5"))
            continue; /* a locale that writes it as we do shows nothing */
        used++;
        assert_string_equal(shl_digits(-6.5, 10).text, "-6.5");
        assert_string_equal(shl_digits(1.25e-10, 10).text, "1.25e-10");
        assert_string_equal(shl_places(1234.5, 3).text, "1234.500");
        read_as("-6.5 dB", -6.5, " dB");
        read_as("-6,5", -6, ",5");
        shl_param_text(&gain, -6.5, text, sizeof text);
        assert_string_equal(text, "-6.5 dB");
        assert_int_equal(shl_param_read(&gain, "-6.5 dB", &plain), SHL_OK);
        assert_true(same(plain, -6.5));
        what_was_written_is_read_again(state);
    }
    setlocale(LC_ALL, "C");
    rmdir(folder);
    if (!used)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_as_printf_writes_them),
        cmocka_unit_test(what_was_written_is_read_again),
        cmocka_unit_test(every_form_is_read_and_no_other),
        cmocka_unit_test(long_texts_are_rounded_right),
        cmocka_unit_test(every_locale_has_a_point),
    };

    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
