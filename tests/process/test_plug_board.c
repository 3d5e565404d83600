/* SPDX-License-Identifier: MIT */
/* A plugin on the board, in a process of its own, and a host that asks it for
 * everything it has. */
#include "plug/control.h"
#include "plug/log.h"

#include "child.h"
#include "core/host/link.h"
#include "core/maolan/scratch.h"
#include "core/os/platform.h"
#include "fake_daw.h"
#include "peer.h"
#include "shmlink/shmlink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONG_MS 30000u

static struct control_options options;
static pid_t child;
static shl_host *host;
static float in_memory[32][SHL_MAX_FRAMES], out_memory[32][SHL_MAX_FRAMES];
static const float *in[32];
static float *out[32];

static int carry(void *arg)
{
    (void)arg;
    log_set_level(PLUGIN_NONE);
    shl_ending_catch(30);
    child_ready();
    return control_register(&options);
}

static void begin(const char *spec, uint32_t channels)
{
    const struct shl_host_options how = {.in_channels = channels,
                                         .out_channels = channels,
                                         .rate_hz = 48000,
                                         .block_frames = 64,
                                         .batch = 1};

    for (int c = 0; c < 32; c++) {
        in[c] = in_memory[c];
        out[c] = out_memory[c];
    }
    options = (struct control_options){.format = "builtin",
                                       .spec = spec,
                                       .block_frames = 64,
                                       .inputs = PLUGIN_ANY,
                                       .outputs = PLUGIN_ANY,
                                       .name = "Plug"};
    child = child_start(carry, NULL);
    assert_int_equal(shl_host_new(&how, &host), SHL_OK);
    assert_int_equal(shl_host_open(host, "Plug", LONG_MS), SHL_OK);
}

static int end(void)
{
    int code = -1;

    if (child > 0) {
        kill(child, SIGTERM);
        code = child_wait(child);
    }
    child = 0;
    shl_host_free(host);
    host = NULL;
    return code;
}

static int tear_down(void **state)
{
    (void)state;
    end();
    return 0;
}

/* ---- asking ------------------------------------------------------------------- */

static struct {
    shl_status status;
    uint8_t *bytes;
    uint32_t size, count;
} answer;

static void hear(void *arg, const struct shl_answer *a)
{
    (void)arg;
    free(answer.bytes);
    answer.status = a->status;
    answer.bytes = malloc(a->size + 1);
    answer.size = a->size;
    answer.count++;
    if (a->size && answer.bytes)
        memcpy(answer.bytes, a->bytes, a->size);
}

static shl_status ask(uint32_t type, const void *bytes, size_t size)
{
    uint32_t request;

    answer.count = 0;
    assert_int_equal(shl_host_ask(host, type, bytes, (uint32_t)size, LONG_MS,
                                  hear, NULL, &request),
                     SHL_OK);
    assert_int_equal(shl_host_await(host, request, LONG_MS), SHL_OK);
    assert_int_equal(answer.count, 1);
    return answer.status;
}

static struct shl_unpack said(void)
{
    return shl_unpack_from(answer.bytes, answer.size);
}

static double value_of(uint32_t id)
{
    assert_int_equal(ask(SHL_MESSAGE_PARAM_GET, &id, sizeof id), SHL_OK);
    struct shl_unpack unpack = said();
    return shl_unpack_f64(&unpack);
}

/* Ask until it is so: what a control thread has set takes a moment. */
static void value_becomes(uint32_t id, double value)
{
    for (int ms = 0; ms < 30000 && value_of(id) != value; ms++)
        shl_sleep_ms(1);
    assert_true(value_of(id) == value);
}

/* ---- tests ---------------------------------------------------------------------- */

static void audio_and_events_go_there_and_back(void **state)
{
    struct shl_event event = shl_event_midi(0, 2, 0x93, 60, 100), heard;
    uint32_t offset;

    (void)state;
    begin("fixture:echo,in=32,out=32,midi_in=16,midi_out=16", 32);
    for (uint32_t n = 0; n < 20; n++) {
        for (uint32_t c = 0; c < 32; c++)
            for (uint32_t i = 0; i < 64; i++)
                in_memory[c][i] = (float)(n * 4096 + c * 64 + i);
        assert_int_equal(shl_host_send(host, &event, n), SHL_OK);
        assert_int_equal(shl_host_process(host, in, out, 64), 1);
        for (uint32_t c = 0; c < 32; c++)
            assert_memory_equal(in_memory[c], out_memory[c], 64 * 4);
        assert_int_equal(shl_host_event(host, &heard, &offset), 1);
        assert_int_equal(offset, n);
        assert_int_equal(heard.data[0], event.data[0]);
        while (shl_host_event(host, &heard, &offset))
            continue;
    }
    assert_int_equal(end(), PLUG_OK);
}

