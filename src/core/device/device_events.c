/* SPDX-License-Identifier: MIT */
/* Events of a device's block, both ways: those of the host are checked and put
 * into this block, those to the host keep their order; a parameter's value is kept
 * where hosts that link later see it. */
#include "core/device/device_state.h"

#include <string.h>

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
