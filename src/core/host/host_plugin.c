/* SPDX-License-Identifier: MIT */
/* What a host does with a plugin program that it starts itself: the wish for
 * one, its crashes, starting it again, its requests. How one lives is plugin.h's
 * matter. */
#include "core/host/host_state.h"
#include "core/maolan/plugin_process.h"
#include "shmlink/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS       UINT64_C(1000000)
#define END_MS      1000u /* from the end of its pipe until it has ended */
#define SAVE_MS     2000u /* between states kept for a crash */
#define SHORT_LIVES 3u    /* in a row, until it stays stopped */
#define REQUEST_MS  5000u
#define TELL_S      2u  /* between words about a program that starts */
#define COUNTED     64u /* blocks, after which a counter must have moved */

/* What becomes of a program that -w has started for the fourth time. */
#define GIVEN_UP                                                               \
    ", 4 times within a second of audio: it is not started again: send open"
static_assert(SHORT_LIVES + 1 == 4, "as the sentence says");

/* ---- the wish ------------------------------------------------------------------ */

static shl_status split(const char *name, struct shl_host_plugin *plugin,
                        struct shl_why *why)
{
    const char *colon = strchr(name, ':');
    size_t length = colon ? (size_t)(colon - name) : 0;

    if (!colon || length == 0 || length >= sizeof plugin->format ||
        strlen(colon + 1) >= sizeof plugin->spec) {
        shl_why_set(why, "a plugin is opened by format and name: lv2:URI, "
                         "clap:/path/file.clap::id");
        return SHL_BAD_NAME;
    }
    memcpy(plugin->format, name, length);
    plugin->format[length] = 0;
    strcpy(plugin->spec, colon + 1);
    /* newer hosts refuse a plugin without a name, also the one that has none */
    if (!plugin->spec[0] && strcmp(plugin->format, "null") == 0)
        strcpy(plugin->spec, "null");
    return SHL_OK;
}

shl_status shl_host_spawn(shl_host *host, const struct shl_host_program *what,
                          uint32_t wait_ms)
{
    struct shl_host_plugin wish = {
        .wanted = true,
        .protocol = what->protocol,
        .patience_s = what->patience_s < SHL_PATIENCE_MOST ? what->patience_s
                                                           : SHL_PATIENCE_MOST,
        .again = what->again != 0};
    shl_status st = split(what->plugin, &wish, &host->why);

    if (!st && what->protocol && !shl_layout_of_version(what->protocol)) {
        shl_why_set(&host->why, "protocol %u is none of %u to %u",
                    what->protocol, SHL_VERSION_LOW, SHL_VERSION_HIGH);
        st = SHL_BAD_VALUE;
    }
    if (!st && what->program && strlen(what->program) >= sizeof wish.program)
        st = SHL_BAD_NAME;
    if (st)
        return st;
    if (what->program)
        strcpy(wish.program, what->program);
    shl_host_close(host);
    host->plugin = wish;
    snprintf(host->wanted, sizeof host->wanted, "%s", what->plugin);
    return shl_host_want(host, wait_ms);
}

/* ---- its life --------------------------------------------------------------------- */

static shl_status start(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;
    struct shl_plugin_process_options options = {
        .format = own->format,
        .spec = own->spec,
        .program = own->program,
        .protocol = own->protocol,
        .rate_hz = host->options.rate_hz,
        .block_frames = shl_host_exchanged(host),
        .in_channels = host->options.in_channels,
        .out_channels = host->options.out_channels,
        .state = own->state,
        .state_size = own->state ? own->state_size : 0,
        .save = own->again,
        .patience_s = own->patience_s};

    own->told_s = 0;
    own->misfit[0] = 0;
    return shl_plugin_process_start(&options, &own->running, &host->why);
}

static void let_go(struct shl_host_plugin *own)
{
    shl_plugin_process_end(own->running);
    own->running = NULL;
    own->lost_ns = 0;
}

