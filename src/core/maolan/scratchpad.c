/* SPDX-License-Identifier: MIT */
#include "shmlink/scratchpad.h"

#include "core/maolan/maolan.h"
#include "core/maolan/scratch.h"

#include <stdlib.h>
#include <string.h>

static_assert((int)SHL_PLUGIN_HOST_STATE_SAVE == (int)SHL_MAOLAN_STATE_SAVE,
              "wire");
static_assert((int)SHL_PLUGIN_HOST_SHOW == (int)SHL_MAOLAN_GUI_SHOW, "wire");
static_assert((int)SHL_PLUGIN_HOST_FOLDER == (int)SHL_MAOLAN_RESOURCE_DIR,
              "wire");
static_assert((int)SHL_PLUGIN_HOST_FILE == (int)SHL_MAOLAN_FILE_UPDATE, "wire");
static_assert((int)SHL_PLUGIN_HOST_AU_PARAMS == (int)SHL_MAOLAN_AU_PARAMS,
              "wire");
static_assert((int)SHL_PLUGIN_HOST_PORTS == (int)SHL_MAOLAN_AUDIO_PORTS,
              "wire");

struct shl_scratchpad {
    uint32_t type;
    /* the answer: bytes [begin, end) of result */
    bool tables; /* it is a table: its end is not written yet */
    struct shl_table table;
    uint32_t begin, end;
    uint8_t given[SHL_SCRATCH_SIZE + 1]; /* with an end mark for a path */
    uint8_t result[SHL_SCRATCH_SIZE];
};

shl_status shl_scratchpad_new(shl_scratchpad **pad)
{
    struct shl_scratchpad *made = calloc(1, sizeof *made);

    if (!made)
        return SHL_NO_MEMORY;
    *pad = made;
    return SHL_OK;
}

void shl_scratchpad_free(shl_scratchpad *pad)
{
    free(pad);
}

/* ---- what it brings ------------------------------------------------------------ */

uint32_t shl_plugin_host_meaning(uint32_t wire, uint32_t version)
{
    if (version >= SHL_VERSION_RESOURCES && wire == SHL_MAOLAN_COLLECT)
        return SHL_PLUGIN_HOST_COLLECT;
    if (version >= SHL_VERSION_RESOURCES && wire == SHL_MAOLAN_RESOURCE_FILES)
        return SHL_PLUGIN_HOST_FILES;
    /* our own number for it is nobody's on the wire */
    return wire == SHL_PLUGIN_HOST_COLLECT ? UINT32_MAX : wire;
}

/* A path inside the copy gets its end mark there; the byte behind it is of no
 * more use. */
static void read_path(struct shl_scratchpad *pad,
                      struct shl_plugin_host_request *request)
{
    const char *path = NULL;
    uint32_t length = 0;

    request->problem = request->type == SHL_PLUGIN_HOST_FOLDER
                           ? shl_scratch_dir_read(pad->given, &path, &length)
                           : shl_scratch_update_read(
                                 pad->given, &request->index, &path, &length);
    if (!request->problem && memchr(path, 0, length))
        request->problem = SHL_BAD_PEER;
    if (request->problem)
        return;
    if (request->type == SHL_PLUGIN_HOST_FOLDER &&
        shl_scratch_dir_shared(pad->given, path, length, &request->shared))
        request->shared = 0; /* a text as long as only older ones may have */
    size_t at = (size_t)((const uint8_t *)path - pad->given);
    pad->given[at + length] = 0;
    request->path = (const char *)pad->given + at;
}

static void begin_table(struct shl_scratchpad *pad, enum shl_table_kind kind)
{
    shl_table_write(&pad->table, kind, pad->result);
    pad->tables = true;
    pad->begin = kind == SHL_TABLE_FILES       ? SHL_FILE_REFS_OFFSET
                 : kind == SHL_TABLE_AU_PARAMS ? SHL_AU_PARAMS_OFFSET
                                               : 0;
}

