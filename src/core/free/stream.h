/* SPDX-License-Identifier: MIT */
/* Audio from one clock to another: a ring of frames in memory that somebody
 * else maps, one writer, one reader, each called by its own clock.
 *
 * The writer never waits and never stops: frame n is always the n-th frame of its
 * clock, also when nobody reads. Beside the counter it tells when which frame is
 * due (estimator.h). The reader has the same of its own clock, and so knows where
 * in the stream it should be: as many frames as the latency says behind the
 * writer. While both clocks are one, it copies, bit by bit. When they are seen to
 * differ, a resampler follows; without one, frames are dropped or doubled one by
 * one, and counted. */
#ifndef SHL_STREAM_H
#define SHL_STREAM_H

#include "core/free/shared_clock.h"
#include "core/shm/layout.h"
#include "shmlink/realtime.h"
#include "shmlink/resampler.h"
#include "shmlink/status.h"
#include "shmlink/system.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Where it lies. The two counters on cache lines of their own. */
struct shl_stream_memory {
    _Atomic uint64_t *written; /* writer: release; reader: acquire. The
                                     frames below are whole */
    _Atomic uint64_t *read;    /* reader: release; writer: acquire. The
                                     frames below may be written over */
    _Atomic uint64_t *heard; /* reader: while it copies, twice the frame of its
                                  own at which frame 0 is heard, and 1; else 0 */
    struct shl_shared_clock *clock; /* when which frame is due */
    float *planes;                  /* SHL_STREAM_FRAMES floats per channel */
};

/** A stream of a segment. */
static inline struct shl_stream_memory
shl_stream_memory_of(struct shl_stream *stream)
{
    return (struct shl_stream_memory){&stream->written, &stream->read,
                                      &stream->heard, &stream->clock,
                                      stream->plane[0]};
}

/** Rates that a stream can have; NaN is none. [any] */
SHL_RT bool shl_stream_is_rate(double rate_hz);

/* ---- writer ---- */

typedef struct shl_stream_writer shl_stream_writer;

/** Starts at frame 0 and clears counter and estimator, so nobody may read yet.
 * SHL_NO_MEMORY. [control] */
shl_status shl_stream_writer_new(const struct shl_stream_memory *memory,
                                 uint32_t channels, double rate_hz,
                                 shl_stream_writer **writer);
void shl_stream_writer_free(shl_stream_writer *writer);

/** The times that it will be called at are exact: a step of them is followed at
 * once. Before the first block. [control] */
SHL_RT void shl_stream_writer_exact(shl_stream_writer *writer);

/** Write a block: 1 to SHL_MAX_FRAMES frames of each channel; planes that are
 * NULL are silent. Frames that nobody has read in time are written over and
 * counted.
 * @param now_ns the system's time, the same clock on both sides. [audio] */
SHL_RT void shl_stream_write(shl_stream_writer *writer,
                             const float *const *planes, uint32_t frames,
                             uint64_t now_ns);

/** Frames written ever: the number of the next one. [any] */
SHL_RT uint64_t shl_stream_writer_frame(const shl_stream_writer *writer);
/** Frames written over unread. [any] */
uint64_t shl_stream_writer_overrun(const shl_stream_writer *writer);
/** How late its blocks come, as a word of burst.h. [audio] */
SHL_RT uint32_t shl_stream_writer_late(const shl_stream_writer *writer);

/* ---- reader ---- */

