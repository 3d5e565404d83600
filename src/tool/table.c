/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "terminal.h"

#include <string.h>

#define COLUMNS 11

/* Texts may grow by nothing: terminal_plain never writes more than it reads. */
struct row {
    char cell[COLUMNS][128];
    int width[COLUMNS];
};

shl_status table_scan(struct table *table, struct shl_why *why)
{
    shl_registry *registry = NULL;
    shl_status status = shl_registry_open(NULL, &registry, why);

    table->count = 0;
    if (status)
        return status;
    status = shl_registry_scan(registry, table->device, SHL_MAX_DEVICES,
                               &table->count);
    shl_registry_close(registry);
    if (table->count > SHL_MAX_DEVICES)
        table->count = SHL_MAX_DEVICES;
    return status;
}

/* The names of the bits of a set, joined by +. */
static void join(uint32_t bits, const char *(*name)(uint32_t), char *text,
                 size_t size)
{
    size_t used = 0;

    text[0] = 0;
    for (uint32_t bit = 1; bit <= 4; bit <<= 1)
        if (bits & bit && used < size) {
            int n = snprintf(text + used, size - used, "%s%s", used ? "+" : "",
                             name(bit));
            used += n > 0 ? (size_t)n : 0;
        }
    if (!used)
        snprintf(text, size, "-");
}

static void fill_row(const struct shl_device_info *info, struct row *row)
{
    char(*cell)[128] = row->cell;
    const size_t size = sizeof(cell[0]);

    terminal_plain(info->id, cell[0], size);
    snprintf(cell[1], size, "%u", info->pid);
    snprintf(cell[2], size, "%u", info->in_channels);
    snprintf(cell[3], size, "%u", info->out_channels);
    snprintf(cell[4], size, "%s", shl_digits(info->rate_hz, 10).text);
    snprintf(cell[5], size, "%u", info->block_frames);
    join(info->mode ? info->mode : info->modes, shl_mode_name, cell[6], size);
    join(info->drives, shl_drive_name, cell[7], size);
    snprintf(cell[8], size, "%s", shl_state_name(info->state));
    snprintf(cell[9], size, "%u", info->host_pid);
    terminal_plain(info->tag[0] ? info->tag : "-", cell[10], size);
}

