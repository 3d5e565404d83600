/* SPDX-License-Identifier: MIT */
/* A patch that keeps its own time: each tick of Pd begins a block of the device,
 * at its start, where what the host sent can still be played at its place, and
 * the tick's output ends it. Nobody waits. While no audio runs, blocks of silence
 * keep the clock going. */
#include "pd/patch/patch.h"

#include <string.h>

/* Nothing came back, or nobody performs. */
static void finish_silent(t_patch *x)
{
    uint32_t c;

    for (c = 0; c < x->x_out.channels; c++) {
        float *to = patch_goal(x, c);
        if (to)
            memset(to, 0, x->x_block.frames * sizeof(float));
    }
    x->x_working = 0;
    shl_device_done(x->x_device);
}

/* False if the device has to be announced anew. */
static int begin(t_patch *x, uint32_t frames)
{
    shl_status status;

    schedule_clock_set(x->x_start);
    status = shl_device_begin(x->x_device, frames, &x->x_block);
    if (status) {
        patch_announce_soon(x);
        return 0;
    }
    x->x_working = 1;
    if (x->x_block.fresh)
        patch_hear_claim(x);
    patch_hear(x, &x->x_block, 0);
    return 1;
}

/* Silence up to a logical time, as if ticks had made it. */
static void go_on(t_patch *x, double time)
{
    double due = (clock_gettimesince(x->x_idle) - clock_gettimesince(time)) *
                 x->x_rate_hz / 1000;

    if (due > x->x_rate_hz) { /* it never performed, or all stood still */
        x->x_idle = time;
        due = 0;
    }
    while (due >= 0.5) {
        uint32_t frames =
            due < SHL_MAX_FRAMES ? (uint32_t)(due + 0.5) : SHL_MAX_FRAMES;
        x->x_start = x->x_idle;
        if (!begin(x, frames))
            return;
        patch_say_now(x, &x->x_block);
        finish_silent(x);
        x->x_idle = schedule_after(x->x_idle, frames, x->x_rate_hz);
        due -= frames;
    }
}

void free_tick(t_patch *x)
{
    double now = clock_getlogicaltime();

    if (!x->x_device)
        return;
    if (x->x_working)
        finish_silent(x);
    if (x->x_idling)
        go_on(x, now);
    x->x_idling = 0;
    x->x_start = now;
    if (begin(x, x->x_frames))
        patch_drop_spoken(x);
    patch_hear_on(x);
}

void free_perform_in(t_patch *x, t_sample **outlets)
{
    uint32_t c, i, frames = x->x_frames;

    schedule_enter(&x->x_span, frames, x->x_rate_hz, frames);
    x->x_performed = x->x_span.tick;
    for (c = 0; c < x->x_channels && x->x_effect; c++)
        for (i = 0; i < frames; i++)
            outlets[c][i] = x->x_working ? (t_sample)x->x_block.in[c][i] : 0;
    if (x->x_working)
        x->x_ticks++;
    else
        x->x_alone++;
    clock_delay(x->x_tick, 0);
}

/* What the patch said in this tick, at its place. */
static void send_spoken(t_patch *x)
{
    const struct schedule_entry *entry;

    while ((entry = schedule_first(&x->x_spoken))) {
        struct shl_event event = entry->event;
        uint32_t offset = schedule_offset(&x->x_span, entry->time);
        if (offset >= x->x_frames)
            return;
        event.frame = x->x_block.frame + offset;
        shl_device_send(x->x_device, &event); /* counts what it cannot send */
        schedule_pop(&x->x_spoken);
    }
}

void free_perform_out(t_patch *x, t_sample *const *inlets)
{
    uint32_t c, i;

    if (!x->x_working || !x->x_device)
        return;
    for (c = 0; c < x->x_out.channels; c++) {
        float *to = patch_goal(x, c);
        for (i = 0; to && i < x->x_frames; i++)
            to[i] = (float)inlets[c][i];
    }
    send_spoken(x);
    x->x_working = 0;
    shl_device_done(x->x_device);
}

void free_idle(t_patch *x)
{
    if (x->x_working)
        finish_silent(x);
    if (!x->x_idling)
        x->x_idle = x->x_performed;
    x->x_idling = 1;
    patch_drop_spoken(x);
    go_on(x, clock_getlogicaltime());
    patch_hear_on(x);
}
