/* SPDX-License-Identifier: MIT */
#include "core/free/round_trip.h"

#include "core/shm/layout.h"

/* How far from where the clocks say it may be, in parts of the latency, and how
 * long to wait for it. */
#define SHARE      4u
#define PATIENCE_S 0.25

void shl_round_trip_init(struct shl_round_trip *round_trip,
                         const _Atomic uint64_t *heard,
                         const _Atomic uint32_t *other, uint32_t latency_frames,
                         double rate_hz)
{
    *round_trip = (struct shl_round_trip){.heard = heard,
                                          .other = other,
                                          .patience_frames =
                                              (uint32_t)(PATIENCE_S * rate_hz)};
    shl_round_trip_latency(round_trip, latency_frames);
}

SHL_RT void shl_round_trip_latency(struct shl_round_trip *round_trip,
                                   uint32_t latency_frames)
{
    round_trip->latency_frames = latency_frames;
    round_trip->apart_frames = latency_frames / SHARE;
    round_trip->not_by = 0;
}

/* Both numbers as they belong together: who changes the latency takes back what
 * it has heard before, and says it anew after. */
static SHL_RT bool look(const struct shl_round_trip *round_trip,
                        uint64_t *heard, uint32_t *both_frames)
{
    /* acquire: a latency at least as new */
    *heard = atomic_load_explicit(round_trip->heard, memory_order_acquire);
    /* acquire: a newer latency shows below that this was taken back */
    uint32_t other =
        atomic_load_explicit(round_trip->other, memory_order_acquire);
    *both_frames = other + round_trip->latency_frames;
    return other < SHL_STREAM_FRAMES &&
           atomic_load_explicit(round_trip->heard, memory_order_relaxed) ==
               *heard;
}

SHL_RT void shl_round_trip_look(struct shl_round_trip *round_trip,
                                uint64_t frame, int64_t aim)
{
    uint64_t heard;
    uint32_t both_frames;

    round_trip->holds = false;
    if (!round_trip->heard || !look(round_trip, &heard, &both_frames))
        return;
    if (!(heard & 1u) || heard == round_trip->not_by)
        return;
    /* whatever number that is, unsigned sums wrap and the last check decides */
    uint64_t there = (uint64_t)((int64_t)(heard - 1u) / 2);
    uint64_t place = frame + there - both_frames;
    uint64_t apart = place - (uint64_t)aim + round_trip->apart_frames;
    round_trip->by = heard;
    round_trip->place = (int64_t)place;
    round_trip->holds = apart <= 2 * (uint64_t)round_trip->apart_frames;
}

SHL_RT void shl_round_trip_drop(struct shl_round_trip *round_trip)
{
    round_trip->holds = false;
    round_trip->not_by = round_trip->by;
}

SHL_RT bool shl_round_trip_await(struct shl_round_trip *round_trip,
                                 uint32_t frames)
{
    if (!round_trip->heard || round_trip->patience_frames == 0)
        return false;
    round_trip->patience_frames -= frames < round_trip->patience_frames
                                       ? frames
                                       : round_trip->patience_frames;
    return true;
}
