/* SPDX-License-Identifier: MIT */
/* Boards that are garbage, cut, foreign or gone. */
#include "core/board/board.h"
#include "core/shm/segment.h"

#include "boards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- bad boards ---------------------------------------------------------------- */

static void garbage_board_hurts_nobody(void **state)
{
    const int rounds = board_soak() ? 2000 : 40;
    struct shl_board_view view = board_view();
    struct shl_board_entry entry;
    struct shl_registration registration;

    (void)state;
    for (int round = 0; round < rounds; round++) {
        shl_random_bytes(view.map.base, sizeof(struct shl_board));
        for (uint32_t i = 0; i < SHL_MAX_DEVICES; i++) {
            shl_status status = shl_board_read(&view, i, &entry);
            assert_true(status == SHL_NOT_FOUND || status == SHL_AGAIN);
        }
        /* all dead: there is room */
        assert_true(board_sit(&registration, "Survivor", "Survivor:0"));
        assert_int_equal(board_sweep(), 63);
        assert_int_equal(board_used(), 1);
        shl_registration_leave(&registration);
    }
    shl_board_close(&view);
}

/** Write a slot as nobody does who holds its lease. */
static void plant(const char *segment)
{
    struct shl_board_view view = board_view();
    struct shl_board_entry entry;

    memset(&entry, 0, sizeof entry);
    entry.magic = SHL_BOARD_SLOT_MAGIC;
    entry.version = SHL_BOARD_VERSION;
    memcpy(entry.segment, segment,
           strnlen(segment, sizeof entry.segment - 1) + 1);
    entry.identity = board_identity("Planted:0");
    shl_seqlock_write(&view.board->slot[7].seqlock, &entry, sizeof entry / 8);
    shl_board_close(&view);
}

static void planted_names_unlink_nothing_of_others(void **state)
{
    char victim[32], wrong[32];
    struct shl_map map = SHL_MAP_NONE;
    uint32_t other = 0x12345678;

    (void)state;
    snprintf(victim, sizeof victim, "/shl-%u-feedfeedfeed",
             (unsigned)geteuid());
    snprintf(wrong, sizeof wrong, "/shltest-%d", (int)getpid());
    assert_int_equal(shl_map_create(wrong, 4096, &map), SHL_OK);
    shl_map_close(&map);
    plant(wrong); /* not a name of ours */
    assert_int_equal(board_sweep(), 1);
    assert_true(board_exists(wrong));
    shl_map_unlink(wrong);

    assert_int_equal(shl_map_create(victim, 4096, &map), SHL_OK);
    memcpy(map.base, &other, sizeof other);
    plant(victim); /* not a segment */
    assert_int_equal(board_sweep(), 1);
    assert_true(board_exists(victim));
    memset(map.base, 0, sizeof other);
    assert_int_equal(fchmod(map.fd, 0644), 0);
    plant(victim); /* not private */
    assert_int_equal(board_sweep(), 1);
    assert_true(board_exists(victim));
    assert_int_equal(fchmod(map.fd, 0600), 0);
    assert_int_equal(shl_lease_take(&map, SHL_LEASE_DEVICE), SHL_OK);
    plant(victim); /* somebody lives in it */
    assert_int_equal(board_sweep(), 0);
    assert_true(board_exists(victim));
    shl_lease_drop(&map, SHL_LEASE_DEVICE);
    assert_int_equal(board_sweep(), 1); /* what dying in creation leaves */
    assert_false(board_exists(victim));
    shl_map_close(&map);
}

static void device_moves_to_the_board_that_is_there_now(void **state)
{
    struct shl_board_view view;
    struct shl_board_entry entry, before;
    struct shl_registration registration;

    (void)state;
    assert_true(board_sit(&registration, "MySynth", "MySynth:0"));
    before = registration.entry;
    assert_int_equal(shl_registration_renew(&registration), SHL_OK);
    view = board_view();
    assert_true(shl_board_current(&view));
    unlink(board);
    assert_false(shl_board_current(&view));
    shl_board_close(&view);
    view = board_view();
    assert_int_equal(shl_board_read(&view, 0, &entry), SHL_NOT_FOUND);
    assert_int_equal(shl_registration_renew(&registration), SHL_OK);
    assert_int_equal(shl_board_read(&view, registration.slot, &entry), SHL_OK);
    assert_memory_equal(&entry, &before, sizeof entry);
    assert_true(shl_board_held(&view, registration.slot));
    shl_board_close(&view);
    shl_registration_leave(&registration);
    assert_int_equal(board_used(), 0);
}

static void device_that_lost_its_id_meanwhile_hears_so(void **state)
{
    struct shl_registration registration, thief;

    (void)state;
    assert_true(board_sit(&registration, "MySynth", "MySynth:0"));
    unlink(board);
    assert_true(board_sit(&thief, "MySynth", "MySynth:0"));
    assert_int_equal(shl_registration_renew(&registration), SHL_TAKEN);
    assert_string_equal(registration.entry.identity.id, "MySynth:0");
    shl_registration_leave(&thief);
    assert_int_equal(shl_registration_renew(&registration), SHL_OK);
    shl_registration_leave(&registration);
    assert_int_equal(board_used(), 0);
}

static void board_cut_short_is_mended(void **state)
{
    struct shl_board_view view = board_view();
    struct shl_board_entry entry;
    struct shl_registration registration;

    (void)state;
    assert_true(board_sit(&registration, "MySynth", "MySynth:0"));
    assert_int_equal(truncate(board, 0), 0);
    assert_int_not_equal(shl_board_read(&view, 0, &entry), SHL_OK);
    assert_false(shl_board_current(&view));
    assert_int_equal(shl_registration_renew(&registration), SHL_OK);
    shl_board_close(&view);
    view = board_view();
    assert_int_equal(shl_board_read(&view, registration.slot, &entry), SHL_OK);
    assert_true(shl_board_held(&view, registration.slot));
    /* cut and grown again by somebody else, before it looked */
    assert_int_equal(truncate(board, 0), 0);
    assert_int_equal(truncate(board, sizeof(struct shl_board)), 0);
    assert_int_equal(shl_registration_renew(&registration), SHL_OK);
    assert_int_equal(shl_board_read(&view, registration.slot, &entry), SHL_OK);
    shl_registration_leave(&registration);
    shl_board_close(&view);
}

static void foreign_board_is_refused_with_its_name(void **state)
{
    struct shl_board_view view = board_view();
    struct shl_why why;

    (void)state;
    shl_board_close(&view);
    assert_int_equal(chmod(board, 0644), 0);
    assert_int_equal(shl_board_open(registry, &view, &why), SHL_FOREIGN);
    assert_non_null(strstr(why.text, board));
    assert_int_equal(chmod(board, 0600), 0);
    assert_int_equal(truncate(board, sizeof(struct shl_board) + 1), 0);
    assert_int_equal(shl_board_open(registry, &view, &why), SHL_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(garbage_board_hurts_nobody),
        BOARD_TEST(planted_names_unlink_nothing_of_others),
        BOARD_TEST(device_moves_to_the_board_that_is_there_now),
        BOARD_TEST(device_that_lost_its_id_meanwhile_hears_so),
        BOARD_TEST(board_cut_short_is_mended),
        BOARD_TEST(foreign_board_is_refused_with_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
