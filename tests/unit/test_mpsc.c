/* SPDX-License-Identifier: MIT */
/* The list that many threads push to: nothing lost, nothing twice, each thread's
 * own in order; and the worker that does what is posted to it. */
#include "core/os/mpsc.h"
#include "core/os/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THREADS 4u
#define EACH    5000u

struct item {
    struct shl_mpsc_node node;
    uint32_t thread, number;
};

static struct shl_mpsc list;
static struct item items[THREADS][EACH];

static void what_was_pushed_is_taken_oldest_first(void **state)
{
    struct shl_mpsc own = {NULL};
    struct item three[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    (void)state;

    assert_null(shl_mpsc_take(&own));
    assert_null(shl_mpsc_newest(&own));
    for (int i = 0; i < 3; i++)
        shl_mpsc_push(&own, &three[i].node);
    assert_ptr_equal(shl_mpsc_newest(&own), &three[2].node);
    struct shl_mpsc_node *node = shl_mpsc_take(&own);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(node, &three[i].node);
        node = node->next;
    }
    assert_null(node);
    assert_null(shl_mpsc_take(&own));
}

static void *push_all(void *arg)
{
    const uint32_t thread = (uint32_t)(uintptr_t)arg;

    for (uint32_t i = 0; i < EACH; i++) {
        items[thread][i] = (struct item){.thread = thread, .number = i};
        shl_mpsc_push(&list, &items[thread][i].node);
    }
    return NULL;
}

static void many_threads_lose_nothing_and_keep_their_order(void **state)
{
    pthread_t thread[THREADS];
    uint32_t next[THREADS] = {0}, got = 0, wrong = 0;
    (void)state;

    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&thread[i], NULL, push_all, (void *)(uintptr_t)i),
            0);
    while (got < THREADS * EACH) {
        struct shl_mpsc_node *node = shl_mpsc_take(&list);

        for (; node; node = node->next, got++) {
            const struct item *item = (const struct item *)node;
            wrong += item->number != next[item->thread]++;
        }
        shl_pause();
    }
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(wrong, 0);
    assert_null(shl_mpsc_take(&list));
}

struct counted {
    struct shl_task task;
    uint32_t number;
};

static uint32_t done, out_of_order;
static _Atomic uint32_t all_done;

static void count(struct shl_task *task)
{
    struct counted *counted = (struct counted *)task;

    out_of_order += counted->number != done++;
    free(counted);
    if (done == EACH)
        atomic_store_explicit(&all_done, 1, memory_order_release);
}

static void a_worker_does_each_task_once_in_order(void **state)
{
    shl_worker *worker;
    (void)state;

    assert_int_equal(shl_worker_new(NULL, NULL, 1000, &worker), SHL_OK);
    for (uint32_t i = 0; i < EACH; i++) {
        struct counted *counted = calloc(1, sizeof *counted);
        assert_non_null(counted);
        counted->task.run = count;
        counted->number = i;
        shl_worker_post(worker, &counted->task);
    }
    for (int ms = 0;
         ms < 20000 && !atomic_load_explicit(&all_done, memory_order_acquire);
         ms++)
        shl_sleep_ms(1);
    shl_worker_free(worker);
    assert_int_equal(done, EACH);
    assert_int_equal(out_of_order, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_pushed_is_taken_oldest_first),
        cmocka_unit_test(many_threads_lose_nothing_and_keep_their_order),
        cmocka_unit_test(a_worker_does_each_task_once_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
