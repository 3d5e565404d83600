/* The host role against devices in other processes: polite, late, stopped,
 * killed at named points, lying. Whatever they do the host goes on, and the
 * next device of that name is heard. */
#include "core/host.h"

#include "child.h"
#include "core/layout.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIMIT_MS 20000 /* only a hang is that slow */

static shl_host *host;
static struct peer *peer;
static struct shl_notice notice;
static float in_memory[2][SHL_MAX_FRAMES];
static float out_memory[2][SHL_MAX_FRAMES];
static const float *const in[2] = {in_memory[0], in_memory[1]};
static float *const out[2] = {out_memory[0], out_memory[1]};

static struct shl_host_options usual(void)
{
    return (struct shl_host_options){.in_channels = 1,
                                     .out_channels = 1,
                                     .rate_hz = 48000,
                                     .block_frames = 64,
                                     .deadline_ms = 1000};
}

static void new_host(struct shl_host_options options)
{
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
}

static void new_peer(struct peer_wish wish)
{
    wish.in = 1;
    wish.out = 1;
    peer = peer_start(&wish);
    assert_non_null(peer);
}

/* Whoever looks clears what the dead have left. */
static void scan(void)
{
    shl_registry *registry;
    if (shl_registry_open(NULL, &registry, NULL) != SHL_OK)
        return;
    shl_registry_scan(registry, NULL, 0, NULL);
    shl_registry_close(registry);
}

static int tear_down(void **state)
{
    char segment[40] = "";
    (void)state;
    if (peer)
        snprintf(segment, sizeof segment, "%s", peer_report(peer)->segment);
    shl_host_free(host);
    peer_free(peer);
    host = NULL;
    peer = NULL;
    scan();
    return segment[0] && peer_there(segment);
}

/* Both there, linked and accepted. */
static void link_both(struct shl_host_options options, struct peer_wish wish)
{
    new_peer(wish);
    new_host(options);
    assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_linked(host), 2);
    assert_true(shl_host_notice(host, &notice));
    assert_int_equal(notice.kind, SHL_NOTICE_OPEN);
}

static int play(float value, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        in_memory[0][i] = value;
    return shl_host_process(host, in, out, frames);
}

static bool constant(float value, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        if (out_memory[0][i] != value)
            return false;
    return true;
}

/* Play and poll until a notice of this kind comes. */
static bool wait_notice(enum shl_notice_kind kind)
{
    for (int i = 0; i < LIMIT_MS; i++) {
        while (shl_host_notice(host, &notice))
            if (notice.kind == kind)
                return true;
        play(1, 64);
        shl_host_poll(host);
        usleep(1000);
    }
    return false;
}

/* Until the device sounds again, as it should. */
static bool wait_sound(void)
{
    for (int i = 0; i < LIMIT_MS; i++) {
        if (play(1, 64) && play(1, 64) && constant(1, 64))
            return true;
        shl_host_poll(host);
        usleep(1000);
    }
    return false;
}

static struct shl_host_stats stats_now(void)
{
    struct shl_host_stats stats;
    shl_host_stats(host, &stats);
    return stats;
}

static void send_midi(uint8_t status, uint8_t a, uint8_t b, uint32_t offset)
{
    struct shl_event event = shl_event_midi(0, 0, status, a, b);
    assert_int_equal(shl_host_send(host, &event, offset), SHL_OK);
}

/* ---- finding --------------------------------------------------------------------- */

/* shows DL-11 */
static void nobody_there_is_said_and_waited_for(void **state)
{
    char why[256];
    (void)state;
    new_host(usual());
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "open"));
    assert_int_equal(shl_host_open(host, "Peer", 0), SHL_NOT_FOUND);
    assert_int_equal(shl_host_open(host, "Peer", 30), SHL_NOT_FOUND);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "Peer"));
    assert_false(play(1, 64));
    assert_true(constant(0, 64));
    new_peer((struct peer_wish){0});
    assert_true(wait_notice(SHL_NOTICE_OPEN));
    assert_string_equal(notice.id, "Peer:0");
    assert_true(wait_sound());
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "linked"));
}

