/* SPDX-License-Identifier: MIT */
/* A sum that tells damaged bytes from whole ones. */
#ifndef SHL_CHECKSUM_H
#define SHL_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** CRC-32 as of zip and PNG: 0 to begin with, then what the bytes before gave.
 * [any] */
uint32_t shl_checksum(uint32_t before, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif
