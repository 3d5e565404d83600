/* SPDX-License-Identifier: MIT */
/* Two clocks that meet in a stream, both virtual: a day passes in minutes, and
 * what was heard is compared with what should have been. SHL_SOAK=1: a whole
 * day, otherwise ten minutes. */
#include "core/free/stream.h"
#include "rate/samplerate.h"
#include "sine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLER rate_samplerate()

#define PI          3.14159265358979323846
#define WINDOW      48000u
#define MOST        4096u
#define LONG_S      (getenv("SHL_SOAK") ? 86400.0 : 600.0)
#define LONG_FRAMES (getenv("SHL_SOAK") ? 100000000u : 4000000u)

/* The memory between the two. */
static struct shl_stream shared;
static struct shl_stream_memory memory;

static float planes_in[SHL_MAX_CHANNELS][MOST];
static float planes_out[SHL_MAX_CHANNELS][MOST];
static const float *in[SHL_MAX_CHANNELS];
static float *out[SHL_MAX_CHANNELS];

/* ---- a simulation ---- */

struct side {
    double rate_hz; /* true */
    double jitter_s;
    uint32_t block;
    uint64_t frame; /* of the next block */
    double actual_s;
    double start_s;
};

struct sim {
    struct side write, read;
    struct shl_stream_options options;
    bool sine; /* else noise that tells frame and channel */
    double hz; /* a multiple of 100 */
    float cycle[960];
    uint32_t cycle_frames;
    shl_stream_writer *writer;
    shl_stream_reader *reader;
    uint64_t blocks_heard;
    /* bit by bit */
    uint64_t compared, different;
    int64_t offset;
    bool offset_known;
    /* after `settle_s` */
    double settle_s;
    double worst_latency, worst_ratio;
    uint64_t underruns, skips, silent;
    bool settled;
    float window[WINDOW];
    uint32_t fill;
    double worst_thdn;
};

static uint32_t seed = 1;

static double chance(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (double)(seed >> 8) / 16777216.0;
}

static float noise(uint64_t frame, uint32_t channel)
{
    uint32_t h = (uint32_t)frame * 2654435761u ^ (channel + 1) * 40503u;

    h ^= h >> 15;
    return (float)(int32_t)(h & 0xFFFFFF) / 16777216.0f;
}

/* When the next block is really called, after its time, in order. */
static void arrange(struct side *side)
{
    double due = side->start_s + (double)side->frame / side->rate_hz;
    double actual = due + side->jitter_s * chance();

    if (actual < side->actual_s)
        actual = side->actual_s;
    side->actual_s = actual;
}

static uint64_t ns(double seconds)
{
    return 1000000000u + (uint64_t)(seconds * 1e9);
}

static void begin_sim(struct sim *sim)
{
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++) {
        in[c] = planes_in[c];
        out[c] = planes_out[c];
    }
    memset(&shared, 0, sizeof shared);
    memory = shl_stream_memory_of(&shared);
    seed = 1;
    sim->options.block_frames = sim->read.block;
    sim->options.from_frames = sim->write.block;
    if (sim->settle_s == 0.0)
        sim->settle_s = 15.0;
    assert_int_equal(shl_stream_writer_new(&memory, sim->options.channels,
                                           sim->options.from_hz, &sim->writer),
                     SHL_OK);
    assert_int_equal(
        shl_stream_reader_new(&memory, &sim->options, &sim->reader), SHL_OK);
    sim->cycle_frames = (uint32_t)(sim->options.from_hz / 100.0);
    for (uint32_t i = 0; i < sim->cycle_frames; i++)
        sim->cycle[i] =
            (float)sin(2.0 * PI * sim->hz * i / sim->options.from_hz);
    arrange(&sim->write);
    arrange(&sim->read);
}

static void end_sim(struct sim *sim)
{
    shl_stream_writer_free(sim->writer);
    shl_stream_reader_free(sim->reader);
}

static void write_block(struct sim *sim)
{
    struct side *side = &sim->write;

    for (uint32_t c = 0; c < sim->options.channels; c++)
        for (uint32_t i = 0; i < side->block; i++) {
            uint64_t frame = side->frame + i;
            planes_in[c][i] = sim->sine ? sim->cycle[frame % sim->cycle_frames]
                                        : noise(frame, c);
        }
    shl_rt(1);
    shl_stream_write(sim->writer, in, side->block, ns(side->actual_s));
    shl_rt(0);
    side->frame += side->block;
    arrange(side);
}

