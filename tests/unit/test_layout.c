/* SPDX-License-Identifier: MIT */
/* The shared bytes: our table of Maolan layouts against every line of the
 * published offsets (offsets.tsv), our own structures against gaps, and both
 * against a digest on record. */
#include "core/shm/layout.h"
#include "shmlink/registry.h"

#include "fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct row {
    char version[16], name[48];
    uint32_t offset, size;
};

/* ---- what we say of a published name ------------------------------------- */

/* A name with the same answer in every layout. */
struct fixed {
    const char *name;
    uint32_t offset, size;
};

static const struct fixed fixed[] = {
    {"const.MAGIC", SHL_MAOLAN_MAGIC, 0},
    {"const.MAX_CHANNELS", SHL_MAX_CHANNELS, 0},
    {"const.NUM_BUSES", SHL_BUSES, 0},
    {"const.MAX_BLOCK_SIZE", SHL_MAX_FRAMES, 0},
    {"const.RING_CAPACITY", SHL_RING_SLOTS, 0},
    {"const.ring_usable_slots", SHL_RING_SLOTS - 1, 0},
    {"const.MAX_MIDI_PORTS", SHL_MAX_MIDI_PORTS, 0},
    {"const.PARAM_EVENT_VALUE", SHL_PARAM_EVENT_VALUE, 0},
    {"const.PARAM_EVENT_MOD", SHL_PARAM_EVENT_MOD, 0},
    {"const.PARAM_EVENT_GESTURE_BEGIN", SHL_PARAM_EVENT_BEGIN, 0},
    {"const.PARAM_EVENT_GESTURE_END", SHL_PARAM_EVENT_END, 0},
    {"const.PORT_COUNTS_MAGIC", SHL_PORT_COUNTS_MAGIC, 0},
    {"const.FILE_REFS_MAGIC", SHL_FILE_REFS_MAGIC, 0},
    {"const.FILE_REF_UPDATE_MAGIC", SHL_FILE_UPDATE_MAGIC, 0},
    {"segment", 0, SHL_MAOLAN_SIZE},
    {"header", 0, SHL_HEADER_SIZE},
    {"control", SHL_CONTROL_OFFSET, SHL_CONTROL_SIZE},
    {"audio", SHL_AUDIO_OFFSET, SHL_AUDIO_SIZE},
    {"midi_port_ring.stride", 0, SHL_MIDI_RING_STRIDE},
    {"ParameterEvent", 0, SHL_MAOLAN_PARAM_SIZE},
    {"ParameterEvent.param_index", SHL_MAOLAN_PARAM_INDEX, 4},
    {"ParameterEvent.value", SHL_MAOLAN_PARAM_VALUE, 4},
    {"ParameterEvent.sample_offset", SHL_MAOLAN_PARAM_OFFSET, 4},
    {"ParameterEvent.event_kind", SHL_MAOLAN_PARAM_KIND, 4},
    {"MidiEvent", 0, SHL_MAOLAN_MIDI_SIZE},
    {"MidiEvent.sample_offset", SHL_MAOLAN_MIDI_OFFSET, 4},
    {"MidiEvent.data", SHL_MAOLAN_MIDI_DATA, 3},
    {"MidiEvent.channel", SHL_MAOLAN_MIDI_CHANNEL, 1},
    {"MidiEvent.flags", SHL_MAOLAN_MIDI_FLAGS, 2},
    {"MidiEvent._pad", SHL_MAOLAN_MIDI_PAD, 2},
};

/* A name whose offset is a field of our row. */
struct mapped {
    const char *name;
    size_t field;
    uint32_t size;
};

#define ROW(n, f, s)                                                           \
    {                                                                          \
        n, offsetof(struct shl_maolan_layout, f), s                            \
    }

