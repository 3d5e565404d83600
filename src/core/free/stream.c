/* SPDX-License-Identifier: MIT */
#include "core/free/stream.h"

#include "core/free/round_trip.h"
#include "core/lockstep/loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY SHL_STREAM_FRAMES
#define MASK     (CAPACITY - 1u)

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
/* As far as that share of the latency, though, a stream that comes back is taken
 * up where it was: what is known of clocks that stood still is worse. */
#define SAME_SHARE 4
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
/* Chunks in which the resampler works. */
#define CHUNK_IN  1024u
#define CHUNK_OUT 256u
/* Room in the ring beyond what the blocks take: late calls. */
#define ROOM 1024u
/* Beyond what blocks are late: this share of it, at least so much. */
#define SPARE_SHARE  4u
#define SPARE_FRAMES 64u
/* Whoever does not say how late its blocks come: so often silent in this time,
 * and the latency was too short. A gap longer than this is no late block. */
#define SHORT_TIMES  3u
#define SHORT_WITHIN 10.0
#define STOOD_S      0.2
/* So long a writer may measure before it is not waited for. */
#define MEASURE_S 1.0

/* ---- reader --------------------------------------------------------------- */

/* A place in the stream, between two frames; before frame 0 is silence. */
struct place {
    int64_t whole;
    double rest; /* 0 to below 1 */
};

struct shl_stream_reader {
    struct shl_stream_memory memory;
    struct shl_stream_options options;
    double nominal;           /* writer's frames per own frame, by the rates */
    _Atomic uint32_t latency; /* written by the audio thread alone */
    uint32_t least, most;     /* that it can be */
    uint32_t late;            /* the writer's blocks, as it says */
    uint32_t waited;          /* own frames that it has not measured for */
    /* underruns of one latency, the last of them */
    uint64_t short_at[SHORT_TIMES];
    uint32_t short_count;
    uint32_t missing; /* most frames that were */
    bool stood;       /* too many of them: the writer has stood still */
    uint64_t wanted_at;
    uint64_t limit; /* more than so many unread: the writer may be on them */
    /* clocks */
    struct shl_clock_estimator own;
    struct shl_clock_line line; /* of the writer, checked */
    uint64_t sequence;
    uint64_t count; /* own frames ever */
    bool known;     /* `aim` holds */
    struct place aim;
    struct shl_round_trip round_trip;
    uint64_t told; /* the last `heard` */
    /* place */
    bool playing;
    bool resampling;
    bool steered;    /* `step` has been set by the clocks */
    struct place at; /* of the next frame to be heard */
    int64_t cursor;  /* next frame to take from the ring */
    int64_t part_first, part_end;
    bool was;       /* it has copied, with so much between */
    int64_t offset; /* place and own frame */
    double step;
    double deviation;
    uint64_t differ_since_ns, far_since_ns;
    /* sound */
    struct shl_loss loss;
    void *state; /* the resampler's */
    float *in, *out;
    uint32_t ahead;
    struct shl_stream_stats stats;
};

/* ---- making one ---- */

bool shl_stream_is_rate(double rate_hz)
{
    return rate_hz >= 1000.0 && rate_hz <= 1000000.0;
}

static SHL_RT uint32_t latency_of(const struct shl_stream_reader *r)
{
    /* relaxed: a number alone */
    return atomic_load_explicit(&r->latency, memory_order_relaxed);
}

/* How far from its place a stream that comes back may be to be taken up there. */
static SHL_RT uint32_t same_frames(const struct shl_stream_reader *r)
{
    return latency_of(r) / SAME_SHARE;
}

static uint32_t with_spare(uint32_t frames)
{
    uint32_t share = frames / SPARE_SHARE;

    return frames + (share > SPARE_FRAMES ? share : SPARE_FRAMES);
}

/* By the blocks and how late they come, which is never twice the same: what is
 * enough stays. */
static SHL_RT uint32_t default_latency(const struct shl_stream_reader *r)
{
    const struct shl_stream_options *o = &r->options;
    double block = (double)o->block_frames * r->nominal;
    double larger = block > o->from_frames ? block : o->from_frames;
    double frames = ceil(2.0 * larger);

    if (frames < 0.01 * o->from_hz)
        frames = ceil(0.01 * o->from_hz);
    if (r->late) {
        uint32_t late = r->late & SHL_BURST_FRAMES, now = latency_of(r);
        double wanted = r->least + with_spare(late);
        if (now >= r->least + late + SPARE_FRAMES / 2)
            wanted = now;
        frames = wanted > frames ? wanted : frames;
    }
    if (frames < r->least)
        frames = r->least;
    return frames < r->most ? (uint32_t)frames : r->most;
}

