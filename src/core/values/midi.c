/* SPDX-License-Identifier: MIT */
#include "shmlink/midi.h"

#include <math.h>
#include <string.h>

enum { SYSTEM = 1, VOICE1 = 2, SYSEX7 = 3, VOICE2 = 4 }; /* message types */
enum { COMPLETE, START, CONTINUE, END };                 /* SysEx7 forms */

#define ATTRIBUTE_PITCH 3u
#define SUSTAIN         64u

static const uint8_t ump_words[16] = {1, 1, 1, 2, 2, 4, 1, 1,
                                      2, 2, 2, 3, 3, 4, 4, 4};

uint32_t shl_ump_words(uint32_t word0)
{
    return ump_words[word0 >> 28];
}

static const uint8_t voice_length[7] = {3, 3, 3, 3, 2, 2, 3};

uint32_t shl_midi_length(uint8_t status)
{
    if (status < 0x80)
        return 0;
    if (status < 0xF0)
        return voice_length[(status >> 4) - 8];
    switch (status) {
    case 0xF0:
    case 0xF7:
        return 0;
    case 0xF1:
    case 0xF3:
        return 2;
    case 0xF2:
        return 3;
    default:
        return 1;
    }
}

uint32_t shl_midi_to_ump(uint8_t port, uint8_t status, uint8_t data1,
                         uint8_t data2)
{
    uint32_t length = shl_midi_length(status);
    uint32_t ump;

    if (length == 0)
        return 0;
    ump = (uint32_t)(status < 0xF0 ? VOICE1 : SYSTEM) << 28;
    ump |= (uint32_t)(port & 0xF) << 24 | (uint32_t)status << 16;
    if (length > 1)
        ump |= (uint32_t)(data1 & 0x7F) << 8;
    if (length > 2)
        ump |= data2 & 0x7Fu;
    return ump;
}

static uint32_t narrow_system(uint32_t word0, uint8_t bytes[3])
{
    uint8_t status = (uint8_t)(word0 >> 16);

    if (status < 0xF0)
        return 0;
    bytes[0] = status;
    bytes[1] = word0 >> 8 & 0x7F;
    bytes[2] = word0 & 0x7F;
    return shl_midi_length(status);
}

static uint32_t narrow_voice1(uint32_t word0, uint8_t bytes[3])
{
    uint8_t status = (uint8_t)(word0 >> 16);

    if (status < 0x80 || status >= 0xF0)
        return 0;
    bytes[0] = status;
    bytes[1] = word0 >> 8 & 0x7F;
    bytes[2] = word0 & 0x7F;
    return shl_midi_length(status);
}

/* M2-104, appendix D: the upper bits stay. Only a note on may not end at
 * velocity 0, where MIDI 1.0 reads a note off. */
static uint32_t narrow_voice2(uint32_t word0, uint32_t word1, uint8_t bytes[3])
{
    uint8_t status = (uint8_t)(word0 >> 16);
    uint8_t top = (uint8_t)(word1 >> 25);

    if (status < 0x80 || status >= 0xF0)
        return 0;
    bytes[0] = status;
    bytes[1] = word0 >> 8 & 0x7F;
    bytes[2] = top;
    switch (status >> 4) {
    case 0x9:
        if (top == 0)
            bytes[2] = 1;
        break;
    case 0xC:
        bytes[1] = word1 >> 24 & 0x7F;
        break;
    case 0xD:
        bytes[1] = top;
        break;
    case 0xE:
        bytes[1] = word1 >> 18 & 0x7F;
        break;
    default:
        break;
    }
    return shl_midi_length(status);
}

uint32_t shl_ump_to_midi(const uint32_t *ump, uint8_t bytes[3])
{
    uint8_t made[3] = {0};
    uint32_t length;

    switch (ump[0] >> 28) {
    case SYSTEM:
        length = narrow_system(ump[0], made);
        break;
    case VOICE1:
        length = narrow_voice1(ump[0], made);
        break;
    case VOICE2:
        length = narrow_voice2(ump[0], ump[1], made);
        break;
    default:
        return 0;
    }
    memcpy(bytes, made, length);
    return length;
}

/* ---- SysEx7 ------------------------------------------------------------ */

