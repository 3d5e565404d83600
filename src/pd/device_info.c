/* SPDX-License-Identifier: MIT */
#include "pd/device_info.h"

#include <stdio.h>
#include <string.h>

static void number(struct replies *replies, const char *key, double value)
{
    replies_key_number(replies, "info", key, value);
}

static void text(struct replies *replies, const char *key, const char *value)
{
    replies_key_text(replies, "info", key, value[0] ? value : "-");
}

static void name(struct replies *replies, const char *key, const char *value)
{
    text(replies, key, atoms_name(value)->s_name);
}

static void capability(struct replies *replies, const char *key,
                       const struct shl_device_info *info, uint64_t bit)
{
    number(replies, key, (info->capabilities & bit) != 0);
}

/* A number of a fixed width for a name: patches use it as a key. */
static void hash(const char *from, char into[16])
{
    uint32_t h = 2166136261u;

    for (; *from; from++)
        h = (h ^ (uint8_t)*from) * 16777619u;
    snprintf(into, 16, "0x%08X", (unsigned)h);
}

static void capabilities(struct replies *replies,
                         const struct shl_device_info *info)
{
    t_atom atoms[1 + SHL_CAP_COUNT];
    uint32_t bit;
    int count = 1;

    atoms_set_text(&atoms[0], "capabilities");
    for (bit = 0; bit < SHL_CAP_COUNT; bit++) {
        if (info->capabilities >> bit & 1)
            atoms_set_text(&atoms[count++], shl_capability_name(bit));
    }
    replies_send(replies, "info", count, atoms);
}

/* The keys of old hosts, in their order. */
static void old_keys(struct replies *replies,
                     const struct shl_device_info *info, const char *path,
                     const char *called)
{
    char id[16];

    hash(info->id, id);
    name(replies, "path", path);
    name(replies, "name", called);
    text(replies, "vendor", info->vendor);
    text(replies, "category", info->category);
    text(replies, "version", info->version);
    text(replies, "sdkversion", info->wire[0] ? info->wire : "shm 1");
    number(replies, "inputs", info->in_channels);
    number(replies, "outputs", info->out_channels);
    number(replies, "auxinputs", 0);
    number(replies, "auxoutputs", 0);
    text(replies, "id", id);
    capability(replies, "editor", info, SHL_CAP_EDITOR);
    capability(replies, "resizable", info, SHL_CAP_RESIZABLE);
    capability(replies, "synth", info, SHL_CAP_SYNTH);
    number(replies, "single", 1);
    number(replies, "double", 0);
    capability(replies, "midiin", info, SHL_CAP_MIDI_IN);
    capability(replies, "midiout", info, SHL_CAP_MIDI_OUT);
    capability(replies, "sysexin", info, SHL_CAP_SYSEX_IN);
    capability(replies, "sysexout", info, SHL_CAP_SYSEX_OUT);
    number(replies, "bridged", 1);
}

static void tell(struct replies *replies, const struct shl_device_info *info,
                 const char *state, const char *path, const char *called,
                 const char *format)
{
    old_keys(replies, info, path, called);
    text(replies, "format", format);
    name(replies, "device", info->id);
    number(replies, "pid", info->pid);
    number(replies, "rate", info->rate_hz);
    number(replies, "blocksize", info->block_frames);
    number(replies, "quantum", info->quantum);
    number(replies, "devicelatency", info->latency_frames);
    number(replies, "parameters", info->param_count);
    number(replies, "taps", info->tap_count);
    text(replies, "mode", info->mode ? shl_mode_name(info->mode) : "");
    text(replies, "state", state);
    number(replies, "host", info->host_pid);
    name(replies, "tag", info->tag);
    capabilities(replies, info);
}

void device_info_tell(struct replies *replies,
                      const struct shl_device_info *info, const char *state)
{
    char base[sizeof info->id];

    snprintf(base, sizeof base, "%s", info->id);
    base[strcspn(base, ":")] = '\0';
    tell(replies, info, state, info->id, base, "shm");
}

void device_info_tell_plugin(struct replies *replies,
                             const struct shl_device_info *info,
                             const char *state, const char *what)
{
    char format[16], path[REPLIES_NAME], base[sizeof info->id];
    size_t length = strcspn(what, ":");
    char *inside;

    snprintf(format, sizeof format, "%.*s", (int)length, what);
    snprintf(path, sizeof path, "%s", what + length + (what[length] == ':'));
    inside = strstr(path, "::");
    if (inside)
        *inside = '\0';
    /* "clap:Title" of programs that speak Maolan only, else "Title:0" */
    if (strncmp(info->id, format, strlen(format)) == 0 &&
        info->id[strlen(format)] == ':') {
        snprintf(base, sizeof base, "%s", info->id + strlen(format) + 1);
    } else {
        snprintf(base, sizeof base, "%s", info->id);
        base[strcspn(base, ":")] = '\0';
    }
    tell(replies, info, state, path, base, format);
}

shl_registry *device_info_board(struct replies *replies, t_symbol *selector,
                                const char *failed)
{
    shl_registry *board = NULL;
    struct shl_why why = {""};
    shl_status status = shl_registry_open(NULL, &board, &why);

    if (!status)
        return board;
    if (!why.text[0])
        snprintf(why.text, sizeof why.text, "the board: %s",
                 shl_status_text(status));
    replies_number(replies, failed, 0);
    replies_error(replies, selector, status, "%s: %s", selector->s_name,
                  why.text);
    return NULL;
}

void device_info_look_up(struct replies *replies, t_symbol *selector,
                         const char *id)
{
    shl_registry *board = device_info_board(replies, selector, "info_done");
    struct shl_device_info info;
    char why[256];
    shl_status status;

    if (!board)
        return;
    status = shl_registry_find(board, id, &info);
    if (status && status != SHL_BUSY)
        shl_registry_why(board, id, why, sizeof why);
    shl_registry_close(board);
    if (!status || status == SHL_BUSY) {
        device_info_tell(replies, &info, shl_state_name(info.state));
        replies_number(replies, "info_done", 1);
        return;
    }
    replies_number(replies, "info_done", 0);
    replies_error(replies, selector, status, "%s: %s", selector->s_name, why);
}
