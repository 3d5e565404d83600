/* SPDX-License-Identifier: MIT */
/* What a device remembers: for the files of the role alone (device.c, device_*.c).
 */
#ifndef SHL_DEVICE_STATE_H
#define SHL_DEVICE_STATE_H

#include "core/board/board.h"
#include "core/free/duplex.h"
#include "core/free/transport_events.h"
#include "core/lockstep/cycle.h"
#include "core/messages/responder.h"
#include "core/os/priority.h"
#include "core/shm/ring.h"
#include "core/shm/segment.h"
#include "shmlink/device.h"
#include "shmlink/midi.h"
#include "shmlink/realtime.h"

/** Which taps the host of a claim wants, and where. */
struct shl_selection {
    uint32_t epoch;
    uint32_t planes;             /* a bit for each that taps fill */
    uint32_t end;                /* planes from here on are not used */
    uint8_t first[SHL_MAX_TAPS]; /* by tap: its first plane + 1, or 0 */
    uint32_t reserved;
};

/* Claims that the keeper makes ready (device_claims.c): memory is reserved and
 * allocated on its thread alone.
 *   asked  audio writes (release), keeper reads (acquire): make the claim of
 *          this epoch ready. From then on what goes by turns is the keeper's
 *   done   keeper writes (release), audio reads (acquire): the epoch that was
 *          asked for; what goes by turns is the audio thread's again */
struct shl_device_claims {
    uint32_t pending; /* the audio thread's own: epoch asked for; 0: none */
    /* by turns */
    bool planes; /* there is memory behind ours */
    struct {
        shl_status status;
        struct shl_claim claim;
        struct shl_duplex *duplex;
    } made;
    _Atomic uint32_t asked;
    _Atomic uint32_t done;
};

/* What the free drive adds (device_free.c).
 *   spent  audio pushes, keeper takes all: to be freed */
struct shl_device_free {
    const struct shl_resampler *resampler;
    SHL_RT uint64_t (*clock_ns)(void);
    float *planes; /* in, then out: nobody else's; NULL: not offered */
    /* the audio thread's own */
    struct shl_duplex *duplex; /* of the present claim; NULL: another drive */
    uint64_t alone_frame;      /* while nobody has claimed us: */
    struct shl_clock_estimator alone; /* how late our blocks come */
    uint32_t expected_frames;
    uint32_t told_times, told_wanted; /* of frames that were missing */
    /* audio writes, keeper reads, relaxed: a number alone, as burst.h has it */
    _Atomic uint32_t late;
    struct shl_transport_receiver change;
    int64_t heard_frame; /* of the host, where the block begins */
    struct shl_mpsc spent;
};

struct shl_device {
    bool
        adopted; /* a DAW made the segment: there is no registration on the board */
    struct shl_registration registration;
    struct shl_segment segment;
    struct shl_segment twin; /* the keeper's own: what the segment is to become;
                                none: no map */
    struct shl_cycle_device cycle;
    struct shl_ring from_host, to_host;
    struct shl_lanes *lanes; /* of the claim; NULL: its host has none */
    shl_worker *keeper;
    struct shl_identity identity;
    struct shl_responder responder;
    uint64_t kept_ns; /* the keeper's own: when it last looked around */
    uint32_t kept_epoch, kept_heard;

    /* the audio thread's own */
    uint32_t seen;       /* last epoch looked at */
    uint32_t judged;     /* last epoch accepted or refused */
    uint32_t bell;       /* of the block being worked on */
    bool working;        /* between wait and done */
    bool releasing;      /* on a block of our own: what the last host held */
    bool own_time;       /* the block is one of shl_device_begin */
    uint32_t mode;       /* of the claim: one of enum shl_mode */
    bool fresh;          /* the next block is the first of its claim */
    bool flushed;        /* denormals are off on this thread */
    bool keeps_priority; /* whatever its host has */
    struct shl_priority priority;
    uint32_t events_left;                 /* of this block */
    struct shl_transport_receiver change; /* as far as events were told */
    struct shl_block block;
    uint64_t sent_frame; /* of the last event to the host */
    struct shl_held held;
    struct shl_device_stats stats;
    const float *in[SHL_MAX_CHANNELS];
    float *out[SHL_MAX_CHANNELS];
    float spare[SHL_MAX_FRAMES]; /* all of out in mode midi */
    struct shl_param *params;
    uint32_t *by_id; /* indices in order of id */
    uint32_t selection_seen;
    float **tap[SHL_MAX_TAPS]; /* NULL: not wanted */
    float *tap_planes[SHL_MAX_CHANNELS];
    uint32_t tapped;                   /* a bit for each plane that taps fill */
    struct shl_tap taps[SHL_MAX_TAPS]; /* never changed once announced */
    struct shl_device_claims claims;
    struct shl_device_free free;

