/* SPDX-License-Identifier: MIT */
/* A segment as its device makes it: regions, memory behind them, and what stands in
 * them before the first host. */
#include "core/shm/segment_state.h"

#include "shmlink/name.h"

#include <string.h>

/* ---- regions --------------------------------------------------------------- */

const struct shl_region_place shl_regions[] = {
    /* one that is missing does not build: the header has their count */
    {SHL_REGION_IDENTITY, SHL_IDENTITY_OFFSET,
     sizeof(struct shl_identity_region)},
    {SHL_REGION_CLAIM, SHL_CLAIM_OFFSET, sizeof(struct shl_claim_region)},
    {SHL_REGION_LINES, SHL_LINES_OFFSET, sizeof(struct shl_lines)},
    {SHL_REGION_COUNTERS, SHL_COUNTERS_OFFSET, sizeof(struct shl_counters)},
    {SHL_REGION_PARAMS, SHL_PARAMS_OFFSET,
     SHL_MAX_PARAMS * sizeof(struct shl_param_slot)},
    {SHL_REGION_EVENTS_TO_DEVICE, SHL_EVENTS_TO_DEVICE_OFFSET,
     SHL_EVENT_SLOTS * sizeof(struct shl_event)},
    {SHL_REGION_EVENTS_TO_HOST, SHL_EVENTS_TO_HOST_OFFSET,
     SHL_EVENT_SLOTS * sizeof(struct shl_event)},
    {SHL_REGION_MESSAGES, SHL_MESSAGES_OFFSET, sizeof(struct shl_messages)},
    {SHL_REGION_TAPS, SHL_TAPS_OFFSET,
     SHL_MAX_TAPS * sizeof(struct shl_tap_slot)},
    {SHL_REGION_STREAMS, SHL_STREAMS_OFFSET, sizeof(struct shl_streams)},
    {SHL_REGION_LANES, SHL_LANES_OFFSET, sizeof(struct shl_lanes)},
};

void shl_segment_point(struct shl_segment *s, const struct place *places)
{
    void *at[REGIONS];

    for (int i = 0; i < REGIONS; i++)
        at[i] = places[i].offset ? s->map.base + places[i].offset : NULL;
    s->identity = at[SHL_REGION_IDENTITY - 1];
    s->claim = at[SHL_REGION_CLAIM - 1];
    s->lines = at[SHL_REGION_LINES - 1];
    s->counters = at[SHL_REGION_COUNTERS - 1];
    s->params = at[SHL_REGION_PARAMS - 1];
    s->events_to_device = at[SHL_REGION_EVENTS_TO_DEVICE - 1];
    s->events_to_host = at[SHL_REGION_EVENTS_TO_HOST - 1];
    s->messages = at[SHL_REGION_MESSAGES - 1];
    s->taps = at[SHL_REGION_TAPS - 1];
    s->streams = at[SHL_REGION_STREAMS - 1];
    s->lanes = at[SHL_REGION_LANES - 1];
    /* a newer device may have room for more than we could keep */
    s->param_capacity = SHL_MAX_PARAMS;
    s->transport = s->map.base + s->layout->transport;
}

void shl_segment_point_own(struct shl_segment *s)
{
    struct place places[REGIONS];

    for (int i = 0; i < REGIONS; i++)
        places[i] = (struct place){shl_regions[i].offset, shl_regions[i].size};
    shl_segment_point(s, places);
}

void shl_segment_none(struct shl_segment *s)
{
    memset(s, 0, sizeof *s);
    s->map = (struct shl_map)SHL_MAP_NONE;
    s->ask = (struct shl_map)SHL_MAP_NONE;
}

/* ---- creating -------------------------------------------------------------- */

struct place shl_segment_common(const struct shl_segment *s, int i)
{
    const struct shl_maolan_layout *row = s->layout;
    const struct place ranges[COMMON] = {
        {0, SHL_AUDIO_OFFSET},
        {row->param_slots, row->used_size - row->param_slots},
        {SHL_LINK_OFFSET, SHL_PARAMS_OFFSET - SHL_LINK_OFFSET},
        {SHL_MESSAGES_OFFSET, SHL_STREAMS_OFFSET - SHL_MESSAGES_OFFSET},
    };

    return ranges[i];
}

