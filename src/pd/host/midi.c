/* SPDX-License-Identifier: MIT */
/* MIDI messages from Pd to events. Channels 1 to 16 are the first port, 17 to
 * 32 the second, as everywhere in Pd. */
#include "pd/voice.h"

#include <math.h>
#include <stdio.h>

#define MIDI_CHANNELS 32
#define RAW_MAX       4096
#define SYSEX_MAX     33554432

enum { NOTE_OFF = 0x80, NOTE_ON = 0x90, POLYTOUCH = 0xa0, CC = 0xb0 };
enum { PROGRAM = 0xc0, TOUCH = 0xd0, BEND = 0xe0 };

/* The numbers of a message. False, with the sentence, unless there are `min`
 * to `max` of them and each is a finite number. */
static int read_numbers(struct voice *x, t_symbol *s, int argc, t_atom *argv,
                        int min, int max, const char *takes,
                        const char *example, double *numbers)
{
    int i;

    for (i = 0; i < argc && i < max; i++) {
        if (!atoms_number(&argv[i], &numbers[i]))
            break;
    }
    if (i == argc && argc >= min)
        return 1;
    replies_refuse(&x->say, s, argc, argv, takes, example);
    return 0;
}

/* Into its range. Each number of each message is complained of once. */
static double clip(struct voice *x, t_symbol *s, const char *what, double value,
                   double low, double high)
{
    double used = value < low ? low : value > high ? high : value;
    char key[64];

    if (value >= low && value <= high)
        return value;
    snprintf(key, sizeof key, "%s %s", s->s_name, what);
    if (replies_once(&x->say, gensym(key), REPLIES_OBJECT))
        replies_complain(&x->say, "%s: %s %s is outside %s to %s: %s is used",
                         s->s_name, what, shl_digits(value, 10).text,
                         shl_digits(low, 10).text, shl_digits(high, 10).text,
                         shl_digits(used, 10).text);
    return used;
}

/* What goes by whole numbers. */
static double whole(struct voice *x, t_symbol *s, const char *what,
                    double value, double low, double high)
{
    double used = clip(x, s, what, value, low, high);
    char key[64];

    snprintf(key, sizeof key, "%s whole %s", s->s_name, what);
    if (used > floor(used) &&
        replies_once(&x->say, gensym(key), REPLIES_OBJECT))
        replies_complain(&x->say, "%s: %s %s is no whole number: %s is used",
                         s->s_name, what, shl_digits(value, 10).text,
                         shl_digits(floor(used), 10).text);
    return floor(used);
}

struct lane {
    uint8_t port, channel;
};

static struct lane read_lane(struct voice *x, t_symbol *s, double number)
{
    uint32_t channel =
        (uint32_t)whole(x, s, "channel", number, 1, MIDI_CHANNELS) - 1;

    return (struct lane){.port = (uint8_t)(channel / 16),
                         .channel = (uint8_t)(channel % 16)};
}

static uint8_t read_data(struct voice *x, t_symbol *s, const char *what,
                         double number)
{
    return (uint8_t)whole(x, s, what, number, 0, 127);
}

static void send(struct voice *x, t_symbol *s, struct lane lane, int status,
                 uint8_t data1, uint8_t data2)
{
    struct shl_event event = shl_event_midi(
        0, lane.port, (uint8_t)(status | lane.channel), data1, data2);

    x->ways->put(x, s, &event);
}

static void send_detuned(struct voice *x, t_symbol *s, struct lane lane, int on,
                         double pitch, uint8_t velocity)
{
    uint32_t ump[2];
    struct shl_event event;

    shl_ump_note(lane.port, on, lane.channel, pitch, shl_midi_widen(velocity),
                 ump);
    event = shl_event_ump(0, ump, 2);
    x->ways->put(x, s, &event);
}

static void send_note(struct voice *x, t_symbol *s, const double *numbers,
                      int on)
{
    struct lane lane = read_lane(x, s, numbers[0]);
    double pitch = clip(x, s, "note", numbers[1], 0, 127);
    uint8_t velocity = read_data(x, s, "velocity", numbers[2]);

    on = on && velocity;
    if (pitch > floor(pitch)) {
        if (x->ways->detunes(x)) {
            send_detuned(x, s, lane, on, pitch, velocity);
            return;
        }
        if (replies_once(&x->say, gensym("detune"), REPLIES_LINK))
            replies_note(&x->say,
                         "%s: the device has no detune: pitch %s becomes the "
                         "nearest key",
                         s->s_name, shl_digits(pitch, 6).text);
    }
    send(x, s, lane, on ? NOTE_ON : NOTE_OFF, (uint8_t)floor(pitch + 0.5),
         velocity);
}

static void midi_note(struct voice *x, t_symbol *s, int argc, t_atom *argv)
{
    double numbers[3];

    if (x->ways->offers(x, s, SHL_CAP_MIDI_IN) &&
        read_numbers(x, s, argc, argv, 3, 3,
                     "channel, pitch and velocity as numbers", "1 60 100",
                     numbers))
        send_note(x, s, numbers, 1);
}

