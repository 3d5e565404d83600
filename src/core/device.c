#include "device.h"

#include "board.h"
#include "cycle.h"
#include "desk.h"
#include "midi.h"
#include "ring.h"
#include "segment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPER_MS 100u

struct shl_device {
    struct shl_seat seat;
    struct shl_segment segment;
    struct shl_cycle_device cycle;
    struct shl_ring from_host, to_host;
    shl_worker *keeper;
    struct shl_identity identity;
    struct shl_desk desk;
    uint64_t kept_ns; /* the keeper's own: when it last looked around */
    uint32_t kept_epoch, kept_heard;

    /* the audio thread's own */
    uint32_t judged;      /* last epoch accepted or refused */
    uint32_t bell;        /* of the block being worked on */
    bool working;         /* between wait and done */
    bool releasing;       /* on a block of our own: what the last host held */
    bool fresh;           /* the next block is the first of its claim */
    bool flushed;         /* denormals are off on this thread */
    uint32_t events_left; /* of this block */
    struct shl_block block;
    uint64_t sent_frame; /* of the last event to the host */
    struct shl_held held;
    struct shl_device_stats stats;
    const float *in[SHL_MAX_CHANNELS];
    float *out[SHL_MAX_CHANNELS];
    struct shl_param *params;
    uint32_t *by_id; /* indices in order of id */

    /* between the audio thread and the keeper
     *   accepted  audio writes (release), keeper reads (acquire): the claim of
     *             this epoch has been read; 0: no claim
     *   heard     likewise, and stays when that claim is over
     *   alarm     keeper stores the epoch whose host is dead (seq_cst, see
     *             cycle.c), audio thread clears it */
    _Atomic uint32_t accepted;
    _Atomic uint32_t heard;
    _Atomic uint32_t alarm;
};

static const float no_sound[SHL_MAX_FRAMES];

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
    shl_cell_write(&device->segment.identity->cell, &device->identity,
                   sizeof device->identity / 8);
    shl_seat_update(&device->seat, &device->identity);
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

static void show_claim(const shl_device *device, uint32_t epoch)
{
    struct shl_claim claim;
    char who[32] = "the host";
    const struct shl_monitor *monitor = shl_desk_monitor(&device->desk);
    if (!monitor)
        return;
    if (epoch && shl_segment_claim_read(&device->segment, &claim) == SHL_OK)
        snprintf(who, sizeof who, "process %u", (unsigned)claim.pid);
    shl_monitor_connection(monitor, epoch != 0, who);
}

/* Called for each message and every KEEPER_MS; looking around costs system
 * calls, so that is done once per period and claim. */
static void keep(void *arg)
{
    shl_device *device = arg;
    shl_desk_pump(&device->desk);
    /* acquire: the audio thread has read this claim */
    uint32_t epoch =
        atomic_load_explicit(&device->accepted, memory_order_acquire);
    uint64_t now_ns = shl_clock_ns();
    uint32_t heard = atomic_load_explicit(&device->heard, memory_order_acquire);
    if (epoch == device->kept_epoch && heard == device->kept_heard &&
        now_ns - device->kept_ns < KEEPER_MS * UINT64_C(900000))
        return;
    if (epoch != device->kept_epoch)
        show_claim(device, epoch);
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
    shl_seat_renew(&device->seat);
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
    if (!isfinite(options->rate_hz) || options->rate_hz < 1)
        return refuse(why, SHL_BAD_VALUE,
                      "the sample rate must be a number of Hz above 0");
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
    identity->quantum = 1;
    identity->block_frames = options->block_frames;
    identity->in_channels = options->in_channels;
    identity->out_channels = options->out_channels;
    identity->modes = SHL_MODE_BOTH;
    identity->drives = options->drives
                           ? options->drives
                           : SHL_DRIVE_LOCKSTEP | SHL_DRIVE_PIPELINED;
    identity->latency_frames = options->latency_frames;
    identity->param_count = options->param_count;
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
    uint32_t channels = options->in_channels > options->out_channels
                            ? options->in_channels
                            : options->out_channels;
    shl_status st = shl_segment_create(device->seat.entry.segment,
                                       options->rate_hz, segment);
    if (!st)
        st = shl_segment_reserve_planes(segment, channels);
    if (!st)
        st = shl_segment_write_params(segment, options->params,
                                      options->param_count);
    if (st)
        return st;
    shl_cell_write(&segment->identity->cell, &device->identity,
                   sizeof device->identity / 8);
    shl_line_store(&segment->lines->device.latency_frames,
                   options->latency_frames);
    shl_cycle_device_init(&device->cycle, segment);
    for (uint32_t c = 0; c < options->out_channels; c++)
        device->out[c] = shl_segment_plane(segment, c, SHL_BUS_TO_HOST);
    return SHL_OK;
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
    identify(device, options);
    st = keep_params(device, options, why);
    if (st)
        goto fail_params;
    st =
        shl_seat_take(options->registry, &device->identity, &device->seat, why);
    if (st)
        goto fail_params;
    st = make_segment(device, options);
    if (st)
        goto fail_segment;
    struct shl_messages *messages = device->segment.messages;
    shl_desk_open(&device->desk, messages, &device->accepted);
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
    shl_map_unlink(device->seat.entry.segment);
    shl_segment_close(&device->segment);
    shl_seat_leave(&device->seat);
fail_params:
    free(device->params);
    free(device->by_id);
    free(device);
    return st;
}

