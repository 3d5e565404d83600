/* SPDX-License-Identifier: MIT */
/* What the core asks of the system, and nothing more; one file per system
 * keeps it (platform_linux.c). Errors come back as shl_status, errno does not
 * leave that file. What other rooms may ask is in system.h. */
#ifndef SHL_PLATFORM_H
#define SHL_PLATFORM_H

#include "shmlink/realtime.h"
#include "shmlink/status.h"
#include "shmlink/system.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- shared memory objects -------------------------------------------- */

/** An open shared memory object and its mapping. `fd` is one open description:
 * leases belong to it. Close-on-exec. */
struct shl_map {
    int fd;
    uint8_t *base;    /* NULL: not mapped */
    size_t size;      /* mapped bytes */
    atomic_bool *bad; /* raised by the SIGBUS guard; NULL: not guarded */
};

#define SHL_MAP_NONE                                                           \
    {                                                                          \
        .fd = -1                                                               \
    }

/** Create exclusively, mode 0600, sized to `size` (costs nothing), mapped and
 * guarded. SHL_TAKEN if the name exists. [control] */
shl_status shl_map_create(const char *name, size_t size, struct shl_map *map);

/** The same, with the lease on this byte: nobody can open it before it is held.
 * [control] */
shl_status shl_map_create_held(const char *name, size_t size, uint64_t lease,
                               struct shl_map *map);

/** Open an existing object read-write and map all of it, guarded. It must be
 * a regular object of this user, mode 0600, at least `least` bytes: SHL_FOREIGN
 * or SHL_CUT otherwise; SHL_NOT_FOUND if there is none, SHL_AGAIN if it is so
 * new that it has no size yet. [control] */
shl_status shl_map_open(const char *name, size_t least, struct shl_map *map);

/** As shl_map_open, but to look at: the description and the mapping can only be
 * read, so a write through them faults and a lease cannot be taken. [control]
 */
shl_status shl_map_view(const char *name, size_t least, struct shl_map *map);

/** As shl_map_open, for an object that another program of this user has made
 * by its own rules: any mode that lets nobody else write. [control] */
shl_status shl_map_join(const char *name, size_t least, struct shl_map *map);

/** Open or create the object of exactly `size` bytes, zero-filled, reserved
 * and mapped: for the board. A shorter one grows, a longer one is SHL_FOREIGN.
 * Concurrent callers agree on one object. [control] */
shl_status shl_map_share(const char *name, size_t size, struct shl_map *map);

/** A second open description of an object, not mapped: for asking about
 * leases and for reading with shl_map_peek. [control] */
shl_status shl_map_ask(const char *name, struct shl_map *map);

/** Copy bytes without mapping. SHL_CUT if they are not there. [control] */
shl_status shl_map_peek(const struct shl_map *map, size_t offset, void *bytes,
                        size_t size);

/** The user whose object has this name, by its number here, whatever else it is.
 * SHL_NOT_FOUND. [control] */
shl_status shl_map_owner(const char *name, uint32_t *owner);

/** Why an object of this name is SHL_FOREIGN: half a sentence that names it, what
 * it is and what it should be. [control] */
void shl_map_foreign(const char *name, char *text, size_t size);

/** Whether the name still leads to this very object. [control] */
bool shl_map_current(const struct shl_map *map, const char *name);

/** Two mapped objects of one size change places: each gets the other's address
 * and the number of its descriptor, so pointers into `a` lead to what `b` was.
 * Other threads may be using them; whoever sleeps on a word must be woken, for it
 * sleeps on the old one. SHL_NO_DESCRIPTORS, SHL_NO_MEMORY. [control] */
shl_status shl_map_exchange(struct shl_map *a, struct shl_map *b);

/** Have memory behind [offset, offset + size), or SHL_NO_SPACE. [control] */
shl_status shl_map_reserve(struct shl_map *map, size_t offset, size_t size);

/** Touch the pages so that the audio thread never faults. [control] */
SHL_RT void shl_map_touch(const struct shl_map *map, size_t offset,
                          size_t size);