static void a_name_that_cannot_be_is_refused(void **state)
{
    char why[256];
    (void)state;
    new_host(usual());
    assert_int_equal(shl_host_open(host, "a/b", 0), SHL_BAD_NAME);
    assert_int_equal(shl_host_open(host, "", 0), SHL_BAD_NAME);
    assert_int_equal(shl_host_tag(host, "a\nb"), SHL_BAD_NAME);
    shl_host_why(host, why, sizeof why);
    assert_true(strlen(why) > 10);
}

static void without_a_wish_it_is_a_wire(void **state)
{
    (void)state;
    new_host(usual());
    assert_false(play(0.5f, 64));
    assert_true(constant(0.5f, 64));
}

/* shows DL-25 */
static void a_busy_device_names_its_host_and_is_taken_when_free(void **state)
{
    struct shl_host_options options = usual();
    char why[256], pid[16];
    shl_host *second;
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    assert_int_equal(shl_host_new(&options, &second), SHL_OK);
    assert_int_equal(shl_host_open(second, "Peer:0", 0), SHL_BUSY);
    shl_host_why(second, why, sizeof why);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    assert_non_null(strstr(why, pid));
    assert_true(wait_sound());
    shl_host_close(host);
    assert_int_equal(shl_host_linked(host), 0);
    for (int i = 0; i < LIMIT_MS && shl_host_linked(second) < 2; i++) {
        shl_host_poll(second);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(second), 2);
    assert_int_equal(shl_host_open(host, "Peer:0", 0), SHL_BUSY);
    shl_host_free(second);
}

static void another_rate_is_refused_with_both(void **state)
{
    struct shl_host_options options = usual();
    char why[256];
    (void)state;
    options.rate_hz = 44100;
    new_peer((struct peer_wish){0});
    new_host(options);
    assert_int_equal(shl_host_open(host, "Peer", 0), SHL_WRONG_RATE);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "44100"));
    assert_non_null(strstr(why, "48000"));
    /* it is heard as soon as the rates agree, and lost when they do not */
    assert_int_equal(shl_host_setup(host, 48000, 64), SHL_OK);
    assert_true(wait_sound());
    assert_int_equal(shl_host_setup(host, 96000, 64), SHL_WRONG_RATE);
    assert_int_equal(shl_host_linked(host), 0);
    assert_int_equal(shl_host_setup(host, (double)NAN, 64), SHL_BAD_VALUE);
    assert_int_equal(shl_host_setup(host, 48000, 4097), SHL_WRONG_BLOCK);
    assert_int_equal(shl_host_setup(host, 48000, 128), SHL_OK);
    assert_true(wait_sound());
}

static void a_drive_that_it_lacks_is_refused(void **state)
{
    struct shl_host_options options = usual();
    char why[256];
    (void)state;
    options.drive = SHL_DRIVE_PIPELINED;
    new_peer((struct peer_wish){.drives = SHL_DRIVE_LOCKSTEP});
    new_host(options);
    assert_int_equal(shl_host_open(host, "Peer", 0), SHL_WRONG_DRIVE);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "pipelined"));
}

