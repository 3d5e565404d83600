/* SPDX-License-Identifier: MIT */
/* The devices that one process hosts: counted, woken together, and left alone
 * when their link has gone. */
#define _DEFAULT_SOURCE

#include "core/lockstep/wake_group.h"

#include "core/host/link.h"

#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLEEPERS 3
#define LIMIT_US 20000000u
#define NUMBER   7 /* of a sleep: whoever wakes it puts 0 in its place */

static struct sleeper {
    struct shl_lines lines;
    pthread_t thread;
    _Atomic int quit;
    uint32_t place;
} sleepers[SLEEPERS];

static void *sleep_on(void *arg)
{
    struct sleeper *sleeper = arg;
    while (!atomic_load(&sleeper->quit))
        shl_word_wait(&sleeper->lines.host.doorbell, 0, LIMIT_US);
    return NULL;
}

static int begin(void **state)
{
    (void)state;
    memset(sleepers, 0, sizeof sleepers);
    for (int i = 0; i < SLEEPERS; i++) {
        sleepers[i].place =
            shl_wake_group_join(&sleepers[i].lines, 100 + (uint32_t)i);
        assert_int_not_equal(sleepers[i].place, SHL_WAKE_GROUP_NONE);
        assert_int_equal(
            pthread_create(&sleepers[i].thread, NULL, sleep_on, &sleepers[i]),
            0);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (int i = 0; i < SLEEPERS; i++) {
        shl_wake_group_leave(sleepers[i].place);
        atomic_store(&sleepers[i].quit, 1);
        atomic_store(&sleepers[i].lines.host.doorbell, 1);
        shl_word_wake(&sleepers[i].lines.host.doorbell);
        pthread_join(sleepers[i].thread, NULL);
    }
    return 0;
}

static void ring(int first, int last)
{
    for (int i = first; i <= last; i++)
        shl_wake_group_rang(sleepers[i].place);
}

static bool parked(int i)
{
    return atomic_load(&sleepers[i].lines.device_parked.parked) == NUMBER;
}

/* Somebody sleeps, and says so. */
static void park(int i)
{
    atomic_store(&sleepers[i].lines.device_parked.parked, NUMBER);
}

static void the_first_of_a_round_wakes_all_others(void **state)
{
    (void)state;
    assert_int_equal(shl_wake_group_others(), SLEEPERS - 1);
    for (int n = 0; n < 4; n++)
        ring(0, 2);
    bool woken = false;
    for (int ms = 0; ms < 20000 && !woken; ms++) {
        park(1);
        park(2);
        usleep(1000); /* their threads may not be asleep yet */
        ring(0, 0);
        woken = !parked(1) && !parked(2);
        ring(1, 2);
    }
    assert_true(woken);
}

static void who_does_not_ring_is_not_woken(void **state)
{
    (void)state;
    for (int n = 0; n < 4; n++)
        ring(0, 2);
    ring(0, 1); /* in this round 2 is still expected */
    park(2);
    for (int n = 0; n < 100; n++) {
        ring(0, 1);
        usleep(100);
    }
    assert_true(parked(2));
    for (int n = 0; n < 100; n++)
        if (n % 16 == 0) /* now and then: not in the next round */
            ring(0, 2);
        else
            ring(0, 1);
    assert_true(parked(2));
}

static void one_that_rings_alone_wakes_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < SLEEPERS; i++)
        park(i);
    for (int n = 0; n < 100; n++)
        ring(1, 1);
    for (int i = 0; i < SLEEPERS; i++)
        assert_true(parked(i));
}

static void devices_of_one_process_are_one(void **state)
{
    static struct shl_lines lines[2];
    (void)state;
    uint32_t a = shl_wake_group_join(&lines[0], 101),
             b = shl_wake_group_join(&lines[1], 999);
    assert_int_equal(shl_wake_group_others(), SLEEPERS);
    shl_wake_group_leave(b);
    assert_int_equal(shl_wake_group_others(), SLEEPERS - 1);
    shl_wake_group_leave(a);
    assert_int_equal(shl_wake_group_others(), SLEEPERS - 1);
    shl_wake_group_leave(SHL_WAKE_GROUP_NONE);
    shl_wake_group_rang(SHL_WAKE_GROUP_NONE);
}

