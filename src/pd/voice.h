/* SPDX-License-Identifier: MIT */
/* What both roles of [shmlink~] begin with, so that their MIDI messages are
 * the same code: midi.c takes them and puts events, device_events.c tells of those
 * that came. */
#ifndef PD_VOICE_H
#define PD_VOICE_H

#include "pd/replies.h"

#define VOICE_SYSEX_MAX 4096

/* A SysEx message from the other side: none begun, in the middle of one, or in
 * the middle of one that cannot be given out. */
enum voice_sysex { VOICE_SYSEX_NONE, VOICE_SYSEX_WHOLE, VOICE_SYSEX_BROKEN };

struct voice;

/* How a role sends. */
struct voice_ways {
    /* whether the other side has a capability; if not, it has been said */
    int (*offers)(struct voice *x, t_symbol *selector, uint64_t capability);
    /* whether it reads the pitch of a note beside its key */
    int (*detunes)(struct voice *x);
    /* queue an event for the present logical time */
    void (*put)(struct voice *x, t_symbol *selector,
                const struct shl_event *event);
    /* how many more the queue takes */
    uint32_t (*room)(const struct voice *x);
    /* send a whole SysEx by message: always if it is longer than the queue
     * takes. 0: it is to go as events */
    int (*send_long)(struct voice *x, t_symbol *selector, const uint8_t *bytes,
                     size_t size);
};

/* The first members are those that an object has in any case. */
struct voice {
    t_object obj;
    t_float f;
    struct replies say;
    const struct voice_ways *ways;
    struct shl_midi_stream raw; /* of midi_raw */
    uint8_t sysex[VOICE_SYSEX_MAX];
    uint32_t sysex_count;
    enum voice_sysex sysex_state;
    uint64_t sysex_lost;
};

/** The midi_ messages; `add` takes each. */
typedef void (*notes_add)(t_class *c, t_method method, const char *selector);
void notes_methods(t_class *c, notes_add add);

/** One packet from the other side, told on the outlet now. */
void device_events_ump(struct voice *x, const uint32_t *ump);

/** A link has begun or ended: nothing is in the middle. */
void voice_forget_link(struct voice *x);

#endif