/* shows DL-27 */
static void a_tag_finds_its_device_again(void **state)
{
    struct shl_device_info info;
    struct peer_wish wish = {.out = 1, .tag = "lead"};
    (void)state;
    new_peer((struct peer_wish){0});
    struct peer *second = peer_start(&wish);
    new_host(usual());
    assert_int_equal(shl_host_tag(host, "lead"), SHL_OK);
    assert_int_equal(shl_host_open(host, "Peer:0", LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_device(host, &info), SHL_OK);
    assert_string_equal(info.id, "Peer:1");
    peer_free(second);
}

/* ---- loss -------------------------------------------------------------------------- */

/* One block on time, one missed: what is heard in it. */
static void miss_one(enum shl_host_onloss onloss, uint32_t frames)
{
    struct shl_host_options options = usual();
    options.deadline_ms = 200;
    link_both(options, (struct peer_wish){0});
    shl_host_onloss(host, onloss);
    assert_true(play(0.5f, frames));
    atomic_store(&peer_report(peer)->work_us, 3000000);
    shl_host_deadline(host, 1);
    assert_false(play(0.25f, frames));
    assert_int_equal(stats_now().missed, 1);
    assert_int_equal(stats_now().silent_frames, frames);
}

static void a_missed_block_fades_to_0_within_itself(void **state)
{
    (void)state;
    for (uint32_t frames = 64; frames <= 1024; frames *= 4) {
        uint32_t n = frames < 128 ? frames : 128;
        miss_one(SHL_HOST_FADE, frames);
        for (uint32_t i = 0; i < frames; i++) {
            float expected = i < n ? 0.5f * ((float)(n - 1 - i) / (float)n) : 0;
            assert_true(out_memory[0][i] == expected);
        }
        assert_false(play(0.25f, frames));
        assert_true(constant(0, frames));
        peer_kill(peer);
        tear_down(NULL);
    }
}

/* shows ME-02 DL-51 */
static void a_missed_block_is_silent_dry_or_held(void **state)
{
    static const float expected[] = {
        [SHL_HOST_SILENCE] = 0, [SHL_HOST_DRY] = 0.25f, [SHL_HOST_HOLD] = 0.5f};
    (void)state;
    for (int policy = SHL_HOST_SILENCE; policy <= SHL_HOST_HOLD; policy++) {
        miss_one((enum shl_host_onloss)policy, 64);
        assert_true(constant(expected[policy], 64));
        peer_kill(peer);
        tear_down(NULL);
    }
}

/* shows ME-01 DL-51 */
static void a_killed_device_fades_goes_and_comes_back(void **state)
{
    char segment[40];
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    shl_host_deadline(host, 2);
    for (int round = 0; round < 3; round++) {
        assert_true(wait_sound());
        snprintf(segment, sizeof segment, "%s", peer_report(peer)->segment);
        peer_kill(peer);
        assert_false(play(1, 64));
        assert_true(out_memory[0][0] < 1 && out_memory[0][63] == 0);
        assert_false(play(1, 64));
        assert_true(constant(0, 64));
        assert_true(wait_notice(SHL_NOTICE_GONE));
        assert_int_equal(notice.status, SHL_GONE);
        peer_free(peer);
        scan();
        assert_false(peer_there(segment));
        new_peer((struct peer_wish){0});
        assert_string_equal(peer_report(peer)->id, "Peer:0");
        assert_true(wait_notice(SHL_NOTICE_OPEN));
        shl_host_deadline(host, 1000);
        assert_true(wait_sound());
        shl_host_deadline(host, 2);
    }
    assert_int_equal(stats_now().links, 4);
}

/* shows MP-41 */
static void a_device_that_leaves_in_order_is_gone_at_once(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    assert_true(wait_sound());
    peer_free(peer);
    peer = NULL;
    uint64_t before = stats_now().missed;
    assert_false(play(1, 64));
    shl_host_poll(host);
    assert_true(shl_host_notice(host, &notice));
    assert_int_equal(notice.kind, SHL_NOTICE_GONE);
    assert_int_equal(stats_now().missed, before); /* without a wait */
}

/* ---- too slow, stopped --------------------------------------------------------------- */

/* shows MP-39 ME-11 ME-03 */
static void a_stopped_device_costs_three_deadlines_once(void **state)
{
    struct shl_host_options options = usual();
    uint32_t waits = 0, stalls = 0;
    (void)state;
    options.deadline_ms = 40;
    link_both(options, (struct peer_wish){0});
    assert_true(wait_sound());
    uint64_t missed = stats_now().missed, before = stats_now().stalls;
    peer_stop(peer);
    for (int i = 0; i < 1000; i++) {
        uint64_t began = shl_clock_ns();
        assert_false(play(1, 64));
        waits += shl_clock_ns() - began > 30000000;
        if (i % 10 == 0)
            shl_host_poll(host);
        while (shl_host_notice(host, &notice))
            stalls += notice.kind == SHL_NOTICE_STALLED;
    }
    assert_true(waits >= 2 && waits <= 5);
    assert_int_equal(stats_now().stalls, before + 1);
    assert_int_equal(stalls, 1); /* told once */
    assert_int_equal(stats_now().missed, missed + 1000);
    char why[256];
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "-t"));
    peer_continue(peer);
    assert_true(wait_notice(SHL_NOTICE_RESUMED));
    assert_true(wait_sound());
    assert_true(stats_now().late >= 1);
}