static const struct mapped mapped[] = {
    ROW("header.magic", magic, 4),
    ROW("header.version", version, 4),
    ROW("header.flags", flags, 4),
    ROW("header.ready", ready, 4),
    ROW("header.heartbeat", heartbeat, 4),
    ROW("header.error_code", error_code, 4),
    ROW("header.shutdown_request", shutdown_request, 4),
    ROW("header.tasks_issued", tasks_issued, 4),
    ROW("header.tasks_completed", tasks_completed, 4),
    ROW("header.block_size", block_size, 4),
    ROW("header.num_input_channels", input_channels, 4),
    ROW("header.num_output_channels", output_channels, 4),
    ROW("header.midi_in_port_count", midi_in_ports, 4),
    ROW("header.midi_out_port_count", midi_out_ports, 4),
    ROW("header.request_type", request_type, 4),
    ROW("header.request_status", request_status, 4),
    ROW("header.scratch_size", scratch_size, 4),
    ROW("header.parent_window", parent_window, 0), /* size: see below */
    ROW("header.state_dirty", state_dirty, 4),
    ROW("header.latency_samples", latency, 4),
    ROW("header.response_counter", response_counter, 4),
    ROW("header.block_response_eventless", block_response_eventless, 4),
    ROW("control.param_write", param_write, 4),
    ROW("control.param_read", param_read, 4),
    ROW("control.echo_write", echo_write, 4),
    ROW("control.echo_read", echo_read, 4),
    ROW("control.gui_mode", gui_mode, 4),
    ROW("control.gui_parent_api", gui_parent_api, 4),
    ROW("param_ring.slots", param_slots, 65536),
    ROW("echo_ring.slots", echo_slots, 65536),
    ROW("transport", transport, SHL_TRANSPORT_SIZE),
    ROW("scratch", scratch, SHL_SCRATCH_SIZE),
};

/* Layout A keeps the indices of its only MIDI rings in the control area. */
static const struct mapped mapped_one_port[] = {
    ROW("control.midi_in_write", midi_in_write, 4),
    ROW("control.midi_in_read", midi_in_read, 4),
    ROW("control.midi_out_write", midi_out_write, 4),
    ROW("control.midi_out_read", midi_out_read, 4),
    ROW("midi_in_ring.slots", midi_in_slots, 65536),
    ROW("midi_out_ring.slots", midi_out_slots, 65536),
};

/* A name inside the transport or the scratch area. */
struct inside {
    const char *name;
    uint32_t offset, size;
};

static const struct inside in_transport[] = {
    {"transport.playhead_sample", SHL_TRANSPORT_PLAYHEAD, 8},
    {"transport.tempo", SHL_TRANSPORT_TEMPO, 8},
    {"transport.numerator", SHL_TRANSPORT_NUMERATOR, 4},
    {"transport.denominator", SHL_TRANSPORT_DENOMINATOR, 4},
    {"transport.flags", SHL_TRANSPORT_FLAGS, 4},
    {"transport.sample_rate_hz", SHL_TRANSPORT_RATE, 8},
};

#define REST(from) (SHL_SCRATCH_SIZE - (uint32_t)(from))