/** Unlock, unmap, close; harmless on SHL_MAP_NONE. [control] */
void shl_map_close(struct shl_map *map);

/** Remove the name. SHL_NOT_FOUND if it is gone already. [control] */
shl_status shl_map_unlink(const char *name);

/** Call job for every object of this user whose name begins with `prefix`;
 * age_s: seconds since it was created or last resized. [control] */
shl_status shl_map_each(const char *prefix,
                        void (*job)(const char *name, uint64_t age_s,
                                    void *arg),
                        void *arg);

/* ---- leases ------------------------------------------------------------ */

/** A lock of the kernel on one byte, dropped when its holder dies. Asking for
 * one may hold it for a moment on some systems, so taking tries a few times.
 * SHL_BUSY if another description has it. [control] */
shl_status shl_lease_take(struct shl_map *map, uint64_t byte);
void shl_lease_drop(struct shl_map *map, uint64_t byte);

/** Whether any other description holds it. A description does not see its own
 * lock. [control] */
bool shl_lease_held(const struct shl_map *map, uint64_t byte);

/* ---- processes --------------------------------------------------------- */

struct shl_process {
    uint32_t pid;
    uint64_t start_time;    /* with the pid: names a process for good */
    uint64_t pid_namespace; /* 0: unknown */
};

struct shl_process shl_process_self(void);

/** False only if it is certain: same namespace, and no such process, or /proc is
 * that namespace's, too, and shows another start time or a zombie. [control] */
bool shl_process_alive(const struct shl_process *process);

/** What may hide the shared memory of other programs from this one, a container
 * or a sandbox, as half a sentence; NULL if none can be seen. [control] */
const char *shl_sandbox(void);

/** The number that stands for this user in shared memory names. */
uint32_t shl_user_id(void);

/** Random bytes for names. */
void shl_random_bytes(void *bytes, size_t size);

/** Scheduling of the calling thread; a priority of 0 is not realtime. */
void shl_thread_priority(uint32_t *policy, uint32_t *priority);

/** Set it. SHL_NO_PERMISSION, SHL_BAD_VALUE. */
shl_status shl_thread_set_priority(uint32_t policy, uint32_t priority);

/** The realtime priority one step below; 0: this one is not realtime, or the
 * lowest there is. */
uint32_t shl_priority_below(uint32_t policy, uint32_t priority);

/** Set flush-to-zero for denormals on the calling thread. */
SHL_RT void shl_thread_flush_denormals(void);

/* ---- pipes ----------------------------------------------------------------- */

/** A wake-up between a process and its child: one byte, a pipe each way. Ours
 * are close-on-exec and do not block. -1: not open. */
struct shl_pipes {
    int bell;     /* we write here: one byte wakes the peer */
    int news;     /* we read here what the peer has rung */
    int kept;     /* the bell's other end, held open by whoever made it: no
                     write ever meets a pipe without readers */
    int child[2]; /* the child's ends: its news, its bell; until it has them */
};

#define SHL_PIPES_NONE                                                         \
    {                                                                          \
        .bell = -1, .news = -1, .kept = -1, .child = { -1, -1 }                \
    }

/** Make both pipes, before the child starts. SHL_NO_DESCRIPTORS. [control] */
shl_status shl_pipes_make(struct shl_pipes *pipes);

/** The child has its ends, or will never get them: close our copies, so that
 * its death can be seen. [control] */
void shl_pipes_started(struct shl_pipes *pipes);

/** Child: use two inherited descriptors by number; they are no longer passed
 * on. SHL_BAD_VALUE: they are no pipes with these directions. A peer without
 * readers is SHL_GONE from now on and no signal: SIGPIPE is ignored if it was
 * at its default. [control] */
shl_status shl_pipes_adopt(struct shl_pipes *pipes, int news, int bell);

/** Close all other descriptors of this process that lead to these two pipes: a
 * parent that let us inherit all four ends could not be seen ending else.
 * [control] */
