/* SPDX-License-Identifier: MIT */
/* What the audio thread of a host does: blocks, events, bypass. */
#include "core/host/host_state.h"

#include <string.h>

/* Nothing wanted: a wire. Wanted and not there: what the loss policy says. */
static void play_alone(shl_host *host, const float *const *dry,
                       float *const *out, uint32_t frames)
{
    uint32_t in = host->options.in_channels, outs = host->options.out_channels;
    if (host->wanted[0]) {
        shl_loss_fill(&host->loss, dry, in, out, outs, frames);
        return;
    }
    for (uint32_t c = 0; c < outs; c++) {
        if (c < in)
            memcpy(out[c], dry[c], frames * sizeof(float));
        else
            memset(out[c], 0, frames * sizeof(float));
    }
}

static enum shl_heard play_link(shl_host *host, const float *const *in,
                                float *const *out, uint32_t frames,
                                const struct shl_transport *transport)
{
    shl_status st = host->lost ? host->lost : shl_link_state(&host->link);
    if (st == SHL_AGAIN)
        return SHL_HEARD_NOTHING;
    if (st != SHL_OK) {
        host->lost = st;
        return SHL_HEARD_MISSED;
    }
    return shl_link_play(&host->link, in, host->options.in_channels, out,
                         host->options.out_channels, frames, transport);
}

/* A block as it goes to the device, and what is heard of it. */
static bool play_block(shl_host *host, const float *const *in,
                       float *const *out, uint32_t frames,
                       const struct shl_transport *transport)
{
    uint32_t outs = host->options.out_channels;
    uint32_t latency =
        host->linked ? shl_host_latency(host) - host->reblock.latency_frames
                     : 0;
    const float *const *wet =
        shl_bypass_in(&host->bypass, in, frames, latency,
                      !host->wanted[0] || host->loss.policy == SHL_ONLOSS_DRY);
    const float *const *dry = host->bypass.dry;
    enum shl_heard heard = SHL_HEARD_NOTHING;
    if (host->requester.monitor)
        shl_monitor_levels(host->requester.monitor, 1, in,
                           host->options.in_channels, frames);
    if (!host->linked) {
        play_alone(host, dry, out, frames);
        if (host->wanted[0])
            shl_bypass_out(&host->bypass, out, outs, frames);
    } else {
        heard = play_link(host, wet, out, frames, transport);
        if (heard == SHL_HEARD_DEVICE) {
            for (uint32_t c = 0; c < outs; c++)
                host->bad_samples += shl_loss_clean(out[c], frames);
            shl_loss_came(&host->loss, out, outs, frames);
        } else if (heard == SHL_HEARD_MISSED || host->loss.lost) {
            shl_loss_fill(&host->loss, dry, host->options.in_channels, out,
                          outs, frames);
            host->silent_frames += frames;
        } else {
            for (uint32_t c = 0; c < outs; c++)
                memset(out[c], 0, frames * sizeof(float));
        }
        shl_bypass_out(&host->bypass, out, outs, frames);
    }
    if (host->requester.monitor)
        shl_monitor_levels(host->requester.monitor, 0,
                           (const float *const *)out, outs, frames);
    return heard == SHL_HEARD_DEVICE;
}

SHL_RT struct shl_transport shl_host_transport_at(const shl_host *host,
                                                  uint32_t offset)
{
    struct shl_transport at = host->transport;
    uint32_t from = 0;
    for (uint32_t i = 0; i < host->change_count; i++)
        if (host->change[i].offset <= offset) {
            at = host->change[i].transport;
            from = host->change[i].offset;
        }
    shl_transport_advance(&at, offset - from);
    return at;
}

/* In order; where there is no more room the last one gives way. */
static void keep_change(shl_host *host, const struct shl_transport *transport,
                        uint32_t offset)
{
    uint32_t last = host->change_count ? host->change_count - 1 : 0;
    if (offset == 0) {
        host->transport = *transport;
        return;
    }
    if (host->change_count == 0 || (host->change[last].offset < offset &&
                                    host->change_count < SHL_HOST_CUES))
        last = host->change_count++;
    host->change[last].offset = offset;
    host->change[last].transport = *transport;
}

SHL_RT void shl_host_transport_event(shl_host *host,
                                     const struct shl_transport *transport,
                                     uint32_t offset)
{
    const struct shl_transport before = shl_host_transport_at(host, 0);
    if (host->change_count &&
        offset < host->change[host->change_count - 1].offset)
        offset = host->change[host->change_count - 1].offset;
    keep_change(host, transport, offset);
    if (host->linked && !host->lost)
        shl_link_transport_event(&host->link, &before, transport, offset);
}

