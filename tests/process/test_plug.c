/* SPDX-License-Identifier: MIT */
/* A whole plugin program but for its main: the control thread in a thread of
 * this process, its audio thread, builtin plugins, and a scripted DAW. */
#include "plug/control.h"
#include "plug/log.h"

#include "core/os/platform.h"
#include "fake_daw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint32_t versions[] = {3, 4, 5, 6, 7, 8};
#define VERSIONS (sizeof versions / sizeof versions[0])

static struct fake_daw daw;
static shl_plugin_host *plugin_host;
static struct control_options options;
static pthread_t thread;
static int running;

static void *carry(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)control_serve(&options, plugin_host);
}

/* Start a program with this plugin; it becomes ready, or ends. */
static void begin_with(uint32_t version, const char *format, const char *spec)
{
    assert_true(fake_daw_open(&daw, version, SHL_MAOLAN_SIZE));
    assert_int_equal(fake_daw_serve(&daw, &plugin_host, NULL), SHL_OK);
    options = (struct control_options){.format = format,
                                       .spec = spec,
                                       .block_frames = 64,
                                       .inputs = PLUGIN_ANY,
                                       .outputs = PLUGIN_ANY};
    assert_int_equal(pthread_create(&thread, NULL, carry, NULL), 0);
    running = 1;
}

static void begin(uint32_t version, const char *spec)
{
    begin_with(version, "builtin", spec);
    for (int ms = 0; ms < 30000; ms++) {
        if (fake_daw_word(&daw, daw.maolan.layout->ready))
            return;
        shl_sleep_ms(1);
    }
    fail_msg("%s is not ready", spec);
}

/* Its exit code. */
static int wait_end(void)
{
    void *code = NULL;

    assert_int_equal(pthread_join(thread, &code), 0);
    running = 0;
    shl_plugin_host_close(plugin_host);
    fake_daw_close(&daw);
    return (int)(intptr_t)code;
}

static int end(void)
{
    fake_daw_set(&daw, daw.maolan.layout->shutdown_request, 1);
    fake_daw_ring(&daw);
    return wait_end();
}

static int tear_down(void **state)
{
    (void)state;
    if (running)
        end();
    return 0;
}

static const struct shl_maolan_layout *row(void)
{
    return daw.maolan.layout;
}

static void block(uint32_t frames, uint32_t inputs, uint32_t outputs)
{
    fake_daw_block(&daw, frames, inputs, outputs);
    assert_true(fake_daw_wait(&daw));
}

/* Ask, and have all bytes taken; true: success. */
static bool ask(uint32_t type)
{
    fake_daw_ask(&daw, type);
    if (type != SHL_PLUGIN_HOST_SHOW && type != SHL_PLUGIN_HOST_HIDE)
        assert_true(fake_daw_wait(&daw));
    const uint32_t status = fake_daw_status(&daw);
    assert_int_equal(fake_daw_bytes(&daw), 0);
    assert_int_not_equal(status, 0);
    return status == SHL_REQUEST_SUCCESS;
}

static float *plane(uint32_t channel, uint32_t bus)
{
    return shl_maolan_plane(&daw.maolan, channel, bus);
}

/* ---- audio ---------------------------------------------------------------------- */

/* Every bit pattern that is a number, in turn. */
static float sample(uint32_t channel, uint32_t i)
{
    uint32_t bits = (channel * SHL_MAX_FRAMES + i) * 32749u + 1;
    float value;

    if ((bits & 0x7F800000u) == 0x7F800000u)
        bits &= 0x807FFFFFu;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void passes(uint32_t frames, uint32_t channels)
{
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++) {
            plane(c, 0)[i] = sample(c, i);
            plane(c, 1)[i] = 7;
        }
    block(frames, channels, channels);
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++) {
            const float wanted = sample(c, i);

            if (memcmp(&plane(c, 1)[i], &wanted, sizeof wanted))
                fail_msg("channel %u, sample %u of %u", c, i, frames);
        }
}