void shl_device_close(shl_device *device)
{
    if (!device)
        return;
    shl_worker_free(device->keeper);
    shl_desk_close(&device->desk);
    /* release: nothing of ours follows; the host sees that its claim is over */
    atomic_store_explicit(&device->segment.lines->device.epoch, 0,
                          memory_order_release);
    shl_map_unlink(device->seat.entry.segment);
    shl_segment_close(&device->segment);
    shl_seat_leave(&device->seat);
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
    return device->seat.entry.segment;
}

/* ---- claims ---------------------------------------------------------------- */

static shl_status judge(const shl_device *device, const struct shl_claim *claim)
{
    const struct shl_identity *own = &device->identity;
    if (!(fabs(claim->rate_hz - own->rate_hz) <= 1e-6 * own->rate_hz))
        return SHL_WRONG_RATE;
    if (!(claim->drive & own->drives))
        return SHL_WRONG_DRIVE;
    if (!(claim->mode & own->modes))
        return SHL_WRONG_MODE;
    if (claim->block_frames < 1 || claim->block_frames > SHL_MAX_FRAMES)
        return SHL_WRONG_BLOCK;
    if (claim->in_channels > SHL_MAX_CHANNELS ||
        claim->out_channels > SHL_MAX_CHANNELS)
        return SHL_WRONG_CHANNELS;
    return SHL_OK;
}

/* Whether a yield of this thread can let the host's run. */
static bool same_priority(const struct shl_claim *claim)
{
    uint32_t policy, priority;
    shl_thread_priority(&policy, &priority);
    return policy == claim->policy && priority == claim->priority;
}

static void accept(shl_device *device, uint32_t epoch,
                   const struct shl_claim *claim)
{
    struct shl_lines *lines = device->segment.lines;
    shl_ring_init_consumer(&device->from_host, &lines->host.event_write,
                           &lines->device.event_read,
                           device->segment.events_to_device,
                           sizeof(struct shl_event), SHL_EVENT_SLOTS);
    shl_ring_skip(&device->from_host, claim->first_event);
    shl_ring_init_producer(&device->to_host, &lines->device.event_write,
                           &lines->host.event_read,
                           device->segment.events_to_host,
                           sizeof(struct shl_event), SHL_EVENT_SLOTS);
    device->sent_frame = 0;
    device->fresh = true;
    device->cycle.may_yield = same_priority(claim);
    /* release: both rings stand where this claim begins. The keeper must know
     * first: the host's messages come as soon as it sees the other */
    atomic_store_explicit(&device->heard, epoch, memory_order_release);
    atomic_store_explicit(&device->accepted, epoch, memory_order_release);
    atomic_store_explicit(&lines->device.epoch, epoch, memory_order_release);
    shl_worker_wake(device->keeper);
}

