/* One unit of work after the other; what the DAW asks for beside the audio is
 * in serve_requests.c. */
#include "shmlink/serve.h"
#include "shmlink/registry.h"

#include "core/maolan/serve_state.h"
#include "shmlink/name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 100u /* how long a wish that we leave may go unseen */

static const float no_sound[SHL_MAX_FRAMES];

/* ---- opening ---------------------------------------------------------------- */

static shl_status recognise(struct shl_serve *serve, const char *name,
                            struct shl_why *why)
{
    const struct shl_maolan_layout *layout = NULL;
    shl_status status = shl_maolan_recognise(serve->map.base, serve->map.size,
                                             &serve->version, &layout);

    if (status == SHL_CUT)
        shl_why_set(why, "segment %s is shorter than %u bytes", name,
                    SHL_MAOLAN_SIZE);
    else if (status == SHL_FOREIGN)
        shl_why_set(why, "segment %s has another magic number", name);
    else if (status == SHL_WRONG_VERSION)
        shl_why_set(why,
                    "segment %s speaks protocol number %u; this program "
                    "speaks %u to %u",
                    name, serve->version, SHL_VERSION_LOW, SHL_VERSION_HIGH);
    else if (!status)
        shl_maolan_init(&serve->maolan, serve->map.base, layout,
                        SHL_MAOLAN_PLUGIN);
    return status;
}

static shl_status open_segment(struct shl_serve *serve, const char *name,
                               struct shl_why *why)
{
    shl_status status = shl_map_join(name, SHL_MAOLAN_SIZE, &serve->map);

    if (status == SHL_CUT || status == SHL_AGAIN)
        shl_why_set(why, "segment %s is shorter than %u bytes", name,
                    SHL_MAOLAN_SIZE);
    else if (status)
        shl_why_set(why, "segment %s: %s", name, shl_status_text(status));
    if (status)
        return status == SHL_AGAIN ? SHL_CUT : status;
    status = recognise(serve, name, why);
    if (!status)
        shl_map_touch(&serve->map, 0, serve->maolan.layout->used_size);
    if (!status && shl_serve_bad(serve)) {
        shl_why_set(why, "segment %s has no memory behind it", name);
        status = SHL_CUT;
    }
    if (status)
        shl_map_close(&serve->map);
    return status;
}

shl_status shl_serve_open(const struct shl_serve_options *options,
                          shl_serve **serve, struct shl_why *why)
{
    struct shl_serve *made = calloc(1, sizeof *made);
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
    *serve = made;
    return SHL_OK;
}

void shl_serve_close(shl_serve *serve)
{
    if (!serve)
        return;
    shl_pipes_close(&serve->pipes);
    shl_map_close(&serve->map);
    shl_scratchpad_free(serve->pad);
    free(serve);
}

uint32_t shl_serve_version(const shl_serve *serve)
{
    return serve->version;
}

void shl_serve_channels(const shl_serve *serve, uint32_t *inputs,
                        uint32_t *outputs)
{
    struct shl_maolan_block block;

    shl_maolan_block_read(&serve->maolan, &block);
    *inputs = block.in_channels;
    *outputs = block.out_channels;
}

const char *shl_serve_area(const shl_serve *serve)
{
    uint32_t magic;

    if (serve->map.size < SHL_SEGMENT_SIZE || !serve->name[0])
        return NULL;
    memcpy(&magic, serve->map.base + SHL_LINK_OFFSET, sizeof magic);
    return magic ? NULL : serve->name;
}

double shl_serve_rate(const shl_serve *serve)
{
    double rate_hz;

    memcpy(&rate_hz,
           serve->map.base + serve->maolan.layout->transport +
               SHL_TRANSPORT_RATE,
           sizeof rate_hz);
    return isfinite(rate_hz) && rate_hz > 0 ? rate_hz : 0;
}

/* ---- before the first block ---------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void tell_counts(struct shl_serve *serve,
                        const struct shl_serve_about *about)
{
    const struct shl_maolan_layout *row = serve->maolan.layout;

    shl_maolan_store(&serve->maolan, row->midi_in_ports,
                     least(about->midi_in, SHL_MAX_MIDI_PORTS));
    shl_maolan_store(&serve->maolan, row->midi_out_ports,
                     least(about->midi_out, SHL_MAX_MIDI_PORTS));
    /* number 3 has one ring each way, whatever the plugin has */
    const uint32_t midi_in = least(about->midi_in, row->midi_ports);
    const uint32_t midi_out = least(about->midi_out, row->midi_ports);
    if (about->any_channels)
        return;
    shl_maolan_store(&serve->maolan, row->input_channels, about->audio_in);
    shl_maolan_store(&serve->maolan, row->output_channels, about->audio_out);
    shl_scratch_ports_write(serve->map.base + row->scratch,
                            &(struct shl_port_counts){about->audio_in,
                                                      about->audio_out, midi_in,
                                                      midi_out});
}

