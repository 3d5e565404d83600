/* SPDX-License-Identifier: MIT */
/* Hostile messages: fragments in any order with any head, and payloads that lie.
 * Putting them together must neither crash nor leak nor keep more memory than
 * has come; unpacking must stay inside the payload. */
#include "core/messages/fragments.h"
#include "core/messages/message_queue.h"
#include "core/shm/layout.h"
#include "shmlink/payload.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

/* Read values as the bytes say; all must come from inside. */
static void unpack_all(const uint8_t *bytes, size_t size)
{
    struct shl_unpack unpack = shl_unpack_from(bytes, size);
    char text[64];

    for (size_t i = 0; i < size && !unpack.bad; i++) {
        const uint8_t *inside;
        uint32_t length;

        switch (bytes[i] % 5) {
        case 0:
            shl_unpack_u32(&unpack);
            break;
        case 1:
            shl_unpack_u64(&unpack);
            break;
        case 2:
            shl_unpack_f64(&unpack);
            break;
        case 3:
            inside = shl_unpack_bytes(&unpack, &length);
            check(!inside || (inside >= bytes && inside <= bytes + size &&
                              length <= (size_t)(bytes + size - inside)));
            break;
        default:
            memset(text, 0x55, sizeof text);
            shl_unpack_text(&unpack, text, bytes[i] % 63 + 1);
            check(memchr(text, 0, sizeof text) != NULL);
        }
        check(unpack.at <= unpack.size);
    }
}

/* Every row of the table from any bytes: never beyond them; and one that is
 * whole is packed into the bytes it came from. */
static void unpack_rows(const uint8_t *bytes, size_t size)
{
    uint8_t again[sizeof(struct shl_payload_log) + 4096];
    struct shl_unpack unpack;
    struct shl_pack pack;

#define ROW(name, fields)                                                      \
    {                                                                          \
        struct shl_payload_##name value;                                       \
        unpack = shl_unpack_from(bytes, size);                                 \
        pack = shl_pack_into(again, sizeof again);                             \
        if (shl_unpack_##name(&unpack, &value) && unpack.at <= sizeof again) { \
            shl_pack_##name(&pack, &value);                                    \
            check(!pack.full && pack.used == unpack.at);                       \
            check(!pack.used || memcmp(again, bytes, pack.used) == 0);         \
        }                                                                      \
    }
    SHL_PAYLOADS(ROW)
}

/* Few ids and lengths, so that transfers meet; sometimes anything. */
static struct shl_message message_from(const uint8_t *bytes)
{
    static const uint32_t totals[] = {0,   1,   240,        241,
                                      480, 481, 0x04000000, 0x04000001};
    struct shl_message message;

    memset(&message, bytes[7], sizeof message);
    message.type = bytes[0] & 1 ? SHL_MESSAGE_LOG : SHL_MESSAGE_REPLY;
    message.flags = bytes[1] & 3;
    message.request = bytes[2] % 12;
    message.part = bytes[3] % 5;
    message.total = totals[bytes[4] % 8];
    if (bytes[5] > 250)
        memcpy(&message.total, bytes + 2, 4);
    if (bytes[6] > 250)
        memcpy(&message.part, bytes + 2, 4);
    return message;
}

static void put_together(const uint8_t *data, size_t size)
{
    struct shl_fragments fragments;
    struct shl_whole whole;
    size_t came = 0;

    shl_fragments_init(&fragments, SHL_MAX_PAYLOAD);
    for (; size >= 8; data += 8, size -= 8) {
        struct shl_message message = message_from(data);
        shl_status st = shl_fragments_add(&fragments, &message, &whole);
        size_t kept = 0;

        came += SHL_MESSAGE_PAYLOAD;
        check(st == SHL_OK || st == SHL_AGAIN || st == SHL_BAD_PEER);
        check((st == SHL_BAD_PEER) == (whole.fault != SHL_FRAGMENTS_FINE));
        if (st == SHL_OK)
            unpack_all(whole.bytes, whole.size);
        for (uint32_t i = 0; i < SHL_FRAGMENTS_AT_ONCE; i++)
            kept += fragments.transfer[i].room;
        check(kept <= SHL_FRAGMENTS_AT_ONCE * 4096 + 2 * came);
        if (data[0] == 0xFF)
            shl_fragments_drop(&fragments, message.request);
    }
    shl_fragments_clear(&fragments);
}

/* The ring itself: whatever stands in its slots and indices. */
static void take_all(const uint8_t *data, size_t size)
{
    static struct shl_messages rings;
    _Atomic uint32_t epoch = data[0] & 1;
    uint32_t budget = 600;
    struct shl_whole whole;
    struct shl_message_queue queue;

    memset(&rings, 0, sizeof rings);
    shl_message_queue_open(&queue, &rings.responses, &rings.commands, &epoch);
    for (size_t at = 0; at < sizeof rings.commands.slot; at += size)
        memcpy((uint8_t *)rings.commands.slot + at, data,
               size < sizeof rings.commands.slot - at
                   ? size
                   : sizeof rings.commands.slot - at);
    memcpy(&rings.commands.write, data, 4);
    memcpy(&rings.responses.read, data + 4, 4);
    for (int i = 0; i < 600; i++)
        if (shl_message_queue_take(&queue, &whole, &budget) == SHL_OK)
            unpack_all(whole.bytes, whole.size);
    shl_message_queue_post(&queue, SHL_MESSAGE_LOG, 0, 0, data, (uint32_t)size);
    shl_message_queue_send(&queue);
    shl_message_queue_close(&queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 8)
        return 0;
    unpack_all(data, size);
    unpack_rows(data, size);
    put_together(data, size);
    if (data[1] % 8 == 0)
        take_all(data, size);
    return 0;
}