/* It stays stopped until it is opened anew. */
static shl_status stop(shl_host *host, shl_status st)
{
    let_go(&host->plugin);
    host->plugin.stopped = st;
    return st;
}

/* One more death within a second of audio. */
static void count_life(shl_host *host, bool brief)
{
    static const uint32_t rests_ms[SHORT_LIVES] = {500, 1000, 2000};
    struct shl_host_plugin *own = &host->plugin;

    if (!brief) {
        own->brief = 0;
        own->next_ns = 0;
    } else if (own->brief < SHORT_LIVES) {
        own->next_ns = shl_clock_ns() + rests_ms[own->brief++] * MS_NS;
    } else {
        own->stopped = SHL_GONE;
    }
}

static shl_status failed(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;
    shl_status st = own->running->status;

    if (!own->again || !own->links) {
        snprintf(host->why.text, sizeof host->why.text, "%.255s",
                 own->running->why.text);
        return stop(host, st);
    }
    count_life(host, true);
    snprintf(host->why.text, sizeof host->why.text, "%.150s%s",
             own->running->why.text, own->stopped ? GIVEN_UP : "");
    let_go(own);
    return own->stopped ? own->stopped : st;
}

/* Some read all bundles of LV2 before they open one. */
static void tell_starting(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;
    const struct shl_plugin_process *running = own->running;
    uint32_t pid =
        atomic_load_explicit(&running->starting, memory_order_relaxed);
    uint32_t seconds =
        (uint32_t)((shl_clock_ns() - running->begun_ns) / (1000 * MS_NS));

    snprintf(host->why.text, sizeof host->why.text,
             "%.100s is starting: process %u has %u seconds to get ready, %u "
             "are over",
             host->wanted, pid, running->patience_s, seconds);
    if (!pid || seconds < own->told_s + TELL_S)
        return;
    own->told_s = seconds;
    const struct shl_notice notice = {.kind = SHL_NOTICE_STARTING,
                                      .value = seconds,
                                      .detail = {pid, running->patience_s}};
    shl_host_tell(host, &notice);
}

shl_status shl_host_plugin_link(shl_host *host,
                                const struct shl_link_options *options)
{
    struct shl_host_plugin *own = &host->plugin;
    shl_status st = SHL_OK;

    if (own->stopped)
        return own->stopped;
    if (!own->running && shl_clock_ns() < own->next_ns)
        return SHL_AGAIN;
    if (!own->running)
        st = start(host);
    if (st)
        return stop(host, st);
    switch (shl_plugin_process_get_stage(own->running)) {
    case SHL_PLUGIN_PROCESS_STARTING:
        tell_starting(host);
        return SHL_AGAIN;
    case SHL_PLUGIN_PROCESS_ENDED:
        return failed(host);
    case SHL_PLUGIN_PROCESS_READY:
        break;
    }
    st = own->running->has_area
             ? shl_link_open(&host->link, own->running->name, options,
                             &host->why)
             : shl_link_open_plugin(&host->link, own->running, options,
                                    &host->why);
    if (st == SHL_AGAIN)
        return st;
    shl_plugin_process_unname(own->running);
    if (st)
        return stop(host, st);
    own->links++;
    own->ports = own->running->ports;
    return SHL_OK;
}

bool shl_host_plugin_stopped(const shl_host *host)
{
    return host->plugin.wanted && host->plugin.stopped != SHL_OK;
}

void shl_host_plugin_forget(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;

    let_go(own);
    free(own->state);
    free(own->values);
    memset(own, 0, sizeof *own);
}

void shl_host_plugin_restart(shl_host *host)
{
    let_go(&host->plugin);
}

/* ---- its end ------------------------------------------------------------------------ */

/* Its pipe ends a moment before it does; then it tells how. */
bool shl_host_plugin_dying(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;
    uint64_t now_ns = shl_clock_ns();

    if (!own->running ||
        shl_plugin_process_get_stage(own->running) == SHL_PLUGIN_PROCESS_ENDED)
        return false;
    if (!own->lost_ns)
        own->lost_ns = now_ns;
    return now_ns - own->lost_ns < END_MS * MS_NS;
}

