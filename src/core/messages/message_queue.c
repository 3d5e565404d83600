/* SPDX-License-Identifier: MIT */
#include "core/messages/message_queue.h"

#include "core/os/platform.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_LIMIT (3ull * SHL_MAX_PAYLOAD)
#define HALF          (SHL_MESSAGE_SLOTS / 2)

struct shl_queued {
    struct shl_mpsc_node node; /* while it is posted */
    struct shl_queued *next;
    struct shl_message head; /* total: all bytes; no payload */
    uint32_t epoch;
    uint32_t sent; /* fragments */
    uint8_t bytes[];
};

void shl_message_queue_open(struct shl_message_queue *queue,
                            struct shl_message_ring *to,
                            struct shl_message_ring *from,
                            const _Atomic uint32_t *epoch)
{
    memset(queue, 0, sizeof *queue);
    shl_fragments_init(&queue->fragments, SHL_MAX_PAYLOAD);
    queue->epoch = epoch;
    if (!to)
        return;
    queue->to = to;
    queue->from = from;
    shl_ring_init_producer(&queue->out, &to->write, &to->read, to->slot,
                           sizeof to->slot[0], SHL_MESSAGE_SLOTS);
    shl_ring_init_consumer(&queue->in, &from->write, &from->read, from->slot,
                           sizeof from->slot[0], SHL_MESSAGE_SLOTS);
}

/* ---- lists ---------------------------------------------------------------- */

static void append(struct shl_queued_list *list, struct shl_queued *queued)
{
    queued->next = NULL;
    if (list->last)
        list->last->next = queued;
    else
        list->first = queued;
    list->last = queued;
}

static struct shl_queued *remove_first(struct shl_queued_list *list)
{
    struct shl_queued *queued = list->first;

    list->first = queued->next;
    if (!list->first)
        list->last = NULL;
    return queued;
}

static void discard(struct shl_message_queue *queue, struct shl_queued *queued)
{
    atomic_fetch_sub_explicit(&queue->waiting, queued->head.total,
                              memory_order_relaxed);
    free(queued);
}

/* Take over what was posted, oldest first again. */
static void collect(struct shl_message_queue *queue)
{
    struct shl_mpsc_node *node = shl_mpsc_take(&queue->posted);

    while (node) {
        struct shl_queued *queued = (struct shl_queued *)node;
        node = node->next;
        append(shl_fragments_count(queued->head.total) == 1 ? &queue->singles
                                                            : &queue->longs,
               queued);
    }
}

void shl_message_queue_close(struct shl_message_queue *queue)
{
    collect(queue);
    while (queue->singles.first)
        discard(queue, remove_first(&queue->singles));
    while (queue->longs.first)
        discard(queue, remove_first(&queue->longs));
    shl_fragments_clear(&queue->fragments);
    queue->to = queue->from = NULL;
}

static uint32_t claim_flags(uint32_t epoch)
{
    return (epoch >> 1 & 0xFF) << 8;
}

/* acquire: whatever the claim brought with it */
static uint32_t epoch_now(const struct shl_message_queue *queue)
{
    return atomic_load_explicit(queue->epoch, memory_order_acquire);
}

static uint32_t unasked_id(struct shl_message_queue *queue)
{
    return SHL_MESSAGE_UNASKED |
           (atomic_fetch_add_explicit(&queue->serial, 1, memory_order_relaxed) &
            ~SHL_MESSAGE_UNASKED);
}

static struct shl_queued *write_queued(const void *bytes, uint32_t size)
{
    struct shl_queued *queued = malloc(sizeof *queued + size);

    if (!queued)
        return NULL;
    memset(queued, 0, sizeof *queued);
    queued->head.total = size;
    if (size)
        memcpy(queued->bytes, bytes, size);
    return queued;
}

shl_status shl_message_queue_post(struct shl_message_queue *queue,
                                  uint32_t type, uint32_t flags,
                                  uint32_t request, const void *bytes,
                                  uint32_t size)
{
    struct shl_queued *queued;
    uint32_t epoch;

    if (!queue->to)
        return SHL_UNSUPPORTED;
    epoch = epoch_now(queue);
    if (!epoch)
        return SHL_NO_DEVICE;
    if (size > SHL_MAX_PAYLOAD)
        return SHL_BAD_VALUE;
    if (atomic_load_explicit(&queue->waiting, memory_order_relaxed) + size >
        WAITING_LIMIT)
        return SHL_RING_FULL;
    queued = write_queued(bytes, size);
    if (!queued)
        return SHL_NO_MEMORY;
    queued->epoch = epoch;
    queued->head.type = (uint16_t)type;
    queued->head.flags = (uint16_t)(flags | claim_flags(epoch));
    queued->head.request = request ? request : unasked_id(queue);
    atomic_fetch_add_explicit(&queue->waiting, size, memory_order_relaxed);
    shl_mpsc_push(&queue->posted, &queued->node);
    return SHL_OK;
}

/* ---- sending ------------------------------------------------------------------ */

void shl_message_queue_bell(struct shl_message_ring *ring)
{
    /* seq_cst, both: the sleeper raises its flag before it looks a last time */
    atomic_fetch_add_explicit(&ring->bell, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&ring->parked, memory_order_seq_cst))
        shl_word_wake(&ring->bell);
}

