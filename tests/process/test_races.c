/* SPDX-License-Identifier: MIT */
/* What happens between two steps: a second process acts at the worst moment, which
 * a wrapped call (see the Makefile) makes certain. */
#include "core/board/board.h"
#include "core/shm/segment.h"
#include "shmlink/device.h"
#include "shmlink/observer.h"
#include "shmlink/registry.h"

#include "boards.h"
#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the worst moment ----------------------------------------------------------- */

/* Done once, just before the call. */
static void (*_Atomic at_lease)(uint64_t byte);
static void (*_Atomic at_claim_read)(void);
static void (*_Atomic at_view)(const char *name);
static void (*_Atomic at_planes)(void);
static void (*_Atomic after_owner)(const char *name); /* just after it */

shl_status __real_shl_lease_take(struct shl_map *map, uint64_t byte);
shl_status __wrap_shl_lease_take(struct shl_map *map, uint64_t byte);
shl_status __real_shl_segment_claim_read(const struct shl_segment *segment,
                                         struct shl_claim *claim);
shl_status __wrap_shl_segment_claim_read(const struct shl_segment *segment,
                                         struct shl_claim *claim);
shl_status __real_shl_segment_view(const char *name,
                                   struct shl_segment *segment,
                                   struct shl_why *why);
shl_status __wrap_shl_segment_view(const char *name,
                                   struct shl_segment *segment,
                                   struct shl_why *why);
shl_status __real_shl_map_reserve(struct shl_map *map, size_t offset,
                                  size_t size);
shl_status __wrap_shl_map_reserve(struct shl_map *map, size_t offset,
                                  size_t size);
shl_status __real_shl_map_owner(const char *name, uint32_t *owner);
shl_status __wrap_shl_map_owner(const char *name, uint32_t *owner);

shl_status __wrap_shl_lease_take(struct shl_map *map, uint64_t byte)
{
    void (*job)(uint64_t) = atomic_load(&at_lease);

    if (job)
        job(byte);
    return __real_shl_lease_take(map, byte);
}

shl_status __wrap_shl_segment_claim_read(const struct shl_segment *segment,
                                         struct shl_claim *claim)
{
    void (*job)(void) = atomic_exchange(&at_claim_read, NULL);

    if (job)
        job();
    return __real_shl_segment_claim_read(segment, claim);
}

shl_status __wrap_shl_segment_view(const char *name,
                                   struct shl_segment *segment,
                                   struct shl_why *why)
{
    void (*job)(const char *) = atomic_exchange(&at_view, NULL);

    if (job)
        job(name);
    return __real_shl_segment_view(name, segment, why);
}

shl_status __wrap_shl_map_reserve(struct shl_map *map, size_t offset,
                                  size_t size)
{
    void (*job)(void) =
        offset == SHL_AUDIO_OFFSET ? atomic_exchange(&at_planes, NULL) : NULL;

    if (job)
        job();
    return __real_shl_map_reserve(map, offset, size);
}

shl_status __wrap_shl_map_owner(const char *name, uint32_t *owner)
{
    void (*job)(const char *) = atomic_exchange(&after_owner, NULL);
    shl_status status = __real_shl_map_owner(name, owner);

    if (job)
        job(name);
    return status;
}

/* ---- the board --------------------------------------------------------------------- */

static char mortal[] = "Mortal:0";

/* A device that is dead, in slot 0. */
static void leave_a_dead_one(void)
{
    child_kill(child_start(board_device, mortal));
}

static void another_cleaner(uint64_t byte)
{
    struct shl_board_view view;

    if (byte != 0)
        return;
    atomic_store(&at_lease, NULL);
    view = board_view();
    assert_true(shl_board_sweep(&view, 0));
    shl_board_close(&view);
}

static void slot_that_another_has_cleared_is_not_cleared_again(void **state)
{
    struct shl_board_view view = board_view();

    (void)state;
    leave_a_dead_one();
    atomic_store(&at_lease, another_cleaner);
    assert_false(shl_board_sweep(&view, 0));
    assert_null(atomic_load(&at_lease));
    assert_int_equal(board_used(), 0);
    shl_board_close(&view);
}

static char left_segment[64];