static void keep_window(struct sim *sim, double elapsed_s, uint32_t frames)
{
    if (!sim->sine || elapsed_s < 2.0 * sim->settle_s ||
        (sim->fill == 0 && fmod(elapsed_s, 60.0) > 1.0))
        return;
    for (uint32_t i = 0; i < frames && sim->fill < WINDOW; i++)
        sim->window[sim->fill++] = planes_out[0][i];
    if (sim->fill < WINDOW)
        return;
    double db = sine_residual(sim->window, WINDOW,
                              2.0 * PI * sim->hz / sim->options.from_hz *
                                  sim->write.rate_hz / sim->read.rate_hz);
    if (db > sim->worst_thdn || sim->worst_thdn == 0.0)
        sim->worst_thdn = db;
    sim->fill = 0;
}

/* Against what was written, at the place where the first block was found. */
static void compare(struct sim *sim, uint64_t first, uint64_t end,
                    uint32_t frames)
{
    /* a start in the midst of the stream is faded in */
    if (end - first != frames || sim->blocks_heard == 1)
        return;
    for (uint32_t c = 0; c < sim->options.channels; c++)
        for (uint32_t i = 0; i < frames; i++) {
            float want = noise(first + i, c);
            sim->different +=
                memcmp(&want, &planes_out[c][i], sizeof want) != 0;
        }
    sim->compared += frames;
}

static void measure(struct sim *sim, double due_s, double position)
{
    struct shl_stream_stats stats;
    double truth = (due_s - sim->write.start_s) * sim->write.rate_hz - position;
    double late = fabs(truth - shl_stream_latency(sim->reader));
    double want = sim->write.rate_hz / sim->read.rate_hz;

    shl_stream_get_stats(sim->reader, &stats);
    if (due_s < sim->settle_s)
        return;
    if (!sim->settled) {
        sim->settled = true;
        sim->underruns = stats.underruns;
        sim->skips = stats.skips;
        sim->silent = stats.silent_frames;
    }
    if (late > sim->worst_latency)
        sim->worst_latency = late;
    if (fabs(stats.ratio / want - 1.0) > sim->worst_ratio)
        sim->worst_ratio = fabs(stats.ratio / want - 1.0);
}

static uint64_t not_below_zero(int64_t frame)
{
    return frame > 0 ? (uint64_t)frame : 0;
}

static void read_block(struct sim *sim)
{
    struct side *side = &sim->read;
    struct shl_stream_stats stats;
    int64_t first, end;
    double due_s = side->start_s + (double)side->frame / side->rate_hz;

    shl_rt(1);
    bool whole =
        shl_stream_read(sim->reader, out, side->block, ns(side->actual_s));
    shl_rt(0);
    shl_stream_read_part(sim->reader, &first, &end);
    shl_stream_get_stats(sim->reader, &stats);
    sim->blocks_heard += whole;
    if (whole && first > 0)
        measure(sim, due_s, stats.position - side->block * stats.ratio);
    if (whole && !sim->sine)
        compare(sim, not_below_zero(first), not_below_zero(end), side->block);
    keep_window(sim, due_s, side->block);
    side->frame += side->block;
    arrange(side);
}

static void run(struct sim *sim, double until_s)
{
    for (;;) {
        bool writes = sim->write.actual_s <= sim->read.actual_s;
        if ((writes ? sim->write.actual_s : sim->read.actual_s) > until_s)
            return;
        if (writes)
            write_block(sim);
        else
            read_block(sim);
    }
}

static struct shl_stream_stats stats_of(struct sim *sim)
{
    struct shl_stream_stats stats;

    shl_stream_get_stats(sim->reader, &stats);
    return stats;
}

static struct sim *simulation(double write_hz, double read_hz, uint32_t write,
                              uint32_t read, uint32_t channels)
{
    static struct sim sim;

    memset(&sim, 0, sizeof sim);
    sim.write = (struct side){.rate_hz = write_hz, .block = write};
    sim.read =
        (struct side){.rate_hz = read_hz, .block = read, .start_s = 0.0123};
    sim.options = (struct shl_stream_options){
        .channels = channels, .rate_hz = 48000.0, .from_hz = 48000.0};
    sim.hz = 1000.0;
    return &sim;
}

static double ppm(double rate_hz, double parts)
{
    return rate_hz * (1.0 + parts * 1e-6);
}