static void sysex7(uint8_t port, uint32_t form, const uint8_t *bytes,
                   uint32_t count, uint32_t ump[2])
{
    uint8_t six[6] = {0};

    if (count)
        memcpy(six, bytes, count);
    ump[0] = (uint32_t)SYSEX7 << 28 | (uint32_t)(port & 0xF) << 24 |
             form << 20 | count << 16 | (uint32_t)six[0] << 8 | six[1];
    ump[1] = (uint32_t)six[2] << 24 | (uint32_t)six[3] << 16 |
             (uint32_t)six[4] << 8 | six[5];
}

/* The message without F0 and F7 at its ends. */
static const uint8_t *sysex_body(const uint8_t *bytes, size_t *size)
{
    if (*size && bytes[0] == 0xF0) {
        bytes++;
        (*size)--;
    }
    if (*size && bytes[*size - 1] == 0xF7)
        (*size)--;
    return bytes;
}

uint32_t shl_sysex7_packets(const uint8_t *bytes, size_t size)
{
    sysex_body(bytes, &size);
    return size ? (uint32_t)((size + 5) / 6) : 1;
}

static int all_data(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] & 0x80)
            return 0;
    return 1;
}

shl_status shl_sysex7_packet(uint8_t port, const uint8_t *bytes, size_t size,
                             uint32_t index, uint32_t ump[2])
{
    const uint8_t *body = sysex_body(bytes, &size);
    uint32_t packets = size ? (uint32_t)((size + 5) / 6) : 1;
    size_t begin = (size_t)index * 6;
    uint32_t count, form;

    if (index >= packets)
        return SHL_BAD_VALUE;
    count = size - begin < 6 ? (uint32_t)(size - begin) : 6;
    /* The first packet answers for all of them, so that a bad message is
     * refused whole; the others only for themselves. */
    if (!all_data(body + begin, index ? count : size))
        return SHL_BAD_VALUE;
    if (packets == 1)
        form = COMPLETE;
    else if (index == 0)
        form = START;
    else
        form = index + 1 < packets ? CONTINUE : END;
    sysex7(port, form, body + begin, count, ump);
    return SHL_OK;
}

shl_status shl_sysex7_bytes(const uint32_t ump[2], uint8_t bytes[6],
                            uint32_t *count, int *first, int *last)
{
    uint32_t form = ump[0] >> 20 & 0xF;
    uint32_t n = ump[0] >> 16 & 0xF;
    uint8_t six[6] = {(uint8_t)(ump[0] >> 8),  (uint8_t)ump[0],
                      (uint8_t)(ump[1] >> 24), (uint8_t)(ump[1] >> 16),
                      (uint8_t)(ump[1] >> 8),  (uint8_t)ump[1]};

    if (ump[0] >> 28 != SYSEX7 || form > END || n > 6 || !all_data(six, n))
        return SHL_BAD_PEER;
    memcpy(bytes, six, n);
    *count = n;
    *first = form == COMPLETE || form == START;
    *last = form == COMPLETE || form == END;
    return SHL_OK;
}

/* ---- a stream of bytes --------------------------------------------------- */

static uint32_t sysex_give(struct shl_midi_stream *stream, uint8_t port,
                           int last, uint32_t ump[2])
{
    uint32_t form = stream->sysex_started ? CONTINUE : START;

    if (last)
        form = stream->sysex_started ? END : COMPLETE;
    sysex7(port, form, stream->sysex, stream->sysex_count, ump);
    stream->sysex_started = !last;
    stream->sysex_count = 0;
    if (last)
        stream->in_sysex = 0;
    return 2;
}

/* A full packet waits for one more byte, since only that tells whether it is
 * the last one. */
static uint32_t sysex_data(struct shl_midi_stream *stream, uint8_t port,
                           uint8_t byte, uint32_t ump[2])
{
    uint32_t words = 0;

    if (stream->sysex_count >= 6)
        words = sysex_give(stream, port, 0, ump);
    stream->sysex[stream->sysex_count++] = byte;
    return words;
}

static uint32_t stream_data(struct shl_midi_stream *stream, uint8_t port,
                            uint8_t byte, uint32_t ump[2])
{
    if (stream->in_sysex)
        return sysex_data(stream, port, byte, ump);
    if (stream->status == 0) {
        stream->strays++;
        return 0;
    }
    stream->data[stream->count++] = byte;
    if (stream->count + 1u < shl_midi_length(stream->status))
        return 0;
    ump[0] =
        shl_midi_to_ump(port, stream->status, stream->data[0], stream->data[1]);
    stream->count = 0;
    if (stream->status >= 0xF0)
        stream->status = 0; /* system messages do not run */
    return 1;
}

