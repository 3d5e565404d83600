/* One block there and back, without roles: doorbell, answer, score. */
#include "core/cycle.h"

#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_US 2000u
#define SECOND      750u

static struct shl_segment device_side, host_side;
static struct shl_cycle_host host;
static struct shl_cycle_device device;
static _Atomic uint32_t no_alarm;

static int set_up(void **state)
{
    struct shl_why why;
    char name[40];
    (void)state;
    snprintf(name, sizeof name, "/shl-%u-c%u", (unsigned)getuid(),
             (unsigned)getpid());
    if (shl_segment_create(name, 48000, &device_side))
        return 1;
    shl_segment_reserve_planes(&device_side, 2);
    shl_segment_ready(&device_side);
    if (shl_segment_open(name, &host_side, &why))
        return 1;
    shl_cycle_device_init(&device, &device_side);
    shl_cycle_host_init(&host, &host_side, DEADLINE_US, SECOND);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shl_map_unlink(device_side.name);
    shl_segment_close(&host_side);
    shl_segment_close(&device_side);
    return 0;
}

static void ring(uint64_t frame, uint32_t frames)
{
    shl_cycle_begin(&host);
    shl_cycle_ring(&host, frame, frames, 0, 0, 1);
}

static void answer(void)
{
    uint32_t bell;
    assert_true(shl_cycle_bell(&device, &bell));
    shl_cycle_answer(&device, bell, 0, 64, 0, 0);
}

static void a_block_goes_there_and_back(void **state)
{
    uint32_t bell;
    (void)state;
    assert_false(host.outstanding);
    assert_false(shl_cycle_bell(&device, &bell));
    ring(640, 64);
    assert_true(host.outstanding);
    assert_true(shl_cycle_bell(&device, &bell));
    assert_int_equal(bell, host.doorbell);
    assert_int_equal(shl_line_load(&device_side.lines->host.frames), 64);
    assert_int_equal(atomic_load(&device_side.lines->host.frame), 640);
    shl_cycle_answer(&device, bell, 640, 64, 1, 2);
    assert_false(shl_cycle_bell(&device, &bell));
    assert_true(shl_cycle_collect(&host));
    assert_false(host.outstanding);
    assert_int_equal(shl_line_load(&host_side.lines->device.out_channels), 2);
}

static void doorbells_wrap(void **state)
{
    (void)state;
    atomic_store(&device_side.lines->host.doorbell, 0xFFFFFFFEu);
    atomic_store(&device_side.lines->device.answer, 0xFFFFFFFEu);
    shl_cycle_device_init(&device, &device_side);
    shl_cycle_host_init(&host, &host_side, DEADLINE_US, SECOND);
    for (int i = 0; i < 4; i++) {
        ring(0, 64);
        answer();
        assert_true(shl_cycle_collect(&host));
    }
    assert_int_equal(host.doorbell, 2);
}

/* shows ME-03 */
static void a_missing_answer_costs_the_deadline_and_no_more(void **state)
{
    (void)state;
    uint64_t began = shl_clock_ns();
    ring(0, 64);
    assert_false(shl_cycle_collect(&host));
    assert_true(shl_clock_ns() - began >= DEADLINE_US * UINT64_C(1000));
    assert_int_equal(host.left_us, 0);
    assert_true(host.outstanding);
    /* all of it is used up: looking again does not wait, though a busy machine
     * may make some of the looks as long */
    uint64_t shortest_ns = UINT64_MAX;
    for (int i = 0; i < 100; i++) {
        began = shl_clock_ns();
        assert_false(shl_cycle_collect(&host));
        uint64_t took_ns = shl_clock_ns() - began;
        shortest_ns = took_ns < shortest_ns ? took_ns : shortest_ns;
    }
    assert_true(shortest_ns < (DEADLINE_US - 100) * 1000u);
    answer();
    assert_true(shl_cycle_collect(&host));
}

static void no_other_number_is_taken_for_the_answer(void **state)
{
    (void)state;
    ring(0, 64);
    for (uint32_t i = 1; i < 100; i++) {
        atomic_store(&device_side.lines->device.answer, host.doorbell + i);
        host.left_us = 0;
        assert_false(shl_cycle_collect(&host));
        atomic_store(&device_side.lines->device.answer, host.doorbell - i);
        assert_false(shl_cycle_collect(&host));
    }
    atomic_store(&device_side.lines->device.answer, host.doorbell);
    assert_true(shl_cycle_collect(&host));
}

