/* What a device remembers: for the files of the role alone (device.c,
 * device_open.c). */
#ifndef SHL_DEVICE_STATE_H
#define SHL_DEVICE_STATE_H

#include "board.h"
#include "cycle.h"
#include "desk.h"
#include "device.h"
#include "midi.h"
#include "ring.h"
#include "segment.h"

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
    uint32_t judged;      /* last epoch accepted or refused */
    uint32_t bell;        /* of the block being worked on */
    bool working;         /* between wait and done */
    bool releasing;       /* on a block of our own: what the last host held */
    bool fresh;           /* the next block is the first of its claim */
    bool flushed;         /* denormals are off on this thread */
    uint32_t events_left; /* of this block */
    struct shl_block block;
    uint64_t sent_frame; /* of the last event to the host */
    struct shl_held held;
    struct shl_device_stats stats;
    const float *in[SHL_MAX_CHANNELS];
    float *out[SHL_MAX_CHANNELS];
    struct shl_param *params;
    uint32_t *by_id; /* indices in order of id */

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
};

#endif
