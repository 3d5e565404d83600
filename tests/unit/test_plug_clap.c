/* SPDX-License-Identifier: MIT */
/* CLAP plugins by the interface of all formats, with tests/plugins/fixture_clap.c:
 * what a plugin has, hears, says, keeps, and how it is found and refused. */
#include "plug/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE   48000.0
#define FRAMES 256u

enum { GAIN = 700, WAVE = 30, LATENCY = 5, METER = 900, SECRET = 901 };

static char folder[1024], path[1200];
static struct plugin *plugin;
static _Atomic uint32_t changes;
static char logged[256];

static void changed(void *arg, uint32_t what)
{
    (void)arg;
    atomic_fetch_or(&changes, what);
}

static void log_line(void *arg, enum plugin_level level, const char *text)
{
    (void)arg;
    (void)level;
    snprintf(logged, sizeof logged, "%s", text);
}

static struct plugin_owner owner = {NULL, changed, log_line};

static shl_status load(const char *spec, uint32_t inputs, uint32_t outputs,
                       struct shl_why *why)
{
    const struct plugin_load how = {.spec = spec,
                                    .rate_hz = RATE,
                                    .block_frames = FRAMES,
                                    .inputs = inputs,
                                    .outputs = outputs,
                                    .owner = &owner};

    why->text[0] = 0;
    return plugin_format("clap")->load(&how, &plugin, why);
}

static void new_plugin(const char *spec)
{
    struct shl_why why;

    if (load(spec, PLUGIN_ANY, PLUGIN_ANY, &why))
        fail_msg("%s: %s", spec, why.text);
    assert_int_equal(
        plugin->calls->activate(plugin, RATE, SHL_MAX_FRAMES, &why), SHL_OK);
    atomic_store(&changes, 0);
}

static int end_plugin(void **state)
{
    (void)state;
    if (plugin) {
        plugin->calls->deactivate(plugin);
        plugin->calls->unload(plugin);
    }
    plugin = NULL;
    unsetenv("FIXTURE");
    return 0;
}

/* ---- a block ------------------------------------------------------------------------- */

static float in[3][FRAMES], out[2][FRAMES];
static struct shl_event heard[256];
static uint32_t heard_count;

static int take(void *to, const struct shl_event *event)
{
    (void)to;
    if (heard_count == 256)
        return 0;
    heard[heard_count++] = *event;
    return 1;
}

static void play(const struct shl_event *events, uint32_t count)
{
    const float *ins[3] = {in[0], in[1], in[2]};
    float *outs[2] = {out[0], out[1]};
    const struct plugin_block block = {.frames = FRAMES,
                                       .in = ins,
                                       .out = outs,
                                       .in_wired = 3,
                                       .out_wired = 2,
                                       .transport = shl_transport_default(RATE),
                                       .events = events,
                                       .event_count = count,
                                       .send = take};

    heard_count = 0;
    plugin->calls->process(plugin, &block);
}

static double level(void)
{
    double sum = 0;

    for (uint32_t i = 0; i < FRAMES; i++)
        sum += (double)out[0][i] * (double)out[0][i];
    return sqrt(sum / FRAMES);
}

/* Zero crossings upwards in a second of sound. */
static unsigned pitch(void)
{
    unsigned count = 0;
    float last = 0;

    for (unsigned i = 0; i < 48000 / FRAMES; i++) {
        play(NULL, 0);
        for (uint32_t k = 0; k < FRAMES; k++) {
            count += last <= 0 && out[0][k] > 0;
            last = out[0][k];
        }
    }
    return count;
}

static const struct shl_event *said(uint32_t kind, uint32_t id)
{
    for (uint32_t i = 0; i < heard_count; i++)
        if (heard[i].kind == kind &&
            (kind == SHL_EVENT_UMP || shl_event_id(&heard[i]) == id))
            return &heard[i];
    return NULL;
}

/* ---- what it has ------------------------------------------------------------------------ */

