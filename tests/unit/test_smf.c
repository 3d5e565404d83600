/* SPDX-License-Identifier: MIT */
/* Standard MIDI files and notes as text: both become a score. */
#include "tool/score_text.h"
#include "tool/smf.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct score score;
static struct shl_why why;

static int setup(void **state)
{
    (void)state;
    memset(&score, 0, sizeof(score));
    memset(&why, 0, sizeof(why));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    score_free(&score);
    return 0;
}

/* ---- files in the making --------------------------------------------------- */

struct file {
    uint8_t bytes[1024];
    size_t size;
};

static void put(struct file *file, const uint8_t *bytes, size_t size)
{
    memcpy(file->bytes + file->size, bytes, size);
    file->size += size;
}

static struct file header(uint8_t format, uint8_t tracks, uint16_t division)
{
    const uint8_t bytes[] = {'M',
                             'T',
                             'h',
                             'd',
                             0,
                             0,
                             0,
                             6,
                             0,
                             format,
                             0,
                             tracks,
                             (uint8_t)(division >> 8),
                             (uint8_t)division};
    struct file file = {.size = 0};

    put(&file, bytes, sizeof(bytes));
    return file;
}

static void chunk(struct file *file, const char *type, const uint8_t *bytes,
                  size_t size)
{
    const uint8_t length[] = {0, 0, (uint8_t)(size >> 8), (uint8_t)size};

    put(file, (const uint8_t *)type, 4);
    put(file, length, 4);
    put(file, bytes, size);
}

#define TRACK(file, ...)                                                       \
    do {                                                                       \
        const uint8_t bytes_[] = {__VA_ARGS__};                                \
        chunk(file, "MTrk", bytes_, sizeof(bytes_));                           \
    } while (0)

/* From a copy of just this size, so that a sanitizer sees a step too far. */
static shl_status read_bytes(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    const shl_status status = smf_read(copy, size, &score, &why);
    free(copy);
    return status;
}

static shl_status read_it(const struct file *file)
{
    return read_bytes(file->bytes, file->size);
}

static void expect(uint32_t index, double ms, uint32_t word)
{
    assert_true(index < score.count);
    assert_true(fabs(score.event[index].ms - ms) < 1e-6);
    assert_int_equal(score.event[index].event.data[0], word);
}

static void expect_refused(shl_status status, const char *part)
{
    assert_int_equal(status, SHL_BAD_VALUE);
    if (!strstr(why.text, part))
        print_error("'%s' is not in '%s'\n", part, why.text);
    assert_non_null(strstr(why.text, part));
}

/* ---- MIDI files --------------------------------------------------------------- */

static void format_0_with_running_status_gives_events_in_time(void **state)
{
    struct file file = header(0, 1, 480);

    (void)state;
    TRACK(&file, 0, 0x90, 60, 100, /* */
          0x83, 0x60, 60, 0,       /* 480 ticks: a quarter, 500 ms */
          0x00, 0xE3, 0x00, 0x40, 0x60, 0xC2, 5, 0, 0xFF, 0x2F, 0);
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 4);
    expect(0, 0, 0x20903C64);
    expect(1, 500, 0x20903C00);
    expect(2, 500, 0x20E30040);
    expect(3, 600, 0x20C20500);
}

static void data_bytes_end_at_127(void **state)
{
    struct file file = header(0, 1, 480);

    (void)state;
    TRACK(&file, 0, 0x90, 127, 127, 0, 0xFF, 0x2F, 0);
    assert_int_equal(read_it(&file), SHL_OK);
    expect(0, 0, 0x20907F7F);
    score_free(&score);
    file = header(0, 1, 480);
    TRACK(&file, 0, 0x90, 127, 128, 0, 0xFF, 0x2F, 0);
    expect_refused(read_it(&file), "128, above 127");
}

