/* SPDX-License-Identifier: MIT */
/* An observer sees what goes over a link, says what it missed, and cannot disturb:
 * not when it is stopped, not when it tries to write. DL-53. */
#include "shmlink/shmlink.h"

#include "child.h"
#include "core/board/board.h"
#include "core/messages/fragments.h"
#include "core/shm/segment.h"
#include "hosting.h" /* and cmocka.h */

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* What the monitor was told; by `out` where there are two. */
static struct seen {
    uint32_t events[2], messages[2], levels[2], begun, ended, errors, counters;
    uint32_t size, type; /* of the last message */
    uint64_t sum;        /* of its bytes */
    float peak[2];       /* of the last level of channel 0 */
    char who[128], counter[64], error[256];
    uint64_t value;
} seen;

static void see_message(void *arg, int sent, const struct shl_received *message)
{
    (void)arg;
    if (message->type == SHL_MESSAGE_IDLE ||
        message->type == SHL_MESSAGE_ACTIVE)
        return; /* a slow machine has no audio at times, which is told */
    seen.messages[sent]++;
    seen.type = message->type;
    seen.size = message->size;
    seen.sum = 0;
    for (uint32_t i = 0; i < message->size; i++)
        seen.sum += message->bytes[i];
}

static void see_event(void *arg, int sent, const struct shl_event *event)
{
    (void)arg;
    seen.events[sent] += event->size > 0;
}

static void see_level(void *arg, int sent, uint32_t channel, float peak)
{
    (void)arg;
    seen.levels[sent]++;
    if (channel == 0)
        seen.peak[sent] = peak;
}

static void see_error(void *arg, shl_status status, const char *text)
{
    (void)arg;
    seen.errors += status != SHL_OK;
    snprintf(seen.error, sizeof seen.error, "%s", text);
}

static void see_connection(void *arg, int linked, const char *who)
{
    (void)arg;
    *(linked ? &seen.begun : &seen.ended) += 1;
    snprintf(seen.who, sizeof seen.who, "%s", who);
}

static void see_counter(void *arg, const char *name, uint64_t value)
{
    (void)arg;
    seen.counters++;
    snprintf(seen.counter, sizeof seen.counter, "%s", name);
    seen.value = value;
}

static const struct shl_monitor all = {.message = see_message,
                                       .event = see_event,
                                       .level = see_level,
                                       .error = see_error,
                                       .connection = see_connection,
                                       .counter = see_counter};

static shl_observer *observer;
static struct shl_why why;

static void look(void)
{
    assert_int_equal(shl_observer_poll(observer, &why), SHL_OK);
}

/* ---- a link of two roles ----------------------------------------------------- */

static int leave(void **state)
{
    shl_observer_close(observer);
    observer = NULL;
    memset(&seen, 0, sizeof seen);
    return tear_down(state);
}

static void open_observer(const char *id)
{
    if (shl_observer_open(id, &all, &observer, &why))
        fail_msg("%s", why.text);
}

/* shows DL-53 */
static void observer_sees_all_that_goes_over_a_link(void **state)
{
    struct shl_host_options options = usual();
    uint32_t request, offset;
    struct shl_event event;
    const char *tag;
    char text[64];

    (void)state;
    options.batch = 1;
    new_peer((struct peer_wish){.kind = PEER_POLITE});
    new_host(options);
    shl_host_set_tag(host, "lead");
    open_observer("Peer");
    assert_string_equal(shl_observer_id(observer), "Peer:0");
    look();
    assert_int_equal(seen.begun, 0);
    assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
    look();
    assert_int_equal(seen.begun, 1);
    snprintf(text, sizeof text, "process %d with tag lead", (int)getpid());
    assert_string_equal(seen.who, text);
    assert_int_equal(shl_observer_host(observer, &tag), getpid());
    assert_string_equal(tag, "lead");
    assert_int_equal(shl_host_ping(host, LIMIT_MS, NULL, NULL, &request), 0);
    assert_int_equal(shl_host_await(host, request, LIMIT_MS), SHL_OK);
    look();
    assert_int_equal(seen.messages[1], 1);
    assert_int_equal(seen.messages[0], 1);
    assert_int_equal(seen.type, SHL_MESSAGE_PONG);
    for (int i = 0; i < 20; i++) {
        send_midi(0x90, 60, 0, 0);
        play(0.5f, 64);
        while (shl_host_event(host, &event, &offset))
            continue;
        look();
    }
    assert_int_equal(seen.events[1], 20);
    assert_int_equal(seen.levels[1], 20);
    assert_true(seen.levels[0] > 0);
    assert_true(seen.peak[1] == 0.5f);
    assert_true(seen.peak[0] > 0);
    shl_host_close(host);
    look();
    assert_int_equal(seen.ended, 1);
    assert_int_equal(shl_observer_host(observer, NULL), 0);
    assert_int_equal(seen.errors, 0);
}

