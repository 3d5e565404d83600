#include "pair.h"

/* How far from where the clocks say it may be, in parts of the latency, and how
 * long to wait for it. */
#define SHARE      4u
#define PATIENCE_S 0.1

void shl_pair_init(struct shl_pair *pair, const _Atomic uint64_t *heard,
                   uint32_t other_frames, uint32_t latency_frames,
                   double rate_hz)
{
    *pair =
        (struct shl_pair){.heard = heard,
                          .both_frames = other_frames + latency_frames,
                          .apart_frames = latency_frames / SHARE,
                          .patience_frames = (uint32_t)(PATIENCE_S * rate_hz)};
}

SHL_RT void shl_pair_look(struct shl_pair *pair, uint64_t frame, int64_t aim)
{
    pair->holds = false;
    if (!pair->heard)
        return;
    /* relaxed: a number alone */
    uint64_t heard = atomic_load_explicit(pair->heard, memory_order_relaxed);
    if (!(heard & 1u) || heard == pair->not_by)
        return;
    /* whatever number that is, unsigned sums wrap and the last check decides */
    uint64_t there = (uint64_t)((int64_t)(heard - 1u) / 2);
    uint64_t place = frame + there - pair->both_frames;
    uint64_t apart = place - (uint64_t)aim + pair->apart_frames;
    pair->by = heard;
    pair->place = (int64_t)place;
    pair->holds = apart <= 2 * (uint64_t)pair->apart_frames;
}

SHL_RT void shl_pair_drop(struct shl_pair *pair)
{
    pair->holds = false;
    pair->not_by = pair->by;
}

SHL_RT bool shl_pair_await(struct shl_pair *pair, uint32_t frames)
{
    if (!pair->heard || pair->patience_frames == 0)
        return false;
    pair->patience_frames -=
        frames < pair->patience_frames ? frames : pair->patience_frames;
    return true;
}
