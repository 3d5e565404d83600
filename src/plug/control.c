/* SPDX-License-Identifier: MIT */
#include "control.h"

#include "log.h"
#include "messages.h"
#include "process.h"
#include "requests.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 30u   /* windows and timers of plugins like about so much */
#define HOLD_MS 2000u /* a block that takes longer hangs */
#define STOP_MS 500u

struct control {
    const struct control_options *options;
    struct plugin_owner owner;
    shl_bell *bell;
    _Atomic uint32_t changed; /* enum plugin_change; any thread adds (release),
                                 the control thread takes (acquire) */
    const struct plugin_format *format;
    const char *spec; /* what the format calls the plugin */
    struct plugin *plugin;
    double rate_hz;
    struct process *process;
    /* one of the two */
    shl_plugin_host *plugin_host;
    shl_device *device;
    shl_plugin_host
        *pipes; /* of a DAW that has a link area: the device is its */
    struct messages *messages;
    uint32_t inputs, outputs; /* channels of the device */
    int reopen; /* the device must be announced with other counts */
};

/* ---- what the plugin says -------------------------------------------------------- */

static SHL_RT void changed(void *arg, uint32_t what)
{
    struct control *control = arg;

    /* release: what has changed is whole */
    atomic_fetch_or_explicit(&control->changed, what, memory_order_release);
    shl_bell_ring(control->bell);
}

static void log_line(void *arg, enum plugin_level level, const char *text)
{
    (void)arg;
    log_say(level, "%s", text);
}

/* ---- loading ------------------------------------------------------------------------ */

static int code_of(shl_status status)
{
    return status == SHL_NOT_FOUND ? PLUG_NO_PLUGIN : PLUG_NOT_LOADED;
}

static int load(struct control *control)
{
    const struct control_options *options = control->options;
    const struct plugin_load how = {.spec = control->spec,
                                    .rate_hz = control->rate_hz,
                                    .block_frames = options->block_frames,
                                    .inputs = options->inputs,
                                    .outputs = options->outputs,
                                    .owner = &control->owner};
    struct shl_why why = {""};
    shl_status status = control->format->load(&how, &control->plugin, &why);

    if (!status) {
        status = control->plugin->calls->activate(
            control->plugin, control->rate_hz, SHL_MAX_FRAMES, &why);
        if (status)
            control->plugin->calls->unload(control->plugin);
    }
    if (status) {
        control->plugin = NULL;
        log_say(PLUGIN_ERROR, "%s %s: %s", options->format, options->spec,
                why.text[0] ? why.text : shl_status_text(status));
        return code_of(status);
    }
    return PLUG_OK;
}

static void unload(struct control *control)
{
    if (!control->plugin)
        return;
    control->plugin->calls->deactivate(control->plugin);
    control->plugin->calls->unload(control->plugin);
    control->plugin = NULL;
}

static int begin(struct control *control, const struct control_options *options)
{
    *control = (struct control){
        .options = options, .spec = options->spec, .rate_hz = options->rate_hz};
    control->owner = (struct plugin_owner){control, changed, log_line};
    control->format = plugin_format_of(options->format, &control->spec);
    if (!control->format) {
        log_say(PLUGIN_ERROR, "there is no format %s here: --scan tells which",
                options->format);
        return PLUG_NO_FORMAT;
    }
    if (shl_bell_new(&control->bell))
        return PLUG_NOT_LOADED;
    return PLUG_OK;
}

static int start(struct control *control)
{
    const struct process_road road = {control->plugin_host, control->device,
                                      control->inputs, control->outputs};

    control->process =
        process_new(control->plugin, &road, control->rate_hz, control->bell);
    if (control->process && !process_start(control->process))
        return 1;
    log_say(PLUGIN_ERROR, "%s", shl_status_text(SHL_NO_MEMORY));
    process_free(control->process);
    control->process = NULL;
    return 0;
}

/* ---- holding ------------------------------------------------------------------------- */

static int hold(void *arg)
{
    struct control *control = arg;

    return process_hold(control->process, HOLD_MS);
}

static void release(void *arg)
{
    struct control *control = arg;

    process_release(control->process);
}

static void tell(void *arg)
{
    struct control *control = arg;

    process_tell(control->process);
}

static void silence(void *arg)
{
    struct control *control = arg;

    process_silence(control->process);
}

static int give(void *arg, const struct shl_event *event)
{
    struct control *control = arg;

    return process_give(control->process, event);
}

