/* SPDX-License-Identifier: MIT */
#include "core/messages/requester.h"

#include "shmlink/name.h"

#include <stdio.h>
#include <string.h>

#define BUDGET        4096u /* messages in one poll */
#define LONG_BYTES_MS 1024u /* of a long payload, in a ms */
#define MS_NS         UINT64_C(1000000)

void shl_requester_begin(struct shl_requester *requester,
                         struct shl_messages *messages, uint32_t epoch)
{
    uint64_t late = requester->requests.late;

    atomic_store_explicit(&requester->epoch, epoch, memory_order_relaxed);
    shl_requests_init(&requester->requests, epoch + ++requester->links);
    requester->requests.late = late;
    requester->bye[0] = 0;
    shl_message_queue_open(
        &requester->queue, messages ? &messages->commands : NULL,
        messages ? &messages->responses : NULL, &requester->epoch);
}

void shl_requester_end(struct shl_requester *requester)
{
    atomic_store_explicit(&requester->epoch, 0, memory_order_relaxed);
    shl_message_queue_close(&requester->queue);
}

void shl_requester_gone(struct shl_requester *requester, uint64_t now_ns)
{
    shl_requests_fail(&requester->requests, now_ns, SHL_GONE);
}

static void watch(const struct shl_requester *requester, int out, uint32_t type,
                  uint32_t request, uint32_t asks, const void *bytes,
                  uint32_t size)
{
    const struct shl_received message = {type, request, asks, size, bytes};

    shl_monitor_message(requester->monitor, out, &message);
}

shl_status shl_requester_post(struct shl_requester *requester, uint32_t type,
                              const void *bytes, uint32_t size)
{
    shl_status st =
        shl_message_queue_post(&requester->queue, type, 0, 0, bytes, size);

    if (!st)
        watch(requester, 1, type, 0, 0, bytes, size);
    return st;
}

void shl_requester_bye(struct shl_requester *requester, const char *reason)
{
    uint8_t bytes[4 + SHL_TEXT_SIZE];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);

    shl_pack_text(&pack, reason);
    if (!shl_requester_post(requester, SHL_MESSAGE_BYE, bytes,
                            (uint32_t)pack.used))
        shl_message_queue_send(&requester->queue);
}

/* A mebibyte takes a second at worst, on its way there or back. */
static uint32_t time_for(uint32_t type, uint32_t size)
{
    const struct shl_message_about *about = shl_message_get_about(type);

    return (about && about->timeout_ms ? about->timeout_ms : 1000) +
           size / LONG_BYTES_MS;
}

shl_status shl_requester_ask(struct shl_requester *requester, uint32_t type,
                             const void *bytes, uint32_t size,
                             uint32_t timeout_ms, uint64_t now_ns,
                             shl_answer_handler handler, void *arg,
                             uint32_t *result)
{
    uint64_t timeout_ns =
        MS_NS * (timeout_ms ? timeout_ms : time_for(type, size));
    uint32_t id;
    shl_status st;

    if (!requester->queue.to)
        return SHL_UNSUPPORTED;
    if (!type || type > UINT16_MAX || shl_message_answers(type))
        return SHL_BAD_VALUE;
    st = shl_request_new(&requester->requests, type, now_ns, timeout_ns,
                         handler, arg, &id);
    if (st)
        return st;
    st = shl_message_queue_post(&requester->queue, type, SHL_MESSAGE_ASKS, id,
                                bytes, size);
    if (st) {
        shl_request_forget(&requester->requests);
        return st;
    }
    watch(requester, 1, type, id, 1, bytes, size);
    if (result)
        *result = id;
    return SHL_OK;
}

/* ---- what comes ------------------------------------------------------------- */

