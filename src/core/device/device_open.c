/* SPDX-License-Identifier: MIT */
/* The life of a device: opening, closing, and the keeper, a thread that looks
 * after messages, board and host while the audio thread plays. */
#include "core/device/device_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPER_MS 100u
#define MODES     (SHL_MODE_BOTH | SHL_MODE_AUDIO | SHL_MODE_MIDI)

/* ---- the keeper: messages, board, tag, and whether the host still lives --- */

/* The tag belongs to the claim that was accepted, may change with it, and stays
 * when it is over, however short it was: until the next claim the released one
 * still stands there. */
static void remember_tag(shl_device *device, uint32_t epoch)
{
    struct shl_claim claim;
    if (shl_segment_claim_read(&device->segment, &claim) != SHL_OK)
        return;
    uint32_t now = atomic_load_explicit(&device->segment.claim->epoch,
                                        memory_order_acquire);
    if (now != epoch && now != epoch + 1)
        return;
    if (!claim.tag[0] || strcmp(claim.tag, device->identity.tag) == 0)
        return;
    memcpy(device->identity.tag, claim.tag, sizeof claim.tag);
    shl_seqlock_write(&device->segment.identity->seqlock, &device->identity,
                      sizeof device->identity / 8);
    if (!device->adopted)
        shl_registration_update(&device->registration, &device->identity);
}

/* Somebody may have cut the segment where nobody touches it: hosts would find
 * it damaged, so the device must not believe that all is well. */
static void look_at_size(shl_device *device)
{
    struct shl_segment *segment = &device->segment;
    uint8_t last;
    if (shl_map_peek(&segment->ask, segment->map.size - 1, &last, 1) == SHL_CUT)
        atomic_store_explicit(segment->map.bad, true, memory_order_release);
}

/* One begins, or has ended, with a bye or without. */
static void show_claim(const shl_device *device, uint32_t epoch)
{
    bool said = !epoch && device->responder.bye_epoch == device->kept_epoch;
    const char *bye = said ? device->responder.bye : "";
    struct shl_claim claim;
    char who[32] = "the host", text[32 + SHL_TEXT_SIZE];
    const struct shl_monitor *monitor =
        shl_responder_monitor(&device->responder);
    if (!monitor)
        return;
    if (epoch && shl_segment_claim_read(&device->segment, &claim) == SHL_OK)
        snprintf(who, sizeof who, "process %u", (unsigned)claim.pid);
    snprintf(text, sizeof text, "%s%s%s", who, bye[0] ? ": " : "", bye);
    shl_monitor_connection(monitor, epoch != 0, text);
}

/* The host is told once per claim: it is there that blocks are missed. */
static void tell_priority(shl_device *device)
{
    uint8_t bytes[320];
    char text[256];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    shl_status st = shl_priority_answer(&device->priority);
    if (st == SHL_OK || st == SHL_AGAIN)
        return;
    snprintf(text, sizeof text,
             "%s runs without the realtime priority of its host: %s; allow it "
             "(limits.conf: rtprio) if blocks are missed",
             device->identity.id, shl_status_text(st));
    shl_pack_u32(&pack, 1); /* a warning */
    shl_pack_text(&pack, text);
    shl_device_post(device, SHL_MESSAGE_LOG, bytes, (uint32_t)pack.used);
}

/* Called for each message and every KEEPER_MS; looking around costs system
 * calls, so that is done once per period and claim. */
static void keep(void *arg)
{
    shl_device *device = arg;
    /* acquire: the audio thread has read this claim; or its end, and what came
     * before that is taken next */
    uint32_t epoch =
        atomic_load_explicit(&device->accepted, memory_order_acquire);
    shl_responder_pump(&device->responder);
    shl_device_claims_keep(device);
    shl_device_free_keep(device);
    uint64_t now_ns = shl_clock_ns();
    uint32_t heard = atomic_load_explicit(&device->heard, memory_order_acquire);
    if (epoch == device->kept_epoch && heard == device->kept_heard &&
        now_ns - device->kept_ns < KEEPER_MS * UINT64_C(900000))
        return;
    if (epoch != device->kept_epoch)
        show_claim(device, epoch);
    if (epoch && epoch != device->kept_epoch)
        tell_priority(device);
    device->kept_epoch = epoch;
    device->kept_heard = heard;
    device->kept_ns = now_ns;
    look_at_size(device);
    if (heard)
        remember_tag(device, heard);
    if (epoch && !shl_segment_host_alive(&device->segment) &&
        atomic_load_explicit(&device->segment.claim->epoch,
                             memory_order_acquire) == epoch) {
        atomic_store_explicit(&device->alarm, epoch, memory_order_seq_cst);
        shl_cycle_nudge(device->segment.lines);
    }
    shl_device_renew(device);
    if (!device->adopted)
        shl_registration_renew(&device->registration);
}

