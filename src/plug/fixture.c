/* SPDX-License-Identifier: MIT */
/* A plugin for tests that has something of everything, as many as its options
 * say. It passes its inputs on, late by its latency; keeps whatever state it is
 * given; sends events back with `echo` and what it sees of the transport with
 * `transport`; plays the tempo on its first output with `tempo`; and changes its
 * own ports when a parameter or the program asks.
 */
#include "builtin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LATENCY 8192u
#define MAX_FILES   1000u
#define MAX_NAME    65536u
#define PATH_SIZE   256u
#define MAX_LEVELS  (1024u - FIRST_LEVEL)

/* Parameters by id and by index; what comes behind them does nothing. */
enum { INPUTS, OUTPUTS, LATENCY, FIRST_LEVEL };

/* Ids behind all parameters, by which the transport is told: frame, tempo,
 * numerator, denominator, playing. */
#define FIRST_TRANSPORT 1024u
#define TRANSPORTS      5u

struct fixture {
    struct plugin plugin;
    struct plugin_owner *owner;
    /* options */
    uint32_t files, notes, levels, echo, crash, hang, name_size, nan, transport,
        tempo;
    uint32_t state_size, midi_in, midi_out, programs;
    uint32_t inputs, outputs;
    struct shl_param *params;
    builtin_value *values;
    char *name;
    char (*paths)[PATH_SIZE];
    char folder[PATH_SIZE]; /* where they belong */
    struct state state;     /* as given last; empty: its own */
    int restored;
    uint32_t program;
    char text[256];
    /* the audio thread's */
    uint32_t latency;
    uint64_t blocks, written;
    double told[TRANSPORTS];
    float *delay; /* SHL_MAX_CHANNELS rows of MAX_LATENCY */
};

static struct fixture *of(const struct plugin *plugin)
{
    return (struct fixture *)(uintptr_t)plugin;
}

static void changed(const struct fixture *fixture, uint32_t what)
{
    if (fixture->owner)
        fixture->owner->changed(fixture->owner->arg, what);
}

static void fixture_unload(struct plugin *plugin)
{
    struct fixture *fixture = of(plugin);

    state_free(&fixture->state);
    free(fixture->params);
    free(fixture->values);
    free(fixture->name);
    free(fixture->paths);
    free(fixture->delay);
    free(fixture);
}

static struct plugin_about fixture_about(const struct plugin *plugin)
{
    return (struct plugin_about){.name = of(plugin)->name,
                                 .vendor = "shmlink",
                                 .category = "test",
                                 .version = "1"};
}

static SHL_RT struct plugin_ports fixture_ports(const struct plugin *plugin)
{
    const struct fixture *fixture = of(plugin);

    return (struct plugin_ports){.audio_in = fixture->inputs,
                                 .audio_out = fixture->outputs,
                                 .midi_in = fixture->midi_in,
                                 .midi_out = fixture->midi_out};
}

static uint32_t wished(const struct fixture *fixture, uint32_t id)
{
    return (uint32_t)builtin_get(&fixture->values[id]);
}

/* The counts that parameters asked for hold from here on. */
static shl_status fixture_activate(struct plugin *plugin, double rate_hz,
                                   uint32_t frames, struct shl_why *why)
{
    struct fixture *fixture = of(plugin);

    (void)rate_hz;
    (void)frames;
    (void)why;
    fixture->inputs = wished(fixture, INPUTS);
    fixture->outputs = wished(fixture, OUTPUTS);
    fixture->latency = wished(fixture, LATENCY);
    return SHL_OK;
}

static void fixture_deactivate(struct plugin *plugin)
{
    (void)plugin;
}

/* ---- the audio thread ------------------------------------------------------------ */

static SHL_RT void fixture_silence(struct plugin *plugin)
{
    struct fixture *fixture = of(plugin);

    memset(fixture->delay, 0, sizeof(float) * SHL_MAX_CHANNELS * MAX_LATENCY);
}

