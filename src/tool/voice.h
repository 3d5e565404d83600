/* SPDX-License-Identifier: MIT */
/* One note of the synth: two detuned saws, each through a resonant low-pass,
 * under one envelope. Everything that changes slowly is worked out every
 * VOICE_STEP samples by the synth's own clock and glides in between, so the
 * sound does not depend on how time is cut into blocks. Pure arithmetic. */
#ifndef TOOL_VOICE_H
#define TOOL_VOICE_H

#include "shmlink/shmlink.h"

#include "wave.h"

#define VOICE_STEP 16 /* samples between two looks at the slow things */

enum voice_stage {
    VOICE_OFF,
    VOICE_ATTACK,
    VOICE_DECAY, /* towards sustain, and there */
    VOICE_RELEASE,
    VOICE_FADE /* cut off within some milliseconds */
};

/** What all voices share; the synth keeps it up to date. */
struct voice_sound {
    const struct wave *wave;
    float rate_hz;
    float attack, decay, release, fade; /* factors per sample */
    float sustain;                      /* 0..1 */
    float tune;                         /* semitones */
    float cutoff;                       /* octaves above 1 Hz */
    float damping;                      /* 1 / Q */
    float glide;                        /* part of the way per VOICE_STEP */
    float vibrato;                      /* semitones, now */
};

/** Points of a voice that somebody listens to, to be added to; or NULL. */
struct voice_taps {
    float *osc1, *osc2, *filter, *env;
};

struct voice_filter {
    float a, b; /* its two memories */
};

struct voice {
    enum voice_stage stage;
    uint32_t born; /* order of starting; wraps */
    uint16_t lane; /* port and channel */
    uint8_t key;
    uint8_t key_down;
    uint8_t pedal_down; /* key is up, the sustain pedal holds it */
    float pitch;        /* semitones, with its fraction */
    float velocity;     /* 0..1 */
    float bend;         /* semitones, gliding */
    float level;        /* from velocity */
    float envelope;
    uint32_t phase[2], step[2];
    struct wave_band band;
    struct voice_filter filter[2];
    float warp;      /* tan(pi cutoff / rate): where the filter is */
    float warp_step; /* its glide per sample */
};

/** Begin a note. All of the voice is set, so equal notes sound equal. [audio]
 */
SHL_RT void voice_start(struct voice *voice, const struct voice_sound *sound,
                        float pitch, float velocity, float bend);

/** Look at the slow things: pitch (bend: its goal, in semitones), filter.
 * Every VOICE_STEP samples. [audio] */
SHL_RT void voice_control(struct voice *voice, const struct voice_sound *sound,
                          float bend);

/** Add `frames` (up to VOICE_STEP) samples to both sides and to the taps.
 * [audio] */
SHL_RT void voice_add(struct voice *voice, const struct voice_sound *sound,
                      const struct voice_taps *taps, float *left, float *right,
                      uint32_t frames);

#endif
