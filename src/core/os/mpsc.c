/* SPDX-License-Identifier: MIT */
#include "core/os/mpsc.h"

#include <stdatomic.h>
#include <stddef.h>

SHL_RT void shl_mpsc_push(struct shl_mpsc *list, struct shl_mpsc_node *node)
{
    node->next = atomic_load_explicit(&list->newest, memory_order_relaxed);
    /* release: the node is whole, and `next` is there */
    while (!atomic_compare_exchange_weak_explicit(&list->newest, &node->next,
                                                  node, memory_order_release,
                                                  memory_order_relaxed)) {
    }
}

struct shl_mpsc_node *shl_mpsc_take(struct shl_mpsc *list)
{
    /* acquire: the nodes are whole, and their `next` as well */
    struct shl_mpsc_node *newest =
        atomic_exchange_explicit(&list->newest, NULL, memory_order_acquire);
    struct shl_mpsc_node *oldest = NULL;

    while (newest) {
        struct shl_mpsc_node *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

SHL_RT struct shl_mpsc_node *shl_mpsc_newest(const struct shl_mpsc *list)
{
    /* acquire: the node is whole, and all before it */
    return atomic_load_explicit(&list->newest, memory_order_acquire);
}
