/* SPDX-License-Identifier: MIT */
/* What the program says: one line each on standard error, up to a level. */
#ifndef PLUG_LOG_H
#define PLUG_LOG_H

#include "plugin.h"

/** From here on nothing above this level is said; info at first. [control] */
void log_set_level(enum plugin_level level);

/** The level of a word (none, error, warning, info, debug), or -1. [any] */
int log_level_of(const char *word);

/** One line. [control] */
__attribute__((format(printf, 2, 3))) void log_say(enum plugin_level level,
                                                   const char *format, ...);

#endif
