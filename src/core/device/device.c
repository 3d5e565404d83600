/* SPDX-License-Identifier: MIT */
#include "shmlink/device.h"

#include "core/device/device_state.h"
#include "core/maolan/maolan.h"
#include "core/shm/lane.h"

#include <string.h>

#define FETCHED_PLANES 4u
#define READ_FRAMES    64u /* reading on brings the rest by itself */

const float shl_device_silence[SHL_MAX_FRAMES];

/* ---- blocks ------------------------------------------------------------------ */

/* What the block will need travels while its events are looked at: the line of
 * the answer, and the first planes of either direction. */
static void fetch_block(const shl_device *device, uint32_t frames)
{
    const struct shl_identity *own = &device->identity;
    shl_fetch_to_write(&device->segment.lines->device);
    if (device->lanes && device->to_host.shown) /* in the last block */
        shl_lane_fetch(&device->lanes->to_host, device->to_host.shown);
    for (uint32_t c = 0; c < FETCHED_PLANES && c < own->in_channels; c++)
        for (uint32_t i = 0; i < frames && i < READ_FRAMES; i += 16)
            shl_fetch(device->in[c] + i);
    for (uint32_t c = 0; c < FETCHED_PLANES && c < own->out_channels; c++)
        shl_plane_fetch(device->out[c], frames);
}

/* Take the announced block over, each word loaded once. False: it cannot be,
 * and is answered with 0 frames. */
static bool take_block(shl_device *device, uint32_t bell)
{
    const struct shl_host_line *line = &device->segment.lines->host;
    uint32_t frames = shl_line_load(&line->frames);
    uint32_t in_channels = shl_line_load(&line->in_channels);
    uint32_t epoch = shl_line_load(&line->epoch);
    uint64_t frame = atomic_load_explicit(&line->frame, memory_order_relaxed);
    if (!shl_device_has_host(device) || epoch != device->judged ||
        frames > SHL_MAX_FRAMES || frames % device->identity.quantum ||
        in_channels > SHL_MAX_CHANNELS) {
        shl_cycle_answer(&device->cycle, bell, frame, 0, 0, 0);
        return false;
    }
    if (device->mode == SHL_MODE_MIDI)
        in_channels = 0;
    shl_lane_use(device->lanes ? &device->lanes->to_device : NULL, &line->lane,
                 &device->from_host);
    device->bell = bell;
    device->working = true;
    device->block.frames = frames;
    device->block.frame = frame;
    device->block.fresh = device->fresh;
    device->block.mode = device->mode;
    device->fresh = false;
    for (uint32_t c = 0; c < device->identity.in_channels; c++)
        device->in[c] = c < in_channels ? shl_segment_plane(&device->segment, c,
                                                            SHL_BUS_TO_DEVICE)
                                        : shl_device_silence;
    fetch_block(device, frames);
    device->block.transport = shl_maolan_transport_read(
        device->segment.transport, device->identity.rate_hz);
    shl_device_take_taps(device);
    device->events_left = shl_ring_waiting(&device->from_host);
    return true;
}

/* Somebody has something for this thread. */
static bool woken(shl_device *device)
{
    if (!atomic_load_explicit(&device->woken, memory_order_relaxed))
        return false;
    /* acquire: what there is to do is whole */
    return atomic_exchange_explicit(&device->woken, 0, memory_order_acquire);
}

void shl_device_rouse(shl_device *device)
{
    /* of no claim: those are odd. A dead host's alarm stays, and wakes it as
     * well; seq_cst for a sleeper's last look, and whoever takes either sees
     * what was done before */
    const uint32_t nobody = 2;
    uint32_t was = atomic_load_explicit(&device->alarm, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &device->alarm, &was, was ? was : nobody, memory_order_seq_cst,
        memory_order_relaxed)) {
    }
    shl_cycle_nudge(device->segment.lines);
}

void shl_device_wake(shl_device *device)
{
    /* release: what there is to do is whole */
    atomic_store_explicit(&device->woken, 1, memory_order_release);
    shl_device_rouse(device);
}

static bool next_block(shl_device *device)
{
    uint32_t bell;
    if (shl_device_heed(device))
        return true;
    return shl_cycle_bell(&device->cycle, &bell) && take_block(device, bell);
}

void shl_device_enter(shl_device *device)
{
    if (device->working)
        shl_device_done(device);
    device->own_time = false;
    if (!device->flushed)
        shl_thread_flush_denormals();
    device->flushed = true;
}

SHL_RT shl_status shl_device_wait(shl_device *device, uint32_t timeout_ms,
                                  struct shl_block *block)
{
    shl_device_enter(device);
    uint64_t until_ns = 0;
    while (!shl_segment_bad(&device->segment)) {
        if (next_block(device)) {
            device->block.in = device->in;
            device->block.out = device->out;
            device->block.tap = (float *const *const *)device->tap;
            *block = device->block;
            return SHL_OK;
        }
        if (device->free.duplex)
            return SHL_WRONG_DRIVE;
        if (woken(device))
            return SHL_TIMEOUT;
        uint64_t now_ns = shl_clock_ns();
        if (!until_ns)
            until_ns = now_ns + (uint64_t)timeout_ms * 1000000u;
        if (now_ns >= until_ns)
            return SHL_TIMEOUT;
        uint64_t left_us = (until_ns - now_ns) / 1000 + 1;
        shl_cycle_wait(&device->cycle, device->seen, &device->alarm,
                       left_us < 1000000 ? (uint32_t)left_us : 1000000);
    }
    return SHL_BAD_PEER;
}