static int given(void *arg)
{
    struct control *control = arg;

    return process_given(control->process, HOLD_MS);
}

/* Off and on again: rate and frames stay. */
static void restart(struct control *control)
{
    struct shl_why why = {""};

    control->plugin->calls->deactivate(control->plugin);
    if (control->plugin->calls->activate(control->plugin, control->rate_hz,
                                         SHL_MAX_FRAMES, &why))
        log_say(PLUGIN_ERROR, "the plugin does not start again: %s", why.text);
}

/* ---- the loop -------------------------------------------------------------------------- */

static void answer_request(struct control *control,
                           const struct shl_plugin_host_request *request)
{
    struct requests_needs needs = {0, 0};
    struct shl_why why = {""};
    const shl_status status =
        requests_answer(shl_plugin_host_pad(control->plugin_host),
                        control->plugin, request, &needs, &why);

    if (status)
        log_say(PLUGIN_WARNING, "request %u: %s", request->type,
                why.text[0] ? why.text : shl_status_text(status));
    if (needs.restart) {
        restart(control);
        requests_put_ports(shl_plugin_host_pad(control->plugin_host),
                           control->plugin);
    }
    if (needs.tell)
        process_tell(control->process);
    shl_plugin_host_answer(control->plugin_host, status);
    process_go_on(control->process);
}

static void dirty(struct control *control)
{
    if (control->plugin_host || control->pipes)
        shl_plugin_host_dirty(control->plugin_host ? control->plugin_host
                                                   : control->pipes);
}

static void new_counts(struct control *control)
{
    const struct plugin_ports ports =
        control->plugin->calls->ports(control->plugin);

    log_say(PLUGIN_INFO, "the plugin has %u inputs and %u outputs now",
            ports.audio_in, ports.audio_out);
    dirty(control); /* all that this protocol has for it */
}

/* False: the plugin hangs; once more when it has come back. */
static int heed_counts(struct control *control, uint32_t what)
{
    if (!hold(control)) {
        changed(control, what);
        return 0;
    }
    restart(control);
    if (what & PLUGIN_CHANGED_PORTS)
        new_counts(control);
    release(control);
    return 1;
}

static void heed_changes(struct control *control)
{
    /* acquire: what has changed is whole */
    const uint32_t what =
        atomic_exchange_explicit(&control->changed, 0, memory_order_acquire);

    /* what is on the board stands there for good: a new device is needed */
    if (control->device && !control->pipes &&
        what & (PLUGIN_CHANGED_PORTS | PLUGIN_CHANGED_PARAMS))
        control->reopen = 1;
    else if (what & (PLUGIN_CHANGED_PORTS | PLUGIN_WANTS_RESTART) &&
             !heed_counts(control, what))
        return;
    if (what & PLUGIN_CHANGED_STATE)
        dirty(control);
    if (what & PLUGIN_CHANGED_PARAMS)
        process_tell(control->process);
}

/* A DAW that plays by a link says by its pipe and its header when it is over. */
static int daw_is_done(const struct control *control)
{
    if (!control->pipes)
        return 0;
    const shl_status status = shl_plugin_host_idle(control->pipes, 0);
    return status == SHL_GONE || status == SHL_BAD_PEER;
}

/* Whether somebody wants us to leave, or there is nobody left. */
static int must_end(const struct control *control)
{
    return shl_ending() || control->reopen || daw_is_done(control) ||
           (control->options->follows &&
            !shl_parent_is(control->options->parent));
}

static void work(struct control *control)
{
    const struct messages_holder holder = {control, hold, release, tell,
                                           silence, give, given};
    shl_status status;

    while (!must_end(control) && !process_ended(control->process, &status)) {
        const struct shl_plugin_host_request *request =
            process_request(control->process);

        if (request)
            answer_request(control, request);
        if (control->messages)
            messages_answer(control->messages, &holder);
        heed_changes(control);
        if (control->plugin->calls->tick)
            control->plugin->calls->tick(control->plugin);
        if (!process_request(control->process))
            shl_bell_wait(control->bell, TICK_MS);
    }
}

/* ---- the end ---------------------------------------------------------------------------- */

