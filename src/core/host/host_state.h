/* SPDX-License-Identifier: MIT */
/* What a host remembers: for the files of the role alone (host.c,
 * host_audio.c). */
#ifndef SHL_HOST_STATE_H
#define SHL_HOST_STATE_H

#include "core/host/link.h"
#include "core/lockstep/bypass.h"
#include "core/lockstep/loss.h"
#include "core/lockstep/reblock.h"
#include "core/maolan/plugin_process.h"
#include "core/messages/requester.h"
#include "shmlink/host.h"
#include "shmlink/midi.h"

#define SHL_NOTICES   32u
#define SHL_HOST_CUES 64u

/* By tap: its first channel + 1, or 0. */
struct shl_host_taps {
    uint8_t wished[SHL_MAX_TAPS];
    uint8_t confirmed[SHL_MAX_TAPS]; /* by the device */
};

/* By id: without a table, parameters have another order in each life. */
struct shl_kept_value {
    uint32_t id;
    double value;
};

/* A plugin program that it starts itself (host_plugin.c). */
struct shl_host_plugin {
    bool wanted;
    bool again; /* start it again after a crash */
    char format[SHL_PLUGIN_PROCESS_FORMAT_SIZE];
    char spec[SHL_PLUGIN_PROCESS_SPEC_SIZE];
    char program[SHL_PLUGIN_PROCESS_SPEC_SIZE]; /* "": the usual ones */
    uint32_t protocol, patience_s;
    uint32_t told_s;  /* of a start that takes long */
    char misfit[200]; /* what is wrong with the protocol number; "": nothing */
    struct shl_plugin_process *running; /* or just starting */
    shl_status stopped;                 /* why no other is started */
    uint64_t links;
    uint32_t crashes;
    uint32_t brief;   /* lives in a row that ended within a second of audio */
    uint64_t next_ns; /* not started before */
    uint64_t lost_ns; /* its pipe has ended; 0: no */
    struct shl_port_counts ports; /* as told last */
    /* for the next one */
    uint8_t *state;
    uint32_t state_size;
    struct shl_kept_value *values; /* of parameters set since that state */
    uint32_t value_count;
    /* by the link's marks: since when values are newer than the state; than the
     * one that is being saved; when that was asked for */
    uint32_t kept, asked, begun;
    bool saving, changed;
    uint64_t saved_ns, sent;
};

struct shl_host {
    struct shl_host_options options;
    SHL_RT uint32_t (*slack_us)(void *arg);
    void *slack_arg;
    char wanted[SHL_ID_SIZE]; /* "" for nothing */
    char tag[SHL_TAG_SIZE];
    shl_registry *registry;
    struct shl_link link;
    struct shl_host_plugin plugin;
    bool literal; /* see shl_host_set_literal */
    bool linked;
    bool announced;     /* this link's OPEN has been told */
    shl_status refused; /* the last reason told; SHL_OK: none */
    struct shl_why why;
    uint64_t looked_ns;
    uint64_t played;        /* own blocks, whatever becomes of them */
    uint64_t polled_played; /* so many when we last polled */
    uint64_t played_ns;     /* when that number last rose */
    uint64_t opened_ns;     /* when this link was announced */
    bool idle;              /* the device has been told that no audio runs */
    uint64_t told_missed;
    uint32_t told_latency;
    struct shl_transport transport; /* at the next block's first sample, */
    struct {                        /* and from later ones on */
        uint32_t offset;
        struct shl_transport transport;
    } change[SHL_HOST_CUES];
    uint32_t change_count;
    struct shl_loss loss;
    struct shl_bypass bypass;
    struct shl_reblock reblock;
    struct shl_held held;
    struct shl_link_stats past; /* of links that have ended */
    uint64_t links;
    uint64_t silent_frames;
    uint64_t bad_samples;
    uint64_t told_stalls;
    bool told_stalled; /* and not yet that it resumed */
    shl_status lost;   /* why process gave up the link; poll tells */
    struct shl_notice notice[SHL_NOTICES];
    uint32_t notice_first, notice_count;
    struct shl_host_taps taps;
    struct shl_requester requester; /* the monitor is kept there */
};

/** Frames of the blocks that go to the device. */
static inline uint32_t shl_host_exchanged(const struct shl_host *host)
{
    return host->reblock.frames ? host->reblock.frames
                                : host->options.block_frames;
}

/* ---- host_facts.c ---- */

/** The counters of links that are over, and of one more. [control] */
void shl_host_add_stats(struct shl_link_stats *sum,
                        const struct shl_link_stats *more);

/* ---- host.c, for host_plugin.c ---- */

/** Look for what is wanted now, wait for it at most wait_ms. */
shl_status shl_host_want(struct shl_host *host, uint32_t wait_ms);

/** Put a notice into the queue; the id is written here. */
void shl_host_tell(struct shl_host *host, const struct shl_notice *notice);

/* ---- host_plugin.c ---- */

/** Go on with starting; link when it is ready. SHL_AGAIN: not yet. */
shl_status shl_host_plugin_link(struct shl_host *host,
                                const struct shl_link_options *options);

/** No other will be started until the next wish. */
bool shl_host_plugin_stopped(const struct shl_host *host);

/** End the program, forget the wish. */
void shl_host_plugin_forget(struct shl_host *host);

/** End the program; the next look starts another. */
void shl_host_plugin_restart(struct shl_host *host);

/** The link is lost: whether to wait a moment for how the program ended. */
bool shl_host_plugin_dying(struct shl_host *host);

/** It is lost: say how, and what comes next. */
void shl_host_plugin_lost(struct shl_host *host, struct shl_notice *notice);

/** A link to it has been told of. */
void shl_host_plugin_opened(struct shl_host *host);

/** What is asked may change its state: put a handler of ours before `handler`,
 * to hear whether it did; NULL where nobody needs to know. */
struct shl_host_change *
shl_host_plugin_change(struct shl_host *host, uint32_t type, const void *bytes,
                       uint32_t size, shl_answer_handler *handler, void **arg);
void shl_host_change_free(struct shl_host_change *change);

/** Answers, changes, its state. */
void shl_host_plugin_poll(struct shl_host *host);

/** Whether what is asked goes through the request slot; and asking. */
bool shl_host_plugin_slot(const struct shl_host *host);
shl_status shl_host_plugin_ask(struct shl_host *host, uint32_t type,
                               const void *bytes, uint32_t size,
                               uint32_t timeout_ms, shl_answer_handler handler,
                               void *arg, uint32_t *request);

#endif
