/* SPDX-License-Identifier: MIT */
/* Plugin programs that speak Maolan only, started and driven by the host role:
 * one peer program (maolan_peer.c) that behaves as the ones there are, and
 * worse. One test for each hazard of the protocol, and nothing left behind. */
#include "core/host/host_state.h"

#include "hosting.h"

#include "core/maolan/plugin_process.h"

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char peer_path[512];
static int descriptors_before;

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int segments_there(void)
{
    DIR *folder = opendir("/dev/shm");
    struct dirent *entry;
    char own[32];
    int count = 0;
    snprintf(own, sizeof own, "maolan-%d-", (int)getpid());
    while (folder && (entry = readdir(folder)))
        count += strncmp(entry->d_name, own, strlen(own)) == 0;
    if (folder)
        closedir(folder);
    return count;
}

static int children_there(void)
{
    return waitpid(-1, NULL, WNOHANG | WNOWAIT) >= 0;
}

static int begin(void **state)
{
    (void)state;
    descriptors_before = open_descriptors();
    return 0;
}

/* Everything has to be gone: processes, descriptors, segments. */
static int end(void **state)
{
    (void)state;
    shl_host_free(host);
    host = NULL;
    for (int i = 0; i < LIMIT_MS && shl_host_programs(); i++)
        usleep(1000);
    if (shl_host_programs() || segments_there() || children_there() ||
        open_descriptors() != descriptors_before) {
        print_error("left behind: %u programs, %d segments, %d descriptors\n",
                    shl_host_programs(), segments_there(),
                    open_descriptors() - descriptors_before);
        return -1;
    }
    return 0;
}

static struct shl_host_options stereo(void)
{
    struct shl_host_options options = usual();
    options.in_channels = options.out_channels = 2;
    return options;
}

static shl_status spawn_as(const char *plugin, uint32_t protocol, int again,
                           uint32_t wait_ms)
{
    const struct shl_host_program what = {plugin, peer_path, protocol, again,
                                          0};
    return shl_host_spawn(host, &what, wait_ms);
}

/* A host of its own for each, the one before being given up. */
static void fresh(struct shl_host_options options)
{
    shl_host_free(host);
    host = NULL;
    new_host(options);
}

