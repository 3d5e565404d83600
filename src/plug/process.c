/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 100u
#define MAX_TOLD                                                               \
    (4 * SHL_MAX_PARAMS) /* parameters whose last told value is kept */

/* All that the full rings of a DAW can hold: parameters, and each MIDI port. */
#define MAX_EVENTS ((1 + SHL_MAX_MIDI_PORTS) * SHL_MAX_EVENTS)

/* More changes of the transport in one block come with the last of them. */
#define MAX_CUTS 64u

/* A number that somebody reads while the thread runs: relaxed, on its own. */
typedef _Atomic uint64_t figure;

struct process {
    struct plugin *plugin;
    struct process_road road;
    double rate_hz;
    shl_bell *control;  /* rung for the control thread */
    shl_bell *answered; /* rung by it */
    shl_worker *worker;
    /* `ended` is the audio thread's (release), the control thread's to read
     * (acquire): 0, or 1 + the status it left with */
    _Atomic uint32_t ended;
    _Atomic uint32_t quit; /* control: relaxed, it publishes nothing */
    /* audio stores 1 (release: the work is whole), control 0 (release: it is
     * answered); both acquire */
    _Atomic uint32_t asked;
    /* control raises hold, then looks at inside; audio raises inside, then
     * looks at hold: both seq_cst, or each could miss the other */
    _Atomic uint32_t hold, inside;
    /* control stores give (release: the events below are whole), audio stores
     * taken (release: their places are free again); both acquire */
    _Atomic uint32_t give, taken;
    struct shl_event given[PROCESS_GIVEN];
    /* how often control has asked for values to be told (release: they are
     * as they are to be), and how many of that audio has heeded (release: they
     * are kept where hosts look); both acquire */
    _Atomic uint32_t tell, heeded;
    _Atomic uint32_t hush; /* control stores, audio takes: relaxed */
    figure blocks, bad_samples, held_events, sends_failed;
    /* the audio thread's own */
    struct shl_work work;
    int idle;   /* heard something since the last block */
    int untold; /* values have been kept, and are to be told with a block */
    int missed; /* events while held: what sounds is unknown */
    uint32_t latency;
    uint64_t frame; /* of the block's first sample, on the road */
    struct {
        uint32_t at;
        struct shl_transport transport;
    } cut[MAX_CUTS]; /* of this block, in order */
    uint32_t cuts;
    const struct shl_param *params;
    uint32_t param_count;
    double told[MAX_TOLD];
    struct shl_event events[PROCESS_GIVEN + MAX_EVENTS];
    /* planes of a link without audio: silent ones, and what nobody hears */
    const float *in[SHL_MAX_CHANNELS];
    float *out[SHL_MAX_CHANNELS];
    const float *silence[SHL_MAX_CHANNELS];
    float *sink[SHL_MAX_CHANNELS];
    float no_sound[SHL_MAX_FRAMES], unheard[SHL_MAX_FRAMES];
};

static void count(figure *what, uint64_t more)
{
    atomic_fetch_add_explicit(what, more, memory_order_relaxed);
}

/* ---- a block ------------------------------------------------------------------ */

static int next_event(struct process *process, struct shl_event *event)
{
    return process->road.plugin_host
               ? shl_plugin_host_event(process->road.plugin_host, event)
               : shl_device_event(process->road.device, event);
}

static SHL_RT int send_event(void *to, const struct shl_event *event)
{
    struct process *process = to;
    struct shl_event absolute = *event;
    shl_status status;

    absolute.frame += process->frame;
    status = process->road.plugin_host
                 ? shl_plugin_host_send(process->road.plugin_host, &absolute)
                 : shl_device_send(process->road.device, &absolute);
    if (status == SHL_RING_FULL)
        count(&process->sends_failed, 1);
    return status == SHL_OK;
}

/* What the control thread gives comes at the first sample. */
static uint32_t take_given(struct process *process)
{
    const uint32_t until =
        atomic_load_explicit(&process->give, memory_order_acquire);
    uint32_t at = atomic_load_explicit(&process->taken, memory_order_relaxed);
    uint32_t n = 0;

    while (at != until)
        process->events[n++] = process->given[at++ % PROCESS_GIVEN];
    return n;
}