/* A new epoch: accept the claim or say why not. An even one is a release. */
static void consider(shl_device *device, uint32_t epoch)
{
    struct shl_device_line *line = &device->segment.lines->device;
    struct shl_claim claim;
    device->judged = epoch;
    if (!(epoch & 1))
        return;
    shl_status st = shl_segment_claim_read(&device->segment, &claim);
    if (!st)
        st = judge(device, &claim);
    if (!st) {
        accept(device, epoch, &claim);
        return;
    }
    shl_line_store(&line->refusal, (uint32_t)st);
    /* release: the reason is there before the refusal */
    atomic_store_explicit(&line->refused, epoch, memory_order_release);
}

static bool claimed(const shl_device *device)
{
    return atomic_load_explicit(&device->accepted, memory_order_relaxed) != 0;
}

/* The claim is over. What its host left sounding becomes a block of our own;
 * true if there is something. */
static bool end_claim(shl_device *device)
{
    atomic_store_explicit(&device->segment.lines->device.epoch, 0,
                          memory_order_release);
    atomic_store_explicit(&device->accepted, 0, memory_order_release);
    if (device->held.count == 0)
        return false;
    device->working = device->releasing = true;
    device->block.frames = 0;
    device->block.fresh = 0;
    return true;
}

/* Look after epoch and alarm; true if that made a block. */
static bool heed_claim(shl_device *device)
{
    /* acquire: the claim of this epoch is whole */
    uint32_t epoch = atomic_load_explicit(&device->segment.claim->epoch,
                                          memory_order_acquire);
    uint32_t accepted =
        atomic_load_explicit(&device->accepted, memory_order_relaxed);
    uint32_t alarm = atomic_load_explicit(&device->alarm, memory_order_acquire);
    if (alarm)
        atomic_store_explicit(&device->alarm, 0, memory_order_relaxed);
    if (accepted && (epoch != accepted || alarm == accepted) &&
        end_claim(device))
        return true;
    if (epoch != device->judged)
        consider(device, epoch);
    return false;
}

/* ---- blocks ------------------------------------------------------------------ */

static void read_transport(shl_device *device)
{
    struct shl_transport t = {0};
    const uint8_t *from = device->segment.transport;
    uint32_t flags;
    memcpy(&t.frame, from + SHL_TRANSPORT_PLAYHEAD, 8);
    memcpy(&t.tempo, from + SHL_TRANSPORT_TEMPO, 8);
    memcpy(&t.numerator, from + SHL_TRANSPORT_NUMERATOR, 4);
    memcpy(&t.denominator, from + SHL_TRANSPORT_DENOMINATOR, 4);
    memcpy(&flags, from + SHL_TRANSPORT_FLAGS, 4);
    memcpy(&t.rate_hz, from + SHL_TRANSPORT_RATE, 8);
    memcpy(&t.beats, from + SHL_TRANSPORT_BEATS, 8);
    t.playing = flags & SHL_TRANSPORT_PLAYING;
    if (!(isfinite(t.tempo) && t.tempo > 0 && t.numerator && t.denominator &&
          isfinite(t.beats)))
        t = shl_transport_default(device->identity.rate_hz);
    device->block.transport = t;
}

/* Take the announced block over, each word loaded once. False: it cannot be,
 * and is answered with 0 frames. */
static bool take_block(shl_device *device, uint32_t bell)
{
    const struct shl_host_line *line = &device->segment.lines->host;
    uint32_t frames = shl_line_load(&line->frames);
    uint32_t in_channels = shl_line_load(&line->in_channels);
    uint32_t epoch = shl_line_load(&line->epoch);
    uint64_t frame = atomic_load_explicit(&line->frame, memory_order_relaxed);
    if (!claimed(device) || epoch != device->judged ||
        frames > SHL_MAX_FRAMES || in_channels > SHL_MAX_CHANNELS) {
        shl_cycle_answer(&device->cycle, bell, frame, 0, 0, 0);
        return false;
    }
    shl_ring_fetch(&device->from_host);
    device->bell = bell;
    device->working = true;
    device->block.frames = frames;
    device->block.frame = frame;
    device->block.fresh = device->fresh;
    device->fresh = false;
    for (uint32_t c = 0; c < device->identity.in_channels; c++)
        device->in[c] = c < in_channels ? shl_segment_plane(&device->segment, c,
                                                            SHL_BUS_TO_DEVICE)
                                        : no_sound;
    read_transport(device);
    device->events_left = shl_ring_waiting(&device->from_host);
    return true;
}