static void show_levels(const shl_device *device)
{
    const struct shl_monitor *monitor =
        shl_responder_monitor(&device->responder);
    if (!monitor || !device->block.frames || device->mode == SHL_MODE_MIDI)
        return;
    shl_monitor_levels(monitor, 0, device->in, device->identity.in_channels,
                       device->block.frames);
    shl_monitor_levels(monitor, 1, (const float *const *)device->out,
                       device->identity.out_channels, device->block.frames);
}

SHL_RT void shl_device_done(shl_device *device)
{
    struct shl_event unheard;
    if (!device->working)
        return;
    while (shl_device_event(device, &unheard)) {
    }
    bool releasing = device->releasing;
    device->working = device->releasing = false;
    if (releasing && !device->own_time)
        return;
    show_levels(device);
    if (device->own_time) {
        shl_device_free_done(device);
        return;
    }
    device->stats.blocks++;
    struct shl_counters *counters = device->segment.counters;
    shl_count(&counters->device_blocks, 1);
    /* the line that the host looks at is written from here on, in one go */
    shl_ring_near_end(&device->from_host);
    shl_ring_release(&device->from_host);
    shl_ring_publish(&device->to_host);
    shl_lane_fill(device->lanes ? &device->lanes->to_host : NULL,
                  &device->segment.lines->device.lane, &device->to_host);
    bool midi = device->mode == SHL_MODE_MIDI;
    shl_cycle_answer(&device->cycle, device->bell, device->block.frame,
                     device->block.frames,
                     midi ? 0 : device->identity.in_channels,
                     midi ? 0 : device->identity.out_channels);
    shl_ring_fetch_free(&device->to_host);
}

/* ---- events -------------------------------------------------------------------- */

static int32_t find_param(const shl_device *device, uint32_t id)
{
    return shl_param_index(device->params, device->identity.param_count,
                           device->by_id, id);
}

/* A parameter has a new value: clip it, show it to hosts that link later. */
static bool keep_value(shl_device *device, struct shl_event *event,
                       bool from_host)
{
    int32_t index = find_param(device, shl_event_id(event));
    if (index < 0)
        return false;
    if (from_host && device->params[index].flags & SHL_PARAM_READ_ONLY)
        return false;
    if (event->kind != SHL_EVENT_PARAM)
        return true;
    double value =
        shl_param_clip(&device->params[index], shl_event_value(event));
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    memcpy(&event->data[1], &value, sizeof value);
    /* one note's value is not the parameter's */
    if (event->data[3] != UINT32_MAX || event->data[4] != UINT32_MAX)
        return true;
    atomic_store_explicit(&device->segment.params[index].value, bits,
                          memory_order_relaxed);
    return true;
}

/* A link in mode audio carries no MIDI. */
static bool excludes(const shl_device *device, const struct shl_event *event)
{
    return device->mode == SHL_MODE_AUDIO && event->kind == SHL_EVENT_UMP;
}

void shl_device_count_bad(shl_device *device)
{
    device->stats.events_bad++;
    shl_count(&device->segment.counters->device_events_bad, 1);
}

/* Into this block, whatever the host wrote. Before it: late, plays at once. */
static void place(shl_device *device, struct shl_event *event)
{
    const struct shl_block *block = &device->block;
    if (device->free.duplex) {
        event->frame =
            block->frame + shl_duplex_place(device->free.duplex, event->frame);
        return;
    }
    if (event->frame < block->frame || block->frames == 0)
        event->frame = block->frame;
    if (event->frame - block->frame >= block->frames && block->frames) {
        event->frame = block->frame + block->frames - 1;
        shl_device_count_bad(device);
    }
}

/* What belongs to a block that has not come yet. */
static bool early(const shl_device *device, const struct shl_event *event)
{
    return device->free.duplex &&
           shl_duplex_early(device->free.duplex, event->frame);
}

static bool is_change(const struct shl_event *event)
{
    return event->kind == SHL_EVENT_TEMPO || event->kind == SHL_EVENT_PLAYHEAD;
}

/* The transport comes in two events; the second one is told, unless the block
 * has it from its first sample on. In the free drive the first ones tell only how
 * it goes on. */
static bool take_change(shl_device *device, struct shl_event *event)
{
    const bool second = event->kind == SHL_EVENT_PLAYHEAD;
    const struct shl_transport before =
        shl_transport_at(&device->change, (int64_t)event->frame);
    if (!shl_transport_receive(&device->change, event)) {
        if (!device->free.duplex) /* there it was counted, see device_free.c */
            shl_device_count_bad(device);
        return false;
    }
    place(device, event);
    return second && event->frame > device->block.frame &&
           (!device->free.duplex ||
            shl_transport_differs(&before, &device->change.heard));
}

