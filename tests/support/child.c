/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 600

static int ready_pipe[2] = {-1, -1};

int child_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "# child, %s:%d: not so: %s\n", file, line, what);
    return 1;
}

void child_ready(void)
{
    ssize_t done = write(ready_pipe[1], "", 1);
    (void)done;
}

_Noreturn void child_forever(void)
{
    child_ready();
    for (;;)
        pause();
}

static pid_t start(int (*job)(void *arg), void *arg)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        alarm(LIMIT_S);
        int result = job(arg);
        fflush(NULL);
        _exit(result);
    }
    return pid;
}

pid_t child_start(int (*job)(void *arg), void *arg)
{
    struct pollfd wait;
    pid_t pid;

    if (pipe(ready_pipe))
        return -1;
    pid = start(job, arg);
    close(ready_pipe[1]);
    wait = (struct pollfd){.fd = ready_pipe[0], .events = POLLIN};
    while (poll(&wait, 1, LIMIT_S * 1000) < 0)
        continue;
    close(ready_pipe[0]);
    return pid;
}

int child_wait(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        continue;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int child_run(int (*job)(void *arg), void *arg)
{
    return child_wait(start(job, arg));
}

void child_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    child_wait(pid);
}

bool child_own_shm(unsigned kib)
{
    char options[32];

    snprintf(options, sizeof options, "size=%uk", kib);
    if (unshare(CLONE_NEWNS) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return false;
    /* an empty /dev has no /dev/shm */
    return kib ? !mount("none", "/dev/shm", "tmpfs", 0, options)
               : !mount("none", "/dev", "tmpfs", 0, NULL);
}
