/* SPDX-License-Identifier: MIT */
#include "core/host/link.h"

#include "core/lockstep/wake_group.h"
#include "core/maolan/maolan.h"
#include "core/shm/lane.h"
#include "shmlink/arithmetic.h"
#include "shmlink/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_FRAMES   64u /* copied faster than asked for */
#define FETCHED_PLANES 4u
#define LATENCY_LIMIT  10000000u /* frames; more is nonsense */

/* ---- opening ------------------------------------------------------------- */

static uint32_t mode_of(const struct shl_link_options *options)
{
    return options->mode ? options->mode : SHL_MODE_BOTH;
}

static shl_status agree_rate(const struct shl_identity *identity,
                             const struct shl_link_options *options,
                             struct shl_why *why)
{
    double apart_hz = fabs(identity->rate_hz - options->rate_hz);
    if (apart_hz <= 1e-6 * options->rate_hz)
        return SHL_OK;
    snprintf(why->text, sizeof why->text,
             "%s runs at %s Hz and this host at %s Hz: give both the same "
             "sample rate%s",
             identity->id, shl_digits(identity->rate_hz, 10).text,
             shl_digits(options->rate_hz, 10).text,
             identity->drives & SHL_DRIVE_FREE ? ", or use -resample" : "");
    return SHL_WRONG_RATE;
}

static shl_status agree_block(const struct shl_identity *identity,
                              const struct shl_link_options *options,
                              struct shl_why *why)
{
    if (identity->quantum <= 1 ||
        options->block_frames % identity->quantum == 0)
        return SHL_OK;
    snprintf(why->text, sizeof why->text,
             "%s computes %u frames at once and this host sends blocks of "
             "%u: use -block %u, or a multiple of it",
             identity->id, identity->quantum, options->block_frames,
             identity->quantum);
    return SHL_WRONG_BLOCK;
}

static shl_status agree(const struct shl_link *link,
                        const struct shl_link_options *options,
                        struct shl_why *why)
{
    const struct shl_identity *identity = &link->identity;
    shl_status st = SHL_OK;
    bool free_drive = link->drive == SHL_DRIVE_FREE;
    bool follows = !free_drive && identity->capabilities & SHL_CAP_ANY_RATE;
    if (!follows && (!free_drive || !options->resample))
        st = agree_rate(identity, options, why);
    if (!st && link->drive != SHL_DRIVE_FREE)
        st = agree_block(identity, options, why);
    if (st)
        return st;
    if (!(identity->drives & link->drive)) {
        snprintf(why->text, sizeof why->text,
                 "%s does not offer the %s drive: choose another one",
                 identity->id, shl_drive_name(link->drive));
        return SHL_WRONG_DRIVE;
    }
    if (link->drive == SHL_DRIVE_FREE)
        st = shl_link_free_agree(&link->segment, identity, options, why);
    if (st)
        return st;
    if (!(identity->modes & mode_of(options))) {
        snprintf(why->text, sizeof why->text,
                 "%s does not offer the transport mode %s: choose another one",
                 identity->id, shl_mode_name(mode_of(options)));
        return SHL_WRONG_MODE;
    }
    if (identity->required >> SHL_CAP_COUNT) {
        snprintf(why->text, sizeof why->text,
                 "%s requires capabilities that this version does not know "
                 "(word %llx): update this program",
                 identity->id, (unsigned long long)identity->required);
        return SHL_WRONG_VERSION;
    }
    return SHL_OK;
}

static double slot_value(const struct shl_param_slot *slot)
{
    uint64_t bits = atomic_load_explicit(&slot->value, memory_order_relaxed);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void copy_param(struct shl_param *param,
                       const struct shl_param_slot *slot)
{
    *param = (struct shl_param){.id = slot->id,
                                .flags = slot->flags & ~SHL_PARAM_NO_RANGE,
                                .curve = slot->curve,
                                .steps = slot->steps,
                                .minimum = slot->minimum,
                                .maximum = slot->maximum,
                                .initial = slot->initial};
    memcpy(param->name, slot->name, sizeof param->name - 1);
    memcpy(param->label, slot->label, sizeof param->label - 1);
    memcpy(param->group, slot->group, sizeof param->group - 1);
}

static shl_status copy_params(struct shl_link *link)
{
    uint32_t count = link->identity.param_count;
    if (count == 0)
        return SHL_OK;
    if (count > link->segment.param_capacity)
        return SHL_BAD_PEER;
    link->params = calloc(count, sizeof *link->params);
    link->values = calloc(count, sizeof *link->values);
    link->touched = calloc(count, sizeof *link->touched);
    link->by_id = calloc(count, sizeof *link->by_id);
    if (!link->params || !link->values || !link->touched || !link->by_id)
        return SHL_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        struct shl_param *param = &link->params[i];
        copy_param(param, &link->segment.params[i]);
        if (shl_param_check(param) != SHL_OK)
            return SHL_BAD_PEER;
        link->values[i] =
            shl_param_clip(param, slot_value(&link->segment.params[i]));
    }
    link->param_count = count;
    return shl_param_order(link->params, count, link->by_id) ? SHL_BAD_PEER
                                                             : SHL_OK;
}