SHL_RT struct shl_transport shl_device_transport(const shl_device *device)
{
    return device->change.heard;
}

static int release_event(shl_device *device, struct shl_event *event)
{
    uint32_t ump;
    if (!shl_held_release(&device->held, &ump))
        return 0;
    *event = shl_event_ump(device->block.frame, &ump, 1);
    return 1;
}

SHL_RT int shl_device_event(shl_device *device, struct shl_event *event)
{
    if (!device->working)
        return 0;
    if (device->releasing)
        return release_event(device, event);
    while (device->events_left > 0) {
        device->events_left--;
        bool lost = false;
        const void *slot = shl_ring_peek(&device->from_host, &lost);
        if (lost)
            shl_device_count_bad(device);
        if (!slot)
            break;
        memcpy(event, slot, sizeof *event); /* ours: the host may rewrite it */
        if (early(device, event)) {
            device->events_left = 0;
            break;
        }
        shl_ring_pop(&device->from_host);
        if (is_change(event)) {
            if (take_change(device, event))
                return 1;
            continue;
        }
        if (shl_event_check(event) != SHL_OK || excludes(device, event) ||
            (event->kind != SHL_EVENT_UMP &&
             !keep_value(device, event, true))) {
            shl_device_count_bad(device);
            continue;
        }
        if (event->kind == SHL_EVENT_UMP)
            shl_held_follow(&device->held, event->data);
        place(device, event);
        shl_monitor_event(shl_responder_monitor(&device->responder), 0, event);
        return 1;
    }
    return 0;
}

/* The frame of an event to the host: inside this block, and not before the
 * last one's. */
static uint64_t when(shl_device *device, uint64_t frame)
{
    uint64_t first = device->block.frame;
    uint64_t last =
        first + (device->block.frames ? device->block.frames - 1 : 0);
    if (frame < first)
        frame = first;
    if (frame > last)
        frame = last;
    if (frame < device->sent_frame) {
        frame = device->sent_frame;
        device->stats.events_raised++;
        shl_count(&device->segment.counters->device_events_raised, 1);
    }
    device->sent_frame = frame;
    return frame;
}

SHL_RT shl_status shl_device_send(shl_device *device,
                                  const struct shl_event *event)
{
    struct shl_event own = *event;
    if (shl_event_check(&own) != SHL_OK)
        return SHL_BAD_VALUE;
    if (own.kind != SHL_EVENT_UMP && !keep_value(device, &own, false))
        return SHL_NOT_FOUND;
    if (!shl_device_has_host(device) || !device->working || device->releasing)
        return SHL_NO_DEVICE;
    if (excludes(device, &own)) {
        device->stats.events_excluded++;
        return SHL_UNSUPPORTED;
    }
    struct shl_event *slot = shl_ring_push(&device->to_host);
    if (!slot) {
        device->stats.events_dropped++;
        shl_count(&device->segment.counters->device_events_dropped, 1);
        return SHL_RING_FULL;
    }
    /* the frame last: copying a whole of which one word was just written would
     * wait until that word and all before it have left this processor */
    *slot = own;
    own.frame = when(device, own.frame);
    slot->frame = own.frame;
    shl_monitor_event(shl_responder_monitor(&device->responder), 1, &own);
    return SHL_OK;
}

SHL_RT shl_status shl_device_keep(shl_device *device, uint32_t id, double value)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, id, value);
    if (shl_event_check(&event) != SHL_OK)
        return SHL_BAD_VALUE;
    return keep_value(device, &event, false) ? SHL_OK : SHL_NOT_FOUND;
}

/* ---- what is known --------------------------------------------------------------- */

int shl_device_claimed(const shl_device *device, struct shl_host_info *info)
{
    struct shl_claim claim;
    if (!shl_device_has_host(device) ||
        shl_segment_claim_read(&device->segment, &claim) != SHL_OK)
        return 0;
    *info = (struct shl_host_info){.pid = claim.pid,
                                   .rate_hz = claim.rate_hz,
                                   .block_frames = claim.block_frames,
                                   .in_channels = claim.in_channels,
                                   .out_channels = claim.out_channels,
                                   .drive = claim.drive,
                                   .mode = claim.mode,
                                   .renders = claim.flags & SHL_CLAIM_RENDERS};
    memcpy(info->tag, claim.tag, sizeof info->tag);
    return 1;
}

shl_status shl_device_priority(const shl_device *device)
{
    return shl_priority_answer(&device->priority);
}

void shl_device_tag(const shl_device *device, char tag[SHL_TAG_SIZE])
{
    struct shl_identity identity;
    tag[0] = 0;
    if (shl_segment_identity(&device->segment, &identity) == SHL_OK)
        memcpy(tag, identity.tag, sizeof identity.tag);
}

void shl_device_latency(shl_device *device, uint32_t frames)
{
    shl_line_store(&device->segment.lines->device.latency_frames, frames);
}

void shl_device_stats(const shl_device *device, struct shl_device_stats *stats)
{
    *stats = device->stats;
}

struct shl_responder *shl_device_responder(struct shl_device *device)
{
    return &device->responder;
}
