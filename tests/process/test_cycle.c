/* SPDX-License-Identifier: MIT */
/* One block there and back, without roles: doorbell, answer, score. */
#include "core/lockstep/cycle.h"

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

/* Makefile lets these two go through here: something else happens before the clock
 * is read, and sleeps are counted. */
uint64_t __real_shl_clock_ns(void);
uint64_t __wrap_shl_clock_ns(void);
void __real_shl_word_wait(_Atomic uint32_t *word, uint32_t seen,
                          uint32_t timeout_us);
void __wrap_shl_word_wait(_Atomic uint32_t *word, uint32_t seen,
                          uint32_t timeout_us);

static _Thread_local void (*before_clock)(void);
static _Thread_local uint32_t sleeps;

uint64_t __wrap_shl_clock_ns(void)
{
    void (*then)(void) = before_clock;
    before_clock = NULL;
    if (then)
        then();
    return __real_shl_clock_ns();
}

void __wrap_shl_word_wait(_Atomic uint32_t *word, uint32_t seen,
                          uint32_t timeout_us)
{
    sleeps++;
    __real_shl_word_wait(word, seen, timeout_us);
}

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
    assert_false(shl_cycle_score(&host, false));
    assert_false(shl_cycle_score(&host, false));
    assert_true(shl_cycle_score(&host, false));
    assert_true(host.stalled);
    assert_int_equal(host.lost, 3);
}

static void a_block_on_time_takes_one_64th_off(void **state)
{
    (void)state;
    /* one miss in 65 blocks never stalls */
    for (int i = 0; i < 1000; i++) {
        assert_false(shl_cycle_score(&host, false));
        for (int k = 0; k < 64; k++)
            assert_false(shl_cycle_score(&host, true));
    }
    /* one in 32 gains half a miss each time: at 3 it stalls */
    int rounds = 0;
    while (!shl_cycle_score(&host, false)) {
        for (int k = 0; k < 32; k++)
            shl_cycle_score(&host, true);
        assert_true(++rounds < 100);
    }
    assert_int_equal(rounds, 4);
}

/* ---- judging by time: a clock that the tests wind ------------------------------- */

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

static uint64_t played_ns; /* 0: none of it has been played */

static void stall(void)
{
    if (!played_ns)
        played_ns = MS;
    ring(0, 64);
    while (!shl_cycle_score(&host, false))
        ;
}

/* Rung now; told: the device says when it answered. */
static void ring_played(void)
{
    ring(0, 64);
    host.rung_ns = played_ns;
    atomic_store(&host_side.lines->host.rung_ns, played_ns);
}

static void answer_played(uint64_t told_ns)
{
    answer();
    atomic_store(&device_side.lines->device.answered_ns, told_ns);
}

/* A block of the host, `later` after the one before. */
static enum shl_verdict look(uint64_t later_ns)
{
    played_ns += later_ns;
    bool there = shl_cycle_collect(&host);
    enum shl_verdict judged = shl_cycle_judge(&host, there, played_ns);
    if (there && host.stalled)
        ring_played();
    return judged;
}

/* The device says when, or is of an older kind. */
struct hasty {
    uint32_t burst;      /* blocks of the host, microseconds apart */
    uint64_t takes_ns;   /* the device for a block */
    bool says;           /* when it answered */
    uint64_t pending_ns; /* its answer comes then; 0: none */
};

static void device_until(struct hasty *with)
{
    if (!with->pending_ns && host.outstanding && !host.late)
        with->pending_ns = host.rung_ns + with->takes_ns;
    if (!with->pending_ns || with->pending_ns > played_ns)
        return;
    answer_played(with->says ? with->pending_ns : 0);
    with->pending_ns = 0;
}

/* Blocks of 64 at 48 kHz, in bursts; returns how many until it resumed. */
static uint32_t blocks_until_resumed(struct hasty *with, uint32_t limit)
{
    uint64_t block_ns = 1000 * MS / SECOND;
    for (uint32_t n = 1; n <= limit; n++) {
        bool first = (n - 1) % with->burst == 0;
        played_ns += first
                         ? with->burst * block_ns - (with->burst - 1) * 10 * US
                         : 10 * US;
        device_until(with);
        look(0);
        if (!host.stalled)
            return n;
    }
    return UINT32_MAX;
}

