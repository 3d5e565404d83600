/* SPDX-License-Identifier: MIT */
/* Seats on the board: numbers and exact ids, the 65th device, what the dead
 * leave behind and who clears it. */
#include "core/board/board.h"
#include "core/shm/segment.h"

#include "boards.h"
#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names of boards and segments --------------------------------------------- */

/* With its number a name has 47 bytes at most. */
static void long_names_leave_room_for_their_number(void **state)
{
    struct shl_registration registration;
    struct shl_why why;
    char wish[SHL_ID_SIZE], got[SHL_ID_SIZE + 8];

    (void)state;
    memset(wish, 'n', sizeof wish);
    wish[SHL_ID_SIZE - 3] = 0;
    snprintf(got, sizeof got, "%s:0", wish);
    assert_true(board_sit(&registration, wish, got));
    shl_registration_leave(&registration);
    wish[SHL_ID_SIZE - 3] = 'n';
    wish[SHL_ID_SIZE - 2] = 0;
    struct shl_identity who = board_identity(wish);
    assert_int_equal(shl_registration_take(registry, &who, &registration, &why),
                     SHL_BAD_NAME);
    assert_non_null(strstr(why.text, "too long"));
}

static void board_names_are_short_words(void **state)
{
    static const char *const bad[] = {
        "a-b", "a b", "a/b", "\xc3\xa4", "0123456789abx", "..", "0123456789ab"};
    struct shl_board_view view;
    struct shl_why why;
    char name[32];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(shl_board_open(bad[i], &view, &why), SHL_BAD_NAME);
        assert_non_null(strstr(why.text, "SHMLINK_REGISTRY"));
    }
    view = board_view();
    snprintf(name, sizeof name, "/shl-%u-%s", (unsigned)geteuid(), registry);
    assert_string_equal(view.name, name);
    assert_true(strlen("/shl-4294967295-0123456789AB") <= 30);
    shl_board_close(&view);
}

/* shows MP-51 DL-38 */
static void segment_names_are_of_one_pattern(void **state)
{
    static const struct {
        const char *rest;
        bool good;
    } names[] = {
        {"0123456789ab", true},   {"0123456789a", false},
        {"0123456789abc", false}, {"0123456789aB", false},
        {"0123456789a/", false},  {"", false},
        {"../../etc/pas", false}, {"0123456789ag", false},
    };
    char name[64];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(name, sizeof name, "/shl-%u-%s", (unsigned)geteuid(),
                 names[i].rest);
        assert_int_equal(shl_board_segment_name(name), names[i].good);
    }
    snprintf(name, sizeof name, "/shl-%u-0123456789ab",
             (unsigned)geteuid() + 1);
    assert_false(shl_board_segment_name(name));
}

/* ---- registrations -------------------------------------------------------------------- */

static void fresh_board_is_a_file_of_zeros(void **state)
{
    struct shl_board_view view = board_view();
    struct shl_board_entry entry;

    (void)state;
    for (size_t i = 0; i < sizeof(struct shl_board); i++)
        assert_int_equal(view.map.base[i], 0);
    for (uint32_t i = 0; i < SHL_MAX_DEVICES; i++) {
        assert_int_equal(shl_board_read(&view, i, &entry), SHL_NOT_FOUND);
        assert_false(shl_board_held(&view, i));
        assert_false(shl_board_sweep(&view, i));
    }
    shl_board_close(&view);
}

/* shows DL-21 */
static void names_get_the_lowest_free_number(void **state)
{
    struct shl_registration a, b, c, other;

    (void)state;
    assert_true(board_sit(&a, "MySynth", "MySynth:0"));
    assert_true(board_sit(&b, "MySynth", "MySynth:1"));
    assert_true(board_sit(&c, "MySynth:3", "MySynth:3"));
    assert_true(board_sit(&other, "My Synth", "My Synth:0"));
    shl_registration_leave(&a);
    assert_true(board_sit(&a, "MySynth", "MySynth:0"));
    shl_registration_leave(&b);
    assert_true(board_sit(&b, "MySynth:1", "MySynth:1"));
    shl_registration_leave(&a);
    shl_registration_leave(&b);
    shl_registration_leave(&c);
    shl_registration_leave(&other);
    assert_int_equal(board_used(), 0);
}

