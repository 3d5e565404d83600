/* SPDX-License-Identifier: MIT */
#include "perform.h"

#include <math.h>
#include <stdlib.h>

#define MAX_WAIT 16384u /* frames that events wait for room in it */

struct perform {
    struct perform_options options;
    struct perform_figures figures;
    shl_host *host;
    const struct score *score;
    uint32_t next;     /* event of the score */
    uint64_t begun;    /* frame at which the score began (again) */
    float recent_peak; /* since somebody took it */
    float *samples;    /* of all planes */
    float *plane[SHL_MAX_CHANNELS];
    const float *seen[SHL_MAX_CHANNELS]; /* the same, for readers */
};

struct perform *perform_new(const struct perform_options *options,
                            shl_host *host, const struct score *score)
{
    struct perform *perform = calloc(1, sizeof(*perform));
    const size_t planes = options->channels ? options->channels : 1;

    if (!perform)
        return NULL;
    perform->options = *options;
    perform->host = host;
    perform->score = score;
    perform->samples = calloc(planes * options->block_frames, sizeof(float));
    if (!perform->samples) {
        perform_free(perform);
        return NULL;
    }
    for (uint32_t c = 0; c < options->channels && c < SHL_MAX_CHANNELS; c++)
        perform->seen[c] = perform->plane[c] =
            perform->samples + (size_t)c * options->block_frames;
    return perform;
}

void perform_free(struct perform *perform)
{
    if (!perform)
        return;
    free(perform->samples);
    free(perform);
}

const float *const *perform_planes(const struct perform *perform)
{
    return perform->seen;
}

const struct perform_figures *perform_figures(const struct perform *perform)
{
    return &perform->figures;
}

float perform_take_peak(struct perform *perform)
{
    const float peak = perform->recent_peak;

    perform->recent_peak = 0.f;
    return peak;
}

static int is_note_on(const struct shl_event *event)
{
    struct shl_voice_message message;

    return event->kind == SHL_EVENT_UMP &&
           !shl_ump_read(event->data, &message) &&
           (message.status & 0xF0) == 0x90;
}

static int is_sysex(const struct shl_event *event)
{
    return event->kind == SHL_EVENT_UMP && event->data[0] >> 28 == 3;
}

/* Late: frames after its time. 0: there is no room, it has to wait. */
static int send(struct perform *perform, const struct shl_event *event,
                uint32_t offset, uint64_t late)
{
    struct perform_figures *figures = &perform->figures;
    const shl_status status = shl_host_send(perform->host, event, offset);

    if (status == SHL_RING_FULL && late < MAX_WAIT)
        return 0;
    if (status == SHL_UNSUPPORTED && is_sysex(event)) {
        figures->unheard++;
        return 1;
    }
    if (status) {
        figures->refused++;
        figures->why = status;
        return 1;
    }
    figures->events++;
    figures->notes += (uint64_t)is_note_on(event);
    figures->spread += late > 0;
    if (figures->wait_frames < late)
        figures->wait_frames = late;
    return 1;
}

static void send_due(struct perform *perform)
{
    const struct score *score = perform->score;
    const uint64_t position = perform->figures.position;
    const uint64_t end = position + perform->options.block_frames;

    for (uint32_t sent = 0; sent < SHL_MAX_EVENTS; sent++) {
        if (perform->next == score->count) {
            if (!perform->options.loop_frames || !score->count)
                return;
            perform->begun += perform->options.loop_frames;
            perform->next = 0;
        }
        const struct score_event *event = &score->event[perform->next];
        const uint64_t frame = perform->begun + event->frame;
        if (frame >= end)
            return;
        const int early = frame > position;
        if (!send(perform, &event->event,
                  early ? (uint32_t)(frame - position) : 0,
                  early ? 0 : position - frame))
            return;
        perform->next++;
    }
}

static void measure(struct perform *perform, uint32_t frames)
{
    float peak = perform->recent_peak;

    for (uint32_t c = 0; c < perform->options.channels; c++)
        for (uint32_t i = 0; i < frames; i++)
            peak = fmaxf(peak, fabsf(perform->plane[c][i]));
    perform->recent_peak = peak;
    perform->figures.peak = fmaxf(perform->figures.peak, peak);
}

SHL_RT uint32_t perform_block(struct perform *perform)
{
    struct perform_figures *figures = &perform->figures;
    const uint64_t left = perform->options.frames - figures->position;
    const uint32_t block = perform->options.block_frames;
    const uint32_t frames = left < block ? (uint32_t)left : block;
    struct shl_event event;
    uint32_t offset;

    if (!frames)
        return 0;
    shl_rt(1);
    send_due(perform);
    shl_host_process(perform->host, NULL, perform->plane, block);
    while (shl_host_event(perform->host, &event, &offset))
        figures->heard++;
    measure(perform, frames);
    figures->position += frames;
    shl_rt(0);
    return frames;
}
