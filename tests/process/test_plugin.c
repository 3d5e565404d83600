/* SPDX-License-Identifier: MIT */
/* Plugin programs that speak Maolan only, started and driven by the host role: all
 * that a program does as it should. */
#include "plugin_peer.h"

#include <pthread.h>

/* ---- the ordinary ---------------------------------------------------------------- */

/* shows MP-09 MP-38 MP-48 */
static void audio_is_exact_in_every_layout(void **state)
{
    static const uint32_t sizes[] = {1, 64, 512, 4096};
    (void)state;
    for (size_t l = 0; l < 3; l++) {
        char spec[64];
        snprintf(spec, sizeof spec, "clap:%s/normal", layouts[l]);
        spawn(spec);
        for (size_t s = 0; s < 4; s++)
            for (int n = 0; n < 5; n++) {
                float value = (float)(n * 10 + (int)s);
                assert_true(play_both(value, -value, sizes[s]));
                assert_true(both_came(value, -value, sizes[s]));
            }
    }
}

/* Parameters and notes there and back, to their sample. */
/* shows MP-11 MP-12 MP-14 MP-23 */
static void events_go_there_and_back(void **state)
{
    (void)state;
    for (size_t l = 0; l < 3; l++) {
        char spec[64];
        snprintf(spec, sizeof spec, "clap:%s/wide", layouts[l]);
        spawn(spec);
        uint32_t ports = l ? 16 : 1, count = 0, offset;
        struct shl_event event;
        for (uint32_t n = 0; n < 64; n++) {
            event =
                shl_event_midi(0, (uint8_t)(n % ports), 0x91, (uint8_t)n, 1);
            assert_int_equal(shl_host_send(host, &event, n), SHL_OK);
        }
        for (uint32_t kind = 0; kind < 4; kind++) {
            event = shl_event_param(
                0, (enum shl_event_kind)(SHL_EVENT_PARAM + kind), 3, 0.5);
            assert_int_equal(shl_host_send(host, &event, 63), SHL_OK);
        }
        assert_true(play_both(1, 1, 64));
        while (shl_host_event(host, &event, &offset)) {
            if (event.kind == SHL_EVENT_UMP) {
                assert_int_equal(offset, event.data[0] >> 8 & 0x7F);
                assert_int_equal(event.data[0] >> 24 & 15, offset % ports);
            } else {
                assert_int_equal(offset, 63);
                assert_int_equal(shl_event_id(&event), 3);
            }
            count++;
        }
        assert_int_equal(count, 68);
    }
}

/* shows MP-27 MP-29 MP-33 */
static void what_it_says_of_itself_is_known(void **state)
{
    struct shl_device_info info;
    (void)state;
    for (size_t l = 0; l < 3; l++) {
        char spec[64];
        snprintf(spec, sizeof spec, "clap:%s/latency", layouts[l]);
        spawn(spec);
        assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
        assert_string_equal(info.id, "clap:peer");
        assert_int_equal(info.in_channels, 2);
        assert_int_equal(shl_host_param_count(host), 5);
        assert_string_equal(shl_host_param(host, 4)->name, "n\xC3\xA4me 4");
        assert_true(shl_host_param(host, 4)->maximum == 2);
        assert_int_equal(shl_host_latency(host), l ? 123 : 0);
        /* without a block of counts: in the header, before it is ready */
        snprintf(spec, sizeof spec, "lv2:%s/plain+mono", layouts[l]);
        spawn(spec);
        assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
        assert_int_equal(info.in_channels, 1);
        assert_int_equal(info.out_channels, 1);
    }
}

