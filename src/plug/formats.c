/* SPDX-License-Identifier: MIT */
/* Which formats this program has. Those that need a library are files that may
 * be missing from a build: their names below are then at address 0. */
#include "plugin.h"

#include <string.h>

extern const struct plugin_format plugin_lv2 __attribute__((weak));

const struct plugin_format *plugin_format_at(uint32_t index)
{
    const struct plugin_format *const all[] = {&plugin_null, &plugin_builtin,
                                               &plugin_lv2, &plugin_clap};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] && index-- == 0)
            return all[i];
    return NULL;
}

const struct plugin_format *plugin_format(const char *name)
{
    const struct plugin_format *format;

    for (uint32_t i = 0; (format = plugin_format_at(i)); i++)
        if (!strcmp(format->name, name))
            return format;
    return NULL;
}

/* As DAWs write it: path::id or path#id. */
static const char *id_of_own(const char *spec)
{
    const size_t length = sizeof(PLUGIN_AS_CLAP) - 1;

    if (strncmp(spec, PLUGIN_AS_CLAP, length))
        return NULL;
    if (spec[length] == '#')
        return spec + length + 1;
    return !strncmp(spec + length, "::", 2) ? spec + length + 2 : NULL;
}

const struct plugin_format *plugin_format_of(const char *name,
                                             const char **spec)
{
    const char *own = strcmp(name, "clap") ? NULL : id_of_own(*spec);

    if (!own)
        return plugin_format(name);
    *spec = own;
    return &plugin_builtin;
}

uint64_t plugin_capabilities(const struct plugin *plugin)
{
    const struct plugin_calls *calls = plugin->calls;
    const struct plugin_ports ports = calls->ports(plugin);
    uint64_t all = calls->about(plugin).capabilities | SHL_CAP_RESET |
                   SHL_CAP_TRANSPORT_IN;

    all |= calls->params ? SHL_CAP_PARAMS | SHL_CAP_PARAM_OUT : 0u;
    all |= calls->text ? SHL_CAP_PARAM_TEXT : 0u;
    all |= calls->save && calls->restore ? SHL_CAP_STATE : 0u;
    all |= calls->programs ? SHL_CAP_PROGRAMS : 0u;
    all |= ports.midi_in ? SHL_CAP_MIDI_IN : 0u;
    all |= ports.midi_out ? SHL_CAP_MIDI_OUT : 0u;
    all |= calls->show ? SHL_CAP_EDITOR : 0u;
    return all;
}
