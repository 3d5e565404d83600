/* SPDX-License-Identifier: MIT */
/* The host's end of a link in the free drive: it waits for nothing, neither
 * for the device nor for the system. */
#include "core/host/link.h"

#include "shmlink/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Silent for so much of a second: told, and looked at, as a stall. */
#define STALL_SHARE 0.1

/* ---- which drive ------------------------------------------------------------- */

static bool same_process(const struct shl_identity *identity)
{
    struct shl_process self = shl_process_self();

    return identity->pid == self.pid &&
           identity->start_time == self.start_time &&
           identity->pid_namespace == self.pid_namespace;
}

static bool other_rate(const struct shl_identity *identity, double rate_hz)
{
    return !(fabs(identity->rate_hz - rate_hz) <= 1e-6 * rate_hz);
}

bool shl_link_own_clock(const struct shl_identity *identity,
                        const struct shl_link_options *options)
{
    return options->clock_ns && same_process(identity);
}

uint32_t shl_link_drive(const struct shl_identity *identity,
                        const struct shl_link_options *options)
{
    bool is_free = identity->drives & SHL_DRIVE_FREE;

    if (is_free && shl_link_own_clock(identity, options))
        return SHL_DRIVE_FREE;
    if (options->drive)
        return options->drive;
    if (is_free &&
        (same_process(identity) ||
         (options->resample && other_rate(identity, options->rate_hz))))
        return SHL_DRIVE_FREE;
    for (uint32_t drive = SHL_DRIVE_LOCKSTEP; drive <= SHL_DRIVE_FREE;
         drive <<= 1)
        if (identity->drives & drive)
            return drive;
    return SHL_DRIVE_LOCKSTEP;
}

shl_status shl_link_free_agree(const struct shl_segment *segment,
                               const struct shl_identity *identity,
                               const struct shl_link_options *options,
                               struct shl_why *why)
{
    if (!segment->streams) {
        snprintf(why->text, sizeof why->text,
                 "%s offers the free drive and has no streams: use the same "
                 "version of shmlink on both sides",
                 identity->id);
        return SHL_WRONG_VERSION;
    }
    if (options->renders && !shl_link_own_clock(identity, options)) {
        snprintf(why->text, sizeof why->text,
                 "%s keeps time by a clock of its own, and a rendering cannot "
                 "follow it: play live, or have a device that follows its "
                 "host (-slave in Pd)",
                 identity->id);
        return SHL_WRONG_DRIVE;
    }
    if (other_rate(identity, options->rate_hz) && !options->resampler) {
        snprintf(why->text, sizeof why->text,
                 "%s runs at %s Hz and this host at %s Hz, and this program "
                 "was built without a resampler (libsamplerate)",
                 identity->id, shl_digits(identity->rate_hz, 10).text,
                 shl_digits(options->rate_hz, 10).text);
        return SHL_WRONG_RATE;
    }
    return SHL_OK;
}

/* ---- start and end ------------------------------------------------------------- */

void shl_link_free_claim(struct shl_link *link,
                         const struct shl_link_options *options)
{
    struct shl_lines *lines = link->segment.lines;

    if (link->drive != SHL_DRIVE_FREE)
        return;
    link->free.burst_frames = options->burst_frames;
    link->free.short_before = shl_line_load(&lines->device.stream_short);
    shl_line_store(&lines->host.stream_late,
                   shl_burst_word(options->burst_frames, false));
}

static uint32_t at_rate(uint32_t frames, double from_hz, double to_hz)
{
    return (uint32_t)lround(frames * to_hz / from_hz);
}

/* Latency of the stream to the device, at our rate. */
static uint32_t there_frames(const struct shl_link *link)
{
    uint32_t frames = shl_line_load(&link->segment.lines->device.stream_frames);

    return frames < SHL_STREAM_FRAMES ? frames : 0;
}