bool shl_link_heard(const struct shl_link *link)
{
    /* acquire: what it made of them is written */
    uint32_t read = atomic_load_explicit(
        &link->segment.lines->device.event_read, memory_order_acquire);
    return link->unsent == 0 && read == link->to_device.own;
}

uint32_t shl_link_mark(struct shl_link *link)
{
    return ++link->touch;
}

void shl_link_refresh(struct shl_link *link)
{
    if (link->plugin) /* its echoes tell */
        return;
    for (uint32_t i = 0; i < link->param_count; i++)
        link->values[i] = shl_param_clip(&link->params[i],
                                         slot_value(&link->segment.params[i]));
}

static shl_status copy_taps(struct shl_link *link)
{
    uint32_t count = link->identity.tap_count;
    if (count == 0)
        return SHL_OK;
    link->taps = calloc(count, sizeof *link->taps);
    if (!link->taps)
        return SHL_NO_MEMORY;
    link->tap_count = count;
    return shl_segment_read_taps(&link->segment, link->taps, count);
}

/* What is in the ring to us was said to another host. */
static void drop_unheard(struct shl_link *link)
{
    shl_ring_init_consumer(
        &link->to_host, &link->segment.lines->device.event_write,
        &link->segment.lines->host.event_read, link->segment.events_to_host,
        sizeof(struct shl_event), SHL_EVENT_SLOTS);
    link->to_host.own = link->to_host.peer;
    shl_ring_release(&link->to_host);
}

/* The claim is ours: go on from the present indices. */
static void open_rings(struct shl_link *link)
{
    struct shl_lines *lines = link->segment.lines;
    shl_ring_init_producer(&link->to_device, &lines->host.event_write,
                           &lines->device.event_read,
                           link->segment.events_to_device,
                           sizeof(struct shl_event), SHL_EVENT_SLOTS);
    drop_unheard(link);
    link->patience = SHL_EVENT_SLOTS;
}

static void write_claim(struct shl_link *link,
                        const struct shl_link_options *options)
{
    struct shl_process self = shl_process_self();
    struct shl_claim *claim = &link->claim;
    *claim =
        (struct shl_claim){.pid = self.pid,
                           .pid_namespace = self.pid_namespace,
                           .start_time = self.start_time,
                           .rate_hz = options->rate_hz,
                           .mode = mode_of(options),
                           .drive = link->drive,
                           .block_frames = link->drive == SHL_DRIVE_FREE
                                               ? options->free_block_frames
                                               : options->block_frames,
                           .in_channels = options->in_channels,
                           .out_channels = options->out_channels,
                           .first_event = link->to_device.own,
                           .flags = options->renders ? SHL_CLAIM_RENDERS : 0,
                           .latency_frames = options->latency_frames};
    if (shl_link_own_clock(&link->identity, options))
        claim->flags |=
            SHL_CLAIM_OWN_CLOCK | (options->exact ? SHL_CLAIM_EXACT : 0);
    snprintf(claim->tag, sizeof claim->tag, "%s", options->tag);
    if (link->segment.lanes)
        claim->flags |= SHL_CLAIM_LANES;
    shl_thread_priority(&claim->policy, &claim->priority);
    /* a realtime thread yields to nobody below it, and that is the device; and
     * who yields in real time may get the processor back far too late: on a busy
     * machine all others go first, each for milliseconds */
    link->cycle.may_yield = claim->priority == 0 && options->renders;
    shl_link_free_claim(link, options);
    link->epoch = shl_segment_claim_write(&link->segment, claim);
    shl_cycle_nudge(link->segment.lines);
}