/* A byte that begins no character. */
static bool is_inside(char byte)
{
    return ((uint8_t)byte & 0xC0) == 0x80;
}

void shl_serve_ready(shl_serve *serve, const struct shl_serve_about *about)
{
    const struct shl_maolan_layout *row = serve->maolan.layout;
    uint8_t *scratch = serve->map.base + row->scratch;
    struct shl_maolan_block counts;
    /* the counts behind a short name are 1024 bytes on; a longer name is cut
     * there, since they matter more */
    size_t length = strlen(about->name);
    size_t limit = about->any_channels ? SHL_SCRATCH_NAME_LIMIT
                                       : SHL_PORT_COUNTS_OFFSET - SHL_NAME_TEXT;

    if (length > limit)
        for (length = limit; length && is_inside(about->name[length]);)
            length--;
    serve->rate_hz = about->rate_hz;
    if (length)
        shl_scratch_name_write(scratch, about->name, (uint32_t)length);
    tell_counts(serve, about);
    shl_maolan_block_read(&serve->maolan, &counts);
    serve->last_in = counts.in_channels;
    serve->last_out = counts.out_channels;
    shl_serve_latency(serve, about->latency_frames);
    shl_maolan_store(&serve->maolan, row->ready, 1);
}

void shl_serve_mark(shl_serve *serve, uint32_t word)
{
    memcpy(serve->map.base + serve->maolan.layout->scratch, &word, sizeof word);
}

static void count_word(struct shl_serve *serve, uint32_t offset)
{
    /* release: a DAW takes what is counted for all that was made before */
    atomic_fetch_add_explicit(
        (_Atomic uint32_t *)(void *)(serve->map.base + offset), 1,
        memory_order_release);
}

void shl_serve_beat(shl_serve *serve)
{
    count_word(serve, serve->maolan.layout->heartbeat);
}

/* ---- waiting --------------------------------------------------------------------- */

/* Planes that the DAW uses, silence and a sink for the others. */
static void wire(struct shl_serve *serve, struct shl_work *work)
{
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++) {
        serve->in[c] =
            c < work->in_channels
                ? shl_maolan_plane(&serve->maolan, c, SHL_BUS_TO_DEVICE)
                : no_sound;
        serve->out[c] =
            c < work->out_channels
                ? shl_maolan_plane(&serve->maolan, c, SHL_BUS_TO_HOST)
                : serve->sink;
    }
}

/* Other DAWs write neither rate nor beats. */
static struct shl_transport transport_of(const struct shl_serve *serve)
{
    struct shl_transport t = shl_maolan_transport_read(
        serve->map.base + serve->maolan.layout->transport, serve->rate_hz);

    if (!(t.rate_hz > 0))
        t.rate_hz = serve->rate_hz;
    if (!(t.beats > 0) && t.rate_hz > 0)
        t.beats = (double)t.frame / t.rate_hz * t.tempo / 60;
    return t;
}

static void take_block(struct shl_serve *serve, struct shl_work *work)
{
    struct shl_maolan_block block;

    shl_maolan_block_read(&serve->maolan, &block);
    work->kind = SHL_WORK_BLOCK;
    work->in_channels = serve->last_in = block.in_channels;
    work->out_channels = serve->last_out = block.out_channels;
    work->midi_in_ports = block.midi_in_ports;
    work->midi_out_ports = block.midi_out_ports;
    wire(serve, work);
    work->block = (struct shl_block){.frames = block.frames,
                                     .fresh = serve->blocks == 0,
                                     .mode = SHL_MODE_BOTH,
                                     .frame = serve->frame,
                                     .in = serve->in,
                                     .out = serve->out,
                                     .transport = transport_of(serve)};
    serve->maolan.ports_out = block.midi_out_ports;
    serve->frames = block.frames;
    serve->offset = 0;
    serve->blocks++;
    shl_maolan_begin(&serve->maolan, block.frames);
}

/* A byte has come: what is it for? A request is stored before its byte. */
static void take_work(struct shl_serve *serve, struct shl_work *work)
{
    uint32_t type =
        shl_maolan_load(&serve->maolan, serve->maolan.layout->request_type);

    memset(work, 0, sizeof *work);
    if (type)
        shl_serve_take_request(serve, type, work);
    else
        take_block(serve, work);
    serve->working = true;
}

static bool must_leave(const struct shl_serve *serve)
{
    return serve->deaf ||
           shl_maolan_load(&serve->maolan,
                           serve->maolan.layout->shutdown_request) != 0;
}

/* One byte, or why there is none. */
static shl_status next_byte(struct shl_serve *serve, uint32_t wait_ms)
{
    shl_status status = shl_pipes_wait(&serve->pipes, wait_ms * 1000);

    if (!status)
        status = shl_pipes_take(&serve->pipes);
    /* whoever rang may be the one who wants us gone */
    if ((!status || status == SHL_TIMEOUT) && must_leave(serve))
        return SHL_GONE;
    return status == SHL_AGAIN ? SHL_TIMEOUT : status;
}