static void fixture_hear(struct fixture *fixture,
                         const struct plugin_block *block,
                         const struct shl_event *event)
{
    if (fixture->echo)
        block->send(block->to, event);
    if (event->kind != SHL_EVENT_PARAM)
        return;
    const uint32_t id = shl_event_id(event);
    if (id >= FIRST_LEVEL + fixture->levels)
        return;
    builtin_set(&fixture->values[id],
                shl_param_clip(&fixture->params[id], shl_event_value(event)));
    if (id == LATENCY)
        fixture->latency = wished(fixture, LATENCY);
    changed(fixture, id == LATENCY   ? PLUGIN_CHANGED_LATENCY
                     : id <= OUTPUTS ? PLUGIN_CHANGED_PORTS
                                     : PLUGIN_CHANGED_STATE);
}

static void tell_transport(struct fixture *fixture,
                           const struct plugin_block *block)
{
    const struct shl_transport *t = &block->transport;
    const double values[TRANSPORTS] = {(double)t->frame, t->tempo, t->numerator,
                                       t->denominator, t->playing};

    for (uint32_t i = 0; i < TRANSPORTS; i++) {
        const struct shl_event event =
            shl_event_param(0, SHL_EVENT_PARAM, FIRST_TRANSPORT + i, values[i]);

        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): NaN too */
        if (memcmp(&values[i], &fixture->told[i], sizeof(values[i])))
            block->send(block->to, &event);
        fixture->told[i] = values[i];
    }
}

static void delay_channel(struct fixture *fixture,
                          const struct plugin_block *block, uint32_t c)
{
    float *row = fixture->delay + (size_t)c * MAX_LATENCY;

    for (uint32_t i = 0; i < block->frames; i++) {
        const uint64_t now = fixture->written + i;
        const float in = c < fixture->inputs ? block->in[c][i] : 0;

        row[now % MAX_LATENCY] = in;
        block->out[c][i] = row[(now - fixture->latency) % MAX_LATENCY];
    }
}

static SHL_RT void fixture_process(struct plugin *plugin,
                                   const struct plugin_block *block)
{
    struct fixture *fixture = of(plugin);

    fixture->blocks++;
    if (fixture->blocks == fixture->crash)
        abort();
    while (fixture->hang && fixture->blocks >= fixture->hang)
        SHL_RT_EXCEPT("asked for: it hangs", shl_sleep_ms(1000);)
    if (fixture->transport)
        tell_transport(fixture, block);
    for (uint32_t e = 0; e < block->event_count; e++)
        fixture_hear(fixture, block, &block->events[e]);
    if (fixture->latency == 0)
        builtin_pass(block, fixture->inputs, fixture->outputs);
    for (uint32_t c = 0; fixture->latency && c < fixture->outputs; c++)
        delay_channel(fixture, block, c);
    fixture->written += block->frames;
    for (uint32_t i = 0; fixture->tempo && i < block->frames; i++)
        block->out[0][i] = (float)block->transport.tempo;
    if (fixture->nan && fixture->outputs && block->frames) {
        const uint32_t bits = 0x7FC00000u; /* not a number */

        memcpy(&block->out[0][0], &bits, sizeof(bits));
    }
}

static SHL_RT uint32_t fixture_latency(const struct plugin *plugin)
{
    return of(plugin)->latency;
}

/* ---- what it has ------------------------------------------------------------------- */

static uint32_t fixture_params(const struct plugin *plugin,
                               const struct shl_param **list)
{
    *list = of(plugin)->params;
    return FIRST_LEVEL + of(plugin)->levels;
}

static SHL_RT double fixture_value(const struct plugin *plugin, uint32_t id)
{
    const struct fixture *fixture = of(plugin);

    return id < FIRST_LEVEL + fixture->levels
               ? builtin_get(&fixture->values[id])
               : 0;
}