/* shows DL-53 */
static void death_of_device_ends_it(void **state)
{
    shl_status status = SHL_OK;

    (void)state;
    link_both(usual(), (struct peer_wish){.kind = PEER_POLITE});
    open_observer("Peer:0");
    look();
    assert_int_equal(seen.begun, 1);
    peer_kill(peer);
    assert_true(peer_ended(peer, LIMIT_MS));
    for (int i = 0; i < LIMIT_MS && !status; i++) {
        status = shl_observer_poll(observer, &why);
        usleep(1000);
    }
    assert_int_equal(status, SHL_GONE);
    assert_string_equal(why.text, "Peer:0 has ended");
    assert_int_equal(seen.ended, 1);
    assert_int_equal(shl_observer_poll(observer, NULL), SHL_GONE);
}

static void cut_segment_ends_it(void **state)
{
    (void)state;
    new_peer((struct peer_wish){.kind = PEER_POLITE});
    open_observer("Peer:0");
    look();
    assert_true(peer_cut(peer_report(peer)->segment, SHL_LINK_OFFSET));
    assert_int_equal(shl_observer_poll(observer, &why), SHL_CUT);
    assert_non_null(strstr(why.text, "Peer:0 was cut short"));
    assert_int_equal(seen.begun + seen.ended + seen.errors, 0);
    peer_kill(peer);
}

static void wrong_names_have_a_sentence(void **state)
{
    (void)state;
    assert_int_equal(shl_observer_open("Nobody:0", &all, &observer, &why),
                     SHL_NOT_FOUND);
    assert_non_null(strstr(why.text, "Nobody:0"));
    assert_int_equal(shl_observer_open("a/b", &all, &observer, &why),
                     SHL_BAD_NAME);
    assert_true(why.text[0]);
    assert_null(observer);
    shl_observer_close(NULL);
}

/* Two ends in one process, on a clock of the test. */
static uint64_t now_ns;

static uint64_t virtual_clock(void)
{
    return now_ns;
}

/* shows DL-53 */
static void free_drive_has_levels_and_events(void **state)
{
    const struct shl_device_options of_device = {.id = "Free",
                                                 .in_channels = 1,
                                                 .out_channels = 1,
                                                 .rate_hz = 48000,
                                                 .block_frames = 64,
                                                 .capabilities =
                                                     SHL_CAP_MIDI_IN,
                                                 .drives = SHL_DRIVE_FREE,
                                                 .clock_ns = virtual_clock};
    struct shl_host_options of_host = usual();
    struct shl_block block;
    struct shl_event event;
    shl_device *device;

    (void)state;
    of_host.clock_ns = virtual_clock;
    assert_int_equal(shl_device_open(&of_device, &device, NULL), SHL_OK);
    new_host(of_host);
    assert_int_equal(shl_host_open(host, "Free:0", 0), SHL_OK);
    open_observer("Free:0");
    /* memory for the streams comes in real time, by a thread of the device */
    for (int i = 0;
         i < LIMIT_MS &&
         !(seen.peak[0] == 0.25f && seen.peak[1] == 0.5f && seen.events[1] > 0);
         i++) {
        now_ns += 64 * 1000000000ull / 48000;
        if (shl_host_linked(host) == 2)
            send_midi(0x90, 60, 100, 0);
        play(0.5f, 64);
        assert_int_equal(shl_device_begin(device, 64, &block), SHL_OK);
        while (shl_device_event(device, &event))
            continue;
        for (uint32_t f = 0; f < 64; f++)
            block.out[0][f] = -0.25f;
        shl_device_done(device);
        shl_host_poll(host);
        look();
        usleep(1000);
    }
    assert_int_equal(seen.begun, 1);
    assert_true(seen.peak[1] == 0.5f);
    assert_true(seen.peak[0] == 0.25f);
    assert_true(seen.events[1] > 0);
    shl_host_close(host);
    shl_device_close(device);
    assert_int_equal(shl_observer_poll(observer, NULL), SHL_GONE);
    assert_int_equal(seen.ended, 1);
}