/* ---- one clock ---- */

static void one_clock(uint32_t write, uint32_t read, uint32_t channels,
                      uint64_t frames, double jitter_s, double off)
{
    double hz = ppm(48000.0, off);
    struct sim *sim = simulation(hz, hz, write, read, channels);

    sim->options.resampler = RESAMPLER;
    sim->write.jitter_s = sim->read.jitter_s = jitter_s;
    begin_sim(sim);
    run(sim, (double)frames / hz + 1.0);
    struct shl_stream_stats stats = stats_of(sim);
    print_message("# figure: one clock %+g ppm, %u to %u, %u channels, jitter "
                  "%g ms: %llu frames equal, latency %u off by %.2f, %llu "
                  "underruns\n",
                  off, write, read, channels, jitter_s * 1e3,
                  (unsigned long long)sim->compared,
                  shl_stream_latency(sim->reader), sim->worst_latency,
                  (unsigned long long)stats.underruns);
    assert_int_equal(stats.mode, SHL_STREAM_COPY);
    assert_int_equal(sim->different, 0);
    assert_true(sim->compared >= frames);
    if (jitter_s == 0.0) {
        assert_int_equal(stats.underruns, 0);
        assert_int_equal(stats.skips, 0);
        assert_true(sim->worst_latency <= 1.0);
    }
    assert_int_equal(stats.underruns, sim->underruns);
    assert_int_equal(stats.skips, sim->skips);
    end_sim(sim);
}

/* shows DL-59 */
static void one_clock_is_copied_bit_by_bit(void **state)
{
    (void)state;
    one_clock(64, 64, 1, 10000000, 0.0, 0.0);
    one_clock(64, 512, 2, 10000000, 0.0, 0.0);
    one_clock(441, 1024, 2, 10000000, 0.0, 150.0);
    one_clock(1024, 64, 3, 2000000, 0.0, -300.0);
    one_clock(4096, 4096, 32, 1000000, 0.0, 0.0);
}

static void one_clock_is_recognised_through_jitter(void **state)
{
    (void)state;
    one_clock(64, 64, 1, LONG_FRAMES, 0.003, 20.0);
    one_clock(64, 512, 1, LONG_FRAMES, 0.004, 0.0);
    one_clock(441, 1024, 1, LONG_FRAMES, 0.005, 0.0);
}

static void a_known_clock_needs_no_times(void **state)
{
    (void)state;
    struct sim *sim = simulation(48000.0, 48000.0, 64, 64, 2);

    sim->options.one_clock = true;
    begin_sim(sim);
    sim->write.jitter_s = sim->read.jitter_s = 0.0;
    for (int i = 0; i < 100000; i++) {
        sim->write.actual_s = sim->read.actual_s = chance() * 100.0;
        write_block(sim);
        read_block(sim);
    }
    struct shl_stream_stats stats = stats_of(sim);
    assert_int_equal(sim->different, 0);
    assert_true(sim->compared >= 6000000);
    assert_int_equal(stats.underruns + stats.skips + stats.bad, 0);
    assert_int_equal((uint64_t)stats.position + shl_stream_latency(sim->reader),
                     sim->read.frame);
    end_sim(sim);
}

/* ---- two clocks ---- */

static void two_clocks(double apart, uint32_t write, uint32_t read,
                       double jitter_s, double seconds)
{
    struct sim *sim = simulation(ppm(48000.0, apart), 48000.0, write, read, 1);

    sim->sine = true;
    sim->options.resampler = RESAMPLER;
    sim->write.jitter_s = sim->read.jitter_s = jitter_s;
    if (jitter_s > 0.0)
        sim->settle_s = 240.0;
    begin_sim(sim);
    run(sim, seconds);
    struct shl_stream_stats stats = stats_of(sim);
    print_message("# figure: %+g ppm, %u to %u, jitter %g ms, %.0f s: latency "
                  "%u off by %.4f frames, ratio by %.5f ppm, THD+N %.1f dB, "
                  "%llu underruns\n",
                  apart, write, read, jitter_s * 1e3, seconds,
                  shl_stream_latency(sim->reader), sim->worst_latency,
                  sim->worst_ratio * 1e6, sim->worst_thdn,
                  (unsigned long long)stats.underruns);
    assert_int_equal(stats.mode, SHL_STREAM_STEERED);
    assert_int_equal(stats.underruns, sim->underruns);
    assert_int_equal(stats.skips, sim->skips);
    assert_int_equal(stats.silent_frames, sim->silent);
    assert_int_equal(stats.dropped + stats.doubled + stats.bad, 0);
    assert_true(sim->worst_latency <= 1.0);
    assert_true(sim->worst_ratio <= 1e-6);
    assert_true(sim->worst_thdn < -100.0);
    end_sim(sim);
}

