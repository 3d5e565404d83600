/* SPDX-License-Identifier: MIT */
/* What passes between the control threads of `shmlink device` and its audio
 * thread without a lock: all parameters at once, untimed MIDI, and the values
 * as they sound now. One message_thread posts, one audio thread takes. */
#ifndef TOOL_EXCHANGE_H
#define TOOL_EXCHANGE_H

#include "synth.h"

#define EXCHANGE_MIDI 1024u /* messages that wait */

/** What the message_thread wants: all values; reset: silence first. */
struct exchange_wish {
    double value[SYNTH_PARAMS];
    int reset;
    uint32_t number;
};

struct exchange;

/** @return NULL if there is no memory. [control] */
struct exchange *exchange_new(void);
void exchange_free(struct exchange *exchange);

/* ---- the message_thread ---- */

/** Post all values. Returns the number of this wish. [message_thread] */
uint32_t exchange_post(struct exchange *exchange, const double *values,
                       int reset);

/** Whether that wish, or a later one, is heard. [message_thread] */
int exchange_heard(const struct exchange *exchange, uint32_t number);

/** The values as last posted, or as they sound if that is heard. [message_thread] */
void exchange_values(const struct exchange *exchange, double *values);

/** Post a MIDI message; 0 if EXCHANGE_MIDI of them wait. [message_thread] */
int exchange_midi(struct exchange *exchange, const uint32_t *ump);

/* ---- the audio thread ---- */

/** The newest wish, or NULL; valid until the next call. Say exchange_done when it
 * is heard. [audio] */
SHL_RT const struct exchange_wish *exchange_take(struct exchange *exchange);
SHL_RT void exchange_done(struct exchange *exchange,
                          const struct exchange_wish *wish);

/** The next MIDI message, 0 if there is none. [audio] */
SHL_RT int exchange_next_midi(struct exchange *exchange, uint32_t ump[2]);

/** The values as they sound now. [audio] */
SHL_RT void exchange_show(struct exchange *exchange, const struct synth *synth);

#endif