static void taken_id_names_its_process(void **state)
{
    struct shl_identity who = board_identity("MySynth:3");
    struct shl_registration registration, second;
    struct shl_why why;
    char pid[16];

    (void)state;
    assert_true(board_sit(&registration, "MySynth:3", "MySynth:3"));
    assert_int_equal(shl_registration_take(registry, &who, &second, &why),
                     SHL_TAKEN);
    snprintf(pid, sizeof pid, "process %d", (int)getpid());
    assert_non_null(strstr(why.text, "MySynth:3"));
    assert_non_null(strstr(why.text, pid));
    assert_string_equal(who.id, "MySynth:3");
    shl_registration_leave(&registration);
    assert_int_equal(shl_registration_take(registry, &who, &second, &why),
                     SHL_OK);
    shl_registration_leave(&second);
}

static void impossible_ids_get_no_registration(void **state)
{
    static const char *const bad[] = {
        "", "a/b", "lv2", "0123456789012345678901234567890123456789012345x"};
    struct shl_registration registration;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct shl_identity who = board_identity(bad[i]);
        struct shl_why why = {""};
        assert_int_equal(
            shl_registration_take(registry, &who, &registration, &why),
            SHL_BAD_NAME);
        assert_true(why.text[0]);
    }
    assert_int_equal(board_used(), 0);
}

static void device_65_is_refused_and_nothing_overwritten(void **state)
{
    static struct shl_registration registrations[SHL_MAX_DEVICES];
    struct shl_identity who = board_identity("Late");
    struct shl_board_view view;
    struct shl_registration registration;
    struct shl_why why;

    (void)state;
    for (int i = 0; i < 64; i++) {
        char got[16];
        snprintf(got, sizeof got, "Many:%d", i);
        assert_true(board_sit(&registrations[i], "Many", got));
    }
    assert_int_equal(shl_registration_take(registry, &who, &registration, &why),
                     SHL_BOARD_FULL);
    assert_non_null(strstr(why.text, "64"));
    assert_string_equal(who.id, "Late");
    view = board_view();
    for (uint32_t i = 0; i < 64; i++) {
        struct shl_board_entry entry;
        assert_int_equal(shl_board_read(&view, registrations[i].slot, &entry),
                         SHL_OK);
        assert_memory_equal(&entry, &registrations[i].entry, sizeof entry);
    }
    shl_board_close(&view);
    /* the id that was wished for is free again */
    shl_registration_leave(&registrations[31]);
    assert_true(board_sit(&registrations[31], "Late:0", "Late:0"));
    for (int i = 0; i < 64; i++)
        shl_registration_leave(&registrations[i]);
    assert_int_equal(board_used(), 0);
}

static void changed_identity_is_shown_but_not_another_id(void **state)
{
    struct shl_board_view view = board_view();
    struct shl_identity who = board_identity("Other:9");
    struct shl_board_entry entry;
    struct shl_registration registration;

    (void)state;
    assert_true(board_sit(&registration, "MySynth", "MySynth:0"));
    strcpy(who.tag, "lead");
    shl_registration_update(&registration, &who);
    assert_int_equal(shl_board_read(&view, registration.slot, &entry), SHL_OK);
    assert_string_equal(entry.identity.tag, "lead");
    assert_string_equal(entry.identity.id, "MySynth:0");
    shl_registration_leave(&registration);
    shl_board_close(&view);
}

/* ---- the dead ------------------------------------------------------------------ */

static char wish[] = "Mortal:0";

/* shows DL-13 */
static void killed_device_is_swept_with_its_segment(void **state)
{
    struct shl_board_view view = board_view();
    struct shl_board_entry entry;
    struct shl_registration registration;
    pid_t pid = child_start(board_device, wish);

    (void)state;
    assert_true(shl_board_held(&view, 0));
    assert_int_equal(shl_board_read(&view, 0, &entry), SHL_OK);
    assert_true(board_exists(entry.segment));
    assert_false(shl_board_sweep(&view, 0)); /* alive */
    assert_true(board_exists(entry.segment));
    child_kill(pid);
    assert_false(shl_board_held(&view, 0));
    assert_true(shl_board_sweep(&view, 0));
    assert_false(board_exists(entry.segment));
    assert_false(shl_board_sweep(&view, 0));
    shl_board_close(&view);
    /* its id is free at once */
    assert_true(board_sit(&registration, wish, wish));
    shl_registration_leave(&registration);
}

