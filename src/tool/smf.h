/* SPDX-License-Identifier: MIT */
/* Standard MIDI files as a score, also in RIFF (RMID). Reads from memory and
 * looks nowhere outside it. What no reader can misunderstand is read, though the
 * standard forbids it. Source: Standard MIDI Files 1.0 (RP-001). */
#ifndef TOOL_SMF_H
#define TOOL_SMF_H

#include "score.h"

#include <stddef.h>

/** Add the channel messages and the SysEx of a file to a score, in milliseconds
 * by its tempo map, and the end of its last track. Other meta events and chunks
 * are passed over. Format 2: one track after the other. SHL_BAD_VALUE: `why`
 * says what is wrong, in which track and at which byte; the score may then hold
 * a part. */
shl_status smf_read(const uint8_t *bytes, size_t size, struct score *score,
                    struct shl_why *why);

#endif