static void a_device_a_little_too_slow_does_not_flap(void **state)
{
    struct shl_host_options options = usual();
    (void)state;
    options.deadline_ms = 2;
    link_both(options, (struct peer_wish){0});
    atomic_store(&peer_report(peer)->work_us, 3000);
    for (int i = 0; i < 300; i++) {
        play(1, 64);
        usleep(5000);
    }
    uint64_t stalls = stats_now().stalls;
    /* 3 misses and 4, 8, 16, 32, 64, 128, 256 answers between the stalls */
    assert_true(stalls >= 2 && stalls <= 7);
    atomic_store(&peer_report(peer)->work_us, 0);
    shl_host_deadline(host, 1000);
    assert_true(wait_sound());
    assert_true(stats_now().stalls <= 7);
}

static void a_stopped_pipelined_device_costs_three_deadlines_too(void **state)
{
    struct shl_host_options options = usual();
    uint32_t waits = 0;
    (void)state;
    options.deadline_ms = 40;
    options.drive = SHL_DRIVE_PIPELINED;
    link_both(options, (struct peer_wish){0});
    assert_true(wait_sound());
    peer_stop(peer);
    for (int i = 0; i < 500; i++) {
        uint64_t began = shl_clock_ns();
        play(1, 64);
        waits += shl_clock_ns() - began > 30000000;
    }
    assert_true(waits >= 2 && waits <= 5);
    peer_continue(peer);
    assert_true(wait_sound());
}

static void rendering_waits_for_a_slow_device_and_stays_exact(void **state)
{
    struct shl_host_options options = usual();
    (void)state;
    options.batch = 1;
    link_both(options, (struct peer_wish){.work_us = 5000});
    for (int i = 0; i < 40; i++) {
        assert_true(play((float)i, 64));
        assert_true(constant((float)i, 64));
    }
    assert_int_equal(stats_now().missed, 0);
    /* a dead device does not cost 30 s */
    uint64_t began = shl_clock_ns();
    peer_kill(peer);
    assert_false(play(1, 64));
    assert_true(wait_notice(SHL_NOTICE_GONE));
    assert_true(shl_clock_ns() - began < 20000000000u);
}

static void ring_full_while_stalled_is_counted(void **state)
{
    struct shl_event event = shl_event_midi(0, 0, 0x90, 1, 1);
    uint64_t refused = 0;
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    assert_true(wait_sound());
    shl_host_deadline(host, 1);
    peer_stop(peer);
    for (int i = 0; i < 5000; i++) {
        if (i % 100 == 0)
            play(1, 64);
        refused += shl_host_send(host, &event, 0) == SHL_RING_FULL;
    }
    assert_true(refused >= 5000 - 4095 && refused < 5000);
    assert_int_equal(stats_now().events_dropped, refused);
    peer_continue(peer);
    assert_true(wait_sound());
    for (int i = 0; i < LIMIT_MS; i++) {
        if (peer_report(peer)->ons == 5000 - refused)
            break;
        usleep(1000);
    }
    assert_int_equal(peer_report(peer)->ons, 5000 - refused);
}

/* ---- dying, lying ------------------------------------------------------------------------ */

/* Play with a device that dies at its point; then with a polite one. */
static void survive(enum peer_kind kind)
{
    struct shl_host_options options = usual();
    struct peer_wish wish = {.kind = kind, .at = 5, .in = 1, .out = 1};
    struct shl_event event;
    uint32_t offset;
    char segment[40];
    options.deadline_ms = 2;
    new_host(options);
    shl_host_open(host, "Peer", 0);
    new_peer(wish);
    for (int i = 0; i < LIMIT_MS && !peer_ended(peer, 0); i++) {
        if (shl_host_linked(host) == 2)
            send_midi(0x90, 60, 1, 0);
        play(1, 64);
        while (shl_host_event(host, &event, &offset))
            assert_true(offset < 64);
        shl_host_poll(host);
        usleep(500);
    }
    assert_true(peer_ended(peer, LIMIT_MS));
    snprintf(segment, sizeof segment, "%s", peer_report(peer)->segment);
    peer_free(peer);
    scan();
    assert_true(segment[0] == 0 || !peer_there(segment));
    new_peer((struct peer_wish){0});
    assert_string_equal(peer_report(peer)->id, "Peer:0");
    shl_host_deadline(host, 1000);
    assert_true(wait_sound());
    tear_down(NULL);
}

