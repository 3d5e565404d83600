/* SPDX-License-Identifier: MIT */
/* The role of a plugin host beside a scripted DAW in the same process, which
 * does what the DAWs in use do, and what a broken or hostile one could. */
#include "shmlink/plugin_host.h"

#include "core/os/platform.h"
#include "fake_daw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint32_t versions[] = {3, 4, 5, 6, 7, 8};
#define VERSIONS (sizeof versions / sizeof versions[0])

static struct fake_daw daw;
static shl_plugin_host *plugin_host;
static struct shl_work work;

static void begin(uint32_t version)
{
    const struct shl_plugin_host_about about = {
        .name = "Test", .any_channels = 1, .rate_hz = 48000};
    struct shl_why why = {""};

    assert_true(fake_daw_open(&daw, version, SHL_MAOLAN_SIZE));
    if (fake_daw_serve(&daw, &plugin_host, &why))
        fail_msg("%s", why.text);
    shl_plugin_host_ready(plugin_host, &about);
}

static void end(void)
{
    shl_plugin_host_close(plugin_host);
    plugin_host = NULL;
    fake_daw_close(&daw);
}

static int tear_down(void **state)
{
    (void)state;
    end();
    return 0;
}

static const struct shl_maolan_layout *row(void)
{
    return daw.maolan.layout;
}

/* The next unit of work must be a block. */
static void take_block(void)
{
    assert_int_equal(shl_plugin_host_wait(plugin_host, 10000, &work), SHL_OK);
    assert_int_equal(work.kind, SHL_WORK_BLOCK);
}

static void take_request(void)
{
    assert_int_equal(shl_plugin_host_wait(plugin_host, 10000, &work), SHL_OK);
    assert_int_equal(work.kind, SHL_WORK_REQUEST);
}

/* ---- opening ---------------------------------------------------------------- */

static unsigned descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Refused, with a sentence that has this word, and nothing kept. */
static void refused(shl_status status, const char *word)
{
    struct shl_why why = {""};
    const unsigned before = descriptors();

    assert_int_equal(fake_daw_serve(&daw, &plugin_host, &why), status);
    if (!strstr(why.text, word))
        fail_msg("\"%s\" does not say \"%s\"", why.text, word);
    assert_int_equal(descriptors(), before);
    assert_null(plugin_host);
}

/* shows MP-02 */
static void other_magic_is_refused(void **state)
{
    (void)state;
    assert_true(fake_daw_open(&daw, 3, SHL_MAOLAN_SIZE));
    for (uint32_t bit = 0; bit < 32; bit++) {
        fake_daw_set(&daw, 0, SHL_MAOLAN_MAGIC ^ (UINT32_C(1) << bit));
        refused(SHL_FOREIGN, "magic");
    }
}

/* shows MP-03 */
static void other_versions_are_refused_with_their_number(void **state)
{
    static const uint32_t bad[] = {0, 1, 2, 9, 256, 0xFFFFFFFFu};

    (void)state;
    assert_true(fake_daw_open(&daw, 3, SHL_MAOLAN_SIZE));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char number[16];

        fake_daw_set(&daw, 4, bad[i]);
        snprintf(number, sizeof number, "%u", bad[i]);
        refused(SHL_WRONG_VERSION, number);
        refused(SHL_WRONG_VERSION, "3 to 8");
    }
}

static void short_segments_are_refused(void **state)
{
    static const size_t sizes[] = {0, 1, 4096, 3343616, SHL_MAOLAN_SIZE - 1};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_true(fake_daw_open(&daw, 6, sizes[i]));
        refused(SHL_CUT, "shorter");
        fake_daw_close(&daw);
    }
}

/* shows MP-50 */
static void segments_that_others_can_write_are_refused(void **state)
{
    (void)state;
    assert_true(fake_daw_open(&daw, 3, SHL_MAOLAN_SIZE));
    assert_int_equal(fchmod(daw.fd, 0666), 0);
    refused(SHL_FOREIGN, daw.name);
    assert_int_equal(fchmod(daw.fd, 0600), 0);
    assert_int_equal(fake_daw_serve(&daw, &plugin_host, NULL), SHL_OK);
}

static void missing_segments_are_named(void **state)
{
    (void)state;
    assert_true(fake_daw_open(&daw, 3, SHL_MAOLAN_SIZE));
    const char first = daw.name[1];
    daw.name[1] = 'x';
    refused(SHL_NOT_FOUND, daw.name);
    daw.name[1] = first;
}

static void descriptors_must_be_pipes_of_these_directions(void **state)
{
    struct shl_plugin_host_options options = {0};
    struct shl_why why;

    (void)state;
    assert_true(fake_daw_open(&daw, 3, SHL_MAOLAN_SIZE));
    const int pairs[][2] = {{daw.doorbell[1], daw.answer[1]},
                            {daw.doorbell[0], daw.answer[0]},
                            {daw.fd, daw.answer[1]},
                            {-1, daw.answer[1]},
                            {daw.doorbell[0], 999}};
    options.segment = daw.name;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        options.doorbell = pairs[i][0];
        options.answer = pairs[i][1];
        assert_int_equal(shl_plugin_host_open(&options, &plugin_host, &why),
                         SHL_BAD_VALUE);
        assert_non_null(strstr(why.text, "pipe"));
    }
}

