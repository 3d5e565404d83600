/* SPDX-License-Identifier: MIT */
/* A hostile segment under an observer of ours: the fuzzer's bytes are written over a
 * good one before it is opened and between looks. Nothing may crash, hang, be
 * written, or come out of its bounds. */

/* shows DL-60 */
#include "shmlink/observer.h"

#include "core/board/board.h"
#include "core/shm/segment.h"
#include "shmlink/registry.h"

#include "edits.h"

#include <unistd.h>

#define STEPS 6

static struct shl_registration registration;
static struct shl_segment theirs; /* device and host in one */
static volatile uint32_t sink;

static void leave(void)
{
    shl_map_unlink(theirs.name);
    shl_segment_close(&theirs);
    shl_registration_leave(&registration);
    free(good);
}

static void begin(void)
{
    struct shl_process self = shl_process_self();
    struct shl_identity identity = {.id = "Fuzzed",
                                    .pid = self.pid,
                                    .start_time = self.start_time,
                                    .pid_namespace = self.pid_namespace,
                                    .rate_hz = 48000,
                                    .block_frames = 64,
                                    .in_channels = 2,
                                    .out_channels = 2};
    if (shl_registration_take(NULL, &identity, &registration, NULL) ||
        shl_segment_create(registration.entry.segment, 48000, &theirs))
        abort();
    shl_seqlock_write(&theirs.identity->seqlock, &identity,
                      sizeof identity / 8);
    shl_segment_ready(&theirs);
    if (shl_segment_claim(&theirs))
        abort();
    keep_good(theirs.map.base);
    atexit(leave);
}

/* ---- what it tells must make sense ----------------------------------------------- */

static void see_message(void *arg, int out, const struct shl_received *message)
{
    (void)arg;
    if (out >> 1 || message->size > SHL_MAX_PAYLOAD)
        abort();
    for (uint32_t i = 0; i < message->size; i++)
        sink += message->bytes[i];
}

static void see_event(void *arg, int out, const struct shl_event *event)
{
    (void)arg;
    if (out >> 1 || shl_event_check(event))
        abort();
}

static void see_level(void *arg, int out, uint32_t channel, float peak)
{
    (void)arg;
    if (out >> 1 || channel >= SHL_MAX_CHANNELS || !(peak >= 0))
        abort();
}

static void see_error(void *arg, shl_status status, const char *text)
{
    (void)arg;
    if (status <= SHL_OK || status >= SHL_STATUS_COUNT || !text[0])
        abort();
}

static void see_connection(void *arg, int linked, const char *who)
{
    (void)arg;
    if (linked >> 1 || strlen(who) > 110)
        abort();
}

static void see_counter(void *arg, const char *name, uint64_t value)
{
    (void)arg;
    if (!name[0] || !value)
        abort();
}

static const struct shl_monitor all = {.message = see_message,
                                       .event = see_event,
                                       .level = see_level,
                                       .error = see_error,
                                       .connection = see_connection,
                                       .counter = see_counter};

/* ---- their side -------------------------------------------------------------------- */

static void send_part(struct input *input)
{
    struct shl_message_ring *ring = take(input, 1) & 1
                                        ? &theirs.messages->commands
                                        : &theirs.messages->responses;
    uint32_t at = atomic_load(&ring->write);
    struct shl_message *slot = &ring->slot[at % SHL_MESSAGE_SLOTS];
    memset(slot, 0, sizeof *slot);
    slot->type = (uint16_t)take(input, 1);
    slot->request = take(input, 1) & 3;
    slot->part = take(input, 1) & 3;
    slot->total = take(input, 2);
    atomic_store(&ring->write, at + 1);
}

/* Sometimes be polite, so that the fuzzer gets further. */
static void help(struct input *input)
{
    struct shl_lines *lines = theirs.lines;
    struct shl_claim claim = {.in_channels = 2, .out_channels = 2};
    uint32_t choice = take(input, 1);
    if (choice & 1) {
        claim.drive = choice & 128 ? SHL_DRIVE_FREE : SHL_DRIVE_LOCKSTEP;
        atomic_store(&lines->device.epoch,
                     shl_segment_claim_write(&theirs, &claim));
    }
    if (choice & 2)
        atomic_fetch_add(&lines->host.doorbell, 1);
    if (choice & 4)
        atomic_fetch_add(&lines->device.event_write, choice >> 4);
    if (choice & 8)
        send_part(input);
    if (choice & 16)
        atomic_store(&lines->device.refused, atomic_load(&theirs.claim->epoch));
    if (choice & 32)
        atomic_fetch_add(&theirs.counters->host_missed, choice);
    if (choice & 64)
        atomic_store(&theirs.streams->to_host.written, (uint64_t)take(input, 4)
                                                           << (choice & 31));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    shl_observer *observer;
    struct shl_why why;
    if (!theirs.lines)
        begin();
    restore_good(theirs.map.base);
    edit(&input, theirs.map.base);
    if (shl_observer_open("Fuzzed:0", &all, &observer, &why)) {
        if (!memchr(why.text, 0, sizeof why.text) || !why.text[0])
            abort();
        return 0;
    }
    for (int i = 0; i < STEPS && input.at < input.end; i++) {
        edit(&input, theirs.map.base);
        help(&input);
        if (shl_observer_poll(observer, &why) && !why.text[0])
            abort();
    }
    shl_observer_close(observer);
    return 0;
}
