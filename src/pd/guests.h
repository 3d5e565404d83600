/* The guests of [shmreg]: looking at links of others without disturbing them. A
 * worker looks, a clock tells what it saw, and not more at once than a patch can
 * bear. Scheduler thread only, never from perform. */
#ifndef PD_GUESTS_H
#define PD_GUESTS_H

#include "pd/replies.h"

#define GUESTS_MAX 64

struct guests;

/** None at first, no thread and no clock running. NULL: no memory. */
struct guests *guests_new(struct replies *replies);
void guests_free(struct guests *guests);

/** The message `monitor id 1` or `monitor id 0`, with its answer. */
void guests_message(struct guests *guests, t_symbol *selector, int argc,
                    t_atom *argv);

#endif
