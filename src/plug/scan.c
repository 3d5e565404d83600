/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include "plugin.h"

#include <stdio.h>
#include <string.h>

/* A JSON string: control characters and broken UTF-8 are made harmless first.
 */
static void print_text(FILE *out, const char *text)
{
    char clean[1024];

    snprintf(clean, sizeof(clean), "%s", text);
    shl_text_clean(clean, sizeof(clean));
    putc('"', out);
    for (const char *at = clean; *at; at++) {
        if (*at == '"' || *at == '\\')
            putc('\\', out);
        putc(*at, out);
    }
    putc('"', out);
}

static void print_field(FILE *out, const char *name, const char *text)
{
    fprintf(out, ", \"%s\": ", name);
    print_text(out, text);
}

struct scan {
    const char *format;
    int count;
};

static void print_plugin(void *arg, const struct plugin_found *found)
{
    struct scan *scan = arg;
    FILE *out = stdout;

    printf("%s\n  {\"format\": ", scan->count++ ? "," : "");
    print_text(out, scan->format);
    print_field(out, "spec", found->spec);
    print_field(out, "name", found->about.name);
    print_field(out, "vendor", found->about.vendor);
    print_field(out, "category", found->about.category);
    print_field(out, "version", found->about.version);
    printf(", \"inputs\": %u, \"outputs\": %u, \"any_channels\": %s",
           found->ports.audio_in, found->ports.audio_out,
           found->ports.any ? "true" : "false");
    printf(", \"midi_inputs\": %u, \"midi_outputs\": %u, \"parameters\": %u}",
           found->ports.midi_in, found->ports.midi_out, found->params);
}

int scan_print(const char *format)
{
    struct scan scan = {NULL, 0};
    const struct plugin_format *one;
    int known = 0;

    if (format && !plugin_format(format))
        return 0;
    printf("[");
    for (uint32_t i = 0; (one = plugin_format_at(i)); i++) {
        if (format && strcmp(format, one->name))
            continue;
        known = 1;
        scan.format = one->name;
        one->scan(print_plugin, &scan);
    }
    printf("%s]\n", scan.count ? "\n" : "");
    return known;
}

/* ---- for a DAW ------------------------------------------------------------------ */

struct daw_scan {
    FILE *out;
    const struct scan_options *options;
    int count;
};

static void print_capabilities(FILE *out, const struct plugin_found *found)
{
    fprintf(out,
            ", \"capabilities\": {\"has_gui\": false, \"gui_apis\": [], "
            "\"supports_embedded\": false, \"supports_floating\": false, "
            "\"has_params\": %s, \"has_state\": true, "
            "\"audio_inputs\": %u, \"audio_outputs\": %u, "
            "\"midi_inputs\": %u, \"midi_outputs\": %u}}",
            found->params ? "true" : "false", found->ports.audio_in,
            found->ports.audio_out, found->ports.midi_in,
            found->ports.midi_out);
}

static void print_row(struct daw_scan *scan, const char *id, const char *path,
                      const struct plugin_found *found)
{
    FILE *out = scan->out;
    const char *wanted = scan->options->path;
    const size_t length = wanted ? strlen(wanted) : 0;

    /* a file, or one plugin of it */
    if (wanted && (strncmp(path, wanted, length) ||
                   !(path[length] == 0 || path[length] == ':')))
        return;
    fprintf(out, "%s\n    {\"id\": ", scan->count++ ? "," : "");
    print_text(out, id);
    print_field(out, "name", found->about.name);
    print_field(out, "path", path);
    print_capabilities(out, found);
}

/* Those that nobody would play are left out: they are for tests. */
static int is_played(const char *spec)
{
    return !strcmp(spec, "gain") || !strcmp(spec, "synth");
}

static void print_own(void *arg, const struct plugin_found *found)
{
    char path[256], id[256];

    if (!is_played(found->spec))
        return;
    snprintf(path, sizeof(path), PLUGIN_AS_CLAP "::%.200s", found->spec);
    snprintf(id, sizeof(id), "shmlink.%.200s", found->spec);
    print_row(arg, id, path, found);
}

static void print_other(void *arg, const struct plugin_found *found)
{
    print_row(arg, found->spec, found->spec, found);
}

int scan_for_daw(const struct scan_options *options)
{
    FILE *out = options->output ? fopen(options->output, "w") : stdout;
    const struct plugin_format *format = plugin_format(options->format);
    struct daw_scan scan = {out, options, 0};
    int good;

    if (!out)
        return 0;
    fprintf(out, "{\n  \"errors\": [],\n  \"warnings\": [],\n  \"data\": [");
    if (!strcmp(options->format, "clap"))
        plugin_builtin.scan(print_own, &scan);
    if (format)
        format->scan(print_other, &scan);
    fprintf(out, "%s]\n}\n", scan.count ? "\n  " : "");
    good = !fflush(out) && !ferror(out);
    if (options->output)
        good = !fclose(out) && good;
    return good;
}