void shl_link_tag(struct shl_link *link, const char *tag)
{
    snprintf(link->claim.tag, sizeof link->claim.tag, "%s", tag);
    shl_seqlock_write(&link->segment.claim->seqlock, &link->claim,
                      sizeof link->claim / 8);
}

static void explain(struct shl_why *why, shl_status st, const char *name)
{
    if (!why->text[0])
        snprintf(why->text, sizeof why->text, "%s: %s", name,
                 shl_status_text(st));
}

shl_status shl_link_open(struct shl_link *link, const char *segment_name,
                         const struct shl_link_options *options,
                         struct shl_why *why)
{
    memset(link, 0, sizeof *link);
    link->touch = 1;
    link->wake_group = SHL_WAKE_GROUP_NONE;
    why->text[0] = 0;
    shl_status st = shl_segment_open(segment_name, &link->segment, why);
    if (st) {
        explain(why, st, segment_name);
        return st;
    }
    st = shl_segment_identity(&link->segment, &link->identity);
    if (!st) {
        link->drive = shl_link_drive(&link->identity, options);
        st = agree(link, options, why);
    }
    if (!st)
        st = shl_segment_claim(&link->segment);
    if (!st && !shl_segment_device_alive(&link->segment))
        st = SHL_GONE;
    if (!st)
        st = copy_params(link);
    if (!st)
        st = copy_taps(link);
    if (st) {
        explain(why, st, link->identity.id);
        shl_link_close(link);
        return st;
    }
    if (mode_of(options) != SHL_MODE_MIDI && link->drive != SHL_DRIVE_FREE) {
        link->in_planes = link->identity.in_channels;
        link->out_planes = link->identity.out_channels;
    }
    uint32_t second = (uint32_t)(options->rate_hz / options->block_frames) + 1;
    shl_cycle_host_init(&link->cycle, &link->segment, options->deadline_us,
                        second);
    link->cycle.slack_us = options->slack_us;
    link->cycle.slack_arg = options->slack_arg;
    link->pipelined = link->drive == SHL_DRIVE_PIPELINED;
    link->free.resampler = options->resampler;
    link->free.clock_ns = options->clock_ns;
    open_rings(link);
    if (link->drive != SHL_DRIVE_FREE)
        link->wake_group =
            shl_wake_group_join(link->segment.lines, link->identity.pid);
    write_claim(link, options);
    return SHL_OK;
}

void shl_link_close(struct shl_link *link)
{
    if (link->plugin) {
        shl_link_plugin_close(link);
    } else if (link->epoch) {
        shl_segment_release(&link->segment);
        shl_cycle_nudge(link->segment.lines);
    }
    shl_wake_group_leave(link->wake_group);
    shl_link_free_end(link);
    shl_segment_close(&link->segment);
    free(link->params);
    free(link->values);
    free(link->touched);
    free(link->by_id);
    free(link->taps);
    memset(link, 0, sizeof *link);
    link->segment.map.fd = link->segment.ask.fd = -1;
    link->wake_group = SHL_WAKE_GROUP_NONE;
}

/* The device has reserved them before it accepted. */
static void touch_planes(const struct shl_link *link)
{
    uint32_t channels =
        link->in_planes > link->out_planes ? link->in_planes : link->out_planes;
    if (channels)
        shl_map_touch(&link->segment.map, SHL_AUDIO_OFFSET,
                      (size_t)channels * SHL_BUSES * (size_t)SHL_PLANE_SIZE);
}

SHL_RT shl_status shl_link_state(struct shl_link *link)
{
    const struct shl_device_line *line = &link->segment.lines->device;
    if (shl_segment_bad(&link->segment))
        return SHL_BAD_PEER;
    if (link->plugin && shl_link_plugin_gone(link))
        return SHL_GONE;
    /* acquire: the device's rings stand where it accepted us */
    if (atomic_load_explicit(&line->epoch, memory_order_acquire) ==
        link->epoch) {
        /* until it looked, the device may have gone on with the last claim */
        if (!link->accepted) {
            drop_unheard(link);
            touch_planes(link);
        }
        link->accepted = true;
        return SHL_OK;
    }
    if (link->accepted)
        return SHL_GONE;
    /* acquire: the reason is written before the refusal */
    if (atomic_load_explicit(&line->refused, memory_order_acquire) !=
        link->epoch)
        return SHL_AGAIN;
    uint32_t reason = shl_line_load(&line->refusal);
    return reason > SHL_AGAIN && reason < SHL_STATUS_COUNT ? (shl_status)reason
                                                           : SHL_BAD_PEER;
}