static int columns_of(const char *text)
{
    int columns = 0;

    for (; *text; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

static void widen(const struct row *row, int *width)
{
    for (int i = 0; i < COLUMNS; i++)
        if (columns_of(row->cell[i]) > width[i])
            width[i] = columns_of(row->cell[i]);
}

static void print_row(const struct row *row, const int *width)
{
    for (int i = 0; i < COLUMNS; i++) {
        int pad = width[i] - columns_of(row->cell[i]);

        if (i == COLUMNS - 1)
            printf("%s\n", row->cell[i]);
        else
            printf("%s%*s  ", row->cell[i], pad, "");
    }
}

void table_print(const struct table *table)
{
    static const struct row heading = {
        .cell = {"id", "pid", "in", "out", "rate", "block", "mode", "drives",
                 "state", "host", "tag"}};
    int width[COLUMNS] = {0};
    struct row row;

    widen(&heading, width);
    for (uint32_t i = 0; i < table->count; i++) {
        fill_row(&table->device[i], &row);
        widen(&row, width);
    }
    print_row(&heading, width);
    for (uint32_t i = 0; i < table->count; i++) {
        fill_row(&table->device[i], &row);
        print_row(&row, width);
    }
}

void table_words(const struct shl_device_info *info, char *text, size_t size)
{
    struct row row;
    size_t used = 0;

    fill_row(info, &row);
    for (int i = 0; i < COLUMNS && used < size; i++) {
        int n = snprintf(text + used, size - used, "%s%s", i ? " " : "",
                         row.cell[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

/* ---- JSON ---------------------------------------------------------------- */

static void json_text(FILE *file, const char *key, const char *text)
{
    fprintf(file, "\"%s\": ", key);
    terminal_json(file, text);
    fputs(", ", file);
}

/* A set of bits as an array of names. */
static void json_set(FILE *file, const char *key, uint32_t bits,
                     const char *(*name)(uint32_t))
{
    const char *comma = "";

    fprintf(file, "\"%s\": [", key);
    for (uint32_t bit = 1; bit <= 4; bit <<= 1)
        if (bits & bit) {
            fprintf(file, "%s\"%s\"", comma, name(bit));
            comma = ", ";
        }
    fputs("], ", file);
}

static void json_capabilities(FILE *file, uint64_t capabilities)
{
    const char *comma = "";

    fputs("\"capabilities\": [", file);
    for (uint32_t bit = 0; bit < SHL_CAP_COUNT; bit++)
        if (capabilities >> bit & 1) {
            fprintf(file, "%s\"%s\"", comma, shl_capability_name(bit));
            comma = ", ";
        }
    fputs("], ", file);
}

static void json_device(FILE *file, const struct shl_device_info *info)
{
    fputc('{', file);
    json_text(file, "id", info->id);
    json_text(file, "vendor", info->vendor);
    json_text(file, "category", info->category);
    json_text(file, "version", info->version);
    json_text(file, "tag", info->tag);
    fprintf(file,
            "\"pid\": %u, \"in_channels\": %u, \"out_channels\": %u, "
            "\"rate_hz\": %s, \"block_frames\": %u, \"quantum\": %u, "
            "\"latency_frames\": %u, \"param_count\": %u, \"tap_count\": %u, ",
            info->pid, info->in_channels, info->out_channels,
            shl_digits(info->rate_hz, 10).text, info->block_frames,
            info->quantum, info->latency_frames, info->param_count,
            info->tap_count);
    json_text(file, "mode", info->mode ? shl_mode_name(info->mode) : "");
    json_set(file, "modes", info->modes, shl_mode_name);
    json_set(file, "drives", info->drives, shl_drive_name);
    json_capabilities(file, info->capabilities);
    json_text(file, "state", shl_state_name(info->state));
    fprintf(file, "\"claimed\": %s, \"host_pid\": %u, \"segment\": ",
            info->state == SHL_STATE_BUSY ? "true" : "false", info->host_pid);
    terminal_json(file, info->segment);
    fputc('}', file);
}

/* What a reader of the list should know of a device, or NULL. */
static const char *warning(const struct shl_device_info *info)
{
    switch (info->state) {
    case SHL_STATE_STALE:
        return "its host is gone; it counts as free";
    case SHL_STATE_STARTING:
        return "it is just starting; its segment is not there yet";
    case SHL_STATE_FREE:
    case SHL_STATE_BUSY:
        break;
    }
    return NULL;
}

static void json_warnings(FILE *file, const struct table *table)
{
    const char *comma = "";

    fputs("\"warnings\": [", file);
    for (uint32_t i = 0; i < table->count; i++) {
        const char *text = warning(&table->device[i]);
        char sentence[160];

        if (!text)
            continue;
        snprintf(sentence, sizeof(sentence), "%s: %s", table->device[i].id,
                 text);
        fputs(comma, file);
        terminal_json(file, sentence);
        comma = ", ";
    }
    fputc(']', file);
}

void table_json(FILE *file, const struct table *table, const char *error)
{
    fprintf(file, "{\"version\": \"%d.%d.%d\", \"count\": %u, \"devices\": [",
            SHL_VERSION_MAJOR, SHL_VERSION_MINOR, SHL_VERSION_PATCH,
            table->count);
    for (uint32_t i = 0; i < table->count; i++) {
        fputs(i ? ",\n  " : "\n  ", file);
        json_device(file, &table->device[i]);
    }
    fputs("],\n", file);
    json_warnings(file, table);
    fputs(", \"errors\": [", file);
    if (error)
        terminal_json(file, error);
    fputs("]}\n", file);
}
