/* SPDX-License-Identifier: MIT */
/* What two sides say to each other outside of the audio's time: one record of
 * 256 bytes, the types it can have, and how values lie in its payload. Longer
 * payloads travel in parts (parts.h). Values are little-endian, texts UTF-8
 * with their length before them and no end mark. */
#ifndef SHL_MESSAGE_H
#define SHL_MESSAGE_H

#include "status.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SHL_MESSAGE_PAYLOAD 240u

/* Low byte of the flags; the high byte is the number of the claim. */
#define SHL_MESSAGE_ASKS 1u /* an answer with this request id is expected */

/* Ids of messages that ask nothing have this bit; those of requests do not. */
#define SHL_MESSAGE_UNASKED 0x80000000u

/** One slot of a message ring. */
struct shl_message {
    uint16_t type;    /* enum shl_message_type */
    uint16_t flags;   /* SHL_MESSAGE_ASKS; claim number << 8 */
    uint32_t request; /* what it asks or answers; the same in all parts */
    uint32_t part;    /* 0, 1, ... */
    uint32_t total;   /* bytes of the whole payload; the same in all parts */
    uint8_t payload[SHL_MESSAGE_PAYLOAD]; /* unused bytes are 0 */
};
#ifndef __cplusplus
static_assert(sizeof(struct shl_message) == 256, "wire size");
#endif

/* The numbers are part of the wire; new ones go to the end. */
enum shl_message_type {
    SHL_MESSAGE_PING = 1,
    SHL_MESSAGE_PONG,
    SHL_MESSAGE_REPLY,
    SHL_MESSAGE_ERROR,
    SHL_MESSAGE_BYE,
    SHL_MESSAGE_IDLE,
    SHL_MESSAGE_ACTIVE,
    SHL_MESSAGE_MIDI_RAW,
    SHL_MESSAGE_PARAM_LIST,
    SHL_MESSAGE_PARAM_GET,
    SHL_MESSAGE_PARAM_SET,
    SHL_MESSAGE_PARAM_TEXT,
    SHL_MESSAGE_PROGRAM_LIST,
    SHL_MESSAGE_PROGRAM_GET,
    SHL_MESSAGE_PROGRAM_SET,
    SHL_MESSAGE_PRESET,
    SHL_MESSAGE_STATE_SAVE,
    SHL_MESSAGE_STATE_RESTORE,
    SHL_MESSAGE_FILE_OFFER,
    SHL_MESSAGE_FILE_DATA,
    SHL_MESSAGE_TAP_LIST,
    SHL_MESSAGE_TAP_SELECT,
    SHL_MESSAGE_BYPASS,
    SHL_MESSAGE_RESET,
    SHL_MESSAGE_BUS_LAYOUT,
    SHL_MESSAGE_LOG,
    SHL_MESSAGE_EXTENSIONS,
    SHL_MESSAGE_EXTENSION_CALL,
    SHL_MESSAGE_PLUGIN,
    SHL_MESSAGE_TYPES
};

/** What there is to know of a type, in words. */
struct shl_message_about {
    const char *name;    /* "param_get" */
    const char *payload; /* its fields in order, or "-" */
    const char *sender;  /* "host", "device", "both" */
    const char *answer;  /* payload of the reply, "pong", or "-" */
    const char *errors;  /* words of statuses, or "-" */
    uint32_t timeout_ms; /* for an answer, unless the asker says otherwise */
};

/** NULL for numbers that are no type. [any] */
const struct shl_message_about *shl_message_get_about(uint32_t type);

/** Whether it ends a request: reply, error, pong. [any] */
bool shl_message_answers(uint32_t type);

/** A whole message as a handler gets it; the bytes are valid during the call.
 */
struct shl_received {
    uint32_t type;
    uint32_t request; /* to give to shl_device_reply */
    uint32_t asks;    /* 1: an answer is expected */
    uint32_t size;
    const uint8_t *bytes;
};

/** The reason of a bye, fit to be shown; "" if there is none. [any] */
void shl_bye_text(const struct shl_received *message, char text[SHL_TEXT_SIZE]);

/** Returns 1: handled; 0: the built-in handler may have it. [control] */
typedef int (*shl_message_handler)(void *arg,
                                   const struct shl_received *message);

/** The one final answer to a request. */
struct shl_answer {
    uint32_t request;
    uint32_t type;        /* that was asked */
    shl_status status;    /* SHL_OK: the reply is in bytes */
    const char *text;     /* a sentence if status is not SHL_OK, else "" */
    const uint8_t *bytes; /* valid during the call */
    uint32_t size;
    uint64_t took_ns; /* from the question */
};

typedef void (*shl_answer_handler)(void *arg, const struct shl_answer *answer);

/* ---- writing a payload -------------------------------------------------- */

struct shl_pack {
    uint8_t *bytes;
    size_t size, used;
    bool full; /* something did not fit; nothing was written beyond */
};

/** Write into these bytes, from their beginning. They stay the caller's. [any]
 */
static inline struct shl_pack shl_pack_into(void *bytes, size_t size)
{
    struct shl_pack pack = {(uint8_t *)bytes, size, 0, false};
    return pack;
}

/** Append; what does not fit as a whole is left out and `full` is set. [any] */
void shl_pack_u32(struct shl_pack *pack, uint32_t value);
void shl_pack_u64(struct shl_pack *pack, uint64_t value);
void shl_pack_f64(struct shl_pack *pack, double value);
/** Length u32, then the bytes. [any] */
void shl_pack_bytes(struct shl_pack *pack, const void *bytes, size_t size);
void shl_pack_text(struct shl_pack *pack, const char *text);

/* ---- reading one --------------------------------------------------------- */

struct shl_unpack {
    const uint8_t *bytes;
    size_t size, at;
    bool bad; /* something was not there; all that follows is 0 */
};

/** Read these bytes from their beginning. They stay the caller's. [any] */
static inline struct shl_unpack shl_unpack_from(const void *bytes, size_t size)
{
    struct shl_unpack unpack = {(const uint8_t *)bytes, size, 0, false};
    return unpack;
}

/** The next value; 0 and `bad` if it is not there. [any] */
uint32_t shl_unpack_u32(struct shl_unpack *unpack);
uint64_t shl_unpack_u64(struct shl_unpack *unpack);
double shl_unpack_f64(struct shl_unpack *unpack);
/** Length, then a pointer into the payload; NULL and size 0 if the length is
 * more than what is there. [any] */
const uint8_t *shl_unpack_bytes(struct shl_unpack *unpack, uint32_t *size);
/** Into room of `size` bytes, terminated; "" and `bad` if it is longer, or has
 * a 0 inside. [any] */
void shl_unpack_text(struct shl_unpack *unpack, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
