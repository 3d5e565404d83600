/* SPDX-License-Identifier: MIT */
/* The programs of `shmlink device`: values for all parameters, with a name. */
#ifndef TOOL_BANK_H
#define TOOL_BANK_H

#include "synth.h"

struct program {
    const char *name;
    double value[SYNTH_PARAMS]; /* as enum synth_param has them */
};

/** How many there are. [any] */
uint32_t bank_count(void);

/** Program 0 is how the synth begins. NULL if there is none of this number.
 * [any] */
const struct program *bank_program(uint32_t number);

#endif
