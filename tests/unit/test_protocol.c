/* SPDX-License-Identifier: MIT */
/* PROTOCOL.md against the code: every number in its tables, and a row for each
 * public name of the reference crate whose counterpart exists. Given any
 * argument, prints the numbers as PROTOCOL.md must have them. */
#define _POSIX_C_SOURCE 200809L

#include "core/shm/layout.h"
#include "core/shm/segment.h"
#include "shmlink/event.h"
#include "shmlink/param.h"
#include "shmlink/registry.h"

#include "fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- what the tables must say --------------------------------------------- */

struct constant {
    const char *name;
    uint64_t value;
};

/* clang-format off */
#define C(name) {#name, (uint64_t)(name)}
/* clang-format on */

static const struct constant constants[] = {
    C(SHL_MAOLAN_SIZE),
    C(SHL_MAOLAN_MAGIC),
    C(SHL_MAX_CHANNELS),
    C(SHL_MAX_FRAMES),
    C(SHL_BUSES),
    C(SHL_BUS_TO_DEVICE),
    C(SHL_BUS_TO_HOST),
    C(SHL_RING_SLOTS),
    C(SHL_MAX_MIDI_PORTS),
    C(SHL_HEADER_SIZE),
    C(SHL_CONTROL_OFFSET),
    C(SHL_CONTROL_SIZE),
    C(SHL_AUDIO_OFFSET),
    C(SHL_PLANE_SIZE),
    C(SHL_AUDIO_SIZE),
    C(SHL_SCRATCH_SIZE),
    C(SHL_PORT_COUNTS_MAGIC),
    C(SHL_FILE_REFS_MAGIC),
    C(SHL_FILE_UPDATE_MAGIC),
    C(SHL_AU_PARAMS_MAGIC),
    C(SHL_MIDI_RING_STRIDE),
    C(SHL_PARAM_EVENT_VALUE),
    C(SHL_PARAM_EVENT_MOD),
    C(SHL_PARAM_EVENT_BEGIN),
    C(SHL_PARAM_EVENT_END),
    C(SHL_TRANSPORT_PLAYING),
    C(SHL_REQUEST_PENDING),
    C(SHL_REQUEST_SUCCESS),
    C(SHL_REQUEST_ERROR),
    C(SHL_LAYOUT_A),
    C(SHL_LAYOUT_B8),
    C(SHL_LAYOUT_B16),
    C(SHL_OWN_VERSION),
    C(SHL_TRANSPORT_PLAYHEAD),
    C(SHL_TRANSPORT_TEMPO),
    C(SHL_TRANSPORT_NUMERATOR),
    C(SHL_TRANSPORT_DENOMINATOR),
    C(SHL_TRANSPORT_FLAGS),
    C(SHL_TRANSPORT_RATE),
    C(SHL_TRANSPORT_BEATS),
    C(SHL_TRANSPORT_SIZE),
    C(SHL_MAOLAN_PARAM_INDEX),
    C(SHL_MAOLAN_PARAM_VALUE),
    C(SHL_MAOLAN_PARAM_OFFSET),
    C(SHL_MAOLAN_PARAM_KIND),
    C(SHL_MAOLAN_PARAM_SIZE),
    C(SHL_MAOLAN_MIDI_OFFSET),
    C(SHL_MAOLAN_MIDI_DATA),
    C(SHL_MAOLAN_MIDI_CHANNEL),
    C(SHL_MAOLAN_MIDI_FLAGS),
    C(SHL_MAOLAN_MIDI_PAD),
    C(SHL_MAOLAN_MIDI_SIZE),
    C(SHL_NAME_OFFSET),
    C(SHL_NAME_TEXT),
    C(SHL_PORT_COUNTS_OFFSET),
    C(SHL_PORT_COUNTS_AUDIO_IN),
    C(SHL_PORT_COUNTS_AUDIO_OUT),
    C(SHL_PORT_COUNTS_MIDI_IN),
    C(SHL_PORT_COUNTS_MIDI_OUT),
    C(SHL_FILE_REFS_OFFSET),
    C(SHL_FILE_REFS_COUNT),
    C(SHL_FILE_REFS_ENTRIES),
    C(SHL_RESOURCE_DIR_OFFSET),
    C(SHL_RESOURCE_DIR_LENGTH),
    C(SHL_RESOURCE_DIR_TEXT),
    C(SHL_RESOURCE_DIR_SHARED_SIZE),
    C(SHL_FILE_UPDATE_OFFSET),
    C(SHL_FILE_UPDATE_INDEX),
    C(SHL_FILE_UPDATE_LENGTH),
    C(SHL_FILE_UPDATE_TEXT),
    C(SHL_AU_PARAMS_OFFSET),
    C(SHL_AU_PARAMS_COUNT),
    C(SHL_AU_PARAMS_ENTRIES),
    C(SHL_LINK_OFFSET),
    C(SHL_LINK_MAGIC),
    C(SHL_LINK_MAJOR),
    C(SHL_LINK_MINOR),
    C(SHL_EVENT_SLOTS),
    C(SHL_LANE_EVENTS),
    C(SHL_MAX_PARAMS),
    C(SHL_ID_SIZE),
    C(SHL_TAG_SIZE),
    C(SHL_TEXT_SIZE),
    C(SHL_SEGMENT_NAME_SIZE),
    C(SHL_MESSAGE_SLOTS),
    C(SHL_MAX_TAPS),
    C(SHL_TAP_NAME_SIZE),
    C(SHL_STREAM_FRAMES),
    C(SHL_REGION_IDENTITY),
    C(SHL_REGION_CLAIM),
    C(SHL_REGION_LINES),
    C(SHL_REGION_COUNTERS),
    C(SHL_REGION_PARAMS),
    C(SHL_REGION_EVENTS_TO_DEVICE),
    C(SHL_REGION_EVENTS_TO_HOST),
    C(SHL_REGION_MESSAGES),
    C(SHL_REGION_TAPS),
    C(SHL_REGION_STREAMS),
    C(SHL_REGION_LANES),
    C(SHL_IDENTITY_OFFSET),
    C(SHL_CLAIM_OFFSET),
    C(SHL_LINES_OFFSET),
    C(SHL_COUNTERS_OFFSET),
    C(SHL_EVENTS_TO_DEVICE_OFFSET),
    C(SHL_EVENTS_TO_HOST_OFFSET),
    C(SHL_PARAMS_OFFSET),
    C(SHL_MESSAGES_OFFSET),
    C(SHL_LANES_OFFSET),
    C(SHL_TAPS_OFFSET),
    C(SHL_STREAMS_OFFSET),
    C(SHL_SEGMENT_SIZE),
    C(SHL_MAX_DEVICES),
    C(SHL_BOARD_SLOT_MAGIC),
    C(SHL_BOARD_VERSION),
    C(SHL_LEASE_DEVICE),
    C(SHL_LEASE_HOST),
    C(SHL_EVENT_UMP),
    C(SHL_EVENT_PARAM),
    C(SHL_EVENT_PARAM_MOD),
    C(SHL_EVENT_GESTURE_BEGIN),
    C(SHL_EVENT_GESTURE_END),
    C(SHL_EVENT_TEMPO),
    C(SHL_EVENT_PLAYHEAD),
    C(SHL_CURVE_LINEAR),
    C(SHL_CURVE_LOG),
    C(SHL_CURVE_STEPPED),
    C(SHL_PARAM_AUTOMATABLE),
    C(SHL_PARAM_READ_ONLY),
    C(SHL_PARAM_TOGGLE),
    C(SHL_DRIVE_LOCKSTEP),
    C(SHL_DRIVE_PIPELINED),
    C(SHL_DRIVE_FREE),
    C(SHL_MODE_BOTH),
    C(SHL_MODE_AUDIO),
    C(SHL_MODE_MIDI),
    C(SHL_CAP_PARAMS),
    C(SHL_CAP_PARAM_TEXT),
    C(SHL_CAP_PARAM_RAMP),
    C(SHL_CAP_PARAM_OUT),
    C(SHL_CAP_PROGRAMS),
    C(SHL_CAP_STATE),
    C(SHL_CAP_BANK),
    C(SHL_CAP_MIDI_IN),
    C(SHL_CAP_MIDI_OUT),
    C(SHL_CAP_SYSEX_IN),
    C(SHL_CAP_SYSEX_OUT),
    C(SHL_CAP_DETUNE),
    C(SHL_CAP_TRANSPORT_IN),
    C(SHL_CAP_TRANSPORT_OUT),
    C(SHL_CAP_BYPASS),
    C(SHL_CAP_TAIL),
    C(SHL_CAP_RESET),
    C(SHL_CAP_OFFLINE),
    C(SHL_CAP_LATENCY),
    C(SHL_CAP_BUSSES),
    C(SHL_CAP_EDITOR),
    C(SHL_CAP_RESIZABLE),
    C(SHL_CAP_SPAWN),
    C(SHL_CAP_QUIT),
    C(SHL_CAP_CAN_DO),
    C(SHL_CAP_VENDOR),
    C(SHL_CAP_SYNTH),
    C(SHL_CAP_ANY_RATE),
    C(SHL_TAP_AUDIO),
    C(SHL_TAP_CONTROL),
    C(SHL_TAP_GATE),
    C(SHL_MESSAGE_PAYLOAD),
    C(SHL_MAX_PAYLOAD),
    C(SHL_MESSAGE_ASKS),
    C(SHL_MESSAGE_UNASKED),
    C(SHL_MESSAGE_PING),
    C(SHL_MESSAGE_PONG),
    C(SHL_MESSAGE_REPLY),
    C(SHL_MESSAGE_ERROR),
    C(SHL_MESSAGE_BYE),
    C(SHL_MESSAGE_IDLE),
    C(SHL_MESSAGE_ACTIVE),
    C(SHL_MESSAGE_MIDI_RAW),
    C(SHL_MESSAGE_PARAM_LIST),
    C(SHL_MESSAGE_PARAM_GET),
    C(SHL_MESSAGE_PARAM_SET),
    C(SHL_MESSAGE_PARAM_TEXT),
    C(SHL_MESSAGE_PROGRAM_LIST),
    C(SHL_MESSAGE_PROGRAM_GET),
    C(SHL_MESSAGE_PROGRAM_SET),
    C(SHL_MESSAGE_PRESET),
    C(SHL_MESSAGE_STATE_SAVE),
    C(SHL_MESSAGE_STATE_RESTORE),
    C(SHL_MESSAGE_FILE_OFFER),
    C(SHL_MESSAGE_FILE_DATA),
    C(SHL_MESSAGE_TAP_LIST),
    C(SHL_MESSAGE_TAP_SELECT),
    C(SHL_MESSAGE_BYPASS),
    C(SHL_MESSAGE_RESET),
    C(SHL_MESSAGE_BUS_LAYOUT),
    C(SHL_MESSAGE_LOG),
    C(SHL_MESSAGE_EXTENSIONS),
    C(SHL_MESSAGE_EXTENSION_CALL),
    C(SHL_MESSAGE_PLUGIN),
    C(SHL_OK),
    C(SHL_AGAIN),
    C(SHL_TIMEOUT),
    C(SHL_NOT_FOUND),
    C(SHL_BUSY),
    C(SHL_GONE),
    C(SHL_TAKEN),
    C(SHL_BOARD_FULL),
    C(SHL_RING_FULL),
    C(SHL_NO_MEMORY),
    C(SHL_NO_SPACE),
    C(SHL_NO_SHM),
    C(SHL_NO_PERMISSION),
    C(SHL_NO_DESCRIPTORS),
    C(SHL_FOREIGN),
    C(SHL_CUT),
    C(SHL_WRONG_VERSION),
    C(SHL_WRONG_RATE),
    C(SHL_WRONG_BLOCK),
    C(SHL_WRONG_CHANNELS),
    C(SHL_WRONG_DRIVE),
    C(SHL_WRONG_MODE),
    C(SHL_BAD_PEER),
    C(SHL_BAD_NAME),
    C(SHL_BAD_VALUE),
    C(SHL_UNSUPPORTED),
    C(SHL_NO_DEVICE),
    C(SHL_SYSTEM),
};

