/* SPDX-License-Identifier: MIT */
/* The host's end of a link to a plugin program that speaks Maolan only. The
 * link works on rings and lines as ever, but on private ones: this file stands
 * in for the device. When a block is rung, what waits goes on into the Maolan
 * rings; when it is answered, what came from there goes back. */
#include "core/host/link.h"
#include "core/maolan/plugin_process.h"
#include "shmlink/name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH   1u /* of the only claim there will be */
#define PATIENT 3u /* blocks that wait for one request; then they only look */
#define BARE                                                                   \
    SHL_MAX_PARAMS /* parameters without a table that are known at most */
#define RECENT 8u  /* blocks, for an echo of what was set */

/* What a parameter was set to by us last, and in which block; and before that:
 * a block may be set before the echo of the last one is there. */
struct own_value {
    float value[2];
    uint32_t block[2]; /* 0: none */
};

struct shl_link_plugin {
    struct shl_plugin_process *plugin;
    struct shl_lines lines;
    struct shl_claim_region claim;
    struct shl_counters counters;
    struct shl_ring taken; /* to_device, as the device would read it */
    struct shl_ring given; /* to_host, as it would write it */
    struct shl_event to_device[SHL_EVENT_SLOTS];
    struct shl_event to_host[SHL_EVENT_SLOTS];
    uint64_t full, bad;         /* of the Maolan rings, counted so far */
    uint32_t midi_in, midi_out; /* ports, as last written into the header */
    uint32_t denied; /* blocks in a row that a request has kept away */
    uint32_t block;  /* number of the present one, from 1 on */
    bool echoes;     /* the program tells what we set; such a one tells all */
    bool told_all;   /* that there is, in its first block */
    struct own_value *set; /* by parameter; NULL where nothing is echoed */
};

/* ---- opening ---------------------------------------------------------------- */

static uint64_t capabilities(const struct shl_plugin_process *plugin)
{
    bool asks = strcmp(plugin->format, "null") != 0;
    uint64_t can = SHL_CAP_TRANSPORT_IN | SHL_CAP_QUIT;

    if (asks)
        can |=
            SHL_CAP_STATE | SHL_CAP_PARAMS | SHL_CAP_PARAM_OUT | SHL_CAP_EDITOR;
    if (asks && plugin->ports.midi_in)
        can |= SHL_CAP_MIDI_IN;
    if (asks && plugin->ports.midi_out)
        can |= SHL_CAP_MIDI_OUT;
    if (plugin->maolan.layout->latency != SHL_NONE)
        can |= SHL_CAP_LATENCY;
    return can;
}

/* "clap:Title", or the end of what it was opened by, which tells most. */
static void write_id(struct shl_identity *identity,
                     const struct shl_plugin_process *plugin)
{
    const char *tail = strrchr(plugin->spec, '/');

    tail = plugin->title[0] ? plugin->title : tail ? tail + 1 : plugin->spec;
    snprintf(identity->id, sizeof identity->id, "%s:%.31s", plugin->format,
             tail);
    shl_text_clean(identity->id, sizeof identity->id); /* it may be cut */
}

static void write_identity(struct shl_link *link,
                           const struct shl_plugin_process *plugin)
{
    struct shl_identity *identity = &link->identity;

    write_id(identity, plugin);
    snprintf(identity->category, sizeof identity->category, "plugin");
    identity->pid = plugin->pid;
    identity->capabilities = capabilities(plugin);
    identity->rate_hz = plugin->rate_hz;
    identity->quantum = 1;
    identity->block_frames = plugin->block_frames;
    identity->in_channels = plugin->ports.audio_in;
    identity->out_channels = plugin->ports.audio_out;
    identity->modes = SHL_MODE_BOTH | SHL_MODE_AUDIO | SHL_MODE_MIDI;
    identity->drives = SHL_DRIVE_LOCKSTEP | SHL_DRIVE_PIPELINED;
    identity->param_count = plugin->param_count;
}

