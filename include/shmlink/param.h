/* SPDX-License-Identifier: MIT */
/* Parameters: their description, and plain value <-> 0..1 <-> text. On the wire
 * a stable 32-bit id and a plain value; 0..1 is what Pd users send. Pure
 * functions. */
#ifndef SHL_PARAM_H
#define SHL_PARAM_H

#include "realtime.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum shl_curve {
    SHL_CURVE_LINEAR = 0,
    SHL_CURVE_LOG = 1, /* both ends above 0: equal ratios, equal distances */
    SHL_CURVE_STEPPED =
        2 /* `steps` values, evenly spread, both ends included */
};

enum shl_param_flags {
    SHL_PARAM_AUTOMATABLE = 1,
    SHL_PARAM_READ_ONLY = 2, /* a meter: the device writes, nobody sets it */
    SHL_PARAM_TOGGLE = 4     /* two steps that read off and on */
};

/** A flag of the host's own, never on the wire: a parameter that is known by its
 * id alone. Its values are as they are, in no range. */
#define SHL_PARAM_NO_RANGE 0x80000000u

struct shl_param {
    uint32_t id;    /* stable for this device */
    uint32_t flags; /* enum shl_param_flags */
    uint32_t curve; /* enum shl_curve */
    uint32_t steps; /* 2 or more if stepped, else 0 */
    double minimum, maximum, initial;
    char name[SHL_TEXT_SIZE];
    char label[SHL_LABEL_SIZE]; /* the unit: "Hz", "dB", "" */
    char group[SHL_WORD_SIZE];
};

/** Whether a description makes sense: finite, minimum below maximum, initial
 * inside, a curve that exists and fits, a name. Texts are terminated.
 * SHL_BAD_VALUE otherwise. [any] */
shl_status shl_param_check(const struct shl_param *param);

/** A plain value from 0..1, clipped to that first, and back. Neither ever
 * leaves the range; NaN counts as the lower end. [any] */
SHL_RT double shl_param_plain(const struct shl_param *param, double normal);
double shl_param_normal(const struct shl_param *param, double plain);

/** A plain value into the range and onto a step. [any] */
SHL_RT double shl_param_clip(const struct shl_param *param, double plain);

/** "440 Hz", "on", "-6.02 dB": at most size - 1 bytes, terminated. The number
 * has 4 significant digits, or all of those before the point. [any] */
void shl_param_text(const struct shl_param *param, double plain, char *text,
                    size_t size);

/** Read what shl_param_text writes: a number with or without its unit, on, off.
 * SHL_BAD_VALUE otherwise, *plain is untouched. [any] */
shl_status shl_param_read(const struct shl_param *param, const char *text,
                          double *plain);

/** Whether `wanted` names `name`: exactly, or with _ for each space. [any] */
int shl_name_matches(const char *wanted, const char *name);

/** Indices of `count` parameters in the order of their ids, for
 * shl_param_index. SHL_BAD_VALUE if two have the same id. [any] */
shl_status shl_param_order(const struct shl_param *params, uint32_t count,
                           uint32_t *by_id);

/** Index of the parameter with this id, or -1. [any] */
SHL_RT int32_t shl_param_index(const struct shl_param *params, uint32_t count,
                               const uint32_t *by_id, uint32_t id);

#ifdef __cplusplus
}
#endif
#endif
