/* SPDX-License-Identifier: MIT */
/* Names in shared memory that belong to others: boards of another user, segments
 * that nobody may open, segments for plugin programs whose host is elsewhere. */
#include "core/board/board.h"
#include "core/shm/segment.h"
#include "shmlink/registry.h"

#include "boards.h"
#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHER_USER 54321

static void numbered_board(uint32_t number, char path[96])
{
    if (number)
        snprintf(path, 96, "%s.%u", board, (unsigned)number);
    else
        snprintf(path, 96, "%s", board);
}

/* Files of another user. False if we may not make such. */
static bool others_take(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        char path[96];
        int fd;

        numbered_board(i, path);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            return false;
        close(fd);
        if (chown(path, OTHER_USER, OTHER_USER)) {
            unlink(path);
            return false;
        }
    }
    return true;
}

static int remove_boards(void **state)
{
    for (uint32_t i = 0; i < 16; i++) {
        char path[96];

        numbered_board(i, path);
        unlink(path);
    }
    return board_tear_down(state);
}

static uint32_t number_of_board(void)
{
    struct shl_board_view view = board_view();
    uint32_t number = view.number;

    shl_board_close(&view);
    return number;
}

static void needs_root(void)
{
    if (geteuid() != 0)
        skip();
}

/* ---- boards --------------------------------------------------------------------- */

/* shows DL-38 MP-50 */
static void board_of_another_user_is_skipped_and_named(void **state)
{
    struct board_registered device;
    shl_registry *r;
    struct shl_device_info info;
    char text[400], words[128];

    (void)state;
    needs_root();
    assert_true(others_take(0, 2));
    board_start(&device, "Here");
    assert_int_equal(device.registration.view.number, 2);
    assert_int_equal(number_of_board(), 2);
    r = board_registry();
    assert_int_equal(shl_registry_find(r, "Here:0", &info), SHL_OK);
    shl_registry_why(r, "Gone:0", text, sizeof text);
    snprintf(words, sizeof words, "%s belongs to user %u", board, OTHER_USER);
    assert_non_null(strstr(text, words));
    shl_registry_close(r);
    board_stop(&device);
}

static void board_that_is_ours_wins_before_a_new_one(void **state)
{
    char path[96];

    (void)state;
    needs_root();
    assert_true(others_take(0, 1));
    assert_int_equal(number_of_board(), 1);
    unlink(board); /* the other user has left */
    assert_int_equal(number_of_board(), 1);
    numbered_board(0, path);
    assert_int_equal(access(path, F_OK), -1);
}