/* The host's own block, in pieces that end where the device's do. */
static bool play_reblocked(shl_host *host, const float *const *in,
                           float *const *out, uint32_t frames)
{
    struct shl_reblock *reblock = &host->reblock;
    uint32_t latency = reblock->latency_frames, piece;
    shl_reblock_expect(reblock, frames);
    host->silent_frames += reblock->latency_frames - latency;
    for (uint32_t at = 0; at < frames; at += piece) {
        piece = shl_reblock_room(reblock, frames - at);
        const struct shl_transport now = shl_host_transport_at(host, at);
        if (shl_reblock_gather(reblock, in, at, piece, &now))
            shl_reblock_came(reblock,
                             play_block(host, (const float *const *)reblock->in,
                                        shl_reblock_planes(reblock),
                                        reblock->frames, &reblock->transport));
        shl_reblock_read(reblock, out, at, piece);
    }
    if (host->linked)
        shl_link_reblocked(&host->link, reblock->frames, reblock->gathered,
                           reblock->waiting, frames);
    return reblock->whole;
}

SHL_RT int shl_host_process(shl_host *host, const float *const *in,
                            float *const *out, uint32_t frames)
{
    bool heard = host->reblock.frames && host->wanted[0]
                     ? play_reblocked(host, in, out, frames)
                     : play_block(host, in, out, frames, &host->transport);
    host->played++;
    host->transport = shl_host_transport_at(host, frames);
    host->change_count = 0;
    return heard;
}

SHL_RT shl_status shl_host_send(shl_host *host, const struct shl_event *event,
                                uint32_t offset)
{
    if (!host->linked || host->lost)
        return SHL_NO_DEVICE;
    shl_status st = shl_link_send(&host->link, event, offset);
    if (st == SHL_OK && event->kind == SHL_EVENT_UMP)
        shl_held_follow(&host->held, event->data);
    if (st == SHL_OK)
        shl_monitor_event(host->requester.monitor, 1, event);
    return st;
}

SHL_RT int shl_host_event(shl_host *host, struct shl_event *event,
                          uint32_t *offset)
{
    if (!host->linked || !shl_link_event(&host->link, event, offset))
        return 0;
    shl_monitor_event(host->requester.monitor, 0, event);
    return 1;
}

static shl_status send_control(shl_host *host, uint32_t channel,
                               uint8_t controller)
{
    struct shl_event event =
        shl_event_midi(0, 0, (uint8_t)(0xB0u | channel), controller, 0);
    return shl_host_send(host, &event, 0);
}

SHL_RT shl_status shl_host_panic(shl_host *host)
{
    if (!host->linked || host->lost)
        return SHL_NO_DEVICE;
    uint32_t ump;
    while (shl_held_release(&host->held, &ump)) {
        struct shl_event event = shl_event_ump(0, &ump, 1);
        shl_status st = shl_link_send(&host->link, &event, 0);
        if (st)
            return st;
    }
    for (uint32_t channel = 0; channel < 16; channel++) {
        shl_status st = send_control(host, channel, 64);
        if (!st)
            st = send_control(host, channel, 123);
        if (!st)
            st = send_control(host, channel, 120);
        if (st)
            return st;
    }
    return SHL_OK;
}

SHL_RT void shl_host_set_bypass(shl_host *host, uint32_t mode)
{
    host->bypass.mode = mode <= 2 ? mode : 0;
}

SHL_RT struct shl_transport *shl_host_transport(shl_host *host)
{
    return &host->transport;
}

static const char *const stream_modes[] = {
    [SHL_STREAM_COPY] = "copy",
    [SHL_STREAM_CONVERT] = "convert",
    [SHL_STREAM_STEERED] = "steered",
    [SHL_STREAM_CORRECTED] = "corrected",
};

SHL_RT int shl_host_get_stream(shl_host *host, struct shl_host_stream *stream)
{
    const struct shl_link *link = &host->link;
    struct shl_stream_stats stats;
    if (!host->linked || !link->free.duplex)
        return 0;
    shl_stream_get_stats(link->free.duplex->reader, &stats);
    double nominal = link->identity.rate_hz / link->claim.rate_hz;
    *stream =
        (struct shl_host_stream){.mode = stream_modes[stats.mode],
                                 .ratio = stats.ratio,
                                 .drift_ppm = 1e6 * (stats.ratio / nominal - 1),
                                 .off_frames = stats.deviation,
                                 .underruns = stats.underruns,
                                 .silent_frames = stats.silent_frames,
                                 .skips = stats.skips,
                                 .dropped = stats.dropped,
                                 .doubled = stats.doubled,
                                 .spare_frames = stats.spare_frames};
    return 1;
}
