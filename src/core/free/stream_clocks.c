/* SPDX-License-Identifier: MIT */
/* The clocks of a stream's reader: where in the stream it should be by what is known
 * of both clocks, and how it goes there when they differ. */
#include "core/free/stream_state.h"

#include <math.h>

/* Clocks differ when the ratio of their rates is further from the nominal one
 * than so many standard deviations, for so long, and when it matters: the place
 * is off by more than this. */
#define DIFFER_SPREAD 6.0
#define DIFFER_RATE   2e-9
#define DIFFER_FRAMES 0.75
#define DIFFER_NS     3000000000u
/* One so large is not waited for: another place is taken. */
#define FAR_FRAMES 512.0
#define FAR_NS     1000000000u
/* The same where times are exact: at once. */
#define OFF_FRAMES 1.5
/* Deviations are evened out in this time, the longer the less is known of
 * them, and never faster than this. */
#define EVEN_MIN_S 1.0
#define EVEN_MAX_S 20.0
#define EVEN_NOISE 5e-3
#define EVEN_RATE  500e-6
/* The ratio follows in this part of that time. */
#define STEER_SHARE 4.0
/* No two clocks are further apart than this, by what is said of them. */
#define MOST_APART 0.025
/* Frames dropped or doubled at most in one block. */
#define CORRECT_MOST 8
/* So long a writer may measure before it is not waited for. */
#define MEASURE_S 1.0

/* The writer's line, if it can be true. */
SHL_RT void shl_reader_take_line(shl_stream_reader *r)
{
    struct shl_clock_line line;
    double period_ns = 1e9 / r->options.from_hz;

    if (!shl_shared_clock_read(r->memory.clock, &r->sequence, &line))
        return;
    bool good = line.period_ns > period_ns * (1.0 - MOST_APART) &&
                line.period_ns < period_ns * (1.0 + MOST_APART) &&
                line.spread_ns >= 0.0 && line.spread_ns < 1e9 &&
                line.rate_spread >= 0.0 && line.rate_spread <= 1.0;
    if (good) {
        r->line = line;
        return;
    }
    r->line.period_ns = 0.0;
    r->stats.bad++;
}

/* A number to reckon with: no sum with it overflows. */
static bool is_frame(int64_t whole)
{
    return whole < INT64_MAX / 2 && whole > -(INT64_MAX / 2);
}

/* Whether both clocks can be relied on: in their first burst, and just after they
 * have stood still, they tell little. */
static SHL_RT bool settled(const struct shl_stream_reader *r)
{
    return r->options.own_times ||
           (shl_clock_estimator_settled(&r->own) &&
            (r->late == 0 || r->late & SHL_BURST_MEASURED ||
             r->waited > MEASURE_S * r->options.rate_hz));
}

SHL_RT void shl_stream_late(shl_stream_reader *reader, uint32_t late)
{
    if (late & SHL_BURST_MEASURED)
        reader->waited = 0;
    reader->late = late;
}

/* When our frame is due, the writer is at some frame; the latency before that
 * is our place. */
SHL_RT void shl_reader_take_aim(shl_stream_reader *r, uint64_t written,
                                uint64_t now_ns)
{
    if (r->options.one_clock) {
        r->aim.whole =
            (int64_t)(written - r->options.from_frames - latency_of(r));
        r->aim.rest = 0.0;
        r->known = written > 0 && is_frame(r->aim.whole);
        return;
    }
    r->known = false;
    if (!(r->line.period_ns > 0.0) || !settled(r))
        return;
    double since_ns = shl_clock_estimator_due(&r->own, r->count, now_ns) +
                      (double)(int64_t)(now_ns - r->line.time_ns);
    double frames = since_ns / r->line.period_ns - latency_of(r);
    if (!(fabs(frames) < 1e12))
        return;
    r->aim = place_after(0, frames);
    r->aim.whole = (int64_t)(r->line.frame + (uint64_t)r->aim.whole);
    r->known = is_frame(r->aim.whole);
}

SHL_RT void shl_reader_take_deviation(shl_stream_reader *r)
{
    r->deviation = 0.0;
    if (r->known && r->playing && !r->options.one_clock)
        r->deviation = frames_between(r->at.whole, r->aim.whole) + r->aim.rest -
                       r->at.rest;
}

