#include "core/free/pair.h"

#include "core/shm/layout.h"

/* How far from where the clocks say it may be, in parts of the latency, and how
 * long to wait for it. */
#define SHARE      4u
#define PATIENCE_S 0.25

void shl_pair_init(struct shl_pair *pair, const _Atomic uint64_t *heard,
                   const _Atomic uint32_t *other, uint32_t latency_frames,
                   double rate_hz)
{
    *pair =
        (struct shl_pair){.heard = heard,
                          .other = other,
                          .patience_frames = (uint32_t)(PATIENCE_S * rate_hz)};
    shl_pair_latency(pair, latency_frames);
}

SHL_RT void shl_pair_latency(struct shl_pair *pair, uint32_t latency_frames)
{
    pair->latency_frames = latency_frames;
    pair->apart_frames = latency_frames / SHARE;
    pair->not_by = 0;
}

/* Both numbers as they belong together: who changes the latency takes back what
 * it has heard before, and says it anew after. */
static SHL_RT bool look(const struct shl_pair *pair, uint64_t *heard,
                        uint32_t *both_frames)
{
    /* acquire: a latency at least as new */
    *heard = atomic_load_explicit(pair->heard, memory_order_acquire);
    /* acquire: a newer latency shows below that this was taken back */
    uint32_t other = atomic_load_explicit(pair->other, memory_order_acquire);
    *both_frames = other + pair->latency_frames;
    return other < SHL_STREAM_FRAMES &&
           atomic_load_explicit(pair->heard, memory_order_relaxed) == *heard;
}

SHL_RT void shl_pair_look(struct shl_pair *pair, uint64_t frame, int64_t aim)
{
    uint64_t heard;
    uint32_t both_frames;

    pair->holds = false;
    if (!pair->heard || !look(pair, &heard, &both_frames))
        return;
    if (!(heard & 1u) || heard == pair->not_by)
        return;
    /* whatever number that is, unsigned sums wrap and the last check decides */
    uint64_t there = (uint64_t)((int64_t)(heard - 1u) / 2);
    uint64_t place = frame + there - both_frames;
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
