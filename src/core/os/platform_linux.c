/* SPDX-License-Identifier: MIT */
/* The platform on Linux: POSIX shared memory, guarded against peers that cut
 * it, and locks of open file descriptions as leases. Processes, waiting and
 * threads are in platform_linux_process.c; no other file of the core makes a
 * system call. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif
#define _FILE_OFFSET_BITS 64 /* leases lie at 2^61, also in 32 bit builds */

#include "core/os/platform.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Where Linux shows shared memory objects as files. */
#define SHM_FOLDER "/dev/shm"

/** errno ends here. `missing` is what ENOENT means to the caller. */
static shl_status status_of(int error, shl_status missing)
{
    switch (error) {
    case 0:
        return SHL_OK;
    case ENOENT:
    case ENOTDIR:
        return missing;
    case EEXIST:
        return SHL_TAKEN;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SHL_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
        return SHL_NO_PERMISSION;
    case EMFILE:
    case ENFILE:
        return SHL_NO_DESCRIPTORS;
    case ENOMEM:
    case ENOLCK:
        return SHL_NO_MEMORY;
    case ENOSYS:
        return SHL_NO_SHM;
    case ELOOP: /* a link or a folder where an object should be */
    case EISDIR:
    case EINVAL:
    case ENXIO:
        return SHL_FOREIGN;
    default:
        return SHL_SYSTEM;
    }
}

/* ---- the SIGBUS guard -------------------------------------------------- */

/* A peer may cut an object short while we use it; touching a page behind its
 * end raises SIGBUS. The handler puts zero pages there and raises the flag. */

#define GUARDS        256 /* of one part of the table */
#define GUARD_FREE    ((uintptr_t)0)
#define GUARD_PENDING ((uintptr_t)1)

/* `base` is stored last (release) and loaded first (acquire): the size belongs
 * to it. Entries stay for good, so a flag may be read after its map is closed;
 * `bad` is the first of an entry. The table grows by parts, each stored
 * (release) when it is whole, for the handler to load (acquire). */
struct guard {
    atomic_bool bad;
    _Atomic uintptr_t base;
    _Atomic size_t size;
};

struct guard_part {
    struct guard guards[GUARDS];
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
        struct guard *g = &part->guards[i];
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
static struct guard *guard_find(struct guard_part *part)
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

/** An entry of the table, or NULL when there is no memory for more. */
static struct guard *guard_open(void)
{
    struct guard_part *part = &guard_first;
    struct guard *found;

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

static void guard_close(struct guard *g)
{
    pthread_mutex_lock(&guard_mutex);
    atomic_store_explicit(&g->base, GUARD_FREE, memory_order_relaxed);
    if (--guards_used == 0)
        guard_remove();
    pthread_mutex_unlock(&guard_mutex);
}

/** The entry of a mapping, which always has one. */
static struct guard *guard_of(const struct shl_map *map)
{
    static_assert(offsetof(struct guard, bad) == 0, "the first of an entry");