static shl_status copy_params(struct shl_link *link,
                              const struct shl_plugin_process *plugin)
{
    struct shl_link_plugin *own = link->plugin;
    uint32_t count = plugin->param_count, room;

    own->echoes =
        !strcmp(plugin->format, "lv2") || !strcmp(plugin->format, "vst3");
    link->bare = !plugin->has_table && strcmp(plugin->format, "null");
    /* their hosts look at no kind of event: the end of a gesture would be 0 */
    link->values_only = own->echoes;
    link->bare_flags = SHL_PARAM_AUTOMATABLE;
    if (strcmp(plugin->format, "vst3")) /* where all are 0 to 1 */
        link->bare_flags |= SHL_PARAM_NO_RANGE;
    room = link->param_room = link->bare ? BARE : count;
    if (room == 0)
        return SHL_OK;
    link->params = calloc(room, sizeof *link->params);
    link->values = calloc(room, sizeof *link->values);
    link->touched = calloc(room, sizeof *link->touched);
    link->by_id = calloc(room, sizeof *link->by_id);
    own->set = own->echoes ? calloc(room, sizeof *own->set) : NULL;
    if (!link->params || !link->values || !link->touched || !link->by_id ||
        (own->echoes && !own->set))
        return SHL_NO_MEMORY;
    if (count == 0)
        return SHL_OK;
    memcpy(link->params, plugin->params, count * sizeof *link->params);
    for (uint32_t i = 0; i < count; i++)
        link->values[i] = link->params[i].initial;
    link->param_count = count;
    return shl_param_order(link->params, count, link->by_id);
}

static void point(struct shl_link *link, struct shl_link_plugin *own)
{
    struct shl_segment *segment = &link->segment;
    struct shl_plugin_process *plugin = own->plugin;

    segment->map = plugin->map;
    segment->ask = (struct shl_map)SHL_MAP_NONE;
    segment->layout = plugin->maolan.layout;
    segment->transport = plugin->map.base + segment->layout->transport;
    segment->lines = &own->lines;
    segment->claim = &own->claim;
    segment->counters = &own->counters;
    segment->events_to_device = own->to_device;
    segment->events_to_host = own->to_host;
}

static void open_rings(struct shl_link *link, struct shl_link_plugin *own)
{
    struct shl_lines *lines = &own->lines;

    shl_ring_init_producer(&link->to_device, &lines->host.event_write,
                           &lines->device.event_read, own->to_device,
                           sizeof(struct shl_event), SHL_EVENT_SLOTS);
    shl_ring_init_consumer(&own->taken, &lines->host.event_write,
                           &lines->device.event_read, own->to_device,
                           sizeof(struct shl_event), SHL_EVENT_SLOTS);
    shl_ring_init_consumer(&link->to_host, &lines->device.event_write,
                           &lines->host.event_read, own->to_host,
                           sizeof(struct shl_event), SHL_EVENT_SLOTS);
    shl_ring_init_producer(&own->given, &lines->device.event_write,
                           &lines->host.event_read, own->to_host,
                           sizeof(struct shl_event), SHL_EVENT_SLOTS);
    link->patience = SHL_EVENT_SLOTS;
}

shl_status shl_link_open_plugin(struct shl_link *link,
                                struct shl_plugin_process *plugin,
                                const struct shl_link_options *options,
                                struct shl_why *why)
{
    struct shl_link_plugin *own = calloc(1, sizeof *own);
    shl_status st = own ? SHL_OK : SHL_NO_MEMORY;

    memset(link, 0, sizeof *link);
    link->touch = 1;
    link->segment.map.fd = link->segment.ask.fd = -1;
    link->drive = options->drive ? options->drive : SHL_DRIVE_LOCKSTEP;
    link->claim.pid = shl_process_self().pid;
    link->claim.mode = options->mode ? options->mode : SHL_MODE_BOTH;
    if (!st && link->drive == SHL_DRIVE_FREE) {
        shl_why_set(why, "a plugin program has no clock of its own: use the "
                         "lockstep or the pipelined drive");
        st = SHL_WRONG_DRIVE;
    }
    if (own) { /* from here on the link's, which closes it */
        own->plugin = plugin;
        link->plugin = own;
    }
    if (!st) {
        write_identity(link, plugin);
        st = copy_params(link, plugin);
    }
    if (st) {
        shl_link_close(link);
        return st;
    }
    point(link, own);
    open_rings(link, own);
    own->midi_in = plugin->ports.midi_in;
    own->midi_out = plugin->ports.midi_out;
    shl_cycle_host_init(&link->cycle, &link->segment, options->deadline_us,
                        (uint32_t)(options->rate_hz / options->block_frames) +
                            1);
    link->cycle.slack_us = options->slack_us;
    link->cycle.slack_arg = options->slack_arg;
    link->pipelined = link->drive == SHL_DRIVE_PIPELINED;
    if (link->claim.mode != SHL_MODE_MIDI) {
        link->in_planes = link->identity.in_channels;
        link->out_planes = link->identity.out_channels;
    }
    link->epoch = EPOCH;
    shl_line_store(&own->lines.device.epoch, EPOCH);
    /* as it was said before ready */
    shl_line_store(
        &own->lines.device.latency_frames,
        shl_maolan_load(&plugin->maolan, plugin->maolan.layout->latency));
    return SHL_OK;
}

