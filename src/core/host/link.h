/* SPDX-License-Identifier: MIT */
/* The host's end of one link: its claim on one segment, the two event rings,
 * the blocks it plays, and what it knows of the parameters. Which device that
 * is, and what is heard when it fails, is host.h's matter. One thread. */
#ifndef SHL_LINK_H
#define SHL_LINK_H

#include "core/free/duplex.h"
#include "core/free/transport_events.h"
#include "core/lockstep/cycle.h"
#include "core/shm/ring.h"
#include "shmlink/realtime.h"
#include "shmlink/registry.h"
#include "shmlink/transport.h"

enum shl_heard {
    SHL_HEARD_DEVICE,  /* out is filled from the device */
    SHL_HEARD_NOTHING, /* no block is due yet: not accepted, or just begun */
    SHL_HEARD_MISSED   /* no answer in time */
};

struct shl_link_stats {
    uint64_t blocks, missed, late, stalls;
    uint64_t sent, received, dropped, delayed, raised, bad;
    uint64_t excluded; /* that the link does not carry, see host.h */
};

/* What the free drive adds. */
struct shl_link_duplex {
    struct shl_duplex *duplex; /* NULL until the device has accepted */
    const struct shl_resampler *resampler;
    SHL_RT uint64_t (*clock_ns)(void);
    struct shl_transport_sender change;
    uint64_t change_frame;  /* where its `next` holds */
    bool changed;           /* in this block */
    uint32_t silent_frames; /* since the device was heard */
    uint32_t burst_frames;  /* that our blocks are expected to come late */
    uint32_t short_before;  /* the device's count when the claim began */
};

struct shl_plugin_process;
struct shl_port_counts;
struct shl_link_plugin;

struct shl_link {
    struct shl_link_plugin *plugin; /* NULL: a link area; see link_plugin.c */
    struct shl_segment segment;
    struct shl_identity identity;
    struct shl_cycle_host cycle;
    struct shl_ring to_device, to_host;
    struct shl_event near[SHL_LANE_EVENTS]; /* pipelined: of the last answer */
    uint32_t wake_group;                    /* place in it */
    uint32_t epoch;
    bool accepted;
    bool pipelined;
    uint32_t drive;                 /* one of enum shl_drive */
    uint32_t in_planes, out_planes; /* of the device; none in mode midi */
    uint32_t tap_planes;            /* a bit for each that taps fill */
    uint32_t rung_planes;           /* likewise, in the outstanding block */
    uint64_t frame;                 /* of the next block */
    uint64_t event_frame;           /* of the last event sent */
    uint32_t unsent;                /* events pushed and not shown */
    uint32_t overdue;               /* of them counted as delayed */
    uint32_t patience;              /* events to take before a pause */
    uint64_t rung_frame;            /* of the block that is outstanding */
    uint32_t rung_frames;
    uint64_t heard_frame; /* of the block that was played last */
    uint32_t heard_frames;
    bool reblocked;    /* the host's own blocks are others than the link's */
    uint32_t gathered; /* its frames that wait for the next block */
    uint32_t waiting;  /* frames of the device that it has not played yet */
    struct shl_transport shown;  /* as the device sees it */
    struct shl_link_duplex free; /* of a link in the free drive */
    struct shl_claim claim;
    struct shl_param *params;
    double *values;
    uint32_t *touched; /* by parameter: `touch` when its value last changed */
    uint32_t touch;    /* a number that whoever compares them raises */
    uint32_t *by_id;   /* indices in order of id */
    uint32_t param_count;
    uint32_t param_room; /* bare: for so many, whose ids become known */
    bool values_only;    /* modulation and gestures would be taken for values */
    bool bare;           /* of a plugin program without a table of them */
    uint32_t bare_flags; /* of each of those */
    struct shl_tap *taps;
    uint32_t tap_count;
    struct shl_link_stats stats;
};

/** Whether the device fills this plane in the block that is outstanding. */
static inline bool shl_link_hears(const struct shl_link *link, uint32_t plane)
{
    return plane < link->out_planes || link->rung_planes >> plane & 1;
}

