/* SPDX-License-Identifier: MIT */
/* A hostile segment: the fuzzer's bytes are written over a good one, before and
 * while a host of ours plays it, and while a device of ours serves it. Nothing
 * may crash, hang, or come out of its bounds.
 *
 * An input is a list of edits; its first byte chooses the side that is ours. */

/* shows DL-60 */
#include "core/host/link.h"
#include "shmlink/device.h"

#include "edits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS 12 /* looks and blocks per input */

/* ---- our host, their device --------------------------------------------------------- */

static struct shl_segment theirs; /* the device's mapping and lease */
static float planes[4][SHL_MAX_FRAMES];
static const float *const in[2] = {planes[0], planes[1]};
static float *const out[2] = {planes[2], planes[3]};

static const struct shl_param params[2] = {
    {.id = 7, .minimum = 0, .maximum = 4, .initial = 1, .name = "gain"},
    {.id = 9, .minimum = 1, .maximum = 2, .initial = 1, .name = "other"}};

static const struct shl_tap taps[2] = {{"osc", SHL_TAP_AUDIO, 1},
                                       {"all", SHL_TAP_AUDIO, 30}};

static void remove_theirs(void)
{
    shl_map_unlink(theirs.name);
    shl_segment_close(&theirs);
    free(good);
}

static void begin_host(void)
{
    struct shl_process self = shl_process_self();
    struct shl_identity identity = {.id = "Fuzz:0",
                                    .pid = self.pid,
                                    .start_time = self.start_time,
                                    .pid_namespace = self.pid_namespace,
                                    .rate_hz = 48000,
                                    .quantum = 1,
                                    .block_frames = 64,
                                    .in_channels = 2,
                                    .out_channels = 2,
                                    .modes = SHL_MODE_BOTH,
                                    .drives = 3,
                                    .capabilities = 0xFFFFFFF,
                                    .param_count = 2,
                                    .tap_count = 2};
    char name[40];
    snprintf(name, sizeof name, "/shl-%u-z%u", (unsigned)getuid(),
             (unsigned)getpid());
    if (shl_segment_create(name, 48000, &theirs))
        abort();
    shl_segment_reserve_planes(&theirs, 2);
    shl_segment_write_params(&theirs, params, 2);
    shl_segment_write_taps(&theirs, taps, 2);
    shl_seqlock_write(&theirs.identity->seqlock, &identity,
                      sizeof identity / 8);
    shl_segment_ready(&theirs);
    keep_good(theirs.map.base);
    atexit(remove_theirs);
}

/* Sometimes be polite, so that the fuzzer gets further. */
static void help(struct input *input, uint32_t epoch)
{
    struct shl_lines *lines = theirs.lines;
    uint32_t choice = take(input, 1);
    if (choice & 1)
        atomic_store(&lines->device.epoch, epoch);
    if (choice & 2)
        atomic_store(&lines->device.answer, atomic_load(&lines->host.doorbell));
    if (choice & 4)
        atomic_store(&lines->device.frames, 64);
    if (choice & 8)
        atomic_fetch_add(&lines->device.event_write, choice >> 4);
    if (choice & 16) {
        uint32_t at = atomic_fetch_add(&lines->device.event_write, 1);
        theirs.events_to_host[at % SHL_EVENT_SLOTS] =
            shl_event_midi(take(input, 4), 0, 0x90, 60, 1);
    }
}

static void play(struct shl_link *link, struct input *input)
{
    struct shl_transport transport = shl_transport_default(48000);
    struct shl_event event =
        shl_event_param(0, SHL_EVENT_PARAM, 7, take(input, 1));
    uint32_t offset, heard = 0;
    if (shl_link_state(link) == SHL_OK)
        shl_link_play(link, in, 2, out, 2, 1 + take(input, 1), &transport);
    else
        shl_link_flush(link, &transport);
    shl_link_send(link, &event, take(input, 1));
    while (shl_link_event(link, &event, &offset))
        if (++heard > SHL_EVENT_SLOTS || offset >= SHL_MAX_FRAMES)
            abort();
    if (shl_link_device_latency(link) > 10000000)
        abort();
}

