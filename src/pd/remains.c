/* SPDX-License-Identifier: MIT */
#include "pd/remains.h"

struct remains {
    struct remains *next;
    void *object;
    size_t size;
    void (*end)(void *object);
};

static struct remains *all;
static t_clock *later;

void *remains_new(t_class *c, size_t size)
{
    t_pd *object = getbytes(size);

    if (object)
        *object = c;
    return object;
}

static void remove_all(void *unused)
{
    struct remains *first;
    (void)unused;

    while ((first = all)) {
        all = first->next;
        first->end(first->object);
        freebytes(first->object, first->size);
        freebytes(first, sizeof *first);
    }
}

void remains_leave(void *object, size_t size, void (*end)(void *object))
{
    struct remains *one = getbytes(sizeof *one);

    if (!one)
        return; /* lost, but nobody reads what is freed */
    *one = (struct remains){all, object, size, end};
    all = one;
    if (!later)
        later = clock_new(&all, (t_method)remove_all);
    clock_delay(later, 0);
}