/* The block that stalled it is answered at last, too late. */
static void come_back(void)
{
    played_ns += 100 * MS;
    answer_played(played_ns);
    assert_int_equal(look(0), SHL_LATE);
    assert_true(host.stalled);
}

static void a_block_is_undecided_until_its_deadline(void **state)
{
    (void)state;
    stall();
    come_back();
    for (uint64_t us = 0; us < DEADLINE_US; us += 10)
        assert_int_equal(look(us ? 10 * US : 0), SHL_UNDECIDED);
    assert_int_equal(host.credit, 1);
    assert_int_equal(look(20 * US), SHL_LATE);
    assert_int_equal(look(0), SHL_LATE);
    answer_played(played_ns);
    uint32_t passed = host.passed + 1;
    assert_int_equal(look(0), SHL_LATE);
    assert_int_equal(host.credit, 1 + passed); /* 16 times less than in time */
}

/* Looked at 20 ms later: when it came is what counts. */
static void an_answer_is_judged_by_when_it_came(void **state)
{
    (void)state;
    stall();
    come_back();
    answer_played(played_ns + DEADLINE_US * US);
    assert_int_equal(look(20 * MS), SHL_IN_TIME);
    answer_played(played_ns + DEADLINE_US * US + 1);
    assert_int_equal(look(20 * MS), SHL_LATE);
}

static void a_time_that_cannot_be_says_nothing(void **state)
{
    (void)state;
    /* 0, an older block's, the future, the end of time: in time, since nobody
     * has looked in vain after the deadline ... */
    stall();
    come_back();
    host.needed = 1000;
    uint64_t lies[] = {0, 1, played_ns - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        answer_played(lies[i]);
        assert_int_equal(look(20 * MS), SHL_IN_TIME);
    }
    answer_played(played_ns + 20 * MS + 1);
    assert_int_equal(look(20 * MS), SHL_IN_TIME);
    /* ... and late if somebody has */
    assert_int_equal(look(20 * MS), SHL_LATE);
    answer_played(0);
    assert_int_equal(look(10 * US), SHL_LATE);
    /* a flattering one does not help then either */
    assert_int_equal(look(20 * MS), SHL_LATE);
    answer_played(host.rung_ns);
    assert_int_equal(look(10 * US), SHL_LATE);
}

static void it_resumes_at_any_spacing(void **state)
{
    const uint32_t bursts[] = {1, 2, 4, 15, 16, 75};
    (void)state;
    for (size_t i = 0; i < sizeof bursts / sizeof *bursts; i++)
        for (int says = 0; says < 2; says++) {
            struct hasty with = {
                .burst = bursts[i], .takes_ns = 200 * US, .says = says};
            shl_cycle_host_init(&host, &host_side, DEADLINE_US, SECOND);
            stall();
            come_back();
            uint32_t blocks = blocks_until_resumed(&with, 10000);
            assert_true(blocks >= 4);
            assert_true(blocks <= bursts[i] + 4);
        }
}

static void one_answer_per_burst_is_enough_after_any_past(void **state)
{
    struct hasty with = {.burst = 75, .takes_ns = MS, .says = true};
    (void)state;
    for (int i = 0; i < 30; i++) {
        stall(); /* at once again: each a relapse */
        come_back();
        uint32_t blocks = blocks_until_resumed(&with, 10000);
        assert_true(blocks <= SECOND / 4);
    }
    assert_true(host.needed >= SECOND / 8);
}

/* It lives, so it is tried again, but seldom. */
static void a_device_that_is_too_slow_is_tried_seldom(void **state)
{
    struct hasty with = {.takes_ns = (DEADLINE_US + 100) * US};
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        with.burst = kind < 2 ? 15 : 1;
        with.says = kind < 1 || kind == 2;
        if (kind == 1)
            with.takes_ns = 500 * MS; /* looked for in vain */
        shl_cycle_host_init(&host, &host_side, DEADLINE_US, SECOND);
        for (uint32_t i = 0, least = 60; i < 10; i++) {
            with.pending_ns = 0;
            stall();
            come_back();
            assert_true(blocks_until_resumed(&with, 100000) >= least);
            least = 2 * least < 3 * SECOND ? 2 * least : 3 * SECOND;
        }
        with.takes_ns = (DEADLINE_US + 100) * US;
    }
}

