/* SPDX-License-Identifier: MIT */
/* One unit of work after the other; what the DAW asks for beside the audio is
 * in plugin_host_requests.c. */
#include "shmlink/plugin_host.h"
#include "shmlink/registry.h"

#include "core/maolan/plugin_host_state.h"
#include "shmlink/arithmetic.h"
#include "shmlink/name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 100u /* how long a wish that we leave may go unseen */

static const float no_sound[SHL_MAX_FRAMES];

/* ---- opening ---------------------------------------------------------------- */

static shl_status recognise(struct shl_plugin_host *plugin_host,
                            const char *name, struct shl_why *why)
{
    const struct shl_maolan_layout *layout = NULL;
    shl_status status =
        shl_maolan_recognise(plugin_host->map.base, plugin_host->map.size,
                             &plugin_host->version, &layout);

    if (status == SHL_CUT)
        shl_why_set(why, "segment %s is shorter than %u bytes", name,
                    SHL_MAOLAN_SIZE);
    else if (status == SHL_FOREIGN)
        shl_why_set(why, "segment %s has another magic number", name);
    else if (status == SHL_WRONG_VERSION)
        shl_why_set(why,
                    "segment %s speaks protocol number %u; this program "
                    "speaks %u to %u",
                    name, plugin_host->version, SHL_VERSION_LOW,
                    SHL_VERSION_HIGH);
    else if (!status)
        shl_maolan_init(&plugin_host->maolan, plugin_host->map.base, layout,
                        SHL_MAOLAN_PLUGIN);
    return status;
}

static shl_status open_segment(struct shl_plugin_host *plugin_host,
                               const char *name, struct shl_why *why)
{
    shl_status status = shl_map_join(name, SHL_MAOLAN_SIZE, &plugin_host->map);

    if (status == SHL_CUT || status == SHL_AGAIN)
        shl_why_set(why, "segment %s is shorter than %u bytes", name,
                    SHL_MAOLAN_SIZE);
    else if (status)
        shl_why_set(why, "segment %s: %s", name, shl_status_text(status));
    if (status)
        return status == SHL_AGAIN ? SHL_CUT : status;
    status = recognise(plugin_host, name, why);
    if (!status)
        shl_map_touch(&plugin_host->map, 0,
                      plugin_host->maolan.layout->used_size);
    if (!status && shl_plugin_host_bad(plugin_host)) {
        shl_why_set(why, "segment %s has no memory behind it", name);
        status = SHL_CUT;
    }
    if (status)
        shl_map_close(&plugin_host->map);
    return status;
}

shl_status shl_plugin_host_open(const struct shl_plugin_host_options *options,
                                shl_plugin_host **plugin_host,
                                struct shl_why *why)
{
    struct shl_plugin_host *made = calloc(1, sizeof *made);
    shl_status status;

    if (!made || shl_scratchpad_new(&made->pad)) {
        free(made);
        shl_why_set(why, "%s", shl_status_text(SHL_NO_MEMORY));
        return SHL_NO_MEMORY;
    }
    made->map = (struct shl_map)SHL_MAP_NONE;
    if (strlen(options->segment) < sizeof made->name)
        strcpy(made->name, options->segment);
    status = open_segment(made, options->segment, why);
    if (!status) {
        status =
            shl_pipes_adopt(&made->pipes, options->doorbell, options->answer);
        if (status)
            shl_why_set(why,
                        "descriptor %d must be the reading end of a pipe and "
                        "%d the writing end of one",
                        options->doorbell, options->answer);
    }
    if (status) {
        shl_map_close(&made->map);
        shl_scratchpad_free(made->pad);
        free(made);
        return status;
    }
    if (options->alone)
        shl_pipes_alone(&made->pipes);
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++)
        made->in[c] = no_sound;
    *plugin_host = made;
    return SHL_OK;
}

void shl_plugin_host_close(shl_plugin_host *plugin_host)
{
    if (!plugin_host)
        return;
    shl_pipes_close(&plugin_host->pipes);
    shl_map_close(&plugin_host->map);
    shl_scratchpad_free(plugin_host->pad);
    free(plugin_host);
}

