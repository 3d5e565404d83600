/* SPDX-License-Identifier: MIT */
#include "synth.h"

#include "voice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LANES SHL_HELD_LANES /* 16 ports of 16 channels */

/* As many again for notes that were cut off and still fade. */
#define ALL_VOICES (2 * SYNTH_VOICES)

static const double bend_range = 2.0; /* semitones */

struct lane {
    float bend; /* semitones */
    int pedal;
};

struct synth {
    struct wave wave;
    struct voice_sound sound;
    struct voice voice[ALL_VOICES];
    struct lane lane[LANES];
    double value[SYNTH_PARAMS];
    double modulation[SYNTH_PARAMS];
    float tune, cutoff, damping, sustain; /* where the sound glides to */
    float gain, gain_goal, gain_glide;
    float lfo;          /* -1 to 1 */
    float vibrato;      /* semitones */
    uint32_t lfo_phase; /* 2^32 to a period */
    uint32_t lfo_step;  /* per VOICE_STEP */
    uint32_t clock;     /* samples since the reset; wraps */
    uint32_t births;    /* notes since the reset; wraps */
};

/* NOLINTBEGIN(bugprone-macro-parentheses): strings that fill arrays */
#define LINEAR(number, text, unit, where, low, high, start)                    \
    {                                                                          \
        .id = number, .flags = SHL_PARAM_AUTOMATABLE,                          \
        .curve = SHL_CURVE_LINEAR, .minimum = low, .maximum = high,            \
        .initial = start, .name = text, .label = unit, .group = where          \
    }