/* shows MP-28 */
static void a_state_of_any_size_is_saved_and_restored(void **state)
{
    const uint32_t size = getenv("SHL_SOAK") ? SHL_MAX_PAYLOAD : 3000000;
    uint8_t *bytes = malloc(size);

    (void)state;
    assert_non_null(bytes);
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 31 + (i >> 9));
    begin("fixture:state=100000", 2);
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0), SHL_OK);
    assert_int_equal(answer.size, 100000);
    assert_int_equal(answer.bytes[999], (uint8_t)(999 * 7 + 3));
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, bytes, size), SHL_OK);
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0), SHL_OK);
    assert_int_equal(answer.size, size);
    assert_memory_equal(answer.bytes, bytes, size);
    free(bytes);
}

/* Also while no block is played, and told when one is. */
static void what_a_state_changes_is_known_and_told(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 0, -20);
    uint32_t offset;

    (void)state;
    begin("gain", 2);
    shl_host_send(host, &event, 0);
    assert_int_equal(shl_host_process(host, in, out, 64), 1);
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0), SHL_OK);
    uint8_t kept[1024];
    const uint32_t size = answer.size;
    assert_in_range(size, 1, sizeof kept);
    memcpy(kept, answer.bytes, size);
    event = shl_event_param(0, SHL_EVENT_PARAM, 0, 3);
    shl_host_send(host, &event, 0);
    assert_int_equal(shl_host_process(host, in, out, 64), 1);
    assert_true(value_of(0) == 3);
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, kept, size), SHL_OK);
    value_becomes(0, -20);
    while (shl_host_event(host, &event, &offset))
        continue;
    assert_int_equal(shl_host_process(host, in, out, 64), 1);
    assert_int_equal(shl_host_event(host, &event, &offset), 1);
    assert_true(shl_event_value(&event) == -20);
    kept[3] ^= 1;
    assert_int_not_equal(ask(SHL_MESSAGE_STATE_RESTORE, kept, size), SHL_OK);
    assert_true(value_of(0) == -20);
}

static void programs_and_texts_are_the_plugins(void **state)
{
    uint8_t bytes[64];
    char text[128];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    struct shl_unpack unpack;
    uint32_t index = 1;

    (void)state;
    begin("fixture:programs=3", 2);
    assert_int_equal(ask(SHL_MESSAGE_PROGRAM_LIST, NULL, 0), SHL_OK);
    unpack = said();
    assert_int_equal(shl_unpack_u32(&unpack), 3);
    assert_int_equal(ask(SHL_MESSAGE_PROGRAM_SET, &index, 4), SHL_OK);
    unpack = said();
    assert_int_equal(shl_unpack_u32(&unpack), 1);
    shl_unpack_text(&unpack, text, sizeof text);
    assert_string_equal(text, "Program 1");
    value_becomes(3, 0.5);
    index = 2; /* its name is cut behind a whole character */
    assert_int_equal(ask(SHL_MESSAGE_PROGRAM_SET, &index, 4), SHL_OK);
    value_becomes(3, 0.75);
    assert_int_equal(ask(SHL_MESSAGE_PROGRAM_GET, NULL, 0), SHL_OK);
    unpack = said();
    assert_int_equal(shl_unpack_u32(&unpack), 2);
    shl_unpack_text(&unpack, text, sizeof text);
    assert_int_equal(strlen(text), 127);
    assert_string_equal(text + 123, "\xC3\xA4\xC3\xA4");
    index = 3;
    assert_int_equal(ask(SHL_MESSAGE_PROGRAM_SET, &index, 4), SHL_NOT_FOUND);
    shl_pack_u32(&pack, 3);
    shl_pack_f64(&pack, 0.25);
    shl_pack_text(&pack, "");
    assert_int_equal(ask(SHL_MESSAGE_PARAM_TEXT, bytes, pack.used), SHL_OK);
    unpack = said();
    assert_true(shl_unpack_f64(&unpack) == 0.25);
    shl_unpack_text(&unpack, text, sizeof text);
    assert_string_equal(text, "<0.25>");
    pack.used = 4;
    shl_pack_f64(&pack, (double)NAN);
    shl_pack_text(&pack, "");
    assert_int_equal(ask(SHL_MESSAGE_PARAM_TEXT, bytes, pack.used), SHL_OK);
    unpack = said();
    assert_true(shl_unpack_f64(&unpack) == 0);
    assert_int_equal(ask(SHL_MESSAGE_RESET, NULL, 0), SHL_OK);
}