/* Plays `good` blocks, then stalls; answers how many it needed to come back. */
static uint32_t back_after(uint32_t good)
{
    struct hasty with = {.burst = 1, .takes_ns = 100 * US, .says = true};
    for (uint32_t i = 0; i < good; i++)
        shl_cycle_score(&host, true);
    stall();
    come_back();
    return blocks_until_resumed(&with, 100000);
}

static void relapses_need_more_up_to_a_fifth_of_a_second(void **state)
{
    uint32_t wanted = 4;
    (void)state;
    for (int i = 0; i < 14; i++) {
        assert_int_equal(back_after(30), wanted);
        wanted = 2 * wanted < SECOND / 5 ? 2 * wanted : SECOND / 5;
    }
    assert_int_equal(wanted, SECOND / 5);
    /* each second of blocks in time halves it, the misses between do not count
     * against that */
    uint32_t sum = 0;
    for (int i = 0; i < 400 && wanted > 4; i++) {
        wanted = back_after(225);
        sum += 225;
    }
    assert_int_equal(wanted, 4);
    assert_true(sum >= 5 * SECOND && sum <= 8 * SECOND);
}

/* shows ME-03 */
static void accidents_of_a_good_device_cost_no_more_each_time(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(back_after(225), 4);
}

static void long_blocks_come_back_in_time_too(void **state)
{
    struct hasty with = {.burst = 1, .takes_ns = 100 * US, .says = true};
    (void)state;
    shl_cycle_host_init(&host, &host_side, DEADLINE_US, 12); /* of 4096 */
    for (int i = 0; i < 10; i++) {
        stall();
        come_back();
        assert_true(blocks_until_resumed(&with, 100) <= 3); /* 250 ms */
    }
}

static void all_that_is_not_heard_is_counted_as_lost(void **state)
{
    struct hasty with = {.burst = 15, .takes_ns = 100 * US, .says = true};
    (void)state;
    stall();
    assert_int_equal(look(MS), SHL_LATE);
    come_back();
    uint32_t blocks = blocks_until_resumed(&with, 100);
    assert_int_equal(host.lost, 3 + 2 + blocks);
}

/* ---- patience ------------------------------------------------------------------- */

static uint32_t slack_left_us, slack_asked;

static uint32_t slack_of_test(void *arg)
{
    assert_ptr_equal(arg, &slack_left_us);
    slack_asked++;
    return slack_left_us;
}

static void with_slack(uint32_t us)
{
    slack_left_us = us;
    slack_asked = 0;
    host.slack_us = slack_of_test;
    host.slack_arg = &slack_left_us;
}

static void slack_is_asked_for_only_by_a_wait(void **state)
{
    (void)state;
    with_slack(20000);
    for (int i = 0; i < 10; i++) {
        ring(0, 64);
        answer();
        assert_true(shl_cycle_collect(&host));
    }
    assert_int_equal(slack_asked, 0);
    uint64_t began = shl_clock_ns();
    ring(0, 64);
    assert_false(shl_cycle_collect(&host));
    assert_true(shl_clock_ns() - began >= (DEADLINE_US + 20000) * US);
    assert_false(shl_cycle_collect(&host));
    assert_int_equal(slack_asked, 1); /* once for a block */
    assert_int_equal(host.left_us, 0);
    shl_cycle_begin(&host);
    slack_left_us = 100;
    assert_int_equal(shl_cycle_patience(&host), DEADLINE_US + 100);
    assert_int_equal(slack_asked, 2);
    shl_cycle_begin(&host);
    slack_left_us = UINT32_MAX; /* whoever says so */
    assert_int_equal(shl_cycle_patience(&host), DEADLINE_US + 100000);
}

/* A block is in time by the patience that there was when it was rung. */
static void slack_decides_what_is_in_time(void **state)
{
    (void)state;
    with_slack(5000);
    stall();
    come_back();
    answer_played(played_ns + (DEADLINE_US + 5000) * US);
    assert_int_equal(look(20 * MS), SHL_IN_TIME);
    answer_played(played_ns + (DEADLINE_US + 5000) * US + 1);
    assert_int_equal(look(20 * MS), SHL_LATE);
}