/* shows DL-59 */
static void two_clocks_are_resampled(void **state)
{
    (void)state;
    if (!RESAMPLER)
        skip();
    two_clocks(300.0, 64, 512, 0.0, LONG_S);
    two_clocks(-300.0, 441, 1024, 0.0, LONG_S);
    two_clocks(2.0, 64, 64, 0.0, 240.0);
}

static void jitter_is_averaged_away(void **state)
{
    (void)state;
    if (!RESAMPLER)
        skip();
    two_clocks(300.0, 64, 64, 0.003, LONG_S);
    two_clocks(-300.0, 512, 256, 0.004, 600.0);
    two_clocks(100.0, 441, 1024, 0.005, 600.0);
}

/* ---- without a resampler ---- */

static void without_a_resampler_drift_is_corrected_and_counted(void **state)
{
    (void)state;
    for (int way = -1; way <= 1; way += 2) {
        struct sim *sim =
            simulation(ppm(48000.0, 300.0 * way), 48000.0, 64, 512, 2);
        begin_sim(sim);
        run(sim, 600.0);
        struct shl_stream_stats stats = stats_of(sim);
        print_message("# figure: %+d ppm without resampler: %llu frames "
                      "dropped, %llu doubled, latency off by %.2f\n",
                      300 * way, (unsigned long long)stats.dropped,
                      (unsigned long long)stats.doubled, sim->worst_latency);
        assert_int_equal(stats.mode, SHL_STREAM_CORRECTED);
        assert_in_range(way > 0 ? stats.dropped : stats.doubled, 8500, 8800);
        assert_true((way > 0 ? stats.doubled : stats.dropped) < 10);
        assert_int_equal(stats.underruns + stats.skips + stats.bad, 0);
        assert_true(sim->worst_latency <= 1.0);
        assert_int_equal(sim->different, 0);
        end_sim(sim);
    }
}

/* ---- rates ---- */

static void rates(double from_hz, double to_hz, double apart)
{
    struct sim *sim = simulation(ppm(from_hz, apart), to_hz, 64, 512, 1);

    sim->sine = true;
    sim->options.resampler = RESAMPLER;
    sim->options.from_hz = from_hz;
    sim->options.rate_hz = to_hz;
    begin_sim(sim);
    run(sim, 120.0);
    struct shl_stream_stats stats = stats_of(sim);
    print_message("# figure: %g to %g Hz, %+g ppm: latency %u off by %.4f, "
                  "ratio by %.5f ppm, THD+N %.1f dB\n",
                  from_hz, to_hz, apart, shl_stream_latency(sim->reader),
                  sim->worst_latency, sim->worst_ratio * 1e6, sim->worst_thdn);
    assert_int_equal(stats.mode,
                     apart == 0.0 ? SHL_STREAM_CONVERT : SHL_STREAM_STEERED);
    assert_int_equal(stats.underruns + stats.skips + stats.bad, 0);
    assert_true(sim->worst_latency <= 1.0);
    assert_true(sim->worst_ratio <= 1e-6);
    assert_true(sim->worst_thdn < -100.0);
    end_sim(sim);
}

static void different_rates_are_resampled(void **state)
{
    (void)state;
    if (!RESAMPLER)
        skip();
    rates(44100.0, 48000.0, 0.0);
    rates(48000.0, 44100.0, 0.0);
    rates(96000.0, 44100.0, 200.0);
    rates(48000.0, 96000.0, -200.0);
}

/* ---- trouble ---- */

static struct sim *small(uint32_t write, uint32_t read)
{
    struct sim *sim = simulation(48000.0, 48000.0, write, read, 2);

    sim->options.resampler = RESAMPLER;
    begin_sim(sim);
    return sim;
}