static void tempo_changes_of_one_track_hold_for_the_others(void **state)
{
    struct file file = header(1, 2, 100);

    (void)state;
    TRACK(&file, 0, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40, /* 1 s a quarter */
          100, 0xFF, 0x51, 3, 0x03, 0xD0, 0x90,      /* then 0.25 s */
          0, 0xFF, 0x2F, 0);
    TRACK(&file, 50, 0x90, 60, 1, 50, 62, 1, 100, 64, 1, 0, 0xFF, 0x2F, 0);
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 3);
    expect(0, 500, 0x20903C01);
    expect(1, 1000, 0x20903E01);
    expect(2, 1250, 0x20904001);
}

static void tracks_are_merged_in_order_of_time(void **state)
{
    struct file file = header(1, 2, 100);

    (void)state;
    TRACK(&file, 10, 0x90, 1, 1, 20, 3, 1);
    TRACK(&file, 10, 0x91, 2, 1, 30, 4, 1);
    assert_int_equal(read_it(&file), SHL_OK);
    expect(0, 50, 0x20900101);
    expect(1, 50, 0x20910201);
    expect(2, 150, 0x20900301);
    expect(3, 200, 0x20910401);
}

static void film_frames_count_without_tempo(void **state)
{
    struct file file = header(0, 1, 0xE728); /* 25 frames of 40 ticks */

    (void)state;
    TRACK(&file, 0, 0xFF, 0x51, 3, 1, 0, 0, 100, 0x90, 60, 1);
    assert_int_equal(read_it(&file), SHL_OK);
    expect(0, 100, 0x20903C01);
}

static void other_chunks_and_other_meta_events_are_passed_over(void **state)
{
    static const uint8_t other[] = {1, 2, 3};
    struct file file = header(0, 1, 96);

    (void)state;
    chunk(&file, "XFIH", other, sizeof(other));
    TRACK(&file, 0, 0xFF, 1, 2, 'h', 'i', 0, 0xFF, 0x21, 1, 2, 0, 0xB0, 7, 100,
          0, 0xFF, 0x2F, 0, 0, 0x90, 1, 1);
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 1); /* nothing after the end of the track */
    expect(0, 0, 0x22B00764);         /* port 2 */
}

static void running_status_goes_on_behind_meta_and_sysex(void **state)
{
    struct file file = header(0, 1, 480);

    (void)state;
    TRACK(&file, 0, 0x91, 60, 100, 0, 0xFF, 1, 1, 'A', 0x83, 0x60, 60, 0, 0,
          0xF0, 2, 1, 0xF7, 0, 62, 1);
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 4);
    expect(0, 0, 0x20913C64);
    expect(1, 500, 0x20913C00);
    expect(3, 500, 0x20913E01);
}

static void sysex_is_sent_whole_and_in_pieces(void **state)
{
    struct file file = header(0, 1, 480);

    (void)state;
    TRACK(&file, 0, 0xFF, 0x21, 1, 3,       /* port 4 */
          0, 0xF0, 5, 126, 127, 9, 1, 0xF7, /* whole, 4 bytes */
          0, 0xF0, 3, 1, 2, 3,              /* begins, */
          0x83, 0x60, 0xF7, 3, 4, 5, 6,     /* 500 ms later goes on, */
          0x83, 0x60, 0xF7, 3, 7, 8, 0xF7,  /* and ends */
          0, 0xF7, 3, 0x92, 60, 64);        /* as it stands */
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 4);
    expect(0, 0, 0x33047E7F);
    assert_int_equal(score.event[0].event.data[1], 0x09010000);
    expect(1, 1000, 0x33160102); /* six bytes when the seventh is there */
    assert_int_equal(score.event[1].event.data[1], 0x03040506);
    expect(2, 1000, 0x33320708);
    expect(3, 1000, 0x23923C40);
}

static void a_sysex_without_an_end_gets_one(void **state)
{
    struct file file = header(0, 1, 480);

    (void)state;
    TRACK(&file, 0, 0xF0, 2, 1, 2, 0, 0x90, 60, 1, 0x83, 0x60, 0xFF, 0x2F, 0);
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 2);
    expect(0, 0, 0x20903C01);
    expect(1, 500, 0x30020102);
}

