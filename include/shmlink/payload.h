/* SPDX-License-Identifier: MIT */
/* What lies in the payload of each message: one table, and made from it one
 * struct, one pack and one unpack for each row. The words of
 * shl_message_get_about, and by them the tables of PROTOCOL.md and the lines of
 * the monitor, come from the same rows. A list is the row `list` and then its
 * rows, `count` times. */
#ifndef SHL_PAYLOAD_H
#define SHL_PAYLOAD_H

#include "limits.h"
#include "message.h"
#include "param.h"

#ifdef __cplusplus
extern "C" {
#endif

/* F(kind, field, bytes of room, its name in words, what else there is to say)
 *   u32, u64, f64   numbers
 *   text            length and bytes; in the struct terminated, in this room
 *   bytes           all that is left: the last field, a pointer into the payload
 */
/* clang-format off */
#define SHL_PAYLOAD_ERROR(F) \
    F(u32, status, 0, "status", "") \
    F(text, sentence, SHL_MESSAGE_PAYLOAD, "sentence", "")
#define SHL_PAYLOAD_BYE(F) \
    F(text, reason, SHL_TEXT_SIZE, "reason", "")
#define SHL_PAYLOAD_MIDI_RAW(F) \
    F(u32, port, 0, "port", "") \
    F(bytes, midi, 0, "MIDI 1.0", "")
#define SHL_PAYLOAD_LIST(F) \
    F(u32, count, 0, "count", "")
#define SHL_PAYLOAD_PARAM(F) \
    F(u32, id, 0, "id", "") \
    F(u32, flags, 0, "flags", "") \
    F(f64, minimum, 0, "minimum", "") \
    F(f64, maximum, 0, "maximum", "") \
    F(f64, initial, 0, "initial", "") \
    F(text, name, SHL_TEXT_SIZE, "name", "") \
    F(text, unit, SHL_LABEL_SIZE, "unit", "")
#define SHL_PAYLOAD_PARAM_GROUP(F) \
    F(text, group, SHL_WORD_SIZE, "group", "")
#define SHL_PAYLOAD_PARAM_ID(F) \
    F(u32, id, 0, "id", "")
#define SHL_PAYLOAD_PARAM_VALUE(F) \
    F(f64, value, 0, "value", "")
#define SHL_PAYLOAD_PARAM_SET(F) \
    F(u32, id, 0, "id", "") \
    F(f64, value, 0, "value", "")
#define SHL_PAYLOAD_PARAM_TEXT(F) \
    F(u32, id, 0, "id", "") \
    F(f64, value, 0, "value", "") \
    F(text, text, 256, "words", ": empty asks for those of the value, else for their value")
#define SHL_PAYLOAD_PARAM_WORDS(F) \
    F(f64, value, 0, "value", "") \
    F(text, text, 256, "words", "")
#define SHL_PAYLOAD_PROGRAM(F) \
    F(u32, index, 0, "index", "") \
    F(text, name, 128, "name", "")
#define SHL_PAYLOAD_PROGRAM_NAME(F) \
    F(text, name, 128, "name", "")
#define SHL_PAYLOAD_PROGRAM_SET(F) \
    F(u32, index, 0, "index", "")
#define SHL_PAYLOAD_FILE_OFFER(F) \
    F(text, name, SHL_FILE_NAME_SIZE, "name", " without a path") \
    F(u64, size, 0, "size", "") \
    F(u32, checksum, 0, "CRC-32", "")
#define SHL_PAYLOAD_FILE_TRANSFER(F) \
    F(u32, transfer, 0, "transfer", "")
#define SHL_PAYLOAD_FILE_DATA(F) \
    F(u32, transfer, 0, "transfer", "") \
    F(u64, offset, 0, "offset", "") \
    F(bytes, data, 0, "data", "")
#define SHL_PAYLOAD_FILE_KEPT(F) \
    F(u64, kept, 0, "bytes kept so far", "")
#define SHL_PAYLOAD_TAP(F) \
    F(text, name, SHL_TAP_NAME_SIZE, "name", "") \
    F(u32, kind, 0, "kind", "") \
    F(u32, channels, 0, "channels", "")
#define SHL_PAYLOAD_TAP_CHOICE(F) \
    F(u32, first, 0, "first channel", "") \
    F(text, name, SHL_TAP_NAME_SIZE, "name", "")
#define SHL_PAYLOAD_BUSES(F) \
    F(u32, inputs, 0, "inputs", "") \
    F(u32, outputs, 0, "outputs", "")
#define SHL_PAYLOAD_BUS(F) \
    F(u32, channels, 0, "channels", "") \
    F(text, name, SHL_TEXT_SIZE, "name", "")
#define SHL_PAYLOAD_LOG(F) \
    F(u32, level, 0, "level", " (0 error, 1 warning, 2 note)") \
    F(text, sentence, 512, "sentence", "")
#define SHL_PAYLOAD_PLUGIN(F) \
    F(u32, request, 0, "Maolan request", "") \
    F(bytes, scratch, 0, "scratch", "")

#define SHL_PAYLOADS(P) \
    P(error, SHL_PAYLOAD_ERROR) \
    P(bye, SHL_PAYLOAD_BYE) \
    P(midi_raw, SHL_PAYLOAD_MIDI_RAW) \
    P(list, SHL_PAYLOAD_LIST) \
    P(param, SHL_PAYLOAD_PARAM) \
    P(param_group, SHL_PAYLOAD_PARAM_GROUP) \
    P(param_id, SHL_PAYLOAD_PARAM_ID) \
    P(param_value, SHL_PAYLOAD_PARAM_VALUE) \
    P(param_set, SHL_PAYLOAD_PARAM_SET) \
    P(param_text, SHL_PAYLOAD_PARAM_TEXT) \
    P(param_words, SHL_PAYLOAD_PARAM_WORDS) \
    P(program, SHL_PAYLOAD_PROGRAM) \
    P(program_name, SHL_PAYLOAD_PROGRAM_NAME) \
    P(program_set, SHL_PAYLOAD_PROGRAM_SET) \
    P(file_offer, SHL_PAYLOAD_FILE_OFFER) \
    P(file_transfer, SHL_PAYLOAD_FILE_TRANSFER) \
    P(file_data, SHL_PAYLOAD_FILE_DATA) \
    P(file_kept, SHL_PAYLOAD_FILE_KEPT) \
    P(tap, SHL_PAYLOAD_TAP) \
    P(tap_choice, SHL_PAYLOAD_TAP_CHOICE) \
    P(buses, SHL_PAYLOAD_BUSES) \
    P(bus, SHL_PAYLOAD_BUS) \
    P(log, SHL_PAYLOAD_LOG) \
    P(plugin, SHL_PAYLOAD_PLUGIN)

#define SHL_PAYLOAD_HOLD_u32(field, room) uint32_t field;
#define SHL_PAYLOAD_HOLD_u64(field, room) uint64_t field;
#define SHL_PAYLOAD_HOLD_f64(field, room) double field;
#define SHL_PAYLOAD_HOLD_text(field, room) char field[room];
#define SHL_PAYLOAD_HOLD_bytes(field, room) \
    const uint8_t *field; uint32_t field##_size;
#define SHL_PAYLOAD_HOLD(kind, field, room, words, note) \
    SHL_PAYLOAD_HOLD_##kind(field, room)

/* struct shl_payload_param_set { uint32_t id; double value; }, and two calls:
 *   shl_pack_param_set     append it to a payload [any]
 *   shl_unpack_param_set   read the next one; whether it was there, else every
 *                          field that was not is 0 or "" [any] */
#define SHL_PAYLOAD_DECLARE(name, fields) \
    struct shl_payload_##name { fields(SHL_PAYLOAD_HOLD) }; \
    void shl_pack_##name(struct shl_pack *pack, const struct shl_payload_##name *from); \
    bool shl_unpack_##name(struct shl_unpack *unpack, struct shl_payload_##name *to);
SHL_PAYLOADS(SHL_PAYLOAD_DECLARE)
/* clang-format on */

/** The answer to param_list: the list, and behind it the groups, where a reader
 * that knows no groups has stopped reading. [any] */
void shl_pack_params(struct shl_pack *pack, const struct shl_param *params,
                     uint32_t count);

/** The answer to bus_layout of a device with at most one bus each way, "in" and
 * "out". [any] */
void shl_pack_bus_layout(struct shl_pack *pack, uint32_t inputs,
                         uint32_t outputs);

/** Whether all was there and nothing is left. [any] */
static inline bool shl_unpack_whole(const struct shl_unpack *unpack)
{
    return !unpack->bad && unpack->at == unpack->size;
}

#ifdef __cplusplus
}
#endif
#endif
