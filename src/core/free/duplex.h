/* SPDX-License-Identifier: MIT */
/* One end of a link whose two sides run on clocks of their own: what goes out
 * is written to one stream, what comes is read from the other, and an event has
 * its place where the frame that it belongs to is heard. Both ends are alike.
 * Nobody waits: what is not there in time is silence. */
#ifndef SHL_DUPLEX_H
#define SHL_DUPLEX_H

#include "core/free/stream.h"
#include "core/os/mpsc.h"
#include "core/shm/segment.h"
#include "shmlink/realtime.h"
#include "shmlink/registry.h"

struct shl_duplex_options {
    bool from_host;        /* the host's end, else the device's */
    uint32_t out_channels; /* written, read: as agreed */
    uint32_t in_channels;
    double rate_hz, peer_hz;
    uint32_t block_frames, peer_frames;
    uint32_t latency_frames; /* of what is read, at the peer's rate; 0: by the
                                blocks */
    const struct shl_resampler *resampler; /* NULL: none */
    /* words of the lines; each NULL where there is none */
    const _Atomic uint32_t *there_frames; /* host: latency of what the device
                                             reads */
    _Atomic uint32_t *told_frames;        /* device: the same */
    const _Atomic uint32_t *peer_late; /* how late its blocks come (burst.h) */
    _Atomic uint32_t *own_late;        /* and ours; */
    uint32_t expected_frames;          /* before that has been measured */
    SHL_RT uint64_t (*clock_ns)(void);
    bool one_clock; /* for sure */
    bool exact;     /* and no call is ever late by it */
};

struct shl_duplex {
    struct shl_mpsc_node node; /* for whoever keeps a list */
    shl_stream_writer *writer;
    shl_stream_reader *reader;
    struct shl_duplex_options options;
    uint64_t now_ns;        /* of the present block */
    uint32_t frames;        /* of what was read last */
    int64_t first, end;     /* its part of the stream */
    bool heard;             /* it was the stream */
    bool begun;             /* some block was */
    uint32_t silent_frames; /* since it was the stream */
    uint32_t told_late;
};

/** How many channels duplex in one direction, as both sides work it out. */
SHL_RT uint32_t shl_duplex_channels(const struct shl_identity *identity,
                                    const struct shl_claim *claim,
                                    bool to_host);

/** Whether a rate can be read at another: by what the stream needs. */
SHL_RT bool shl_duplex_can(const struct shl_duplex_options *options);

/** The memory of both streams must be reserved. SHL_WRONG_RATE,
 * SHL_WRONG_BLOCK, SHL_BAD_VALUE (latency), SHL_NO_MEMORY. [control] */
shl_status shl_duplex_new(const struct shl_segment *segment,
                          const struct shl_duplex_options *options,
                          struct shl_duplex **duplex);
void shl_duplex_free(struct shl_duplex *duplex);

/** A block begins now: write and read may follow, in any order. [audio] */
SHL_RT void shl_duplex_begin(struct shl_duplex *duplex);

/** Planes of all channels that go out. [audio] */
SHL_RT void shl_duplex_write(struct shl_duplex *duplex,
                             const float *const *planes, uint32_t frames);

/** Number of the next frame to be written. [any] */
SHL_RT uint64_t shl_duplex_frame(const struct shl_duplex *duplex);

/** Fill the planes of all channels that come. True if it is the stream.
 * [audio] */
SHL_RT bool shl_duplex_read(struct shl_duplex *duplex, float *const *planes,
                            uint32_t frames);

/** Whether the peer's event of this frame belongs to a block that has not been
 * read yet. When nothing has been heard for a tenth of a second all are due.
 * [audio] */
SHL_RT bool shl_duplex_early(const struct shl_duplex *duplex, uint64_t frame);

/** Its place in the block that was read last. [audio] */
SHL_RT uint32_t shl_duplex_place(const struct shl_duplex *duplex,
                                 uint64_t frame);

/** Frames between written and read, at the peer's rate. [any] */
SHL_RT uint32_t shl_duplex_latency(const struct shl_duplex *duplex);

#endif
