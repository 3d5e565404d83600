/* SPDX-License-Identifier: MIT */
/* The audio thread of a device follows its host's: one step below, for as long
 * as the claim lasts, and not at all where it may not or shall not. The host
 * here is realtime for the moment of its claim alone; a limit of the system
 * ends the program if a thread ran away. */
#include "shmlink/device.h"
#include "shmlink/host.h"

#include "core/os/platform.h"
#include "loopback.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIMIT_MS 60000
#define GUARD_US 2000000 /* of processor, without ever sleeping */

static struct loopback *device;
static shl_host *host;

static void open_device(int keep_priority)
{
    const struct shl_device_options options = {.id = "Loop",
                                               .out_channels = 1,
                                               .rate_hz = 48000,
                                               .block_frames = 64,
                                               .keep_priority = keep_priority};
    struct shl_why why;
    shl_status status;
    device = loopback_start(&options, &status, &why);
    assert_non_null(device);
}

static void play_until_linked(void)
{
    float plane[64];
    float *const outs[1] = {plane};
    uint64_t blocks = loopback_blocks(device) + 3;
    for (int i = 0; i < LIMIT_MS && loopback_blocks(device) < blocks; i++) {
        shl_host_poll(host);
        shl_host_process(host, NULL, outs, 64);
        usleep(1000);
    }
    assert_true(loopback_blocks(device) >= blocks);
}

static char said[400];

static int hear(void *arg, const struct shl_received *message)
{
    (void)arg;
    /* level, length, text */
    if (message->type == SHL_MESSAGE_LOG && message->size > 8 &&
        message->size < sizeof said)
        memcpy(said, message->bytes + 8, message->size - 8);
    return 1;
}

/* Claimed by a host whose thread has this priority; false: it may not. */
static bool claim_as(uint32_t policy, uint32_t priority)
{
    const struct shl_host_options options = {.out_channels = 1,
                                             .rate_hz = 48000,
                                             .block_frames = 64,
                                             .deadline_ms = 1000};
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
    shl_host_on_message(host, hear, NULL);
    shl_status able = shl_thread_set_priority(policy, priority);
    if (able == SHL_OK)
        able = shl_host_open(host, "Loop", 0);
    shl_thread_set_priority(SCHED_OTHER, 0);
    if (able == SHL_NO_PERMISSION)
        return false;
    assert_int_equal(able, SHL_OK);
    play_until_linked();
    return true;
}

static void end_host(void)
{
    shl_host_free(host);
    host = NULL;
}

static int tear_down(void **state)
{
    (void)state;
    end_host();
    loopback_end(device);
    device = NULL;
    return 0;
}

static void check_runs_as(uint32_t policy, uint32_t priority)
{
    uint32_t now_policy, now_priority;
    loopback_priority(device, &now_policy, &now_priority);
    assert_int_equal(now_policy, policy);
    assert_int_equal(now_priority, priority);
}

static void it_runs_one_step_below_its_host_while_claimed(void **state)
{
    static const uint32_t policies[] = {SCHED_FIFO, SCHED_RR};
    (void)state;
    open_device(0);
    for (int i = 0; i < 2; i++) {
        if (!claim_as(policies[i], 3))
            skip();
        check_runs_as(policies[i], 2);
        assert_int_equal(shl_device_get_priority(loopback_device(device)),
                         SHL_OK);
        end_host();
        assert_true(claim_as(SCHED_OTHER, 0));
        check_runs_as(SCHED_OTHER, 0);
        assert_int_equal(shl_device_get_priority(loopback_device(device)),
                         SHL_AGAIN);
        end_host();
    }
}

static void there_is_no_step_below_the_lowest(void **state)
{
    (void)state;
    open_device(0);
    if (!claim_as(SCHED_FIFO, 1))
        skip();
    check_runs_as(SCHED_OTHER, 0);
    assert_int_equal(shl_device_get_priority(loopback_device(device)),
                     SHL_AGAIN);
}

static void a_device_may_keep_its_own(void **state)
{
    (void)state;
    open_device(1);
    if (!claim_as(SCHED_FIFO, 3))
        skip();
    check_runs_as(SCHED_OTHER, 0);
    assert_int_equal(shl_device_get_priority(loopback_device(device)),
                     SHL_AGAIN);
}

static void closing_restores_the_thread_that_was_raised(void **state)
{
    const struct shl_device_options options = {
        .id = "Loop", .out_channels = 1, .rate_hz = 48000, .block_frames = 64};
    const struct shl_host_options wishes = {
        .out_channels = 1, .rate_hz = 48000, .block_frames = 64};
    struct shl_block block;
    shl_device *own;
    uint32_t policy, priority;
    (void)state;
    assert_int_equal(shl_device_open(&options, &own, NULL), SHL_OK);
    assert_int_equal(shl_host_new(&wishes, &host), SHL_OK);
    if (shl_thread_set_priority(SCHED_FIFO, 3)) {
        shl_device_close(own);
        skip();
    }
    shl_status status = shl_host_open(host, "Loop", 0);
    shl_thread_set_priority(SCHED_OTHER, 0);
    assert_int_equal(status, SHL_OK);
    policy = SCHED_OTHER;
    for (int i = 0; i < LIMIT_MS && policy != SCHED_FIFO; i++) {
        assert_int_equal(shl_device_wait(own, 1, &block), SHL_TIMEOUT);
        shl_thread_priority(&policy, &priority);
    }
    shl_device_close(own);
    assert_int_equal(policy, SCHED_FIFO);
    assert_int_equal(priority, 2);
    shl_thread_priority(&policy, &priority);
    assert_int_equal(policy, SCHED_OTHER);
    assert_int_equal(priority, 0);
}

/* ---- where it may not -------------------------------------------------------- */

/* Of the calling thread, and of those that it starts. */
static void allow_realtime(bool allow)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    const uint32_t bit = 1u << CAP_SYS_NICE;
    assert_int_equal(syscall(SYS_capget, &head, data), 0);
    if (allow)
        data[0].effective |= data[0].permitted & bit;
    else
        data[0].effective &= ~bit;
    assert_int_equal(syscall(SYS_capset, &head, data), 0);
}

static void a_refusal_is_said_and_harms_nothing(void **state)
{
    struct rlimit limit, none;
    (void)state;
    getrlimit(RLIMIT_RTPRIO, &limit);
    none = limit;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_RTPRIO, &none);
    allow_realtime(false);
    open_device(0);
    allow_realtime(true);
    bool able = claim_as(SCHED_FIFO, 3);
    setrlimit(RLIMIT_RTPRIO, &limit);
    if (!able)
        skip();
    check_runs_as(SCHED_OTHER, 0);
    assert_int_equal(shl_device_get_priority(loopback_device(device)),
                     SHL_NO_PERMISSION);
    for (int i = 0; i < 20000 && !strstr(said, "realtime"); i++) {
        shl_host_poll(host);
        usleep(1000);
    }
    assert_non_null(strstr(said, "Loop:0"));
    end_host();
    assert_true(claim_as(SCHED_OTHER, 0));
    assert_int_equal(shl_device_get_priority(loopback_device(device)),
                     SHL_AGAIN);
}

static int start(void **state)
{
    const struct rlimit guard = {GUARD_US, GUARD_US};
    (void)state;
    peer_own_board();
    return setrlimit(RLIMIT_RTTIME, &guard);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_runs_one_step_below_its_host_while_claimed),
        TEST(there_is_no_step_below_the_lowest),
        TEST(a_device_may_keep_its_own),
        TEST(closing_restores_the_thread_that_was_raised),
        TEST(a_refusal_is_said_and_harms_nothing),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
