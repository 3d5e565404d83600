/* SPDX-License-Identifier: MIT */
/* Transport modes: what each carries, what it refuses by name, and that audio
 * memory stays untouched in mode midi. */
#include "duet.h"

#include <cmocka.h> /* the rule that links looks for it here */

static const struct shl_param gain[1] = {
    {.id = 7, .minimum = 0, .maximum = 1, .initial = 0.5, .name = "gain"}};

static struct shl_device_options usual(void)
{
    return (struct shl_device_options){.in_channels = 2,
                                       .out_channels = 2,
                                       .capabilities =
                                           SHL_CAP_MIDI_IN | SHL_CAP_MIDI_OUT |
                                           SHL_CAP_PARAMS | SHL_CAP_PARAM_OUT,
                                       .params = gain,
                                       .param_count = 1};
}

static struct shl_event note(void)
{
    return shl_event_midi(0, 0, 0x90, 60, 100);
}

static struct shl_event value(double plain)
{
    return shl_event_param(0, SHL_EVENT_PARAM, 7, plain);
}

/* How many MIDI and parameter events the device's block brings. */
static void count(uint32_t *midi, uint32_t *params)
{
    struct shl_event event;
    *midi = *params = 0;
    while (shl_device_event(device, &event)) {
        *midi += event.kind == SHL_EVENT_UMP;
        *params += event.kind == SHL_EVENT_PARAM;
    }
}

/* What the host hears of both kinds. */
static void heard(uint32_t *midi, uint32_t *params)
{
    struct shl_event event;
    uint32_t offset;
    *midi = *params = 0;
    while (shl_host_event(host, &event, &offset)) {
        *midi += event.kind == SHL_EVENT_UMP;
        *params += event.kind == SHL_EVENT_PARAM;
    }
}

/* shows DL-34 */
static void each_mode_carries_what_it_says(void **state)
{
    static const struct {
        uint32_t mode, audio, midi;
    } rows[] = {{0, 1, 1},
                {SHL_MODE_BOTH, 1, 1},
                {SHL_MODE_AUDIO, 1, 0},
                {SHL_MODE_MIDI, 0, 1}};
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const uint32_t audio = rows[r].audio, midi = rows[r].midi;
        struct shl_event event = note();
        uint32_t midi_count, param_count;
        new_device(usual());
        new_host(2, 2, rows[r].mode);
        link_up();
        for (uint32_t i = 0; i < FRAMES; i++)
            in_memory[0][i] = 0.25f;
        shl_host_transport(host)->tempo = 97;
        assert_int_equal(shl_host_send(host, &event, 3),
                         midi ? SHL_OK : SHL_UNSUPPORTED);
        event = value(0.75);
        assert_int_equal(shl_host_send(host, &event, 5), SHL_OK);
        next_block();
        assert_int_equal(block.mode, rows[r].mode ? rows[r].mode : 1);
        assert_true(block.frames == FRAMES && block.transport.tempo == 97);
        assert_true(block.in[0][FRAMES - 1] == (audio ? 0.25f : 0));
        event = note();
        event.frame = block.frame;
        assert_int_equal(shl_device_send(device, &event),
                         midi ? SHL_OK : SHL_UNSUPPORTED);
        event = value(0.5);
        event.frame = block.frame;
        assert_int_equal(shl_device_send(device, &event), SHL_OK);
        count(&midi_count, &param_count);
        assert_int_equal(midi_count, midi);
        assert_int_equal(param_count, 1);
        for (uint32_t i = 0; i < FRAMES; i++)
            block.out[0][i] = block.out[1][i] = 0.125f;
        shl_device_done(device);
        assert_int_equal(shl_host_process(host, in, out, FRAMES), 1);
        assert_true(out_memory[1][FRAMES - 1] == (audio ? 0.125f : 0));
        heard(&midi_count, &param_count);
        assert_int_equal(midi_count, midi);
        assert_int_equal(param_count, 1);
        tear_down(NULL);
    }
}