/* They are heard: whoever waits for that may go on. */
static void free_given(struct process *process, uint32_t count)
{
    if (count)
        atomic_fetch_add_explicit(&process->taken, count, memory_order_release);
}

/* Here the transport is another: the block goes to the plugin in two parts. */
static void keep_cut(struct process *process, uint32_t at)
{
    uint32_t last = process->cuts ? process->cuts - 1 : 0;

    if (process->cuts == 0 ||
        (process->cut[last].at < at && process->cuts < MAX_CUTS))
        last = process->cuts++;
    process->cut[last].at = at;
    process->cut[last].transport = shl_device_transport(process->road.device);
}

/* Events of this block with their places in it. */
static uint32_t gather(struct process *process, uint32_t n)
{
    struct shl_event event;

    process->cuts = 0;
    while (n < PROCESS_GIVEN + MAX_EVENTS && next_event(process, &event)) {
        event.frame -= process->frame;
        if (event.kind == SHL_EVENT_PLAYHEAD)
            keep_cut(process, (uint32_t)event.frame);
        else
            process->events[n++] = event;
    }
    return n;
}

/* What has changed since it was told last, by whoever. Ids are looked at in
 * their order; beyond MAX_TOLD every value is told. */
static void tell_values(struct process *process)
{
    for (uint32_t i = 0; i < process->param_count; i++) {
        const uint32_t id = process->params[i].id;
        const double value = process->plugin->calls->value(process->plugin, id);

        if (i < MAX_TOLD &&
            /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): NaN too */
            memcmp(&process->told[i], &value, sizeof(value)) == 0)
            continue;
        if (i < MAX_TOLD)
            process->told[i] = value;
        const struct shl_event event =
            shl_event_param(0, SHL_EVENT_PARAM, id, value);
        send_event(process, &event);
    }
}

static void silence_planes(const struct plugin_block *block, uint32_t from)
{
    for (uint32_t c = from; c < block->out_wired; c++)
        memset(block->out[c], 0, block->frames * sizeof(float));
}

/* Infinities and what is no number become silence: nobody downstream of a
 * broken plugin should have to care. */
static uint32_t mend(float *plane, uint32_t frames)
{
    const uint32_t exponent = 0x7F800000u;
    uint32_t bad = 0;

    for (uint32_t i = 0; i < frames; i++) {
        uint32_t bits;

        memcpy(&bits, &plane[i], sizeof(bits));
        const uint32_t is_bad = (bits & exponent) == exponent;
        bits = is_bad ? 0 : bits;
        memcpy(&plane[i], &bits, sizeof(bits));
        bad += is_bad;
    }
    return bad;
}

static void mend_outputs(struct process *process,
                         const struct plugin_block *block, uint32_t outputs)
{
    uint32_t bad = 0;

    for (uint32_t c = 0; c < outputs; c++)
        bad += mend(block->out[c], block->frames);
    if (bad)
        count(&process->bad_samples, bad);
}

static void tell_latency(struct process *process)
{
    const uint32_t latency = process->plugin->calls->latency(process->plugin);

    if (latency == process->latency)
        return;
    process->latency = latency;
    if (process->road.plugin_host)
        shl_plugin_host_set_latency(process->road.plugin_host, latency);
    else
        shl_device_set_latency(process->road.device, latency);
}

static void run_plugin(struct process *process, struct plugin_block *block)
{
    struct plugin *plugin = process->plugin;
    const uint32_t asked =
        atomic_load_explicit(&process->tell, memory_order_acquire);
    const uint32_t heeded =
        atomic_load_explicit(&process->heeded, memory_order_relaxed);
    const uint32_t outputs =
        shl_least(plugin->calls->ports(plugin).audio_out, block->out_wired);

    if (process->missed ||
        atomic_exchange_explicit(&process->hush, 0, memory_order_relaxed))
        plugin->calls->silence(plugin);
    process->missed = 0;
    plugin->calls->process(plugin, block);
    silence_planes(block, outputs);
    mend_outputs(process, block, outputs);
    if (asked != heeded || process->untold) {
        tell_values(process);
        process->untold = 0;
        atomic_store_explicit(&process->heeded, asked, memory_order_release);
    }
    tell_latency(process);
}