static void plugin_is_described(void **state)
{
    const struct shl_param *list;
    struct plugin_about about;
    struct plugin_ports ports;
    char text[64];

    (void)state;
    new_plugin(path);
    about = plugin->calls->about(plugin);
    assert_string_equal(about.name, "Fixture");
    assert_string_equal(about.vendor, "shmlink");
    assert_string_equal(about.category, "instrument");
    assert_string_equal(about.version, "1.5");
    ports = plugin->calls->ports(plugin);
    assert_int_equal(ports.audio_in, 3);
    assert_int_equal(ports.audio_out, 2);
    assert_int_equal(ports.midi_in, 1);
    assert_int_equal(ports.midi_out, 1);
    /* the hidden one is not in the list */
    assert_int_equal(plugin->calls->params(plugin, &list), 4);
    assert_int_equal(list[0].id, GAIN);
    assert_string_equal(list[0].name, "Gain");
    assert_string_equal(list[0].group, "Voice");
    assert_int_equal(list[1].curve, SHL_CURVE_STEPPED);
    assert_int_equal(list[1].flags, SHL_PARAM_AUTOMATABLE | SHL_PARAM_TOGGLE);
    assert_int_equal(list[3].flags, SHL_PARAM_READ_ONLY);
    assert_float_equal(plugin->calls->value(plugin, GAIN), 0.5, 0);
    assert_int_equal(plugin->calls->text(plugin, WAVE, 1, text, sizeof text),
                     SHL_OK);
    assert_string_equal(text, "square");
    assert_int_equal(plugin->calls->text(plugin, 1, 0, text, sizeof text),
                     SHL_NOT_FOUND);
}

static void notes_have_names(void **state)
{
    struct plugin_entry entry;

    (void)state;
    new_plugin(path);
    assert_true(plugin->calls->note_name(plugin, 1, &entry));
    assert_int_equal(entry.number, 38);
    assert_string_equal(entry.text, "Snare");
    assert_false(plugin->calls->note_name(plugin, 2, &entry));
}

static void each_plugin_of_a_file_has_its_spec(void **state)
{
    char spec[1300];

    (void)state;
    snprintf(spec, sizeof spec, "%s::org.shmlink.second", path);
    new_plugin(spec);
    assert_string_equal(plugin->calls->about(plugin).name, "Second Fixture");
    end_plugin(NULL);
    snprintf(spec, sizeof spec, "%s#Second_Fixture", path);
    new_plugin(spec);
    assert_string_equal(plugin->calls->about(plugin).name, "Second Fixture");
    end_plugin(NULL);
    setenv("CLAP_PATH", folder, 1);
    new_plugin("org.shmlink.second");
    assert_string_equal(plugin->calls->about(plugin).name, "Second Fixture");
    end_plugin(NULL);
    new_plugin("fixture");
    assert_string_equal(plugin->calls->about(plugin).name, "Fixture");
    unsetenv("CLAP_PATH");
}

static void folder_may_be_a_plugin(void **state)
{
    char inside[1400], command[8000], place[] = "/tmp/clap-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(place));
    snprintf(inside, sizeof inside, "%s/Folder.clap", place);
    snprintf(command, sizeof command, "mkdir '%s' && cp '%s' '%s/Folder.clap'",
             inside, path, inside);
    assert_int_equal(system(command), 0);
    new_plugin(inside);
    end_plugin(NULL);
    snprintf(command, sizeof command, "rm -r '%s'", place);
    assert_int_equal(system(command), 0);
}

/* ---- what it hears, and says --------------------------------------------------------------- */

static void notes_sound_in_both_dialects(void **state)
{
    struct shl_event on = shl_event_midi(100, 0, 0x90, 69, 127);
    struct shl_event off = shl_event_midi(0, 0, 0x80, 69, 0);

    (void)state;
    for (int midi = 0; midi <= 1; midi++) {
        if (midi)
            setenv("FIXTURE", "midi", 1);
        new_plugin(path);
        play(NULL, 0);
        assert_float_equal(level(), 0, 0);
        play(&on, 1);
        for (uint32_t i = 0; i <= 100; i++)
            assert_true(out[0][i] <= 0 && out[0][i] >= 0);
        assert_true(fabsf(out[0][101]) > 0);
        /* at its sample, and as MIDI in both */
        assert_non_null(said(SHL_EVENT_UMP, 0));
        assert_int_equal(said(SHL_EVENT_UMP, 0)->frame, 100);
        assert_int_equal(said(SHL_EVENT_UMP, 0)->data[0], on.data[0]);
        assert_in_range(pitch(), 439, 441);
        play(&off, 1);
        play(NULL, 0);
        assert_float_equal(level(), 0, 0);
        end_plugin(NULL);
    }
}

static void detuned_note_is_a_tuning(void **state)
{
    uint32_t ump[2];
    struct shl_event on;

    (void)state;
    new_plugin(path);
    shl_ump_note(0, 1, 0, 69.5, 65535, ump);
    on = shl_event_ump(0, ump, 2);
    play(&on, 1);
    assert_in_range(pitch(), 451, 455); /* 452.9 Hz */
}

