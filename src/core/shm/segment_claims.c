/* SPDX-License-Identifier: MIT */
/* Who a segment says is there: its device, the host that has claimed it, and
 * whether they live. Whatever a peer wrote is copied once and checked. */
#include "core/shm/segment.h"

#include "shmlink/name.h"

#include <math.h>
#include <string.h>

/* ---- identity -------------------------------------------------------------- */

shl_status shl_identity_check(struct shl_identity *identity)
{
    shl_text_clean(identity->id, sizeof identity->id);
    shl_text_clean(identity->vendor, sizeof identity->vendor);
    shl_text_clean(identity->category, sizeof identity->category);
    shl_text_clean(identity->version, sizeof identity->version);
    shl_text_clean(identity->tag, sizeof identity->tag);
    if (shl_id_check(identity->id, NULL, NULL, NULL) ||
        identity->in_channels > SHL_MAX_CHANNELS ||
        identity->out_channels > SHL_MAX_CHANNELS ||
        !isfinite(identity->rate_hz) || !(identity->rate_hz > 0) ||
        identity->block_frames < 1 || identity->block_frames > SHL_MAX_FRAMES ||
        identity->param_count > SHL_MAX_PARAMS ||
        identity->tap_count > SHL_MAX_TAPS)
        return SHL_BAD_PEER;
    return SHL_OK;
}

shl_status shl_segment_identity(const struct shl_segment *segment,
                                struct shl_identity *identity)
{
    struct shl_identity copy;
    shl_status status =
        shl_seqlock_read(&segment->identity->seqlock, &copy, sizeof copy / 8);

    if (!status)
        status = shl_identity_check(&copy);
    if (!status && (copy.param_count > segment->param_capacity ||
                    (copy.tap_count && !segment->taps)))
        status = SHL_BAD_PEER;
    if (!status)
        *identity = copy;
    return status;
}

/** Whom to ask about leases. A view holds none, so it may ask itself. */
static const struct shl_map *asked(const struct shl_segment *segment)
{
    return segment->ask.fd >= 0 ? &segment->ask : &segment->map;
}

bool shl_segment_device_alive(const struct shl_segment *segment)
{
    struct shl_identity who;

    if (!shl_lease_held(asked(segment), SHL_LEASE_DEVICE))
        return false;
    /* a child of a dead device may have inherited its lease */
    if (shl_seqlock_read(&segment->identity->seqlock, &who, sizeof who / 8))
        return true;
    return shl_process_alive(
        &(struct shl_process){who.pid, who.start_time, who.pid_namespace});
}

/* ---- claim ----------------------------------------------------------------- */

shl_status shl_segment_claim(struct shl_segment *segment)
{
    return shl_lease_take(&segment->map, SHL_LEASE_HOST);
}

uint32_t shl_segment_claim_write(struct shl_segment *segment,
                                 const struct shl_claim *claim)
{
    struct shl_claim mine = *claim;
    uint32_t epoch =
        atomic_load_explicit(&segment->claim->epoch, memory_order_relaxed);

    if (mine.pid == 0) {
        struct shl_process self = shl_process_self();

        mine.pid = self.pid;
        mine.start_time = self.start_time;
        mine.pid_namespace = self.pid_namespace;
    }
    shl_seqlock_write(&segment->claim->seqlock, &mine, sizeof mine / 8);
    epoch += epoch & 1 ? 2 : 1; /* an odd one was left by a dead host */
    /* release: the claim is whole before the device sees its epoch */
    atomic_store_explicit(&segment->claim->epoch, epoch, memory_order_release);
    return epoch;
}

void shl_segment_release(struct shl_segment *segment)
{
    uint32_t epoch =
        atomic_load_explicit(&segment->claim->epoch, memory_order_relaxed);

    /* release: what this host did on the link came before */
    if (epoch & 1)
        atomic_store_explicit(&segment->claim->epoch, epoch + 1,
                              memory_order_release);
    shl_lease_drop(&segment->map, SHL_LEASE_HOST);
}

shl_status shl_segment_claim_read(const struct shl_segment *segment,
                                  struct shl_claim *claim)
{
    struct shl_claim copy;
    shl_status status =
        shl_seqlock_read(&segment->claim->seqlock, &copy, sizeof copy / 8);

    if (status)
        return status;
    shl_text_clean(copy.tag, sizeof copy.tag);
    *claim = copy;
    return SHL_OK;
}

bool shl_segment_host_alive(const struct shl_segment *segment)
{
    struct shl_claim who;

    if (!shl_lease_held(asked(segment), SHL_LEASE_HOST))
        return false;
    if (shl_segment_claim_read(segment, &who))
        return true;
    return shl_process_alive(
        &(struct shl_process){who.pid, who.start_time, who.pid_namespace});
}