static shl_status set_latency(shl_stream_reader *r)
{
    const struct shl_stream_options *o = &r->options;

    r->most = CAPACITY - 2 * o->from_frames - ROOM;
    r->least = (uint32_t)ceil((double)o->block_frames * r->nominal) + r->ahead;
    r->late = o->late;
    if (r->least > r->most)
        return SHL_WRONG_BLOCK;
    if (o->latency_frames > r->most)
        return SHL_BAD_VALUE;
    uint32_t latency =
        o->latency_frames ? o->latency_frames : default_latency(r);
    if (latency < r->least)
        latency = r->least;
    atomic_store_explicit(&r->latency, latency, memory_order_relaxed);
    r->limit = CAPACITY - o->from_frames;
    return SHL_OK;
}

static shl_status check_options(const struct shl_stream_options *o)
{
    if (o->channels > SHL_MAX_CHANNELS)
        return SHL_WRONG_CHANNELS;
    if (o->block_frames < 1 || o->block_frames > SHL_MAX_FRAMES ||
        o->from_frames < 1 || o->from_frames > SHL_MAX_FRAMES)
        return SHL_WRONG_BLOCK;
    if (!shl_stream_is_rate(o->rate_hz) || !shl_stream_is_rate(o->from_hz))
        return SHL_WRONG_RATE;
    /* exact: two names of one rate are the same number */
    if ((o->rate_hz < o->from_hz || o->rate_hz > o->from_hz) && !o->resampler)
        return SHL_WRONG_RATE;
    return SHL_OK;
}

static shl_status make_resampler(shl_stream_reader *r)
{
    const struct shl_resampler *resampler = r->options.resampler;
    uint32_t channels = r->options.channels ? r->options.channels : 1;
    double scale = r->nominal > 1.0 ? r->nominal : 1.0;

    if (!resampler)
        return SHL_OK;
    r->ahead = (uint32_t)ceil(resampler->ahead_frames * scale) + 2;
    r->in = calloc((size_t)channels * CHUNK_IN, sizeof *r->in);
    r->out = calloc((size_t)channels * CHUNK_OUT, sizeof *r->out);
    r->state = resampler->make(channels);
    return r->in && r->out && r->state ? SHL_OK : SHL_NO_MEMORY;
}

shl_status shl_stream_reader_new(const struct shl_stream_memory *memory,
                                 const struct shl_stream_options *options,
                                 shl_stream_reader **reader)
{
    shl_status st = check_options(options);

    if (st)
        return st;
    shl_stream_reader *r = calloc(1, sizeof *r);
    if (!r)
        return SHL_NO_MEMORY;
    r->memory = *memory;
    r->options = *options;
    r->nominal = options->from_hz / options->rate_hz;
    r->step = r->nominal;
    st = make_resampler(r);
    if (!st)
        st = set_latency(r);
    if (st) {
        shl_stream_reader_free(r);
        return st;
    }
    r->resampling = r->nominal < 1.0 || r->nominal > 1.0;
    r->stats.mode = r->resampling ? SHL_STREAM_CONVERT : SHL_STREAM_COPY;
    r->stats.spare_frames = CAPACITY;
    shl_round_trip_init(&r->round_trip, options->other_heard,
                        options->other_frames, latency_of(r), options->rate_hz);
    if (options->told_frames)
        atomic_store_explicit(options->told_frames, latency_of(r),
                              memory_order_relaxed);
    shl_clock_estimator_init(&r->own, options->rate_hz);
    r->own.exact = options->exact;
    atomic_store_explicit(memory->heard, 0, memory_order_relaxed);
    /* release: as every store to it */
    atomic_store_explicit(memory->read, 0, memory_order_release);
    *reader = r;
    return SHL_OK;
}

void shl_stream_reader_free(shl_stream_reader *reader)
{
    if (!reader)
        return;
    if (reader->state)
        reader->options.resampler->destroy(reader->state);
    free(reader->in);
    free(reader->out);
    free(reader);
}

uint32_t shl_stream_latency(const shl_stream_reader *reader)
{
    return latency_of(reader);
}

/* ---- where it should be ---- */