static void bend_is_midi_or_a_tuning(void **state)
{
    struct shl_event two[2] = {shl_event_midi(0, 0, 0x90, 69, 127),
                               shl_event_midi(1, 0, 0xE0, 0, 0)};

    (void)state;
    new_plugin(path);
    play(two, 2);
    assert_int_equal(heard[1].kind, SHL_EVENT_UMP);
    assert_int_equal(heard[1].data[0], two[1].data[0]);
    assert_in_range(pitch(), 439, 441);
    end_plugin(NULL);
    setenv("FIXTURE", "onlynotes", 1);
    new_plugin(path);
    play(two, 2);
    assert_in_range(pitch(), 391, 393); /* two semitones down */
}

/* Another host listens: what the one before had begun is over. */
static void half_a_sysex_ends_with_its_host(void **state)
{
    uint8_t bytes[20] = {0xF0};
    struct shl_event events[3];
    uint32_t ump[2];

    (void)state;
    bytes[19] = 0xF7;
    new_plugin(path);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(shl_sysex7_packet(0, bytes, sizeof bytes, i, ump),
                         SHL_OK);
        events[i] = shl_event_ump(1, ump, 2);
    }
    play(events, 2);
    plugin->calls->silence(plugin);
    play(events + 2, 1);
    assert_null(said(SHL_EVENT_UMP, 0));
}

static void two_sysex_of_one_block_stay_apart(void **state)
{
    const uint8_t a[] = {0xF0, 1, 2, 0xF7}, b[] = {0xF0, 3, 4, 5, 0xF7};
    struct shl_event events[2];
    uint32_t ump[2];

    (void)state;
    new_plugin(path);
    assert_int_equal(shl_sysex7_packet(0, a, sizeof a, 0, ump), SHL_OK);
    events[0] = shl_event_ump(1, ump, 2);
    assert_int_equal(shl_sysex7_packet(0, b, sizeof b, 0, ump), SHL_OK);
    events[1] = shl_event_ump(1, ump, 2);
    play(events, 2);
    assert_memory_equal(heard[0].data, events[0].data, 8);
    assert_memory_equal(heard[1].data, events[1].data, 8);
}

static void sysex_comes_whole_and_goes_back(void **state)
{
    uint8_t bytes[100] = {0xF0};
    struct shl_event events[20];
    uint32_t packets, ump[2];

    (void)state;
    for (int i = 1; i < 99; i++)
        bytes[i] = (uint8_t)i;
    bytes[99] = 0xF7;
    new_plugin(path);
    packets = shl_sysex7_packets(bytes, sizeof bytes);
    for (uint32_t i = 0; i < packets; i++) {
        assert_int_equal(shl_sysex7_packet(0, bytes, sizeof bytes, i, ump),
                         SHL_OK);
        events[i] = shl_event_ump(7, ump, 2);
    }
    /* in two blocks */
    play(events, 5);
    assert_null(said(SHL_EVENT_UMP, 0));
    play(events + 5, packets - 5);
    for (uint32_t i = 0; i < packets; i++) {
        assert_int_equal(heard[i].kind, SHL_EVENT_UMP);
        assert_memory_equal(heard[i].data, events[i].data, 8);
        assert_int_equal(heard[i].frame, 7);
    }
}

static void values_and_meters_go_both_ways(void **state)
{
    struct shl_event events[3] = {
        shl_event_midi(0, 0, 0x90, 69, 127),
        shl_event_param(0, SHL_EVENT_PARAM, GAIN, 1),
        shl_event_param(0, SHL_EVENT_PARAM, METER, 1)}; /* nobody sets it */
    uint32_t words = 0;
    double before;

    (void)state;
    new_plugin(path);
    play(events, 1);
    before = level();
    play(events + 1, 2);
    play(NULL, 0);
    assert_true(level() > before * 1.5);
    assert_float_equal(plugin->calls->value(plugin, GAIN), 1, 0);
    for (uint32_t i = 0; i < heard_count; i++)
        words += heard[i].kind == SHL_EVENT_PARAM;
    assert_int_equal(words, 1); /* of four, the last */
    assert_true(shl_event_value(said(SHL_EVENT_PARAM, METER)) > 0.9);
    assert_float_equal(plugin->calls->value(plugin, METER),
                       shl_event_value(said(SHL_EVENT_PARAM, METER)), 0);
}