static const struct inside in_scratch[] = {
    {"scratch.name.len", SHL_NAME_OFFSET, 4},
    {"scratch.name.bytes", SHL_NAME_TEXT, REST(SHL_NAME_TEXT)},
    {"scratch.port_counts.magic", SHL_PORT_COUNTS_OFFSET, 4},
    {"scratch.port_counts.audio_in", SHL_PORT_COUNTS_AUDIO_IN, 4},
    {"scratch.port_counts.audio_out", SHL_PORT_COUNTS_AUDIO_OUT, 4},
    {"scratch.port_counts.midi_in", SHL_PORT_COUNTS_MIDI_IN, 4},
    {"scratch.port_counts.midi_out", SHL_PORT_COUNTS_MIDI_OUT, 4},
    {"scratch.file_refs.magic", SHL_FILE_REFS_OFFSET, 4},
    {"scratch.file_refs.count", SHL_FILE_REFS_COUNT, 4},
    {"scratch.file_refs.entries", SHL_FILE_REFS_ENTRIES,
     REST(SHL_FILE_REFS_ENTRIES)},
    {"scratch.resource_dir.magic", SHL_RESOURCE_DIR_OFFSET, 4},
    {"scratch.resource_dir.len", SHL_RESOURCE_DIR_LENGTH, 4},
    {"scratch.resource_dir.bytes", SHL_RESOURCE_DIR_TEXT,
     REST(SHL_RESOURCE_DIR_TEXT)},
    {"scratch.file_ref_update.magic", SHL_FILE_UPDATE_OFFSET, 4},
    {"scratch.file_ref_update.index", SHL_FILE_UPDATE_INDEX, 4},
    {"scratch.file_ref_update.len", SHL_FILE_UPDATE_LENGTH, 4},
    {"scratch.file_ref_update.bytes", SHL_FILE_UPDATE_TEXT,
     REST(SHL_FILE_UPDATE_TEXT)},
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static uint32_t field_of(const struct shl_maolan_layout *layout, size_t field)
{
    uint32_t value;

    memcpy(&value, (const char *)layout + field, sizeof value);
    return value;
}

/* Each asks one table for a name; 1 if it knows it. `ours` gets our answer. */
static int ask_fixed(const struct row *row, struct row *ours)
{
    for (size_t i = 0; i < COUNT(fixed); i++)
        if (strcmp(row->name, fixed[i].name) == 0) {
            ours->offset = fixed[i].offset;
            ours->size = fixed[i].size;
            return 1;
        }
    return 0;
}

static int ask_mapped(const struct row *row, const struct mapped *map,
                      size_t count, const struct shl_maolan_layout *layout,
                      struct row *ours)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(row->name, map[i].name) == 0) {
            ours->offset = field_of(layout, map[i].field);
            ours->size = map[i].size;
            if (map[i].size == 0)
                ours->size = layout->parent_window_size;
            return 1;
        }
    return 0;
}

static int ask_inside(const struct row *row, const struct inside *inside,
                      size_t count, uint32_t base, struct row *ours)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(row->name, inside[i].name) == 0) {
            ours->offset = base + inside[i].offset;
            ours->size = inside[i].size;
            return 1;
        }
    return 0;
}

/* Since number 7 a word stands behind the text, and so the text has less room. */
static int ask_shared(const struct row *row,
                      const struct shl_maolan_layout *layout, struct row *ours)
{
    if (row->version[0] < '7')
        return 0;
    if (strcmp(row->name, "scratch.resource_dir.bytes") == 0) {
        ours->offset = layout->scratch + SHL_RESOURCE_DIR_TEXT;
        ours->size = REST(SHL_RESOURCE_DIR_TEXT) - SHL_RESOURCE_DIR_SHARED_SIZE;
        return 1;
    }
    ours->offset = 0;
    ours->size = SHL_RESOURCE_DIR_SHARED_SIZE;
    return strcmp(row->name, "resource_dir.shared_behind_text") == 0;
}

static int ask_plane(const struct row *row, struct row *ours)
{
    unsigned channel, bus;
    int end = 0;

    if (sscanf(row->name, "audio.plane.ch%u.bus%u%n", &channel, &bus, &end) !=
            2 ||
        row->name[end] || channel >= SHL_MAX_CHANNELS || bus >= SHL_BUSES)
        return 0;
    ours->offset = shl_plane_offset(channel, bus);
    ours->size = SHL_PLANE_SIZE;
    return 1;
}

static int ask_port_ring(const struct row *row,
                         const struct shl_maolan_layout *layout,
                         struct row *ours)
{
    char way[8], what[8];
    unsigned port;
    int in;

