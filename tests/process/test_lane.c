/* SPDX-License-Identifier: MIT */
/* The lane beside its ring, with both ends in this process; then a link whose
 * other side has none. */
#include "core/shm/lane.h"

#include "core/host/link.h"

#include "one_mapping.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

static struct {
    _Atomic uint32_t write, read, word;
    struct shl_event slots[SHL_EVENT_SLOTS];
    struct shl_lane lane;
} shared;

static struct shl_ring producer, consumer;
static uint64_t pushed, taken;

static void start_at(uint32_t index)
{
    memset(&shared, 0, sizeof shared);
    shared.write = shared.read = index;
    shl_ring_init_producer(&producer, &shared.write, &shared.read, shared.slots,
                           sizeof shared.slots[0], SHL_EVENT_SLOTS);
    shl_ring_init_consumer(&consumer, &shared.write, &shared.read, shared.slots,
                           sizeof shared.slots[0], SHL_EVENT_SLOTS);
    pushed = taken = 0;
}

static int begin_ring(void **state)
{
    (void)state;
    start_at(0);
    return 0;
}

/* Publish so many events; `later` of them not yet. */
static void publish(uint32_t count, uint32_t later)
{
    for (uint32_t i = 0; i < count; i++) {
        struct shl_event *slot = shl_ring_push(&producer);
        assert_non_null(slot);
        *slot = shl_event_midi(++pushed, 0, 0x90, 60, 1);
    }
    shl_ring_publish_but(&producer, later);
    shl_lane_fill(&shared.lane, &shared.word, &producer);
}

/* Spoil the slots: what still comes right comes by the lane. */
static void spoil(void)
{
    memset(shared.slots, 0xFF, sizeof shared.slots);
}

/* Take all that is there; it must be in order. */
static uint32_t take_all(void)
{
    uint32_t count = 0;
    const void *slot;
    struct shl_event event;
    while ((slot = shl_ring_peek(&consumer, NULL))) {
        memcpy(&event, slot, sizeof event);
        shl_ring_pop(&consumer);
        assert_true(event.frame == ++taken);
        assert_int_equal(shl_event_check(&event), SHL_OK);
        count++;
    }
    shl_ring_near_end(&consumer);
    shl_ring_release(&consumer);
    return count;
}

static void up_to_16_events_come_by_the_lane(void **state)
{
    (void)state;
    start_at(0xFFFFFFF0); /* the indices wrap on the way */
    for (uint32_t count = 0; count <= SHL_LANE_EVENTS; count++) {
        publish(count, 0);
        spoil();
        shl_lane_use(&shared.lane, &shared.word, &consumer);
        assert_int_equal(take_all(), count);
    }
}

static void what_is_more_comes_after_it_by_the_ring(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 40; round++) {
        publish(100 + round, 0);
        shl_lane_use(&shared.lane, &shared.word, &consumer);
        assert_int_equal(take_all(), 100 + round);
    }
}

static void events_of_a_later_block_are_not_in_it(void **state)
{
    (void)state;
    publish(6, 4);
    shl_lane_use(&shared.lane, &shared.word, &consumer);
    assert_int_equal(take_all(), 2);
    publish(0, 1);
    spoil();
    shl_lane_use(&shared.lane, &shared.word, &consumer);
    assert_int_equal(take_all(), 3);
    publish(0, 0);
    shl_lane_use(&shared.lane, &shared.word, &consumer);
}

static void blocks_that_nobody_took_come_by_the_ring(void **state)
{
    (void)state;
    publish(5, 0); /* the first of it is looked at by nobody */
    publish(3, 0);
    shl_lane_use(&shared.lane, &shared.word, &consumer);
    assert_int_equal(take_all(), 8);
    publish(4, 0);
    shl_lane_use(&shared.lane, &shared.word, &consumer);
    taken++;
    shl_ring_pop(&consumer);
    shl_ring_near_end(&consumer);
    /* the lane is the producer's again */
    memset(&shared.lane, 0xFF, sizeof shared.lane);
    assert_int_equal(take_all(), 3);
    publish(0, 0);
    assert_int_equal(shared.word, 0);
}