static void hostile_counters_are_survived_and_counted(void **state)
{
    (void)state;
    static const uint64_t lies[] = {
        0,          1,         UINT64_MAX, UINT64_MAX / 2, UINT64_MAX / 2 + 1,
        1ull << 40, UINT32_MAX};
    struct sim *sim = small(64, 256);

    run(sim, 1.0);
    for (uint32_t i = 0; i < 2000; i++) {
        uint64_t truth = atomic_load(&shared.written);
        uint64_t lie = i % 5 ? lies[i % 7] : (uint64_t)(chance() * 1e9);
        atomic_store(&shared.written, lie);
        if (i % 3 == 0)
            atomic_store(&shared.read, lies[(i + 2) % 7]);
        if (i % 11 == 0) {
            for (int w = 0; w < 5; w++)
                atomic_store(&shared.clock.word[w],
                             i % 2 ? lies[(i + (uint32_t)w) % 7]
                                   : (uint64_t)(chance() * 1.8e19));
            atomic_fetch_add(&shared.clock.sequence, 1 + i % 2);
        }
        read_block(sim);
        atomic_store(&shared.written, truth);
        write_block(sim);
    }
    assert_true(stats_of(sim).bad > 0);
    /* an honest writer again: its clock restarts after a stop, and is heard */
    sim->different = sim->blocks_heard = 0;
    sim->write.start_s = sim->read.start_s = 1000.0;
    arrange(&sim->write);
    arrange(&sim->read);
    run(sim, 1100.0);
    struct shl_stream_stats stats = stats_of(sim);
    print_message(
        "# figure: 2000 lies: %llu found bad, %llu underruns, %llu "
        "skips, %llu blocks heard after them\n",
        (unsigned long long)stats.bad, (unsigned long long)stats.underruns,
        (unsigned long long)stats.skips, (unsigned long long)sim->blocks_heard);
    assert_true(sim->blocks_heard > 16000);
    end_sim(sim);
}

/* shows DL-02 */
static void the_frame_beyond_the_ring_is_counted(void **state)
{
    (void)state;
    struct sim *sim = small(64, 64);

    for (uint32_t frames = 0; frames < SHL_STREAM_FRAMES; frames += 64)
        write_block(sim);
    assert_int_equal(shl_stream_writer_overrun(sim->writer), 0);
    shl_stream_write(sim->writer, in, 1, ns(sim->write.actual_s));
    assert_int_equal(shl_stream_writer_overrun(sim->writer), 1);
    shl_stream_write(sim->writer, in, 4096, ns(sim->write.actual_s));
    assert_int_equal(shl_stream_writer_overrun(sim->writer), 4097);
    assert_int_equal(shl_stream_writer_frame(sim->writer),
                     SHL_STREAM_FRAMES + 4097);
    end_sim(sim);
}

static void write_frames(struct sim *sim, uint64_t frames)
{
    while (frames) {
        uint32_t part = frames < 64 ? (uint32_t)frames : 64;
        uint32_t whole = sim->write.block;
        sim->write.block = part;
        write_block(sim);
        sim->write.block = whole;
        frames -= part;
    }
}

/* The writer's next block may already lie over what it has not shown yet: the
 * last frame that is safe is heard, the one before it is not. */
static void what_the_writer_may_be_on_is_not_heard(void **state)
{
    (void)state;
    for (uint32_t beyond = 0; beyond < 2; beyond++) {
        struct sim *sim = simulation(48000.0, 48000.0, 64, 64, 1);
        int64_t first, end;
        sim->options.one_clock = true;
        begin_sim(sim);
        write_frames(sim, 1024);
        assert_true(shl_stream_read(sim->reader, out, 64, 0));
        shl_stream_read_part(sim->reader, &first, &end);
        write_frames(sim, (uint64_t)end + SHL_STREAM_FRAMES - 64 + beyond -
                              sim->write.frame);
        /* as the writer does before it shows its block */
        for (uint32_t i = 0; i < 64; i++)
            shared.plane[0][(sim->write.frame + i) % SHL_STREAM_FRAMES] = 9.0f;
        const int64_t next = end;
        shl_stream_read(sim->reader, out, 64, 0);
        shl_stream_read_part(sim->reader, &first, &end);
        assert_int_equal(first == next, beyond == 0);
        assert_int_equal(stats_of(sim).skips, beyond);
        for (uint32_t i = 0; i < 64; i++) {
            float want = noise((uint64_t)next + i, 0);
            assert_true(planes_out[0][i] < 9.0f);
            assert_true(beyond ||
                        memcmp(&want, &planes_out[0][i], sizeof want) == 0);
        }
        end_sim(sim);
    }
}

