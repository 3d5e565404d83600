/* SPDX-License-Identifier: MIT */
/* The sound of `shmlink device`, without any link: events in, planes out. */
#include "tool/synth.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RATE 48000.0
#define PI   3.14159265358979323846
#define BITS 15
#define SIZE (1 << BITS)

struct sound {
    struct synth *synth;
    float left[2 * SIZE], right[2 * SIZE];
};

static struct sound now;

static int setup(void **state)
{
    (void)state;
    now.synth = synth_new(RATE);
    return now.synth ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    synth_free(now.synth);
    return 0;
}

static int midi(uint8_t status, uint8_t data1, uint8_t data2)
{
    const struct shl_event event = shl_event_midi(0, 0, status, data1, data2);

    return synth_event(now.synth, &event);
}

static void param(enum synth_param id, double value)
{
    const struct shl_event event =
        shl_event_param(0, SHL_EVENT_PARAM, (uint32_t)id, value);

    assert_int_equal(synth_event(now.synth, &event), SYNTH_NONE);
}

static void render(uint32_t from, uint32_t frames)
{
    float *const planes[] = {now.left, now.right};

    synth_render(now.synth, NULL, planes, 2, from, frames);
}

static double peak(uint32_t from, uint32_t frames)
{
    double most = 0;

    for (uint32_t i = from; i < from + frames; i++)
        most = fmax(most, fabs((double)now.left[i]));
    return most;
}

static double rms(uint32_t from, uint32_t frames)
{
    double sum = 0;

    for (uint32_t i = from; i < from + frames; i++)
        sum += (double)now.left[i] * (double)now.left[i];
    return sqrt(sum / frames);
}

/* Largest change of the slope: a click is a corner or a step. */
static double roughness(uint32_t from, uint32_t frames)
{
    double most = 0;

    for (uint32_t i = from + 1; i + 1 < from + frames; i++)
        most = fmax(most,
                    fabs((double)now.left[i + 1] - 2.0 * (double)now.left[i] +
                         (double)now.left[i - 1]));
    return most;
}

/* ---- spectrum ------------------------------------------------------------- */

static double re[SIZE], im[SIZE];

/* Power spectrum of SIZE samples under a Blackman-Harris window, into re. */
static void spectrum(uint32_t from)
{
    for (int i = 0; i < SIZE; i++) {
        const double t = 2 * PI * i / SIZE;
        int to = 0;

        for (int bit = 0; bit < BITS; bit++)
            to |= (i >> bit & 1) << (BITS - 1 - bit);
        re[to] = (double)now.left[from + (uint32_t)i] *
                 (0.35875 - 0.48829 * cos(t) + 0.14128 * cos(2 * t) -
                  0.01168 * cos(3 * t));
        im[to] = 0;
    }
    for (int half = 1; half < SIZE; half *= 2)
        for (int k = 0; k < half; k++) {
            const double c = cos(PI * k / half), s = -sin(PI * k / half);

            for (int i = k; i < SIZE; i += 2 * half) {
                const int j = i + half;
                const double a = re[j] * c - im[j] * s;
                const double b = re[j] * s + im[j] * c;

                re[j] = re[i] - a;
                im[j] = im[i] - b;
                re[i] += a;
                im[i] += b;
            }
        }
    for (int i = 0; i < SIZE; i++)
        re[i] = re[i] * re[i] + im[i] * im[i];
}

/* Power outside the neighbourhood of the harmonics, in dB of all of it. */
static double impurity_db(double fundamental)
{
    double all = 0, other = 0;

    for (int i = 8; i < SIZE / 2; i++) {
        const double hertz = i * RATE / SIZE;
        const double h = fmax(1, floor(hertz / fundamental + 0.5));
        /* 4 cents of detuning, and the window's own width */
        const double allowed = 0.0035 * h * fundamental + 6 * RATE / SIZE;

        all += re[i];
        if (fabs(hertz - h * fundamental) > allowed)
            other += re[i];
    }
    return 10 * log10(other / all);
}

static double loudest_hz(void)
{
    int best = 8;

    for (int i = 8; i < SIZE / 2; i++)
        if (re[i] > re[best])
            best = i;
    return best * RATE / SIZE;
}

static void play_open(uint8_t key)
{
    param(SYNTH_CUTOFF, 18000);
    param(SYNTH_SUSTAIN, 100);
    render(0, 4800);
    midi(0x90, key, 127);
    render(0, 4800); /* past the attack, and what it smears */
    render(0, SIZE);
    spectrum(0);
}

