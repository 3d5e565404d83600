/* The platform on Linux, fourth part: programs that we start, and where they
 * are. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif

#include "platform.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#define CHILD_FAULT 5  /* until it runs: for telling that it does not */
#define ABOVE       16 /* where descriptors are out of the way */
#define LOOK_MS     5u /* where there is no descriptor of a process */

#ifndef SYS_pidfd_open
#    define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#    define SYS_close_range 436
#endif

/* ---- in the child, between fork and exec: only calls that are safe there ----- */

static void close_from(int first)
{
    long limit;

    if (!syscall(SYS_close_range, (unsigned)first, ~0u, 0))
        return;
    limit = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < (limit > 0 && limit < 65536 ? limit : 65536);
         fd++)
        close(fd);
}

/* Move everything out of the way first: any of these may be 3, 4 or 5. */
static bool arrange(const struct shl_pipes *pipes, int fault)
{
    int news = fcntl(pipes->child[0], F_DUPFD, ABOVE);
    int bell = fcntl(pipes->child[1], F_DUPFD, ABOVE);
    int told = fcntl(fault, F_DUPFD, ABOVE);
    int null = open("/dev/null", O_RDWR);

    if (news < 0 || bell < 0 || told < 0 || null < 0)
        return false;
    if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(news, CHILD_NEWS) < 0 ||
        dup2(bell, CHILD_BELL) < 0 || dup2(told, CHILD_FAULT) < 0)
        return false;
    if (fcntl(2, F_GETFD) < 0)
        dup2(0, 2); /* nothing must take its place */
    fcntl(CHILD_FAULT, F_SETFD, FD_CLOEXEC);
    close_from(CHILD_FAULT + 1);
    return true;
}

/* What a program starts with, whatever its parent made of signals. */
static void plain_signals(void)
{
    static const int usual[] = {SIGPIPE, SIGCHLD, SIGINT,  SIGTERM,
                                SIGHUP,  SIGUSR1, SIGUSR2, SIGALRM};
    sigset_t none;

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        signal(usual[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(const char *const *words, const struct shl_pipes *pipes,
                   int fault, pid_t parent)
{
    int error;

    plain_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it has died before that counted */
        _exit(127);
    if (arrange(pipes, fault)) {
        fault = CHILD_FAULT;
        execv(words[0], (char *const *)(uintptr_t)words);
    }
    error = errno;
    (void)!write(fault, &error, sizeof error);
    _exit(127);
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

/* What the child says until it runs: nothing, or why it does not. */
static int hear_fault(int fd)
{
    int error = 0;
    ssize_t got;

    do {
        got = read(fd, &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    return got == sizeof error ? error : 0;
}

shl_status shl_child_start(const char *const *words,
                           const struct shl_pipes *pipes,
                           struct shl_child *child)
{
    struct shl_child_end end;
    pid_t self = getpid(), pid;
    int fault[2], error;

    if (pipe2(fault, O_CLOEXEC))
        return status_of(errno);
    pid = fork();
    if (pid == 0)
        become(words, pipes, fault[1], self);
    error = pid < 0 ? errno : 0;
    close(fault[1]);
    if (pid > 0)
        error = hear_fault(fault[0]);
    close(fault[0]);
    if (pid < 0)
        return status_of(error);
    child->pid = (uint32_t)pid;
    child->watch = (int)syscall(SYS_pidfd_open, pid, 0);
    if (!error)
        return SHL_OK;
    shl_child_kill(child, &end);
    return status_of(error);
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

bool shl_program_there(const char *path)
{
    struct stat about;

    return !stat(path, &about) && S_ISREG(about.st_mode) && !access(path, X_OK);
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

        if (length && got > 0 && (size_t)got < size && shl_program_there(path))
            return true;
        at += length;
        at += *at == ':';
    }
    return false;
}
