/* SPDX-License-Identifier: MIT */
/* A segment whose name has disappeared: some systems remove a user's shared memory
 * at logout, and anybody may remove a file. The bytes stay where they are mapped, so
 * a running link goes on with them; whoever looks finds a twin that shows the same,
 * and which we hold, so that no host gets it. When the claim is over the twin takes
 * the segment's place, at the same addresses: no other thread needs to know. */
#include "core/device/device_state.h"

#include <string.h>

static bool has_twin(const shl_device *device)
{
    return device->twin.map.base != NULL;
}

static bool is_there(const struct shl_segment *segment)
{
    return shl_map_current(&segment->map, segment->name);
}

/* Planes are reserved for a claim, and it cannot be known which one is next. */
static uint32_t channels_of(const shl_device *device)
{
    const struct shl_identity *own = &device->identity;

    return own->in_channels > own->out_channels ? own->in_channels
                                                : own->out_channels;
}

/* Under the same name, which the board shows; if another object has it, under a
 * new one. */
static void make_twin(shl_device *device)
{
    struct shl_registration *registration = &device->registration;
    shl_status st =
        shl_segment_twin(&device->segment, registration->entry.segment,
                         channels_of(device), &device->twin);

    if (st == SHL_TAKEN) {
        shl_registration_rename(registration);
        st = shl_segment_twin(&device->segment, registration->entry.segment,
                              channels_of(device), &device->twin);
    }
    if (st)
        device->twin.map.base = NULL; /* again in a moment */
}

/* No claim, none that is being looked at, and none that is being made ready. */
static bool is_free(const shl_device *device)
{
    const struct shl_device_claims *own = &device->claims;

    /* acquire: what the audio thread did with the last claim came before */
    return !atomic_load_explicit(&device->accepted, memory_order_acquire) &&
           atomic_load_explicit(&own->asked, memory_order_acquire) ==
               atomic_load_explicit(&own->done, memory_order_relaxed);
}

void shl_device_renew_end(shl_device *device)
{
    if (!has_twin(device))
        return;
    if (is_there(&device->twin))
        shl_map_unlink(device->twin.name);
    shl_segment_close(&device->twin);
}

void shl_device_renew(shl_device *device)
{
    if (device->adopted)
        return;
    if (has_twin(device) && !is_there(&device->twin))
        shl_device_renew_end(device);
    if (!has_twin(device) && !is_there(&device->segment))
        make_twin(device);
    if (has_twin(device) && is_free(device))
        shl_segment_become(&device->segment, &device->twin);
}
