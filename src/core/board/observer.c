/* SPDX-License-Identifier: MIT */
#include "shmlink/observer.h"

#include "core/messages/fragments.h"
#include "core/shm/ring_tap.h"
#include "core/shm/segment.h"
#include "shmlink/arithmetic.h"
#include "shmlink/registry.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT_KNOWN    8u    /* ids of cut messages that are remembered */
#define STREAM_LATER 8192u /* frames of a stream that are still whole, surely */

/* What the observer itself counts, one of a kind for each direction. */
enum own { OWN_UNREAD_EVENTS, OWN_BAD_EVENTS, OWN_UNREAD, OWN_CUT, OWN_COUNT };

/* One direction. */
struct way {
    struct shl_ring_tap events;
    struct shl_ring_tap messages; /* no slots: the peer has none */
    struct shl_fragments parts;
    uint32_t cut[CUT_KNOWN]; /* requests whose further parts mean nothing */
    uint32_t cut_count;
    uint64_t told[OWN_COUNT], own[OWN_COUNT];
    uint32_t bell;   /* last block that was looked at */
    uint64_t stream; /* frames that were looked at */
};

#define COUNTERS (sizeof(struct shl_counters) / 8)

struct shl_observer {
    struct shl_segment segment;
    struct shl_identity identity;
    struct shl_claim claim;
    const struct shl_monitor *monitor;
    struct way way[2]; /* by `out` */
    uint32_t epoch;    /* of the claim that was looked at */
    bool linked;       /* it holds */
    bool refused;      /* it was told that the device refused it */
    uint64_t counted[COUNTERS];
    uint64_t wild; /* impossible indices that were told */
    shl_status ended;
    struct shl_message message; /* our copy of the one just read */
    float samples[SHL_MAX_FRAMES];
};

/* ---- telling -------------------------------------------------------------- */

static void tell_counter(const shl_observer *observer, const char *name,
                         uint64_t value)
{
    if (observer->monitor->counter)
        observer->monitor->counter(observer->monitor->arg, name, value);
}

static void tell_connection(const shl_observer *observer, int linked)
{
    char who[SHL_TAG_SIZE + 40];

    snprintf(who, sizeof who, "process %u%s%s", (unsigned)observer->claim.pid,
             observer->claim.tag[0] ? " with tag " : "", observer->claim.tag);
    shl_monitor_connection(observer->monitor, linked, who);
}

/* ---- the claim -------------------------------------------------------------- */

static uint32_t load(const _Atomic uint32_t *word)
{
    /* acquire: what its writer did before */
    return atomic_load_explicit(word, memory_order_acquire);
}

static void forget_parts(struct way *way)
{
    shl_fragments_clear(&way->parts);
    way->cut_count = 0;
}

static void leave_claim(shl_observer *observer)
{
    if (observer->linked)
        tell_connection(observer, 0);
    observer->linked = false;
    memset(&observer->claim, 0, sizeof observer->claim);
}

static void look_at_claim(shl_observer *observer)
{
    const struct shl_segment *s = &observer->segment;
    uint32_t epoch = load(&s->claim->epoch);
    struct shl_claim claim;

    if (epoch == observer->epoch) {
        if (observer->linked && !shl_segment_host_alive(s))
            leave_claim(observer);
        return;
    }
    if (epoch & 1 &&
        (shl_segment_claim_read(s, &claim) || load(&s->claim->epoch) != epoch))
        return; /* it is just being written: next time */
    if (shl_segment_bad(s))
        return;
    leave_claim(observer);
    observer->epoch = epoch;
    observer->refused = false;
    forget_parts(&observer->way[0]);
    forget_parts(&observer->way[1]);
    if (!(epoch & 1) || !shl_segment_host_alive(s))
        return;
    observer->claim = claim;
    observer->linked = true;
    tell_connection(observer, 1);
}

static void look_at_refusal(shl_observer *observer)
{
    const struct shl_device_line *line = &observer->segment.lines->device;
    uint32_t status;
    char text[160];

    if (!observer->linked || observer->refused ||
        load(&line->refused) != observer->epoch)
        return;
    status = load(&line->refusal);
    if (shl_segment_bad(&observer->segment))
        return;
    if (status == SHL_OK || status >= SHL_STATUS_COUNT)
        status = SHL_BAD_PEER;
    observer->refused = true;
    snprintf(text, sizeof text, "%s refused process %u: %s",
             observer->identity.id, (unsigned)observer->claim.pid,
             shl_status_text((shl_status)status));
    shl_monitor_error(observer->monitor, (shl_status)status, text);
}

/* ---- events ----------------------------------------------------------------- */