static void device_that_comes_and_dies(uint64_t byte)
{
    struct shl_board_view view;
    struct shl_board_entry entry;

    if (byte != 0)
        return;
    atomic_store(&at_lease, NULL);
    leave_a_dead_one();
    view = board_view();
    assert_int_equal(shl_board_read(&view, 0, &entry), SHL_OK);
    snprintf(left_segment, sizeof left_segment, "%s", entry.segment);
    shl_board_close(&view);
}

static void slot_that_was_used_meanwhile_is_cleared_first(void **state)
{
    struct shl_registration registration;

    (void)state;
    atomic_store(&at_lease, device_that_comes_and_dies);
    assert_true(board_sit(&registration, "Next", "Next:0"));
    assert_null(atomic_load(&at_lease));
    assert_int_equal(registration.slot, 0);
    assert_true(left_segment[0]);
    assert_false(board_exists(left_segment));
    shl_registration_leave(&registration);
}

static void remove_the_board(uint64_t byte)
{
    (void)byte;
    atomic_store(&at_lease, NULL);
    assert_int_equal(unlink(board), 0);
}

static void board_removed_meanwhile_registrations_nobody(void **state)
{
    struct shl_device_info info;
    shl_registry *r;
    struct shl_registration registration;

    (void)state;
    atomic_store(&at_lease, remove_the_board);
    assert_true(board_sit(&registration, "Seated", "Seated:0"));
    assert_null(atomic_load(&at_lease));
    assert_true(shl_board_current(&registration.view));
    r = board_registry();
    assert_int_equal(shl_registry_find(r, "Seated:0", &info), SHL_AGAIN);
    shl_registry_close(r);
    shl_registration_leave(&registration);
}

static void another_makes_the_board(const char *name)
{
    struct shl_map map = SHL_MAP_NONE;

    assert_string_equal(name + 1, board + strlen("/dev/shm/"));
    assert_int_equal(shl_map_share(name, sizeof(struct shl_board), &map),
                     SHL_OK);
    shl_map_close(&map);
}

/* Two programs that begin at once, and there is no board yet. */
static void board_made_meanwhile_is_the_board(void **state)
{
    struct shl_board_view view;

    (void)state;
    unlink(board);
    atomic_store(&after_owner, another_makes_the_board);
    view = board_view();
    assert_null(atomic_load(&after_owner));
    assert_int_equal(view.number, 0);
    assert_true(shl_board_current(&view));
    shl_board_close(&view);
}

/* A dying process loses its leases in no useful order. */
static void segment_that_is_still_held_stays(void **state)
{
    struct shl_board_view view = board_view();
    struct board_registered device;

    (void)state;
    board_start(&device, "Half");
    shl_lease_drop(&device.registration.view.map, device.registration.slot);
    assert_false(shl_board_sweep(&view, device.registration.slot));
    assert_true(board_exists(device.segment.name));
    shl_lease_drop(&device.segment.map, SHL_LEASE_DEVICE);
    assert_true(shl_board_sweep(&view, device.registration.slot));
    assert_false(board_exists(device.segment.name));
    board_stop(&device);
    shl_board_close(&view);
}

/* ---- an observer -------------------------------------------------------------------------- */

static struct board_registered watched;
static struct shl_segment first_host, second_host;
static int begun, ended;
static char who[128];

static void see_connection(void *arg, int linked, const char *text)
{
    (void)arg;
    begun += linked != 0;
    ended += linked == 0;
    snprintf(who, sizeof who, "%s", text);
}

static void claim_it(struct shl_segment *host, const char *name,
                     const struct shl_claim *claim)
{
    assert_int_equal(shl_segment_open(name, host, NULL), SHL_OK);
    assert_int_equal(shl_segment_claim(host), SHL_OK);
    shl_segment_claim_write(host, claim);
}

static void change_hosts(void)
{
    const struct shl_claim claim = {.rate_hz = 48000, .tag = "new"};

    shl_segment_release(&first_host);
    claim_it(&second_host, watched.segment.name, &claim);
}