/* shows ME-01 ME-13 */
static void devices_that_die_at_named_points_leave_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        survive(PEER_DIES_BEFORE_READY);
        survive(PEER_DIES_CLAIMED);
        survive(PEER_DIES_WORKING);
        survive(PEER_DIES_TELLING);
    }
}

static int lies(void)
{
    return getenv("SHL_SOAK") ? 200000 : 3000;
}

/* shows ME-13 DL-60 */
static void a_liar_cannot_crash_or_hold_its_host(void **state)
{
    struct shl_host_options options = usual();
    struct shl_event event;
    uint32_t offset;
    (void)state;
    options.deadline_ms = 1;
    for (uint32_t seed = 1; seed <= 3; seed++) {
        new_peer((struct peer_wish){.kind = PEER_LIAR, .seed = seed});
        options.drive = seed % 2 ? SHL_DRIVE_LOCKSTEP : SHL_DRIVE_PIPELINED;
        new_host(options);
        shl_host_open(host, "Peer:0", 0);
        for (int i = 0; i < lies() / 3; i++) {
            event = shl_event_midi(0, 0, 0x90, 60, 1);
            shl_host_send(host, &event, 5);
            play(1, 64);
            while (shl_host_event(host, &event, &offset))
                assert_true(offset < SHL_MAX_FRAMES);
            assert_true(shl_host_latency(host) <= 10000000 + 64);
            if (i % 8 == 0)
                shl_host_poll(host);
        }
        /* nothing of it stays with the next one */
        peer_kill(peer);
        peer_free(peer);
        new_peer((struct peer_wish){0});
        shl_host_deadline(host, 1000);
        assert_true(wait_sound());
        tear_down(NULL);
    }
}

