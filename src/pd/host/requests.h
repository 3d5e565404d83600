/* SPDX-License-Identifier: MIT */
/* What [shmlink~] asks its device, and has done with files: requests, in the
 * order in which they were asked for, one under way at a time, each with
 * exactly one final reply. A request goes in steps on Pd's thread; between two
 * steps it waits for the device's answer, or for work on a thread of its own,
 * where files are read and written. Live, nothing here waits; in batch mode a
 * message returns when its reply has been sent. */
#ifndef PD_REQUESTS_H
#define PD_REQUESTS_H

#include "pd/atoms.h"
#include "shmlink/shmlink-plugin.h"

#define REQUESTS_MAX 1024 /* that wait */

struct shmlink;
struct request;

/** A piece of work for the other thread. Whoever asks fills what the job
 * needs; the job leaves what it found. */
struct work {
    struct shl_task task; /* first: the worker has it by this */
    void (*job)(struct work *work);
    char path[SHL_PATH_SIZE];
    struct shl_store store;
    char name[SHL_FILE_NAME_SIZE], to[SHL_FILE_NAME_SIZE];
    int32_t index;        /* of a preset, if name is "" */
    uint8_t *file;        /* freed with the work */
    const uint8_t *bytes; /* in it, or the request's */
    size_t size;
    struct shl_preset *presets; /* freed with the work */
    uint32_t count;
    int is_new;
    shl_status status;
    struct shl_why why;
    _Atomic int state;
};

typedef void (*request_step)(struct shmlink *x, struct request *request);

struct request {
    t_symbol *selector;
    request_step begin;
    uint64_t needs; /* a capability, or 0 */

    /* what the message said */
    char path[SHL_PATH_SIZE];
    char name[SHL_FILE_NAME_SIZE], to[SHL_FILE_NAME_SIZE];
    int32_t index;
    uint32_t first, count;
    uint8_t *bytes; /* freed with the request */
    size_t size, sent;
    uint32_t transfer;

    /* what the step before has brought */
    shl_status status; /* of the answer, or of the work */
    char text[384];
    uint8_t *answer;
    size_t answer_size;
    uint64_t took_ns;
    struct work *work;

    /* requests.c's own */
    struct request *next;
    request_step then;
    struct question *question;
    int begun, waits, ended;
    uint64_t work_ns;    /* since when its work is waited for */
    uint64_t pending_ns; /* since when the device has not accepted us */
    uint64_t held_ns;    /* since when it waits for what was sent before it */
};

struct requests {
    struct request *first, *last;
    uint32_t count;
    int running; /* a step is under way: its replies may lead back to us */
};

/** A new request for the object, not yet in the queue. NULL after the failing
 * reply if there is no room. */
struct request *requests_new(struct shmlink *x, t_symbol *selector,
                             request_step begin, uint64_t needs);

/** Forget one that was not put there. */
void requests_cancel(struct request *request);

/** Put it at the end of the queue; it may be gone when this returns. */
void requests_add(struct shmlink *x, struct request *request);
/** One whose message takes no words: made and added, or refused. */
void requests_bare(struct shmlink *x, t_symbol *selector, int argc,
                   const t_atom *argv, request_step first);

/** Go on with what can go on. After polling, and when a link has begun or
 * ended. */
void requests_run(struct shmlink *x);

/** Whether an answer or some work is waited for. */
int requests_busy(const struct shmlink *x);

/** The object ends: before its host does. Nothing more is told. */
void requests_free(struct shmlink *x);

/* ---- in a step ---- */

/** Ask the device; `then` is called with the answer in the request, if that is
 * no error. Bytes are copied. */
void request_ask(struct shmlink *x, struct request *request, uint32_t type,
                 const void *bytes, size_t size, request_step then);

/** Have work done: request_work_new first. An error ends the request. */
struct work *request_work_new(struct shmlink *x, struct request *request,
                              void (*job)(struct work *work));
void request_work(struct shmlink *x, struct request *request,
                  request_step then);

/** It is done: out of the queue, and the caller sends its reply next. */
void request_done(struct request *request);

/** It has failed: `selector 0`, `error selector code text`, and a line on the
 * console. */
void request_fail(struct shmlink *x, struct request *request, shl_status status,
                  const char *text);

/** For messages that may end with `async`: nothing, 0 or 1. Live all are
 * answered later, in batch all at once. False after the failing reply. */
int requests_async(struct shmlink *x, t_symbol *s, int argc,
                   const t_atom *argv);

#endif