static void observer_tells_no_claim_that_is_over(void **state)
{
    const struct shl_claim claim = {.rate_hz = 48000, .tag = "old"};
    struct shl_monitor monitor = {.connection = see_connection};
    shl_observer *observer = NULL;
    struct shl_why why;

    (void)state;
    begun = ended = 0;
    setenv("SHMLINK_REGISTRY", registry, 1);
    board_start(&watched, "Seen");
    assert_int_equal(shl_observer_open("Seen", &monitor, &observer, &why),
                     SHL_OK);
    claim_it(&first_host, watched.segment.name, &claim);
    atomic_store(&at_claim_read, change_hosts);
    shl_observer_poll(observer, &why);
    assert_null(atomic_load(&at_claim_read));
    shl_observer_poll(observer, &why);
    assert_int_equal(begun, 1);
    assert_int_equal(ended, 0);
    assert_non_null(strstr(who, "new"));
    shl_segment_close(&first_host);
    shl_segment_close(&second_host);
    shl_observer_close(observer);
    board_stop(&watched);
}

static struct shl_segment usurper;

static void other_device(const char *name)
{
    struct shl_identity id = board_identity("Other:0");

    shl_map_unlink(name);
    assert_int_equal(shl_segment_create(name, 48000, &usurper), SHL_OK);
    shl_seqlock_write(&usurper.identity->seqlock, &id, sizeof id / 8);
    shl_segment_ready(&usurper);
}

static void observer_looks_at_no_other_device(void **state)
{
    struct shl_monitor monitor = {.connection = see_connection};
    shl_observer *observer = NULL;
    struct shl_why why;

    (void)state;
    setenv("SHMLINK_REGISTRY", registry, 1);
    board_start(&watched, "Seen");
    atomic_store(&at_view, other_device);
    assert_int_equal(shl_observer_open("Seen", &monitor, &observer, &why),
                     SHL_AGAIN);
    assert_null(observer);
    shl_segment_close(&usurper);
    board_stop(&watched);
}

/* ---- a claim ---------------------------------------------------------------------------- */

static shl_device *device;
static uint32_t second_epoch;

static void another_claim(void)
{
    struct shl_claim claim = {.rate_hz = 44100,
                              .drive = SHL_DRIVE_LOCKSTEP,
                              .mode = SHL_MODE_BOTH,
                              .block_frames = 64};

    shl_segment_release(&first_host);
    claim_it(&second_host, shl_device_segment(device), &claim);
    second_epoch = atomic_load(&second_host.claim->epoch);
}

/* It is judged by what it says itself: this one by its rate. */
static void claim_replaced_while_memory_is_made_is_judged_anew(void **state)
{
    const struct shl_device_options options = {.id = "Judge",
                                               .registry = registry,
                                               .in_channels = 1,
                                               .out_channels = 1,
                                               .rate_hz = 48000,
                                               .block_frames = 64};
    struct shl_claim claim = {.rate_hz = 48000,
                              .drive = SHL_DRIVE_LOCKSTEP,
                              .mode = SHL_MODE_BOTH,
                              .block_frames = 64,
                              .in_channels = 1,
                              .out_channels = 1};
    const struct shl_device_line *line;
    struct shl_block block;
    struct shl_why why;

    (void)state;
    second_epoch = 0;
    assert_int_equal(shl_device_open(&options, &device, &why), SHL_OK);
    claim_it(&first_host, shl_device_segment(device), &claim);
    line = &first_host.lines->device;
    atomic_store(&at_planes, another_claim);
    for (int i = 0; i < 20000; i++) {
        shl_device_wait(device, 1, &block);
        if (!atomic_load(&at_planes) &&
            (atomic_load(&line->refused) || atomic_load(&line->epoch)))
            break;
    }
    assert_null(atomic_load(&at_planes));
    assert_int_equal(atomic_load(&line->epoch), 0);
    assert_int_equal(atomic_load(&line->refused), second_epoch);
    assert_int_equal(atomic_load(&line->refusal), SHL_WRONG_RATE);
    shl_segment_close(&first_host);
    shl_segment_close(&second_host);
    shl_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(board_made_meanwhile_is_the_board),
        BOARD_TEST(slot_that_another_has_cleared_is_not_cleared_again),
        BOARD_TEST(slot_that_was_used_meanwhile_is_cleared_first),
        BOARD_TEST(board_removed_meanwhile_registrations_nobody),
        BOARD_TEST(segment_that_is_still_held_stays),
        BOARD_TEST(observer_tells_no_claim_that_is_over),
        BOARD_TEST(observer_looks_at_no_other_device),
        BOARD_TEST(claim_replaced_while_memory_is_made_is_judged_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
