/* SPDX-License-Identifier: MIT */
#include "shmlink/message.h"

#include "shmlink/name.h"
#include "shmlink/payload.h"

#include <string.h>

/* "id u32, value f64" from a row of the table of payloads */
#define WORDS_OF(kind, field, room, words, note) ", " words " " #kind note
#define WORDS(fields)                            (&fields(WORDS_OF)[2])
#define LIST(fields)                                                           \
    (&SHL_PAYLOAD_LIST(WORDS_OF) "; for each" fields(WORDS_OF)[2])
#define LIST_PARAMS                                                            \
    (&SHL_PAYLOAD_LIST(WORDS_OF) "; for each" SHL_PAYLOAD_PARAM(               \
        WORDS_OF) "; then for each" SHL_PAYLOAD_PARAM_GROUP(WORDS_OF)[2])
#define LIST_BUSES                                                             \
    (&SHL_PAYLOAD_BUSES(WORDS_OF) "; for each" SHL_PAYLOAD_BUS(WORDS_OF)[2])

/* One line per type: name, payload, sender, answer, errors, time to answer. */
/* clang-format off */
static const struct shl_message_about types[SHL_MESSAGE_TYPES] = {
    [SHL_MESSAGE_PING] = {"ping", "any bytes", "both", "pong", "-", 1000},
    [SHL_MESSAGE_PONG] = {"pong", "the bytes of the ping", "both", "-", "-", 0},
    [SHL_MESSAGE_REPLY] = {"reply", "as the asked type says", "both", "-", "-", 0},
    [SHL_MESSAGE_ERROR] = {"error", WORDS(SHL_PAYLOAD_ERROR), "both", "-", "-", 0},
    [SHL_MESSAGE_BYE] = {"bye", WORDS(SHL_PAYLOAD_BYE), "both", "-", "-", 0},
    [SHL_MESSAGE_IDLE] = {"idle", "-", "host", "-", "-", 0},
    [SHL_MESSAGE_ACTIVE] = {"active", "-", "host", "-", "-", 0},
    [SHL_MESSAGE_MIDI_RAW] = {"midi_raw", WORDS(SHL_PAYLOAD_MIDI_RAW), "both", "-", "bad_value, ring_full, unsupported", 5000},
    [SHL_MESSAGE_PARAM_LIST] = {"param_list", "-", "host", LIST_PARAMS, "unsupported", 1000},
    [SHL_MESSAGE_PARAM_GET] = {"param_get", WORDS(SHL_PAYLOAD_PARAM_ID), "host", WORDS(SHL_PAYLOAD_PARAM_VALUE), "not_found, unsupported", 1000},
    [SHL_MESSAGE_PARAM_SET] = {"param_set", WORDS(SHL_PAYLOAD_PARAM_SET), "host", WORDS(SHL_PAYLOAD_PARAM_VALUE), "not_found, bad_value, unsupported", 1000},
    [SHL_MESSAGE_PARAM_TEXT] = {"param_text", WORDS(SHL_PAYLOAD_PARAM_TEXT), "host", WORDS(SHL_PAYLOAD_PARAM_WORDS), "not_found, bad_value, unsupported", 1000},
    [SHL_MESSAGE_PROGRAM_LIST] = {"program_list", "-", "host", LIST(SHL_PAYLOAD_PROGRAM_NAME), "unsupported", 1000},
    [SHL_MESSAGE_PROGRAM_GET] = {"program_get", "-", "host", WORDS(SHL_PAYLOAD_PROGRAM), "unsupported", 1000},
    [SHL_MESSAGE_PROGRAM_SET] = {"program_set", WORDS(SHL_PAYLOAD_PROGRAM_SET), "both", WORDS(SHL_PAYLOAD_PROGRAM), "not_found, unsupported", 1000},
    [SHL_MESSAGE_PRESET] = {"preset", "name text, data bytes", "both", "-", "bad_value, unsupported", 5000},
    [SHL_MESSAGE_STATE_SAVE] = {"state_save", "-", "host", "the state, any bytes", "unsupported", 5000},
    [SHL_MESSAGE_STATE_RESTORE] = {"state_restore", "the state, any bytes", "host", "-", "bad_value, foreign, wrong_version, unsupported", 5000},
    [SHL_MESSAGE_FILE_OFFER] = {"file_offer", WORDS(SHL_PAYLOAD_FILE_OFFER), "both", WORDS(SHL_PAYLOAD_FILE_TRANSFER), "no_permission, bad_name, taken, no_space, unsupported", 5000},
    [SHL_MESSAGE_FILE_DATA] = {"file_data", WORDS(SHL_PAYLOAD_FILE_DATA), "both", WORDS(SHL_PAYLOAD_FILE_KEPT), "not_found, bad_value, no_space, system", 5000},
    [SHL_MESSAGE_TAP_LIST] = {"tap_list", "-", "host", LIST(SHL_PAYLOAD_TAP), "unsupported", 1000},
    [SHL_MESSAGE_TAP_SELECT] = {"tap_select", LIST(SHL_PAYLOAD_TAP_CHOICE), "host", "-", "not_found, wrong_channels, bad_value, no_space, unsupported", 1000},
    [SHL_MESSAGE_BYPASS] = {"bypass", "mode u32: 0 off, 1 hard, 2 soft", "host", "-", "bad_value, unsupported", 1000},
    [SHL_MESSAGE_RESET] = {"reset", "-", "host", "-", "unsupported", 5000},
    [SHL_MESSAGE_BUS_LAYOUT] = {"bus_layout", "-", "host", LIST_BUSES, "unsupported", 1000},
    [SHL_MESSAGE_LOG] = {"log", WORDS(SHL_PAYLOAD_LOG), "both", "-", "-", 0},
    [SHL_MESSAGE_EXTENSIONS] = {"extensions", "-", "host", "count u32, for each: URI text", "unsupported", 1000},
    [SHL_MESSAGE_EXTENSION_CALL] = {"extension_call", "URI text, opcode u32, data bytes", "both", "data bytes", "not_found, unsupported", 1000},
    [SHL_MESSAGE_PLUGIN] = {"plugin", WORDS(SHL_PAYLOAD_PLUGIN), "host", "what is in scratch then, any bytes", "bad_value, unsupported", 5000},
};
/* clang-format on */

