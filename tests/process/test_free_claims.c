/* SPDX-License-Identifier: MIT */
/* The free drive: claims, memory, and two processes, one of which may die. */
#include "free_drive.h"

#include "child.h"
#include "core/shm/segment.h"
#include "shmlink/midi.h"

#include <math.h>

static float silence[SHL_MAX_FRAMES];

/* ---- claims ------------------------------------------------------------------------ */
static uint32_t offs;

static void count_offs(void)
{
    struct shl_event event;
    while (shl_device_event(device, &event))
        offs += event.data[0] >> 20 == 0x208;
}

/* shows DL-51 */
static void what_a_host_left_sounding_ends(void **state)
{
    (void)state;
    link_own(host_usual(), device_usual());
    on_device = count_offs;
    send_midi(0x90, 60, 100, 0);
    send_midi(0x90, 64, 100, 0);
    run(0.5);
    offs = 0;
    shl_host_close(host);
    device_block();
    assert_int_equal(offs, 2);
    assert_int_equal(block.frames, 64);
    device_block();
    assert_int_equal(offs, 2);
    /* alone again, by its own count, and with nothing to hear */
    assert_true(block.frame < 24000);
    assert_memory_equal(block.in[0], silence, 64 * sizeof(float));
    assert_false(shl_device_claimed(device, &(struct shl_host_info){0}));
}

static float loudest, says;

static void listen(void)
{
    for (uint32_t i = 0; i < block.frames; i++) {
        float x = fabsf(block.in[0][i]);
        loudest = x > loudest ? x : loudest;
        block.out[0][i] = block.out[1][i] = says;
    }
}

static void nothing_old_is_heard_by_the_next_host(void **state)
{
    (void)state;
    link_own(host_usual(), device_usual());
    on_device = listen;
    says = 7;
    for (uint32_t i = 0; i < 64; i++)
        in_memory[0][i] = 1;
    run(0.5);
    assert_true(loudest >= 1);
    shl_host_close(host);
    memset(in_memory, 0, sizeof in_memory);
    on_device = NULL;
    device_block();
    assert_int_equal(shl_host_open(host, "Free", 0), SHL_OK);
    on_device = listen;
    loudest = says = 0;
    /* it has accepted, and the host has not noticed yet */
    for (int i = 0; i < LIMIT_MS && !block.fresh; i++) {
        device_block();
        usleep(1000);
    }
    for (int i = 0; i < 20; i++)
        device_block();
    assert_true(loudest <= 0);
    on_device = NULL;
    accept_host();
    on_device = listen;
    says = 7;
    hosts.frame = devices.frame; /* the device has gone on alone */
    for (int i = 0; i < 400; i++) {
        host_block();
        for (uint32_t n = 0; n < 64 && i < 7; n++)
            assert_true(out_memory[0][n] < 7 || i > 6);
        device_block();
    }
    assert_true(loudest <= 0);
    assert_true(block.fresh == 0 && block.frame > 0);
}

static void a_device_of_both_kinds_can_tell(void **state)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();
    struct shl_host_info info;
    float *planes[2] = {out_memory[0], out_memory[1]};

    (void)state;
    of_device.drives = SHL_DRIVE_FREE | SHL_DRIVE_PIPELINED;
    of_host.clock_ns = NULL;
    of_host.drive = SHL_DRIVE_PIPELINED;
    open_both(of_host, of_device);
    /* asked in its own time it hears that it is waited for */
    shl_status st = SHL_OK;
    for (int i = 0; i < LIMIT_MS && st == SHL_OK; i++) {
        st = shl_device_begin(device, 64, &block);
        usleep(1000);
    }
    assert_int_equal(st, SHL_WRONG_DRIVE);
    assert_true(shl_device_claimed(device, &info));
    assert_int_equal(info.drive, SHL_DRIVE_PIPELINED);
    shl_host_poll(host);
    shl_host_process(host, in, planes, 64);
    assert_int_equal(shl_device_wait(device, LIMIT_MS, &block), SHL_OK);
    shl_device_done(device);
    shl_host_free(host);
    /* and the other way round */
    of_host.drive = SHL_DRIVE_FREE;
    new_host(of_host);
    assert_int_equal(shl_host_open(host, "Free", 0), SHL_OK);
    for (int i = 0; i < LIMIT_MS && st != SHL_OK; i++) {
        st = shl_device_wait(device, 5, &block);
        if (st == SHL_WRONG_DRIVE)
            break;
    }
    assert_int_equal(st, SHL_WRONG_DRIVE);
    assert_int_equal(shl_device_begin(device, 64, &block), SHL_OK);
    assert_true(shl_device_claimed(device, &info));
    assert_int_equal(info.drive, SHL_DRIVE_FREE);
}