static void midi_noteoff(struct voice *x, t_symbol *s, int argc, t_atom *argv)
{
    double numbers[3] = {0, 0, 0};

    if (x->ways->offers(x, s, SHL_CAP_MIDI_IN) &&
        read_numbers(x, s, argc, argv, 2, 3,
                     "channel, pitch and perhaps a velocity as numbers", "1 60",
                     numbers))
        send_note(x, s, numbers, 0);
}

/* Channel and two data bytes. */
static void send_three(struct voice *x, t_symbol *s, int argc, t_atom *argv,
                       int status, const char *what, const char *takes,
                       const char *example)
{
    double numbers[3];
    struct lane lane;
    uint8_t data1, data2;

    if (!x->ways->offers(x, s, SHL_CAP_MIDI_IN) ||
        !read_numbers(x, s, argc, argv, 3, 3, takes, example, numbers))
        return;
    lane = read_lane(x, s, numbers[0]);
    data1 = read_data(x, s, what, numbers[1]);
    data2 = read_data(x, s, "value", numbers[2]);
    send(x, s, lane, status, data1, data2);
}

static void midi_cc(struct voice *x, t_symbol *s, int argc, t_atom *argv)
{
    send_three(x, s, argc, argv, CC, "controller",
               "channel, controller and value as numbers", "1 7 100");
}

static void midi_polytouch(struct voice *x, t_symbol *s, int argc, t_atom *argv)
{
    send_three(x, s, argc, argv, POLYTOUCH, "note",
               "channel, pitch and value as numbers", "1 60 30");
}

/* Channel and one data byte. */
static void send_two(struct voice *x, t_symbol *s, int argc, t_atom *argv,
                     int status, const char *what, const char *takes,
                     const char *example)
{
    double numbers[2];
    struct lane lane;
    uint8_t data;

    if (!x->ways->offers(x, s, SHL_CAP_MIDI_IN) ||
        !read_numbers(x, s, argc, argv, 2, 2, takes, example, numbers))
        return;
    lane = read_lane(x, s, numbers[0]);
    data = read_data(x, s, what, numbers[1]);
    send(x, s, lane, status, data, 0);
}

static void midi_program(struct voice *x, t_symbol *s, int argc, t_atom *argv)
{
    send_two(x, s, argc, argv, PROGRAM, "program",
             "channel and program as numbers", "1 2");
}

static void midi_touch(struct voice *x, t_symbol *s, int argc, t_atom *argv)
{
    send_two(x, s, argc, argv, TOUCH, "value", "channel and value as numbers",
             "1 30");
}

static void midi_bend(struct voice *x, t_symbol *s, int argc, t_atom *argv)
{
    double numbers[2], bend;
    struct lane lane;
    uint32_t wheel;

    if (!x->ways->offers(x, s, SHL_CAP_MIDI_IN) ||
        !read_numbers(x, s, argc, argv, 2, 2,
                      "channel and a bend from -1 to 1 as numbers", "1 0.5",
                      numbers))
        return;
    lane = read_lane(x, s, numbers[0]);
    bend = floor(clip(x, s, "bend", numbers[1], -1, 1) * 8192 + 8192.5);
    wheel = bend > 16383 ? 16383 : (uint32_t)bend;
    send(x, s, lane, BEND, wheel & 0x7f, (uint8_t)(wheel >> 7));
}

/* ---- bytes ---- */

/* All atoms as bytes, or none of them. */
static int read_bytes(struct voice *x, t_symbol *s, int argc, t_atom *argv,
                      const char *example, uint8_t *bytes)
{
    double number;
    int i;

    for (i = 0; i < argc; i++) {
        if (!atoms_whole(&argv[i], 0, 255, &number)) {
            char word[64];
            atoms_text(&argv[i], word, sizeof word);
            replies_error(&x->say, s, SHL_BAD_VALUE,
                          "%s: word %d is no byte from 0 to 255 but %s: "
                          "nothing was sent: type %s %s",
                          s->s_name, i + 1, word, s->s_name, example);
            return 0;
        }
        bytes[i] = (uint8_t)number;
    }
    if (argc)
        return 1;
    replies_refuse(&x->say, s, argc, argv, "bytes from 0 to 255", example);
    return 0;
}

static int too_long(struct voice *x, t_symbol *s, int argc, int max)
{
    if (argc <= max)
        return 0;
    replies_error(&x->say, s, SHL_BAD_VALUE,
                  "%s: %d bytes are more than the %d of one message: nothing "
                  "was sent",
                  s->s_name, argc, max);
    return 1;
}

static int is_sysex(const uint32_t *ump)
{
    return ump[0] >> 28 == 3;
}

static void tell_strays(struct voice *x, t_symbol *s, uint32_t count)
{
    if (count == 1)
        replies_error(&x->say, s, SHL_BAD_VALUE,
                      "midi_raw: 1 data byte without a status byte before it: "
                      "it was not sent");
    else
        replies_error(&x->say, s, SHL_BAD_VALUE,
                      "midi_raw: %u data bytes without a status byte before "
                      "them: they were not sent",
                      (unsigned)count);
}