static shl_status fixture_text(struct plugin *plugin, uint32_t id, double value,
                               char *text, size_t size)
{
    if (id >= FIRST_LEVEL + of(plugin)->levels)
        return SHL_NOT_FOUND;
    snprintf(text, size, "<%s>", shl_digits(value, 4).text);
    return SHL_OK;
}

/* Its own state: bytes that count, so that a shifted or short one shows. */
static shl_status fixture_save(struct plugin *plugin, struct state *state,
                               struct shl_why *why)
{
    const struct fixture *fixture = of(plugin);

    (void)why;
    if (fixture->restored) {
        state_write(state, fixture->state.bytes, fixture->state.size);
        return SHL_OK;
    }
    for (uint32_t i = 0; i < fixture->state_size; i++) {
        const uint8_t byte = (uint8_t)(i * 7 + (i >> 8));

        if (!state_write(state, &byte, 1))
            break;
    }
    return SHL_OK;
}

static shl_status fixture_restore(struct plugin *plugin, const uint8_t *bytes,
                                  size_t size, struct shl_why *why)
{
    struct fixture *fixture = of(plugin);
    struct state kept = {.status = SHL_OK};

    if (!state_write(&kept, bytes, size)) {
        shl_why_set(why, "there is no memory for this state");
        return kept.status;
    }
    state_free(&fixture->state);
    fixture->state = kept;
    fixture->restored = 1;
    return SHL_OK;
}

static uint32_t fixture_programs(struct plugin *plugin)
{
    return of(plugin)->programs;
}

static const char *fixture_program_name(struct plugin *plugin, uint32_t index)
{
    struct fixture *fixture = of(plugin);

    snprintf(fixture->text, sizeof(fixture->text), "Program %u", index);
    if (index == 2) /* longer than a message carries */
        for (size_t at = strlen(fixture->text); at < 150; at += 2)
            memcpy(fixture->text + at, "\xC3\xA4", 3);
    return fixture->text;
}

static uint32_t fixture_program(struct plugin *plugin)
{
    return of(plugin)->program;
}

static shl_status fixture_set_program(struct plugin *plugin, uint32_t index,
                                      struct shl_why *why)
{
    struct fixture *fixture = of(plugin);

    if (index >= fixture->programs) {
        shl_why_set(why, "there is no program %u", index);
        return SHL_NOT_FOUND;
    }
    fixture->program = index;
    for (uint32_t i = 0; i < fixture->levels; i++)
        builtin_set(&fixture->values[FIRST_LEVEL + i],
                    (double)(index + 1) / (fixture->programs + 1));
    return SHL_OK;
}

static int fixture_note_name(struct plugin *plugin, uint32_t index,
                             struct plugin_entry *entry)
{
    struct fixture *fixture = of(plugin);

    if (index >= fixture->notes)
        return 0;
    snprintf(fixture->text, sizeof(fixture->text),
             "Gl\xC3\xB6"
             "ckchen %u",
             index);
    *entry = (struct plugin_entry){index & 0x7F, fixture->text};
    return 1;
}

static int fixture_file(struct plugin *plugin, uint32_t index,
                        struct plugin_entry *entry)
{
    struct fixture *fixture = of(plugin);

    if (index >= fixture->files)
        return 0;
    *entry = (struct plugin_entry){index, fixture->paths[index]};
    return 1;
}

static shl_status fixture_set_file(struct plugin *plugin,
                                   const struct plugin_entry *entry,
                                   struct shl_why *why)
{
    struct fixture *fixture = of(plugin);

    if (entry->number >= fixture->files) {
        shl_why_set(why, "there is no file %u", entry->number);
        return SHL_NOT_FOUND;
    }
    if (strlen(entry->text) >= PATH_SIZE) {
        shl_why_set(why, "paths have less than %u bytes", PATH_SIZE);
        return SHL_BAD_VALUE;
    }
    snprintf(fixture->paths[entry->number], PATH_SIZE, "%s", entry->text);
    changed(fixture, PLUGIN_CHANGED_STATE);
    return SHL_OK;
}

