/* SPDX-License-Identifier: MIT */
/* What a program needs that somebody starts and ends: a bell, the signals that
 * ask it to end, its parent. */
#include "core/os/platform.h"

#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define RINGS 2000

/* ---- the bell ---------------------------------------------------------------- */

static shl_bell *bell, *back;
static _Atomic uint32_t rings;

static void *ring_often(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < RINGS; i++) {
        atomic_fetch_add(&rings, 1);
        shl_bell_ring(bell);
        while (!shl_bell_wait(back, 60000))
            continue;
    }
    return NULL;
}

static void no_ring_is_lost(void **state)
{
    pthread_t thread;
    uint32_t heard = 0;

    (void)state;
    assert_int_equal(shl_bell_new(&bell), SHL_OK);
    assert_int_equal(shl_bell_new(&back), SHL_OK);
    assert_int_equal(pthread_create(&thread, NULL, ring_often, NULL), 0);
    while (heard < RINGS) {
        while (!shl_bell_wait(bell, 60000))
            continue;
        assert_int_equal(atomic_load(&rings), ++heard);
        shl_bell_ring(back);
    }
    pthread_join(thread, NULL);
    shl_bell_free(bell);
    shl_bell_free(back);
    shl_bell_free(NULL);
}

static void a_bell_rung_before_is_heard_once(void **state)
{
    (void)state;
    assert_int_equal(shl_bell_new(&bell), SHL_OK);
    assert_int_equal(shl_bell_wait(bell, 0), 0);
    shl_bell_ring(bell);
    shl_bell_ring(bell);
    assert_int_equal(shl_bell_wait(bell, 60000), 1);
    assert_int_equal(shl_bell_wait(bell, 1), 0);
    shl_bell_free(bell);
}

/* ---- the end ------------------------------------------------------------------- */

static int end_when_asked(void *arg)
{
    sigset_t all;

    (void)arg;
    sigfillset(&all); /* as whoever starts us may have left them */
    sigprocmask(SIG_SETMASK, &all, NULL);
    CHILD_CHECK(shl_ending_catch(60) == SHL_OK);
    CHILD_CHECK(!shl_ending());
    child_ready();
    while (!shl_ending())
        shl_sleep_ms(1);
    return 7;
}

static void signals_ask_to_end(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

    (void)state;
    for (int i = 0; i < 3; i++) {
        pid_t pid = child_start(end_when_asked, NULL);

        kill(pid, signals[i]);
        assert_int_equal(child_wait(pid), 7);
    }
}

static int never_end(void *arg)
{
    (void)arg;
    signal(SIGALRM, SIG_IGN);
    CHILD_CHECK(shl_ending_catch(1) == SHL_OK);
    child_ready();
    for (;;)
        shl_sleep_ms(1000);
}

static void one_that_does_not_end_is_killed(void **state)
{
    pid_t pid = child_start(never_end, NULL);

    (void)state;
    kill(pid, SIGTERM);
    kill(pid, SIGTERM);
    assert_int_equal(child_wait(pid), 128 + SIGALRM);
}

/* ---- the parent ----------------------------------------------------------------- */

struct family {
    _Atomic uint32_t up, followed, same, asked, ended;
};

static void be_child(struct family *family)
{
    uint32_t parent = 0;

    shl_ending_catch(60);
    family->followed = shl_parent_follow(&parent) != 0;
    family->same = parent == (uint32_t)getppid() && shl_parent_is(parent);
    family->up = 1;
    while (!shl_ending() || shl_parent_is(parent)) {
        family->asked = (uint32_t)shl_ending();
        shl_sleep_ms(1);
    }
    family->ended = 1;
    _exit(0);
}

static int parent_of(void *arg)
{
    struct family *family = arg;

    if (fork() == 0)
        be_child(family);
    while (!family->up)
        shl_sleep_ms(1);
    child_ready();
    child_forever();
}

/* shows ME-08 */
static void a_child_learns_of_its_parents_death(void **state)
{
    struct family *family = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    (void)state;
    assert_true(family != MAP_FAILED);
    pid = child_start(parent_of, family);
    assert_int_equal(family->followed, 1);
    assert_int_equal(family->same, 1);
    child_kill(pid);
    for (int ms = 0; ms < 30000 && !family->ended; ms++)
        shl_sleep_ms(1);
    assert_int_equal(family->ended, 1);
    munmap(family, 4096);
}

static void *start_one(void *arg)
{
    struct family *family = arg;

    if (fork() == 0)
        be_child(family);
    while (!family->up)
        shl_sleep_ms(1);
    return NULL;
}

static int parent_with_threads(void *arg)
{
    pthread_t thread;

    CHILD_CHECK(!pthread_create(&thread, NULL, start_one, arg));
    CHILD_CHECK(!pthread_join(thread, NULL));
    child_ready();
    child_forever();
}

/* Hazard 17: the system's signal is that of the thread. A DAW lives on when one
 * of its threads ends, and so does what that has started. */
/* shows ME-08 */
static void a_child_outlives_the_thread_that_started_it(void **state)
{
    struct family *family = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    (void)state;
    assert_true(family != MAP_FAILED);
    pid = child_start(parent_with_threads, family);
    for (int ms = 0; ms < 300 && !family->asked; ms++)
        shl_sleep_ms(1);
    assert_int_equal(family->asked, 0);
    child_kill(pid);
    for (int ms = 0; ms < 30000 && !family->ended; ms++)
        shl_sleep_ms(1);
    assert_int_equal(family->ended, 1);
    munmap(family, 4096);
}

/* ---- inherited pipes ------------------------------------------------------------ */