shl_status shl_segment_reserve_common(struct shl_segment *s)
{
    for (int i = 0; i < COMMON; i++) {
        struct place place = shl_segment_common(s, i);
        shl_status status = shl_map_reserve(&s->map, place.offset, place.size);

        if (status)
            return status;
        shl_map_touch(&s->map, place.offset, place.size);
    }
    return SHL_OK;
}

static void write_headers(struct shl_segment *s, double rate_hz)
{
    struct shl_link_header header = {
        .magic = SHL_LINK_MAGIC,
        .major = SHL_LINK_MAJOR,
        .minor = SHL_LINK_MINOR,
        .total_size = SHL_SEGMENT_SIZE,
        .region_count = REGIONS,
    };

    for (int i = 0; i < REGIONS; i++) {
        header.region[i].id = shl_regions[i].id;
        header.region[i].offset = shl_regions[i].offset;
        header.region[i].size = shl_regions[i].size;
    }
    memcpy(s->map.base + SHL_LINK_OFFSET, &header, sizeof header);
    memcpy(s->transport + SHL_TRANSPORT_RATE, &rate_hz, sizeof rate_hz);
    word_set(s, s->layout->magic, SHL_MAOLAN_MAGIC);
    word_set(s, s->layout->version, SHL_OWN_VERSION);
    word_set(s, s->layout->input_channels, 0);
    word_set(s, s->layout->output_channels, 0);
}

/** A mapped segment becomes ours: lease, memory, headers. */
static shl_status take_over(struct shl_segment *s, double rate_hz)
{
    shl_status status = shl_lease_take(&s->map, SHL_LEASE_DEVICE);

    if (!status)
        status = shl_segment_reserve_common(s);
    if (!status)
        status = shl_map_ask(s->name, &s->ask);
    if (status)
        return status;
    shl_segment_point_own(s);
    write_headers(s, rate_hz);
    return SHL_OK;
}

shl_status shl_segment_begin(const char *name, struct shl_segment *s)
{
    shl_segment_none(s);
    if (strlen(name) >= sizeof s->name)
        return SHL_BAD_NAME;
    memcpy(s->name, name, strlen(name) + 1);
    s->layout = &shl_maolan_layouts[SHL_LAYOUT_A];
    return SHL_OK;
}

shl_status shl_segment_create(const char *name, double rate_hz,
                              struct shl_segment *segment)
{
    struct shl_segment s;
    shl_status status = shl_segment_begin(name, &s);

    if (!status)
        status = shl_map_create(name, SHL_SEGMENT_SIZE, &s.map);
    if (status)
        return status;
    status = take_over(&s, rate_hz);
    if (status) {
        shl_map_unlink(name);
        shl_map_close(&s.map);
        return status;
    }
    *segment = s;
    return SHL_OK;
}

shl_status shl_segment_adopt(const char *name, double rate_hz,
                             struct shl_segment *segment)
{
    struct shl_segment s;
    uint32_t magic;
    shl_status status = shl_segment_begin(name, &s);

    if (!status)
        status = shl_map_open(name, SHL_SEGMENT_SIZE, &s.map);
    if (status)
        return status;
    memcpy(&magic, s.map.base + SHL_LINK_OFFSET, sizeof magic);
    status = magic ? SHL_TAKEN : take_over(&s, rate_hz);
    if (status) {
        shl_map_close(&s.map);
        return status;
    }
    *segment = s;
    return SHL_OK;
}

shl_status shl_segment_reserve_planes(struct shl_segment *segment,
                                      uint32_t channels)
{
    size_t size = (size_t)channels * SHL_BUSES * (size_t)SHL_PLANE_SIZE;
    shl_status status;

    if (channels > SHL_MAX_CHANNELS)
        return SHL_WRONG_CHANNELS;
    /* the planes of channels 0 to n - 1 are one run of bytes */
    status = shl_map_reserve(&segment->map, SHL_AUDIO_OFFSET, size);
    if (!status)
        shl_map_touch(&segment->map, SHL_AUDIO_OFFSET, size);
    return status;
}

/* Where a stream lies: head and planes are one run of bytes. */
static struct place stream_place(const struct shl_segment *s,
                                 const struct shl_stream *stream,
                                 uint32_t channels)
{
    size_t offset = (size_t)((const uint8_t *)stream - s->map.base);
    size_t size =
        offsetof(struct shl_stream, plane) + channels * sizeof stream->plane[0];

    return (struct place){(uint32_t)offset, (uint32_t)size};
}

