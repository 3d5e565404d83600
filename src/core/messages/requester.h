/* SPDX-License-Identifier: MIT */
/* The host's side of messages: questions with ids and deadlines, what is told
 * without an answer, and what the device says by itself. Pumped by
 * shl_host_poll; one thread. */
#ifndef SHL_REQUESTER_H
#define SHL_REQUESTER_H

#include "core/messages/message_queue.h"
#include "core/messages/request.h"
#include "shmlink/monitor.h"

struct shl_host;

struct shl_requester {
    struct shl_message_queue queue;
    struct shl_requests requests;
    _Atomic uint32_t epoch; /* of our claim; nobody else looks at it */
    uint32_t links;         /* begun so far */
    shl_message_handler handler;
    void *arg;
    const struct shl_monitor *monitor;
    char bye[SHL_TEXT_SIZE]; /* the device's, on this link */
};

/** A link begins. `messages` NULL: its device has none. */
void shl_requester_begin(struct shl_requester *requester,
                         struct shl_messages *messages, uint32_t epoch);

/** The link is about to end by our wish: say why, as far as there is room. */
void shl_requester_bye(struct shl_requester *requester, const char *reason);

/** The link is about to end: its rings are not touched any more. */
void shl_requester_end(struct shl_requester *requester);

/** It has ended: whoever still waits is told SHL_GONE. */
void shl_requester_gone(struct shl_requester *requester, uint64_t now_ns);

/** See shl_host_ask and shl_host_post. */
shl_status shl_requester_ask(struct shl_requester *requester, uint32_t type,
                             const void *bytes, uint32_t size,
                             uint32_t timeout_ms, uint64_t now_ns,
                             shl_answer_handler handler, void *arg,
                             uint32_t *id);
shl_status shl_requester_post(struct shl_requester *requester, uint32_t type,
                              const void *bytes, uint32_t size);

/** Send and take if the claim is accepted; tell those whose time is over. */
void shl_requester_pump(struct shl_requester *requester, bool accepted,
                        uint64_t now_ns);

/** The requester of a host. Kept by host.c. */
struct shl_requester *shl_host_requester(struct shl_host *host);
const struct shl_requester *
shl_host_requester_const(const struct shl_host *host);

#endif