struct shl_stream_options {
    uint32_t channels; /* 0 to 32 */
    double rate_hz;    /* of the reader */
    double from_hz;    /* of the writer; must be the same without resampler */
    uint32_t block_frames;   /* the reader's usual block, at its rate */
    uint32_t from_frames;    /* the writer's, at its rate */
    uint32_t latency_frames; /* at the writer's rate; 0: by the blocks and how
                                late they come. Raised to what the reader's
                                block needs */
    uint32_t late;           /* the writer's blocks: a word of burst.h */
    const struct shl_resampler *resampler; /* NULL: none */
    /* Where somebody sends back what it hears of us: `heard` of the stream to
     * it, and the latency of that. While both copy, the place is taken from
     * there, so that both ways are exactly as long as both latencies. */
    const _Atomic uint64_t *other_heard;  /* NULL: none */
    const _Atomic uint32_t *other_frames; /* that latency, which may change */
    _Atomic uint32_t *told_frames; /* ours is said there; NULL: nowhere */
    bool one_clock; /* known for sure: copies, and looks at no times */
    bool own_times; /* times are those of one program, that counts blocks by
                       them: they never come several at once */
    bool exact;     /* both are called at exact times: a step of them is
                       followed at once */
};

typedef struct shl_stream_reader shl_stream_reader;

/** SHL_WRONG_RATE, SHL_WRONG_BLOCK, SHL_WRONG_CHANNELS, SHL_BAD_VALUE (latency
 * too long for the ring), SHL_NO_MEMORY. [control] */
shl_status shl_stream_reader_new(const struct shl_stream_memory *memory,
                                 const struct shl_stream_options *options,
                                 shl_stream_reader **reader);
void shl_stream_reader_free(shl_stream_reader *reader);

/** What the writer says of how late its blocks come, a word of burst.h. Before
 * each block. A latency that goes by the blocks is raised by it, at the start and
 * when sound has failed anyway, and never lowered. [audio] */
SHL_RT void shl_stream_late(shl_stream_reader *reader, uint32_t late);

/** Read a block: 1 to SHL_MAX_FRAMES frames into each channel's plane. What is
 * not there becomes silence, faded. Returns true if it is the stream. [audio] */
SHL_RT bool shl_stream_read(shl_stream_reader *reader, float *const *planes,
                            uint32_t frames, uint64_t now_ns);

/** The part of the stream that the last block was: frames from `first` to below
 * `end`, by the writer's count; those below 0 are the silence before it. Empty
 * while nothing is heard. [audio] */
SHL_RT void shl_stream_read_part(const shl_stream_reader *reader,
                                 int64_t *first, int64_t *end);

/** Frames between a frame's block being written and being read, as aimed at,
 * at the writer's rate. May rise, see shl_stream_late. [any] */
SHL_RT uint32_t shl_stream_latency(const shl_stream_reader *reader);

enum shl_stream_mode {
    SHL_STREAM_COPY,     /* one clock, as far as is known */
    SHL_STREAM_CONVERT,  /* one clock, two rates */
    SHL_STREAM_STEERED,  /* two clocks, resampled */
    SHL_STREAM_CORRECTED /* two clocks, frames dropped and doubled */
};

struct shl_stream_stats {
    enum shl_stream_mode mode;
    uint64_t underruns; /* times that frames were missing */
    uint64_t
        silent_frames;     /* frames that were replaced, at the reader's rate */
    uint64_t skips;        /* times that it went to another place */
    uint64_t bad;          /* counters or paces that could not be */
    uint64_t dropped;      /* frames left out because clocks differ */
    uint64_t doubled;      /* frames heard twice because clocks differ */
    double ratio;          /* writer's frames per reader's frame, now */
    double deviation;      /* frames from the aimed at latency, estimated */
    double position;       /* of the next frame in the stream */
    uint32_t spare_frames; /* least that was left to read, since last asked */
    uint32_t wanted_frames; /* latency that would have done at the last
                               underruns; 0: none, or it stood still */
};

/** Underruns ever, and the latency that would have done at the last ones, 0 if
 * none would. [audio] */
SHL_RT void shl_stream_short(const shl_stream_reader *reader, uint32_t *times,
                             uint32_t *wanted_frames);

/** [audio] */
SHL_RT void shl_stream_get_stats(shl_stream_reader *reader,
                                 struct shl_stream_stats *stats);

#endif
