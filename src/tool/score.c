/* SPDX-License-Identifier: MIT */
#include "score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void score_free(struct score *score)
{
    for (uint32_t i = 0; i < score->count; i++)
        free(score->event[i].param);
    free(score->event);
    *score = (struct score){.event = NULL};
}

static struct score_event *add(struct score *score, double ms)
{
    if (score->count == score->room) {
        const uint32_t room = score->room ? 2 * score->room : 256;
        struct score_event *event =
            room > score->room
                ? realloc(score->event, room * sizeof(*score->event))
                : NULL;

        if (!event)
            return NULL;
        score->event = event;
        score->room = room;
    }
    struct score_event *event = &score->event[score->count];
    *event =
        (struct score_event){.ms = ms, .after_ms = -1.0, .order = score->count};
    score->count++;
    return event;
}

shl_status score_midi(struct score *score, double ms, uint32_t channel,
                      uint8_t status, uint8_t data1, uint8_t data2)
{
    struct score_event *event = add(score, ms);

    if (!event)
        return SHL_NO_MEMORY;
    event->event =
        shl_event_midi(0, (uint8_t)(channel / 16),
                       (uint8_t)((status & 0xF0) | channel % 16), data1, data2);
    return SHL_OK;
}

shl_status score_ump(struct score *score, double ms, const uint32_t *ump,
                     uint32_t words)
{
    struct score_event *event = add(score, ms);

    if (!event)
        return SHL_NO_MEMORY;
    event->event = shl_event_ump(0, ump, words);
    return SHL_OK;
}

static shl_status add_note(struct score *score, double ms, uint32_t channel,
                           double pitch, uint8_t velocity)
{
    uint32_t ump[2];

    if (!(pitch > floor(pitch)))
        return score_midi(score, ms, channel, velocity ? 0x90 : 0x80,
                          (uint8_t)pitch, velocity);
    struct score_event *event = add(score, ms);
    if (!event)
        return SHL_NO_MEMORY;
    shl_ump_note((uint8_t)(channel / 16), velocity > 0, (uint8_t)(channel % 16),
                 pitch, shl_midi_widen(velocity), ump);
    event->event = shl_event_ump(0, ump, 2);
    return SHL_OK;
}

shl_status score_note(struct score *score, double ms, uint32_t channel,
                      double pitch, uint8_t velocity, double length_ms)
{
    shl_status status = add_note(score, ms, channel, pitch, velocity);

    if (status || !(length_ms > 0) || !velocity)
        return status;
    status = add_note(score, ms + length_ms, channel, pitch, 0);
    if (!status)
        score->event[score->count - 1].after_ms = ms;
    return status;
}

shl_status score_param(struct score *score, double ms, const char *name,
                       double value)
{
    const size_t size = strlen(name) + 1;
    char *copy = malloc(size);
    struct score_event *event = copy ? add(score, ms) : NULL;

    if (!event) {
        free(copy);
        return SHL_NO_MEMORY;
    }
    memcpy(copy, name, size);
    event->param = copy;
    event->event = shl_event_param(0, SHL_EVENT_PARAM, 0, value);
    return SHL_OK;
}

uint64_t score_frame(double ms, double rate_hz)
{
    return (uint64_t)floor(ms * rate_hz / 1000.0 + 0.02);
}

static int compare(const void *a, const void *b)
{
    const struct score_event *x = a, *y = b;

    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    if ((x->after_ms < 0) != (y->after_ms < 0))
        return x->after_ms < 0 ? 1 : -1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void score_arrange(struct score *score, double rate_hz)
{
    for (uint32_t i = 0; i < score->count; i++) {
        struct score_event *event = &score->event[i];

        event->frame = score_frame(event->ms, rate_hz);
        if (event->after_ms >= 0 &&
            event->frame <= score_frame(event->after_ms, rate_hz))
            event->frame = score_frame(event->after_ms, rate_hz) + 1;
    }
    if (score->count)
        qsort(score->event, score->count, sizeof(*score->event), compare);
}

double score_last_ms(const struct score *score)
{
    double last = 0;

    for (uint32_t i = 0; i < score->count; i++)
        last = fmax(last, score->event[i].ms);
    return last;
}

/* Four bars: a broken chord over a long bass note each, 110 beats a minute. */
shl_status score_phrase(struct score *score, double *loop_ms)
{
    static const uint8_t chord[4][5] = {{45, 57, 60, 64, 71},
                                        {41, 57, 60, 65, 72},
                                        {48, 55, 60, 64, 74},
                                        {43, 55, 59, 62, 67}};
    static const uint8_t way[8] = {1, 2, 3, 4, 3, 4, 2, 3};
    const double eighth = 60000.0 / 110.0 / 2.0;
    shl_status status = SHL_OK;

    for (int bar = 0; bar < 4 && !status; bar++) {
        const double start = bar * 8 * eighth;

        status = score_note(score, start, 0, chord[bar][0], 88, 7.5 * eighth);
        for (int i = 0; i < 8 && !status; i++)
            status = score_note(score, start + i * eighth, 0,
                                chord[bar][way[i]] + (i > 4 ? 12 : 0),
                                (uint8_t)(i % 4 ? 72 : 100),
                                (i < 7 ? 1.6 : 0.9) * eighth);
    }
    *loop_ms = 32 * eighth;
    return status;
}