static void spawn(const char *plugin)
{
    fresh(stereo());
    assert_int_equal(spawn_as(plugin, 0, 0, LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_linked(host), 2);
    assert_true(shl_host_notice(host, &notice));
    assert_int_equal(notice.kind, SHL_NOTICE_OPEN);
}

static void spawn_told(const char *plugin, uint32_t protocol)
{
    fresh(stereo());
    assert_int_equal(spawn_as(plugin, protocol, 0, LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_linked(host), 2);
}

static int play_both(float left, float right, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        in_memory[0][i] = left + (float)i;
        in_memory[1][i] = right - (float)i;
    }
    return shl_host_process(host, in, out, frames);
}

static bool both_came(float left, float right, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        if (out_memory[0][i] != left + (float)i ||
            out_memory[1][i] != right - (float)i)
            return false;
    return true;
}

static const char *const layouts[] = {"A", "B8", "B16"};

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

struct heard {
    int count;
    shl_status status;
    uint32_t size;
    uint8_t *bytes;
    char text[256];
};

static void on_answer(void *arg, const struct shl_answer *answer)
{
    struct heard *heard = arg;
    heard->count++;
    heard->status = answer->status;
    heard->size = answer->size;
    snprintf(heard->text, sizeof heard->text, "%s",
             answer->text ? answer->text : "");
    if (heard->bytes && answer->size)
        memcpy(heard->bytes, answer->bytes, answer->size);
}

static shl_status ask(uint32_t type, const void *bytes, uint32_t size,
                      struct heard *heard)
{
    uint32_t request = 0;
    shl_status st =
        shl_host_ask(host, type, bytes, size, 0, on_answer, heard, &request);
    heard->count = 0;
    if (st)
        return st;
    assert_int_equal(shl_host_await(host, request, LIMIT_MS), SHL_OK);
    assert_int_equal(heard->count, 1);
    return heard->status;
}

static shl_status ask_slot(uint32_t number, const void *bytes, uint32_t size,
                           struct heard *heard)
{
    static uint8_t message[SHL_SCRATCH_SIZE + 100];
    memcpy(message, &number, 4);
    if (size)
        memcpy(message + 4, bytes, size);
    return ask(SHL_MESSAGE_PLUGIN, message, size + 4, heard);
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

/* ---- hazards ------------------------------------------------------------------------ */

/* Hazards 9 and 10: a byte that was not asked for may show the block before, and
 * never anything else; what is left is drained, so that this does not last. */
static void completions_nobody_asked_for_do_not_last(void **state)
{
    static const char *const specs[] = {"clap:A/stale", "clap:B8/storm",
                                        "clap:B16/stale+count",
                                        "clap:B16/stale+exact"};
    (void)state;
    for (size_t s = 0; s < 4; s++) {
        uint32_t whole = 0;
        spawn(specs[s]);
        for (int n = 0; n < LIMIT_MS && whole < 20; n++) {
            if (play_both((float)n, 0, 64)) {
                whole += both_came((float)n, 0, 64);
                assert_true(n < 1 || out_memory[0][0] >= 0);
            }
            shl_host_poll(host);
            usleep(3000);
        }
        assert_int_equal(whole, 20);
        assert_int_equal(shl_host_linked(host), 2);
        /* one that counts what it has done is never taken early */
        for (int n = 0; s >= 2 && n < 500; n++) {
            assert_true(play_both((float)n, 0, 64));
            assert_true(both_came((float)n, 0, 64));
        }
    }
}

/* A counter is used where it tells the truth, and only then. */
static void a_counter_that_stops_costs_one_block(void **state)
{
    (void)state;
    spawn("clap:B16/count+stops/20");
    uint32_t missed = 0;
    for (int n = 0; n < 60; n++)
        missed += !play_both((float)n, 0, 64);
    assert_true(missed <= 2);
    assert_true(both_came(59, 0, 64));
}

/* Hazard 10 at its worst: nobody waits for the last of them. */
static void completions_without_end_keep_nobody(void **state)
{
    struct heard heard = {0};
    (void)state;
    spawn("clap:B16/flood");
    for (int i = 0; i < 2; i++)
        assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
    assert_true(wait_sound());
}

/* Hazards 3, 5: nothing is taken that is not there, nothing is lost for good. */
static void hostile_indices_and_counts_do_no_harm(void **state)
{
    struct shl_event event;
    uint32_t offset, events = 0;
    (void)state;
    for (size_t l = 0; l < 3; l++) {
        char spec[64];
        snprintf(spec, sizeof spec, "clap:%s/indices+counts", layouts[l]);
        spawn(spec);
        for (int n = 0; n < 50; n++) {
            play_both((float)n, 0, 64);
            while (shl_host_event(host, &event, &offset))
                events++;
            shl_host_poll(host);
        }
        assert_int_equal(shl_host_linked(host), 2);
        assert_true(events < 50 * 4096);
        assert_true(stats_now().events_bad > 0);
        assert_true(shl_host_latency(host) <= 10000000);
    }
}

/* Hazards 6, 7: counts and sizes that cannot be. */
/* shows MP-35 */
static void hostile_scratch_does_no_harm(void **state)
{
    static uint8_t got[SHL_SCRATCH_SIZE];
    struct heard heard = {.bytes = got};
    (void)state;
    spawn_told("clap:B16/scratch", 6);
    assert_int_equal(shl_host_param_count(host), 0);
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
    assert_int_equal(heard.size, SHL_SCRATCH_SIZE);
    struct shl_table table;
    assert_int_equal(ask_slot(SHL_MAOLAN_FILE_LIST, NULL, 0, &heard), SHL_OK);
    assert_int_equal(shl_table_read(&table, SHL_TABLE_FILES, got, heard.size),
                     SHL_BAD_PEER);
}

/* Hazard 8: what a plugin host would read beyond does not reach it. */
/* shows MP-35 */
static void a_state_that_is_none_is_not_sent_to_lv2(void **state)
{
    static const uint8_t good[8], bad[] = {1, 0, 0, 0, 0, 0, 0, 0};
    struct heard heard = {0};
    (void)state;
    spawn("lv2:B16/normal");
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, bad, sizeof bad, &heard),
                     SHL_BAD_VALUE);
    assert_non_null(strstr(heard.text, "LV2"));
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
    assert_int_not_equal(heard.size, sizeof bad);
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, good, sizeof good, &heard),
                     SHL_OK);
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
    assert_int_equal(heard.size, sizeof good);
    spawn("clap:B16/normal");
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, bad, sizeof bad, &heard),
                     SHL_OK);
}

/* Hazard 19. */
static void numbers_that_are_none_are_silence(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 1, 0.5);
    uint32_t offset;
    (void)state;
    spawn("clap:B16/nan");
    assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
    assert_true(play_both(1, 1, 64));
    for (uint32_t i = 0; i < 64; i++)
        assert_true(isfinite(out_memory[0][i]));
    assert_int_equal(stats_now().samples_bad, 64);
    assert_true(shl_host_event(host, &event, &offset));
    assert_int_equal(offset, 63);
}