/* All of them, and audio exact before and after each. */
/* shows MP-29 MP-30 MP-31 MP-34 MP-45 */
static void every_request_has_its_answer(void **state)
{
    static uint8_t scratch[SHL_SCRATCH_SIZE], got[SHL_SCRATCH_SIZE];
    (void)state;
    for (size_t l = 0; l < 6; l++) {
        char spec[64];
        struct heard heard = {.bytes = got};
        snprintf(spec, sizeof spec, "clap:%s/%s", layouts[l % 3],
                 l < 3 ? "normal" : "exact");
        spawn_told(spec, l % 3 ? 6 : 0);
        for (uint32_t number = 1; number < SHL_MAOLAN_REQUESTS; number++) {
            uint32_t size = 0;
            if (number == SHL_MAOLAN_RESOURCE_DIR) {
                shl_scratch_dir_write(scratch, "/tmp", 4, 0);
                size = 16;
            }
            if (number == SHL_MAOLAN_FILE_UPDATE) {
                shl_scratch_update_write(scratch, 1, "/x", 2);
                size = 14;
            }
            assert_int_equal(ask_slot(number, scratch, size, &heard), SHL_OK);
            float value = (float)number;
            assert_true(play_both(value, value, 64));
            assert_true(both_came(value, value, 64));
            struct shl_table table;
            if (number == SHL_MAOLAN_FILE_LIST) {
                assert_int_equal(
                    shl_table_read(&table, SHL_TABLE_FILES, got, heard.size),
                    SHL_OK);
                assert_int_equal(table.count, 3);
            }
            if (number == SHL_MAOLAN_CLAP_NOTES)
                assert_int_equal(heard.size > 4, 1);
        }
        assert_int_equal(ask_slot(14, NULL, 0, &heard), SHL_BAD_VALUE);
    }
}

/* A program of number 7 copies its files where one of 6 lists them, and lists
 * them where that changes one. Its number is told, or shown by its counter, or
 * by what it answers; where nothing tells it, nothing is copied. */
/* shows MP-34 */
static void files_are_never_copied_by_mistake(void **state)
{
    static const struct {
        const char *spec;
        uint32_t protocol, files;
        shl_status list, set, collect;
    } cases[] = {
        {"clap:A/normal", 0, 3, SHL_OK, SHL_OK, SHL_UNSUPPORTED},
        {"clap:B8/normal", 5, 3, SHL_OK, SHL_OK, SHL_UNSUPPORTED},
        {"clap:B16/normal", 6, 3, SHL_OK, SHL_OK, SHL_UNSUPPORTED},
        {"clap:B16/normal", 0, 0, SHL_UNSUPPORTED, SHL_OK, SHL_UNSUPPORTED},
        {"clap:B16/normal+seven", 7, 2, SHL_OK, SHL_UNSUPPORTED, SHL_OK},
        {"clap:B16/normal+seven+count", 8, 2, SHL_OK, SHL_UNSUPPORTED, SHL_OK},
        {"clap:B16/normal+seven", 0, 2, SHL_OK, SHL_UNSUPPORTED, SHL_OK},
        {"clap:B16/normal+seven+count", 0, 2, SHL_OK, SHL_UNSUPPORTED, SHL_OK},
        {"clap:B16/normal+seven+count", 6, 2, SHL_OK, SHL_UNSUPPORTED, SHL_OK},
        {"clap:B16/normal+seven+count", 5, 2, SHL_OK, SHL_UNSUPPORTED, SHL_OK},
    };
    static uint8_t got[SHL_SCRATCH_SIZE], update[64];
    (void)state;
    shl_scratch_update_write(update, 1, "/x", 2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int set_first = 0; set_first < 2; set_first++) {
            struct heard heard = {.bytes = got};
            struct shl_table table;
            spawn_told(cases[i].spec, cases[i].protocol);
            assert_true(play_both(1, 1, 64));
            if (set_first)
                assert_int_equal(
                    ask_slot(SHL_PLUGIN_HOST_FILE, update, 14, &heard),
                    cases[i].set);
            assert_int_equal(ask_slot(SHL_PLUGIN_HOST_FILES, NULL, 0, &heard),
                             cases[i].list);
            if (!cases[i].list) {
                assert_int_equal(
                    shl_table_read(&table, SHL_TABLE_FILES, got, heard.size),
                    SHL_OK);
                assert_int_equal(table.count, cases[i].files);
            } else {
                assert_non_null(strstr(heard.text, "-protocol 6"));
            }
            assert_int_equal(ask_slot(SHL_PLUGIN_HOST_FILE, update, 14, &heard),
                             cases[i].set);
            if (cases[i].set)
                assert_non_null(strstr(heard.text, "number 7"));
            assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard),
                             SHL_OK);
            assert_true(heard.size == 0 || got[0] == 0); /* nothing is copied */
            assert_int_equal(ask_slot(SHL_PLUGIN_HOST_COLLECT, NULL, 0, &heard),
                             cases[i].collect);
        }
}

