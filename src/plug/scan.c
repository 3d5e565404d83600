#include "scan.h"

#include "plugin.h"

#include <stdio.h>
#include <string.h>

/* A JSON string: control characters and broken UTF-8 are made harmless first.
 */
static void print_text(const char *text)
{
    char clean[1024];

    snprintf(clean, sizeof(clean), "%s", text);
    shl_text_clean(clean, sizeof(clean));
    putchar('"');
    for (const char *at = clean; *at; at++) {
        if (*at == '"' || *at == '\\')
            putchar('\\');
        putchar(*at);
    }
    putchar('"');
}

static void print_field(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    print_text(text);
}

struct scan {
    const char *format;
    int count;
};

static void print_plugin(void *arg, const struct plugin_found *found)
{
    struct scan *scan = arg;

    printf("%s\n  {\"format\": ", scan->count++ ? "," : "");
    print_text(scan->format);
    print_field("spec", found->spec);
    print_field("name", found->about.name);
    print_field("vendor", found->about.vendor);
    print_field("category", found->about.category);
    print_field("version", found->about.version);
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