/* Hazard 2. */
static void a_segment_that_is_cut_ends_the_link(void **state)
{
    (void)state;
    spawn("clap:B16/cut/20");
    for (int i = 0; i < LIMIT_MS && shl_host_linked(host); i++) {
        play(1, 64);
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0);
}

static void crashes_as(const char *spec, uint32_t signal, uint32_t code)
{
    struct shl_device_info info;
    spawn(spec);
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_true(wait_notice(SHL_NOTICE_CRASH));
    assert_int_equal(notice.detail[0], info.pid);
    assert_int_equal(notice.detail[1], signal);
    assert_int_equal(notice.detail[2], code);
    play(1, 64);
    assert_true(constant(0, 64)); /* faded, and silent */
    for (int i = 0; i < 300; i++) {
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0); /* without -w it stays so */
    assert_int_equal(shl_host_crashes(host), 1);
    shl_host_free(host);
    host = NULL;
}

/* Hazards 14 and 15: any end is a crash. */
/* shows ME-01 ME-06 */
static void every_end_is_a_crash(void **state)
{
    (void)state;
    crashes_as("clap:A/crash/20", SIGABRT, 0);
    crashes_as("clap:B8/exit0/20", 0, 0);
    crashes_as("clap:B16/exit7/20", 0, 7);
}

/* A pipe that ends while its program goes on. */
static void a_pipe_that_ends_is_an_end(void **state)
{
    char why[300];
    (void)state;
    spawn("clap:B16/eof/20");
    assert_true(wait_notice(SHL_NOTICE_CRASH));
    /* its process need not have ended */
    spawn("clap:B16/eof+hang/20");
    assert_true(wait_notice(SHL_NOTICE_CRASH));
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "closed its pipe"));
}

/* The fade begins where the sound was, and no old block is heard. */
/* shows ME-02 */
static void a_crash_fades_within_one_block(void **state)
{
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/crash/50", 0, 0, LIMIT_MS), SHL_OK);
    for (int i = 0; i < 1000 && play(1, 64); i++)
        assert_true(constant(1, 64));
    for (uint32_t i = 1; i < 64; i++)
        assert_true(out_memory[0][i] <= out_memory[0][i - 1]);
    play(1, 64);
    assert_true(constant(0, 64));
}

/* Hazard 11: after a few deadlines nobody waits any more; when it comes back
 * it is heard. */
/* shows ME-03 MP-39 ME-11 */
static void one_that_pauses_is_stalled_and_resumed(void **state)
{
    struct shl_host_options options = stereo();
    (void)state;
    options.deadline_ms = 20;
    new_host(options);
    assert_int_equal(spawn_as("clap:B16/pause/50", 0, 0, LIMIT_MS), SHL_OK);
    assert_true(wait_notice(SHL_NOTICE_STALLED));
    assert_true(wait_notice(SHL_NOTICE_RESUMED));
    assert_true(wait_sound());
}

static void one_that_hangs_costs_a_few_deadlines(void **state)
{
    struct shl_host_options options = stereo();
    (void)state;
    options.deadline_ms = 20;
    new_host(options);
    /* in its first block: a busy machine makes others stall before */
    assert_int_equal(spawn_as("clap:B16/hang/1", 0, 0, LIMIT_MS), SHL_OK);
    assert_true(wait_notice(SHL_NOTICE_STALLED));
    assert_true(stats_now().missed < 20);
    struct heard heard = {0};
    uint32_t request;
    assert_int_equal(shl_host_ask(host, SHL_MESSAGE_STATE_SAVE, NULL, 0, 100,
                                  on_answer, &heard, &request),
                     SHL_OK);
    assert_int_equal(shl_host_await(host, request, LIMIT_MS), SHL_OK);
    assert_int_equal(heard.status, SHL_TIMEOUT);
}

/* Hazard 20, and a host that is slow to answer. */
static void requests_in_a_row_are_not_lost(void **state)
{
    static const char *const specs[] = {"clap:A/erase", "clap:B16/slow"};
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        struct heard heard[5];
        memset(heard, 0, sizeof heard);
        spawn(specs[s]);
        for (int i = 0; i < 5; i++)
            assert_int_equal(shl_host_ask(host, SHL_MESSAGE_STATE_SAVE, NULL, 0,
                                          LIMIT_MS, on_answer, &heard[i], NULL),
                             SHL_OK);
        for (int i = 0; i < LIMIT_MS && !heard[4].count; i++) {
            play(1, 64); /* audio goes on between them */
            shl_host_poll(host);
            usleep(1000);
        }
        for (int i = 0; i < 5; i++) {
            assert_int_equal(heard[i].count, 1);
            assert_int_equal(heard[i].status, SHL_OK);
        }
        assert_true(wait_sound());
    }
}