/* shows MP-07 MP-09 ME-13 */
static void audio_passes_bit_by_bit(void **state)
{
    static const uint32_t frames[] = {1, 64, 512, 4096};
    static const uint32_t channels[] = {1, 2, 32};
    static const char *const specs[] = {"null", "fixture:in=32,out=32"};

    (void)state;
    for (size_t n = 0; n < VERSIONS * 2; n++) {
        begin(versions[n / 2], specs[n % 2]);
        for (uint32_t i = 0; i < 12; i++)
            passes(frames[i % 4], channels[i / 4]);
        assert_int_equal(end(), PLUG_OK);
    }
}

static void gain_at_0_dB_changes_no_bit(void **state)
{
    (void)state;
    begin(3, "gain");
    passes(512, 2);
    const struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 0, -6);
    shl_maolan_send(&daw.maolan, &event, 100);
    plane(0, 0)[99] = plane(0, 0)[100] = 1;
    block(512, 2, 2);
    assert_true(plane(0, 1)[99] == 1);
    assert_true(plane(0, 1)[100] == (float)pow(10, -6. / 20));
}

/* Channels that the plugin does not have are silence. */
static void outputs_beyond_the_plugins_are_silent(void **state)
{
    (void)state;
    begin(6, "fixture:in=1,out=1");
    for (uint32_t c = 0; c < 4; c++)
        plane(c, 0)[0] = plane(c, 1)[0] = 0.5f;
    block(64, 4, 4);
    assert_true(plane(0, 1)[0] == 0.5f);
    for (uint32_t c = 1; c < 4; c++)
        assert_true(plane(c, 1)[0] == 0);
}

/* shows MP-08 */
static void counts_beyond_all_measure_do_no_harm(void **state)
{
    (void)state;
    begin(6, "null");
    block(64, 33, 0xFFFFFFFFu);
    block(4097, 2, 2);
    block(0, 2, 2);
    block(0xFFFFFFFFu, 0x80000000u, 33);
    passes(64, 32);
}

static void what_is_no_number_becomes_silence(void **state)
{
    (void)state;
    begin(3, "fixture:nan");
    plane(0, 0)[0] = 1;
    plane(0, 0)[1] = (float)INFINITY;
    plane(0, 0)[2] = 0.5f;
    block(64, 2, 2);
    assert_true(plane(0, 1)[0] == 0);
    assert_true(plane(0, 1)[1] == 0);
    assert_true(plane(0, 1)[2] == 0.5f);
}

/* ---- events --------------------------------------------------------------------- */

/* shows MP-10 MP-11 MP-12 MP-14 */
static void parameters_come_back_as_they_went(void **state)
{
    struct shl_event event;
    uint32_t offset;

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v], "fixture:echo,params=100");
        for (uint32_t i = 0; i < 200; i++) {
            event = shl_event_param(0, SHL_EVENT_PARAM + i % 4, 3 + i % 100,
                                    i % 4 < 2 ? (i % 32) / 32. : 0);
            assert_int_equal(shl_maolan_send(&daw.maolan, &event, i), SHL_OK);
        }
        block(256, 2, 2);
        shl_maolan_begin(&daw.maolan, 256);
        for (uint32_t i = 0; i < 200; i++) {
            struct shl_event wanted =
                shl_event_param(0, SHL_EVENT_PARAM + i % 4, 3 + i % 100,
                                i % 4 < 2 ? (i % 32) / 32. : 0);

            assert_true(shl_maolan_take(&daw.maolan, &event, &offset));
            assert_int_equal(offset, i);
            assert_memory_equal(&event, &wanted, sizeof event);
        }
        assert_false(shl_maolan_take(&daw.maolan, &event, &offset));
        assert_int_equal(end(), PLUG_OK);
    }
}

