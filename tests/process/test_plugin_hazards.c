/* SPDX-License-Identifier: MIT */
/* Plugin programs that speak Maolan only, and do what they should not: one test for
 * each hazard of the protocol. */
#include "plugin_peer.h"

#include <math.h>
#include <signal.h>

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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
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
    };
    find_peer(argc, argv);
    return cmocka_run_group_tests(tests, start, NULL);
}