/* Hazard 18: a request and a block have one pipe between them, and neither may
 * take the other's byte for its own. */
static void a_block_is_not_answered_by_a_request(void **state)
{
    struct heard heard = {0};
    float value = 1;
    (void)state;
    spawn("clap:B16/exact+slow+erase");
    for (int i = 0; i < 10; i++)
        assert_true(play_both(value++, 0, 64));
    for (int request = 1; request <= 5; request++) {
        assert_int_equal(shl_host_ask(host, SHL_MESSAGE_STATE_SAVE, NULL, 0,
                                      LIMIT_MS, on_answer, &heard, NULL),
                         SHL_OK);
        for (int i = 0; i < LIMIT_MS && heard.count < request; i++) {
            value++;
            if (play_both(value, 0, 64))
                assert_true(both_came(value, 0, 64));
            shl_host_poll(host);
            usleep(1000);
        }
        assert_int_equal(heard.count, request);
        assert_int_equal(heard.status, SHL_OK);
    }
}

/* The doorbell of a request makes the hosts there are run one block more: of no
 * frames, or it would be heard. This one has another latency from block 12 on. */
static void requests_make_no_blocks(void **state)
{
    struct heard heard = {0};
    (void)state;
    spawn("clap:B16/latency/12");
    for (int i = 0; i < 5; i++)
        play(1, 64);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
    play(1, 64);
    assert_int_equal(shl_host_latency(host), 123);
}

static void one_that_dies_in_a_request_answers_all(void **state)
{
    struct heard heard[3];
    (void)state;
    memset(heard, 0, sizeof heard);
    spawn("clap:B16/dies");
    for (int i = 0; i < 3; i++)
        assert_int_equal(shl_host_ask(host, SHL_MESSAGE_STATE_SAVE, NULL, 0,
                                      LIMIT_MS, on_answer, &heard[i], NULL),
                         SHL_OK);
    assert_true(wait_notice(SHL_NOTICE_CRASH));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(heard[i].count, 1);
        assert_int_equal(heard[i].status, SHL_GONE);
    }
}

/* While it does not answer a request, blocks are missed; then it plays on. */
static void an_unanswered_request_ends_by_its_time(void **state)
{
    struct heard heard = {0};
    uint32_t request;
    (void)state;
    spawn("clap:B16/silent");
    assert_int_equal(shl_host_ask(host, SHL_MESSAGE_STATE_SAVE, NULL, 0, 200,
                                  on_answer, &heard, &request),
                     SHL_OK);
    assert_int_equal(shl_host_await(host, request, LIMIT_MS), SHL_OK);
    assert_int_equal(heard.status, SHL_TIMEOUT);
    assert_int_equal(heard.count, 1);
}

/* The audio waits for it as for a block that hangs, then only looks: a deadline
 * for each of these blocks would last longer than the request. */