uint32_t shl_plugin_host_version(const shl_plugin_host *plugin_host)
{
    return plugin_host->version;
}

void shl_plugin_host_get_channels(const shl_plugin_host *plugin_host,
                                  uint32_t *inputs, uint32_t *outputs)
{
    struct shl_maolan_block block;

    shl_maolan_block_read(&plugin_host->maolan, &block);
    *inputs = block.in_channels;
    *outputs = block.out_channels;
}

const char *shl_plugin_host_area(const shl_plugin_host *plugin_host)
{
    uint32_t magic;

    if (plugin_host->map.size < SHL_SEGMENT_SIZE || !plugin_host->name[0])
        return NULL;
    memcpy(&magic, plugin_host->map.base + SHL_LINK_OFFSET, sizeof magic);
    return magic ? NULL : plugin_host->name;
}

double shl_plugin_host_rate(const shl_plugin_host *plugin_host)
{
    double rate_hz;

    memcpy(&rate_hz,
           plugin_host->map.base + plugin_host->maolan.layout->transport +
               SHL_TRANSPORT_RATE,
           sizeof rate_hz);
    return isfinite(rate_hz) && rate_hz > 0 ? rate_hz : 0;
}

/* ---- before the first block ---------------------------------------------------- */

static void tell_counts(struct shl_plugin_host *plugin_host,
                        const struct shl_plugin_host_about *about)
{
    const struct shl_maolan_layout *row = plugin_host->maolan.layout;

    shl_maolan_store(&plugin_host->maolan, row->midi_in_ports,
                     shl_least(about->midi_in, SHL_MAX_MIDI_PORTS));
    shl_maolan_store(&plugin_host->maolan, row->midi_out_ports,
                     shl_least(about->midi_out, SHL_MAX_MIDI_PORTS));
    /* number 3 has one ring each way, whatever the plugin has */
    const uint32_t midi_in = shl_least(about->midi_in, row->midi_ports);
    const uint32_t midi_out = shl_least(about->midi_out, row->midi_ports);
    if (about->any_channels)
        return;
    shl_maolan_store(&plugin_host->maolan, row->input_channels,
                     about->audio_in);
    shl_maolan_store(&plugin_host->maolan, row->output_channels,
                     about->audio_out);
    shl_scratch_ports_write(plugin_host->map.base + row->scratch,
                            &(struct shl_port_counts){about->audio_in,
                                                      about->audio_out, midi_in,
                                                      midi_out});
}

/* A byte that begins no character. */
static bool is_inside(char byte)
{
    return ((uint8_t)byte & 0xC0) == 0x80;
}

void shl_plugin_host_ready(shl_plugin_host *plugin_host,
                           const struct shl_plugin_host_about *about)
{
    const struct shl_maolan_layout *row = plugin_host->maolan.layout;
    uint8_t *scratch = plugin_host->map.base + row->scratch;
    struct shl_maolan_block counts;
    /* the counts behind a short name are 1024 bytes on; a longer name is cut
     * there, since they matter more */
    size_t length = strlen(about->name);
    size_t limit = about->any_channels ? SHL_SCRATCH_NAME_LIMIT
                                       : SHL_PORT_COUNTS_OFFSET - SHL_NAME_TEXT;

    if (length > limit)
        for (length = limit; length && is_inside(about->name[length]);)
            length--;
    plugin_host->rate_hz = about->rate_hz;
    if (length)
        shl_scratch_name_write(scratch, about->name, (uint32_t)length);
    tell_counts(plugin_host, about);
    shl_maolan_block_read(&plugin_host->maolan, &counts);
    plugin_host->last_in = counts.in_channels;
    plugin_host->last_out = counts.out_channels;
    shl_plugin_host_set_latency(plugin_host, about->latency_frames);
    shl_maolan_store(&plugin_host->maolan, row->ready, 1);
}

