/* SPDX-License-Identifier: MIT */
/* A segment is created by its device and opened by hosts. Whatever a peer
 * wrote is copied once, checked, and only then used. */
#include "core/shm/segment.h"

#include "shmlink/name.h"

#include <string.h>

/* ---- regions --------------------------------------------------------------- */

/** What we know of each region: its place in segments that we create, and the
 * least size it must have in those that we open. By enum shl_region - 1. */
static const struct {
    uint32_t id, offset, size;
} regions[] = {
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

enum { REGIONS = sizeof regions / sizeof regions[0] };
static_assert(REGIONS == SHL_REGION_END - 1, "every region is known here");

struct place {
    uint32_t offset, size;
};

/** No region begins at 0: that place is none. */
static void segment_point(struct shl_segment *s, const struct place *places)
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

static void segment_none(struct shl_segment *s)
{
    memset(s, 0, sizeof *s);
    s->map = (struct shl_map)SHL_MAP_NONE;
    s->ask = (struct shl_map)SHL_MAP_NONE;
}

/* ---- creating -------------------------------------------------------------- */

enum { COMMON = 4 };

/** What every link uses: all but planes, parameters and streams. */
static struct place common(const struct shl_segment *s, int i)
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

/** Reserve and touch it. */
static shl_status reserve_common(struct shl_segment *s)
{
    for (int i = 0; i < COMMON; i++) {
        struct place place = common(s, i);
        shl_status status = shl_map_reserve(&s->map, place.offset, place.size);

        if (status)
            return status;
        shl_map_touch(&s->map, place.offset, place.size);
    }
    return SHL_OK;
}

static void word_set(const struct shl_segment *s, uint32_t offset,
                     uint32_t value)
{
    atomic_store_explicit(shl_segment_word(s, offset), value,
                          memory_order_relaxed);
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
        header.region[i].id = regions[i].id;
        header.region[i].offset = regions[i].offset;
        header.region[i].size = regions[i].size;
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
    struct place places[REGIONS];
    shl_status status = shl_lease_take(&s->map, SHL_LEASE_DEVICE);

    if (!status)
        status = reserve_common(s);
    if (!status)
        status = shl_map_ask(s->name, &s->ask);
    if (status)
        return status;
    for (int i = 0; i < REGIONS; i++)
        places[i] = (struct place){regions[i].offset, regions[i].size};
    segment_point(s, places);
    write_headers(s, rate_hz);
    return SHL_OK;
}

static shl_status begin_own(const char *name, struct shl_segment *s)
{
    segment_none(s);
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
    shl_status status = begin_own(name, &s);

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

/* ---- a new one in the place of one without a name ------------------------------- */

/** Copy words that others may be writing: what is torn is written again, or
 * belongs to a link that goes on with the old ones. */
static void copy_words(const struct shl_segment *to,
                       const struct shl_segment *from, struct place place)
{
    for (uint32_t i = 0; i < place.size; i += 4)
        word_set(to, place.offset + i,
                 atomic_load_explicit(shl_segment_word(from, place.offset + i),
                                      memory_order_relaxed));
}

/** All but planes and streams, whose content means nothing without a claim. The
 * word `ready` is stored last. */
static void copy_content(const struct shl_segment *to,
                         const struct shl_segment *from, uint32_t param_count)
{
    for (int i = 0; i < COMMON; i++) {
        struct place place = common(to, i);
        uint32_t ready = to->layout->ready;

        if (ready >= place.offset && ready < place.offset + place.size) {
            uint32_t after = place.offset + place.size - ready - 4;

            copy_words(to, from,
                       (struct place){place.offset, ready - place.offset});
            copy_words(to, from, (struct place){ready + 4, after});
        } else {
            copy_words(to, from, place);
        }
    }
    copy_words(to, from,
               (struct place){SHL_PARAMS_OFFSET,
                              param_count * sizeof(struct shl_param_slot)});
}

/** How many parameters there are to be copied. */
static uint32_t params_of(const struct shl_segment *s)
{
    struct shl_identity who;

    return shl_segment_identity(s, &who) ? 0 : who.param_count;
}

static shl_status fill_twin(struct shl_segment *twin,
                            const struct shl_segment *segment,
                            uint32_t channels)
{
    struct place places[REGIONS];
    uint32_t params = params_of(segment);
    shl_status status = shl_map_ask(twin->name, &twin->ask);

    /* the claim first: the object has a name already */
    if (!status)
        status = shl_lease_take(&twin->ask, SHL_LEASE_HOST);
    if (!status)
        status = shl_lease_take(&twin->map, SHL_LEASE_DEVICE);
    if (!status)
        status = reserve_common(twin);
    if (!status)
        status = shl_segment_reserve_planes(twin, channels);
    if (!status)
        status = shl_map_reserve(&twin->map, SHL_PARAMS_OFFSET,
                                 params * sizeof(struct shl_param_slot));
    if (status)
        return status;
    for (int i = 0; i < REGIONS; i++)
        places[i] = (struct place){regions[i].offset, regions[i].size};
    segment_point(twin, places);
    copy_content(twin, segment, params);
    shl_segment_ready(twin);
    return SHL_OK;
}

shl_status shl_segment_twin(const struct shl_segment *segment, const char *name,
                            uint32_t channels, struct shl_segment *twin)
{
    struct shl_segment made;
    shl_status status = begin_own(name, &made);

    if (!status)
        status = shl_map_create(name, SHL_SEGMENT_SIZE, &made.map);
    if (status)
        return status;
    status = fill_twin(&made, segment, channels);
    if (status) {
        shl_map_unlink(name);
        shl_segment_close(&made);
        return status;
    }
    *twin = made;
    return SHL_OK;
}

/** The values of parameters, as they are there. */
static void read_values(const struct shl_segment *s, uint64_t *values,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] =
            atomic_load_explicit(&s->params[i].value, memory_order_relaxed);
}

/** What was set while both changed places went to the old ones. */
static void mend_values(struct shl_segment *segment,
                        const struct shl_segment *old, const uint64_t *values,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t was = values[i];
        uint64_t now =
            atomic_load_explicit(&old->params[i].value, memory_order_relaxed);

        if (now != was)
            atomic_compare_exchange_strong_explicit(
                &segment->params[i].value, &was, now, memory_order_relaxed,
                memory_order_relaxed);
    }
}