/* ---- opening and closing --------------------------------------------------- */

static void copy_text(char *to, const char *from, size_t size)
{
    snprintf(to, size, "%s", from ? from : "");
}

static shl_status refuse(struct shl_why *why, shl_status st, const char *text)
{
    snprintf(why->text, sizeof why->text, "%s", text);
    return st;
}

static shl_status check_params(const struct shl_device_options *options,
                               struct shl_why *why)
{
    if (options->param_count > SHL_MAX_PARAMS)
        return refuse(why, SHL_BAD_VALUE,
                      "a device has at most 1024 parameters");
    for (uint32_t i = 0; i < options->param_count; i++) {
        if (shl_param_check(&options->params[i]) == SHL_OK)
            continue;
        snprintf(why->text, sizeof why->text,
                 "parameter %u (%.63s) makes no sense: range, start value, "
                 "curve and name must fit together",
                 i, options->params[i].name);
        return SHL_BAD_VALUE;
    }
    return SHL_OK;
}

static shl_status check_options(const struct shl_device_options *options,
                                struct shl_why *why)
{
    if (options->in_channels > SHL_MAX_CHANNELS ||
        options->out_channels > SHL_MAX_CHANNELS)
        return refuse(why, SHL_WRONG_CHANNELS,
                      shl_status_text(SHL_WRONG_CHANNELS));
    if (options->block_frames < 1 || options->block_frames > SHL_MAX_FRAMES)
        return refuse(why, SHL_WRONG_BLOCK, shl_status_text(SHL_WRONG_BLOCK));
    if (options->quantum > 1 && (options->quantum > SHL_MAX_FRAMES ||
                                 options->block_frames % options->quantum))
        return refuse(why, SHL_WRONG_BLOCK,
                      "a device that computes whole blocks alone takes 1 to "
                      "4096 frames at once, and asks for a multiple of them");
    if (options->modes & ~(uint32_t)MODES)
        return refuse(why, SHL_WRONG_MODE,
                      "the transport modes are both, audio and midi");
    if (!isfinite(options->rate_hz) || options->rate_hz < 1)
        return refuse(why, SHL_BAD_VALUE,
                      "the sample rate must be a number of Hz above 0");
    if (options->drives & SHL_DRIVE_FREE &&
        !(options->rate_hz >= 1000 && options->rate_hz <= 1000000))
        return refuse(why, SHL_WRONG_RATE,
                      "a device with a clock of its own needs a sample rate "
                      "from 1000 to 1000000 Hz");
    shl_status st = SHL_OK;
    if (options->tag)
        st = shl_tag_check(options->tag, why);
    return st ? st : check_params(options, why);
}

static void identify(shl_device *device,
                     const struct shl_device_options *options)
{
    struct shl_identity *identity = &device->identity;
    struct shl_process self = shl_process_self();
    copy_text(identity->id, options->id, sizeof identity->id);
    copy_text(identity->vendor, options->vendor, sizeof identity->vendor);
    copy_text(identity->category, options->category, sizeof identity->category);
    copy_text(identity->version, options->version, sizeof identity->version);
    copy_text(identity->tag, options->tag, sizeof identity->tag);
    identity->pid = self.pid;
    identity->pid_namespace = self.pid_namespace;
    identity->start_time = self.start_time;
    identity->capabilities = options->capabilities;
    identity->rate_hz = options->rate_hz;
    identity->quantum = options->quantum ? options->quantum : 1;
    identity->block_frames = options->block_frames;
    identity->in_channels = options->in_channels;
    identity->out_channels = options->out_channels;
    identity->modes = options->modes ? options->modes : MODES;
    identity->drives = options->drives
                           ? options->drives
                           : SHL_DRIVE_LOCKSTEP | SHL_DRIVE_PIPELINED;
    identity->latency_frames = options->latency_frames;
    identity->param_count = options->param_count;
    device->free.resampler = options->resampler;
    device->free.clock_ns = options->clock_ns;
    device->free.expected_frames = options->burst_frames;
}

