/* SPDX-License-Identifier: MIT */
/* Whose a device is, as everybody else sees it: free, busy, stale; and the tag
 * that it keeps when its host has gone. Hosts are processes of their own, or
 * other boxes of this one. */
#include "shmlink/shmlink.h"

#include "child.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 20000 /* only a hang is that slow */

static struct peer *peer;
static shl_registry *registry;
static shl_host *host;
static char lead[] = "lead";

static shl_host *new_host(const char *tag)
{
    const struct shl_host_options options = {.in_channels = 1,
                                             .out_channels = 1,
                                             .rate_hz = 48000,
                                             .block_frames = 64};
    shl_host *made = NULL;

    if (shl_host_new(&options, &made) || shl_host_set_tag(made, tag))
        return NULL;
    return made;
}

/* A job: claim the device, then stay. */
static int hold(void *tag)
{
    shl_host *own = new_host(tag);

    if (!own || shl_host_open(own, "Peer:0", LIMIT_MS))
        return 1;
    child_forever();
}

/* A job: claim it, give it back as soon as it has answered. */
static int claim_once(void *tag)
{
    shl_host *own = new_host(tag);

    if (!own || shl_host_open(own, "Peer:0", LIMIT_MS))
        return 1;
    shl_host_free(own);
    return 0;
}

/* A job: claim it, and die at once. */
static int claim_and_die(void *tag)
{
    shl_host *own = new_host(tag);

    if (!own || shl_host_open(own, "Peer:0", LIMIT_MS))
        return 1;
    raise(SIGKILL);
    return 2;
}