/* What was set since the state that is kept shall be set again, also by those
 * that have crashed since without another state. */
static void keep_value(struct shl_host_plugin *own, uint32_t id, double value)
{
    uint32_t at = 0;

    while (at < own->value_count && own->values[at].id != id)
        at++;
    if (at == own->value_count) {
        struct shl_kept_value *values =
            realloc(own->values, (at + 1) * sizeof *values);
        if (!values)
            return;
        own->values = values;
        own->value_count++;
    }
    own->values[at] = (struct shl_kept_value){id, value};
}

static void keep_values(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;
    const struct shl_link *link = &host->link;

    for (uint32_t i = 0; i < link->param_count; i++)
        if (link->touched[i] && link->touched[i] >= own->kept)
            keep_value(own, link->params[i].id, link->values[i]);
}

/* `told`: it has ended, and this is how. Else it was given up alive. */
static void explain_loss(shl_host *host, const struct shl_notice *notice,
                         shl_status status, bool told)
{
    const char *next = !host->plugin.stopped ? ""
                       : host->plugin.again  ? GIVEN_UP
                                             : ": open it again";
    uint32_t pid = notice->detail[0], signal = notice->detail[1];

    if (told)
        snprintf(host->why.text, sizeof host->why.text,
                 "%.47s has crashed: process %u ended %s %u%s", host->wanted,
                 pid, signal ? "by signal" : "with exit code",
                 signal ? signal : notice->detail[2], next);
    else
        snprintf(host->why.text, sizeof host->why.text,
                 "%.47s is given up: process %u has %s%s", host->wanted, pid,
                 status == SHL_BAD_PEER ? "cut its segment short"
                                        : "closed its pipe",
                 next);
}

/* An end is a crash, whatever its exit code: nobody has asked for it. */
void shl_host_plugin_lost(shl_host *host, struct shl_notice *notice)
{
    struct shl_host_plugin *own = &host->plugin;
    const struct shl_plugin_process *running = own->running;
    uint64_t heard = host->link.stats.blocks - host->link.stats.missed;
    bool brief =
        (double)heard < host->options.rate_hz / shl_host_exchanged(host);
    shl_status status = notice->status;
    bool told = running && shl_plugin_process_get_stage(running) ==
                               SHL_PLUGIN_PROCESS_ENDED;

    notice->kind = SHL_NOTICE_CRASH;
    notice->status = SHL_GONE;
    if (running) {
        notice->detail[0] = running->pid;
        notice->detail[1] = told ? running->end.signal : 0;
        notice->detail[2] = told ? running->end.code : 0;
    }
    own->crashes++;
    if (own->again) {
        keep_values(host);
        count_life(host, brief);
    } else {
        own->stopped = SHL_GONE;
    }
    notice->value = own->stopped != SHL_OK;
    explain_loss(host, notice, status, told);
}

/* ---- its state, for the next one ---------------------------------------------------- */

/* `mark`: values that have changed since then are newer than this state. */
static void keep_state(struct shl_host_plugin *own, const void *from,
                       uint32_t size, uint32_t mark)
{
    uint8_t *bytes = size ? malloc(size) : NULL;

    if (!bytes)
        return;
    memcpy(bytes, from, size);
    free(own->state);
    own->state = bytes;
    own->state_size = size;
    own->kept = mark;
    own->value_count = 0;
}

static void saved(void *arg, const struct shl_answer *answer)
{
    struct shl_host_plugin *own = &((shl_host *)arg)->plugin;

    own->saving = false;
    if (!answer->status)
        keep_state(own, answer->bytes, answer->size, own->asked);
}

/* After the state, or instead of it: what was set since. */
static void send_values(shl_host *host)
{
    const struct shl_host_plugin *own = &host->plugin;

    for (uint32_t i = 0; i < own->value_count; i++) {
        struct shl_event event = shl_event_param(
            0, SHL_EVENT_PARAM, own->values[i].id, own->values[i].value);
        shl_link_send(&host->link, &event, 0); /* a meter is refused */
    }
}

