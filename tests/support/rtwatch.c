/* SPDX-License-Identifier: MIT */
/* Preloaded into a program under test: between shl_rt_mark(1) and
 * shl_rt_mark(0) a thread must not allocate, lock or ask the system for
 * anything but futexes. What it does all the same is named, and ends the
 * program.
 *
 *   SHL_RTWATCH=count          only count, name the first few
 *   SHL_RTWATCH_REPORT=file    add one line with the figures at exit
 *   SHL_RTWATCH_PIPES=1        a write of one byte, a read, and poll are the
 *                              wake-up here: allowed, and counted
 *
 * sched_yield and reading a clock are allowed and therefore absent here. System
 * calls that libc makes inside itself pass unseen, but only through the
 * wrappers below does a program get there; a run under a system call tracer
 * confirms it. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* glibc's own names: using them keeps dlsym, which allocates, out of malloc. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *memory);

EXPORT void shl_rt_mark(int inside);
EXPORT void shl_rt_rest_mark(int resting);

static _Thread_local int depth, rest;
static atomic_ullong sections, violations, futexes, bytes;
static int only_count, pipes;

/* The next definition of a wrapped function; looked up at the first call, since
 * libraries may call us before our constructor has run. A macro because each
 * has its own type. */
#define NEXT(name)                                                             \
    static __typeof__(name) *next;                                             \
    if (!next) {                                                               \
        void *found = dlsym(RTLD_NEXT, #name);                                 \
        memcpy(&next, &found, sizeof next);                                    \
    }

static long raw(long number, long a, long b, long c)
{
    NEXT(syscall)
    return next(number, a, b, c);
}

static void say(const char *text)
{
    raw(SYS_write, 2, (long)text, (long)strlen(text));
}

/* Called with what the thread is about to do. */
static void saw(const char *what)
{
    if (depth <= 0 || rest)
        return;
    unsigned long long before =
        atomic_fetch_add_explicit(&violations, 1, memory_order_relaxed);
    if (!only_count || before < 10) {
        say("rtwatch: ");
        say(what);
        say(" in the audio path\n");
    }
    if (!only_count) {
        depth = 0; /* abort's own handlers may do as they like */
        abort();
    }
}

void shl_rt_mark(int inside)
{
    if (inside) {
        depth++;
        atomic_fetch_add_explicit(&sections, 1, memory_order_relaxed);
    } else if (--depth < 0) {
        say("rtwatch: a thread left the audio path that it had not entered\n");
        abort();
    }
}

void shl_rt_rest_mark(int resting)
{
    rest = resting;
}

__attribute__((constructor)) static void begin(void)
{
    const char *mode = getenv("SHL_RTWATCH");
    only_count = mode && !strcmp(mode, "count");
    pipes = getenv("SHL_RTWATCH_PIPES") != NULL;
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("SHL_RTWATCH_REPORT");
    if (!path || !atomic_load(&sections))
        return;
    FILE *file = fopen(path, "a");
    if (!file)
        return;
    fprintf(file, "rtwatch: %s marked %llu violations %llu futex %llu",
            program_invocation_short_name, atomic_load(&sections),
            atomic_load(&violations), atomic_load(&futexes));
    if (pipes)
        fprintf(file, " bytes %llu", atomic_load(&bytes));
    fprintf(file, "\n");
    fclose(file);
}

/* ---- memory --------------------------------------------------------------- */

EXPORT void *malloc(size_t size)
{
    saw("malloc");
    return __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    saw("calloc");
    return __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
    saw("realloc");
    return __libc_realloc(old, size);
}

EXPORT void free(void *memory)
{
    if (memory)
        saw("free");
    __libc_free(memory);
}

EXPORT int posix_memalign(void **memory, size_t align, size_t size)
{
    saw("posix_memalign");
    void *got = __libc_memalign(align, size);
    if (!got)
        return ENOMEM;
    *memory = got;
    return 0;
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
    saw("aligned_alloc");
    return __libc_memalign(align, size);
}

EXPORT void *memalign(size_t align, size_t size);
void *memalign(size_t align, size_t size)
{
    saw("memalign");
    return __libc_memalign(align, size);
}

/* ---- everything else is passed on -------------------------------------------- */

#define PASS(type, name, parameters, arguments)                                \
    EXPORT type name parameters                                                \
    {                                                                          \
        saw(#name);                                                            \
        NEXT(name)                                                             \
        return next arguments;                                                 \
    }

/* clang-format off: one line each reads better */
PASS(int, pthread_mutex_lock, (pthread_mutex_t * m), (m))
PASS(int, pthread_mutex_trylock, (pthread_mutex_t * m), (m))
PASS(int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
PASS(int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
PASS(int, pthread_spin_lock, (pthread_spinlock_t * l), (l))
PASS(int, pthread_barrier_wait, (pthread_barrier_t * b), (b))
PASS(int, pthread_join, (pthread_t t, void **r), (t, r))
PASS(int, pthread_create,
     (pthread_t * t, const pthread_attr_t *a, void *(*f)(void *), void *x),
     (t, a, f, x))
PASS(int, sem_wait, (sem_t * s), (s))
PASS(int, sem_post, (sem_t * s), (s))
PASS(int, sem_timedwait, (sem_t * s, const struct timespec *t), (s, t))
PASS(ssize_t, pread, (int f, void *b, size_t n, off_t o), (f, b, n, o))
PASS(ssize_t, pwrite, (int f, const void *b, size_t n, off_t o), (f, b, n, o))
PASS(ssize_t, readv, (int f, const struct iovec *v, int n), (f, v, n))
PASS(ssize_t, writev, (int f, const struct iovec *v, int n), (f, v, n))
PASS(off_t, lseek, (int f, off_t o, int w), (f, o, w))
PASS(int, close, (int f), (f))
PASS(void *, mmap, (void *a, size_t n, int p, int g, int f, off_t o),
     (a, n, p, g, f, o))
PASS(int, munmap, (void *a, size_t n), (a, n))
PASS(int, mprotect, (void *a, size_t n, int p), (a, n, p))
PASS(int, madvise, (void *a, size_t n, int p), (a, n, p))
PASS(int, msync, (void *a, size_t n, int p), (a, n, p))
PASS(int, ftruncate, (int f, off_t n), (f, n))
PASS(int, posix_fallocate, (int f, off_t o, off_t n), (f, o, n))
PASS(int, select, (int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *t),
     (n, r, w, e, t))
PASS(int, nanosleep, (const struct timespec *t, struct timespec *r), (t, r))
PASS(int, clock_nanosleep,
     (clockid_t c, int g, const struct timespec *t, struct timespec *r),
     (c, g, t, r))
PASS(int, usleep, (useconds_t t), (t))
PASS(unsigned, sleep, (unsigned t), (t))
PASS(ssize_t, send, (int f, const void *b, size_t n, int g), (f, b, n, g))
PASS(ssize_t, recv, (int f, void *b, size_t n, int g), (f, b, n, g))
PASS(ssize_t, sendmsg, (int f, const struct msghdr *m, int g), (f, m, g))
PASS(ssize_t, recvmsg, (int f, struct msghdr *m, int g), (f, m, g))
PASS(int, kill, (pid_t p, int s), (p, s))
PASS(int, sigaction,
     (int s, const struct sigaction *restrict a, struct sigaction *restrict o),
     (s, a, o))
PASS(int, pthread_sigmask,
     (int h, const sigset_t *restrict s, sigset_t *restrict o), (h, s, o))
PASS(pid_t, waitpid, (pid_t p, int *s, int o), (p, s, o))
PASS(pid_t, fork, (void), ())
PASS(pid_t, getpid, (void), ())
PASS(uid_t, getuid, (void), ())
PASS(int, shm_open, (const char *n, int g, mode_t m), (n, g, m))
PASS(int, shm_unlink, (const char *n), (n))
PASS(int, unlink, (const char *n), (n))
PASS(int, stat, (const char *restrict n, struct stat *restrict s), (n, s))
PASS(int, fstat, (int f, struct stat *s), (f, s))
PASS(int, access, (const char *n, int m), (n, m))
PASS(FILE *, fopen, (const char *restrict n, const char *restrict m), (n, m))
PASS(int, fflush, (FILE * f), (f))
PASS(int, fputs, (const char *restrict t, FILE *restrict f), (t, f))
PASS(int, puts, (const char *t), (t))
PASS(int, vfprintf, (FILE *restrict f, const char *restrict t, va_list a),
     (f, t, a))
PASS(int, sched_setscheduler, (pid_t p, int o, const struct sched_param *a),
     (p, o, a))
/* clang-format on */

/* ---- the wake-up by pipes ----------------------------------------------------- */

static void saw_unless_pipe(const char *what, size_t size)
{
    if (!pipes || size != 1)
        saw(what);
    else if (depth > 0)
        atomic_fetch_add_explicit(&bytes, 1, memory_order_relaxed);
}

EXPORT ssize_t read(int file, void *to, size_t size)
{
    saw_unless_pipe("read", 1); /* all that have come are taken at once */
    NEXT(read)
    return next(file, to, size);
}

EXPORT ssize_t write(int file, const void *from, size_t size)
{
    saw_unless_pipe("write", size);
    NEXT(write)
    return next(file, from, size);
}

EXPORT int poll(struct pollfd *list, nfds_t count, int timeout_ms)
{
    if (!pipes)
        saw("poll");
    NEXT(poll)
    return next(list, count, timeout_ms);
}

EXPORT int ppoll(struct pollfd *list, nfds_t count,
                 const struct timespec *timeout, const sigset_t *mask)
{
    if (!pipes)
        saw("ppoll");
    NEXT(ppoll)
    return next(list, count, timeout, mask);
}

/* Two versions of these live in glibc; a plain look-up may find the old one. */
#define NEXT_OF(name, version)                                                 \
    static __typeof__(name) *next;                                             \
    if (!next) {                                                               \
        void *found = dlvsym(RTLD_NEXT, #name, version);                       \
        if (!found)                                                            \
            found = dlsym(RTLD_NEXT, #name);                                   \
        memcpy(&next, &found, sizeof next);                                    \
    }

EXPORT int pthread_cond_wait(pthread_cond_t *restrict c,
                             pthread_mutex_t *restrict m)
{
    saw("pthread_cond_wait");
    NEXT_OF(pthread_cond_wait, "GLIBC_2.3.2")
    return next(c, m);
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *restrict c,
                                  pthread_mutex_t *restrict m,
                                  const struct timespec *restrict t)
{
    saw("pthread_cond_timedwait");
    NEXT_OF(pthread_cond_timedwait, "GLIBC_2.3.2")
    return next(c, m, t);
}

EXPORT int pthread_cond_signal(pthread_cond_t *c)
{
    saw("pthread_cond_signal");
    NEXT_OF(pthread_cond_signal, "GLIBC_2.3.2")
    return next(c);
}

EXPORT int pthread_cond_broadcast(pthread_cond_t *c)
{
    saw("pthread_cond_broadcast");
    NEXT_OF(pthread_cond_broadcast, "GLIBC_2.3.2")
    return next(c);
}

/* ---- those with a variable number of arguments ----------------------------- */

/* One argument more is always fetched; those that are not there are not looked
 * at by the callee either. */
#define PASS_MODE(name, first_type)                                            \
    EXPORT int name(first_type where, int flags, ...)                          \
    {                                                                          \
        va_list list;                                                          \
        va_start(list, flags);                                                 \
        mode_t mode = va_arg(list, mode_t);                                    \
        va_end(list);                                                          \
        saw(#name);                                                            \
        NEXT(name)                                                             \
        return next(where, flags, mode);                                       \
    }

PASS_MODE(open, const char *)
PASS_MODE(open64, const char *)

#define PASS_AT(name)                                                          \
    EXPORT int name(int folder, const char *path, int flags, ...)              \
    {                                                                          \
        va_list list;                                                          \
        va_start(list, flags);                                                 \
        mode_t mode = va_arg(list, mode_t);                                    \
        va_end(list);                                                          \
        saw(#name);                                                            \
        NEXT(name)                                                             \
        return next(folder, path, flags, mode);                                \
    }

PASS_AT(openat)
PASS_AT(openat64)

#define PASS_POINTER(name, request_type)                                       \
    EXPORT int name(int file, request_type request, ...)                       \
    {                                                                          \
        va_list list;                                                          \
        va_start(list, request);                                               \
        void *argument = va_arg(list, void *);                                 \
        va_end(list);                                                          \
        saw(#name);                                                            \
        NEXT(name)                                                             \
        return next(file, request, argument);                                  \
    }

PASS_POINTER(fcntl, int)
PASS_POINTER(fcntl64, int)
PASS_POINTER(ioctl, unsigned long)

EXPORT int printf(const char *restrict format, ...)
{
    saw("printf");
    va_list list;
    va_start(list, format);
    int written = vfprintf(stdout, format, list);
    va_end(list);
    return written;
}

EXPORT int fprintf(FILE *restrict file, const char *restrict format, ...)
{
    saw("fprintf");
    va_list list;
    va_start(list, format);
    int written = vfprintf(file, format, list);
    va_end(list);
    return written;
}

EXPORT long syscall(long number, ...)
{
    va_list list;
    long a[6];
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number != SYS_futex)
        saw("syscall()");
    else if (depth > 0)
        atomic_fetch_add_explicit(&futexes, 1, memory_order_relaxed);
    NEXT(syscall)
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