static bool next_block(shl_device *device)
{
    uint32_t bell;
    if (heed_claim(device))
        return true;
    return shl_cycle_bell(&device->cycle, &bell) && take_block(device, bell);
}

SHL_RT shl_status shl_device_wait(shl_device *device, uint32_t timeout_ms,
                                  struct shl_block *block)
{
    if (device->working)
        shl_device_done(device);
    if (!device->flushed)
        shl_thread_flush_denormals();
    device->flushed = true;
    uint64_t until_ns = 0;
    while (!shl_segment_bad(&device->segment)) {
        if (next_block(device)) {
            device->block.in = device->in;
            device->block.out = device->out;
            *block = device->block;
            return SHL_OK;
        }
        uint64_t now_ns = shl_clock_ns();
        if (!until_ns)
            until_ns = now_ns + (uint64_t)timeout_ms * 1000000u;
        if (now_ns >= until_ns)
            return SHL_TIMEOUT;
        uint64_t left_us = (until_ns - now_ns) / 1000 + 1;
        shl_cycle_wait(&device->cycle, device->judged, &device->alarm,
                       left_us < 1000000 ? (uint32_t)left_us : 1000000);
    }
    return SHL_BAD_PEER;
}

static void show_levels(const shl_device *device)
{
    const struct shl_monitor *monitor = shl_desk_monitor(&device->desk);
    if (!monitor || !device->block.frames)
        return;
    shl_monitor_levels(monitor, 0, device->in, device->identity.in_channels,
                       device->block.frames);
    shl_monitor_levels(monitor, 1, (const float *const *)device->out,
                       device->identity.out_channels, device->block.frames);
}

SHL_RT void shl_device_done(shl_device *device)
{
    struct shl_event unheard;
    if (!device->working)
        return;
    while (shl_device_event(device, &unheard)) {
    }
    device->working = false;
    if (device->releasing) {
        device->releasing = false;
        return;
    }
    device->stats.blocks++;
    show_levels(device);
    struct shl_counters *counters = device->segment.counters;
    shl_count(&counters->device_blocks, 1);
    /* the line that the host looks at is written from here on, in one go */
    shl_ring_release(&device->from_host);
    shl_ring_publish(&device->to_host);
    shl_cycle_answer(&device->cycle, device->bell, device->block.frame,
                     device->block.frames, device->identity.in_channels,
                     device->identity.out_channels);
}

/* ---- events -------------------------------------------------------------------- */

static int32_t find_param(const shl_device *device, uint32_t id)
{
    return shl_param_index(device->params, device->identity.param_count,
                           device->by_id, id);
}

/* A parameter has a new value: clip it, show it to hosts that link later. */
static bool keep_value(shl_device *device, struct shl_event *event,
                       bool from_host)
{
    int32_t index = find_param(device, shl_event_id(event));
    if (index < 0)
        return false;
    if (from_host && device->params[index].flags & SHL_PARAM_READ_ONLY)
        return false;
    if (event->kind != SHL_EVENT_PARAM)
        return true;
    double value =
        shl_param_clip(&device->params[index], shl_event_value(event));
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    memcpy(&event->data[1], &value, sizeof value);
    /* one note's value is not the parameter's */
    if (event->data[3] != UINT32_MAX || event->data[4] != UINT32_MAX)
        return true;
    atomic_store_explicit(&device->segment.params[index].value, bits,
                          memory_order_relaxed);
    return true;
}

static void count_bad(shl_device *device)
{
    device->stats.events_bad++;
    shl_count(&device->segment.counters->device_events_bad, 1);
}

/* Into this block, whatever the host wrote. Before it: late, plays at once. */
static void place(shl_device *device, struct shl_event *event)
{
    const struct shl_block *block = &device->block;
    if (event->frame < block->frame || block->frames == 0)
        event->frame = block->frame;
    if (event->frame - block->frame >= block->frames && block->frames) {
        event->frame = block->frame + block->frames - 1;
        count_bad(device);
    }
}

