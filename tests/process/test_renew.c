/* SPDX-License-Identifier: MIT */
/* A device whose names in shared memory disappear: found again within a second,
 * while its link goes on; and the segment that takes another's place. */
#include "hosting.h"

#include "core/shm/segment.h"
#include "peer.h"
#include "shmlink/registry.h"

#include <cmocka.h> /* the rule that links looks for it here */
#include <stdlib.h>

/* ---- what the system does at logout ------------------------------------------- */

static void remove_segment(void)
{
    assert_int_equal(shl_map_unlink(peer_report(peer)->segment), SHL_OK);
}

static void remove_board(void)
{
    char name[64];

    snprintf(name, sizeof name, "/shl-%u-%s", (unsigned)geteuid(),
             getenv("SHMLINK_REGISTRY"));
    assert_int_equal(shl_map_unlink(name), SHL_OK);
}

/* Look at the board until the device is in this state; plays meanwhile if there
 * is a link, and each block must be heard. */
static bool seen_as(enum shl_device_state state, struct shl_device_info *info)
{
    for (int i = 0; i < LIMIT_MS; i++) {
        shl_registry *board = NULL;
        uint32_t count = 0;

        assert_int_equal(shl_registry_open(NULL, &board, NULL), SHL_OK);
        shl_registry_scan(board, info, 1, &count);
        shl_registry_close(board);
        if (count == 1 && info->state == state && peer_there(info->segment))
            return true;
        if (host && !(play(1, 64) && constant(1, 64)))
            return false;
        usleep(1000);
    }
    return false;
}

static shl_status second_host(uint32_t wait_ms, struct shl_why *why)
{
    struct shl_host_options options = usual();
    shl_host *other;
    shl_status st;

    assert_int_equal(shl_host_new(&options, &other), SHL_OK);
    st = shl_host_open(other, "Peer", wait_ms);
    shl_host_why(other, why->text, sizeof why->text);
    shl_host_free(other);
    return st;
}

/* ---- the device ----------------------------------------------------------------- */

/* shows DL-22 MP-52 */
static void free_device_is_found_again(void **state)
{
    struct shl_device_info info;

    (void)state;
    for (int board = 0; board <= 1; board++) {
        new_peer((struct peer_wish){0});
        remove_segment();
        if (board)
            remove_board();
        assert_true(seen_as(SHL_STATE_FREE, &info));
        assert_string_equal(info.id, "Peer:0");
        new_host(usual());
        assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
        assert_int_equal(shl_host_linked(host), 2);
        assert_true(wait_sound());
        assert_int_equal(tear_down(NULL), 0);
    }
}

/* Three times, so that what has taken the place is renewed, too. */
static void a_link_goes_on_and_nobody_else_gets_it(void **state)
{
    struct shl_device_info info;
    struct shl_why why;

    (void)state;
    link_both(usual(), (struct peer_wish){0});
    assert_true(wait_sound());
    for (int i = 0; i < 3; i++) {
        remove_segment();
        remove_board();
        assert_true(seen_as(SHL_STATE_BUSY, &info));
        assert_int_equal(info.host_pid, getpid());
        assert_int_equal(second_host(0, &why), SHL_BUSY);
        assert_non_null(strstr(why.text, "Peer:0"));
        assert_null(strstr(why.text, "ask again"));
        for (int block = 0; block < 100; block++)
            assert_true(play(1, 64) && constant(1, 64));
    }
    assert_int_equal(stats_now().missed, 0);
    shl_host_close(host);
    assert_int_equal(second_host(LIMIT_MS, &why), SHL_OK);
    assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
    assert_true(wait_sound());
}

/* Another object that has the segment's name: the device takes another name. */
static void a_taken_name_is_left_to_whoever_has_it(void **state)
{
    struct shl_map other = SHL_MAP_NONE;
    struct shl_device_info info;
    char was[40];

    (void)state;
    new_peer((struct peer_wish){0});
    snprintf(was, sizeof was, "%s", peer_report(peer)->segment);
    /* as if it had been made right after the removal */
    assert_int_equal(shl_map_create("/shltest-renew", 4096, &other), SHL_OK);
    {
        char from[64], to[64];

        snprintf(from, sizeof from, "/dev/shm/shltest-renew");
        snprintf(to, sizeof to, "/dev/shm%s", was);
        assert_int_equal(rename(from, to), 0);
    }
    for (int i = 0; i < LIMIT_MS; i++) {
        assert_true(seen_as(SHL_STATE_FREE, &info) ||
                    info.state == SHL_STATE_STARTING);
        if (strcmp(info.segment, was) != 0)
            break;
        usleep(1000);
    }
    assert_string_not_equal(info.segment, was);
    new_host(usual());
    assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
    assert_true(wait_sound());
    shl_map_unlink(was);
    shl_map_close(&other);
}

/* ---- the segment ------------------------------------------------------------------ */