static void high_notes_do_not_alias(void **state)
{
    (void)state;
    for (uint8_t key = 36; key <= 120; key = (uint8_t)(key + 12)) {
        const double hertz = 440 * pow(2, (key - 69) / 12.0);

        synth_reset(now.synth);
        play_open(key);
        print_message("# key %d: %.1f dB\n", key, impurity_db(hertz));
        assert_true(impurity_db(hertz) < -60);
    }
}

static double pitch_of_a4(void)
{
    render(0, 4800);
    render(0, SIZE);
    spectrum(0);
    return 1200 * log2(loudest_hz() / 440);
}

static void a4_is_440_hz_and_tune_and_bend_move_it(void **state)
{
    (void)state;
    midi(0x91, 69, 100);
    assert_true(fabs(pitch_of_a4()) < 8); /* cents; a bin is 6 wide */
    param(SYNTH_TUNE, 50);
    assert_true(fabs(pitch_of_a4() - 50) < 8);
    param(SYNTH_TUNE, 0);
    midi(0xE1, 0x7F, 0x7F);
    assert_true(fabs(pitch_of_a4() - 200) < 8);
    midi(0xE1, 0, 0);
    assert_true(fabs(pitch_of_a4() + 200) < 8);
    midi(0xE2, 0x7F, 0x7F); /* another channel's wheel */
    assert_true(fabs(pitch_of_a4() + 200) < 8);
    midi(0xB1, 121, 0);
    assert_true(fabs(pitch_of_a4()) < 8);
}

static void a_note_with_a_fraction_sounds_between_the_keys(void **state)
{
    struct shl_event event;
    uint32_t ump[2];

    (void)state;
    shl_ump_note(0, 1, 0, 69.5, 0xC000, ump);
    event = shl_event_ump(0, ump, 2);
    synth_event(now.synth, &event);
    assert_true(fabs(pitch_of_a4() - 50) < 8);
    shl_ump_note(0, 0, 0, 69.5, 0, ump);
    event = shl_event_ump(0, ump, 2);
    synth_event(now.synth, &event);
    render(0, SIZE);
    render(0, SIZE);
    assert_int_equal(synth_voices(now.synth), 0);
}

static void velocity_makes_it_louder(void **state)
{
    double last = 0;

    (void)state;
    for (uint8_t velocity = 1; velocity < 127;
         velocity = (uint8_t)(velocity + 21)) {
        synth_reset(now.synth);
        midi(0x90, 60, velocity);
        render(0, 9600);
        assert_true(rms(0, 9600) > last * 1.05);
        last = rms(0, 9600);
    }
}

static double loudness_at_gain(double gain)
{
    synth_reset(now.synth);
    param(SYNTH_GAIN, gain);
    midi(0x90, 60, 100);
    render(0, 9600);
    render(0, 9600);
    return rms(0, 9600);
}

static void gain_is_in_decibels(void **state)
{
    const double loud = loudness_at_gain(0);

    (void)state;
    assert_true(fabs(20 * log10(loudness_at_gain(-20) / loud) + 20) < 0.01);
    assert_true(fabs(20 * log10(loudness_at_gain(6) / loud) - 6) < 0.01);
}

static void gain_moves_without_a_click(void **state)
{
    double before;

    (void)state;
    param(SYNTH_CUTOFF, 300);
    param(SYNTH_SUSTAIN, 100);
    midi(0x90, 48, 100);
    render(0, SIZE);
    before = roughness(SIZE / 2, SIZE / 2);
    param(SYNTH_GAIN, -60);
    render(0, SIZE);
    assert_true(roughness(0, SIZE) < 2 * before);
}

/* Samples until the envelope of the rising note comes to 99 % of its top. */
static void attack_and_release_keep_their_times(void **state)
{
    (void)state;
    param(SYNTH_ATTACK, 200);
    param(SYNTH_RELEASE, 300);
    param(SYNTH_SUSTAIN, 100);
    param(SYNTH_CUTOFF, 18000);
    midi(0x90, 81, 100);
    render(0, 24000);
    /* half of the attack: (1 - 5^-0.5) of 1.25 */
    assert_true(fabs(rms(4800 - 240, 480) / rms(14400, 4800) - 0.69) < 0.07);
    midi(0x80, 81, 0);
    render(0, 30000);
    /* 60 dB in 300 ms: 20 dB in 100 */
    assert_true(fabs(20 * log10(rms(4800, 480) / rms(0, 480)) + 20) < 2.5);
    assert_true(20 * log10(rms(14400, 480) / rms(0, 480)) < -50);
    assert_int_equal(synth_voices(now.synth), 0);
}

