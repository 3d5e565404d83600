/* SPDX-License-Identifier: MIT */
/* What a block of the host brings to a patch beside audio: a claim, events, the
 * transport. They are laid out in logical time, for a clock to tell. */
#include "pd/patch/patch.h"

#include <string.h>

static void hear(t_patch *x, double time, const struct shl_event *event)
{
    schedule_push(&x->x_heard, time, event);
}

static int same_number(double a, double b)
{
    double apart = a > b ? a - b : b - a;

    return apart < 1e-6;
}

/* Two clocks and two rates make no steps that anybody could hear. */
static int same_place(double a, double b)
{
    double apart = a > b ? a - b : b - a;

    return apart < 1e-5;
}

/* Told when it does something else than go on. */
static void hear_transport(t_patch *x, const struct shl_block *block,
                           double time)
{
    const struct shl_transport *now = &block->transport;
    struct shl_transport *expected = &x->x_transport;
    struct shl_event event = {.kind = PATCH_TRANSPORT};

    if (!same_number(now->tempo, expected->tempo) ||
        !same_place(now->beats, expected->beats) ||
        now->numerator != expected->numerator ||
        now->denominator != expected->denominator ||
        now->playing != expected->playing) {
        event.data[0] = x->x_transport_next++ % PATCH_TRANSPORTS;
        x->x_transports[event.data[0]] = *now;
        hear(x, time, &event);
    }
    *expected = *now;
    if (now->playing)
        expected->beats += block->frames * now->tempo / (60 * x->x_rate_hz);
}

/* Whole samples of logical time, without rounding at the usual rates. */
static double time_at(const t_patch *x, uint64_t frames)
{
    double second = clock_getsystimeafter(1000) - clock_getlogicaltime();

    return x->x_start + (double)frames * (second / x->x_rate_hz);
}

/* In the midst of a block, and how it goes on to its end. */
static void hear_change(t_patch *x, const struct shl_block *block,
                        uint32_t ahead, uint32_t offset)
{
    struct shl_event event = {.kind = PATCH_TRANSPORT};
    struct shl_transport now = shl_device_transport(x->x_device);

    event.data[0] = x->x_transport_next++ % PATCH_TRANSPORTS;
    x->x_transports[event.data[0]] = now;
    hear(x, time_at(x, ahead + offset), &event);
    if (now.playing)
        now.beats += (block->frames - offset) * now.tempo / (60 * x->x_rate_hz);
    x->x_transport = now;
}

static void hear_events(t_patch *x, const struct shl_block *block,
                        uint32_t ahead)
{
    struct shl_event event;

    while (shl_device_event(x->x_device, &event)) {
        uint32_t offset = (uint32_t)(event.frame - block->frame);
        if (event.kind != SHL_EVENT_PLAYHEAD)
            hear(x, time_at(x, ahead + offset), &event);
        else if (block->frames && x->x_told == PATCH_TOLD_AND_HEARD)
            hear_change(x, block, ahead, offset);
    }
}

void patch_hear_claim(t_patch *x)
{
    struct shl_event claimed = {.kind = PATCH_CLAIMED};
    struct shl_event released = {.kind = PATCH_RELEASED};

    memset(&x->x_transport, 0, sizeof x->x_transport);
    if (x->x_told == PATCH_TOLD_AND_HEARD)
        hear(x, x->x_start, &released);
    if (x->x_told != PATCH_TOLD)
        hear(x, x->x_start, &claimed);
    x->x_told = PATCH_TOLD_AND_HEARD;
}

void patch_hear(t_patch *x, const struct shl_block *block, uint32_t ahead)
{
    if (block->frames && x->x_told == PATCH_TOLD_AND_HEARD)
        hear_transport(x, block, time_at(x, ahead));
    hear_events(x, block, ahead);
}

void patch_hear_on(t_patch *x)
{
    const struct schedule_entry *first = schedule_first(&x->x_heard);

    if (first)
        clock_set(x->x_deliver, first->time);
}

/* Nobody listens: what has a value keeps it, what has only a time is counted.
 */
void patch_drop_spoken(t_patch *x)
{
    const struct schedule_entry *entry;
    struct shl_host_info info;

    if (!schedule_count(&x->x_spoken) || shl_device_claimed(x->x_device, &info))
        return;
    while ((entry = schedule_first(&x->x_spoken))) {
        x->x_unheard += entry->event.kind == SHL_EVENT_UMP;
        shl_device_send(x->x_device, &entry->event);
        schedule_pop(&x->x_spoken);
    }
}

/* What was said while no tick made audio, at the start of a block. */
void patch_say_now(t_patch *x, const struct shl_block *block)
{
    const struct schedule_entry *entry;

    while ((entry = schedule_first(&x->x_spoken))) {
        struct shl_event event = entry->event;
        event.frame = block->frame;
        shl_device_send(x->x_device, &event);
        schedule_pop(&x->x_spoken);
    }
}

float *patch_goal(const t_patch *x, uint32_t channel)
{
    const struct shl_block *block = &x->x_block;
    uint32_t i;

    if (block->mode == SHL_MODE_MIDI)
        return NULL;
    if (channel < x->x_outs)
        return block->out[channel];
    channel -= x->x_outs;
    for (i = 0; i < x->x_tap_count; i++) {
        if (channel < x->x_taps[i].channels)
            return block->tap[i] ? block->tap[i][channel] : NULL;
        channel -= x->x_taps[i].channels;
    }
    return NULL;
}
