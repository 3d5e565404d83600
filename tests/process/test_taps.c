/* SPDX-License-Identifier: MIT */
/* Taps: what a device may publish, what a host hears of it, when, and that no
 * table and no selection of a peer does harm. */
#include "duet.h"

#include <cmocka.h> /* the rule that links looks for it here */
#include <stdlib.h>

#include "core/host/link.h"

static const struct shl_tap usual_taps[] = {
    {"osc1", SHL_TAP_AUDIO, 1},
    {"env", SHL_TAP_CONTROL, 1},
    {"gate", SHL_TAP_GATE, 1},
    {"bus 1", SHL_TAP_AUDIO, 2},
};

enum { OSC, ENV, GATE, BUS, TAPS };

static shl_status answer_status;
static uint32_t answers;
static char answer_text[256];

static void note_answer(void *arg, const struct shl_answer *answer)
{
    (void)arg;
    answers++;
    answer_status = answer->status;
    snprintf(answer_text, sizeof answer_text, "%s", answer->text);
}

static struct shl_device_options usual(void)
{
    return (struct shl_device_options){
        .out_channels = 2, .taps = usual_taps, .tap_count = TAPS};
}

/* One route, answered. */
static shl_status route(uint32_t tap, uint32_t channel)
{
    uint32_t request;
    why.text[0] = 0;
    shl_status st =
        shl_host_route(host, tap, channel, note_answer, NULL, &request, &why);
    if (st)
        return st;
    assert_int_equal(shl_host_await(host, request, LIMIT_MS), SHL_OK);
    return answer_status;
}

/* What plane p of a tap has at sample i: each its own. */
static float sound(uint32_t tap, uint32_t channel, uint32_t i)
{
    return (float)(tap + 1) + 0.25f * (float)channel + (float)i / 4096;
}

static void fill(void)
{
    for (uint32_t c = 0; c < 2; c++)
        for (uint32_t i = 0; i < FRAMES; i++)
            block.out[c][i] = -1 - (float)c;
    for (uint32_t t = 0; t < TAPS; t++)
        for (uint32_t c = 0; block.tap[t] && c < usual_taps[t].channels; c++)
            for (uint32_t i = 0; i < FRAMES; i++)
                block.tap[t][c][i] = sound(t, c, i);
    shl_device_done(device);
}

static int has_own(void)
{
    for (uint32_t c = 0; c < 2; c++)
        for (uint32_t i = 0; i < FRAMES; i++)
            if (out_memory[c][i] != -1 - (float)c)
                return 0;
    return 1;
}

static int has(uint32_t at, uint32_t tap, uint32_t channel)
{
    for (uint32_t i = 0; i < FRAMES; i++)
        if (out_memory[at][i] != sound(tap, channel, i))
            return 0;
    return 1;
}

static void both(uint32_t outs, uint32_t mode)
{
    new_device(usual());
    new_host(0, outs, mode);
    link_up();
    next_block();
    fill();
    next_block();
    fill();
    assert_true(has_own() || mode == SHL_MODE_MIDI);
}

/* ---- publishing --------------------------------------------------------- */

static void a_table_that_cannot_be_is_refused_by_name(void **state)
{
    static const struct {
        struct shl_tap second;
        const char *says;
    } rows[] = {{{"osc1", SHL_TAP_GATE, 1}, "another one"},
                {{"", SHL_TAP_GATE, 1}, "no name"},
                {{"a\nb", SHL_TAP_GATE, 1}, "control characters"},
                {{"ok", 3, 1}, "kind"},
                {{"ok", 0, 0}, "1 to 32 channels"},
                {{"ok", 0, 33}, "1 to 32 channels"}};
    struct shl_device_options options = {
        .id = "Duet", .rate_hz = 48000, .block_frames = 64};
    shl_device *none;
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct shl_tap taps[2] = {usual_taps[0], rows[r].second};
        options.taps = taps;
        options.tap_count = 2;
        assert_int_equal(shl_device_open(&options, &none, &why), SHL_BAD_VALUE);
        assert_non_null(strstr(why.text, rows[r].says));
    }
    options.tap_count = 65;
    assert_int_equal(shl_device_open(&options, &none, &why), SHL_BAD_VALUE);
    assert_non_null(strstr(why.text, "64"));
    struct shl_tap endless = usual_taps[0];
    memset(endless.name, 'x', sizeof endless.name);
    options.taps = &endless;
    options.tap_count = 1;
    assert_int_equal(shl_device_open(&options, &none, &why), SHL_BAD_VALUE);
    assert_non_null(strstr(why.text, "39 bytes"));
}

