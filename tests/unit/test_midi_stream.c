/* SPDX-License-Identifier: MIT */
/* A stream of MIDI bytes to UMP packets, and SysEx in pieces. */
#include "shmlink/midi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* ---- a stream of bytes ----------------------------------------------------- */

#define MOST_WORDS 4096

struct heard {
    uint32_t words[MOST_WORDS];
    uint32_t count;
};

static void feed(struct shl_midi_stream *stream, const uint8_t *bytes,
                 size_t size, struct heard *heard)
{
    for (size_t i = 0; i < size; i++) {
        uint32_t ump[2];
        uint32_t n = shl_midi_stream_byte(stream, 0, bytes[i], ump);
        assert_true(n <= 2 && heard->count + n <= MOST_WORDS);
        if (n) {
            assert_int_equal(n, shl_ump_words(ump[0]));
            memcpy(heard->words + heard->count, ump, n * sizeof *ump);
            heard->count += n;
        }
    }
}

#define FEED(stream, heard, ...)                                               \
    do {                                                                       \
        static const uint8_t bytes_[] = {__VA_ARGS__};                         \
        feed(stream, bytes_, sizeof bytes_, heard);                            \
    } while (0)

static void assert_words(const struct heard *heard, const uint32_t *words,
                         uint32_t count)
{
    assert_int_equal(heard->count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(heard->words[i], words[i]);
}

#define ASSERT_WORDS(heard, ...)                                               \
    do {                                                                       \
        static const uint32_t words_[] = {__VA_ARGS__};                        \
        assert_words(heard, words_, sizeof words_ / sizeof *words_);           \
    } while (0)

static void stream_gives_every_status_once_it_is_whole(void **state)
{
    (void)state;
    for (int status = 0x80; status < 0x100; status++) {
        struct shl_midi_stream stream = {0};
        uint32_t length = shl_midi_length((uint8_t)status);
        uint8_t bytes[3] = {(uint8_t)status, 1, 2};
        uint32_t ump[2];
        if (length == 0)
            continue;
        for (uint32_t i = 0; i < length; i++)
            assert_int_equal(shl_midi_stream_byte(&stream, 7, bytes[i], ump),
                             i + 1 == length);
        assert_int_equal(ump[0], shl_midi_to_ump(7, (uint8_t)status, 1, 2));
    }
}

static void running_status_goes_on(void **state)
{
    struct shl_midi_stream stream = {0};
    struct heard heard = {0};

    (void)state;
    FEED(&stream, &heard, 0x90, 60, 100, 62, 100, 60, 0, 0xC1, 5, 6);
    ASSERT_WORDS(&heard, 0x20903C64, 0x20903E64, 0x20903C00, 0x20C10500,
                 0x20C10600);
    assert_int_equal(stream.strays, 0);
}

static void realtime_bytes_pass_through_other_messages(void **state)
{
    struct shl_midi_stream stream = {0};
    struct heard heard = {0};

    (void)state;
    FEED(&stream, &heard, 0x90, 0xF8, 60, 0xFE, 100, 0xFA, 61, 0xF8, 99);
    ASSERT_WORDS(&heard, 0x10F80000, 0x10FE0000, 0x20903C64, 0x10FA0000,
                 0x10F80000, 0x20903D63);
    heard.count = 0;
    FEED(&stream, &heard, 0xF0, 1, 0xF8, 2, 0xF7);
    ASSERT_WORDS(&heard, 0x10F80000, 0x30020102, 0);
    assert_int_equal(stream.strays, 0);
}

static void system_messages_end_running_status(void **state)
{
    static const uint8_t system[][3] = {{0xF1, 9}, {0xF2, 1, 2}, {0xF3, 5},
                                        {0xF6},    {0xF4},       {0xF5}};

    (void)state;
    for (size_t i = 0; i < sizeof system / sizeof *system; i++) {
        struct shl_midi_stream stream = {0};
        struct heard heard = {0};
        FEED(&stream, &heard, 0x90, 60, 100);
        feed(&stream, system[i], shl_midi_length(system[i][0]), &heard);
        assert_int_equal(heard.count, 2);
        FEED(&stream, &heard, 61, 100);
        assert_int_equal(heard.count, 2);
        assert_int_equal(stream.strays, 2);
    }
}

static void data_without_status_is_counted(void **state)
{
    struct shl_midi_stream stream = {0};
    struct heard heard = {0};

    (void)state;
    FEED(&stream, &heard, 1, 2, 3, 0x90, 60);
    assert_int_equal(stream.strays, 3);
    FEED(&stream, &heard, 0x80, 60, 0); /* the note on never gets whole */
    ASSERT_WORDS(&heard, 0x20803C00);
    assert_int_equal(stream.strays, 4);
}

static void stray_end_of_sysex_is_counted(void **state)
{
    struct shl_midi_stream stream = {0};
    struct heard heard = {0};

    (void)state;
    FEED(&stream, &heard, 0xF7, 0x90, 60, 100, 0xF7, 0xF7);
    ASSERT_WORDS(&heard, 0x20903C64);
    assert_int_equal(stream.strays, 3);
    FEED(&stream, &heard, 61, 100); /* F7 ends running status as well */
    assert_int_equal(stream.strays, 5);
}

static void any_status_ends_a_sysex(void **state)
{
    struct shl_midi_stream stream = {0};
    struct heard heard = {0};

    (void)state;
    FEED(&stream, &heard, 0xF0, 1, 2, 0x90, 60, 100);
    ASSERT_WORDS(&heard, 0x30020102, 0, 0x20903C64);
    heard.count = 0;
    FEED(&stream, &heard, 0xF0, 1, 0xF0, 2, 0xF7); /* the next begins at once */
    ASSERT_WORDS(&heard, 0x30010100, 0, 0x30010200, 0);
    assert_int_equal(stream.strays, 0);
    heard.count = 0;
    FEED(&stream, &heard, 0xF0, 1, 0xF6, 0x90, 60, 100);
    ASSERT_WORDS(&heard, 0x30010100, 0, 0x20903C64);
    assert_int_equal(stream.strays, 1); /* no room for the F6 */
}

/* The stream cuts as shl_sysex7_packet does, and both come back whole. */
/* shows DL-29 MP-22 */
static void sysex_of_any_size_passes_the_stream(void **state)
{
    (void)state;
    for (uint32_t size = 0; size <= 1000; size++) {
        struct shl_midi_stream stream = {0};
        struct heard heard = {0};
        uint8_t message[1002] = {0xF0};
        uint32_t packets;
        for (uint32_t i = 0; i < size; i++)
            message[i + 1] = (i * 7 + size) & 0x7F;
        message[size + 1] = 0xF7;
        feed(&stream, message, size + 2, &heard);
        packets = shl_sysex7_packets(message, size + 2);
        assert_int_equal(heard.count, 2 * packets);
        for (uint32_t p = 0; p < packets; p++) {
            uint32_t ump[2];
            assert_int_equal(shl_sysex7_packet(0, message, size + 2, p, ump),
                             SHL_OK);
            assert_memory_equal(ump, heard.words + 2 * p, sizeof ump);
        }
        assert_int_equal(stream.strays, 0);
        assert_int_equal(stream.in_sysex, 0);
    }
}

static void random_streams_are_survived(void **state)
{
    struct shl_midi_stream stream = {0};
    uint32_t seed = 12345, ump[2];

    (void)state;
    for (int i = 0; i < 1000000; i++) {
        uint32_t n;
        seed = seed * 1664525 + 1013904223;
        n = shl_midi_stream_byte(&stream, 0, (uint8_t)(seed >> 24), ump);
        assert_true(n <= 2);
        assert_true(stream.count < 3 && stream.sysex_count <= 6);
    }
}

/* ---- SysEx7 ------------------------------------------------------------------ */

static void sysex7_comes_back_whole(void **state)
{
    (void)state;
    for (uint32_t size = 0; size <= 1000; size++) {
        uint8_t message[1000], back[1000];
        uint32_t packets, total = 0;
        for (uint32_t i = 0; i < size; i++)
            message[i] = (i + size) & 0x7F;
        packets = shl_sysex7_packets(message, size);
        assert_int_equal(packets, size ? (size + 5) / 6 : 1);
        for (uint32_t p = 0; p < packets; p++) {
            uint32_t ump[2], count;
            uint8_t six[6];
            int first, last;
            assert_int_equal(shl_sysex7_packet(9, message, size, p, ump),
                             SHL_OK);
            assert_int_equal(ump[0] >> 24, 0x39);
            assert_int_equal(shl_sysex7_bytes(ump, six, &count, &first, &last),
                             SHL_OK);
            assert_int_equal(first, p == 0);
            assert_int_equal(last, p + 1 == packets);
            memcpy(back + total, six, count);
            total += count;
        }
        assert_int_equal(total, size);
        assert_memory_equal(back, message, size);
    }
}

static void sysex7_does_not_count_its_ends(void **state)
{
    static const uint8_t message[] = {0xF0, 1, 2, 3, 4, 5, 6, 0xF7};
    uint32_t whole[2], bare[2];

    (void)state;
    assert_int_equal(shl_sysex7_packets(message, 8), 1);
    assert_int_equal(shl_sysex7_packet(0, message, 8, 0, whole), SHL_OK);
    assert_int_equal(shl_sysex7_packet(0, message + 1, 6, 0, bare), SHL_OK);
    assert_memory_equal(whole, bare, sizeof bare);
    assert_int_equal(shl_sysex7_packet(0, message, 1, 0, whole), SHL_OK);
    assert_int_equal(whole[0], 0x30000000); /* a lone F0: nothing in it */
}

static void sysex7_refuses_bytes_above_7f_whole(void **state)
{
    uint8_t message[20] = {0};
    uint32_t ump[2] = {1, 2};

    (void)state;
    message[15] = 0x80;
    assert_int_equal(shl_sysex7_packet(0, message, 20, 0, ump), SHL_BAD_VALUE);
    assert_int_equal(shl_sysex7_packet(0, message, 20, 2, ump), SHL_BAD_VALUE);
    message[15] = 0xF0; /* inside it is no end either */
    assert_int_equal(shl_sysex7_packet(0, message, 20, 0, ump), SHL_BAD_VALUE);
    message[15] = 0;
    assert_int_equal(shl_sysex7_packet(0, message, 20, 4, ump), SHL_BAD_VALUE);
    assert_int_equal(ump[0], 1); /* outputs are untouched */
    assert_int_equal(ump[1], 2);
}

static void packets_that_are_no_sysex7_are_refused(void **state)
{
    static const uint32_t bad[][2] = {{0x40020102, 0},
                                      {0x30420102, 0},
                                      {0x30070102, 0},
                                      {0x30018002, 0},
                                      {0x30060102, 0x80}};
    uint32_t count = 99;
    uint8_t six[6] = {0};
    int first = 9, last = 9;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(shl_sysex7_bytes(bad[i], six, &count, &first, &last),
                         SHL_BAD_PEER);
    assert_int_equal(count, 99);
    assert_int_equal(first + last, 18);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(stream_gives_every_status_once_it_is_whole),
        T(running_status_goes_on),
        T(realtime_bytes_pass_through_other_messages),
        T(system_messages_end_running_status),
        T(data_without_status_is_counted),
        T(stray_end_of_sysex_is_counted),
        T(any_status_ends_a_sysex),
        T(sysex_of_any_size_passes_the_stream),
        T(random_streams_are_survived),
        T(sysex7_comes_back_whole),
        T(sysex7_does_not_count_its_ends),
        T(sysex7_refuses_bytes_above_7f_whole),
        T(packets_that_are_no_sysex7_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