void shl_pipes_alone(const struct shl_pipes *pipes);

/** Close everything; harmless twice. [control] */
void shl_pipes_close(struct shl_pipes *pipes);

/** Write one byte. SHL_RING_FULL: the pipe is full, so the peer hangs.
 * SHL_GONE: nobody reads any more. [audio] One system call. */
SHL_RT shl_status shl_pipes_ring(const struct shl_pipes *pipes);

/** Sleep until there is a byte, at most timeout_us; signals do not end it.
 * SHL_TIMEOUT; SHL_GONE: the peer has closed its end. [audio] System calls,
 * bounded. */
SHL_RT shl_status shl_pipes_wait(const struct shl_pipes *pipes,
                                 uint32_t timeout_us);

/** Take one byte. SHL_AGAIN: there is none; SHL_GONE: the peer has closed its
 * end. [audio] One system call. */
SHL_RT shl_status shl_pipes_take(const struct shl_pipes *pipes);

/** Take all that are there, at most what a pipe holds. *count: how many.
 * SHL_OK, or SHL_GONE as above. [audio] */
SHL_RT shl_status shl_pipes_drain(const struct shl_pipes *pipes,
                                  uint32_t *count);

/* ---- a program of ours ------------------------------------------------------ */

/** A program that we have started. */
struct shl_child {
    uint32_t pid; /* 0: none, or ended and told */
    int watch;    /* becomes readable when it ends; -1: the system has none */
};

#define SHL_CHILD_NONE                                                         \
    {                                                                          \
        .watch = -1                                                            \
    }

/** How it ended: by a signal, or by itself with an exit code. */
struct shl_child_end {
    uint32_t signal; /* 0: by itself */
    uint32_t code;
};

/** Start words[0], a path, with these words (the last is NULL): nothing of ours
 * is open there but the child's ends of the pipes, as descriptors 3 and 4, and
 * standard error; input and output lead nowhere. It is killed when the calling
 * thread ends: call from one that lives as long. Returns when the program runs:
 * SHL_NOT_FOUND, SHL_NO_PERMISSION, SHL_FOREIGN (no program), SHL_NO_MEMORY,
 * SHL_NO_DESCRIPTORS. [control] */
shl_status shl_child_start(const char *const *words,
                           const struct shl_pipes *pipes,
                           struct shl_child *child);

/** Whether it has ended; waits for that at most timeout_ms. Once true, the child
 * is none. Also true if there is none. [control] */
bool shl_child_ended(struct shl_child *child, uint32_t timeout_ms,
                     struct shl_child_end *end);

/** End it at once, and wait until it has. [control] */
void shl_child_kill(struct shl_child *child, struct shl_child_end *end);

/** What stands at this path: SHL_OK: a file that may be executed;
 * SHL_NOT_FOUND; SHL_BAD_NAME: no file, but a folder or the like;
 * SHL_BAD_VALUE: a file that is not executable; SHL_NO_PERMISSION: we may not
 * even look. [control] */
shl_status shl_program_look(const char *path);

/** Folder number `n` in which a program of ours may lie beside us: that of the
 * code that asks, then that of the program that runs. Ends with a slash. False:
 * there is no such folder. [control] */
bool shl_program_folder(uint32_t n, char *path, size_t size);

/** The same in the places that PATH names. [control] */
bool shl_program_search(const char *name, char *path, size_t size);

/** A variable of the environment; NULL if it is not set, or empty. [control] */
const char *shl_environment(const char *name);

/** A thread of ordinary scheduling, signals blocked, that nobody waits for.
 * [control] */
shl_status shl_thread_start(void (*job)(void *arg), void *arg);

/* ---- waiting and waking -------------------------------------------------- */

/** Sleep while *word == seen, at most timeout_us. Returns early for any
 * reason, also signals: look again. [audio] One system call, bounded. */
SHL_RT void shl_word_wait(_Atomic uint32_t *word, uint32_t seen,
                          uint32_t timeout_us);

/** Wake all who sleep on the word, in any process. Whether there were any.
 * [audio] One system call. */