/* While no block is played, and with one. */
static void values_and_notes_by_message_are_heard(void **state)
{
    static const uint8_t notes[] = {0, 0, 0, 0, 0x90, 60, 100, 64, 100};
    uint8_t bytes[12];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    struct shl_unpack unpack;
    uint32_t id = 99;
    float peak = 0;

    (void)state;
    begin("synth", 2);
    shl_pack_u32(&pack, 1); /* attack */
    shl_pack_f64(&pack, 25);
    assert_int_equal(ask(SHL_MESSAGE_PARAM_SET, bytes, 12), SHL_OK);
    unpack = said();
    assert_true(shl_unpack_f64(&unpack) == 25);
    assert_true(value_of(1) == 25);
    assert_int_equal(ask(SHL_MESSAGE_PARAM_GET, &id, 4), SHL_NOT_FOUND);
    memcpy(bytes, &id, 4);
    assert_int_equal(ask(SHL_MESSAGE_PARAM_SET, bytes, 12), SHL_NOT_FOUND);
    assert_int_equal(ask(SHL_MESSAGE_PARAM_LIST, NULL, 0), SHL_OK);
    unpack = said();
    assert_true(shl_unpack_u32(&unpack) >= 8);
    assert_int_equal(ask(SHL_MESSAGE_BUS_LAYOUT, NULL, 0), SHL_OK);
    unpack = said();
    assert_int_equal(shl_unpack_u32(&unpack), 0);
    assert_int_equal(shl_unpack_u32(&unpack), 1);
    assert_int_equal(ask(SHL_MESSAGE_MIDI_RAW, notes, sizeof notes), SHL_OK);
    for (uint32_t n = 0; n < 100; n++) {
        assert_int_equal(shl_host_process(host, in, out, 64), 1);
        for (uint32_t i = 0; i < 64; i++)
            peak = out[0][i] > peak ? out[0][i] : peak;
    }
    assert_true(peak > 0.001f);
}

/* shows MP-30 MP-31 */
static void requests_of_the_slot_go_by_message(void **state)
{
    static uint8_t bytes[4 + SHL_SCRATCH_SIZE];
    uint32_t type = SHL_PLUGIN_HOST_FILES;
    struct shl_table table;
    struct shl_table_entry entry;
    struct shl_port_counts counts;

    (void)state;
    begin("fixture:files=2,in=3,out=5", 2);
    shl_scratch_update_write(bytes + 4, 1, "/neu", 4);
    type = SHL_PLUGIN_HOST_FILE;
    memcpy(bytes, &type, 4);
    assert_int_equal(ask(SHL_MESSAGE_PLUGIN, bytes, 4 + 12 + 4), SHL_OK);
    /* its length goes beyond what was sent */
    assert_int_not_equal(ask(SHL_MESSAGE_PLUGIN, bytes, 4 + 12 + 3), SHL_OK);
    type = SHL_PLUGIN_HOST_FILES;
    assert_int_equal(ask(SHL_MESSAGE_PLUGIN, &type, 4), SHL_OK);
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, answer.bytes, answer.size);
    assert_int_equal(
        shl_table_read(&table, SHL_TABLE_FILES, bytes, SHL_SCRATCH_SIZE),
        SHL_OK);
    assert_int_equal(shl_table_next(&table, &entry), SHL_OK);
    assert_int_equal(shl_table_next(&table, &entry), SHL_OK);
    assert_int_equal(entry.name_length, 4);
    assert_memory_equal(entry.name, "/neu", 4);
    type = SHL_PLUGIN_HOST_PORTS;
    assert_int_equal(ask(SHL_MESSAGE_PLUGIN, &type, 4), SHL_OK);
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, answer.bytes, answer.size);
    assert_int_equal(shl_scratch_ports_read(bytes, &counts), SHL_OK);
    assert_int_equal(counts.audio_in, 3);
    assert_int_equal(counts.audio_out, 5);
    type = 77;
    assert_int_equal(ask(SHL_MESSAGE_PLUGIN, &type, 4), SHL_UNSUPPORTED);
    assert_int_equal(ask(SHL_MESSAGE_PLUGIN, &type, 3), SHL_BAD_VALUE);
}

