/* SPDX-License-Identifier: MIT */
/* What is left of an object that a patch has deleted. A patch may delete any
 * box while that box, or another one, sends a message; then methods of the
 * object are still running, and go on when the message returns. So an object of
 * this kind owns its memory itself: its class has the size 0, Pd's freeing of
 * it ends what others can see, and the memory goes when the next clock fires,
 * where no method is running any more. */
#ifndef PD_REMAINS_H
#define PD_REMAINS_H

#include "m_pd.h"

#include <stddef.h>

/** As pd_new, for a class of size 0: zeroed memory for an object. */
void *remains_new(t_class *c, size_t size);

/** The last thing in an object's free method. `end` frees what the object has,
 * when no method of it is running any more; then its memory goes. Until then it
 * must be safe to call any of its methods. */
void remains_leave(void *object, size_t size, void (*end)(void *object));

#endif
