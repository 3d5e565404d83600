/* SPDX-License-Identifier: MIT */
/* Every status has a sentence and a word of its own. */
#include "shmlink/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

/* shows MP-40 DL-54 */
static void every_status_has_a_sentence(void **state)
{
    (void)state;
    for (int s = 0; s < SHL_STATUS_COUNT; s++) {
        const char *text = shl_status_text((shl_status)s);
        assert_string_not_equal(text, "unknown status");
        assert_true(strlen(text) > 5 && strlen(text) < 100);
        assert_true(text[strlen(text) - 1] != '.');
        for (int other = 0; other < s; other++)
            assert_string_not_equal(text, shl_status_text((shl_status)other));
    }
}

/* shows MP-40 */
static void every_status_has_a_word_that_pd_can_carry(void **state)
{
    (void)state;
    for (int s = 0; s < SHL_STATUS_COUNT; s++) {
        const char *word = shl_status_word((shl_status)s);
        assert_string_not_equal(word, "unknown");
        for (const char *c = word; *c; c++)
            assert_true(islower((unsigned char)*c) || *c == '_');
        for (int other = 0; other < s; other++)
            assert_string_not_equal(word, shl_status_word((shl_status)other));
    }
}

static void numbers_that_are_no_status_get_an_answer_too(void **state)
{
    static const int strange[] = {SHL_STATUS_COUNT, SHL_STATUS_COUNT + 1, -1,
                                  0x7FFFFFFF};

    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_string_equal(shl_status_text((shl_status)strange[i]),
                            "unknown status");
        assert_string_equal(shl_status_word((shl_status)strange[i]), "unknown");
    }
}

/* A device stores the number of its reason for a refusal, so they are wire. */
static void numbers_on_the_wire_stay_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(SHL_OK, 0);
    assert_int_equal(SHL_BUSY, 4);
    assert_int_equal(SHL_WRONG_VERSION, 16);
    assert_int_equal(SHL_WRONG_RATE, 17);
    assert_int_equal(SHL_WRONG_BLOCK, 18);
    assert_int_equal(SHL_WRONG_CHANNELS, 19);
    assert_int_equal(SHL_WRONG_DRIVE, 20);
    assert_int_equal(SHL_WRONG_MODE, 21);
    assert_int_equal(SHL_SYSTEM, 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_sentence),
        cmocka_unit_test(every_status_has_a_word_that_pd_can_carry),
        cmocka_unit_test(numbers_that_are_no_status_get_an_answer_too),
        cmocka_unit_test(numbers_on_the_wire_stay_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
