/* SPDX-License-Identifier: MIT */
/* MIDI 1.0 bytes to UMP words and back, and what is sounding. Pure functions
 * and small states in the caller's memory; no ring, no clock, no system.
 * Sources: MIDI 1.0 detailed specification (running status, realtime bytes);
 * M2-104 Universal MIDI Packet (message types 1 to 4). */
#ifndef SHL_MIDI_H
#define SHL_MIDI_H

#include "event.h"
#include "realtime.h"

#include <stddef.h>
#include <stdint.h>

#define SHL_HELD_LANES 256 /* 16 ports of 16 channels */

#ifdef __cplusplus
extern "C" {
#endif

/** Words of a UMP packet by the type in its first word: 1 to 4. [any] */
SHL_RT uint32_t shl_ump_words(uint32_t word0);

/** A MIDI 1.0 message of any status but SysEx as one UMP word: channel voice
 * as type 2, system common and realtime as type 1. data beyond the message's
 * length is ignored. 0 if the status is none, F0 or F7. [any] */
SHL_RT uint32_t shl_midi_to_ump(uint8_t port, uint8_t status, uint8_t data1,
                                uint8_t data2);

/** A packet of type 1, 2 or 4 as MIDI 1.0 bytes (type 4 narrowed as M2-104
 * says). Returns the number of bytes, 0 if it has no MIDI 1.0 form. [any] */
SHL_RT uint32_t shl_ump_to_midi(const uint32_t *ump, uint8_t bytes[3]);

/** Bytes of a message by its status (1 to 3), 0 for SysEx and for no status.
 * [any] */
SHL_RT uint32_t shl_midi_length(uint8_t status);

/* ---- a stream of bytes -------------------------------------------------- */

/** What a stream of bytes needs to remember. All zero is the start. */
struct shl_midi_stream {
    uint8_t status; /* running; 0: none */
    uint8_t data[2];
    uint8_t count; /* data bytes there */
    uint8_t in_sysex;
    uint8_t sysex_count;
    uint8_t sysex[6];
    uint8_t sysex_started; /* a packet of it has been given out */
    uint32_t strays;       /* bytes that belong to no message */
};

/** Take one byte; give out a UMP packet when it completes one. Running status,
 * realtime bytes inside other messages, SysEx of any length (as SysEx7
 * packets, 6 bytes each). Any other status ends a SysEx, too. Returns the words
 * in `ump`: 0, 1 or 2. [audio] */
SHL_RT uint32_t shl_midi_stream_byte(struct shl_midi_stream *stream,
                                     uint8_t port, uint8_t byte,
                                     uint32_t ump[2]);

/* ---- SysEx7 --------------------------------------------------------------- */

/** Packets that `size` bytes need; F0 and F7 at the ends do not count.
 * [any] */
uint32_t shl_sysex7_packets(const uint8_t *bytes, size_t size);

/** Packet number `index` of the message. Every byte but the F0 and F7 at the
 * ends must be below 80 hex: SHL_BAD_VALUE. [any] */
shl_status shl_sysex7_packet(uint8_t port, const uint8_t *bytes, size_t size,
                             uint32_t index, uint32_t ump[2]);

/** Data bytes of one SysEx7 packet (0 to 6); *first and *last tell its place.
 * SHL_BAD_PEER if it is not one. [any] */
SHL_RT shl_status shl_sysex7_bytes(const uint32_t ump[2], uint8_t bytes[6],
                                   uint32_t *count, int *first, int *last);

/* ---- MIDI 2.0 notes with a pitch of their own ------------------------------ */

/** 7 bits as 16, as M2-115 translates them: 0, 64 and 127 become bottom, centre
 * and top; above the centre the low bits are repeated. [any] */
uint16_t shl_midi_widen(uint8_t value);

/** Note on or off as MIDI 2.0 (type 4, two words). `pitch` in semitones may
 * have a fraction, sent as attribute 3 (pitch 7.9); the key is the one below
 * it. velocity 0 to 65535. [any] */
void shl_ump_note(uint8_t port, int on, uint8_t channel, double pitch,
                  uint16_t velocity, uint32_t ump[2]);

/** One channel voice message in common terms, from type 2 or 4. */
struct shl_voice_message {
    uint8_t port, channel;
    uint8_t status; /* high nibble: 0x80 to 0xE0 */
    uint8_t key;    /* key, controller or program */
    double value;   /* 0..1; bend -1..1; program: 0 */
    double pitch;   /* of a note, in semitones, with its fraction */
};

/** Read a packet of type 2 or 4. A note on with velocity 0 (type 2) is a note
 * off. SHL_UNSUPPORTED for all other packets. [audio] */
SHL_RT shl_status shl_ump_read(const uint32_t *ump,
                               struct shl_voice_message *message);

/* ---- what is sounding -------------------------------------------------------- */

/** Notes on, pedals down and wheels off centre, for 16 ports of 16 channels.
 * All zero: silence. */
struct shl_held {
    uint32_t notes[SHL_HELD_LANES][4];
    uint8_t sustain[SHL_HELD_LANES];
    uint8_t bend[SHL_HELD_LANES];
    uint32_t count; /* things held; 0: nothing to release */
};

/** As shl_held_follow, for packets that may hold or end something. [audio] */
SHL_RT void shl_held_change(struct shl_held *held, const uint32_t *ump);

/** Follow one packet. [audio] */
SHL_RT static inline void shl_held_follow(struct shl_held *held,
                                          const uint32_t *ump)
{
    /* what comes in streams holds nothing: MIDI 1.0 controllers but sustain,
     * pressure */
    uint32_t kind = ump[0] & 0xF0F00000u, controller = ump[0] >> 8 & 0x7F;
    if (kind == 0x20B00000u ? controller == 64
                            : kind != 0x20A00000u && kind != 0x20D00000u)
        shl_held_change(held, ump);
}

/** Take out one thing that is held and give the type 2 packet that ends it:
 * note off, sustain 0, bend to the centre. False if nothing is held. [audio] */
SHL_RT int shl_held_release(struct shl_held *held, uint32_t *ump);

#ifdef __cplusplus
}
#endif
#endif
