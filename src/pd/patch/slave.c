/* SPDX-License-Identifier: MIT */
/* A patch that follows a host. A clock that perform sets fires first in the
 * next tick: there, and never in perform, the box takes the host's block, waits
 * for it if it keeps the time of this Pd, and lays its events out in logical
 * time. Having got one it asks Pd to run the next tick at once, which begins
 * with waiting again: so Pd runs exactly as fast as its host.
 *
 * Host and Pd may work in blocks of different sizes. What comes from the host
 * waits on a reel until there is enough for a tick, and what the ticks make
 * until there is enough for an answer; where a block is no whole number of
 * ticks, silence in front of the first answer makes up for it. */
#include "pd/patch/patch.h"
#include "pd/slack.h"

#include <string.h>

#define SLICE_MS 4  /* between looks at GUI, sockets and claim */
#define LOST_MS  20 /* without a block of a host in real time */
#define LONG_MS  60 /* the same, if its bursts are as far apart */
#define MS       UINT64_C(1000000) /* in nanoseconds */

/* ---- answering ----------------------------------------------------------- */

static void send_going(t_patch *x, uint32_t frames)
{
    const struct schedule_entry *entry;

    while ((entry = schedule_first(&x->x_going))) {
        struct shl_event event = entry->event;
        int64_t offset = (int64_t)entry->time - x->x_sent;
        if (offset >= (int64_t)frames)
            return;
        event.frame = x->x_block.frame + (uint64_t)(offset > 0 ? offset : 0);
        shl_device_send(x->x_device, &event); /* counts what it cannot send */
        schedule_pop(&x->x_going);
    }
}

static void state_latency(t_patch *x)
{
    shl_device_set_latency(x->x_device, x->x_latency + x->x_delay);
}

/* More than we have is asked for, and no tick can make it. */
static void pad(t_patch *x, uint32_t frames)
{
    reel_delay(&x->x_out, frames);
    x->x_sent -= frames;
    x->x_delay += frames;
    x->x_padded += frames;
    state_latency(x);
}

/* Give the host its block, if there is enough for it. */
static void answer(t_patch *x)
{
    uint32_t frames = x->x_block.frames, c;

    if (!x->x_working)
        return;
    if (x->x_out.count < frames && x->x_in.count < x->x_frames && !x->x_due)
        pad(x, frames - x->x_out.count);
    if (x->x_out.count < frames)
        return;
    for (c = 0; c < x->x_out.channels; c++) {
        float *to = patch_goal(x, c);
        if (to)
            memcpy(to, reel_plane(&x->x_out, c), frames * sizeof(float));
    }
    reel_advance(&x->x_out, frames);
    send_going(x, frames);
    x->x_sent += frames;
    x->x_working = 0;
    shl_device_done(x->x_device);
}

/* ---- taking a block ------------------------------------------------------ */

static void clear_reels(t_patch *x)
{
    x->x_in.count = x->x_out.count = 0;
    x->x_made = x->x_sent = 0;
    x->x_due = 0;
    schedule_clear(&x->x_going);
    reel_delay(&x->x_out, x->x_delay);
    x->x_sent -= x->x_delay;
}

/* The first block of a claim. */
static void begin(t_patch *x)
{
    struct shl_host_info info;
    uint32_t block = x->x_frames;

    if (shl_device_claimed(x->x_device, &info)) {
        block = info.block_frames;
        x->x_looped = info.pid == x->x_pid;
    }
    x->x_delay = x->x_frames - shl_gcd(x->x_frames, block);
    x->x_lost = 0;
    x->x_patience_ns = LOST_MS * MS;
    clear_reels(x);
    state_latency(x);
    patch_hear_claim(x);
}

static void take_audio(t_patch *x, const struct shl_block *block)
{
    uint32_t c;

    for (c = 0; c < x->x_in.channels; c++)
        memcpy(reel_plane(&x->x_in, c) + x->x_in.count, block->in[c],
               block->frames * sizeof(float));
    x->x_in.count += block->frames;
}

/* A host that computes in long bursts is silent between them, and not stopped:
 * the next time it is waited for longer. */