/* A resampler in whose midst this thread stands still for a while. */
static struct sim *standing;
static uint64_t standing_frames; /* that are written meanwhile */

static void *nap_make(uint32_t channels)
{
    static int none;

    (void)channels;
    return &none;
}

static uint32_t nap(void *state, double step, const float *from,
                    uint32_t in_frames, float *to, uint32_t out_frames,
                    uint32_t *used)
{
    uint32_t frames = in_frames < out_frames ? in_frames : out_frames;

    (void)state;
    (void)step;
    for (uint32_t i = 0; i < frames; i++)
        to[i] = from[i];
    *used = frames;
    if (standing)
        write_frames(standing, standing_frames);
    standing_frames = 0;
    return frames;
}

static void nap_end(void *state)
{
    (void)state;
}

static void frames_overtaken_while_they_are_read_are_not_heard(void **state)
{
    static const struct shl_resampler naps = {.ahead_frames = 8,
                                              .make = nap_make,
                                              .process = nap,
                                              .destroy = nap_end};
    struct sim *sim = simulation(48000.0, 44100.0, 64, 64, 1);

    (void)state;
    sim->options.rate_hz = 44100.0;
    sim->options.resampler = &naps;
    begin_sim(sim);
    run(sim, 1.0);
    uint64_t before = stats_of(sim).skips;
    standing = sim;
    /* the block after the last one shown may be in the midst of being written */
    for (uint32_t beyond = 0; beyond < 2; beyond++) {
        uint64_t place = (uint64_t)stats_of(sim).position;
        standing_frames =
            place + SHL_STREAM_FRAMES - 64 + beyond - sim->write.frame;
        assert_int_equal(
            shl_stream_read(sim->reader, out, 64, ns(sim->read.actual_s)),
            beyond == 0);
        if (beyond == 0) { /* back to where it was: another life */
            end_sim(sim);
            begin_sim(sim);
            sim->write.frame = sim->read.frame = 0;
            sim->write.actual_s = sim->read.actual_s = 0;
            run(sim, 1.0);
        }
    }
    assert_int_equal(stats_of(sim).skips, before + 1);
    standing_frames = 5 * SHL_MAX_FRAMES;
    end_sim(sim);
    standing = NULL;
}

/* The largest step from one sample to the next. */
static float steepest(const float *x, uint32_t n, float *before)
{
    float most = 0.0f;

    for (uint32_t i = 0; i < n; i++) {
        most = fmaxf(most, fabsf(x[i] - *before));
        *before = x[i];
    }
    return most;
}

static void a_writer_that_stops_is_faded_out_and_in(void **state)
{
    (void)state;
    struct sim *sim = simulation(48000.0, 48000.0, 64, 256, 2);
    float before = 0.0f, most = 0.0f;

    sim->options.resampler = RESAMPLER;
    sim->sine = true;
    sim->hz = 100.0;
    begin_sim(sim);
    run(sim, 10.0);
    before = planes_out[0][255];
    for (int round = 0; round < 10; round++) {
        double from_s = sim->read.actual_s;
        double stop_s = 0.05 + 0.3 * round;
        uint64_t heard = sim->blocks_heard;
        while (sim->read.actual_s < from_s + stop_s) {
            read_block(sim);
            most = fmaxf(most, steepest(planes_out[0], 256, &before));
        }
        assert_true(before == 0.0f);
        sim->write.start_s += stop_s;
        arrange(&sim->write);
        heard = sim->blocks_heard;
        while (sim->read.actual_s < from_s + stop_s + 2.0) {
            while (sim->write.actual_s <= sim->read.actual_s)
                write_block(sim);
            read_block(sim);
            most = fmaxf(most, steepest(planes_out[0], 256, &before));
        }
        assert_true(sim->blocks_heard - heard > 280);
    }
    struct shl_stream_stats stats = stats_of(sim);
    print_message("# figure: 10 stops of the writer: %llu underruns, steepest "
                  "step %.4f (a sine of 100 Hz has 0.0131)\n",
                  (unsigned long long)stats.underruns, (double)most);
    assert_true(stats.underruns >= 10 && stats.underruns < 40);
    assert_true(most < 0.04f);
    end_sim(sim);
}