/* shows MP-32 */
static void other_counts_are_another_device_of_the_same_name(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 1, 5);
    struct shl_device_info info = {.pid = 0};
    shl_registry *registry;

    (void)state;
    begin("fixture", 2);
    shl_host_set_tag(host, "mine");
    shl_host_send(host, &event, 0);
    assert_int_equal(shl_host_process(host, in, out, 64), 1);
    assert_int_equal(shl_registry_open(NULL, &registry, NULL), SHL_OK);
    for (int ms = 0; ms < 30000 && info.out_channels != 5; ms += 10) {
        shl_host_poll(host);
        shl_registry_find(registry, "Plug:0", &info);
        shl_sleep_ms(10);
    }
    assert_int_equal(info.out_channels, 5);
    assert_int_equal(info.in_channels, 2);
    for (int ms = 0; ms < 30000 && shl_host_linked(host) != 2; ms++) {
        shl_host_poll(host);
        shl_sleep_ms(1);
    }
    assert_int_equal(shl_host_linked(host), 2);
    assert_int_equal(end(), PLUG_OK);
    assert_int_equal(shl_registry_find(registry, "Plug:0", &info),
                     SHL_NOT_FOUND);
    shl_registry_close(registry);
}

/* ---- for a DAW that has left room for a link area -------------------------------- */

static struct fake_daw daw;

static int carry_for_daw(void *arg)
{
    const struct shl_plugin_host_options how = {.segment = daw.name,
                                                .doorbell = daw.doorbell[0],
                                                .answer = daw.answer[1],
                                                .alone = 1};
    shl_plugin_host *plugin_host;

    (void)arg;
    log_set_level(PLUGIN_NONE);
    CHILD_CHECK(shl_plugin_host_open(&how, &plugin_host, NULL) == SHL_OK);
    child_ready();
    const int code = control_serve(&options, plugin_host);
    shl_plugin_host_close(plugin_host);
    return code;
}

static void link_to(const char *spec, struct shl_link *link)
{
    const struct shl_link_options how = {.rate_hz = 44100,
                                         .block_frames = 64,
                                         .in_channels = 3,
                                         .out_channels = 3,
                                         .deadline_us = LONG_MS * 1000,
                                         .renders = true};
    struct shl_why why = {""};
    shl_status status = SHL_AGAIN;

    assert_true(fake_daw_open(&daw, 6, SHL_SEGMENT_SIZE));
    fchmod(daw.fd, 0600);
    shl_maolan_format(daw.base, 6, 44100);
    fake_daw_set(&daw, daw.maolan.layout->input_channels, 3);
    fake_daw_set(&daw, daw.maolan.layout->output_channels, 3);
    options = (struct control_options){.format = "builtin",
                                       .spec = spec,
                                       .block_frames = 64,
                                       .inputs = PLUGIN_ANY,
                                       .outputs = PLUGIN_ANY};
    child = child_start(carry_for_daw, NULL);
    for (int ms = 0; ms < 30000 && status == SHL_AGAIN; ms++) {
        status = shl_link_open(link, daw.name, &how, &why);
        shl_sleep_ms(1);
    }
    if (status)
        fail_msg("%s: %s", spec, why.text);
    while (shl_link_state(link) == SHL_AGAIN)
        shl_sleep_ms(1);
    assert_int_equal(shl_link_state(link), SHL_OK);
}

static void plays(struct shl_link *link)
{
    struct shl_transport transport = shl_transport_default(44100);

    for (int c = 0; c < 3; c++) {
        in[c] = in_memory[c];
        out[c] = out_memory[c];
        for (int i = 0; i < 64; i++)
            in_memory[c][i] = (float)(c * 64 + i);
        memset(out_memory[c], 0, sizeof out_memory[c]);
    }
    shl_link_play(link, in, 3, out, 3, 64, &transport);
    for (int c = 0; c < 3; c++)
        assert_memory_equal(in_memory[c], out_memory[c], 64 * 4);
}

static void a_segment_with_a_link_area_is_a_link(void **state)
{
    static const char *const specs[] = {"null", "fixture:in=3,out=3",
                                        "fixture:in=3,out=3,name=60000"};
    struct shl_link link;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        link_to(specs[i], &link);
        assert_int_equal(link.identity.in_channels, 3);
        assert_int_equal(link.identity.out_channels, 3);
        assert_true(link.identity.rate_hz == 44100);
        for (int n = 0; n < 10; n++)
            plays(&link);
        /* its doorbell is the link's; the pipe tells of the end alone */
        fake_daw_ring(&daw);
        plays(&link);
        fake_daw_set(&daw, daw.maolan.layout->shutdown_request, 1);
        fake_daw_ring(&daw);
        assert_int_equal(child_wait(child), PLUG_OK);
        child = 0;
        assert_int_equal(shl_link_check(&link), SHL_GONE);
        shl_link_close(&link);
        fake_daw_close(&daw);
    }
}