/* ---- it cannot disturb ---------------------------------------------------------- */

enum conduct { ABSENT, LOOKING, STOPPED };

static int be_observer(void *arg)
{
    shl_observer *own;

    (void)arg;
    if (shl_observer_open("Peer:0", &all, &own, NULL))
        return 1;
    child_ready();
    while (shl_observer_poll(own, NULL) == SHL_OK)
        usleep(500);
    return 0;
}

/* A link in batch, with or without somebody who looks on; what it sounded like,
 * as one number. */
static uint64_t sound_with(enum conduct conduct)
{
    struct shl_host_options options = usual();
    uint64_t sum = 0;
    pid_t pid = 0;

    options.batch = 1;
    link_both(options, (struct peer_wish){.kind = PEER_POLITE});
    if (conduct != ABSENT)
        pid = child_start(be_observer, NULL);
    if (conduct == STOPPED) {
        int how;
        kill(pid, SIGSTOP);
        assert_int_equal(waitpid(pid, &how, WUNTRACED), pid);
        assert_true(WIFSTOPPED(how));
    }
    for (int block = 0; block < 3000; block++) {
        send_midi(0x90, 60, (uint8_t)(block % 128), (uint32_t)block % 64);
        assert_true(play((float)(block % 100) / 100, 64));
        for (int i = 0; i < 64; i++) {
            uint32_t bits;
            memcpy(&bits, &out_memory[0][i], 4);
            sum = sum * 31 + bits;
        }
        shl_host_poll(host);
    }
    assert_int_equal(stats_now().missed, 0);
    assert_int_equal(stats_now().late, 0);
    assert_int_equal(stats_now().stalls, 0);
    if (pid) {
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* still there */
        child_kill(pid);
    }
    tear_down(NULL);
    return sum;
}

/* shows DL-53 */
static void link_sounds_the_same_with_a_observer(void **state)
{
    uint64_t alone = sound_with(ABSENT);

    (void)state;
    assert_true(alone == sound_with(LOOKING));
    assert_true(alone == sound_with(STOPPED));
}

/* With the very mapping that an observer has. */
static int write_into(void *segment)
{
    struct shl_segment view;

    if (shl_segment_view(segment, &view, NULL))
        return 1;
    if (shl_lease_take(&view.map, SHL_LEASE_HOST) == SHL_OK)
        return 2;
    child_ready();
    signal(SIGSEGV, SIG_DFL);
    atomic_store(&view.lines->host.doorbell, 0);
    return 3;
}

/* shows DL-53 */
static void observer_that_writes_dies_alone(void **state)
{
    (void)state;
    link_both(usual(), (struct peer_wish){.kind = PEER_POLITE});
    for (int i = 0; i < 5; i++) {
        assert_true(play(1, 64));
        assert_int_equal(child_run(write_into, peer_report(peer)->segment),
                         128 + SIGSEGV);
    }
    assert_true(play(1, 64));
    assert_true(constant(1, 64));
    assert_int_equal(stats_now().missed, 0);
}

/* ---- a device that only the test is --------------------------------------------- */

static struct shl_registration registration;
static struct shl_segment raw; /* as the device, and any host, writes it */

static int be_device(void **state)
{
    struct shl_process self = shl_process_self();
    struct shl_identity identity = {.id = "Raw",
                                    .pid = self.pid,
                                    .start_time = self.start_time,
                                    .pid_namespace = self.pid_namespace,
                                    .rate_hz = 48000,
                                    .block_frames = 64,
                                    .in_channels = 2,
                                    .out_channels = 2};

    (void)state;
    if (shl_registration_take(NULL, &identity, &registration, NULL) ||
        shl_segment_create(registration.entry.segment, 48000, &raw))
        return 1;
    shl_seqlock_write(&raw.identity->seqlock, &identity, sizeof identity / 8);
    shl_segment_ready(&raw);
    open_observer("Raw:0");
    return 0;
}

static int leave_raw(void **state)
{
    shl_map_unlink(raw.name);
    shl_segment_close(&raw);
    shl_registration_leave(&registration);
    return leave(state);
}

static uint32_t claim(const char *tag, uint32_t drive)
{
    struct shl_claim wish = {
        .drive = drive, .in_channels = 2, .out_channels = 2};
    uint32_t epoch;

    snprintf(wish.tag, sizeof wish.tag, "%s", tag);
    assert_int_equal(shl_segment_claim(&raw), SHL_OK);
    epoch = shl_segment_claim_write(&raw, &wish);
    atomic_store(&raw.lines->device.epoch, epoch);
    return epoch;
}

