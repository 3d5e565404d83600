/* SPDX-License-Identifier: MIT */
/* Two pipes as wake-up: bytes counted, nothing that blocks, no signal. */
#include "core/os/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct shl_pipes pipes;

static int begin(void **state)
{
    (void)state;
    return shl_pipes_make(&pipes) ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    shl_pipes_close(&pipes);
    shl_pipes_close(&pipes);
    return 0;
}

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* shows MP-48 */
static void a_byte_wakes_the_other_side(void **state)
{
    char byte = 0;
    uint32_t count;
    (void)state;
    assert_int_equal(shl_pipes_take(&pipes), SHL_AGAIN);
    assert_int_equal(shl_pipes_wait(&pipes, 1000), SHL_TIMEOUT);
    assert_int_equal(shl_pipes_ring(&pipes), SHL_OK);
    assert_int_equal(read(pipes.child[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(write(pipes.child[1], &byte, 1), 1);
    assert_int_equal(shl_pipes_wait(&pipes, 0), SHL_OK);
    assert_int_equal(shl_pipes_take(&pipes), SHL_OK);
    assert_int_equal(shl_pipes_drain(&pipes, &count), SHL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(shl_pipes_drain(&pipes, &count), SHL_OK);
    assert_int_equal(count, 0);
}

/* Hazard 11. */
/* shows MP-48 */
static void a_full_pipe_never_blocks(void **state)
{
    uint32_t rung = 0, count;
    shl_status st;
    (void)state;
    while ((st = shl_pipes_ring(&pipes)) == SHL_OK && rung < 10000000)
        rung++;
    assert_int_equal(st, SHL_RING_FULL);
    /* the child's end of the other pipe blocks, as it expects */
    assert_int_equal(fcntl(pipes.child[1], F_GETFL) & O_NONBLOCK, 0);
    fcntl(pipes.child[1], F_SETFL, O_NONBLOCK);
    uint32_t written = 0;
    while (write(pipes.child[1], "x", 1) == 1)
        written++;
    assert_int_equal(shl_pipes_drain(&pipes, &count), SHL_OK);
    assert_int_equal(count, written);
}

/* Hazard 12: with our copy of the other end no write meets a closed pipe. */
static void a_dead_reader_makes_no_signal(void **state)
{
    uint32_t count;
    (void)state;
    signal(SIGPIPE, SIG_DFL);
    shl_pipes_started(&pipes); /* nobody has them now */
    assert_int_equal(shl_pipes_ring(&pipes), SHL_OK);
    assert_int_equal(shl_pipes_wait(&pipes, 1000000), SHL_GONE);
    assert_int_equal(shl_pipes_take(&pipes), SHL_GONE);
    assert_int_equal(shl_pipes_drain(&pipes, &count), SHL_GONE);
}

static void bytes_before_a_death_are_taken_first(void **state)
{
    (void)state;
    assert_int_equal(write(pipes.child[1], "x", 1), 1);
    shl_pipes_started(&pipes);
    assert_int_equal(shl_pipes_wait(&pipes, 0), SHL_OK);
    assert_int_equal(shl_pipes_take(&pipes), SHL_OK);
    assert_int_equal(shl_pipes_take(&pipes), SHL_GONE);
}

/* In the child: the ends by number. Exit codes tell what was wrong. */
static int child(void)
{
    struct shl_pipes own;
    int news = dup(pipes.child[0]), bell = dup(pipes.child[1]);
    shl_pipes_close(&pipes);
    if (shl_pipes_adopt(&own, bell, news) != SHL_BAD_VALUE)
        return 2; /* the wrong way round */
    if (shl_pipes_adopt(&own, 250, bell) != SHL_BAD_VALUE)
        return 3;
    if (shl_pipes_adopt(&own, news, bell) != SHL_OK)
        return 4;
    if (fcntl(news, F_GETFD) != FD_CLOEXEC)
        return 5;
    for (int i = 0; i < 100; i++)
        if (shl_pipes_wait(&own, 10000000) || shl_pipes_take(&own) ||
            shl_pipes_ring(&own))
            return 6;
    if (shl_pipes_wait(&own, 10000000) != SHL_GONE)
        return 7; /* the parent has closed */
    for (int i = 0; i < 10000 && shl_pipes_ring(&own) != SHL_GONE; i++)
        shl_sleep_ms(1); /* it closes one after the other */
    if (shl_pipes_ring(&own) != SHL_GONE)
        return 8; /* and no signal */
    shl_pipes_close(&own);
    return 0;
}

/* shows MP-48 */
static void a_child_uses_its_ends_by_number(void **state)
{
    int status = 0;
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(child());
    shl_pipes_started(&pipes);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(shl_pipes_ring(&pipes), SHL_OK);
        assert_int_equal(shl_pipes_wait(&pipes, 10000000), SHL_OK);
        assert_int_equal(shl_pipes_take(&pipes), SHL_OK);
    }
    shl_pipes_close(&pipes);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static _Atomic int interrupted;
static void on_signal(int number)
{
    (void)number;
    interrupted = interrupted + 1;
}

static void *nuisance(void *arg)
{
    const pthread_t *whom = arg;
    for (int i = 0; i < 20; i++) {
        pthread_kill(*whom, SIGUSR1);
        shl_sleep_ms(1);
    }
    shl_pipes_ring(&pipes);
    (void)!write(pipes.child[1], "x", 1);
    return NULL;
}

/* Hazard 13: signals do not end a wait. */
static void signals_do_not_end_a_wait(void **state)
{
    struct sigaction act = {.sa_handler = on_signal}, before;
    pthread_t self = pthread_self(), thread;
    (void)state;
    sigaction(SIGUSR1, &act, &before);
    assert_int_equal(pthread_create(&thread, NULL, nuisance, &self), 0);
    assert_int_equal(shl_pipes_wait(&pipes, 60000000), SHL_OK);
    pthread_join(thread, NULL);
    sigaction(SIGUSR1, &before, NULL);
    assert_true(interrupted > 0);
}

static void nothing_stays_open(void **state)
{
    int before = open_descriptors();
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct shl_pipes more;
        assert_int_equal(shl_pipes_make(&more), SHL_OK);
        for (int fd = 3; fd < 256; fd++)
            if (fcntl(fd, F_GETFD) >= 0 &&
                (fd == more.bell || fd == more.news || fd == more.kept ||
                 fd == more.child[0] || fd == more.child[1]))
                assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        shl_pipes_close(&more);
    }
    assert_int_equal(open_descriptors(), before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_byte_wakes_the_other_side),
        TEST(a_full_pipe_never_blocks),
        TEST(a_dead_reader_makes_no_signal),
        TEST(bytes_before_a_death_are_taken_first),
        TEST(a_child_uses_its_ends_by_number),
        TEST(signals_do_not_end_a_wait),
        TEST(nothing_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