/* shows MP-32 MP-33 MP-38 MP-44 */
static void name_and_counts_are_there_before_ready(void **state)
{
    static char name[SHL_SCRATCH_SIZE + 2], told[SHL_SCRATCH_SIZE];
    static const size_t lengths[] = {0, 1, 255, 1020, 1021, 65532, 65536};
    struct shl_port_counts counts;

    (void)state;
    for (size_t i = 0; i < VERSIONS * 7 * 2; i++) {
        const size_t length = lengths[i / 2 % 7];
        struct shl_plugin_host_about about = {.name = name,
                                              .audio_in = 3,
                                              .audio_out = 5,
                                              .midi_in = 16,
                                              .midi_out = 2,
                                              .any_channels = i % 2};
        const size_t limit = about.any_channels ? 65532 : 1020;

        memset(name, 'n', sizeof name);
        name[length] = 0;
        assert_true(fake_daw_open(&daw, versions[i / 14], SHL_MAOLAN_SIZE));
        assert_int_equal(fake_daw_serve(&daw, &plugin_host, NULL), SHL_OK);
        assert_int_equal(fake_daw_word(&daw, row()->ready), 0);
        shl_plugin_host_ready(plugin_host, &about);
        assert_int_equal(fake_daw_word(&daw, row()->ready), 1);
        memset(told, 0, sizeof told);
        assert_int_equal(
            shl_scratch_name_read(fake_daw_scratch(&daw), told, sizeof told),
            length ? SHL_OK : SHL_NOT_FOUND);
        assert_int_equal(strlen(told), length < limit ? length : limit);
        assert_int_equal(
            shl_scratch_ports_read(fake_daw_scratch(&daw), &counts),
            about.any_channels ? SHL_NOT_FOUND : SHL_OK);
        if (!about.any_channels) {
            assert_int_equal(counts.audio_in, 3);
            assert_int_equal(counts.audio_out, 5);
            assert_int_equal(counts.midi_in, versions[i / 14] == 3 ? 1 : 16);
            assert_int_equal(counts.midi_out, versions[i / 14] == 3 ? 1 : 2);
        }
        if (versions[i / 14] >= 4)
            assert_int_equal(fake_daw_word(&daw, row()->midi_in_ports), 16);
        end();
    }
}

static void long_names_are_cut_between_characters(void **state)
{
    char name[1030], told[2048] = "";
    const struct shl_plugin_host_about about = {.name = name, .audio_in = 1};

    (void)state;
    memset(name, 'n', sizeof name);
    memcpy(name + 1019, "\xC3\xA4", 3); /* the last byte that fits is half */
    assert_true(fake_daw_open(&daw, 3, SHL_MAOLAN_SIZE));
    assert_int_equal(fake_daw_serve(&daw, &plugin_host, NULL), SHL_OK);
    shl_plugin_host_ready(plugin_host, &about);
    shl_scratch_name_read(fake_daw_scratch(&daw), told, sizeof told);
    assert_int_equal(strlen(told), 1019);
}

/* shows MP-47 */
static void latency_is_told_from_number_5_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < VERSIONS; i++) {
        begin(versions[i]);
        shl_plugin_host_set_latency(plugin_host, 64);
        uint32_t told = 0;
        memcpy(&told, daw.base + 84, 4);
        assert_int_equal(told, versions[i] >= 5 ? 64 : 0);
        end();
    }
}

/* ---- blocks ----------------------------------------------------------------------- */

static void fill_bus(uint32_t channels, uint32_t frames, uint32_t seed)
{
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++)
            shl_maolan_plane(&daw.maolan, c, SHL_BUS_TO_DEVICE)[i] =
                (float)(seed + c * SHL_MAX_FRAMES + i);
}

/* The plugin: inputs to outputs, and one added. */
static void add_one(void)
{
    for (uint32_t c = 0; c < SHL_MAX_CHANNELS; c++)
        for (uint32_t i = 0; i < work.block.frames; i++)
            work.block.out[c][i] = work.block.in[c][i] + 1;
}

static void check_bus(uint32_t channels, uint32_t frames, uint32_t seed)
{
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++)
            if (shl_maolan_plane(&daw.maolan, c, SHL_BUS_TO_HOST)[i] !=
                (float)(seed + c * SHL_MAX_FRAMES + i + 1))
                fail_msg("channel %u, sample %u of %u", c, i, frames);
}

/* shows MP-09 MP-42 MP-43 */
static void audio_crosses_exactly_in_every_layout(void **state)
{
    static const uint32_t frames[] = {1, 64, 512, 4096, 63, 4095};
    static const uint32_t channels[] = {1, 2, 32};
    uint32_t blocks = 0;

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        blocks = 0;
        for (uint32_t i = 0; i < 18; i++) {
            const uint32_t n = frames[i % 6], c = channels[i / 6];

            fill_bus(c, n, i);
            fake_daw_block(&daw, n, c, c);
            take_block();
            assert_int_equal(work.block.frames, n);
            assert_int_equal(work.in_channels, c);
            assert_int_equal(work.out_channels, c);
            assert_int_equal(work.block.fresh, blocks == 0);
            add_one();
            assert_int_equal(fake_daw_bytes(&daw), 0);
            shl_plugin_host_done(plugin_host);
            assert_int_equal(fake_daw_bytes(&daw), 1);
            check_bus(c, n, i);
            assert_int_equal(fake_daw_word(&daw, row()->tasks_completed),
                             ++blocks);
        }
        end();
    }
}

/* DAWs wait for the byte, for the counter, or for both, and say so or not. */
/* shows MP-42 MP-48 */
static void a_block_raises_its_counter_and_has_its_byte(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++)
        for (uint32_t eventless = 0; eventless < 2; eventless++) {
            begin(versions[v]);
            const uint32_t at = 88, counts = versions[v] >= 7;
            fake_daw_set(&daw, 92, counts && eventless);
            for (uint32_t n = 1; n < 20; n++) {
                fake_daw_block(&daw, n % 3 ? 64 : 0, 2, 2);
                take_block();
                assert_int_equal(fake_daw_word(&daw, at), counts * (n - 1));
                shl_plugin_host_done(plugin_host);
                assert_int_equal(fake_daw_word(&daw, at), counts * n);
                assert_int_equal(fake_daw_bytes(&daw), 1);
            }
            fake_daw_ask(&daw, SHL_PLUGIN_HOST_STATE_SAVE);
            take_request();
            shl_plugin_host_answer(plugin_host, SHL_OK);
            assert_int_equal(fake_daw_word(&daw, at), counts * 19);
            assert_int_equal(fake_daw_bytes(&daw), 1);
            end();
        }
}

