/* SPDX-License-Identifier: MIT */
/* An event: anything that has a time. The 32 bytes below are also its form in
 * the event rings of the link area, so packing is copying. Channels are 0 to
 * 15, ports (UMP groups) 0 to 15; Pd's counting from 1 ends in src/pd. */
#ifndef SHL_EVENT_H
#define SHL_EVENT_H

#include "realtime.h"
#include "status.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum shl_event_kind {
    SHL_EVENT_UMP = 1,           /* data: 1 to 4 words of a UMP packet */
    SHL_EVENT_PARAM = 2,         /* a parameter has this value now */
    SHL_EVENT_PARAM_MOD = 3,     /* modulation: added to the value */
    SHL_EVENT_GESTURE_BEGIN = 4, /* somebody takes hold of the parameter */
    SHL_EVENT_GESTURE_END = 5,   /* and lets go */
    /* the transport of the free drive: the roles send and take these by
     * themselves, in pairs */
    SHL_EVENT_TEMPO = 6,   /* data: f64 tempo, u32 numerator, denominator */
    SHL_EVENT_PLAYHEAD = 7 /* data: u64 frame, f64 beats, u32 playing */
};

/**   offset size field
 *   0      8    frame  absolute frame on this link (its epoch began at 0)
 *   8      2    kind   enum shl_event_kind; others are skipped and counted
 *   10     2    size   bytes of data in use: 4 to 20
 *   12     20   data   UMP words; or u32 id, f64 value, i32 note id,
 *                      u8 port, u8 channel, i16 key */
struct shl_event {
    uint64_t frame;
    uint16_t kind;
    uint16_t size;
    uint32_t data[5];
};

/** A UMP packet as an event. `words` must match the packet's type. [any] */
SHL_RT struct shl_event shl_event_ump(uint64_t frame, const uint32_t *ump,
                                      uint32_t words);

/** A MIDI 1.0 channel message as an event; data bytes are cut to 7 bits. [any]
 */
SHL_RT struct shl_event shl_event_midi(uint64_t frame, uint8_t port,
                                       uint8_t status, uint8_t data1,
                                       uint8_t data2);

/** A parameter's plain value as an event of the given parameter kind, for all
 * notes, ports and channels. [any] */
SHL_RT struct shl_event shl_event_param(uint64_t frame,
                                        enum shl_event_kind kind, uint32_t id,
                                        double value);

/** The parameter's id of an event of a parameter kind. [any] */
SHL_RT uint32_t shl_event_id(const struct shl_event *event);

/** The plain value of an event of a parameter kind. [any] */
SHL_RT double shl_event_value(const struct shl_event *event);

/** As shl_event_check, for every kind there is. [any] */
SHL_RT shl_status shl_event_check_any(const struct shl_event *event);

/** Whether kind, size and content fit together: what both roles ask of
 * everything that a peer wrote. A value that is not finite does not pass.
 * SHL_BAD_PEER otherwise. [any] */
static inline shl_status shl_event_check(const struct shl_event *event)
{
    /* MIDI 1.0 channel voice, as nearly every event is, by two looks at its
     * word: type 2, status 8 to E, 7 bits of data */
    uint32_t word = event->data[0];
    if (event->kind == SHL_EVENT_UMP && event->size == 4 &&
        (word & 0xF0808080u) == 0x20800000u &&
        (word & 0x00F00000u) != 0x00F00000u)
        return SHL_OK;
    return shl_event_check_any(event);
}

#ifdef __cplusplus
}
#endif
#endif
