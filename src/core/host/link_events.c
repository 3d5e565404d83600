/* SPDX-License-Identifier: MIT */
/* The events of a link: which the device can take and at which frame, and where
 * what it sends lies in the sound. */
#include "core/host/link.h"

#include <string.h>

#define AT_ONCE (SHL_EVENT_SLOTS / 4)

int32_t shl_link_param(const struct shl_link *link, uint32_t id)
{
    return shl_param_index(link->params, link->param_count, link->by_id, id);
}

/* The number as text, which is all the name there is. */
static void write_name(char *name, uint32_t id)
{
    uint32_t digits = 1;
    for (uint32_t rest = id / 10; rest; rest /= 10)
        digits++;
    name[digits] = 0;
    for (; digits > 0; id /= 10)
        name[--digits] = (char)('0' + id % 10);
}

SHL_RT int32_t shl_link_adopt(struct shl_link *link, uint32_t id)
{
    int32_t index = shl_link_param(link, id);
    uint32_t at = link->param_count;
    if (index >= 0 || !link->bare || at >= link->param_room)
        return index;
    struct shl_param *param = &link->params[at];
    *param =
        (struct shl_param){.id = id, .flags = link->bare_flags, .maximum = 1};
    write_name(param->name, id);
    uint32_t place = link->param_count++;
    for (; place > 0 && link->params[link->by_id[place - 1]].id > id; place--)
        link->by_id[place] = link->by_id[place - 1];
    link->by_id[place] = at;
    return (int32_t)at;
}

/* Whether the device can take it. MIDI of UMP types 1, 2 and 4 is one
 * capability, SysEx (type 3) another; utility and data packets pass. */
static shl_status able(struct shl_link *link, const struct shl_event *event)
{
    uint64_t can = link->identity.capabilities;
    if (event->kind == SHL_EVENT_UMP) {
        if (link->claim.mode == SHL_MODE_AUDIO) {
            link->stats.excluded++;
            return SHL_UNSUPPORTED;
        }
        uint32_t type = event->data[0] >> 28;
        uint64_t need =
            type == 3 || type == 5 ? SHL_CAP_SYSEX_IN : SHL_CAP_MIDI_IN;
        return can & need ? SHL_OK : SHL_UNSUPPORTED;
    }
    if (!(can & SHL_CAP_PARAMS))
        return SHL_UNSUPPORTED;
    if (event->kind != SHL_EVENT_PARAM && link->values_only) {
        link->stats.excluded++;
        return SHL_UNSUPPORTED;
    }
    int32_t index = shl_link_adopt(link, shl_event_id(event));
    if (index < 0) /* one without a table takes any number */
        return link->bare ? SHL_OK : SHL_NOT_FOUND;
    return link->params[index].flags & SHL_PARAM_READ_ONLY ? SHL_UNSUPPORTED
                                                           : SHL_OK;
}

/* Whether a value is for all notes, ports and channels: then it is the
 * parameter's own. */
static bool for_all(const struct shl_event *event)
{
    return event->data[3] == UINT32_MAX && event->data[4] == UINT32_MAX;
}

SHL_RT shl_status shl_link_send(struct shl_link *link,
                                const struct shl_event *event, uint32_t offset)
{
    if (shl_event_check(event) != SHL_OK)
        return SHL_BAD_VALUE;
    shl_status st = able(link, event);
    if (st)
        return st;
    struct shl_event *slot = shl_ring_push(&link->to_device);
    if (!slot) {
        link->stats.dropped++;
        return SHL_RING_FULL;
    }
    if (offset >= SHL_MAX_FRAMES)
        offset = SHL_MAX_FRAMES - 1;
    uint64_t frame = link->frame + link->gathered + offset;
    if (frame < link->event_frame) {
        frame = link->event_frame;
        link->stats.raised++;
    }
    link->event_frame = frame;
    *slot = *event;
    slot->frame = frame;
    link->unsent++;
    link->stats.sent++;
    if (event->kind == SHL_EVENT_PARAM && for_all(event)) {
        int32_t index = shl_link_param(link, shl_event_id(event));
        if (index >= 0) {
            link->values[index] =
                shl_param_clip(&link->params[index], shl_event_value(event));
            link->touched[index] = link->touch;
        }
    }
    return SHL_OK;
}

