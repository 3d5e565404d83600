/* SPDX-License-Identifier: MIT */
/* The SIGBUS guard. A peer may cut an object short while we use it; touching a page
 * behind its end raises SIGBUS. The handler puts zero pages there and raises the
 * flag. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif
#include "core/os/platform_linux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GUARDS 256 /* of one part of the table */

/* The table grows by parts, each stored (release) when it is whole, for the handler
 * to load (acquire). */
struct guard_part {
    struct shl_guard guards[GUARDS];
    _Atomic(struct guard_part *) next;
};

static struct guard_part guard_first;

static pthread_mutex_t guard_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned guards_used;
static struct sigaction guard_previous; /* under ours */
static struct sigaction guard_older;    /* under ours before that */
static _Atomic pid_t guard_forwarder;   /* the thread that is handing on */
static _Atomic int guard_depth;         /* how often, one within the other */
static uintptr_t guard_page_mask;

static struct guard_part *guard_next(struct guard_part *part)
{
    return atomic_load_explicit(&part->next, memory_order_acquire);
}

/** As guard_mend, for one part of the table. Signal handler. */
static bool guard_mend_part(struct guard_part *part, uintptr_t fault)
{
    for (unsigned i = 0; i < GUARDS; i++) {
        struct shl_guard *g = &part->guards[i];
        uintptr_t base = atomic_load_explicit(&g->base, memory_order_acquire);
        size_t size = atomic_load_explicit(&g->size, memory_order_acquire);

        if (base <= GUARD_PENDING || fault < base || fault - base >= size)
            continue;
        uintptr_t page = fault & guard_page_mask;
        atomic_store_explicit(&g->bad, true, memory_order_release);
        return mmap((void *)page, base + size - page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                    0) != MAP_FAILED;
    }
    return false;
}

/** True if the fault was in a mapping of ours and has been mended. Signal
 * handler. */
static bool guard_mend(uintptr_t fault)
{
    struct guard_part *part = &guard_first;

    while (part && !guard_mend_part(part, fault))
        part = guard_next(part);
    return part != NULL;
}

/** Do what another handler would have done. Signal handler. */
static void guard_obey(const struct sigaction *other, int number,
                       siginfo_t *info, void *context)
{
    bool fault = info->si_code > 0; /* else somebody's kill() */

    if (other->sa_flags & SA_SIGINFO) {
        other->sa_sigaction(number, info, context);
    } else if (other->sa_handler == SIG_IGN && !fault) {
        return;
    } else if (other->sa_handler != SIG_DFL && other->sa_handler != SIG_IGN) {
        other->sa_handler(number);
    } else {
        struct sigaction plain;
        memset(&plain, 0, sizeof plain);
        plain.sa_handler = SIG_DFL;
        sigaction(number, &plain, NULL);
        if (!fault) /* a fault comes again by itself */
            raise(number);
    }
}

/** Not ours. The handler under ours may be one that had been put over it and
 * leads back to it: then the one under both is meant. Signal handler. */
static void guard_forward(int number, siginfo_t *info, void *context)
{
    static const struct sigaction plain; /* SIG_DFL */
    pid_t self = (pid_t)syscall(SYS_gettid), nobody = 0;
    bool again = atomic_load(&guard_forwarder) == self;
    bool first = !again && atomic_compare_exchange_strong(&guard_forwarder,
                                                          &nobody, self);
    int depth = again ? atomic_fetch_add(&guard_depth, 1) + 1 : 0;

    guard_obey(depth == 0   ? &guard_previous
               : depth == 1 ? &guard_older
                            : &plain,
               number, info, context);
    if (again)
        atomic_fetch_sub(&guard_depth, 1);
    if (first)
        atomic_store(&guard_forwarder, 0);
}

static void guard_signal(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    /* other codes (alignment) would only come again */
    bool ours = info->si_code == BUS_ADRERR || info->si_code == BUS_MCEERR_AR;

    if (!ours || !guard_mend((uintptr_t)info->si_addr))
        guard_forward(number, info, context);
    errno = saved;
}

static bool guard_on_top(void)
{
    struct sigaction now;

    return !sigaction(SIGBUS, NULL, &now) && (now.sa_flags & SA_SIGINFO) &&
           now.sa_sigaction == guard_signal;
}

/** Under the mutex, with every mapping: since the last one another handler may
 * have taken the place of ours, whether it leads to ours or not. */
static void guard_install(void)
{
    struct sigaction ours, now;

    if (guard_on_top() || sigaction(SIGBUS, NULL, &now))
        return;
    if (now.sa_sigaction != guard_previous.sa_sigaction)
        guard_older = guard_previous;
    guard_previous = now;
    guard_page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = guard_signal;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    ours.sa_mask = now.sa_mask;
    sigaction(SIGBUS, &ours, NULL);
}

/** Under the mutex. From under another handler ours cannot be taken out; with
 * an empty table it only hands on. */
static void guard_remove(void)
{
    if (guard_on_top())
        sigaction(SIGBUS, &guard_previous, NULL);
}

/** Under the mutex. */
static struct shl_guard *guard_find(struct guard_part *part)
{
    for (unsigned i = 0; i < GUARDS; i++)
        if (atomic_load_explicit(&part->guards[i].base, memory_order_relaxed) ==
            GUARD_FREE)
            return &part->guards[i];
    return NULL;
}

/** One more part behind this one, which stays for good. Under the mutex. */
static struct guard_part *guard_grow(struct guard_part *last)
{
    struct guard_part *part = calloc(1, sizeof *part);

    if (part)
        atomic_store_explicit(&last->next, part, memory_order_release);
    return part;
}

struct shl_guard *shl_guard_open(void)
{
    struct guard_part *part = &guard_first;
    struct shl_guard *found;

    pthread_mutex_lock(&guard_mutex);
    while (!(found = guard_find(part))) {
        struct guard_part *next = guard_next(part);
        part = next ? next : guard_grow(part);
        if (!part)
            break;
    }
    if (found) {
        atomic_store_explicit(&found->base, GUARD_PENDING,
                              memory_order_relaxed);
        atomic_store_explicit(&found->bad, false, memory_order_relaxed);
        guards_used++;
        guard_install();
    }
    pthread_mutex_unlock(&guard_mutex);
    return found;
}

void shl_guard_close(struct shl_guard *g)
{
    pthread_mutex_lock(&guard_mutex);
    atomic_store_explicit(&g->base, GUARD_FREE, memory_order_relaxed);
    if (--guards_used == 0)
        guard_remove();
    pthread_mutex_unlock(&guard_mutex);
}