static void the_end_of_the_last_track_is_kept(void **state)
{
    struct file file = header(1, 2, 96);

    (void)state;
    TRACK(&file, 0, 0x90, 60, 100, 48, 0x80, 60, 0, 0x87, 0x10, 0xFF, 0x2F, 0);
    TRACK(&file, 0, 0xFF, 0x2F, 0);
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 2);
    assert_true(fabs(score.rest_ms - 5000) < 1e-6);
    assert_true(fabs(score_last_ms(&score) - 250) < 1e-6);
}

static void a_header_that_counts_wrong_is_told(void **state)
{
    struct file file = header(1, 2, 96);

    (void)state;
    TRACK(&file, 0, 0x90, 60, 100);
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 1);
    assert_non_null(strstr(score.remark, "2 tracks, and it has 1"));
    score_free(&score);
    file = header(0, 1, 96);
    TRACK(&file, 0, 0x90, 60, 100);
    TRACK(&file, 0, 0x91, 60, 100);
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 2);
    assert_non_null(strstr(score.remark, "1 tracks, and it has 2"));
    score_free(&score);
    file = header(1, 2, 96);
    TRACK(&file, 0, 0x90, 60, 100);
    chunk(&file, "XFIH", (const uint8_t *)"abcd", 4);
    assert_int_equal(read_it(&file), SHL_OK);
    score_free(&score);
    file = header(1, 0, 96);
    chunk(&file, "XFIH", (const uint8_t *)"abcd", 4);
    expect_refused(read_it(&file), "has no track");
}

static void what_is_behind_the_last_track_is_passed_over(void **state)
{
    struct file file = header(0, 1, 96);

    (void)state;
    TRACK(&file, 0, 0x90, 60, 100);
    put(&file, (const uint8_t *)"\0\0\0", 3);
    assert_int_equal(read_it(&file), SHL_OK);
    score_free(&score);
    put(&file, (const uint8_t *)"\0\0\xFF\xFF\xFF\xFFxx", 8);
    assert_int_equal(read_it(&file), SHL_OK);
    assert_string_equal(score.remark, "");
}

static void riff_midi_is_a_midi_file(void **state)
{
    struct file file = header(0, 1, 96), riff = {.size = 0};
    const uint8_t info[] = {'R', 'I', 'F', 'F', 99,  0,   0,   0,  'R', 'M',
                            'I', 'D', 'D', 'I', 'S', 'P', 3,   0,  0,   0,
                            1,   2,   3,   0,   'd', 'a', 't', 'a'};

    (void)state;
    TRACK(&file, 0, 0x90, 60, 100);
    const uint8_t length[] = {(uint8_t)file.size, 0, 0, 0};
    put(&riff, info, sizeof(info));
    put(&riff, length, 4);
    put(&riff, file.bytes, file.size);
    put(&riff, (const uint8_t *)"LIST\x04\0\0\0abcd", 12);
    assert_int_equal(read_it(&riff), SHL_OK);
    expect(0, 0, 0x20903C64);
    score_free(&score);
    assert_int_equal(read_bytes(riff.bytes, riff.size - 12), SHL_OK);
    expect(0, 0, 0x20903C64);
    for (size_t size = 0; size < riff.size - 12; size++) {
        score_free(&score);
        assert_int_equal(read_bytes(riff.bytes, size), SHL_BAD_VALUE);
    }
    score_free(&score);
    expect_refused(read_bytes((const uint8_t *)"RIFF\x04\0\0\0WAVE", 12),
                   "another kind");
    expect_refused(read_bytes((const uint8_t *)"RIFF\x04\0\0\0RMID", 12),
                   "without its data");
}

static void songs_of_format_2_follow_each_other(void **state)
{
    struct file file = header(2, 2, 100);

    (void)state;
    TRACK(&file, 0, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40, /* 1 s a quarter */
          100, 0x90, 60, 1, 100, 0xFF, 0x2F, 0);
    TRACK(&file, 100, 0x90, 62, 1); /* at the usual tempo again */
    assert_int_equal(read_it(&file), SHL_OK);
    assert_int_equal(score.count, 2);
    expect(0, 1000, 0x20903C01);
    expect(1, 2500, 0x20903E01);
    assert_true(fabs(score.rest_ms - 2500) < 1e-6);
}