shl_status shl_segment_become(struct shl_segment *segment,
                              struct shl_segment *twin)
{
    static const struct shl_map none = SHL_MAP_NONE;
    uint64_t values[SHL_MAX_PARAMS];
    uint32_t params = params_of(segment);
    struct shl_map ask = segment->ask;
    /* nobody claims the old one any more */
    shl_status status = shl_lease_take(&segment->ask, SHL_LEASE_HOST);

    if (status)
        return status;
    read_values(segment, values, params);
    copy_content(twin, segment, params);
    for (uint32_t i = 0; i < params; i++)
        atomic_store_explicit(&twin->params[i].value, values[i],
                              memory_order_relaxed);
    status = shl_map_exchange(&segment->map, &twin->map);
    if (status) {
        shl_lease_drop(&segment->ask, SHL_LEASE_HOST);
        return status;
    }
    mend_values(segment, twin, values, params);
    memcpy(segment->name, twin->name, sizeof segment->name);
    /* who sleeps there looks again, here */
    shl_word_wake(&twin->lines->host.doorbell);
    shl_word_wake(&twin->messages->commands.bell);
    segment->ask = twin->ask;
    twin->ask = ask;
    shl_lease_drop(&segment->ask, SHL_LEASE_HOST);
    shl_segment_close(twin);
    twin->map = twin->ask = none;
    return SHL_OK;
}

