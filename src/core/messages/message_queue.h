/* SPDX-License-Identifier: MIT */
/* One end of the two message rings: messages that wait to be sent and go out in
 * fragments as there is room, and what comes in, put together. What belongs to
 * another claim than the present one is dropped and counted.
 *
 * shl_message_queue_post may be called by several threads; everything else by
 * one. */
#ifndef SHL_MESSAGE_QUEUE_H
#define SHL_MESSAGE_QUEUE_H

#include "core/messages/fragments.h"
#include "core/os/mpsc.h"
#include "core/shm/layout.h"
#include "core/shm/ring.h"

struct shl_queued;

struct shl_queued_list {
    struct shl_queued *first, *last;
};

struct shl_message_queue {
    struct shl_message_ring *to, *from; /* NULL: the link has no messages */
    struct shl_ring out, in;
    /* whoever accepts the claim stores (release), we load (acquire): 0: none */
    const _Atomic uint32_t *epoch;
    /* likewise, and stays when that claim is over: what is said last may come
     * then; NULL: nothing is */
    const _Atomic uint32_t *last;
    uint32_t epoch_seen;
    struct shl_mpsc posted; /* who sends takes them all */
    /* bytes posted and not sent: all add and subtract, relaxed */
    _Atomic uint64_t waiting;
    _Atomic uint32_t serial; /* of unasked ids, relaxed */
    struct shl_queued_list singles, longs;
    struct shl_message message; /* our copy of the one just taken */
    struct shl_fragments fragments;
    uint64_t stale; /* messages of another claim */
    uint64_t taken; /* messages */
};

/** Begin on a pair of rings, at their present indices. `messages` NULL: there
 * are none, and posting says so. */
void shl_message_queue_open(struct shl_message_queue *queue,
                            struct shl_message_ring *to,
                            struct shl_message_ring *from,
                            const _Atomic uint32_t *epoch);

/** Forget all messages and fragments. Harmless twice. */
void shl_message_queue_close(struct shl_message_queue *queue);

/** Leave a copy to be sent by the next shl_message_queue_send. `request` 0: a new
 * id of those that ask nothing. SHL_UNSUPPORTED: no messages here; SHL_NO_DEVICE:
 * no claim; SHL_BAD_VALUE: more than SHL_MAX_PAYLOAD bytes; SHL_RING_FULL: 192
 * MiB wait already; SHL_NO_MEMORY. [any control thread] */
shl_status shl_message_queue_post(struct shl_message_queue *queue,
                                  uint32_t type, uint32_t flags,
                                  uint32_t request, const void *bytes,
                                  uint32_t size);

/** Put into the ring what fits, ring the peer's bell. */
void shl_message_queue_send(struct shl_message_queue *queue);

/** The next whole payload, looking at most at *budget messages. SHL_AGAIN:
 * there is none now. SHL_BAD_PEER, SHL_NO_MEMORY: a transfer has failed, see
 * whole; go on. */
shl_status shl_message_queue_take(struct shl_message_queue *queue,
                                  struct shl_whole *whole, uint32_t *budget);

/** Wake the consumer of a ring if it sleeps. [any] */
void shl_message_queue_bell(struct shl_message_ring *ring);

/** Sleep until there is news since the bell was at `seen`, at most so long. */
void shl_message_queue_nap(struct shl_message_queue *queue, uint32_t seen,
                           uint32_t timeout_us);

/** What our bell says now; take it before looking for news. */
uint32_t shl_message_queue_seen(const struct shl_message_queue *queue);

#endif