/* The plugin is being saved, restored or made anew. */
static void sit_out(struct process *process, const struct plugin_block *block)
{
    silence_planes(block, 0);
    if (block->event_count) {
        process->missed = 1;
        count(&process->held_events, block->event_count);
    }
}

/* The plugin's turn, unless it is held. */
static void turn(struct process *process, struct plugin_block *block)
{
    atomic_store_explicit(&process->inside, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&process->hold, memory_order_seq_cst))
        sit_out(process, block);
    else
        run_plugin(process, block);
    /* release: what the plugin has done is whole before it is held */
    atomic_store_explicit(&process->inside, 0, memory_order_release);
}

/* A part of a block, with its events and planes from there on. */
static void play_part(struct process *process, const struct plugin_block *whole,
                      uint32_t from, uint32_t to, uint32_t *event)
{
    struct plugin_block part = *whole;
    const float *in[SHL_MAX_CHANNELS];
    float *out[SHL_MAX_CHANNELS];

    for (uint32_t c = 0; c < whole->in_wired; c++)
        in[c] = whole->in[c] + from;
    for (uint32_t c = whole->in_wired; c < SHL_MAX_CHANNELS; c++)
        in[c] = process->silence[c];
    for (uint32_t c = 0; c < whole->out_wired; c++)
        out[c] = whole->out[c] + from;
    for (uint32_t c = whole->out_wired; c < SHL_MAX_CHANNELS; c++)
        out[c] = process->sink[c];
    part.in = in;
    part.out = out;
    part.frames = to - from;
    part.events = whole->events + *event;
    part.event_count = 0;
    while (*event < whole->event_count && process->events[*event].frame < to) {
        process->events[(*event)++].frame -= from;
        part.event_count++;
    }
    turn(process, &part);
    process->frame += part.frames;
}

/* The plugin's block, in parts where the transport changes within it. */
static void play_parts(struct process *process, struct plugin_block *block)
{
    uint32_t at = 0, event = 0;

    for (uint32_t i = 0; i < process->cuts; i++) {
        play_part(process, block, at, process->cut[i].at, &event);
        at = process->cut[i].at;
        block->transport = process->cut[i].transport;
    }
    play_part(process, block, at, block->frames, &event);
}

static void play(struct process *process, const struct shl_block *from,
                 uint32_t in_wired, uint32_t out_wired)
{
    const uint32_t given = take_given(process);
    struct plugin_block block = {.frames = from->frames,
                                 .in = from->in,
                                 .out = from->out,
                                 .in_wired = in_wired,
                                 .out_wired = out_wired,
                                 .transport = from->transport,
                                 .events = process->events,
                                 .send = send_event,
                                 .to = process};

    process->frame = from->frame;
    if (from->mode == SHL_MODE_MIDI) { /* its planes are nobody's */
        block.in = process->silence;
        block.out = process->sink;
        block.in_wired = block.out_wired = 0;
    }
    if (!(block.transport.rate_hz > 0))
        block.transport.rate_hz = process->rate_hz;
    /* another host listens, unless it has given the plugin something before */
    if (from->fresh && process->road.device && !process->idle)
        process->missed = 1;
    process->idle = 0;
    block.event_count = gather(process, given);
    if (process->cuts && block.frames)
        play_parts(process, &block);
    else
        turn(process, &block);
    free_given(process, given);
    count(&process->blocks, 1);
}

/* Hosts that ask get the new values, also while no block is played. */
static void keep_values(struct process *process)
{
    for (uint32_t i = 0; i < process->param_count; i++)
        shl_device_keep(process->road.device, process->params[i].id,
                        process->plugin->calls->value(process->plugin,
                                                      process->params[i].id));
}

static SHL_RT int send_nowhere(void *to, const struct shl_event *event)
{
    (void)to;
    (void)event;
    return 0;
}

/* No block comes: the plugin hears what the control thread gives all the same.
 * What it has to say of that is told with the next block. */
