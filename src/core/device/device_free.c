/* SPDX-License-Identifier: MIT */
/* A device with a clock of its own: its program asks for a block whenever its
 * clock says so, whether or not there is a host. Streams of a claim are made by
 * the keeper, before the audio thread accepts it. */
#include "core/device/device_state.h"

#include <stdlib.h>
#include <string.h>

/* ---- claims -------------------------------------------------------------------- */

static bool both(const struct shl_claim *claim, uint32_t flags)
{
    return (claim->flags & flags) == flags;
}

/* What was measured while nobody had claimed us, or else is expected. */
static uint32_t expected_frames(const struct shl_device *device)
{
    uint32_t late =
        atomic_load_explicit(&device->free.late, memory_order_relaxed);
    uint32_t frames = late & SHL_BURST_FRAMES;

    if (!(late & SHL_BURST_MEASURED) || frames < device->free.expected_frames)
        return device->free.expected_frames;
    return frames;
}

struct shl_duplex_options
shl_device_free_options(const struct shl_device *device,
                        const struct shl_claim *claim)
{
    const struct shl_identity *own = &device->identity;
    bool one_clock = both(claim, SHL_CLAIM_OWN_CLOCK);
    struct shl_lines *lines = device->segment.lines;

    return (struct shl_duplex_options){
        .out_channels = shl_duplex_channels(own, claim, true),
        .in_channels = shl_duplex_channels(own, claim, false),
        .rate_hz = own->rate_hz,
        .peer_hz = claim->rate_hz,
        .block_frames = own->block_frames,
        .peer_frames = claim->block_frames,
        .latency_frames = claim->latency_frames,
        .told_frames = &lines->device.stream_frames,
        .peer_late = &lines->host.stream_late,
        .own_late = &lines->device.stream_late,
        .expected_frames = expected_frames(device),
        .resampler = device->free.resampler,
        .clock_ns = one_clock ? device->free.clock_ns : shl_clock_ns,
        .one_clock = one_clock,
        .exact = both(claim, SHL_CLAIM_OWN_CLOCK | SHL_CLAIM_EXACT)};
}

shl_status shl_device_free_make(struct shl_device *device,
                                const struct shl_claim *claim,
                                struct shl_duplex **duplex)
{
    struct shl_segment *segment = &device->segment;
    struct shl_duplex_options options = shl_device_free_options(device, claim);
    shl_status st = shl_segment_reserve_streams(segment, options.in_channels,
                                                options.out_channels);

    if (!st)
        st = shl_duplex_new(segment, &options, duplex);
    return st;
}

void shl_device_free_spend(struct shl_device *device, struct shl_duplex *duplex)
{
    if (!duplex)
        return;
    shl_mpsc_push(&device->free.spent, &duplex->node);
}

void shl_device_free_use(struct shl_device *device,
                         const struct shl_claim *claim,
                         struct shl_duplex *duplex)
{
    struct shl_device_free *own = &device->free;

    own->duplex = duplex;
    own->told_times = own->told_wanted = 0;
    if (duplex)
        shl_transport_begin(&own->change, claim->rate_hz);
    own->heard_frame = 0;
}

void shl_device_free_leave(struct shl_device *device)
{
    shl_device_free_spend(device, device->free.duplex);
    device->free.duplex = NULL;
}

void shl_device_free_keep(struct shl_device *device)
{
    struct shl_mpsc_node *node = shl_mpsc_take(&device->free.spent);

    while (node) {
        struct shl_duplex *duplex = (struct shl_duplex *)node;
        node = node->next;
        shl_duplex_free(duplex);
    }
}

void shl_device_free_end(struct shl_device *device)
{
    struct shl_device_free *own = &device->free;

    shl_duplex_free(own->duplex);
    shl_device_free_keep(device);
    own->duplex = NULL;
    free(own->planes);
    own->planes = NULL;
}

/* ---- blocks -------------------------------------------------------------------- */

/* The transport at the first frame, and what the block brings of it: valid from
 * its own frame on, so for the blocks after this one. */