struct row {
    const char *name;
    size_t field;
    uint32_t bytes;
};

/* clang-format off */
#define ROW(f, s) {#f, offsetof(struct shl_maolan_layout, f), s}
/* clang-format on */

/* Fields and areas of the Maolan part, in the order of PROTOCOL.md. */
static const struct row rows[] = {
    ROW(magic, 4),
    ROW(version, 4),
    ROW(flags, 4),
    ROW(ready, 4),
    ROW(heartbeat, 4),
    ROW(error_code, 4),
    ROW(shutdown_request, 4),
    ROW(tasks_issued, 4),
    ROW(tasks_completed, 4),
    ROW(block_size, 4),
    ROW(input_channels, 4),
    ROW(output_channels, 4),
    ROW(midi_in_ports, 4),
    ROW(midi_out_ports, 4),
    ROW(request_type, 4),
    ROW(request_status, 4),
    ROW(scratch_size, 4),
    ROW(parent_window, 8),
    ROW(state_dirty, 4),
    ROW(latency, 4),
    ROW(response_counter, 4),
    ROW(block_response_eventless, 4),
    ROW(param_write, 4),
    ROW(param_read, 4),
    ROW(echo_write, 4),
    ROW(echo_read, 4),
    ROW(midi_in_write, 4),
    ROW(midi_in_read, 4),
    ROW(midi_out_write, 4),
    ROW(midi_out_read, 4),
    ROW(gui_mode, 4),
    ROW(gui_parent_api, 4),
    ROW(param_slots, 65536),
    ROW(echo_slots, 65536),
    ROW(midi_in_slots, 65536),
    ROW(midi_out_slots, 65536),
    ROW(transport, SHL_TRANSPORT_SIZE),
    ROW(scratch, SHL_SCRATCH_SIZE),
    ROW(used_size, 0),
    ROW(midi_ports, 0),
    ROW(version_low, 0),
    ROW(version_high, 0),
};

