/* SPDX-License-Identifier: MIT */
/* What a patch that is a device tells of itself: latency, info, stats, why. */
#include "pd/device_info.h"
#include "pd/patch/patch.h"

#include <stdio.h>

/* With a number: the frames from the patch's inlets to its outlets. Without:
 * the sum that hosts see. */
static void patch_latency(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    double frames = -1;

    if (argc > 1 || (argc && !atoms_whole(argv, 0, 1e8, &frames))) {
        replies_refuse(&x->x_say, s, argc, argv,
                       "a whole number of frames, or nothing", "64");
        return;
    }
    if (argc) {
        x->x_latency = (uint32_t)frames;
        if (x->x_device)
            shl_device_set_latency(x->x_device, x->x_latency + x->x_delay);
    }
    replies_number(&x->x_say, "latency", (double)x->x_latency + x->x_delay);
}

static void patch_info(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    if (!x->x_device) {
        replies_number(&x->x_say, "info_done", 0);
        replies_error(&x->x_say, s, SHL_NO_DEVICE,
                      "info: the device is not on the board: send open");
        return;
    }
    device_info_look_up(&x->x_say, s, shl_device_id(x->x_device));
}

static void patch_stats(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_device_stats stats = {0};
    size_t i;

    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    if (x->x_device)
        shl_device_get_stats(x->x_device, &stats);
    const struct {
        const char *key;
        uint64_t value;
    } lines[] = {
        {"blocks", stats.blocks},
        {"ticks", x->x_ticks},
        {"ticks_alone", x->x_alone},
        {"padded", x->x_padded},
        {"missed", stats.missed},
        {"events_dropped", stats.events_dropped},
        {"events_raised", stats.events_raised},
        {"events_bad", stats.events_bad},
        {"events_excluded", stats.events_excluded},
        {"queue_lost", x->x_spoken.lost + x->x_going.lost},
        {"queue_unheard", x->x_unheard},
        {"delivery_lost", x->x_heard.lost},
        {"sysex_lost", x->x_voice.sysex_lost},
        {"midi_strays", x->x_voice.raw.strays},
    };
    for (i = 0; i < sizeof lines / sizeof *lines; i++)
        replies_key_number(&x->x_say, "stats", lines[i].key,
                           (double)lines[i].value);
    replies_bare(&x->x_say, "stats_done");
}

static int refused_priority(const t_patch *x)
{
    shl_status status = shl_device_get_priority(x->x_device);

    return status != SHL_OK && status != SHL_AGAIN;
}

static void say_why(const t_patch *x, char *text, size_t size)
{
    struct shl_host_info info;

    if (x->x_silent)
        snprintf(text, size,
                 "it is in a canvas with another block or rate than Pd's own: "
                 "put it outside");
    else if (!x->x_device && x->x_why.text[0])
        snprintf(text, size, "%s", x->x_why.text);
    else if (!x->x_device)
        snprintf(text, size, "it is not on the board: send open");
    else if (!shl_device_claimed(x->x_device, &info))
        snprintf(text, size, "on the board as %s: no host has claimed it",
                 x->x_wanted);
    else if (x->x_looped)
        snprintf(text, size,
                 "its host is in this same Pd, which cannot wait for itself");
    else if (!pd_getdspstate())
        snprintf(text, size, "DSP is off here: process %u hears silence",
                 (unsigned)info.pid);
    else
        snprintf(text, size, "process %u has claimed it, %s, %s%s",
                 (unsigned)info.pid, shl_drive_name(info.drive),
                 !x->x_slave            ? "each in its own time"
                 : !patch_keeps_time(x) ? "one block late"
                 : x->x_lost            ? "but sends no blocks now"
                                        : "and keeps the time",
                 refused_priority(x) ? "; this Pd may not be realtime as its "
                                       "host is: allow it (limits.conf: rtprio)"
                                     : "");
}

static void patch_why(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    char text[400];

    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    say_why(x, text, sizeof text);
    replies_note(&x->x_say, "%s", text);
    replies_text(&x->x_say, "why", text);
}

static void patch_version(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    t_atom atoms[3];

    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    atoms_set_number(&atoms[0], SHL_VERSION_MAJOR);
    atoms_set_number(&atoms[1], SHL_VERSION_MINOR);
    atoms_set_number(&atoms[2], SHL_VERSION_PATCH);
    replies_send(&x->x_say, "version", 3, atoms);
}

void patch_facts_methods(t_class *c)
{
    class_addmethod(c, (t_method)patch_latency, gensym("latency"), A_GIMME, 0);
    class_addmethod(c, (t_method)patch_info, gensym("info"), A_GIMME, 0);
    class_addmethod(c, (t_method)patch_stats, gensym("stats"), A_GIMME, 0);
    class_addmethod(c, (t_method)patch_why, gensym("why"), A_GIMME, 0);
    class_addmethod(c, (t_method)patch_version, gensym("version"), A_GIMME, 0);
}
