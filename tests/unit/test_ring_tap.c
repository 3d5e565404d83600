/* SPDX-License-Identifier: MIT */
/* Following a ring from outside: in order, nothing torn, and what was gone is
 * counted. DL-53. */
#include "core/shm/ring_tap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 64u

struct slot {
    _Atomic uint64_t number[4]; /* atomic: the thread sanitizer looks on */
};

static struct {
    _Atomic uint32_t write, read;
    struct slot slot[SLOTS];
} ring;

static struct shl_ring_tap ring_tap;

static void fill(uint32_t index)
{
    for (int i = 0; i < 4; i++)
        atomic_store_explicit(&ring.slot[index % SLOTS].number[i], index,
                              memory_order_release);
}

static void produce(uint32_t count)
{
    uint32_t at = atomic_load(&ring.write);

    for (uint32_t i = 0; i < count; i++)
        fill(at + i);
    atomic_store_explicit(&ring.write, at + count, memory_order_release);
}

static void begin_at(uint32_t index)
{
    atomic_store(&ring.write, index);
    atomic_store(&ring.read, index);
    shl_ring_tap_init(&ring_tap, &ring.write, &ring.read, ring.slot,
                      sizeof(struct slot), SLOTS);
}

/* The number of the next slot, or -1. */
static int64_t next(void)
{
    uint64_t copy[4];

    if (!shl_ring_tap_next(&ring_tap, copy))
        return -1;
    for (int i = 1; i < 4; i++)
        assert_int_equal(copy[i], copy[0]);
    return (int64_t)copy[0];
}

/* shows DL-53 */
static void slots_come_in_order_also_over_the_wrap(void **state)
{
    (void)state;
    begin_at(0xFFFFFFE0u);
    assert_int_equal(next(), -1);
    for (uint32_t round = 0; round < 10; round++) {
        produce(30);
        atomic_store(&ring.read, atomic_load(&ring.write));
        for (uint32_t i = 0; i < 30; i++)
            assert_int_equal(next(), (uint32_t)(0xFFFFFFE0u + 30 * round + i));
        assert_int_equal(next(), -1);
    }
    assert_int_equal(ring_tap.lost, 0);
    assert_int_equal(ring_tap.wild, 0);
}

static void what_was_gone_is_counted(void **state)
{
    (void)state;
    begin_at(0);
    produce(1000);
    atomic_store(&ring.read, 1000);
    /* a quarter may be in the hands of the producer */
    for (uint32_t i = 1000 - SLOTS * 3 / 4; i < 1000; i++)
        assert_int_equal(next(), i);
    assert_int_equal(next(), -1);
    assert_int_equal(ring_tap.lost, 1000 - SLOTS * 3 / 4);
}

static void full_ring_is_read_as_a_whole(void **state)
{
    (void)state;
    begin_at(500);
    produce(SLOTS - 1); /* and the consumer has taken none */
    for (uint32_t i = 0; i < SLOTS - 1; i++)
        assert_int_equal(next(), 500 + i);
    assert_int_equal(next(), -1);
    assert_int_equal(ring_tap.lost, 0);
}

static void index_that_cannot_be_starts_over(void **state)
{
    (void)state;
    begin_at(100);
    atomic_store(&ring.write, 50);
    assert_int_equal(next(), -1);
    assert_int_equal(ring_tap.wild, 1);
    assert_int_equal(ring_tap.lost, 0);
    produce(3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(next(), 50 + i);
    /* a reader's that cannot be is no reason to lose more */
    atomic_store(&ring.read, 0x12345678u);
    produce(3);
    assert_int_equal(next(), 53);
    atomic_store(&ring.write, 53 + 0x7FFFFFFFu);
    next();
    assert_true(ring_tap.lost > 0x7FFFFF00u);
}

static _Atomic uint32_t quit;

/* As fast as it can, up to a quarter of the ring at once: what a ring_tap says it
 * can bear. */
static void *flood(void *arg)
{
    uint32_t batch = 1;

    while (!atomic_load(&quit)) {
        produce(batch);
        atomic_store(&ring.read, atomic_load(&ring.write));
        batch = batch % (SLOTS / 4) + 1;
    }
    return arg;
}

/* shows DL-53 */
static void nothing_is_torn_under_a_flood(void **state)
{
    const char *soak = getenv("SHL_SOAK");
    uint32_t wanted = soak && *soak ? 20000000 : 200000;
    int64_t last = -1;
    uint64_t seen = 0;
    pthread_t thread;

    (void)state;
    begin_at(0);
    atomic_store(&quit, 0);
    assert_int_equal(pthread_create(&thread, NULL, flood, NULL), 0);
    while (seen < wanted && ring_tap.next < 0x7FFFFFFF) {
        int64_t number = next();

        if (number < 0)
            continue;
        assert_true(number > last);
        last = number;
        seen++;
    }
    atomic_store(&quit, 1);
    pthread_join(thread, NULL);
    assert_int_equal(seen + ring_tap.lost, ring_tap.next);
    assert_int_equal(ring_tap.wild, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_come_in_order_also_over_the_wrap),
        cmocka_unit_test(what_was_gone_is_counted),
        cmocka_unit_test(full_ring_is_read_as_a_whole),
        cmocka_unit_test(index_that_cannot_be_starts_over),
        cmocka_unit_test(nothing_is_torn_under_a_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