static void a_reader_that_stops_hears_what_is_new(void **state)
{
    (void)state;
    struct sim *sim = small(64, 256);

    run(sim, 10.0);
    for (int round = 0; round < 10; round++) {
        double stop_s = 0.4 + 0.5 * round;
        double until_s = sim->write.actual_s + stop_s;
        while (sim->write.actual_s < until_s)
            write_block(sim);
        sim->read.start_s += stop_s;
        arrange(&sim->read);
        sim->worst_latency = 0.0;
        run(sim, until_s + 1.0);
        assert_true(sim->worst_latency <= 1.0);
    }
    struct shl_stream_stats stats = stats_of(sim);
    print_message("# figure: 10 stops of the reader: %llu skips, %llu frames "
                  "not heard\n",
                  (unsigned long long)stats.skips,
                  (unsigned long long)shl_stream_writer_overrun(sim->writer));
    assert_int_equal(stats.skips, 10);
    assert_int_equal(stats.mode, SHL_STREAM_COPY);
    assert_true(shl_stream_writer_overrun(sim->writer) > 0);
    end_sim(sim);
}

static void the_first_frame_is_the_first_heard(void **state)
{
    (void)state;
    struct sim *sim = simulation(48000.0, 48000.0, 64, 64, 1);
    uint32_t at = 0;
    bool equal = true;

    sim->options.own_times = true;
    begin_sim(sim);

    for (uint32_t block = 0; block < 100; block++) {
        sim->write.actual_s = sim->read.actual_s = block * 64 / 48000.0;
        write_block(sim);
        read_block(sim);
        for (uint32_t i = 0; i < 64; i++, at++) {
            float want = at < 480 ? 0.0f : noise(at - 480, 0);
            equal = equal && !memcmp(&want, &planes_out[0][i], sizeof want);
        }
    }
    assert_true(equal);
    end_sim(sim);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct shl_stream_options good = {.channels = 2,
                                                   .rate_hz = 48000.0,
                                                   .from_hz = 48000.0,
                                                   .block_frames = 64,
                                                   .from_frames = 64};
    struct shl_stream_options o = good;
    shl_stream_reader *reader = NULL;

    memory = shl_stream_memory_of(&shared);
    o.from_hz = 44100.0;
    assert_int_equal(shl_stream_reader_new(&memory, &o, &reader),
                     SHL_WRONG_RATE);
    o = good;
    o.rate_hz = o.from_hz = (double)NAN;
    assert_int_equal(shl_stream_reader_new(&memory, &o, &reader),
                     SHL_WRONG_RATE);
    o = good;
    o.channels = 33;
    assert_int_equal(shl_stream_reader_new(&memory, &o, &reader),
                     SHL_WRONG_CHANNELS);
    o = good;
    o.from_frames = 4097;
    assert_int_equal(shl_stream_reader_new(&memory, &o, &reader),
                     SHL_WRONG_BLOCK);
    o = good;
    o.latency_frames = SHL_STREAM_FRAMES;
    assert_int_equal(shl_stream_reader_new(&memory, &o, &reader),
                     SHL_BAD_VALUE);
    assert_null(reader);
    o.latency_frames = 1;
    assert_int_equal(shl_stream_reader_new(&memory, &o, &reader), SHL_OK);
    assert_int_equal(shl_stream_latency(reader), 64);
    shl_stream_reader_free(reader);
    shl_stream_reader_free(NULL);
}

/* With a word: the tests whose names it fits. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_clock_is_copied_bit_by_bit),
        cmocka_unit_test(one_clock_is_recognised_through_jitter),
        cmocka_unit_test(a_known_clock_needs_no_times),
        cmocka_unit_test(two_clocks_are_resampled),
        cmocka_unit_test(jitter_is_averaged_away),
        cmocka_unit_test(without_a_resampler_drift_is_corrected_and_counted),
        cmocka_unit_test(different_rates_are_resampled),
        cmocka_unit_test(hostile_counters_are_survived_and_counted),
        cmocka_unit_test(the_frame_beyond_the_ring_is_counted),
        cmocka_unit_test(what_the_writer_may_be_on_is_not_heard),
        cmocka_unit_test(frames_overtaken_while_they_are_read_are_not_heard),
        cmocka_unit_test(a_writer_that_stops_is_faded_out_and_in),
        cmocka_unit_test(a_reader_that_stops_hears_what_is_new),
        cmocka_unit_test(the_first_frame_is_the_first_heard),
        cmocka_unit_test(what_cannot_be_is_refused),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