/* Keep our own copy of the parameters, and their order by id. */
static shl_status keep_params(shl_device *device,
                              const struct shl_device_options *options,
                              struct shl_why *why)
{
    uint32_t count = options->param_count;
    if (count == 0)
        return SHL_OK;
    device->params = calloc(count, sizeof *device->params);
    device->by_id = calloc(count, sizeof *device->by_id);
    if (!device->params || !device->by_id)
        return refuse(why, SHL_NO_MEMORY, shl_status_text(SHL_NO_MEMORY));
    memcpy(device->params, options->params, count * sizeof *device->params);
    if (shl_param_order(device->params, count, device->by_id))
        return refuse(why, SHL_BAD_VALUE,
                      "two parameters have the same id: each needs its own");
    return SHL_OK;
}

static shl_status make_segment(shl_device *device,
                               const struct shl_device_options *options)
{
    struct shl_segment *segment = &device->segment;
    shl_status st =
        device->adopted
            ? shl_segment_adopt(options->segment, options->rate_hz, segment)
            : shl_segment_create(device->registration.entry.segment,
                                 options->rate_hz, segment);
    if (!st)
        st = shl_segment_write_params(segment, options->params,
                                      options->param_count);
    if (st)
        return st;
    shl_seqlock_write(&segment->identity->seqlock, &device->identity,
                      sizeof device->identity / 8);
    shl_line_store(&segment->lines->device.latency_frames,
                   options->latency_frames);
    shl_segment_write_taps(segment, device->taps, device->identity.tap_count);
    shl_cycle_device_init(&device->cycle, segment);
    return SHL_OK;
}

/* On the board, or with the DAW that has made the segment. */
static shl_status sit_down(shl_device *device,
                           const struct shl_device_options *options,
                           struct shl_why *why)
{
    device->adopted = options->segment != NULL;
    return device->adopted
               ? shl_id_check(options->id, NULL, NULL, why)
               : shl_registration_take(options->registry, &device->identity,
                                       &device->registration, why);
}

/* Whoever made the segment takes its name away. */
static void stand_up(shl_device *device)
{
    shl_device_renew_end(device);
    if (!device->adopted)
        shl_map_unlink(device->registration.entry.segment);
    shl_segment_close(&device->segment);
    if (!device->adopted)
        shl_registration_leave(&device->registration);
}

shl_status shl_device_open(const struct shl_device_options *options,
                           shl_device **result, struct shl_why *why)
{
    struct shl_why unheard;
    if (!why)
        why = &unheard;
    why->text[0] = 0;
    shl_status st = check_options(options, why);
    if (st)
        return st;
    shl_device *device = calloc(1, sizeof *device);
    if (!device)
        return refuse(why, SHL_NO_MEMORY, shl_status_text(SHL_NO_MEMORY));
    device->segment.map.fd = device->segment.ask.fd = -1;
    device->twin.map.fd = device->twin.ask.fd = -1;
    device->keeps_priority = options->keep_priority;
    identify(device, options);
    st = keep_params(device, options, why);
    if (!st)
        st = shl_device_keep_taps(device, options->taps, options->tap_count,
                                  why);
    if (!st && shl_device_free_begin(device))
        st = refuse(why, SHL_NO_MEMORY, shl_status_text(SHL_NO_MEMORY));
    if (st)
        goto fail_params;
    st = sit_down(device, options, why);
    if (st)
        goto fail_params;
    st = make_segment(device, options);
    if (st)
        goto fail_segment;
    struct shl_messages *messages = device->segment.messages;
    shl_responder_open(&device->responder, messages, &device->accepted,
                       &device->heard);
    shl_responder_own(&device->responder, shl_device_answer_taps, device);
    shl_segment_ready(&device->segment);
    st = shl_worker_new_at(keep, device, KEEPER_MS, &messages->commands.bell,
                           &messages->commands.parked, &device->keeper);
    if (st)
        goto fail_segment;
    *result = device;
    return SHL_OK;

fail_segment:
    snprintf(why->text, sizeof why->text, "cannot make the segment of %s: %s",
             device->identity.id, shl_status_text(st));
    stand_up(device);
fail_params:
    shl_device_free_end(device);
    free(device->params);
    free(device->by_id);
    free(device);
    return st;
}

void shl_device_close(shl_device *device)
{
    if (!device)
        return;
    shl_priority_restore(&device->priority);
    shl_worker_free(device->keeper);
    shl_responder_bye(&device->responder, "closed");
    shl_responder_close(&device->responder);
    shl_device_claims_end(device);
    shl_device_free_end(device);
    /* release: nothing of ours follows; the host sees that its claim is over */
    atomic_store_explicit(&device->segment.lines->device.epoch, 0,
                          memory_order_release);
    stand_up(device);
    free(device->params);
    free(device->by_id);
    free(device);
}

const char *shl_device_id(const shl_device *device)
{
    return device->identity.id;
}

const char *shl_device_segment(const shl_device *device)
{
    return device->segment.name;
}