static void pedal_holds_notes_until_it_is_lifted(void **state)
{
    (void)state;
    param(SYNTH_RELEASE, 5);
    midi(0xB0, 64, 127);
    midi(0x90, 60, 100);
    midi(0x91, 62, 100); /* no pedal on this channel */
    midi(0x80, 60, 0);
    midi(0x81, 62, 0);
    render(0, 4800);
    assert_int_equal(synth_voices(now.synth), 1);
    midi(0xB1, 64, 0);
    render(0, 4800);
    assert_int_equal(synth_voices(now.synth), 1);
    midi(0xB0, 64, 0);
    render(0, 4800);
    assert_int_equal(synth_voices(now.synth), 0);
}

static void all_sound_off_and_all_notes_off_end_a_channel(void **state)
{
    (void)state;
    param(SYNTH_RELEASE, 5);
    midi(0x90, 60, 100);
    midi(0x91, 60, 100);
    render(0, 4800);
    midi(0xB0, 123, 0);
    render(0, 4800);
    assert_int_equal(synth_voices(now.synth), 1);
    midi(0xB1, 64, 127);
    midi(0xB1, 123, 0); /* the pedal holds it */
    render(0, 4800);
    assert_int_equal(synth_voices(now.synth), 1);
    midi(0xB1, 120, 0);
    assert_int_equal(synth_voices(now.synth), 0);
    render(0, 4800);
    assert_true(peak(2400, 2400) <= 0);
}

static void controllers_move_parameters_and_say_so(void **state)
{
    (void)state;
    assert_int_equal(midi(0xB0, 7, 127), SYNTH_GAIN);
    assert_true(fabs(synth_value(now.synth, SYNTH_GAIN) - 6) < 1e-9);
    assert_int_equal(midi(0xB0, 7, 0), SYNTH_GAIN);
    assert_true(fabs(synth_value(now.synth, SYNTH_GAIN) + 60) < 1e-9);
    assert_int_equal(midi(0xB5, 73, 127), SYNTH_ATTACK);
    assert_true(fabs(synth_value(now.synth, SYNTH_ATTACK) - 5000) < 1e-6);
    assert_int_equal(midi(0xB0, 72, 0), SYNTH_RELEASE);
    assert_true(fabs(synth_value(now.synth, SYNTH_RELEASE) - 5) < 1e-9);
    assert_int_equal(midi(0xB0, 1, 127), SYNTH_VIBRATO);
    assert_true(fabs(synth_value(now.synth, SYNTH_VIBRATO) - 100) < 1e-9);
    assert_int_equal(midi(0xB0, 2, 99), SYNTH_NONE);
    assert_int_equal(midi(0xC0, 1, 0), SYNTH_NONE);
}

#define HEARD 4096

static float points[8][HEARD];

/* A note of 2048 samples, in blocks of `step`, with or without listeners. */
static void play_a_note(int listened, uint32_t step)
{
    const struct synth_taps taps = {points[0], points[1], points[2], points[3],
                                    points[4], points[5], points[6], points[7]};
    float *const planes[] = {now.left, now.right};

    synth_reset(now.synth);
    memset(points, 0, sizeof(points));
    midi(0x90, 57, 100);
    for (uint32_t at = 0; at < HEARD; at += step) {
        if (at == HEARD / 2)
            midi(0x80, 57, 0);
        synth_render(now.synth, listened ? &taps : NULL, planes, 2, at, step);
    }
}

