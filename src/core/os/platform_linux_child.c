/* SPDX-License-Identifier: MIT */
/* The platform on Linux, fourth part: programs that we start, and where they
 * are. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif

#include "core/os/platform.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_NEWS  3 /* descriptors of the child, as its command line says */
#define CHILD_BELL  4
#define ABOVE       16 /* where descriptors are out of the way */
#define LOOK_MS     5u /* where there is no descriptor of a process */
#define STACK_SIZE  32768
#define FILES_LIMIT 65536
#define SIGNALS     64 /* numbered from 1 */
#define MASK_SIZE   8  /* of all signals, as the kernel takes it */

#ifndef SYS_pidfd_open
#    define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#    define SYS_close_range 436
#endif

#if defined(__SANITIZE_THREAD__)
#    define UNWATCHED 1
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define UNWATCHED 1
#    endif
#endif
#ifdef UNWATCHED
/* The thread sanitizer takes every clone for a fork, which it has a lock for. */
int __clone(int (*)(void *), void *, int, void *, ...);
#    define clone __clone
#endif

/* ---- in the child, until exec ---------------------------------------------
 *
 * It runs in our memory while the thread that starts it is suspended: a copy
 * would write-protect every page of ours, and all threads, the one of the audio
 * too, would stumble over each of them (14 to 100 ms of stopped audio). So it
 * writes nothing but its own stack, errno and `error`, and calls the kernel
 * directly: the C library, and what watches it in tests, would remember the
 * child's descriptors and signals as ours. */

struct start {
    const char *const *words;
    const struct shl_pipes *pipes;
    pid_t parent;
    int files; /* most descriptors there can be */
    volatile int error;
};

static void close_from(int first, int files)
{
    if (!syscall(SYS_close_range, (unsigned)first, ~0u, 0))
        return;
    for (int fd = first; fd < files; fd++)
        syscall(SYS_close, fd);
}

static bool put(int from, int to)
{
    return syscall(SYS_dup3, from, to, 0) >= 0;
}

/* Move everything out of the way first: any of these may be 3 or 4. */
static bool arrange(const struct start *start)
{
    int news = (int)syscall(SYS_fcntl, start->pipes->child[0], F_DUPFD, ABOVE);
    int bell = (int)syscall(SYS_fcntl, start->pipes->child[1], F_DUPFD, ABOVE);
    int none = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);

    if (news < 0 || bell < 0 || none < 0)
        return false;
    if (none < ABOVE) /* it may be any of those that follow */
        none = (int)syscall(SYS_fcntl, none, F_DUPFD, ABOVE);
    if (none < 0 || !put(none, 0) || !put(none, 1) || !put(news, CHILD_NEWS) ||
        !put(bell, CHILD_BELL))
        return false;
    if (syscall(SYS_fcntl, 2, F_GETFD) < 0)
        put(none, 2); /* nothing must take its place */
    close_from(CHILD_BELL + 1, start->files);
    return true;
}

/* What a program starts with, whatever its parent made of signals. Before they
 * are let in: a handler would run in our memory. */
static void plain_signals(void)
{
    static const unsigned long usual[16], none[16]; /* of any system: all 0 */

    for (int number = 1; number <= SIGNALS; number++)
        syscall(SYS_rt_sigaction, number, usual, NULL, MASK_SIZE);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, MASK_SIZE);
}

static int become(void *arg)
{
    struct start *start = arg;

    plain_signals();
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* if not, it has died before that counted */
    if (syscall(SYS_getppid) == start->parent && arrange(start))
        syscall(SYS_execve, start->words[0], start->words, environ);
    start->error = errno ? errno : ESRCH;
    syscall(SYS_exit_group, 127);
    return 127;
}

/* ---- starting ------------------------------------------------------------------ */

static shl_status status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return SHL_NOT_FOUND;
    case EACCES:
    case EPERM:
        return SHL_NO_PERMISSION;
    case ENOEXEC:
    case EISDIR:
    case EINVAL:
        return SHL_FOREIGN;
    case EMFILE:
    case ENFILE:
        return SHL_NO_DESCRIPTORS;
    case ENOMEM:
    case EAGAIN:
        return SHL_NO_MEMORY;
    default:
        return SHL_SYSTEM;
    }
}

