/* Transport messages. The host keeps the clock, so it is right with every
 * device; what is set here counts from the start of the next block. */
#include "pd/shmlink.h"

#define MOST 1e15 /* of anything here; a position beyond is none */

/* The clock, or NULL and the error while there is no host to keep one. */
static struct shl_transport *transport(t_shmlink *x)
{
    return x->x_host ? shl_host_transport(x->x_host) : NULL;
}

static void refuse(t_shmlink *x, t_symbol *s, int argc, const t_atom *argv,
                   const char *takes)
{
    char words[100];

    atoms_words(argc, argv, words, sizeof words);
    replies_error(&x->x_say, s, SHL_BAD_VALUE,
                  "%s: takes %s, not %s: nothing changes", s->s_name, takes,
                  words);
}

static int read_numbers(t_shmlink *x, t_symbol *s, int argc, t_atom *argv,
                        int count, double least, const char *takes,
                        double *numbers)
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
    refuse(x, s, argc, argv, takes);
    return 0;
}

/* A device that does not listen is told of, but our own clock runs on. */
static void note_deaf(t_shmlink *x, t_symbol *s)
{
    struct shl_device_info info;

    if (shl_host_device(x->x_host, &info) == SHL_OK &&
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
                      "quarter notes per minute, above 0", &bpm))
        return;
    transport(x)->tempo = bpm;
    note_deaf(x, s);
}

static void time_signature(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double meter[2];

    if (!read_numbers(x, s, argc, argv, 2, 1,
                      "two whole numbers from 1, such as 3 4", meter))
        return;
    if (!atoms_whole(&argv[0], 1, 1e6, &meter[0]) ||
        !atoms_whole(&argv[1], 1, 1e6, &meter[1])) {
        refuse(x, s, argc, argv, "two whole numbers from 1, such as 3 4");
        return;
    }
    transport(x)->numerator = (uint32_t)meter[0];
    transport(x)->denominator = (uint32_t)meter[1];
    note_deaf(x, s);
}

static void play(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double on;

    if (!read_numbers(x, s, argc, argv, 1, 0, "1 to play or 0 to stop", &on))
        return;
    if (!atoms_whole(argv, 0, 1, &on)) {
        refuse(x, s, argc, argv, "1 to play or 0 to stop");
        return;
    }
    transport(x)->playing = on > 0;
    note_deaf(x, s);
}

static void transport_set(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double beats;

    if (!read_numbers(x, s, argc, argv, 1, -1e300,
                      "a position in quarter notes", &beats))
        return;
    shl_transport_locate(transport(x), beats);
    note_deaf(x, s);
}

static void transport_get(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    replies_number(&x->x_say, "transport",
                   transport(x) ? transport(x)->beats : 0);
}

void playhead_methods(t_class *c)
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