static void name_files(struct fixture *fixture, const char *folder)
{
    snprintf(fixture->folder, PATH_SIZE, "%.200s", folder);
    for (uint32_t i = 0; i < fixture->files; i++)
        snprintf(fixture->paths[i], PATH_SIZE, "%.200s/t\xC3\xB6ne/%04u.wav",
                 folder, i);
}

static shl_status fixture_set_folder(struct plugin *plugin, const char *path,
                                     int shared)
{
    struct fixture *fixture = of(plugin);

    name_files(fixture, path);
    fixture->owner->log(fixture->owner->arg, PLUGIN_INFO,
                        shared ? "the folder is shared"
                               : "the folder is its own");
    return SHL_OK;
}

/* It has no files in truth: they only change their place. */
static shl_status fixture_collect(struct plugin *plugin, struct shl_why *why)
{
    struct fixture *fixture = of(plugin);
    char folder[PATH_SIZE];

    (void)why;
    snprintf(folder, sizeof(folder), "%s", fixture->folder);
    name_files(fixture, folder);
    fixture->owner->log(fixture->owner->arg, PLUGIN_INFO,
                        "the files are in the folder now");
    return SHL_OK;
}

static int fixture_resource(struct plugin *plugin, uint32_t index,
                            struct plugin_entry *entry)
{
    const struct fixture *fixture = of(plugin);
    const size_t length = strlen(fixture->folder);

    for (uint32_t i = 0; i < fixture->files; i++) {
        const char *path = fixture->paths[i];

        if (strncmp(path, fixture->folder, length) || path[length] != '/' ||
            index--)
            continue;
        *entry = (struct plugin_entry){i, path + length + 1};
        return 1;
    }
    return 0;
}

static shl_status fixture_set_ports(struct plugin *plugin, uint32_t inputs,
                                    uint32_t outputs, struct shl_why *why)
{
    struct fixture *fixture = of(plugin);

    (void)why;
    builtin_set(&fixture->values[INPUTS], inputs);
    builtin_set(&fixture->values[OUTPUTS], outputs);
    return SHL_OK;
}

/* ---- making one ---------------------------------------------------------------------- */

static void describe(struct fixture *fixture, uint32_t id)
{
    static const char *const names[] = {"Inputs", "Outputs", "Latency"};
    const double values[] = {fixture->inputs, fixture->outputs,
                             fixture->latency};
    struct shl_param *param = &fixture->params[id];

    param->id = id;
    param->maximum = id < LATENCY    ? SHL_MAX_CHANNELS
                     : id == LATENCY ? MAX_LATENCY - 1
                                     : 1;
    param->initial = id < FIRST_LEVEL ? values[id] : 0.5;
    if (id < FIRST_LEVEL) {
        param->curve = SHL_CURVE_STEPPED;
        param->steps = (uint32_t)param->maximum + 1;
        snprintf(param->name, sizeof(param->name), "%s", names[id]);
    } else {
        param->flags = SHL_PARAM_AUTOMATABLE;
        snprintf(param->name, sizeof(param->name), "Level %u",
                 id - FIRST_LEVEL);
        snprintf(param->group, sizeof(param->group), "Levels");
    }
    builtin_set(&fixture->values[id], param->initial);
}

