/* Standard MIDI files, formats 0 and 1, as a score. Reads from memory and looks
 * nowhere outside it. Source: Standard MIDI Files 1.0 (RP-001). */
#ifndef TOOL_SMF_H
#define TOOL_SMF_H

#include "score.h"

#include <stddef.h>

/** Add the channel messages of a file to a score, in milliseconds by its tempo
 * map. SysEx and other meta events are passed over. SHL_BAD_VALUE: `why` says
 * what is wrong and at which byte; the score may then hold a part. */
shl_status smf_read(const uint8_t *bytes, size_t size, struct score *score,
                    struct shl_why *why);

#endif