static void tell_restored(shl_host *host, shl_status status, const char *text)
{
    if (status)
        shl_monitor_error(host->requester.monitor, status, text);
    send_values(host);
}

static void restored(void *arg, const struct shl_answer *answer)
{
    if (answer->status != SHL_GONE)
        tell_restored(arg, answer->status, answer->text);
}

/* One with a request slot has its state before it is ready, or gives its first;
 * one with messages is asked now, which costs it no block. */
void shl_host_plugin_opened(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;
    const struct shl_plugin_process *running = own->running;

    own->saved_ns = shl_clock_ns();
    own->saving = false;
    own->kept = own->asked = own->begun = 0;
    own->changed = own->again && own->links == 1 && !running->state_size;
    if (!own->again)
        return;
    if (own->links == 1) {
        if (!own->state && running->state_size)
            keep_state(own, running->state, running->state_size, 0);
        return;
    }
    if (running->restored != SHL_AGAIN)
        tell_restored(host, running->restored,
                      "the state of the plugin that crashed is refused");
    else if (!own->state ||
             shl_host_ask(host, SHL_MESSAGE_STATE_RESTORE, own->state,
                          own->state_size, 0, restored, host, NULL))
        send_values(host);
}

/* ---- what changes it ------------------------------------------------------------------ */

struct shl_host_change {
    shl_host *host;
    shl_answer_handler handler;
    void *arg;
    uint32_t type, mark, size;
    uint8_t bytes[]; /* of a state */
};

/* A state or program replaces what was set before it was asked for. */
static bool replaces(uint32_t type)
{
    return type == SHL_MESSAGE_STATE_RESTORE ||
           type == SHL_MESSAGE_PROGRAM_SET || type == SHL_MESSAGE_PRESET;
}

static bool changes(uint32_t type, const void *bytes, uint32_t size)
{
    uint32_t number = 0;

    if (type == SHL_MESSAGE_PLUGIN && size >= sizeof number)
        memcpy(&number, bytes, sizeof number);
    return replaces(type) || type == SHL_MESSAGE_PARAM_SET ||
           type == SHL_MESSAGE_RESET || type == SHL_MESSAGE_FILE_DATA ||
           number == SHL_PLUGIN_HOST_FOLDER || number == SHL_PLUGIN_HOST_FILE;
}

static void changed(void *arg, const struct shl_answer *answer)
{
    struct shl_host_change *change = arg;
    struct shl_host_plugin *own = &change->host->plugin;

    if (!answer->status) {
        own->changed = true;
        if (change->type == SHL_MESSAGE_STATE_RESTORE)
            keep_state(own, change->bytes, change->size, change->mark);
        else if (replaces(change->type)) {
            own->kept = change->mark;
            own->value_count = 0;
        }
    }
    if (change->handler)
        change->handler(change->arg, answer);
    free(change);
}

struct shl_host_change *shl_host_plugin_change(shl_host *host, uint32_t type,
                                               const void *bytes, uint32_t size,
                                               shl_answer_handler *handler,
                                               void **arg)
{
    uint32_t kept = type == SHL_MESSAGE_STATE_RESTORE ? size : 0;
    struct shl_host_change *change;

    if (!host->plugin.running || !host->plugin.again || *handler == restored ||
        !changes(type, bytes, size) ||
        !(change = malloc(sizeof *change + kept)))
        return NULL;
    *change = (struct shl_host_change){.host = host,
                                       .handler = *handler,
                                       .arg = *arg,
                                       .type = type,
                                       .mark = shl_link_mark(&host->link),
                                       .size = kept};
    if (kept)
        memcpy(change->bytes, bytes, kept);
    *handler = changed;
    *arg = change;
    return change;
}

void shl_host_change_free(struct shl_host_change *change)
{
    free(change);
}

/* Values that the program may not have yet, since there is no end of them, count
 * as newer than a state that may have them. */
