/* SPDX-License-Identifier: MIT */
/* Processes on Linux: which live, waiting for one another and waking, clocks. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif
#define _FILE_OFFSET_BITS 64

#include "core/os/platform.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- processes --------------------------------------------------------- */

/** Read a file of /proc into `text`, terminated. -1 if that fails. */
static ssize_t proc_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return -1;
    do {
        got = read(fd, text, size - 1);
    } while (got < 0 && errno == EINTR);
    text[got > 0 ? got : 0] = 0;
    close(fd);
    return got;
}

struct proc_stat {
    char state;
    uint64_t threads;
    uint64_t start_time;
};

/** What /proc says of a process; false if it says nothing. The command's name
 * may hold spaces and parentheses: what counts begins behind the last one. */
static bool proc_stat(const char *path, struct proc_stat *out)
{
    char text[1024];
    char *at;

    if (proc_read(path, text, sizeof text) <= 0)
        return false;
    at = strrchr(text, ')');
    if (!at || at[1] != ' ' || !at[2])
        return false;
    out->state = at[2];
    at += 3;
    for (int field = 4; field <= 22; field++) {
        uint64_t value = strtoull(at, &at, 10);
        if (field == 20)
            out->threads = value;
        if (field == 22)
            out->start_time = value;
    }
    return true;
}

static uint64_t proc_namespace(void)
{
    struct stat at;

    return stat("/proc/self/ns/pid", &at) ? 0 : (uint64_t)at.st_ino;
}

/** Whether /proc shows the processes of our own namespace: it may still be that of
 * the parent (unshare --pid without --mount-proc), where other processes have our
 * numbers. */
static bool proc_is_ours(void)
{
    char self[24];
    ssize_t length = readlink("/proc/self", self, sizeof self - 1);

    if (length <= 0)
        return false;
    self[length] = 0;
    return strtol(self, NULL, 10) == (long)getpid();
}

/** Whether a process counts its time as we do: in another time namespace its
 * start time reads differently. */
static bool same_time(uint32_t pid)
{
    char path[40];
    struct stat ours, its;

    if (stat("/proc/self/ns/time", &ours))
        return true; /* there is but one */
    snprintf(path, sizeof path, "/proc/%u/ns/time", (unsigned)pid);
    return !stat(path, &its) && its.st_ino == ours.st_ino;
}

struct shl_process shl_process_self(void)
{
    struct shl_process self = {.pid = (uint32_t)getpid()};
    struct proc_stat about;

    if (proc_stat("/proc/self/stat", &about))
        self.start_time = about.start_time;
    self.pid_namespace = proc_namespace();
    return self;
}