static void check_list(void *arg, const struct shl_answer *answer)
{
    struct shl_unpack unpack = shl_unpack_from(answer->bytes, answer->size);
    uint32_t *good = arg;
    assert_int_equal(answer->status, SHL_OK);
    assert_int_equal(shl_unpack_u32(&unpack), TAPS);
    for (uint32_t t = 0; t < TAPS; t++) {
        char name[40];
        shl_unpack_text(&unpack, name, sizeof name);
        assert_string_equal(name, usual_taps[t].name);
        assert_int_equal(shl_unpack_u32(&unpack), usual_taps[t].kind);
        assert_int_equal(shl_unpack_u32(&unpack), usual_taps[t].channels);
    }
    assert_true(!unpack.bad && unpack.at == answer->size);
    *good = 1;
}

/* shows DL-33 */
static void a_host_knows_the_taps_from_linking(void **state)
{
    uint32_t request, good = 0;
    (void)state;
    both(6, 0);
    assert_int_equal(shl_host_tap_count(host), TAPS);
    for (uint32_t t = 0; t < TAPS; t++)
        assert_memory_equal(shl_host_tap(host, t), &usual_taps[t],
                            sizeof usual_taps[t]);
    assert_null(shl_host_tap(host, TAPS));
    assert_int_equal(shl_host_tap_find(host, "gate"), GATE);
    assert_int_equal(shl_host_tap_find(host, "bus_1"), BUS);
    assert_int_equal(shl_host_tap_find(host, "none"), -1);
    assert_int_equal(shl_host_ask(host, SHL_MESSAGE_TAP_LIST, NULL, 0, LIMIT_MS,
                                  check_list, &good, &request),
                     SHL_OK);
    assert_int_equal(shl_host_await(host, request, LIMIT_MS), SHL_OK);
    assert_true(good);
    shl_host_close(host);
    assert_int_equal(shl_host_tap_count(host), 0);
    assert_null(shl_host_tap(host, 0));
}

/* ---- hearing -------------------------------------------------------------- */

/* shows DL-33 */
static void each_tap_comes_out_where_it_was_routed(void **state)
{
    (void)state;
    both(7, 0);
    for (uint32_t t = 0; t < TAPS; t++)
        assert_null(block.tap[t]);
    assert_true(memory_from(SHL_AUDIO_OFFSET + 5 * 2 * SHL_PLANE_SIZE) >
                (long)SHL_AUDIO_SIZE - 1);
    assert_int_equal(route(ENV, 2), SHL_OK);
    assert_int_equal(route(BUS, 4), SHL_OK);
    assert_int_equal(shl_host_routed(host, ENV), 2);
    assert_int_equal(shl_host_routed(host, OSC), SHL_NO_ROUTE);
    assert_int_equal(memory_from(SHL_AUDIO_OFFSET + 5 * 2 * SHL_PLANE_SIZE),
                     SHL_AUDIO_OFFSET + 5 * 2 * SHL_PLANE_SIZE);
    /* the block on its way was rung before: nobody filled its taps */
    next_block();
    assert_true(has_own() && silent(2) && silent(4));
    assert_null(block.tap[OSC]);
    assert_null(block.tap[GATE]);
    assert_non_null(block.tap[ENV]);
    fill();
    next_block();
    fill();
    assert_true(has_own() && has(2, ENV, 0) && silent(3));
    assert_true(has(4, BUS, 0) && has(5, BUS, 1) && silent(6));
    /* moved, ended, and another in its place */
    assert_int_equal(route(ENV, 6), SHL_OK);
    assert_int_equal(route(BUS, SHL_NO_ROUTE), SHL_OK);
    assert_int_equal(route(OSC, 2), SHL_OK);
    next_block();
    assert_null(block.tap[BUS]);
    fill();
    next_block();
    fill();
    assert_true(has_own() && has(2, OSC, 0) && has(6, ENV, 0));
    assert_true(silent(3) && silent(4) && silent(5));
    /* what the plane had before is not the next tap's sound */
    assert_int_equal(route(OSC, SHL_NO_ROUTE), SHL_OK);
    next_block();
    fill();
    next_block();
    fill();
    assert_int_equal(route(GATE, 2), SHL_OK);
    next_block();
    assert_true(has_own() && silent(2));
    fill();
    next_block();
    fill();
    assert_true(has_own() && has(2, GATE, 0));
}

