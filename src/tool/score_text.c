/* SPDX-License-Identifier: MIT */
#include "score_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS   6
#define MAX_LINE    256
#define MAX_CHANNEL 256 /* 16 ports of 16 */

const char notes_help[] =
    "Lines of a notes file, times in milliseconds, channels from 1 (17 is\n"
    "channel 1 of port 2), # begins a comment:\n"
    "  TIME note CHANNEL KEY VELOCITY [DURATION]   key 60.5 is a quarter tone\n"
    "                                              up; velocity 0 ends it\n"
    "  TIME cc CHANNEL NUMBER VALUE                0 to 127\n"
    "  TIME bend CHANNEL VALUE                     -1 to 1\n"
    "  TIME program CHANNEL NUMBER                 0 to 127\n"
    "  TIME param NAME VALUE                       in its own unit; _ for a\n"
    "                                              space in the name\n"
    "  end TIME                                    where a rendering ends\n";

struct line {
    unsigned number;
    int words;
    char *word[MAX_WORDS + 1]; /* one more, to see that there are too many */
    struct shl_why *why;
};

__attribute__((format(printf, 2, 3))) static shl_status
wrong(const struct line *line, const char *format, ...)
{
    char sentence[200];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    snprintf(line->why->text, sizeof(line->why->text), "line %u: %s",
             line->number, sentence);
    return SHL_BAD_VALUE;
}

/* Word number `index` as a number from least to most. */
static shl_status real(const struct line *line, int index, const char *what,
                       double least, double most, double *value)
{
    const char *end = NULL;
    const double number = shl_number_read(line->word[index], &end);

    if (end == line->word[index] || *end || !(number >= least) ||
        !(number <= most))
        return wrong(line, "%s must be a number from %s to %s, not '%s'", what,
                     shl_digits(least, 10).text, shl_digits(most, 10).text,
                     line->word[index]);
    *value = number;
    return SHL_OK;
}

static shl_status whole(const struct line *line, int index, const char *what,
                        double least, double most, uint32_t *value)
{
    double number = 0;
    const shl_status status = real(line, index, what, least, most, &number);

    if (status)
        return status;
    if (number > floor(number))
        return wrong(line, "%s must be a whole number, not '%s'", what,
                     line->word[index]);
    *value = (uint32_t)number;
    return SHL_OK;
}

static shl_status channel(const struct line *line, uint32_t *value)
{
    const shl_status status =
        whole(line, 2, "the channel", 1, MAX_CHANNEL, value);

    if (!status)
        --*value;
    return status;
}

static shl_status read_note(const struct line *line, double ms,
                            struct score *score)
{
    double key = 0, length = 0;
    uint32_t lane = 0, velocity = 0;
    shl_status status = channel(line, &lane);

    if (!status)
        status = real(line, 3, "the key", 0, 127, &key);
    if (!status)
        status = whole(line, 4, "the velocity", 0, 127, &velocity);
    if (!status && line->words > 5) {
        status = real(line, 5, "the duration", 0, SCORE_MAX_MS, &length);
        if (!status && !(length > 0))
            status = wrong(line, "the duration must be above 0");
    }
    return status ? status
                  : score_note(score, ms, lane, key, (uint8_t)velocity, length);
}

static shl_status read_cc(const struct line *line, double ms,
                          struct score *score)
{
    uint32_t lane = 0, controller = 0, value = 0;
    shl_status status = channel(line, &lane);

    if (!status)
        status = whole(line, 3, "the controller", 0, 127, &controller);
    if (!status)
        status = whole(line, 4, "the value", 0, 127, &value);
    return status ? status
                  : score_midi(score, ms, lane, 0xB0, (uint8_t)controller,
                               (uint8_t)value);
}

/* 14 bits, 8192 in the middle, rounded and clipped as the Pd object does it. */
static shl_status read_bend(const struct line *line, double ms,
                            struct score *score)
{
    double value = 0;
    uint32_t lane = 0;
    shl_status status = channel(line, &lane);

