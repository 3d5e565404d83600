/* SPDX-License-Identifier: MIT */
/* One mapped segment: create, open and check, reserve, claim and epoch, unlink.
 * Offers typed pointers to the regions; which bytes they are is layout.h's
 * matter. Control threads only, but for the accessors. */
#ifndef SHL_SEGMENT_H
#define SHL_SEGMENT_H

#include "core/os/platform.h"
#include "core/shm/layout.h"
#include "core/shm/seqlock.h"
#include "shmlink/param.h"
#include "shmlink/realtime.h"

/** Bytes of the segment that carry leases. */
#define SHL_LEASE_DEVICE 0u
#define SHL_LEASE_HOST   1u
#define SHL_LEASE_MAKER  2u /* who has made it for a plugin program */

struct shl_segment {
    char name[256];     /* those that a DAW has made may be long */
    struct shl_map map; /* its description holds our lease */
    struct shl_map ask; /* another one, for asking about the peer's;
                           none in a view */
    const struct shl_maolan_layout *layout;
    struct shl_identity_region *identity;
    struct shl_claim_region *claim;
    struct shl_lines *lines;
    struct shl_counters *counters;
    struct shl_param_slot *params;
    uint32_t param_capacity;
    struct shl_event *events_to_device;
    struct shl_event *events_to_host;
    struct shl_messages *messages; /* NULL: a peer of link version 1.0 */
    struct shl_tap_slot *taps;     /* NULL: likewise */
    struct shl_streams *streams;   /* NULL: likewise */
    struct shl_lanes *lanes;       /* NULL: a peer of 1.1 or 1.0 */
    uint8_t *transport;
    uint16_t major, minor; /* of its link area; 0: none */
};

/** Create exclusively under `name`, take the device lease, reserve everything
 * but planes, parameters and streams, write both headers. Not ready yet. */
shl_status shl_segment_create(const char *name, double rate_hz,
                              struct shl_segment *segment);

/** Fill the link area of a segment that a DAW has made with room for it, and be
 * its device: as create, but everything else in it stays. SHL_TAKEN: somebody
 * has filled it already; SHL_CUT: there is no room. The name stays the DAW's. */
shl_status shl_segment_adopt(const char *name, double rate_hz,
                             struct shl_segment *segment);

/** Device: a second object under `name` for one whose own name has disappeared,
 * with all that is in it and planes for so many channels. Its claim is held by us
 * (`ask`), so whoever looks sees it as it is, and no host gets it. SHL_TAKEN:
 * another object has that name; SHL_NO_SPACE. */
shl_status shl_segment_twin(const struct shl_segment *segment, const char *name,
                            uint32_t channels, struct shl_segment *twin);

/** Device: the segment becomes its twin, at the same addresses, and the twin is
 * closed: hosts can have it. SHL_BUSY while somebody holds the claim; then, or on
 * any other failure, all stays. */
shl_status shl_segment_become(struct shl_segment *segment,
                              struct shl_segment *twin);

/** Reserve and touch the planes of so many channels: on both sides. */
shl_status shl_segment_reserve_planes(struct shl_segment *segment,
                                      uint32_t channels);

/** Device: reserve the streams of so many channels, with nothing in them. Only
 * while no host is accepted. SHL_NO_SPACE, SHL_WRONG_CHANNELS. */
shl_status shl_segment_reserve_streams(struct shl_segment *segment,
                                       uint32_t to_device, uint32_t to_host);

/** Host: touch what the device has reserved. */
void shl_segment_touch_streams(const struct shl_segment *segment,
                               uint32_t to_device, uint32_t to_host);

/** Reserve and fill the parameter table. */
shl_status shl_segment_write_params(struct shl_segment *segment,
                                    const struct shl_param *params,
                                    uint32_t count);

/** Fill the table of taps; they have been checked. */
void shl_segment_write_taps(struct shl_segment *segment,
                            const struct shl_tap *taps, uint32_t count);

/** Copy and check it: SHL_BAD_PEER. */
shl_status shl_segment_read_taps(const struct shl_segment *segment,
                                 struct shl_tap *taps, uint32_t count);

/** Everything above is there: let hosts in. */
void shl_segment_ready(struct shl_segment *segment);

/** Open and check: SHL_AGAIN while its device is not ready with it,
 * SHL_WRONG_VERSION (see why), SHL_FOREIGN, SHL_CUT, SHL_BAD_PEER. No lease. */
shl_status shl_segment_open(const char *name, struct shl_segment *segment,
                            struct shl_why *why);

/** The same to look at: read-only, so that a write would fault; nothing is
 * touched, no lease can be taken. What is only reserved by a claim (planes,
 * streams) must not be read by these pointers, since a page that is not there
 * would be made: shl_map_peek makes none. */
shl_status shl_segment_view(const char *name, struct shl_segment *segment,
                            struct shl_why *why);

/** Unmap and close, dropping our lease. Does not unlink. Zeroes the struct. */
void shl_segment_close(struct shl_segment *segment);

/** Whether the guard found the segment cut short. [audio] */
SHL_RT static inline bool shl_segment_bad(const struct shl_segment *segment)
{
    return segment->map.bad &&
           atomic_load_explicit(segment->map.bad, memory_order_relaxed);
}

/** A plane. Both arguments must be in range. [audio] */
SHL_RT static inline float *shl_segment_plane(const struct shl_segment *segment,
                                              uint32_t channel, uint32_t bus)
{
    return (float *)(void *)(segment->map.base +
                             shl_plane_offset(channel, bus));
}

/** A 32-bit word of the Maolan part by its offset in the layout's row. */
static inline _Atomic uint32_t *
shl_segment_word(const struct shl_segment *segment, uint32_t offset)
{
    return (_Atomic uint32_t *)(void *)(segment->map.base + offset);
}

/** Whether an identity makes sense: texts are made fit to be shown, the id must
 * be one, numbers be in range. SHL_BAD_PEER. [any] */
shl_status shl_identity_check(struct shl_identity *identity);

/* ---- claim ------------------------------------------------------------- */

/** The identity as it is now, texts terminated, numbers checked. */
shl_status shl_segment_identity(const struct shl_segment *segment,
                                struct shl_identity *identity);

/** Host: take the claim lease. SHL_BUSY. Before anything is written. */
shl_status shl_segment_claim(struct shl_segment *segment);

/** Host, holding the claim: say who we are and raise the epoch (odd). Returns
 * it. A claim without a pid gets this process's. */
uint32_t shl_segment_claim_write(struct shl_segment *segment,
                                 const struct shl_claim *claim);

/** Host: even epoch, drop the lease. */
void shl_segment_release(struct shl_segment *segment);

/** The claim as its host wrote it; texts terminated. */
shl_status shl_segment_claim_read(const struct shl_segment *segment,
                                  struct shl_claim *claim);

/** Whether a live host holds the claim (lease, and pid as second witness). */
bool shl_segment_host_alive(const struct shl_segment *segment);

/** Whether the device lives. */
bool shl_segment_device_alive(const struct shl_segment *segment);

#endif
