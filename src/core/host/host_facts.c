/* SPDX-License-Identifier: MIT */
/* What a host knows of its link: device, parameters, latency, counters, and why
 * there is none. */
#include "core/host/host_state.h"

#include <stdio.h>
#include <string.h>

void shl_host_add_stats(struct shl_link_stats *sum,
                        const struct shl_link_stats *more)
{
    sum->blocks += more->blocks;
    sum->missed += more->missed;
    sum->late += more->late;
    sum->stalls += more->stalls;
    sum->sent += more->sent;
    sum->received += more->received;
    sum->dropped += more->dropped;
    sum->delayed += more->delayed;
    sum->raised += more->raised;
    sum->bad += more->bad;
    sum->excluded += more->excluded;
}

int shl_host_linked(const shl_host *host)
{
    if (!host->linked || host->lost)
        return 0;
    return host->announced ? 2 : 1;
}

static void state_info(const shl_host *host, struct shl_device_info *info)
{
    const struct shl_identity *from = &host->link.identity;
    memcpy(info->id, from->id, sizeof info->id);
    memcpy(info->vendor, from->vendor, sizeof info->vendor);
    memcpy(info->category, from->category, sizeof info->category);
    memcpy(info->version, from->version, sizeof info->version);
    memcpy(info->tag, host->tag[0] ? host->tag : from->tag, sizeof info->tag);
    snprintf(info->segment, sizeof info->segment, "%.31s",
             host->link.segment.name);
    if (host->link.plugin)
        shl_link_plugin_wire(&host->link, info->wire);
    else
        snprintf(info->wire, sizeof info->wire, "shm %u.%u",
                 (unsigned)host->link.segment.major,
                 (unsigned)host->link.segment.minor);
}

/* A device of any rate has its host's. */
static double link_rate(const shl_host *host)
{
    const struct shl_link *link = &host->link;
    bool follows = link->identity.capabilities & SHL_CAP_ANY_RATE &&
                   link->claim.drive != SHL_DRIVE_FREE;
    return follows ? link->claim.rate_hz : link->identity.rate_hz;
}

shl_status shl_host_get_device(const shl_host *host,
                               struct shl_device_info *info)
{
    if (!host->linked)
        return SHL_NO_DEVICE;
    const struct shl_identity *from = &host->link.identity;
    *info = (struct shl_device_info){.pid = from->pid,
                                     .in_channels = from->in_channels,
                                     .out_channels = from->out_channels,
                                     .rate_hz = link_rate(host),
                                     .block_frames = from->block_frames,
                                     .quantum = from->quantum,
                                     .latency_frames =
                                         shl_link_device_latency(&host->link),
                                     .param_count = from->param_count,
                                     .tap_count = from->tap_count,
                                     .modes = from->modes,
                                     .drives = from->drives,
                                     .capabilities = from->capabilities,
                                     .state = SHL_STATE_BUSY,
                                     .mode = host->options.mode,
                                     .host_pid = host->link.claim.pid};
    state_info(host, info);
    return SHL_OK;
}

const struct shl_param *shl_host_param(const shl_host *host, uint32_t index)
{
    return index < shl_host_param_count(host) ? &host->link.params[index]
                                              : NULL;
}

uint32_t shl_host_param_count(const shl_host *host)
{
    return host->linked ? host->link.param_count : 0;
}

double shl_host_param_value(const shl_host *host, uint32_t index)
{
    return index < shl_host_param_count(host) ? host->link.values[index] : 0;
}

void shl_host_refresh(shl_host *host)
{
    if (host->linked)
        shl_link_refresh(&host->link);
}

int32_t shl_host_param_find(const shl_host *host, const char *name)
{
    for (uint32_t i = 0; i < shl_host_param_count(host); i++)
        if (shl_name_matches(name, host->link.params[i].name))
            return (int32_t)i;
    return -1;
}

int32_t shl_host_param_index(const shl_host *host, uint32_t id)
{
    return host->linked ? shl_link_param(&host->link, id) : -1;
}

int32_t shl_host_param_numbered(shl_host *host, double number)
{
    if (!host->linked || !(number >= 0) || number > UINT32_MAX)
        return -1;
    if (host->link.bare)
        return shl_link_adopt(&host->link, (uint32_t)number);
    return number < host->link.param_count ? (int32_t)number : -1;
}

uint32_t shl_host_param_number(const shl_host *host, uint32_t index)
{
    return host->linked && host->link.bare && index < host->link.param_count
               ? host->link.params[index].id
               : index;
}

uint32_t shl_host_drive(const shl_host *host)
{
    return host->linked ? host->link.drive : 0;
}

uint32_t shl_host_link_latency(const shl_host *host)
{
    if (!host->linked)
        return 0;
    if (host->link.drive == SHL_DRIVE_FREE)
        return shl_link_free_latency(&host->link);
    return host->reblock.latency_frames +
           (host->link.pipelined ? shl_host_exchanged(host) : 0);
}

uint32_t shl_host_latency(const shl_host *host)
{
    return host->linked ? shl_host_link_latency(host) +
                              shl_link_device_latency(&host->link)
                        : 0;
}

uint32_t shl_host_block(const shl_host *host)
{
    return shl_host_exchanged(host);
}

void shl_host_get_stats(const shl_host *host, struct shl_host_stats *stats)
{
    struct shl_link_stats sum = host->past;
    if (host->linked)
        shl_host_add_stats(&sum, &host->link.stats);
    *stats = (struct shl_host_stats){.blocks = sum.blocks,
                                     .missed = sum.missed,
                                     .late = sum.late,
                                     .silent_frames = host->silent_frames,
                                     .samples_bad = host->bad_samples,
                                     .stalls = sum.stalls,
                                     .events_sent = sum.sent,
                                     .events_received = sum.received,
                                     .events_dropped = sum.dropped,
                                     .events_late = sum.delayed,
                                     .events_raised = sum.raised,
                                     .events_bad = sum.bad,
                                     .events_excluded = sum.excluded,
                                     .links = host->links};
}

static void why_linked(const shl_host *host, char *text, size_t size)
{
    char bad[80] = "";

    if (host->bad_samples)
        snprintf(bad, sizeof bad,
                 "; samples that were no numbers, and are silence: %llu",
                 (unsigned long long)host->bad_samples);
    snprintf(text, size, "%s is linked and answers%s%s%s",
             host->link.identity.id, bad, host->plugin.misfit[0] ? "; " : "",
             host->plugin.misfit);
}

void shl_host_why(shl_host *host, char *text, size_t size)
{
    const char *id = host->linked ? host->link.identity.id : host->wanted;
    if (!host->linked && host->why.text[0])
        snprintf(text, size, "%s", host->why.text);
    else if (!host->wanted[0])
        snprintf(text, size, "no device is wanted: send open <name>");
    else if (!host->linked)
        snprintf(text, size, "looking for %s", id);
    else if (!host->announced)
        snprintf(text, size,
                 "%s has not answered the claim yet: process %u may be "
                 "stopped or busy",
                 id, host->link.identity.pid);
    else if (host->link.cycle.stalled && host->link.drive == SHL_DRIVE_FREE)
        snprintf(text, size,
                 "%s sends nothing: process %u may be stopped, or its audio "
                 "switched off",
                 id, host->link.identity.pid);
    else if (host->link.cycle.stalled)
        snprintf(text, size,
                 "%s does not answer in time: use -t or a longer -d, or look "
                 "at process %u",
                 id, host->link.identity.pid);
    else
        why_linked(host, text, size);
}
