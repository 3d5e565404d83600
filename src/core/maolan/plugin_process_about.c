/* SPDX-License-Identifier: MIT */
/* What a plugin program says of its plugin before the first block: name, ports,
 * parameters and state. */
#include "core/maolan/plugin_process.h"
#include "shmlink/name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS    UINT64_C(1000000)
#define TABLE_MS 1000u /* for the table of its parameters */
#define STATE_MS 5000u /* for its state */

static void read_ports(struct shl_plugin_process *plugin,
                       const uint8_t *scratch)
{
    const struct shl_maolan_layout *row = plugin->maolan.layout;
    struct shl_maolan_block block;

    plugin->ports_told = !shl_scratch_ports_read(scratch, &plugin->ports);
    if (plugin->ports_told)
        return;
    /* our wish, or the plugin's own counts: newer hosts of LV2 write them */
    shl_maolan_block_read(&plugin->maolan, &block);
    plugin->ports =
        (struct shl_port_counts){block.in_channels, block.out_channels,
                                 row->midi_ports, row->midi_ports};
    if (row->midi_in_ports == SHL_NONE)
        return;
    plugin->ports.midi_in = block.midi_in_ports;
    plugin->ports.midi_out = block.midi_out_ports;
}

static void read_param(struct shl_param *param,
                       const struct shl_table_entry *entry)
{
    double low = entry->minimum, high = entry->maximum, value = entry->value;
    size_t length = entry->name_length < sizeof param->name
                        ? entry->name_length
                        : sizeof param->name - 1;

    memset(param, 0, sizeof *param);
    param->id = entry->id;
    param->flags = SHL_PARAM_AUTOMATABLE;
    if (!isfinite(low) || !isfinite(high) || !(low < high)) {
        low = 0;
        high = 1;
    }
    param->minimum = low;
    param->maximum = high;
    param->initial = isfinite(value) ? value : low;
    if (param->initial < low || param->initial > high)
        param->initial = param->initial < low ? low : high;
    memcpy(param->name, entry->name, length);
    shl_text_clean(param->name, sizeof param->name);
    if (!param->name[0])
        snprintf(param->name, sizeof param->name, "%u", entry->id);
}

/* Ids that come twice would be two parameters for one: the first counts. */
static bool known_id(const struct shl_plugin_process *plugin, uint32_t id)
{
    for (uint32_t i = 0; i < plugin->param_count; i++)
        if (plugin->params[i].id == id)
            return true;
    return false;
}

static void read_params(struct shl_plugin_process *plugin,
                        enum shl_table_kind kind, const uint8_t *scratch,
                        uint32_t size)
{
    struct shl_table table;
    struct shl_table_entry entry;

    plugin->has_table = !shl_table_read(&table, kind, scratch, size);
    if (!plugin->has_table || !table.count)
        return;
    plugin->params = calloc(SHL_MAX_PARAMS, sizeof *plugin->params);
    if (!plugin->params)
        return;
    while (plugin->param_count < SHL_MAX_PARAMS &&
           shl_table_next(&table, &entry) == SHL_OK) {
        struct shl_param *param = &plugin->params[plugin->param_count];
        if (known_id(plugin, entry.id))
            continue;
        read_param(param, &entry);
        plugin->param_count += shl_param_check(param) == SHL_OK;
    }
}

static bool has_requests(const struct shl_plugin_process *plugin)
{
    return strcmp(plugin->format, "null") && strcmp(plugin->format, "__test__");
}

/* As its state the last one's, or its own for the next: while nothing plays yet
 * that would have to wait for it. */
static void carry_state(struct shl_plugin_process *plugin, uint8_t *scratch)
{
    uint64_t until_ns = shl_clock_ns() + STATE_MS * MS_NS;
    uint32_t size;

    if (plugin->state_size) {
        plugin->restored = shl_plugin_request_do(
            plugin, SHL_MAOLAN_STATE_RESTORE, plugin->state, plugin->state_size,
            until_ns, scratch, &size);
        return;
    }
    if (!plugin->save ||
        shl_plugin_request_do(plugin, SHL_MAOLAN_STATE_SAVE, NULL, 0, until_ns,
                              scratch, &size))
        return;
    plugin->state = size ? malloc(size) : NULL;
    if (!plugin->state)
        return;
    memcpy(plugin->state, scratch, size);
    plugin->state_size = size;
}

/* Which request tells its parameters, by its format; 0: none. */
static uint32_t table_request(const struct shl_plugin_process *plugin,
                              enum shl_table_kind *kind)
{
    static const struct {
        const char *format;
        uint32_t number;
        enum shl_table_kind kind;
    } tables[] = {{"null", 0, SHL_TABLE_NOTES},
                  {"vst3", 0, SHL_TABLE_NOTES},
                  {"__test__", 0, SHL_TABLE_NOTES},
                  {"lv2", SHL_MAOLAN_LV2_CONTROLS, SHL_TABLE_LV2_CONTROLS},
                  {"au", SHL_MAOLAN_AU_PARAMS, SHL_TABLE_AU_PARAMS}};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (strcmp(plugin->format, tables[i].format) == 0) {
            *kind = tables[i].kind;
            return tables[i].number;
        }
    *kind = SHL_TABLE_CLAP_PARAMS;
    return SHL_MAOLAN_CLAP_PARAMS;
}

/* Name and counts are overwritten by the first request, so they come first. */
void shl_plugin_about_read(struct shl_plugin_process *plugin)
{
    uint8_t *scratch = malloc(SHL_SCRATCH_SIZE);
    enum shl_table_kind kind;
    uint32_t number = table_request(plugin, &kind), size;

    if (!scratch)
        return;
    memcpy(scratch, plugin->maolan.base + plugin->maolan.layout->scratch,
           SHL_SCRATCH_SIZE);
    if (shl_scratch_name_read(scratch, plugin->title, sizeof plugin->title))
        plugin->title[0] = 0;
    read_ports(plugin, scratch);
    if (has_requests(plugin))
        carry_state(plugin, scratch);
    if (number && !shl_plugin_request_do(plugin, number, NULL, 0,
                                         shl_clock_ns() + TABLE_MS * MS_NS,
                                         scratch, &size))
        read_params(plugin, kind, scratch, size);
    free(scratch);
}