/* 1 + 31 channels, each heard as itself. shows DL-32 DL-33 */
static void all_32_planes_can_be_heard(void **state)
{
    struct shl_tap wide = {"wide", SHL_TAP_AUDIO, 31};
    struct shl_device_options options = {
        .out_channels = 1, .taps = &wide, .tap_count = 1};
    (void)state;
    new_device(options);
    new_host(0, 32, 0);
    link_up();
    assert_int_equal(route(0, 1), SHL_OK);
    for (int b = 0; b < 3; b++) {
        next_block();
        for (uint32_t i = 0; i < FRAMES; i++)
            block.out[0][i] = -1;
        for (uint32_t c = 0; c < 31; c++)
            for (uint32_t i = 0; i < FRAMES; i++)
                block.tap[0][c][i] = sound(0, c, i);
        shl_device_done(device);
    }
    assert_true(out_memory[0][0] == -1);
    for (uint32_t c = 0; c < 31; c++)
        assert_true(has(c + 1, 0, c));
}

static void a_selection_ends_with_its_claim(void **state)
{
    (void)state;
    both(4, 0);
    assert_int_equal(route(OSC, 3), SHL_OK);
    next_block();
    assert_non_null(block.tap[OSC]);
    fill();
    shl_host_close(host);
    assert_int_equal(shl_host_routed(host, OSC), SHL_NO_ROUTE);
    shl_device_wait(device, 0, &block);
    link_up();
    next_block();
    assert_null(block.tap[OSC]);
    fill();
    next_block();
    assert_true(silent(3));
    fill();
    /* confirmed, but no block came before the claim was over */
    assert_int_equal(route(ENV, 2), SHL_OK);
    shl_host_close(host);
    shl_device_wait(device, 0, &block);
    link_up();
    next_block();
    assert_null(block.tap[ENV]);
    fill();
}

/* A route that is under way when the device leaves has its answer all the same.
 */
static void each_route_is_answered_once(void **state)
{
    (void)state;
    both(4, 0);
    answers = 0;
    assert_int_equal(
        shl_host_route(host, OSC, 2, note_answer, NULL, NULL, &why), SHL_OK);
    assert_int_equal(
        shl_host_route(host, ENV, 3, note_answer, NULL, NULL, &why), SHL_OK);
    shl_host_close(host);
    assert_int_equal(answers, 2);
    assert_int_equal(answer_status, SHL_GONE);
}

/* ---- refusals ---------------------------------------------------------------- */