static void block_of_no_frames_sets_values_and_keeps_notes(void **state)
{
    const struct shl_event two[2] = {
        shl_event_midi(0, 0, 0x90, 69, 127),
        shl_event_param(0, SHL_EVENT_PARAM, GAIN, 0.25)};
    const struct plugin_block none = {
        .events = two, .event_count = 2, .send = take};
    struct state bytes = {0};
    struct shl_why why;
    double gain;

    (void)state;
    new_plugin(path);
    plugin->calls->process(plugin, &none);
    /* a value holds at once */
    assert_int_equal(plugin->calls->save(plugin, &bytes, &why), SHL_OK);
    memcpy(&gain, bytes.bytes + 4, sizeof gain);
    assert_float_equal(gain, 0.25, 0);
    state_free(&bytes);
    play(NULL, 0);
    assert_true(level() > 0.1);
    plugin->calls->silence(plugin);
    play(NULL, 0);
    assert_float_equal(level(), 0, 0);
}

static void too_many_events_are_counted(void **state)
{
    static struct shl_event many[20000];

    (void)state;
    new_plugin(path);
    for (uint32_t i = 0; i < 20000; i++)
        many[i] = shl_event_param(0, SHL_EVENT_PARAM, GAIN, (i % 100) / 100.0);
    play(many, 20000);
    plugin->calls->tick(plugin);
    assert_non_null(strstr(logged, "events were too many"));
    play(NULL, 0);
}

/* ---- latency, ports ---------------------------------------------------------------------------- */

static void latency_changes_by_a_restart(void **state)
{
    struct shl_event late = shl_event_param(0, SHL_EVENT_PARAM, LATENCY, 100);
    struct shl_why why;

    (void)state;
    new_plugin(path);
    assert_int_equal(plugin->calls->latency(plugin), 0);
    play(&late, 1);
    for (int ms = 0; ms < 20000; ms++) {
        if (atomic_load(&changes) & PLUGIN_WANTS_RESTART)
            break;
        usleep(1000); /* its thread is on the way */
    }
    assert_true(atomic_load(&changes) & PLUGIN_WANTS_RESTART);
    plugin->calls->deactivate(plugin);
    assert_int_equal(
        plugin->calls->activate(plugin, RATE, SHL_MAX_FRAMES, &why), SHL_OK);
    assert_int_equal(plugin->calls->latency(plugin), 100);
    in[0][10] = 1;
    play(NULL, 0);
    in[0][10] = 0;
    assert_float_equal(out[0][110], 1, 0);
    assert_float_equal(out[0][10], 0, 0);
}

static void ports_follow_a_configuration(void **state)
{
    struct shl_why why;

    (void)state;
    assert_int_equal(load(path, 2, 1, &why), SHL_OK);
    assert_int_equal(plugin->calls->ports(plugin).audio_in, 2);
    assert_int_equal(plugin->calls->ports(plugin).audio_out, 1);
    assert_int_equal(plugin->calls->set_ports(plugin, 3, 2, &why), SHL_OK);
    assert_int_equal(plugin->calls->ports(plugin).audio_out, 2);
    assert_int_equal(plugin->calls->set_ports(plugin, 7, 7, &why),
                     SHL_UNSUPPORTED);
    assert_string_equal(why.text,
                        "this plugin has 3 inputs and 2 outputs, and no "
                        "configuration with 7 and 7");
    assert_int_equal(plugin->calls->ports(plugin).audio_in, 3);
}

static void timers_and_calls_are_served(void **state)
{
    (void)state;
    new_plugin(path);
    atomic_store(&changes, 0);
    for (int ms = 0; ms < 100; ms++) {
        plugin->calls->tick(plugin);
        usleep(1000);
    }
    assert_int_equal(atomic_load(&changes), 0);
}

/* ---- state ---------------------------------------------------------------------------------------- */