static void seqlock(char *text, size_t size, const struct row *row, int layout)
{
    uint32_t value;

    memcpy(&value, (const char *)&shl_maolan_layouts[layout] + row->field,
           sizeof value);
    if (value == SHL_NONE && strcmp(row->name, "magic"))
        snprintf(text, size, "-");
    else
        snprintf(text, size, "%" PRIu32, value);
}

static void layout_row(char *line, size_t size, size_t i)
{
    char a[16], b8[16], b16[16], bytes[16] = "-";

    seqlock(a, sizeof a, &rows[i], SHL_LAYOUT_A);
    seqlock(b8, sizeof b8, &rows[i], SHL_LAYOUT_B8);
    seqlock(b16, sizeof b16, &rows[i], SHL_LAYOUT_B16);
    if (rows[i].bytes)
        snprintf(bytes, sizeof bytes, "%" PRIu32, rows[i].bytes);
    snprintf(line, size, "| `%s` | %s | %s | %s | %s |", rows[i].name, bytes, a,
             b8, b16);
}

static void constant_row(char *line, size_t size, size_t i)
{
    const struct constant *c = &constants[i];
    int magic = strstr(c->name, "MAGIC") != NULL;

    if (magic)
        snprintf(line, size, "| `%s` | 0x%08" PRIX64 " |", c->name, c->value);
    else
        snprintf(line, size, "| `%s` | %" PRIu64 " |", c->name, c->value);
}