static void a_device_alone_goes_on(void **state)
{
    struct shl_device_options of_device = device_usual();

    (void)state;
    assert_int_equal(shl_device_open(&of_device, &device, NULL), SHL_OK);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(shl_device_begin(device, 32, &block), SHL_OK);
        assert_int_equal(block.frame, 32 * i);
        assert_int_equal(block.frames, 32);
        assert_memory_equal(block.in[1], silence, 32 * sizeof(float));
        shl_device_done(device);
    }
    assert_int_equal(shl_device_begin(device, 0, &block), SHL_WRONG_BLOCK);
    assert_int_equal(shl_device_begin(device, 4097, &block), SHL_WRONG_BLOCK);
    assert_int_equal(shl_device_wait(device, 0, &block), SHL_TIMEOUT);
}

static void options_that_cannot_be_are_refused(void **state)
{
    struct shl_host_options of_host = host_usual();
    struct shl_device_options of_device = device_usual();
    struct shl_why why = {""};
    shl_host *none;

    (void)state;
    of_host.drive = 3;
    assert_int_equal(shl_host_new(&of_host, &none), SHL_WRONG_DRIVE);
    of_host.drive = 8;
    assert_int_equal(shl_host_new(&of_host, &none), SHL_WRONG_DRIVE);
    of_host.drive = SHL_DRIVE_FREE;
    of_host.latency_frames = 20000;
    assert_int_equal(shl_host_new(&of_host, &none), SHL_BAD_VALUE);
    of_device.rate_hz = 100;
    assert_int_equal(shl_device_open(&of_device, &device, &why),
                     SHL_WRONG_RATE);
    assert_non_null(strstr(why.text, "1000"));
}

/* The device reads no clock of this process's own, and is told of one. */
static void a_clock_that_only_one_has_is_refused(void **state)
{
    struct shl_device_options of_device = device_usual();

    (void)state;
    of_device.clock_ns = NULL;
    open_both(host_usual(), of_device);
    device_block();
    shl_host_poll(host);
    assert_int_equal(shl_host_linked(host), 0);
}

static void write_claim(const struct shl_claim *claim)
{
    struct shl_device_info info;
    struct shl_segment segment;
    shl_registry *registry;

    assert_int_equal(shl_registry_open(NULL, &registry, NULL), SHL_OK);
    assert_int_equal(shl_registry_find(registry, "Free:0", &info), SHL_OK);
    shl_registry_close(registry);
    assert_int_equal(shl_segment_open(info.segment, &segment, NULL), SHL_OK);
    assert_int_equal(shl_segment_claim(&segment), SHL_OK);
    shl_segment_claim_write(&segment, claim);
    assert_int_equal(shl_device_begin(device, 64, &block), SHL_OK);
    shl_device_done(device);
    assert_int_equal(atomic_load(&segment.lines->device.refused),
                     atomic_load(&segment.claim->epoch));
    assert_int_equal(atomic_load(&segment.lines->device.refusal),
                     SHL_WRONG_DRIVE);
    shl_segment_release(&segment);
    shl_segment_close(&segment);
}

/* A host of another process cannot read our clock, and must not have our audio
 * thread make what it needs. */
static void a_clock_of_another_process_is_refused(void **state)
{
    struct shl_device_options of_device = device_usual();
    struct shl_claim claim = {.drive = SHL_DRIVE_FREE,
                              .mode = SHL_MODE_BOTH,
                              .pid = 1,
                              .rate_hz = 48000,
                              .block_frames = 64,
                              .in_channels = 2,
                              .out_channels = 2,
                              .flags = SHL_CLAIM_OWN_CLOCK};

    (void)state;
    assert_int_equal(shl_device_open(&of_device, &device, NULL), SHL_OK);
    write_claim(&claim);
    claim.flags |= SHL_CLAIM_RENDERS;
    write_claim(&claim);
}