static shl_status reserve_stream(struct shl_segment *s,
                                 struct shl_stream *stream, uint32_t channels)
{
    struct place place = stream_place(s, stream, channels);
    shl_status status = shl_map_reserve(&s->map, place.offset, place.size);

    if (status)
        return status;
    shl_map_touch(&s->map, place.offset, place.size);
    /* nobody looks before the claim is accepted, with release */
    atomic_store_explicit(&stream->written, 0, memory_order_relaxed);
    atomic_store_explicit(&stream->read, 0, memory_order_relaxed);
    atomic_store_explicit(&stream->clock.sequence, 0, memory_order_relaxed);
    return SHL_OK;
}

shl_status shl_segment_reserve_streams(struct shl_segment *segment,
                                       uint32_t to_device, uint32_t to_host)
{
    shl_status status;

    if (to_device > SHL_MAX_CHANNELS || to_host > SHL_MAX_CHANNELS)
        return SHL_WRONG_CHANNELS;
    status = reserve_stream(segment, &segment->streams->to_device, to_device);
    if (!status)
        status = reserve_stream(segment, &segment->streams->to_host, to_host);
    return status;
}

void shl_segment_touch_streams(const struct shl_segment *segment,
                               uint32_t to_device, uint32_t to_host)
{
    struct place in =
        stream_place(segment, &segment->streams->to_device, to_device);
    struct place out =
        stream_place(segment, &segment->streams->to_host, to_host);

    shl_map_touch(&segment->map, in.offset, in.size);
    shl_map_touch(&segment->map, out.offset, out.size);
}

static void write_param(struct shl_param_slot *slot,
                        const struct shl_param *param)
{
    uint64_t bits;

    memset(slot, 0, sizeof *slot);
    slot->id = param->id;
    slot->flags = param->flags;
    slot->curve = param->curve;
    slot->steps = param->steps;
    slot->minimum = param->minimum;
    slot->maximum = param->maximum;
    slot->initial = param->initial;
    memcpy(slot->name, param->name, sizeof slot->name);
    memcpy(slot->label, param->label, sizeof slot->label);
    memcpy(slot->group, param->group, sizeof slot->group);
    shl_text_clean(slot->name, sizeof slot->name);
    shl_text_clean(slot->label, sizeof slot->label);
    shl_text_clean(slot->group, sizeof slot->group);
    memcpy(&bits, &param->initial, sizeof bits);
    atomic_store_explicit(&slot->value, bits, memory_order_relaxed);
}

shl_status shl_segment_write_params(struct shl_segment *segment,
                                    const struct shl_param *params,
                                    uint32_t count)
{
    size_t offset = (size_t)((uint8_t *)segment->params - segment->map.base);
    shl_status status;

    if (count > segment->param_capacity)
        return SHL_BAD_VALUE;
    status = shl_map_reserve(&segment->map, offset,
                             count * sizeof(struct shl_param_slot));
    for (uint32_t i = 0; i < count && !status; i++)
        write_param(&segment->params[i], &params[i]);
    return status;
}

void shl_segment_write_taps(struct shl_segment *segment,
                            const struct shl_tap *taps, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < SHL_MAX_TAPS; i++) {
        struct shl_tap_slot slot = {.kind = taps[i].kind,
                                    .channels = taps[i].channels};

        memcpy(slot.name, taps[i].name, sizeof slot.name);
        segment->taps[i] = slot;
    }
}

shl_status shl_segment_read_taps(const struct shl_segment *segment,
                                 struct shl_tap *taps, uint32_t count)
{
    if (count > SHL_MAX_TAPS || (count && !segment->taps))
        return SHL_BAD_PEER;
    for (uint32_t i = 0; i < count; i++) {
        struct shl_tap_slot slot = segment->taps[i]; /* ours from here on */

        memcpy(taps[i].name, slot.name, sizeof taps[i].name);
        taps[i].kind = slot.kind;
        taps[i].channels = slot.channels;
    }
    return shl_tap_check(taps, count, NULL) ? SHL_BAD_PEER : SHL_OK;
}

void shl_segment_ready(struct shl_segment *segment)
{
    /* release: headers, identity and parameters are whole before a host sees
     * this word */
    atomic_store_explicit(shl_segment_word(segment, segment->layout->ready), 1,
                          memory_order_release);
}

void shl_segment_close(struct shl_segment *segment)
{
    shl_map_close(&segment->ask);
    shl_map_close(&segment->map);
    shl_segment_none(segment);
}