static void send_events(uint32_t count)
{
    uint32_t at = atomic_load(&raw.lines->host.event_write);

    for (uint32_t i = 0; i < count; i++)
        raw.events_to_device[(at + i) % SHL_EVENT_SLOTS] =
            shl_event_midi(at + i, 0, 0x90, 60, 100);
    atomic_store(&raw.lines->host.event_write, at + count);
    atomic_store(&raw.lines->device.event_read, at + count);
}

static void flood_is_counted(void **state)
{
    (void)state;
    send_events(100);
    look();
    assert_int_equal(seen.events[1], 100);
    assert_int_equal(seen.counters, 0);
    for (int i = 0; i < 5; i++)
        send_events(4000);
    look();
    assert_int_equal(seen.events[1], 100 + SHL_EVENT_SLOTS * 3 / 4);
    assert_string_equal(seen.counter, "unread_events_out");
    assert_int_equal(seen.value, 20000 - SHL_EVENT_SLOTS * 3 / 4);
    look();
    assert_int_equal(seen.counters, 1);
}

static void impossible_events_and_indices_are_counted(void **state)
{
    (void)state;
    raw.events_to_host[0] = (struct shl_event){.kind = 999, .size = 4};
    atomic_store(&raw.lines->device.event_write, 1);
    look();
    assert_int_equal(seen.events[0], 0);
    assert_string_equal(seen.counter, "bad_events_in");
    atomic_store(&raw.lines->device.event_write, 0x90000000u);
    atomic_store(&raw.messages->commands.write, 0xF0000000u);
    look();
    assert_string_equal(seen.counter, "bad_indices");
    assert_int_equal(seen.value, 2);
    assert_int_equal(seen.events[0] + seen.messages[1], 0);
    send_events(2);
    look();
    assert_int_equal(seen.events[1], 2);
}

/* Parts `from` up to `to` of a message of `size` bytes, each byte its request. */
static void send_parts(uint32_t request, uint32_t size, uint32_t from,
                       uint32_t to)
{
    struct shl_message_ring *ring = &raw.messages->commands;
    struct shl_message whole = {.type = SHL_MESSAGE_MIDI_RAW,
                                .flags = 0x100,
                                .request = request,
                                .total = size};
    uint32_t at = atomic_load(&ring->write);
    uint8_t *bytes = malloc(size);

    memset(bytes, (int)request, size);
    for (uint32_t part = from; part < to; part++)
        shl_fragments_cut(&ring->slot[(at + part - from) % SHL_MESSAGE_SLOTS],
                          &whole, part, bytes);
    free(bytes);
    atomic_store(&ring->write, at + to - from);
    atomic_store(&ring->read, at + to - from);
}

static void long_messages_come_whole(void **state)
{
    (void)state;
    send_parts(1, 600, 0, 2);
    look();
    send_parts(2, 2000, 0, 5); /* another one in between */
    look();
    assert_int_equal(seen.messages[1], 0);
    send_parts(1, 600, 2, 3);
    look();
    assert_int_equal(seen.messages[1], 1);
    assert_int_equal(seen.size, 600);
    assert_int_equal(seen.sum, 600);
    send_parts(2, 2000, 5, 9);
    look();
    assert_int_equal(seen.messages[1], 2);
    assert_int_equal(seen.size, 2000);
    assert_int_equal(seen.sum, 4000);
    assert_int_equal(seen.counters, 0);
}

static void lost_parts_are_told_once(void **state)
{
    (void)state;
    send_parts(3, 480, 0, 1);
    look();
    send_parts(4, 72000, 0, 200);
    send_parts(4, 72000, 200, 300); /* only the newest 192 can be had */
    look();
    assert_int_equal(seen.messages[1], 0);
    assert_int_equal(seen.counters, 2);
    assert_string_equal(seen.counter, "cut_commands");
    assert_int_equal(seen.value, 2); /* numbers 3 and 4 */
    send_parts(3, 480, 1, 2);
    look();
    assert_int_equal(seen.counters, 2);
    send_parts(5, 100, 0, 1);
    look();
    assert_int_equal(seen.messages[1], 1);
    assert_int_equal(seen.sum, 500);
}