static void hear_transport(struct shl_device *device)
{
    struct shl_device_free *own = &device->free;
    struct shl_ring *ring = &device->from_host;
    const struct shl_duplex *duplex = own->duplex;
    bool there = false;

    if (duplex->heard)
        own->heard_frame = duplex->first;
    for (uint32_t i = 0; i < device->events_left; i++) {
        struct shl_event event; /* ours: the host may rewrite it */
        memcpy(&event, shl_ring_slot(ring, ring->own + i), sizeof event);
        if (shl_duplex_early(duplex, event.frame))
            break;
        if (event.kind != SHL_EVENT_TEMPO && event.kind != SHL_EVENT_PLAYHEAD)
            continue;
        if (!there && (int64_t)event.frame > own->heard_frame) {
            device->block.transport =
                shl_transport_at(&own->change, own->heard_frame);
            there = true;
        }
        if (!shl_transport_receive(&own->change, &event))
            shl_device_count_bad(device);
    }
    if (!there)
        device->block.transport =
            shl_transport_at(&own->change, own->heard_frame);
    own->heard_frame += device->block.frames;
}

/* What is missing here is not seen there. */
static void tell_short(struct shl_device *device)
{
    struct shl_device_line *line = &device->segment.lines->device;
    uint32_t times, wanted;

    shl_stream_short(device->free.duplex->reader, &times, &wanted);
    times -= device->free.told_times;
    if (times == 0 && wanted == device->free.told_wanted)
        return;
    device->free.told_times += times;
    device->free.told_wanted = wanted;
    shl_line_store(&line->stream_short,
                   shl_line_load(&line->stream_short) + times);
    shl_line_store(&line->stream_wanted, wanted);
}

static void hear_host(struct shl_device *device)
{
    struct shl_duplex *duplex = device->free.duplex;
    float *planes[SHL_MAX_CHANNELS];

    for (uint32_t c = 0; c < duplex->options.in_channels; c++)
        device->in[c] = planes[c] = shl_device_free_input(device, c);
    shl_duplex_begin(duplex);
    if (!shl_duplex_read(duplex, planes, device->block.frames) && duplex->begun)
        device->stats.missed++;
    tell_short(device);
    device->block.frame = shl_duplex_frame(duplex);
    device->block.fresh = device->fresh;
    device->fresh = false;
    shl_ring_fetch(&device->from_host);
    device->events_left = shl_ring_waiting(&device->from_host);
    hear_transport(device);
    shl_device_take_taps(device);
}

static void be_alone(struct shl_device *device)
{
    struct shl_device_free *own = &device->free;

    if (own->alone_frame == 0)
        shl_clock_estimator_init(&own->alone, device->identity.rate_hz);
    shl_clock_estimator_see(&own->alone, own->alone_frame, shl_clock_ns());
    atomic_store_explicit(
        &own->late,
        shl_burst_word(shl_burst_late(&own->alone.burst) / own->alone.nominal_s,
                       shl_clock_estimator_settled(&own->alone)),
        memory_order_relaxed);
    device->block.frame = own->alone_frame;
    device->block.fresh = 0;
    device->mode = SHL_MODE_BOTH;
    device->block.transport = shl_transport_default(device->identity.rate_hz);
    device->events_left = 0;
}

void shl_device_free_block(struct shl_device *device)
{
    if (device->free.duplex)
        hear_host(device);
    else
        be_alone(device);
}

void shl_device_free_done(struct shl_device *device)
{
    struct shl_duplex *duplex = device->free.duplex;
    uint32_t frames = device->block.frames;
    const float *planes[SHL_MAX_CHANNELS] = {NULL};

    if (!duplex) {
        device->free.alone_frame += frames;
        return;
    }
    device->stats.blocks++;
    shl_count(&device->segment.counters->device_blocks, 1);
    for (uint32_t c = 0; c < duplex->options.out_channels; c++)
        if (c < device->identity.out_channels || device->tapped >> c & 1)
            planes[c] = shl_device_free_plane(device, c);
    shl_ring_release(&device->from_host);
    shl_ring_publish(&device->to_host);
    shl_duplex_write(duplex, planes, frames);
}