    if (sscanf(row->name, "midi_%7[a-z]_ring.%u.%7[a-z]", way, &port, what) !=
            3 ||
        port >= layout->midi_ports || layout->midi_ports == 1)
        return 0;
    in = strcmp(way, "in") == 0;
    ours->size = 4;
    if (strcmp(what, "write") == 0) {
        ours->offset = in ? layout->midi_in_write : layout->midi_out_write;
    } else if (strcmp(what, "read") == 0) {
        ours->offset = in ? layout->midi_in_read : layout->midi_out_read;
    } else {
        ours->offset = in ? layout->midi_in_slots : layout->midi_out_slots;
        ours->size = SHL_RING_SLOTS * SHL_MAOLAN_MIDI_SIZE;
    }
    ours->offset += port * SHL_MIDI_RING_STRIDE;
    return 1;
}

static int ask_whole(const struct row *row,
                     const struct shl_maolan_layout *layout, struct row *ours)
{
    ours->offset = 0;
    ours->size = SHL_MAX_MIDI_PORTS * SHL_MIDI_RING_STRIDE;
    if (strcmp(row->name, "segment.used") == 0)
        ours->size = layout->used_size;
    else if (layout->midi_ports == 1)
        return 0;
    else if (strcmp(row->name, "midi_in_rings") == 0)
        ours->offset = layout->midi_in_write;
    else if (strcmp(row->name, "midi_out_rings") == 0)
        ours->offset = layout->midi_out_write;
    else
        return 0;
    return 1;
}

static int ask_version(const struct row *row,
                       const struct shl_maolan_layout *layout, struct row *ours)
{
    if (strcmp(row->name, "const.VERSION"))
        return 0;
    *ours = *row;
    if (row->offset < layout->version_low || row->offset > layout->version_high)
        ours->offset = layout->version_high;
    return 1;
}

static int ask_all(const struct row *row,
                   const struct shl_maolan_layout *layout, struct row *ours)
{
    return ask_fixed(row, ours) || ask_plane(row, ours) ||
           ask_mapped(row, mapped, COUNT(mapped), layout, ours) ||
           (layout->midi_ports == 1 &&
            ask_mapped(row, mapped_one_port, COUNT(mapped_one_port), layout,
                       ours)) ||
           ask_inside(row, in_transport, COUNT(in_transport), layout->transport,
                      ours) ||
           ask_shared(row, layout, ours) ||
           ask_inside(row, in_scratch, COUNT(in_scratch), layout->scratch,
                      ours) ||
           ask_port_ring(row, layout, ours) || ask_whole(row, layout, ours) ||
           ask_version(row, layout, ours);
}

/* ---- reading the table ------------------------------------------------------ */

static FILE *open_offsets(void)
{
    char path[1024] = __FILE__;
    char *slash = strrchr(path, '/');
    FILE *file;

    strcpy(slash ? slash + 1 : path, "../offsets.tsv");
    file = fopen(path, "r");
    if (!file)
        fail_msg("%s cannot be read: run the test where it was built", path);
    return file;
}

/* 1: a row; 0: a comment; -1: the end. Anything else fails the test. */
static int next_row(FILE *file, struct row *row)
{
    char line[256];

    if (!fgets(line, sizeof line, file))
        return -1;
    if (line[0] == '#')
        return 0;
    if (sscanf(line, "%15[^\t]\t%47[^\t]\t%" SCNu32 "\t%" SCNu32, row->version,
               row->name, &row->offset, &row->size) != 4)
        fail_msg("offsets.tsv: cannot read the line \"%s\"", line);
    return 1;
}

static const struct shl_maolan_layout *layout_of(const char *version)
{
    static const struct {
        const char *version;
        int layout;
    } known[] = {{"3", SHL_LAYOUT_A},          {"4", SHL_LAYOUT_B8},
                 {"5", SHL_LAYOUT_B8},         {"6-0.0.16", SHL_LAYOUT_B8},
                 {"6-0.0.17", SHL_LAYOUT_B16}, {"7-0.0.18", SHL_LAYOUT_B16},
                 {"7-0.0.19", SHL_LAYOUT_B16}, {"8", SHL_LAYOUT_B16}};

    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(version, known[i].version) == 0)
            return &shl_maolan_layouts[known[i].layout];
    return NULL;
}