/* shows MP-27 MP-46 */
static void state_of_every_size_comes_back(void **state)
{
    static const uint32_t sizes[] = {0, 1, 4, 65535, 65536};
    static uint8_t sent[65537], got[65537];
    (void)state;
    for (size_t l = 0; l < 3; l++) {
        char spec[64];
        struct heard heard = {.bytes = got};
        snprintf(spec, sizeof spec, "clap:%s/normal", layouts[l]);
        spawn(spec);
        for (size_t s = 0; s < 5; s++) {
            for (uint32_t i = 0; i < sizes[s]; i++)
                sent[i] = (uint8_t)(i * 7 + s + i / 256);
            assert_int_equal(
                ask(SHL_MESSAGE_STATE_RESTORE, sent, sizes[s], &heard), SHL_OK);
            assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard),
                             SHL_OK);
            assert_int_equal(heard.size, sizes[s]);
            assert_memory_equal(got, sent, sizes[s]);
        }
        assert_int_equal(
            ask(SHL_MESSAGE_STATE_RESTORE, sent, sizeof sent, &heard),
            SHL_BAD_VALUE);
    }
}

/* One of LV2 says its values when it is asked for its ports. */
static void values_after_a_restore_are_the_plugins_own(void **state)
{
    const struct {
        uint32_t ports, port;
        float level;
        uint32_t properties;
    } kept = {1, 0, 0.75f, 0};
    struct heard heard = {0};
    (void)state;
    spawn("lv2:B16/normal");
    assert_true(shl_host_param_value(host, 0) == 1);
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, &kept, sizeof kept, &heard),
                     SHL_OK);
    assert_true(shl_host_param_value(host, 0) == 0.75);
    assert_true(shl_host_param_value(host, 1) == 1);
}

static uint32_t told_of(uint32_t id)
{
    struct shl_event event;
    uint32_t offset, count = 0;
    while (shl_host_event(host, &event, &offset))
        count += event.kind == SHL_EVENT_PARAM && shl_event_id(&event) == id;
    return count;
}

/* Hosts of LV2 and VST3 tell every value that has changed, whoever did it: what
 * we have set is no news, what the plugin does is. */
static void what_we_have_set_is_not_told_again(void **state)
{
    static const uint32_t drives[] = {SHL_DRIVE_LOCKSTEP, SHL_DRIVE_PIPELINED};
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct shl_host_options options = stereo();
        options.drive = drives[d];
        fresh(options);
        assert_int_equal(spawn_as("lv2:B16/turns/20", 0, 0, LIMIT_MS), SHL_OK);
        uint32_t told = 0;
        for (int n = 0; n < 19; n++) {
            struct shl_event event =
                shl_event_param(0, SHL_EVENT_PARAM, 1, n / 64.0);
            assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
            play(1, 64);
            told += told_of(1);
        }
        assert_int_equal(told, 0);
        for (int n = 0; n < 4; n++) {
            play(1, 64);
            told += told_of(1);
        }
        assert_int_equal(told, 1);
        assert_true(shl_host_param_value(host, 1) == 0.25);
    }
}

/* Old hosts of LV2 tell all values in their first block, and nothing more; those
 * of VST3 not even that. */
static void parameters_without_a_table_go_by_their_ids(void **state)
{
    static const char *const formats[] = {"lv2", "vst3", "clap"};
    (void)state;
    for (int f = 0; f < 3; f++) {
        char spec[64];
        snprintf(spec, sizeof spec, "%s:A/bare", formats[f]);
        spawn(spec);
        assert_int_equal(shl_host_param_count(host), 0);
        play(1, 64);
        assert_int_equal(told_of(20), f == 2);
        int32_t index = shl_host_param_numbered(host, 20);
        assert_int_equal(index, 1);
        assert_int_equal(shl_host_param_count(host), 3);
        assert_int_equal(shl_host_param_number(host, 1), 20);
        assert_string_equal(shl_host_param(host, 1)->name, "20");
        assert_true(shl_host_param_value(host, 1) == 20 / 128.0);
        index = shl_host_param_numbered(host, 0);
        assert_int_equal(index, 3);
        struct shl_event event =
            shl_event_param(0, SHL_EVENT_PARAM, shl_host_param(host, 3)->id,
                            shl_param_plain(shl_host_param(host, 3), 0.5));
        assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
        for (int i = 0; i < 10 && !(play(1, 64) && constant(0.5f, 64)); i++)
            usleep(1000);
        assert_true(constant(0.5f, 64));
    }
}