/* The plugin gets the block in parts, each with its own transport and events. */
static void the_transport_changes_at_its_sample(void **state)
{
    struct shl_link link;
    struct shl_transport before = shl_transport_default(44100), now = before;

    (void)state;
    link_to("fixture:in=3,out=3,tempo=1", &link);
    in_memory[1][63] = 5;
    shl_link_play(&link, in, 3, out, 3, 64, &before);
    for (uint32_t n = 1; n < 4; n++) {
        const uint32_t offset[] = {0, 40, 1, 63};
        now.tempo = 70 + n;
        shl_link_transport_event(&link, &before, &now, offset[n]);
        now.tempo = 80 + n;
        if (offset[n] < 63)
            shl_link_transport_event(&link, &before, &now, 62);
        shl_link_play(&link, in, 3, out, 3, 64, &before);
        for (uint32_t i = 0; i < 64; i++) {
            double want = i < offset[n]               ? before.tempo
                          : i >= 62 && offset[n] < 63 ? 80 + n
                                                      : 70 + n;
            if (!(fabs((double)out_memory[0][i] - want) < 1e-3))
                fail_msg("offset %u, sample %u: %g, not %g", offset[n], i,
                         (double)out_memory[0][i], want);
        }
        assert_memory_equal(in_memory[1], out_memory[1], 64 * 4);
        if (offset[n] == 63)
            now.tempo = 70 + n;
        before = now;
    }
    fake_daw_set(&daw, daw.maolan.layout->shutdown_request, 1);
    fake_daw_ring(&daw);
    assert_int_equal(child_wait(child), PLUG_OK);
    child = 0;
    shl_link_close(&link);
    fake_daw_close(&daw);
}

static void a_link_ends_with_the_pipe_of_its_daw(void **state)
{
    struct shl_link link;

    (void)state;
    link_to("gain", &link);
    close(daw.doorbell[1]);
    daw.doorbell[1] = -1;
    assert_int_equal(child_wait(child), PLUG_OK);
    child = 0;
    shl_link_close(&link);
    fake_daw_close(&daw);
}

/* Also another number of channels: what does not fit into the link is silent. */
static void counts_of_a_link_with_a_daw_stay(void **state)
{
    const struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 1, 30);
    struct shl_link link;

    (void)state;
    link_to("fixture:in=3,out=3", &link);
    shl_link_send(&link, &event, 0);
    plays(&link);
    for (int ms = 0; ms < 30000; ms++) {
        if (fake_daw_word(&daw, daw.maolan.layout->state_dirty))
            break;
        shl_sleep_ms(1);
    }
    assert_int_equal(fake_daw_word(&daw, daw.maolan.layout->state_dirty), 1);
    for (int n = 0; n < 100; n++)
        plays(&link);
    fake_daw_set(&daw, daw.maolan.layout->shutdown_request, 1);
    assert_int_equal(child_wait(child), PLUG_OK);
    child = 0;
    shl_link_close(&link);
    fake_daw_close(&daw);
}

/* What it cannot be is said before anything is on the board. */
static void refusals_leave_nothing(void **state)
{
    (void)state;
    options = (struct control_options){.format = "builtin",
                                       .spec = "fixture:refuse",
                                       .block_frames = 64,
                                       .name = "Plug"};
    child = child_start(carry, NULL);
    assert_int_equal(child_wait(child), PLUG_NOT_LOADED);
    options.spec = "gain";
    options.inputs = options.outputs = 2;
    options.name = "Plug:x";
    child = child_start(carry, NULL);
    assert_int_equal(child_wait(child), PLUG_NO_DEVICE);
    child = 0;
}

static int start(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(audio_and_events_go_there_and_back),
        TEST(a_state_of_any_size_is_saved_and_restored),
        TEST(what_a_state_changes_is_known_and_told),
        TEST(programs_and_texts_are_the_plugins),
        TEST(values_and_notes_by_message_are_heard),
        TEST(requests_of_the_slot_go_by_message),
        TEST(other_counts_are_another_device_of_the_same_name),
        TEST(a_segment_with_a_link_area_is_a_link),
        TEST(the_transport_changes_at_its_sample),
        TEST(a_link_ends_with_the_pipe_of_its_daw),
        TEST(counts_of_a_link_with_a_daw_stay),
        TEST(refusals_leave_nothing)};

    return cmocka_run_group_tests(tests, start, NULL);
}