static void new_device_takes_the_slot_of_a_dead_one(void **state)
{
    static struct shl_registration registrations[SHL_MAX_DEVICES];
    struct shl_board_view view = board_view();
    struct shl_board_entry entry;
    pid_t pid = child_start(board_device, wish);

    (void)state;
    assert_int_equal(shl_board_read(&view, 0, &entry), SHL_OK);
    child_kill(pid);
    for (int i = 0; i < 64; i++) {
        char id[16];
        snprintf(id, sizeof id, "New:%d", i);
        assert_true(board_sit(&registrations[i], id, id));
        /* the empty ones first */
        assert_int_equal(registrations[i].slot, i < 63 ? i + 1 : 0);
        assert_int_equal(board_exists(entry.segment), i < 63);
    }
    for (int i = 0; i < 64; i++)
        shl_registration_leave(&registrations[i]);
    shl_board_close(&view);
}

static void death_in_the_middle_of_writing_leaves_a_clear_slot(void **state)
{
    struct shl_board_view view = board_view();
    struct shl_board_entry entry;
    struct shl_registration registration;

    (void)state;
    assert_true(board_sit(&registration, "Half", "Half:0"));
    /* as if it had died there: an odd sequence, a free lease */
    atomic_fetch_add(&view.board->slot[registration.slot].seqlock.sequence, 1);
    assert_int_equal(shl_board_read(&view, registration.slot, &entry),
                     SHL_AGAIN);
    shl_board_close(&registration.view);
    assert_true(shl_board_sweep(&view, registration.slot));
    assert_int_equal(shl_board_read(&view, registration.slot, &entry),
                     SHL_NOT_FOUND);
    assert_int_equal(board_used(), 0);
    shl_board_close(&view);
}

static void death_before_the_first_word_is_cleared_too(void **state)
{
    struct shl_board_view view = board_view();

    (void)state;
    atomic_store(&view.board->slot[9].seqlock.sequence, 7);
    assert_int_equal(board_used(), 1);
    assert_true(shl_board_sweep(&view, 9));
    assert_int_equal(board_used(), 0);
    shl_board_close(&view);
}

/** Register and leave for ever: killed somewhere in between. */
static int come_and_go(void *arg)
{
    char *id = arg;

    child_ready();
    for (;;) {
        struct shl_identity who = board_identity(id);
        struct shl_segment segment;
        struct shl_registration registration;

        if (shl_registration_take(registry, &who, &registration, NULL))
            return 1;
        if (shl_segment_create(registration.entry.segment, 48000, &segment))
            return 2;
        shl_seqlock_write(&segment.identity->seqlock, &who, sizeof who / 8);
        shl_segment_ready(&segment);
        shl_map_unlink(registration.entry.segment);
        shl_segment_close(&segment);
        shl_registration_leave(&registration);
    }
}

struct names {
    uint32_t count;
    char known[4096][24];
};

static void note_name(const char *name, uint64_t age_s, void *arg)
{
    struct names *names = arg;

    (void)age_s;
    if (shl_board_segment_name(name) && names->count < 4096)
        snprintf(names->known[names->count++], 24, "%s", name);
}

/** All segments that there are. */
static uint32_t segments(void)
{
    static struct names names;
    char prefix[24];

    names.count = 0;
    snprintf(prefix, sizeof prefix, "/shl-%u-", (unsigned)geteuid());
    shl_map_each(prefix, note_name, &names);
    return names.count;
}

/** In a /dev/shm of its own, where every segment is of its own making. */
static int kill_at_random(void *arg)
{
    const uint32_t rounds = board_soak() ? 3334 : 30;
    static char id[] = "Mortal";
    unsigned seed = 20240607;
    uint32_t swept = 0;

    (void)arg;
    alarm(3000);
    if (!child_own_shm(65536))
        return CHILD_SKIP;
    for (uint32_t i = 0; i < rounds; i++) {
        pid_t pid[3];

        for (int k = 0; k < 3; k++)
            pid[k] = child_start(come_and_go, id);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1103515245u + 12345u;
            usleep((seed >> 16) % 1500);
            kill(pid[k], SIGKILL);
        }
        for (int k = 0; k < 3; k++)
            CHILD_CHECK(child_wait(pid[k]) == 128 + SIGKILL);
        swept += board_sweep();
        CHILD_CHECK(board_used() == 0);
        CHILD_CHECK(segments() == 0);
    }
    printf("# figure: %u kills, %u slots swept, nothing left after each three, "
           "seed 20240607\n",
           (unsigned)(3 * rounds), (unsigned)swept);
    return 0;
}