    if (!status)
        status = real(line, 3, "the bend", -1, 1, &value);
    if (status)
        return status;
    const uint32_t wheel = (uint32_t)fmin(floor(value * 8192 + 8192.5), 16383);
    return score_midi(score, ms, lane, 0xE0, wheel & 0x7F,
                      (uint8_t)(wheel >> 7));
}

static shl_status read_program(const struct line *line, double ms,
                               struct score *score)
{
    uint32_t lane = 0, program = 0;
    shl_status status = channel(line, &lane);

    if (!status)
        status = whole(line, 3, "the program", 0, 127, &program);
    return status ? status
                  : score_midi(score, ms, lane, 0xC0, (uint8_t)program, 0);
}

static shl_status read_param(const struct line *line, double ms,
                             struct score *score)
{
    double value = 0;
    const shl_status status =
        real(line, 3, "the value", -1.7e308, 1.7e308, &value);

    return status ? status : score_param(score, ms, line->word[2], value);
}

static shl_status read_end(const struct line *line, struct score *score)
{
    if (line->words != 2)
        return wrong(line, "end takes a time and nothing else");
    if (score->end_ms > 0)
        return wrong(line, "there is a second end");
    const shl_status status =
        real(line, 1, "the time", 0, SCORE_MAX_MS, &score->end_ms);
    if (!status && !(score->end_ms > 0))
        return wrong(line, "the end must be after 0");
    return status;
}

static shl_status read_line(const struct line *line, struct score *score)
{
    static const struct {
        const char *name;
        int least, most; /* words */
        const char *usage;
        shl_status (*read)(const struct line *, double, struct score *);
    } kinds[] = {
        {"note", 5, 6, "note CHANNEL KEY VELOCITY [DURATION]", read_note},
        {"cc", 5, 5, "cc CHANNEL NUMBER VALUE", read_cc},
        {"bend", 4, 4, "bend CHANNEL VALUE", read_bend},
        {"program", 4, 4, "program CHANNEL NUMBER", read_program},
        {"param", 4, 4, "param NAME VALUE", read_param}};
    double ms = 0;

    if (!strcmp(line->word[0], "end"))
        return read_end(line, score);
    const shl_status status = real(line, 0, "the time", 0, SCORE_MAX_MS, &ms);
    if (status)
        return status;
    for (size_t i = 0; line->words > 1 && i < sizeof(kinds) / sizeof(kinds[0]);
         i++) {
        if (strcmp(line->word[1], kinds[i].name) != 0)
            continue;
        if (line->words < kinds[i].least || line->words > kinds[i].most)
            return wrong(line, "it must be: TIME %s", kinds[i].usage);
        return kinds[i].read(line, ms, score);
    }
    return wrong(line,
                 "after the time must come note, cc, bend, program or "
                 "param%s%s",
                 line->words > 1 ? ", not " : "",
                 line->words > 1 ? line->word[1] : "");
}

static void split(char *text, struct line *line)
{
    static const char blank[] = " \t\r\v\f";

    text[strcspn(text, "#")] = 0;
    line->words = 0;
    for (text += strspn(text, blank); *text && line->words <= MAX_WORDS;
         text += strspn(text, blank)) {
        line->word[line->words++] = text;
        text += strcspn(text, blank);
        if (*text)
            *text++ = 0;
    }
}

shl_status notes_read(const char *text, size_t size, struct score *score,
                      struct shl_why *why)
{
    struct line line = {.why = why};
    char copy[MAX_LINE];
    shl_status status = SHL_OK;

    for (size_t at = 0; at < size && !status;) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = (end ? (size_t)(end - text) : size) - at;

        line.number++;
        if (length >= sizeof(copy))
            return wrong(&line, "it is longer than %d bytes", MAX_LINE - 1);
        if (memchr(text + at, 0, length))
            return wrong(&line, "it has a zero byte: this is no text");
        memcpy(copy, text + at, length);
        copy[length] = 0;
        at += length + 1;
        split(copy, &line);
        if (line.words)
            status = read_line(&line, score);
    }
    return status;
}