static void play_idle(struct process *process)
{
    const uint32_t given = take_given(process);
    struct plugin_block block = {.in = process->silence,
                                 .out = process->sink,
                                 .transport =
                                     shl_transport_default(process->rate_hz),
                                 .events = process->events,
                                 .event_count = given,
                                 .send = send_nowhere,
                                 .to = process};
    const uint32_t asked =
        atomic_load_explicit(&process->tell, memory_order_acquire);

    if (given) {
        process->idle = 1;
        turn(process, &block);
    }
    free_given(process, given);
    if (!given &&
        asked == atomic_load_explicit(&process->heeded, memory_order_relaxed))
        return;
    keep_values(process);
    process->untold = 1;
    atomic_store_explicit(&process->heeded, asked, memory_order_release);
}

/* ---- the loop ----------------------------------------------------------------- */

static void leave(struct process *process, shl_status status)
{
    atomic_store_explicit(&process->ended, 1 + (uint32_t)status,
                          memory_order_release);
    shl_bell_ring(process->control);
}

/* The control thread answers; meanwhile this one may do what it likes. */
static void hand_over(struct process *process)
{
    shl_rt(0);
    atomic_store_explicit(&process->asked, 1, memory_order_release);
    shl_bell_ring(process->control);
    while (atomic_load_explicit(&process->asked, memory_order_acquire) &&
           !atomic_load_explicit(&process->quit, memory_order_relaxed)) {
        shl_bell_wait(process->answered, WAIT_MS);
        shl_plugin_host_beat(process->road.plugin_host);
    }
    shl_rt(1);
}

static shl_status serve_once(struct process *process, uint32_t timeout_ms)
{
    struct shl_work *work = &process->work;
    const shl_status status =
        shl_plugin_host_wait(process->road.plugin_host, timeout_ms, work);

    if (status)
        return status;
    if (work->kind == SHL_WORK_REQUEST) {
        hand_over(process);
        return SHL_OK;
    }
    play(process, &work->block, work->in_channels, work->out_channels);
    shl_plugin_host_done(process->road.plugin_host);
    return SHL_OK;
}

/* The plugin may have got more channels than the device has. */
static void wire_device(struct process *process, struct shl_block *block)
{
    const struct process_road *road = &process->road;

    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++) {
        process->in[c] =
            c < road->in_channels ? block->in[c] : process->no_sound;
        process->out[c] =
            c < road->out_channels ? block->out[c] : process->unheard;
    }
    block->in = process->in;
    block->out = process->out;
}

static shl_status device_once(struct process *process, uint32_t timeout_ms)
{
    struct shl_block block;
    const shl_status status =
        shl_device_wait(process->road.device, timeout_ms, &block);

    if (status == SHL_TIMEOUT)
        play_idle(process);
    if (status)
        return status;
    if (block.mode != SHL_MODE_MIDI)
        wire_device(process, &block);
    play(process, &block, process->road.in_channels,
         process->road.out_channels);
    shl_device_done(process->road.device);
    return SHL_OK;
}

SHL_RT shl_status process_once(struct process *process, uint32_t timeout_ms)
{
    return process->road.plugin_host ? serve_once(process, timeout_ms)
                                     : device_once(process, timeout_ms);
}

static void run(void *arg)
{
    struct process *process = arg;
    shl_status status = SHL_OK;

    if (atomic_load_explicit(&process->ended, memory_order_relaxed))
        return; /* woken once more, to end */
    shl_rt(1);
    while (!atomic_load_explicit(&process->quit, memory_order_relaxed) &&
           (status == SHL_OK || status == SHL_TIMEOUT))
        status = process_once(process, WAIT_MS);
    shl_rt(0);
    leave(process, status);
}

/* ---- the control thread's side ---------------------------------------------------- */

struct process *process_new(struct plugin *plugin,
                            const struct process_road *road, double rate_hz,
                            shl_bell *control)
{
    struct process *process = calloc(1, sizeof(*process));

    if (!process || shl_bell_new(&process->answered)) {
        free(process);
        return NULL;
    }
    process->plugin = plugin;
    process->road = *road;
    process->rate_hz = rate_hz;
    process->control = control;
    process->latency = plugin->calls->latency(plugin);
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++) {
        process->silence[c] = process->no_sound;
        process->sink[c] = process->unheard;
    }
    if (plugin->calls->params && plugin->calls->value)
        process->param_count = plugin->calls->params(plugin, &process->params);
    for (uint32_t i = 0; i < process->param_count && i < MAX_TOLD; i++)
        process->told[i] = plugin->calls->value(plugin, process->params[i].id);
    return process;
}

