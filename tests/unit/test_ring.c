/* SPDX-License-Identifier: MIT */
/* The ring alone, with both ends in this process; then with two threads. */
#define _POSIX_C_SOURCE 200809L

#include "core/shm/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS  4096u
#define USABLE 4095u

struct slot {
    uint32_t number, twice, words[6];
};

static struct {
    _Atomic uint32_t write, read;
    struct slot slots[SLOTS];
} shared;

static struct shl_ring producer, consumer;

static void look(void)
{
    shl_ring_init_producer(&producer, &shared.write, &shared.read, shared.slots,
                           sizeof(struct slot), SLOTS);
    shl_ring_init_consumer(&consumer, &shared.write, &shared.read, shared.slots,
                           sizeof(struct slot), SLOTS);
}

static void start_at(uint32_t index)
{
    memset(shared.slots, 0, sizeof shared.slots);
    atomic_store(&shared.write, index);
    atomic_store(&shared.read, index);
    look();
}

static int begin(void **state)
{
    (void)state;
    start_at(0);
    return 0;
}

/* 1 if there was room. */
static int put(uint32_t number)
{
    shl_ring_fetch_free(&producer); /* changes nothing */
    struct slot *slot = shl_ring_push(&producer);

    if (!slot)
        return 0;
    slot->number = number;
    slot->twice = 2 * number;
    return 1;
}

/* The next number, or -1: empty, -2: lost, -3: a slot that is not whole. */
static int64_t take(void)
{
    bool lost = false;
    const struct slot *slot = shl_ring_peek(&consumer, &lost);
    struct slot copy;

    if (!slot)
        return lost ? -2 : -1;
    copy = *slot;
    shl_ring_pop(&consumer);
    return copy.twice == 2 * copy.number ? (int64_t)copy.number : -3;
}

/* shows MP-17 */
static void empty_ring_gives_nothing(void **state)
{
    (void)state;
    assert_int_equal(take(), -1);
    assert_int_equal(shl_ring_waiting(&consumer), 0);
    assert_int_equal(shl_ring_free(&producer), USABLE);
    assert_null(shl_ring_peek(&consumer, NULL));
}

/* shows MP-15 ME-14 */
static void full_ring_refuses_and_keeps_order(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < USABLE; i++)
        assert_true(put(i));
    assert_false(put(4711));
    assert_int_equal(shl_ring_free(&producer), 0);
    shl_ring_publish(&producer);
    assert_false(put(4712));
    assert_int_equal(shl_ring_waiting(&consumer), USABLE);
    for (uint32_t i = 0; i < USABLE; i++)
        assert_int_equal(take(), i);
    assert_int_equal(take(), -1);
    assert_false(put(4713)); /* taken, but not given back yet */
    shl_ring_release(&consumer);
    assert_int_equal(shl_ring_free(&producer), USABLE);
    assert_true(put(4714));
    shl_ring_publish(&producer);
    assert_int_equal(take(), 4714);
}

static void one_free_slot_takes_exactly_one_more(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < USABLE; i++)
        put(i);
    shl_ring_publish(&producer);
    assert_int_equal(take(), 0);
    shl_ring_release(&consumer);
    assert_true(put(USABLE));
    assert_false(put(USABLE + 1));
}

/* shows MP-20 */
static void indices_cross_the_wrap_without_a_break(void **state)
{
    uint32_t sent = 0, got = 0;

    (void)state;
    start_at(0xFFFFFFF0u);
    for (int round = 0; round < 40; round++) {
        for (uint32_t i = 0; i < 7 && put(sent); i++)
            sent++;
        shl_ring_publish(&producer);
        for (int64_t number; (number = take()) >= 0; got++)
            assert_int_equal(number, got);
        shl_ring_release(&consumer);
    }
    assert_int_equal(got, 280);
    assert_int_equal(atomic_load(&shared.write), 280u - 16u);
    assert_int_equal(atomic_load(&shared.read), 280u - 16u);
}

static void full_ring_across_the_wrap_keeps_order(void **state)
{
    (void)state;
    start_at(0xFFFFFFF0u);
    for (uint32_t i = 0; i < USABLE; i++)
        assert_true(put(i));
    assert_false(put(0));
    shl_ring_publish(&producer);
    for (uint32_t i = 0; i < USABLE; i++)
        assert_int_equal(take(), i);
    assert_int_equal(take(), -1);
}

static void nobody_sees_a_batch_before_it_is_published(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        put(i);
    assert_int_equal(atomic_load(&shared.write), 0);
    assert_int_equal(take(), -1);
    shl_ring_publish(&producer);
    assert_int_equal(shl_ring_waiting(&consumer), 10);
    assert_int_equal(take(), 0);
    assert_int_equal(atomic_load(&shared.read), 0); /* not given back yet */
    shl_ring_release(&consumer);
    assert_int_equal(atomic_load(&shared.read), 1);
}

static void a_new_pair_goes_on_where_the_old_one_was(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20; i++)
        put(i);
    shl_ring_publish(&producer);
    for (int i = 0; i < 5; i++)
        take();
    shl_ring_release(&consumer);
    look();
    assert_int_equal(shl_ring_free(&producer), USABLE - 15);
    assert_int_equal(take(), 5);
}

static void impossible_write_index_starts_over_and_says_so(void **state)
{
    static const uint32_t hostile[] = {4096, 4097, 0x7FFFFFFF, 0x80000000,
                                       UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        start_at(100);
        atomic_store(&shared.write, 100 + hostile[i]);
        assert_true(shl_ring_waiting(&consumer) <= USABLE);
        assert_int_equal(take(), -2);
        assert_int_equal(take(), -1);
        shl_ring_release(&consumer);
        assert_int_equal(atomic_load(&shared.read), 100 + hostile[i]);
        /* and goes on from there */
        shl_ring_init_producer(&producer, &shared.write, &shared.read,
                               shared.slots, sizeof(struct slot), SLOTS);
        assert_true(put(7));
        shl_ring_publish(&producer);
        assert_int_equal(take(), 7);
    }
}