struct shl_link_options {
    const char *tag;
    double rate_hz;
    uint32_t block_frames;
    uint32_t free_block_frames; /* where nobody waits for blocks */
    uint32_t in_channels, out_channels;
    uint32_t drive; /* one of enum shl_drive; 0: see shl_link_drive */
    uint32_t mode;  /* one of enum shl_mode; 0: SHL_MODE_BOTH */
    uint32_t deadline_us;
    SHL_RT uint32_t (*slack_us)(void *arg); /* beyond it; NULL: none */
    void *slack_arg;
    bool renders; /* in its own time, not in real time */
    /* of the free drive */
    uint32_t latency_frames; /* of each direction; 0: by the blocks */
    uint32_t burst_frames;   /* that our blocks are expected to come late */
    const struct shl_resampler *resampler;
    bool resample; /* another rate is welcome */
    SHL_RT
    uint64_t (*clock_ns)(void); /* in links within this process; or NULL */
    bool exact;                 /* no block is late by it */
};

/** Open a device's segment, check what it says, take the claim, copy what is
 * known of it, raise the epoch. On failure nothing is held and `why` has the
 * sentence. [control] */
shl_status shl_link_open(struct shl_link *link, const char *segment_name,
                         const struct shl_link_options *options,
                         struct shl_why *why);

/** Give up the claim; the device goes on. Zeroes the struct. [control] */
void shl_link_close(struct shl_link *link);

/** Show another tag in the claim we hold. [control] */
void shl_link_tag(struct shl_link *link, const char *tag);

/** SHL_OK: the device has accepted us; SHL_AGAIN: it has not looked yet;
 * SHL_GONE: it has left, or taken back its word; SHL_BAD_PEER; else its reason
 * for refusing. [audio] */
SHL_RT shl_status shl_link_state(struct shl_link *link);

/** Whether the device lives and its segment is whole: SHL_OK, SHL_GONE,
 * SHL_BAD_PEER. [control] */
shl_status shl_link_check(const struct shl_link *link);

/** Let tools read our figures. [control] */
void shl_link_show_counters(const struct shl_link *link,
                            uint64_t silent_frames);

/** One block. `in` is copied before `out` is filled. [audio] */
SHL_RT enum shl_heard shl_link_play(struct shl_link *link,
                                    const float *const *in,
                                    uint32_t in_channels, float *const *out,
                                    uint32_t out_channels, uint32_t frames,
                                    const struct shl_transport *transport);

/** After a block of the host, which works in others than the link: so many
 * frames it has `played` now, `waiting` came before and wait for their turn,
 * `gathered` wait for the next block of `frames`. [audio] */
SHL_RT void shl_link_reblocked(struct shl_link *link, uint32_t frames,
                               uint32_t gathered, uint32_t waiting,
                               uint32_t played);

/** No block is coming: show the device the events that wait, in a block of 0
 * frames. Their place in time is lost, and the answer that a pipelined link
 * has not played yet: only while no audio runs. Waits for nothing. [audio] */
SHL_RT void shl_link_flush(struct shl_link *link,
                           const struct shl_transport *transport);

/** See shl_host_send and shl_host_event. [audio] */
SHL_RT shl_status shl_link_send(struct shl_link *link,
                                const struct shl_event *event, uint32_t offset);
SHL_RT bool shl_link_event(struct shl_link *link, struct shl_event *event,
                           uint32_t *offset);

/** The transport is another from this sample of the next block on; `before`: as
 * it is at the first. [audio] */
SHL_RT void shl_link_transport_event(struct shl_link *link,
                                     const struct shl_transport *before,
                                     const struct shl_transport *transport,
                                     uint32_t offset);

/** Whether the device is through with all events sent so far. [control] */
bool shl_link_heard(const struct shl_link *link);

/** Index of a parameter by id; where there is no table, one that is not known
 * yet becomes known. -1: there is none. [audio] */