static void begin_answer(struct shl_scratchpad *pad)
{
    switch (pad->type) {
    case SHL_PLUGIN_HOST_FILES:
        begin_table(pad, SHL_TABLE_FILES);
        break;
    case SHL_PLUGIN_HOST_LV2_CONTROLS:
        begin_table(pad, SHL_TABLE_LV2_CONTROLS);
        break;
    case SHL_PLUGIN_HOST_CLAP_PARAMS:
        begin_table(pad, SHL_TABLE_CLAP_PARAMS);
        break;
    case SHL_PLUGIN_HOST_AU_PARAMS:
        begin_table(pad, SHL_TABLE_AU_PARAMS);
        break;
    case SHL_PLUGIN_HOST_LV2_NOTES:
    case SHL_PLUGIN_HOST_CLAP_NOTES:
        begin_table(pad, SHL_TABLE_NOTES);
        break;
    default:
        break;
    }
}

void shl_scratchpad_begin(shl_scratchpad *pad, uint32_t type, const void *bytes,
                          uint32_t size,
                          struct shl_plugin_host_request *request)
{
    memset(request, 0, sizeof *request);
    request->type = pad->type = type;
    pad->tables = false;
    pad->begin = pad->end = 0;
    begin_answer(pad);
    if (size > SHL_SCRATCH_SIZE) {
        request->problem = SHL_BAD_PEER;
        return;
    }
    if (size)
        memcpy(pad->given, bytes, size);
    if (type == SHL_PLUGIN_HOST_STATE_RESTORE) {
        request->bytes = pad->given;
        request->size = size;
    } else if (type == SHL_PLUGIN_HOST_FOLDER || type == SHL_PLUGIN_HOST_FILE) {
        memset(pad->given + size, 0, sizeof pad->given - size);
        read_path(pad, request);
        /* a length that goes beyond what was sent */
        if (request->path &&
            (const uint8_t *)request->path + strlen(request->path) >
                pad->given + size)
            request->problem = SHL_BAD_PEER;
    }
}

/* ---- the answer ---------------------------------------------------------------- */

shl_status shl_scratchpad_state(shl_scratchpad *pad, const void *bytes,
                                size_t size)
{
    if (pad->type != SHL_PLUGIN_HOST_STATE_SAVE)
        return SHL_UNSUPPORTED;
    if (size > SHL_SCRATCH_SIZE)
        return SHL_NO_SPACE;
    if (size)
        memcpy(pad->result, bytes, size);
    pad->end = (uint32_t)size;
    return SHL_OK;
}

/* What is longer does not fit anyway. */
static uint32_t length_of(const char *text)
{
    size_t length = strlen(text);

    return length < SHL_SCRATCH_SIZE ? (uint32_t)length : SHL_SCRATCH_SIZE;
}

shl_status shl_scratchpad_put(shl_scratchpad *pad,
                              const struct shl_plugin_host_entry *entry)
{
    const char *module = entry->module ? entry->module : "";
    const struct shl_table_entry line = {.id = entry->id,
                                         .name_length = length_of(entry->name),
                                         .module_length = length_of(module),
                                         .name = entry->name,
                                         .module = module,
                                         .minimum = entry->minimum,
                                         .maximum = entry->maximum,
                                         .value = entry->value};

    return pad->tables ? shl_table_add(&pad->table, &line) : SHL_UNSUPPORTED;
}

void shl_scratchpad_ports(shl_scratchpad *pad, uint32_t audio_in,
                          uint32_t audio_out, uint32_t midi_in,
                          uint32_t midi_out)
{
    const struct shl_port_counts counts = {audio_in, audio_out, midi_in,
                                           midi_out};

    if (pad->type != SHL_PLUGIN_HOST_PORTS)
        return;
    shl_scratch_ports_write(pad->result, &counts);
    pad->begin = SHL_PORT_COUNTS_OFFSET;
    pad->end = SHL_PORT_COUNTS_MIDI_OUT + 4;
}

const uint8_t *shl_scratchpad_answer(shl_scratchpad *pad, uint32_t *begin,
                                     uint32_t *end)
{
    if (pad->tables)
        pad->end = shl_table_end(&pad->table);
    memset(pad->result, 0, pad->begin);
    if (begin)
        *begin = pad->begin;
    *end = pad->end;
    return pad->result;
}