/* Any status but realtime ends a SysEx, F7 or not. What it cuts off elsewhere
 * is counted. */
static uint32_t stream_status(struct shl_midi_stream *stream, uint8_t port,
                              uint8_t status, uint32_t ump[2])
{
    int ends = stream->in_sysex;
    uint32_t words = ends ? sysex_give(stream, port, 1, ump) : 0;

    stream->strays += stream->count;
    stream->count = 0;
    stream->status = 0;
    if (status == 0xF0) {
        stream->in_sysex = 1;
    } else if (status == 0xF7) {
        stream->strays += !ends;
    } else if (shl_midi_length(status) > 1) {
        stream->status = status;
    } else if (ends) {
        stream->strays++; /* one byte cannot give out two packets */
    } else {
        ump[0] = shl_midi_to_ump(port, status, 0, 0);
        words = 1;
    }
    return words;
}

uint32_t shl_midi_stream_byte(struct shl_midi_stream *stream, uint8_t port,
                              uint8_t byte, uint32_t ump[2])
{
    if (byte >= 0xF8) {
        ump[0] = shl_midi_to_ump(port, byte, 0, 0);
        return 1;
    }
    if (byte >= 0x80)
        return stream_status(stream, port, byte, ump);
    return stream_data(stream, port, byte, ump);
}

/* ---- common terms ---------------------------------------------------------- */

uint16_t shl_midi_widen(uint8_t value)
{
    uint32_t wide = (uint32_t)(value & 0x7F) << 9;

    if (value > 64) {
        uint32_t low = value & 0x3Fu;
        wide |= low << 3 | low >> 3;
    }
    return (uint16_t)wide;
}

void shl_ump_note(uint8_t port, int on, uint8_t channel, double pitch,
                  uint16_t velocity, uint32_t ump[2])
{
    uint32_t status = (on ? 0x90u : 0x80u) | (channel & 0xFu);
    uint32_t fixed = 0; /* 7 bits of semitones, 9 of fraction */

    if (pitch >= 127.999)
        fixed = 0xFFFF;
    else if (pitch > 0)
        fixed = (uint32_t)(pitch * 512 + 0.5);
    ump[0] = (uint32_t)VOICE2 << 28 | (uint32_t)(port & 0xF) << 24 |
             status << 16 | (fixed >> 9) << 8;
    ump[1] = (uint32_t)velocity << 16;
    if (fixed & 0x1FF) {
        ump[0] |= ATTRIBUTE_PITCH;
        ump[1] |= fixed;
    }
}

/* -1..1 with the centre at exactly 0: below it there is one step more. */
static double centred(uint32_t value, uint32_t centre)
{
    if (value < centre)
        return -(double)(centre - value) / centre;
    return (double)(value - centre) / (centre - 1);
}

static void read_voice1(uint32_t word0, struct shl_voice_message *message)
{
    uint32_t data1 = word0 >> 8 & 0x7F;
    uint32_t data2 = word0 & 0x7F;

    message->key = (uint8_t)data1;
    message->value = data2 / 127.0;
    if (message->status == 0x90 && data2 == 0)
        message->status = 0x80;
    if (message->status <= 0xA0)
        message->pitch = data1;
    if (message->status == 0xC0)
        message->value = 0;
    if (message->status == 0xD0)
        message->value = data1 / 127.0;
    if (message->status == 0xE0)
        message->value = centred(data1 | data2 << 7, 0x2000);
    if (message->status >= 0xD0)
        message->key = 0;
}

static void read_voice2(uint32_t word0, uint32_t word1,
                        struct shl_voice_message *message)
{
    message->key = word0 >> 8 & 0x7F;
    message->value = word1 / 4294967295.0;
    if (message->status <= 0x90)
        message->value = (word1 >> 16) / 65535.0;
    if (message->status <= 0xA0)
        message->pitch = message->key;
    if (message->status <= 0x90 && (word0 & 0xFF) == ATTRIBUTE_PITCH)
        message->pitch = (word1 & 0xFFFF) / 512.0;
    if (message->status == 0xC0) {
        message->key = word1 >> 24 & 0x7F;
        message->value = 0;
    }
    if (message->status == 0xE0)
        message->value = centred(word1, 0x80000000u);
    if (message->status >= 0xD0)
        message->key = 0;
}