static void a_stalled_host_looks_and_does_not_wait(void **state)
{
    (void)state;
    ring(0, 64);
    host.stalled = true;
    assert_false(shl_cycle_collect(&host));
    assert_int_equal(host.left_us, DEADLINE_US);
    answer();
    assert_true(shl_cycle_collect(&host));
}

static void what_a_dead_host_left_is_outstanding_and_given_up(void **state)
{
    struct shl_cycle_host next;
    (void)state;
    ring(0, 64);
    atomic_store(&host_side.lines->host_parked.parked, 1);
    shl_cycle_host_init(&next, &host_side, DEADLINE_US, SECOND);
    assert_true(next.outstanding);
    assert_true(next.given_up);
    assert_int_equal(atomic_load(&host_side.lines->host_parked.parked), 0);
    answer();
    assert_true(shl_cycle_collect(&next));
    shl_cycle_ring(&next, 0, 64, 0, 0, 3);
    assert_false(next.given_up);
    answer();
    assert_true(shl_cycle_collect(&next));
}

/* ---- the score --------------------------------------------------------------- */

static void three_misses_in_a_row_stall(void **state)
{
    (void)state;
    assert_int_equal(shl_cycle_score(&host, false), 0);
    assert_int_equal(shl_cycle_score(&host, false), 0);
    assert_int_equal(shl_cycle_score(&host, false), 1);
    assert_true(host.stalled);
    assert_int_equal(host.lost, 3);
}

static void a_block_on_time_takes_one_64th_off(void **state)
{
    (void)state;
    /* one miss in 65 blocks never stalls */
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(shl_cycle_score(&host, false), 0);
        for (int k = 0; k < 64; k++)
            assert_int_equal(shl_cycle_score(&host, true), 0);
    }
    /* one in 32 gains half a miss each time: at 3 it stalls */
    int rounds = 0;
    while (shl_cycle_score(&host, false) == 0) {
        for (int k = 0; k < 32; k++)
            shl_cycle_score(&host, true);
        assert_true(++rounds < 100);
    }
    assert_int_equal(rounds, 4);
}

static void stall(void)
{
    while (shl_cycle_score(&host, false) == 0)
        ;
}

static int resume_after(void)
{
    int blocks = 1;
    while (shl_cycle_score(&host, true) == 0)
        blocks++;
    return blocks;
}

static void it_resumes_after_four_answers_in_a_row(void **state)
{
    (void)state;
    stall();
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 3; k++)
            assert_int_equal(shl_cycle_score(&host, true), 0);
        assert_int_equal(shl_cycle_score(&host, false), 0);
        assert_true(host.stalled);
    }
    assert_int_equal(resume_after(), 4);
    assert_false(host.stalled);
    assert_int_equal(host.lost, 3 + 400 + 4);
}

static void each_relapse_doubles_up_to_4096(void **state)
{
    (void)state;
    int wanted = 4;
    for (int i = 0; i < 14; i++) {
        stall();
        assert_int_equal(resume_after(), wanted);
        wanted = wanted < 4096 ? 2 * wanted : 4096;
    }
    assert_int_equal(wanted, 4096);
}

static void a_second_without_a_miss_forgives(void **state)
{
    (void)state;
    stall();
    resume_after();
    for (uint32_t i = 0; i < SECOND - 1; i++)
        shl_cycle_score(&host, true);
    stall();
    assert_int_equal(resume_after(), 8); /* not quite a second */
    for (uint32_t i = 0; i < SECOND + 1; i++)
        shl_cycle_score(&host, true);
    stall();
    assert_int_equal(resume_after(), 4);
}

/* ---- the device's half --------------------------------------------------------- */

