/* SPDX-License-Identifier: MIT */
/* A CLAP instrument for tests, with what the packaged ones lack: note ports of two
 * dialects, note expression, state of its own, a latency that changes by a restart,
 * names of notes, a timer, a hidden and a read-only parameter, two configurations of
 * ports, and what it says in return. The environment variable FIXTURE has words:
 * midi (prefers MIDI), onlynotes, nostate, refuse (state), and faults as PLACE:KIND: load, init,
 * activate, process, save, restore, text, unload; crash, hang, exit, abort. */
#include "plug/clap/abi.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VOICES 16
#define LATE   512u

/* Ids that are no indices. */
enum { GAIN = 700, WAVE = 30, LATENCY = 5, METER = 900, SECRET = 901 };

static const uint32_t ids[] = {GAIN, WAVE, LATENCY, METER, SECRET};
#define PARAMS (sizeof ids / sizeof ids[0])

struct fixture {
    struct clap_plugin plugin;
    const struct clap_host *host;
    double rate_hz;
    double value[PARAMS];
    uint32_t latency, channels, ticks, timer;
    struct {
        double key, phase, velocity;
    } voice[VOICES];
    float delay[2][LATE];
    uint64_t written;
    uint64_t sysex;
    pthread_t thread;
    int threaded;
};

static int has_word(const char *word)
{
    const char *words = getenv("FIXTURE");

    return words && strstr(words, word);
}

static void fault_at(const char *place)
{
    char word[64];

    snprintf(word, sizeof word, "%s:crash", place);
    if (has_word(word))
        raise(SIGSEGV);
    snprintf(word, sizeof word, "%s:abort", place);
    if (has_word(word))
        abort();
    snprintf(word, sizeof word, "%s:exit", place);
    if (has_word(word))
        exit(3);
    snprintf(word, sizeof word, "%s:hang", place);
    while (has_word(word))
        sleep(1);
}

static struct fixture *of(const struct clap_plugin *plugin)
{
    return plugin->own;
}

static int index_of(uint32_t id)
{
    for (uint32_t i = 0; i < PARAMS; i++)
        if (ids[i] == id)
            return (int)i;
    return -1;
}

/* ---- life -------------------------------------------------------------------------- */

static const struct clap_host_timer *host_timer(const struct fixture *f)
{
    return f->host->extension(f->host, CLAP_EXT_TIMER);
}

static void join(struct fixture *f)
{
    if (f->threaded)
        pthread_join(f->thread, NULL);
    f->threaded = 0;
}

static bool fixture_init(const struct clap_plugin *plugin)
{
    struct fixture *f = of(plugin);
    const struct clap_host_threads *threads =
        f->host->extension(f->host, CLAP_EXT_THREADS);

    fault_at("init");
    if (!threads || !threads->is_main(f->host))
        return false;
    return host_timer(f)->add(f->host, 5, &f->timer);
}

static void fixture_destroy(const struct clap_plugin *plugin)
{
    fault_at("unload");
    join(of(plugin));
    host_timer(of(plugin))->remove(of(plugin)->host, of(plugin)->timer);
    free(of(plugin));
}

static bool fixture_activate(const struct clap_plugin *plugin, double rate_hz,
                             uint32_t least, uint32_t most)
{
    fault_at("activate");
    of(plugin)->rate_hz = rate_hz;
    of(plugin)->latency = (uint32_t)of(plugin)->value[index_of(LATENCY)];
    return least <= most;
}

static void fixture_deactivate(const struct clap_plugin *plugin)
{
    (void)plugin;
}

static bool fixture_start(const struct clap_plugin *plugin)
{
    const struct clap_host *host = of(plugin)->host;
    const struct clap_host_threads *threads =
        host->extension(host, CLAP_EXT_THREADS);

    return threads->is_audio(host);
}

static void fixture_stop(const struct clap_plugin *plugin)
{
    (void)plugin;
}

static void fixture_reset(const struct clap_plugin *plugin)
{
    memset(of(plugin)->voice, 0, sizeof of(plugin)->voice);
    memset(of(plugin)->delay, 0, sizeof of(plugin)->delay);
}

static void fixture_main(const struct clap_plugin *plugin)
{
    of(plugin)->ticks += 1000;
}

/* ---- a block ------------------------------------------------------------------------- */

static void note(struct fixture *f, double key, double velocity)
{
    for (int i = 0; i < VOICES; i++) {
        if (velocity > 0 && f->voice[i].velocity > 0)
            continue;
        if (velocity <= 0 && floor(f->voice[i].key) != key)
            continue;
        f->voice[i].key = key;
        f->voice[i].velocity = velocity;
        f->voice[i].phase = 0;
        if (velocity > 0)
            return;
    }
}