static void field_row(char *line, size_t size, size_t i)
{
    const struct field *f = &shared_fields[i];

    if (f->name)
        snprintf(line, size, "| %" PRIu32 " | %" PRIu32 " | `%s` |", f->offset,
                 f->size, f->name);
    else
        snprintf(line, size, "`struct %s`: %" PRIu32 " bytes", f->of,
                 f->offset);
}

struct table {
    void (*row)(char *line, size_t size, size_t i);
    size_t rows;
};

static const struct table layout_table = {layout_row, COUNT(rows)};
static const struct table constant_table = {constant_row, COUNT(constants)};
static const struct table field_table = {field_row, SHARED_FIELDS};

/* ---- reading -------------------------------------------------------------- */

/** A path from the top of the project. */
static void top(char *path, size_t size, const char *name)
{
    const char *slash = strrchr(__FILE__, '/');
    int length = slash ? (int)(slash - __FILE__) : 1;

    snprintf(path, size, "%.*s/../../%s", length, slash ? __FILE__ : ".", name);
}

/** A whole file of the project; to be freed. */
static char *slurp(const char *name)
{
    size_t room = 1 << 20, size;
    char path[512], *text;
    FILE *file;

    top(path, sizeof path, name);
    file = fopen(path, "rb");
    if (!file)
        fail_msg("%s cannot be read: run the test where it was built", path);
    text = malloc(room);
    assert_non_null(text);
    size = fread(text, 1, room - 1, file);
    text[size] = 0;
    fclose(file);
    return text;
}

