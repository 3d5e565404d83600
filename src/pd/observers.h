/* SPDX-License-Identifier: MIT */
/* The observers of [shmreg]: looking at links of others without disturbing them. A
 * worker looks, a clock tells what it saw, and not more at once than a patch can
 * bear. Scheduler thread only, never from perform. */
#ifndef PD_OBSERVERS_H
#define PD_OBSERVERS_H

#include "pd/replies.h"

struct observers;

/** None at first, no thread and no clock running. NULL: no memory. */
struct observers *observers_new(struct replies *replies);
void observers_free(struct observers *observers);

/** The message `monitor id 1` or `monitor id 0`, with its answer. */
void observers_message(struct observers *observers, t_symbol *selector,
                       int argc, t_atom *argv);

#endif
