/* SPDX-License-Identifier: MIT */
/* The claims on a device: judged, made ready by the keeper, answered and ended by
 * the audio thread. */
#include "core/device/device_state.h"

#include <math.h>

#define LEAST_HZ 1000 /* that a host of a device of any rate may have */
#define MOST_HZ  1000000

/* ---- judged, answered ---------------------------------------------------- */

static shl_status judge_rate(const shl_device *device,
                             const struct shl_claim *claim)
{
    double own_hz = device->identity.rate_hz;
    struct shl_duplex_options options = shl_device_free_options(device, claim);
    if (claim->drive == SHL_DRIVE_FREE)
        return shl_duplex_can(&options) ? SHL_OK : SHL_WRONG_RATE;
    if (device->identity.capabilities & SHL_CAP_ANY_RATE)
        return claim->rate_hz >= LEAST_HZ && claim->rate_hz <= MOST_HZ
                   ? SHL_OK
                   : SHL_WRONG_RATE;
    return fabs(claim->rate_hz - own_hz) <= 1e-6 * own_hz ? SHL_OK
                                                          : SHL_WRONG_RATE;
}

/* Only a host in this very process can read the same clock, and have us work
 * for its rendering: what it asks for is made in the audio thread. */
static bool shares_clock(const shl_device *device,
                         const struct shl_claim *claim)
{
    const struct shl_identity *own = &device->identity;
    return device->free.clock_ns && claim->pid == own->pid &&
           claim->start_time == own->start_time &&
           claim->pid_namespace == own->pid_namespace;
}

static shl_status judge(const shl_device *device, const struct shl_claim *claim)
{
    const struct shl_identity *own = &device->identity;
    shl_status st = judge_rate(device, claim);
    if (st)
        return st;
    if (!(claim->drive & own->drives) || (claim->drive & (claim->drive - 1)))
        return SHL_WRONG_DRIVE;
    if (claim->flags & SHL_CLAIM_OWN_CLOCK && !shares_clock(device, claim))
        return SHL_WRONG_DRIVE;
    if (!(claim->mode & own->modes) || claim->mode & (claim->mode - 1))
        return SHL_WRONG_MODE;
    if (claim->block_frames < 1 || claim->block_frames > SHL_MAX_FRAMES ||
        (claim->drive != SHL_DRIVE_FREE && claim->block_frames % own->quantum))
        return SHL_WRONG_BLOCK;
    if (claim->in_channels > SHL_MAX_CHANNELS ||
        claim->out_channels > SHL_MAX_CHANNELS)
        return SHL_WRONG_CHANNELS;
    return SHL_OK;
}

/* Where the program writes: planes, or a spare one that nobody hears. */
static void point_out(shl_device *device)
{
    bool midi = device->mode == SHL_MODE_MIDI;
    for (uint32_t c = 0; c < device->identity.out_channels; c++)
        device->out[c] =
            midi ? device->spare
                 : shl_segment_plane(&device->segment, c, SHL_BUS_TO_HOST);
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
    device->lanes =
        claim->flags & SHL_CLAIM_LANES ? device->segment.lanes : NULL;
    shl_line_store(&lines->device.lane, 0);
    device->sent_frame = 0;
    device->fresh = true;
    shl_transport_begin(&device->change, claim->rate_hz);
    device->mode = claim->mode;
    shl_device_drop_taps(device);
    point_out(device);
    if (!device->keeps_priority && claim->drive != SHL_DRIVE_FREE)
        shl_priority_raise(&device->priority, claim->policy, claim->priority);
    device->cycle.may_yield =
        same_priority(claim) && claim->flags & SHL_CLAIM_RENDERS;
    /* release: both rings stand where this claim begins. The keeper must know
     * first: the host's messages come as soon as it sees the other */
    atomic_store_explicit(&device->heard, epoch, memory_order_release);
    atomic_store_explicit(&device->accepted, epoch, memory_order_release);
    atomic_store_explicit(&lines->device.epoch, epoch, memory_order_release);
    shl_worker_wake(device->keeper);
}

static void answer(shl_device *device, uint32_t epoch,
                   const struct shl_claim *claim, shl_status status)
{
    struct shl_device_line *line = &device->segment.lines->device;
    if (!status) {
        accept(device, epoch, claim);
        return;
    }
    shl_line_store(&line->refusal, (uint32_t)status);
    /* release: the reason is there before the refusal */
    atomic_store_explicit(&line->refused, epoch, memory_order_release);
}

/* ---- made ready -------------------------------------------------------------- */

/* Planes are made once, and stay. */
static bool needs_planes(const shl_device *device,
                         const struct shl_claim *claim)
{
    return claim->drive != SHL_DRIVE_FREE && claim->mode != SHL_MODE_MIDI &&
           !device->claims.planes;
}

static shl_status reserve_planes(shl_device *device)
{
    const struct shl_identity *own = &device->identity;
    uint32_t channels = own->in_channels > own->out_channels
                            ? own->in_channels
                            : own->out_channels;
    return shl_segment_reserve_planes(&device->segment, channels);
}