static int set_up(void **state)
{
    struct peer_wish wish = {.in = 1, .out = 1};

    (void)state;
    peer = peer_start(&wish);
    return !peer || shl_registry_open(NULL, &registry, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    shl_host_free(host);
    host = NULL;
    peer_free(peer);
    shl_registry_scan(registry, NULL, 0, NULL);
    shl_registry_close(registry);
    return 0;
}

static shl_status look(struct shl_device_info *info)
{
    return shl_registry_find(registry, "Peer:0", info);
}

static bool until_state(enum shl_device_state state)
{
    struct shl_device_info info;

    for (int i = 0; i < LIMIT_MS; i++) {
        look(&info);
        if (info.state == state)
            return true;
        usleep(1000);
    }
    return false;
}

static bool until_tag(const char *tag)
{
    struct shl_device_info info;

    for (int i = 0; i < LIMIT_MS; i++) {
        look(&info);
        if (strcmp(info.tag, tag) == 0)
            return true;
        usleep(1000);
    }
    return false;
}

static void expect_refusal(pid_t pid, const char *tag)
{
    char want[80], text[256] = "";

    if (pid == getpid())
        snprintf(want, sizeof want, "claimed in this very program (tag %s)",
                 tag);
    else
        snprintf(want, sizeof want, "claimed by process %d (tag %s)", (int)pid,
                 tag);
    assert_non_null(host = new_host("other"));
    assert_int_equal(shl_host_open(host, "Peer:0", 0), SHL_BUSY);
    shl_host_why(host, text, sizeof text);
    if (!strstr(text, want))
        fail_msg("\"%s\" does not say \"%s\"", text, want);
}

/* shows DL-23 DL-25 */
static void a_claimed_device_is_busy_and_its_host_is_named(void **state)
{
    struct shl_device_info info;
    pid_t pid;

    (void)state;
    assert_int_equal(look(&info), SHL_OK);
    assert_int_equal(info.state, SHL_STATE_FREE);
    assert_int_equal(info.host_pid, 0);
    pid = child_start(hold, lead);
    assert_int_equal(look(&info), SHL_BUSY);
    assert_int_equal(info.state, SHL_STATE_BUSY);
    assert_int_equal(info.host_pid, pid);
    assert_string_equal(info.tag, "lead");
    expect_refusal(pid, "lead");
    child_kill(pid);
}

/* shows DL-24 */
static void the_claim_of_a_killed_host_is_stale_and_can_be_had(void **state)
{
    struct shl_device_info info;
    pid_t pid = child_start(hold, lead);

    (void)state;
    child_kill(pid);
    assert_int_equal(look(&info), SHL_OK);
    assert_true(info.state == SHL_STATE_STALE || info.state == SHL_STATE_FREE);
    assert_non_null(host = new_host("next"));
    assert_int_equal(shl_host_open(host, "Peer:0", LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_linked(host), 2);
    assert_true(until_tag("next"));
}

/* A stopped host lives: nobody else gets its device before it has ended. */
static void a_stopped_host_keeps_its_claim(void **state)
{
    struct shl_device_info info;
    pid_t pid = child_start(hold, lead);
    int status;

    (void)state;
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    usleep(300000); /* the device has looked meanwhile, more than once */
    assert_int_equal(look(&info), SHL_BUSY);
    assert_int_equal(info.host_pid, pid);
    expect_refusal(pid, "lead");
    kill(pid, SIGCONT);
    assert_int_equal(look(&info), SHL_BUSY);
    child_kill(pid);
    assert_int_equal(shl_host_open(host, "Peer:0", LIMIT_MS), SHL_OK);
}

/* shows DL-25 */
static void another_box_of_this_process_is_busy_and_named(void **state)
{
    shl_host *first = new_host("first");
    struct shl_device_info info;

    (void)state;
    assert_non_null(first);
    assert_int_equal(shl_host_open(first, "Peer:0", LIMIT_MS), SHL_OK);
    assert_int_equal(look(&info), SHL_BUSY);
    assert_int_equal(info.host_pid, getpid());
    expect_refusal(getpid(), "first");
    /* but what is mine I may open again */
    assert_int_equal(shl_host_open(first, "Peer:0", LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_linked(first), 2);
    shl_host_free(first);
    assert_int_equal(shl_host_open(host, "Peer:0", LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_linked(host), 2);
}

static void a_released_device_is_free(void **state)
{
    struct shl_device_info info;

    (void)state;
    assert_int_equal(child_run(claim_once, lead), 0);
    assert_int_equal(look(&info), SHL_OK);
    assert_int_equal(info.state, SHL_STATE_FREE);
    assert_int_equal(info.host_pid, 0);
    assert_true(until_state(SHL_STATE_FREE));
}

/* However short the claim was. */
/* shows DL-27 */
static void the_tag_stays_when_its_host_leaves_in_good_order(void **state)
{
    struct shl_device_info info;
    char tag[16];

    (void)state;
    for (int i = 0; i < 50; i++) {
        snprintf(tag, sizeof tag, "tag-%d", i);
        assert_int_equal(child_run(claim_once, tag), 0);
        assert_true(until_tag(tag));
        assert_int_equal(shl_registry_find_tag(registry, tag, &info), SHL_OK);
        assert_string_equal(info.id, "Peer:0");
    }
}

/* shows DL-27 */
static void the_tag_stays_when_its_host_is_killed(void **state)
{
    struct shl_device_info info;
    char tag[16];

    (void)state;
    for (int i = 0; i < 50; i++) {
        snprintf(tag, sizeof tag, "tag-%d", i);
        assert_int_equal(child_run(claim_and_die, tag), 128 + SIGKILL);
        assert_true(until_tag(tag));
        assert_int_equal(shl_registry_find_tag(registry, tag, &info), SHL_OK);
        assert_string_equal(info.id, "Peer:0");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_claimed_device_is_busy_and_its_host_is_named),
        TEST(the_claim_of_a_killed_host_is_stale_and_can_be_had),
        TEST(a_stopped_host_keeps_its_claim),
        TEST(another_box_of_this_process_is_busy_and_named),
        TEST(a_released_device_is_free),
        TEST(the_tag_stays_when_its_host_leaves_in_good_order),
        TEST(the_tag_stays_when_its_host_is_killed),
    };

    (void)argc;
    (void)argv;
    peer_own_board();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