/* Nobody reads the bytes then, and the pipe is full after a while. */
static void bytes_that_a_counting_daw_leaves_are_no_loss(void **state)
{
    struct shl_plugin_host_stats stats;

    (void)state;
    begin(8);
    fake_daw_set(&daw, row()->block_response_eventless, 1);
    for (uint32_t n = 0; n < 70000; n++) {
        fake_daw_block(&daw, 0, 0, 0);
        take_block();
        shl_plugin_host_done(plugin_host);
    }
    shl_plugin_host_get_stats(plugin_host, &stats);
    assert_int_equal(stats.unanswered, 0);
    assert_int_equal(fake_daw_word(&daw, row()->response_counter), 70000);
}

/* Planes beyond the DAW's counts are silence, and writing them reaches nobody.
 */
static void planes_that_nobody_wired_are_harmless(void **state)
{
    (void)state;
    begin(6);
    fill_bus(32, 64, 1);
    fake_daw_block(&daw, 64, 1, 1);
    take_block();
    assert_true(work.block.in[1][0] == 0 && work.block.in[31][63] == 0);
    shl_maolan_plane(&daw.maolan, 1, SHL_BUS_TO_HOST)[0] = 77;
    add_one();
    shl_plugin_host_done(plugin_host);
    assert_true(shl_maolan_plane(&daw.maolan, 1, SHL_BUS_TO_HOST)[0] == 77);
}

/* shows MP-08 MP-44 */
static void impossible_counts_are_clipped(void **state)
{
    static const uint32_t bad[] = {33, 4097, 0x7FFFFFFFu, 0xFFFFFFFFu};

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        for (size_t i = 0; i < 4; i++) {
            fake_daw_block(&daw, 64, bad[i], bad[i]);
            take_block();
            assert_int_equal(work.in_channels, 32);
            assert_int_equal(work.out_channels, 32);
            shl_plugin_host_done(plugin_host);
            if (bad[i] != 33) { /* as frames: no block, but its byte */
                fake_daw_block(&daw, bad[i], 2, 2);
                take_block();
                assert_int_equal(work.block.frames, 0);
                shl_plugin_host_done(plugin_host);
                assert_int_equal(fake_daw_bytes(&daw), 2);
            } else {
                assert_int_equal(fake_daw_bytes(&daw), 1);
            }
            if (versions[v] >= 4) {
                fake_daw_set(&daw, row()->midi_in_ports, bad[i]);
                fake_daw_set(&daw, row()->midi_out_ports, bad[i]);
                fake_daw_ring(&daw);
                take_block();
                assert_int_equal(work.midi_in_ports, 16);
                assert_int_equal(work.midi_out_ports, 16);
                shl_plugin_host_done(plugin_host);
                assert_int_equal(fake_daw_bytes(&daw), 1);
            }
        }
        end();
    }
}

/* shows MP-25 */
static void transport_of_other_daws_is_completed(void **state)
{
    struct shl_transport t = {.frame = 96000,
                              .tempo = 90,
                              .numerator = 3,
                              .denominator = 4,
                              .playing = 1};

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        shl_maolan_transport_write(daw.base + row()->transport, &t);
        fake_daw_block(&daw, 64, 0, 0);
        take_block();
        assert_int_equal(work.block.transport.frame, 96000);
        assert_int_equal(work.block.transport.playing, 1);
        assert_int_equal(work.block.transport.numerator, 3);
        assert_true(work.block.transport.rate_hz == 48000);
        assert_true(fabs(work.block.transport.beats - 3) < 1e-9);
        end();
    }
}

/* ---- events ------------------------------------------------------------------------ */

/* shows MP-10 MP-11 MP-12 MP-13 */
static void parameters_of_four_kinds_arrive_at_their_sample(void **state)
{
    struct shl_event event;

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        fake_daw_block(&daw, 64, 0, 0);
        take_block();
        shl_plugin_host_done(plugin_host);
        for (uint32_t i = 0; i < 64; i++) {
            event = shl_event_param(0, SHL_EVENT_PARAM + i % 4, i * 3, i / 8.);
            assert_int_equal(shl_maolan_send(&daw.maolan, &event, i), SHL_OK);
        }
        fake_daw_block(&daw, 64, 0, 0);
        take_block();
        assert_int_equal(work.block.frame, 64);
        for (uint32_t i = 0; i < 64; i++) {
            assert_int_equal(shl_plugin_host_event(plugin_host, &event), 1);
            assert_int_equal(event.frame, 64 + i);
            assert_int_equal(event.kind, SHL_EVENT_PARAM + i % 4);
            assert_int_equal(shl_event_id(&event), i * 3);
            if (i % 4 < 2)
                assert_true(shl_event_value(&event) == i / 8.);
        }
        assert_int_equal(shl_plugin_host_event(plugin_host, &event), 0);
        end();
    }
}

