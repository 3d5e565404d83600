/* SPDX-License-Identifier: MIT */
#include "core/free/shared_clock.h"

#include <string.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

SHL_RT void shl_shared_clock_write(struct shl_shared_clock *shared_clock,
                                   const struct shl_clock_line *line)
{
    const uint64_t words[SHL_SHARED_CLOCK_WORDS] = {
        line->frame, line->time_ns, bits_of(line->period_ns),
        bits_of(line->spread_ns), bits_of(line->rate_spread)};
    uint64_t sequence =
        atomic_load_explicit(&shared_clock->sequence, memory_order_relaxed) |
        1u;

    atomic_store_explicit(&shared_clock->sequence, sequence,
                          memory_order_relaxed);
    /* release: whoever sees a new word sees the odd sequence too */
    for (int i = 0; i < SHL_SHARED_CLOCK_WORDS; i++)
        atomic_store_explicit(&shared_clock->word[i], words[i],
                              memory_order_release);
    /* release: the words are whole */
    atomic_store_explicit(&shared_clock->sequence, sequence + 1,
                          memory_order_release);
}

SHL_RT bool shl_shared_clock_read(struct shl_shared_clock *shared_clock,
                                  uint64_t *sequence,
                                  struct shl_clock_line *line)
{
    uint64_t words[SHL_SHARED_CLOCK_WORDS];
    /* acquire: the words are at least as new */
    uint64_t before =
        atomic_load_explicit(&shared_clock->sequence, memory_order_acquire);

    if (before == *sequence || (before & 1u))
        return false;
    /* acquire: a new word would show the odd sequence below */
    for (int i = 0; i < SHL_SHARED_CLOCK_WORDS; i++)
        words[i] =
            atomic_load_explicit(&shared_clock->word[i], memory_order_acquire);
    if (atomic_load_explicit(&shared_clock->sequence, memory_order_relaxed) !=
        before)
        return false;
    *sequence = before;
    line->frame = words[0];
    line->time_ns = words[1];
    line->period_ns = double_of(words[2]);
    line->spread_ns = double_of(words[3]);
    line->rate_spread = double_of(words[4]);
    return true;
}
