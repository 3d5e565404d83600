/* SPDX-License-Identifier: MIT */
/* Notes as text: what --notes reads. One event to a line. */
#ifndef TOOL_NOTES_H
#define TOOL_NOTES_H

#include "score.h"

#include <stddef.h>

/** The format in words, for --help. */
extern const char notes_help[];

/** Add what a text says to a score. SHL_BAD_VALUE: `why` has the line and what
 * is wrong with it. */
shl_status notes_read(const char *text, size_t size, struct score *score,
                      struct shl_why *why);

#endif