/* shows MP-23 */
static void midi_comes_back_on_every_port_and_channel(void **state)
{
    struct shl_event event, wanted;
    uint32_t offset;

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v], "fixture:echo,midi_in=16,midi_out=16");
        for (int pass = 0; pass < 2; pass++) {
            for (uint32_t i = 0; i < row()->midi_ports * 16; i++) {
                event = shl_event_midi(0, (uint8_t)(i / 16),
                                       (uint8_t)(0xB0 | i % 16), 1, 2);
                assert_int_equal(shl_maolan_send(&daw.maolan, &event, i),
                                 SHL_OK);
            }
            block(256, 2, 2);
            shl_maolan_begin(&daw.maolan, 256);
            for (uint32_t i = 0; i < row()->midi_ports * 16; i++) {
                wanted = shl_event_midi(0, (uint8_t)(i / 16),
                                        (uint8_t)(0xB0 | i % 16), 1, 2);
                assert_true(shl_maolan_take(&daw.maolan, &event, &offset));
                assert_int_equal(offset, i);
                assert_memory_equal(&event, &wanted, sizeof event);
            }
        }
        assert_int_equal(end(), PLUG_OK);
    }
}

static float loudest(uint32_t frames)
{
    float peak = 0;

    for (uint32_t i = 0; i < frames; i++)
        peak = fmaxf(peak, fabsf(plane(0, 1)[i]));
    return peak;
}

static void the_synth_sounds_and_tells_what_controllers_move(void **state)
{
    struct shl_event event = shl_event_midi(0, 0, 0x90, 60, 100);
    uint32_t offset;

    (void)state;
    begin(3, "synth");
    block(512, 0, 2);
    assert_true(loudest(512) == 0);
    shl_maolan_send(&daw.maolan, &event, 100);
    block(4096, 0, 2);
    assert_true(loudest(100) == 0);
    assert_true(loudest(4096) > 0.01f);
    event = shl_event_midi(0, 0, 0xB0, 74, 0);
    shl_maolan_send(&daw.maolan, &event, 5);
    block(64, 0, 2);
    shl_maolan_begin(&daw.maolan, 64);
    assert_true(shl_maolan_take(&daw.maolan, &event, &offset));
    assert_int_equal(event.kind, SHL_EVENT_PARAM);
    assert_int_equal(shl_event_id(&event), 4); /* cutoff */
    assert_int_equal(offset, 5);
}

/* ---- requests -------------------------------------------------------------------- */

/* shows MP-27 */
static void states_come_back_whole(void **state)
{
    static uint8_t bytes[SHL_SCRATCH_SIZE];
    static const uint32_t sizes[] = {0, 1, 1024, 65535, 65536};

    (void)state;
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 13 + (i >> 8));
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v], "fixture:state=65536");
        assert_true(ask(SHL_PLUGIN_HOST_STATE_SAVE));
        assert_int_equal(fake_daw_word(&daw, row()->scratch_size), 65536);
        for (size_t i = 0; i < 5; i++) {
            memcpy(fake_daw_scratch(&daw), bytes, sizeof bytes);
            fake_daw_set(&daw, row()->scratch_size, sizes[i]);
            assert_true(ask(SHL_PLUGIN_HOST_STATE_RESTORE));
            memset(fake_daw_scratch(&daw), 0, SHL_SCRATCH_SIZE);
            assert_true(ask(SHL_PLUGIN_HOST_STATE_SAVE));
            assert_int_equal(fake_daw_word(&daw, row()->scratch_size),
                             sizes[i]);
            assert_memory_equal(fake_daw_scratch(&daw), bytes, sizes[i]);
        }
        assert_int_equal(end(), PLUG_OK);
    }
}

static void states_that_do_not_fit_or_make_no_sense_are_errors(void **state)
{
    (void)state;
    begin(3, "fixture:state=65537");
    assert_false(ask(SHL_PLUGIN_HOST_STATE_SAVE));
    assert_int_equal(end(), PLUG_OK);
    begin(3, "gain");
    memset(fake_daw_scratch(&daw), 0xAA, SHL_SCRATCH_SIZE);
    fake_daw_set(&daw, row()->scratch_size, 100);
    assert_false(ask(SHL_PLUGIN_HOST_STATE_RESTORE));
    fake_daw_set(&daw, row()->scratch_size, 0x80000000u);
    assert_false(ask(SHL_PLUGIN_HOST_STATE_RESTORE));
    passes(64, 2);
    assert_int_equal(end(), PLUG_OK);
    begin(3, "null");
    assert_false(ask(SHL_PLUGIN_HOST_STATE_SAVE));
}