void shl_link_plugin_close(struct shl_link *link)
{
    free(link->plugin->set);
    free(link->plugin);
    link->plugin = NULL;
    /* the program's, who closes it */
    link->segment.map = (struct shl_map)SHL_MAP_NONE;
}

/* ---- life ---------------------------------------------------------------------- */

SHL_RT bool shl_link_plugin_gone(const struct shl_link *link)
{
    const struct shl_plugin_process *plugin = link->plugin->plugin;

    return atomic_load_explicit(&plugin->gone, memory_order_relaxed) ||
           shl_plugin_process_get_stage(plugin) == SHL_PLUGIN_PROCESS_ENDED;
}

/* ---- one block ------------------------------------------------------------------- */

/* A request may be under way: it is waited for like a block, and one that hangs
 * costs as much as a block that does. */
SHL_RT bool shl_link_plugin_hold(struct shl_link *link)
{
    struct shl_cycle_host *cycle = &link->cycle;
    struct shl_link_plugin *own = link->plugin;
    bool waits = !cycle->stalled && own->denied < PATIENT;

    if (!shl_plugin_process_hold(own->plugin,
                                 waits ? shl_cycle_patience(cycle) : 0)) {
        own->denied += own->denied < PATIENT;
        return false;
    }
    own->denied = 0;
    return true;
}

SHL_RT void shl_link_plugin_let(struct shl_link *link)
{
    shl_plugin_process_let(link->plugin->plugin);
}

/* What has been refused or has found no room since the last time. */
static void count_events(struct shl_link *link)
{
    struct shl_link_plugin *own = link->plugin;
    const struct shl_maolan_counts *now = &own->plugin->maolan.counts;
    uint64_t full = now->full + now->unfit, bad = now->bad + now->restarted;

    link->stats.dropped += full - own->full;
    link->stats.bad += bad - own->bad;
    own->full = full;
    own->bad = bad;
}

/* ---- echoes ---- */

static void note_set(struct shl_link *link, const struct shl_event *event)
{
    struct shl_link_plugin *own = link->plugin;
    int32_t index = event->kind == SHL_EVENT_PARAM && own->set
                        ? shl_link_param(link, shl_event_id(event))
                        : -1;

    if (index < 0)
        return;
    struct own_value *set = &own->set[index];
    if (set->block[0] != own->block) {
        set->value[1] = set->value[0];
        set->block[1] = set->block[0];
    }
    set->value[0] = (float)shl_event_value(event);
    set->block[0] = own->block;
}

/* Whether an event only tells us what we have just set, once for each time; or,
 * in the first block, what there is. */
static bool known(struct shl_link *link, const struct shl_event *event)
{
    struct shl_link_plugin *own = link->plugin;
    int32_t index = event->kind == SHL_EVENT_PARAM && own->set
                        ? shl_link_adopt(link, shl_event_id(event))
                        : -1;

    if (index < 0)
        return false;
    struct own_value *set = &own->set[index];
    for (int i = 0; i < 2; i++) {
        bool recent = set->block[i] && own->block - set->block[i] < RECENT;
        if (recent && !(set->value[i] < (float)shl_event_value(event)) &&
            !(set->value[i] > (float)shl_event_value(event))) {
            set->block[i] = 0;
            return true;
        }
    }
    if (own->told_all || !link->bare)
        return false;
    link->values[index] =
        shl_param_clip(&link->params[index], shl_event_value(event));
    return true;
}

static void pass_on(struct shl_link *link, uint32_t frames)
{
    struct shl_link_plugin *own = link->plugin;
    struct shl_maolan *maolan = &own->plugin->maolan;
    const void *slot;

    while ((slot = shl_ring_peek(&own->taken, NULL))) {
        struct shl_event event;
        memcpy(&event, slot, sizeof event);
        shl_ring_pop(&own->taken);
        uint64_t offset =
            event.frame > link->frame ? event.frame - link->frame : 0;
        if (offset >= frames)
            offset = frames - 1;
        note_set(link, &event);
        shl_maolan_send(maolan, &event, (uint32_t)offset);
    }
    shl_ring_release(&own->taken);
    shl_maolan_show(maolan);
    count_events(link);
}

/* A program may say other numbers of ports than we wrote last. */
static uint32_t ports_now(const struct shl_maolan *maolan, uint32_t offset,
                          uint32_t written)
{
    uint32_t now = shl_maolan_load(maolan, offset);

    return offset != SHL_NONE && now <= maolan->layout->midi_ports ? now
                                                                   : written;
}

