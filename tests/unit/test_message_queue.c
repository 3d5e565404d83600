/* SPDX-License-Identifier: MIT */
/* Both ends of the message rings on plain memory: room, order, claims, and what
 * hostile indices do. */
#include "core/messages/message_queue.h"

#include "shmlink/system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BIG (1u << 20)

static struct shl_messages *rings;
static struct shl_message_queue host, device;
static _Atomic uint32_t epoch;
static struct shl_whole whole;
static uint32_t budget;
static uint8_t *bytes;

static int set_up(void **state)
{
    (void)state;
    rings = calloc(1, sizeof *rings);
    bytes = malloc(BIG);
    for (uint32_t i = 0; i < BIG; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 24);
    atomic_store(&epoch, 5);
    shl_message_queue_open(&host, &rings->commands, &rings->responses, &epoch);
    shl_message_queue_open(&device, &rings->responses, &rings->commands,
                           &epoch);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_true(atomic_load(&host.waiting) == 0 || host.to);
    shl_message_queue_close(&host);
    shl_message_queue_close(&device);
    assert_true(atomic_load(&host.waiting) == 0);
    free(bytes);
    free(rings);
    return 0;
}

static shl_status take(struct shl_message_queue *queue)
{
    budget = 1000;
    return shl_message_queue_take(queue, &whole, &budget);
}

static void post(struct shl_message_queue *queue, uint32_t request,
                 uint32_t size)
{
    assert_int_equal(
        shl_message_queue_post(queue, SHL_MESSAGE_LOG, 0, request, bytes, size),
        SHL_OK);
}

static void letters_arrive_in_order_and_bells_ring(void **state)
{
    uint32_t seen = shl_message_queue_seen(&device);

    (void)state;
    assert_int_equal(take(&device), SHL_AGAIN);
    for (uint32_t i = 1; i <= 100; i++)
        post(&host, i, i);
    assert_int_equal(take(&device), SHL_AGAIN);
    assert_int_equal(shl_message_queue_seen(&device), seen);
    shl_message_queue_send(&host);
    assert_int_equal(shl_message_queue_seen(&device), seen + 1);
    for (uint32_t i = 1; i <= 100; i++) {
        assert_int_equal(take(&device), SHL_OK);
        assert_int_equal(whole.request, i);
        assert_int_equal(whole.size, i);
        assert_memory_equal(whole.bytes, bytes, i);
    }
    assert_int_equal(take(&device), SHL_AGAIN);
}

/* DL-07 */
/* shows DL-07 */
static void full_ring_keeps_the_rest_and_leaves_the_other_alone(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 600; i++)
        post(&host, i, 4);
    shl_message_queue_send(&host);
    assert_int_equal(atomic_load(&rings->commands.write), 255);
    /* commands are full: responses go on */
    for (uint32_t i = 1; i <= 600; i++) {
        post(&device, i, 4);
        shl_message_queue_send(&device);
        assert_int_equal(take(&host), SHL_OK);
        assert_int_equal(whole.request, i);
    }
    /* and the other way round */
    for (uint32_t i = 1; i <= 300; i++)
        post(&device, i, 4);
    shl_message_queue_send(&device);
    for (uint32_t i = 1; i <= 600; i++) {
        shl_message_queue_send(&host);
        assert_int_equal(take(&device), SHL_OK);
        assert_int_equal(whole.request, i);
    }
    assert_int_equal(take(&device), SHL_AGAIN);
}

static void producer_hears_when_there_is_room_again(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 256; i++)
        post(&host, i, 0);
    shl_message_queue_send(&host);
    uint32_t seen = shl_message_queue_seen(&host);
    for (uint32_t i = 0; i < 127; i++)
        assert_int_equal(take(&device), SHL_OK);
    assert_int_equal(shl_message_queue_seen(&host), seen);
    assert_int_equal(take(&device), SHL_OK);
    assert_int_equal(shl_message_queue_seen(&host), seen + 1);
}

static void long_letters_alternate_and_short_ones_pass(void **state)
{
    uint32_t came = 0;

    (void)state;
    for (uint32_t i = 1; i <= 12; i++)
        post(&host, i, BIG / 16 + i);
    post(&host, 100, 10);
    shl_message_queue_send(&host);
    assert_int_equal(take(&device), SHL_OK);
    assert_int_equal(whole.request, 100);
    for (uint32_t turn = 0; turn < 5000 && came < 12; turn++) {
        shl_status st = take(&device);
        shl_message_queue_send(&host);
        if (st == SHL_AGAIN)
            continue;
        assert_int_equal(st, SHL_OK);
        assert_in_range(whole.request, 1, 12);
        assert_int_equal(whole.size, BIG / 16 + whole.request);
        assert_memory_equal(whole.bytes, bytes, whole.size);
        came++;
    }
    assert_int_equal(came, 12);
    assert_int_equal(device.fragments.faults, 0);
    assert_true(atomic_load(&host.waiting) == 0);
}

static void what_another_claim_left_is_dropped_and_counted(void **state)
{
    (void)state;
    post(&host, 1, 10);
    post(&host, 2, 1000);
    shl_message_queue_send(&host);
    post(&host, 3, 10); /* never goes out */
    atomic_store(&epoch, 7);
    shl_message_queue_send(&host);
    assert_int_equal(take(&device), SHL_AGAIN);
    assert_int_equal(device.stale, 6);
    post(&host, 4, 10);
    shl_message_queue_send(&host);
    assert_int_equal(take(&device), SHL_OK);
    assert_int_equal(whole.request, 4);
    atomic_store(&epoch, 0);
    assert_int_equal(
        shl_message_queue_post(&host, SHL_MESSAGE_LOG, 0, 5, bytes, 1),
        SHL_NO_DEVICE);
}