/* shows MP-11 */
static void events_that_make_no_sense_are_counted(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 1, 0.5);
    struct shl_plugin_host_stats stats;
    const float nan = (float)NAN;
    const uint32_t kind = 4;

    (void)state;
    begin(3);
    for (uint32_t i = 0; i < 4; i++)
        shl_maolan_send(&daw.maolan, &event, i == 3 ? 4000000000u : 0);
    memcpy(daw.base + row()->param_slots + 4, &nan, 4);
    memcpy(daw.base + row()->param_slots + 16 + 12, &kind, 4);
    fake_daw_block(&daw, 64, 0, 0);
    take_block();
    assert_int_equal(shl_plugin_host_event(plugin_host, &event), 1);
    assert_int_equal(event.frame, 0);
    assert_int_equal(shl_plugin_host_event(plugin_host, &event), 1);
    assert_int_equal(event.frame, 63);
    assert_int_equal(shl_plugin_host_event(plugin_host, &event), 0);
    shl_plugin_host_get_stats(plugin_host, &stats);
    assert_int_equal(stats.events_bad, 2);
    assert_int_equal(stats.events_moved, 1);
}

static void events_out_of_order_are_raised(void **state)
{
    static const uint32_t offsets[] = {10, 5, 20, 0};
    static const uint32_t heard[] = {10, 10, 20, 20};
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 1, 0.5);
    struct shl_plugin_host_stats stats;

    (void)state;
    begin(6);
    for (uint32_t i = 0; i < 4; i++)
        shl_maolan_send(&daw.maolan, &event, offsets[i]);
    fake_daw_block(&daw, 64, 0, 0);
    take_block();
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(shl_plugin_host_event(plugin_host, &event), 1);
        assert_int_equal(event.frame, heard[i]);
    }
    shl_plugin_host_get_stats(plugin_host, &stats);
    assert_int_equal(stats.events_moved, 2);
}

/* shows MP-21 MP-23 MP-44 */
static void midi_crosses_on_every_port_and_channel(void **state)
{
    struct shl_event event, heard;
    uint32_t offset;

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        for (uint32_t i = 0; i < row()->midi_ports * 16; i++) {
            event = shl_event_midi(0, (uint8_t)(i / 16),
                                   (uint8_t)(0x90 | i % 16), 60, 100);
            assert_int_equal(shl_maolan_send(&daw.maolan, &event, i), SHL_OK);
        }
        fake_daw_block(&daw, 512, 0, 0);
        take_block();
        for (uint32_t i = 0; i < row()->midi_ports * 16; i++) {
            assert_int_equal(shl_plugin_host_event(plugin_host, &heard), 1);
            assert_int_equal(heard.frame, i);
            event = shl_event_midi(heard.frame, (uint8_t)(i / 16),
                                   (uint8_t)(0x90 | i % 16), 60, 100);
            assert_memory_equal(&event, &heard, sizeof event);
            assert_int_equal(shl_plugin_host_send(plugin_host, &heard), SHL_OK);
        }
        shl_plugin_host_done(plugin_host);
        shl_maolan_begin(&daw.maolan, 512);
        for (uint32_t i = 0; i < row()->midi_ports * 16; i++) {
            assert_true(shl_maolan_take(&daw.maolan, &heard, &offset));
            assert_int_equal(offset, i);
            event = shl_event_midi(0, (uint8_t)(i / 16),
                                   (uint8_t)(0x90 | i % 16), 60, 100);
            assert_memory_equal(&event, &heard, sizeof event);
        }
        assert_false(shl_maolan_take(&daw.maolan, &heard, &offset));
        end();
    }
}

/* shows MP-14 MP-16 */
static void device_events_come_once_and_a_full_ring_counts(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 7, 0.25);
    struct shl_plugin_host_stats stats;
    uint32_t offset, heard = 0;

    (void)state;
    begin(5);
    fake_daw_block(&daw, 64, 0, 0);
    take_block();
    for (uint32_t i = 0; i < 4095; i++)
        assert_int_equal(shl_plugin_host_send(plugin_host, &event), SHL_OK);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(shl_plugin_host_send(plugin_host, &event),
                         SHL_RING_FULL);
    shl_plugin_host_done(plugin_host);
    shl_plugin_host_get_stats(plugin_host, &stats);
    assert_int_equal(stats.events_dropped, 10);
    for (int pass = 0; pass < 2; pass++) {
        shl_maolan_begin(&daw.maolan, 64);
        while (shl_maolan_take(&daw.maolan, &event, &offset))
            heard++;
    }
    assert_int_equal(heard, 4095);
}

/* A port that the DAW does not read would fill and stay full. */
static void ports_beyond_the_daws_get_nothing(void **state)
{
    const struct shl_event event = shl_event_midi(0, 3, 0x90, 60, 100);

    (void)state;
    begin(6);
    fake_daw_block(&daw, 64, 0, 0);
    fake_daw_set(&daw, row()->midi_out_ports, 3);
    take_block();
    assert_int_equal(shl_plugin_host_send(plugin_host, &event),
                     SHL_UNSUPPORTED);
}

static void impossible_indices_restart_a_ring(void **state)
{
    static const uint32_t distances[] = {4097, 0x80000000u, 0xFFFFFFFFu};
    struct shl_event event;
    struct shl_plugin_host_stats stats;

    (void)state;
    begin(6);
    for (uint32_t i = 0; i < 3; i++) {
        fake_daw_set(&daw, row()->param_write,
                     fake_daw_word(&daw, row()->param_read) + distances[i]);
        fake_daw_set(&daw, row()->midi_in_write,
                     fake_daw_word(&daw, row()->midi_in_read) + distances[i]);
        fake_daw_block(&daw, 64, 0, 0);
        take_block();
        assert_int_equal(shl_plugin_host_event(plugin_host, &event), 0);
        shl_plugin_host_done(plugin_host);
    }
    shl_plugin_host_get_stats(plugin_host, &stats);
    assert_int_equal(stats.rings_restarted, 6);
}