static void damage_is_told_with_its_track_and_byte(void **state)
{
    struct file file = header(1, 2, 96);

    (void)state;
    TRACK(&file, 0, 0x90, 60, 100);
    TRACK(&file, 0, 0x90, 60, 200);
    expect_refused(read_it(&file), "track 2, byte 37");
    score_free(&score);
    file.size--;
    expect_refused(read_it(&file), "track 2, byte 34");
}

static void film_frames_of_every_kind(void **state)
{
    static const struct {
        uint8_t frames;
        double ms; /* of 100 ticks, 10 a frame */
    } kinds[] = {
        {24, 1e4 / 24}, {25, 400}, {29, 1e4 * 1001 / 30000}, {30, 1e4 / 30}};

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct file file =
            header(0, 1, (uint16_t)((256 - kinds[i].frames) << 8 | 10));

        TRACK(&file, 100, 0x90, 60, 1);
        assert_int_equal(read_it(&file), SHL_OK);
        expect(0, kinds[i].ms, 0x20903C01);
        score_free(&score);
    }
}

static void what_is_wrong_is_said(void **state)
{
    struct file file = header(3, 1, 96);

    (void)state;
    expect_refused(read_it(&file), "format 3");
    expect_refused(read_bytes((const uint8_t *)"RIFF", 4), "MThd");
    file = header(0, 1, 0);
    expect_refused(read_it(&file), "division of 0");
    file = header(0, 1, 0xE700);
    expect_refused(read_it(&file), "division of 0");
    file = header(0, 1, 96);
    TRACK(&file, 0, 60, 100);
    expect_refused(read_it(&file), "without a status");
    file = header(0, 1, 96);
    TRACK(&file, 0, 0x90, 60, 200);
    expect_refused(read_it(&file), "above 127");
    file = header(0, 1, 96);
    TRACK(&file, 0, 0xF8);
    expect_refused(read_it(&file), "status byte 248");
    file = header(0, 1, 96);
    TRACK(&file, 0xFF, 0xFF, 0xFF, 0xFF, 0);
    expect_refused(read_it(&file), "more than 4 bytes");
    file = header(0, 1, 96);
    TRACK(&file, 0, 0xFF, 0x51, 3, 0, 0, 0);
    expect_refused(read_it(&file), "tempo of 0");
    file = header(0, 1, 96);
    TRACK(&file, 0, 0xFF, 1, 0x83, 0x7F, 'a');
    expect_refused(read_it(&file), "breaks off");
}

static void a_file_cut_anywhere_is_refused_and_never_read_past(void **state)
{
    struct file file = header(1, 2, 96);

    (void)state;
    TRACK(&file, 0, 0xFF, 0x51, 3, 7, 0xA1, 0x20, 0, 0xFF, 0x2F, 0);
    TRACK(&file, 0, 0x90, 60, 100, 0x60, 60, 0, 0, 0xF0, 2, 1, 0xF7, 0, 0xFF,
          0x2F, 0);
    const size_t first = 14 + 8 + 11; /* just behind its first track */
    for (size_t size = 0; size < file.size; size++) {
        assert_int_equal(read_bytes(file.bytes, size),
                         size == first ? SHL_OK : SHL_BAD_VALUE);
        score_free(&score);
    }
    assert_int_equal(read_it(&file), SHL_OK);
}

static void any_bytes_changed_never_lead_outside(void **state)
{
    struct file file = header(1, 2, 96);
    uint32_t seed = 7;

    (void)state;
    TRACK(&file, 0, 0xFF, 0x51, 3, 7, 0xA1, 0x20, 0, 0xFF, 0x2F, 0);
    TRACK(&file, 0, 0x90, 60, 100, 0x60, 60, 0, 0, 0xF0, 2, 1, 0xF7, 0, 0xFF,
          0x2F, 0);
    for (int i = 0; i < 20000; i++) {
        struct file broken = file;

        for (int j = 0; j < 3; j++) {
            seed = seed * 1664525u + 1013904223u;
            broken.bytes[(seed >> 8) % file.size] = (uint8_t)(seed >> 24);
        }
        read_it(&broken);
        for (uint32_t j = 0; j < score.count; j++)
            assert_int_equal(shl_event_check(&score.event[j].event), SHL_OK);
        score_free(&score);
    }
}