/* Hosts of LV2 and VST3 take every kind for a value: the end of a gesture would
 * be 0. Refused, and counted. */
static void modulation_goes_only_where_there_is_such_a_thing(void **state)
{
    static const char *const specs[] = {"lv2:B16/normal", "vst3:B16/normal"};
    (void)state;
    for (int s = 0; s < 2; s++) {
        spawn(specs[s]);
        for (int kind = SHL_EVENT_PARAM_MOD; kind <= SHL_EVENT_GESTURE_END;
             kind++) {
            struct shl_event event =
                shl_event_param(0, (enum shl_event_kind)kind, 0, 0.5);
            assert_int_equal(shl_host_send(host, &event, 0), SHL_UNSUPPORTED);
        }
        assert_true(wait_sound());
        assert_int_equal(stats_now().events_excluded, 3);
    }
}

static uint64_t best_request_ns(void)
{
    struct heard heard = {0};
    uint64_t best_ns = UINT64_MAX;
    for (int i = 0; i < 8; i++) {
        uint64_t began_ns = shl_clock_ns();
        assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
        uint64_t took_ns = shl_clock_ns() - began_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
        play(1, 64);
    }
    return best_ns;
}

/* Its timers make blocks that nobody asked for: it is never quiet. */
static void an_editor_makes_no_request_longer(void **state)
{
    struct heard heard = {0};
    (void)state;
    spawn("clap:B16/editor");
    uint64_t without_ns = best_request_ns();
    assert_int_equal(ask_slot(SHL_MAOLAN_GUI_SHOW, NULL, 0, &heard), SHL_OK);
    assert_true(best_request_ns() < 4 * without_ns);
}

/* shows MP-46 MP-47 MP-32 */
static void what_changes_by_itself_is_told(void **state)
{
    (void)state;
    spawn("clap:B16/latency/20");
    assert_true(wait_notice(SHL_NOTICE_LATENCY));
    while (notice.value != 456)
        assert_true(wait_notice(SHL_NOTICE_LATENCY));
    assert_int_equal(shl_host_latency(host), 456);
    spawn("clap:B16/dirty/20");
    assert_true(wait_notice(SHL_NOTICE_DIRTY));
    for (int i = 0; i < 100; i++) {
        play(1, 64);
        shl_host_poll(host);
    }
    while (shl_host_notice(host, &notice)) /* once for each time */
        assert_int_not_equal(notice.kind, SHL_NOTICE_DIRTY);
    spawn("clap:B8/ports/20");
    assert_true(wait_notice(SHL_NOTICE_PORTS));
    assert_int_equal(notice.detail[0], 4);
    assert_int_equal(notice.detail[1], 2);
    spawn("clap:B8/midiports/20");
    assert_true(wait_notice(SHL_NOTICE_PORTS));
    assert_int_equal(notice.detail[2], 5);
}

/* shows MP-37 MP-41 ME-09 */
static void the_end_is_in_good_order(void **state)
{
    struct shl_device_info info;
    (void)state;
    spawn("clap:B16/normal");
    assert_true(play_both(1, 1, 64));
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_int_equal(segments_there(), 0); /* the child has it: no name */
    uint32_t patience_ms = shl_plugin_process_patience_ms;
    shl_plugin_process_patience_ms = 3 * LIMIT_MS; /* so it is not killed */
    shl_host_close(host);
    assert_int_equal(shl_host_linked(host), 0);
    for (int i = 0; i < LIMIT_MS && shl_host_programs(); i++)
        usleep(1000);
    shl_plugin_process_patience_ms = patience_ms;
    assert_int_equal(shl_host_programs(), 0);
}

/* One that does not listen is killed, and nobody waits for that. */
static void one_that_does_not_end_is_killed(void **state)
{
    (void)state;
    spawn("clap:B16/stubborn");
    assert_true(play_both(1, 1, 64));
    shl_host_close(host);
    assert_int_equal(shl_host_linked(host), 0);
}