shl_status shl_segment_adopt(const char *name, double rate_hz,
                             struct shl_segment *segment)
{
    struct shl_segment s;
    uint32_t magic;
    shl_status status = begin_own(name, &s);

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

/* ---- opening --------------------------------------------------------------- */

static uint32_t word_get(const struct shl_segment *s, uint32_t offset)
{
    return atomic_load_explicit(shl_segment_word(s, offset),
                                memory_order_relaxed);
}

static shl_status check_maolan(const struct shl_segment *s, struct shl_why *why)
{
    const struct shl_maolan_layout *row = &shl_maolan_layouts[SHL_LAYOUT_A];
    uint32_t version;

    /* acquire: everything that its device wrote before */
    if (atomic_load_explicit(shl_segment_word(s, row->ready),
                             memory_order_acquire) == 0) {
        shl_why_set(why, "segment %s is not ready: its device is just starting",
                    s->name);
        return SHL_AGAIN;
    }
    if (word_get(s, row->magic) != SHL_MAOLAN_MAGIC) {
        shl_why_set(why, "segment %s is not an shmlink segment", s->name);
        return SHL_BAD_PEER;
    }
    version = word_get(s, row->version);
    if (version != SHL_OWN_VERSION) {
        shl_why_set(why,
                    "segment %s speaks protocol %u, this program %u: use the "
                    "same version of shmlink on both sides",
                    s->name, (unsigned)version, (unsigned)SHL_OWN_VERSION);
        return SHL_WRONG_VERSION;
    }
    return SHL_OK;
}

/** Copy the link header once, word by word: later looks could differ. */
static void copy_link_header(const struct shl_segment *s,
                             struct shl_link_header *header)
{
    uint32_t words[sizeof *header / 4];

    for (uint32_t i = 0; i < sizeof *header / 4; i++)
        words[i] = word_get(s, SHL_LINK_OFFSET + 4 * i);
    memcpy(header, words, sizeof *header);
}

/** The place of one region; an impossible one gives what is wrong. */
static const char *find_region(const struct shl_link_header *header, int known,
                               struct place *place)
{
    int found = 0;

    for (uint32_t i = 0; i < header->region_count; i++) {
        if (header->region[i].id != regions[known].id)
            continue;
        place->offset = header->region[i].offset;
        place->size = header->region[i].size;
        found++;
    }
    if (found == 0 && regions[known].id >= SHL_REGION_MESSAGES) {
        *place =
            (struct place){0, 0}; /* its device is of an older minor version */
        return NULL;
    }
    if (found != 1)
        return found ? "is listed twice" : "is missing";
    if (place->offset % 8 != 0)
        return "is not aligned";
    if (place->offset < SHL_LINK_OFFSET + sizeof *header ||
        place->offset > header->total_size ||
        place->size > header->total_size - place->offset)
        return "lies outside";
    if (place->size < regions[known].size)
        return "is too small";
    return NULL;
}

static shl_status check_regions(const struct shl_segment *s,
                                const struct shl_link_header *header,
                                struct place *places, struct shl_why *why)
{
    for (int i = 0; i < REGIONS; i++) {
        const char *fault = find_region(header, i, &places[i]);

        for (int j = 0; j < i && !fault && places[i].size; j++) {
            if (places[i].offset < places[j].offset + places[j].size &&
                places[j].offset < places[i].offset + places[i].size)
                fault = "overlaps another";
        }
        if (fault) {
            shl_why_set(why, "segment %s is damaged: its region %u %s", s->name,
                        (unsigned)regions[i].id, fault);
            return SHL_BAD_PEER;
        }
    }
    return SHL_OK;
}

static shl_status check_link(struct shl_segment *s, struct place *places,
                             struct shl_why *why)
{
    struct shl_link_header header;