/* More latency than the ring holds with these blocks. */
static void a_latency_beyond_the_ring_is_refused(void **state)
{
    struct shl_host_options of_host = host_usual();

    (void)state;
    of_host.latency_frames = 16000;
    open_both(of_host, device_usual());
    for (int i = 0; i < LIMIT_MS && shl_host_linked(host); i++) {
        device_block();
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0);
    assert_true(shl_host_notice(host, &notice));
    assert_int_equal(notice.status, SHL_BAD_VALUE);
}

/* ---- memory -------------------------------------------------------------------------- */

static int streams_without_space(void *arg)
{
    struct shl_host_options of_host = {.out_channels = 2,
                                       .rate_hz = 48000,
                                       .block_frames = 64,
                                       .clock_ns = virtual_clock};
    struct shl_device_options of_device = device_usual();
    char text[256];

    (void)arg;
    of_device.out_channels = 32;
    of_device.in_channels = 32;
    of_host.out_channels = 32;
    if (!child_own_shm(2600))
        return CHILD_SKIP;
    CHILD_CHECK(shl_device_open(&of_device, &device, NULL) == SHL_OK);
    CHILD_CHECK(shl_host_new(&of_host, &host) == SHL_OK);
    CHILD_CHECK(shl_host_open(host, "Free", 0) == SHL_OK);
    for (int i = 0; i < LIMIT_MS && shl_host_linked(host); i++) {
        CHILD_CHECK(shl_device_begin(device, 64, &block) == SHL_OK);
        shl_device_done(device);
        shl_host_poll(host);
        usleep(1000);
    }
    CHILD_CHECK(!shl_host_linked(host));
    shl_host_why(host, text, sizeof text);
    CHILD_CHECK(strstr(text, "shared memory is full"));
    /* it is still a device: fewer channels find room */
    shl_host_free(host);
    of_host.out_channels = 1;
    CHILD_CHECK(shl_host_new(&of_host, &host) == SHL_OK);
    CHILD_CHECK(shl_host_open(host, "Free", 0) == SHL_OK);
    for (int i = 0; i < LIMIT_MS && shl_host_linked(host) < 2; i++) {
        CHILD_CHECK(shl_device_begin(device, 64, &block) == SHL_OK);
        shl_device_done(device);
        shl_host_poll(host);
        usleep(1000);
    }
    CHILD_CHECK(shl_host_linked(host) == 2);
    shl_host_free(host);
    shl_device_close(device);
    return 0;
}

/* shows DL-55 */
static void full_memory_refuses_the_drive_and_nothing_else(void **state)
{
    int result = child_run(streams_without_space, NULL);

    (void)state;
    if (result == CHILD_SKIP)
        skip();
    assert_int_equal(result, 0);
}

/* ---- two processes -------------------------------------------------------------------- */

static struct peer_wish own_time(void)
{
    return (struct peer_wish){.drives = SHL_DRIVE_FREE};
}

/* A host that plays by the system's clock, until something has come to pass. */
static bool play_until(bool (*passed)(void))
{
    uint64_t due_ns = shl_clock_ns();

    for (int i = 0; i < LIMIT_MS; i++) {
        play(1, 64);
        shl_host_poll(host);
        if (passed())
            return true;
        due_ns += 1333333;
        while (shl_clock_ns() < due_ns)
            usleep(200);
    }
    return false;
}

static bool sounds(void)
{
    return constant(1, 64);
}

static bool is_silent(void)
{
    return constant(0, 64);
}

static enum shl_notice_kind wanted_notice;

static bool told(void)
{
    while (shl_host_notice(host, &notice))
        if (notice.kind == wanted_notice)
            return true;
    return false;
}

static bool tells(enum shl_notice_kind kind)
{
    wanted_notice = kind;
    return play_until(told);
}

/* The device offers nothing else, and so gets it unasked. */
static void a_device_that_dies_is_gone_and_comes_back(void **state)
{
    (void)state;
    link_both(usual(), own_time());
    assert_int_equal(shl_host_drive(host), SHL_DRIVE_FREE);
    for (int round = 0; round < 2; round++) {
        assert_true(play_until(sounds));
        peer_kill(peer);
        assert_true(play_until(is_silent));
        assert_true(tells(SHL_NOTICE_GONE));
        peer_free(peer);
        new_peer(own_time());
        assert_true(tells(SHL_NOTICE_OPEN));
    }
    assert_true(play_until(sounds));
    assert_int_equal(stats_now().links, 3);
}

