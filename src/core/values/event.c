/* SPDX-License-Identifier: MIT */
#include "shmlink/event.h"

#include "shmlink/midi.h"

#include <math.h>
#include <string.h>

#define PARAM_SIZE 20u
#define ALL_NOTES  0xFFFFFFFFu /* note id -1; and port, channel, key: -1 */

struct shl_event shl_event_ump(uint64_t frame, const uint32_t *ump,
                               uint32_t words)
{
    struct shl_event event = {.frame = frame, .kind = SHL_EVENT_UMP};

    if (words > 4) /* no packet is longer */
        words = 4;
    event.size = (uint16_t)(words * 4);
    memcpy(event.data, ump, event.size);
    return event;
}

struct shl_event shl_event_midi(uint64_t frame, uint8_t port, uint8_t status,
                                uint8_t data1, uint8_t data2)
{
    uint32_t ump = shl_midi_to_ump(port, status, data1, data2);

    return shl_event_ump(frame, &ump, 1);
}

struct shl_event shl_event_param(uint64_t frame, enum shl_event_kind kind,
                                 uint32_t id, double value)
{
    struct shl_event event = {
        .frame = frame, .kind = (uint16_t)kind, .size = PARAM_SIZE};

    event.data[0] = id;
    memcpy(&event.data[1], &value, sizeof value);
    event.data[3] = ALL_NOTES;
    event.data[4] = ALL_NOTES;
    return event;
}

uint32_t shl_event_id(const struct shl_event *event)
{
    return event->data[0];
}

double shl_event_value(const struct shl_event *event)
{
    double value;

    memcpy(&value, &event->data[1], sizeof value);
    return value;
}

/* System messages: F0 and F7 frame SysEx, which travels as type 3. */
static int system_fits(uint32_t word0)
{
    uint32_t status = word0 >> 16 & 0xFF;

    return status > 0xF0 && status != 0xF7 && (word0 & 0x8080) == 0;
}

static int voice_fits(uint32_t word0)
{
    uint32_t status = word0 >> 20 & 0xF;

    return status >= 0x8 && status <= 0xE && (word0 & 0x8080) == 0;
}

static int ump_fits(const struct shl_event *event)
{
    uint32_t word0 = event->data[0];

    if (event->size != 4 * shl_ump_words(word0))
        return 0;
    switch (word0 >> 28) {
    case 1:
        return system_fits(word0);
    case 2:
        return voice_fits(word0);
    case 3: {
        uint8_t bytes[6];
        uint32_t count;
        int first, last;
        return !shl_sysex7_bytes(event->data, bytes, &count, &first, &last);
    }
    default:
        return 1; /* whoever does not know a type skips it by its size */
    }
}

shl_status shl_event_check_any(const struct shl_event *event)
{
    switch (event->kind) {
    case SHL_EVENT_UMP:
        return ump_fits(event) ? SHL_OK : SHL_BAD_PEER;
    case SHL_EVENT_PARAM:
    case SHL_EVENT_PARAM_MOD:
    case SHL_EVENT_GESTURE_BEGIN:
    case SHL_EVENT_GESTURE_END:
        if (event->size != PARAM_SIZE || !isfinite(shl_event_value(event)))
            return SHL_BAD_PEER;
        return SHL_OK;
    default:
        return SHL_BAD_PEER;
    }
}
