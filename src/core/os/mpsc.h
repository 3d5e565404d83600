/* SPDX-License-Identifier: MIT */
/* A list that many threads push to and one takes whole, without a lock. What is
 * pushed begins with a struct shl_mpsc_node, and belongs to whoever took it. */
#ifndef SHL_MPSC_H
#define SHL_MPSC_H

#include "shmlink/realtime.h"
#include "shmlink/system.h"

/*   newest  any thread pushes (release: the node is whole), one takes all
 *           (acquire) */
struct shl_mpsc {
    _Atomic(struct shl_mpsc_node *) newest;
};

/** Put one into the list. Bounded but for other threads that push at the same
 * instant. [any] */
SHL_RT void shl_mpsc_push(struct shl_mpsc *list, struct shl_mpsc_node *node);

/** All that is there, the oldest first, linked by `next`; NULL if there is none.
 * Nodes are never put back, so that nobody can mistake one for another.
 * [the thread that takes] */
struct shl_mpsc_node *shl_mpsc_take(struct shl_mpsc *list);

/** The newest, left where it is; `next` leads to older ones. For lists that
 * nobody takes from meanwhile. [any] */
SHL_RT struct shl_mpsc_node *shl_mpsc_newest(const struct shl_mpsc *list);

#endif
