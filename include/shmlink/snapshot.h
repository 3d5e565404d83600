/* SPDX-License-Identifier: MIT */
/* What a device sounds like, as bytes. A device that is all parameters writes
 * and reads its state here; and there is the file that holds the state of any
 * device. Both begin with a mark, a version and a checksum, so that damaged and
 * foreign bytes are refused. Pure functions. */
#ifndef SHL_SNAPSHOT_H
#define SHL_SNAPSHOT_H

#include "param.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SHL_NO_PROGRAM UINT32_MAX

/* ---- a device's parameters --------------------------------------------------- */

/** Bytes that the state of so many parameters takes. [any] */
size_t shl_snapshot_size(uint32_t param_count);

/** Write values, by id. `kind` says whose they are: 1 to 63 bytes, the same in
 * all devices that understand each other. `program`: the one they began with,
 * or SHL_NO_PROGRAM. `bytes` has room for shl_snapshot_size. [any] */
void shl_snapshot_write(const char *kind, uint32_t program,
                        const struct shl_param *params, const double *values,
                        uint32_t param_count, uint8_t *bytes);

/** Read them: each value clipped to its parameter's range; ids that nobody has
 * any more are passed over, parameters that are missing keep what is in
 * `values`. On failure nothing is changed: SHL_BAD_VALUE (damaged, or too
 * short), SHL_FOREIGN (of another kind), SHL_WRONG_VERSION, with the sentence
 * in `why` (may be NULL). [any] */
shl_status shl_snapshot_read(const char *kind, const uint8_t *bytes,
                             size_t size, const struct shl_param *params,
                             uint32_t param_count, double *values,
                             uint32_t *program, struct shl_why *why);

/* ---- a file with a state ------------------------------------------------------ */

/** The bytes before the state in a file of `size` bytes of state. */
#define SHL_STATE_HEAD_SIZE 160u

/** Fill the head of a file: `format` (such as "link", 1 to 15 bytes) and `key`
 * (the device, at most 63 bytes) say whose state follows. [any] */
void shl_state_head(const char *format, const char *key, const uint8_t *state,
                    size_t size, uint8_t head[SHL_STATE_HEAD_SIZE]);

/** Look into a whole file: *state points into it. SHL_BAD_VALUE,
 * SHL_WRONG_VERSION, SHL_FOREIGN if it is of another format. `key` (SHL_TEXT_SIZE
 * bytes, may be NULL) gets the device's. [any] */
shl_status shl_state_open(const char *format, const uint8_t *file, size_t size,
                          const uint8_t **state, size_t *state_size,
                          char key[SHL_TEXT_SIZE], struct shl_why *why);

#ifdef __cplusplus
}
#endif
#endif