static void tell_figures(struct control *control)
{
    struct process_figures figures;

    process_figures(control->process, &figures);
    log_say(PLUGIN_DEBUG, "%llu blocks", (unsigned long long)figures.blocks);
    if (figures.bad_samples)
        log_say(PLUGIN_WARNING,
                "%llu samples were no numbers and became silence",
                (unsigned long long)figures.bad_samples);
    if (figures.held_events)
        log_say(PLUGIN_WARNING, "%llu events came while the plugin was held",
                (unsigned long long)figures.held_events);
    if (figures.sends_failed)
        log_say(PLUGIN_WARNING, "%llu events of the plugin found no room",
                (unsigned long long)figures.sends_failed);
}

/* Stop the audio thread. One that hangs in the plugin cannot be stopped: the
 * process leaves under it, and nothing is taken away from it before. */
static shl_status stop(struct control *control)
{
    shl_status status = SHL_OK;
    const int by_itself = process_ended(control->process, &status);

    if (!process_stop(control->process, STOP_MS)) {
        log_say(PLUGIN_ERROR, "the plugin does not come back");
        _Exit(PLUG_HANGS);
    }
    tell_figures(control);
    process_free(control->process);
    control->process = NULL;
    return by_itself ? status : SHL_OK;
}

/* ---- on the board ------------------------------------------------------------------------- */

/* The board takes so many parameters, and only those that make sense. */
static struct shl_param *board_params(struct control *control, uint32_t *count)
{
    const struct plugin_calls *calls = control->plugin->calls;
    const struct shl_param *list = NULL;
    const uint32_t all =
        calls->params ? calls->params(control->plugin, &list) : 0;
    struct shl_param *kept = calloc(all ? all : 1, sizeof(*kept));

    *count = 0;
    for (uint32_t i = 0; kept && i < all && *count < SHL_MAX_PARAMS; i++) {
        kept[*count] = list[i];
        kept[*count].initial =
            shl_param_clip(&list[i], calls->value(control->plugin, list[i].id));
        if (shl_param_check(&kept[*count]) == SHL_OK)
            ++*count;
    }
    if (kept && *count < all)
        log_say(PLUGIN_WARNING, "%u of %u parameters are on the board", *count,
                all);
    return kept;
}

/* A plugin that takes any channels gets those that its DAW has asked for. */
static void count_channels(struct control *control)
{
    const struct plugin_ports ports =
        control->plugin->calls->ports(control->plugin);

    control->inputs = ports.audio_in;
    control->outputs = ports.audio_out;
    if (ports.any && control->pipes)
        shl_plugin_host_get_channels(control->pipes, &control->inputs,
                                     &control->outputs);
}

static int announce(struct control *control, const char *id, const char *tag)
{
    const struct plugin_calls *calls = control->plugin->calls;
    const struct plugin_about about = calls->about(control->plugin);

    count_channels(control);
    struct shl_device_options options = {
        .id = id,
        .tag = tag,
        .segment = control->pipes ? shl_plugin_host_area(control->pipes) : NULL,
        .vendor = about.vendor,
        .category = about.category,
        .version = about.version,
        .in_channels = control->inputs,
        .out_channels = control->outputs,
        .rate_hz = control->rate_hz,
        .block_frames = control->options->block_frames,
        .latency_frames = calls->latency(control->plugin),
        .capabilities = plugin_capabilities(control->plugin)};
    struct shl_why why = {""};
    shl_status status = SHL_NO_MEMORY;
    struct shl_param *params = board_params(control, &options.param_count);

    options.params = params;
    if (params)
        status = shl_device_open(&options, &control->device, &why);
    free(params);
    if (status)
        log_say(PLUGIN_ERROR, "%s: %s", id,
                why.text[0] ? why.text : shl_status_text(status));
    else
        log_say(PLUGIN_INFO, "%s: ready, %u in, %u out, %s Hz",
                shl_device_id(control->device), control->inputs,
                control->outputs, shl_digits(control->rate_hz, 10).text);
    return status ? PLUG_NO_DEVICE : PLUG_OK;
}

/* From announcing to leaving the board, once. */
static int be_device(struct control *control, char id[SHL_ID_SIZE],
                     char tag[SHL_TAG_SIZE])
{
    int code = announce(control, id, tag[0] ? tag : NULL);

    if (code)
        return code;
    control->messages =
        messages_new(control->device, control->plugin, control->bell);
    code = control->messages && start(control) ? PLUG_OK : PLUG_NOT_LOADED;
    if (!code) {
        work(control);
        code = stop(control) == SHL_BAD_PEER ? PLUG_NO_SEGMENT : PLUG_OK;
    }
    shl_device_get_tag(control->device, tag);
    for (size_t i = 0; i < 48; i++) {
        id[i] = shl_device_id(control->device)[i];
        if (!id[i])
            break;
    }
    shl_device_close(control->device);
    control->device = NULL;
    messages_free(control->messages);
    control->messages = NULL;
    if (code == PLUG_NO_SEGMENT)
        log_say(PLUGIN_ERROR, "%s: its segment was cut short", id);
    return code;
}