static const struct plugin_calls fixture_calls = {
    .holds = PLUGIN_HOLD_RESTORE,
    .unload = fixture_unload,
    .about = fixture_about,
    .ports = fixture_ports,
    .activate = fixture_activate,
    .deactivate = fixture_deactivate,
    .process = fixture_process,
    .silence = fixture_silence,
    .latency = fixture_latency,
    .params = fixture_params,
    .value = fixture_value,
    .text = fixture_text,
    .save = fixture_save,
    .restore = fixture_restore,
    .programs = fixture_programs,
    .program_name = fixture_program_name,
    .program = fixture_program,
    .set_program = fixture_set_program,
    .note_name = fixture_note_name,
    .file = fixture_file,
    .set_file = fixture_set_file,
    .set_folder = fixture_set_folder,
    .collect = fixture_collect,
    .resource = fixture_resource,
    .set_ports = fixture_set_ports};

static shl_status fill(struct fixture *fixture)
{
    const uint32_t params = FIRST_LEVEL + fixture->levels;

    fixture->params = calloc(params, sizeof(*fixture->params));
    fixture->values = calloc(params, sizeof(*fixture->values));
    fixture->paths = calloc(fixture->files + 1, PATH_SIZE);
    fixture->delay =
        calloc((size_t)SHL_MAX_CHANNELS * MAX_LATENCY, sizeof(float));
    fixture->name = calloc(fixture->name_size + 1, 1);
    if (!fixture->params || !fixture->values || !fixture->paths ||
        !fixture->delay || !fixture->name)
        return SHL_NO_MEMORY;
    for (uint32_t id = 0; id < params; id++)
        describe(fixture, id);
    for (uint32_t i = 0; i < fixture->name_size; i++)
        fixture->name[i] = "fixture"[i % 7];
    name_files(fixture, "/fixture");
    return SHL_OK;
}

static shl_status read_options(struct fixture *fixture, const char *text,
                               uint32_t *refuse, struct shl_why *why)
{
    const struct builtin_option options[] = {
        {"in", &fixture->inputs, SHL_MAX_CHANNELS},
        {"out", &fixture->outputs, SHL_MAX_CHANNELS},
        {"midi_in", &fixture->midi_in, SHL_MAX_MIDI_PORTS},
        {"midi_out", &fixture->midi_out, SHL_MAX_MIDI_PORTS},
        {"latency", &fixture->latency, MAX_LATENCY - 1},
        {"state", &fixture->state_size, SHL_MAX_PAYLOAD},
        {"files", &fixture->files, MAX_FILES},
        {"notes", &fixture->notes, 128},
        {"programs", &fixture->programs, 1000},
        {"params", &fixture->levels, MAX_LEVELS},
        {"name", &fixture->name_size, MAX_NAME},
        {"echo", &fixture->echo, 1},
        {"nan", &fixture->nan, 1},
        {"transport", &fixture->transport, 1},
        {"tempo", &fixture->tempo, 1},
        {"crash", &fixture->crash, UINT32_MAX},
        {"hang", &fixture->hang, UINT32_MAX},
        {"refuse", refuse, 1}};

    return builtin_options("fixture", text, options,
                           sizeof(options) / sizeof(options[0]), why);
}

shl_status builtin_fixture(const struct plugin_load *load, const char *options,
                           struct plugin **plugin, struct shl_why *why)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    uint32_t refuse = 0;
    shl_status status;

    if (!fixture)
        return SHL_NO_MEMORY;
    fixture->plugin.calls = &fixture_calls;
    fixture->owner = load->owner;
    fixture->inputs = load->inputs <= SHL_MAX_CHANNELS ? load->inputs : 2;
    fixture->outputs = load->outputs <= SHL_MAX_CHANNELS ? load->outputs : 2;
    fixture->levels = 4;
    fixture->state_size = 64;
    fixture->name_size = 7;
    fixture->midi_in = fixture->midi_out = 1;
    status = read_options(fixture, options, &refuse, why);
    if (!status && refuse) {
        shl_why_set(why, "fixture was told to refuse");
        status = SHL_UNSUPPORTED;
    }
    if (!status)
        status = fill(fixture);
    if (status) {
        fixture_unload(&fixture->plugin);
        return status;
    }
    *plugin = &fixture->plugin;
    return SHL_OK;
}