/* ---- the loop ---------------------------------------------------------------------- */

/* shows MP-41 */
static void a_wish_to_end_is_heard_with_and_without_a_byte(void **state)
{
    (void)state;
    begin(3);
    fake_daw_set(&daw, row()->shutdown_request, 1);
    assert_int_equal(shl_plugin_host_wait(plugin_host, 100, &work), SHL_GONE);
    end();
    begin(6);
    assert_int_equal(shl_plugin_host_wait(plugin_host, 1, &work), SHL_TIMEOUT);
    fake_daw_set(&daw, row()->shutdown_request, 1);
    fake_daw_ring(&daw);
    assert_int_equal(shl_plugin_host_wait(plugin_host, 10000, &work), SHL_GONE);
    assert_int_equal(fake_daw_bytes(&daw), 0);
}

static void *ask_to_end(void *arg)
{
    (void)arg;
    shl_sleep_ms(20);
    fake_daw_set(&daw, daw.maolan.layout->shutdown_request, 1);
    return NULL;
}

static void a_wish_to_end_is_heard_while_waiting(void **state)
{
    pthread_t thread;

    (void)state;
    begin(4);
    assert_int_equal(pthread_create(&thread, NULL, ask_to_end, NULL), 0);
    assert_int_equal(shl_plugin_host_wait(plugin_host, 60000, &work), SHL_GONE);
    pthread_join(thread, NULL);
}

/* shows MP-48 */
static void the_end_of_the_doorbell_is_the_end(void **state)
{
    (void)state;
    begin(3);
    fake_daw_block(&daw, 64, 0, 0);
    close(daw.doorbell[1]);
    daw.doorbell[1] = -1;
    take_block(); /* a byte that is still there is worked on */
    shl_plugin_host_done(plugin_host);
    assert_int_equal(shl_plugin_host_wait(plugin_host, 60000, &work), SHL_GONE);
}

/* shows MP-48 */
static void a_daw_that_reads_no_more_is_gone(void **state)
{
    (void)state;
    begin(3);
    fake_daw_block(&daw, 64, 0, 0);
    take_block();
    close(daw.answer[0]);
    daw.answer[0] = -1;
    shl_plugin_host_done(plugin_host); /* SIGPIPE would end the test */
    assert_int_equal(shl_plugin_host_wait(plugin_host, 60000, &work), SHL_GONE);
}

/* shows MP-48 */
static void a_full_pipe_never_blocks(void **state)
{
    struct shl_plugin_host_stats stats;
    uint32_t rung = 0;

    (void)state;
    begin(3);
    do {
        fake_daw_block(&daw, 1, 0, 0);
        take_block();
        shl_plugin_host_done(plugin_host);
        shl_plugin_host_get_stats(plugin_host, &stats);
        rung++;
    } while (stats.unanswered < 10 && rung < 10000000);
    assert_int_equal(stats.unanswered, 10);
    assert_int_equal(fake_daw_bytes(&daw), rung - 10);
}

/* One byte is one unit of work: so many in, so many out. */
static void bytes_that_wait_are_worked_off_one_by_one(void **state)
{
    (void)state;
    begin(6);
    fake_daw_block(&daw, 16, 0, 0);
    for (int i = 0; i < 99; i++)
        fake_daw_ring(&daw);
    for (int i = 0; i < 100; i++) {
        take_block();
        shl_plugin_host_done(plugin_host);
    }
    assert_int_equal(shl_plugin_host_wait(plugin_host, 1, &work), SHL_TIMEOUT);
    assert_int_equal(fake_daw_bytes(&daw), 100);
}

/* shows MP-39 ME-11 */
static void the_heart_beats_with_and_without_work(void **state)
{
    (void)state;
    begin(3);
    uint32_t before = fake_daw_word(&daw, row()->heartbeat);
    shl_plugin_host_wait(plugin_host, 1, &work);
    assert_true(fake_daw_word(&daw, row()->heartbeat) > before);
    before = fake_daw_word(&daw, row()->heartbeat);
    fake_daw_block(&daw, 64, 0, 0);
    take_block();
    assert_true(fake_daw_word(&daw, row()->heartbeat) > before);
}

static void a_segment_cut_while_in_use_is_noticed(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        fake_daw_ring(&daw);
        take_block();
        shl_plugin_host_done(plugin_host);
        fake_daw_ring(&daw);
        assert_int_equal(ftruncate(daw.fd, 0), 0);
        assert_int_equal(shl_plugin_host_wait(plugin_host, 10000, &work),
                         SHL_BAD_PEER);
        assert_int_equal(shl_plugin_host_wait(plugin_host, 10000, &work),
                         SHL_BAD_PEER);
        end();
    }
}

/* ---- requests ---------------------------------------------------------------------- */

/* shows MP-29 */
static void each_request_is_answered_once(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        for (uint32_t type = 1; type <= 100; type += type < 13 ? 1 : 29) {
            fake_daw_ask(&daw, type);
            take_request();
            assert_int_equal(work.request.type,
                             shl_plugin_host_meaning(type, versions[v]));
            assert_int_equal(fake_daw_word(&daw, row()->request_type), type);
            const shl_status status = type % 2 ? SHL_OK : SHL_UNSUPPORTED;
            shl_plugin_host_answer(plugin_host, status);
            assert_int_equal(fake_daw_word(&daw, row()->request_status),
                             status ? SHL_REQUEST_ERROR : SHL_REQUEST_SUCCESS);
            assert_int_equal(fake_daw_word(&daw, row()->request_type), 0);
            assert_int_equal(fake_daw_bytes(&daw),
                             type == 3 || type == 4 ? 0 : 1);
        }
        end();
    }
}

/* A DAW begins to wait only after it has rung: whoever answers at once is
 * overwritten or leaves a stale byte. */
