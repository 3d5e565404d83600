/* SPDX-License-Identifier: MIT */
/* What a host knows of its device's taps, and which of them it hears. A wish
 * is sent whole with each change; planes are heard while what the device has
 * confirmed and what is wished agree on them. */
#include "core/host/host_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One tap_select on its way. */
struct selection_sent {
    shl_host *host;
    uint32_t tap; /* that was changed */
    uint8_t first[SHL_MAX_TAPS];
    shl_answer_handler handler;
    void *arg;
};

uint32_t shl_host_tap_count(const shl_host *host)
{
    return host->linked ? host->link.tap_count : 0;
}

const struct shl_tap *shl_host_tap(const shl_host *host, uint32_t index)
{
    return index < shl_host_tap_count(host) ? &host->link.taps[index] : NULL;
}

int32_t shl_host_tap_find(const shl_host *host, const char *name)
{
    return shl_tap_find(host->link.taps, shl_host_tap_count(host), name);
}

uint32_t shl_host_routed(const shl_host *host, uint32_t tap)
{
    if (tap >= shl_host_tap_count(host) || !host->taps.confirmed[tap])
        return SHL_NO_ROUTE;
    return host->taps.confirmed[tap] - 1u;
}

static uint32_t planes_of(const shl_host *host, uint32_t tap, uint32_t first)
{
    uint64_t channels = host->link.taps[tap].channels;

    return (uint32_t)(((UINT64_C(1) << channels) - 1) << first);
}

/* From the next block on. */
static void listen(shl_host *host)
{
    uint32_t planes = 0;

    for (uint32_t i = 0; i < host->link.tap_count; i++)
        if (host->taps.wished[i] &&
            host->taps.wished[i] == host->taps.confirmed[i])
            planes |= planes_of(host, i, host->taps.wished[i] - 1u);
    host->link.tap_planes = planes;
}

/* The device has reserved the memory; have our pages there, too. Streams were
 * touched as a whole. */
static void touch(const shl_host *host, const uint8_t *first)
{
    if (host->link.drive == SHL_DRIVE_FREE)
        return;
    for (uint32_t i = 0; i < host->link.tap_count; i++)
        for (uint32_t c = 0; first[i] && c < host->link.taps[i].channels; c++)
            shl_map_touch(&host->link.segment.map,
                          shl_plane_offset(first[i] - 1u + c, SHL_BUS_TO_HOST),
                          (size_t)SHL_PLANE_SIZE);
}

static void answered(void *arg, const struct shl_answer *answer)
{
    struct selection_sent *sent = arg;
    shl_host *host = sent->host;

    if (host->linked && answer->status == SHL_OK) {
        touch(host, sent->first);
        memcpy(host->taps.confirmed, sent->first, sizeof sent->first);
        listen(host);
    } else if (host->linked &&
               host->taps.wished[sent->tap] == sent->first[sent->tap]) {
        host->taps.wished[sent->tap] = host->taps.confirmed[sent->tap];
        listen(host);
    }
    if (sent->handler)
        sent->handler(sent->arg, answer);
    free(sent);
}

static shl_status refuse(struct shl_why *why, shl_status st, const char *text)
{
    shl_why_set(why, "%s", text);
    return st;
}

/* Whether the tap has room from this channel on. */
static shl_status fits(const shl_host *host, uint32_t tap, uint32_t channel,
                       struct shl_why *why)
{
    const struct shl_tap *own = &host->link.taps[tap];
    uint32_t least = host->link.identity.out_channels;
    uint32_t outs = host->options.out_channels;

    if (host->options.mode == SHL_MODE_MIDI)
        return refuse(why, SHL_UNSUPPORTED,
                      "the mode of this link is midi, which carries no audio "
                      "and so no taps");
    if (channel < least || channel >= outs || own->channels > outs - channel) {
        shl_why_set(why,
                    "%s (channels: %u) does not fit there: %s fills the first "
                    "%u outputs itself, and there are %u",
                    own->name, (unsigned)own->channels, host->link.identity.id,
                    (unsigned)least, (unsigned)outs);
        return SHL_WRONG_CHANNELS;
    }
    for (uint32_t i = 0; i < host->link.tap_count; i++) {
        if (i == tap || !host->taps.wished[i] ||
            !(planes_of(host, i, host->taps.wished[i] - 1u) &
              planes_of(host, tap, channel)))
            continue;
        shl_why_set(why, "output %u carries the tap %s: end that first",
                    (unsigned)channel + 1, host->link.taps[i].name);
        return SHL_WRONG_CHANNELS;
    }
    return SHL_OK;
}

static shl_status send(shl_host *host, struct selection_sent *sent,
                       uint32_t *request)
{
    uint8_t bytes[4 + SHL_MAX_TAPS * (SHL_TAP_NAME_SIZE + 8)];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    uint32_t count = 0;

    for (uint32_t i = 0; i < host->link.tap_count; i++)
        count += sent->first[i] != 0;
    shl_pack_u32(&pack, count);
    for (uint32_t i = 0; i < host->link.tap_count; i++) {
        if (!sent->first[i])
            continue;
        shl_pack_u32(&pack, sent->first[i] - 1u);
        shl_pack_text(&pack, host->link.taps[i].name);
    }
    return shl_host_ask(host, SHL_MESSAGE_TAP_SELECT, bytes,
                        (uint32_t)pack.used, 0, answered, sent, request);
}

shl_status shl_host_route(shl_host *host, uint32_t tap, uint32_t channel,
                          shl_answer_handler handler, void *arg,
                          uint32_t *request, struct shl_why *why)
{
    shl_status st = SHL_OK;

    if (!shl_host_linked(host))
        return refuse(why, SHL_NO_DEVICE, shl_status_text(SHL_NO_DEVICE));
    if (tap >= host->link.tap_count)
        return refuse(why, SHL_NOT_FOUND, "the device has no such tap");
    if (channel != SHL_NO_ROUTE)
        st = fits(host, tap, channel, why);
    if (st)
        return st;
    struct selection_sent *sent = calloc(1, sizeof *sent);
    if (!sent)
        return refuse(why, SHL_NO_MEMORY, shl_status_text(SHL_NO_MEMORY));
    *sent = (struct selection_sent){
        .host = host, .tap = tap, .handler = handler, .arg = arg};
    memcpy(sent->first, host->taps.wished, sizeof sent->first);
    sent->first[tap] = channel == SHL_NO_ROUTE ? 0 : (uint8_t)(channel + 1);
    uint8_t wished = sent->first[tap];
    st = send(host, sent, request);
    if (st) {
        free(sent);
        return refuse(why, st, shl_status_text(st));
    }
    host->taps.wished[tap] = wished;
    listen(host);
    return SHL_OK;
}
