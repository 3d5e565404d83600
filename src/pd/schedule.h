/* SPDX-License-Identifier: MIT */
/* Logical time <-> sample offsets, and the queues in between: what messages
 * want played, and what the device sent back until its time has come.
 * Scheduler thread; all of it may be called from perform. */
#ifndef PD_SCHEDULE_H
#define PD_SCHEDULE_H

#include "shmlink/shmlink.h"

#include "m_pd.h"

#define SCHEDULE_SIZE 4096

/* Beside the kinds of struct shl_event: end everything that sounds. */
#define SCHEDULE_PANIC 0xffff

struct schedule_entry {
    double time; /* Pd's logical time */
    struct shl_event event;
};

/* First in, first out; times never decrease. */
struct schedule {
    uint32_t pushed, popped; /* wrap */
    uint64_t lost;           /* refused because it was full */
    struct schedule_entry entries[SCHEDULE_SIZE];
};

/** Put an event in; a time before its predecessor's is raised to that. False
 * and counted if there is no room. */
int schedule_push(struct schedule *schedule, double time,
                  const struct shl_event *event);

/** The oldest, or NULL. */
const struct schedule_entry *schedule_first(const struct schedule *schedule);
void schedule_pop(struct schedule *schedule);

uint32_t schedule_count(const struct schedule *schedule);
uint32_t schedule_room(const struct schedule *schedule);
/** Empty it; returns how many were in it. */
uint32_t schedule_clear(struct schedule *schedule);

/** The value that a waiting event will give this parameter. True if there is
 * one. */
int schedule_value(const struct schedule *schedule, uint32_t param_id,
                   double *value);

/* Where one block of perform lies in logical time. */
struct schedule_block {
    double tick;       /* logical time of the perform: the tick's end */
    double rate_hz;    /* of the canvas */
    uint32_t span;     /* frames from the start to the tick's end */
    uint32_t position; /* frames of this tick performed before this block */
    uint32_t frames;
};

/** A perform of `frames` begins. The first of a tick starts at the tick's time
 * less a block (or less Pd's own block, if that is longer); each further one
 * of the same tick follows its predecessor. `tick_frames` is Pd's own block at
 * this canvas's rate. */
void schedule_enter(struct schedule_block *block, uint32_t frames,
                    double rate_hz, uint32_t tick_frames);

/** Frames from the block's start to a logical time: below 0 counts as 0, and
 * `frames` or more belongs to a later block. */
uint32_t schedule_offset(const struct schedule_block *block, double time);

/** The logical time at which what happened `offset` frames into this block is
 * told: the span later, since the block's own time is past. */
double schedule_due(const struct schedule_block *block, uint32_t offset);

/* The time of links within this Pd: both ends read it, so that it is one. */

/** Nanoseconds of logical time, as last set: for the options of hosts and
 * devices. */
uint64_t schedule_clock(void);
/** A block begins at this logical time. */
void schedule_clock_set(double time);

/** Frames that blocks of this Pd may come late, as far as its settings tell: it
 * sleeps, then computes all ticks that are due. A sound card's longer period
 * does not show here. */
uint32_t schedule_burst(double rate_hz);

/** So many frames after a logical time, or before it. */
double schedule_after(double time, double frames, double rate_hz);

/** The logical time of this frame of a block. */
double schedule_start(const struct schedule_block *block, uint32_t offset);

#endif