/* Goes on when the child runs its program, or has failed to. */
static pid_t start_beside(struct start *start)
{
    _Alignas(64) unsigned char stack[STACK_SIZE];
    sigset_t all, before;
    pid_t pid;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = clone(become, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD,
                start);
    if (pid < 0)
        start->error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

shl_status shl_child_start(const char *const *words,
                           const struct shl_pipes *pipes,
                           struct shl_child *child)
{
    long files = sysconf(_SC_OPEN_MAX);
    struct start start = {
        .words = words,
        .pipes = pipes,
        .parent = getpid(),
        .files = files > 0 && files < FILES_LIMIT ? (int)files : FILES_LIMIT};
    struct shl_child_end end;
    pid_t pid = start_beside(&start);

    if (pid < 0)
        return status_of(start.error);
    child->pid = (uint32_t)pid;
    child->watch = (int)syscall(SYS_pidfd_open, pid, 0);
    if (!start.error)
        return SHL_OK;
    shl_child_kill(child, &end);
    return status_of(start.error);
}

/* ---- ending ----------------------------------------------------------------------- */

static bool reap(struct shl_child *child, int options,
                 struct shl_child_end *end)
{
    int status = 0;
    pid_t got;

    do {
        got = waitpid((pid_t)child->pid, &status, options);
    } while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    *end = (struct shl_child_end){0, 0};
    /* somebody else in this process may have taken its status: then it ended */
    if (got > 0 && WIFSIGNALED(status))
        end->signal = (uint32_t)WTERMSIG(status);
    else if (got > 0)
        end->code = (uint32_t)WEXITSTATUS(status);
    if (child->watch >= 0)
        close(child->watch);
    *child = (struct shl_child)SHL_CHILD_NONE;
    return true;
}

static void nap(const struct shl_child *child, uint32_t ms)
{
    struct pollfd look = {.fd = child->watch, .events = POLLIN};

    if (child->watch < 0)
        shl_sleep_ms(ms < LOOK_MS ? ms : LOOK_MS);
    else
        poll(&look, 1, (int)ms);
}

bool shl_child_ended(struct shl_child *child, uint32_t timeout_ms,
                     struct shl_child_end *end)
{
    uint64_t until_ns = shl_clock_ns() + timeout_ms * UINT64_C(1000000);

    for (;;) {
        uint64_t now_ns;

        if (!child->pid || reap(child, WNOHANG, end))
            return true;
        now_ns = shl_clock_ns();
        if (now_ns >= until_ns)
            return false;
        nap(child, (uint32_t)((until_ns - now_ns) / 1000000) + 1);
    }
}

void shl_child_kill(struct shl_child *child, struct shl_child_end *end)
{
    if (!child->pid)
        return;
    kill((pid_t)child->pid, SIGKILL);
    reap(child, 0, end);
}

/* ---- where programs are -------------------------------------------------------------- */

shl_status shl_program_look(const char *path)
{
    struct stat about;

    if (stat(path, &about))
        return errno == ENOENT || errno == ENOTDIR ? SHL_NOT_FOUND
                                                   : SHL_NO_PERMISSION;
    if (!S_ISREG(about.st_mode))
        return SHL_BAD_NAME;
    return access(path, X_OK) ? SHL_BAD_VALUE : SHL_OK;
}

const char *shl_environment(const char *name)
{
    const char *text = getenv(name);

    return text && text[0] ? text : NULL;
}

/* Cut a path behind its last slash. */
static bool folder_of(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash)
        slash[1] = 0;
    return slash != NULL;
}

bool shl_program_folder(uint32_t n, char *path, size_t size)
{
    Dl_info about;
    ssize_t got;

    switch (n) {
    case 0:
        if (!dladdr(__extension__(void *) shl_program_folder, &about) ||
            !about.dli_fname || strlen(about.dli_fname) >= size)
            return false;
        strcpy(path, about.dli_fname);
        return folder_of(path);
    case 1:
        got = readlink("/proc/self/exe", path, size - 1);
        path[got > 0 ? got : 0] = 0;
        return got > 0 && (size_t)got < size - 1 && folder_of(path);
    default:
        return false;
    }
}

bool shl_program_search(const char *name, char *path, size_t size)
{
    const char *at = shl_environment("PATH");

    while (at && *at) {
        size_t length = strcspn(at, ":");
        int got = snprintf(path, size, "%.*s/%s", (int)length, at, name);

        if (length && got > 0 && (size_t)got < size &&
            shl_program_look(path) == SHL_OK)
            return true;
        at += length;
        at += *at == ':';
    }
    return false;
}