SHL_RT void shl_link_plugin_ring(struct shl_link *link, uint32_t frames,
                                 uint32_t channels)
{
    struct shl_link_plugin *own = link->plugin;
    struct shl_plugin_process *plugin = own->plugin;
    struct shl_maolan *maolan = &plugin->maolan;

    if (own->lines.device.answer) { /* the header was written before */
        own->midi_in =
            ports_now(maolan, maolan->layout->midi_in_ports, own->midi_in);
        own->midi_out =
            ports_now(maolan, maolan->layout->midi_out_ports, own->midi_out);
    }
    (void)channels;
    const struct shl_maolan_block block = {
        frames, link->in_planes, link->out_planes, own->midi_in, own->midi_out};
    shl_maolan_block_write(maolan, &block);
    if (++own->block == 0)
        own->block = 1;
    pass_on(link, frames);
    shl_cycle_rung(&link->cycle);
    shl_plugin_process_ring(plugin);
}

static void bring_back(struct shl_link *link)
{
    struct shl_link_plugin *own = link->plugin;
    struct shl_maolan *maolan = &own->plugin->maolan;
    struct shl_event event, *slot;
    uint32_t offset;

    shl_maolan_begin(maolan, link->rung_frames);
    while (shl_maolan_take(maolan, &event, &offset)) {
        if (known(link, &event))
            continue;
        event.frame = link->rung_frame + offset;
        slot = shl_ring_push(&own->given);
        if (slot)
            *slot = event;
        else
            link->stats.bad++;
    }
    shl_ring_publish(&own->given);
    own->told_all = own->told_all || link->rung_frames > 0;
    count_events(link);
}

SHL_RT bool shl_link_plugin_collect(struct shl_link *link)
{
    struct shl_cycle_host *cycle = &link->cycle;
    struct shl_link_plugin *own = link->plugin;
    struct shl_device_line *line = &own->lines.device;
    struct shl_maolan *maolan = &own->plugin->maolan;

    if (!cycle->outstanding)
        return true;
    uint64_t began_ns = cycle->stalled ? 0 : shl_clock_ns();
    bool there = shl_plugin_process_answered(
        own->plugin, cycle->stalled ? 0 : shl_cycle_patience(cycle));
    if (!cycle->stalled) {
        uint64_t gone_us = (shl_clock_ns() - began_ns) / 1000;
        cycle->left_us =
            gone_us < cycle->left_us ? cycle->left_us - (uint32_t)gone_us : 0;
    }
    if (!there)
        return false;
    cycle->outstanding = false;
    shl_line_store(&line->frames, link->rung_frames);
    shl_line_store(&line->answer, cycle->doorbell);
    shl_line_store(&line->latency_frames,
                   shl_maolan_load(maolan, maolan->layout->latency));
    bring_back(link);
    return true;
}

/* ---- what changes by itself ---------------------------------------------------------- */

bool shl_link_plugin_ports(struct shl_link *link)
{
    struct shl_link_plugin *own = link->plugin;
    struct shl_port_counts *ports = &own->plugin->ports;

    if (own->midi_in == ports->midi_in && own->midi_out == ports->midi_out)
        return false;
    ports->midi_in = own->midi_in;
    ports->midi_out = own->midi_out;
    return true;
}

void shl_link_plugin_wire(const struct shl_link *link, char wire[16])
{
    const struct shl_plugin_process *plugin = link->plugin->plugin;

    snprintf(wire, 16, "maolan %s",
             plugin->maolan.layout->version_high == 3 ? "3"
             : shl_plugin_process_counts(plugin)      ? "7+"
                                                      : "4+");
}

void shl_link_plugin_set_values(struct shl_link *link, const uint8_t *scratch,
                                uint32_t size)
{
    struct shl_table table;
    struct shl_table_entry entry;

    if (shl_table_read(&table, SHL_TABLE_LV2_CONTROLS, scratch, size))
        return;
    while (shl_table_next(&table, &entry) == SHL_OK) {
        int32_t index = shl_link_param(link, entry.id);
        if (index >= 0 && isfinite(entry.value))
            link->values[index] =
                shl_param_clip(&link->params[index], entry.value);
    }
}

void shl_link_plugin_set_ports(struct shl_link *link,
                               const struct shl_port_counts *ports)
{
    struct shl_link_plugin *own = link->plugin;

    own->plugin->ports = *ports;
    link->identity.in_channels = ports->audio_in;
    link->identity.out_channels = ports->audio_out;
    if (link->claim.mode != SHL_MODE_MIDI) {
        link->in_planes = ports->audio_in;
        link->out_planes = ports->audio_out;
    }
    own->midi_in = ports->midi_in;
    own->midi_out = ports->midi_out;
    link->identity.capabilities = capabilities(own->plugin);
}
