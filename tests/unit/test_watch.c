/* SPDX-License-Identifier: MIT */
/* Watching the board: every change is told once, in words. DL-53. */
#include "shmlink/watch.h"

#include "boards.h"
#include "core/shm/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char said[256];

static void hear(void *arg, enum shl_change change,
                 const struct shl_device_info *info)
{
    size_t used = strlen(said);

    assert_ptr_equal(arg, said);
    snprintf(said + used, sizeof said - used, "%s %s;", shl_change_name(change),
             info->id);
}

static struct shl_look device(const char *id, uint32_t host, const char *tag)
{
    struct shl_look look = {.count = 1};

    snprintf(look.device[0].id, sizeof look.device[0].id, "%s", id);
    snprintf(look.device[0].tag, sizeof look.device[0].tag, "%s", tag);
    look.device[0].state = host ? SHL_STATE_BUSY : SHL_STATE_FREE;
    look.device[0].host_pid = host;
    return look;
}

static void differs(struct shl_look before, struct shl_look now,
                    const char *wanted)
{
    said[0] = 0;
    shl_watch_compare(&before, &now, hear, said);
    assert_string_equal(said, wanted);
}

static void changes_have_words(void **state)
{
    struct shl_look none = {0}, back = device("A:0", 0, "");

    (void)state;
    differs(none, none, "");
    differs(none, device("A:0", 7, ""), "added A:0;");
    differs(device("A:0", 0, ""), none, "removed A:0;");
    differs(device("A:0", 0, ""), device("A:0", 7, ""), "claimed A:0;");
    differs(device("A:0", 7, ""), device("A:0", 0, ""), "released A:0;");
    differs(device("A:0", 7, ""), device("A:0", 8, ""),
            "released A:0;claimed A:0;");
    differs(device("A:0", 7, ""), device("A:0", 7, ""), "");
    differs(device("A:0", 0, ""), device("A:0", 7, "t"),
            "claimed A:0;changed A:0;");
    differs(device("A:0", 0, ""), device("B:0", 0, ""),
            "removed A:0;added B:0;");
    back.device[0].segment[0] = '/';
    differs(device("A:0", 0, ""), back, "removed A:0;added A:0;");
}

/* shows DL-53 */
static void registry_tells_its_changes(void **state)
{
    struct shl_look known = {0};
    shl_registry *open = NULL;
    struct shl_registration registration;

    (void)state;
    assert_int_equal(shl_registry_open(registry, &open, NULL), SHL_OK);
    said[0] = 0;
    assert_int_equal(shl_registry_watch(open, &known, hear, said), SHL_OK);
    assert_string_equal(said, "");
    assert_true(board_sit(&registration, "A", "A:0"));
    assert_int_equal(shl_registry_watch(open, &known, hear, said), SHL_OK);
    assert_string_equal(said, "added A:0;");
    assert_int_equal(shl_registry_watch(open, &known, hear, said), SHL_OK);
    assert_string_equal(said, "added A:0;");
    shl_registration_leave(&registration);
    assert_int_equal(shl_registry_watch(open, &known, hear, said), SHL_OK);
    assert_string_equal(said, "added A:0;removed A:0;");
    shl_registry_close(open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_have_words),
        BOARD_TEST(registry_tells_its_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
