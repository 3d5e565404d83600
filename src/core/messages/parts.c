#include "core/messages/parts.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096u /* bytes; grows with what really comes */

static uint32_t length_of(uint32_t total, uint32_t part)
{
    uint32_t left = total - part * SHL_MESSAGE_PAYLOAD;

    return left < SHL_MESSAGE_PAYLOAD ? left : SHL_MESSAGE_PAYLOAD;
}

void shl_parts_cut(struct shl_message *message, const struct shl_message *whole,
                   uint32_t part, const uint8_t *bytes)
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

const char *shl_parts_fault_text(enum shl_parts_fault fault)
{
    switch (fault) {
    case SHL_PARTS_FINE:
        return "no part is missing";
    case SHL_PARTS_LOST:
        return "a part of the message is missing or out of order";
    case SHL_PARTS_REPEATED:
        return "a part of the message came twice or out of order";
    case SHL_PARTS_LIES:
        return "the parts of the message disagree about what it is";
    case SHL_PARTS_TOO_LONG:
        return "the message is longer than 64 MiB";
    case SHL_PARTS_TOO_MANY:
        return "more than 8 long messages were sent at once";
    case SHL_PARTS_NO_MEMORY:
        return "there is no memory for the message";
    }
    return "the message is damaged";
}

void shl_parts_init(struct shl_parts *parts, uint32_t limit)
{
    memset(parts, 0, sizeof *parts);
    parts->limit = limit;
}

static void release(struct shl_transfer *transfer)
{
    free(transfer->bytes);
    memset(transfer, 0, sizeof *transfer);
}

static struct shl_transfer *find(struct shl_parts *parts, uint32_t request)
{
    for (uint32_t i = 0; i < SHL_PARTS_AT_ONCE; i++)
        if (parts->transfer[i].bytes && parts->transfer[i].request == request)
            return &parts->transfer[i];
    return NULL;
}

static struct shl_transfer *find_free(struct shl_parts *parts)
{
    for (uint32_t i = 0; i < SHL_PARTS_AT_ONCE; i++)
        if (!parts->transfer[i].bytes)
            return &parts->transfer[i];
    return NULL;
}

void shl_parts_drop(struct shl_parts *parts, uint32_t request)
{
    struct shl_transfer *transfer = find(parts, request);

    if (transfer)
        release(transfer);
}

void shl_parts_clear(struct shl_parts *parts)
{
    for (uint32_t i = 0; i < SHL_PARTS_AT_ONCE; i++)
        release(&parts->transfer[i]);
    free(parts->done);
    parts->done = NULL;
}

/* What is wrong with this message as the next one of its transfer. */
static enum shl_parts_fault judge(const struct shl_parts *parts,
                                  const struct shl_transfer *transfer,
                                  const struct shl_message *message)
{
    if (message->total > parts->limit)
        return SHL_PARTS_TOO_LONG;
    if (message->part >= shl_parts_count(message->total))
        return SHL_PARTS_LIES;
    if (!transfer)
        return message->part ? SHL_PARTS_LOST : SHL_PARTS_FINE;
    if (message->total != transfer->total || message->type != transfer->type ||
        message->flags != transfer->flags)
        return SHL_PARTS_LIES;
    if (message->part < transfer->next)
        return SHL_PARTS_REPEATED;
    return message->part > transfer->next ? SHL_PARTS_LOST : SHL_PARTS_FINE;
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

static enum shl_parts_fault begin(struct shl_parts *parts,
                                  const struct shl_message *message,
                                  struct shl_transfer **result)
{
    struct shl_transfer *transfer = find_free(parts);

    if (!transfer)
        return SHL_PARTS_TOO_MANY;
    if (!make_room(transfer, 1))
        return SHL_PARTS_NO_MEMORY;
    transfer->type = message->type;
    transfer->flags = message->flags;
    transfer->request = message->request;
    transfer->total = message->total;
    *result = transfer;
    return SHL_PARTS_FINE;
}

static enum shl_parts_fault append(struct shl_transfer *transfer,
                                   const struct shl_message *message)
{
    uint32_t length = length_of(message->total, message->part);
    uint32_t at = message->part * SHL_MESSAGE_PAYLOAD;

    if (!make_room(transfer, at + length))
        return SHL_PARTS_NO_MEMORY;
    memcpy(transfer->bytes + at, message->payload, length);
    transfer->next++;
    return SHL_PARTS_FINE;
}

static shl_status give_up(struct shl_parts *parts,
                          struct shl_transfer *transfer,
                          struct shl_whole *whole, enum shl_parts_fault fault)
{
    if (transfer)
        release(transfer);
    parts->faults++;
    whole->fault = fault;
    return fault == SHL_PARTS_NO_MEMORY ? SHL_NO_MEMORY : SHL_BAD_PEER;
}

static void hand_over(struct shl_parts *parts, struct shl_transfer *transfer,
                      struct shl_whole *whole)
{
    parts->done = transfer->bytes;
    transfer->bytes = NULL;
    release(transfer);
    whole->bytes = parts->done;
}

shl_status shl_parts_add(struct shl_parts *parts,
                         const struct shl_message *message,
                         struct shl_whole *whole)
{
    struct shl_transfer *transfer = find(parts, message->request);
    enum shl_parts_fault fault = judge(parts, transfer, message);

    free(parts->done);
    parts->done = NULL;
    *whole = (struct shl_whole){.type = message->type,
                                .flags = message->flags,
                                .request = message->request,
                                .size = message->total};
    if (fault)
        return give_up(parts, transfer, whole, fault);
    if (shl_parts_count(message->total) == 1) {
        whole->bytes = message->payload;
        return SHL_OK;
    }
    if (!transfer)
        fault = begin(parts, message, &transfer);
    if (!fault)
        fault = append(transfer, message);
    if (fault)
        return give_up(parts, transfer, whole, fault);
    if (transfer->next < shl_parts_count(message->total))
        return SHL_AGAIN;
    hand_over(parts, transfer, whole);
    return SHL_OK;
}