static void answers_do_not_come_before_the_daw_waits(void **state)
{
    (void)state;
    begin(3);
    for (int i = 0; i < 20; i++) {
        const uint64_t asked_ns = shl_clock_ns();

        fake_daw_ask(&daw, SHL_PLUGIN_HOST_FILES);
        take_request();
        shl_plugin_host_answer(plugin_host, SHL_OK);
        assert_true(shl_clock_ns() - asked_ns >= 1000000u);
    }
}

static void the_next_request_is_not_erased(void **state)
{
    (void)state;
    begin(3);
    fake_daw_ask(&daw, SHL_PLUGIN_HOST_FILES);
    take_request();
    /* it gave the first one up */
    fake_daw_set(&daw, row()->request_type, SHL_PLUGIN_HOST_CLAP_NOTES);
    shl_plugin_host_answer(plugin_host, SHL_OK);
    assert_int_equal(fake_daw_word(&daw, row()->request_type),
                     SHL_PLUGIN_HOST_CLAP_NOTES);
    fake_daw_ring(&daw);
    take_request();
    assert_int_equal(work.request.type, SHL_PLUGIN_HOST_CLAP_NOTES);
    shl_plugin_host_answer(plugin_host, SHL_OK);
    assert_int_equal(fake_daw_bytes(&daw), 2);
}

/* Blocks and requests of two threads of a DAW, in any order: a byte each. */
static void blocks_and_requests_may_mix(void **state)
{
    uint32_t requests = 0, blocks = 0;

    (void)state;
    begin(6);
    fake_daw_block(&daw, 64, 2, 2);
    fake_daw_ask(&daw, SHL_PLUGIN_HOST_CLAP_PARAMS);
    fake_daw_ring(&daw);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(shl_plugin_host_wait(plugin_host, 10000, &work),
                         SHL_OK);
        if (work.kind == SHL_WORK_REQUEST) {
            requests++;
            shl_plugin_host_answer(plugin_host, SHL_OK);
        } else {
            blocks++;
            shl_plugin_host_done(plugin_host);
        }
    }
    assert_int_equal(requests, 1);
    assert_int_equal(blocks, 2);
    assert_int_equal(fake_daw_bytes(&daw), 3);
}

/* A program that forgets to answer: the DAW gets an error, not silence. */
static void requests_without_an_answer_fail(void **state)
{
    (void)state;
    begin(5);
    fake_daw_ask(&daw, SHL_PLUGIN_HOST_STATE_SAVE);
    take_request();
    assert_int_equal(shl_plugin_host_wait(plugin_host, 1, &work), SHL_TIMEOUT);
    assert_int_equal(fake_daw_status(&daw), SHL_REQUEST_ERROR);
    assert_int_equal(fake_daw_bytes(&daw), 1);
}

/* shows MP-27 */
static void states_of_every_size_go_both_ways(void **state)
{
    static uint8_t bytes[SHL_SCRATCH_SIZE + 1];
    static const uint32_t sizes[] = {0, 1, 7, 1024, 65535, 65536};

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 5 + (i >> 8));
    for (size_t n = 0; n < VERSIONS * 6; n++) {
        const uint32_t size = sizes[n % 6];

        begin(versions[n / 6]);
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_STATE_SAVE);
        take_request();
        assert_int_equal(shl_scratchpad_state(shl_plugin_host_pad(plugin_host),
                                              bytes, 65537),
                         SHL_NO_SPACE);
        assert_int_equal(
            shl_scratchpad_state(shl_plugin_host_pad(plugin_host), bytes, size),
            SHL_OK);
        shl_plugin_host_answer(plugin_host, SHL_OK);
        assert_int_equal(fake_daw_word(&daw, row()->scratch_size), size);
        assert_memory_equal(fake_daw_scratch(&daw), bytes, size);
        memcpy(fake_daw_scratch(&daw), bytes + 1, SHL_SCRATCH_SIZE);
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_STATE_RESTORE);
        take_request();
        assert_int_equal(work.request.problem, SHL_OK);
        assert_int_equal(work.request.size, size);
        /* it was copied before anybody looks at it */
        memset(fake_daw_scratch(&daw), 0, SHL_SCRATCH_SIZE);
        assert_memory_equal(work.request.bytes, bytes + 1, size);
        end();
    }
}

static void a_state_that_cannot_be_is_a_problem(void **state)
{
    static const uint32_t sizes[] = {65537, 0x80000000u, 0xFFFFFFFFu};

    (void)state;
    begin(3);
    for (size_t i = 0; i < 3; i++) {
        fake_daw_set(&daw, row()->scratch_size, sizes[i]);
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_STATE_RESTORE);
        take_request();
        assert_int_equal(work.request.problem, SHL_BAD_PEER);
        assert_int_equal(work.request.size, 0);
        shl_plugin_host_answer(plugin_host, work.request.problem);
    }
}