/* From a thread of its own, as some do. */
static void *ask_restart(void *arg)
{
    const struct clap_host *host = arg;

    host->request_restart(host);
    return NULL;
}

static void set_value(struct fixture *f, uint32_t id, double value)
{
    const int i = index_of(id);

    if (i < 0)
        return;
    f->value[i] = value;
    if (id == LATENCY) {
        join(f);
        f->threaded = !pthread_create(&f->thread, NULL, ask_restart,
                                      (void *)(uintptr_t)f->host);
    }
}

static void hear(struct fixture *f, const struct clap_event *event,
                 const struct clap_events_out *said)
{
    const struct clap_note_event *n = (const void *)event;
    const struct clap_expression_event *e = (const void *)event;
    const struct clap_param_event *p = (const void *)event;
    const struct clap_midi_event *m = (const void *)event;
    const struct clap_sysex_event *s = (const void *)event;

    switch (event->type) {
    case CLAP_NOTE_ON:
        note(f, n->key, n->velocity);
        said->push(said, event);
        break;
    case CLAP_NOTE_OFF:
        note(f, n->key, 0);
        said->push(said, event);
        break;
    case CLAP_NOTE_EXPRESSION:
        for (int i = 0; e->expression == CLAP_TUNING && i < VOICES; i++)
            if (e->key < 0 || floor(f->voice[i].key) == e->key)
                f->voice[i].key = floor(f->voice[i].key) + e->value;
        break;
    case CLAP_PARAM_VALUE:
        set_value(f, p->param, p->value);
        break;
    case CLAP_MIDI:
        if ((m->bytes[0] & 0xE0) == 0x80)
            note(f, m->bytes[1],
                 (m->bytes[0] & 0x10) ? m->bytes[2] / 127.0 : 0);
        said->push(said, event);
        break;
    case CLAP_MIDI_SYSEX:
        f->sysex += s->size;
        said->push(said, event);
        break;
    default:
        break;
    }
}

static double sound(struct fixture *f)
{
    double sum = 0;

    for (int i = 0; i < VOICES; i++) {
        if (f->voice[i].velocity <= 0)
            continue;
        sum += f->voice[i].velocity *
               (f->value[index_of(WAVE)] > 0
                    ? (f->voice[i].phase < 0.5 ? 1 : -1)
                    : sin(f->voice[i].phase * 6.283185307179586));
        f->voice[i].phase +=
            440 * pow(2, (f->voice[i].key - 69) / 12) / f->rate_hz;
        f->voice[i].phase -= floor(f->voice[i].phase);
    }
    return sum;
}

/* A meter, and a word for each of these: more than anybody wants. */
static void tell_meter(const struct clap_events_out *said, double value)
{
    struct clap_param_event meter = {
        .event = {.size = sizeof meter, .type = CLAP_PARAM_VALUE},
        .param = METER,
        .note_id = -1,
        .port = -1,
        .channel = -1,
        .key = -1,
        .value = value};

    for (int i = 0; i < 4; i++) {
        meter.value = value * (i + 1) / 4;
        said->push(said, &meter.event);
    }
}

static int32_t fixture_process(const struct clap_plugin *plugin,
                               const struct clap_block *block)
{
    struct fixture *f = of(plugin);
    const uint32_t count = block->events->count(block->events);
    uint32_t next = 0;
    double peak = 0;

    fault_at("process");
    for (uint32_t i = 0; i < block->frames; i++) {
        double one;

        for (; next < count; next++) {
            const struct clap_event *event =
                block->events->at(block->events, next);

            if (event->time > i)
                break;
            hear(f, event, block->said);
        }
        one = sound(f) * f->value[index_of(GAIN)];
        peak = fabs(one) > peak ? fabs(one) : peak;
        for (uint32_t c = 0; c < block->out[0].channels; c++) {
            const float in = block->in_count && c < block->in[0].channels
                                 ? block->in[0].planes[c][i]
                                 : 0;
            float *row = f->delay[c % 2];

            row[(f->written) % LATE] = (float)one + in;
            block->out[0].planes[c][i] = row[(f->written - f->latency) % LATE];
        }
        f->written++;
    }
    tell_meter(block->said, peak);
    return CLAP_PROCESS_CONTINUE;
}

/* ---- ports ----------------------------------------------------------------------------- */

static uint32_t ports_count(const struct clap_plugin *plugin, bool input)
{
    (void)plugin;
    return input ? 2 : 1;
}

