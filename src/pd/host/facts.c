/* SPDX-License-Identifier: MIT */
/* Questions about the link and the device that can be answered at once: info,
 * stats, why, latency, version, print. */
#include "pd/device_info.h"
#include "pd/host/shmlink.h"

/* Frames of the event path: into the device none, back into Pd the block that
 * was already played when its events are seen, in whole ticks of Pd. */
static uint32_t event_out_frames(const t_shmlink *x)
{
    return x->x_frames > x->x_tick_frames ? x->x_frames : x->x_tick_frames;
}

static void shmlink_info(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_device_info info;
    char id[128];

    if (argc > 1 || (argc && !atoms_is_word(argv))) {
        replies_number(&x->x_say, "info_done", 0);
        replies_refuse(&x->x_say, s, argc, argv,
                       "one device (_ for a space), or nothing for the linked "
                       "one",
                       "MySynth:0");
        return;
    }
    if (argc) {
        atoms_text(argv, id, sizeof id);
        device_info_look_up(&x->x_say, s, id);
        return;
    }
    if (!connection_ready(x, s, 0) || shl_host_get_device(x->x_host, &info)) {
        replies_number(&x->x_say, "info_done", 0);
        return;
    }
    if (flags_is_plugin(x->x_say.name))
        device_info_tell_plugin(&x->x_say, &info, "mine", x->x_say.name);
    else
        device_info_tell(&x->x_say, &info, "mine");
    replies_key_number(&x->x_say, "info", "latency",
                       shl_host_latency(x->x_host));
    replies_key_number(&x->x_say, "info", "linklatency",
                       shl_host_link_latency(x->x_host));
    replies_key_number(&x->x_say, "info", "eventin", 0);
    replies_key_number(&x->x_say, "info", "eventout", event_out_frames(x));
    replies_key_text(&x->x_say, "info", "drive",
                     shl_drive_name(shl_host_drive(x->x_host)));
    replies_number(&x->x_say, "info_done", 1);
}

/* Of a link in the free drive; others follow no clock. */
static void tell_clocks(t_shmlink *x)
{
    struct shl_host_stream stream = {.mode = "-"};

    if (x->x_host)
        shl_host_get_stream(x->x_host, &stream);
    replies_key_text(&x->x_say, "stats", "clocks", stream.mode);
    replies_key_number(&x->x_say, "stats", "drift_ppm", stream.drift_ppm);
    replies_key_number(&x->x_say, "stats", "underruns",
                       (double)stream.underruns);
    replies_key_number(&x->x_say, "stats", "skips", (double)stream.skips);
    replies_key_number(&x->x_say, "stats", "dropped", (double)stream.dropped);
    replies_key_number(&x->x_say, "stats", "doubled", (double)stream.doubled);
}

static void shmlink_stats(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_host_stats stats = {0};
    size_t i;

    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    if (x->x_host)
        shl_host_get_stats(x->x_host, &stats);
    const struct {
        const char *key;
        uint64_t value;
    } lines[] = {
        {"blocks", stats.blocks},
        {"missed", stats.missed},
        {"late", stats.late},
        {"silent_frames", stats.silent_frames},
        {"stalls", stats.stalls},
        {"links", stats.links},
        {"events_sent", stats.events_sent},
        {"events_received", stats.events_received},
        {"events_dropped", stats.events_dropped},
        {"events_late", stats.events_late},
        {"events_raised", stats.events_raised},
        {"events_bad", stats.events_bad + x->x_unknown},
        {"samples_bad", stats.samples_bad},
        {"events_excluded", stats.events_excluded + x->x_excluded},
        {"queue_lost", x->x_out.lost},
        {"queue_unsent", x->x_unsent},
        {"delivery_lost", x->x_in.lost},
        {"sysex_lost", x->x_voice.sysex_lost},
        {"midi_strays", x->x_voice.raw.strays},
    };
    for (i = 0; i < sizeof lines / sizeof *lines; i++)
        replies_key_number(&x->x_say, "stats", lines[i].key,
                           (double)lines[i].value);
    tell_clocks(x);
    replies_bare(&x->x_say, "stats_done");
}

