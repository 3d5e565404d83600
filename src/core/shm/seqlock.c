/* SPDX-License-Identifier: MIT */
#include "core/shm/seqlock.h"

#include "core/os/platform.h"

#include <stdatomic.h>
#include <string.h>

struct seqlock_head {
    _Atomic uint32_t sequence;
    uint32_t reserved0;
    _Atomic uint64_t word[];
};

/* The words are stored with release and loaded with acquire: who sees a new
 * word also sees that the sequence has become odd before it, and so notices.
 * No fences, which the thread sanitizer would not understand; on most machines
 * these are plain moves. */

/* One attempt: whether the sequence was `sequence` before and after it. */
SHL_RT static bool copy(const struct seqlock_head *head, uint32_t sequence,
                        uint8_t *to, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++) {
        uint64_t word =
            atomic_load_explicit(&head->word[i], memory_order_acquire);
        memcpy(to + i * sizeof word, &word, sizeof word);
    }
    return atomic_load_explicit(&head->sequence, memory_order_relaxed) ==
           sequence;
}

/* acquire: the words are at least as new */
SHL_RT static uint32_t sequence_of(const struct seqlock_head *head)
{
    return atomic_load_explicit(&head->sequence, memory_order_acquire);
}

SHL_RT bool shl_seqlock_look(const void *seqlock, uint32_t *sequence,
                             void *value, uint32_t words)
{
    const struct seqlock_head *head = seqlock;
    uint32_t now = sequence_of(head);

    if (now == *sequence || now & 1 || !copy(head, now, value, words))
        return false;
    *sequence = now;
    return true;
}

SHL_RT shl_status shl_seqlock_read(const void *seqlock, void *value,
                                   uint32_t words)
{
    const struct seqlock_head *head = seqlock;

    for (int tries = 0; tries < 100; tries++) {
        uint32_t now = sequence_of(head);

        if (!(now & 1) && copy(head, now, value, words))
            return SHL_OK;
        shl_pause();
    }
    return SHL_AGAIN;
}

SHL_RT void shl_seqlock_write(void *seqlock, const void *value, uint32_t words)
{
    struct seqlock_head *head = seqlock;
    const uint8_t *from = value;
    /* an odd one was left by a writer that died: go on from there */
    uint32_t odd =
        atomic_load_explicit(&head->sequence, memory_order_relaxed) | 1;

    atomic_store_explicit(&head->sequence, odd, memory_order_relaxed);
    for (uint32_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, from + i * sizeof word, sizeof word);
        /* release: the odd sequence is seen before it */
        atomic_store_explicit(&head->word[i], word, memory_order_release);
    }
    /* release: the words are whole */
    atomic_store_explicit(&head->sequence, odd + 1, memory_order_release);
}