static void found_again(t_patch *x)
{
    uint64_t gap_ns = shl_clock_ns() - x->x_lost_ns;

    x->x_lost = 0;
    if (gap_ns > LONG_MS * MS)
        return;
    gap_ns += gap_ns / 2;
    x->x_patience_ns = gap_ns < LONG_MS * MS ? gap_ns : LONG_MS * MS;
}

static void take(t_patch *x, const struct shl_block *block)
{
    if (block->fresh)
        begin(x);
    if (x->x_in.count + block->frames > REEL_ROOM ||
        x->x_out.count + block->frames > REEL_ROOM - SHL_MAX_FRAMES)
        clear_reels(x);
    patch_hear(x, block, x->x_in.count);
    if (block->frames) {
        take_audio(x, block);
        x->x_block = *block;
        x->x_working = 1;
        if (x->x_lost)
            found_again(x);
        answer(x);
    } else {
        patch_say_now(x, block);
        shl_device_done(x->x_device);
    }
    patch_hear_on(x);
}

/* ---- waiting ------------------------------------------------------------- */

/* GUI and sockets, which Pd polls only between ticks. They may end the object:
 * x_gone says so. */
static void poll_gui(t_patch *x)
{
    static int (*poll)(void);
    void *symbol;

    x->x_polled_ns = shl_clock_ns();
    if (!poll) {
        symbol = shl_symbol("sys_pollgui");
        if (!symbol)
            return;
        memcpy(&poll, &symbol, sizeof poll);
    }
    poll();
}

/* Whether a host is worth waiting for, which has kept us `since` already. */
static int waits_for(t_patch *x, uint64_t since_ns)
{
    struct shl_host_info info;

    if (x->x_silent || !shl_device_claimed(x->x_device, &info))
        return 0;
    x->x_looped = info.pid == x->x_pid;
    if (x->x_looped)
        return 0;
    if (info.renders)
        return 1;
    if (!x->x_lost && shl_clock_ns() - since_ns > x->x_patience_ns) {
        x->x_lost = 1;
        x->x_lost_ns = since_ns;
    }
    return !x->x_lost;
}

static void bad_peer(t_patch *x)
{
    patch_announce_soon(x);
    x->x_working = 0;
}

/* What is there, without waiting. */
static void gather(t_patch *x)
{
    struct shl_block block;
    shl_status status = SHL_OK;

    while (x->x_in.count < x->x_frames && status == SHL_OK) {
        status = shl_device_wait(x->x_device, 0, &block);
        if (status == SHL_OK)
            take(x, &block);
        else if (status != SHL_TIMEOUT)
            bad_peer(x);
    }
}

static void put_out(t_patch *x, t_sample *const *inlets);

/* The other boxes of this Pd take what is there. One host may have links with
 * several of them and wait for each; and what it sent to another before this
 * one's block belongs to this tick, too. */
static void attend(const t_patch *x)
{
    t_patch *other;

    for (other = patch_first(); other; other = other->x_next) {
        if (other == x || !other->x_device || !other->x_slave)
            continue;
        if (other->x_due)
            put_out(other, NULL);
        other->x_start = x->x_start;
        gather(other);
    }
}

/* One host may have links with several boxes, and wait for an answer of another
 * than the one that waits for it. What a box says may end any of them, so the
 * list is begun anew. */
void slave_serve(t_patch *x)
{
    t_patch *each = patch_first();
    int *gone = x->x_gone;
    int ended = 0;

    x->x_gone = &ended;
    while (each && !ended)
        each = patch_letters_serve(each) ? patch_first() : each->x_next;
    if (!ended)
        x->x_gone = gone;
    else if (gone)
        *gone = 1;
}

/* Until there is enough for a tick, or nobody to wait for. */
static void follow(t_patch *x, const int *gone)
{
    uint64_t since_ns = shl_clock_ns();
    uint32_t slice_ms = 0;
    struct shl_block block;

    if (since_ns - x->x_polled_ns > SLICE_MS * MS)
        poll_gui(x);
    while (!*gone && x->x_device && x->x_in.count < x->x_frames) {
        shl_status status = shl_device_wait(x->x_device, slice_ms, &block);
        if (status == SHL_OK) {
            take(x, &block);
            continue;
        }
        if (status != SHL_TIMEOUT) {
            bad_peer(x);
            return;
        }
        if (!waits_for(x, since_ns))
            return;
        attend(x);
        slave_serve(x);
        if (slice_ms && !*gone)
            poll_gui(x);
        slice_ms = SLICE_MS;
    }
}

