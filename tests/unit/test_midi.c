/* SPDX-License-Identifier: MIT */
/* MIDI messages and UMP words, both ways, and what is sounding. Streams and
 * SysEx are in test_midi_stream.c. */
#include "shmlink/midi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) < 1e-9))
        fail_msg("%.12g is not %.12g", a, b);
}

/* ---- single messages ------------------------------------------------------ */

static void lengths_follow_the_status(void **state)
{
    static const uint8_t voice[7] = {3, 3, 3, 3, 2, 2, 3};
    static const uint8_t system[16] = {0, 2, 3, 2, 1, 1, 1, 0,
                                       1, 1, 1, 1, 1, 1, 1, 1};

    (void)state;
    for (int status = 0; status < 256; status++) {
        uint32_t length = 0;
        if (status >= 0xF0)
            length = system[status & 0xF];
        else if (status >= 0x80)
            length = voice[(status >> 4) - 8];
        assert_int_equal(shl_midi_length((uint8_t)status), length);
    }
}

/* shows DL-28 */
static void every_status_goes_to_ump_and_back(void **state)
{
    (void)state;
    for (int status = 0; status < 256; status++)
        for (uint8_t port = 0; port < 16; port++) {
            uint32_t length = shl_midi_length((uint8_t)status);
            uint32_t ump = shl_midi_to_ump(port, (uint8_t)status, 0x12, 0x34);
            uint8_t bytes[3] = {0};
            if (length == 0) {
                assert_int_equal(ump, 0);
                continue;
            }
            assert_int_equal(ump >> 28, status < 0xF0 ? 2 : 1);
            assert_int_equal(ump >> 24 & 0xF, port);
            assert_int_equal(ump >> 8 & 0xFF, length > 1 ? 0x12 : 0);
            assert_int_equal(ump & 0xFF, length > 2 ? 0x34 : 0);
            assert_int_equal(shl_ump_words(ump), 1);
            assert_int_equal(shl_ump_to_midi(&ump, bytes), length);
            assert_int_equal(bytes[0], status);
            assert_int_equal(bytes[1], length > 1 ? 0x12 : 0);
            assert_int_equal(bytes[2], length > 2 ? 0x34 : 0);
        }
}

static void data_is_cut_to_seven_bits(void **state)
{
    uint8_t bytes[3];
    uint32_t ump = shl_midi_to_ump(0x13, 0x90, 0xFF, 0x80);

    (void)state;
    assert_int_equal(ump, 0x23907F00);
    ump = 0x2090FFFF; /* a peer's */
    assert_int_equal(shl_ump_to_midi(&ump, bytes), 3);
    assert_int_equal(bytes[1], 0x7F);
    assert_int_equal(bytes[2], 0x7F);
}

/* shows DL-28 */
static void all_notes_of_all_channels_go_there_and_back(void **state)
{
    (void)state;
    for (uint8_t channel = 0; channel < 16; channel++)
        for (uint8_t key = 0; key < 128; key++)
            for (uint8_t on = 0; on < 2; on++) {
                uint8_t status = (uint8_t)((on ? 0x90 : 0x80) | channel);
                uint8_t bytes[3];
                struct shl_voice_message m;
                uint32_t ump = shl_midi_to_ump(5, status, key, 100);
                assert_int_equal(shl_ump_to_midi(&ump, bytes), 3);
                assert_int_equal(bytes[0], status);
                assert_int_equal(bytes[1], key);
                assert_int_equal(bytes[2], 100);
                assert_int_equal(shl_ump_read(&ump, &m), SHL_OK);
                assert_int_equal(m.port, 5);
                assert_int_equal(m.channel, channel);
                assert_int_equal(m.status, on ? 0x90 : 0x80);
                assert_int_equal(m.key, key);
                assert_near(m.value, 100 / 127.0);
                assert_near(m.pitch, key);
            }
}

