/* SPDX-License-Identifier: MIT */
/* Who is found for which wish, and the reasons when nobody is. */
#include "core/shm/segment.h"
#include "shmlink/registry.h"

#include "boards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void claim(struct shl_segment *host, const struct board_registered *d,
                  const char *tag)
{
    struct shl_claim what = {.rate_hz = 48000};

    strcpy(what.tag, tag);
    assert_int_equal(
        shl_segment_open(d->registration.entry.segment, host, NULL), SHL_OK);
    assert_int_equal(shl_segment_claim(host), SHL_OK);
    shl_segment_claim_write(host, &what);
}

/* ---- finding ------------------------------------------------------------------- */

static void name_gives_the_free_one_with_the_lowest_number(void **state)
{
    shl_registry *r = board_registry();
    struct shl_device_info info;
    struct shl_segment host;
    struct board_registered two, one, zero, other;

    (void)state;
    board_start(&other, "Other");
    board_start(&two, "MySynth:2");
    board_start(&one, "MySynth:1");
    board_start(&zero, "MySynth:0");
    assert_int_equal(shl_registry_find(r, "MySynth", &info), SHL_OK);
    assert_string_equal(info.id, "MySynth:0");
    assert_int_equal(shl_registry_find(r, "MySynth:2", &info), SHL_OK);
    assert_string_equal(info.id, "MySynth:2");
    assert_int_equal(shl_registry_find(r, "*", &info), SHL_OK);
    assert_string_equal(info.id, "Other:0");
    claim(&host, &zero, "");
    assert_int_equal(shl_registry_find(r, "MySynth", &info), SHL_OK);
    assert_string_equal(info.id, "MySynth:1");
    assert_int_equal(shl_registry_find(r, "MySynth:0", &info), SHL_BUSY);
    assert_string_equal(info.id, "MySynth:0");
    assert_int_equal(info.host_pid, getpid());
    shl_segment_close(&host); /* stale counts as free */
    assert_int_equal(shl_registry_find(r, "MySynth", &info), SHL_OK);
    assert_string_equal(info.id, "MySynth:0");
    info.id[0] = '!';
    assert_int_equal(shl_registry_find(r, "MySynth:3", &info), SHL_NOT_FOUND);
    assert_int_equal(shl_registry_find(r, "MySyn", &info), SHL_NOT_FOUND);
    assert_int_equal(shl_registry_find(r, "a/b", &info), SHL_BAD_NAME);
    assert_int_equal(shl_registry_find(r, NULL, &info), SHL_BAD_NAME);
    assert_int_equal(info.id[0], '!');
    board_stop(&other);
    board_stop(&two);
    board_stop(&one);
    board_stop(&zero);
    assert_int_equal(shl_registry_find(r, "*", &info), SHL_NOT_FOUND);
    shl_registry_close(r);
}

static void underscore_means_a_space_unless_it_is_there(void **state)
{
    shl_registry *r = board_registry();
    struct shl_device_info info;
    struct board_registered space, underscore;

    (void)state;
    board_start(&space, "My Synth");
    assert_int_equal(shl_registry_find(r, "My_Synth", &info), SHL_OK);
    assert_string_equal(info.id, "My Synth:0");
    assert_int_equal(shl_registry_find(r, "My_Synth:0", &info), SHL_OK);
    assert_string_equal(info.id, "My Synth:0");
    board_start(&underscore, "My_Synth:5");
    assert_int_equal(shl_registry_find(r, "My_Synth", &info), SHL_OK);
    assert_string_equal(info.id, "My_Synth:5");
    assert_int_equal(shl_registry_find(r, "My Synth", &info), SHL_OK);
    assert_string_equal(info.id, "My Synth:0");
    board_stop(&space);
    board_stop(&underscore);
    shl_registry_close(r);
}

/* shows DL-27 */
static void tag_finds_the_device_that_remembers_it(void **state)
{
    shl_registry *r = board_registry();
    struct shl_identity who = board_identity("B:0");
    struct shl_device_info info;
    struct shl_segment host;
    struct board_registered a, b;

    (void)state;
    board_start(&a, "A");
    board_start(&b, "B");
    assert_int_equal(shl_registry_find_tag(r, "lead", &info), SHL_NOT_FOUND);
    assert_int_equal(shl_registry_find_tag(r, "", &info), SHL_NOT_FOUND);
    assert_int_equal(shl_registry_find_tag(r, "a\nb", &info), SHL_BAD_NAME);
    strcpy(who.tag, "lead");
    shl_registration_update(&b.registration, &who);
    assert_int_equal(shl_registry_find_tag(r, "lead", &info), SHL_OK);
    assert_string_equal(info.id, "B:0");
    claim(&host, &b, "lead");
    assert_int_equal(shl_registry_find_tag(r, "lead", &info), SHL_BUSY);
    shl_segment_close(&host);
    board_stop(&a);
    board_stop(&b);
    shl_registry_close(r);
}

