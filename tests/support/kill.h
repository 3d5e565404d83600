/* SPDX-License-Identifier: MIT */
/* What the killing programs share: options, a victim, and what it leaves. */
#ifndef KILL_H
#define KILL_H

#include "peer.h"

#include <sys/types.h>

struct kill_options {
    uint32_t count;
    uint64_t seed;
    uint32_t delay_us, spread_us; /* from its start to its death */
    uint32_t period_us; /* of blocks, where both keep their own time */
    char **command;     /* what to start and kill */
};

/** --count, --seed, --delay, --spread and --period (us), then -- and the command.
 * False, with a line printed, if that makes no sense. */
bool kill_options_read(int count, char **words, struct kill_options *options);

/** Start the command, its output thrown away. */
pid_t kill_start(char **command);

/** SIGKILL and wait; false if it had ended by itself. */
bool kill_now(pid_t pid);

/** After the death of all devices: look once, as anybody does, and then at what
 * is there. NULL, or what was left. */
const char *kill_left(void);

#endif