static void an_unanswered_request_costs_a_few_deadlines(void **state)
{
    struct shl_host_options options = stereo();
    static struct heard heard; /* answered when the host is freed */
    (void)state;
    options.deadline_ms = 200;
    new_host(options);
    assert_int_equal(spawn_as("clap:B16/silent", 0, 0, LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_ask(host, SHL_MESSAGE_STATE_SAVE, NULL, 0,
                                  LIMIT_MS, on_answer, &heard, NULL),
                     SHL_OK);
    for (int i = 0; i < LIMIT_MS && !stats_now().missed; i++) {
        play(1, 64);
        usleep(1000); /* the request gets its turn */
    }
    for (uint32_t i = 0; i < 2 * LIMIT_MS / 200; i++)
        play(1, 64);
    shl_host_poll(host);
    assert_int_equal(heard.count, 0);
}

/* ---- starts that fail ------------------------------------------------------------------- */

static shl_status refused(const char *spec, const char *program, char *why)
{
    const struct shl_host_program what = {spec, program, 0, 0, 0};
    new_host(stereo());
    shl_status st = shl_host_spawn(host, &what, LIMIT_MS);
    shl_host_why(host, why, 300);
    shl_host_free(host);
    host = NULL;
    return st;
}

static void starts_that_fail_say_why(void **state)
{
    char why[300];
    (void)state;
    assert_int_equal(refused("clap:B16/x", "/no/such/program", why),
                     SHL_NOT_FOUND);
    assert_non_null(strstr(why, "/no/such/program"));
    assert_int_equal(refused("clap:B16/code/3", peer_path, why), SHL_GONE);
    assert_non_null(strstr(why, "exit code 3"));
    assert_int_equal(refused("clap:B16/code/0", peer_path, why), SHL_GONE);
    assert_non_null(strstr(why, "could not load"));
    assert_int_equal(refused("clap:B16/dead", peer_path, why), SHL_GONE);
    assert_non_null(strstr(why, "signal 6"));
    assert_int_equal(refused("clap:X/none", peer_path, why), SHL_GONE);
    assert_non_null(strstr(why, "exit code 4"));
    assert_int_equal(refused("CLAP:x", peer_path, why), SHL_BAD_NAME);
    assert_int_equal(refused("nothing", peer_path, why), SHL_BAD_NAME);
    assert_int_equal(refused("clap:x", "/etc", why), SHL_NOT_FOUND);
}

/* A file with this content, named as the program. */
static shl_status refused_bytes(const void *bytes, size_t size, mode_t mode,
                                char *why)
{
    char path[] = "/tmp/shl-plugin-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    shl_status st = refused("clap:x", path, why);
    unlink(path);
    assert_non_null(strstr(why, path));
    return st;
}

static shl_status refused_text(const char *text, char *why)
{
    return refused_bytes(text, strlen(text), 0700, why);
}

/* The head of our peer, as if for a processor that nobody has. */
static shl_status refused_image(char *why)
{
    char bytes[4096];
    int fd = open(peer_path, O_RDONLY);
    assert_int_equal(read(fd, bytes, sizeof bytes), sizeof bytes);
    close(fd);
    bytes[18] = bytes[19] = 0x7F;
    return refused_bytes(bytes, sizeof bytes, 0700, why);
}

static void files_that_are_no_programs_are_told_as_such(void **state)
{
    char why[300];
    (void)state;
    assert_int_equal(refused_bytes("x", 1, 0600, why), SHL_NO_PERMISSION);
    assert_non_null(strstr(why, "type chmod +x /tmp/shl-plugin-"));
    assert_int_equal(refused_image(why), SHL_FOREIGN);
    assert_non_null(strstr(why, "another processor"));
    assert_int_equal(refused("clap:x", "shl-no-such", why), SHL_NOT_FOUND);
    assert_non_null(strstr(why, "no folder of PATH"));
    assert_int_equal(refused_text("no program\n", why), SHL_FOREIGN);
    assert_non_null(strstr(why, "no program of this system"));
    assert_int_equal(refused_text("#!/no/such/interpreter\n", why),
                     SHL_NOT_FOUND);
    assert_non_null(strstr(why, "interpreter /no/such/interpreter is not"));
}

/* A folder with a program of this name that is our peer. */
static void plant(char *folder, const char *name)
{
    char path[600];
    strcpy(folder, "/tmp/shl-plugin-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *whole = realpath(peer_path, NULL);
    assert_non_null(whole);
    assert_int_equal(symlink(whole, path), 0);
    free(whole);
}

static void unplant(const char *folder, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    rmdir(folder);
}

static shl_status spawn_searching(void)
{
    const struct shl_host_program what = {"clap:B16/normal", NULL, 0, 0, 0};
    fresh(stereo());
    return shl_host_spawn(host, &what, LIMIT_MS);
}

/* By the variables, the first that is set; then by PATH. A variable that is
 * wrong is told of, not passed over. */
/* shows ME-10 */
static void the_program_is_looked_for_in_order(void **state)
{
    char folder[64], why[300], *before = strdup(getenv("PATH"));
    (void)state;
    setenv("PATH", "/nowhere", 1);
    assert_int_equal(spawn_searching(), SHL_NOT_FOUND);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "SHMLINK_PLUGIN_HOST"));
    setenv("MAOLAN_PLUGIN_HOST", peer_path, 1);
    assert_int_equal(spawn_searching(), SHL_OK);
    setenv("SHMLINK_PLUGIN_HOST", "/no/such/program", 1);
    assert_int_equal(spawn_searching(), SHL_NOT_FOUND);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "SHMLINK_PLUGIN_HOST names /no/such/program"));
    setenv("SHMLINK_PLUGIN_HOST", peer_path, 1);
    setenv("MAOLAN_PLUGIN_HOST", "/no/such/program", 1);
    assert_int_equal(spawn_searching(), SHL_OK);
    unsetenv("SHMLINK_PLUGIN_HOST");
    unsetenv("MAOLAN_PLUGIN_HOST");
    plant(folder, "maolan-plugin-host");
    setenv("PATH", folder, 1);
    assert_int_equal(spawn_searching(), SHL_OK);
    unplant(folder, "maolan-plugin-host");
    setenv("PATH", before, 1);
    free(before);
}

/* A start may be given up at any time; nobody waits for one that never comes. */
/* shows MP-37 */
static void one_that_is_never_ready_can_be_left(void **state)
{
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/never+stubborn", 0, 0, 0), SHL_AGAIN);
    for (int i = 0; i < 100; i++) {
        play(1, 64);
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0);
    assert_int_equal(shl_host_programs(), 1);
    shl_host_close(host);
}