static void state_comes_back(void **state)
{
    struct shl_event set[3] = {
        shl_event_param(0, SHL_EVENT_PARAM, GAIN, 0.123456789),
        shl_event_param(0, SHL_EVENT_PARAM, WAVE, 1),
        shl_event_param(0, SHL_EVENT_PARAM, SECRET, 0.75)};

    (void)state;
    for (int own = 1; own >= 0; own--) {
        struct state first = {0}, second = {0};
        struct shl_why why;

        if (!own)
            setenv("FIXTURE", "nostate", 1);
        new_plugin(path);
        play(set, 3);
        assert_int_equal(plugin->calls->save(plugin, &first, &why), SHL_OK);
        end_plugin(NULL);
        if (!own)
            setenv("FIXTURE", "nostate", 1);
        new_plugin(path);
        assert_int_equal(
            plugin->calls->restore(plugin, first.bytes, first.size, &why),
            SHL_OK);
        assert_float_equal(plugin->calls->value(plugin, GAIN), 0.123456789, 0);
        assert_float_equal(plugin->calls->value(plugin, SECRET), 0.75, 0);
        assert_int_equal(plugin->calls->save(plugin, &second, &why), SHL_OK);
        assert_int_equal(second.size, first.size);
        assert_memory_equal(second.bytes, first.bytes, first.size);
        /* cut, or of somebody else */
        assert_int_equal(
            plugin->calls->restore(plugin, first.bytes, first.size - 1, &why),
            SHL_BAD_VALUE);
        assert_int_equal(
            plugin->calls->restore(plugin, (const uint8_t *)"?", 1, &why),
            SHL_BAD_VALUE);
        assert_float_equal(plugin->calls->value(plugin, GAIN), 0.123456789, 0);
        state_free(&first);
        state_free(&second);
        end_plugin(NULL);
    }
}

static void refused_state_has_its_reason(void **state)
{
    struct state bytes = {0};
    struct shl_why why = {""};

    (void)state;
    setenv("FIXTURE", "refuse", 1);
    new_plugin(path);
    assert_int_equal(plugin->calls->save(plugin, &bytes, &why),
                     SHL_UNSUPPORTED);
    assert_string_equal(why.text, "the plugin does not give its state");
    state_free(&bytes);
}

/* ---- refused ---------------------------------------------------------------------------------------- */

static void wrong_names_have_their_reason(void **state)
{
    struct shl_why why;
    char spec[1400], want[1500];

    (void)state;
    assert_int_equal(load("/nowhere/x.clap", PLUGIN_ANY, PLUGIN_ANY, &why),
                     SHL_NOT_FOUND);
    assert_string_equal(why.text, "there is no file \"/nowhere/x.clap\"");
    snprintf(spec, sizeof spec, "%s::nobody", path);
    assert_int_equal(load(spec, PLUGIN_ANY, PLUGIN_ANY, &why), SHL_NOT_FOUND);
    snprintf(want, sizeof want, "there is no plugin \"nobody\" in \"%.150s",
             path);
    assert_int_equal(strncmp(why.text, want, 60), 0);
    assert_int_equal(load("/etc/passwd", PLUGIN_ANY, PLUGIN_ANY, &why),
                     SHL_UNSUPPORTED);
    assert_non_null(strstr(why.text, "does not load"));
    assert_int_equal(
        load("no such plugin anywhere", PLUGIN_ANY, PLUGIN_ANY, &why),
        SHL_NOT_FOUND);
    assert_non_null(strstr(why.text, "there is no CLAP plugin"));
    plugin = NULL;
}

#define CLAP_TEST(name) cmocka_unit_test_teardown(name, end_plugin)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CLAP_TEST(plugin_is_described),
        CLAP_TEST(notes_have_names),
        CLAP_TEST(each_plugin_of_a_file_has_its_spec),
        CLAP_TEST(folder_may_be_a_plugin),
        CLAP_TEST(notes_sound_in_both_dialects),
        CLAP_TEST(detuned_note_is_a_tuning),
        CLAP_TEST(bend_is_midi_or_a_tuning),
        CLAP_TEST(two_sysex_of_one_block_stay_apart),
        CLAP_TEST(half_a_sysex_ends_with_its_host),
        CLAP_TEST(sysex_comes_whole_and_goes_back),
        CLAP_TEST(values_and_meters_go_both_ways),
        CLAP_TEST(block_of_no_frames_sets_values_and_keeps_notes),
        CLAP_TEST(too_many_events_are_counted),
        CLAP_TEST(latency_changes_by_a_restart),
        CLAP_TEST(ports_follow_a_configuration),
        CLAP_TEST(timers_and_calls_are_served),
        CLAP_TEST(state_comes_back),
        CLAP_TEST(refused_state_has_its_reason),
        CLAP_TEST(wrong_names_have_their_reason),
    };
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);

    (void)argc;
    (void)argv;
    if (length < 0)
        return 1;
    folder[length] = 0;
    *strrchr(folder, '/') = 0;
    snprintf(path, sizeof path, "%s/fixture.clap", folder);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
