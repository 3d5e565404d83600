/* SPDX-License-Identifier: MIT */
/* Plugins of a few lines: null passes its inputs on, gain does so louder or
 * softer; crash and hang do in their first block what they are called. */
#include "builtin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- null, crash, hang ----------------------------------------------------------- */

enum mood { CALM, CRASHES, HANGS };

struct null {
    struct plugin plugin;
    struct plugin_ports ports;
    enum mood mood;
};

static void null_unload(struct plugin *plugin)
{
    free(plugin);
}

static struct plugin_about null_about(const struct plugin *plugin)
{
    static const char *const names[] = {"null", "crash", "hang"};

    return (struct plugin_about){.name =
                                     names[((const struct null *)plugin)->mood],
                                 .vendor = "shmlink",
                                 .category = "test",
                                 .version = ""};
}

static SHL_RT struct plugin_ports null_ports(const struct plugin *plugin)
{
    return ((const struct null *)plugin)->ports;
}

static shl_status null_activate(struct plugin *plugin, double rate_hz,
                                uint32_t frames, struct shl_why *why)
{
    (void)plugin;
    (void)rate_hz;
    (void)frames;
    (void)why;
    return SHL_OK;
}

static SHL_RT void null_nothing(struct plugin *plugin)
{
    (void)plugin;
}

static SHL_RT uint32_t null_latency(const struct plugin *plugin)
{
    (void)plugin;
    return 0;
}

static SHL_RT void null_process(struct plugin *plugin,
                                const struct plugin_block *block)
{
    const struct null *null = (const struct null *)plugin;

    if (null->mood == CRASHES)
        abort();
    while (null->mood == HANGS)
        SHL_RT_EXCEPT("asked for: it hangs", shl_sleep_ms(1000);)
    builtin_pass(block, block->in_wired, block->out_wired);
}

static const struct plugin_calls null_calls = {.unload = null_unload,
                                               .about = null_about,
                                               .ports = null_ports,
                                               .activate = null_activate,
                                               .deactivate = null_nothing,
                                               .process = null_process,
                                               .silence = null_nothing,
                                               .latency = null_latency};

static uint32_t channels_or_all(uint32_t wished)
{
    return wished <= SHL_MAX_CHANNELS ? wished : SHL_MAX_CHANNELS;
}

static shl_status make_null(const struct plugin_load *load, enum mood mood,
                            struct plugin **plugin)
{
    struct null *null = calloc(1, sizeof(*null));

    if (!null)
        return SHL_NO_MEMORY;
    null->plugin.calls = &null_calls;
    null->ports.audio_in = channels_or_all(load->inputs);
    null->ports.audio_out = channels_or_all(load->outputs);
    null->ports.any = 1;
    null->mood = mood;
    *plugin = &null->plugin;
    return SHL_OK;
}

shl_status builtin_null(const struct plugin_load *load, const char *options,
                        struct plugin **plugin, struct shl_why *why)
{
    (void)options;
    (void)why;
    return make_null(load, CALM, plugin);
}

shl_status builtin_crash(const struct plugin_load *load, const char *options,
                         struct plugin **plugin, struct shl_why *why)
{
    (void)options;
    (void)why;
    return make_null(load, CRASHES, plugin);
}

shl_status builtin_hang(const struct plugin_load *load, const char *options,
                        struct plugin **plugin, struct shl_why *why)
{
    (void)options;
    (void)why;
    return make_null(load, HANGS, plugin);
}

/* ---- gain ------------------------------------------------------------------------ */

static const struct shl_param gain_param = {.flags = SHL_PARAM_AUTOMATABLE,
                                            .minimum = -96,
                                            .maximum = 24,
                                            .name = "Gain",
                                            .label = "dB"};

struct gain {
    struct plugin plugin;
    uint32_t channels;
    builtin_value value;
    double modulation; /* added; the audio thread's own */
};

static struct plugin_about gain_about(const struct plugin *plugin)
{
    (void)plugin;
    return (struct plugin_about){.name = "gain",
                                 .vendor = "shmlink",
                                 .category = "effect",
                                 .version = ""};
}