/* shows MP-01 MP-05 MP-06 MP-07b */
static void every_published_offset_is_ours(void **state)
{
    FILE *file = open_offsets();
    unsigned checked = 0, skipped = 0, wrong = 0;
    struct row row, ours;
    int kind;

    (void)state;
    while ((kind = next_row(file, &row)) >= 0) {
        const struct shl_maolan_layout *layout = layout_of(row.version);
        if (kind == 0)
            continue;
        if (!layout) {
            assert_string_equal(row.version, "1");
            skipped++; /* version 1 was never met outside its first crate */
            continue;
        }
        checked++;
        if (!ask_all(&row, layout, &ours)) {
            print_error("no check understands %s %s\n", row.version, row.name);
            wrong++;
        } else if (ours.offset != row.offset || ours.size != row.size) {
            print_error("%s %s: published %u, %u; ours %u, %u\n", row.version,
                        row.name, row.offset, row.size, ours.offset, ours.size);
            wrong++;
        }
    }
    fclose(file);
    print_message("%u lines checked; %u of version 1, which is not spoken, "
                  "skipped\n",
                  checked, skipped);
    assert_int_equal(wrong, 0);
    assert_int_equal(checked, 90 + 187 + 188 + 189 + 189 + 185 + 187 + 187);
    assert_int_equal(skipped, 66);
}

/* The other way round: what our rows have, the newest crate of that layout
 * has, and what they lack it lacks. */
static int published(const char *version, const char *name)
{
    FILE *file = open_offsets();
    struct row row;
    int kind, found = 0;

    while (!found && (kind = next_row(file, &row)) >= 0)
        found = kind && strcmp(row.version, version) == 0 &&
                strcmp(row.name, name) == 0;
    fclose(file);
    return found;
}

static void no_row_has_a_field_that_nobody_published(void **state)
{
    static const char *const newest[] = {"3", "6-0.0.16", "8"};

    (void)state;
    for (int l = 0; l < SHL_LAYOUT_COUNT; l++)
        for (size_t i = 0; i < COUNT(mapped); i++) {
            int ours =
                field_of(&shl_maolan_layouts[l], mapped[i].field) != SHL_NONE ||
                strcmp(mapped[i].name, "header.magic") == 0;
            if (ours != published(newest[l], mapped[i].name))
                fail_msg("%s in layout %s: ours %d", mapped[i].name,
                         shl_maolan_layouts[l].name, ours);
        }
}

static void version_numbers_find_their_row(void **state)
{
    (void)state;
    assert_string_equal(shl_layout_of_version(SHL_OWN_VERSION)->name, "A");
    assert_string_equal(shl_layout_of_version(3)->name, "A");
    assert_string_equal(shl_layout_of_version(4)->name, "B8");
    assert_string_equal(shl_layout_of_version(5)->name, "B8");
    assert_string_equal(shl_layout_of_version(6)->name, "B16");
    assert_null(shl_layout_of_version(0));
    assert_null(shl_layout_of_version(1));
    assert_null(shl_layout_of_version(2));
    assert_string_equal(shl_layout_of_version(7)->name, "B16");
    assert_string_equal(shl_layout_of_version(8)->name, "B16");
    assert_null(shl_layout_of_version(9));
    assert_null(shl_layout_of_version(UINT32_MAX));
}

/* shows MP-07 */
static void planes_do_not_overlap_and_fill_the_audio_area(void **state)
{
    uint32_t expected = SHL_AUDIO_OFFSET;

    (void)state;
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++)
        for (uint32_t b = 0; b < SHL_BUSES; b++) {
            assert_int_equal(shl_plane_offset(c, b), expected);
            expected += SHL_PLANE_SIZE;
        }
    assert_int_equal(expected, SHL_AUDIO_OFFSET + SHL_AUDIO_SIZE);
    assert_int_equal(expected, shl_maolan_layouts[SHL_LAYOUT_A].param_slots);
}