/* ---- notes as text -------------------------------------------------------------- */

static shl_status read_text(const char *text)
{
    return notes_read(text, strlen(text), &score, &why);
}

static void every_kind_of_line_is_understood(void **state)
{
    (void)state;
    assert_int_equal(read_text("# a comment\n"
                               "\n"
                               "0 note 1 60 100 250.5  # with its end\n"
                               "10 note 17 61 90\r\n"
                               "\t20 cc 2 64 127\n"
                               "30 bend 1 -1\n"
                               "30 bend 1 0\n"
                               "30 bend 1 1\n"
                               "40 program 16 5\n"
                               "50 param Cut_off 440.5\n"
                               "end 2000"),
                     SHL_OK);
    assert_int_equal(score.count, 9);
    expect(0, 0, 0x20903C64);
    expect(1, 250.5, 0x20803C00);
    expect(2, 10, 0x21903D5A);
    expect(3, 20, 0x20B1407F);
    expect(4, 30, 0x20E00000);
    expect(5, 30, 0x20E00040);
    expect(6, 30, 0x20E07F7F);
    expect(7, 40, 0x20CF0500);
    assert_string_equal(score.event[8].param, "Cut_off");
    assert_true(fabs(shl_event_value(&score.event[8].event) - 440.5) < 1e-9);
    assert_true(fabs(score.end_ms - 2000) < 1e-9);
}

static void a_key_with_a_fraction_becomes_midi_2(void **state)
{
    struct shl_voice_message message;

    (void)state;
    assert_int_equal(read_text("0 note 1 60.25 127"), SHL_OK);
    assert_int_equal(shl_ump_read(score.event[0].event.data, &message), SHL_OK);
    assert_true(fabs(message.pitch - 60.25) < 0.01);
    assert_true(fabs(message.value - 1) < 1e-9);
    score_free(&score);
    for (uint32_t velocity = 1; velocity < 128; velocity++) {
        char text[64];

        snprintf(text, sizeof(text), "0 note 1 60.25 %u", velocity);
        assert_int_equal(read_text(text), SHL_OK);
        assert_int_equal(score.event[0].event.data[1] >> 16,
                         shl_midi_widen((uint8_t)velocity));
        score_free(&score);
    }
}

static void lines_that_make_no_sense_are_refused_by_number(void **state)
{
    static const char *const lines[][2] = {
        {"0 note 0 60 100", "channel must be"},
        {"0 note 257 60 100", "channel must be"},
        {"0 note 1 200 100", "key must be"},
        {"0 note 1 60 128", "velocity must be"},
        {"0 note 1 60 12.5", "whole number"},
        {"0 note 1 60 nan", "velocity must be"},
        {"0 note 1 60", "it must be: TIME note"},
        {"0 note 1 60 1 1 1", "it must be: TIME note"},
        {"0 note 1 60 1 1 1 1 1 1", "it must be: TIME note"},
        {"0 note 1 60 1 0", "above 0"},
        {"0 note 1 60 1 -5", "duration must be"},
        {"-1 note 1 60 1", "time must be"},
        {"nan note 1 60 1", "time must be"},
        {"1e99 note 1 60 1", "time must be"},
        {"x", "time must be"},
        {"5", "must come note"},
        {"5 trumpet", "not trumpet"},
        {"0 cc 1 128 1", "controller must be"},
        {"0 bend 1 1.5", "bend must be"},
        {"0 param gain inf", "value must be"},
        {"0 param gain", "it must be: TIME param"},
        {"end", "end takes"},
        {"end 0", "after 0"}};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[128];

        snprintf(text, sizeof(text), "# one\n%s\n", lines[i][0]);
        expect_refused(read_text(text), lines[i][1]);
        assert_non_null(strstr(why.text, "line 2:"));
        score_free(&score);
    }
    expect_refused(notes_read("1\0002", 3, &score, &why), "zero byte");
    expect_refused(read_text("end 1\nend 2"), "second end");
    char big[400];
    memset(big, ' ', sizeof(big));
    expect_refused(notes_read(big, sizeof(big), &score, &why), "longer than");
}

