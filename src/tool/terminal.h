/* SPDX-License-Identifier: MIT */
/* How a command meets its user: the signals that end it, one status line that
 * is rewritten on a terminal, the pace of a clock, and texts of other processes
 * made harmless. The only file of the tool that asks the system for these. */
#ifndef TOOL_TERMINAL_H
#define TOOL_TERMINAL_H

#include "shmlink/shmlink.h"

#include <stdint.h>
#include <stdio.h>

/** Have SIGINT, SIGTERM and SIGHUP end the command in good order. A closed
 * pipe is an error of print, not the end. Returns 0 if the system refuses. */
int terminal_catch_end(void);

/** Whether one of them has come. [audio] */
SHL_RT int terminal_ended(void);

/** Whether stdout is a terminal. */
int terminal_is_one(void);

/** Rewrite the status line (on a terminal). */
void terminal_line(const char *text);

/** A plain line; clears the status line first if there is one. */
__attribute__((format(printf, 1, 2))) void terminal_say(const char *format,
                                                        ...);

/** Sleep until shl_clock_ns() reaches this; early when a signal comes. */
void terminal_sleep_until(uint64_t clock_ns);

/** Copy a text for a terminal or table: control characters and broken UTF-8
 * become `?`. Returns the columns it takes, one per code point. */
int terminal_plain(const char *text, char *plain, size_t size);

/** Print a JSON string with its quotes; broken UTF-8 becomes U+FFFD. */
void terminal_json(FILE *file, const char *text);

#endif