void shl_plugin_host_mark(shl_plugin_host *plugin_host, uint32_t word)
{
    memcpy(plugin_host->map.base + plugin_host->maolan.layout->scratch, &word,
           sizeof word);
}

/* ---- waiting --------------------------------------------------------------------- */

/* Planes that the DAW uses, silence and a sink for the others. */
static void wire(struct shl_plugin_host *plugin_host, struct shl_work *work)
{
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++) {
        plugin_host->in[c] =
            c < work->in_channels
                ? shl_maolan_plane(&plugin_host->maolan, c, SHL_BUS_TO_DEVICE)
                : no_sound;
        plugin_host->out[c] =
            c < work->out_channels
                ? shl_maolan_plane(&plugin_host->maolan, c, SHL_BUS_TO_HOST)
                : plugin_host->sink;
    }
}

/* Other DAWs write neither rate nor beats. */
static struct shl_transport
transport_of(const struct shl_plugin_host *plugin_host)
{
    struct shl_transport t = shl_maolan_transport_read(
        plugin_host->map.base + plugin_host->maolan.layout->transport,
        plugin_host->rate_hz);

    if (!(t.rate_hz > 0))
        t.rate_hz = plugin_host->rate_hz;
    if (!(t.beats > 0) && t.rate_hz > 0)
        t.beats = (double)t.frame / t.rate_hz * t.tempo / 60;
    return t;
}

static void take_block(struct shl_plugin_host *plugin_host,
                       struct shl_work *work)
{
    struct shl_maolan_block block;

    shl_maolan_block_read(&plugin_host->maolan, &block);
    work->kind = SHL_WORK_BLOCK;
    work->in_channels = plugin_host->last_in = block.in_channels;
    work->out_channels = plugin_host->last_out = block.out_channels;
    work->midi_in_ports = block.midi_in_ports;
    work->midi_out_ports = block.midi_out_ports;
    wire(plugin_host, work);
    work->block = (struct shl_block){.frames = block.frames,
                                     .fresh = plugin_host->blocks == 0,
                                     .mode = SHL_MODE_BOTH,
                                     .frame = plugin_host->frame,
                                     .in = plugin_host->in,
                                     .out = plugin_host->out,
                                     .transport = transport_of(plugin_host)};
    plugin_host->maolan.ports_out = block.midi_out_ports;
    plugin_host->frames = block.frames;
    plugin_host->offset = 0;
    plugin_host->blocks++;
    shl_maolan_begin(&plugin_host->maolan, block.frames);
}

/* A byte has come: what is it for? A request is stored before its byte. */
static void take_work(struct shl_plugin_host *plugin_host,
                      struct shl_work *work)
{
    uint32_t type = shl_maolan_load(&plugin_host->maolan,
                                    plugin_host->maolan.layout->request_type);

    memset(work, 0, sizeof *work);
    if (type)
        shl_plugin_host_take_request(plugin_host, type, work);
    else
        take_block(plugin_host, work);
    plugin_host->working = true;
}

static bool must_leave(const struct shl_plugin_host *plugin_host)
{
    return plugin_host->deaf ||
           shl_maolan_load(&plugin_host->maolan,
                           plugin_host->maolan.layout->shutdown_request) != 0;
}

/* One byte, or why there is none. */
static shl_status next_byte(struct shl_plugin_host *plugin_host,
                            uint32_t wait_ms)
{
    shl_status status = shl_pipes_wait(&plugin_host->pipes, wait_ms * 1000);

    if (!status)
        status = shl_pipes_take(&plugin_host->pipes);
    /* whoever rang may be the one who wants us gone */
    if ((!status || status == SHL_TIMEOUT) && must_leave(plugin_host))
        return SHL_GONE;
    return status == SHL_AGAIN ? SHL_TIMEOUT : status;
}