/* ---- the score ---------------------------------------------------------------------- */

static void times_are_cut_down_to_samples_with_a_little_slack(void **state)
{
    (void)state;
    assert_int_equal(score_frame(0, 48000), 0);
    assert_int_equal(score_frame(1, 48000), 48);
    assert_int_equal(score_frame(1 / 3.0, 48000), 16);
    assert_int_equal(score_frame(0.0208333, 48000), 1); /* 0.9999984 */
    assert_int_equal(score_frame(0.0203, 48000), 0);
    assert_int_equal(score_frame(86400000.0, 384000), 33177600000ull);
}

static void ends_come_before_beginnings_and_after_their_own(void **state)
{
    (void)state;
    assert_int_equal(read_text("10 note 1 60 100\n"
                               "0 note 1 60 90 10\n"
                               "20 note 1 61 90 0.001\n"
                               "10 cc 1 1 1\n"),
                     SHL_OK);
    score_arrange(&score, 48000);
    assert_int_equal(score.count, 6);
    expect(0, 0, 0x20903C5A);
    expect(1, 10, 0x20803C00); /* the end of the first */
    expect(2, 10, 0x20903C64);
    expect(3, 10, 0x20B00101);
    assert_int_equal(score.event[4].frame, 960);
    assert_int_equal(score.event[5].frame, 961);
    assert_int_equal(score.event[5].event.data[0], 0x20803D00);
}

static void
the_built_in_phrase_ends_all_its_notes_before_it_repeats(void **state)
{
    double loop_ms = 0;
    int sounding = 0;

    (void)state;
    assert_int_equal(score_phrase(&score, &loop_ms), SHL_OK);
    for (uint32_t i = 0; i < score.count; i++)
        sounding += (score.event[i].event.data[0] >> 20 & 15) == 9 ? 1 : -1;
    assert_int_equal(sounding, 0);
    assert_true(score.count > 40 && score_last_ms(&score) < loop_ms);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(format_0_with_running_status_gives_events_in_time),
        TEST(data_bytes_end_at_127),
        TEST(tempo_changes_of_one_track_hold_for_the_others),
        TEST(tracks_are_merged_in_order_of_time),
        TEST(film_frames_count_without_tempo),
        TEST(other_chunks_and_other_meta_events_are_passed_over),
        TEST(running_status_goes_on_behind_meta_and_sysex),
        TEST(sysex_is_sent_whole_and_in_pieces),
        TEST(a_sysex_without_an_end_gets_one),
        TEST(the_end_of_the_last_track_is_kept),
        TEST(a_header_that_counts_wrong_is_told),
        TEST(what_is_behind_the_last_track_is_passed_over),
        TEST(riff_midi_is_a_midi_file),
        TEST(songs_of_format_2_follow_each_other),
        TEST(damage_is_told_with_its_track_and_byte),
        TEST(film_frames_of_every_kind),
        TEST(what_is_wrong_is_said),
        TEST(a_file_cut_anywhere_is_refused_and_never_read_past),
        TEST(any_bytes_changed_never_lead_outside),
        TEST(every_kind_of_line_is_understood),
        TEST(a_key_with_a_fraction_becomes_midi_2),
        TEST(lines_that_make_no_sense_are_refused_by_number),
        TEST(times_are_cut_down_to_samples_with_a_little_slack),
        TEST(ends_come_before_beginnings_and_after_their_own),
        TEST(the_built_in_phrase_ends_all_its_notes_before_it_repeats),
    };

    return cmocka_run_group_tests_name("smf", tests, NULL, NULL);
}
