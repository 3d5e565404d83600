/* SPDX-License-Identifier: MIT */
/* Pages that vanish under us: zeros and a flag, and everybody else's signals
 * stay theirs. */
#include "core/os/platform.h"

#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define SIZE ((size_t)65536)

static char name[32]; /* an object of this test */
static char path[64]; /* the same as a file */

static int set_up(void **state)
{
    (void)state;
    snprintf(name, sizeof name, "/shltest-%d", (int)getpid());
    snprintf(path, sizeof path, "/dev/shm%s", name);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove(path);
    return 0;
}

static struct shl_map created(void)
{
    struct shl_map map = SHL_MAP_NONE;

    assert_int_equal(shl_map_create(name, SIZE, &map), SHL_OK);
    return map;
}

static int cut_to_a_page(void *arg)
{
    const size_t *left = arg;
    struct shl_map map = SHL_MAP_NONE;

    return shl_map_ask(name, &map) || ftruncate(map.fd, (off_t)*left);
}

static void *read_all(void *arg)
{
    struct shl_map *map = arg;
    uintptr_t sum = 0;

    for (size_t i = 0; i < map->size; i++)
        sum += *(volatile uint8_t *)(map->base + i);
    return (void *)sum;
}

static void cut_object_turns_to_zeros_and_raises_its_flag(void **state)
{
    struct shl_map map = created();
    struct shl_map whole = SHL_MAP_NONE;
    char other[40];
    size_t left = 4096;
    pthread_t thread;
    void *sum;

    (void)state;
    snprintf(other, sizeof other, "%s-b", name);
    assert_int_equal(shl_map_create(other, SIZE, &whole), SHL_OK);
    memset(map.base, 1, SIZE);
    memset(whole.base, 1, SIZE);
    assert_int_equal(child_run(cut_to_a_page, &left), 0);
    assert_false(atomic_load(map.bad));
    /* another thread, from the front; then this one, from the back */
    assert_int_equal(pthread_create(&thread, NULL, read_all, &map), 0);
    pthread_join(thread, &sum);
    assert_int_equal((uintptr_t)sum, left);
    assert_true(atomic_load(map.bad));
    assert_false(atomic_load(whole.bad));
    map.base[SIZE - 1] = 9;
    assert_int_equal(map.base[SIZE - 1], 9);
    assert_int_equal((uintptr_t)read_all(&whole), SIZE);
    shl_map_close(&map);
    shl_map_close(&whole);
    shl_map_unlink(other);
}

static void last_page_may_go_first(void **state)
{
    struct shl_map map = created();
    size_t left = 4096;

    (void)state;
    memset(map.base, 1, SIZE);
    assert_int_equal(child_run(cut_to_a_page, &left), 0);
    assert_int_equal(*(volatile uint8_t *)(map.base + SIZE - 1), 0);
    assert_int_equal((uintptr_t)read_all(&map), left);
    shl_map_close(&map);
}

/** A mapping of our own file that is not the platform's, cut short. */
static volatile uint8_t *unguarded(void)
{
    FILE *file = tmpfile();
    void *base;

    if (!file || ftruncate(fileno(file), (off_t)SIZE))
        return NULL;
    base =
        mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    if (base == MAP_FAILED || ftruncate(fileno(file), 0))
        return NULL;
    return base;
}

static volatile uint8_t *expected;

static void told_handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    _exit(number == SIGBUS && info->si_addr == (const void *)(uintptr_t)expected
              ? 42
              : 1);
}

static void plain_handler(int number)
{
    _exit(number == SIGBUS ? 43 : 1);
}

static int fault_elsewhere(void *arg)
{
    const int *kind = arg;
    struct sigaction action;
    struct shl_map map = SHL_MAP_NONE;

    memset(&action, 0, sizeof action);
    if (*kind == 0) {
        action.sa_flags = SA_SIGINFO;
        action.sa_sigaction = told_handler;
    } else {
        action.sa_handler = *kind == 1   ? plain_handler
                            : *kind == 2 ? SIG_DFL
                                         : SIG_IGN;
    }
    sigaction(SIGBUS, &action, NULL);
    prctl(PR_SET_DUMPABLE, 0);
    if (shl_map_open(name, SIZE, &map))
        return 1;
    expected = unguarded();
    if (!expected)
        return 1;
    return *expected;
}

static void other_faults_go_to_the_previous_handler(void **state)
{
    struct shl_map map = created();
    const int want[] = {42, 43, 128 + SIGBUS, 128 + SIGBUS};

    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        int i = kind;
        assert_int_equal(child_run(fault_elsewhere, &i), want[kind]);
    }
    shl_map_close(&map);
}

static struct sigaction chained;

static void chaining_handler(int number, siginfo_t *info, void *context)
{
    chained.sa_sigaction(number, info, context);
}