/* The first of these messages that is still meant for our peer. */
static struct shl_queued *first_of(struct shl_message_queue *queue,
                                   struct shl_queued_list *list, uint32_t epoch)
{
    while (list->first && list->first->epoch != epoch)
        discard(queue, remove_first(list));
    return list->first;
}

static bool send_part(struct shl_message_queue *queue,
                      struct shl_queued *queued)
{
    struct shl_message message;
    void *slot = shl_ring_push(&queue->out);

    if (!slot)
        return false;
    shl_fragments_cut(&message, &queued->head, queued->sent++, queued->bytes);
    memcpy(slot, &message, sizeof message);
    return true;
}

/* Behind the others that the peer has begun to put together: at most as many
 * as it can, so the next queued waits until one of them is whole. */
static void step_back(struct shl_queued_list *list)
{
    struct shl_queued *queued = remove_first(list);
    struct shl_queued *before = list->first;

    for (uint32_t i = 2; before && before->next && i < SHL_FRAGMENTS_AT_ONCE;
         i++)
        before = before->next;
    if (!before || !before->next) {
        append(list, queued);
        return;
    }
    queued->next = before->next;
    before->next = queued;
}

static bool send_single(struct shl_message_queue *queue,
                        struct shl_queued *queued)
{
    if (!send_part(queue, queued))
        return false;
    discard(queue, remove_first(&queue->singles));
    return true;
}

static bool send_long(struct shl_message_queue *queue,
                      struct shl_queued *queued)
{
    if (!send_part(queue, queued))
        return false;
    if (queued->sent == shl_fragments_count(queued->head.total))
        discard(queue, remove_first(&queue->longs));
    else
        step_back(&queue->longs);
    return true;
}

void shl_message_queue_send(struct shl_message_queue *queue)
{
    uint32_t before = queue->out.own;
    bool room = true;

    if (!queue->to)
        return;
    collect(queue);
    while (room && (queue->singles.first || queue->longs.first)) {
        uint32_t epoch = epoch_now(queue);
        struct shl_queued *queued = first_of(queue, &queue->singles, epoch);

        if (queued)
            room = send_single(queue, queued);
        queued = first_of(queue, &queue->longs, epoch);
        if (queued && room)
            room = send_long(queue, queued);
    }
    if (queue->out.own == before)
        return;
    shl_ring_publish(&queue->out);
    shl_message_queue_bell(queue->to);
}

/* ---- taking -------------------------------------------------------------------- */

/* A bye is sent just before the claim ends, and may be taken just behind. */
static bool is_last(const struct shl_message_queue *queue)
{
    return queue->last && queue->message.type == SHL_MESSAGE_BYE &&
           (queue->message.flags & 0xFF00u) ==
               claim_flags(
                   atomic_load_explicit(queue->last, memory_order_acquire));
}

/* A message of the present claim? The epoch is loaded after the message: a peer
 * that sends has seen its claim accepted, so we see it as well. */
static bool meant_for_us(struct shl_message_queue *queue)
{
    uint32_t epoch = epoch_now(queue);

    if (epoch != queue->epoch_seen)
        shl_fragments_clear(&queue->fragments);
    queue->epoch_seen = epoch;
    return epoch ? (queue->message.flags & 0xFF00u) == claim_flags(epoch)
                 : is_last(queue);
}

/* Copy the next message and give its slot back. When half of a full ring is
 * empty again, its producer may be waiting for room. */
static bool take_one(struct shl_message_queue *queue)
{
    uint32_t there = shl_ring_waiting(&queue->in);
    const void *slot = there ? shl_ring_peek(&queue->in, NULL) : NULL;

    if (!slot) {
        shl_ring_release(&queue->in); /* an index that cannot be: start over */
        return false;
    }
    memcpy(&queue->message, slot, sizeof queue->message);
    shl_ring_pop(&queue->in);
    shl_ring_release(&queue->in);
    queue->taken++;
    if (there == HALF)
        shl_message_queue_bell(queue->to);
    return true;
}

shl_status shl_message_queue_take(struct shl_message_queue *queue,
                                  struct shl_whole *whole, uint32_t *budget)
{
    while (queue->to && *budget > 0 && take_one(queue)) {
        shl_status status;

        --*budget;
        if (!meant_for_us(queue)) {
            queue->stale++;
            continue;
        }
        queue->message.flags &= 0xFF;
        status = shl_fragments_add(&queue->fragments, &queue->message, whole);
        if (status != SHL_AGAIN)
            return status;
    }
    return SHL_AGAIN;
}

/* ---- waiting ------------------------------------------------------------------- */

uint32_t shl_message_queue_seen(const struct shl_message_queue *queue)
{
    return queue->from
               ? atomic_load_explicit(&queue->from->bell, memory_order_seq_cst)
               : 0;
}

void shl_message_queue_nap(struct shl_message_queue *queue, uint32_t seen,
                           uint32_t timeout_us)
{
    if (!queue->from) {
        shl_sleep_ms(timeout_us / 1000 + 1);
        return;
    }
    atomic_store_explicit(&queue->from->parked, 1, memory_order_seq_cst);
    if (shl_message_queue_seen(queue) == seen)
        shl_word_wait(&queue->from->bell, seen, timeout_us);
    atomic_store_explicit(&queue->from->parked, 0, memory_order_relaxed);
}