/* Less than a tick, so that Pd goes on with the next one at once. */
static void run_next_tick(const t_patch *x)
{
    double ms = 500.0 * x->x_frames / x->x_rate_hz;

    pd_vmess(gensym("pd")->s_thing, gensym("fast-forward"), "f", ms);
}

void slave_tick(t_patch *x)
{
    int gone = 0;

    if (!x->x_device)
        return;
    if (x->x_due) /* nothing came back in the tick before */
        put_out(x, NULL);
    x->x_start = clock_getlogicaltime();
    if (patch_keeps_time(x)) {
        x->x_gone = &gone;
        follow(x, &gone);
        if (gone)
            return;
        x->x_gone = NULL;
    } else {
        gather(x);
    }
    if (!x->x_device)
        return;
    if (patch_keeps_time(x))
        slack_none(x->x_in.count >= x->x_frames); /* its host waits for us */
    if (x->x_in.count < x->x_frames) {
        patch_drop_spoken(x);
    } else if (patch_keeps_time(x)) {
        attend(x);
        run_next_tick(x);
    }
}

/* ---- a tick's audio ------------------------------------------------------ */

void slave_perform_in(t_patch *x, t_sample **outlets)
{
    uint32_t c, i, frames = x->x_frames;
    int running = x->x_device && x->x_in.count >= frames;

    schedule_enter(&x->x_span, frames, x->x_rate_hz, frames);
    x->x_performed = x->x_span.tick;
    for (c = 0; c < x->x_in.channels && running && outlets; c++) {
        const float *plane = reel_plane(&x->x_in, c);
        for (i = 0; i < frames; i++)
            outlets[c][i] = (t_sample)plane[i];
    }
    if (running) {
        reel_advance(&x->x_in, frames);
        x->x_ticks++;
        x->x_due = 1;
    } else {
        x->x_alone++;
        for (c = 0; c < x->x_channels && x->x_effect; c++)
            memset(outlets[c], 0, frames * sizeof(t_sample));
    }
    clock_delay(x->x_tick, 0);
}

/* What the patch said in this tick goes to the place it has in the answer. */
static void place_spoken(t_patch *x)
{
    const struct schedule_entry *entry;

    while ((entry = schedule_first(&x->x_spoken))) {
        uint32_t offset = schedule_offset(&x->x_span, entry->time);
        if (offset >= x->x_frames)
            return;
        schedule_push(&x->x_going, (double)(x->x_made + offset), &entry->event);
        schedule_pop(&x->x_spoken);
    }
}

/* A tick's output; NULL: silence. */
static void put_out(t_patch *x, t_sample *const *inlets)
{
    uint32_t c, i, frames = x->x_frames;

    for (c = 0; c < x->x_out.channels; c++) {
        float *plane = reel_plane(&x->x_out, c) + x->x_out.count;
        for (i = 0; i < frames; i++)
            plane[i] = inlets ? (float)inlets[c][i] : 0;
    }
    place_spoken(x);
    x->x_out.count += frames;
    x->x_made += frames;
    x->x_due = 0;
    answer(x);
}

void slave_perform_out(t_patch *x, t_sample *const *inlets)
{
    if (x->x_due && x->x_device)
        put_out(x, inlets);
}

/* ---- without audio ------------------------------------------------------ */

static void answer_silence(t_patch *x)
{
    uint32_t c;

    for (c = 0; c < x->x_out.channels; c++) {
        float *to = patch_goal(x, c);
        if (to)
            memset(to, 0, x->x_block.frames * sizeof(float));
    }
    patch_say_now(x, &x->x_block);
    x->x_working = 0;
    shl_device_done(x->x_device);
}

void slave_idle(t_patch *x)
{
    struct shl_block block;
    uint32_t left = 64;

    x->x_start = clock_getlogicaltime();
    if (x->x_working)
        answer_silence(x);
    clear_reels(x);
    while (left-- && shl_device_wait(x->x_device, 1, &block) == SHL_OK) {
        take(x, &block);
        if (x->x_working)
            answer_silence(x);
        clear_reels(x);
    }
    patch_drop_spoken(x);
}
