/* SPDX-License-Identifier: MIT */
/* Questions that wait for their answer: up to 255 at once, each with an id, a
 * deadline and somebody to tell. Every one of them gets exactly one answer: the
 * reply, an error, or that its time is over. Pure: no clock, no rings. */
#ifndef SHL_REQUEST_H
#define SHL_REQUEST_H

#include "shmlink/message.h"

struct shl_request {
    uint32_t id; /* 0: this place is free */
    uint32_t type;
    uint64_t asked_ns, deadline_ns;
    uint64_t number; /* how many were asked before it */
    bool longer;     /* its deadline was moved already */
    shl_answer_handler handler;
    void *arg;
};

struct shl_requests {
    struct shl_request place[SHL_MAX_REQUESTS];
    uint32_t count; /* in flight */
    uint32_t last;  /* place that was given last */
    uint32_t
        serial; /* goes into the ids, so that they do not come again soon */
    uint64_t asked;
    uint64_t late; /* answers that nobody waited for any more */
};

/** `seed`: whatever tells this link from the one before, so that an answer to
 * somebody else does not fit. */
void shl_requests_init(struct shl_requests *requests, uint32_t seed);

/** Note a question. *id is never 0, never one in flight, and without the bit
 * SHL_MESSAGE_UNASKED. SHL_RING_FULL: 255 are in flight. The handler may be
 * NULL. */
shl_status shl_request_new(struct shl_requests *requests, uint32_t type,
                           uint64_t now_ns, uint64_t timeout_ns,
                           shl_answer_handler handler, void *arg, uint32_t *id);

/** The question noted last was never asked: its place is free again. */
void shl_request_forget(struct shl_requests *requests);

/** The answer has begun to come, and is long: so much more time, once. */
void shl_request_extend(struct shl_requests *requests, uint32_t id,
                        uint64_t more_ns);

/** Whether an answer with this id is waited for. */
bool shl_request_waits(const struct shl_requests *requests, uint32_t id);

/** The answer has come: tell. `answer` has all but request, type and took_ns.
 * False: nobody waits for it, which is counted. Handlers may ask again. */
bool shl_request_answer(struct shl_requests *requests, uint32_t id,
                        uint64_t now_ns, const struct shl_answer *answer);

/** Tell those whose time is over: SHL_TIMEOUT. `ended` (may be NULL) is called
 * with each id before. Returns how many. */
uint32_t shl_requests_expire(struct shl_requests *requests, uint64_t now_ns,
                             void (*ended)(void *arg, uint32_t id), void *arg);

/** Tell all that are in flight now, with this reason. Returns how many. */
uint32_t shl_requests_fail(struct shl_requests *requests, uint64_t now_ns,
                           shl_status status);

#endif
