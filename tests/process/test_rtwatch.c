/* SPDX-License-Identifier: MIT */
/* The watcher itself: it must be able to fail. Each test runs this very program
 * again as a child with the watcher preloaded; the child does one thing, inside
 * or outside of the marks. */
#include "shmlink/system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *self;
static void *volatile kept;

static void do_nothing(void)
{
}

static void do_malloc(void)
{
    kept = malloc(10);
}

static void do_free(void)
{
    free(kept);
    kept = NULL;
}

static void do_mutex(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void do_open(void)
{
    int file = open("/dev/null", O_RDONLY);
    if (file >= 0)
        close(file);
}

static void do_sleep(void)
{
    struct timespec moment = {.tv_nsec = 1000};
    nanosleep(&moment, NULL);
}

static void do_syscall(void)
{
    syscall(SYS_getppid);
}

static void do_print(void)
{
    printf("a line\n");
}

static void do_futex(void)
{
    static uint32_t word;
    syscall(SYS_futex, &word, 1, 1, NULL, NULL, 0);
}

static void do_yield(void)
{
    sched_yield();
}

static void do_clock(void)
{
    (void)shl_clock_ns();
}

static const struct act {
    const char *name;
    void (*run)(void);
    int allowed;
} acts[] = {
    {"nothing", do_nothing, 1}, {"malloc", do_malloc, 0},
    {"free", do_free, 0},       {"mutex", do_mutex, 0},
    {"open", do_open, 0},       {"sleep", do_sleep, 0},
    {"syscall", do_syscall, 0}, {"print", do_print, 0},
    {"futex", do_futex, 1},     {"yield", do_yield, 1},
    {"clock", do_clock, 1},
};

/* In the child. Exit status 0 unless the watcher ends it. */
static int act(const char *name, int inside)
{
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    kept = malloc(1);
    if (!shl_rt_mark)
        return 3;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(acts[i].name, name))
            continue;
        if (inside)
            shl_rt(1);
        acts[i].run();
        if (inside)
            shl_rt(0);
        return 0;
    }
    return 4;
}

static void watcher_path(char *path, size_t size)
{
    snprintf(path, size, "%s", self);
    char *slash = strrchr(path, '/');
    snprintf(slash, size - (size_t)(slash - path), "/../rtwatch.so");
}

/* Wait status of a child that did it. */
static int run(const char *name, const char *inside, const char *mode)
{
    char watcher[4096];
    watcher_path(watcher, sizeof watcher);
    pid_t child = fork();
    if (child == 0) {
        int quiet = open("/dev/null", O_WRONLY);
        dup2(quiet, 1);
        dup2(quiet, 2);
        setenv("LD_PRELOAD", watcher, 1);
        setenv("SHL_RTWATCH", mode, 1);
        alarm(20);
        execl(self, self, name, inside, (char *)NULL);
        _exit(5);
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void everything_passes_outside_of_the_marks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        assert_int_equal(run(acts[i].name, "0", "abort"), 0);
}

/* shows DL-52 */
static void allocation_lock_and_system_call_abort_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        int status = run(acts[i].name, "1", "abort");
        if (acts[i].allowed)
            assert_int_equal(status, 0);
        else
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

static void counting_does_not_abort(void **state)
{
    (void)state;
    assert_int_equal(run("malloc", "1", "count"), 0);
}

int main(int count, char **words)
{
    self = words[0];
    if (count == 3)
        return act(words[1], atoi(words[2]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_passes_outside_of_the_marks),
        cmocka_unit_test(allocation_lock_and_system_call_abort_inside),
        cmocka_unit_test(counting_does_not_abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