/* shows DL-33 */
static void a_route_that_cannot_be_is_refused_by_name(void **state)
{
    (void)state;
    both(5, 0);
    answers = 0;
    assert_int_equal(route(TAPS, 2), SHL_NOT_FOUND);
    assert_int_equal(route(OSC, 1), SHL_WRONG_CHANNELS);
    assert_non_null(strstr(why.text, "osc1"));
    assert_int_equal(route(OSC, 5), SHL_WRONG_CHANNELS);
    assert_int_equal(route(BUS, 4), SHL_WRONG_CHANNELS);
    assert_int_equal(answers, 0);
    assert_int_equal(route(BUS, 3), SHL_OK);
    assert_int_equal(route(OSC, 4), SHL_WRONG_CHANNELS);
    assert_non_null(strstr(why.text, "bus 1"));
    assert_int_equal(shl_host_routed(host, BUS), 3);
    shl_host_close(host);
    assert_int_equal(route(OSC, 2), SHL_NO_DEVICE);
}

/* shows DL-34 */
static void mode_midi_has_no_taps_to_hear(void **state)
{
    (void)state;
    both(5, SHL_MODE_MIDI);
    assert_int_equal(route(OSC, 2), SHL_UNSUPPORTED);
    assert_non_null(strstr(why.text, "midi"));
}

/* A selection that another host may send; the status of its answer. */
static shl_status select_raw(const void *bytes, uint32_t size)
{
    uint32_t request;
    assert_int_equal(shl_host_ask(host, SHL_MESSAGE_TAP_SELECT, bytes, size,
                                  LIMIT_MS, note_answer, NULL, &request),
                     SHL_OK);
    assert_int_equal(shl_host_await(host, request, LIMIT_MS), SHL_OK);
    return answer_status;
}

static void pack_one(struct shl_pack *pack, uint32_t first, const char *name)
{
    shl_pack_u32(pack, first);
    shl_pack_text(pack, name);
}

static void a_device_refuses_wild_selections(void **state)
{
    static const struct {
        uint32_t count, first, second;
        const char *one, *two;
        shl_status says;
    } rows[] = {
        {1, 2, 0, "none", NULL, SHL_NOT_FOUND},
        {1, 0, 0, "osc1", NULL, SHL_WRONG_CHANNELS},
        {1, 32, 0, "osc1", NULL, SHL_WRONG_CHANNELS},
        {1, 0xffffffff, 0, "osc1", NULL, SHL_WRONG_CHANNELS},
        {1, 31, 0, "bus 1", NULL, SHL_WRONG_CHANNELS},
        {2, 2, 3, "osc1", "osc1", SHL_WRONG_CHANNELS},
        {2, 2, 2, "osc1", "env", SHL_WRONG_CHANNELS},
        {2, 2, 3, "bus 1", "env", SHL_WRONG_CHANNELS},
        {3, 2, 3, "osc1", "env", SHL_BAD_VALUE},
        {0xffffffff, 2, 3, "osc1", "env", SHL_BAD_VALUE},
        {1, 2, 3, "osc1", "env", SHL_BAD_VALUE},
        {2, 2, 3, "osc1", "env", SHL_OK},
    };
    uint8_t bytes[256];
    (void)state;
    both(6, 0);
    assert_int_equal(route(GATE, 5), SHL_OK);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
        shl_pack_u32(&pack, rows[r].count);
        pack_one(&pack, rows[r].first, rows[r].one);
        if (rows[r].two)
            pack_one(&pack, rows[r].second, rows[r].two);
        assert_int_equal(select_raw(bytes, (uint32_t)pack.used), rows[r].says);
        next_block();
        assert_true((block.tap[GATE] != NULL) == (rows[r].says != SHL_OK));
        assert_true((block.tap[OSC] != NULL) == (rows[r].says == SHL_OK));
        fill();
    }
    assert_int_equal(select_raw(NULL, 0), SHL_BAD_VALUE);
    uint64_t random = 20261125;
    for (int i = 0; i < 2000; i++) {
        uint32_t size = (uint32_t)(peer_random(&random) % sizeof bytes);
        for (uint32_t b = 0; b < size; b++)
            bytes[b] = (uint8_t)(peer_random(&random) % (b < 12 ? 5 : 256));
        select_raw(bytes, size);
        next_block();
        fill();
    }
}

