/* What a device remembers: for the files of the role alone (device.c,
 * device_open.c). */
#ifndef SHL_DEVICE_STATE_H
#define SHL_DEVICE_STATE_H

#include "board.h"
#include "cycle.h"
#include "desk.h"
#include "device.h"
#include "midi.h"
#include "priority.h"
#include "ring.h"
#include "segment.h"

/** Which taps the host of a claim wants, and where. */
struct shl_selection {
    uint32_t epoch;
    uint32_t planes;             /* a bit for each that taps fill */
    uint32_t end;                /* planes from here on are not used */
    uint8_t first[SHL_MAX_TAPS]; /* by tap: its first plane + 1, or 0 */
    uint32_t reserved;
};

struct shl_device {
    struct shl_seat seat;
    struct shl_segment segment;
    struct shl_cycle_device cycle;
    struct shl_ring from_host, to_host;
    shl_worker *keeper;
    struct shl_identity identity;
    struct shl_desk desk;
    uint64_t kept_ns; /* the keeper's own: when it last looked around */
    uint32_t kept_epoch, kept_heard;

    /* the audio thread's own */
    uint32_t judged;     /* last epoch accepted or refused */
    uint32_t bell;       /* of the block being worked on */
    bool working;        /* between wait and done */
    bool releasing;      /* on a block of our own: what the last host held */
    bool reserved;       /* there is memory behind our planes */
    uint32_t mode;       /* of the claim: one of enum shl_mode */
    bool fresh;          /* the next block is the first of its claim */
    bool flushed;        /* denormals are off on this thread */
    bool keeps_priority; /* whatever its host has */
    struct shl_priority priority;
    uint32_t events_left; /* of this block */
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
    struct shl_tap taps[SHL_MAX_TAPS]; /* never changed once announced */

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
    SHL_CELL(sizeof(struct shl_selection) / 8) selected; /* by the keeper */
};

/* ---- device_taps.c ---- */

/** Check and copy what is to be published. SHL_BAD_VALUE. [control] */
shl_status shl_device_keep_taps(struct shl_device *device,
                                const struct shl_tap *taps, uint32_t count,
                                struct shl_why *why);
/** A message for us? As a shl_message_handler; arg is the device. [keeper] */
int shl_device_answer_taps(void *arg, const struct shl_received *message);
/** At each block: take over a new selection. [audio] */
void shl_device_take_taps(struct shl_device *device);
/** The claim is over, and so is its selection. [audio] */
void shl_device_drop_taps(struct shl_device *device);

#endif