static bool ports_get(const struct clap_plugin *plugin, uint32_t index,
                      bool input, struct clap_audio_port *port)
{
    port->id = index + (input ? 10 : 20);
    port->channels = index ? 1 : of(plugin)->channels;
    port->flags = index ? 0 : CLAP_PORT_IS_MAIN;
    snprintf(port->name, sizeof port->name, index ? "sidechain" : "main");
    port->in_place = UINT32_MAX;
    return true;
}

static const struct clap_audio_ports ports = {ports_count, ports_get};

static uint32_t config_count(const struct clap_plugin *plugin)
{
    (void)plugin;
    return 2;
}

static bool config_get(const struct clap_plugin *plugin, uint32_t index,
                       struct clap_ports_config *config)
{
    (void)plugin;
    config->id = 40 + index;
    config->inputs = 2;
    config->outputs = 1;
    return true;
}

static bool config_select(const struct clap_plugin *plugin, uint32_t id)
{
    of(plugin)->channels = id == 40 ? 2 : 1;
    return true;
}

static const struct clap_ports_configs configs = {config_count, config_get,
                                                  config_select};

static uint32_t notes_count(const struct clap_plugin *plugin, bool input)
{
    (void)plugin;
    (void)input;
    return 1;
}

static bool notes_get(const struct clap_plugin *plugin, uint32_t index,
                      bool input, struct clap_note_port *port)
{
    (void)plugin;
    (void)input;
    port->id = index;
    port->dialects =
        CLAP_DIALECT_CLAP | (has_word("onlynotes") ? 0 : CLAP_DIALECT_MIDI);
    port->preferred = has_word("midi") ? CLAP_DIALECT_MIDI : CLAP_DIALECT_CLAP;
    snprintf(port->name, sizeof port->name, "notes");
    return true;
}

static const struct clap_note_ports note_ports = {notes_count, notes_get};

/* ---- parameters ---------------------------------------------------------------------------- */

static uint32_t params_count(const struct clap_plugin *plugin)
{
    (void)plugin;
    return PARAMS;
}

static bool params_get(const struct clap_plugin *plugin, uint32_t index,
                       struct clap_param *param)
{
    static const char *const names[] = {"Gain", "Wave", "Latency", "Meter",
                                        "Secret"};

    (void)plugin;
    param->id = ids[index];
    param->flags = CLAP_PARAM_AUTOMATABLE;
    param->maximum = 1;
    snprintf(param->name, sizeof param->name, "%s", names[index]);
    snprintf(param->module, sizeof param->module, "Main/%s",
             index < 2 ? "Voice" : "Rest");
    if (ids[index] == GAIN)
        param->initial = 0.5;
    if (ids[index] == WAVE)
        param->flags |= CLAP_PARAM_STEPPED;
    if (ids[index] == LATENCY)
        param->maximum = LATE - 1;
    if (ids[index] == METER)
        param->flags = CLAP_PARAM_READ_ONLY;
    if (ids[index] == SECRET)
        param->flags |= CLAP_PARAM_HIDDEN;
    return true;
}

static bool params_value(const struct clap_plugin *plugin, uint32_t id,
                         double *value)
{
    const int i = index_of(id);

    if (i >= 0)
        *value = of(plugin)->value[i];
    return i >= 0;
}

static bool params_text(const struct clap_plugin *plugin, uint32_t id,
                        double value, char *text, uint32_t size)
{
    (void)plugin;
    fault_at("text");
    if (id == WAVE)
        snprintf(text, size, value > 0 ? "square" : "sine");
    else
        snprintf(text, size, "%d percent", (int)(value * 100 + 0.5));
    return true;
}

static bool params_read(const struct clap_plugin *plugin, uint32_t id,
                        const char *text, double *value)
{
    (void)plugin;
    (void)id;
    (void)text;
    (void)value;
    return false;
}

static void params_flush(const struct clap_plugin *plugin,
                         const struct clap_events_in *events,
                         const struct clap_events_out *said)
{
    for (uint32_t i = 0; i < events->count(events); i++)
        hear(of(plugin), events->at(events, i), said);
}

static const struct clap_params params = {params_count, params_get,
                                          params_value, params_text,
                                          params_read,  params_flush};

/* ---- state, and the rest ------------------------------------------------------------------------ */

static bool state_save(const struct clap_plugin *plugin,
                       const struct clap_stream_out *stream)
{
    fault_at("save");
    if (has_word("refuse"))
        return false;
    return stream->write(stream, "FIXT", 4) == 4 &&
           stream->write(stream, of(plugin)->value, sizeof of(plugin)->value) ==
               (int64_t)sizeof of(plugin)->value;
}

