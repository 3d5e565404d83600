/* SPDX-License-Identifier: MIT */
#include "core/messages/responder.h"

#include "shmlink/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET 1024u /* messages between looks at everything else */

/* A handler that was replaced may just be running, so all of them stay until
 * the responder closes. */
struct handler {
    struct shl_mpsc_node node;
    shl_message_handler call;
    void *arg;
};

void shl_responder_open(struct shl_responder *responder,
                        struct shl_messages *messages,
                        const _Atomic uint32_t *epoch,
                        const _Atomic uint32_t *last)
{
    memset(responder, 0, sizeof *responder);
    shl_message_queue_open(&responder->queue, &messages->responses,
                           &messages->commands, epoch);
    responder->queue.last = last;
}

void shl_responder_own(struct shl_responder *responder,
                       shl_message_handler handler, void *arg)
{
    responder->own = handler;
    responder->own_arg = arg;
}

void shl_responder_close(struct shl_responder *responder)
{
    struct shl_mpsc_node *handler = shl_mpsc_take(&responder->handlers);

    while (handler) {
        struct shl_mpsc_node *next = handler->next;
        free(handler);
        handler = next;
    }
    if (responder->queue.to)
        shl_message_queue_close(&responder->queue);
}

shl_status shl_responder_handle(struct shl_responder *responder,
                                shl_message_handler call, void *arg)
{
    struct handler *handler = malloc(sizeof *handler);

    if (!handler)
        return SHL_NO_MEMORY;
    handler->call = call;
    handler->arg = arg;
    shl_mpsc_push(&responder->handlers, &handler->node);
    return SHL_OK;
}

shl_status shl_responder_say(struct shl_responder *responder, uint32_t type,
                             uint32_t request, const void *bytes, uint32_t size)
{
    shl_status st = shl_message_queue_post(&responder->queue, type, 0, request,
                                           bytes, size);
    struct shl_received said = {
        .type = type, .request = request, .size = size, .bytes = bytes};

    if (st) {
        atomic_fetch_add_explicit(&responder->dropped, 1, memory_order_relaxed);
        return st;
    }
    shl_monitor_message(shl_responder_monitor(responder), 1, &said);
    shl_message_queue_bell(
        responder->queue.from); /* our own: the keeper sends it */
    return SHL_OK;
}

void shl_responder_bye(struct shl_responder *responder, const char *reason)
{
    uint8_t bytes[4 + SHL_TEXT_SIZE];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);

    shl_pack_text(&pack, reason);
    if (!shl_responder_say(responder, SHL_MESSAGE_BYE, 0, bytes,
                           (uint32_t)pack.used))
        shl_message_queue_send(&responder->queue);
}

shl_status shl_responder_refuse(struct shl_responder *responder,
                                uint32_t request, shl_status status,
                                const char *text)
{
    uint8_t bytes[SHL_MESSAGE_PAYLOAD];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    char sentence[SHL_MESSAGE_PAYLOAD - 8];

    snprintf(sentence, sizeof sentence, "%s",
             text ? text : shl_status_text(status));
    shl_text_clean(sentence, sizeof sentence); /* it may name what was asked */
    shl_pack_u32(&pack, (uint32_t)status);
    shl_pack_text(&pack, sentence);
    return shl_responder_say(responder, SHL_MESSAGE_ERROR, request, bytes,
                             (uint32_t)pack.used);
}

/* What every device answers, whatever its program does. */
static void built_in(struct shl_responder *responder,
                     const struct shl_received *message)
{
    const struct shl_message_about *about =
        shl_message_get_about(message->type);
    char text[128];

    if (!message->asks || message->type == SHL_MESSAGE_PING)
        return;
    if (about)
        snprintf(text, sizeof text, "this device does not answer %s",
                 about->name);
    else
        snprintf(text, sizeof text,
                 "this device knows no messages of type %u: it is older than "
                 "its host",
                 (unsigned)message->type);
    shl_responder_refuse(responder, message->request, SHL_UNSUPPORTED, text);
}

static void handle(struct shl_responder *responder,
                   const struct shl_whole *whole)
{
    const struct handler *handler =
        (const struct handler *)shl_mpsc_newest(&responder->handlers);
    struct shl_received message = {.type = whole->type,
                                   .request = whole->request,
                                   .asks = whole->flags & SHL_MESSAGE_ASKS,
                                   .size = whole->size,
                                   .bytes = whole->bytes};

    shl_monitor_message(shl_responder_monitor(responder), 0, &message);
    if (message.type == SHL_MESSAGE_BYE) {
        shl_bye_text(&message, responder->bye);
        responder->bye_epoch =
            atomic_load_explicit(responder->queue.last, memory_order_relaxed);
    }
    if (message.asks && message.type == SHL_MESSAGE_PING)
        shl_responder_say(responder, SHL_MESSAGE_PONG, message.request,
                          message.bytes, message.size);
    if (handler && handler->call && handler->call(handler->arg, &message))
        return;
    if (responder->own && responder->own(responder->own_arg, &message))
        return;
    built_in(responder, &message);
}

static void complain(struct shl_responder *responder,
                     const struct shl_whole *whole, shl_status st)
{
    const char *text = shl_fragments_fault_text(whole->fault);

    shl_monitor_error(shl_responder_monitor(responder), st, text);
    if (!(whole->flags & SHL_MESSAGE_ASKS) ||
        whole->request == responder->refused)
        return;
    responder->refused = whole->request;
    shl_responder_refuse(responder, whole->request, st, text);
}

void shl_responder_pump(struct shl_responder *responder)
{
    struct shl_message_queue *queue = &responder->queue;
    uint32_t budget = BUDGET;
    struct shl_whole whole;
    shl_status st;

    shl_message_queue_send(queue);
    /* who does not take its answers gets no new ones: its questions stay in
     * the ring until there is room again, of which its bell tells */
    while (atomic_load_explicit(&queue->waiting, memory_order_relaxed) <=
               SHL_MAX_PAYLOAD &&
           (st = shl_message_queue_take(queue, &whole, &budget)) != SHL_AGAIN) {
        if (st == SHL_OK)
            handle(responder, &whole);
        else
            complain(responder, &whole, st);
    }
    shl_message_queue_send(queue);
    if (budget == 0)
        shl_message_queue_bell(queue->from);
}
