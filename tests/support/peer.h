/* SPDX-License-Identifier: MIT */
/* A device for tests to play with, in a second process (the program peer_run)
 * or in a second thread: polite, slow, dying at a named point, or lying. It
 * sounds so that each sample can be foretold, and reports what it saw. */
#ifndef PEER_H
#define PEER_H

#include "shmlink/shmlink.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* Whether the thread sanitizer is at work. It takes two mappings of one object
 * for two memories; and its atomics are no place for a handler of faults. */
#if defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define PEER_THREAD_SANITIZER 1
#    endif
#endif
#ifndef PEER_THREAD_SANITIZER
#    define PEER_THREAD_SANITIZER 0
#endif

enum peer_kind {
    PEER_POLITE,
    PEER_SLOW,              /* each block takes work_us */
    PEER_DIES_BEFORE_READY, /* its segment is there, but not ready */
    PEER_DIES_CLAIMED,      /* it has accepted a host, nothing more */
    PEER_DIES_WORKING,      /* between bell and answer of block number `at` */
    PEER_DIES_TELLING,      /* there, with its events shown and no answer */
    PEER_LIAR               /* writes random words into the whole link area */
};

struct peer_wish {
    enum peer_kind kind;
    const char *id; /* NULL: "Peer" */
    const char *tag;
    uint32_t in, out;
    double rate_hz; /* 0: 48000 */
    uint32_t latency;
    uint32_t drives;
    uint32_t at;
    uint32_t work_us;
    uint32_t seed;
};

#define PEER_LOG 8192u

/** What the peer saw; it writes, the test reads. */
struct peer_report {
    char id[48], segment[32];
    _Atomic uint32_t ready; /* 1: announced, 2: could not */
    _Atomic uint32_t quit;  /* written by the test */
    _Atomic uint32_t blocks, empty_blocks, fresh_blocks;
    _Atomic uint32_t frames; /* of the last block */
    _Atomic uint32_t ons, offs, pedal_ups, bends, others;
    _Atomic uint32_t misplaced; /* events outside of their block */
    _Atomic uint32_t work_us;   /* may be changed while it runs; 0 ends it */
    _Atomic uint32_t send_full; /* refused by a full ring */
    _Atomic uint32_t held;      /* notes, pedals and wheels right now */
    _Atomic uint32_t logged;    /* events in the log, or more */
    struct peer_heard {
        uint32_t block; /* number of the block that brought it */
        uint32_t offset;
        uint32_t data[5];
    } log[PEER_LOG];
};

struct peer;

/** Start one; returns when it is announced (or has died, or could not). NULL
 * if it could not be started at all. */
struct peer *peer_start(const struct peer_wish *wish);
struct peer *peer_thread(const struct peer_wish *wish);

struct peer_report *peer_report(struct peer *peer);

/** Event number `index` of its log; waits for it. NULL if it does not come. */
const struct peer_heard *peer_heard(struct peer *peer, uint32_t index);

pid_t peer_pid(const struct peer *peer);

/** A process: SIGKILL, SIGSTOP (until it has stopped), SIGCONT. */
void peer_kill(struct peer *peer);
void peer_stop(struct peer *peer);
void peer_continue(struct peer *peer);

/** Whether the process has ended, within so many ms. */
bool peer_ended(struct peer *peer, uint32_t within_ms);

/** Have it leave in good order if it is still there; forget it. */
void peer_free(struct peer *peer);

/** What peer_run does: be the peer that its arguments name. */
int peer_main(int count, char **words);

/** The audio of a polite peer for one sample: with the input, what its
 * parameter says. Parameter 7, "gain", 0 to 4, begins at 1. */
float peer_sound(float in, double gain);

/** A note on is one sample of this height at its place on all outputs. */
float peer_click(uint32_t velocity);

/** Make the board's name our own, remove the board when the test ends. */
void peer_own_board(void);

/** Numbers that look random; the state is the caller's. */
uint64_t peer_random(uint64_t *state);

/** Write random words into a link area; with `spare` not into what would end
 * the link at once. `lines` is where the control lines are. */
void peer_scribble(void *base, uint64_t *random, bool spare);

/** Whether a shared memory object of this name exists. */
bool peer_there(const char *name);

/** Cut an object to so many bytes; false if that failed. */
bool peer_cut(const char *name, uint64_t size);

/** How many descriptors this process has open. */
uint32_t peer_descriptors(void);

#endif
