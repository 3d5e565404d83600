/* SPDX-License-Identifier: MIT */
/* Audio and note ports of a CLAP plugin: all of a way together, in their order. */
#include "plug/clap/clap.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading --------------------------------------------------------------------- */

static void way_free(struct clap_way *way)
{
    free(way->planes);
    memset(way, 0, sizeof(*way));
}

static shl_status way_read(struct clap *clap, bool input, struct clap_way *way,
                           struct shl_why *why)
{
    const uint32_t all =
        clap->audio_ports ? clap->audio_ports->count(clap->own, input) : 0;
    struct clap_audio_port port;
    uint32_t at = 0;

    way_free(way);
    if (all > CLAP_PORTS) {
        shl_why_set(why,
                    "this plugin has %u audio %s ports; %u are the most that "
                    "are served",
                    all, input ? "input" : "output", CLAP_PORTS);
        return SHL_UNSUPPORTED;
    }
    for (uint32_t i = 0; i < all; i++) {
        memset(&port, 0, sizeof(port));
        if (!clap->audio_ports->get(clap->own, i, input, &port))
            break;
        way->ports[way->count++].channels = port.channels;
        way->channels += port.channels;
    }
    way->planes = calloc(way->channels ? way->channels : 1, sizeof(float *));
    if (!way->planes) {
        shl_why_set(why, "there is no memory for %u channels", way->channels);
        return SHL_NO_MEMORY;
    }
    for (uint32_t i = 0; i < way->count; at += way->ports[i++].channels)
        way->ports[i].planes = &way->planes[at];
    return SHL_OK;
}

static uint32_t notes_read(struct clap *clap, bool input)
{
    uint32_t all =
        clap->note_ports ? clap->note_ports->count(clap->own, input) : 0;

    if (all > SHL_MAX_MIDI_PORTS)
        all = SHL_MAX_MIDI_PORTS;
    for (uint32_t i = 0; input && i < all; i++) {
        struct clap_note_port port = {.dialects = CLAP_DIALECT_MIDI,
                                      .preferred = CLAP_DIALECT_MIDI};

        clap->note_ports->get(clap->own, i, true, &port);
        clap->note_in[i].dialects = port.dialects;
        clap->note_in[i].preferred = port.preferred;
    }
    return all;
}

shl_status clap_ports_read(struct clap *clap, struct shl_why *why)
{
    shl_status status = way_read(clap, true, &clap->in, why);

    if (!status)
        status = way_read(clap, false, &clap->out, why);
    if (!status && !clap->silence) {
        clap->silence = calloc(SHL_MAX_FRAMES, sizeof(float));
        clap->unheard = calloc(SHL_MAX_FRAMES, sizeof(float));
        status = clap->silence && clap->unheard ? SHL_OK : SHL_NO_MEMORY;
    }
    clap->midi_in = notes_read(clap, true);
    clap->midi_out = notes_read(clap, false);
    return status;
}

void clap_ports_free(struct clap *clap)
{
    way_free(&clap->in);
    way_free(&clap->out);
    free(clap->silence);
    free(clap->unheard);
}

/* ---- as they are for hosts --------------------------------------------------------- */

static uint32_t most(uint32_t channels)
{
    return channels < SHL_MAX_CHANNELS ? channels : SHL_MAX_CHANNELS;
}

struct plugin_ports clap_ports(const struct plugin *plugin)
{
    const struct clap *clap = clap_of(plugin);

    return (struct plugin_ports){.audio_in = most(clap->in.channels),
                                 .audio_out = most(clap->out.channels),
                                 .midi_in = clap->midi_in,
                                 .midi_out = clap->midi_out};
}

/* A configuration that has these counts; false: none has. */
static bool select_ports(struct clap *clap, uint32_t inputs, uint32_t outputs,
                         struct shl_why *why)
{
    const uint32_t count = clap->configs ? clap->configs->count(clap->own) : 0;
    struct clap_ports_config config;

    for (uint32_t i = 0; i < count; i++) {
        memset(&config, 0, sizeof(config));
        if (!clap->configs->get(clap->own, i, &config) ||
            !clap->configs->select(clap->own, config.id) ||
            clap_ports_read(clap, why))
            continue;
        if (clap->in.channels == inputs && clap->out.channels == outputs)
            return true;
    }
    return false;
}

shl_status clap_set_ports(struct plugin *plugin, uint32_t inputs,
                          uint32_t outputs, struct shl_why *why)
{
    struct clap *clap = clap_of(plugin);
    const uint32_t had_in = clap->in.channels, had_out = clap->out.channels;
    struct shl_why unsaid = {""};

    if (inputs == PLUGIN_ANY)
        inputs = had_in;
    if (outputs == PLUGIN_ANY)
        outputs = had_out;
    if (inputs == had_in && outputs == had_out)
        return SHL_OK;
    if (select_ports(clap, inputs, outputs, &unsaid))
        return SHL_OK;
    select_ports(clap, had_in, had_out, &unsaid);
    shl_why_set(why,
                "this plugin has %u inputs and %u outputs, and no "
                "configuration with %u and %u",
                had_in, had_out, inputs, outputs);
    return SHL_UNSUPPORTED;
}