static void copies_outlive_the_lane(void **state)
{
    struct shl_event own[SHL_LANE_EVENTS];
    (void)state;
    publish(16, 0);
    shl_lane_copy(&shared.lane, &shared.word, &consumer, own);
    memset(&shared.lane, 0xFF, sizeof shared.lane);
    spoil();
    assert_int_equal(take_all(), 16);
}

static void counts_that_cannot_be_are_no_lane(void **state)
{
    static const uint32_t words[] = {
        17u << 16 | 17,   8u << 16 | 9, 0xFFFF0010, 0x10000010, 0xFFFFFFFF,
        0x0000FFFF,       16,           0x10010000, 1,          4096u << 16 | 4,
        0x7FFFu << 16 | 2};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        publish(8, 0);
        memset(&shared.lane, 0xFF, sizeof shared.lane);
        shared.word = words[i];
        shl_lane_use(&shared.lane, &shared.word, &consumer);
        assert_int_equal(take_all(), 8);
    }
}

/* A distance that leads before what was taken, or behind, finds nothing there:
 * the ring's own indices say what is there. */
static void a_lying_distance_loses_nothing(void **state)
{
    (void)state;
    for (uint32_t shown = 1; shown < 40; shown++) {
        publish(8, 0);
        shared.word = shown << 16 | 1;
        shl_lane_use(&shared.lane, &shared.word, &consumer);
        for (uint32_t i = 0; i < 8; i++) {
            assert_non_null(shl_ring_peek(&consumer, NULL));
            shl_ring_pop(&consumer);
        }
        assert_null(shl_ring_peek(&consumer, NULL));
        shl_ring_near_end(&consumer);
        shl_ring_release(&consumer);
    }
}

/* ---- on a link -------------------------------------------------------------------- */

static struct peer *peer;
static struct shl_link mine;
static struct shl_transport transport;
static uint32_t sent, heard;

/* What a segment of 1.1 says: no region of lanes. */
static void hide_lanes(const char *name, uint32_t id, uint32_t as)
{
    struct shl_map map;
    assert_int_equal(shl_map_open(name, SHL_SEGMENT_SIZE, &map), SHL_OK);
    struct shl_link_header *header = (void *)(map.base + SHL_LINK_OFFSET);
    for (uint32_t i = 0; i < header->region_count; i++)
        if (header->region[i].id == id)
            header->region[i].id = as;
    shl_map_close(&map);
}

static void open_link(uint32_t drive)
{
    struct shl_link_options options = {.tag = "",
                                       .rate_hz = 48000,
                                       .block_frames = 64,
                                       .out_channels = 1,
                                       .drive = drive,
                                       .deadline_us = 20000000};
    struct shl_why why;
    shl_status st = SHL_AGAIN;
    transport = shl_transport_default(48000);
    assert_int_equal(
        shl_link_open(&mine, peer_report(peer)->segment, &options, &why),
        SHL_OK);
    one_mapping(&mine);
    for (int i = 0; i < 20000 && st == SHL_AGAIN; i++) {
        usleep(500);
        st = shl_link_state(&mine);
    }
    assert_int_equal(st, SHL_OK);
}

static void close_link(void)
{
    one_mapping_end(&mine);
    shl_link_close(&mine);
}

static int begin_link(void **state)
{
    struct peer_wish wish = {.out = 1};
    (void)state;
    peer = peer_thread(&wish);
    sent = heard = 0;
    return 0;
}

static int end_link(void **state)
{
    (void)state;
    if (mine.epoch)
        close_link();
    peer_free(peer);
    peer = NULL;
    return 0;
}

