/* SPDX-License-Identifier: MIT */
/* Who lives, waiting and waking, threads, and what is known of the program. */
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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- processes --------------------------------------------------------------- */

static int named_like_a_riddle(void *arg)
{
    struct shl_process *who = arg;

    prctl(PR_SET_NAME, "a) Z 0 (b");
    *who = shl_process_self();
    child_forever();
}

static void *shared_page(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(page != MAP_FAILED);
    return page;
}

/* shows DL-15 */
static void dead_and_only_the_dead_are_dead(void **state)
{
    struct shl_process *who = shared_page();
    struct shl_process other;
    pid_t pid = child_start(named_like_a_riddle, who);
    siginfo_t info;

    (void)state;
    assert_int_equal(who->pid, pid);
    assert_true(who->start_time > 0 && who->pid_namespace > 0);
    assert_true(shl_process_alive(who));
    other = *who;
    other.start_time++; /* the number was given to somebody else */
    assert_false(shl_process_alive(&other));
    other = *who;
    other.pid_namespace++; /* nobody can know */
    other.start_time++;
    assert_true(shl_process_alive(&other));
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(shl_process_alive(who)); /* a zombie */
    child_wait(pid);
    assert_false(shl_process_alive(who));
    other = shl_process_self();
    assert_true(shl_process_alive(&other));
    munmap(who, 4096);
}

static void *go_on(void *arg)
{
    shl_sleep_ms(50);
    (void)arg;
    child_forever();
}

static int first_thread_ends(void *arg)
{
    struct shl_process *who = arg;
    pthread_t thread;

    *who = shl_process_self();
    pthread_create(&thread, NULL, go_on, NULL);
    pthread_exit(NULL);
}

static void process_without_its_first_thread_lives(void **state)
{
    struct shl_process *who = shared_page();
    pid_t pid = child_start(first_thread_ends, who);

    (void)state;
    assert_true(shl_process_alive(who));
    child_kill(pid);
    assert_false(shl_process_alive(who));
    munmap(who, 4096);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 6);
}

/* shows MP-51 */
static void hundred_thousand_random_names_differ(void **state)
{
    enum { COUNT = 100000 };
    uint8_t *random = malloc(COUNT * 6);

    (void)state;
    assert_non_null(random);
    for (size_t i = 0; i < COUNT; i++)
        shl_random_bytes(random + i * 6, 6);
    qsort(random, COUNT, 6, compare);
    for (size_t i = 1; i < COUNT; i++)
        assert_int_not_equal(compare(random + i * 6 - 6, random + i * 6), 0);
    free(random);
}

/* ---- waiting, threads, words --------------------------------------------------- */

static int wake_later(void *arg)
{
    _Atomic uint32_t *bell = arg;

    child_ready();
    shl_sleep_ms(20);
    atomic_store(bell, 1);
    shl_word_wake(bell);
    return 0;
}

static void another_process_wakes_a_sleeper(void **state)
{
    _Atomic uint32_t *bell = shared_page();
    uint64_t began = shl_clock_ns();
    pid_t pid = child_start(wake_later, bell);

    (void)state;
    while (atomic_load(bell) == 0)
        shl_word_wait(bell, 0, 50000000);
    assert_true(shl_clock_ns() - began < UINT64_C(20000000000));
    assert_int_equal(child_wait(pid), 0);
    munmap(bell, 4096);
}

static void waiting_ends_by_itself(void **state)
{
    _Atomic uint32_t bell = 1;
    uint64_t began = shl_clock_ns();

    (void)state;
    shl_word_wait(&bell, 0, 4000000000u); /* it is not 0 */
    shl_word_wait(&bell, 1, 0);
    shl_word_wait(&bell, 1, 1);
    shl_word_wait(&bell, 1, 1500);
    assert_true(shl_clock_ns() - began >= 1500000);
    began = shl_clock_ns();
    shl_word_wait(&bell, 1, 1000001); /* more than a second */
    assert_true(shl_clock_ns() - began >= 1000001000);
    shl_yield();
}

struct work {
    _Atomic uint32_t calls;
    _Atomic uint32_t signals_blocked, faults_blocked;
};

static void work(void *arg)
{
    struct work *w = arg;
    sigset_t set;

    pthread_sigmask(SIG_SETMASK, NULL, &set);
    atomic_store(&w->signals_blocked, (uint32_t)sigismember(&set, SIGINT));
    atomic_store(&w->faults_blocked, (uint32_t)sigismember(&set, SIGBUS));
    atomic_fetch_add(&w->calls, 1);
}