/* As long as all is well nobody reads a clock for it. */
static void times_are_told_only_while_stalled(void **state)
{
    struct shl_lines *lines = device_side.lines;
    (void)state;
    ring(0, 64);
    answer();
    assert_true(shl_cycle_collect(&host));
    assert_int_equal(atomic_load(&lines->host.rung_ns), 0);
    assert_int_equal(atomic_load(&lines->device.answered_ns), 0);
    host.stalled = true;
    uint64_t before_ns = shl_clock_ns();
    ring(0, 64);
    answer();
    assert_true(shl_cycle_collect(&host));
    uint64_t rung_ns = atomic_load(&lines->host.rung_ns);
    uint64_t answered_ns = atomic_load(&lines->device.answered_ns);
    assert_true(rung_ns >= before_ns && rung_ns == host.rung_ns);
    assert_true(answered_ns >= rung_ns && answered_ns <= shl_clock_ns());
    host.stalled = false;
    ring(0, 64);
    assert_int_equal(atomic_load(&lines->host.rung_ns), 0);
    answer();
    assert_int_equal(atomic_load(&lines->device.answered_ns), answered_ns);
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

static _Atomic uint32_t late_alarm;

static void raise_alarm(void)
{
    atomic_store(&late_alarm, 1);
}

static void claim_anew(void)
{
    atomic_store(&device_side.claim->epoch, 1);
}

/* The doorbell is the word that is slept on; all else is seen by a last look only. */
static void what_comes_before_the_sleep_is_seen_at_once(void **state)
{
    void (*const things[])(void) = {raise_alarm, claim_anew};
    (void)state;
    for (int i = 0; i < 2; i++) {
        device.eager = 0;
        device.may_yield = false;
        atomic_store(&late_alarm, 0);
        sleeps = 0;
        before_clock = things[i];
        assert_true(shl_cycle_wait(&device, 0, &late_alarm, 100000));
        assert_null(before_clock);
        assert_int_equal(sleeps, 0);
    }
}

/* Ring after so many us, in another thread. */
static void *ring_later(void *arg)
{
    usleep(*(uint32_t *)arg);
    ring(0, 64);
    return NULL;
}

/* The device waits for a bell that comes so much later, and answers. */
static void wait_for_bell(uint32_t after_us)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ring_later, &after_us), 0);
    while (!shl_cycle_wait(&device, 0, &no_alarm, 1000000)) {
    }
    answer();
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(shl_cycle_collect(&host));
}

/* A device whose host lets it wait does not stay awake for the next block. */
static void long_waits_make_it_sleep_at_once(void **state)
{
    (void)state;
    assert_true(device.eager > 0);
    for (int n = 0; n < 100 && device.eager > 0; n++)
        wait_for_bell(3000);
    assert_int_equal(device.eager, 0);
    device.shy = 1; /* a yield has taken long: not for ever */
    ring(0, 64);
    answer();
    assert_int_equal(device.shy, 0);
    assert_true(shl_cycle_collect(&host));
    assert_true(device.eager > 0); /* in a burst they follow each other */
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
        TEST(a_block_is_undecided_until_its_deadline),
        TEST(an_answer_is_judged_by_when_it_came),
        TEST(a_time_that_cannot_be_says_nothing),
        TEST(it_resumes_at_any_spacing),
        TEST(one_answer_per_burst_is_enough_after_any_past),
        TEST(a_device_that_is_too_slow_is_tried_seldom),
        TEST(relapses_need_more_up_to_a_fifth_of_a_second),
        TEST(accidents_of_a_good_device_cost_no_more_each_time),
        TEST(long_blocks_come_back_in_time_too),
        TEST(all_that_is_not_heard_is_counted_as_lost),
        TEST(slack_is_asked_for_only_by_a_wait),
        TEST(slack_decides_what_is_in_time),
        TEST(times_are_told_only_while_stalled),
        TEST(the_device_wakes_for_bell_epoch_and_alarm),
        TEST(what_comes_before_the_sleep_is_seen_at_once),
        TEST(long_waits_make_it_sleep_at_once),
        TEST(a_nudge_wakes_a_sleeper),
        TEST(two_threads_never_see_half_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