/* ---- our own structures -------------------------------------------------- */

static void fields_follow_each_other_without_a_gap(void **state)
{
    uint32_t expected = 0;

    (void)state;
    for (size_t i = 0; i < SHARED_FIELDS; i++) {
        const struct field *f = &shared_fields[i];
        if (f->offset != expected)
            fail_msg("struct %s: %s is at %u, but the fields before it end at "
                     "%u: name the padding, list the field in fields.h",
                     f->of, f->name ? f->name : "its end", f->offset, expected);
        expected = f->name ? f->offset + f->size : 0;
    }
}

static void regions_do_not_overlap(void **state)
{
    static const uint32_t begin_size[][2] = {
        {SHL_LINK_OFFSET, sizeof(struct shl_link_header)},
        {SHL_IDENTITY_OFFSET, sizeof(struct shl_identity_region)},
        {SHL_CLAIM_OFFSET, sizeof(struct shl_claim_region)},
        {SHL_LINES_OFFSET, sizeof(struct shl_lines)},
        {SHL_COUNTERS_OFFSET, sizeof(struct shl_counters)},
        {SHL_EVENTS_TO_DEVICE_OFFSET,
         SHL_EVENT_SLOTS * sizeof(struct shl_event)},
        {SHL_EVENTS_TO_HOST_OFFSET, SHL_EVENT_SLOTS * sizeof(struct shl_event)},
        {SHL_PARAMS_OFFSET, SHL_MAX_PARAMS * sizeof(struct shl_param_slot)},
        {SHL_MESSAGES_OFFSET, sizeof(struct shl_messages)},
        {SHL_LANES_OFFSET, sizeof(struct shl_lanes)},
        {SHL_TAPS_OFFSET, SHL_MAX_TAPS * sizeof(struct shl_tap_slot)},
        {SHL_STREAMS_OFFSET, sizeof(struct shl_streams)},
        {SHL_SEGMENT_SIZE, 0}};

    (void)state;
    for (size_t i = 0; i + 1 < COUNT(begin_size); i++) {
        assert_true(begin_size[i][0] + begin_size[i][1] <=
                    begin_size[i + 1][0]);
        assert_int_equal(begin_size[i][0] % 64, 0);
    }
}

/* ---- the digest ------------------------------------------------------------ */

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 0x100000001B3u;
    return hash;
}

static uint64_t mix_word(uint64_t hash, uint64_t word)
{
    return mix(hash, &word, sizeof word);
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    return mix(hash, text, strlen(text) + 1);
}

static uint64_t mix_fields(uint64_t hash)
{
    for (size_t i = 0; i < SHARED_FIELDS; i++) {
        const struct field *f = &shared_fields[i];
        hash = mix_text(hash, f->of);
        hash = mix_text(hash, f->name ? f->name : "");
        hash = mix_word(hash, f->offset);
        hash = mix_word(hash, f->size);
    }
    hash = mix_word(hash, offsetof(struct shl_link_header, region[1].id));
    hash = mix_word(hash, offsetof(struct shl_link_header, region[0].offset));
    return mix_word(hash, offsetof(struct shl_link_header, region[0].size));
}

/* The row that our devices create, without its name, which is a pointer; what
 * the others are is published and compared above. */