static void shmlink_why(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    char text[400];

    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    link_why(x, text, sizeof text);
    replies_note(&x->x_say, "%s", text);
    replies_text(&x->x_say, "why", text);
}

static void shmlink_latency(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    replies_number(&x->x_say, "latency",
                   x->x_host ? shl_host_latency(x->x_host) : 0);
}

static void shmlink_version(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    t_atom atoms[3];

    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    atoms_set_number(&atoms[0], SHL_VERSION_MAJOR);
    atoms_set_number(&atoms[1], SHL_VERSION_MINOR);
    atoms_set_number(&atoms[2], SHL_VERSION_PATCH);
    replies_send(&x->x_say, "version", 3, atoms);
}

static void print_number(const char *what, uint32_t number)
{
    post("%s: %u", what, (unsigned)number);
}

static void print_capability(const char *what,
                             const struct shl_device_info *info, uint64_t bit)
{
    post("%s: %s", what, info->capabilities & bit ? "yes" : "no");
}

/* Nothing is asked for it: the device may be the one that does not answer. */
static void print_counted(const char *what, int count, const char *selector)
{
    if (count >= 0)
        print_number(what, (uint32_t)count);
    else
        post("%s: not counted yet, see %s", what, selector);
}

static void print_channels(const t_shmlink *x,
                           const struct shl_device_info *info)
{
    print_number("inputs", info->in_channels);
    print_number("outputs", info->out_channels);
    print_number("taps", info->tap_count);
    print_number("parameters", info->param_count);
    if (info->capabilities & SHL_CAP_PROGRAMS)
        print_counted("programs", x->x_programs, "program_count");
    else
        print_number("programs", 0);
    print_counted("presets", x->x_presets, "preset_count");
}

static void print_link(const t_shmlink *x, const struct shl_device_info *info)
{
    post("link: %s Hz, block %u, %s, latency %u frames, tag %s",
         shl_digits(info->rate_hz, 10).text,
         (unsigned)shl_host_block(x->x_host),
         shl_drive_name(shl_host_drive(x->x_host)),
         (unsigned)shl_host_latency(x->x_host), info->tag[0] ? info->tag : "-");
}

static void print_device(const t_shmlink *x, const struct shl_device_info *info)
{
    int plugin = flags_is_plugin(x->x_say.name);

    post("name: %s", info->id);
    post("type: shm%s [bridged]",
         info->capabilities & SHL_CAP_SYNTH ? " (synth)" : "");
    post("version: %s", info->version);
    post("path: %s", plugin ? x->x_say.name : info->id);
    print_number("process", info->pid);
    post("vendor: %s", info->vendor);
    post("category: %s", info->category);
    print_channels(x, info);
    print_capability("editor", info, SHL_CAP_EDITOR);
    print_capability("resizable", info, SHL_CAP_RESIZABLE);
    post("single precision: yes");
    post("double precision: no");
    print_capability("midi input", info, SHL_CAP_MIDI_IN);
    print_capability("midi output", info, SHL_CAP_MIDI_OUT);
    print_link(x, info);
}

static void shmlink_print(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_device_info info;
    char text[400];

    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    if (x->x_host && shl_host_get_device(x->x_host, &info) == SHL_OK)
        print_device(x, &info);
    link_why(x, text, sizeof text);
    post("state: %s", text);
}

void facts_methods(t_class *c)
{
    class_addmethod(c, (t_method)shmlink_info, gensym("info"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmlink_stats, gensym("stats"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmlink_why, gensym("why"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmlink_latency, gensym("latency"), A_GIMME,
                    0);
    class_addmethod(c, (t_method)shmlink_version, gensym("version"), A_GIMME,
                    0);
    class_addmethod(c, (t_method)shmlink_print, gensym("print"), A_GIMME, 0);
}
