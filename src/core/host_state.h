/* What a host remembers: for the files of the role alone (host.c,
 * host_audio.c). */
#ifndef SHL_HOST_STATE_H
#define SHL_HOST_STATE_H

#include "bypass.h"
#include "host.h"
#include "inquiry.h"
#include "link.h"
#include "loss.h"
#include "midi.h"
#include "reblock.h"

#define SHL_NOTICES 32u

/* By tap: its first channel + 1, or 0. */
struct shl_host_taps {
    uint8_t wished[SHL_MAX_TAPS];
    uint8_t confirmed[SHL_MAX_TAPS]; /* by the device */
};

struct shl_host {
    struct shl_host_options options;
    char wanted[SHL_ID_SIZE]; /* "" for nothing */
    char tag[SHL_TAG_SIZE];
    shl_registry *registry;
    struct shl_link link;
    bool linked;
    bool announced;     /* this link's OPEN has been told */
    shl_status refused; /* the last reason told; SHL_OK: none */
    struct shl_why why;
    uint64_t looked_ns;
    uint64_t polled_blocks; /* asked for when we last polled */
    uint64_t played_ns;     /* when that number last rose */
    uint64_t told_missed;
    uint32_t told_latency;
    struct shl_transport transport;
    struct shl_loss loss;
    struct shl_bypass bypass;
    struct shl_reblock reblock;
    struct shl_held held;
    struct shl_link_stats past; /* of links that have ended */
    uint64_t links;
    uint64_t silent_frames;
    uint64_t told_stalls;
    bool told_stalled; /* and not yet that it resumed */
    shl_status lost;   /* why process gave up the link; poll tells */
    struct shl_notice notice[SHL_NOTICES];
    uint32_t notice_first, notice_count;
    struct shl_host_taps taps;
    struct shl_inquiry inquiry; /* the monitor is kept there */
};

/** Frames of the blocks that go to the device. */
static inline uint32_t shl_host_exchanged(const struct shl_host *host)
{
    return host->reblock.frames ? host->reblock.frames
                                : host->options.block_frames;
}

#endif