static void too_many_do_without(void **state)
{
    static struct shl_lines lines;
    uint32_t place[100];
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        place[i] = shl_wake_group_join(&lines, i);
    assert_int_equal(place[99], SHL_WAKE_GROUP_NONE);
    for (uint32_t i = 0; i < 100; i++)
        shl_wake_group_leave(place[i]);
    assert_int_equal(shl_wake_group_others(), SLEEPERS - 1);
}

/* ---- coming and going while others ring ------------------------------------------ */

static _Atomic int over;

static void *come_and_go(void *arg)
{
    (void)arg;
    for (uint32_t n = 0; n < 20000; n++) {
        struct shl_lines *lines =
            mmap(NULL, sizeof *lines, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (lines == MAP_FAILED)
            break;
        uint32_t place = shl_wake_group_join(lines, 200 + n % 3);
        shl_wake_group_rang(place);
        shl_wake_group_leave(place);
        munmap(lines, sizeof *lines); /* whoever still looked would crash */
    }
    atomic_fetch_add(&over, 1);
    return NULL;
}

static void whoever_leaves_is_not_looked_at(void **state)
{
    pthread_t thread[2];
    (void)state;
    atomic_store(&over, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, NULL),
                         0);
    while (atomic_load(&over) < 2)
        ring(0, 2);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(shl_wake_group_others(), SLEEPERS - 1);
}

/* ---- on links -------------------------------------------------------------------- */

static struct shl_link links[2];
static struct peer *peers[2];

static void open_link(int i)
{
    struct shl_link_options options = {.tag = "",
                                       .rate_hz = 48000,
                                       .block_frames = 64,
                                       .out_channels = 1,
                                       .drive = SHL_DRIVE_LOCKSTEP,
                                       .deadline_us = LIMIT_US};
    struct peer_wish wish = {.out = 1};
    struct shl_why why;
    shl_status st = SHL_AGAIN;
    peers[i] = peer_start(&wish);
    assert_non_null(peers[i]);
    assert_int_equal(shl_link_open(&links[i], peer_report(peers[i])->segment,
                                   &options, &why),
                     SHL_OK);
    for (int n = 0; n < 20000 && st == SHL_AGAIN; n++) {
        usleep(500);
        st = shl_link_state(&links[i]);
    }
    assert_int_equal(st, SHL_OK);
}

static uint32_t others_of(int i)
{
    static float memory[64];
    float *const out[1] = {memory};
    struct shl_transport transport = shl_transport_default(48000);
    assert_int_equal(shl_link_play(&links[i], NULL, 0, out, 1, 64, &transport),
                     SHL_HEARD_DEVICE);
    return atomic_load(&links[i].segment.lines->host.others);
}

static void a_device_is_told_how_many_others_there_are(void **state)
{
    (void)state;
    open_link(0);
    assert_int_equal(others_of(0), 0);
    open_link(1);
    assert_int_equal(others_of(0), 1);
    assert_int_equal(others_of(1), 1);
    shl_link_close(&links[1]);
    assert_int_equal(others_of(0), 0);
    shl_link_close(&links[0]);
    peer_free(peers[0]);
    peer_free(peers[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_of_a_round_wakes_all_others,
                                        begin, end),
        cmocka_unit_test_setup_teardown(who_does_not_ring_is_not_woken, begin,
                                        end),
        cmocka_unit_test_setup_teardown(one_that_rings_alone_wakes_nobody,
                                        begin, end),
        cmocka_unit_test_setup_teardown(devices_of_one_process_are_one, begin,
                                        end),
        cmocka_unit_test_setup_teardown(too_many_do_without, begin, end),
        cmocka_unit_test_setup_teardown(whoever_leaves_is_not_looked_at, begin,
                                        end),
        cmocka_unit_test(a_device_is_told_how_many_others_there_are),
    };
    peer_own_board();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
