/* SPDX-License-Identifier: MIT */
/* Taps: the named points of a device that hosts can listen to beside its own
 * outputs. Each is one or more planes of samples, whatever its kind: a control
 * is a plane that changes slowly, a gate one of 0 and 1. */
#ifndef SHL_TAP_H
#define SHL_TAP_H

#include "status.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum shl_tap_kind { SHL_TAP_AUDIO, SHL_TAP_CONTROL, SHL_TAP_GATE };

struct shl_tap {
    char name[SHL_TAP_NAME_SIZE]; /* "osc1" */
    uint32_t kind;                /* enum shl_tap_kind */
    uint32_t channels;            /* 1 to SHL_MAX_CHANNELS */
};

/** "audio", "control", "gate"; "unknown". [any] */
const char *shl_tap_kind_name(uint32_t kind);

/** Whether a device can have them: at most SHL_MAX_TAPS, each with a name of 1 to
 * SHL_TAP_NAME_SIZE - 1 bytes of UTF-8 without control characters, no two alike,
 * a kind, 1 to SHL_MAX_CHANNELS channels. SHL_BAD_VALUE, with the sentence in
 * `why`. [any] */
shl_status shl_tap_check(const struct shl_tap *taps, uint32_t count,
                         struct shl_why *why);

/** Index of a name (exact, or _ for spaces); -1. [any] */
int32_t shl_tap_find(const struct shl_tap *taps, uint32_t count,
                     const char *name);

#ifdef __cplusplus
}
#endif
#endif