/* shows MP-52 DL-13 */
static void kills_at_random_moments_leave_nothing(void **state)
{
    int result = child_run(kill_at_random, NULL);

    (void)state;
    if (result == CHILD_SKIP)
        skip();
    assert_int_equal(result, 0);
}

struct sweepers {
    _Atomic uint32_t cleared, stop;
};

static int sweep_on(void *arg)
{
    struct sweepers *all = arg;

    child_ready();
    while (!atomic_load(&all->stop))
        atomic_fetch_add(&all->cleared, board_sweep());
    return 0;
}

/* shows DL-14 */
static void two_cleaners_clear_each_slot_once_and_no_live_one(void **state)
{
    const int deaths = board_soak() ? 1000 : 100;
    struct sweepers *all = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct shl_board_view view = board_view();
    struct shl_board_entry entry;
    struct shl_registration live;
    pid_t cleaner[2];

    (void)state;
    assert_true(all != MAP_FAILED);
    assert_true(board_sit(&live, "Live", "Live:0"));
    cleaner[0] = child_start(sweep_on, all);
    cleaner[1] = child_start(sweep_on, all);
    for (int i = 0; i < deaths; i++)
        child_kill(child_start(board_device, wish));
    for (int i = 0; i < 2000 && board_used() > 1; i++)
        shl_sleep_ms(5);
    atomic_store(&all->stop, 1);
    assert_int_equal(child_wait(cleaner[0]), 0);
    assert_int_equal(child_wait(cleaner[1]), 0);
    assert_int_equal(board_used(), 1);
    assert_int_equal(shl_board_read(&view, live.slot, &entry), SHL_OK);
    assert_memory_equal(&entry, &live.entry, sizeof entry);
    assert_true(all->cleared <= (uint32_t)deaths);
    assert_true(all->cleared > 0);
    shl_registration_leave(&live);
    shl_board_close(&view);
    munmap(all, 4096);
}

/** Two threads of one process: their registrations and views exclude each other as
 * those of two processes do. */
static void *sit_and_sweep(void *arg)
{
    uint32_t *failed = arg;

    for (int i = 0; i < 200; i++) {
        struct shl_identity who = board_identity("Thread");
        struct shl_board_view view;
        struct shl_registration registration;

        if (shl_registration_take(registry, &who, &registration, NULL) ||
            shl_board_open(registry, &view, NULL)) {
            ++*failed;
            continue;
        }
        for (uint32_t s = 0; s < 8; s++)
            *failed += shl_board_sweep(&view, s);
        shl_registration_update(&registration, &who);
        *failed += !shl_board_held(&view, registration.slot);
        shl_board_close(&view);
        shl_registration_leave(&registration);
    }
    return NULL;
}

static void threads_sit_side_by_side(void **state)
{
    uint32_t failed[3] = {0};
    pthread_t thread[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            pthread_create(&thread[i], NULL, sit_and_sweep, &failed[i]), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(failed[i], 0);
    }
    assert_int_equal(board_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(board_names_are_short_words),
        BOARD_TEST(long_names_leave_room_for_their_number),
        BOARD_TEST(segment_names_are_of_one_pattern),
        BOARD_TEST(fresh_board_is_a_file_of_zeros),
        BOARD_TEST(names_get_the_lowest_free_number),
        BOARD_TEST(taken_id_names_its_process),
        BOARD_TEST(impossible_ids_get_no_registration),
        BOARD_TEST(device_65_is_refused_and_nothing_overwritten),
        BOARD_TEST(changed_identity_is_shown_but_not_another_id),
        BOARD_TEST(killed_device_is_swept_with_its_segment),
        BOARD_TEST(new_device_takes_the_slot_of_a_dead_one),
        BOARD_TEST(death_in_the_middle_of_writing_leaves_a_clear_slot),
        BOARD_TEST(death_before_the_first_word_is_cleared_too),
        BOARD_TEST(kills_at_random_moments_leave_nothing),
        BOARD_TEST(two_cleaners_clear_each_slot_once_and_no_live_one),
        BOARD_TEST(threads_sit_side_by_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
