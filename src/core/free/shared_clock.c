/* SPDX-License-Identifier: MIT */
#include "core/free/shared_clock.h"

#include "core/shm/seqlock.h"

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

    shl_seqlock_write(shared_clock, words, SHL_SHARED_CLOCK_WORDS);
}

SHL_RT bool shl_shared_clock_read(struct shl_shared_clock *shared_clock,
                                  uint32_t *sequence,
                                  struct shl_clock_line *line)
{
    uint64_t words[SHL_SHARED_CLOCK_WORDS];

    if (!shl_seqlock_look(shared_clock, sequence, words,
                          SHL_SHARED_CLOCK_WORDS))
        return false;
    line->frame = words[0];
    line->time_ns = words[1];
    line->period_ns = double_of(words[2]);
    line->spread_ns = double_of(words[3]);
    line->rate_spread = double_of(words[4]);
    return true;
}
