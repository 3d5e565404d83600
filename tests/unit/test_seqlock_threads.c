/* SPDX-License-Identifier: MIT */
/* A value of several words in shared memory: never seen half, whatever its
 * writer does, and nobody waits for long. */
#include "core/shm/layout.h"
#include "core/shm/seqlock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#define WORDS  5u
#define ROUNDS 20000u

static SHL_SEQLOCK(WORDS) lock;
static _Atomic uint32_t quit;

static int setup(void **state)
{
    (void)state;
    memset(&lock, 0, sizeof lock);
    atomic_store(&quit, 0);
    return 0;
}

static void fill(uint64_t value[WORDS], uint64_t n)
{
    for (uint32_t i = 0; i < WORDS; i++)
        value[i] = n * UINT64_C(0x0101010101010101) + i;
}

static int is_whole(const uint64_t value[WORDS])
{
    for (uint32_t i = 0; i < WORDS; i++)
        if (value[i] != value[0] + i)
            return 0;
    return 1;
}

static void *write_on(void *arg)
{
    uint64_t value[WORDS];
    (void)arg;

    for (uint64_t n = 0; !atomic_load(&quit); n++) {
        fill(value, n & 0xFF);
        shl_seqlock_write(&lock, value, WORDS);
    }
    return NULL;
}

static void a_value_is_never_seen_torn(void **state)
{
    pthread_t thread;
    uint64_t value[WORDS];
    uint32_t torn = 0, sequence = 0;
    (void)state;

    fill(value, 1);
    shl_seqlock_write(&lock, value, WORDS);
    assert_int_equal(pthread_create(&thread, NULL, write_on, NULL), 0);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        if (!shl_seqlock_read(&lock, value, WORDS))
            torn += !is_whole(value);
        if (shl_seqlock_look(&lock, &sequence, value, WORDS))
            torn += !is_whole(value) || sequence & 1;
    }
    atomic_store(&quit, 1);
    pthread_join(thread, NULL);
    assert_int_equal(torn, 0);
    assert_int_equal(shl_seqlock_read(&lock, value, WORDS), SHL_OK);
}

/* It died, or is busy for ever: for a reader this is the same. */
static void a_reader_gives_up_on_a_busy_writer(void **state)
{
    uint64_t value[WORDS];
    uint32_t sequence = 0;
    (void)state;

    fill(value, 1);
    shl_seqlock_write(&lock, value, WORDS);
    atomic_fetch_add(&lock.sequence, 1);
    assert_int_equal(shl_seqlock_read(&lock, value, WORDS), SHL_AGAIN);
    assert_false(shl_seqlock_look(&lock, &sequence, value, WORDS));
    assert_int_equal(sequence, 0);
}

static void the_next_writer_mends_what_a_dead_one_left(void **state)
{
    uint64_t value[WORDS], seen[WORDS];
    (void)state;

    fill(value, 1);
    shl_seqlock_write(&lock, value, WORDS);
    atomic_fetch_add(&lock.sequence, 1);
    atomic_store(&lock.word[2], 77); /* and here it died */
    fill(value, 2);
    shl_seqlock_write(&lock, value, WORDS);
    assert_int_equal(atomic_load(&lock.sequence) & 1, 0);
    assert_int_equal(shl_seqlock_read(&lock, seen, WORDS), SHL_OK);
    assert_memory_equal(seen, value, sizeof value);
}

static void a_look_sees_each_value_once(void **state)
{
    uint64_t value[WORDS], seen[WORDS];
    uint32_t sequence = 0;
    (void)state;

    assert_false(shl_seqlock_look(&lock, &sequence, seen, WORDS));
    fill(value, 3);
    shl_seqlock_write(&lock, value, WORDS);
    assert_true(shl_seqlock_look(&lock, &sequence, seen, WORDS));
    assert_memory_equal(seen, value, sizeof value);
    assert_false(shl_seqlock_look(&lock, &sequence, seen, WORDS));
    shl_seqlock_write(&lock, value, WORDS);
    assert_true(shl_seqlock_look(&lock, &sequence, seen, WORDS));
}

static void a_sequence_may_wrap(void **state)
{
    uint64_t value[WORDS], seen[WORDS];
    uint32_t sequence = UINT32_MAX - 1;
    (void)state;

    atomic_store(&lock.sequence, UINT32_MAX - 1);
    fill(value, 4);
    shl_seqlock_write(&lock, value, WORDS);
    assert_int_equal(atomic_load(&lock.sequence), 0);
    assert_true(shl_seqlock_look(&lock, &sequence, seen, WORDS));
    assert_memory_equal(seen, value, sizeof value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_value_is_never_seen_torn, setup),
        cmocka_unit_test_setup(a_reader_gives_up_on_a_busy_writer, setup),
        cmocka_unit_test_setup(the_next_writer_mends_what_a_dead_one_left,
                               setup),
        cmocka_unit_test_setup(a_look_sees_each_value_once, setup),
        cmocka_unit_test_setup(a_sequence_may_wrap, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