/* What becomes of a start that takes long is told, and it ends in time. */
static void a_start_has_the_time_that_it_is_given(void **state)
{
    struct shl_host_program what = {"clap:B16/never", peer_path, 0, 0, 3};
    char why[300];
    (void)state;
    new_host(stereo());
    assert_int_equal(shl_host_spawn(host, &what, 0), SHL_AGAIN);
    assert_true(wait_notice(SHL_NOTICE_STARTING));
    assert_true(notice.value >= 2);
    assert_int_equal(notice.detail[1], 3);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "has 3 seconds to get ready"));
    assert_true(wait_notice(SHL_NOTICE_REFUSED));
    assert_int_equal(notice.status, SHL_TIMEOUT);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "-patience 18"));
}

static bool is_misfit(const char *spec, uint32_t protocol)
{
    bool told = false;
    char why[400];
    fresh(stereo());
    assert_int_equal(spawn_as(spec, protocol, 0, LIMIT_MS), SHL_OK);
    for (int i = 0; i < 100; i++) {
        play(1, 64);
        shl_host_poll(host);
        while (shl_host_notice(host, &notice))
            told = told || notice.kind == SHL_NOTICE_MISFIT;
    }
    shl_host_why(host, why, sizeof why);
    assert_int_equal(strstr(why, "or leave it out") != NULL, told);
    return told;
}

/* Nobody says a number; a counter of blocks came with 7. */
static void a_protocol_number_that_does_not_fit_is_told(void **state)
{
    (void)state;
    assert_true(is_misfit("clap:B16/count", 6));
    assert_false(is_misfit("clap:B16/count", 7));
    assert_false(is_misfit("clap:B16/count", 8));
    assert_false(is_misfit("clap:B16/count", 0));
    assert_false(is_misfit("clap:B16/normal", 6));
    assert_false(is_misfit("clap:B16/normal", 7));
    assert_true(is_misfit("clap:B16/normal", 8));
}

/* A drive that such a program has not, again and again. */
static void a_refused_drive_leaves_no_memory(void **state)
{
    struct shl_host_options options = stereo();
    struct mallinfo2 before;
    (void)state;
    options.drive = SHL_DRIVE_FREE;
    new_host(options);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(spawn_as("clap:B16/normal", 6, 0, LIMIT_MS),
                         SHL_WRONG_DRIVE);
        for (int n = 0; n < LIMIT_MS && shl_host_programs(); n++)
            usleep(1000);
        if (i == 1)
            before = mallinfo2();
    }
    assert_true(mallinfo2().uordblks + mallinfo2().hblkhd <
                before.uordblks + before.hblkhd + (1u << 20));
}

#define PLANTED 300 /* more than this program has started by then */

/* Names that somebody has planted are passed over: hazard 16. */
static void planted_names_are_passed_over(void **state)
{
    static struct shl_map planted[PLANTED];
    char name[64];
    (void)state;
    for (int i = 0; i < PLANTED; i++) {
        planted[i] = (struct shl_map)SHL_MAP_NONE;
        snprintf(name, sizeof name, "/maolan-%d-clap-%d-%d", (int)getpid(),
                 (int)getpid(), i);
        assert_int_equal(shl_map_create(name, 4096, &planted[i]), SHL_OK);
        shl_map_close(&planted[i]);
    }
    spawn("clap:B16/normal");
    assert_true(play_both(1, 2, 64));
    assert_true(both_came(1, 2, 64));
    for (int i = 0; i < PLANTED; i++) {
        snprintf(name, sizeof name, "/maolan-%d-clap-%d-%d", (int)getpid(),
                 (int)getpid(), i);
        assert_int_equal(shl_map_unlink(name), SHL_OK);
    }
}

static void first_name(const char *name, uint64_t age_s, void *arg)
{
    char own[32];
    (void)age_s;
    snprintf(own, sizeof own, "/maolan-%d-", (int)getpid());
    if (strncmp(name, own, strlen(own)) == 0)
        snprintf(arg, 64, "%s", name);
}

static void name_of_one_that_starts(char name[64])
{
    name[0] = 0;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/never", 0, 0, 0), SHL_AGAIN);
    for (int i = 0; i < LIMIT_MS && !name[0]; i++) {
        shl_host_poll(host);
        shl_map_each("/maolan-", first_name, name);
        usleep(1000);
    }
    shl_host_free(host);
    host = NULL;
    for (int i = 0; i < LIMIT_MS && shl_host_programs(); i++)
        usleep(1000);
}

/* One that was given up before it had opened its segment must not find the next
 * one's there. */
