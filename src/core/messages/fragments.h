/* SPDX-License-Identifier: MIT */
/* Payloads longer than one message: cut into fragments, and put together again.
 * A ring loses and swaps nothing, so fragments must come in order; whatever else
 * comes is a peer's fault and ends that transfer with a reason. Several
 * transfers may be under way, told apart by their request id. No time, no
 * threads, no shared memory. */
#ifndef SHL_FRAGMENTS_H
#define SHL_FRAGMENTS_H

#include "shmlink/message.h"

#define SHL_FRAGMENTS_AT_ONCE 8u

/** How many messages a payload takes; one also for 0 bytes. */
static inline uint32_t shl_fragments_count(uint32_t size)
{
    return size ? (size + SHL_MESSAGE_PAYLOAD - 1) / SHL_MESSAGE_PAYLOAD : 1;
}

/** Fill one message with part `part` of the payload; `whole` gives type, flags,
 * request id, and in `total` the size of `bytes`. */
void shl_fragments_cut(struct shl_message *message,
                       const struct shl_message *whole, uint32_t part,
                       const uint8_t *bytes);

enum shl_fragments_fault {
    SHL_FRAGMENTS_FINE,
    SHL_FRAGMENTS_LOST,     /* a part is missing, or came too early */
    SHL_FRAGMENTS_REPEATED, /* a part came twice, or too late */
    SHL_FRAGMENTS_LIES, /* its fragments disagree about type, flags or length */
    SHL_FRAGMENTS_TOO_LONG, /* more than the limit */
    SHL_FRAGMENTS_TOO_MANY, /* SHL_FRAGMENTS_AT_ONCE transfers are under way */
    SHL_FRAGMENTS_NO_MEMORY
};

/** One plain sentence. Never NULL. */
const char *shl_fragments_fault_text(enum shl_fragments_fault fault);

/** A transfer under way, or the free place for one (bytes NULL). */
struct shl_transfer {
    uint16_t type, flags;
    uint32_t request;
    uint32_t next; /* part that must come */
    uint32_t total, room;
    uint8_t *bytes;
};

struct shl_fragments {
    uint32_t limit; /* bytes of one payload */
    struct shl_transfer transfer[SHL_FRAGMENTS_AT_ONCE];
    uint8_t *done; /* the payload that was given out last */
    uint64_t faults;
};

struct shl_whole {
    uint16_t type, flags;
    uint32_t request;
    uint32_t size;
    const uint8_t *bytes; /* valid until the next call */
    enum shl_fragments_fault fault;
};

void shl_fragments_init(struct shl_fragments *fragments, uint32_t limit);

/** Add one message, a copy that no peer can reach. SHL_OK: a payload is whole,
 * in *whole. SHL_AGAIN: fragments are missing. SHL_BAD_PEER, SHL_NO_MEMORY: that
 * transfer has ended, whole->fault says why; the others go on. */
shl_status shl_fragments_add(struct shl_fragments *fragments,
                             const struct shl_message *message,
                             struct shl_whole *whole);

/** Nobody waits for this transfer any more. */
void shl_fragments_drop(struct shl_fragments *fragments, uint32_t request);

/** Forget all of them. */
void shl_fragments_clear(struct shl_fragments *fragments);

#endif
