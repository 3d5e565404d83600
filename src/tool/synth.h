/* SPDX-License-Identifier: MIT */
/* The sound of `shmlink device`: a polyphonic synth, events in, planes out.
 * Knows nothing of links; no clock, no chance: after synth_reset equal events
 * at equal frames give equal samples, however time is cut into blocks. */
#ifndef TOOL_SYNTH_H
#define TOOL_SYNTH_H

#include "shmlink/shmlink.h"

#define SYNTH_VOICES 32

/** The parameters, by id and by index. */
enum synth_param {
    SYNTH_GAIN,      /* dB */
    SYNTH_ATTACK,    /* ms, until the note is at its loudest */
    SYNTH_RELEASE,   /* ms, until it is 60 dB softer */
    SYNTH_TUNE,      /* cents */
    SYNTH_CUTOFF,    /* Hz, of a loud C4 at its loudest */
    SYNTH_RESONANCE, /* Q */
    SYNTH_DECAY,     /* ms, until within 60 dB of the sustain level */
    SYNTH_SUSTAIN,   /* % of the loudest */
    SYNTH_LFO,       /* Hz */
    SYNTH_VIBRATO,   /* cents up and down, by the LFO */
    SYNTH_PARAMS
};

#define SYNTH_NONE (-1)

/** Whole planes for what happens inside, or NULL; silent before the first
 * synth_render of a block. */
struct synth_taps {
    float *osc1, *osc2, *filter, *lfo, *env, *gate, *left, *right;
};

struct synth;

/** @return NULL if there is no memory. [control] */
struct synth *synth_new(double rate_hz);

/** Another sample rate; ends what sounds, parameters stay. [audio] */
SHL_RT void synth_rate(struct synth *synth, double rate_hz);
void synth_free(struct synth *synth);

/** As new: silence, parameters and controllers at their start. [audio] */
SHL_RT void synth_reset(struct synth *synth);

/** The same, but the parameters stay where they are. [audio] */
SHL_RT void synth_silence(struct synth *synth);

/** SYNTH_PARAMS descriptions. [any] */
SHL_RT const struct shl_param *synth_params(void);

/** A parameter's plain value. [audio] */
SHL_RT double synth_value(const struct synth *synth, enum synth_param param);

/** Set a parameter's plain value. [audio] */
SHL_RT void synth_set(struct synth *synth, enum synth_param param,
                      double value);

/** Hear an event; its time is now. All channels and ports play. Returns the
 * parameter that a controller moved (1 vibrato, 7 gain, 71 resonance, 72 release,
 * 73 attack, 74 cutoff, each over its whole range), or SYNTH_NONE. [audio] */
SHL_RT int synth_event(struct synth *synth, const struct shl_event *event);

/** Sound on for `frames` samples, from sample `from` of each plane. Even planes
 * are left, odd ones right, a single or last odd one is the middle. `taps`:
 * who listens inside, NULL: nobody. [audio] */
SHL_RT void synth_render(struct synth *synth, const struct synth_taps *taps,
                         float *const *planes, uint32_t channels, uint32_t from,
                         uint32_t frames);

/** Voices that sound. [audio] */
SHL_RT uint32_t synth_voices(const struct synth *synth);

#endif