SHL_RT int32_t shl_link_adopt(struct shl_link *link, uint32_t id);

/** Number values that change from now on by another, larger number, which is
 * returned. [control] */
uint32_t shl_link_mark(struct shl_link *link);

/** Take the values of all parameters as the device has them now. [control] */
void shl_link_refresh(struct shl_link *link);

/* ---- the free drive: link_free.c ---- */

/** The drive that a link gets: the one that is asked for; else free where both
 * ends are one process (they would wait for each other) or the rates differ,
 * lockstep, pipelined, free. [any] */
uint32_t shl_link_drive(const struct shl_identity *identity,
                        const struct shl_link_options *options);

/** Whether a free link can be; `why` has the sentence. [control] */
shl_status shl_link_free_agree(const struct shl_segment *segment,
                               const struct shl_identity *identity,
                               const struct shl_link_options *options,
                               struct shl_why *why);

/** Whether both ends read a clock of this process. [any] */
bool shl_link_own_clock(const struct shl_identity *identity,
                        const struct shl_link_options *options);

/** Say what the device asks for when it judges the claim: before that. [control]
 */
void shl_link_free_claim(struct shl_link *link,
                         const struct shl_link_options *options);

/** How often frames were missing, here in blocks, there in times, and the
 * latency of each direction that would have done: at the host's rate, 0 where
 * there is nothing to type. [any] */
uint64_t shl_link_free_short(const struct shl_link *link,
                             uint32_t *wanted_frames);

/** Accepted: start the streams, if it is a free link and has none yet.
 * [control] */
shl_status shl_link_free_start(struct shl_link *link);
void shl_link_free_end(struct shl_link *link);

/** As shl_link_play and shl_link_flush. [audio] */
SHL_RT enum shl_heard shl_link_free_play(struct shl_link *link,
                                         const float *const *in,
                                         uint32_t in_channels,
                                         float *const *out,
                                         uint32_t out_channels, uint32_t frames,
                                         const struct shl_transport *transport);
SHL_RT void shl_link_free_flush(struct shl_link *link,
                                const struct shl_transport *transport);

/** What the link itself delays, there and back, at the host's rate; 0 before
 * its streams have started. [any] */
SHL_RT uint32_t shl_link_free_latency(const struct shl_link *link);

/** Index of a parameter by id, or -1. [any] */
SHL_RT int32_t shl_link_param(const struct shl_link *link, uint32_t id);

/** The device's latency as it says now, bounded. [any] */
SHL_RT uint32_t shl_link_device_latency(const struct shl_link *link);

/* ---- link_plugin.c --------------------------------------------------------- */

/** Link to a plugin program that is ready and has no link area. [control] */
shl_status shl_link_open_plugin(struct shl_link *link,
                                struct shl_plugin_process *plugin,
                                const struct shl_link_options *options,
                                struct shl_why *why);

/** Whether the numbers of MIDI ports have changed by themselves; the plugin has
 * them then. [control] */
bool shl_link_plugin_ports(struct shl_link *link);

/** The program has told new numbers of channels and ports. [control] */
void shl_link_plugin_set_ports(struct shl_link *link,
                               const struct shl_port_counts *ports);

/** The program has told its control ports again, with their present values:
 * `scratch` as it was, whole. [control] */
void shl_link_plugin_set_values(struct shl_link *link, const uint8_t *scratch,
                                uint32_t size);

/* for link.c: what stands for the device there */
void shl_link_plugin_close(struct shl_link *link);
SHL_RT bool shl_link_plugin_gone(const struct shl_link *link);
SHL_RT bool shl_link_plugin_hold(struct shl_link *link);
SHL_RT void shl_link_plugin_let(struct shl_link *link);
SHL_RT void shl_link_plugin_ring(struct shl_link *link, uint32_t frames,
                                 uint32_t channels);
SHL_RT bool shl_link_plugin_collect(struct shl_link *link);
/** What it speaks, "maolan 3", as far as it shows. [control] */
void shl_link_plugin_wire(const struct shl_link *link, char wire[16]);

#endif