/* One read for all of it, as some do. */
static bool state_load(const struct clap_plugin *plugin,
                       const struct clap_stream_in *stream)
{
    char bytes[4 + sizeof of(plugin)->value];

    fault_at("restore");
    if (stream->read(stream, bytes, sizeof bytes) != (int64_t)sizeof bytes ||
        memcmp(bytes, "FIXT", 4))
        return false;
    memcpy(of(plugin)->value, bytes + 4, sizeof of(plugin)->value);
    return true;
}

static const struct clap_state state = {state_save, state_load};

static uint32_t latency_get(const struct clap_plugin *plugin)
{
    return of(plugin)->latency;
}

static const struct clap_latency latency = {latency_get};

static uint32_t names_count(const struct clap_plugin *plugin)
{
    (void)plugin;
    return 2;
}

static bool names_get(const struct clap_plugin *plugin, uint32_t index,
                      struct clap_note_name *name)
{
    (void)plugin;
    snprintf(name->name, sizeof name->name, index ? "Snare" : "Kick");
    name->key = index ? 38 : 36;
    name->port = name->channel = -1;
    return true;
}

static const struct clap_note_names note_names = {names_count, names_get};

static void on_timer(const struct clap_plugin *plugin, uint32_t id)
{
    struct fixture *f = of(plugin);

    if (id == f->timer && ++f->ticks == 3)
        f->host->request_callback(f->host);
}

static const struct clap_timer timer = {on_timer};

static const void *fixture_extension(const struct clap_plugin *plugin,
                                     const char *name)
{
    (void)plugin;
    if (!strcmp(name, CLAP_EXT_AUDIO_PORTS))
        return &ports;
    if (!strcmp(name, CLAP_EXT_AUDIO_PORTS_CONFIG))
        return &configs;
    if (!strcmp(name, CLAP_EXT_NOTE_PORTS))
        return &note_ports;
    if (!strcmp(name, CLAP_EXT_PARAMS))
        return &params;
    if (!strcmp(name, CLAP_EXT_STATE))
        return has_word("nostate") ? NULL : &state;
    if (!strcmp(name, CLAP_EXT_LATENCY))
        return &latency;
    if (!strcmp(name, CLAP_EXT_NOTE_NAME))
        return &note_names;
    if (!strcmp(name, CLAP_EXT_TIMER))
        return &timer;
    return NULL;
}

/* ---- the library ------------------------------------------------------------------------------------ */

static const char *const features[] = {"stereo", "instrument", NULL};
static const struct clap_descriptor descriptors[] = {{{1, 2, 0},
                                                      "org.shmlink.fixture",
                                                      "Fixture",
                                                      "shmlink",
                                                      "",
                                                      "",
                                                      "",
                                                      "1.5",
                                                      "",
                                                      features},
                                                     {{1, 2, 0},
                                                      "org.shmlink.second",
                                                      "Second Fixture",
                                                      "shmlink",
                                                      "",
                                                      "",
                                                      "",
                                                      "1.5",
                                                      "",
                                                      features}};

static uint32_t factory_count(const struct clap_factory *factory)
{
    (void)factory;
    return 2;
}

static const struct clap_descriptor *
factory_descriptor(const struct clap_factory *factory, uint32_t index)
{
    (void)factory;
    return index < 2 ? &descriptors[index] : NULL;
}

static const struct clap_plugin *
factory_create(const struct clap_factory *factory, const struct clap_host *host,
               const char *id)
{
    struct fixture *f = calloc(1, sizeof *f);

    (void)factory;
    if (!f)
        return NULL;
    f->host = host;
    f->channels = 2;
    f->value[index_of(GAIN)] = 0.5;
    f->plugin = (struct clap_plugin){
        .descriptor = &descriptors[!strcmp(id, descriptors[1].id)],
        .own = f,
        .init = fixture_init,
        .destroy = fixture_destroy,
        .activate = fixture_activate,
        .deactivate = fixture_deactivate,
        .start = fixture_start,
        .stop = fixture_stop,
        .reset = fixture_reset,
        .process = fixture_process,
        .extension = fixture_extension,
        .on_main_thread = fixture_main};
    return &f->plugin;
}

static const struct clap_factory factory = {factory_count, factory_descriptor,
                                            factory_create};

static bool entry_init(const char *path)
{
    fault_at("load");
    return path && path[0];
}

static void entry_deinit(void)
{
}

static const void *entry_factory(const char *name)
{
    return strcmp(name, CLAP_FACTORY) ? NULL : &factory;
}

extern const struct clap_entry clap_entry;
__attribute__((visibility("default"))) const struct clap_entry clap_entry = {
    {1, 2, 0}, entry_init, entry_deinit, entry_factory};