SHL_RT bool shl_word_wake(_Atomic uint32_t *word);

/** Give up the processor once. [audio] */
SHL_RT void shl_yield(void);

/** The processor this thread runs on, +1; 0 if unknown. No system call. */
SHL_RT uint32_t shl_cpu(void);

/** How many processors this thread may run on, at least 1. [control] */
uint32_t shl_cpus(void);

/** Tell the processor that this is a spin loop. */
static inline void shl_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ __volatile__("yield");
#endif
}

/** As shl_worker_new (system.h), but calls are counted in *calls and *parked
 * says that the thread sleeps: two words that another process may share, add to
 * and wake. What it writes there costs a call too many, or one that comes only
 * after period_ms, which must not be 0. [control] */
shl_status shl_worker_new_at(void (*job)(void *arg), void *arg,
                             uint32_t period_ms, _Atomic uint32_t *calls,
                             _Atomic uint32_t *parked, shl_worker **worker);

/** Have the line of `address` brought here while something else is done. A
 * hint: no fault, no waiting. */
static inline void shl_fetch(const void *address)
{
#if defined(__GNUC__)
    __builtin_prefetch(address);
#else
    (void)address;
#endif
}

/** The same for a line that will be written: the other processors give it up.
 * [any] */
static inline void shl_fetch_to_write(const void *address)
{
#if defined(__x86_64__)
    /* compilers do not say it unless they know the processor */
    __asm__ __volatile__("prefetchw %0" : : "m"(*(const char *)address));
#elif defined(__GNUC__)
    __builtin_prefetch(address, 1);
#else
    (void)address;
#endif
}

/** How many shl_pause fit into a microsecond; measured once. [control] */
SHL_RT uint32_t shl_pauses_per_us(void);

/* ---- files ------------------------------------------------------------------ */

/** What the last failed call of the C library's files was about. [control] */
shl_status shl_file_status(void);

/** Open a file for reading; never waits for a pipe's other end. SHL_BAD_NAME if
 * it is no file. Close-on-exec. [control] */
shl_status shl_file_read_open(const char *path, FILE **file, uint64_t *length);

/** Make a file that is not there, for writing. Close-on-exec. [control] */
shl_status shl_file_write_open(const char *path, FILE **file);

/** Write at the present place, all of it; beyond the limit of file sizes it is
 * SHL_NO_SPACE and no signal. SHL_SYSTEM. [control] */
shl_status shl_file_write(FILE *file, const void *bytes, size_t size);

/** Go to a place in it. SHL_NO_SPACE, SHL_SYSTEM. [control] */
shl_status shl_file_seek(FILE *file, uint64_t offset);

/** Have all that was written on the disk. [control] */
shl_status shl_file_settle(FILE *file);

/** Close it, whatever could not be written. [control] */
void shl_file_close(FILE *file);

/** Give it the permissions of the file that it will replace, if there is one.
 * [control] */
void shl_file_mode_of(FILE *file, const char *path);

/** What a link leads to, as it is written there. SHL_NOT_FOUND: there is
 * nothing, or no link. SHL_BAD_NAME: it does not fit. [control] */
shl_status shl_link_read(const char *path, char *target, size_t size);

/** Between these two, a write beyond the limit of file sizes, which holds for
 * shared memory too, is an error and no signal (SIGXFSZ) for this thread.
 * Returns what the second one takes; errno stays. [control] */
int shl_limit_shield(void);
void shl_limit_unshield(int shield);

/** Give a file another name in the same file system; SHL_TAKEN if that exists
 * and is not to be replaced, SHL_BAD_NAME if it is no file. [control] */
shl_status shl_file_move(const char *from, const char *to, bool replace);

/** Make one folder, mode 0700; fine if it is there. [control] */
shl_status shl_dir_make(const char *path);

/** Each name in a folder, in no order, until `each` returns false. [control] */
shl_status shl_dir_each(const char *path,
                        bool (*each)(void *arg, const char *name), void *arg);

#endif
