/* SPDX-License-Identifier: MIT */
/* Transport messages. The host keeps the clock, so it is right with every
 * device; what is set here counts from the sample of its logical time on: until
 * the block of that sample begins it waits, as notes do. */
#include "pd/host/shmlink.h"

#include <string.h>

#define MOST 1e15 /* of anything here; a position beyond is none */

static void apply_change(struct shl_transport *transport,
                         const struct playhead_change *change)
{
    switch (change->what) {
    case PLAYHEAD_TEMPO:
        transport->tempo = change->value[0];
        break;
    case PLAYHEAD_METER:
        transport->numerator = (uint32_t)change->value[0];
        transport->denominator = (uint32_t)change->value[1];
        break;
    case PLAYHEAD_PLAY:
        transport->playing = change->value[0] > 0;
        break;
    case PLAYHEAD_LOCATE:
        shl_transport_locate(transport, change->value[0]);
        break;
    }
}

const double *transport_first(const t_shmlink *x)
{
    return x->x_transport_count ? &x->x_transports[0].time : NULL;
}

void transport_play(t_shmlink *x, uint32_t offset)
{
    struct shl_transport now = shl_host_transport_at(x->x_host, offset);

    apply_change(&now, &x->x_transports[0]);
    shl_host_transport_event(x->x_host, &now, offset);
    x->x_transport_count--;
    memmove(&x->x_transports[0], &x->x_transports[1],
            x->x_transport_count * sizeof x->x_transports[0]);
}

/* Where nobody performs, or no more can wait, it takes effect at once. */
static void put(t_shmlink *x, enum transport_what what, double a, double b)
{
    if (x->x_transport_count == PLAYHEAD_CUES)
        transport_play(x, 0);
    x->x_transports[x->x_transport_count++] =
        (struct playhead_change){clock_getlogicaltime(), what, {a, b}};
    while (x->x_transport_count && link_idle(x))
        transport_play(x, 0);
}

/* Frames from one logical time to another, none back. */
static uint32_t frames_to(const t_shmlink *x, double from, double to)
{
    double ms = clock_gettimesince(from) - clock_gettimesince(to);
    double frames = ms * x->x_rate_hz / 1000 + 0.5;

    return frames > 0 && frames < 1e9 ? (uint32_t)frames : 0;
}

/* As it is at this logical time: the clock stands where the last block ended. */
static struct shl_transport present(t_shmlink *x)
{
    struct shl_transport now = *shl_host_transport(x->x_host);
    double at = x->x_performed;
    uint32_t i;

    if (link_idle(x))
        return now;
    for (i = 0; i < x->x_transport_count; i++) {
        const struct playhead_change *change = &x->x_transports[i];
        shl_transport_advance(&now, frames_to(x, at, change->time));
        apply_change(&now, change);
        if (frames_to(x, at, change->time))
            at = change->time;
    }
    shl_transport_advance(&now, frames_to(x, at, clock_getlogicaltime()));
    return now;
}

/* The clock, or NULL and the error while there is no host to keep one. */
static struct shl_transport *transport(t_shmlink *x)
{
    return x->x_host ? shl_host_transport(x->x_host) : NULL;
}

static int read_numbers(t_shmlink *x, t_symbol *s, int argc, t_atom *argv,
                        int count, double least, const char *takes,
                        const char *example, double *numbers)
{
    int i;

    for (i = 0; i < argc && i < count; i++) {
        if (!atoms_number(&argv[i], &numbers[i]) || numbers[i] < least ||
            numbers[i] >= MOST)
            break;
    }
    if (argc == count && i == count) {
        if (transport(x))
            return 1;
        connection_ready(x, s, 0);
        return 0;
    }
    replies_refuse(&x->x_say, s, argc, argv, takes, example);
    return 0;
}

/* A device that does not listen is told of, but our own clock runs on. */
static void note_deaf(t_shmlink *x, t_symbol *s)
{
    struct shl_device_info info;

    if (shl_host_get_device(x->x_host, &info) == SHL_OK &&
        !(info.capabilities & SHL_CAP_TRANSPORT_IN) &&
        replies_once(&x->x_say, gensym("transport"), REPLIES_LINK))
        replies_note(&x->x_say,
                     "%s: the device does not follow a transport; the clock "
                     "of this object runs all the same",
                     s->s_name);
}

static void tempo(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double bpm;

    if (!read_numbers(x, s, argc, argv, 1, 1e-3,
                      "quarter notes per minute, above 0", "120", &bpm))
        return;
    put(x, PLAYHEAD_TEMPO, bpm, 0);
    note_deaf(x, s);
}

static void time_signature(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double meter[2];

    if (!read_numbers(x, s, argc, argv, 2, 1, "two whole numbers from 1", "3 4",
                      meter))
        return;
    if (!atoms_whole(&argv[0], 1, 1e6, &meter[0]) ||
        !atoms_whole(&argv[1], 1, 1e6, &meter[1])) {
        replies_refuse(&x->x_say, s, argc, argv, "two whole numbers from 1",
                       "3 4");
        return;
    }
    put(x, PLAYHEAD_METER, meter[0], meter[1]);
    note_deaf(x, s);
}

static void play(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double on;

    if (!read_numbers(x, s, argc, argv, 1, 0, "1 to play or 0 to stop", "1",
                      &on))
        return;
    if (!atoms_whole(argv, 0, 1, &on)) {
        replies_refuse(&x->x_say, s, argc, argv, "1 to play or 0 to stop", "1");
        return;
    }
    put(x, PLAYHEAD_PLAY, on, 0);
    note_deaf(x, s);
}

static void transport_set(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double beats;

    if (!read_numbers(x, s, argc, argv, 1, -1e300,
                      "a position in quarter notes", "16", &beats))
        return;
    put(x, PLAYHEAD_LOCATE, beats, 0);
    note_deaf(x, s);
}

static void transport_get(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    replies_number(&x->x_say, "transport", transport(x) ? present(x).beats : 0);
}

void transport_methods(t_class *c)
{
    class_addmethod(c, (t_method)tempo, gensym("tempo"), A_GIMME, 0);
    class_addmethod(c, (t_method)time_signature, gensym("time_signature"),
                    A_GIMME, 0);
    class_addmethod(c, (t_method)play, gensym("play"), A_GIMME, 0);
    class_addmethod(c, (t_method)play, gensym("transport_play"), A_GIMME, 0);
    class_addmethod(c, (t_method)transport_set, gensym("transport_set"),
                    A_GIMME, 0);
    class_addmethod(c, (t_method)transport_get, gensym("transport_get"),
                    A_GIMME, 0);
}