/* The writer's line, if it can be true. */
static SHL_RT void take_line(shl_stream_reader *r)
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

static struct place place_after(int64_t whole, double frames)
{
    double below = floor(frames);

    return (struct place){whole + (int64_t)below, frames - below};
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
static SHL_RT void take_aim(shl_stream_reader *r, uint64_t written,
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

/* Frames, as a difference of numbers that a peer may have made up. */
static double frames_between(int64_t from, int64_t to)
{
    return (double)(int64_t)((uint64_t)to - (uint64_t)from);
}

/* ---- there and back ---- */

static bool copies(const struct shl_stream_reader *r)
{
    return !r->resampling && r->stats.mode == SHL_STREAM_COPY;
}

static SHL_RT void take_pair(shl_stream_reader *r)
{
    r->round_trip.holds = false;
    if (r->known && copies(r))
        shl_round_trip_look(&r->round_trip, r->count, r->aim.whole);
}

/* For the peer's round trip. `frame` is our own at the begin of this block. */
static SHL_RT void tell_heard(shl_stream_reader *r, uint64_t frame)
{
    uint64_t heard = copies(r) ? shl_round_trip_heard(frame, r->part_first) : 0;

    if (heard == r->told)
        return;
    r->told = heard;
    /* release: the latency that it was heard with */
    atomic_store_explicit(r->memory.heard, heard, memory_order_release);
}

static SHL_RT void take_deviation(shl_stream_reader *r)
{
    r->deviation = 0.0;
    if (r->known && r->playing && !r->options.one_clock)
        r->deviation = frames_between(r->at.whole, r->aim.whole) + r->aim.rest -
                       r->at.rest;
}

/* ---- how far behind ---- */

/* Nothing is heard, and what has to be heard later makes no other gap. */
static SHL_RT void raise_latency(shl_stream_reader *r, uint32_t frames)
{
    uint32_t before = latency_of(r);

    if (frames > r->most)
        frames = r->most;
    if (frames <= before)
        return;
    /* in this order, and release: see round_trip.c */
    r->told = 0;
    atomic_store_explicit(r->memory.heard, 0, memory_order_relaxed);
    if (r->options.told_frames)
        atomic_store_explicit(r->options.told_frames, frames,
                              memory_order_release);
    atomic_store_explicit(&r->latency, frames, memory_order_relaxed);
    shl_round_trip_latency(&r->round_trip, frames);
    r->offset -= frames - before;
    r->short_count = 0;
}

static SHL_RT void note_underrun(shl_stream_reader *r)
{
    r->stats.underruns++;
    r->short_at[r->short_count++ % SHORT_TIMES] = r->count;
    r->missing = 0;
    r->stood = false;
}

/* So many are missing in a block. */
static SHL_RT void note_missing(shl_stream_reader *r, int64_t frames)
{
    if (frames <= 0 || frames > INT32_MAX || r->stood)
        return;
    r->stood = (double)frames > STOOD_S * r->options.from_hz;
    if (frames > r->missing)
        r->missing = (uint32_t)frames;
}

/* So much would have done for these underruns and those just before. */
static SHL_RT uint32_t wanted(const struct shl_stream_reader *r)
{
    double since = (double)(r->count - r->wanted_at);
    bool recent = since < SHORT_WITHIN * r->options.rate_hz;
    uint32_t before = recent ? r->stats.wanted_frames : 0, now = 0;

    if (!r->stood && r->missing)
        now = latency_of(r) + with_spare(r->missing);
    return now > before ? now : before;
}

static SHL_RT void end_missing(struct shl_stream_reader *r)
{
    r->stats.wanted_frames = wanted(r);
    r->wanted_at = r->count;
    r->missing = 0;
}

static SHL_RT bool often_short(const struct shl_stream_reader *r)
{
    return r->short_count >= SHORT_TIMES &&
           (double)(r->count - r->short_at[r->short_count % SHORT_TIMES]) <
               SHORT_WITHIN * r->options.rate_hz;
}

/* While nothing is heard: once the beginning has been, or sound has failed. */
static SHL_RT void follow_lateness(shl_stream_reader *r)
{
    if (r->options.latency_frames || r->options.one_clock ||
        r->options.own_times)
        return;
    /* a host that does not say anything does not look for it either */
    if (r->options.told_frames && !r->late)
        return;
    if (r->playing && r->at.whole > 0)
        return;
    uint32_t frames = default_latency(r);
    if (often_short(r) && wanted(r) > frames)
        frames = wanted(r);
    if (frames <= latency_of(r))
        return;
    raise_latency(r, frames);
    r->playing = false;
}

/* ---- what there is ---- */

/* First frame of the ring that a block of so many needs to be there not. */
static int64_t end_of_need(const shl_stream_reader *r, struct place at,
                           uint32_t frames)
{
    if (!r->resampling)
        return at.whole + frames;
    double more = at.rest + (double)frames * r->step;
    return at.whole + (int64_t)ceil(more) + r->ahead;
}

static SHL_RT void copy_out(const shl_stream_reader *r, uint32_t channel,
                            int64_t from, float *to, uint32_t frames)
{
    const float *plane = r->memory.planes + (size_t)channel * CAPACITY;
    uint32_t before = 0;

    if (from < 0) {
        before = from <= -(int64_t)frames ? frames : (uint32_t)-from;
        memset(to, 0, before * sizeof *to);
        from += before;
        frames -= before;
    }
    uint32_t at = (uint32_t)from & MASK;
    uint32_t first = CAPACITY - at < frames ? CAPACITY - at : frames;
    memcpy(to + before, plane + at, first * sizeof *to);
    memcpy(to + before + first, plane, (frames - first) * sizeof *to);
}

static SHL_RT void gather(const shl_stream_reader *r, uint32_t frames)
{
    uint32_t channels = r->options.channels;

    for (uint32_t c = 0; c < channels; c++) {
        const float *plane = r->memory.planes + (size_t)c * CAPACITY;
        float *to = r->in + c;
        for (uint32_t i = 0; i < frames; i++, to += channels) {
            int64_t frame = r->cursor + i;
            *to = frame < 0 ? 0.0f : plane[(uint32_t)frame & MASK];
        }
    }
}

static SHL_RT void advance(shl_stream_reader *r, double frames)
{
    struct place next = place_after(r->at.whole, r->at.rest + frames);

    r->at = next;
}

/* Up to CHUNK_OUT frames into `out`, with some more input than is thought to be
 * needed. */
static SHL_RT uint32_t pull(shl_stream_reader *r, uint32_t want, uint32_t more,
                            uint64_t written)
{
    int64_t need = end_of_need(r, r->at, want) + more - r->cursor;
    int64_t there = (int64_t)(written - (uint64_t)r->cursor);
    uint32_t used = 0;

    if (need > there)
        need = there;
    if (need > CHUNK_IN)
        need = CHUNK_IN;
    if (need < 0)
        need = 0;
    gather(r, (uint32_t)need);
    uint32_t got = r->options.resampler->process(
        r->state, r->step, r->in, (uint32_t)need, r->out, want, &used);
    r->cursor += used;
    advance(r, (double)got * r->step);
    return got;
}

/* The resampler, as if it had always run: it has heard what was before. */
static SHL_RT void start_resampler(shl_stream_reader *r, uint64_t written)
{
    uint32_t used, idle = 0;
    uint32_t left = (uint32_t)(2.0 * r->ahead / r->step);

    r->options.resampler->process(r->state, r->step, NULL, 0, NULL, 0, &used);
    r->resampling = true;
    advance(r, 0.5 - (double)left * r->step);
    r->cursor = r->at.whole;
    r->at.rest = 0.0;
    while (left && idle < 8) {
        uint32_t got =
            pull(r, left < CHUNK_OUT ? left : CHUNK_OUT, 16 * idle, written);
        left -= got;
        idle = got ? 0 : idle + 1;
    }
}

static SHL_RT void scatter(const shl_stream_reader *r, float *const *planes,
                           uint32_t at, uint32_t frames)
{
    uint32_t channels = r->options.channels;

    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++)
            planes[c][at + i] = r->out[i * channels + c];
}

static SHL_RT bool resample(shl_stream_reader *r, float *const *planes,
                            uint32_t frames, uint64_t written)
{
    uint32_t done = 0, idle = 0;

    while (done < frames && idle < 8) {
        uint32_t left = frames - done;
        uint32_t got =
            pull(r, left < CHUNK_OUT ? left : CHUNK_OUT, 16 * idle, written);
        scatter(r, planes, done, got);
        done += got;
        idle = got ? 0 : idle + 1;
    }
    return done == frames;
}

static SHL_RT void copy(shl_stream_reader *r, float *const *planes,
                        uint32_t frames)
{
    for (uint32_t c = 0; c < r->options.channels; c++)
        copy_out(r, c, r->cursor, planes[c], frames);
    r->cursor += frames;
    r->at.whole = r->cursor;
}

/* ---- which way ---- */

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

static SHL_RT bool is_far(shl_stream_reader *r, uint64_t now_ns)
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

static SHL_RT void follow(shl_stream_reader *r, uint64_t written,
                          uint32_t frames, uint64_t now_ns)
{
    bool two = r->stats.mode == SHL_STREAM_STEERED ||
               r->stats.mode == SHL_STREAM_CORRECTED;

    if (r->options.one_clock)
        return;
    if (!two && differ(r, now_ns)) {
        if (r->options.resampler && !r->resampling)
            start_resampler(r, written);
        r->stats.mode =
            r->resampling ? SHL_STREAM_STEERED : SHL_STREAM_CORRECTED;
        two = true;
    }
    if (two && r->resampling)
        steer(r, frames);
    else if (two)
        correct(r);
}

/* ---- one block ---- */

/* Whether all that a block needs is there. */
static SHL_RT bool readable(const struct shl_stream_reader *r, struct place at,
                            uint32_t frames, uint64_t written)
{
    int64_t end = end_of_need(r, at, frames);

    return (int64_t)(written - (uint64_t)end) >= 0 &&
           written - (uint64_t)at.whole <= r->limit;
}

static SHL_RT bool round_trip_readable(const struct shl_stream_reader *r,
                                       uint32_t frames, uint64_t written)
{
    return r->round_trip.holds &&
           readable(r, (struct place){r->round_trip.place, 0.0}, frames,
                    written);
}

/* Where it was before it was lost, if that is as good as anything. */
static SHL_RT bool same_place(const shl_stream_reader *r, uint32_t frames,
                              struct place *at)
{
    int64_t same = (int64_t)(r->count - frames + (uint64_t)r->offset);
    double off = fabs(frames_between(same, r->aim.whole));