static void say(struct shl_segment *segment)
{
    struct shl_process self = shl_process_self();
    struct shl_identity who = {.id = "Twin:0",
                               .rate_hz = 48000,
                               .block_frames = 64,
                               .in_channels = 2,
                               .out_channels = 2,
                               .param_count = 2,
                               .pid = self.pid,
                               .start_time = self.start_time,
                               .pid_namespace = self.pid_namespace};
    struct shl_param params[2];

    memset(params, 0, sizeof params);
    for (uint32_t i = 0; i < 2; i++) {
        params[i].id = 7 + i;
        params[i].maximum = 1;
        snprintf(params[i].name, sizeof params[i].name, "p%u", i);
    }
    assert_int_equal(shl_segment_write_params(segment, params, 2), SHL_OK);
    shl_seqlock_write(&segment->identity->seqlock, &who, sizeof who / 8);
    shl_segment_ready(segment);
}

static void twin_shows_the_same_and_is_held(void **state)
{
    struct shl_segment device, twin, host_side;
    struct shl_identity who;
    struct shl_why why;
    uint8_t *base;
    uint64_t half;
    double value = 0.5;

    (void)state;
    assert_int_equal(shl_segment_create("/shltest-a", 48000, &device), SHL_OK);
    say(&device);
    assert_int_equal(shl_map_unlink("/shltest-a"), SHL_OK);
    assert_int_equal(shl_segment_twin(&device, "/shltest-a", 2, &twin), SHL_OK);
    /* it is there already */
    assert_int_equal(shl_segment_twin(&device, "/shltest-a", 2, &host_side),
                     SHL_TAKEN);
    assert_int_equal(shl_segment_open("/shltest-a", &host_side, &why), SHL_OK);
    assert_int_equal(shl_segment_identity(&host_side, &who), SHL_OK);
    assert_string_equal(who.id, "Twin:0");
    assert_true(shl_segment_device_alive(&host_side));
    assert_int_equal(host_side.params[1].id, 8);
    assert_int_equal(shl_segment_claim(&host_side), SHL_BUSY);

    /* a value that is set now is there afterwards */
    memcpy(&half, &value, sizeof half);
    atomic_store(&device.params[1].value, half);
    base = device.map.base;
    assert_int_equal(shl_segment_become(&device, &twin), SHL_OK);
    assert_ptr_equal(device.map.base, base);
    assert_int_equal(twin.map.fd, -1);
    assert_true(shl_map_current(&device.map, "/shltest-a"));
    assert_int_equal(atomic_load(&host_side.params[1].value), half);
    assert_int_equal(shl_segment_claim(&host_side), SHL_OK);
    assert_true(shl_lease_held(&device.ask, SHL_LEASE_HOST));
    assert_true(shl_segment_device_alive(&host_side));
    /* what one writes the other reads */
    atomic_store(&device.lines->device.latency_frames, 77);
    assert_int_equal(atomic_load(&host_side.lines->device.latency_frames), 77);
    shl_segment_close(&host_side);
    shl_map_unlink("/shltest-a");
    shl_segment_close(&device);
}

static void nothing_changes_place_under_a_claim(void **state)
{
    struct shl_segment device, twin, host_side;
    struct shl_why why;

    (void)state;
    assert_int_equal(shl_segment_create("/shltest-b", 48000, &device), SHL_OK);
    say(&device);
    assert_int_equal(shl_segment_open("/shltest-b", &host_side, &why), SHL_OK);
    assert_int_equal(shl_segment_claim(&host_side), SHL_OK);
    shl_map_unlink("/shltest-b");
    assert_int_equal(shl_segment_twin(&device, "/shltest-b", 2, &twin), SHL_OK);
    assert_int_equal(shl_segment_become(&device, &twin), SHL_BUSY);
    atomic_store(&device.lines->device.latency_frames, 78);
    assert_int_equal(atomic_load(&host_side.lines->device.latency_frames), 78);
    shl_segment_close(&host_side);
    assert_int_equal(shl_segment_become(&device, &twin), SHL_OK);
    shl_map_unlink("/shltest-b");
    shl_segment_close(&device);
}

int main(void)
{
    const struct CMUnitTest segments[] = {
        cmocka_unit_test(twin_shows_the_same_and_is_held),
        cmocka_unit_test(nothing_changes_place_under_a_claim),
    };
    const struct CMUnitTest devices[] = {
        cmocka_unit_test_teardown(free_device_is_found_again, tear_down),
        cmocka_unit_test_teardown(a_link_goes_on_and_nobody_else_gets_it,
                                  tear_down),
        cmocka_unit_test_teardown(a_taken_name_is_left_to_whoever_has_it,
                                  tear_down),
    };
    int failed = cmocka_run_group_tests(segments, NULL, NULL);

    return failed + cmocka_run_group_tests(devices, start, NULL);
}