static void answer_error(struct shl_requester *requester,
                         const struct shl_whole *whole, uint64_t now_ns)
{
    struct shl_unpack unpack = shl_unpack_from(whole->bytes, whole->size);
    uint32_t number = shl_unpack_u32(&unpack);
    char text[SHL_MESSAGE_PAYLOAD];
    struct shl_answer answer = {.status = SHL_BAD_PEER, .text = text};

    shl_unpack_text(&unpack, text, sizeof text);
    shl_text_clean(text, sizeof text);
    if (number > SHL_AGAIN && number < SHL_STATUS_COUNT)
        answer.status = (shl_status)number;
    if (unpack.bad || !text[0])
        answer.text = shl_status_text(answer.status);
    shl_request_answer(&requester->requests, whole->request, now_ns, &answer);
}

/* A handler cannot answer before the answer that every peer gets. */
static void hear(struct shl_requester *requester, const struct shl_whole *whole)
{
    const struct shl_received message = {whole->type, whole->request,
                                         whole->flags & SHL_MESSAGE_ASKS,
                                         whole->size, whole->bytes};

    if (message.asks && message.type == SHL_MESSAGE_PING)
        shl_message_queue_post(&requester->queue, SHL_MESSAGE_PONG, 0,
                               message.request, message.bytes, message.size);
    if (message.type == SHL_MESSAGE_BYE)
        shl_bye_text(&message, requester->bye);
    if (requester->handler)
        requester->handler(requester->arg, &message);
}

static void take(struct shl_requester *requester, const struct shl_whole *whole,
                 uint64_t now_ns)
{
    const struct shl_answer answer = {
        .text = "", .bytes = whole->bytes, .size = whole->size};

    watch(requester, 0, whole->type, whole->request,
          whole->flags & SHL_MESSAGE_ASKS, whole->bytes, whole->size);
    if (!shl_message_answers(whole->type))
        hear(requester, whole);
    else if (whole->type == SHL_MESSAGE_ERROR)
        answer_error(requester, whole, now_ns);
    else
        shl_request_answer(&requester->requests, whole->request, now_ns,
                           &answer);
}

static void complain(struct shl_requester *requester,
                     const struct shl_whole *whole, shl_status st,
                     uint64_t now_ns)
{
    const struct shl_answer answer = {
        .status = st, .text = shl_fragments_fault_text(whole->fault)};

    shl_monitor_error(requester->monitor, st, answer.text);
    if (shl_request_waits(&requester->requests, whole->request))
        shl_request_answer(&requester->requests, whole->request, now_ns,
                           &answer);
}

/* What is left of its answer belongs to nobody. */
static void forget_fragments(void *arg, uint32_t request)
{
    struct shl_requester *requester = arg;

    shl_fragments_drop(&requester->queue.fragments, request);
}

/* A long answer that has begun to come may take its time. */
static void wait_for_fragments(struct shl_requester *requester)
{
    for (uint32_t i = 0; i < SHL_FRAGMENTS_AT_ONCE; i++) {
        const struct shl_transfer *transfer =
            &requester->queue.fragments.transfer[i];

        if (transfer->bytes)
            shl_request_extend(&requester->requests, transfer->request,
                               transfer->total / LONG_BYTES_MS * MS_NS);
    }
}

void shl_requester_pump(struct shl_requester *requester, bool accepted,
                        uint64_t now_ns)
{
    uint32_t budget = BUDGET;
    struct shl_whole whole;
    shl_status st;

    if (accepted)
        shl_message_queue_send(&requester->queue);
    while (accepted && (st = shl_message_queue_take(&requester->queue, &whole,
                                                    &budget)) != SHL_AGAIN) {
        /* it came after this poll began */
        if (st == SHL_OK)
            take(requester, &whole, shl_clock_ns());
        else
            complain(requester, &whole, st, shl_clock_ns());
    }
    if (accepted)
        shl_message_queue_send(&requester->queue);
    wait_for_fragments(requester);
    shl_requests_expire(&requester->requests, now_ns, forget_fragments,
                        requester);
}
