/* SPDX-License-Identifier: MIT */
/* How [shmlink~] as host sends what host and device have in common, notes above
 * all, to its device; and panic. */
#include "pd/host/shmlink.h"

#include <stdio.h>

static int voice_send_long(struct voice *x, t_symbol *selector,
                           const uint8_t *bytes, size_t size)
{
    t_shmlink *host = (t_shmlink *)x;

    if (size <= VOICE_SYSEX_MAX && !sysex_sends(host))
        return 0;
    sysex_send(host, selector, bytes, size);
    return 1;
}

/* Whether the mode carries MIDI; if not, said once per link, and counted. */
static int carries_midi(t_shmlink *x, t_symbol *selector)
{
    char text[200];

    if (x->x_flags.mode != SHL_MODE_AUDIO)
        return 1;
    x->x_excluded++;
    snprintf(text, sizeof text,
             "%s: the mode of this link is audio, which carries no MIDI: "
             "nothing was sent",
             selector->s_name);
    if (replies_once(&x->x_say, selector, REPLIES_LINK))
        replies_complain(&x->x_say, "%s", text);
    replies_error_quiet(&x->x_say, selector, SHL_UNSUPPORTED, text);
    return 0;
}

static int voice_offers(struct voice *v, t_symbol *selector,
                        uint64_t capability)
{
    t_shmlink *x = (t_shmlink *)v;

    return connection_ready(x, selector, 0) && carries_midi(x, selector) &&
           connection_offers(x, selector, capability);
}

static int voice_detunes(struct voice *x)
{
    struct shl_device_info info;

    return shl_host_get_device(((t_shmlink *)x)->x_host, &info) == SHL_OK &&
           (info.capabilities & SHL_CAP_DETUNE);
}

static void voice_put(struct voice *x, t_symbol *selector,
                      const struct shl_event *event)
{
    connection_put((t_shmlink *)x, selector, event);
}

static uint32_t voice_room(const struct voice *x)
{
    return schedule_room(&((const t_shmlink *)x)->x_out);
}

const struct voice_ways voice_host_ways = {
    voice_offers, voice_detunes, voice_put, voice_room, voice_send_long};

static void shmlink_panic(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_event event = {.kind = SCHEDULE_PANIC};

    if (replies_alone(&x->x_say, s, argc, argv) && connection_ready(x, s, 0) &&
        carries_midi(x, s))
        connection_put(x, s, &event);
}

void voice_host_methods(t_class *c)
{
    class_addmethod(c, (t_method)shmlink_panic, gensym("panic"), A_GIMME, 0);
}
