/* SPDX-License-Identifier: MIT */
/* Opening a segment that another program has made: whatever it wrote is copied once,
 * checked, and only then used. */
#include "core/shm/segment_state.h"
#include "shmlink/name.h"

#include <string.h>

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
        if (header->region[i].id != shl_regions[known].id)
            continue;
        place->offset = header->region[i].offset;
        place->size = header->region[i].size;
        found++;
    }
    if (found == 0 && shl_regions[known].id >= SHL_REGION_MESSAGES) {
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
    if (place->size < shl_regions[known].size)
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
                        (unsigned)shl_regions[i].id, fault);
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
        if (places[i].size && shl_regions[i].id != SHL_REGION_PARAMS &&
            shl_regions[i].id != SHL_REGION_STREAMS)
            shl_map_touch(&s->map, places[i].offset, shl_regions[i].size);
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
    shl_segment_point(s, places);
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

    shl_segment_none(&s);
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