/* The segment may have been cut where no block touches it. */
shl_status shl_link_check(const struct shl_link *link)
{
    const struct shl_segment *segment = &link->segment;
    uint8_t last;
    if (link->plugin && shl_link_plugin_gone(link))
        return SHL_GONE;
    if (shl_map_peek(link->plugin ? &segment->map : &segment->ask,
                     segment->map.size - 1, &last, 1) == SHL_CUT)
        return SHL_BAD_PEER;
    if (link->plugin)
        return SHL_OK;
    return shl_segment_device_alive(segment) ? SHL_OK : SHL_GONE;
}

void shl_link_show_counters(const struct shl_link *link, uint64_t silent_frames)
{
    struct shl_counters *counters = link->segment.counters;
    const struct shl_link_stats *stats = &link->stats;
    const struct {
        _Atomic uint64_t *counter;
        uint64_t value;
    } shown[] = {{&counters->host_blocks, stats->blocks},
                 {&counters->host_missed, stats->missed},
                 {&counters->host_late, stats->late},
                 {&counters->host_silent_frames, silent_frames},
                 {&counters->host_events_dropped, stats->dropped},
                 {&counters->host_events_late, stats->delayed},
                 {&counters->host_events_bad, stats->bad},
                 {&counters->host_stalls, stats->stalls}};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        atomic_store_explicit(shown[i].counter, shown[i].value,
                              memory_order_relaxed);
}

/* ---- one block --------------------------------------------------------------- */

/* The device reads it after the doorbell only. Unchanged: not a line dirtied. */
static void show_transport(struct shl_link *link,
                           const struct shl_transport *transport)
{
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): bytes */
    if (memcmp(&link->shown, transport, sizeof *transport) == 0)
        return;
    link->shown = *transport;
    shl_maolan_transport_write(link->segment.transport, transport);
}

/* How many of the unsent events belong to blocks after this one: the last of
 * them, being in order. Only a host with blocks of its own has any. */
static uint32_t later(const struct shl_link *link, uint32_t frames)
{
    uint32_t count = 0;
    while (link->reblocked && frames && count < link->unsent) {
        const struct shl_event *slot = (const struct shl_event *)shl_ring_slot(
            &link->to_device, link->to_device.own - 1 - count);
        if (slot->frame < link->frame + frames)
            break;
        count++;
    }
    return count;
}

/* The lanes of a link whose device has them. */
static struct shl_lane *lane_to_device(const struct shl_link *link)
{
    return link->segment.lanes ? &link->segment.lanes->to_device : NULL;
}

static const struct shl_lane *lane_to_host(const struct shl_link *link)
{
    return link->segment.lanes ? &link->segment.lanes->to_host : NULL;
}

/* The device's events of this answer. A pipelined link rings again before they
 * are taken: then their lane is the device's. */
static void reach_events(struct shl_link *link)
{
    const _Atomic uint32_t *word = &link->segment.lines->device.lane;
    if (link->pipelined)
        shl_lane_copy(lane_to_host(link), word, &link->to_host, link->near);
    else
        shl_lane_use(lane_to_host(link), word, &link->to_host);
}

/* An event beyond the block that it goes out with is played at the block's end;
 * those of the next block do not have to wait for it. */
static void show_events(struct shl_link *link, uint32_t frames)
{
    uint32_t kept = later(link, frames);
    shl_ring_publish_but(&link->to_device, kept);
    if (!link->plugin)
        shl_lane_fill(lane_to_device(link), &link->segment.lines->host.lane,
                      &link->to_device);
    if (kept == 0 && link->event_frame > link->frame + frames)
        link->event_frame = link->frame + frames;
    link->unsent = kept;
    link->overdue = 0;
}

/* A long plane is asked for before its turn to be copied. */
static void fetch_plane(const struct shl_link *link, uint32_t channel,
                        uint32_t frames)
{
    if (frames > SHORT_FRAMES && channel < link->in_planes)
        shl_plane_fetch(
            shl_segment_plane(&link->segment, channel, SHL_BUS_TO_DEVICE),
            frames);
}

