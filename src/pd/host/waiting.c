/* SPDX-License-Identifier: MIT */
/* What is said to [shmlink~] while the program that `open` has started gets
 * ready: kept, in order, and said again when the open has been answered. */
#include "pd/host/shmlink.h"

#include <string.h>

#define WAITING_MAX 1024 /* messages of one object */
#define METHODS_MAX 64

typedef void (*t_said)(t_shmlink *, t_symbol *, int, t_atom *);

struct waiting {
    struct waiting *next;
    t_symbol *selector;
    int argc;
    t_atom argv[1]; /* argc of them */
};

static struct {
    t_symbol *selector;
    t_said method;
} methods[METHODS_MAX];
static size_t method_count;

/* Where the method of this selector stands, or is to stand. */
static size_t place_of(const t_symbol *selector)
{
    size_t i = 0;

    while (i < method_count && methods[i].selector != selector)
        i++;
    return i;
}

static size_t size_of(int argc)
{
    return sizeof(struct waiting) + (size_t)argc * sizeof(t_atom);
}

static void keep(t_shmlink *x, t_symbol *s, int argc, const t_atom *argv)
{
    struct waiting *message = NULL;

    if (x->x_waiting_count < WAITING_MAX)
        message = getbytes(size_of(argc));
    if (!message) {
        replies_error(&x->x_say, s, SHL_RING_FULL,
                      "%s: %u messages wait already for %s to start", s->s_name,
                      (unsigned)x->x_waiting_count, x->x_say.name);
        return;
    }
    message->next = NULL;
    message->selector = s;
    message->argc = argc;
    if (argc)
        memcpy(message->argv, argv, (size_t)argc * sizeof *argv);
    if (x->x_waiting_last)
        x->x_waiting_last->next = message;
    else
        x->x_waiting = message;
    x->x_waiting_last = message;
    x->x_waiting_count++;
}

static void say(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    if (x->x_ended)
        return;
    if (link_starting(x))
        keep(x, s, argc, argv);
    else
        methods[place_of(s)].method(x, s, argc, argv);
}

void waiting_add(t_class *c, t_method method, const char *selector)
{
    t_symbol *s = gensym(selector);
    size_t i = place_of(s); /* Pd sets us up once for each path to us */

    if (i == METHODS_MAX) {
        bug("waiting_add");
        return;
    }
    methods[i].selector = s;
    methods[i].method = (t_said)method;
    if (i == method_count)
        method_count++;
    class_addmethod(c, (t_method)say, s, A_GIMME, 0);
}

static struct waiting *take_all(t_shmlink *x)
{
    struct waiting *first = x->x_waiting;

    x->x_waiting = x->x_waiting_last = NULL;
    x->x_waiting_count = 0;
    return first;
}

void waiting_release(t_shmlink *x)
{
    struct waiting *message = take_all(x), *next;

    for (; message; message = next) {
        next = message->next;
        say(x, message->selector, message->argc, message->argv);
        freebytes(message, size_of(message->argc));
    }
}

void waiting_free(t_shmlink *x)
{
    struct waiting *message = take_all(x), *next;

    for (; message; message = next) {
        next = message->next;
        freebytes(message, size_of(message->argc));
    }
}
