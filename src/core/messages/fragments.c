/* SPDX-License-Identifier: MIT */
#include "core/messages/fragments.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096u /* bytes; grows with what really comes */

static uint32_t length_of(uint32_t total, uint32_t part)
{
    uint32_t left = total - part * SHL_MESSAGE_PAYLOAD;

    return left < SHL_MESSAGE_PAYLOAD ? left : SHL_MESSAGE_PAYLOAD;
}

void shl_fragments_cut(struct shl_message *message,
                       const struct shl_message *whole, uint32_t part,
                       const uint8_t *bytes)
{
    uint32_t length = length_of(whole->total, part);

    message->type = whole->type;
    message->flags = whole->flags;
    message->request = whole->request;
    message->part = part;
    message->total = whole->total;
    if (length)
        memcpy(message->payload, bytes + (size_t)part * SHL_MESSAGE_PAYLOAD,
               length);
    memset(message->payload + length, 0, SHL_MESSAGE_PAYLOAD - length);
}

const char *shl_fragments_fault_text(enum shl_fragments_fault fault)
{
    switch (fault) {
    case SHL_FRAGMENTS_FINE:
        return "no part is missing";
    case SHL_FRAGMENTS_LOST:
        return "a part of the message is missing or out of order";
    case SHL_FRAGMENTS_REPEATED:
        return "a part of the message came twice or out of order";
    case SHL_FRAGMENTS_LIES:
        return "the fragments of the message disagree about what it is";
    case SHL_FRAGMENTS_TOO_LONG:
        return "the message is longer than 64 MiB";
    case SHL_FRAGMENTS_TOO_MANY:
        return "more than 8 long messages were sent at once";
    case SHL_FRAGMENTS_NO_MEMORY:
        return "there is no memory for the message";
    }
    return "the message is damaged";
}

void shl_fragments_init(struct shl_fragments *fragments, uint32_t limit)
{
    memset(fragments, 0, sizeof *fragments);
    fragments->limit = limit;
}

static void release(struct shl_transfer *transfer)
{
    free(transfer->bytes);
    memset(transfer, 0, sizeof *transfer);
}

static struct shl_transfer *find(struct shl_fragments *fragments,
                                 uint32_t request)
{
    for (uint32_t i = 0; i < SHL_FRAGMENTS_AT_ONCE; i++)
        if (fragments->transfer[i].bytes &&
            fragments->transfer[i].request == request)
            return &fragments->transfer[i];
    return NULL;
}

static struct shl_transfer *find_free(struct shl_fragments *fragments)
{
    for (uint32_t i = 0; i < SHL_FRAGMENTS_AT_ONCE; i++)
        if (!fragments->transfer[i].bytes)
            return &fragments->transfer[i];
    return NULL;
}

void shl_fragments_drop(struct shl_fragments *fragments, uint32_t request)
{
    struct shl_transfer *transfer = find(fragments, request);

    if (transfer)
        release(transfer);
}

void shl_fragments_clear(struct shl_fragments *fragments)
{
    for (uint32_t i = 0; i < SHL_FRAGMENTS_AT_ONCE; i++)
        release(&fragments->transfer[i]);
    free(fragments->done);
    fragments->done = NULL;
}

/* What is wrong with this message as the next one of its transfer. */
static enum shl_fragments_fault judge(const struct shl_fragments *fragments,
                                      const struct shl_transfer *transfer,
                                      const struct shl_message *message)
{
    if (message->total > fragments->limit)
        return SHL_FRAGMENTS_TOO_LONG;
    if (message->part >= shl_fragments_count(message->total))
        return SHL_FRAGMENTS_LIES;
    if (!transfer)
        return message->part ? SHL_FRAGMENTS_LOST : SHL_FRAGMENTS_FINE;
    if (message->total != transfer->total || message->type != transfer->type ||
        message->flags != transfer->flags)
        return SHL_FRAGMENTS_LIES;
    if (message->part < transfer->next)
        return SHL_FRAGMENTS_REPEATED;
    return message->part > transfer->next ? SHL_FRAGMENTS_LOST
                                          : SHL_FRAGMENTS_FINE;
}

/* Memory follows what has come, not what was promised. */
static bool make_room(struct shl_transfer *transfer, uint32_t size)
{
    uint32_t room = transfer->room ? transfer->room : FIRST_ROOM;
    uint8_t *bytes;

    if (size <= transfer->room)
        return true;
    while (room < size)
        room *= 2;
    bytes = realloc(transfer->bytes, room);
    if (!bytes)
        return false;
    transfer->bytes = bytes;
    transfer->room = room;
    return true;
}

static enum shl_fragments_fault begin(struct shl_fragments *fragments,
                                      const struct shl_message *message,
                                      struct shl_transfer **result)
{
    struct shl_transfer *transfer = find_free(fragments);

    if (!transfer)
        return SHL_FRAGMENTS_TOO_MANY;
    if (!make_room(transfer, 1))
        return SHL_FRAGMENTS_NO_MEMORY;
    transfer->type = message->type;
    transfer->flags = message->flags;
    transfer->request = message->request;
    transfer->total = message->total;
    *result = transfer;
    return SHL_FRAGMENTS_FINE;
}

static enum shl_fragments_fault append(struct shl_transfer *transfer,
                                       const struct shl_message *message)
{
    uint32_t length = length_of(message->total, message->part);
    uint32_t at = message->part * SHL_MESSAGE_PAYLOAD;

    if (!make_room(transfer, at + length))
        return SHL_FRAGMENTS_NO_MEMORY;
    memcpy(transfer->bytes + at, message->payload, length);
    transfer->next++;
    return SHL_FRAGMENTS_FINE;
}

static shl_status give_up(struct shl_fragments *fragments,
                          struct shl_transfer *transfer,
                          struct shl_whole *whole,
                          enum shl_fragments_fault fault)
{
    if (transfer)
        release(transfer);
    fragments->faults++;
    whole->fault = fault;
    return fault == SHL_FRAGMENTS_NO_MEMORY ? SHL_NO_MEMORY : SHL_BAD_PEER;
}

static void hand_over(struct shl_fragments *fragments,
                      struct shl_transfer *transfer, struct shl_whole *whole)
{
    fragments->done = transfer->bytes;
    transfer->bytes = NULL;
    release(transfer);
    whole->bytes = fragments->done;
}

shl_status shl_fragments_add(struct shl_fragments *fragments,
                             const struct shl_message *message,
                             struct shl_whole *whole)
{
    struct shl_transfer *transfer = find(fragments, message->request);
    enum shl_fragments_fault fault = judge(fragments, transfer, message);

    free(fragments->done);
    fragments->done = NULL;
    *whole = (struct shl_whole){.type = message->type,
                                .flags = message->flags,
                                .request = message->request,
                                .size = message->total};
    if (fault)
        return give_up(fragments, transfer, whole, fault);
    if (shl_fragments_count(message->total) == 1) {
        whole->bytes = message->payload;
        return SHL_OK;
    }
    if (!transfer)
        fault = begin(fragments, message, &transfer);
    if (!fault)
        fault = append(transfer, message);
    if (fault)
        return give_up(fragments, transfer, whole, fault);
    if (transfer->next < shl_fragments_count(message->total))
        return SHL_AGAIN;
    hand_over(fragments, transfer, whole);
    return SHL_OK;
}