static void a_device_that_hangs_costs_no_time(void **state)
{
    char why[256];

    (void)state;
    link_both(usual(), own_time());
    assert_true(play_until(sounds));
    peer_stop(peer);
    assert_true(play_until(is_silent));
    assert_true(tells(SHL_NOTICE_STALLED));
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "stopped"));
    uint64_t began_ns = shl_clock_ns();
    for (int i = 0; i < 1000; i++)
        play(1, 64);
    /* it waits for nothing: 1000 deadlines would be a thousand seconds */
    assert_true(shl_clock_ns() - began_ns < 500000000000u);
    assert_true(stats_now().missed >= 1000);
    peer_continue(peer);
    assert_true(tells(SHL_NOTICE_RESUMED));
    assert_true(play_until(sounds));
}

/* Whatever it writes over lines, rings and claim: the host goes on. */
static void a_liar_cannot_crash_its_host(void **state)
{
    struct shl_event event;
    uint32_t offset;
    (void)state;
    new_peer((struct peer_wish){
        .kind = PEER_LIAR, .drives = SHL_DRIVE_FREE, .seed = 7});
    new_host(usual());
    shl_host_open(host, "Peer", 0);
    for (int i = 0; i < 20000; i++) {
        event = shl_event_midi(0, 0, 0x90, 60, 100);
        shl_host_send(host, &event, 0);
        play(1, 64);
        while (shl_host_event(host, &event, &offset))
            assert_in_range(offset, 0, 63);
        assert_true(shl_host_link_latency(host) < 2 * SHL_STREAM_FRAMES);
        if (i % 16 == 0)
            shl_host_poll(host);
    }
    assert_true(stats_now().links > 0);
}

static bool released(void)
{
    return atomic_load(&peer_report(peer)->offs) > 0;
}

static int play_and_die(void *arg)
{
    (void)arg;
    new_host(usual());
    CHILD_CHECK(shl_host_open(host, "Peer", LIMIT_MS) == SHL_OK);
    for (int i = 0; i < LIMIT_MS && atomic_load(&peer_report(peer)->ons) == 0;
         i++) {
        struct shl_event event = shl_event_midi(0, 0, 0x90, 60, 100);
        if (i == 0)
            shl_host_send(host, &event, 0);
        play(1, 64);
        shl_host_poll(host);
        usleep(1333);
    }
    _exit(9); /* with the claim, and a note that sounds */
}

static void a_host_that_dies_leaves_no_note(void **state)
{
    (void)state;
    new_peer(own_time());
    assert_int_equal(child_run(play_and_die, NULL), 9);
    assert_int_equal(atomic_load(&peer_report(peer)->ons), 1);
    for (int i = 0; i < LIMIT_MS && !released(); i++)
        usleep(1000);
    assert_true(released());
    new_host(usual());
    assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
    assert_true(play_until(sounds));
}

static void a_rendering_cannot_follow_another_clock(void **state)
{
    struct shl_host_options options = usual();
    char why[256];

    (void)state;
    options.batch = 1;
    new_peer(own_time());
    new_host(options);
    assert_int_equal(shl_host_open(host, "Peer", 0), SHL_WRONG_DRIVE);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "play live"));
}

static uint32_t answers;

static void on_answer(void *arg, const struct shl_answer *answer)
{
    (void)arg;
    answers += answer->status == SHL_OK;
}

static bool answered(void)
{
    return answers > 0;
}

static void messages_cross_a_free_link(void **state)
{
    (void)state;
    link_both(usual(), own_time());
    answers = 0;
    assert_int_equal(shl_host_ping(host, 10000, on_answer, NULL, NULL), SHL_OK);
    assert_true(play_until(answered));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_host_left_sounding_ends),
        TEST(nothing_old_is_heard_by_the_next_host),
        TEST(a_device_of_both_kinds_can_tell),
        TEST(a_device_alone_goes_on),
        TEST(options_that_cannot_be_are_refused),
        TEST(a_clock_that_only_one_has_is_refused),
        TEST(a_clock_of_another_process_is_refused),
        TEST(a_latency_beyond_the_ring_is_refused),
        TEST(full_memory_refuses_the_drive_and_nothing_else),
        TEST(a_device_that_dies_is_gone_and_comes_back),
        TEST(a_device_that_hangs_costs_no_time),
        TEST(a_liar_cannot_crash_its_host),
        TEST(a_host_that_dies_leaves_no_note),
        TEST(a_rendering_cannot_follow_another_clock),
        TEST(messages_cross_a_free_link),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