/* What the device has written, on its own thread. */
struct refusal {
    char text[256];
    atomic_bool noted;
};

static void note_refusal(void *arg, int by_us, const struct shl_received *said)
{
    struct refusal *refusal = arg;
    struct shl_unpack unpack = shl_unpack_from(said->bytes, said->size);
    if (!by_us || said->type != SHL_MESSAGE_ERROR)
        return;
    shl_unpack_u32(&unpack);
    shl_unpack_text(&unpack, refusal->text, sizeof refusal->text);
    atomic_store(&refusal->noted, true);
}

static void a_refusal_names_a_tap_fit_to_be_shown(void **state)
{
    /* the keeper may look at them until the device is closed */
    static struct refusal refusal;
    static const struct shl_monitor monitor = {.arg = &refusal,
                                               .message = note_refusal};
    uint8_t bytes[64];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    (void)state;
    both(6, 0);
    shl_device_set_monitor(device, &monitor);
    shl_pack_u32(&pack, 1);
    pack_one(&pack, 2, "\x1B[2J\xFFo\n");
    assert_int_equal(select_raw(bytes, (uint32_t)pack.used), SHL_NOT_FOUND);
    shl_device_set_monitor(device, NULL);
    assert_true(atomic_load(&refusal.noted));
    assert_string_equal(refusal.text, "tap ?[2J?o?: this device has none");
}

/* A device that says nonsense of its taps gets no host. */
static void a_host_refuses_wild_tables(void **state)
{
    uint64_t random = 7;
    struct shl_segment segment;
    struct shl_link link;
    const struct shl_link_options options = {.tag = "",
                                             .rate_hz = 48000,
                                             .block_frames = FRAMES,
                                             .drive = SHL_DRIVE_PIPELINED,
                                             .deadline_us = 1000};
    (void)state;
    new_device(usual());
    assert_int_equal(
        shl_segment_open(shl_device_segment(device), &segment, &why), SHL_OK);
    struct shl_tap_slot good[TAPS];
    memcpy(good, segment.taps, sizeof good);
    for (int i = 0; i < 200; i++) {
        uint8_t *bytes = (uint8_t *)segment.taps;
        memcpy(segment.taps, good, sizeof good);
        for (int b = 0; b < 4; b++)
            bytes[peer_random(&random) % (sizeof good)] =
                (uint8_t)peer_random(&random);
        shl_status st =
            shl_link_open(&link, shl_device_segment(device), &options, &why);
        assert_true(st == SHL_OK || st == SHL_BAD_PEER);
        shl_link_close(&link);
    }
    memcpy(segment.taps, good, sizeof good);
    segment.taps[1].channels = 33;
    assert_int_equal(
        shl_link_open(&link, shl_device_segment(device), &options, &why),
        SHL_BAD_PEER);
    memcpy(segment.taps, good, sizeof good);
    memcpy(segment.taps[1].name, "osc1", 5);
    assert_int_equal(
        shl_link_open(&link, shl_device_segment(device), &options, &why),
        SHL_BAD_PEER);
    memcpy(segment.taps, good, sizeof good);
    assert_int_equal(
        shl_link_open(&link, shl_device_segment(device), &options, &why),
        SHL_OK);
    shl_link_close(&link);
    shl_segment_close(&segment);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_that_cannot_be_is_refused_by_name),
        TEST(a_host_knows_the_taps_from_linking),
        TEST(each_tap_comes_out_where_it_was_routed),
        TEST(all_32_planes_can_be_heard),
        TEST(a_selection_ends_with_its_claim),
        TEST(each_route_is_answered_once),
        TEST(a_route_that_cannot_be_is_refused_by_name),
        TEST(mode_midi_has_no_taps_to_hear),
        TEST(a_device_refuses_wild_selections),
        TEST(a_refusal_names_a_tap_fit_to_be_shown),
        TEST(a_host_refuses_wild_tables),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