    if (s->map.size < SHL_LINK_OFFSET + sizeof header) {
        shl_why_set(why,
                    "segment %s has no link area: its device speaks "
                    "Maolan only",
                    s->name);
        return SHL_BAD_PEER;
    }
    copy_link_header(s, &header);
    if (header.magic != SHL_LINK_MAGIC ||
        header.region_count > sizeof header.region / sizeof header.region[0]) {
        shl_why_set(why,
                    "segment %s is damaged: its link header makes no sense",
                    s->name);
        return SHL_BAD_PEER;
    }
    if (header.major != SHL_LINK_MAJOR) {
        shl_why_set(why,
                    "segment %s speaks link version %u.%u, this program %u.%u: "
                    "use the same version of shmlink on both sides",
                    s->name, (unsigned)header.major, (unsigned)header.minor,
                    SHL_LINK_MAJOR, SHL_LINK_MINOR);
        return SHL_WRONG_VERSION;
    }
    if (header.total_size > s->map.size) {
        shl_why_set(why, "segment %s is cut short: %zu of %u bytes are there",
                    s->name, s->map.size, (unsigned)header.total_size);
        return SHL_CUT;
    }
    s->major = header.major;
    s->minor = header.minor;
    return check_regions(s, &header, places, why);
}

/** Touch what the device has reserved, so that no block faults. */
static void touch_common(const struct shl_segment *s,
                         const struct place *places)
{
    shl_map_touch(&s->map, 0, SHL_AUDIO_OFFSET);
    shl_map_touch(&s->map, s->layout->transport, SHL_TRANSPORT_SIZE);
    for (int i = 0; i < REGIONS; i++) {
        if (places[i].size && regions[i].id != SHL_REGION_PARAMS &&
            regions[i].id != SHL_REGION_STREAMS)
            shl_map_touch(&s->map, places[i].offset, regions[i].size);
    }
}

/** `view`: map it read-only, ask by the same description, touch nothing. */
static shl_status open_checked(const char *name, bool view,
                               struct shl_segment *s, struct shl_why *why)
{
    struct place places[REGIONS];
    shl_status status = view ? shl_map_view(name, SHL_MAOLAN_SIZE, &s->map)
                             : shl_map_open(name, SHL_MAOLAN_SIZE, &s->map);

    if (!status && !view)
        status = shl_map_ask(name, &s->ask);
    if (status == SHL_FOREIGN || status == SHL_NO_PERMISSION) {
        char fault[160];

        shl_map_foreign(name, fault, sizeof fault);
        shl_why_set(why, "%s", fault);
        return status;
    }
    if (status) {
        shl_why_set(why, "segment %s: %s", name, shl_status_text(status));
        return status;
    }
    status = check_maolan(s, why);
    if (!status)
        status = check_link(s, places, why);
    if (status)
        return status;
    segment_point(s, places);
    if (!view)
        touch_common(s, places);
    if (shl_segment_bad(s)) {
        shl_why_set(why, "segment %s was cut short while it was opened", name);
        return SHL_CUT;
    }
    return SHL_OK;
}

static shl_status segment_open(const char *name, bool view,
                               struct shl_segment *segment, struct shl_why *why)
{
    struct shl_segment s;
    shl_status status;

    segment_none(&s);
    if (strlen(name) >= sizeof s.name) {
        shl_why_set(why, "\"%.60s\" is no name of a segment", name);
        return SHL_BAD_NAME;
    }
    memcpy(s.name, name, strlen(name) + 1);
    s.layout = &shl_maolan_layouts[SHL_LAYOUT_A];
    status = open_checked(name, view, &s, why);
    if (status)
        shl_segment_close(&s);
    else
        *segment = s;
    return status;
}

shl_status shl_segment_open(const char *name, struct shl_segment *segment,
                            struct shl_why *why)
{
    return segment_open(name, false, segment, why);
}

shl_status shl_segment_view(const char *name, struct shl_segment *segment,
                            struct shl_why *why)
{
    return segment_open(name, true, segment, why);
}

void shl_segment_close(struct shl_segment *segment)
{
    shl_map_close(&segment->ask);
    shl_map_close(&segment->map);
    segment_none(segment);
}