static void the_longest_possible_distance_is_believed(void **state)
{
    (void)state;
    atomic_store(&shared.write, USABLE);
    for (uint32_t i = 0; i < USABLE; i++)
        assert_true(take() >= 0);
    assert_int_equal(take(), -1);
}

static void write_index_that_goes_back_is_lost(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        put(i);
    shl_ring_publish(&producer);
    for (uint32_t i = 0; i < 8; i++)
        take();
    atomic_store(&shared.write, 3);
    assert_int_equal(take(), -2);
    assert_int_equal(take(), -1);
}

static void read_index_from_the_future_counts_as_full(void **state)
{
    (void)state;
    atomic_store(&shared.read, 1000);
    look();
    assert_false(put(1));
    assert_int_equal(shl_ring_free(&producer), 0);
    atomic_store(&shared.read, 0);
    assert_true(put(1));
}

static void skip_drops_up_to_an_index(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        put(i);
    shl_ring_publish(&producer);
    shl_ring_skip(&consumer, 4);
    assert_int_equal(atomic_load(&shared.read), 4);
    assert_int_equal(take(), 4);
    shl_ring_skip(&consumer, 5); /* nothing left below it */
    assert_int_equal(take(), 5);
}

static void skip_to_an_index_outside_drops_everything(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        put(i);
    shl_ring_publish(&producer);
    shl_ring_skip(&consumer, 11);
    assert_int_equal(take(), -1);
    assert_int_equal(atomic_load(&shared.read), 10);
    atomic_store(&shared.write, 10 + 5000); /* a liar's ring is empty too */
    shl_ring_skip(&consumer, 10 + 17);
    assert_int_equal(atomic_load(&shared.read), 10 + 5000);
    assert_int_equal(take(), -1);
}

static void skip_in_a_full_ring_keeps_the_rest(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < USABLE; i++)
        assert_true(put(i));
    shl_ring_publish(&producer);
    shl_ring_skip(&consumer, 7);
    assert_int_equal(take(), 7);
}

static void skip_works_across_the_wrap(void **state)
{
    (void)state;
    start_at(0xFFFFFFFCu);
    for (uint32_t i = 0; i < 10; i++)
        put(i);
    shl_ring_publish(&producer);
    shl_ring_skip(&consumer, 2);
    assert_int_equal(take(), 6);
}

/* ---- two threads --------------------------------------------------------- */

struct run {
    uint32_t count;
    uint32_t wrong;    /* out of order or torn */
    uint32_t never;    /* how often nothing moved for too long */
    atomic_bool ended; /* the consumer gave up */
};

static void *produce(void *arg)
{
    struct run *run = arg;
    uint32_t sent = 0;

    while (sent < run->count && !atomic_load(&run->ended)) {
        uint32_t batch = sent % 13 + 1;
        while (batch-- && sent < run->count && put(sent))
            sent++;
        shl_ring_publish(&producer);
        if (shl_ring_free(&producer) == 0)
            sched_yield();
    }
    return NULL;
}

static void consume(struct run *run)
{
    uint32_t got = 0, idle = 0;

    while (got < run->count && run->wrong == 0 && idle < 50000000) {
        int64_t number = take();
        if (number == -1) {
            shl_ring_release(&consumer);
            sched_yield();
            idle++;
            continue;
        }
        run->wrong += number != got;
        got++;
        idle = 0;
        if (got % 32 == 0)
            shl_ring_release(&consumer);
    }
    run->never = got < run->count;
    atomic_store(&run->ended, true);
}

/* shows MP-18 */
static void two_threads_lose_and_tear_nothing(void **state)
{
    struct run run = {.count = getenv("SHL_SOAK") ? 100000000 : 1000000};
    pthread_t thread;

    (void)state;
    start_at(0xFFFFFF00u);
    assert_int_equal(pthread_create(&thread, NULL, produce, &run), 0);
    consume(&run);
    pthread_join(thread, NULL);
    assert_int_equal(run.wrong, 0);
    assert_int_equal(run.never, 0);
    print_message("%u events from thread to thread\n", run.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(empty_ring_gives_nothing, begin),
        cmocka_unit_test_setup(full_ring_refuses_and_keeps_order, begin),
        cmocka_unit_test_setup(one_free_slot_takes_exactly_one_more, begin),
        cmocka_unit_test_setup(indices_cross_the_wrap_without_a_break, begin),
        cmocka_unit_test_setup(full_ring_across_the_wrap_keeps_order, begin),
        cmocka_unit_test_setup(nobody_sees_a_batch_before_it_is_published,
                               begin),
        cmocka_unit_test_setup(a_new_pair_goes_on_where_the_old_one_was, begin),
        cmocka_unit_test_setup(impossible_write_index_starts_over_and_says_so,
                               begin),
        cmocka_unit_test_setup(the_longest_possible_distance_is_believed,
                               begin),
        cmocka_unit_test_setup(write_index_that_goes_back_is_lost, begin),
        cmocka_unit_test_setup(read_index_from_the_future_counts_as_full,
                               begin),
        cmocka_unit_test_setup(skip_drops_up_to_an_index, begin),
        cmocka_unit_test_setup(skip_in_a_full_ring_keeps_the_rest, begin),
        cmocka_unit_test_setup(skip_to_an_index_outside_drops_everything,
                               begin),
        cmocka_unit_test_setup(skip_works_across_the_wrap, begin),
        cmocka_unit_test_setup(two_threads_lose_and_tear_nothing, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
