/* SPDX-License-Identifier: MIT */
/* Texts that people see: what a device and a link tag may be called, and the
 * reasons of failures. Pure functions. */
#ifndef SHL_NAME_H
#define SHL_NAME_H

#include "realtime.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Whether a device may have this name, and a host ask for it: 1 to SHL_ID_SIZE -
 * 1 bytes of UTF-8 with its number, no control characters, none of / \ , ; $ and
 * no : but before the number, no leading -, not lv2 clap vst3 null, not *. `why`
 * says what is wrong. *number gets it (0 to 999999), or -1. Any but `id` may be
 * NULL. [any] */
shl_status shl_id_check(const char *id, char name[SHL_ID_SIZE], int32_t *number,
                        struct shl_why *why);

/** Whether a link tag will do: 0 to SHL_TAG_SIZE - 1 bytes of UTF-8 without
 * control characters. [any] */
shl_status shl_tag_check(const char *tag, struct shl_why *why);

/** Make a text that somebody else wrote fit to be shown: terminated, every
 * control character and every byte that is not UTF-8 becomes a question mark.
 * What lies behind the end becomes 0. [any] */
void shl_text_clean(char *text, size_t size);

/** Copy a text into room of `size` bytes, 1 or more. What does not fit is cut
 * behind a whole character. Returns how long it is now. [any] */
size_t shl_text_copy(char *to, size_t size, const char *from);

/** Fill a reason; NULL is fine. [control] */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void shl_why_set(struct shl_why *why, const char *format, ...);

#ifdef __cplusplus
}
#endif
#endif