static void follow_events(shl_observer *observer, int out)
{
    struct way *way = &observer->way[out];
    struct shl_event event;

    for (uint32_t i = 0; i < SHL_EVENT_SLOTS; i++) {
        if (!shl_ring_tap_next(&way->events, &event) ||
            shl_segment_bad(&observer->segment))
            break;
        if (shl_event_check(&event))
            way->own[OWN_BAD_EVENTS]++;
        else
            shl_monitor_event(observer->monitor, out, &event);
    }
    way->own[OWN_UNREAD_EVENTS] = way->events.lost;
}

/* ---- messages ----------------------------------------------------------------- */

static void cut_off(struct way *way, uint32_t request)
{
    way->cut[way->cut_count++ % CUT_KNOWN] = request;
    way->own[OWN_CUT]++;
}

static bool is_cut(const struct way *way, uint32_t request)
{
    for (uint32_t i = 0; i < CUT_KNOWN && i < way->cut_count; i++)
        if (way->cut[i] == request)
            return true;
    return false;
}

/** Messages were lost: any that was under way may lack a part. */
static void cut_all(struct way *way)
{
    for (uint32_t i = 0; i < SHL_FRAGMENTS_AT_ONCE; i++)
        if (way->parts.transfer[i].bytes)
            cut_off(way, way->parts.transfer[i].request);
    shl_fragments_clear(&way->parts);
}

static void add_message(shl_observer *observer, int out)
{
    struct way *way = &observer->way[out];
    struct shl_message *message = &observer->message;
    struct shl_received whole;
    struct shl_whole parts;
    shl_status status;

    /* without the number of the claim */
    message->flags &= 0xFF;
    if (message->part && is_cut(way, message->request))
        return;
    status = shl_fragments_add(&way->parts, message, &parts);
    if (status && status != SHL_AGAIN)
        cut_off(way, message->request);
    if (status)
        return;
    whole = (struct shl_received){.type = parts.type,
                                  .request = parts.request,
                                  .asks = parts.flags & SHL_MESSAGE_ASKS,
                                  .size = parts.size,
                                  .bytes = parts.bytes};
    shl_monitor_message(observer->monitor, out, &whole);
}

static void follow_messages(shl_observer *observer, int out)
{
    struct way *way = &observer->way[out];

    if (!way->messages.slots)
        return;
    for (uint32_t i = 0; i < SHL_MESSAGE_SLOTS; i++) {
        uint64_t lost = way->messages.lost;
        bool there = shl_ring_tap_next(&way->messages, &observer->message);

        if (shl_segment_bad(&observer->segment))
            return;
        if (way->messages.lost != lost)
            cut_all(way);
        if (!there)
            break;
        add_message(observer, out);
    }
    way->own[OWN_UNREAD] = way->messages.lost;
}

/* ---- levels --------------------------------------------------------------------- */

/* Samples are read without the mapping: what has no memory behind it reads as
 * zeros and stays so. What is being written meanwhile is of this block or of the
 * one before; for a level that is near enough. */

static float peak_of(shl_observer *observer, size_t offset, uint32_t frames)
{
    float peak = 0;

    if (shl_map_peek(&observer->segment.map, offset, observer->samples,
                     frames * sizeof(float)))
        return 0;
    for (uint32_t i = 0; i < frames; i++) {
        float size = fabsf(observer->samples[i]);

        if (size > peak && size <= FLT_MAX) /* never for a NaN */
            peak = size;
    }
    return peak;
}

static void tell_level(const shl_observer *observer, int out, uint32_t channel,
                       float peak)
{
    observer->monitor->level(observer->monitor->arg, out, channel, peak);
}

static uint32_t channels_of(const shl_observer *observer, int out)
{
    return out ? observer->identity.in_channels
               : observer->identity.out_channels;
}

static void look_at_planes(shl_observer *observer, int out)
{
    const struct shl_lines *lines = observer->segment.lines;
    struct way *way = &observer->way[out];
    uint32_t bell = load(out ? &lines->host.doorbell : &lines->device.answer);
    uint32_t frames = load(out ? &lines->host.frames : &lines->device.frames);
    uint32_t channels =
        load(out ? &lines->host.in_channels : &lines->device.out_channels);

    if (bell == way->bell || frames == 0)
        return;
    way->bell = bell;
    frames = shl_least(frames, SHL_MAX_FRAMES);
    channels = shl_least(channels, channels_of(observer, out));
    for (uint32_t c = 0; c < channels; c++)
        tell_level(observer, out, c,
                   peak_of(observer,
                           shl_plane_offset(c, out ? SHL_BUS_TO_DEVICE
                                                   : SHL_BUS_TO_HOST),
                           frames));
}

/** The peak of the last `frames` before frame `until` of one plane of a stream.
 */
static float peak_before(shl_observer *observer, size_t plane, uint64_t until,
                         uint32_t frames)
{
    float peak = 0;

    while (frames > 0) {
        uint32_t at = (uint32_t)((until - frames) % SHL_STREAM_FRAMES);
        uint32_t run = shl_least(shl_least(frames, SHL_MAX_FRAMES),
                                 SHL_STREAM_FRAMES - at);

        peak = fmaxf(peak, peak_of(observer, plane + at * sizeof(float), run));
        frames -= run;
    }
    return peak;
}

static void look_at_stream(shl_observer *observer, int out)
{
    const struct shl_segment *s = &observer->segment;
    struct way *way = &observer->way[out];
    size_t stream = (size_t)((const uint8_t *)s->streams - s->map.base) +
                    (out ? offsetof(struct shl_streams, to_device)
                         : offsetof(struct shl_streams, to_host));
    uint32_t channels = shl_least(out ? observer->claim.in_channels
                                      : observer->claim.out_channels,
                                  channels_of(observer, out));
    uint64_t written = 0, frames;

    if (shl_map_peek(&s->map, stream + offsetof(struct shl_stream, written),
                     &written, sizeof written) ||
        written == way->stream)
        return;
    frames = written - way->stream; /* huge after a new beginning */
    way->stream = written;
    if (frames > STREAM_LATER)
        frames = STREAM_LATER;
    if (frames > written)
        frames = written;
    for (uint32_t c = 0; c < channels; c++)
        tell_level(
            observer, out, c,
            peak_before(observer,
                        stream + offsetof(struct shl_stream, plane) +
                            (size_t)c * SHL_STREAM_FRAMES * sizeof(float),
                        written, (uint32_t)frames));
}

static void look_at_levels(shl_observer *observer, int out)
{
    if (!observer->monitor->level || !observer->linked ||
        load(&observer->segment.lines->device.epoch) != observer->epoch)
        return;
    if (observer->claim.drive != SHL_DRIVE_FREE)
        look_at_planes(observer, out);
    else if (observer->segment.streams)
        look_at_stream(observer, out);
}

/* ---- counters ---------------------------------------------------------------------- */

#define PLACE(name) offsetof(struct shl_counters, name) / 8, #name

/** Blocks are no news. */
static const struct {
    size_t place;
    const char *name;
} counters[] = {
    {PLACE(host_missed)},          {PLACE(host_late)},
    {PLACE(host_silent_frames)},   {PLACE(host_events_dropped)},
    {PLACE(host_events_late)},     {PLACE(host_events_bad)},
    {PLACE(host_stalls)},          {PLACE(device_events_dropped)},
    {PLACE(device_events_raised)}, {PLACE(device_events_bad)},
    {PLACE(device_restarts)},
};

static const char *const own_names[2][OWN_COUNT] = {
    {"unread_events_in", "bad_events_in", "unread_responses", "cut_responses"},
    {"unread_events_out", "bad_events_out", "unread_commands", "cut_commands"}};

static void look_at_counters(shl_observer *observer, bool tell)
{
    const _Atomic uint64_t *word =
        (const _Atomic uint64_t *)(const void *)observer->segment.counters;

    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        size_t place = counters[i].place;
        /* relaxed: a number for people */
        uint64_t now = atomic_load_explicit(&word[place], memory_order_relaxed);

        if (shl_segment_bad(&observer->segment))
            return;
        /* a new host begins at 0 again */
        if (tell && now > observer->counted[place])
            tell_counter(observer, counters[i].name, now);
        observer->counted[place] = now;
    }
}

static void tell_own_counters(shl_observer *observer)
{
    uint64_t wild = 0;

    for (int out = 1; out >= 0; out--) {
        struct way *way = &observer->way[out];

        for (int i = 0; i < OWN_COUNT; i++) {
            if (way->own[i] != way->told[i])
                tell_counter(observer, own_names[out][i], way->own[i]);
            way->told[i] = way->own[i];
        }
    }
    for (int out = 0; out < 2; out++)
        wild +=
            observer->way[out].events.wild + observer->way[out].messages.wild;
    if (wild != observer->wild)
        tell_counter(observer, "bad_indices", wild);
    observer->wild = wild;
}

/* ---- life ------------------------------------------------------------------------------ */

