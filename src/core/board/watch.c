/* SPDX-License-Identifier: MIT */
#include "shmlink/watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *shl_change_name(enum shl_change change)
{
    switch (change) {
    case SHL_CHANGE_ADDED:
        return "added";
    case SHL_CHANGE_REMOVED:
        return "removed";
    case SHL_CHANGE_CLAIMED:
        return "claimed";
    case SHL_CHANGE_RELEASED:
        return "released";
    case SHL_CHANGE_CHANGED:
        return "changed";
    }
    return "unknown";
}

/** The same registration: a device that ended and came back has a new segment.
 */
static const struct shl_device_info *find(const struct shl_look *look,
                                          const struct shl_device_info *wanted)
{
    for (uint32_t i = 0; i < look->count && i < SHL_MAX_DEVICES; i++) {
        const struct shl_device_info *device = &look->device[i];

        if (strcmp(device->id, wanted->id) == 0 &&
            strcmp(device->segment, wanted->segment) == 0)
            return device;
    }
    return NULL;
}

static uint32_t claimed_by(const struct shl_device_info *info)
{
    return info->state == SHL_STATE_BUSY ? info->host_pid : 0;
}

/** What is shown of a device besides its claim. */
static bool looks_the_same(const struct shl_device_info *a,
                           const struct shl_device_info *b)
{
    bool starting =
        (a->state == SHL_STATE_STARTING) == (b->state == SHL_STATE_STARTING);

    return starting && a->in_channels == b->in_channels &&
           a->out_channels == b->out_channels && !(a->rate_hz < b->rate_hz) &&
           !(a->rate_hz > b->rate_hz) && a->block_frames == b->block_frames &&
           a->modes == b->modes && a->drives == b->drives &&
           a->latency_frames == b->latency_frames &&
           strcmp(a->tag, b->tag) == 0;
}

static void tell(const struct shl_device_info *before,
                 const struct shl_device_info *now, shl_change_handler handler,
                 void *arg)
{
    uint32_t old_host = claimed_by(before), host = claimed_by(now);

    if (old_host && old_host != host)
        handler(arg, SHL_CHANGE_RELEASED, now);
    if (host && old_host != host)
        handler(arg, SHL_CHANGE_CLAIMED, now);
    if (!looks_the_same(before, now))
        handler(arg, SHL_CHANGE_CHANGED, now);
}

void shl_watch_compare(const struct shl_look *before,
                       const struct shl_look *now, shl_change_handler handler,
                       void *arg)
{
    for (uint32_t i = 0; i < before->count && i < SHL_MAX_DEVICES; i++)
        if (!find(now, &before->device[i]))
            handler(arg, SHL_CHANGE_REMOVED, &before->device[i]);
    for (uint32_t i = 0; i < now->count && i < SHL_MAX_DEVICES; i++) {
        const struct shl_device_info *old = find(before, &now->device[i]);

        if (old)
            tell(old, &now->device[i], handler, arg);
        else
            handler(arg, SHL_CHANGE_ADDED, &now->device[i]);
    }
}

shl_status shl_registry_watch(shl_registry *registry, struct shl_look *known,
                              shl_change_handler handler, void *arg)
{
    struct shl_look *now = calloc(1, sizeof *now);
    shl_status status;

    if (!now)
        return SHL_NO_MEMORY;
    status =
        shl_registry_scan(registry, now->device, SHL_MAX_DEVICES, &now->count);
    if (now->count > SHL_MAX_DEVICES)
        now->count = SHL_MAX_DEVICES;
    if (!status) {
        shl_watch_compare(known, now, handler, arg);
        *known = *now;
    }
    free(now);
    return status;
}