/* What a restored state has changed, the DAW hears. */
static void a_restored_state_is_heard_and_told(void **state)
{
    static uint8_t kept[SHL_SCRATCH_SIZE];
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 0, -96);
    uint32_t offset;

    (void)state;
    begin(5, "gain");
    shl_maolan_send(&daw.maolan, &event, 0);
    block(64, 2, 2);
    assert_true(ask(SHL_PLUGIN_HOST_STATE_SAVE));
    const uint32_t size = fake_daw_word(&daw, row()->scratch_size);
    assert_in_range(size, 1, 1024);
    memcpy(kept, fake_daw_scratch(&daw), size);
    assert_int_equal(end(), PLUG_OK);
    begin(5, "gain");
    memcpy(fake_daw_scratch(&daw), kept, size);
    fake_daw_set(&daw, row()->scratch_size, size);
    assert_true(ask(SHL_PLUGIN_HOST_STATE_RESTORE));
    plane(0, 0)[0] = 1;
    block(64, 2, 2);
    assert_true(plane(0, 1)[0] == 0);
    shl_maolan_begin(&daw.maolan, 64);
    assert_true(shl_maolan_take(&daw.maolan, &event, &offset));
    assert_int_equal(shl_event_id(&event), 0);
    assert_true(shl_event_value(&event) == -96);
    assert_false(shl_maolan_take(&daw.maolan, &event, &offset));
}

static uint32_t entries_of(enum shl_table_kind kind, uint32_t size,
                           struct shl_table_entry *last, char *name)
{
    struct shl_table table;
    uint32_t n = 0;

    assert_int_equal(shl_table_read(&table, kind, fake_daw_scratch(&daw), size),
                     SHL_OK);
    while (shl_table_next(&table, last) == SHL_OK)
        n++;
    snprintf(name, 256, "%.*s", n ? (int)last->name_length : 0, last->name);
    return n;
}

/* shows MP-30 MP-31 */
static void files_are_listed_moved_and_found_again(void **state)
{
    static const uint32_t counts[] = {0, 1, 1000};
    struct shl_table_entry last;
    char name[256], spec[64], wanted[64];

    (void)state;
    for (size_t n = 0; n < VERSIONS * 3 && versions[n / 3] < 7; n++) {
        const uint32_t files = counts[n % 3];

        snprintf(spec, sizeof spec, "fixture:files=%u", files);
        begin(versions[n / 3], spec);
        assert_true(ask(SHL_PLUGIN_HOST_FILES));
        assert_int_equal(
            entries_of(SHL_TABLE_FILES, SHL_SCRATCH_SIZE, &last, name), files);
        if (files) {
            snprintf(wanted, sizeof wanted, "/fixture/t\xC3\xB6ne/%04u.wav",
                     files - 1);
            assert_string_equal(name, wanted);
        }
        shl_scratch_update_write(fake_daw_scratch(&daw), files - 1,
                                 "/da/\xE2\x99\xAB.wav", 11);
        assert_int_equal(ask(SHL_PLUGIN_HOST_FILE), files > 0);
        assert_true(ask(SHL_PLUGIN_HOST_FILES));
        entries_of(SHL_TABLE_FILES, SHL_SCRATCH_SIZE, &last, name);
        if (files)
            assert_string_equal(name, "/da/\xE2\x99\xAB.wav");
        shl_scratch_dir_write(fake_daw_scratch(&daw), "/s", 2, 1);
        assert_true(ask(SHL_PLUGIN_HOST_FOLDER));
        assert_true(ask(SHL_PLUGIN_HOST_FILES));
        entries_of(SHL_TABLE_FILES, SHL_SCRATCH_SIZE, &last, name);
        if (files)
            assert_memory_equal(name, "/s/t", 4);
        assert_int_equal(end(), PLUG_OK);
    }
}