static void open_ways(shl_observer *observer)
{
    const struct shl_segment *s = &observer->segment;
    struct shl_lines *lines = s->lines;

    /* the reader's index stands on the other line */
    shl_ring_tap_init(&observer->way[1].events, &lines->host.event_write,
                      &lines->device.event_read, s->events_to_device,
                      sizeof(struct shl_event), SHL_EVENT_SLOTS);
    shl_ring_tap_init(&observer->way[0].events, &lines->device.event_write,
                      &lines->host.event_read, s->events_to_host,
                      sizeof(struct shl_event), SHL_EVENT_SLOTS);
    for (int out = 0; out < 2 && s->messages; out++) {
        struct shl_message_ring *ring =
            out ? &s->messages->commands : &s->messages->responses;

        shl_ring_tap_init(&observer->way[out].messages, &ring->write,
                          &ring->read, ring->slot, sizeof(struct shl_message),
                          SHL_MESSAGE_SLOTS);
    }
    for (int out = 0; out < 2; out++)
        shl_fragments_init(&observer->way[out].parts, SHL_MAX_PAYLOAD);
}

static shl_status find(const char *id, struct shl_device_info *info,
                       struct shl_why *why)
{
    shl_registry *registry = NULL;
    shl_status status = shl_registry_open(NULL, &registry, why);

    if (status)
        return status;
    status = shl_registry_find(registry, id, info);
    if (status == SHL_BUSY)
        status = SHL_OK;
    else if (status == SHL_BAD_NAME)
        shl_id_check(id, NULL, NULL, why);
    else if (status == SHL_NOT_FOUND)
        shl_why_set(why, "no device %.60s is there; see shmlink list", id);
    else if (status)
        shl_why_set(why, "%.60s: %s", id, shl_status_text(status));
    shl_registry_close(registry);
    return status;
}

/** The segment may be another device's by now: its identity decides. */
static shl_status look_in(shl_observer *observer,
                          const struct shl_device_info *info,
                          struct shl_why *why)
{
    shl_status status =
        shl_segment_view(info->segment, &observer->segment, why);

    if (status)
        return status == SHL_NOT_FOUND ? SHL_AGAIN : status;
    status = shl_segment_identity(&observer->segment, &observer->identity);
    if (!status && strcmp(observer->identity.id, info->id) != 0)
        status = SHL_AGAIN;
    if (status)
        shl_why_set(why, "%s: %s", info->id, shl_status_text(status));
    return status;
}

shl_status shl_observer_open(const char *id, const struct shl_monitor *monitor,
                             shl_observer **observer, struct shl_why *why)
{
    struct shl_device_info info;
    shl_status status = find(id, &info, why);
    shl_observer *opened;

    if (status)
        return status;
    opened = calloc(1, sizeof *opened);
    if (!opened) {
        shl_why_set(why, "%s", shl_status_text(SHL_NO_MEMORY));
        return SHL_NO_MEMORY;
    }
    opened->segment.map.fd = opened->segment.ask.fd = -1;
    opened->monitor = monitor;
    status = look_in(opened, &info, why);
    if (status) {
        shl_observer_close(opened);
        return status;
    }
    open_ways(opened);
    look_at_counters(opened, false);
    *observer = opened;
    return SHL_OK;
}

void shl_observer_close(shl_observer *observer)
{
    if (!observer)
        return;
    forget_parts(&observer->way[0]);
    forget_parts(&observer->way[1]);
    shl_segment_close(&observer->segment);
    free(observer);
}

const char *shl_observer_id(const shl_observer *observer)
{
    return observer->identity.id;
}

uint32_t shl_observer_host(const shl_observer *observer, const char **tag)
{
    if (tag)
        *tag = observer->claim.tag;
    return observer->claim.pid;
}

/* ---- looking ------------------------------------------------------------------------------- */

/** A file that was cut is found here even if the bytes we use are still there.
 */
static bool is_cut_short(const shl_observer *observer)
{
    const struct shl_map *map = &observer->segment.map;
    uint8_t last;

    return shl_segment_bad(&observer->segment) ||
           shl_map_peek(map, map->size - 1, &last, 1) == SHL_CUT;
}

static shl_status end(shl_observer *observer, shl_status status,
                      struct shl_why *why)
{
    leave_claim(observer);
    observer->ended = status;
    shl_why_set(why,
                status == SHL_CUT
                    ? "the segment of %s was cut short by some process"
                    : "%s has ended",
                observer->identity.id);
    return status;
}

shl_status shl_observer_poll(shl_observer *observer, struct shl_why *why)
{
    bool alive;

    if (observer->ended)
        return end(observer, observer->ended, why);
    if (is_cut_short(observer))
        return end(observer, SHL_CUT, why);
    /* before all else: what it did last is still to be told */
    alive = shl_segment_device_alive(&observer->segment);
    look_at_claim(observer);
    look_at_refusal(observer);
    for (int out = 1; out >= 0; out--) {
        follow_messages(observer, out);
        follow_events(observer, out);
        look_at_levels(observer, out);
    }
    look_at_counters(observer, true);
    tell_own_counters(observer);
    if (is_cut_short(observer))
        return end(observer, SHL_CUT, why);
    return alive ? SHL_OK : end(observer, SHL_GONE, why);
}
