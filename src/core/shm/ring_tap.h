/* SPDX-License-Identifier: MIT */
/* A ring followed by somebody who is not its consumer: it keeps its own place,
 * writes nothing, and so cannot hold anybody up. The price is that slots may be
 * gone, or be written over while they are copied; that is found out by a second
 * look at the indices, and counted.
 *
 * A producer fills slots before it shows them. How many it has in hand cannot be
 * seen, but not more than the consumer has left free, and taken for granted here
 * is: not more than a quarter of the ring. So the newest three quarters can be
 * read, and all of it while the consumer has not taken them. */
#ifndef SHL_RING_TAP_H
#define SHL_RING_TAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct shl_ring_tap {
    const _Atomic uint32_t
        *write;                   /* of the ring; the producer stores (release),
                                      we load (acquire): slots below are whole */
    const _Atomic uint32_t *read; /* the consumer's, a bound only: acquire */
    const uint8_t *slots;         /* aligned to 8 */
    uint32_t slot_size;           /* a multiple of 8 */
    uint32_t count;               /* slots; a power of two */
    uint32_t next;                /* our place */
    uint64_t lost;                /* slots that were gone */
    uint64_t wild;                /* write indices that cannot be */
};

/** Begin at the end: what comes from now on. */
void shl_ring_tap_init(struct shl_ring_tap *ring_tap,
                       const _Atomic uint32_t *write,
                       const _Atomic uint32_t *read, const void *slots,
                       uint32_t slot_size, uint32_t count);

/** Copy the next slot that can be had, passing over and counting those that are
 * gone. False: there is none now. A bounded number of looks. */
bool shl_ring_tap_next(struct shl_ring_tap *ring_tap, void *slot);

#endif