static char *protocol;

static int load(void **state)
{
    (void)state;
    protocol = slurp("docs/PROTOCOL.md");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    free(protocol);
    return 0;
}

/* ---- numbers ------------------------------------------------------------- */

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end ? end + 1 : NULL;
}

static int begins(const char *line, const char *begin)
{
    return strncmp(line, begin, strlen(begin)) == 0;
}

/** The first line from `from` on that begins so, or NULL. */
static const char *find_line(const char *from, const char *begin)
{
    while (from && !begins(from, begin))
        from = next_line(from);
    return from;
}

/** Whether one of the rows of the table is the beginning of this line. */
static int known(const struct table *table, const char *line)
{
    char row[256];

    for (size_t i = 0; i < table->rows; i++) {
        table->row(row, sizeof row, i);
        if (begins(line, row))
            return 1;
    }
    return 0;
}

/* Every row is in the section, and every line of it that begins as rows do is
 * one of them. */
static void compare(const struct table *table, const char *section,
                    const char *sign)
{
    const char *from = find_line(protocol, section);
    unsigned wrong = 0;
    char row[256];

    if (!from)
        fail_msg("PROTOCOL.md has no section \"%s\"", section);
    for (size_t i = 0; i < table->rows; i++) {
        table->row(row, sizeof row, i);
        if (find_line(from, row))
            continue;
        print_error("PROTOCOL.md lacks  %s\n", row);
        wrong++;
    }
    for (const char *line = next_line(from); line && !begins(line, "## ");
         line = next_line(line)) {
        if (!begins(line, sign) || known(table, line))
            continue;
        print_error("PROTOCOL.md, wrong row: %.60s\n", line);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void every_offset_of_the_layouts_is_told_truly(void **state)
{
    (void)state;
    compare(&layout_table, "## 2. ", "| `");
}

static void every_constant_is_told_truly(void **state)
{
    (void)state;
    compare(&constant_table, "## 6. ", "| `");
}

/** The next row of a structure's table, or NULL where the table is over. */
static const char *next_field(const char *line)
{
    while ((line = next_line(line)) != NULL) {
        if (begins(line, "`struct ") || begins(line, "#"))
            return NULL;
        if (begins(line, "| ") && isdigit((unsigned char)line[2]))
            return line;
    }
    return NULL;
}

/* Rows of a structure, in order and none too many; returns the faults. */
static unsigned compare_structure(size_t first, size_t end)
{
    const char *line;
    char row[256];

    field_row(row, sizeof row, end);
    line = find_line(protocol, row);
    if (!line) {
        print_error("PROTOCOL.md lacks the line  %s\n", row);
        return 1;
    }
    for (size_t i = first; i < end; i++) {
        field_row(row, sizeof row, i);
        line = next_field(line);
        if (!line || !begins(line, row)) {
            print_error("PROTOCOL.md, struct %s, should be  %s\n",
                        shared_fields[end].of, row);
            return 1;
        }
    }
    if (next_field(line))
        print_error("PROTOCOL.md, struct %s has a row too many\n",
                    shared_fields[end].of);
    return next_field(line) != NULL;
}

/* DL-09: each type has a row, word for word as the code has it. */
static void every_message_type_is_told_truly(void **state)
{
    unsigned wrong = 0;
    char row[512];

    (void)state;
    for (uint32_t type = 1; type < SHL_MESSAGE_TYPES; type++) {
        const struct shl_message_about *about = shl_message_get_about(type);
        assert_non_null(about);
        snprintf(row, sizeof row,
                 "| %" PRIu32 " | %s | %s | %s | %s | %s | %" PRIu32 " |", type,
                 about->name, about->sender, about->payload, about->answer,
                 about->errors, about->timeout_ms);
        if (find_line(protocol, row))
            continue;
        print_error("PROTOCOL.md lacks  %s\n", row);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void every_field_of_our_structures_is_told_truly(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0, first = 0; i < SHARED_FIELDS; i++) {
        if (shared_fields[i].name)
            continue;
        wrong += compare_structure(first, i);
        first = i + 1;
    }
    assert_int_equal(wrong, 0);
}

/* ---- names of the reference crate ---------------------------------------- */

#define REASON "not needed, because "

static char *sources; /* all of src/core and include */

static int load_sources(void **state)
{
    char path[512], *end;
    size_t root;
    glob_t found;

    (void)state;
    sources = malloc(8 << 20);
    end = sources;
    assert_non_null(sources);
    top(path, sizeof path, "");
    root = strlen(path);
    top(path, sizeof path, "src/core/*/*.[ch]");
    assert_int_equal(glob(path, 0, NULL, &found), 0);
    top(path, sizeof path, "include/shmlink/*.h");
    assert_int_equal(glob(path, GLOB_APPEND, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = slurp(found.gl_pathv[i] + root);

        end += sprintf(end, "%s\n", text);
        free(text);
    }
    globfree(&found);
    return 0;
}

static int unload_sources(void **state)
{
    (void)state;
    free(sources);
    return 0;
}

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static int in_sources(const char *word)
{
    size_t length = strlen(word);
    const char *at = sources;

    while ((at = strstr(at, word)) != NULL) {
        if ((at == sources || !is_word(at[-1])) && !is_word(at[length]))
            return 1;
        at++;
    }
    return 0;
}

/* Everything in backticks up to the end of the line is in the sources;
 * returns how many there were, and counts those that are not. */
static unsigned counterparts(const char *text, unsigned *wrong)
{
    unsigned count = 0;
    char word[64];
    int end;

    for (; *text && *text != '\n'; text++) {
        end = 0;
        if (sscanf(text, "`%63[^`\n]`%n", word, &end) != 1 || end == 0)
            continue;
        text += end - 1;
        count++;
        if (in_sources(word))
            continue;
        print_error("PROTOCOL.md names %s, but src/core has no such thing\n",
                    word);
        (*wrong)++;
    }
    return count;
}

/* One public name: a row, and in it a counterpart that exists, or a reason. */
static unsigned name_faults(const char *section, const char *name)
{
    unsigned wrong = 0;
    const char *line;
    char row[80];
    int reason;

    snprintf(row, sizeof row, "| `%s` | ", name);
    line = find_line(section, row);
    if (!line) {
        print_error("PROTOCOL.md lacks the name %s\n", name);
        return 1;
    }
    line += strlen(row);
    reason =
        begins(line, REASON) && isalpha((unsigned char)line[strlen(REASON)]);
    if (counterparts(line, &wrong) == 0 && !reason) {
        print_error("PROTOCOL.md: %s has neither a counterpart nor a \"" REASON
                    "...\"\n",
                    name);
        wrong++;
    }
    return wrong;
}

/* shows MP-24 */
static void every_public_name_has_a_counterpart_or_a_reason(void **state)
{
    const char *section = find_line(protocol, "## 7. ");
    char *names = slurp("tests/protocol-names.txt");
    unsigned wrong = 0, count = 0, rows_there = 0;

    (void)state;
    assert_non_null(section);
    for (const char *line = names; line && *line; line = next_line(line)) {
        char kind[16], name[64];
        if (*line == '#')
            continue;
        assert_int_equal(sscanf(line, "%15s %63s", kind, name), 2);
        wrong += name_faults(section, name);
        count++;
    }
    free(names);
    for (const char *line = section; line; line = next_line(line))
        rows_there += begins(line, "| `") ? 1 : 0;
    print_message("%u public names\n", count);
    assert_int_equal(wrong, 0);
    assert_int_equal(rows_there, count);
    assert_true(count >= 100);
}

/* ---- printing ------------------------------------------------------------- */

static void print_table(const struct table *table)
{
    char row[256];

    for (size_t i = 0; i < table->rows; i++) {
        table->row(row, sizeof row, i);
        puts(row);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_offset_of_the_layouts_is_told_truly),
        cmocka_unit_test(every_constant_is_told_truly),
        cmocka_unit_test(every_field_of_our_structures_is_told_truly),
        cmocka_unit_test(every_message_type_is_told_truly),
        cmocka_unit_test_setup_teardown(
            every_public_name_has_a_counterpart_or_a_reason, load_sources,
            unload_sources),
    };

    (void)argv;
    if (argc > 1) {
        print_table(&layout_table);
        print_table(&constant_table);
        print_table(&field_table);
        return 0;
    }
    return cmocka_run_group_tests(tests, load, unload);
}