static uint64_t mix_rows(uint64_t hash)
{
    size_t begin = offsetof(struct shl_maolan_layout, version_low);
    size_t end = offsetof(struct shl_maolan_layout, scratch) + sizeof(uint32_t);

    hash = mix(hash, (const char *)&shl_maolan_layouts[SHL_LAYOUT_A] + begin,
               end - begin);
    for (size_t i = 0; i < COUNT(fixed); i++)
        hash = mix_word(mix_word(hash, fixed[i].offset), fixed[i].size);
    for (size_t i = 0; i < COUNT(in_transport); i++)
        hash = mix_word(hash, in_transport[i].offset);
    for (size_t i = 0; i < COUNT(in_scratch); i++)
        hash = mix_word(hash, in_scratch[i].offset);
    return mix_word(hash, SHL_TRANSPORT_BEATS);
}

/* Numbers that both sides must agree on, wherever they are declared. */
static const uint64_t numbers[] = {
    SHL_BUS_TO_DEVICE,
    SHL_BUS_TO_HOST,
    SHL_TRANSPORT_PLAYING,
    SHL_REQUEST_PENDING,
    SHL_REQUEST_SUCCESS,
    SHL_REQUEST_ERROR,
    SHL_OWN_VERSION,
    SHL_LINK_MAGIC,
    SHL_EVENT_SLOTS,
    SHL_MAX_PARAMS,
    SHL_REGION_IDENTITY,
    SHL_REGION_CLAIM,
    SHL_REGION_LINES,
    SHL_REGION_COUNTERS,
    SHL_REGION_PARAMS,
    SHL_REGION_EVENTS_TO_DEVICE,
    SHL_REGION_EVENTS_TO_HOST,
    SHL_REGION_END,
    SHL_IDENTITY_OFFSET,
    SHL_CLAIM_OFFSET,
    SHL_LINES_OFFSET,
    SHL_COUNTERS_OFFSET,
    SHL_EVENTS_TO_DEVICE_OFFSET,
    SHL_EVENTS_TO_HOST_OFFSET,
    SHL_PARAMS_OFFSET,
    SHL_SEGMENT_SIZE,
    SHL_MAX_DEVICES,
    SHL_BOARD_SLOT_MAGIC,
    SHL_EVENT_UMP,
    SHL_EVENT_PARAM,
    SHL_EVENT_PARAM_MOD,
    SHL_EVENT_GESTURE_BEGIN,
    SHL_EVENT_GESTURE_END,
    SHL_EVENT_TEMPO,
    SHL_EVENT_PLAYHEAD,
    SHL_CURVE_LINEAR,
    SHL_CURVE_LOG,
    SHL_CURVE_STEPPED,
    SHL_PARAM_AUTOMATABLE,
    SHL_PARAM_READ_ONLY,
    SHL_PARAM_TOGGLE,
    SHL_DRIVE_LOCKSTEP,
    SHL_DRIVE_PIPELINED,
    SHL_DRIVE_FREE,
    SHL_MODE_BOTH,
    SHL_MODE_AUDIO,
    SHL_MODE_MIDI,
    SHL_CAP_PARAMS,
    SHL_CAP_MIDI_IN,
    SHL_CAP_SYSEX_IN,
    SHL_CAP_TRANSPORT_IN,
    SHL_CAP_SYNTH,
    SHL_REGION_MESSAGES,
    SHL_REGION_TAPS,
    SHL_REGION_STREAMS,
    SHL_MESSAGES_OFFSET,
    SHL_TAPS_OFFSET,
    SHL_STREAMS_OFFSET,
    SHL_MESSAGE_SLOTS,
    SHL_MESSAGE_PAYLOAD,
    SHL_MAX_PAYLOAD,
    SHL_MESSAGE_ASKS,
    SHL_MESSAGE_UNASKED,
    SHL_MAX_TAPS,
    SHL_STREAM_FRAMES,
    SHL_TAP_AUDIO,
    SHL_TAP_CONTROL,
    SHL_TAP_GATE,
    SHL_MESSAGE_PING,
    SHL_MESSAGE_PONG,
    SHL_MESSAGE_REPLY,
    SHL_MESSAGE_ERROR,
    SHL_MESSAGE_BYE,
    SHL_MESSAGE_IDLE,
    SHL_MESSAGE_ACTIVE,
    SHL_MESSAGE_MIDI_RAW,
    SHL_MESSAGE_PARAM_LIST,
    SHL_MESSAGE_PARAM_GET,
    SHL_MESSAGE_PARAM_SET,
    SHL_MESSAGE_PARAM_TEXT,
    SHL_MESSAGE_PROGRAM_LIST,
    SHL_MESSAGE_PROGRAM_GET,
    SHL_MESSAGE_PROGRAM_SET,
    SHL_MESSAGE_PRESET,
    SHL_MESSAGE_STATE_SAVE,
    SHL_MESSAGE_STATE_RESTORE,
    SHL_MESSAGE_FILE_OFFER,
    SHL_MESSAGE_FILE_DATA,
    SHL_MESSAGE_TAP_LIST,
    SHL_MESSAGE_TAP_SELECT,
    SHL_MESSAGE_BYPASS,
    SHL_MESSAGE_RESET,
    SHL_MESSAGE_BUS_LAYOUT,
    SHL_MESSAGE_LOG,
    SHL_MESSAGE_EXTENSIONS,
    SHL_MESSAGE_EXTENSION_CALL,
    SHL_MESSAGE_PLUGIN,
    SHL_REGION_LANES,
    SHL_LANES_OFFSET,
    SHL_LANE_EVENTS,
    SHL_CLAIM_LANES,
};

