/* SPDX-License-Identifier: MIT */
/* Planes that are not in the shared memory: silence, and the device's own when it
 * has a clock of its own. */
#include "core/device/device_state.h"

#include <stdlib.h>

const float shl_device_silence[SHL_MAX_FRAMES];

/* Our own: first those for what comes, then those for what goes. */
float *shl_device_free_input(struct shl_device *device, uint32_t channel)
{
    return device->free.planes + (size_t)channel * SHL_MAX_FRAMES;
}

float *shl_device_free_plane(struct shl_device *device, uint32_t channel)
{
    return shl_device_free_input(device,
                                 device->identity.in_channels + channel);
}

shl_status shl_device_free_begin(struct shl_device *device)
{
    const struct shl_identity *own = &device->identity;
    size_t outs = own->tap_count ? SHL_MAX_CHANNELS : own->out_channels;
    size_t planes = own->in_channels + outs;

    if (!(own->drives & SHL_DRIVE_FREE))
        return SHL_OK;
    device->free.planes =
        calloc(planes ? planes : 1, SHL_MAX_FRAMES * sizeof(float));
    return device->free.planes ? SHL_OK : SHL_NO_MEMORY;
}