/* shows DL-53 */
static void claims_are_told_one_by_one(void **state)
{
    const char *tag;

    (void)state;
    claim("one", SHL_DRIVE_LOCKSTEP);
    look();
    assert_non_null(strstr(seen.who, "with tag one"));
    shl_segment_release(&raw);
    claim("two", SHL_DRIVE_LOCKSTEP);
    look(); /* both at once */
    assert_int_equal(seen.begun, 2);
    assert_int_equal(seen.ended, 1);
    shl_observer_host(observer, &tag);
    assert_string_equal(tag, "two");
    shl_lease_drop(&raw.map, SHL_LEASE_HOST); /* as one who is killed */
    look();
    assert_int_equal(seen.ended, 2);
    look();
    assert_int_equal(seen.ended, 2);
    uint32_t epoch = claim("", SHL_DRIVE_LOCKSTEP);
    atomic_store(&raw.lines->device.refusal, SHL_WRONG_RATE);
    atomic_store(&raw.lines->device.refused, epoch);
    look();
    look();
    assert_int_equal(seen.errors, 1);
    assert_non_null(strstr(seen.error, shl_status_text(SHL_WRONG_RATE)));
}

static void counters_of_the_link_are_told_when_they_grow(void **state)
{
    (void)state;
    atomic_store(&raw.counters->host_missed, 7);
    look();
    assert_string_equal(seen.counter, "host_missed");
    assert_int_equal(seen.value, 7);
    atomic_store(&raw.counters->host_missed, 0);
    look();
    atomic_store(&raw.counters->host_blocks, 9);
    look();
    assert_int_equal(seen.counters, 1);
    atomic_store(&raw.counters->device_events_bad, 1);
    look();
    assert_string_equal(seen.counter, "device_events_bad");
}

static uint64_t memory_behind(void)
{
    struct stat at;

    assert_int_equal(fstat(raw.map.fd, &at), 0);
    return (uint64_t)at.st_blocks;
}

/* What is not reserved is not reserved by looking, either. */
static void levels_of_planes_and_streams(void **state)
{
    struct shl_stream *stream = &raw.streams->to_host;
    uint64_t memory = memory_behind();

    (void)state;
    claim("", SHL_DRIVE_LOCKSTEP);
    atomic_store(&raw.lines->host.frames, 0xFFFFFFFFu);
    atomic_store(&raw.lines->host.in_channels, 0xFFFFFFFFu);
    atomic_store(&raw.lines->host.doorbell, 1);
    look();
    assert_int_equal(seen.levels[1], 2);
    assert_true(seen.peak[1] == 0);
    shl_segment_release(&raw);
    claim("", SHL_DRIVE_FREE);
    look();
    assert_int_equal(memory_behind(), memory);
    stream->plane[0][SHL_STREAM_FRAMES - 1] = -0.75f;
    stream->plane[0][1] = NAN;
    stream->plane[0][2] = INFINITY;
    atomic_store(&stream->written, SHL_STREAM_FRAMES + 5);
    look();
    assert_int_equal(seen.levels[0], 2);
    assert_true(seen.peak[0] == 0.75f);
    atomic_store(&stream->written, 2 * SHL_STREAM_FRAMES - 1);
    look();
    assert_int_equal(seen.levels[0], 4);
    assert_true(seen.peak[0] == 0);
    atomic_store(&stream->written, UINT64_MAX); /* nonsense costs no more */
    look();
    assert_int_equal(seen.levels[0], 6);
}

/* Random words all over the link area, for as long as it can be believed. */
static void liar_neither_crashes_nor_holds_it(void **state)
{
    uint64_t random = 20240607;

    (void)state;
    claim("", SHL_DRIVE_FREE);
    for (int i = 0; i < 300; i++) {
        peer_scribble(raw.map.base, &random, true);
        look();
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, leave)
#define RAW(name)  cmocka_unit_test_setup_teardown(name, be_device, leave_raw)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(observer_sees_all_that_goes_over_a_link),
        TEST(free_drive_has_levels_and_events),
        TEST(death_of_device_ends_it),
        TEST(cut_segment_ends_it),
        TEST(wrong_names_have_a_sentence),
        TEST(link_sounds_the_same_with_a_observer),
        TEST(observer_that_writes_dies_alone),
        RAW(flood_is_counted),
        RAW(impossible_events_and_indices_are_counted),
        RAW(long_messages_come_whole),
        RAW(lost_parts_are_told_once),
        RAW(claims_are_told_one_by_one),
        RAW(counters_of_the_link_are_told_when_they_grow),
        RAW(levels_of_planes_and_streams),
        RAW(liar_neither_crashes_nor_holds_it),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