static void the_device_wakes_for_bell_epoch_and_alarm(void **state)
{
    _Atomic uint32_t alarm = 0;
    (void)state;
    assert_false(shl_cycle_wait(&device, 0, &alarm, 0));
    assert_false(shl_cycle_wait(&device, 0, &alarm, 2000));
    assert_int_equal(atomic_load(&device_side.lines->device_parked.parked), 0);
    assert_true(shl_cycle_wait(&device, 1, &alarm, 2000));
    alarm = 1;
    assert_true(shl_cycle_wait(&device, 0, &alarm, 2000));
    alarm = 0;
    ring(0, 64);
    assert_true(shl_cycle_wait(&device, 0, &alarm, 2000));
}

static void *nudger(void *arg)
{
    _Atomic uint32_t *alarm = arg;
    usleep(20000);
    atomic_store(alarm, 1);
    shl_cycle_nudge(host_side.lines);
    return NULL;
}

static void a_nudge_wakes_a_sleeper(void **state)
{
    _Atomic uint32_t alarm = 0;
    pthread_t thread;
    (void)state;
    pthread_create(&thread, NULL, nudger, &alarm);
    uint64_t began = shl_clock_ns();
    while (!shl_cycle_wait(&device, 0, &alarm, 1000000))
        ;
    pthread_join(thread, NULL);
    assert_true(shl_clock_ns() - began < 30000000000u);
    assert_int_equal(alarm, 1);
}

/* ---- two threads ------------------------------------------------------------------ */

static uint32_t rounds(void)
{
    return getenv("SHL_SOAK") ? 1000000 : 20000;
}

/* Answers with what it found, one higher; ends at a block of 0 frames. */
static void *echo(void *arg)
{
    float *in = shl_segment_plane(&device_side, 0, SHL_BUS_TO_DEVICE);
    float *out = shl_segment_plane(&device_side, 0, SHL_BUS_TO_HOST);
    uint32_t bell, frames;
    (void)arg;
    do {
        shl_cycle_wait(&device, 0, &no_alarm, 1000000);
        if (!shl_cycle_bell(&device, &bell)) {
            frames = 1;
            continue;
        }
        frames = shl_line_load(&device_side.lines->host.frames);
        for (uint32_t i = 0; i < frames; i++)
            out[i] = in[i] + 1;
        shl_cycle_answer(&device, bell, 0, frames, 1, 1);
    } while (frames);
    return NULL;
}

/* For the thread sanitizer both use one mapping: two of the same object are
 * two memories to it. The host's side; false if a sample was not of its own block. */
static bool exchange(uint32_t count)
{
    float *to = shl_segment_plane(&device_side, 0, SHL_BUS_TO_DEVICE);
    float *from = shl_segment_plane(&device_side, 0, SHL_BUS_TO_HOST);
    bool right = true;
    for (uint32_t n = 0; n < count; n++) {
        uint32_t frames = 1 + n % 64;
        for (uint32_t i = 0; i < frames; i++)
            to[i] = (float)(n % 65536 * 64 + i);
        shl_cycle_begin(&host);
        shl_cycle_ring(&host, 0, frames, 1, 1, 1);
        right = right && shl_cycle_collect(&host);
        for (uint32_t i = 0; i < frames; i++)
            right = right && from[i] == (float)(n % 65536 * 64 + i) + 1;
    }
    shl_cycle_ring(&host, 0, 0, 0, 0, 1);
    return right;
}

static void two_threads_never_see_half_a_block(void **state)
{
    pthread_t thread;
    (void)state;
    shl_cycle_host_init(&host, &device_side, 20000000, SECOND);
    pthread_create(&thread, NULL, echo, NULL);
    bool right = exchange(rounds());
    pthread_join(thread, NULL);
    assert_true(right);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_block_goes_there_and_back),
        TEST(doorbells_wrap),
        TEST(a_missing_answer_costs_the_deadline_and_no_more),
        TEST(no_other_number_is_taken_for_the_answer),
        TEST(a_stalled_host_looks_and_does_not_wait),
        TEST(what_a_dead_host_left_is_outstanding_and_given_up),
        TEST(three_misses_in_a_row_stall),
        TEST(a_block_on_time_takes_one_64th_off),
        TEST(it_resumes_after_four_answers_in_a_row),
        TEST(each_relapse_doubles_up_to_4096),
        TEST(a_second_without_a_miss_forgives),
        TEST(the_device_wakes_for_bell_epoch_and_alarm),
        TEST(a_nudge_wakes_a_sleeper),
        TEST(two_threads_never_see_half_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