int control_register(const struct control_options *options)
{
    struct control control;
    char id[SHL_ID_SIZE] = "", tag[SHL_TAG_SIZE] = "";
    int code = begin(&control, options);

    for (size_t i = 0; i < sizeof(id) - 1 && options->name[i]; i++)
        id[i] = options->name[i];
    if (!(control.rate_hz > 0))
        control.rate_hz = 48000;
    if (!code)
        code = load(&control);
    if (!code) {
        do {
            if (control.reopen)
                restart(&control);
            control.reopen = 0;
            code = be_device(&control, id, tag);
        } while (!code && control.reopen && !shl_ending());
        unload(&control);
    }
    shl_bell_free(control.bell);
    return code;
}

/* ---- for a DAW ---------------------------------------------------------------------- */

static void tell_ready(struct control *control)
{
    const struct plugin_calls *calls = control->plugin->calls;
    const struct plugin_ports ports = calls->ports(control->plugin);
    const struct shl_plugin_host_about about = {
        .name = calls->about(control->plugin).name,
        .audio_in = ports.audio_in,
        .audio_out = ports.audio_out,
        .midi_in = ports.midi_in,
        .midi_out = ports.midi_out,
        .any_channels = ports.any,
        .latency_frames = calls->latency(control->plugin),
        .rate_hz = control->rate_hz};

    shl_plugin_host_ready(control->plugin_host, &about);
    log_say(PLUGIN_INFO, "%s %s is ready, %s Hz, protocol number %u",
            control->options->format, control->options->spec,
            shl_digits(control->rate_hz, 10).text,
            shl_plugin_host_version(control->plugin_host));
}

static double rate_of(const struct control_options *options,
                      shl_plugin_host *plugin_host)
{
    const double said = shl_plugin_host_rate(plugin_host);

    if (options->rate_hz > 0)
        return options->rate_hz;
    return said >= 1000 && said <= 1e6 ? said : 48000;
}

/* The plugin's name as a device may have it. */
static void name_link(const struct control *control, char id[SHL_ID_SIZE])
{
    const char *name = control->plugin->calls->about(control->plugin).name;
    size_t n = 0;

    for (; n < 40 && name[n]; n++)
        id[n] = strchr("/:\\,;$*-", name[n]) || (unsigned char)name[n] < ' ' ||
                        name[n] & 0x80
                    ? '_'
                    : name[n];
    memcpy(id + n, ":0", 3);
    if (shl_id_check(id, NULL, NULL, NULL))
        memcpy(id, "plugin:0", 9);
}

/* Through the request slot and the rings of the protocol. */
static int by_slot(struct control *control, shl_plugin_host *plugin_host)
{
    int code = PLUG_OK;

    control->plugin_host = plugin_host;
    tell_ready(control); /* bytes that come before the thread wait */
    if (!start(control))
        return PLUG_NOT_LOADED;
    work(control);
    if (stop(control) == SHL_BAD_PEER) {
        log_say(PLUGIN_ERROR, "the segment was cut short");
        code = PLUG_NO_SEGMENT;
    }
    return code;
}

/* The segment has a link area: all that a device on the board offers. */
static int by_link(struct control *control, shl_plugin_host *pipes)
{
    char id[SHL_ID_SIZE], tag[SHL_TAG_SIZE] = "";

    control->pipes = pipes;
    name_link(control, id);
    return be_device(control, id, tag);
}

int control_serve(const struct control_options *options,
                  shl_plugin_host *plugin_host)
{
    struct control control;
    int code = begin(&control, options);

    control.rate_hz = rate_of(options, plugin_host);
    if (!code)
        code = load(&control);
    if (!code) {
        code = shl_plugin_host_area(plugin_host)
                   ? by_link(&control, plugin_host)
                   : by_slot(&control, plugin_host);
        unload(&control);
    }
    shl_bell_free(control.bell);
    return code;
}
