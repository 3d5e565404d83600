/* SPDX-License-Identifier: MIT */
/* What the plugin host role remembers; for its files. */
#ifndef SHL_PLUGIN_HOST_STATE_H
#define SHL_PLUGIN_HOST_STATE_H

#include "core/maolan/maolan.h"
#include "core/maolan/scratch.h"
#include "core/os/platform.h"
#include "shmlink/plugin_host.h"

struct shl_plugin_host {
    char name[256]; /* of the segment; "": too long to be kept */
    struct shl_map map;
    struct shl_pipes pipes;
    struct shl_maolan maolan;
    uint32_t version;
    double rate_hz; /* at which the plugin runs */
    /* the unit of work at hand */
    bool working;
    uint32_t request;           /* its type; 0: a block */
    uint32_t asked;             /* what that means, see scratchpad.h */
    uint64_t woken_ns;          /* when the byte of a request came */
    uint32_t frames;            /* of the block */
    uint64_t frame;             /* its first */
    uint32_t offset;            /* of the last event given out */
    uint32_t last_in, last_out; /* channels that the header had last */
    const float *in[SHL_MAX_CHANNELS];
    float *out[SHL_MAX_CHANNELS];
    shl_scratchpad *pad;
    /* counted */
    uint64_t blocks, requests, unanswered, moved;
    bool flushed;
    bool deaf; /* nobody reads our bytes any more */
    float sink[SHL_MAX_FRAMES];
};

/** Whether somebody has cut the segment. */
static inline bool
shl_plugin_host_bad(const struct shl_plugin_host *plugin_host)
{
    return plugin_host->map.bad &&
           atomic_load_explicit(plugin_host->map.bad, memory_order_relaxed);
}

/* ---- plugin_host_requests.c ---- */

/** A byte that found a request. */
SHL_RT void shl_plugin_host_take_request(struct shl_plugin_host *plugin_host,
                                         uint32_t type, struct shl_work *work);

/* ---- plugin_host_bell.c ---- */

/** One task more is done: before its byte, if it has one. */
SHL_RT void shl_plugin_host_count(struct shl_plugin_host *plugin_host);

/** One byte to the DAW; a full pipe is counted. */
SHL_RT void shl_plugin_host_ring(struct shl_plugin_host *plugin_host);

/** A block is done. */
SHL_RT void shl_plugin_host_respond(struct shl_plugin_host *plugin_host);

#endif
