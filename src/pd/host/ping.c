/* SPDX-License-Identifier: MIT */
/* Asking the device for a sign of life. */
#include "pd/host/requests.h"
#include "pd/host/shmlink.h"

static void tell_ping(t_shmlink *x, struct request *request)
{
    request_done(request);
    replies_number(&x->x_say, "ping", (double)request->took_ns / 1e6);
}

static void ask_ping(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_PING, NULL, 0, tell_ping);
}

static void shmlink_ping(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    requests_bare(x, s, argc, argv, ask_ping);
}

void ping_methods(t_class *c)
{
    waiting_add(c, (t_method)shmlink_ping, "ping");
}