void process_free(struct process *process)
{
    if (!process)
        return;
    shl_bell_free(process->answered);
    free(process);
}

shl_status process_start(struct process *process)
{
    return shl_worker_new(run, process, 0, &process->worker);
}

int process_ended(const struct process *process, shl_status *status)
{
    const uint32_t ended =
        atomic_load_explicit(&process->ended, memory_order_acquire);

    if (ended)
        *status = (shl_status)(ended - 1);
    return ended != 0;
}

static uint64_t after_ms(uint32_t timeout_ms)
{
    return shl_clock_ns() + timeout_ms * UINT64_C(1000000);
}

int process_stop(struct process *process, uint32_t timeout_ms)
{
    const uint64_t until_ns = after_ms(timeout_ms);
    shl_status status;

    atomic_store_explicit(&process->quit, 1, memory_order_relaxed);
    shl_bell_ring(process->answered);
    while (!process_ended(process, &status)) {
        if (shl_clock_ns() >= until_ns)
            return 0;
        shl_sleep_ms(1);
    }
    shl_worker_free(process->worker);
    process->worker = NULL;
    return 1;
}

const struct shl_plugin_host_request *process_request(struct process *process)
{
    return atomic_load_explicit(&process->asked, memory_order_acquire)
               ? &process->work.request
               : NULL;
}

void process_go_on(struct process *process)
{
    atomic_store_explicit(&process->asked, 0, memory_order_release);
    shl_bell_ring(process->answered);
}

int process_hold(struct process *process, uint32_t timeout_ms)
{
    const uint64_t until_ns = after_ms(timeout_ms);

    atomic_store_explicit(&process->hold, 1, memory_order_seq_cst);
    while (atomic_load_explicit(&process->inside, memory_order_seq_cst)) {
        if (shl_clock_ns() >= until_ns) {
            process_release(process);
            return 0;
        }
        shl_sleep_ms(1);
    }
    return 1;
}

void process_release(struct process *process)
{
    /* release: the plugin is as it is to be before it runs again */
    atomic_store_explicit(&process->hold, 0, memory_order_seq_cst);
}

void process_tell(struct process *process)
{
    atomic_fetch_add_explicit(&process->tell, 1, memory_order_release);
    if (process->road.device)
        shl_device_wake(process->road.device);
}

int process_give(struct process *process, const struct shl_event *event)
{
    const uint32_t at =
        atomic_load_explicit(&process->give, memory_order_relaxed);

    if (at - atomic_load_explicit(&process->taken, memory_order_acquire) >=
        PROCESS_GIVEN)
        return 0;
    process->given[at % PROCESS_GIVEN] = *event;
    process->given[at % PROCESS_GIVEN].frame = 0;
    atomic_store_explicit(&process->give, at + 1, memory_order_release);
    return 1;
}

int process_given(struct process *process, uint32_t timeout_ms)
{
    const uint64_t until_ns = after_ms(timeout_ms);
    const uint32_t all =
        atomic_load_explicit(&process->give, memory_order_relaxed);
    const uint32_t told =
        atomic_load_explicit(&process->tell, memory_order_relaxed);

    if (process->road.device)
        shl_device_wake(process->road.device);
    while (atomic_load_explicit(&process->taken, memory_order_acquire) != all ||
           atomic_load_explicit(&process->heeded, memory_order_acquire) !=
               told) {
        if (shl_clock_ns() >= until_ns)
            return 0;
        shl_sleep_ms(1);
    }
    return 1;
}

void process_silence(struct process *process)
{
    atomic_store_explicit(&process->hush, 1, memory_order_relaxed);
}

static uint64_t read_figure(const figure *what)
{
    return atomic_load_explicit(what, memory_order_relaxed);
}

void process_figures(const struct process *process,
                     struct process_figures *figures)
{
    figures->blocks = read_figure(&process->blocks);
    figures->bad_samples = read_figure(&process->bad_samples);
    figures->held_events = read_figure(&process->held_events);
    figures->sends_failed = read_figure(&process->sends_failed);
}