shl_status shl_link_free_start(struct shl_link *link)
{
    const struct shl_identity *identity = &link->identity;
    const struct shl_claim *claim = &link->claim;
    bool own = claim->flags & SHL_CLAIM_OWN_CLOCK;

    if (link->drive != SHL_DRIVE_FREE || link->free.duplex)
        return SHL_OK;
    struct shl_duplex_options options = {
        .from_host = true,
        .out_channels = shl_duplex_channels(identity, claim, false),
        .in_channels = shl_duplex_channels(identity, claim, true),
        .rate_hz = claim->rate_hz,
        .peer_hz = identity->rate_hz,
        .block_frames = claim->block_frames,
        .peer_frames = identity->block_frames,
        .latency_frames =
            at_rate(claim->latency_frames, claim->rate_hz, identity->rate_hz),
        .resampler = link->free.resampler,
        .there_frames = there_frames(link)
                            ? &link->segment.lines->device.stream_frames
                            : NULL,
        .peer_late = &link->segment.lines->device.stream_late,
        .own_late = &link->segment.lines->host.stream_late,
        .expected_frames = link->free.burst_frames,
        .clock_ns = own ? link->free.clock_ns : shl_clock_ns,
        .one_clock = own,
        .exact = own && claim->flags & SHL_CLAIM_EXACT};
    shl_segment_touch_streams(&link->segment, options.out_channels,
                              options.in_channels);
    return shl_duplex_new(&link->segment, &options, &link->free.duplex);
}

void shl_link_free_end(struct shl_link *link)
{
    shl_duplex_free(link->free.duplex);
    link->free.duplex = NULL;
}

uint32_t shl_link_free_latency(const struct shl_link *link)
{
    if (!link->free.duplex)
        return 0;
    uint32_t back = at_rate(shl_duplex_latency(link->free.duplex),
                            link->identity.rate_hz, link->claim.rate_hz);

    return there_frames(link) + back;
}

uint64_t shl_link_free_short(const struct shl_link *link,
                             uint32_t *wanted_frames)
{
    const struct shl_device_line *device = &link->segment.lines->device;
    uint32_t there = shl_line_load(&device->stream_short);
    uint32_t wanted = shl_line_load(&device->stream_wanted);
    uint32_t times, back = 0;

    *wanted_frames = 0;
    if (!link->free.duplex)
        return link->stats.missed;
    shl_stream_short(link->free.duplex->reader, &times, &back);
    back = at_rate(back, link->identity.rate_hz, link->claim.rate_hz);
    there -= link->free.short_before;
    if (there == 0 || wanted >= SHL_STREAM_FRAMES)
        wanted = 0;
    if (link->claim.latency_frames)
        *wanted_frames = wanted > back ? wanted : back;
    return link->stats.missed + there;
}

/* ---- one block --------------------------------------------------------------- */

/* The transport at a frame, as two events. An event sent before may have a later
 * frame: then it is told for that one. */
static bool push_change(struct shl_link *link,
                        const struct shl_transport *transport, uint64_t frame)
{
    struct shl_transport then = *transport;
    struct shl_event pair[2];

    if (shl_ring_free(&link->to_device) < 2)
        return false;
    if (link->event_frame > frame) {
        shl_transport_advance(&then, (uint32_t)(link->event_frame - frame));
        frame = link->event_frame;
    }
    shl_transport_pair(&then, frame, pair);
    for (int i = 0; i < 2; i++)
        memcpy(shl_ring_push(&link->to_device), &pair[i], sizeof pair[i]);
    link->unsent += 2;
    link->event_frame = frame;
    return true;
}

/* What the device will think at the end of the block, if it has heard it. */
static void tell_change(struct shl_link *link,
                        const struct shl_transport *transport, uint64_t frame)
{
    struct shl_link_duplex *own = &link->free;

    own->change.sent = push_change(link, transport, frame);
    own->change.next = *transport;
    own->change_frame = frame;
}

/* At the begin of a block, unless it simply goes on. */
static void send_change(struct shl_link *link,
                        const struct shl_transport *transport)
{
    if (!link->free.changed &&
        shl_transport_news(&link->free.change, transport))
        tell_change(link, transport, link->frame);
    link->free.changed = true;
}

