/* SPDX-License-Identifier: MIT */
#include "shmlink/message.h"

#include "shmlink/name.h"

#include <string.h>

/* One line per type: name, payload, sender, answer, errors, time to answer. */
/* clang-format off */
static const struct shl_message_about types[SHL_MESSAGE_TYPES] = {
    [SHL_MESSAGE_PING] = {"ping", "any bytes", "both", "pong", "-", 1000},
    [SHL_MESSAGE_PONG] = {"pong", "the bytes of the ping", "both", "-", "-", 0},
    [SHL_MESSAGE_REPLY] = {"reply", "as the asked type says", "both", "-", "-", 0},
    [SHL_MESSAGE_ERROR] = {"error", "status u32, sentence text", "both", "-", "-", 0},
    [SHL_MESSAGE_BYE] = {"bye", "reason text", "both", "-", "-", 0},
    [SHL_MESSAGE_IDLE] = {"idle", "-", "host", "-", "-", 0},
    [SHL_MESSAGE_ACTIVE] = {"active", "-", "host", "-", "-", 0},
    [SHL_MESSAGE_MIDI_RAW] = {"midi_raw", "port u32, MIDI 1.0 bytes", "both", "-", "bad_value, ring_full, unsupported", 5000},
    [SHL_MESSAGE_PARAM_LIST] = {"param_list", "-", "host", "count u32, for each: id u32, flags u32, minimum f64, maximum f64, initial f64, name text, unit text", "unsupported", 1000},
    [SHL_MESSAGE_PARAM_GET] = {"param_get", "id u32", "host", "value f64", "not_found, unsupported", 1000},
    [SHL_MESSAGE_PARAM_SET] = {"param_set", "id u32, value f64", "host", "value as kept f64", "not_found, bad_value, unsupported", 1000},
    [SHL_MESSAGE_PARAM_TEXT] = {"param_text", "id u32, value f64, text: empty asks for that of the value, else for its value", "host", "value f64, text", "not_found, bad_value, unsupported", 1000},
    [SHL_MESSAGE_PROGRAM_LIST] = {"program_list", "-", "host", "count u32, for each: name text", "unsupported", 1000},
    [SHL_MESSAGE_PROGRAM_GET] = {"program_get", "-", "host", "index u32, name text", "unsupported", 1000},
    [SHL_MESSAGE_PROGRAM_SET] = {"program_set", "index u32", "both", "index u32, name text", "not_found, unsupported", 1000},
    [SHL_MESSAGE_PRESET] = {"preset", "name text, data bytes", "both", "-", "bad_value, unsupported", 5000},
    [SHL_MESSAGE_STATE_SAVE] = {"state_save", "-", "host", "the state, any bytes", "unsupported", 5000},
    [SHL_MESSAGE_STATE_RESTORE] = {"state_restore", "the state, any bytes", "host", "-", "bad_value, foreign, wrong_version, unsupported", 5000},
    [SHL_MESSAGE_FILE_OFFER] = {"file_offer", "name text without a path, size u64, CRC-32 u32", "both", "transfer u32", "no_permission, bad_name, taken, no_space, unsupported", 5000},
    [SHL_MESSAGE_FILE_DATA] = {"file_data", "transfer u32, offset u64, data bytes", "both", "bytes kept so far u64", "not_found, bad_value, no_space, system", 5000},
    [SHL_MESSAGE_TAP_LIST] = {"tap_list", "-", "host", "count u32, for each: name text, kind u32, channels u32", "unsupported", 1000},
    [SHL_MESSAGE_TAP_SELECT] = {"tap_select", "count u32, for each: first channel u32, name text", "host", "-", "not_found, wrong_channels, bad_value, no_space, unsupported", 1000},
    [SHL_MESSAGE_BYPASS] = {"bypass", "mode u32: 0 off, 1 hard, 2 soft", "host", "-", "bad_value, unsupported", 1000},
    [SHL_MESSAGE_RESET] = {"reset", "-", "host", "-", "unsupported", 5000},
    [SHL_MESSAGE_BUS_LAYOUT] = {"bus_layout", "-", "host", "inputs u32, outputs u32, for each: channels u32, name text", "unsupported", 1000},
    [SHL_MESSAGE_LOG] = {"log", "level u32: 0 error, 1 warning, 2 note; text", "both", "-", "-", 0},
    [SHL_MESSAGE_EXTENSIONS] = {"extensions", "-", "host", "count u32, for each: URI text", "unsupported", 1000},
    [SHL_MESSAGE_EXTENSION_CALL] = {"extension_call", "URI text, opcode u32, data bytes", "both", "data bytes", "not_found, unsupported", 1000},
    [SHL_MESSAGE_PLUGIN] = {"plugin", "Maolan request u32, what goes into scratch, any bytes", "host", "what is in scratch then, any bytes", "bad_value, unsupported", 5000},
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