SHL_RT shl_status shl_plugin_host_idle(shl_plugin_host *plugin_host,
                                       uint32_t timeout_ms)
{
    shl_status status;

    if (must_leave(plugin_host))
        return SHL_GONE;
    do {
        uint32_t slice_ms = shl_least(timeout_ms, LOOK_MS);

        status = next_byte(plugin_host, slice_ms);
        timeout_ms -= slice_ms;
        shl_plugin_host_beat(plugin_host);
    } while (status == SHL_TIMEOUT && timeout_ms &&
             !shl_plugin_host_bad(plugin_host));
    return shl_plugin_host_bad(plugin_host) ? SHL_BAD_PEER : status;
}

SHL_RT shl_status shl_plugin_host_wait(shl_plugin_host *plugin_host,
                                       uint32_t timeout_ms,
                                       struct shl_work *work)
{
    if (plugin_host->working)
        shl_plugin_host_done(plugin_host);
    if (!plugin_host->flushed)
        shl_thread_flush_denormals();
    plugin_host->flushed = true;
    const shl_status status = shl_plugin_host_idle(plugin_host, timeout_ms);
    if (status == SHL_OK)
        take_work(plugin_host, work);
    /* what it took may have come from behind the end */
    return shl_plugin_host_bad(plugin_host) ? SHL_BAD_PEER : status;
}

/* ---- blocks ---------------------------------------------------------------------- */

SHL_RT int shl_plugin_host_event(shl_plugin_host *plugin_host,
                                 struct shl_event *event)
{
    uint32_t offset;

    if (!plugin_host->working ||
        !shl_maolan_take(&plugin_host->maolan, event, &offset))
        return 0;
    /* a ring that its writer did not keep in order */
    if (offset < plugin_host->offset) {
        offset = plugin_host->offset;
        plugin_host->moved++;
    }
    plugin_host->offset = offset;
    event->frame = plugin_host->frame + offset;
    return 1;
}

SHL_RT shl_status shl_plugin_host_send(shl_plugin_host *plugin_host,
                                       const struct shl_event *event)
{
    uint64_t offset = event->frame > plugin_host->frame
                          ? event->frame - plugin_host->frame
                          : 0;

    if (plugin_host->frames == 0)
        offset = 0;
    else if (offset >= plugin_host->frames)
        offset = plugin_host->frames - 1;
    return shl_maolan_send(&plugin_host->maolan, event, (uint32_t)offset);
}

SHL_RT void shl_plugin_host_set_latency(shl_plugin_host *plugin_host,
                                        uint32_t frames)
{
    /* number 4 has the same row, but nobody there knows the word */
    if (plugin_host->version >= 5)
        shl_maolan_store(&plugin_host->maolan,
                         plugin_host->maolan.layout->latency, frames);
}

SHL_RT void shl_plugin_host_done(shl_plugin_host *plugin_host)
{
    struct shl_event unheard;

    if (!plugin_host->working)
        return;
    if (plugin_host->request) { /* nobody has answered it */
        shl_plugin_host_answer(plugin_host, SHL_UNSUPPORTED);
        return;
    }
    while (shl_plugin_host_event(plugin_host, &unheard)) {
    }
    plugin_host->working = false;
    plugin_host->frame += plugin_host->frames;
    shl_maolan_show(&plugin_host->maolan);
    shl_plugin_host_count(plugin_host);
    shl_plugin_host_respond(plugin_host);
}

void shl_plugin_host_dirty(shl_plugin_host *plugin_host)
{
    shl_maolan_store(&plugin_host->maolan,
                     plugin_host->maolan.layout->state_dirty, 1);
}

void shl_plugin_host_get_stats(const shl_plugin_host *plugin_host,
                               struct shl_plugin_host_stats *stats)
{
    const struct shl_maolan_counts *counts = &plugin_host->maolan.counts;

    *stats = (struct shl_plugin_host_stats){
        .blocks = plugin_host->blocks,
        .requests = plugin_host->requests,
        .unanswered = plugin_host->unanswered,
        .events_bad = counts->bad,
        .events_moved = counts->moved + plugin_host->moved,
        .events_dropped = counts->full + counts->unfit,
        .rings_restarted = counts->restarted};
}