bool shl_process_alive(const struct shl_process *process)
{
    char path[32];
    struct proc_stat about;

    if (!process->pid || process->pid > INT_MAX || !process->pid_namespace ||
        process->pid_namespace != proc_namespace())
        return true;
    if (kill((pid_t)process->pid, 0) && errno == ESRCH)
        return false;
    snprintf(path, sizeof path, "/proc/%u/stat", (unsigned)process->pid);
    if (!proc_is_ours() || !proc_stat(path, &about))
        return true;
    if (process->start_time && process->start_time != about.start_time)
        return !same_time(process->pid);
    /* a process whose first thread has ended looks like a zombie, but has
     * others */
    return !(about.state == 'X' || (about.state == 'Z' && about.threads <= 1));
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/** Whether we are in a namespace other than the first of its kind, which has the
 * same number on every system. */
static bool apart(const char *path, uint64_t first)
{
    struct stat at;

    return !stat(path, &at) && (uint64_t)at.st_ino != first;
}

const char *shl_sandbox(void)
{
    char users[64];

    if (is_there("/.flatpak-info"))
        return "this program is in a Flatpak sandbox, whose shared memory is "
               "its "
               "own unless it is started with --device=shm";
    if (getenv("SNAP_NAME"))
        return "this program is in a snap, which may not share memory with "
               "others";
    if (is_there("/run/.containerenv") || is_there("/.dockerenv") ||
        getenv("container"))
        return "this program is in a container, whose shared memory is its own "
               "unless it is started with --ipc=host";
    if (proc_read("/proc/self/uid_map", users, sizeof users) > 0 &&
        !strstr(users, "4294967295"))
        return "this program is in a user namespace, where this user has "
               "another "
               "number";
    if (apart("/proc/self/ns/pid", 0xEFFFFFFCu) ||
        apart("/proc/self/ns/ipc", 0xEFFFFFFFu))
        return "this program is in a namespace of its own, which may have "
               "shared memory of its own";
    return NULL;
}

uint32_t shl_user_id(void)
{
    return (uint32_t)geteuid();
}

void shl_random_bytes(void *bytes, size_t size)
{
    uint8_t *to = bytes;

    while (size > 0) {
        ssize_t got = getrandom(to, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        to += got;
        size -= (size_t)got;
    }
    /* a kernel without it: names need to differ, not to be secret */
    for (; size > 0; size--) {
        static _Atomic uint64_t count;
        uint64_t mix = shl_clock_ns() + (uint64_t)getpid() * 2654435761u +
                       atomic_fetch_add(&count, 1) * 0x9E3779B97F4A7C15u;
        *to++ = (uint8_t)((mix * 0xD1342543DE82EF95u) >> 56);
    }
}

/* ---- waiting and waking -------------------------------------------------- */

void shl_word_wait(_Atomic uint32_t *word, uint32_t seen, uint32_t timeout_us)
{
    /* the kernel's own form, whatever the width of time_t is here */
    struct {
        long s, ns;
    } timeout = {(long)(timeout_us / 1000000u),
                 (long)(timeout_us % 1000000u) * 1000};

    if (timeout_us)
        SHL_RT_EXCEPT("the bounded wait", syscall(SYS_futex, word, FUTEX_WAIT,
                                                  seen, &timeout, NULL, 0);)
}

bool shl_word_wake(_Atomic uint32_t *word)
{
    SHL_RT_EXCEPT("the wake-up", return syscall(SYS_futex, word, FUTEX_WAKE,
                                                INT_MAX, NULL, NULL, 0) > 0;)
}

void shl_yield(void)
{
    SHL_RT_EXCEPT("the bounded wait, on one processor", sched_yield();)
}

uint32_t shl_cpu(void)
{
    SHL_RT_EXCEPT("no system call: the vDSO", int cpu = sched_getcpu();)

    return cpu < 0 ? 0 : (uint32_t)cpu + 1;
}

uint32_t shl_cpus(void)
{
    cpu_set_t may;
    int count = 0;

    if (sched_getaffinity(0, sizeof may, &may) == 0)
        count = CPU_COUNT(&may);
    return count > 0 ? (uint32_t)count : 1;
}

static _Atomic uint32_t pauses_known;

uint32_t shl_pauses_per_us(void)
{
    uint32_t answer = atomic_load_explicit(&pauses_known, memory_order_relaxed);
    uint64_t best_ns = UINT64_MAX;
    const uint32_t pauses = 2000;

    if (answer)
        return answer;
    /* the best of a few: in the others we were interrupted */
    for (int round = 0; round < 8; round++) {
        uint64_t began = shl_clock_ns();
        for (uint32_t i = 0; i < pauses; i++)
            shl_pause();
        uint64_t took = shl_clock_ns() - began;
        if (took < best_ns)
            best_ns = took;
    }
    answer = (uint32_t)((uint64_t)pauses * 1000u / (best_ns ? best_ns : 1));
    answer = answer ? answer : 1;
    atomic_store_explicit(&pauses_known, answer, memory_order_relaxed);
    return answer;
}

/* ---- for the other rooms (system.h) -------------------------------------- */

void *shl_symbol(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

int shl_command_line_has(const char *word)
{
    size_t length = strlen(word) + 1; /* with its end: a whole word */
    size_t same = 0;
    bool failed = false;
    char part[512];
    ssize_t got;
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    int found = 0;

    if (fd < 0)
        return 0;
    while (!found && (got = read(fd, part, sizeof part)) > 0) {
        for (ssize_t i = 0; i < got && !found; i++) {
            failed = failed || part[i] != word[same];
            same += failed ? 0 : 1;
            found = !failed && same == length;
            if (!part[i]) {
                same = 0;
                failed = false;
            }
        }
    }
    close(fd);
    return found;
}

uint64_t shl_clock_ns(void)
{
    struct timespec now;

    SHL_RT_EXCEPT("no system call: the vDSO",
                  clock_gettime(CLOCK_MONOTONIC, &now);)
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void shl_sleep_ms(uint32_t ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};

    while (nanosleep(&left, &left) && errno == EINTR)
        continue;
}
