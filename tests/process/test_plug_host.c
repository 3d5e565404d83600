/* SPDX-License-Identifier: MIT */
/* Our host and our plugin program, which it starts: by a link area, and by each
 * number of the Maolan protocol. The program is the one beside the folder of this
 * test. */
#include "core/os/platform.h"

#include "hosting.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>

#define LINK 0u /* no number is asked for: the segment has a link area */

static const uint32_t roads[] = {LINK, 3, 4, 5, 6, 7, 8};
#define ROADS (sizeof roads / sizeof roads[0])

static char program[512], why[512];

static void spawn(const char *plugin, uint32_t protocol, int again)
{
    const struct shl_host_program what = {plugin, program, protocol, again, 0};
    struct shl_host_options options = usual();

    shl_host_free(host);
    host = NULL;
    options.in_channels = options.out_channels = 2;
    options.batch = 1;
    new_host(options);
    const shl_status status = shl_host_spawn(host, &what, LIMIT_MS);
    if (status) {
        shl_host_why(host, why, sizeof why);
        fail_msg("%s, %u: %s", plugin, protocol, why);
    }
    assert_int_equal(shl_host_linked(host), 2);
}

/* Everything has to be gone. */
static int end(void **state)
{
    (void)state;
    shl_host_free(host);
    host = NULL;
    for (int i = 0; i < LIMIT_MS && shl_host_programs(); i++)
        shl_sleep_ms(1);
    return shl_host_programs() != 0;
}

static void plays(float value)
{
    for (uint32_t c = 0; c < 2; c++)
        for (uint32_t i = 0; i < 64; i++)
            in_memory[c][i] = value + (float)(c * 64 + i);
    assert_int_equal(shl_host_process(host, in, out, 64), 1);
    for (uint32_t c = 0; c < 2; c++)
        assert_memory_equal(in_memory[c], out_memory[c], 64 * sizeof(float));
}

static void audio_is_exact_by_every_road(void **state)
{
    static const char *const plugins[] = {"null:", "builtin:gain",
                                          "builtin:fixture:in=2,out=2"};

    (void)state;
    for (size_t i = 0; i < ROADS * 3; i++) {
        spawn(plugins[i % 3], roads[i / 3], 0);
        for (uint32_t n = 0; n < 50; n++)
            plays((float)n);
    }
}

/* A plugin's modulation and gestures, and ours. */
static void modulation_comes_back_by_every_road(void **state)
{
    struct shl_event heard;
    uint32_t offset;

    (void)state;
    for (size_t i = 0; i < ROADS; i++) {
        uint16_t next = SHL_EVENT_PARAM_MOD;
        spawn("builtin:fixture:echo", roads[i], 0);
        for (int kind = SHL_EVENT_PARAM_MOD; kind <= SHL_EVENT_GESTURE_END;
             kind++) {
            struct shl_event event =
                shl_event_param(0, (enum shl_event_kind)kind,
                                shl_host_param(host, 3)->id, 0.25);
            assert_int_equal(shl_host_send(host, &event, 7), SHL_OK);
        }
        for (int n = 0; n < 3; n++) {
            assert_int_equal(shl_host_process(host, in, out, 64), 1);
            while (shl_host_event(host, &heard, &offset)) {
                assert_int_equal(heard.kind, next++);
                assert_int_equal(shl_event_id(&heard),
                                 shl_host_param(host, 3)->id);
                if (heard.kind == SHL_EVENT_PARAM_MOD)
                    assert_true(shl_event_value(&heard) == 0.25);
            }
        }
        assert_int_equal(next, SHL_EVENT_GESTURE_END + 1);
    }
}

static void events_come_back_by_every_road(void **state)
{
    struct shl_event heard;
    uint32_t offset;

    (void)state;
    for (size_t i = 0; i < ROADS; i++) {
        const struct shl_event note = shl_event_midi(0, 0, 0x95, 60, 100);
        const struct shl_event level =
            shl_event_param(0, SHL_EVENT_PARAM, 3, 0.25);

        spawn("builtin:fixture:echo", roads[i], 0);
        plays(1);
        assert_int_equal(shl_host_send(host, &note, 7), SHL_OK);
        assert_int_equal(shl_host_send(host, &level, 9), SHL_OK);
        plays(2);
        assert_int_equal(shl_host_event(host, &heard, &offset), 1);
        assert_int_equal(offset, 7);
        assert_int_equal(heard.data[0], note.data[0]);
        assert_int_equal(shl_host_event(host, &heard, &offset), 1);
        assert_int_equal(offset, 9);
        assert_true(shl_event_value(&heard) == 0.25);
    }
}