static void begin_save(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;
    bool heard = shl_link_heard(&host->link);
    uint32_t mark = shl_link_mark(&host->link);

    own->asked = heard ? mark : own->begun;
    own->begun = mark;
    own->saving = shl_host_ask(host, SHL_MESSAGE_STATE_SAVE, NULL, 0, 0, saved,
                               host, NULL) == SHL_OK;
}

/* A program with a link area saves beside the audio; one without would miss
 * blocks, so it is asked only when it says that something has changed. */
static void save(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;
    uint64_t now_ns = shl_clock_ns();
    bool due = own->changed ||
               (own->running->has_area && host->link.stats.sent != own->sent);

    if (!own->again || own->saving || !due ||
        now_ns - own->saved_ns < SAVE_MS * MS_NS)
        return;
    own->saved_ns = now_ns;
    own->sent = host->link.stats.sent;
    own->changed = false;
    begin_save(host);
}

/* ---- requests -------------------------------------------------------------------------- */

/* What a message means to the slot; 0: nothing. */
static uint32_t number_of(uint32_t type, const uint8_t **bytes, uint32_t *size)
{
    uint32_t number;

    switch (type) {
    case SHL_MESSAGE_STATE_SAVE:
        *size = 0;
        return SHL_MAOLAN_STATE_SAVE;
    case SHL_MESSAGE_STATE_RESTORE:
        return SHL_MAOLAN_STATE_RESTORE;
    case SHL_MESSAGE_PLUGIN:
        if (*size < sizeof number)
            return SHL_MAOLAN_REQUESTS;
        memcpy(&number, *bytes, sizeof number);
        *bytes += sizeof number;
        *size -= (uint32_t)sizeof number;
        return number ? number : SHL_MAOLAN_REQUESTS;
    default:
        return 0;
    }
}

bool shl_host_plugin_slot(const shl_host *host)
{
    return host->linked && host->link.plugin;
}

shl_status shl_host_plugin_ask(shl_host *host, uint32_t type, const void *what,
                               uint32_t size, uint32_t timeout_ms,
                               shl_answer_handler handler, void *arg,
                               uint32_t *request)
{
    struct shl_requests *requests = &host->requester.requests;
    const uint8_t *bytes = what;
    uint32_t number = number_of(type, &bytes, &size), id;
    uint32_t ms = timeout_ms ? timeout_ms : REQUEST_MS;
    shl_status st;

    if (!number)
        return SHL_UNSUPPORTED;
    st = shl_request_new(requests, type, shl_clock_ns(), ms * MS_NS, handler,
                         arg, &id);
    if (st)
        return st;
    st = shl_plugin_process_ask(host->plugin.running, id, number, bytes, size,
                                ms);
    if (st) {
        shl_request_forget(requests);
        return st;
    }
    if (request)
        *request = id;
    return SHL_OK;
}

static void tell_ports(shl_host *host)
{
    const struct shl_port_counts *now = &host->plugin.running->ports;

    if (memcmp(now, &host->plugin.ports, sizeof *now) == 0)
        return;
    host->plugin.ports = *now;
    const struct shl_notice notice = {
        .kind = SHL_NOTICE_PORTS,
        .detail = {now->audio_in, now->audio_out, now->midi_in, now->midi_out}};
    shl_host_tell(host, &notice);
}

#define COUNTS_SIZE (SHL_PORT_COUNTS_MIDI_OUT + 4)

/* Counts that the program tells are those of the link from now on. One that
 * refuses to tell them (those before number 6 do) has those of its start. */
static void hear_counts(shl_host *host,
                        const struct shl_pending_request *pending,
                        struct shl_answer *told, uint8_t *known)
{
    struct shl_port_counts ports;

    if (pending->status == SHL_OK) {
        if (pending->size && !shl_scratch_ports_read(pending->bytes, &ports))
            shl_link_plugin_set_ports(&host->link, &ports);
    } else if (pending->status == SHL_UNSUPPORTED) {
        host->plugin.running->ports_fixed = true;
        shl_scratch_ports_write(known, &host->plugin.running->ports);
        *told = (struct shl_answer){
            .text = "", .bytes = known, .size = COUNTS_SIZE};
    }
}