/* However the programs are started: nobody takes what is somebody else's. */
/* shows DL-27 */
static void tagged_host_passes_over_what_remembers_another_tag(void **state)
{
    shl_registry *r = board_registry();
    struct shl_identity who = board_identity("A:0");
    struct shl_device_info info;
    struct shl_why why = {""};
    struct board_registered a, b;

    (void)state;
    board_start(&a, "A");
    strcpy(who.tag, "bass");
    shl_registration_update(&a.registration, &who);
    assert_int_equal(shl_registry_find_for(r, "A", "lead", &info, &why),
                     SHL_NOT_FOUND);
    assert_non_null(strstr(why.text, "A:0 is free but remembers the tag bass"));
    assert_int_equal(shl_registry_find_for(r, "*", "lead", &info, NULL),
                     SHL_NOT_FOUND);
    /* by its number it is meant; without a tag of one's own nothing is lost */
    assert_int_equal(shl_registry_find_for(r, "A:0", "lead", &info, &why),
                     SHL_OK);
    assert_int_equal(shl_registry_find_for(r, "A", "", &info, &why), SHL_OK);
    assert_int_equal(shl_registry_find_for(r, "A", NULL, &info, &why), SHL_OK);
    assert_int_equal(shl_registry_find_for(r, "A", "bass", &info, &why),
                     SHL_OK);
    assert_int_equal(shl_registry_find_for(r, "Other", "bass", &info, &why),
                     SHL_OK);
    board_start(&b, "A"); /* remembers nobody */
    assert_int_equal(shl_registry_find_for(r, "A", "lead", &info, &why),
                     SHL_OK);
    assert_string_equal(info.id, "A:1");
    assert_int_equal(shl_registry_find_for(r, "B", "lead", &info, &why),
                     SHL_NOT_FOUND);
    assert_non_null(strstr(why.text, "no device B"));
    board_stop(&a);
    board_stop(&b);
    shl_registry_close(r);
}

/* ---- reasons ------------------------------------------------------------------- */

static void expect_why(shl_registry *r, const char *id, const char *words)
{
    char text[256] = "";

    shl_registry_why(r, id, text, sizeof text);
    if (!strstr(text, words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void reasons_name_what_is_wrong_and_what_to_do(void **state)
{
    shl_registry *r = board_registry();
    struct shl_link_header *link;
    struct shl_segment host;
    struct board_registered d;
    char text[8];

    (void)state;
    expect_why(r, "MySynth:0", "none is running");
    expect_why(r, "lv2:x", "colon");
    board_start(&d, "MySynth");
    expect_why(r, "Other", "running: MySynth:0");
    expect_why(r, "MySynth", "is free");
    claim(&host, &d, "lead");
    expect_why(r, "MySynth", "claimed in this very program (tag lead)");
    shl_segment_close(&host);
    expect_why(r, "MySynth", "is stale");
    link = (void *)(d.segment.map.base + SHL_LINK_OFFSET);
    link->region_count = 0;
    expect_why(r, "MySynth", "cannot be linked");
    atomic_store(shl_segment_word(&d.segment, 4), 6);
    expect_why(r, "MySynth", "speaks protocol 6");
    atomic_store(shl_segment_word(&d.segment, 12), 0);
    expect_why(r, "MySynth", "just starting");
    shl_registry_why(r, "MySynth", text, sizeof text); /* cut to fit */
    assert_int_equal(strlen(text), 7);
    shl_registry_why(r, "MySynth", NULL, 0);
    board_stop(&d);
    shl_registry_close(r);
}

static void many_devices_do_not_overflow_the_reason(void **state)
{
    static struct shl_registration registrations[40];
    shl_registry *r = board_registry();
    char id[48];

    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "A device with a rather long name:%d", i);
        assert_true(board_sit(&registrations[i], id, id));
    }
    expect_why(r, "Other", ", ...");
    for (int i = 0; i < 40; i++)
        shl_registration_leave(&registrations[i]);
    shl_registry_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(name_gives_the_free_one_with_the_lowest_number),
        BOARD_TEST(underscore_means_a_space_unless_it_is_there),
        BOARD_TEST(tag_finds_the_device_that_remembers_it),
        BOARD_TEST(tagged_host_passes_over_what_remembers_another_tag),
        BOARD_TEST(reasons_name_what_is_wrong_and_what_to_do),
        BOARD_TEST(many_devices_do_not_overflow_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
