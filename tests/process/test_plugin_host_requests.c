/* SPDX-License-Identifier: MIT */
/* The role of a plugin host beside a scripted DAW: its requests. */
#include "serve_daw.h"

#include <stdio.h>
#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        TEST(a_changed_state_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