static void answer(shl_host *host, const struct shl_pending_request *pending)
{
    char text[100];
    uint8_t known[COUNTS_SIZE] = {0};
    struct shl_answer told = {.status = pending->status, .text = ""};

    if (pending->status == SHL_OK) {
        told.bytes = pending->bytes;
        told.size = pending->size;
    } else {
        snprintf(text, sizeof text, "the plugin program: %s",
                 pending->status == SHL_UNSUPPORTED
                     ? "it refuses this request"
                     : shl_status_text(pending->status));
        told.text = pending->text ? pending->text : text;
    }
    if (pending->table)
        shl_link_plugin_set_values(&host->link, pending->table,
                                   pending->table_size);
    if (pending->number == SHL_MAOLAN_AUDIO_PORTS)
        hear_counts(host, pending, &told, known);
    shl_request_answer(&host->requester.requests, pending->id, shl_clock_ns(),
                       &told);
}

static void take_answers(shl_host *host)
{
    struct shl_pending_request *pending = shl_plugin_process_answer(
                                   host->plugin.running),
                               *next;

    for (; pending; pending = next) {
        next = shl_pending_request_next(pending);
        answer(host, pending);
        shl_pending_request_free(pending);
    }
}

/* It has changed by itself; its ports may have, too. */
static void heed_dirty(shl_host *host)
{
    const struct shl_maolan_layout *row = host->plugin.running->maolan.layout;
    struct shl_maolan *maolan = &host->plugin.running->maolan;
    const struct shl_notice notice = {.kind = SHL_NOTICE_DIRTY, .value = 1};
    uint32_t number = SHL_MAOLAN_AUDIO_PORTS;

    if (!shl_maolan_swap(maolan, row->state_dirty, 0))
        return;
    host->plugin.changed = true;
    shl_host_tell(host, &notice);
    if (host->link.plugin && host->plugin.running->ports_told &&
        !host->plugin.running->ports_fixed)
        shl_host_ask(host, SHL_MESSAGE_PLUGIN, &number, sizeof number, 0, NULL,
                     NULL, NULL);
}

/* A program never says its number, and looks at ours as little. What it counts
 * does: from 7 on (mostly) its blocks. */
static void check_number(shl_host *host)
{
    struct shl_host_plugin *own = &host->plugin;
    uint32_t told = own->running->protocol;
    uint64_t heard = host->link.stats.blocks - host->link.stats.missed;
    const struct shl_notice notice = {.kind = SHL_NOTICE_MISFIT,
                                      .status = SHL_WRONG_VERSION};

    if (!told || told == SHL_VERSION_LOW || own->misfit[0])
        return;
    bool counts = shl_plugin_process_counts(own->running);
    if (counts && told < SHL_VERSION_RESOURCES)
        snprintf(own->misfit, sizeof own->misfit,
                 "-protocol %u: the program counts its blocks, as those of "
                 "number 7 and 8 do: use -protocol 7, or leave it out",
                 told);
    else if (!counts && told == SHL_VERSION_HIGH && heard >= COUNTED)
        snprintf(own->misfit, sizeof own->misfit,
                 "-protocol %u: the program does not count its blocks, as all "
                 "of that number do: use -protocol 6, or leave it out",
                 told);
    else
        return;
    shl_host_tell(host, &notice);
}

void shl_host_plugin_poll(shl_host *host)
{
    if (!host->plugin.running || !host->linked || !host->announced)
        return;
    if (host->link.plugin)
        take_answers(host);
    if (!host->linked)
        return;
    heed_dirty(host);
    if (host->link.plugin) {
        shl_link_plugin_ports(&host->link);
        tell_ports(host);
        check_number(host);
    }
    save(host);
}

uint32_t shl_host_crashes(const shl_host *host)
{
    return host->plugin.crashes;
}

uint32_t shl_host_programs(void)
{
    return shl_plugin_process_get_count();
}