    return (struct guard *)(uintptr_t)map->bad; /* a cast cannot shed _Atomic */
}

/* ---- shared memory objects -------------------------------------------- */

/* Mode bits that an object must not have: ours are 0600; those of others may
 * be read by everybody, and executed for all we care. */
#define PRIVATE  0177
#define READABLE 0022

/** shm_open that stays off the standard descriptors: a program that closed
 * them must not print into shared memory. -1 and errno on failure. */
static int object_open(const char *name, int flags)
{
    int fd = shm_open(name, flags | O_CLOEXEC | O_NONBLOCK, 0600);

    if (fd >= 0 && fd <= 2) {
        int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        int saved = errno;
        close(fd);
        errno = saved;
        fd = high;
    }
    return fd;
}

/** Whether an open object is one of ours: of this user, and with no mode bit of
 * `never`; *size gets its size. */
static shl_status object_look(int fd, mode_t never, uint64_t *size)
{
    struct stat at;

    if (fstat(fd, &at))
        return status_of(errno, SHL_SYSTEM);
    if (!S_ISREG(at.st_mode) || at.st_uid != geteuid() ||
        (at.st_mode & 0600) != 0600 || at.st_mode & never)
        return SHL_FOREIGN;
    if (at.st_nlink == 0)
        return SHL_NOT_FOUND; /* removed between opening and looking */
    *size = (uint64_t)at.st_size;
    return SHL_OK;
}

static shl_status object_check(int fd, uint64_t *size)
{
    return object_look(fd, PRIVATE, size);
}

static shl_status object_size(int fd, size_t size)
{
    const int shield = shl_limit_shield();
    int result;

    do {
        result = ftruncate(fd, (off_t)size);
    } while (result && errno == EINTR);
    shl_limit_unshield(shield);
    return result ? status_of(errno, SHL_SYSTEM) : SHL_OK;
}

static shl_status object_map(struct shl_map *map, int protection)
{
    struct guard *g = guard_open();
    void *base;

    if (!g)
        return SHL_NO_MEMORY;
    base = mmap(NULL, map->size, protection, MAP_SHARED, map->fd, 0);
    if (base == MAP_FAILED) {
        shl_status status = status_of(errno, SHL_SYSTEM);
        guard_close(g);
        return status;
    }
    atomic_store_explicit(&g->size, map->size, memory_order_release);
    atomic_store_explicit(&g->base, (uintptr_t)base, memory_order_release);
    map->base = base;
    map->bad = &g->bad;
    return SHL_OK;
}

/** Create exclusively. The mode is set by hand: the user's mask may have taken
 * away what the check of the others asks for. */
static shl_status object_create(const char *name, int *fd)
{
    int created = object_open(name, O_RDWR | O_CREAT | O_EXCL);

    if (created < 0)
        return status_of(errno, SHL_NO_SHM);
    if (fchmod(created, 0600)) {
        shl_status status = status_of(errno, SHL_SYSTEM);
        shm_unlink(name);
        close(created);
        return status;
    }
    *fd = created;
    return SHL_OK;
}

/** The same, held before it has its name. SHL_SYSTEM: not possible here. */
static shl_status object_create_held(const char *name, uint64_t lease, int *fd)
{
    char path[sizeof SHM_FOLDER + NAME_MAX + 1], self[32];
    struct shl_map made = SHL_MAP_NONE;
    shl_status status;

    if (snprintf(path, sizeof path, SHM_FOLDER "%s", name) >= (int)sizeof path)
        return SHL_BAD_NAME;
    made.fd = open(SHM_FOLDER, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (made.fd < 0)
        return SHL_SYSTEM;
    snprintf(self, sizeof self, "/proc/self/fd/%d", made.fd);
    status =
        made.fd <= 2 || fchmod(made.fd, 0600) || shl_lease_take(&made, lease)
            ? SHL_SYSTEM
            : SHL_OK;
    if (!status && linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW))
        status = errno == EEXIST ? SHL_TAKEN : SHL_SYSTEM;
    if (status)
        close(made.fd);
    else
        *fd = made.fd;
    return status;
}

/** Give a new object its size, and map it; or none. */
static shl_status object_begin(const char *name, size_t size,
                               struct shl_map *map)
{
    struct shl_map made = *map;
    shl_status status;

    made.size = size;
    status = object_size(made.fd, size);
    if (!status)
        status = object_map(&made, PROT_READ | PROT_WRITE);
    if (status) {
        shm_unlink(name);
        close(made.fd);
        return status;
    }
    *map = made;
    return SHL_OK;
}

shl_status shl_map_create(const char *name, size_t size, struct shl_map *map)
{
    struct shl_map made = SHL_MAP_NONE;
    shl_status status = object_create(name, &made.fd);

    if (!status)
        status = object_begin(name, size, &made);
    if (!status)
        *map = made;
    return status;
}

shl_status shl_map_create_held(const char *name, size_t size, uint64_t lease,
                               struct shl_map *map)
{
    struct shl_map made = SHL_MAP_NONE;
    shl_status status = object_create_held(name, lease, &made.fd);