static void no_name_comes_twice(void **state)
{
    char first[64], second[64];
    (void)state;
    name_of_one_that_starts(first);
    name_of_one_that_starts(second);
    assert_true(first[0] && second[0]);
    assert_string_not_equal(first, second);
}

/* Names of DAWs that were killed in the middle of a start are removed. */
static void names_of_the_dead_are_removed(void **state)
{
    struct shl_map planted = SHL_MAP_NONE;
    char name[64];
    int status;
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, &status, 0);
    snprintf(name, sizeof name, "/maolan-%d-clap-%d-0", (int)pid, (int)pid);
    assert_int_equal(shl_map_create(name, 4096, &planted), SHL_OK);
    shl_map_close(&planted);
    spawn("clap:B16/normal");
    assert_int_equal(shl_map_unlink(name), SHL_NOT_FOUND);
}

/* ---- again, and the end of the DAW --------------------------------------------------------- */

/* Plays at full speed until it crashes and until it is there again. */
static bool wait_again(void)
{
    bool crashed = false;
    for (int i = 0; i < 10 * LIMIT_MS; i++) {
        while (shl_host_notice(host, &notice)) {
            crashed = crashed || notice.kind == SHL_NOTICE_CRASH;
            if (crashed && notice.kind == SHL_NOTICE_OPEN)
                return true;
        }
        play(1, 64);
        shl_host_poll(host);
        if (!shl_host_linked(host))
            usleep(1000);
    }
    return false;
}

/* After more than a second of audio: at once, with state and values. */
/* shows ME-06 */
static void a_crash_is_followed_by_another_with_its_state(void **state)
{
    int rounds = getenv("SHL_SOAK") ? 1000 : 3;
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/exact+crash/900", 0, 1, LIMIT_MS),
                     SHL_OK);
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 0, 0.5);
    assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
    for (int round = 0; round < rounds; round++) {
        assert_true(wait_again());
        assert_int_equal(shl_host_crashes(host), round + 1);
        for (int i = 0; i < LIMIT_MS && !(play(1, 64) && constant(0.5f, 64));
             i++) {
            shl_host_poll(host);
            usleep(1000);
        }
        assert_true(constant(0.5f, 64));
    }
}

/* Not its parameters alone: what it was given and has been asked for since. */
static void a_restarted_plugin_has_its_state(void **state)
{
    static const uint8_t kept[] = {0, 0, 0x80, 0x3F, 'k', 'e', 'p', 't'};
    uint8_t bytes[SHL_SCRATCH_SIZE] = {0};
    struct heard heard = {.bytes = bytes};
    struct shl_device_info info;
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/exact", 0, 1, LIMIT_MS), SHL_OK);
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, kept, sizeof kept, &heard),
                     SHL_OK);
    for (int i = 0; i < LIMIT_MS && !host->plugin.state; i++) {
        play(1, 64);
        shl_host_poll(host);
        usleep(1000);
    }
    assert_non_null(host->plugin.state);
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_int_equal(kill((pid_t)info.pid, SIGKILL), 0);
    assert_true(wait_again());
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
    assert_int_equal(heard.size, sizeof kept);
    assert_memory_equal(bytes, kept, sizeof kept);
}

static void wait_level(float level)
{
    for (int i = 0; i < LIMIT_MS && !(play(1, 64) && constant(level, 64));
         i++) {
        shl_host_poll(host);
        usleep(1000);
    }
    assert_true(constant(level, 64));
}

static void set_level(float level)
{
    struct shl_event event =
        shl_event_param(0, SHL_EVENT_PARAM, 0, (double)level);
    assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
    wait_level(level);
}

static void restore_level(float level)
{
    struct heard heard = {0};
    assert_int_equal(
        ask(SHL_MESSAGE_STATE_RESTORE, &level, sizeof level, &heard), SHL_OK);
    wait_level(level);
}

static void kill_it(void)
{
    struct shl_device_info info;
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_int_equal(kill((pid_t)info.pid, SIGKILL), 0);
    assert_true(wait_again());
}

/* What was set before a state is not set again after it; what was set since is,
 * also by the one after the next. */
static void only_what_is_newer_than_the_state_is_set_again(void **state)
{
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/normal", 0, 1, LIMIT_MS), SHL_OK);
    set_level(0.125f);
    restore_level(0.75f);
    kill_it();
    wait_level(0.75f);
    set_level(0.25f);
    kill_it();
    wait_level(0.25f);
    kill_it();
    wait_level(0.25f);
}

/* A save while blocks are played costs one of them: the first is made before. */
static void the_first_state_is_saved_before_the_first_block(void **state)
{
    float level = 0;
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/normal", 0, 1, LIMIT_MS), SHL_OK);
    assert_int_equal(host->plugin.state_size, sizeof level);
    memcpy(&level, host->plugin.state, sizeof level);
    assert_true(level == 1);
    assert_false(host->plugin.changed);
}