static void half_a_queued_ends_with_its_claim(void **state)
{
    (void)state;
    post(&host, 1, BIG);
    shl_message_queue_send(&host);
    assert_int_equal(take(&device), SHL_AGAIN);
    assert_non_null(device.fragments.transfer[0].bytes);
    atomic_store(&epoch, 7);
    post(&host, 1, 1000);
    shl_message_queue_send(&host);
    assert_int_equal(take(&device), SHL_OK);
    assert_int_equal(whole.size, 1000);
    assert_int_equal(device.fragments.faults, 0);
    assert_null(device.fragments.transfer[0].bytes);
}

static void limits_are_refused_by_name(void **state)
{
    struct shl_message_queue none;
    uint8_t *much = malloc(SHL_MAX_PAYLOAD + 1);

    (void)state;
    assert_non_null(much);
    memset(much, 1, SHL_MAX_PAYLOAD + 1);
    assert_int_equal(shl_message_queue_post(&host, SHL_MESSAGE_LOG, 0, 0, much,
                                            SHL_MAX_PAYLOAD + 1),
                     SHL_BAD_VALUE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(shl_message_queue_post(&host, SHL_MESSAGE_LOG, 0, 0,
                                                much, SHL_MAX_PAYLOAD),
                         SHL_OK);
    assert_int_equal(
        shl_message_queue_post(&host, SHL_MESSAGE_LOG, 0, 0, much, 1),
        SHL_RING_FULL);
    free(much);
    shl_message_queue_open(&none, NULL, NULL, &epoch);
    assert_int_equal(
        shl_message_queue_post(&none, SHL_MESSAGE_LOG, 0, 0, bytes, 1),
        SHL_UNSUPPORTED);
    shl_message_queue_send(&none);
    assert_int_equal(take(&none), SHL_AGAIN);
    shl_message_queue_close(&none);
}

static void impossible_index_starts_over(void **state)
{
    (void)state;
    post(&host, 1, 10);
    shl_message_queue_send(&host);
    atomic_store(&rings->commands.write, 4711);
    assert_int_equal(take(&device), SHL_AGAIN);
    assert_int_equal(atomic_load(&rings->commands.read), 4711);
    atomic_store(&rings->commands.write, 4711 - 256u);
    assert_int_equal(take(&device), SHL_AGAIN);
    /* a hostile consumer: the ring counts as full, nothing is overwritten */
    atomic_store(&rings->commands.read, 99999);
    post(&host, 2, 10);
    shl_message_queue_send(&host);
    shl_message_queue_close(&host);
}

/* ---- two threads ------------------------------------------------------------ */

#define FLOOD 20000u

static void *flood(void *arg)
{
    (void)arg;
    for (uint32_t i = 1; i <= FLOOD; i++) {
        uint32_t size = i % 1000 == 0 ? 5000 : i % 240;
        while (
            shl_message_queue_post(&host, SHL_MESSAGE_LOG, 0, i, bytes, size))
            shl_sleep_ms(1);
        if (i % 7 == 0)
            shl_message_queue_send(&host);
    }
    for (int i = 0; i < 5000 && atomic_load(&host.waiting); i++) {
        uint32_t seen = shl_message_queue_seen(&host);
        shl_message_queue_send(&host);
        if (atomic_load(&host.waiting))
            shl_message_queue_nap(&host, seen, 20000);
    }
    return NULL;
}

static void two_threads_lose_nothing(void **state)
{
    uint32_t came = 0, last = 0, wrong = 0;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, flood, NULL), 0);
    for (uint32_t idle = 0; came < FLOOD && idle < 3000;) {
        uint32_t seen = shl_message_queue_seen(&device);
        if (take(&device) == SHL_AGAIN) {
            shl_message_queue_nap(&device, seen, 20000);
            idle++;
            continue;
        }
        idle = 0;
        came++;
        wrong += memcmp(whole.bytes, bytes, whole.size) != 0;
        if (whole.size < 5000) {
            wrong += whole.request <= last;
            last = whole.request;
        }
    }
    pthread_join(thread, NULL);
    assert_int_equal(came, FLOOD);
    assert_int_equal(wrong, 0);
}

static void *post_many(void *arg)
{
    uint32_t *first = arg;

    for (uint32_t i = 0; i < 2000; i++)
        while (shl_message_queue_post(&host, SHL_MESSAGE_LOG, 0, *first + i,
                                      bytes, 100))
            shl_sleep_ms(1);
    return NULL;
}

static void several_threads_may_post(void **state)
{
    uint32_t first[3] = {1, 10001, 20001}, next[3] = {1, 10001, 20001};
    uint32_t came = 0;
    pthread_t thread[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, post_many, &first[i]),
                         0);
    for (uint32_t turn = 0; turn < 2000000 && came < 6000; turn++) {
        shl_message_queue_send(&host);
        while (take(&device) == SHL_OK) {
            uint32_t who = whole.request / 10000;
            assert_int_equal(whole.request, next[who]++);
            came++;
        }
    }
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(came, 6000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(letters_arrive_in_order_and_bells_ring),
        TEST(full_ring_keeps_the_rest_and_leaves_the_other_alone),
        TEST(producer_hears_when_there_is_room_again),
        TEST(long_letters_alternate_and_short_ones_pass),
        TEST(what_another_claim_left_is_dropped_and_counted),
        TEST(half_a_queued_ends_with_its_claim),
        TEST(limits_are_refused_by_name),
        TEST(impossible_index_starts_over),
        TEST(two_threads_lose_nothing),
        TEST(several_threads_may_post),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
