/* SPDX-License-Identifier: MIT */
/* The reference synth of `shmlink device` as a plugin. */
#include "builtin.h"

#include "tool/synth.h"

#include <stdlib.h>

/* The states of `shmlink device` are ours, too. */
#define KIND "shmlink synth"

struct keys {
    struct plugin plugin;
    struct synth *synth;
    uint32_t channels;
    builtin_value values[SYNTH_PARAMS]; /* what both threads see */
};

static void keys_unload(struct plugin *plugin)
{
    struct keys *keys = (struct keys *)plugin;

    synth_free(keys->synth);
    free(keys);
}

static struct plugin_about keys_about(const struct plugin *plugin)
{
    (void)plugin;
    return (struct plugin_about){.name = "synth",
                                 .vendor = "shmlink",
                                 .category = "synth",
                                 .version = "",
                                 .capabilities =
                                     SHL_CAP_SYNTH | SHL_CAP_DETUNE};
}

static SHL_RT struct plugin_ports keys_ports(const struct plugin *plugin)
{
    return (struct plugin_ports){.audio_out =
                                     ((const struct keys *)plugin)->channels,
                                 .midi_in = SHL_MAX_MIDI_PORTS};
}

static void apply_values(struct keys *keys)
{
    for (uint32_t i = 0; i < SYNTH_PARAMS; i++)
        synth_set(keys->synth, (enum synth_param)i,
                  builtin_get(&keys->values[i]));
}

static shl_status keys_activate(struct plugin *plugin, double rate_hz,
                                uint32_t frames, struct shl_why *why)
{
    struct keys *keys = (struct keys *)plugin;
    struct synth *synth = synth_new(rate_hz);

    (void)frames;
    (void)why;
    if (!synth)
        return SHL_NO_MEMORY;
    synth_free(keys->synth);
    keys->synth = synth;
    apply_values(keys);
    return SHL_OK;
}

static void keys_deactivate(struct plugin *plugin)
{
    synth_silence(((struct keys *)plugin)->synth);
}

/* What a controller has moved the other side must know. */
static void keys_tell(struct keys *keys, const struct plugin_block *block,
                      uint64_t frame, enum synth_param param)
{
    const struct shl_event event =
        shl_event_param(frame, SHL_EVENT_PARAM, synth_params()[param].id,
                        synth_value(keys->synth, param));

    block->send(block->to, &event);
}

static void keys_hear(struct keys *keys, const struct plugin_block *block,
                      const struct shl_event *event)
{
    const int moved = synth_event(keys->synth, event);

    if (moved != SYNTH_NONE)
        keys_tell(keys, block, event->frame, (enum synth_param)moved);
}

static SHL_RT void keys_process(struct plugin *plugin,
                                const struct plugin_block *block)
{
    struct keys *keys = (struct keys *)plugin;
    uint32_t done = 0;

    for (uint32_t e = 0; e < block->event_count; e++) {
        const uint32_t at = (uint32_t)block->events[e].frame;

        if (at > done) {
            synth_render(keys->synth, NULL, block->out, keys->channels, done,
                         at - done);
            done = at;
        }
        keys_hear(keys, block, &block->events[e]);
    }
    synth_render(keys->synth, NULL, block->out, keys->channels, done,
                 block->frames - done);
    for (uint32_t i = 0; block->event_count && i < SYNTH_PARAMS; i++)
        builtin_set(&keys->values[i],
                    synth_value(keys->synth, (enum synth_param)i));
}

static SHL_RT void keys_silence(struct plugin *plugin)
{
    synth_silence(((struct keys *)plugin)->synth);
}

static SHL_RT uint32_t keys_latency(const struct plugin *plugin)
{
    (void)plugin;
    return 0;
}

static uint32_t keys_params(const struct plugin *plugin,
                            const struct shl_param **list)
{
    (void)plugin;
    *list = synth_params();
    return SYNTH_PARAMS;
}

static SHL_RT double keys_value(const struct plugin *plugin, uint32_t id)
{
    return id < SYNTH_PARAMS
               ? builtin_get(&((const struct keys *)plugin)->values[id])
               : 0;
}

static shl_status keys_save(struct plugin *plugin, struct state *state,
                            struct shl_why *why)
{
    (void)why;
    return builtin_save(state, KIND, synth_params(),
                        ((struct keys *)plugin)->values, SYNTH_PARAMS);
}

static shl_status keys_restore(struct plugin *plugin, const uint8_t *bytes,
                               size_t size, struct shl_why *why)
{
    struct keys *keys = (struct keys *)plugin;
    const shl_status status = builtin_restore(bytes, size, KIND, synth_params(),
                                              keys->values, SYNTH_PARAMS, why);

    if (!status)
        apply_values(keys);
    return status;
}

static const struct plugin_calls keys_calls = {.holds = PLUGIN_HOLD_RESTORE,
                                               .unload = keys_unload,
                                               .about = keys_about,
                                               .ports = keys_ports,
                                               .activate = keys_activate,
                                               .deactivate = keys_deactivate,
                                               .process = keys_process,
                                               .silence = keys_silence,
                                               .latency = keys_latency,
                                               .params = keys_params,
                                               .value = keys_value,
                                               .save = keys_save,
                                               .restore = keys_restore};

shl_status builtin_synth(const struct plugin_load *load, const char *options,
                         struct plugin **plugin, struct shl_why *why)
{
    struct keys *keys;

    if (*options) {
        shl_why_set(why, "synth has no options");
        return SHL_BAD_VALUE;
    }
    keys = calloc(1, sizeof(*keys));
    if (!keys)
        return SHL_NO_MEMORY;
    keys->plugin.calls = &keys_calls;
    keys->channels = load->outputs <= SHL_MAX_CHANNELS ? load->outputs : 2;
    for (uint32_t i = 0; i < SYNTH_PARAMS; i++)
        builtin_set(&keys->values[i], synth_params()[i].initial);
    *plugin = &keys->plugin;
    return SHL_OK;
}
