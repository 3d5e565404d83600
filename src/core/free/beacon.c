#include "core/free/beacon.h"

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

SHL_RT void shl_beacon_show(struct shl_beacon *beacon,
                            const struct shl_pace_line *line)
{
    const uint64_t words[SHL_BEACON_WORDS] = {
        line->frame, line->time_ns, bits_of(line->period_ns),
        bits_of(line->spread_ns), bits_of(line->rate_spread)};
    uint64_t sequence =
        atomic_load_explicit(&beacon->sequence, memory_order_relaxed) | 1u;

    atomic_store_explicit(&beacon->sequence, sequence, memory_order_relaxed);
    /* release: whoever sees a new word sees the odd sequence too */
    for (int i = 0; i < SHL_BEACON_WORDS; i++)
        atomic_store_explicit(&beacon->word[i], words[i], memory_order_release);
    /* release: the words are whole */
    atomic_store_explicit(&beacon->sequence, sequence + 1,
                          memory_order_release);
}

SHL_RT bool shl_beacon_look(struct shl_beacon *beacon, uint64_t *sequence,
                            struct shl_pace_line *line)
{
    uint64_t words[SHL_BEACON_WORDS];
    /* acquire: the words are at least as new */
    uint64_t before =
        atomic_load_explicit(&beacon->sequence, memory_order_acquire);

    if (before == *sequence || (before & 1u))
        return false;
    /* acquire: a new word would show the odd sequence below */
    for (int i = 0; i < SHL_BEACON_WORDS; i++)
        words[i] = atomic_load_explicit(&beacon->word[i], memory_order_acquire);
    if (atomic_load_explicit(&beacon->sequence, memory_order_relaxed) != before)
        return false;
    *sequence = before;
    line->frame = words[0];
    line->time_ns = words[1];
    line->period_ns = double_of(words[2]);
    line->spread_ns = double_of(words[3]);
    line->rate_spread = double_of(words[4]);
    return true;
}