/* After less: with growing rests, then no more. */
static void one_that_always_crashes_is_left_stopped(void **state)
{
    char why[300];
    int crashes = 0;
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/crash/5", 0, 1, LIMIT_MS), SHL_OK);
    for (int i = 0; i < LIMIT_MS && crashes < 4; i++) {
        while (shl_host_notice(host, &notice))
            crashes += notice.kind == SHL_NOTICE_CRASH;
        play(1, 64);
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(crashes, 4);
    for (int i = 0; i < 50; i++) {
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "not started again: send open"));
    assert_int_equal(spawn_as("clap:B16/normal", 0, 0, LIMIT_MS), SHL_OK);
    assert_true(wait_sound());
}

/* A DAW that is killed takes its programs with it. */
/* shows ME-08 */
static void programs_end_with_their_daw(void **state)
{
    int tell[2], status;
    uint32_t pid = 0;
    (void)state;
    assert_int_equal(pipe(tell), 0);
    pid_t daw = fork();
    if (daw == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* if this test fails before */
        struct shl_device_info info = {.pid = 0};
        new_host(stereo());
        if (spawn_as("clap:B16/deaf+stubborn", 0, 0, LIMIT_MS) == SHL_OK)
            shl_host_get_device(host, &info);
        (void)!write(tell[1], &info.pid, sizeof info.pid);
        for (;;)
            pause();
    }
    assert_int_equal(read(tell[0], &pid, sizeof pid), sizeof pid);
    assert_true(pid > 0);
    assert_int_equal(kill((pid_t)pid, 0), 0);
    kill(daw, SIGKILL);
    waitpid(daw, &status, 0);
    struct shl_process process = shl_process_self();
    process.pid = pid;
    process.start_time = 0;
    for (int i = 0; i < LIMIT_MS && shl_process_alive(&process); i++)
        usleep(1000);
    bool alive = shl_process_alive(&process);
    if (alive)
        kill((pid_t)pid, SIGKILL);
    assert_false(alive);
    close(tell[0]);
    close(tell[1]);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

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
        TEST(completions_nobody_asked_for_do_not_last),
        TEST(a_counter_that_stops_costs_one_block),
        TEST(completions_without_end_keep_nobody),
        TEST(hostile_indices_and_counts_do_no_harm),
        TEST(hostile_scratch_does_no_harm),
        TEST(a_state_that_is_none_is_not_sent_to_lv2),
        TEST(numbers_that_are_none_are_silence),
        TEST(a_segment_that_is_cut_ends_the_link),
        TEST(every_end_is_a_crash),
        TEST(a_pipe_that_ends_is_an_end),
        TEST(a_crash_fades_within_one_block),
        TEST(one_that_pauses_is_stalled_and_resumed),
        TEST(one_that_hangs_costs_a_few_deadlines),
        TEST(requests_in_a_row_are_not_lost),
        TEST(a_block_is_not_answered_by_a_request),
        TEST(requests_make_no_blocks),
        TEST(one_that_dies_in_a_request_answers_all),
        TEST(an_unanswered_request_ends_by_its_time),
        TEST(an_unanswered_request_costs_a_few_deadlines),
        TEST(starts_that_fail_say_why),
        TEST(files_that_are_no_programs_are_told_as_such),
        TEST(the_program_is_looked_for_in_order),
        TEST(one_that_is_never_ready_can_be_left),
        TEST(a_start_has_the_time_that_it_is_given),
        TEST(a_protocol_number_that_does_not_fit_is_told),
        TEST(a_refused_drive_leaves_no_memory),
        TEST(planted_names_are_passed_over),
        TEST(no_name_comes_twice),
        TEST(names_of_the_dead_are_removed),
        TEST(a_crash_is_followed_by_another_with_its_state),
        TEST(a_restarted_plugin_has_its_state),
        TEST(only_what_is_newer_than_the_state_is_set_again),
        TEST(the_first_state_is_saved_before_the_first_block),
        TEST(one_that_always_crashes_is_left_stopped),
        TEST(programs_end_with_their_daw),
        TEST(pipelined_is_one_block_late),
    };
    (void)argc;
    const char *slash = strrchr(argv[0], '/');
    snprintf(peer_path, sizeof peer_path, "%.*smaolan_peer",
             slash ? (int)(slash - argv[0] + 1) : 0, argv[0]);
    shl_plugin_process_patience_ms =
        300; /* for those that do not end by themselves */
    return cmocka_run_group_tests(tests, start, NULL);
}
