/* SPDX-License-Identifier: MIT */
/* What devices, tags and texts may be called. */
#include "shmlink/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define FORTY "0123456789abcdefghij0123456789abcdefghij"

static void good_ids_give_name_and_number(void **state)
{
    static const struct {
        const char *id, *name;
        int32_t number;
    } good[] = {
        {"MySynth", "MySynth", -1},
        {"MySynth:0", "MySynth", 0},
        {"MySynth:63", "MySynth", 63},
        {"MySynth:999999", "MySynth", 999999},
        {"808", "808", -1},
        {"808:0", "808", 0},
        {"My Synth:1", "My Synth", 1},
        {"a", "a", -1},
        {"B\xc3\xbchne \xf0\x9f\x8e\xb9:2", "B\xc3\xbchne \xf0\x9f\x8e\xb9", 2},
        {"lv2x", "lv2x", -1},
        {"Null", "Null", -1},
        {"**", "**", -1},
        {"a-b", "a-b", -1},
        {FORTY "1234567", FORTY "1234567", -1},
        {FORTY "12345:6", FORTY "12345", 6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct shl_why why = {"untouched"};
        char name[48] = "";
        int32_t number = -7;

        if (shl_id_check(good[i].id, name, &number, &why))
            fail_msg("%s", why.text);
        assert_string_equal(name, good[i].name);
        assert_int_equal(number, good[i].number);
        assert_string_equal(why.text, "untouched");
        assert_int_equal(shl_id_check(good[i].id, NULL, NULL, NULL), SHL_OK);
    }
}

static void bad_ids_are_refused_with_a_reason(void **state)
{
    static const struct {
        const char *id, *reason;
    } bad[] = {
        {NULL, "empty"},
        {"", "empty"},
        {":0", "empty"},
        {"a/b", "none of"},
        {"a\\b", "none of"},
        {"a,b", "none of"},
        {"a;b", "none of"},
        {"$0-a", "none of"},
        {"a:", "colon"},
        {"a:b", "colon"},
        {"a:0:1", "colon"},
        {"a:-1", "colon"},
        {"a:+1", "colon"},
        {"a: 1", "colon"},
        {"a:01", "colon"},
        {"a:00", "colon"},
        {"a:1000000", "colon"},
        {"-a", "begins with -"},
        {"-", "begins with -"},
        {"lv2", "reserved"},
        {"lv2:0", "reserved"},
        {"clap", "reserved"},
        {"vst3", "reserved"},
        {"null", "reserved"},
        {"*", "reserved"},
        {"*:0", "reserved"},
        {"a\nb", "control"},
        {"a\x7f", "control"},
        {"a\xc2\x85", "control"},         /* a control character of 2 bytes */
        {"a\xff", "control"},             /* no UTF-8 at all */
        {"a\xc3", "control"},             /* cut short */
        {"a\xc0\xaf", "control"},         /* a slash, too long */
        {"a\xe0\x80\xaf", "control"},     /* a slash, longer */
        {"a\xed\xa0\x80", "control"},     /* half of a pair */
        {"a\xf4\x90\x80\x80", "control"}, /* behind the last */
        {FORTY "12345678", "longer than 47"},
        {FORTY "12345:67", "longer than 47"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct shl_why why = {""};
        char name[48] = "untouched";
        int32_t number = -7;

        assert_int_equal(shl_id_check(bad[i].id, name, &number, &why),
                         SHL_BAD_NAME);
        if (!strstr(why.text, bad[i].reason))
            fail_msg("\"%s\" instead of \"%s\"", why.text, bad[i].reason);
        assert_string_equal(name, "untouched");
        assert_int_equal(number, -7);
    }
}

static void tags_are_up_to_63_bytes_of_text(void **state)
{
    struct shl_why why;

    (void)state;
    assert_int_equal(shl_tag_check("", NULL), SHL_OK);
    assert_int_equal(shl_tag_check("DiscoPro:LayerA:session_42", NULL), SHL_OK);
    assert_int_equal(shl_tag_check("a;b,c$1 /", NULL), SHL_OK);
    assert_int_equal(shl_tag_check(FORTY "01234567890123456789abc", NULL),
                     SHL_OK);
    assert_int_equal(shl_tag_check(FORTY "01234567890123456789abcd", &why),
                     SHL_BAD_NAME);
    assert_non_null(strstr(why.text, "63 bytes"));
    assert_int_equal(shl_tag_check("a\tb", &why), SHL_BAD_NAME);
    assert_int_equal(shl_tag_check("a\xff", &why), SHL_BAD_NAME);
    assert_int_equal(shl_tag_check(NULL, &why), SHL_BAD_NAME);
}

static void unclean_text_becomes_question_marks(void **state)
{
    char text[8] = {'a', 27, 'b', (char)0xC3, (char)0xA4, 'c', 'd', 'e'};
    char ends[4] = {'a', 0, 'x', 'y'};

    (void)state;
    shl_text_clean(text, sizeof text);
    assert_string_equal(text, "a?b\xc3\xa4"
                              "cd");
    shl_text_clean(ends, sizeof ends);
    assert_memory_equal(ends, "a\0\0\0", 4);
    shl_text_clean(text, 0);
    shl_text_clean(text, 1);
    assert_string_equal(text, "");
}

static void reason_ends_in_a_whole_character(void **state)
{
    struct shl_why why;
    char long_text[sizeof why.text + 1];

    (void)state;
    memset(&why, 'x', sizeof why);
    /* the first half of its last character is the last byte that fits */
    memset(long_text, 'y', sizeof long_text);
    memcpy(long_text + sizeof why.text - 2, "\xc3\xa4", 3);
    shl_why_set(&why, "%s", long_text);
    assert_int_equal(strlen(why.text), sizeof why.text - 1);
    assert_int_equal(why.text[sizeof why.text - 2], '?');
    shl_why_set(NULL, "nobody wants to know %d", 1);
}

static void copies_are_cut_behind_a_whole_character(void **state)
{
    static const struct {
        size_t size;
        const char *from, *to;
    } rows[] = {
        {4, "abc", "abc"},
        {3, "abc", "ab"},
        {1, "abc", ""},
        {4, "", ""},
        {4, "a\xc3\xa4", "a\xc3\xa4"},
        {4, "ab\xc3\xa4", "ab"},
        {5, "a\xf0\x9f\x8e\xb9", "a"},
        {3, "\xe2\x82\xac", ""},
        {6, "a\xf0\x9f\x8e\xb9z", "a\xf0\x9f\x8e\xb9"},
        /* no UTF-8: as it is */
        {6, "\x80\x80\x80\x80\x80\x80", "\x80\x80\x80\x80\x80"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char to[8] = "zzzzzzz";
        assert_int_equal(shl_text_copy(to, rows[i].size, rows[i].from),
                         strlen(rows[i].to));
        assert_string_equal(to, rows[i].to);
        assert_int_equal(to[rows[i].size], rows[i].size < 7 ? 'z' : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ids_give_name_and_number),
        cmocka_unit_test(bad_ids_are_refused_with_a_reason),
        cmocka_unit_test(tags_are_up_to_63_bytes_of_text),
        cmocka_unit_test(unclean_text_becomes_question_marks),
        cmocka_unit_test(reason_ends_in_a_whole_character),
        cmocka_unit_test(copies_are_cut_behind_a_whole_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