/* shows DL-34 */
static void what_is_refused_is_counted(void **state)
{
    struct shl_host_stats stats;
    struct shl_device_stats own;
    struct shl_device_info info;
    struct shl_event event = note();
    (void)state;
    new_device(usual());
    new_host(2, 2, SHL_MODE_AUDIO);
    link_up();
    for (int i = 0; i < 5; i++)
        assert_int_equal(shl_host_send(host, &event, 0), SHL_UNSUPPORTED);
    assert_int_equal(shl_host_panic(host), SHL_UNSUPPORTED);
    shl_host_get_stats(host, &stats);
    assert_int_equal(stats.events_excluded, 6);
    assert_int_equal(stats.events_sent, 0);
    next_block();
    assert_false(shl_device_event(device, &event));
    event = note();
    assert_int_equal(shl_device_send(device, &event), SHL_UNSUPPORTED);
    shl_device_get_stats(device, &own);
    assert_int_equal(own.events_excluded, 1);
    assert_int_equal(own.events_bad, 0);
    assert_int_equal(shl_host_post(host, SHL_MESSAGE_MIDI_RAW, "abcd", 4),
                     SHL_UNSUPPORTED);
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_int_equal(info.mode, SHL_MODE_AUDIO);
}

/* What a host writes into the ring all the same is not played. */
static void midi_behind_the_mode_is_bad(void **state)
{
    struct shl_segment segment;
    struct shl_event event = note();
    struct shl_device_stats own;
    (void)state;
    new_device(usual());
    new_host(2, 2, SHL_MODE_AUDIO);
    link_up();
    assert_int_equal(
        shl_segment_open(shl_device_segment(device), &segment, &why), SHL_OK);
    shl_host_process(host, in, out, FRAMES);
    /* the host has shown that it sent nothing: lie now */
    segment.events_to_device[0] = event;
    atomic_store_explicit(&segment.lines->host.event_write, 1,
                          memory_order_release);
    shl_segment_close(&segment);
    assert_int_equal(shl_device_wait(device, 0, &block), SHL_OK);
    assert_false(shl_device_event(device, &event));
    shl_device_get_stats(device, &own);
    assert_int_equal(own.events_bad, 1);
}

static void midi_from_a_device_behind_the_mode_is_bad(void **state)
{
    struct shl_segment segment;
    struct shl_event event;
    struct shl_host_stats stats;
    uint32_t offset;
    (void)state;
    new_device(usual());
    new_host(2, 2, SHL_MODE_AUDIO);
    link_up();
    next_block();
    shl_device_done(device);
    assert_int_equal(
        shl_segment_open(shl_device_segment(device), &segment, &why), SHL_OK);
    segment.events_to_host[0] = note();
    atomic_store_explicit(&segment.lines->device.event_write, 1,
                          memory_order_release);
    shl_segment_close(&segment);
    shl_host_process(host, in, out, FRAMES);
    assert_false(shl_host_event(host, &event, &offset));
    shl_host_get_stats(host, &stats);
    assert_int_equal(stats.events_bad, 1);
}

/* Memory begins again with the ring that follows the planes. shows DL-34 */
static void mode_midi_touches_no_plane(void **state)
{
    const struct shl_maolan_layout *row = &shl_maolan_layouts[SHL_LAYOUT_A];
    const long behind = (long)(row->param_slots & ~4095u);
    struct shl_device_options options = usual();
    struct shl_event event;
    (void)state;
    options.in_channels = options.out_channels = 32;
    new_device(options);
    assert_int_equal(memory_from(4096), behind);
    new_host(32, 32, SHL_MODE_MIDI);
    link_up();
    for (uint32_t c = 0; c < 32; c++)
        in_memory[c][0] = 1;
    for (int b = 0; b < 100; b++) {
        event = note();
        assert_int_equal(shl_host_send(host, &event, 9), SHL_OK);
        next_block();
        assert_true(shl_device_event(device, &event));
        assert_int_equal(event.frame - block.frame, 9);
        for (uint32_t c = 0; c < 32; c++)
            for (uint32_t i = 0; i < FRAMES; i++)
                block.out[c][i] = block.in[c][i] + 1;
        shl_device_done(device);
        if (b > 0)
            assert_true(silent(0) && silent(31));
    }
    assert_int_equal(memory_from(4096), behind);
    /* the same device, claimed for audio, has them before it answers */
    shl_host_free(host);
    shl_device_wait(device, 0, &block);
    new_host(32, 32, SHL_MODE_BOTH);
    link_up();
    assert_int_equal(memory_from(4096), 4096);
}