/* Before or after the first frame that was played last; below 0 when nothing
 * of this link has been. */
static int64_t ahead(const struct shl_link *link, uint64_t frame)
{
    return (int64_t)(frame - link->heard_frame);
}

/* Whether the event belongs to sound that is still to be played: a pipelined
 * device may be done before its turn, and a host with blocks of its own has
 * taken more than it has played. */
static bool early(const struct shl_link *link, uint64_t frame)
{
    if (link->free.duplex)
        return shl_duplex_early(link->free.duplex, frame);
    if (link->pipelined && link->cycle.outstanding && !link->cycle.given_up &&
        frame - link->rung_frame < link->rung_frames)
        return true;
    int64_t at = ahead(link, frame) - link->heard_frames;
    return at >= 0 && at < link->waiting;
}

/* The place of the device's event in the block that was played last. */
static uint32_t place(const struct shl_link *link, uint64_t frame)
{
    if (link->free.duplex)
        return shl_duplex_place(link->free.duplex, frame);
    int64_t offset = ahead(link, frame);
    if (offset <= 0 || link->heard_frames == 0)
        return 0;
    return offset < link->heard_frames ? (uint32_t)offset
                                       : link->heard_frames - 1;
}

/* Whether the event's turn has come; then *offset gets its place. */
static bool due(const struct shl_link *link, uint64_t frame, uint32_t *offset)
{
    uint64_t at = frame - link->heard_frame;
    if (at < link->heard_frames && !link->free.duplex) { /* nearly every one */
        *offset = (uint32_t)at;
        return true;
    }
    if (early(link, frame))
        return false;
    *offset = place(link, frame);
    return true;
}

static bool heed(struct shl_link *link, struct shl_event *event)
{
    if (shl_event_check(event) != SHL_OK)
        return false;
    if (event->kind == SHL_EVENT_UMP)
        return link->claim.mode != SHL_MODE_AUDIO;
    int32_t index = shl_link_adopt(link, shl_event_id(event));
    if (index < 0)
        return link->bare;
    if (event->kind == SHL_EVENT_PARAM) {
        double value =
            shl_param_clip(&link->params[index], shl_event_value(event));
        memcpy(&event->data[1], &value, sizeof value);
        if (for_all(event)) {
            link->values[index] = value;
            link->touched[index] = link->touch;
        }
    }
    return true;
}

/* The slots of what was taken go back with the next doorbell: the device looks
 * at that line all the time, and every store takes it away. Not where there is
 * no doorbell, nor when they are many. */
static void give_back(struct shl_link *link)
{
    if (link->free.duplex || link->plugin ||
        link->patience < SHL_EVENT_SLOTS - AT_ONCE)
        shl_ring_release(&link->to_host);
}

SHL_RT bool shl_link_event(struct shl_link *link, struct shl_event *event,
                           uint32_t *offset)
{
    bool lost = false;
    const void *slot;
    /* a peer that never stops must not keep us for ever */
    while (link->patience > 0 &&
           (slot = shl_ring_peek(&link->to_host, &lost))) {
        memcpy(event, slot, sizeof *event); /* ours: the peer may rewrite it */
        if (!due(link, event->frame, offset))
            break;
        shl_ring_pop(&link->to_host);
        link->patience--;
        if (heed(link, event)) {
            link->stats.received++;
            return true;
        }
        link->stats.bad++;
    }
    if (lost)
        link->stats.bad++;
    give_back(link);
    link->patience = SHL_EVENT_SLOTS;
    return false;
}