const struct shl_message_about *shl_message_get_about(uint32_t type)
{
    return type < SHL_MESSAGE_TYPES && types[type].name ? &types[type] : NULL;
}

bool shl_message_answers(uint32_t type)
{
    return type == SHL_MESSAGE_REPLY || type == SHL_MESSAGE_ERROR ||
           type == SHL_MESSAGE_PONG;
}

/* ---- writing ------------------------------------------------------------- */

static uint8_t *room(struct shl_pack *pack, size_t size)
{
    if (pack->full || size > pack->size - pack->used) {
        pack->full = true;
        return NULL;
    }
    pack->used += size;
    return pack->bytes + pack->used - size;
}

void shl_pack_u32(struct shl_pack *pack, uint32_t value)
{
    uint8_t *to = room(pack, sizeof value);

    if (to)
        memcpy(to, &value, sizeof value);
}

void shl_pack_u64(struct shl_pack *pack, uint64_t value)
{
    uint8_t *to = room(pack, sizeof value);

    if (to)
        memcpy(to, &value, sizeof value);
}

void shl_pack_f64(struct shl_pack *pack, double value)
{
    uint8_t *to = room(pack, sizeof value);

    if (to)
        memcpy(to, &value, sizeof value);
}

void shl_pack_bytes(struct shl_pack *pack, const void *bytes, size_t size)
{
    uint32_t length = (uint32_t)size;
    uint8_t *to = NULL;

    if (size <= SHL_MAX_PAYLOAD)
        to = room(pack, sizeof length + size);
    else
        pack->full = true;
    if (!to)
        return;
    memcpy(to, &length, sizeof length);
    if (size)
        memcpy(to + sizeof length, bytes, size);
}

void shl_pack_text(struct shl_pack *pack, const char *text)
{
    shl_pack_bytes(pack, text, strlen(text));
}

/* ---- reading ------------------------------------------------------------- */

static const uint8_t *next(struct shl_unpack *unpack, size_t size)
{
    if (unpack->bad || size > unpack->size - unpack->at) {
        unpack->bad = true;
        return NULL;
    }
    unpack->at += size;
    return unpack->bytes + unpack->at - size;
}

uint32_t shl_unpack_u32(struct shl_unpack *unpack)
{
    const uint8_t *from = next(unpack, sizeof(uint32_t));
    uint32_t value = 0;

    if (from)
        memcpy(&value, from, sizeof value);
    return value;
}

uint64_t shl_unpack_u64(struct shl_unpack *unpack)
{
    const uint8_t *from = next(unpack, sizeof(uint64_t));
    uint64_t value = 0;

    if (from)
        memcpy(&value, from, sizeof value);
    return value;
}

double shl_unpack_f64(struct shl_unpack *unpack)
{
    const uint8_t *from = next(unpack, sizeof(double));
    double value = 0;

    if (from)
        memcpy(&value, from, sizeof value);
    return value;
}

const uint8_t *shl_unpack_bytes(struct shl_unpack *unpack, uint32_t *size)
{
    uint32_t length = shl_unpack_u32(unpack);
    const uint8_t *from = unpack->bad ? NULL : next(unpack, length);

    *size = from ? length : 0;
    return from;
}

void shl_unpack_text(struct shl_unpack *unpack, char *text, size_t size)
{
    uint32_t length;
    const uint8_t *from = shl_unpack_bytes(unpack, &length);

    text[0] = 0;
    if (!from)
        return;
    if (length >= size || memchr(from, 0, length)) {
        unpack->bad = true;
        return;
    }
    memcpy(text, from, length);
    text[length] = 0;
}

/* ---- the last one ----------------------------------------------------------- */

void shl_bye_text(const struct shl_received *message, char text[SHL_TEXT_SIZE])
{
    struct shl_unpack unpack = shl_unpack_from(message->bytes, message->size);

    text[0] = 0;
    if (message->type == SHL_MESSAGE_BYE)
        shl_unpack_text(&unpack, text, SHL_TEXT_SIZE);
    shl_text_clean(text, SHL_TEXT_SIZE);
}