/* shows DL-34 */
static void only_modes_on_offer_are_given(void **state)
{
    static const uint32_t modes[] = {SHL_MODE_BOTH, SHL_MODE_AUDIO,
                                     SHL_MODE_MIDI};
    (void)state;
    for (uint32_t offered = 1; offered < 8; offered++) {
        struct shl_device_options options = usual();
        options.modes = offered;
        new_device(options);
        for (int m = 0; m < 3; m++) {
            char text[256];
            new_host(2, 2, modes[m]);
            shl_status st = shl_host_open(host, "Duet:0", 0);
            assert_int_equal(st, offered & modes[m] ? SHL_OK : SHL_WRONG_MODE);
            shl_host_why(host, text, sizeof text);
            if (st)
                assert_non_null(strstr(text, shl_mode_name(modes[m])));
            shl_host_free(host);
            host = NULL;
            shl_device_wait(device, 0, &block);
        }
        tear_down(NULL);
    }
}

static void modes_that_are_none_are_refused(void **state)
{
    struct shl_device_options options = usual();
    struct shl_host_options wish = {.rate_hz = 48000, .block_frames = 64};
    shl_device *none = NULL;
    (void)state;
    options.id = "Duet";
    options.rate_hz = 48000;
    options.block_frames = 64;
    options.modes = 8;
    assert_int_equal(shl_device_open(&options, &none, &why), SHL_WRONG_MODE);
    assert_non_null(strstr(why.text, "both, audio and midi"));
    wish.mode = 3;
    assert_int_equal(shl_host_new(&wish, &host), SHL_WRONG_MODE);
    wish.mode = 8;
    assert_int_equal(shl_host_new(&wish, &host), SHL_WRONG_MODE);
    host = NULL;
}

/* The board shows the mode of the present claim. */
static void a_claim_shows_its_mode(void **state)
{
    struct shl_device_info info;
    shl_registry *board;
    (void)state;
    new_device(usual());
    new_host(2, 2, SHL_MODE_MIDI);
    link_up();
    assert_int_equal(shl_registry_open(NULL, &board, &why), SHL_OK);
    assert_int_equal(shl_registry_find(board, "Duet:0", &info), SHL_BUSY);
    assert_int_equal(info.mode, SHL_MODE_MIDI);
    assert_int_equal(info.modes, 7);
    shl_host_close(host);
    assert_int_equal(shl_registry_find(board, "Duet:0", &info), SHL_OK);
    assert_int_equal(info.mode, 0);
    shl_registry_close(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_mode_carries_what_it_says, tear_down),
        cmocka_unit_test_teardown(what_is_refused_is_counted, tear_down),
        cmocka_unit_test_teardown(midi_behind_the_mode_is_bad, tear_down),
        cmocka_unit_test_teardown(midi_from_a_device_behind_the_mode_is_bad,
                                  tear_down),
        cmocka_unit_test_teardown(mode_midi_touches_no_plane, tear_down),
        cmocka_unit_test_teardown(only_modes_on_offer_are_given, tear_down),
        cmocka_unit_test_teardown(modes_that_are_none_are_refused, tear_down),
        cmocka_unit_test_teardown(a_claim_shows_its_mode, tear_down),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