static uint64_t digest(void)
{
    uint64_t hash = 0xCBF29CE484222325u;

    hash = mix_rows(mix_fields(hash));
    for (size_t i = 0; i < COUNT(numbers); i++)
        hash = mix_word(hash, numbers[i]);
    /* refusals travel as numbers; new ones go to the end and change nothing */
    for (int s = SHL_OK; s <= SHL_SYSTEM; s++)
        hash = mix_text(hash, shl_status_word((shl_status)s));
    return hash;
}

/* One line per version that was ever released; old lines stay. */
static const struct {
    uint32_t major, minor, board;
    uint64_t digest;
} on_record[] = {
    {1, 0, 1, 0xFE56D4AA0E8F789Eu},
    {1, 1, 1, 0xA161D670040FDE8Eu},
    {1, 2, 1, 0xFAE435168E4608F4u},
};

/* shows MP-04 */
static void changed_layout_has_a_new_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(on_record); i++) {
        if (on_record[i].major != SHL_LINK_MAJOR ||
            on_record[i].minor != SHL_LINK_MINOR ||
            on_record[i].board != SHL_BOARD_VERSION)
            continue;
        if (on_record[i].digest != digest())
            fail_msg(
                "the shared layout has changed but still calls itself link "
                "%u.%u, board %u. Undo the change, or raise SHL_LINK_MINOR "
                "(regions added or enlarged), SHL_LINK_MAJOR (anything else "
                "in the segment) or SHL_BOARD_VERSION in layout.h and add "
                "the digest 0x%016" PRIX64 " to on_record in this test",
                SHL_LINK_MAJOR, SHL_LINK_MINOR, SHL_BOARD_VERSION, digest());
        return;
    }
    fail_msg("link %u.%u, board %u has no digest on record: add "
             "0x%016" PRIX64 " to on_record in this test and say in "
             "PROTOCOL.md and CHANGELOG.md what has changed",
             SHL_LINK_MAJOR, SHL_LINK_MINOR, SHL_BOARD_VERSION, digest());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_offset_is_ours),
        cmocka_unit_test(no_row_has_a_field_that_nobody_published),
        cmocka_unit_test(version_numbers_find_their_row),
        cmocka_unit_test(planes_do_not_overlap_and_fill_the_audio_area),
        cmocka_unit_test(fields_follow_each_other_without_a_gap),
        cmocka_unit_test(regions_do_not_overlap),
        cmocka_unit_test(changed_layout_has_a_new_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