static struct {
    shl_status status;
    uint8_t bytes[SHL_SCRATCH_SIZE];
    uint32_t size, count;
} answer;

static void hear(void *arg, const struct shl_answer *a)
{
    (void)arg;
    answer.status = a->status;
    answer.size = a->size;
    answer.count++;
    if (a->size)
        memcpy(answer.bytes, a->bytes,
               a->size < sizeof answer.bytes ? a->size : sizeof answer.bytes);
}

static shl_status ask(uint32_t type, const void *bytes, uint32_t size)
{
    uint32_t request;

    answer.count = 0;
    assert_int_equal(
        shl_host_ask(host, type, bytes, size, LIMIT_MS, hear, NULL, &request),
        SHL_OK);
    assert_int_equal(shl_host_await(host, request, LIMIT_MS), SHL_OK);
    assert_int_equal(answer.count, 1);
    return answer.status;
}

static void states_and_requests_go_by_every_road(void **state)
{
    static uint8_t bytes[60000];
    const uint32_t files = 6; /* of the Maolan slot */

    (void)state;
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 3 + (i >> 7));
    for (size_t i = 0; i < ROADS; i++) {
        spawn("builtin:fixture:state=1000,files=3", roads[i], 0);
        plays(1);
        assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0), SHL_OK);
        assert_int_equal(answer.size, 1000);
        assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, bytes, sizeof bytes),
                         SHL_OK);
        assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0), SHL_OK);
        assert_int_equal(answer.size, sizeof bytes);
        assert_memory_equal(answer.bytes, bytes, sizeof bytes);
        assert_int_equal(ask(SHL_MESSAGE_PLUGIN, &files, 4), SHL_OK);
        assert_memory_equal(answer.bytes + SHL_FILE_REFS_COUNT, "\3\0\0\0", 4);
        plays(2);
    }
}

/* Beyond what a scratch area holds: the link area is in use. */
static void a_link_carries_a_state_of_any_size(void **state)
{
    const uint32_t size = 1000000;
    uint8_t *bytes = calloc(size, 1);

    (void)state;
    assert_non_null(bytes);
    spawn("builtin:fixture", LINK, 0);
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, bytes, size), SHL_OK);
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0), SHL_OK);
    assert_int_equal(answer.size, size);
    free(bytes);
}

/* shows ME-01 */
static void a_crash_is_told_by_every_road(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROADS; i++) {
        spawn("builtin:fixture:crash=20", roads[i], 0);
        for (uint32_t n = 0; n < 19; n++)
            plays((float)n);
        assert_true(wait_notice(SHL_NOTICE_CRASH));
        assert_int_equal(notice.detail[1], SIGABRT);
    }
}

static void one_that_crashed_is_started_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROADS; i += 2) {
        spawn("builtin:fixture:crash=20", roads[i], 1);
        for (uint32_t n = 0; n < 19; n++)
            plays((float)n);
        assert_true(wait_notice(SHL_NOTICE_CRASH));
        assert_true(wait_notice(SHL_NOTICE_OPEN));
        assert_int_equal(shl_host_crashes(host), 1);
        shl_host_close(host);
    }
}

static void refusals_are_told_with_their_codes(void **state)
{
    const struct shl_host_program what = {"builtin:fixture:refuse", program, 0,
                                          0, 0};

    (void)state;
    new_host(usual());
    assert_int_not_equal(shl_host_spawn(host, &what, LIMIT_MS), SHL_OK);
    shl_host_why(host, why, sizeof why);
    if (!strstr(why, "code 6"))
        fail_msg("%s", why);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(audio_is_exact_by_every_road, end),
        cmocka_unit_test_teardown(modulation_comes_back_by_every_road, end),
        cmocka_unit_test_teardown(events_come_back_by_every_road, end),
        cmocka_unit_test_teardown(states_and_requests_go_by_every_road, end),
        cmocka_unit_test_teardown(a_link_carries_a_state_of_any_size, end),
        cmocka_unit_test_teardown(a_crash_is_told_by_every_road, end),
        cmocka_unit_test_teardown(one_that_crashed_is_started_again, end),
        cmocka_unit_test_teardown(refusals_are_told_with_their_codes, end)};
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;

    snprintf(program, sizeof program, "%.*s../shmplug",
             slash ? (int)(slash - argv[0] + 1) : 0, argv[0]);
    return cmocka_run_group_tests(tests, start, NULL);
}
