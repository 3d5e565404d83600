/* SPDX-License-Identifier: MIT */
/* A value of several words in shared memory, that one process writes and others
 * copy whole: a sequence before it, odd while it is being written. */
#ifndef SHL_SEQLOCK_H
#define SHL_SEQLOCK_H

#include "shmlink/realtime.h"
#include "shmlink/status.h"

#include <stdbool.h>
#include <stdint.h>

/** Copy a value that is another than at *sequence (0 at first: nothing was ever
 * written). False if it is the same, or being written just now: nobody waits.
 * What is left in `value` is then half of this and half of that. [any] */
SHL_RT bool shl_seqlock_look(const void *seqlock, uint32_t *sequence,
                             void *value, uint32_t words);
/** Copy a value out of a seqlock; SHL_AGAIN if the writer keeps it busy (bounded
 * tries). `words` of 8 bytes. [any] */
SHL_RT shl_status shl_seqlock_read(const void *seqlock, void *value,
                                   uint32_t words);
/** Write a seqlock; one that a dead writer left half is whole again. One writer at a time. [any] */
SHL_RT void shl_seqlock_write(void *seqlock, const void *value, uint32_t words);

#endif