    if (status == SHL_SYSTEM) { /* without /proc, for one */
        status = object_create(name, &made.fd);
        if (!status)
            status = shl_lease_take(&made, lease);
    }
    if (!status)
        status = object_begin(name, size, &made);
    if (!status)
        *map = made;
    return status;
}

/** A description of an existing object, checked; not mapped. `access` is
 * O_RDWR or O_RDONLY, `never` the mode bits that it must not have. */
static shl_status object_find(const char *name, int access, mode_t never,
                              struct shl_map *map)
{
    struct shl_map found = SHL_MAP_NONE;
    uint64_t size = 0;
    shl_status status;

    found.fd = object_open(name, access);
    if (found.fd < 0)
        return status_of(errno, SHL_NOT_FOUND);
    status = object_look(found.fd, never, &size);
    if (!status && size > SIZE_MAX / 2)
        status = SHL_FOREIGN;
    if (status) {
        close(found.fd);
        return status;
    }
    found.size = (size_t)size;
    *map = found;
    return SHL_OK;
}

shl_status shl_map_ask(const char *name, struct shl_map *map)
{
    return object_find(name, O_RDWR, PRIVATE, map);
}

static shl_status open_as(const char *name, size_t least, int access,
                          mode_t never, struct shl_map *map)
{
    int protection = access == O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ;
    struct shl_map opened;
    shl_status status = object_find(name, access, never, &opened);

    if (status)
        return status;
    if (opened.size == 0)
        status = SHL_AGAIN; /* created a moment ago */
    else if (opened.size < least)
        status = SHL_CUT;
    else
        status = object_map(&opened, protection);
    if (status) {
        close(opened.fd);
        return status;
    }
    *map = opened;
    return SHL_OK;
}

shl_status shl_map_open(const char *name, size_t least, struct shl_map *map)
{
    return open_as(name, least, O_RDWR, PRIVATE, map);
}

shl_status shl_map_view(const char *name, size_t least, struct shl_map *map)
{
    return open_as(name, least, O_RDONLY, PRIVATE, map);
}

shl_status shl_map_join(const char *name, size_t least, struct shl_map *map)
{
    return open_as(name, least, O_RDWR, READABLE, map);
}

/** Give a shared object its size, if it has none yet or was cut short: new
 * bytes are zero. Callers at the same time do the same. */
static shl_status share_prepare(struct shl_map *map, size_t size)
{
    uint64_t now = 0;
    shl_status status = object_check(map->fd, &now);

    if (!status && now > size)
        status = SHL_FOREIGN;
    if (!status && now < size)
        status = object_size(map->fd, size);
    map->size = size;
    if (!status)
        status = shl_map_reserve(map, 0, size);
    if (!status)
        status = object_map(map, PROT_READ | PROT_WRITE);
    return status;
}

shl_status shl_map_share(const char *name, size_t size, struct shl_map *map)
{
    shl_status status = SHL_SYSTEM;

    for (int tries = 0; tries < 100; tries++) {
        struct shl_map shared = SHL_MAP_NONE;
        bool created = false;

        shared.fd = object_open(name, O_RDWR);
        if (shared.fd < 0 && errno != ENOENT)
            return status_of(errno, SHL_NO_SHM);
        if (shared.fd < 0) {
            status = object_create(name, &shared.fd);
            if (status == SHL_TAKEN)
                continue; /* somebody else was faster */
            if (status)
                return status;
            created = true;
        }
        status = share_prepare(&shared, size);
        if (!status) {
            *map = shared;
            return SHL_OK;
        }
        if (created)
            shm_unlink(name);
        close(shared.fd);
        if (status != SHL_NOT_FOUND) /* removed while we looked */
            return status;
    }
    return status;
}

shl_status shl_map_peek(const struct shl_map *map, size_t offset, void *bytes,
                        size_t size)
{
    uint8_t *to = bytes;

    while (size > 0) {
        ssize_t got = pread(map->fd, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return status_of(errno, SHL_SYSTEM);
        if (got == 0)
            return SHL_CUT;
        to += got;
        offset += (size_t)got;
        size -= (size_t)got;
    }
    return SHL_OK;
}

/** By path: no descriptor is needed, so running out of them does not look like a
 * removed object. */
static shl_status name_stat(const char *name, struct stat *at)
{
    char path[sizeof SHM_FOLDER + NAME_MAX + 1];

    if (snprintf(path, sizeof path, SHM_FOLDER "%s", name) >= (int)sizeof path)
        return SHL_BAD_NAME;
    return lstat(path, at) ? status_of(errno, SHL_NOT_FOUND) : SHL_OK;
}

shl_status shl_map_owner(const char *name, uint32_t *owner)
{
    struct stat at;
    shl_status status = name_stat(name, &at);

    if (!status)
        *owner = (uint32_t)at.st_uid;
    return status;
}

void shl_map_foreign(const char *name, char *text, size_t size)
{
    struct stat at;

    if (name_stat(name, &at))
        snprintf(text, size,
                 "no permission to use " SHM_FOLDER "%s: let user %u read "
                 "and write that folder",
                 name, (unsigned)geteuid());
    else if (at.st_uid != geteuid())
        snprintf(text, size, SHM_FOLDER "%s belongs to user %u, not to user %u",
                 name, (unsigned)at.st_uid, (unsigned)geteuid());
    else if (!S_ISREG(at.st_mode))
        snprintf(text, size, SHM_FOLDER "%s is no regular file: remove it",
                 name);
    else if ((at.st_mode & 07777) != 0600)
        snprintf(text, size,
                 SHM_FOLDER
                 "%s has mode %04o, not 0600: type chmod 600 " SHM_FOLDER "%s",
                 name, (unsigned)at.st_mode & 07777, name);
    else
        snprintf(text, size,
                 SHM_FOLDER "%s has %llu bytes, which fits no "
                            "version: remove it",
                 name, (unsigned long long)at.st_size);
}

bool shl_map_current(const struct shl_map *map, const char *name)
{
    struct stat here, there;

    return !fstat(map->fd, &here) && !name_stat(name, &there) &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/** Descriptors `a` and `b` change numbers. */
static shl_status exchange_numbers(int a, int b)
{
    int kept = fcntl(a, F_DUPFD_CLOEXEC, 3);
    shl_status status = SHL_OK;

    if (kept < 0)
        return status_of(errno, SHL_SYSTEM);
    if (dup3(b, a, O_CLOEXEC) < 0 || dup3(kept, b, O_CLOEXEC) < 0)
        status = status_of(errno, SHL_SYSTEM);
    close(kept);
    return status;
}

/** Put what the descriptor leads to in the place of what is mapped. */
static bool map_over(const struct shl_map *map)
{
    return mmap(map->base, map->size, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_FIXED, map->fd, 0) != MAP_FAILED;
}

shl_status shl_map_exchange(struct shl_map *a, struct shl_map *b)
{
    shl_status status;

    if (!a->base || !b->base || a->size != b->size)
        return SHL_BAD_VALUE;
    status = exchange_numbers(a->fd, b->fd);
    if (status)
        return status;
    /* first the one that nobody uses: if the system refuses, nothing is lost */
    if (map_over(b) && map_over(a))
        return SHL_OK;
    exchange_numbers(a->fd, b->fd);
    map_over(b);
    return SHL_NO_MEMORY;
}

shl_status shl_map_reserve(struct shl_map *map, size_t offset, size_t size)
{
    int error, shield;

    if (offset > map->size || size > map->size - offset)
        return SHL_BAD_VALUE;
    if (size == 0)
        return SHL_OK;
    shield = shl_limit_shield();
    do {
        error = posix_fallocate(map->fd, (off_t)offset, (off_t)size);
    } while (error == EINTR);
    shl_limit_unshield(shield);
    return status_of(error, SHL_SYSTEM);
}

/* The peer may already work on these pages: or-ing 0 changes nothing, and the
 * thread sanitizer is told not to wonder. */
__attribute__((no_sanitize("thread"))) void
shl_map_touch(const struct shl_map *map, size_t offset, size_t size)
{
    const size_t step = 4096; /* no page is smaller */

    if (offset > map->size || size > map->size - offset)
        return;
    for (size_t at = offset & ~(step - 1); at < offset + size; at += step)
        __atomic_fetch_or((uint32_t *)(void *)(map->base + at), 0,
                          __ATOMIC_RELAXED);
}

void shl_map_close(struct shl_map *map)
{
    if (map->fd > 2) {
        struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

        /* by hand: a forked child may keep the description open */
        fcntl(map->fd, F_OFD_SETLK, &all);
        if (map->base) {
            struct guard *g = guard_of(map);

            atomic_store_explicit(&g->base, GUARD_PENDING,
                                  memory_order_release);
            munmap(map->base, map->size);
            guard_close(g);
        }
        close(map->fd);
    }
    *map = (struct shl_map)SHL_MAP_NONE;
}

shl_status shl_map_unlink(const char *name)
{
    return shm_unlink(name) ? status_of(errno, SHL_NOT_FOUND) : SHL_OK;
}

shl_status shl_map_each(const char *prefix,
                        void (*job)(const char *name, uint64_t age_s,
                                    void *arg),
                        void *arg)
{
    DIR *folder = opendir(SHM_FOLDER);
    struct dirent *entry;

    if (!folder)
        return status_of(errno, SHL_NO_SHM);
    while ((entry = readdir(folder)) != NULL) {
        char name[NAME_MAX + 2];
        struct stat at;
        time_t now = time(NULL);

        snprintf(name, sizeof name, "/%.*s", NAME_MAX, entry->d_name);
        if (strncmp(name, prefix, strlen(prefix)) != 0 ||
            fstatat(dirfd(folder), entry->d_name, &at, AT_SYMLINK_NOFOLLOW) ||
            !S_ISREG(at.st_mode) || at.st_uid != geteuid())
            continue;
        job(name, now > at.st_ctime ? (uint64_t)(now - at.st_ctime) : 0, arg);
    }
    closedir(folder);
    return SHL_OK;
}

/* ---- leases ------------------------------------------------------------ */

static int lease_call(int fd, int command, short type, uint64_t byte,
                      struct flock *lock)
{
    int result;

    memset(lock, 0, sizeof *lock);
    lock->l_type = type;
    lock->l_whence = SEEK_SET;
    lock->l_start = (off_t)byte;
    lock->l_len = 1;
    do {
        result = fcntl(fd, command, lock);
    } while (result && errno == EINTR);
    return result;
}

shl_status shl_lease_take(struct shl_map *map, uint64_t byte)
{
    struct flock lock;

    /* a cleaner may hold it for a moment */
    for (int tries = 0; tries < 4; tries++) {
        if (!lease_call(map->fd, F_OFD_SETLK, F_WRLCK, byte, &lock))
            return SHL_OK;
        if (errno != EAGAIN && errno != EACCES)
            return status_of(errno, SHL_SYSTEM);
        sched_yield();
    }
    return SHL_BUSY;
}

void shl_lease_drop(struct shl_map *map, uint64_t byte)
{
    struct flock lock;

    lease_call(map->fd, F_OFD_SETLK, F_UNLCK, byte, &lock);
}

bool shl_lease_held(const struct shl_map *map, uint64_t byte)
{
    struct flock lock;

    /* if the system does not say, nobody shall be taken for dead */
    return lease_call(map->fd, F_OFD_GETLK, F_WRLCK, byte, &lock) ||
           lock.l_type != F_UNLCK;
}