shl_status shl_ump_read(const uint32_t *ump, struct shl_voice_message *message)
{
    uint32_t type = ump[0] >> 28;
    uint32_t status = ump[0] >> 16 & 0xF0;
    struct shl_voice_message read = {.port = ump[0] >> 24 & 0xF,
                                     .channel = ump[0] >> 16 & 0xF,
                                     .status = (uint8_t)status};

    if ((type != VOICE1 && type != VOICE2) || status < 0x80 || status == 0xF0)
        return SHL_UNSUPPORTED;
    if (type == VOICE1)
        read_voice1(ump[0], &read);
    else
        read_voice2(ump[0], ump[1], &read);
    *message = read;
    return SHL_OK;
}

/* ---- what is sounding ---------------------------------------------------- */

static void follow_note(struct shl_held *held, uint32_t lane, uint8_t key,
                        int on)
{
    uint32_t *word = &held->notes[lane][key >> 5];
    uint32_t bit = 1u << (key & 31);

    if (on == ((*word & bit) != 0))
        return;
    *word ^= bit;
    held->count += on ? 1u : UINT32_MAX;
}

static void follow_switch(struct shl_held *held, uint8_t *kept, int on)
{
    if (on == *kept)
        return;
    *kept = (uint8_t)on;
    held->count += on ? 1u : UINT32_MAX;
}

/* Every event on its way passes here, so MIDI 1.0 is not first made common
 * terms of. */
static void follow_voice1(struct shl_held *held, uint32_t word0)
{
    uint32_t lane = word0 >> 20 & 0xF0, data1 = word0 >> 8 & 0x7F;
    uint32_t data2 = word0 & 0x7F;

    lane |= word0 >> 16 & 0xF;
    switch (word0 >> 20 & 0xF) {
    case 0x8:
        follow_note(held, lane, (uint8_t)data1, 0);
        break;
    case 0x9:
        follow_note(held, lane, (uint8_t)data1, data2 > 0);
        break;
    case 0xB:
        if (data1 == SUSTAIN)
            follow_switch(held, &held->sustain[lane], data2 >= 64);
        break;
    case 0xE:
        follow_switch(held, &held->bend[lane], data1 != 0 || data2 != 64);
        break;
    }
}

static void follow_voice2(struct shl_held *held, const uint32_t *ump)
{
    struct shl_voice_message message;
    uint32_t lane;

    if (shl_ump_read(ump, &message))
        return;
    lane = message.port * 16u + message.channel;
    if (message.status == 0x80 || message.status == 0x90)
        follow_note(held, lane, message.key, message.status == 0x90);
    else if (message.status == 0xB0 && message.key == SUSTAIN)
        follow_switch(held, &held->sustain[lane], message.value >= 0.5);
    else if (message.status == 0xE0)
        follow_switch(held, &held->bend[lane],
                      message.value < 0 || message.value > 0);
}

/* All notes off and its relatives do not count as ends: a device that ignores
 * them would keep sounding, and a note off too many does no harm. */
void shl_held_change(struct shl_held *held, const uint32_t *ump)
{
    if (ump[0] >> 28 == VOICE1)
        follow_voice1(held, ump[0]);
    else
        follow_voice2(held, ump);
}

static int held_key(const uint32_t notes[4])
{
    for (int key = 0; key < 128; key++)
        if (notes[key >> 5] >> (key & 31) & 1)
            return key;
    return -1;
}

/* What ends one thing of a lane, 0 if it holds none. */
static uint32_t lane_end(const struct shl_held *held, uint32_t lane)
{
    uint8_t port = (uint8_t)(lane >> 4), channel = lane & 0xF;
    int key = held_key(held->notes[lane]);

    if (key >= 0)
        return shl_midi_to_ump(port, 0x80 | channel, (uint8_t)key, 0);
    if (held->sustain[lane])
        return shl_midi_to_ump(port, 0xB0 | channel, SUSTAIN, 0);
    if (held->bend[lane])
        return shl_midi_to_ump(port, 0xE0 | channel, 0, 64);
    return 0;
}

int shl_held_release(struct shl_held *held, uint32_t *ump)
{
    if (held->count == 0)
        return 0;
    for (uint32_t lane = 0; lane < SHL_HELD_LANES; lane++) {
        uint32_t end = lane_end(held, lane);
        if (end) {
            shl_held_change(held, &end);
            *ump = end;
            return 1;
        }
    }
    held->count = 0;
    return 0;
}
