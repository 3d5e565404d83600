/* SPDX-License-Identifier: MIT */
#include "shmlink/plugin_request.h"

#include "core/maolan/scratch.h"
#include "shmlink/name.h"

#include <stdlib.h>
#include <string.h>

/* Written as into scratch, then given out as far as it is in use. */
static shl_status write_path(enum shl_plugin_host_type type, uint32_t index,
                             const char *text, uint8_t *scratch, uint32_t *used)
{
    uint32_t length = (uint32_t)strlen(text);

    if (type == SHL_PLUGIN_HOST_FOLDER) {
        *used = SHL_RESOURCE_DIR_TEXT + length + SHL_RESOURCE_DIR_SHARED_SIZE;
        return shl_scratch_dir_write(scratch, text, length, index);
    }
    *used = SHL_FILE_UPDATE_TEXT + length;
    return shl_scratch_update_write(scratch, index, text, length);
}

shl_status shl_plugin_request_ask(enum shl_plugin_host_type type,
                                  uint32_t index, const char *text,
                                  uint8_t *bytes, uint32_t *size)
{
    bool path = type == SHL_PLUGIN_HOST_FOLDER || type == SHL_PLUGIN_HOST_FILE;
    uint32_t number = type, used = 0;
    uint8_t *scratch;
    shl_status st = SHL_OK;

    if ((type < SHL_PLUGIN_HOST_SHOW || type > SHL_PLUGIN_HOST_AU_PARAMS) &&
        type != SHL_PLUGIN_HOST_COLLECT)
        return SHL_BAD_VALUE;
    scratch = path ? malloc(SHL_SCRATCH_SIZE) : NULL;
    if (path && !scratch)
        return SHL_NO_MEMORY;
    if (path)
        st = strlen(text) < SHL_SCRATCH_SIZE
                 ? write_path(type, index, text, scratch, &used)
                 : SHL_NO_SPACE;
    if (!st && *size < sizeof number + used)
        st = SHL_NO_SPACE;
    if (!st) {
        memcpy(bytes, &number, sizeof number);
        if (used)
            memcpy(bytes + sizeof number, scratch, used);
        *size = (uint32_t)sizeof number + used;
    }
    free(scratch);
    return st;
}

/* ---- answers ------------------------------------------------------------------ */

/* A whole scratch area, what is not there being 0. */
static uint8_t *whole(const uint8_t *bytes, uint32_t size)
{
    uint8_t *scratch = calloc(1, SHL_SCRATCH_SIZE);

    if (scratch && size)
        memcpy(scratch, bytes,
               size < SHL_SCRATCH_SIZE ? size : SHL_SCRATCH_SIZE);
    return scratch;
}

static void copy_name(struct shl_plugin_request_entry *to,
                      const struct shl_table_entry *from)
{
    uint32_t length = from->name_length < sizeof to->name
                          ? from->name_length
                          : (uint32_t)sizeof to->name - 1;

    to->id = from->id;
    memcpy(to->name, from->name, length);
    to->name[length] = 0;
    shl_text_clean(to->name, sizeof to->name);
}

static shl_status
list(struct shl_table *table,
     void (*told)(void *arg, const struct shl_plugin_request_entry *entry),
     void *arg, uint32_t *count)
{
    struct shl_table_entry from;
    struct shl_plugin_request_entry entry;
    shl_status st;

    while ((st = shl_table_next(table, &from)) == SHL_OK) {
        copy_name(&entry, &from);
        told(arg, &entry);
        ++*count;
    }
    return st == SHL_AGAIN ? SHL_OK : st;
}

shl_status shl_plugin_request_list(
    enum shl_plugin_host_type type, const uint8_t *bytes, uint32_t size,
    void (*told)(void *arg, const struct shl_plugin_request_entry *entry),
    void *arg, uint32_t *count)
{
    enum shl_table_kind kind =
        type == SHL_PLUGIN_HOST_FILES ? SHL_TABLE_FILES : SHL_TABLE_NOTES;
    uint8_t *scratch = whole(bytes, size);
    struct shl_table table;
    shl_status st;

    *count = 0;
    if (!scratch)
        return SHL_NO_MEMORY;
    st = shl_table_read(&table, kind, scratch, size);
    if (!st)
        st = list(&table, told, arg, count);
    free(scratch);
    return st == SHL_NOT_FOUND ? SHL_BAD_PEER : st;
}

shl_status shl_plugin_request_ports(const uint8_t *bytes, uint32_t size,
                                    uint32_t counts[4])
{
    struct shl_port_counts ports;
    uint8_t *scratch = whole(bytes, size);
    shl_status st;

    if (!scratch)
        return SHL_NO_MEMORY;
    st = shl_scratch_ports_read(scratch, &ports);
    free(scratch);
    if (st)
        return SHL_BAD_PEER;
    counts[0] = ports.audio_in;
    counts[1] = ports.audio_out;
    counts[2] = ports.midi_in;
    counts[3] = ports.midi_out;
    return SHL_OK;
}