static int release_event(shl_device *device, struct shl_event *event)
{
    uint32_t ump;
    if (!shl_held_release(&device->held, &ump))
        return 0;
    *event = shl_event_ump(device->block.frame, &ump, 1);
    return 1;
}

SHL_RT int shl_device_event(shl_device *device, struct shl_event *event)
{
    if (!device->working)
        return 0;
    if (device->releasing)
        return release_event(device, event);
    while (device->events_left > 0) {
        device->events_left--;
        bool lost = false;
        const void *slot = shl_ring_peek(&device->from_host, &lost);
        if (lost)
            count_bad(device);
        if (!slot)
            break;
        memcpy(event, slot, sizeof *event); /* ours: the host may rewrite it */
        shl_ring_pop(&device->from_host);
        if (shl_event_check(event) != SHL_OK ||
            (event->kind != SHL_EVENT_UMP &&
             !keep_value(device, event, true))) {
            count_bad(device);
            continue;
        }
        if (event->kind == SHL_EVENT_UMP)
            shl_held_follow(&device->held, event->data);
        place(device, event);
        shl_monitor_event(shl_desk_monitor(&device->desk), 0, event);
        return 1;
    }
    return 0;
}

/* The frame of an event to the host: inside this block, and not before the
 * last one's. */
static uint64_t when(shl_device *device, uint64_t frame)
{
    uint64_t first = device->block.frame;
    uint64_t last =
        first + (device->block.frames ? device->block.frames - 1 : 0);
    if (frame < first)
        frame = first;
    if (frame > last)
        frame = last;
    if (frame < device->sent_frame) {
        frame = device->sent_frame;
        device->stats.events_raised++;
        shl_count(&device->segment.counters->device_events_raised, 1);
    }
    device->sent_frame = frame;
    return frame;
}

SHL_RT shl_status shl_device_send(shl_device *device,
                                  const struct shl_event *event)
{
    struct shl_event own = *event;
    if (shl_event_check(&own) != SHL_OK)
        return SHL_BAD_VALUE;
    if (own.kind != SHL_EVENT_UMP && !keep_value(device, &own, false))
        return SHL_NOT_FOUND;
    if (!claimed(device) || !device->working || device->releasing)
        return SHL_NO_DEVICE;
    struct shl_event *slot = shl_ring_push(&device->to_host);
    if (!slot) {
        device->stats.events_dropped++;
        shl_count(&device->segment.counters->device_events_dropped, 1);
        return SHL_RING_FULL;
    }
    own.frame = when(device, own.frame);
    *slot = own;
    shl_monitor_event(shl_desk_monitor(&device->desk), 1, &own);
    return SHL_OK;
}

/* ---- what is known --------------------------------------------------------------- */

int shl_device_claimed(const shl_device *device, struct shl_host_info *info)
{
    struct shl_claim claim;
    if (!claimed(device) ||
        shl_segment_claim_read(&device->segment, &claim) != SHL_OK)
        return 0;
    *info = (struct shl_host_info){.pid = claim.pid,
                                   .rate_hz = claim.rate_hz,
                                   .block_frames = claim.block_frames,
                                   .in_channels = claim.in_channels,
                                   .out_channels = claim.out_channels,
                                   .drive = claim.drive,
                                   .renders = claim.flags & SHL_CLAIM_RENDERS};
    memcpy(info->tag, claim.tag, sizeof info->tag);
    return 1;
}

void shl_device_tag(const shl_device *device, char tag[64])
{
    struct shl_identity identity;
    tag[0] = 0;
    if (shl_segment_identity(&device->segment, &identity) == SHL_OK)
        memcpy(tag, identity.tag, sizeof identity.tag);
}

void shl_device_latency(shl_device *device, uint32_t frames)
{
    shl_line_store(&device->segment.lines->device.latency_frames, frames);
}

void shl_device_stats(const shl_device *device, struct shl_device_stats *stats)
{
    *stats = device->stats;
}

struct shl_desk *shl_device_desk(struct shl_device *device)
{
    return &device->desk;
}
