/* SPDX-License-Identifier: MIT */
/* A device's blocks when its host rings for them: the announced block is taken
 * over, and answered in the cycle. */
#include "core/device/device_state.h"
#include "core/maolan/maolan.h"
#include "core/shm/lane.h"

#define FETCHED_PLANES 4u
#define READ_FRAMES    64u /* reading on brings the rest by itself */

/* What the block will need travels while its events are looked at: the line of
 * the answer, and the first planes of either direction. */
static void fetch_block(const shl_device *device, uint32_t frames)
{
    const struct shl_identity *own = &device->identity;
    shl_fetch_to_write(&device->segment.lines->device);
    if (device->lanes && device->to_host.shown) /* in the last block */
        shl_lane_fetch(&device->lanes->to_host, device->to_host.shown);
    for (uint32_t c = 0; c < FETCHED_PLANES && c < own->in_channels; c++)
        for (uint32_t i = 0; i < frames && i < READ_FRAMES; i += 16)
            shl_fetch(device->in[c] + i);
    for (uint32_t c = 0; c < FETCHED_PLANES && c < own->out_channels; c++)
        shl_plane_fetch(device->out[c], frames);
}

/* Each word is loaded once. */
bool shl_device_lockstep_take(shl_device *device, uint32_t bell)
{
    const struct shl_host_line *line = &device->segment.lines->host;
    uint32_t frames = shl_line_load(&line->frames);
    uint32_t in_channels = shl_line_load(&line->in_channels);
    uint32_t epoch = shl_line_load(&line->epoch);
    uint64_t frame = atomic_load_explicit(&line->frame, memory_order_relaxed);
    if (!shl_device_has_host(device) || epoch != device->judged ||
        frames > SHL_MAX_FRAMES || frames % device->identity.quantum ||
        in_channels > SHL_MAX_CHANNELS) {
        shl_cycle_answer(&device->cycle, bell, frame, 0, 0, 0);
        return false;
    }
    if (device->mode == SHL_MODE_MIDI)
        in_channels = 0;
    shl_lane_use(device->lanes ? &device->lanes->to_device : NULL, &line->lane,
                 &device->from_host);
    device->bell = bell;
    device->working = true;
    device->block.frames = frames;
    device->block.frame = frame;
    device->block.fresh = device->fresh;
    device->block.mode = device->mode;
    device->fresh = false;
    for (uint32_t c = 0; c < device->identity.in_channels; c++)
        device->in[c] = c < in_channels ? shl_segment_plane(&device->segment, c,
                                                            SHL_BUS_TO_DEVICE)
                                        : shl_device_silence;
    fetch_block(device, frames);
    device->block.transport = shl_maolan_transport_read(
        device->segment.transport, device->identity.rate_hz);
    shl_device_take_taps(device);
    device->events_left = shl_ring_waiting(&device->from_host);
    return true;
}

void shl_device_lockstep_done(shl_device *device)
{
    device->stats.blocks++;
    struct shl_counters *counters = device->segment.counters;
    shl_count(&counters->device_blocks, 1);
    /* the line that the host looks at is written from here on, in one go */
    shl_ring_near_end(&device->from_host);
    shl_ring_release(&device->from_host);
    shl_ring_publish(&device->to_host);
    shl_lane_fill(device->lanes ? &device->lanes->to_host : NULL,
                  &device->segment.lines->device.lane, &device->to_host);
    bool midi = device->mode == SHL_MODE_MIDI;
    shl_cycle_answer(&device->cycle, device->bell, device->block.frame,
                     device->block.frames,
                     midi ? 0 : device->identity.in_channels,
                     midi ? 0 : device->identity.out_channels);
    shl_ring_fetch_free(&device->to_host);
}
