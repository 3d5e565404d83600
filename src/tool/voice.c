/* SPDX-License-Identifier: MIT */
#include "voice.h"

#include <math.h>

#define PI 3.14159265f

static const float detune = 4.f / 100.f; /* semitones up and down */
static const float full_level = 0.35f;   /* a chord of eight still fits */
static const float near_side = 0.8f;     /* each saw leans to one side */
static const float far_side = 0.35f;
static const float start_phase = 0.31f; /* of the second saw, in periods */
static const float silence = 1e-5f;     /* -100 dB: nobody hears the end */
static const float attack_goal = 1.25f; /* the attack bends, but arrives */

/* Octaves above 1 cycle per sample. Key 69 is 440 Hz. */
static float octaves_of(const struct voice *voice,
                        const struct voice_sound *sound)
{
    return (voice->pitch + voice->bend + sound->tune + sound->vibrato - 69.f) /
               12.f +
           log2f(440.f / sound->rate_hz);
}

/* Near half the sample rate a saw has become a sine and would fold back. */
static uint32_t step_of(float octaves)
{
    const float cycles = exp2f(octaves);

    return cycles < 0.46f ? (uint32_t)(cycles * 4294967296.f) : 0;
}

static float warp_of(const struct voice *voice, const struct voice_sound *sound)
{
    const float key = (voice->pitch - 60.f) / 24.f;
    const float touch = (voice->velocity - 0.75f) * 1.5f;
    const float sweep = (voice->envelope - 1.f) * 2.f;
    float hertz = exp2f(sound->cutoff + key + touch + sweep);

    hertz = fminf(fmaxf(hertz, 20.f), 0.45f * sound->rate_hz);
    return tanf(PI * hertz / sound->rate_hz);
}

static void set_pitch(struct voice *voice, const struct voice_sound *sound)
{
    const float octaves = octaves_of(voice, sound);

    voice->band = wave_pick(sound->wave, octaves + detune / 12.f);
    voice->step[0] = step_of(octaves - detune / 12.f);
    voice->step[1] = step_of(octaves + detune / 12.f);
}

void voice_start(struct voice *voice, const struct voice_sound *sound,
                 float pitch, float velocity, float bend)
{
    *voice = (struct voice){
        .stage = VOICE_ATTACK,
        .born = voice->born,
        .lane = voice->lane,
        .key = voice->key,
        .key_down = 1,
        .pitch = pitch,
        .velocity = velocity,
        .bend = bend,
        .phase = {0, (uint32_t)(start_phase * 4294967296.f)},
        .level = full_level * velocity * (0.4f + 0.6f * velocity)};
    voice->warp = warp_of(voice, sound);
    set_pitch(voice, sound);
}

void voice_control(struct voice *voice, const struct voice_sound *sound,
                   float bend)
{
    voice->bend += (bend - voice->bend) * sound->glide;
    voice->warp_step =
        (warp_of(voice, sound) - voice->warp) * (1.f / VOICE_STEP);
    set_pitch(voice, sound);
}

static float next_envelope(struct voice *voice, const struct voice_sound *sound)
{
    float envelope = voice->envelope;

    switch (voice->stage) {
    case VOICE_OFF:
        return 0.f;
    case VOICE_ATTACK:
        envelope += (attack_goal - envelope) * sound->attack;
        if (envelope >= 1.f) {
            envelope = 1.f;
            voice->stage = VOICE_DECAY;
        }
        break;
    case VOICE_DECAY:
        envelope += (sound->sustain - envelope) * sound->decay;
        break;
    case VOICE_RELEASE:
        envelope -= envelope * sound->release;
        break;
    case VOICE_FADE:
        envelope -= sound->fade;
        break;
    }
    if (envelope < silence && voice->stage != VOICE_ATTACK) {
        voice->stage = VOICE_OFF;
        envelope = 0.f;
    }
    voice->envelope = envelope;
    return envelope;
}

/* State variable filter in its trapezoidal form: stays stable and in tune while
 * the cutoff moves. Low-pass output. */
static float low_pass(struct voice_filter *filter, float in, float warp,
                      float open)
{
    const float high = in - filter->b;
    const float band = open * (filter->a + warp * high);
    const float low = filter->b + warp * band;

    filter->a = 2.f * band - filter->a;
    filter->b = 2.f * low - filter->b;
    return low;
}

static void tap(float *to, uint32_t i, float value)
{
    if (to)
        to[i] += value;
}

void voice_add(struct voice *voice, const struct voice_sound *sound,
               const struct voice_taps *taps, float *left, float *right,
               uint32_t frames)
{
    struct voice_filter *filter = voice->filter;

    for (uint32_t i = 0; i < frames && voice->stage != VOICE_OFF; i++) {
        const float envelope = next_envelope(voice, sound);
        const float level = voice->level * envelope;
        const float warp = voice->warp += voice->warp_step;
        const float open = 1.f / (1.f + warp * (warp + sound->damping));
        const float osc1 = wave_at(&voice->band, voice->phase[0]);
        const float osc2 = wave_at(&voice->band, voice->phase[1]);
        const float a = low_pass(&filter[0], osc1, warp, open);
        const float b = low_pass(&filter[1], osc2, warp, open);

        left[i] += level * (near_side * a + far_side * b);
        right[i] += level * (far_side * a + near_side * b);
        tap(taps->osc1, i, voice->level * osc1);
        tap(taps->osc2, i, voice->level * osc2);
        tap(taps->filter, i, voice->level * (a + b));
        tap(taps->env, i, envelope);
        voice->phase[0] += voice->step[0];
        voice->phase[1] += voice->step[1];
    }
}
