/* SPDX-License-Identifier: MIT */
/* Hostile scores: text that pretends to be notes, bytes that pretend to be a
 * Standard MIDI File. They are refused with a sentence, or become events that
 * can be played, in order and within the time that a score may have.
 *
 * The first byte chooses: the input as it stands, or as the choices of a writer
 * who knows words, chunks and events. */
#include "tool/score_text.h"
#include "tool/smf.h"

#include "input.h"

#include <string.h>

#define ROOM 65536u

static uint8_t made[ROOM];
static size_t used;

static void put(const void *bytes, size_t size)
{
    if (size > ROOM - used)
        return;
    memcpy(made + used, bytes, size);
    used += size;
}

static void put_number(uint32_t value, uint32_t bytes)
{
    while (bytes-- > 0) {
        const uint8_t byte = (uint8_t)(value >> 8 * bytes);
        put(&byte, 1);
    }
}

/* ---- notes from words ------------------------------------------------------- */

static void put_word(struct input *input)
{
    static const char *const words[] = {
        "0",    "1",      "60",  "60.5",     "127",      "128",      "256",
        "257",  "-1",     "0.5", "1e308",    "nan",      "inf",      "0x1p4",
        "5.25", "1e-320", "16",  "86400000", "86400001", "99999999", "#",
        "note", "gain",   "a_b", "end",      "\xC3\xA9", "\x1B",     "7\r"};
    const char *word = words[take(input, 1) % (sizeof words / sizeof *words)];

    put(word, strlen(word));
}

/* Most lines have a time, a kind and as many words as it takes. */
static void write_notes(struct input *input)
{
    static const struct {
        const char *name;
        uint32_t words;
    } kinds[] = {{" note ", 3},  {" note ", 4},    {" cc ", 3}, {" bend ", 2},
                 {" param ", 2}, {" program ", 2}, {" ", 1},    {"end ", 1}};

    while (input->at < input->end) {
        const uint32_t choice = take(input, 1), kind = choice % 8;
        if (kind < 7)
            put_word(input);
        put(kinds[kind].name, strlen(kinds[kind].name));
        for (uint32_t n = kinds[kind].words + (choice > 0xF0); n > 0; n--) {
            put_word(input);
            put(" ", 1);
        }
        put("\n", choice < 0xE0);
    }
}

/* ---- a MIDI file from events -------------------------------------------------- */

static void put_delta(struct input *input)
{
    const uint32_t choice = take(input, 1);

    if (choice < 0xF0)
        put_number(choice & 0x7F, 1);
    else
        put_number(take(input, 4), choice % 4 + 1);
}

static void put_meta(struct input *input)
{
    static const uint8_t types[] = {0x51, 0x51, 0x51, 0x21, 0x2F, 0x58, 0x01};
    static const uint8_t sizes[] = {3, 3, 3, 1, 0, 4, 5};
    const uint32_t choice = take(input, 1);
    const uint32_t type = choice % sizeof types;
    const uint32_t size = choice & 0x80 ? take(input, 1) : sizes[type];

    put_number(0xFFu << 8 | types[type], 2);
    put_number(size, 1);
    for (uint32_t i = 0; i < size % 16; i++)
        put_number(take(input, 1), 1);
}

static void put_event(struct input *input)
{
    const uint32_t choice = take(input, 1);

    put_delta(input);
    if (choice < 0x90) { /* running status */
        put_number(take(input, 2) & 0x7F7F, choice % 2 + 1);
    } else if (choice < 0xF0) {
        put_number(choice, 1);
        put_number(take(input, 2) & 0x7F7F, choice >> 5 == 6 ? 1 : 2);
    } else if (choice < 0xFC) {
        put_meta(input);
    } else if (choice < 0xFE) { /* SysEx, whole, begun, gone on */
        const uint32_t size = take(input, 1) % 16;
        put_number(choice == 0xFC ? 0xF0 : 0xF7, 1);
        put_number(size, 1);
        for (uint32_t i = 0; i < size; i++)
            put_number(take(input, 1), 1);
    } else {
        put_number(take(input, 1), 1);
    }
}

static void put_track(struct input *input)
{
    const uint32_t choice = take(input, 1);
    const size_t head = used;

    put(choice >= 0xF0 ? "XTrk" : "MTrk", 4);
    put_number(0, 4);
    for (uint32_t n = choice % 64; n > 0 && input->at < input->end; n--)
        put_event(input);
    const size_t end = used;
    used = head + 4;
    put_number((uint32_t)(end - head - 8 + (choice == 0x77)), 4);
    used = end;
}

static void write_smf(struct input *input)
{
    const uint32_t choice = take(input, 1);
    const uint32_t tracks = take(input, 1) % 8;

    if (choice >= 0xE0 && choice < 0xF0) /* RIFF MIDI */
        put("RIFF\0\0\0\0RMIDdata\0\1\0\0", 20);
    put("MThd", 4);
    put_number(choice == 0xFF ? 6 + take(input, 1) : 6, 4);
    put_number(choice % 16 ? choice & 1 : 2, 2);
    put_number(choice & 0x40 ? take(input, 1) % 4 : tracks, 2);
    put_number(take(input, 2), 2);
    if (choice == 0xFF)
        put_number(0, 2);
    for (uint32_t n = tracks; n > 0 && input->at < input->end; n--)
        put_track(input);
}

/* ---- what comes of it ------------------------------------------------------------ */

static void check_events(const struct score *score)
{
    for (uint32_t i = 0; i < score->count; i++) {
        const struct score_event *event = &score->event[i];

        MUST(event->ms >= 0 && event->ms <= 2 * SCORE_MAX_MS);
        MUST(!event->param || event->param[0]);
        MUST(event->param || event->event.kind == SHL_EVENT_UMP);
        MUST(shl_event_check(&event->event) == SHL_OK);
    }
    MUST(score->rest_ms >= 0 && score->rest_ms <= SCORE_MAX_MS);
    MUST(memchr(score->remark, 0, sizeof score->remark));
    MUST(score->end_ms >= 0 && score->end_ms <= SCORE_MAX_MS);
    MUST(score_last_ms(score) <= 2 * SCORE_MAX_MS);
}

static void check_order(struct score *score, double rate_hz)
{
    uint64_t before = 0;

    score_arrange(score, rate_hz);
    for (uint32_t i = 0; i < score->count; i++) {
        const struct score_event *event = &score->event[i];

        MUST(event->frame >= before);
        MUST(event->after_ms < 0 ||
             event->frame > score_frame(event->after_ms, rate_hz));
        before = event->frame;
    }
}

/* In memory of just its size, so that a look beyond it is seen. */
static void read(int is_smf, size_t size)
{
    uint8_t *bytes = malloc(size);
    struct score score = {.event = NULL};
    struct shl_why why = {""};
    shl_status status;

    MUST(bytes || !size);
    if (size)
        memcpy(bytes, made, size);
    status = is_smf ? smf_read(bytes, size, &score, &why)
                    : notes_read((const char *)bytes, size, &score, &why);
    free(bytes);
    MUST(status == SHL_OK || status == SHL_BAD_VALUE);
    MUST(!status == !why.text[0] && memchr(why.text, 0, sizeof why.text));
    MUST(score.count <= size);
    check_events(&score);
    check_order(&score, 44100);
    check_order(&score, 1000000);
    score_free(&score);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    const uint32_t choice = take(&input, 1);

    used = 0;
    if (choice & 2) {
        put(input.at, (size_t)(input.end - input.at));
    } else if (choice & 1) {
        write_smf(&input);
    } else {
        write_notes(&input);
    }
    read(choice & 1, used);
    return 0;
}