/* Memory and streams of the claim that stands there now. [keeper] */
static void make(shl_device *device)
{
    struct shl_device_claims *own = &device->claims;
    struct shl_claim *claim = &own->made.claim;
    shl_status st = shl_segment_claim_read(&device->segment, claim);
    own->made.duplex = NULL;
    if (!st)
        st = judge(device, claim);
    if (!st && claim->drive == SHL_DRIVE_FREE)
        st = shl_device_free_make(device, claim, &own->made.duplex);
    else if (!st && needs_planes(device, claim)) {
        st = reserve_planes(device);
        own->planes = !st;
    }
    own->made.status = st;
}

/* What was asked for is made; the claim may be another one by now. */
static void use(shl_device *device, uint32_t epoch, uint32_t asked)
{
    struct shl_device_claims *own = &device->claims;
    struct shl_duplex *duplex = own->made.duplex;
    own->made.duplex = NULL;
    if (epoch != asked) {
        shl_device_free_spend(device, duplex);
        return;
    }
    shl_device_free_use(device, &own->made.claim, duplex);
    answer(device, epoch, &own->made.claim, own->made.status);
}

/* Have the keeper make it ready: nothing is reserved on an audio thread. */
static void ask(shl_device *device, uint32_t epoch,
                const struct shl_claim *claim)
{
    struct shl_device_claims *own = &device->claims;
    /* a rendering in this very process waits for nothing that is not made here
     * and now, and has the time */
    if (claim->drive == SHL_DRIVE_FREE && claim->flags & SHL_CLAIM_OWN_CLOCK &&
        claim->flags & SHL_CLAIM_RENDERS) {
        make(device);
        use(device, epoch, epoch);
        return;
    }
    own->pending = epoch;
    /* release: what was made before has been taken */
    atomic_store_explicit(&own->asked, epoch, memory_order_release);
    shl_worker_wake(device->keeper);
}

/* Whether nothing is being made ready any more; if it just has been, the claim
 * is answered, if it is still that of `epoch`. */
static bool asked(shl_device *device, uint32_t epoch)
{
    struct shl_device_claims *own = &device->claims;
    uint32_t pending = own->pending;
    if (!pending)
        return true;
    /* acquire: `made` is whole */
    if (atomic_load_explicit(&own->done, memory_order_acquire) != pending)
        return false;
    own->pending = 0;
    use(device, epoch, pending);
    return true;
}

void shl_device_claims_keep(shl_device *device)
{
    struct shl_device_claims *own = &device->claims;
    /* acquire: `made` has been taken */
    uint32_t epoch = atomic_load_explicit(&own->asked, memory_order_acquire);
    if (epoch == atomic_load_explicit(&own->done, memory_order_relaxed))
        return;
    make(device);
    /* release: `made` is whole */
    atomic_store_explicit(&own->done, epoch, memory_order_release);
    shl_device_rouse(device);
}

void shl_device_claims_end(shl_device *device)
{
    shl_duplex_free(device->claims.made.duplex);
    device->claims.made.duplex = NULL;
}

/* ---- begin and end --------------------------------------------------------- */

/* A new epoch: accept the claim or say why not. An even one is a release. */
static void consider(shl_device *device, uint32_t epoch)
{
    struct shl_claim claim;
    device->judged = epoch;
    if (!(epoch & 1))
        return;
    shl_status st = shl_segment_claim_read(&device->segment, &claim);
    if (!st)
        st = judge(device, &claim);
    if (!st && (claim.drive == SHL_DRIVE_FREE || needs_planes(device, &claim)))
        ask(device, epoch, &claim);
    else
        answer(device, epoch, &claim, st);
}

/* The claim is over. What its host left sounding becomes a block of our own;
 * true if there is something. */
static bool end_claim(shl_device *device)
{
    atomic_store_explicit(&device->segment.lines->device.epoch, 0,
                          memory_order_release);
    atomic_store_explicit(&device->accepted, 0, memory_order_release);
    shl_device_drop_taps(device);
    shl_device_free_leave(device);
    shl_priority_restore(&device->priority);
    if (device->held.count == 0)
        return false;
    device->working = device->releasing = true;
    device->block.frames = 0;
    device->block.fresh = 0;
    return true;
}

bool shl_device_heed(shl_device *device)
{
    /* acquire: the claim of this epoch is whole */
    uint32_t epoch = atomic_load_explicit(&device->segment.claim->epoch,
                                          memory_order_acquire);
    device->seen = epoch;
    uint32_t accepted =
        atomic_load_explicit(&device->accepted, memory_order_relaxed);
    uint32_t alarm = atomic_load_explicit(&device->alarm, memory_order_relaxed);
    /* acquire: what was done before the alarm */
    if (alarm)
        alarm =
            atomic_exchange_explicit(&device->alarm, 0, memory_order_acquire);
    if (accepted && (epoch != accepted || alarm == accepted) &&
        end_claim(device))
        return true;
    SHL_RT_EXCEPT("a new claim, before its first block",
                  if (asked(device, epoch) && epoch != device->judged)
                      consider(device, epoch);)
    return false;
}

void shl_device_rouse(shl_device *device)
{
    /* of no claim: those are odd. A dead host's alarm stays, and wakes it as
     * well; seq_cst for a sleeper's last look, and whoever takes either sees
     * what was done before */
    const uint32_t nobody = 2;
    uint32_t was = atomic_load_explicit(&device->alarm, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &device->alarm, &was, was ? was : nobody, memory_order_seq_cst,
        memory_order_relaxed)) {
    }
    shl_cycle_nudge(device->segment.lines);
}