/* A stream may be cut anywhere, and most come byte by byte; but a list that ends
 * within a message is most often one byte too long, or too short. */
static void tell_unfinished(struct voice *x, t_symbol *s, int argc)
{
    char key[] = "midi_raw unfinished";

    if (argc < 2 || !x->raw.count || x->raw.in_sysex ||
        !replies_once(&x->say, gensym(key), REPLIES_LINK))
        return;
    replies_error(&x->say, s, SHL_BAD_VALUE,
                  "midi_raw: the last byte, %u, begins another message, which "
                  "needs one byte more: it waits for the next midi_raw; send "
                  "whole messages, such as midi_raw 144 60 100",
                  (unsigned)x->raw.data[x->raw.count - 1]);
}

static void midi_raw(struct voice *x, t_symbol *s, int argc, t_atom *argv)
{
    uint8_t bytes[RAW_MAX];
    uint32_t ump[2], words, strays = x->raw.strays;
    int i;

    if (!x->ways->offers(x, s, SHL_CAP_MIDI_IN) ||
        too_long(x, s, argc, RAW_MAX) ||
        !read_bytes(x, s, argc, argv, "144 60 100", bytes))
        return;
    for (i = 0; i < argc; i++) {
        struct shl_event event;
        words = shl_midi_stream_byte(&x->raw, 0, bytes[i], ump);
        if (!words)
            continue;
        if (is_sysex(ump) && !x->ways->offers(x, s, SHL_CAP_SYSEX_IN))
            continue;
        event = shl_event_ump(0, ump, words);
        x->ways->put(x, s, &event);
    }
    if (x->raw.strays != strays)
        tell_strays(x, s, x->raw.strays - strays);
    tell_unfinished(x, s, argc);
}

static void put_sysex(struct voice *x, t_symbol *s, const uint8_t *bytes,
                      size_t size)
{
    uint32_t i, packets = shl_sysex7_packets(bytes, size), ump[2];

    if (x->ways->room(x) < packets) {
        replies_error(&x->say, s, SHL_RING_FULL,
                      "midi_sysex: no room for its %u packets now: send it "
                      "again later",
                      (unsigned)packets);
        return;
    }
    for (i = 0; i < packets; i++) {
        struct shl_event event;
        if (shl_sysex7_packet(0, bytes, size, i, ump))
            return;
        event = shl_event_ump(0, ump, 2);
        x->ways->put(x, s, &event);
    }
}

/* Whether it is one SysEx message, with or without its first and last byte. */
static int is_whole(struct voice *x, t_symbol *s, const uint8_t *bytes,
                    int count)
{
    int i, last = count - (count > 1 && bytes[count - 1] == 0xf7);

    for (i = bytes[0] == 0xf0; i < last; i++) {
        if (bytes[i] & 0x80) {
            replies_error(&x->say, s, SHL_BAD_VALUE,
                          "midi_sysex: byte %d is %u: between 240 and 247 "
                          "bytes go from 0 to 127: nothing was sent",
                          i + 1, (unsigned)bytes[i]);
            return 0;
        }
    }
    return 1;
}

static void midi_sysex(struct voice *x, t_symbol *s, int argc, t_atom *argv)
{
    uint8_t *bytes;

    if (!x->ways->offers(x, s, SHL_CAP_SYSEX_IN) ||
        too_long(x, s, argc, SYSEX_MAX))
        return;
    bytes = getbytes((size_t)argc + 1);
    if (!bytes) {
        replies_error(&x->say, s, SHL_NO_MEMORY, "midi_sysex: out of memory");
        return;
    }
    if (read_bytes(x, s, argc, argv, "240 126 127 9 1 247", bytes) &&
        is_whole(x, s, bytes, argc) &&
        !x->ways->send_long(x, s, bytes, (size_t)argc))
        put_sysex(x, s, bytes, (size_t)argc);
    freebytes(bytes, (size_t)argc + 1);
}

void voice_forget_link(struct voice *x)
{
    uint32_t strays = x->raw.strays;

    x->sysex_state = VOICE_SYSEX_NONE;
    x->raw = (struct shl_midi_stream){.strays = strays};
}

void notes_methods(t_class *c, notes_add add)
{
    static const struct {
        const char *selector;
        void (*method)(struct voice *, t_symbol *, int, t_atom *);
    } table[] = {
        {"midi_note", midi_note},
        {"midi_noteoff", midi_noteoff},
        {"midi_cc", midi_cc},
        {"midi_bend", midi_bend},
        {"midi_program", midi_program},
        {"midi_touch", midi_touch},
        {"midi_aftertouch", midi_touch},
        {"midi_polytouch", midi_polytouch},
        {"midi_raw", midi_raw},
        {"midi_sysex", midi_sysex},
    };
    size_t i;

    for (i = 0; i < sizeof table / sizeof *table; i++)
        add(c, (t_method)table[i].method, table[i].selector);
}
