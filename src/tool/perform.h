/* SPDX-License-Identifier: MIT */
/* A score played on a host, block by block: due events sent at their sample,
 * one block exchanged, what came back heard and measured. Knows no file and no
 * clock; rendering and live playing are the same calls. */
#ifndef TOOL_PERFORM_H
#define TOOL_PERFORM_H

#include "score.h"

struct perform_options {
    uint32_t channels; /* what the host was made with */
    uint32_t block_frames;
    uint64_t frames;      /* how long; UINT64_MAX: until the user ends it */
    uint64_t loop_frames; /* after which the score begins again; 0: never */
};

struct perform_figures {
    uint64_t position; /* frames played */
    uint64_t notes;    /* note ons sent */
    uint64_t events;   /* all that was sent */
    uint64_t refused;  /* and what could not be */
    uint64_t spread;   /* that had to wait, for there were too many at once */
    uint64_t wait_frames; /* the longest of these waits */
    uint64_t unheard;     /* SysEx, which the device does not take */
    uint64_t heard;       /* events from the device */
    float peak;           /* of all outputs */
    shl_status why;       /* of the last event refused */
};

struct perform;

/** The score must be arranged; it and the host are the caller's.
 * @return NULL if there is no memory. [control] */
struct perform *perform_new(const struct perform_options *options,
                            shl_host *host, const struct score *score);
void perform_free(struct perform *perform);

/** Play the next block. Returns how many frames of it belong to the
 * performance: block_frames, fewer at the end, then 0. [audio] */
SHL_RT uint32_t perform_block(struct perform *perform);

/** The planes of the last block. */
const float *const *perform_planes(const struct perform *perform);

const struct perform_figures *perform_figures(const struct perform *perform);

/** Highest level since the last call. */
float perform_take_peak(struct perform *perform);

#endif