    /* between the audio thread and the keeper
     *   accepted  audio writes (release), keeper reads (acquire): the claim of
     *             this epoch has been read; 0: no claim
     *   heard     likewise, and stays when that claim is over
     *   alarm     keeper stores the epoch whose host is dead (seq_cst, see
     *             cycle.c), audio thread clears it */
    _Atomic uint32_t accepted;
    _Atomic uint32_t heard;
    _Atomic uint32_t alarm;
    /* any control thread stores 1 (release), audio thread takes it (acquire):
     * its wait ends without a block */
    _Atomic uint32_t woken;
    SHL_SEQLOCK(sizeof(struct shl_selection) / 8) selected; /* by the keeper */
};

/** Whether a host is accepted. [any] */
static inline bool shl_device_has_host(const struct shl_device *device)
{
    return atomic_load_explicit(&device->accepted, memory_order_relaxed) != 0;
}

/* ---- device_planes.c ---- */

/** Silence: a plane of it. */
extern const float shl_device_silence[SHL_MAX_FRAMES];

/** Private planes, if we offer the free drive. SHL_NO_MEMORY. [control] */
shl_status shl_device_free_begin(struct shl_device *device);

/** Where what has come for an input lies. [audio] */
SHL_RT float *shl_device_free_input(struct shl_device *device,
                                    uint32_t channel);

/** Where an output, or a tap behind them, is written. [audio] */
SHL_RT float *shl_device_free_plane(struct shl_device *device,
                                    uint32_t channel);

/* ---- device_taps.c ---- */

/** Check and copy what is to be published. SHL_BAD_VALUE. [control] */
shl_status shl_device_keep_taps(struct shl_device *device,
                                const struct shl_tap *taps, uint32_t count,
                                struct shl_why *why);
/** A message for us? As a shl_message_handler; arg is the device. [keeper] */
int shl_device_answer_taps(void *arg, const struct shl_received *message);
/** At each block: take over a new selection. [audio] */
SHL_RT void shl_device_take_taps(struct shl_device *device);
/** The claim is over, and so is its selection. [audio] */
SHL_RT void shl_device_drop_taps(struct shl_device *device);

/* ---- device_events.c ---- */

/** An event of the host's could not be. [audio] */
SHL_RT void shl_device_count_bad(struct shl_device *device);

/* ---- device_lockstep.c ---- */

/** Take the block over that this bell announces. False: it cannot be, and is
 * answered with 0 frames. [audio] */
SHL_RT bool shl_device_lockstep_take(struct shl_device *device, uint32_t bell);

/** The block is done: answer. [audio] */
SHL_RT void shl_device_lockstep_done(struct shl_device *device);

/* ---- device_claims.c ---- */

/** Have the audio thread look at epoch and alarm again. [any] */
void shl_device_rouse(struct shl_device *device);

/** Look after epoch and alarm; true if what a host has left sounding makes a
 * block of our own. [audio] */
SHL_RT bool shl_device_heed(struct shl_device *device);

/** Make the claim ready that the audio thread asks for. [keeper] */
void shl_device_claims_keep(struct shl_device *device);

/** Free what nobody has taken; no thread works on it. [control] */
void shl_device_claims_end(struct shl_device *device);

/* ---- device_renew.c ---- */

/** If the segment's name has disappeared, make one that has it: at once for who
 * looks, and for hosts as soon as the present claim is over. [keeper] */
void shl_device_renew(struct shl_device *device);

/** Remove what was made and not used yet. [control] */
void shl_device_renew_end(struct shl_device *device);

/* ---- device_free.c ---- */

/** What a free duplex needs of this claim. [any] */
SHL_RT struct shl_duplex_options
shl_device_free_options(const struct shl_device *device,
                        const struct shl_claim *claim);

/** Memory and streams of a claim; *duplex stays as it was if they cannot be.
 * SHL_NO_SPACE, SHL_NO_MEMORY. [keeper] */
shl_status shl_device_free_make(struct shl_device *device,
                                const struct shl_claim *claim,
                                struct shl_duplex **duplex);

/** A claim begins, with this duplex; NULL: in another drive. [audio] */
SHL_RT void shl_device_free_use(struct shl_device *device,
                                const struct shl_claim *claim,
                                struct shl_duplex *duplex);

/** Have the keeper free it. [audio] */
SHL_RT void shl_device_free_spend(struct shl_device *device,
                                  struct shl_duplex *duplex);

/** The claim is over. [audio] */
SHL_RT void shl_device_free_leave(struct shl_device *device);

/** What the host has sent for the block that begins; nobody, if there is no host.
 * [audio] */
SHL_RT void shl_device_free_block(struct shl_device *device);

/** The block is done. [audio] */
SHL_RT void shl_device_free_done(struct shl_device *device);

/** Free what is spent. [keeper] */
void shl_device_free_keep(struct shl_device *device);

/** Free everything; no thread works on it. [control] */
void shl_device_free_end(struct shl_device *device);

#endif
