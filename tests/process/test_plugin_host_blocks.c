/* SPDX-License-Identifier: MIT */
/* The role of a plugin host beside a scripted DAW: blocks and their events. */
#include "serve_daw.h"

#include <math.h>
#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
