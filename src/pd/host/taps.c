/* SPDX-License-Identifier: MIT */
/* The taps of the device: what there is to hear, and which of it comes out
 * where. The device answers each route; what it says is kept until the poll
 * clock tells it, since the core's handlers may not lead back into the core. */
#include "pd/host/shmlink.h"

#include <stdio.h>
#include <string.h>

#define BATCH_ANSWER_MS 30000

/* One route that was asked for; in the object's list once it is answered. */
struct taps_answer {
    struct taps_answer *next;
    t_shmlink *x;
    char name[40];
    double outlet;
    shl_status status;
    char text[256];
};

static void tell_route(t_shmlink *x, const char *name, double outlet, int done)
{
    t_atom atoms[3];

    SETSYMBOL(&atoms[0], atoms_name(name));
    atoms_set_number(&atoms[1], outlet);
    atoms_set_number(&atoms[2], done);
    replies_send(&x->x_say, "tap_route", 3, atoms);
}

static void refuse(t_shmlink *x, const char *name, double outlet,
                   shl_status status, const char *text)
{
    tell_route(x, name, outlet, 0);
    replies_error(&x->x_say, gensym("tap_route"), status, "tap_route: %s",
                  text);
}

static void hear_answer(void *arg, const struct shl_answer *answer)
{
    struct taps_answer *heard = arg, **end = &heard->x->x_taps_heard;

    heard->status = answer->status;
    snprintf(heard->text, sizeof heard->text, "%s", answer->text);
    while (*end)
        end = &(*end)->next;
    *end = heard;
    heard->x->x_taps_asked--;
}

void taps_tell(t_shmlink *x)
{
    struct taps_answer *heard;

    while ((heard = x->x_taps_heard)) {
        struct taps_answer own = *heard;
        x->x_taps_heard = own.next;
        freebytes(heard, sizeof *heard);
        if (own.status == SHL_OK)
            tell_route(x, own.name, own.outlet, 1);
        else
            refuse(x, own.name, own.outlet, own.status, own.text);
    }
}

void taps_free(t_shmlink *x)
{
    struct taps_answer *heard;

    while ((heard = x->x_taps_heard)) {
        x->x_taps_heard = heard->next;
        freebytes(heard, sizeof *heard);
    }
}

static void tap_list(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    uint32_t count, i;
    t_atom atoms[4];

    if (argc) {
        replies_fail_words(&x->x_say, s, argc, argv, "no words", "");
        return;
    }
    if (!connection_ready(x, s, 1))
        return;
    count = shl_host_tap_count(x->x_host);
    for (i = 0; i < count && shl_host_tap(x->x_host, i); i++) {
        const struct shl_tap *tap = shl_host_tap(x->x_host, i);
        atoms_set_number(&atoms[0], i);
        SETSYMBOL(&atoms[1], atoms_name(tap->name));
        atoms_set_text(&atoms[2], shl_tap_kind_name(tap->kind));
        atoms_set_number(&atoms[3], tap->channels);
        replies_send(&x->x_say, "tap_info", 4, atoms);
    }
    replies_number(&x->x_say, "tap_list", count);
}

/* By index or name; -1: none. */
static int32_t find(const t_shmlink *x, const t_atom *atom, char *name,
                    size_t size)
{
    double number;
    int32_t index;

    atoms_text(atom, name, size);
    if (!atoms_number(atom, &number))
        return shl_host_tap_find(x->x_host, name);
    if (!(number >= 0 && number < shl_host_tap_count(x->x_host)))
        return -1;
    index = (int32_t)number;
    snprintf(name, size, "%s", shl_host_tap(x->x_host, (uint32_t)index)->name);
    return index;
}

static void route(t_shmlink *x, uint32_t tap, const char *name, double outlet)
{
    struct taps_answer *asked = getbytes(sizeof *asked);
    struct shl_why why = {""};
    uint32_t channel = outlet > 0 ? (uint32_t)outlet - 1 : SHL_NO_ROUTE;
    uint32_t request;
    shl_status status;

    if (!asked) {
        refuse(x, name, outlet, SHL_NO_MEMORY, shl_status_text(SHL_NO_MEMORY));
        return;
    }
    asked->x = x;
    asked->outlet = outlet;
    snprintf(asked->name, sizeof asked->name, "%.39s", name);
    status = shl_host_route(x->x_host, tap, channel, hear_answer, asked,
                            &request, &why);
    if (status) {
        freebytes(asked, sizeof *asked);
        refuse(x, name, outlet, status, why.text);
        return;
    }
    x->x_taps_asked++;
    if (x->x_batch) {
        shl_host_await(x->x_host, request, BATCH_ANSWER_MS);
        taps_tell(x);
    } else {
        clock_delay(x->x_poll, 0);
    }
}

static void tap_route(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    char name[128] = "-", text[200];
    double outlet = -1;
    int32_t tap;

    if (argc == 2)
        atoms_whole(&argv[1], 0, SHL_MAX_CHANNELS, &outlet);
    if (!(outlet >= 0 && outlet <= SHL_MAX_CHANNELS)) {
        tell_route(x, name, 0, 0);
        replies_refuse(&x->x_say, s, argc, argv,
                       "a tap, by name or index, and an outlet from 1 on, or 0 "
                       "to end it",
                       "osc1 3");
        return;
    }
    atoms_text(&argv[0], name, sizeof name);
    if (!x->x_host || !shl_host_linked(x->x_host))
        tell_route(x, name, outlet, 0);
    if (!connection_ready(x, s, 0))
        return;
    tap = find(x, &argv[0], name, sizeof name);
    if (tap >= 0) {
        route(x, (uint32_t)tap, name, (double)(uint32_t)outlet);
        return;
    }
    snprintf(text, sizeof text, "the device has no tap %.60s: type tap_list",
             name);
    refuse(x, name, outlet, SHL_NOT_FOUND, text);
}

void taps_methods(t_class *c)
{
    waiting_add(c, (t_method)tap_list, "tap_list");
    waiting_add(c, (t_method)tap_route, "tap_route");
}