/* shows DL-33 */
static void taps_tell_what_happens_inside_and_change_nothing(void **state)
{
    static float alone[HEARD], whole[8][HEARD];

    (void)state;
    play_a_note(0, 64);
    memcpy(alone, now.left, sizeof(alone));
    play_a_note(1, 64);
    assert_memory_equal(alone, now.left, sizeof(alone));
    assert_memory_equal(points[6], now.left, sizeof(alone));
    assert_memory_equal(points[7], now.right, sizeof(alone));
    memcpy(whole, points, sizeof(whole));
    play_a_note(1, 8);
    assert_memory_equal(whole, points, sizeof(whole));
    for (uint32_t i = 0; i < HEARD; i++) {
        assert_true(points[5][i] == (i < HEARD / 2 ? 1.f : 0.f));
        assert_true(points[4][i] > 0 && points[4][i] <= 1);
        assert_true(fabsf(points[3][i]) <= 1);
    }
    assert_true(points[4][HEARD - 1] < points[4][HEARD / 2 - 1]);
    assert_true(points[3][HEARD - 1] > 0.1f || points[3][HEARD - 1] < -0.1f);
    assert_true(points[0][1000] != 0 && points[1][1000] != 0);
    assert_true(points[0][1000] != points[1][1000]);
    assert_true(points[2][1000] != points[0][1000] + points[1][1000]);
}

static void vibrato_follows_the_lfo(void **state)
{
    static float straight[HEARD];

    (void)state;
    play_a_note(0, 64);
    memcpy(straight, now.left, sizeof(straight));
    synth_reset(now.synth);
    param(SYNTH_VIBRATO, 50);
    float *const planes[] = {now.left, now.right};
    midi(0x90, 57, 100);
    synth_render(now.synth, NULL, planes, 2, 0, HEARD / 2);
    assert_memory_not_equal(straight, now.left, sizeof(straight) / 2);
    /* it begins at rest */
    assert_memory_equal(straight, now.left, 16 * sizeof(float));
}

static void parameters_are_clipped_and_unknown_ones_ignored(void **state)
{
    struct shl_event event =
        shl_event_param(0, SHL_EVENT_PARAM, SYNTH_PARAMS, 1);

    (void)state;
    param(SYNTH_GAIN, 1e9);
    assert_true(fabs(synth_value(now.synth, SYNTH_GAIN) - 6) < 1e-9);
    param(SYNTH_ATTACK, -1e9);
    assert_true(fabs(synth_value(now.synth, SYNTH_ATTACK) - 1) < 1e-9);
    assert_int_equal(synth_event(now.synth, &event), SYNTH_NONE);
    event = shl_event_param(0, SHL_EVENT_PARAM, 0xFFFFFFFF, 1);
    assert_int_equal(synth_event(now.synth, &event), SYNTH_NONE);
    for (uint32_t i = 0; i < SYNTH_PARAMS; i++) {
        assert_int_equal(shl_param_check(&synth_params()[i]), SHL_OK);
        assert_int_equal(synth_params()[i].id, i);
    }
}

static void modulation_is_added_and_not_kept(void **state)
{
    const struct shl_event event =
        shl_event_param(0, SHL_EVENT_PARAM_MOD, SYNTH_TUNE, 50);

    (void)state;
    midi(0x90, 69, 100);
    synth_event(now.synth, &event);
    assert_true(fabs(pitch_of_a4() - 50) < 8);
    assert_true(fabs(synth_value(now.synth, SYNTH_TUNE)) < 1e-9);
}

static void a_33rd_note_takes_a_voice_without_a_click(void **state)
{
    double before;

    (void)state;
    param(SYNTH_CUTOFF, 200);
    param(SYNTH_SUSTAIN, 100);
    param(SYNTH_ATTACK, 50);
    for (uint8_t i = 0; i < SYNTH_VOICES; i++)
        midi(0x90, (uint8_t)(30 + i), 100);
    render(0, SIZE);
    assert_int_equal(synth_voices(now.synth), SYNTH_VOICES);
    before = roughness(SIZE / 2, SIZE / 2);
    for (uint8_t i = 0; i < SYNTH_VOICES; i++) {
        midi(0x90, (uint8_t)(80 + i), 1);
        render(i * 600u, 600);
        assert_int_equal(synth_voices(now.synth), SYNTH_VOICES);
    }
    assert_true(roughness(0, SYNTH_VOICES * 600u) < 2 * before);
}

static void a_storm_of_notes_keeps_to_the_voices_there_are(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525u + 1013904223u;
        midi((uint8_t)((seed >> 8 & 1 ? 0x90 : 0x80) | (seed >> 9 & 15)),
             seed >> 16 & 127, seed >> 24 & 127);
        if (i % 7 == 0)
            render(0, seed >> 20 & 63);
        assert_true(synth_voices(now.synth) <= SYNTH_VOICES);
    }
    render(0, 4800);
    assert_true(isfinite(peak(0, 4800)) && peak(0, 4800) < 16);
}

