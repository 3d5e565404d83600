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

shl_status shl_seqlock_read(const void *seqlock, void *value, uint32_t words)
{
    const struct seqlock_head *head = seqlock;
    uint8_t *to = value;

    for (int tries = 0; tries < 100; tries++) {
        uint32_t before =
            atomic_load_explicit(&head->sequence, memory_order_acquire);

        for (uint32_t i = 0; i < words && !(before & 1); i++) {
            uint64_t word =
                atomic_load_explicit(&head->word[i], memory_order_acquire);
            memcpy(to + i * sizeof word, &word, sizeof word);
        }
        if (!(before & 1) &&
            atomic_load_explicit(&head->sequence, memory_order_relaxed) ==
                before)
            return SHL_OK;
        shl_pause();
    }
    return SHL_AGAIN;
}

void shl_seqlock_write(void *seqlock, const void *value, uint32_t words)
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