/* shows MP-30 MP-35 */
static void a_list_of_files_is_written_as_far_as_it_goes(void **state)
{
    static const uint32_t counts[] = {0, 1, 1000};
    struct shl_table table;
    struct shl_table_entry entry;
    char path[64];

    (void)state;
    for (size_t n = 0; n < VERSIONS * 3; n++) {
        begin(versions[n / 3]);
        fake_daw_ask(&daw, versions[n / 3] < 7 ? 6 : 7);
        take_request();
        for (uint32_t i = 0; i < counts[n % 3]; i++) {
            const struct shl_plugin_host_entry line = {.id = i, .name = path};

            snprintf(path, sizeof path, "/Tr\xC3\xA4ume/%u.wav", i);
            assert_int_equal(
                shl_scratchpad_put(shl_plugin_host_pad(plugin_host), &line),
                SHL_OK);
        }
        shl_plugin_host_answer(plugin_host, SHL_OK);
        assert_int_equal(shl_table_read(&table, SHL_TABLE_FILES,
                                        fake_daw_scratch(&daw),
                                        SHL_SCRATCH_SIZE),
                         SHL_OK);
        for (uint32_t i = 0; i < counts[n % 3]; i++) {
            snprintf(path, sizeof path, "/Tr\xC3\xA4ume/%u.wav", i);
            assert_int_equal(shl_table_next(&table, &entry), SHL_OK);
            assert_int_equal(entry.id, i);
            assert_int_equal(entry.name_length, strlen(path));
            assert_memory_equal(entry.name, path, strlen(path));
        }
        assert_int_equal(shl_table_next(&table, &entry), SHL_AGAIN);
        end();
    }
}

/* Until it is full: the entries before stand, and the DAW learns the truth. */
static void tables_that_do_not_fit_keep_what_does(void **state)
{
    static char name[30000];
    const struct shl_plugin_host_entry line = {.id = 1, .name = name};
    struct shl_table table;

    (void)state;
    memset(name, 'x', sizeof name - 1);
    begin(6);
    fake_daw_ask(&daw, SHL_PLUGIN_HOST_CLAP_PARAMS);
    take_request();
    assert_int_equal(
        shl_scratchpad_put(shl_plugin_host_pad(plugin_host), &line), SHL_OK);
    assert_int_equal(
        shl_scratchpad_put(shl_plugin_host_pad(plugin_host), &line), SHL_OK);
    assert_int_equal(
        shl_scratchpad_put(shl_plugin_host_pad(plugin_host), &line),
        SHL_NO_SPACE);
    shl_plugin_host_answer(plugin_host, SHL_OK);
    assert_int_equal(shl_table_read(&table, SHL_TABLE_CLAP_PARAMS,
                                    fake_daw_scratch(&daw),
                                    fake_daw_word(&daw, row()->scratch_size)),
                     SHL_OK);
    assert_int_equal(table.count, 2);
}

/* shows MP-31 MP-34 */
static void paths_are_taken_by_their_own_mark_only(void **state)
{
    uint8_t *scratch;

    (void)state;
    for (size_t v = 0; v < VERSIONS && versions[v] < 7; v++) {
        begin(versions[v]);
        scratch = fake_daw_scratch(&daw);
        shl_scratch_update_write(scratch, 3, "/n\xC3\xA4her", 7);
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_FILE);
        take_request();
        assert_int_equal(work.request.problem, SHL_OK);
        assert_int_equal(work.request.index, 3);
        assert_string_equal(work.request.path, "/n\xC3\xA4her");
        shl_plugin_host_answer(plugin_host, SHL_OK);
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_FOLDER); /* with the other's mark */
        take_request();
        assert_int_not_equal(work.request.problem, SHL_OK);
        shl_plugin_host_answer(plugin_host, work.request.problem);
        shl_scratch_dir_write(scratch, "/dort", 5, 0);
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_FOLDER);
        take_request();
        assert_string_equal(work.request.path, "/dort");
        shl_plugin_host_answer(plugin_host, SHL_OK);
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_FILE);
        take_request();
        assert_int_not_equal(work.request.problem, SHL_OK);
        assert_null(work.request.path);
        end();
    }
}

/* Number 7 has 6 and 7 for other things, and a word behind the folder. */
/* shows MP-31 MP-34 */
static void folders_are_shared_and_files_listed_since_number_7(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++)
        for (uint32_t shared = 0; shared < 2; shared++) {
            const int since = versions[v] >= 7;

            begin(versions[v]);
            shl_scratch_dir_write(fake_daw_scratch(&daw), "/dort", 5, shared);
            fake_daw_ask(&daw, SHL_PLUGIN_HOST_FOLDER);
            take_request();
            assert_string_equal(work.request.path, "/dort");
            assert_int_equal(work.request.shared, since && shared);
            shl_plugin_host_answer(plugin_host, SHL_OK);
            fake_daw_ask(&daw, 6);
            take_request();
            assert_int_equal(work.request.type, since ? SHL_PLUGIN_HOST_COLLECT
                                                      : SHL_PLUGIN_HOST_FILES);
            shl_plugin_host_answer(plugin_host, SHL_OK);
            fake_daw_ask(&daw, 7);
            take_request();
            assert_int_equal(work.request.type, since ? SHL_PLUGIN_HOST_FILES
                                                      : SHL_PLUGIN_HOST_FILE);
            assert_int_equal(work.request.relative, since);
            shl_plugin_host_answer(plugin_host, SHL_UNSUPPORTED);
            fake_daw_ask(&daw, SHL_PLUGIN_HOST_COLLECT); /* is ours alone */
            take_request();
            assert_int_not_equal(work.request.type, SHL_PLUGIN_HOST_COLLECT);
            end();
        }
}