static void wait_for_calls(struct work *w, uint32_t count)
{
    for (int i = 0; i < 2000 && atomic_load(&w->calls) < count; i++)
        shl_sleep_ms(5);
    assert_true(atomic_load(&w->calls) >= count);
}

static void worker_works_at_once_when_woken_and_by_the_clock(void **state)
{
    struct work w = {0};
    shl_worker *worker = NULL;

    (void)state;
    assert_int_equal(shl_worker_new(work, &w, 0, &worker), SHL_OK);
    wait_for_calls(&w, 1);
    for (uint32_t i = 2; i < 200; i++) {
        shl_worker_wake(worker);
        wait_for_calls(&w, i);
    }
    shl_worker_free(worker);
    assert_int_equal(atomic_load(&w.signals_blocked), 1);
    assert_int_equal(atomic_load(&w.faults_blocked), 0);
    atomic_store(&w.calls, 0);
    assert_int_equal(shl_worker_new(work, &w, 1, &worker), SHL_OK);
    wait_for_calls(&w, 10);
    shl_worker_free(worker);
    shl_worker_free(NULL);
}

static void worker_can_be_freed_at_once(void **state)
{
    struct work w = {0};

    (void)state;
    for (int i = 0; i < 200; i++) {
        shl_worker *worker = NULL;
        assert_int_equal(shl_worker_new(work, &w, 60000, &worker), SHL_OK);
        shl_worker_free(worker);
    }
}

__attribute__((visibility("default"))) int test_platform_symbol(void);
int test_platform_symbol(void)
{
    return 1;
}

static char *program;

static void program_is_known(void **state)
{
    (void)state;
    assert_non_null(shl_symbol("malloc"));
    assert_null(shl_symbol("shl_no_such_function"));
    assert_true(shl_command_line_has(program));
    assert_false(shl_command_line_has("-batch"));
    assert_false(shl_command_line_has("-batc"));
    assert_true(shl_cpu() <= 65536);
    assert_true(shl_pauses_per_us() >= 1);
    assert_int_equal(shl_pauses_per_us(), shl_pauses_per_us());
    assert_int_equal(shl_user_id(), geteuid());
}

static int has_arguments(void *arg)
{
    (void)arg;
    execl("/proc/self/exe", "test_platform", "-nogui", "-batch", "-longer",
          (char *)NULL);
    return 1;
}

/** What the program does when it is given -batch: see above. */
static int with_arguments(void)
{
    CHILD_CHECK(shl_command_line_has("-batch"));
    CHILD_CHECK(shl_command_line_has("-longer"));
    CHILD_CHECK(!shl_command_line_has("batch"));
    CHILD_CHECK(!shl_command_line_has("-bat"));
    CHILD_CHECK(!shl_command_line_has("-batch-longer"));
    return 45;
}

static void words_of_the_command_line_are_whole(void **state)
{
    (void)state;
    assert_int_equal(child_run(has_arguments, NULL), 45);
}

static int make_denormal(void *arg)
{
    volatile float small = 1e-30f;
    uint32_t policy, priority;

    (void)arg;
    CHILD_CHECK(small * 1e-10f > 0);
    shl_thread_flush_denormals();
    shl_thread_priority(&policy, &priority);
    CHILD_CHECK(policy == 0 && priority == 0);
#if defined(__SSE2__) || defined(__aarch64__)
    small = 1e-30f;
    CHILD_CHECK(small * 1e-10f == 0);
#endif
    return 0;
}

static void denormals_are_flushed(void **state)
{
    (void)state;
    assert_int_equal(child_run(make_denormal, NULL), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_and_only_the_dead_are_dead),
        cmocka_unit_test(process_without_its_first_thread_lives),
        cmocka_unit_test(hundred_thousand_random_names_differ),
        cmocka_unit_test(another_process_wakes_a_sleeper),
        cmocka_unit_test(waiting_ends_by_itself),
        cmocka_unit_test(worker_works_at_once_when_woken_and_by_the_clock),
        cmocka_unit_test(worker_can_be_freed_at_once),
        cmocka_unit_test(program_is_known),
        cmocka_unit_test(words_of_the_command_line_are_whole),
        cmocka_unit_test(denormals_are_flushed),
    };

    program = argv[0];
    if (argc > 2 && strcmp(argv[2], "-batch") == 0)
        return with_arguments();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