/* Standard deviation of the deviation, in frames. */
static double noise(const struct shl_stream_reader *r)
{
    return (r->own.line.spread_ns + r->line.spread_ns) / r->line.period_ns;
}

static double ratio(const struct shl_stream_reader *r)
{
    return r->own.line.period_ns / r->line.period_ns;
}

/* Sure that the clocks differ: it lasts, and it is no noise. A start at a bad
 * time alone leaves a deviation, but one that stays. */
static SHL_RT bool differ(shl_stream_reader *r, uint64_t now_ns)
{
    if (!r->known)
        return false;
    double rate = fabs(ratio(r) / r->nominal - 1.0);
    double rate_noise = r->own.line.rate_spread + r->line.rate_spread;
    bool now = rate > DIFFER_RATE + DIFFER_SPREAD * rate_noise &&
               fabs(r->deviation) > DIFFER_FRAMES + DIFFER_SPREAD * noise(r);

    if (!now)
        r->differ_since_ns = 0;
    else if (r->differ_since_ns == 0)
        r->differ_since_ns = now_ns;
    return now && now_ns - r->differ_since_ns > DIFFER_NS;
}

static double far_frames(const struct shl_stream_reader *r)
{
    double frames = same_frames(r) + DIFFER_SPREAD * noise(r);

    return frames < FAR_FRAMES ? frames : FAR_FRAMES;
}

SHL_RT bool shl_reader_is_far(shl_stream_reader *r, uint64_t now_ns)
{
    if (r->options.exact)
        return fabs(r->deviation) > OFF_FRAMES;
    if (!r->known || fabs(r->deviation) < far_frames(r))
        r->far_since_ns = 0;
    else if (r->far_since_ns == 0)
        r->far_since_ns = now_ns;
    return r->far_since_ns && now_ns - r->far_since_ns > FAR_NS;
}

static SHL_RT void steer(shl_stream_reader *r, uint32_t frames)
{
    if (!r->known)
        return;
    double time_s = noise(r) / EVEN_NOISE;
    if (time_s < EVEN_MIN_S)
        time_s = EVEN_MIN_S;
    if (time_s > EVEN_MAX_S)
        time_s = EVEN_MAX_S;
    double most = EVEN_RATE * r->nominal;
    double even = r->deviation / (time_s * r->options.rate_hz);
    if (even > most)
        even = most;
    if (even < -most)
        even = -most;
    /* A step of the ratio bends a sine as it passes: go there in a while that is
     * short against what it is to even out. */
    double share = STEER_SHARE * frames / (time_s * r->options.rate_hz);
    if (!r->steered || share > 1.0)
        share = 1.0;
    r->steered = true;
    r->step += share * (ratio(r) + even - r->step);
}

static SHL_RT void correct(shl_stream_reader *r)
{
    if (fabs(r->deviation) < DIFFER_FRAMES)
        return;
    int64_t frames = llround(r->deviation);
    if (frames > CORRECT_MOST)
        frames = CORRECT_MOST;
    if (frames < -CORRECT_MOST)
        frames = -CORRECT_MOST;
    r->cursor += frames;
    r->at.whole = r->cursor;
    r->deviation -= (double)frames;
    if (frames > 0)
        r->stats.dropped += (uint64_t)frames;
    else
        r->stats.doubled += (uint64_t)-frames;
}

SHL_RT void shl_reader_follow(shl_stream_reader *r, uint64_t written,
                              uint32_t frames, uint64_t now_ns)
{
    bool two = r->stats.mode == SHL_STREAM_STEERED ||
               r->stats.mode == SHL_STREAM_CORRECTED;

    if (r->options.one_clock)
        return;
    if (!two && differ(r, now_ns)) {
        if (r->options.resampler && !r->resampling)
            shl_reader_start_resampler(r, written);
        r->stats.mode =
            r->resampling ? SHL_STREAM_STEERED : SHL_STREAM_CORRECTED;
        two = true;
    }
    if (two && r->resampling)
        steer(r, frames);
    else if (two)
        correct(r);
}