static void paths_that_lie_about_their_length_are_refused(void **state)
{
    static const uint32_t lengths[] = {65525, 0x80000000u, 0xFFFFFFFFu};
    uint8_t *scratch;

    (void)state;
    begin(6);
    scratch = fake_daw_scratch(&daw);
    for (size_t i = 0; i < 3; i++) {
        shl_scratch_update_write(scratch, 3, "/a", 2);
        memcpy(scratch + SHL_FILE_UPDATE_LENGTH, &lengths[i], 4);
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_FILE);
        take_request();
        assert_int_not_equal(work.request.problem, SHL_OK);
        shl_plugin_host_answer(plugin_host, work.request.problem);
    }
    shl_scratch_update_write(scratch, 3, "/a\0b", 4); /* ends in between */
    fake_daw_ask(&daw, SHL_PLUGIN_HOST_FILE);
    take_request();
    assert_int_not_equal(work.request.problem, SHL_OK);
    shl_plugin_host_answer(plugin_host, work.request.problem);
    /* the longest one that can be */
    memset(scratch, 'x', SHL_SCRATCH_SIZE);
    shl_scratch_update_write(scratch, 3, "", 0);
    const uint32_t longest = SHL_SCRATCH_UPDATE_LIMIT;
    memcpy(scratch + SHL_FILE_UPDATE_LENGTH, &longest, 4);
    fake_daw_ask(&daw, SHL_PLUGIN_HOST_FILE);
    take_request();
    assert_int_equal(work.request.problem, SHL_OK);
    assert_int_equal(strlen(work.request.path), longest);
}

static void a_window_is_asked_for_with_its_parent(void **state)
{
    const uint64_t parent = 0x123456789ABCu;

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        memcpy(daw.base + row()->parent_window, &parent, 8);
        if (row()->gui_mode != SHL_NONE) {
            fake_daw_set(&daw, row()->gui_mode, 1);
            fake_daw_set(&daw, row()->gui_parent_api, 7);
        }
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_SHOW);
        take_request();
        assert_true(work.request.parent == parent);
        assert_int_equal(work.request.floating, row()->gui_mode != SHL_NONE);
        assert_int_equal(work.request.window_api, 0); /* unknown: none */
        shl_plugin_host_answer(plugin_host, SHL_OK);
        if (row()->gui_mode != SHL_NONE)
            fake_daw_set(&daw, row()->gui_mode, 2); /* unknown: embedded */
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_SHOW);
        take_request();
        assert_int_equal(work.request.floating, 0);
        end();
    }
}

/* shows MP-32 */
static void counts_are_answered_where_the_daw_looks(void **state)
{
    struct shl_port_counts counts;

    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        fake_daw_set(&daw, row()->input_channels, 4);
        fake_daw_set(&daw, row()->output_channels, 99);
        fake_daw_ask(&daw, SHL_PLUGIN_HOST_PORTS);
        take_request();
        assert_int_equal(work.request.audio_in, 4);
        assert_int_equal(work.request.audio_out, 32);
        shl_scratchpad_ports(shl_plugin_host_pad(plugin_host), 4, 6, 1, 2);
        shl_plugin_host_answer(plugin_host, SHL_OK);
        assert_int_equal(
            shl_scratch_ports_read(fake_daw_scratch(&daw), &counts), SHL_OK);
        assert_int_equal(counts.audio_in, 4);
        assert_int_equal(counts.audio_out, 6);
        assert_int_equal(counts.midi_in, 1);
        assert_int_equal(counts.midi_out, versions[v] == 3 ? 1 : 2);
        end();
    }
}

/* shows MP-46 */
static void a_changed_state_is_told(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        begin(versions[v]);
        assert_int_equal(fake_daw_word(&daw, row()->state_dirty), 0);
        shl_plugin_host_dirty(plugin_host);
        assert_int_equal(fake_daw_word(&daw, row()->state_dirty), 1);
        end();
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(other_magic_is_refused),
        TEST(other_versions_are_refused_with_their_number),
        TEST(short_segments_are_refused),
        TEST(segments_that_others_can_write_are_refused),
        TEST(missing_segments_are_named),
        TEST(descriptors_must_be_pipes_of_these_directions),
        TEST(name_and_counts_are_there_before_ready),
        TEST(long_names_are_cut_between_characters),
        TEST(latency_is_told_from_number_5_on),
        TEST(audio_crosses_exactly_in_every_layout),
        TEST(a_block_raises_its_counter_and_has_its_byte),
        TEST(bytes_that_a_counting_daw_leaves_are_no_loss),
        TEST(planes_that_nobody_wired_are_harmless),
        TEST(impossible_counts_are_clipped),
        TEST(transport_of_other_daws_is_completed),
        TEST(parameters_of_four_kinds_arrive_at_their_sample),
        TEST(events_that_make_no_sense_are_counted),
        TEST(events_out_of_order_are_raised),
        TEST(midi_crosses_on_every_port_and_channel),
        TEST(device_events_come_once_and_a_full_ring_counts),
        TEST(ports_beyond_the_daws_get_nothing),
        TEST(impossible_indices_restart_a_ring),
        TEST(a_wish_to_end_is_heard_with_and_without_a_byte),
        TEST(a_wish_to_end_is_heard_while_waiting),
        TEST(the_end_of_the_doorbell_is_the_end),
        TEST(a_daw_that_reads_no_more_is_gone),
        TEST(a_full_pipe_never_blocks),
        TEST(bytes_that_wait_are_worked_off_one_by_one),
        TEST(the_heart_beats_with_and_without_work),
        TEST(a_segment_cut_while_in_use_is_noticed),
        TEST(each_request_is_answered_once),
        TEST(answers_do_not_come_before_the_daw_waits),
        TEST(the_next_request_is_not_erased),
        TEST(blocks_and_requests_may_mix),
        TEST(requests_without_an_answer_fail),
        TEST(states_of_every_size_go_both_ways),
        TEST(a_state_that_cannot_be_is_a_problem),
        TEST(a_list_of_files_is_written_as_far_as_it_goes),
        TEST(tables_that_do_not_fit_keep_what_does),
        TEST(paths_are_taken_by_their_own_mark_only),
        TEST(folders_are_shared_and_files_listed_since_number_7),
        TEST(paths_that_lie_about_their_length_are_refused),
        TEST(a_window_is_asked_for_with_its_parent),
        TEST(counts_are_answered_where_the_daw_looks),
        TEST(a_changed_state_is_told)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
