/* SPDX-License-Identifier: MIT */
/* Every way a call can fail, and its sentence. */
#ifndef SHL_STATUS_H
#define SHL_STATUS_H

#include "limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a call came to. 0 is success; the order is part of the wire (a device
 * stores its reason for refusing a claim), so new ones go to the end. */
typedef enum shl_status {
    SHL_OK = 0,
    SHL_AGAIN,          /* nothing there yet; ask again */
    SHL_TIMEOUT,        /* the deadline passed */
    SHL_NOT_FOUND,      /* no such device, tag or parameter */
    SHL_BUSY,           /* another host holds the claim */
    SHL_GONE,           /* the peer has ended */
    SHL_TAKEN,          /* another device has this id */
    SHL_BOARD_FULL,     /* all SHL_MAX_DEVICES slots are in use */
    SHL_RING_FULL,      /* the peer has not emptied its ring */
    SHL_NO_MEMORY,      /* this process has no memory left */
    SHL_NO_SPACE,       /* shared memory is full */
    SHL_NO_SHM,         /* the system offers no shared memory */
    SHL_NO_PERMISSION,  /* the system refuses access */
    SHL_NO_DESCRIPTORS, /* no file descriptors left */
    SHL_FOREIGN,        /* an object of that name is not one of ours */
    SHL_CUT,            /* a segment is shorter than it must be */
    SHL_WRONG_VERSION,  /* the peer speaks another version */
    SHL_WRONG_RATE,     /* the sample rates differ */
    SHL_WRONG_BLOCK,    /* a block size outside 1 to SHL_MAX_FRAMES */
    SHL_WRONG_CHANNELS, /* more channels than SHL_MAX_CHANNELS */
    SHL_WRONG_DRIVE,    /* the device does not offer this drive */
    SHL_WRONG_MODE,     /* the device does not offer this mode */
    SHL_BAD_PEER,       /* the peer wrote something impossible */
    SHL_BAD_NAME,       /* a name that no device can have */
    SHL_BAD_VALUE,      /* a value out of its range, or not a number */
    SHL_UNSUPPORTED,    /* the device has no such capability */
    SHL_NO_DEVICE,      /* there is no link to a device now */
    SHL_SYSTEM,         /* any other refusal of the system */
    SHL_STATUS_COUNT
} shl_status;

/** One plain sentence for a status, without a full stop. Never NULL, also for
 * numbers that are no status. [any] */
const char *shl_status_text(shl_status status);

/** The status as one lower-case word, as Pd's `error` message carries it:
 * "not_found". Never NULL. [any] */
const char *shl_status_word(shl_status status);

/** Room for the whole story of a failure: who, what was wrong, what to do.
 * Functions that take one fill it on failure only. */
struct shl_why {
    char text[SHL_WHY_SIZE];
};

#ifdef __cplusplus
}
#endif
#endif