static void cut(const char *name, off_t size)
{
    int fd = shm_open(name, O_RDWR, 0);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

/* shows DL-60 */
static void a_cut_segment_ends_the_link_and_nothing_else(void **state)
{
    /* to nothing; in the middle of planes; before lines, before events */
    static const off_t sizes[] = {0, 512, 65536, SHL_LINK_OFFSET,
                                  SHL_EVENTS_TO_DEVICE_OFFSET};
    (void)state;
    if (PEER_THREAD_SANITIZER)
        skip();
    for (size_t i = 0; i < 5; i++) {
        link_both(usual(), (struct peer_wish){0});
        assert_true(wait_sound());
        cut(peer_report(peer)->segment, sizes[i]);
        send_midi(0x90, 60, 1, 0);
        assert_true(wait_notice(SHL_NOTICE_GONE));
        assert_int_equal(notice.status, SHL_BAD_PEER);
        assert_true(peer_ended(peer, LIMIT_MS)); /* by itself, in order */
        peer_free(peer);
        new_peer((struct peer_wish){0});
        assert_true(wait_sound());
        tear_down(NULL);
    }
}

/* ---- what is left sounding -------------------------------------------------------------------- */

struct job {
    const char *id;
};

/* A host in a process of its own that plays a chord, and waits for its end. */
static int play_chord(void *arg)
{
    struct shl_host_options options = usual();
    const struct job *job = arg;
    shl_host *own;
    CHILD_CHECK(shl_host_new(&options, &own) == SHL_OK);
    CHILD_CHECK(shl_host_open(own, job->id, LIMIT_MS) == SHL_OK);
    static const uint8_t bytes[][3] = {{0x90, 60, 100},
                                       {0x90, 64, 100},
                                       {0x91, 67, 100},
                                       {0xB0, 64, 127},
                                       {0xE0, 0, 0x60}};
    for (size_t i = 0; i < 5; i++) {
        struct shl_event event =
            shl_event_midi(0, 0, bytes[i][0], bytes[i][1], bytes[i][2]);
        CHILD_CHECK(shl_host_send(own, &event, 0) == SHL_OK);
    }
    CHILD_CHECK(shl_host_process(own, in, out, 64) == 1);
    child_forever();
}

static bool wait_offs(uint32_t count)
{
    struct peer_report *report = peer_report(peer);
    for (int i = 0; i < LIMIT_MS && report->offs < count; i++)
        usleep(1000);
    usleep(150000); /* more of them would come within a look of the keeper */
    return report->offs == count && report->pedal_ups == count / 3 &&
           report->bends == 2 * (count / 3);
}

static void notes_of_a_killed_host_end_once_and_it_is_free(void **state)
{
    struct job job = {"Peer:0"};
    struct shl_device_info info;
    shl_registry *registry;
    (void)state;
    new_peer((struct peer_wish){0});
    for (uint32_t round = 1; round <= 3; round++) {
        pid_t child = child_start(play_chord, &job);
        assert_true(child > 0);
        assert_int_equal(peer_report(peer)->offs, 3 * (round - 1));
        child_kill(child);
        assert_true(wait_offs(3 * round));
        assert_int_equal(shl_registry_open(NULL, &registry, NULL), SHL_OK);
        assert_int_equal(shl_registry_find(registry, "Peer:0", &info), SHL_OK);
        assert_true(info.state == SHL_STATE_STALE ||
                    info.state == SHL_STATE_FREE);
        shl_registry_close(registry);
    }
    new_host(usual());
    assert_int_equal(shl_host_open(host, "Peer:0", LIMIT_MS), SHL_OK);
    assert_true(wait_sound());
    assert_true(wait_offs(9));
}

static void panic_ends_notes_and_says_so_on_all_channels(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    send_midi(0x90, 60, 1, 0);
    send_midi(0x95, 61, 1, 0);
    play(1, 64);
    assert_int_equal(shl_host_panic(host), SHL_OK);
    play(1, 64);
    assert_int_equal(peer_report(peer)->offs, 2);
    assert_int_equal(peer_report(peer)->pedal_ups, 16);
    shl_host_close(host);
    usleep(100000);
    assert_int_equal(peer_report(peer)->offs, 2);
    assert_int_equal(shl_host_panic(host), SHL_NO_DEVICE);
}

/* ---- events in time ---------------------------------------------------------------------------- */

static void a_poll_between_blocks_does_not_move_events(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    struct peer_report *report = peer_report(peer);
    play(1, 64);
    for (uint32_t i = 0; i < 64; i++) {
        send_midi(0x90, 60, 1, i);
        shl_host_poll(host);
        play(1, 64);
        assert_int_equal(report->log[i].offset, i);
        assert_int_equal(report->log[i].block, i + 1);
    }
    assert_int_equal(report->empty_blocks, 0);
}

static void a_poll_does_not_cost_a_pipelined_block(void **state)
{
    struct shl_host_options options = usual();
    (void)state;
    options.drive = SHL_DRIVE_PIPELINED;
    link_both(options, (struct peer_wish){0});
    play(0, 64);
    for (uint32_t i = 1; i < 100; i++) {
        usleep(500);
        send_midi(0x90, 60, 0, 0);
        shl_host_poll(host);
        assert_true(play((float)i, 64));
        assert_true(out_memory[0][1] == (float)(i - 1));
    }
}

static void without_audio_events_go_by_poll(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    play(1, 64); /* audio ran, and has stopped */
    for (uint32_t n = 1; n <= 3; n++) {
        send_midi(0x90, 60, 1, 17);
        for (int i = 0; i < LIMIT_MS && peer_report(peer)->ons < n; i++) {
            shl_host_poll(host);
            usleep(1000);
        }
        assert_int_equal(peer_report(peer)->ons, n);
    }
    assert_true(peer_report(peer)->empty_blocks >= 3);
    assert_true(wait_sound()); /* and it runs again */
    assert_int_equal(stats_now().missed, 0);
}

/* ---- planes, bypass ------------------------------------------------------------------------------ */

static void inputs_and_outputs_may_be_the_same_memory(void **state)
{
    struct shl_host_options options = usual();
    struct peer_wish wish = {.in = 2, .out = 2};
    float a[64], b[64];
    const float *const ins[2] = {a, b};
    float *const outs[2] = {b, a}; /* crosswise */
    (void)state;
    options.in_channels = options.out_channels = 2;
    peer = peer_start(&wish);
    new_host(options);
    assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
    for (uint32_t i = 0; i < 64; i++) {
        a[i] = (float)i;
        b[i] = -(float)i;
    }
    assert_true(shl_host_process(host, ins, outs, 64));
    for (uint32_t i = 0; i < 64; i++)
        assert_true(b[i] == (float)i && a[i] == -(float)i);
}

static uint32_t ramp;

/* A slow ramp goes in; the largest step that comes out. */
static float step_of_block(uint32_t frames)
{
    static float before;
    float largest = 0;
    for (uint32_t i = 0; i < frames; i++)
        in_memory[0][i] = (float)ramp++ / 65536;
    shl_host_process(host, in, out, frames);
    for (uint32_t i = 0; i < frames; i++) {
        float step = fabsf(out_memory[0][i] - before);
        if (step > largest && ramp > frames)
            largest = step;
        before = out_memory[0][i];
    }
    return largest;
}

static void bypass_makes_no_step(void **state)
{
    static const uint32_t modes[] = {0, 1, 0, 2, 0, 1, 2, 1, 0, 2};
    struct shl_event louder = shl_event_param(0, SHL_EVENT_PARAM, 7, 2);
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    ramp = 0;
    step_of_block(64);
    shl_host_send(host, &louder, 0); /* wet is not dry */
    for (int i = 0; i < 2; i++)
        step_of_block(64);
    for (size_t m = 0; m < 10; m++) {
        shl_host_bypass(host, modes[m]);
        for (int i = 0; i < 4; i++) {
            float step = step_of_block(64);
            assert_true(step < 0.1f);
        }
    }
}

static void hard_bypass_is_the_input_as_late_as_the_link(void **state)
{
    struct shl_host_options options = usual();
    (void)state;
    for (uint32_t drive = 1; drive <= 2; drive++) {
        uint32_t latency = 100 + (drive == 2 ? 64 : 0);
        options.drive = drive;
        link_both(options, (struct peer_wish){.latency = 100});
        assert_int_equal(shl_host_latency(host), latency);
        assert_int_equal(shl_host_link_latency(host), drive == 2 ? 64 : 0);
        shl_host_bypass(host, 1);
        ramp = 0;
        for (uint32_t n = 0; n < 100; n++) {
            uint32_t first = ramp;
            step_of_block(64);
            for (uint32_t i = 0; i < 64 && n > 4; i++)
                assert_true(out_memory[0][i] ==
                            (float)(first + i - latency) / 65536);
        }
        tear_down(NULL);
    }
}

static void soft_bypass_sends_silence_and_lets_it_ring_out(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    play(1, 64);
    shl_host_bypass(host, 2);
    play(1, 64);
    play(1, 64);
    assert_true(constant(1, 64)); /* dry alone: the device hears silence */
    send_midi(0x90, 60, 64, 10);
    play(1, 64);
    assert_true(out_memory[0][10] == 1 + peer_click(64)); /* and is heard */
}

/* shows ME-02 ME-14 */
static void hard_bypass_goes_on_without_the_device(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    shl_host_deadline(host, 1);
    play(0.5f, 64);
    shl_host_bypass(host, 1);
    play(0.5f, 64);
    peer_kill(peer);
    for (int i = 0; i < 300; i++) {
        play(0.5f, 64);
        assert_true(constant(0.5f, 64));
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0);
}

/* ---- what is known -------------------------------------------------------------------------------- */

static void what_is_wrong_is_refused_at_making(void **state)
{
    struct shl_host_options options = usual();
    shl_host *none;
    (void)state;
    options.in_channels = 33;
    assert_int_equal(shl_host_new(&options, &none), SHL_WRONG_CHANNELS);
    options = usual();
    options.block_frames = 0;
    assert_int_equal(shl_host_new(&options, &none), SHL_WRONG_BLOCK);
    options = usual();
    options.rate_hz = (double)NAN;
    assert_int_equal(shl_host_new(&options, &none), SHL_BAD_VALUE);
    options = usual();
    options.drive = SHL_DRIVE_FREE;
    assert_int_equal(shl_host_new(&options, &none), SHL_WRONG_DRIVE);
    options = usual();
    options.registry = "no board!";
    assert_int_equal(shl_host_new(&options, &none), SHL_BAD_NAME);
    shl_host_free(NULL);
}

static void parameters_are_found_by_name_and_id(void **state)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 7, 3);
    (void)state;
    new_host(usual());
    assert_int_equal(shl_host_send(host, &event, 0), SHL_NO_DEVICE);
    assert_null(shl_host_param(host, 0));
    tear_down(NULL);
    link_both(usual(), (struct peer_wish){0});
    assert_int_equal(shl_host_param_count(host), 2);
    assert_int_equal(shl_host_param_find(host, "meter"), 1);
    assert_int_equal(shl_host_param_find(host, "nothing"), -1);
    assert_int_equal(shl_host_param_index(host, 7), 0);
    assert_string_equal(shl_host_param(host, 0)->name, "gain");
    assert_null(shl_host_param(host, 2));
    assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
    assert_true(shl_host_param_value(host, 0) == 3);
}