/* Play the same story, cut into blocks of any size. */
static void story(float *left, uint32_t block)
{
    static const uint8_t events[][4] = {{0, 0x90, 60, 100},  {1, 0x90, 64, 90},
                                        {17, 0xE0, 0, 90},   {33, 0x90, 67, 80},
                                        {100, 0xB0, 74, 20}, {101, 0x80, 60, 0},
                                        {150, 0x90, 72, 127}};
    uint32_t at = 0, next = 0;

    synth_reset(now.synth);
    while (at < 20000) {
        uint32_t end = at + block < 20000 ? at + block : 20000;

        if (next < sizeof(events) / sizeof(events[0])) {
            const uint32_t due = events[next][0] * 97u;

            if (due == at) {
                midi(events[next][1], events[next][2], events[next][3]);
                next++;
                continue;
            }
            if (due < end)
                end = due;
        }
        render(at, end - at);
        at = end;
    }
    memcpy(left, now.left, 20000 * sizeof(float));
}

static void equal_notes_give_equal_bytes_in_blocks_of_any_size(void **state)
{
    static const uint32_t blocks[] = {1, 7, 16, 64, 100, 333, 4096};
    static float first[20000], again[20000];

    (void)state;
    story(first, 64);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        story(again, blocks[i]);
        assert_memory_equal(first, again, sizeof(first));
    }
}

static void a_note_begins_at_its_sample_and_not_before(void **state)
{
    (void)state;
    render(0, 1000);
    midi(0x90, 60, 127);
    render(1000, 1000);
    assert_true(peak(0, 1000) <= 0);
    assert_true(peak(1000, 8) > 0);
}

static void every_channel_is_filled_and_two_differ(void **state)
{
    static float plane[32][256];
    float *planes[32];

    (void)state;
    for (uint32_t channels = 1; channels <= 32; channels++) {
        for (uint32_t c = 0; c < channels; c++) {
            planes[c] = plane[c];
            memset(plane[c], 0x7F, sizeof(plane[c]));
        }
        synth_reset(now.synth);
        midi(0x90, 60, 127);
        synth_render(now.synth, NULL, planes, channels, 0, 256);
        for (uint32_t c = 0; c < channels; c++) {
            double most = 0;

            for (int i = 0; i < 256; i++)
                most = fmax(most, fabs((double)plane[c][i]));
            assert_true(most > 0.01 && most < 1);
        }
        if (channels > 1)
            assert_memory_not_equal(plane[0], plane[1], sizeof(plane[0]));
    }
}

static void every_rate_and_key_gives_finite_sound(void **state)
{
    static const double rates[] = {8000, 44100, 384000};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        synth_free(now.synth);
        now.synth = synth_new(rates[i]);
        assert_non_null(now.synth);
        param(SYNTH_RESONANCE, 12);
        param(SYNTH_CUTOFF, 18000);
        for (uint8_t key = 0; key < 128; key = (uint8_t)(key + 9))
            midi(0x90, key, 127);
        midi(0xE0, 127, 127);
        render(0, SIZE);
        assert_true(isfinite(peak(0, SIZE)) && peak(0, SIZE) < 16);
        assert_true(peak(0, SIZE) > 0.1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(high_notes_do_not_alias),
        TEST(a4_is_440_hz_and_tune_and_bend_move_it),
        TEST(a_note_with_a_fraction_sounds_between_the_keys),
        TEST(velocity_makes_it_louder),
        TEST(gain_is_in_decibels),
        TEST(gain_moves_without_a_click),
        TEST(attack_and_release_keep_their_times),
        TEST(pedal_holds_notes_until_it_is_lifted),
        TEST(all_sound_off_and_all_notes_off_end_a_channel),
        TEST(controllers_move_parameters_and_say_so),
        TEST(taps_tell_what_happens_inside_and_change_nothing),
        TEST(vibrato_follows_the_lfo),
        TEST(parameters_are_clipped_and_unknown_ones_ignored),
        TEST(modulation_is_added_and_not_kept),
        TEST(a_33rd_note_takes_a_voice_without_a_click),
        TEST(a_storm_of_notes_keeps_to_the_voices_there_are),
        TEST(equal_notes_give_equal_bytes_in_blocks_of_any_size),
        TEST(a_note_begins_at_its_sample_and_not_before),
        TEST(every_channel_is_filled_and_two_differ),
        TEST(every_rate_and_key_gives_finite_sound),
    };

    return cmocka_run_group_tests_name("synth", tests, NULL, NULL);
}