/* Since number 7: those in the folder, as seen from there. */
/* shows MP-30 */
static void files_in_the_folder_are_listed_since_number_7(void **state)
{
    struct shl_table_entry last;
    char name[256];

    (void)state;
    for (uint32_t version = 7; version <= 8; version++) {
        begin(version, "fixture:files=1000");
        shl_scratch_dir_write(fake_daw_scratch(&daw), "/s", 2, 1);
        assert_true(ask(SHL_MAOLAN_RESOURCE_DIR));
        assert_true(ask(SHL_MAOLAN_COLLECT));
        assert_true(ask(SHL_MAOLAN_RESOURCE_FILES));
        assert_int_equal(
            entries_of(SHL_TABLE_FILES, SHL_SCRATCH_SIZE, &last, name), 1000);
        assert_string_equal(name, "t\xC3\xB6ne/0999.wav");
        assert_int_equal(last.id, 999);
        assert_int_equal(end(), PLUG_OK);
    }
}

static void tables_of_parameters_and_notes_are_complete(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 102, 0.25);
    struct shl_table_entry last;
    char name[256];

    (void)state;
    begin(6, "fixture:params=100,notes=128");
    shl_maolan_send(&daw.maolan, &event, 0);
    block(64, 2, 2);
    assert_true(ask(SHL_PLUGIN_HOST_CLAP_PARAMS));
    assert_int_equal(entries_of(SHL_TABLE_CLAP_PARAMS,
                                fake_daw_word(&daw, row()->scratch_size), &last,
                                name),
                     103);
    assert_int_equal(last.id, 102);
    assert_string_equal(name, "Level 99");
    assert_memory_equal(last.module, "Levels", 6);
    assert_true(last.minimum == 0 && last.maximum == 1 && last.value == 0.5);
    assert_true(ask(SHL_PLUGIN_HOST_AU_PARAMS));
    assert_int_equal(
        entries_of(SHL_TABLE_AU_PARAMS, SHL_SCRATCH_SIZE, &last, name), 103);
    assert_int_equal(last.id, 102);
    assert_string_equal(name, "Level 99");
    assert_true(last.minimum == 0 && last.maximum == 1 && last.value == 0.5);
    assert_true(ask(SHL_PLUGIN_HOST_LV2_CONTROLS));
    assert_int_equal(entries_of(SHL_TABLE_LV2_CONTROLS,
                                fake_daw_word(&daw, row()->scratch_size), &last,
                                name),
                     103);
    assert_true(last.value == 0.25); /* as it is now */
    for (uint32_t type = SHL_PLUGIN_HOST_LV2_NOTES;
         type <= SHL_PLUGIN_HOST_CLAP_NOTES; type++) {
        assert_true(ask(type));
        assert_int_equal(entries_of(SHL_TABLE_NOTES,
                                    fake_daw_word(&daw, row()->scratch_size),
                                    &last, name),
                         128);
        assert_int_equal(last.id, 127);
        assert_string_equal(name, "Gl\xC3\xB6"
                                  "ckchen 127");
    }
}

/* shows MP-29 */
static void what_a_plugin_does_not_have_is_an_error_at_once(void **state)
{
    (void)state;
    begin(6, "null");
    for (uint32_t type = 1; type <= 11; type++)
        assert_int_equal(ask(type), type == SHL_PLUGIN_HOST_HIDE);
    assert_true(ask(SHL_PLUGIN_HOST_PORTS));
    assert_false(ask(13));
    assert_false(ask(0xFFFFFFFFu));
    passes(64, 2);
}

static void counts_are(uint32_t inputs, uint32_t outputs)
{
    struct shl_port_counts counts;

    assert_true(ask(SHL_PLUGIN_HOST_PORTS));
    assert_int_equal(shl_scratch_ports_read(fake_daw_scratch(&daw), &counts),
                     SHL_OK);
    assert_int_equal(counts.audio_in, inputs);
    assert_int_equal(counts.audio_out, outputs);
}

/* shows MP-32 MP-43 MP-46 */
static void counts_change_by_request_and_by_themselves(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 1, 5);

    (void)state;
    begin(6, "fixture:in=2,out=2");
    passes(64, 2);
    fake_daw_set(&daw, row()->input_channels, 4);
    fake_daw_set(&daw, row()->output_channels, 4);
    counts_are(4, 4);
    passes(64, 4);
    assert_int_equal(fake_daw_word(&daw, row()->state_dirty), 0);
    shl_maolan_send(&daw.maolan, &event, 0);
    block(64, 4, 4);
    for (int ms = 0; ms < 30000; ms++) {
        if (fake_daw_word(&daw, row()->state_dirty))
            break;
        shl_sleep_ms(1);
    }
    assert_int_equal(fake_daw_word(&daw, row()->state_dirty), 1);
    counts_are(4, 5); /* asked, not wished for */
    passes(64, 4);
    counts_are(4, 5);
}

