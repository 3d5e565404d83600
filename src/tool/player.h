/* SPDX-License-Identifier: MIT */
/* What `shmlink device` does with a block: events to the synth at their sample,
 * inputs through to outputs, what the host asked to hear back, and the figures
 * of the status line. Everything here runs on the audio thread but for new and
 * free: no allocation, no lock, no system call. */
#ifndef TOOL_PLAYER_H
#define TOOL_PLAYER_H

#include "param_exchange.h"

#include <stdatomic.h>

#define PLAYER_MAX_LATENCY 65536u

struct player_options {
    double rate_hz;
    int any_rate; /* then of each host: rate_hz is that of none */
    uint32_t in_channels, out_channels;
    uint32_t latency_frames;   /* kept: the output is that much late */
    int click;                 /* note ons become single samples */
    int echo;                  /* notes go back to the host, too */
    int sysex;                 /* and so does SysEx */
    struct exchange *exchange; /* what comes by message; the caller's */
};

/* Written by the audio thread, read by the one that prints; all relaxed, each
 * stands for itself.
 *   blocks, notes   counted since the start
 *   voices          sounding after the last block
 *   peak_bits       a float: highest level since somebody put 0 there */
struct player_figures {
    _Atomic uint64_t blocks;
    _Atomic uint64_t notes;
    _Atomic uint32_t voices;
    _Atomic uint32_t peak_bits;
};

struct player;

/** @return NULL if there is no memory. [control] */
struct player *player_new(const struct player_options *options);
void player_free(struct player *player);

/** Fill a block, between shl_device_wait and shl_device_done. [audio] */
SHL_RT void player_block(struct player *player, shl_device *device,
                         const struct shl_block *block);

/** Hear what has come by message; player_block does so by itself. [audio] */
SHL_RT void player_heed(struct player *player, shl_device *device);

/** The figures. [any] */
struct player_figures *player_figures(struct player *player);

/** Highest level since the last call. [one thread] */
float player_take_peak(struct player_figures *figures);

#endif