/* However two boards of ours came to be: all meet on the first. */
static void devices_move_to_the_first_board_of_ours(void **state)
{
    struct board_registered device;
    shl_registry *r;
    struct shl_device_info info;
    int fd;

    (void)state;
    needs_root();
    assert_true(others_take(0, 1));
    board_start(&device, "Mover");
    r = board_registry();
    assert_int_equal(shl_registry_find(r, "Mover:0", &info), SHL_OK);
    assert_true(shl_board_current(&device.registration.view));
    unlink(board);
    assert_true(shl_board_current(&device.registration.view));
    fd = open(board, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_false(shl_board_current(&device.registration.view));
    assert_int_equal(shl_registration_renew(&device.registration), SHL_OK);
    assert_int_equal(device.registration.view.number, 0);
    assert_int_equal(shl_registry_find(r, "Mover:0", &info), SHL_OK);
    assert_int_equal(board_used(), 1);
    shl_registry_close(r);
    board_stop(&device);
}

static void when_all_names_are_taken_their_owner_is_named(void **state)
{
    struct shl_board_view view;
    struct shl_why why = {""};
    char words[64];

    (void)state;
    needs_root();
    assert_true(others_take(0, 16));
    assert_int_equal(shl_board_open(registry, &view, &why), SHL_FOREIGN);
    snprintf(words, sizeof words, "belongs to user %u", OTHER_USER);
    assert_non_null(strstr(why.text, words));
    assert_non_null(strstr(why.text, "SHMLINK_REGISTRY"));
}

/* One of ours with another mode is no other's: what is wrong is said. */
static void board_with_a_wrong_mode_says_which(void **state)
{
    struct shl_board_view view;
    struct shl_why why = {""};

    (void)state;
    assert_int_equal(number_of_board(), 0);
    assert_int_equal(chmod(board, 0666), 0);
    assert_int_equal(shl_board_open(registry, &view, &why), SHL_FOREIGN);
    assert_non_null(
        strstr(why.text, "has mode 0666, not 0600: type chmod 600"));
}

/* ---- reasons ------------------------------------------------------------------------ */

static void expect(shl_registry *r, const char *id, const char *words)
{
    char text[400];

    shl_registry_why(r, id, text, sizeof text);
    if (!strstr(text, words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void empty_board_says_whose_it_is(void **state)
{
    shl_registry *r = board_registry();
    const char *hides = shl_sandbox();
    char words[64];

    (void)state;
    snprintf(words, sizeof words, "of user %u", (unsigned)geteuid());
    expect(r, "Nobody:0", words);
    expect(r, "Nobody:0", "none is running");
    expect(r, "Nobody:0", "shmlink device --id Nobody:0");
    if (hides)
        expect(r, "Nobody:0", hides);
    setenv("container", "podman", 1);
    expect(r, "Nobody:0", "in a container");
    if (!hides) {
        unsetenv("container");
        setenv("SNAP_NAME", "pd", 1);
        expect(r, "Nobody:0", "in a snap");
        unsetenv("SNAP_NAME");
    }
    unsetenv("container");
    shl_registry_close(r);
}

static void segment_that_is_not_there_is_no_riddle(void **state)
{
    struct board_registered device;
    shl_registry *r = board_registry();
    char path[300], words[700];

    (void)state;
    board_start(&device, "Bare");
    snprintf(path, sizeof path, "/dev/shm%s", device.segment.name);
    assert_int_equal(chmod(path, 0666), 0);
    snprintf(words, sizeof words,
             "%s has mode 0666, not 0600: type chmod 600 %s", path, path);
    expect(r, "Bare:0", words);
    assert_int_equal(chmod(path, 0600), 0);
    expect(r, "Bare:0", "is free");
    if (geteuid() == 0) {
        assert_int_equal(chown(path, OTHER_USER, OTHER_USER), 0);
        expect(r, "Bare:0", "belongs to user 54321");
        assert_int_equal(chown(path, 0, 0), 0);
    }
    shl_map_unlink(device.segment.name);
    expect(r, "Bare:0", "start the device again");
    shl_registry_close(r);
    board_stop(&device);
}

/* ---- segments for plugin programs ---------------------------------------------------- */

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* A name with the pid of a process that has ended, or that is another's in the
 * namespace where it was made: here that looks the same. */
static void dead_name(char name[128])
{
    pid_t dead = child_start(nothing, NULL);

    child_wait(dead);
    snprintf(name, 128, SHL_BOARD_PLUGIN "%d-clap-%d-0", (int)dead,
             (int)getpid());
}

static void swept(const char *name, bool gone)
{
    shl_board_sweep_plugins();
    if (board_exists(name) == gone)
        fail_msg("%s is %s", name, gone ? "left" : "gone");
}

static void lease_keeps_a_segment_and_a_dead_host_does_not(void **state)
{
    struct shl_map map;
    char name[128];

    (void)state;
    dead_name(name);
    assert_int_equal(shl_map_create(name, 4096, &map), SHL_OK);
    for (uint64_t lease = 0; lease <= SHL_LEASE_MAKER; lease++) {
        assert_int_equal(shl_lease_take(&map, lease), SHL_OK);
        swept(name, false);
        shl_lease_drop(&map, lease);
    }
    swept(name, true);
    shl_map_close(&map);
}

/* Sweeps as fast as it can while segments come to be: none may find one that
 * nobody holds. */
static _Atomic int sweeping;

static void *sweep(void *arg)
{
    (void)arg;
    while (sweeping)
        shl_board_sweep_plugins();
    return NULL;
}

static void segment_is_held_from_its_first_instant(void **state)
{
    int rounds = board_soak() ? 100000 : 3000;
    struct shl_map map, again, ask;
    char dead[128], name[160];
    pthread_t thread;

    (void)state;
    dead_name(dead);
    sweeping = 1;
    assert_int_equal(pthread_create(&thread, NULL, sweep, NULL), 0);
    for (int i = 0; i < rounds; i++) {
        /* as with hosts, none comes twice */
        snprintf(name, sizeof name, "%s%d", dead, i);
        assert_int_equal(shl_map_create_held(name, 4096, SHL_LEASE_MAKER, &map),
                         SHL_OK);
        assert_int_equal(
            shl_map_create_held(name, 4096, SHL_LEASE_MAKER, &again),
            SHL_TAKEN);
        assert_int_equal(shl_map_ask(name, &ask), SHL_OK);
        assert_true(shl_lease_held(&ask, SHL_LEASE_MAKER));
        shl_map_close(&ask);
        shl_map_unlink(name);
        shl_map_close(&map);
    }
    sweeping = 0;
    pthread_join(thread, NULL);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, board_set_up, remove_boards)
    const struct CMUnitTest tests[] = {
        TEST(board_of_another_user_is_skipped_and_named),
        TEST(board_that_is_ours_wins_before_a_new_one),
        TEST(devices_move_to_the_first_board_of_ours),
        TEST(when_all_names_are_taken_their_owner_is_named),
        TEST(board_with_a_wrong_mode_says_which),
        TEST(empty_board_says_whose_it_is),
        TEST(segment_that_is_not_there_is_no_riddle),
        TEST(lease_keeps_a_segment_and_a_dead_host_does_not),
        TEST(segment_is_held_from_its_first_instant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
