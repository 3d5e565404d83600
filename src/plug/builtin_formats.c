/* SPDX-License-Identifier: MIT */
/* The plugins without a file as two formats: by which names they are loaded, and
 * what a scan finds. */
#include "builtin.h"

#include <string.h>

static const char *const names[] = {"null",  "gain",    "synth",
                                    "crash", "fixture", "hang"};

/* The text behind the name if it is this one, or NULL. */
static const char *options_of(const char *spec, const char *name)
{
    const size_t length = strlen(name);

    if (strncmp(spec, name, length) || (spec[length] && spec[length] != ':'))
        return NULL;
    return spec[length] ? spec + length + 1 : spec + length;
}

static shl_status load_null(const struct plugin_load *load,
                            struct plugin **plugin, struct shl_why *why)
{
    return builtin_null(load, "", plugin, why);
}

static shl_status load_builtin(const struct plugin_load *load,
                               struct plugin **plugin, struct shl_why *why)
{
    const char *options;

    if ((options = options_of(load->spec, "synth")))
        return builtin_synth(load, options, plugin, why);
    if ((options = options_of(load->spec, "fixture")))
        return builtin_fixture(load, options, plugin, why);
    if (!strcmp(load->spec, "null"))
        return builtin_null(load, "", plugin, why);
    if (!strcmp(load->spec, "crash"))
        return builtin_crash(load, "", plugin, why);
    if (!strcmp(load->spec, "hang"))
        return builtin_hang(load, "", plugin, why);
    if (!strcmp(load->spec, "gain"))
        return builtin_gain(load, "", plugin, why);
    shl_why_set(why,
                "there is no builtin plugin %s; there are null, gain, synth, "
                "fixture, crash, hang",
                load->spec);
    return SHL_NOT_FOUND;
}

static void scan_one(const struct plugin_format *format, const char *spec,
                     void (*found)(void *arg, const struct plugin_found *),
                     void *arg)
{
    const struct plugin_load load = {.spec = spec,
                                     .rate_hz = 48000,
                                     .block_frames = 64,
                                     .inputs = PLUGIN_ANY,
                                     .outputs = PLUGIN_ANY};
    const struct shl_param *list;
    struct plugin *plugin;

    if (format->load(&load, &plugin, NULL))
        return;
    const struct plugin_found one = {
        .spec = spec,
        .about = plugin->calls->about(plugin),
        .ports = plugin->calls->ports(plugin),
        .params =
            plugin->calls->params ? plugin->calls->params(plugin, &list) : 0};
    found(arg, &one);
    plugin->calls->unload(plugin);
}

static void scan_null(void (*found)(void *arg, const struct plugin_found *),
                      void *arg)
{
    scan_one(&plugin_null, "", found, arg);
}

static void scan_builtin(void (*found)(void *arg, const struct plugin_found *),
                         void *arg)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        scan_one(&plugin_builtin, names[i], found, arg);
}

const struct plugin_format plugin_null = {"null", load_null, scan_null};
const struct plugin_format plugin_builtin = {"builtin", load_builtin,
                                             scan_builtin};