/* Before anything is heard: the outputs may be the same memory. Returns how
 * many channels the device gets. */
static uint32_t copy_in(struct shl_link *link, const float *const *in,
                        uint32_t in_channels, uint32_t frames)
{
    uint32_t channels = shl_least(in_channels, link->in_planes);
    fetch_plane(link, 0, frames);
    for (uint32_t c = 0; c < channels; c++) {
        fetch_plane(link, c + 1, frames);
        memcpy(shl_segment_plane(&link->segment, c, SHL_BUS_TO_DEVICE), in[c],
               frames * sizeof(float));
    }
    return channels;
}

/* The device must know whether it has a processor for itself. */
static void show_others(const struct shl_link *link)
{
    _Atomic uint32_t *shown = &link->segment.lines->host.others;
    uint32_t others = shl_wake_group_others();
    if (shl_line_load(shown) != others)
        shl_line_store(shown, others);
}

static void ring_block(struct shl_link *link, uint32_t channels,
                       uint32_t frames, const struct shl_transport *transport)
{
    show_transport(link, transport);
    if (!link->pipelined)
        shl_ring_near_end(&link->to_host);
    shl_ring_release(&link->to_host);
    show_events(link, frames);
    link->rung_frame = link->frame;
    link->rung_frames = frames;
    link->rung_planes = link->tap_planes;
    if (link->plugin) {
        shl_link_plugin_ring(link, frames, channels);
        return;
    }
    show_others(link);
    shl_cycle_ring(&link->cycle, link->frame, frames, channels,
                   link->out_planes, link->epoch);
    if (!link->pipelined) /* else nobody waits while its device wakes */
        shl_wake_group_rang(link->wake_group);
    shl_ring_fetch_free(&link->to_device);
}

/* The device is through with what the next block is written to: it travels
 * while the host does something else. */
static void fetch_next(const struct shl_link *link, uint32_t frames)
{
    if (link->plugin)
        return;
    shl_lane_fetch(lane_to_device(link), link->to_device.shown);
    for (uint32_t c = 0; c < FETCHED_PLANES && c < link->in_planes; c++)
        shl_plane_fetch(shl_segment_plane(&link->segment, c, SHL_BUS_TO_DEVICE),
                        shl_least(frames, SHORT_FRAMES));
}

/* A device that did not take the block answers it with 0 frames. */
static void hear(struct shl_link *link, float *const *out,
                 uint32_t out_channels, uint32_t frames)
{
    uint32_t answered = shl_line_load(&link->segment.lines->device.frames);
    reach_events(link);
    uint32_t there = shl_least(shl_least(frames, link->rung_frames), answered);
    for (uint32_t c = 0; c < out_channels; c++) {
        uint32_t n = shl_link_hears(link, c) ? there : 0;
        if (n)
            memcpy(out[c],
                   shl_segment_plane(&link->segment, c, SHL_BUS_TO_HOST),
                   n * sizeof(float));
        if (n < frames)
            memset(out[c] + n, 0, (frames - n) * sizeof(float));
    }
    link->heard_frame = link->rung_frame;
    link->heard_frames = there;
    fetch_next(link, frames);
}

/* Wait for the answer, whoever gives it. */
static bool collect(struct shl_link *link)
{
    return link->plugin ? shl_link_plugin_collect(link)
                        : shl_cycle_collect(&link->cycle);
}

/* An answer is owed to us from an earlier block. Returns whether it is there
 * now; *playable if its audio is the one that is due. */
static bool settle(struct shl_link *link, bool *playable)
{
    struct shl_cycle_host *cycle = &link->cycle;
    bool stalled = cycle->stalled;
    bool there = collect(link);
    bool late = cycle->given_up;
    *playable = there && link->pipelined && !late && link->rung_frames > 0;
    cycle->given_up = true;
    if (stalled)
        late = shl_cycle_judge(cycle, there, shl_clock_ns()) == SHL_LATE;
    if (there && late)
        link->stats.late++;
    return there;
}

/* Nothing to hear in this block. What could not be sent with it is late. */
static enum shl_heard lack(struct shl_link *link, uint32_t frames)
{
    uint32_t due = link->unsent - later(link, frames);
    link->stats.missed++;
    link->stats.delayed += due - link->overdue;
    link->overdue = due;
    return SHL_HEARD_MISSED;
}