    if (!r->was || !copies(r) || r->options.own_times ||
        !(off <= same_frames(r)))
        return false;
    *at = (struct place){same, 0.0};
    return true;
}

/* Take the aimed at place, if all that a block needs is there. */
static SHL_RT void start(shl_stream_reader *r, uint64_t written,
                         uint32_t frames)
{
    if (!r->known || written == 0)
        return;
    /* without times: wait for the latency, rather than hear frames again */
    if (r->options.one_clock && r->at.whole > 0 && r->aim.whole < r->at.whole &&
        r->at.whole - r->aim.whole < CAPACITY)
        return;
    struct place at = r->aim;
    if (round_trip_readable(r, frames, written))
        at = (struct place){r->round_trip.place, 0.0};
    else if (copies(r) && !r->was &&
             shl_round_trip_await(&r->round_trip, frames))
        return;
    else if (!same_place(r, frames, &at) && !r->resampling)
        at = (struct place){at.whole + (at.rest >= 0.5), 0.0};
    if (!readable(r, at, frames, written)) {
        note_missing(r,
                     (int64_t)((uint64_t)end_of_need(r, at, frames) - written));
        return;
    }
    if (r->missing)
        end_missing(r);
    r->at = at;
    r->cursor = at.whole;
    if (r->resampling)
        start_resampler(r, written);
    r->playing = true;
    r->differ_since_ns = 0;
    r->far_since_ns = 0;
    /* the stream's own beginning needs no fade */
    r->loss.lost = at.whole > 0;
}

/* Whether the block that comes next is whole; counts why not. */
static SHL_RT bool is_there(shl_stream_reader *r, uint64_t written,
                            uint32_t frames)
{
    int64_t unread = (int64_t)(written - (uint64_t)r->at.whole);
    int64_t spare =
        (int64_t)(written - (uint64_t)end_of_need(r, r->at, frames));

    if (spare >= 0 && unread >= 0 && unread <= (int64_t)r->limit) {
        if (spare < r->stats.spare_frames)
            r->stats.spare_frames = (uint32_t)spare;
        return true;
    }
    if (unread < 0 || unread > INT32_MAX)
        r->stats.bad++;
    else if (spare >= 0)
        r->stats.skips++;
    else if (r->at.whole > 0) /* before that nobody misses it */
        note_underrun(r);
    return false;
}

static SHL_RT void find_place(shl_stream_reader *r, uint64_t written,
                              uint32_t frames, uint64_t now_ns)
{
    const bool at_pair =
        r->round_trip.holds && r->at.whole == r->round_trip.place;
    if (r->playing && (is_far(r, now_ns) ||
                       (!at_pair && round_trip_readable(r, frames, written)))) {
        r->stats.skips++;
        r->playing = false;
    }
    if (r->playing && !is_there(r, written, frames)) {
        if (at_pair)
            shl_round_trip_drop(&r->round_trip);
        r->playing = false;
    }
    if (!r->playing)
        start(r, written, frames);
    if (r->playing)
        follow(r, written, frames, now_ns);
    /* steering may have asked for a frame more */
    if (r->playing && !is_there(r, written, frames))
        r->playing = false;
}

static uint64_t not_below_zero(int64_t frame)
{
    return frame > 0 ? (uint64_t)frame : 0;
}

/* Whether the writer may have come round to the frames that were just read: it
 * happens when this thread stands still in the midst of them. */
static SHL_RT bool overtaken(const shl_stream_reader *r)
{
    /* acquire: no frame is read after this */
    atomic_thread_fence(memory_order_acquire);
    uint64_t written =
        atomic_load_explicit(r->memory.written, memory_order_relaxed);
    return written + r->options.from_frames - not_below_zero(r->part_first) >
           CAPACITY;
}

static SHL_RT bool fill(shl_stream_reader *r, float *const *planes,
                        uint32_t frames, uint64_t written)
{
    bool whole = r->playing;

    if (whole && r->resampling)
        whole = resample(r, planes, frames, written);
    else if (whole)
        copy(r, planes, frames);
    if (whole && overtaken(r)) {
        r->stats.skips++;
        r->playing = whole = false;
    }
    if (whole) {
        shl_loss_came(&r->loss, planes, r->options.channels, frames);
        return true;
    }
    shl_loss_fill(&r->loss, NULL, 0, planes, r->options.channels, frames);
    r->stats.silent_frames += frames;
    return false;
}

SHL_RT bool shl_stream_read(shl_stream_reader *reader, float *const *planes,
                            uint32_t frames, uint64_t now_ns)
{
    /* acquire: the frames below are whole */
    uint64_t written =
        atomic_load_explicit(reader->memory.written, memory_order_acquire);

    take_line(reader);
    shl_clock_estimator_see(&reader->own, reader->count, now_ns);
    if (shl_clock_estimator_settled(&reader->own) &&
        !(reader->late & SHL_BURST_MEASURED))
        reader->waited += frames;
    follow_lateness(reader);
    take_aim(reader, written, now_ns);
    take_pair(reader);
    take_deviation(reader);
    reader->count += frames;
    find_place(reader, written, frames, now_ns);
    reader->part_first = reader->at.whole;
    bool whole = fill(reader, planes, frames, written);
    reader->part_end = whole ? reader->at.whole : reader->part_first;
    if (whole)
        tell_heard(reader, reader->count - frames);
    if (whole && copies(reader)) {
        reader->was = true;
        reader->offset =
            (int64_t)((uint64_t)reader->part_first - (reader->count - frames));
    }
    /* release: what lies below has been copied */
    if (whole)
        atomic_store_explicit(reader->memory.read,
                              not_below_zero(reader->cursor),
                              memory_order_release);
    return whole;
}

SHL_RT void shl_stream_read_part(const shl_stream_reader *reader,
                                 int64_t *first, int64_t *end)
{
    *first = reader->part_first;
    *end = reader->part_end;
}

SHL_RT void shl_stream_short(const shl_stream_reader *reader, uint32_t *times,
                             uint32_t *wanted_frames)
{
    *times = (uint32_t)reader->stats.underruns;
    uint32_t late = reader->late & SHL_BURST_FRAMES;
    uint32_t wanted_now = reader->stats.wanted_frames;
    if (late && reader->least + late > latency_of(reader) &&
        reader->least + with_spare(late) > wanted_now)
        wanted_now = reader->least + with_spare(late);
    /* once may be an accident, and the first ones tell too little */
    *wanted_frames = reader->stats.underruns >= SHORT_TIMES ? wanted_now : 0;
}

SHL_RT void shl_stream_stats(shl_stream_reader *reader,
                             struct shl_stream_stats *stats)
{
    reader->stats.ratio = reader->step;
    reader->stats.deviation = reader->deviation;
    reader->stats.position = (double)reader->at.whole + reader->at.rest;
    *stats = reader->stats;
    reader->stats.spare_frames = CAPACITY;
}