static int closes_the_others(void *arg)
{
    struct shl_pipes pipes = SHL_PIPES_NONE;
    int bell_ends[2], device_messages_ends[2], other[2];

    (void)arg;
    CHILD_CHECK(!pipe(bell_ends) && !pipe(device_messages_ends) &&
                !pipe(other));
    CHILD_CHECK(shl_pipes_adopt(&pipes, device_messages_ends[0],
                                bell_ends[1]) == SHL_OK);
    CHILD_CHECK(dup(device_messages_ends[1]) >= 0 && dup(bell_ends[0]) >= 0);
    CHILD_CHECK(shl_pipes_wait(&pipes, 1000) == SHL_TIMEOUT);
    shl_pipes_alone(&pipes);
    CHILD_CHECK(shl_pipes_wait(&pipes, 1000) == SHL_GONE);
    CHILD_CHECK(shl_pipes_ring(&pipes) == SHL_GONE);
    CHILD_CHECK(fcntl(other[0], F_GETFD) >= 0 && fcntl(other[1], F_GETFD) >= 0);
    shl_pipes_close(&pipes);
    return 0;
}

static void only_the_two_ends_in_use_stay_open(void **state)
{
    (void)state;
    assert_int_equal(child_run(closes_the_others, NULL), 0);
}

/* ---- starting a program -------------------------------------------------------- */

static void run_program(const char *const *words, char *said, size_t size)
{
    struct shl_pipes pipes = SHL_PIPES_NONE;
    struct shl_child child = SHL_CHILD_NONE;
    struct shl_child_end end;
    size_t used = 0;

    assert_int_equal(shl_pipes_make(&pipes), SHL_OK);
    assert_int_equal(shl_child_start(words, &pipes, &child), SHL_OK);
    shl_pipes_started(&pipes);
    assert_true(shl_child_ended(&child, 60000, &end));
    assert_int_equal(end.signal, 0);
    assert_int_equal(end.code, 0);
    for (ssize_t got = 1; got > 0 && used + 1 < size; used += (size_t)got)
        if ((got = read(pipes.news, said + used, size - used - 1)) < 0)
            got = 0;
    said[used] = 0;
    shl_pipes_close(&pipes);
}

#define TOUCHED (64u << 20)
#define PAGE    4096u

static void touch(char *memory)
{
    for (size_t at = 0; at < TOUCHED; at += PAGE)
        memory[at]++;
}

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/* Pages that a start has shared with the child cost all threads a fault each,
 * and the copying of their table stops all of them: 14 to 100 ms without audio
 * in a Pd that has much in memory. */
static void a_start_leaves_our_pages_alone(void **state)
{
    static const char *const words[] = {"/bin/true", NULL};
    char said[16];
    char *memory = mmap(NULL, TOUCHED, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(memory != MAP_FAILED);
    madvise(memory, TOUCHED, MADV_NOHUGEPAGE);
    touch(memory);
    long before = faults();
    run_program(words, said, sizeof said);
    touch(memory);
    assert_in_range(faults() - before, 0, TOUCHED / PAGE / 4);
    munmap(memory, TOUCHED);
}

static void never_called(int number)
{
    (void)number;
    abort();
}

/* All signals blocked, one caught, one ignored: of that nothing is handed on,
 * and nothing is forgotten here. */
static int start_plainly(void *arg)
{
    static const char *const words[] = {
        "/bin/sh", "-c",
        "while read key value; do case $key in SigBlk:|SigIgn:|SigCgt:) "
        "echo $value >&4;; esac; done </proc/self/status",
        NULL};
    struct sigaction now;
    sigset_t all, mask;
    char said[200];

    (void)arg;
    signal(SIGWINCH, never_called);
    signal(SIGTTIN, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    run_program(words, said, sizeof said);
    CHILD_CHECK(strncmp(said, "0000000000000000\n0000000000000000\n", 34) == 0);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    CHILD_CHECK(sigismember(&mask, SIGTERM));
    CHILD_CHECK(!sigaction(SIGWINCH, NULL, &now) &&
                now.sa_handler == never_called);
    return 0;
}

static void a_program_starts_with_plain_signals(void **state)
{
    (void)state;
    assert_int_equal(child_run(start_plainly, NULL), 0);
}

static shl_status refusal_of(const char *path)
{
    const char *const words[] = {path, NULL};
    struct shl_pipes pipes = SHL_PIPES_NONE;
    struct shl_child child = SHL_CHILD_NONE;

    assert_int_equal(shl_pipes_make(&pipes), SHL_OK);
    shl_status st = shl_child_start(words, &pipes, &child);
    assert_int_equal(child.pid, 0);
    shl_pipes_close(&pipes);
    return st;
}

static void what_cannot_be_started_is_told_at_once(void **state)
{
    (void)state;
    assert_int_equal(refusal_of("/no/such/program"), SHL_NOT_FOUND);
    assert_int_equal(refusal_of("/etc/passwd"), SHL_NO_PERMISSION);
    assert_int_equal(refusal_of("/"), SHL_NO_PERMISSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_ring_is_lost),
        cmocka_unit_test(a_bell_rung_before_is_heard_once),
        cmocka_unit_test(signals_ask_to_end),
        cmocka_unit_test(one_that_does_not_end_is_killed),
        cmocka_unit_test(a_child_learns_of_its_parents_death),
        cmocka_unit_test(a_child_outlives_the_thread_that_started_it),
        cmocka_unit_test(only_the_two_ends_in_use_stay_open),
        cmocka_unit_test(a_start_leaves_our_pages_alone),
        cmocka_unit_test(a_program_starts_with_plain_signals),
        cmocka_unit_test(what_cannot_be_started_is_told_at_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
