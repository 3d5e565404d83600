/* SPDX-License-Identifier: MIT */
/* The role of a plugin host beside a scripted DAW in the same process, which does what
 * the DAWs in use do, and what a broken or hostile one could. Here: opening, and the
 * loop. */
#include "serve_daw.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
        TEST(a_wish_to_end_is_heard_with_and_without_a_byte),
        TEST(a_wish_to_end_is_heard_while_waiting),
        TEST(the_end_of_the_doorbell_is_the_end),
        TEST(a_daw_that_reads_no_more_is_gone),
        TEST(a_full_pipe_never_blocks),
        TEST(bytes_that_wait_are_worked_off_one_by_one),
        TEST(the_heart_beats_with_and_without_work),
        TEST(a_segment_cut_while_in_use_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