static void check_taps(const struct shl_link *link)
{
    if (link->tap_count > SHL_MAX_TAPS)
        abort();
    for (uint32_t i = 0; i < link->tap_count; i++) {
        const struct shl_tap *tap = &link->taps[i];
        if (!memchr(tap->name, 0, sizeof tap->name) || !tap->channels ||
            tap->channels > SHL_MAX_CHANNELS)
            abort();
    }
}

static void as_host(struct input *input)
{
    struct shl_link link;
    struct shl_why why;
    struct shl_link_options options = {
        .tag = "t",
        .rate_hz = 48000,
        .block_frames = 64,
        .in_channels = 2,
        .out_channels = 2,
        .drive = take(input, 1) & 1 ? SHL_DRIVE_PIPELINED : SHL_DRIVE_LOCKSTEP};
    restore_good(theirs.map.base);
    edit(input, theirs.map.base);
    if (shl_link_open(&link, theirs.name, &options, &why)) {
        if (!memchr(why.text, 0, sizeof why.text) || !why.text[0])
            abort();
        return;
    }
    check_taps(&link);
    for (int i = 0; i < STEPS && input->at < input->end; i++) {
        help(input, link.epoch);
        edit(input, theirs.map.base);
        play(&link, input);
        if (link.param_count > 2 || link.identity.out_channels > 32)
            shl_link_check(&link);
    }
    shl_link_close(&link);
}

/* ---- our device, their host ------------------------------------------------------------ */

static shl_device *device;
static struct shl_segment of_device; /* as a host maps it */

static void remove_device(void)
{
    shl_segment_close(&of_device);
    shl_device_close(device);
}

static void begin_device(void)
{
    struct shl_device_options options = {.id = "Fuzz",
                                         .in_channels = 2,
                                         .out_channels = 2,
                                         .rate_hz = 48000,
                                         .block_frames = 64,
                                         .params = params,
                                         .param_count = 2};
    struct shl_why why;
    if (shl_device_open(&options, &device, &why) ||
        shl_segment_open(shl_device_segment(device), &of_device, &why))
        abort();
    if (!good)
        keep_good(of_device.map.base);
    atexit(remove_device);
}

/* Sometimes be a real host. */
static void claim(struct input *input)
{
    struct shl_lines *lines = of_device.lines;
    struct shl_claim claim = {.rate_hz = 48000,
                              .mode = SHL_MODE_BOTH,
                              .drive = SHL_DRIVE_LOCKSTEP,
                              .block_frames = 64};
    uint32_t choice = take(input, 1);
    if (choice & 1) {
        uint32_t epoch = shl_segment_claim_write(&of_device, &claim);
        atomic_store(&lines->host.epoch, epoch);
    }
    if (choice & 2)
        atomic_fetch_add(&lines->host.doorbell, 1);
    if (choice & 4)
        atomic_store(&lines->host.frames, take(input, 2) & 0x1FFF);
    if (choice & 8)
        atomic_fetch_add(&lines->host.event_write, choice >> 4);
    if (choice & 16)
        atomic_store(&lines->host.frame, atomic_load(&lines->host.frame) + 64);
}

static void sound(const struct shl_block *block)
{
    struct shl_event event;
    uint32_t heard = 0;
    if (block->frames > SHL_MAX_FRAMES)
        abort();
    for (uint32_t c = 0; c < 2; c++)
        for (uint32_t i = 0; i < block->frames; i++)
            block->out[c][i] = block->in[c][i];
    while (shl_device_event(device, &event)) {
        uint64_t offset = event.frame - block->frame;
        if (++heard > SHL_EVENT_SLOTS + 3 * 256 * 128 ||
            (block->frames ? offset >= block->frames : offset > 0))
            abort();
        shl_device_send(device, &event);
    }
}

static void as_device(struct input *input)
{
    struct shl_block block;
    /* claim, lines and events; what is the device's own stays its own */
    for (int i = 0; i < STEPS && input->at < input->end; i++) {
        claim(input);
        edit(input, of_device.map.base);
        shl_status st = shl_device_wait(device, 0, &block);
        if (st == SHL_OK) {
            sound(&block);
            shl_device_done(device);
        } else if (st != SHL_TIMEOUT) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    if (!theirs.lines)
        begin_host();
    if (!device)
        begin_device();
    if (take(&input, 1) & 1)
        as_device(&input);
    else
        as_host(&input);
    return 0;
}