/* shows DL-28 */
static void bend_has_fourteen_bits_and_a_centre(void **state)
{
    double before = -2;

    (void)state;
    for (uint32_t bend = 0; bend < 16384; bend++) {
        struct shl_voice_message m;
        uint8_t bytes[3];
        uint32_t ump =
            shl_midi_to_ump(0, 0xE3, bend & 0x7F, (uint8_t)(bend >> 7));
        assert_int_equal(shl_ump_to_midi(&ump, bytes), 3);
        assert_int_equal(bytes[1] | bytes[2] << 7, bend);
        assert_int_equal(shl_ump_read(&ump, &m), SHL_OK);
        assert_int_equal(m.status, 0xE0);
        assert_true(m.value > before);
        before = m.value;
        if (bend == 0)
            assert_near(m.value, -1);
        if (bend == 8192)
            assert_true(m.value >= 0 && m.value <= 0);
    }
    assert_near(before, 1);
}

static struct shl_voice_message read_word(uint32_t ump)
{
    struct shl_voice_message m;

    assert_int_equal(shl_ump_read(&ump, &m), SHL_OK);
    return m;
}

static void channel_messages_read_in_common_terms(void **state)
{
    struct shl_voice_message m = read_word(0x21A23C7F);

    (void)state;
    assert_int_equal(m.port, 1);
    assert_int_equal(m.channel, 2);
    assert_int_equal(m.status, 0xA0);
    assert_int_equal(m.key, 60);
    assert_near(m.value, 1);
    m = read_word(0x20B0077F);
    assert_int_equal(m.status, 0xB0);
    assert_int_equal(m.key, 7);
    assert_near(m.value, 1);
    m = read_word(0x20C00500);
    assert_int_equal(m.status, 0xC0);
    assert_int_equal(m.key, 5);
    assert_near(m.value, 0);
    m = read_word(0x20D07F00);
    assert_int_equal(m.status, 0xD0);
    assert_near(m.value, 1);
}

static void note_on_with_velocity_0_is_a_note_off(void **state)
{
    struct shl_voice_message m = read_word(0x20903C00);

    (void)state;
    assert_int_equal(m.status, 0x80);
    assert_int_equal(m.key, 60);
}

static void packets_without_a_voice_are_refused(void **state)
{
    (void)state;
    for (uint32_t type = 0; type < 16; type++)
        for (uint32_t status = 0; status < 256; status++) {
            uint32_t ump[4] = {type << 28 | status << 16};
            struct shl_voice_message m = {.key = 99};
            int good =
                (type == 2 || type == 4) && status >= 0x80 && status < 0xF0;
            assert_int_equal(shl_ump_read(ump, &m),
                             good ? SHL_OK : SHL_UNSUPPORTED);
            assert_int_equal(m.key, good ? 0 : 99);
        }
}

