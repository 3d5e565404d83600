/* SPDX-License-Identifier: MIT */
/* The audio thread of a device: a block is waited for, or begun by a clock of the
 * device's own, and done. And what can be asked about the device at any time. */
#include "shmlink/device.h"

#include "core/device/device_state.h"

#include <string.h>

/* ---- blocks ------------------------------------------------------------------ */

/* Somebody has something for this thread. */
static bool woken(shl_device *device)
{
    if (!atomic_load_explicit(&device->woken, memory_order_relaxed))
        return false;
    /* acquire: what there is to do is whole */
    return atomic_exchange_explicit(&device->woken, 0, memory_order_acquire);
}

void shl_device_wake(shl_device *device)
{
    /* release: what there is to do is whole */
    atomic_store_explicit(&device->woken, 1, memory_order_release);
    shl_device_rouse(device);
}

static bool next_block(shl_device *device)
{
    uint32_t bell;
    if (shl_device_heed(device))
        return true;
    return shl_cycle_bell(&device->cycle, &bell) &&
           shl_device_lockstep_take(device, bell);
}

static void enter(shl_device *device)
{
    if (device->working)
        shl_device_done(device);
    device->own_time = false;
    if (!device->flushed)
        shl_thread_flush_denormals();
    device->flushed = true;
}

SHL_RT shl_status shl_device_wait(shl_device *device, uint32_t timeout_ms,
                                  struct shl_block *block)
{
    enter(device);
    uint64_t until_ns = 0;
    while (!shl_segment_bad(&device->segment)) {
        if (next_block(device)) {
            device->block.in = device->in;
            device->block.out = device->out;
            device->block.tap = (float *const *const *)device->tap;
            *block = device->block;
            return SHL_OK;
        }
        if (device->free.duplex)
            return SHL_WRONG_DRIVE;
        if (woken(device))
            return SHL_TIMEOUT;
        uint64_t now_ns = shl_clock_ns();
        if (!until_ns)
            until_ns = now_ns + (uint64_t)timeout_ms * 1000000u;
        if (now_ns >= until_ns)
            return SHL_TIMEOUT;
        uint64_t left_us = (until_ns - now_ns) / 1000 + 1;
        shl_cycle_wait(&device->cycle, device->seen, &device->alarm,
                       left_us < 1000000 ? (uint32_t)left_us : 1000000);
    }
    return SHL_BAD_PEER;
}

SHL_RT shl_status shl_device_begin(shl_device *device, uint32_t frames,
                                   struct shl_block *block)
{
    if (frames < 1 || frames > SHL_MAX_FRAMES)
        return SHL_WRONG_BLOCK;
    enter(device);
    if (shl_segment_bad(&device->segment))
        return SHL_BAD_PEER;
    shl_device_heed(device);
    if (!device->free.planes ||
        (shl_device_has_host(device) && !device->free.duplex))
        return SHL_WRONG_DRIVE;
    for (uint32_t c = 0; c < device->identity.in_channels; c++)
        device->in[c] = shl_device_silence;
    for (uint32_t c = 0; c < device->identity.out_channels; c++)
        device->out[c] = shl_device_free_plane(device, c);
    device->working = device->own_time = true;
    device->block.frames = frames;
    shl_device_free_block(device);
    device->block.in = device->in;
    device->block.out = device->out;
    device->block.tap = (float *const *const *)device->tap;
    device->block.mode = device->mode;
    *block = device->block;
    return SHL_OK;
}

static void show_levels(const shl_device *device)
{
    const struct shl_monitor *monitor =
        shl_responder_monitor(&device->responder);
    if (!monitor || !device->block.frames || device->mode == SHL_MODE_MIDI)
        return;
    shl_monitor_levels(monitor, 0, device->in, device->identity.in_channels,
                       device->block.frames);
    shl_monitor_levels(monitor, 1, (const float *const *)device->out,
                       device->identity.out_channels, device->block.frames);
}

SHL_RT void shl_device_done(shl_device *device)
{
    struct shl_event unheard;
    if (!device->working)
        return;
    while (shl_device_event(device, &unheard)) {
    }
    bool releasing = device->releasing;
    device->working = device->releasing = false;
    if (releasing && !device->own_time)
        return;
    show_levels(device);
    if (device->own_time)
        shl_device_free_done(device);
    else
        shl_device_lockstep_done(device);
}

/* ---- what is known --------------------------------------------------------------- */

int shl_device_claimed(const shl_device *device, struct shl_host_info *info)
{
    struct shl_claim claim;
    if (!shl_device_has_host(device) ||
        shl_segment_claim_read(&device->segment, &claim) != SHL_OK)
        return 0;
    *info = (struct shl_host_info){.pid = claim.pid,
                                   .rate_hz = claim.rate_hz,
                                   .block_frames = claim.block_frames,
                                   .in_channels = claim.in_channels,
                                   .out_channels = claim.out_channels,
                                   .drive = claim.drive,
                                   .mode = claim.mode,
                                   .renders = claim.flags & SHL_CLAIM_RENDERS};
    memcpy(info->tag, claim.tag, sizeof info->tag);
    return 1;
}

shl_status shl_device_get_priority(const shl_device *device)
{
    return shl_priority_answer(&device->priority);
}

void shl_device_get_tag(const shl_device *device, char tag[SHL_TAG_SIZE])
{
    struct shl_identity identity;
    tag[0] = 0;
    if (shl_segment_identity(&device->segment, &identity) == SHL_OK)
        memcpy(tag, identity.tag, sizeof identity.tag);
}

void shl_device_set_latency(shl_device *device, uint32_t frames)
{
    shl_line_store(&device->segment.lines->device.latency_frames, frames);
}

void shl_device_get_stats(const shl_device *device,
                          struct shl_device_stats *stats)
{
    *stats = device->stats;
}

struct shl_responder *shl_device_responder(struct shl_device *device)
{
    return &device->responder;
}