static SHL_RT struct plugin_ports gain_ports(const struct plugin *plugin)
{
    const uint32_t channels = ((const struct gain *)plugin)->channels;

    return (struct plugin_ports){.audio_in = channels, .audio_out = channels};
}

/* The lowest value is no sound at all; at 0 dB the factor is exactly 1. */
static float gain_factor(const struct gain *gain)
{
    const double decibels = shl_param_clip(
        &gain_param, builtin_get(&gain->value) + gain->modulation);

    return decibels <= gain_param.minimum ? 0.f : (float)pow(10, decibels / 20);
}

static void gain_hear(struct gain *gain, const struct shl_event *event)
{
    if (event->kind == SHL_EVENT_UMP || shl_event_id(event) != gain_param.id)
        return;
    if (event->kind == SHL_EVENT_PARAM)
        builtin_set(&gain->value,
                    shl_param_clip(&gain_param, shl_event_value(event)));
    else if (event->kind == SHL_EVENT_PARAM_MOD)
        gain->modulation = shl_event_value(event);
}

/* At a factor of 1 not even a denormal sample changes. */
static void scale(const struct gain *gain, const struct plugin_block *block,
                  uint32_t from, uint32_t to)
{
    const float factor = gain_factor(gain);

    for (uint32_t c = 0; c < gain->channels; c++) {
        if (factor == 1)
            memcpy(block->out[c] + from, block->in[c] + from,
                   (to - from) * sizeof(float));
        for (uint32_t i = from; factor != 1 && i < to; i++)
            block->out[c][i] = block->in[c][i] * factor;
    }
}

static SHL_RT void gain_process(struct plugin *plugin,
                                const struct plugin_block *block)
{
    struct gain *gain = (struct gain *)plugin;
    uint32_t from = 0;

    for (uint32_t e = 0; e < block->event_count; e++) {
        const uint32_t to = (uint32_t)block->events[e].frame;

        scale(gain, block, from, to);
        from = to;
        gain_hear(gain, &block->events[e]);
    }
    scale(gain, block, from, block->frames);
}

static SHL_RT void gain_silence(struct plugin *plugin)
{
    ((struct gain *)plugin)->modulation = 0;
}

static uint32_t gain_params(const struct plugin *plugin,
                            const struct shl_param **list)
{
    (void)plugin;
    *list = &gain_param;
    return 1;
}

static SHL_RT double gain_value(const struct plugin *plugin, uint32_t id)
{
    return id == gain_param.id
               ? builtin_get(&((const struct gain *)plugin)->value)
               : 0;
}

static shl_status gain_save(struct plugin *plugin, struct state *state,
                            struct shl_why *why)
{
    (void)why;
    return builtin_save(state, "shmplug gain", &gain_param,
                        &((struct gain *)plugin)->value, 1);
}

static shl_status gain_restore(struct plugin *plugin, const uint8_t *bytes,
                               size_t size, struct shl_why *why)
{
    return builtin_restore(bytes, size, "shmplug gain", &gain_param,
                           &((struct gain *)plugin)->value, 1, why);
}

static const struct plugin_calls gain_calls = {.unload = null_unload,
                                               .about = gain_about,
                                               .ports = gain_ports,
                                               .activate = null_activate,
                                               .deactivate = null_nothing,
                                               .process = gain_process,
                                               .silence = gain_silence,
                                               .latency = null_latency,
                                               .params = gain_params,
                                               .value = gain_value,
                                               .save = gain_save,
                                               .restore = gain_restore};

shl_status builtin_gain(const struct plugin_load *load, const char *options,
                        struct plugin **plugin, struct shl_why *why)
{
    struct gain *gain;

    (void)options;
    if (load->inputs != load->outputs && load->inputs != PLUGIN_ANY &&
        load->outputs != PLUGIN_ANY) {
        shl_why_set(why, "gain has as many outputs as inputs");
        return SHL_WRONG_CHANNELS;
    }
    gain = calloc(1, sizeof(*gain));
    if (!gain)
        return SHL_NO_MEMORY;
    gain->plugin.calls = &gain_calls;
    gain->channels = load->inputs != PLUGIN_ANY    ? load->inputs
                     : load->outputs != PLUGIN_ANY ? load->outputs
                                                   : 2;
    *plugin = &gain->plugin;
    return SHL_OK;
}