static void packets_without_a_midi_1_form_give_no_bytes(void **state)
{
    uint8_t bytes[3] = {1, 2, 3};
    static const uint32_t none[][2] = {
        {0, 0},          {0x30160102, 0}, {0x50000000, 0}, {0x40001234, 0},
        {0x40601234, 0}, {0x40F01234, 0}, {0xF0000000, 0}, {0x10F00000, 0},
        {0x10F70000, 0}, {0x10900000, 0}, {0x20F80000, 0}, {0x20100000, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(shl_ump_to_midi(none[i], bytes), 0);
        assert_int_equal(bytes[0] + bytes[1] + bytes[2], 6);
    }
}

static void packet_sizes_are_those_of_the_standard(void **state)
{
    static const uint32_t words[16] = {1, 1, 1, 2, 2, 4, 1, 1,
                                       2, 2, 2, 3, 3, 4, 4, 4};

    (void)state;
    for (uint32_t type = 0; type < 16; type++)
        assert_int_equal(shl_ump_words(type << 28 | 0x0FFFFFFF), words[type]);
}

/* ---- MIDI 2 ------------------------------------------------------------- */

static void note_with_a_fraction_keeps_its_pitch(void **state)
{
    (void)state;
    for (int step = 0; step < 65536; step++) {
        double pitch = step / 512.0;
        struct shl_voice_message m;
        uint32_t ump[2];
        shl_ump_note(2, 1, 9, pitch, 40000, ump);
        assert_int_equal(shl_ump_words(ump[0]), 2);
        assert_int_equal(shl_ump_read(ump, &m), SHL_OK);
        assert_int_equal(m.port, 2);
        assert_int_equal(m.channel, 9);
        assert_int_equal(m.status, 0x90);
        assert_int_equal(m.key, step >> 9);
        assert_near(m.pitch, pitch);
        assert_near(m.value, 40000 / 65535.0);
        assert_int_equal(ump[0] & 0xFF, step & 511 ? 3 : 0);
    }
}

static void velocities_widen_to_both_ends_and_back(void **state)
{
    (void)state;
    assert_int_equal(shl_midi_widen(0), 0);
    assert_int_equal(shl_midi_widen(1), 0x0200);
    assert_int_equal(shl_midi_widen(64), 0x8000);
    assert_int_equal(shl_midi_widen(65), 0x8208);
    assert_int_equal(shl_midi_widen(100), 0xC924);
    assert_int_equal(shl_midi_widen(126), 0xFDF7);
    assert_int_equal(shl_midi_widen(127), 0xFFFF);
    for (uint32_t i = 0; i < 128; i++) {
        uint32_t ump[2];
        uint8_t b[3];
        shl_ump_note(0, 1, 0, 60.5, shl_midi_widen((uint8_t)i), ump);
        assert_int_equal(ump[1] >> 16, shl_midi_widen((uint8_t)i));
        assert_int_equal(shl_ump_to_midi(ump, b), 3);
        assert_int_equal(b[2], i ? i : 1); /* a note on stays one */
        if (i)
            assert_true(shl_midi_widen((uint8_t)i) >
                        shl_midi_widen((uint8_t)(i - 1)));
    }
}

static void pitches_outside_are_clipped_and_rounded(void **state)
{
    static const struct {
        double pitch;
        uint32_t key;
    } cases[] = {{-5, 0},    {(double)NAN, 0}, {(double)INFINITY, 127},
                 {128, 127}, {127.9999, 127},  {60.9999, 61},
                 {60.5, 60}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t on[2], off[2];
        shl_ump_note(0, 1, 0, cases[i].pitch, 1, on);
        shl_ump_note(0, 0, 0, cases[i].pitch, 0, off);
        assert_int_equal(on[0] >> 8 & 0xFF, cases[i].key);
        assert_int_equal(off[0] >> 8 & 0xFF, cases[i].key); /* the same note */
    }
}

static void assert_narrow(uint32_t word0, uint32_t word1, uint32_t length,
                          uint32_t expected)
{
    uint32_t ump[2] = {word0, word1};
    uint8_t b[3] = {0};

    assert_int_equal(shl_ump_to_midi(ump, b), length);
    assert_int_equal(b[0] << 16 | b[1] << 8 | b[2], expected);
}

static void midi_2_narrows_to_its_upper_bits(void **state)
{
    (void)state;
    assert_narrow(0x40923C00, 0xFFFF0000, 3, 0x923C7F);
    assert_narrow(0x40923C00, 0x01FF0000, 3, 0x923C01); /* never a note off */
    assert_narrow(0x40923C00, 0x00000000, 3, 0x923C01);
    assert_narrow(0x40823C00, 0x00000000, 3, 0x823C00);
    assert_narrow(0x40823C03, 0x80007900, 3, 0x823C40);
    assert_narrow(0x40A13C00, 0xFE000000, 3, 0xA13C7F);
    assert_narrow(0x40B14A00, 0x80000000, 3, 0xB14A40);
    assert_narrow(0x40C10001, 0x05000102, 2, 0xC10500);
    assert_narrow(0x40DF0000, 0xFFFFFFFF, 2, 0xDF7F00);
    assert_narrow(0x40E00000, 0x80000000, 3, 0xE00040);
    assert_narrow(0x40E00000, 0xFFFFFFFF, 3, 0xE07F7F);
    assert_narrow(0x40E00000, 0x00040000, 3, 0xE00100);
}

static struct shl_voice_message read_two(uint32_t word0, uint32_t word1)
{
    uint32_t ump[2] = {word0, word1};
    struct shl_voice_message m;

    assert_int_equal(shl_ump_read(ump, &m), SHL_OK);
    return m;
}

static void midi_2_reads_in_common_terms(void **state)
{
    struct shl_voice_message m = read_two(0x40B14A00, 0xFFFFFFFF);

    (void)state;
    assert_int_equal(m.key, 0x4A);
    assert_near(m.value, 1);
    m = read_two(0x40C10001, 0x05000102);
    assert_int_equal(m.key, 5);
    assert_near(m.value, 0);
    m = read_two(0x40E00000, 0x80000000);
    assert_true(m.value >= 0 && m.value <= 0);
    assert_near(read_two(0x40E00000, 0).value, -1);
    assert_near(read_two(0x40E00000, 0xFFFFFFFF).value, 1);
    assert_near(read_two(0x40D00000, 0xFFFFFFFF).value, 1);
    m = read_two(0x40903C00, 0); /* in MIDI 2 a very soft note, not its end */
    assert_int_equal(m.status, 0x90);
    m = read_two(0x4090BC03, 0x80007900); /* reserved bit set by a peer */
    assert_int_equal(m.key, 60);
    assert_near(m.pitch, 60.5);
}

/* ---- what is sounding ------------------------------------------------------ */

static void follow(struct shl_held *held, uint8_t port, uint8_t status,
                   uint8_t data1, uint8_t data2)
{
    uint32_t ump = shl_midi_to_ump(port, status, data1, data2);

    shl_held_follow(held, &ump);
}

static void every_held_note_is_released_exactly_once(void **state)
{
    static uint8_t released[16][16][128];
    struct shl_held held = {0};
    uint32_t ump, count = 0;

    (void)state;
    for (uint8_t p = 0; p < 16; p++)
        for (uint8_t c = 0; c < 16; c++)
            for (uint8_t key = 0; key < 128; key++)
                for (int twice = 0; twice < 2; twice++)
                    follow(&held, p, 0x90 | c, key, 1);
    assert_int_equal(held.count, 16 * 16 * 128);
    while (shl_held_release(&held, &ump)) {
        struct shl_voice_message m = read_word(ump);
        assert_int_equal(m.status, 0x80);
        released[m.port][m.channel][m.key]++;
        count++;
    }
    assert_int_equal(count, 16 * 16 * 128);
    for (size_t i = 0; i < sizeof released; i++)
        assert_int_equal((&released[0][0][0])[i], 1);
    assert_int_equal(held.count, 0);
    assert_false(shl_held_release(&held, &ump));
}

static void what_was_ended_by_its_player_is_not_released(void **state)
{
    struct shl_held held = {0};
    uint32_t ump;

    (void)state;
    follow(&held, 0, 0x90, 60, 100);
    follow(&held, 0, 0x90, 61, 100);
    follow(&held, 0, 0x80, 60, 0);
    follow(&held, 0, 0x90, 61, 0);
    follow(&held, 0, 0x80, 62, 0); /* never began */
    follow(&held, 0, 0xB0, 64, 127);
    follow(&held, 0, 0xB0, 64, 63);
    follow(&held, 0, 0xE0, 1, 2);
    follow(&held, 0, 0xE0, 0, 64);
    assert_int_equal(held.count, 0);
    assert_false(shl_held_release(&held, &ump));
}

static void pedal_and_wheel_are_released_after_the_notes(void **state)
{
    struct shl_held held = {0};
    uint32_t ump;

    (void)state;
    follow(&held, 3, 0xE5, 0, 0);
    follow(&held, 3, 0xB5, 64, 64);
    follow(&held, 3, 0xB5, 64, 127); /* still one pedal */
    follow(&held, 3, 0x95, 60, 1);
    assert_int_equal(held.count, 3);
    assert_true(shl_held_release(&held, &ump));
    assert_int_equal(ump, 0x23853C00);
    assert_true(shl_held_release(&held, &ump));
    assert_int_equal(ump, 0x23B54000);
    assert_true(shl_held_release(&held, &ump));
    assert_int_equal(ump, 0x23E50040);
    assert_false(shl_held_release(&held, &ump));
}

static void midi_2_notes_and_wheels_are_followed(void **state)
{
    struct shl_held held = {0};
    uint32_t ump[2];

    (void)state;
    shl_ump_note(1, 1, 2, 60.7, 65535, ump);
    shl_held_follow(&held, ump);
    assert_int_equal(held.count, 1);
    assert_true(shl_held_release(&held, ump));
    assert_int_equal(ump[0], 0x21823C00);
    ump[0] = 0x40E00000;
    ump[1] = 0x80000001; /* less than MIDI 1 can say, but off centre */
    shl_held_follow(&held, ump);
    assert_int_equal(held.count, 1);
    ump[0] = 0x40B04000;
    ump[1] = 0x7FFFFFFF;
    shl_held_follow(&held, ump);
    assert_int_equal(held.count, 1);
    ump[1] = 0x80000000;
    shl_held_follow(&held, ump);
    assert_int_equal(held.count, 2);
    shl_ump_note(0, 1, 0, 64.25, 0, ump); /* softest, but on */
    shl_held_follow(&held, ump);
    assert_int_equal(held.count, 3);
    shl_ump_note(0, 0, 0, 64.25, 0, ump);
    shl_held_follow(&held, ump);
    assert_int_equal(held.count, 2);
}

static void other_packets_hold_nothing(void **state)
{
    struct shl_held held = {0};

    (void)state;
    follow(&held, 0, 0xB0, 7, 127);
    follow(&held, 0, 0xC0, 7, 0);
    follow(&held, 0, 0xD0, 7, 0);
    follow(&held, 0, 0xA0, 60, 127);
    follow(&held, 0, 0xFA, 0, 0);
    assert_int_equal(held.count, 0);
}

static void the_short_way_past_leaves_nothing_out(void **state)
{
    struct shl_held quick = {0}, whole = {0};

    (void)state;
    for (uint32_t status = 0x80; status < 0xF0; status += 0x10)
        for (uint32_t data = 0; data < 128 * 128; data++) {
            uint32_t ump = 0x20000000 | status << 16 | (data >> 7) << 8;
            ump |= data & 127;
            shl_held_follow(&quick, &ump);
            shl_held_change(&whole, &ump);
            assert_int_equal(quick.count, whole.count);
        }
    assert_memory_equal(&quick, &whole, sizeof quick);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(lengths_follow_the_status),
        T(every_status_goes_to_ump_and_back),
        T(data_is_cut_to_seven_bits),
        T(all_notes_of_all_channels_go_there_and_back),
        T(bend_has_fourteen_bits_and_a_centre),
        T(channel_messages_read_in_common_terms),
        T(note_on_with_velocity_0_is_a_note_off),
        T(packets_without_a_voice_are_refused),
        T(packets_without_a_midi_1_form_give_no_bytes),
        T(packet_sizes_are_those_of_the_standard),
        T(note_with_a_fraction_keeps_its_pitch),
        T(velocities_widen_to_both_ends_and_back),
        T(pitches_outside_are_clipped_and_rounded),
        T(midi_2_narrows_to_its_upper_bits),
        T(midi_2_reads_in_common_terms),
        T(every_held_note_is_released_exactly_once),
        T(what_was_ended_by_its_player_is_not_released),
        T(pedal_and_wheel_are_released_after_the_notes),
        T(midi_2_notes_and_wheels_are_followed),
        T(other_packets_hold_nothing),
        T(the_short_way_past_leaves_nothing_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