static void *open_one(void *arg)
{
    spawn(arg);
    return NULL;
}

/* Hazard 17: whoever opens a plugin may end; it lives as long as its host. */
/* shows ME-08 */
static void a_plugin_outlives_the_thread_that_opened_it(void **state)
{
    pthread_t thread;
    char spec[] = "clap:B16/normal";
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, open_one, spec), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    usleep(100000); /* a signal would have come by now */
    for (int n = 0; n < 20; n++) {
        assert_true(play_both((float)n, 0, 64));
        assert_true(both_came((float)n, 0, 64));
    }
    shl_host_poll(host);
    assert_int_equal(shl_host_linked(host), 2);
    assert_int_equal(shl_host_crashes(host), 0);
}

static void only_its_pipes_are_inherited(void **state)
{
    struct shl_device_info info;
    int extra = open("/dev/null", O_RDONLY); /* no close-on-exec */
    (void)state;
    spawn("clap:B16/fds");
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_string_equal(info.id, "clap:0,1,2,3,4,");
    close(extra);
}

static void the_command_line_has_its_words(void **state)
{
    (void)state;
    spawn("lv2:B16/normal"); /* 11 words */
    assert_int_equal(shl_host_param_count(host), 4);
    spawn("null:B16/anonymous");
    assert_true(play_both(3, 4, 64));
    assert_true(both_came(3, 4, 64));
    spawn("null:"); /* which hosts do not take for a word */
    assert_true(play_both(3, 4, 64));
}

/* What the layout is like is found by what a host leaves, or told; told wrongly,
 * it is refused where that shows. */
/* shows MP-03 */
static void the_layout_is_found_or_told(void **state)
{
    (void)state;
    for (size_t l = 0; l < 3; l++) {
        static const uint32_t numbers[] = {3, 5, 6};
        char spec[64];
        struct heard heard = {0};
        snprintf(spec, sizeof spec, "clap:%s/plain+late", layouts[l]);
        spawn(spec);
        assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
        snprintf(spec, sizeof spec, "clap:%s/anonymous", layouts[l]);
        fresh(stereo());
        assert_int_equal(spawn_as(spec, numbers[l], 0, LIMIT_MS), SHL_OK);
        assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
        snprintf(spec, sizeof spec, "clap:%s/plain", layouts[l]);
        fresh(stereo());
        assert_int_equal(spawn_as(spec, l ? 3 : 6, 0, LIMIT_MS),
                         SHL_WRONG_VERSION);
    }
}

/* ---- pipelined, many ------------------------------------------------------------------------- */

static void pipelined_is_one_block_late(void **state)
{
    struct shl_host_options options = stereo();
    (void)state;
    options.drive = SHL_DRIVE_PIPELINED;
    new_host(options);
    assert_int_equal(spawn_as("clap:B8/normal", 0, 0, LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_link_latency(host), 64);
    play_both(0, 0, 64);
    for (int n = 1; n < 100; n++) {
        assert_true(play_both((float)n, 0, 64));
        assert_true(both_came((float)(n - 1), 0, 64));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(audio_is_exact_in_every_layout),
        TEST(events_go_there_and_back),
        TEST(what_it_says_of_itself_is_known),
        TEST(every_request_has_its_answer),
        TEST(files_are_never_copied_by_mistake),
        TEST(state_of_every_size_comes_back),
        TEST(values_after_a_restore_are_the_plugins_own),
        TEST(an_editor_makes_no_request_longer),
        TEST(modulation_goes_only_where_there_is_such_a_thing),
        TEST(what_we_have_set_is_not_told_again),
        TEST(parameters_without_a_table_go_by_their_ids),
        TEST(what_changes_by_itself_is_told),
        TEST(the_end_is_in_good_order),
        TEST(one_that_does_not_end_is_killed),
        TEST(a_plugin_outlives_the_thread_that_opened_it),
        TEST(only_its_pipes_are_inherited),
        TEST(the_command_line_has_its_words),
        TEST(the_layout_is_found_or_told),
        TEST(pipelined_is_one_block_late),
    };
    find_peer(argc, argv);
    return cmocka_run_group_tests(tests, start, NULL);
}