SHL_RT shl_status shl_serve_idle(shl_serve *serve, uint32_t timeout_ms)
{
    shl_status status;

    if (must_leave(serve))
        return SHL_GONE;
    do {
        uint32_t slice_ms = least(timeout_ms, LOOK_MS);

        status = next_byte(serve, slice_ms);
        timeout_ms -= slice_ms;
        shl_serve_beat(serve);
    } while (status == SHL_TIMEOUT && timeout_ms && !shl_serve_bad(serve));
    return shl_serve_bad(serve) ? SHL_BAD_PEER : status;
}

SHL_RT shl_status shl_serve_wait(shl_serve *serve, uint32_t timeout_ms,
                                 struct shl_work *work)
{
    if (serve->working)
        shl_serve_done(serve);
    if (!serve->flushed)
        shl_thread_flush_denormals();
    serve->flushed = true;
    const shl_status status = shl_serve_idle(serve, timeout_ms);
    if (status == SHL_OK)
        take_work(serve, work);
    /* what it took may have come from behind the end */
    return shl_serve_bad(serve) ? SHL_BAD_PEER : status;
}

/* ---- blocks ---------------------------------------------------------------------- */

SHL_RT int shl_serve_event(shl_serve *serve, struct shl_event *event)
{
    uint32_t offset;

    if (!serve->working || !shl_maolan_take(&serve->maolan, event, &offset))
        return 0;
    /* a ring that its writer did not keep in order */
    if (offset < serve->offset) {
        offset = serve->offset;
        serve->moved++;
    }
    serve->offset = offset;
    event->frame = serve->frame + offset;
    return 1;
}

SHL_RT shl_status shl_serve_send(shl_serve *serve,
                                 const struct shl_event *event)
{
    uint64_t offset =
        event->frame > serve->frame ? event->frame - serve->frame : 0;

    if (serve->frames == 0)
        offset = 0;
    else if (offset >= serve->frames)
        offset = serve->frames - 1;
    return shl_maolan_send(&serve->maolan, event, (uint32_t)offset);
}

SHL_RT void shl_serve_latency(shl_serve *serve, uint32_t frames)
{
    /* number 4 has the same row, but nobody there knows the word */
    if (serve->version >= 5)
        shl_maolan_store(&serve->maolan, serve->maolan.layout->latency, frames);
}

void shl_serve_count(struct shl_serve *serve)
{
    count_word(serve, serve->maolan.layout->tasks_completed);
}

void shl_serve_ring(struct shl_serve *serve)
{
    const shl_status status = shl_pipes_ring(&serve->pipes);

    serve->unanswered += status == SHL_RING_FULL;
    serve->deaf = serve->deaf || status == SHL_GONE;
}

/* A block is told by a counter and by a byte, always both and in this order:
 * some DAWs look at one, some at the other, some need the two together. A DAW
 * that says that it looks at the counter alone may never read its bytes; those
 * that find the pipe full then are no loss. To a DAW of an older number the
 * counter would tell a newer plugin host than this one is to it. */
static void respond(struct shl_serve *serve)
{
    const struct shl_maolan_layout *row = serve->maolan.layout;
    const uint64_t before = serve->unanswered;

    if (serve->version >= SHL_VERSION_RESOURCES)
        count_word(serve, row->response_counter);
    shl_serve_ring(serve);
    if (shl_maolan_load(&serve->maolan, row->block_response_eventless))
        serve->unanswered = before;
}

SHL_RT void shl_serve_done(shl_serve *serve)
{
    struct shl_event unheard;

    if (!serve->working)
        return;
    if (serve->request) { /* nobody has answered it */
        shl_serve_answer(serve, SHL_UNSUPPORTED);
        return;
    }
    while (shl_serve_event(serve, &unheard)) {
    }
    serve->working = false;
    serve->frame += serve->frames;
    shl_maolan_show(&serve->maolan);
    shl_serve_count(serve);
    respond(serve);
}

void shl_serve_dirty(shl_serve *serve)
{
    shl_maolan_store(&serve->maolan, serve->maolan.layout->state_dirty, 1);
}

void shl_serve_stats(const shl_serve *serve, struct shl_serve_stats *stats)
{
    const struct shl_maolan_counts *counts = &serve->maolan.counts;

    *stats =
        (struct shl_serve_stats){.blocks = serve->blocks,
                                 .requests = serve->requests,
                                 .unanswered = serve->unanswered,
                                 .events_bad = counts->bad,
                                 .events_moved = counts->moved + serve->moved,
                                 .events_dropped = counts->full + counts->unfit,
                                 .rings_restarted = counts->restarted};
}