/* shows MP-47 */
static void latency_follows_the_plugin_and_is_true(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 2, 100);

    (void)state;
    begin(5, "fixture:latency=10");
    assert_int_equal(fake_daw_word(&daw, row()->latency), 10);
    shl_maolan_send(&daw.maolan, &event, 0);
    block(64, 2, 2);
    assert_int_equal(fake_daw_word(&daw, row()->latency), 100);
    memset(plane(0, 0), 0, SHL_PLANE_SIZE);
    plane(0, 0)[7] = 1;
    block(256, 2, 2);
    for (uint32_t i = 0; i < 256; i++)
        assert_true(plane(0, 1)[i] == (i == 107 ? 1.f : 0.f));
}

/* ---- the end ---------------------------------------------------------------------- */

static void codes_tell_why_a_plugin_is_not_there(void **state)
{
    static const struct {
        const char *format, *spec;
        int code;
    } cases[] = {{"builtin", "no such", PLUG_NO_PLUGIN},
                 {"builtin", "fixture:refuse", PLUG_NOT_LOADED},
                 {"builtin", "fixture:in=33", PLUG_NOT_LOADED},
                 {"builtin", "fixture:what", PLUG_NOT_LOADED},
                 {"builtin", "synth:x", PLUG_NOT_LOADED},
                 {"vst9", "x", PLUG_NO_FORMAT}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_with(3, cases[i].format, cases[i].spec);
        const uint32_t ready = fake_daw_word(&daw, row()->ready);
        assert_int_equal(wait_end(), cases[i].code);
        assert_int_equal(ready, 0);
    }
}

static void a_cut_segment_ends_the_program(void **state)
{
    (void)state;
    begin(3, "gain");
    passes(64, 2);
    assert_int_equal(ftruncate(daw.fd, 4096), 0);
    fake_daw_ring(&daw);
    /* the rest of it is nobody's any more: do not touch it */
    assert_int_equal(wait_end(), PLUG_NO_SEGMENT);
}

static void a_daw_that_is_gone_ends_the_program(void **state)
{
    (void)state;
    begin(6, "synth");
    close(daw.doorbell[1]);
    daw.doorbell[1] = -1;
    assert_int_equal(wait_end(), PLUG_OK);
}

/* shows MP-41 ME-09 */
static void programs_end_when_asked(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v], "fixture");
        assert_int_equal(end(), PLUG_OK);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(audio_passes_bit_by_bit),
        TEST(gain_at_0_dB_changes_no_bit),
        TEST(outputs_beyond_the_plugins_are_silent),
        TEST(counts_beyond_all_measure_do_no_harm),
        TEST(what_is_no_number_becomes_silence),
        TEST(parameters_come_back_as_they_went),
        TEST(midi_comes_back_on_every_port_and_channel),
        TEST(the_synth_sounds_and_tells_what_controllers_move),
        TEST(states_come_back_whole),
        TEST(states_that_do_not_fit_or_make_no_sense_are_errors),
        TEST(a_restored_state_is_heard_and_told),
        TEST(files_are_listed_moved_and_found_again),
        TEST(files_in_the_folder_are_listed_since_number_7),
        TEST(tables_of_parameters_and_notes_are_complete),
        TEST(what_a_plugin_does_not_have_is_an_error_at_once),
        TEST(counts_change_by_request_and_by_themselves),
        TEST(latency_follows_the_plugin_and_is_true),
        TEST(codes_tell_why_a_plugin_is_not_there),
        TEST(a_cut_segment_ends_the_program),
        TEST(a_daw_that_is_gone_ends_the_program),
        TEST(programs_end_when_asked)};

    log_set_level(PLUGIN_NONE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