/* The same, after waiting in vain (when stalled: without waiting). */
static enum shl_heard missed(struct shl_link *link, uint32_t frames)
{
    if (!link->cycle.stalled && shl_cycle_score(&link->cycle, false))
        link->stats.stalls++;
    return lack(link, frames);
}

/* Ring, and wait for this very block. */
static enum shl_heard play_lockstep(struct shl_link *link, float *const *out,
                                    uint32_t out_channels, uint32_t frames)
{
    struct shl_cycle_host *cycle = &link->cycle;
    if (cycle->stalled || !collect(link)) {
        cycle->given_up = true;
        return missed(link, frames);
    }
    shl_cycle_score(cycle, true);
    hear(link, out, out_channels, frames);
    return SHL_HEARD_DEVICE;
}

static enum shl_heard play(struct shl_link *link, const float *const *in,
                           uint32_t in_channels, float *const *out,
                           uint32_t out_channels, uint32_t frames,
                           const struct shl_transport *transport)
{
    struct shl_cycle_host *cycle = &link->cycle;
    bool playable = false;
    bool owed = cycle->outstanding;
    bool first = !owed || (link->rung_frames == 0 && !cycle->given_up);
    enum shl_heard heard = SHL_HEARD_NOTHING;
    if (owed && !settle(link, &playable)) {
        heard = missed(link, frames);
        link->frame += frames;
        return heard;
    }
    /* the device has looked at it: it travels while the planes are copied */
    shl_fetch_to_write(&link->segment.lines->host);
    shl_lane_fetch(lane_to_device(link), link->unsent);
    uint32_t channels = copy_in(link, in, in_channels, frames);
    if (!link->pipelined || cycle->stalled) {
        ring_block(link, channels, frames, transport);
        heard = play_lockstep(link, out, out_channels, frames);
    } else {
        if (playable) {
            hear(link, out, out_channels, frames);
            shl_cycle_score(cycle, true);
            heard = SHL_HEARD_DEVICE;
        } else if (!first) {
            heard = lack(link, frames); /* the wait for it has been scored */
        }
        ring_block(link, channels, frames, transport);
    }
    link->frame += frames;
    return heard;
}

SHL_RT enum shl_heard shl_link_play(struct shl_link *link,
                                    const float *const *in,
                                    uint32_t in_channels, float *const *out,
                                    uint32_t out_channels, uint32_t frames,
                                    const struct shl_transport *transport)
{
    link->stats.blocks++;
    if (link->drive == SHL_DRIVE_FREE)
        return shl_link_free_play(link, in, in_channels, out, out_channels,
                                  frames, transport);
    shl_cycle_begin(&link->cycle);
    if (!link->plugin)
        return play(link, in, in_channels, out, out_channels, frames,
                    transport);
    if (!shl_link_plugin_hold(link)) {
        link->frame += frames;
        return lack(link, frames);
    }
    enum shl_heard heard =
        play(link, in, in_channels, out, out_channels, frames, transport);
    shl_link_plugin_let(link);
    return heard;
}

SHL_RT void shl_link_reblocked(struct shl_link *link, uint32_t frames,
                               uint32_t gathered, uint32_t waiting,
                               uint32_t played)
{
    uint32_t late = link->pipelined ? frames : 0;
    link->gathered = gathered;
    link->waiting = waiting;
    link->heard_frame = link->frame - late - waiting - played;
    link->heard_frames = played;
}

SHL_RT void shl_link_flush(struct shl_link *link,
                           const struct shl_transport *transport)
{
    struct shl_cycle_host *cycle = &link->cycle;
    if (link->drive == SHL_DRIVE_FREE) {
        shl_link_free_flush(link, transport);
        return;
    }
    if (link->plugin) /* it knows no blocks of 0 frames */
        return;
    if (cycle->outstanding) {
        bool stalled = cycle->stalled;
        cycle->stalled = true; /* look, do not wait */
        bool there = collect(link);
        cycle->stalled = stalled;
        if (!there)
            return;
        if (cycle->given_up)
            link->stats.late++;
    }
    if (link->unsent && link->accepted)
        ring_block(link, 0, 0, transport);
}

uint32_t shl_link_device_latency(const struct shl_link *link)
{
    uint32_t frames =
        shl_line_load(&link->segment.lines->device.latency_frames);
    return frames < LATENCY_LIMIT ? frames : LATENCY_LIMIT;
}