#define LOG(number, text, unit, where, low, high, start)                       \
    {                                                                          \
        .id = number, .flags = SHL_PARAM_AUTOMATABLE, .curve = SHL_CURVE_LOG,  \
        .minimum = low, .maximum = high, .initial = start, .name = text,       \
        .label = unit, .group = where                                          \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct shl_param params[SYNTH_PARAMS] = {
    LINEAR(SYNTH_GAIN, "gain", "dB", "amp", -60.0, 6.0, -6.0),
    LOG(SYNTH_ATTACK, "attack", "ms", "envelope", 1.0, 5000.0, 5.0),
    LOG(SYNTH_RELEASE, "release", "ms", "envelope", 5.0, 10000.0, 400.0),
    LINEAR(SYNTH_TUNE, "tune", "cents", "pitch", -100.0, 100.0, 0.0),
    LOG(SYNTH_CUTOFF, "cutoff", "Hz", "filter", 40.0, 18000.0, 5000.0),
    LOG(SYNTH_RESONANCE, "resonance", "", "filter", 0.5, 12.0, 1.0),
    LOG(SYNTH_DECAY, "decay", "ms", "envelope", 5.0, 10000.0, 2500.0),
    LINEAR(SYNTH_SUSTAIN, "sustain", "%", "envelope", 0.0, 100.0, 55.0),
    LOG(SYNTH_LFO, "lfo", "Hz", "lfo", 0.05, 20.0, 5.0),
    LINEAR(SYNTH_VIBRATO, "vibrato", "cents", "lfo", 0.0, 100.0, 0.0),
};

const struct shl_param *synth_params(void)
{
    return params;
}

double synth_value(const struct synth *synth, enum synth_param param)
{
    return synth->value[param];
}

/* ---- parameters ----------------------------------------------------------- */

/* The part of the way per step of an approach that has come within e^-nepers
 * of its goal after so many milliseconds. */
static float part_per_step(double nepers, double ms, double rate_hz)
{
    return (float)(1.0 - exp(-nepers * 1000.0 / (ms * rate_hz)));
}

static void apply(struct synth *synth, enum synth_param param)
{
    const double ln_5 = 1.6094379124341003;   /* see voice.c: 1.25 */
    const double ln_1000 = 6.907755278982137; /* 60 dB */
    struct voice_sound *sound = &synth->sound;
    const double rate = (double)sound->rate_hz;
    const double value = shl_param_clip(
        &params[param], synth->value[param] + synth->modulation[param]);

    switch (param) {
    case SYNTH_GAIN:
        synth->gain_goal = (float)pow(10.0, value / 20.0);
        break;
    case SYNTH_ATTACK:
        sound->attack = part_per_step(ln_5, value, rate);
        break;
    case SYNTH_RELEASE:
        sound->release = part_per_step(ln_1000, value, rate);
        break;
    case SYNTH_TUNE:
        synth->tune = (float)(value / 100.0);
        break;
    case SYNTH_CUTOFF:
        synth->cutoff = (float)log2(value);
        break;
    case SYNTH_RESONANCE:
        synth->damping = (float)(1.0 / value);
        break;
    case SYNTH_DECAY:
        sound->decay = part_per_step(ln_1000, value, rate);
        break;
    case SYNTH_SUSTAIN:
        synth->sustain = (float)(value / 100.0);
        break;
    case SYNTH_LFO:
        synth->lfo_step = (uint32_t)(value * VOICE_STEP / rate * 4294967296.0);
        break;
    case SYNTH_VIBRATO:
        synth->vibrato = (float)(value / 100.0);
        break;
    case SYNTH_PARAMS:
        break;
    }
}

static void set_param(struct synth *synth, uint32_t id, double value)
{
    synth->value[id] = shl_param_clip(&params[id], value);
    apply(synth, (enum synth_param)id);
}

void synth_set(struct synth *synth, enum synth_param param, double value)
{
    set_param(synth, (uint32_t)param, value);
}

/* Every VOICE_STEP samples a part of the way; at once after a reset. */
static void glide(struct synth *synth, float part)
{
    struct voice_sound *sound = &synth->sound;

    sound->tune += (synth->tune - sound->tune) * part;
    sound->cutoff += (synth->cutoff - sound->cutoff) * part;
    sound->damping += (synth->damping - sound->damping) * part;
    sound->sustain += (synth->sustain - sound->sustain) * part;
}

/* ---- life ------------------------------------------------------------------ */

static void set_rate(struct synth *synth, double rate_hz)
{
    synth->sound.rate_hz = (float)rate_hz;
    synth->sound.fade = (float)(1.0 / (0.005 * rate_hz));
    synth->sound.glide = part_per_step(VOICE_STEP, 3.0, rate_hz);
    synth->gain_glide = part_per_step(1.0, 5.0, rate_hz);
}

struct synth *synth_new(double rate_hz)
{
    struct synth *synth = calloc(1, sizeof(*synth));

    if (!synth)
        return NULL;
    wave_init(&synth->wave);
    synth->sound.wave = &synth->wave;
    set_rate(synth, rate_hz);
    synth_reset(synth);
    return synth;
}

SHL_RT void synth_rate(struct synth *synth, double rate_hz)
{
    set_rate(synth, rate_hz);
    synth_silence(synth);
    for (uint32_t id = 0; id < SYNTH_PARAMS; id++)
        apply(synth, (enum synth_param)id);
    glide(synth, 1.f);
}

void synth_free(struct synth *synth)
{
    free(synth);
}

void synth_reset(struct synth *synth)
{
    for (uint32_t id = 0; id < SYNTH_PARAMS; id++)
        set_param(synth, id, params[id].initial);
    synth_silence(synth);
}

void synth_silence(struct synth *synth)
{
    memset(synth->voice, 0, sizeof(synth->voice));
    memset(synth->lane, 0, sizeof(synth->lane));
    memset(synth->modulation, 0, sizeof(synth->modulation));
    glide(synth, 1.f);
    synth->gain = synth->gain_goal;
    synth->lfo = synth->sound.vibrato = 0.f;
    synth->lfo_phase = 0;
    synth->clock = 0;
    synth->births = 0;
}

/* ---- notes ------------------------------------------------------------------ */

static int sounds(const struct voice *voice)
{
    return voice->stage != VOICE_OFF && voice->stage != VOICE_FADE;
}

uint32_t synth_voices(const struct synth *synth)
{
    uint32_t count = 0;

    for (int i = 0; i < ALL_VOICES; i++)
        count += (uint32_t)sounds(&synth->voice[i]);
    return count;
}

/* The one to give up: the softest of those let go, else the oldest. */
static struct voice *victim(struct synth *synth)
{
    struct voice *softest = NULL, *oldest = NULL;

    for (int i = 0; i < ALL_VOICES; i++) {
        struct voice *voice = &synth->voice[i];

        if (!sounds(voice))
            continue;
        if (voice->stage == VOICE_RELEASE &&
            (!softest || voice->envelope < softest->envelope))
            softest = voice;
        if (!oldest ||
            synth->births - voice->born > synth->births - oldest->born)
            oldest = voice;
    }
    return softest ? softest : oldest;
}

/* A slot to start in: a silent one, or the one that has faded furthest. */
static struct voice *free_slot(struct synth *synth)
{
    struct voice *faintest = NULL;

    for (int i = 0; i < ALL_VOICES; i++) {
        struct voice *voice = &synth->voice[i];

        if (voice->stage == VOICE_OFF)
            return voice;
        if (voice->stage == VOICE_FADE &&
            (!faintest || voice->envelope < faintest->envelope))
            faintest = voice;
    }
    return faintest;
}

static void let_go(struct voice *voice)
{
    voice->key_down = 0;
    voice->pedal_down = 0;
    if (sounds(voice))
        voice->stage = VOICE_RELEASE;
}

static void note_on(struct synth *synth, uint16_t lane,
                    const struct shl_voice_message *message)
{
    for (int i = 0; i < ALL_VOICES; i++) {
        struct voice *voice = &synth->voice[i];

        if (sounds(voice) && voice->lane == lane && voice->key == message->key)
            let_go(voice);
    }
    if (synth_voices(synth) >= SYNTH_VOICES)
        victim(synth)->stage = VOICE_FADE;
    struct voice *voice = free_slot(synth);
    voice->born = synth->births++;
    voice->lane = lane;
    voice->key = message->key;
    voice_start(voice, &synth->sound, (float)message->pitch,
                (float)message->value, synth->lane[lane].bend);
}

static void note_off(struct synth *synth, uint16_t lane, int key)
{
    for (int i = 0; i < ALL_VOICES; i++) {
        struct voice *voice = &synth->voice[i];

        if (!voice->key_down || voice->lane != lane ||
            (key >= 0 && voice->key != key))
            continue;
        voice->key_down = 0;
        if (synth->lane[lane].pedal)
            voice->pedal_down = 1;
        else
            let_go(voice);
    }
}

static void set_pedal(struct synth *synth, uint16_t lane, int down)
{
    synth->lane[lane].pedal = down;
    for (int i = 0; i < ALL_VOICES && !down; i++)
        if (synth->voice[i].pedal_down && synth->voice[i].lane == lane)
            let_go(&synth->voice[i]);
}

static void all_sound_off(struct synth *synth, uint16_t lane)
{
    for (int i = 0; i < ALL_VOICES; i++) {
        struct voice *voice = &synth->voice[i];

        if (voice->lane != lane || !sounds(voice))
            continue;
        let_go(voice);
        voice->stage = VOICE_FADE;
    }
}

static int move_param(struct synth *synth, enum synth_param param,
                      double normal)
{
    set_param(synth, param, shl_param_plain(&params[param], normal));
    return (int)param;
}

static int control_change(struct synth *synth, uint16_t lane,
                          const struct shl_voice_message *message)
{
    switch (message->key) {
    case 1:
        return move_param(synth, SYNTH_VIBRATO, message->value);
    case 7:
        return move_param(synth, SYNTH_GAIN, message->value);
    case 64:
        set_pedal(synth, lane, message->value >= 0.5);
        break;
    case 71:
        return move_param(synth, SYNTH_RESONANCE, message->value);
    case 72:
        return move_param(synth, SYNTH_RELEASE, message->value);
    case 73:
        return move_param(synth, SYNTH_ATTACK, message->value);
    case 74:
        return move_param(synth, SYNTH_CUTOFF, message->value);
    case 120:
        all_sound_off(synth, lane);
        break;
    case 121:
        synth->lane[lane].bend = 0.f;
        set_pedal(synth, lane, 0);
        break;
    case 123:
        note_off(synth, lane, -1);
        break;
    default:
        break;
    }
    return SYNTH_NONE;
}

static int hear_midi(struct synth *synth, const uint32_t *ump)
{
    struct shl_voice_message message;

    if (shl_ump_read(ump, &message))
        return SYNTH_NONE;
    const uint16_t lane =
        (uint16_t)((message.port & 15) * 16 + (message.channel & 15));
    switch (message.status & 0xF0) {
    case 0x80:
        note_off(synth, lane, message.key);
        break;
    case 0x90:
        note_on(synth, lane, &message);
        break;
    case 0xB0:
        return control_change(synth, lane, &message);
    case 0xE0:
        synth->lane[lane].bend = (float)(message.value * bend_range);
        break;
    default:
        break;
    }
    return SYNTH_NONE;
}

int synth_event(struct synth *synth, const struct shl_event *event)
{
    switch (event->kind) {
    case SHL_EVENT_UMP:
        return hear_midi(synth, event->data);
    case SHL_EVENT_PARAM:
        if (shl_event_id(event) < SYNTH_PARAMS)
            set_param(synth, shl_event_id(event), shl_event_value(event));
        break;
    case SHL_EVENT_PARAM_MOD:
        if (shl_event_id(event) < SYNTH_PARAMS) {
            synth->modulation[shl_event_id(event)] = shl_event_value(event);
            apply(synth, (enum synth_param)shl_event_id(event));
        }
        break;
    default:
        break;
    }
    return SYNTH_NONE;
}

/* ---- sound ------------------------------------------------------------------ */

static void move_lfo(struct synth *synth)
{
    const float turn = 6.28318531f / 4294967296.f;
    struct voice_sound *sound = &synth->sound;
    const float depth = synth->vibrato;

    synth->lfo = sinf(turn * (float)synth->lfo_phase);
    synth->lfo_phase += synth->lfo_step;
    sound->vibrato += (depth * synth->lfo - sound->vibrato) * sound->glide;
}

static void control(struct synth *synth)
{
    glide(synth, synth->sound.glide);
    move_lfo(synth);
    for (int i = 0; i < ALL_VOICES; i++) {
        struct voice *voice = &synth->voice[i];

        if (voice->stage != VOICE_OFF)
            voice_control(voice, &synth->sound, synth->lane[voice->lane].bend);
    }
}

/* The voice that began last, of those that can be heard. */
static const struct voice *newest(const struct synth *synth)
{
    const struct voice *last = NULL;

    for (int i = 0; i < ALL_VOICES; i++) {
        const struct voice *voice = &synth->voice[i];

        if (voice->stage != VOICE_OFF &&
            (!last || synth->births - voice->born < synth->births - last->born))
            last = voice;
    }
    return last;
}

static void add_voices(struct synth *synth, const struct synth_taps *taps,
                       float *left, float *right, uint32_t from,
                       uint32_t frames)
{
    const struct voice *last = taps->env ? newest(synth) : NULL;

    for (int i = 0; i < ALL_VOICES; i++) {
        struct voice *voice = &synth->voice[i];
        const struct voice_taps own = {
            .osc1 = taps->osc1 ? taps->osc1 + from : NULL,
            .osc2 = taps->osc2 ? taps->osc2 + from : NULL,
            .filter = taps->filter ? taps->filter + from : NULL,
            .env = voice == last ? taps->env + from : NULL};

        if (voice->stage != VOICE_OFF)
            voice_add(voice, &synth->sound, &own, left, right, frames);
    }
}

static float gate(const struct synth *synth)
{
    for (int i = 0; i < ALL_VOICES; i++)
        if (synth->voice[i].key_down)
            return 1.f;
    return 0.f;
}

static void fill(float *plane, uint32_t from, uint32_t frames, float value)
{
    for (uint32_t i = 0; plane && i < frames; i++)
        plane[from + i] = value;
}

/* Up to VOICE_STEP samples of the left and the right side. */
static void render_sides(struct synth *synth, const struct synth_taps *taps,
                         float *left, float *right, uint32_t from,
                         uint32_t frames)
{
    memset(left, 0, frames * sizeof(float));
    memset(right, 0, frames * sizeof(float));
    add_voices(synth, taps, left, right, from, frames);
    for (uint32_t i = 0; i < frames; i++) {
        synth->gain += (synth->gain_goal - synth->gain) * synth->gain_glide;
        left[i] *= synth->gain;
        right[i] *= synth->gain;
    }
    fill(taps->lfo, from, frames, synth->lfo);
    if (taps->gate)
        fill(taps->gate, from, frames, gate(synth));
    if (taps->left)
        memcpy(taps->left + from, left, frames * sizeof(float));
    if (taps->right)
        memcpy(taps->right + from, right, frames * sizeof(float));
}

static void spread(const float *left, const float *right, float *const *planes,
                   uint32_t channels, uint32_t from, uint32_t frames)
{
    for (uint32_t c = 0; c < channels; c++) {
        const int middle = c + 1 == channels && c % 2 == 0;
        float *plane = planes[c] + from;

        for (uint32_t i = 0; i < frames; i++)
            plane[i] = middle  ? 0.5f * (left[i] + right[i])
                       : c % 2 ? right[i]
                               : left[i];
    }
}

static const struct synth_taps nobody;

void synth_render(struct synth *synth, const struct synth_taps *taps,
                  float *const *planes, uint32_t channels, uint32_t from,
                  uint32_t frames)
{
    float left[VOICE_STEP], right[VOICE_STEP];

    while (frames) {
        const uint32_t into = synth->clock % VOICE_STEP;
        const uint32_t n =
            frames < VOICE_STEP - into ? frames : VOICE_STEP - into;

        if (!into)
            control(synth);
        render_sides(synth, taps ? taps : &nobody, left, right, from, n);
        spread(left, right, planes, channels, from, n);
        synth->clock += n;
        from += n;
        frames -= n;
    }
}