SHL_RT void shl_link_transport_event(struct shl_link *link,
                                     const struct shl_transport *before,
                                     const struct shl_transport *transport,
                                     uint32_t offset)
{
    const bool listens = link->identity.capabilities & SHL_CAP_TRANSPORT_IN;

    if (link->drive != SHL_DRIVE_FREE) {
        /* at its first sample the block itself has it */
        if (!link->plugin && link->segment.lanes && link->accepted && listens &&
            (offset || link->reblocked))
            push_change(link, transport, link->frame + link->gathered + offset);
        return;
    }
    if (!link->free.duplex)
        return;
    if (offset)
        send_change(link, before);
    link->free.changed = true;
    tell_change(link, transport, link->frame + offset);
}

static void send_events(struct shl_link *link,
                        const struct shl_transport *transport, uint32_t frames)
{
    struct shl_link_duplex *own = &link->free;

    send_change(link, transport);
    if (link->frame + frames > own->change_frame) {
        shl_transport_advance(
            &own->change.next,
            (uint32_t)(link->frame + frames - own->change_frame));
        own->change_frame = link->frame + frames;
    }
    own->changed = false;
    shl_ring_publish(&link->to_device);
    /* what lies beyond this block need not hold up the next one's */
    if (link->event_frame > link->frame + frames)
        link->event_frame = link->frame + frames;
    link->unsent = link->overdue = 0;
}

static void keep_score(struct shl_link *link, bool heard, uint32_t frames)
{
    struct shl_cycle_host *cycle = &link->cycle;
    uint32_t enough = (uint32_t)(STALL_SHARE * link->claim.rate_hz);

    if (heard) {
        link->free.silent_frames = 0;
        cycle->stalled = false;
        return;
    }
    cycle->lost = link->free.silent_frames ? cycle->lost + 1 : 1;
    if (link->free.silent_frames < enough)
        link->free.silent_frames += frames;
    else if (!cycle->stalled) {
        cycle->stalled = true;
        link->stats.stalls++;
    }
}

static enum shl_heard hear(struct shl_link *link, float *const *out,
                           uint32_t out_channels, uint32_t frames)
{
    struct shl_duplex *duplex = link->free.duplex;
    bool heard = shl_duplex_read(duplex, out, frames);

    for (uint32_t c = duplex->options.in_channels; c < out_channels; c++)
        memset(out[c], 0, frames * sizeof(float));
    keep_score(link, heard, frames);
    if (heard)
        return SHL_HEARD_DEVICE;
    if (!duplex->begun && !link->cycle.stalled)
        return SHL_HEARD_NOTHING;
    link->stats.missed++;
    return SHL_HEARD_MISSED;
}

SHL_RT enum shl_heard shl_link_free_play(struct shl_link *link,
                                         const float *const *in,
                                         uint32_t in_channels,
                                         float *const *out,
                                         uint32_t out_channels, uint32_t frames,
                                         const struct shl_transport *transport)
{
    const uint32_t both = SHL_CLAIM_OWN_CLOCK | SHL_CLAIM_RENDERS;
    const float *planes[SHL_MAX_CHANNELS] = {NULL};

    /* rendering in one process there is no other time for it */
    if (!link->free.duplex && (link->claim.flags & both) == both)
        SHL_RT_EXCEPT("a rendering, once", shl_link_free_start(link);)
    struct shl_duplex *duplex = link->free.duplex;
    if (!duplex)
        return SHL_HEARD_NOTHING;
    for (uint32_t c = 0; c < in_channels && c < SHL_MAX_CHANNELS; c++)
        planes[c] = in[c];
    shl_duplex_begin(duplex);
    send_events(link, transport, frames);
    shl_duplex_write(duplex, planes, frames);
    enum shl_heard heard = hear(link, out, out_channels, frames);
    link->frame += frames;
    return heard;
}

SHL_RT void shl_link_free_flush(struct shl_link *link,
                                const struct shl_transport *transport)
{
    if (link->accepted && link->unsent)
        send_events(link, transport, 0);
}