static void figures_last_over_several_links(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){0});
    for (int i = 0; i < 10; i++)
        play(1, 64);
    send_midi(0x90, 60, 1, 0); /* never sent */
    shl_host_close(host);
    assert_int_equal(stats_now().blocks, 10);
    assert_int_equal(stats_now().events_dropped, 1);
    assert_int_equal(shl_host_open(host, "*", LIMIT_MS), SHL_OK);
    for (int i = 0; i < 10; i++)
        play(1, 64);
    assert_int_equal(stats_now().blocks, 20);
    assert_int_equal(stats_now().links, 2);
}

static int start(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nobody_there_is_said_and_waited_for),
        TEST(a_name_that_cannot_be_is_refused),
        TEST(without_a_wish_it_is_a_wire),
        TEST(a_busy_device_names_its_host_and_is_taken_when_free),
        TEST(another_rate_is_refused_with_both),
        TEST(a_drive_that_it_lacks_is_refused),
        TEST(a_tag_finds_its_device_again),
        TEST(a_missed_block_fades_to_0_within_itself),
        TEST(a_missed_block_is_silent_dry_or_held),
        TEST(a_killed_device_fades_goes_and_comes_back),
        TEST(a_device_that_leaves_in_order_is_gone_at_once),
        TEST(a_stopped_device_costs_three_deadlines_once),
        TEST(a_device_a_little_too_slow_does_not_flap),
        TEST(a_stopped_pipelined_device_costs_three_deadlines_too),
        TEST(rendering_waits_for_a_slow_device_and_stays_exact),
        TEST(ring_full_while_stalled_is_counted),
        TEST(devices_that_die_at_named_points_leave_nothing),
        TEST(a_liar_cannot_crash_or_hold_its_host),
        TEST(a_cut_segment_ends_the_link_and_nothing_else),
        TEST(notes_of_a_killed_host_end_once_and_it_is_free),
        TEST(panic_ends_notes_and_says_so_on_all_channels),
        TEST(a_poll_between_blocks_does_not_move_events),
        TEST(a_poll_does_not_cost_a_pipelined_block),
        TEST(without_audio_events_go_by_poll),
        TEST(inputs_and_outputs_may_be_the_same_memory),
        TEST(bypass_makes_no_step),
        TEST(hard_bypass_is_the_input_as_late_as_the_link),
        TEST(soft_bypass_sends_silence_and_lets_it_ring_out),
        TEST(hard_bypass_goes_on_without_the_device),
        TEST(what_is_wrong_is_refused_at_making),
        TEST(parameters_are_found_by_name_and_id),
        TEST(figures_last_over_several_links),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