/** A handler over ours that leads to it, then ours again over that. */
static int fault_in_a_chain(void *arg)
{
    const int *inside = arg;
    struct sigaction action;
    struct shl_map map = SHL_MAP_NONE, second = SHL_MAP_NONE;

    memset(&action, 0, sizeof action);
    action.sa_handler = plain_handler;
    sigaction(SIGBUS, &action, NULL);
    CHILD_CHECK(shl_map_open(name, SIZE, &map) == SHL_OK);
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = chaining_handler;
    sigaction(SIGBUS, &action, &chained);
    for (int i = 0; i < 3; i++) { /* each time over the same one */
        CHILD_CHECK(shl_map_open(name, SIZE, &second) == SHL_OK);
        shl_map_close(&second);
        sigaction(SIGBUS, &action, NULL);
    }
    CHILD_CHECK(shl_map_open(name, SIZE, &second) == SHL_OK);
    if (*inside) {
        CHILD_CHECK(ftruncate(map.fd, 0) == 0);
        CHILD_CHECK(*(volatile uint8_t *)map.base == 0);
        CHILD_CHECK(atomic_load(map.bad));
        return 0;
    }
    expected = unguarded();
    return *expected;
}

static void handlers_that_lead_to_each_other_come_to_an_end(void **state)
{
    struct shl_map map = created();
    int inside = 0;

    (void)state;
    assert_int_equal(child_run(fault_in_a_chain, &inside), 43);
    inside = 1;
    assert_int_equal(child_run(fault_in_a_chain, &inside), 0);
    shl_map_close(&map);
}

static void deaf_handler(int number)
{
    (void)number;
    _exit(1);
}

static void guard_comes_back_with_the_next_mapping(void **state)
{
    struct shl_map map = created(), second = SHL_MAP_NONE;
    struct sigaction action, before;

    (void)state;
    memset(&action, 0, sizeof action);
    action.sa_handler = deaf_handler;
    sigaction(SIGBUS, &action, &before);
    assert_int_equal(shl_map_open(name, SIZE, &second), SHL_OK);
    assert_int_equal(ftruncate(map.fd, 0), 0);
    assert_int_equal(*(volatile uint8_t *)map.base, 0);
    shl_map_close(&second);
    shl_map_close(&map);
    sigaction(SIGBUS, &before, NULL);
}

static int raised_by_hand(void *arg)
{
    const int *ignored = arg;
    struct shl_map map = SHL_MAP_NONE;

    signal(SIGBUS, *ignored ? SIG_IGN : SIG_DFL);
    prctl(PR_SET_DUMPABLE, 0);
    if (shl_map_open(name, SIZE, &map))
        return 1;
    raise(SIGBUS);
    return 44;
}

static void signal_sent_by_hand_does_what_it_did(void **state)
{
    struct shl_map map = created();
    int ignored = 1;

    (void)state;
    assert_int_equal(child_run(raised_by_hand, &ignored), 44);
    ignored = 0;
    assert_int_equal(child_run(raised_by_hand, &ignored), 128 + SIGBUS);
    shl_map_close(&map);
}

static void handler_goes_with_the_last_mapping(void **state)
{
    struct sigaction before, during, after;
    struct shl_map map, second = SHL_MAP_NONE;

    (void)state;
    sigaction(SIGBUS, NULL, &before);
    map = created();
    assert_int_equal(shl_map_open(name, SIZE, &second), SHL_OK);
    sigaction(SIGBUS, NULL, &during);
    assert_true(before.sa_sigaction != during.sa_sigaction);
    shl_map_close(&map);
    sigaction(SIGBUS, NULL, &after);
    assert_true(after.sa_sigaction == during.sa_sigaction);
    shl_map_close(&second);
    sigaction(SIGBUS, NULL, &after);
    assert_true(before.sa_sigaction == after.sa_sigaction);
}

/* As many as the system gives descriptors for; each of them is guarded. */
static void mappings_have_no_limit_of_their_own(void **state)
{
    enum { MANY = 1000 };
    static struct shl_map map[MANY];
    struct rlimit before, limit;
    size_t left = 4096;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    if (before.rlim_max < MANY + 100)
        skip();
    limit = before;
    limit.rlim_cur = MANY + 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    map[0] = created();
    memset(map[0].base, 1, SIZE);
    for (int i = 1; i < MANY; i++)
        assert_int_equal(shl_map_open(name, SIZE, &map[i]), SHL_OK);
    assert_int_equal(child_run(cut_to_a_page, &left), 0);
    for (int i = 0; i < MANY; i += 37) {
        assert_int_equal((uintptr_t)read_all(&map[i]), left);
        assert_true(atomic_load(map[i].bad));
    }
    assert_false(atomic_load(map[1].bad));
    for (int i = 0; i < MANY; i++)
        shl_map_close(&map[i]);
    setrlimit(RLIMIT_NOFILE, &before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cut_object_turns_to_zeros_and_raises_its_flag),
        TEST(last_page_may_go_first),
        TEST(other_faults_go_to_the_previous_handler),
        TEST(handlers_that_lead_to_each_other_come_to_an_end),
        TEST(guard_comes_back_with_the_next_mapping),
        TEST(signal_sent_by_hand_does_what_it_did),
        TEST(handler_goes_with_the_last_mapping),
        TEST(mappings_have_no_limit_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