/* The events come back as they went, each in its block. */
static void hear_events(void)
{
    struct shl_event event;
    uint32_t offset;
    while (shl_link_event(&mine, &event, &offset)) {
        assert_int_equal(event.data[0] >> 8 & 127, heard & 127);
        heard++;
    }
}

static void play(uint32_t count)
{
    static float memory[64];
    float *const out[1] = {memory};
    for (uint32_t i = 0; i < count; i++) {
        struct shl_event event =
            shl_event_midi(0, 0, 0x90, (uint8_t)(sent++ & 127), 127);
        assert_int_equal(shl_link_send(&mine, &event, i % 64), SHL_OK);
    }
    shl_link_play(&mine, NULL, 0, out, 1, 64, &transport);
}

/* Blocks with more and fewer events than a lane holds; now and then some are
 * taken a block later. */
static void play_all(void)
{
    for (uint32_t n = 0; n < 500; n++) {
        play(n * 7 % 41);
        if (n % 5)
            hear_events();
    }
    for (int n = 0; n < 3; n++) {
        play(0);
        hear_events();
    }
    assert_int_equal(heard, sent);
    assert_int_equal(peer_report(peer)->ons, sent);
    assert_int_equal(peer_report(peer)->misplaced, 0);
    assert_int_equal(mine.stats.dropped + mine.stats.bad, 0);
}

static void all_events_come_in_order_in_lockstep(void **state)
{
    (void)state;
    open_link(SHL_DRIVE_LOCKSTEP);
    assert_non_null(mine.segment.lanes);
    play_all();
}

static void all_events_come_in_order_one_block_late(void **state)
{
    (void)state;
    open_link(SHL_DRIVE_PIPELINED);
    play_all();
}

/* The lanes are there, the host does not know them, and another host left its
 * word behind. */
static void a_host_of_1_1_is_understood(void **state)
{
    const char *name = peer_report(peer)->segment;
    (void)state;
    open_link(SHL_DRIVE_LOCKSTEP);
    play(4);
    hear_events();
    assert_int_not_equal(mine.segment.lines->host.lane, 0);
    close_link();
    hide_lanes(name, SHL_REGION_LANES, 99);
    open_link(SHL_DRIVE_LOCKSTEP);
    hide_lanes(name, 99, SHL_REGION_LANES);
    assert_null(mine.segment.lanes);
    assert_int_equal(mine.claim.flags & SHL_CLAIM_LANES, 0);
    play_all();
    assert_int_not_equal(mine.segment.lines->host.lane, 0);
}

static void a_device_of_1_1_is_understood(void **state)
{
    (void)state;
    hide_lanes(peer_report(peer)->segment, SHL_REGION_LANES, 99);
    open_link(SHL_DRIVE_PIPELINED);
    assert_null(mine.segment.lanes);
    play_all();
    assert_int_equal(mine.segment.lines->host.lane, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(up_to_16_events_come_by_the_lane, begin_ring),
        cmocka_unit_test_setup(what_is_more_comes_after_it_by_the_ring,
                               begin_ring),
        cmocka_unit_test_setup(events_of_a_later_block_are_not_in_it,
                               begin_ring),
        cmocka_unit_test_setup(blocks_that_nobody_took_come_by_the_ring,
                               begin_ring),
        cmocka_unit_test_setup(copies_outlive_the_lane, begin_ring),
        cmocka_unit_test_setup(counts_that_cannot_be_are_no_lane, begin_ring),
        cmocka_unit_test_setup(a_lying_distance_loses_nothing, begin_ring),
        cmocka_unit_test_setup_teardown(all_events_come_in_order_in_lockstep,
                                        begin_link, end_link),
        cmocka_unit_test_setup_teardown(all_events_come_in_order_one_block_late,
                                        begin_link, end_link),
        cmocka_unit_test_setup_teardown(a_host_of_1_1_is_understood, begin_link,
                                        end_link),
        cmocka_unit_test_setup_teardown(a_device_of_1_1_is_understood,
                                        begin_link, end_link),
    };
    peer_own_board();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
