/* SPDX-License-Identifier: MIT */
/* What `shmlink host` plays: events with times in milliseconds, put in order
 * and given their samples when the sample rate is known. Filled by notes.c,
 * smf.c and the built-in phrase. */
#ifndef TOOL_SCORE_H
#define TOOL_SCORE_H

#include "shmlink/shmlink.h"

struct score_event {
    double ms;
    double after_ms; /* a note's end comes later than this; below 0: no end */
    uint64_t frame;  /* see score_arrange */
    uint32_t order;
    char *param;            /* the name, or NULL: not a parameter */
    struct shl_event event; /* its frame is not used */
};

/** All zero is an empty score. */
struct score {
    struct score_event *event;
    uint32_t count, room;
    double end_ms;    /* as the notes say; 0: not said */
    double rest_ms;   /* end of the last track of a MIDI file, else 0 */
    char remark[120]; /* what is strange about the file, or "" */
};

/** Longest time that a score may speak of: a day. */
#define SCORE_MAX_MS 86400000.0

void score_free(struct score *score);

/* All of these: SHL_NO_MEMORY, or SHL_OK. Channels count from 0 here; every 16
 * of them are a port. Values are in range already. */

/** A MIDI 1.0 channel message. */
shl_status score_midi(struct score *score, double ms, uint32_t channel,
                      uint8_t status, uint8_t data1, uint8_t data2);

/** A UMP packet of one or two words. */
shl_status score_ump(struct score *score, double ms, const uint32_t *ump,
                     uint32_t words);

/** A note on, or off for velocity 0. A pitch with a fraction goes as MIDI 2.0.
 * length_ms: when it ends by itself, at least one sample later; 0: it does not.
 */
shl_status score_note(struct score *score, double ms, uint32_t channel,
                      double pitch, uint8_t velocity, double length_ms);

/** A parameter by name, in plain units. */
shl_status score_param(struct score *score, double ms, const char *name,
                       double value);

/** The sample at which something happens: the time cut down to its sample, with
 * two hundredths of one against rounding. The Pd object has the same rule. */
uint64_t score_frame(double ms, double rate_hz);

/** Give every event its sample and sort: by sample, ends of notes first, then
 * in the order of coming. */
void score_arrange(struct score *score, double rate_hz);

/** Time of the last event. */
double score_last_ms(const struct score *score);

/** Fill with the built-in phrase; *loop_ms is when it may begin again. */
shl_status score_phrase(struct score *score, double *loop_ms);

#endif
