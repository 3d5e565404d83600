/* SPDX-License-Identifier: MIT */
/* What the board means: who is there, and who is free. */
#include "core/board/registry_state.h"
#include "core/shm/segment.h"
#include "shmlink/param.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(((struct shl_device_info *)0)->id) == SHL_ID_SIZE &&
                  sizeof(((struct shl_device_info *)0)->tag) == SHL_TAG_SIZE,
              "texts fit");

/* ---- words ----------------------------------------------------------------- */

const char *shl_capability_name(uint32_t bit)
{
    static const char *const names[SHL_CAP_COUNT] = {
        "params",    "param_text", "param_ramp",   "param_out",     "programs",
        "state",     "bank",       "midi_in",      "midi_out",      "sysex_in",
        "sysex_out", "detune",     "transport_in", "transport_out", "bypass",
        "tail",      "reset",      "offline",      "latency",       "busses",
        "editor",    "resizable",  "spawn",        "quit",          "can_do",
        "vendor",    "synth",      "any_rate"};

    return bit < SHL_CAP_COUNT ? names[bit] : "unknown";
}

const char *shl_drive_name(uint32_t drive)
{
    return drive == SHL_DRIVE_LOCKSTEP    ? "lockstep"
           : drive == SHL_DRIVE_PIPELINED ? "pipelined"
           : drive == SHL_DRIVE_FREE      ? "free"
                                          : "unknown";
}

const char *shl_mode_name(uint32_t mode)
{
    return mode == SHL_MODE_BOTH    ? "both"
           : mode == SHL_MODE_AUDIO ? "audio"
           : mode == SHL_MODE_MIDI  ? "midi"
                                    : "unknown";
}

const char *shl_state_name(enum shl_device_state state)
{
    switch (state) {
    case SHL_STATE_FREE:
        return "free";
    case SHL_STATE_BUSY:
        return "busy";
    case SHL_STATE_STALE:
        return "stale";
    case SHL_STATE_STARTING:
        return "starting";
    }
    return "unknown";
}

/* ---- opening --------------------------------------------------------------- */

shl_status shl_registry_open(const char *name, shl_registry **registry,
                             struct shl_why *why)
{
    shl_registry *opened = calloc(1, sizeof *opened);
    shl_status status;

    if (!opened) {
        shl_why_set(why, "%s", shl_status_text(SHL_NO_MEMORY));
        return SHL_NO_MEMORY;
    }
    status = shl_board_open(name, &opened->view, why);
    if (status)
        free(opened);
    else
        *registry = opened;
    return status;
}

void shl_registry_close(shl_registry *registry)
{
    if (!registry)
        return;
    shl_board_close(&registry->view);
    free(registry);
}

/** The board that is there now: the one we had may have been removed. */
static shl_status refresh(shl_registry *registry)
{
    struct shl_board_view fresh;
    const char *set_up = strchr(registry->view.base + 5, '-');
    shl_status status;

    if (shl_board_current(&registry->view))
        return SHL_OK;
    status = shl_board_open(set_up ? set_up + 1 : "", &fresh, NULL);
    if (status)
        return status;
    shl_board_close(&registry->view);
    registry->view = fresh;
    return SHL_OK;
}

/* ---- looking at one device --------------------------------------------------- */

/** Where a segment keeps its claim; SHL_AGAIN if it is not ready, SHL_BAD_PEER
 * if it has none that we understand. */
static shl_status find_claim(const struct shl_map *ask, size_t *offset)
{
    const struct shl_maolan_layout *row = &shl_maolan_layouts[SHL_LAYOUT_A];
    struct shl_link_header header;
    uint32_t ready = 0;

    if (shl_map_peek(ask, row->ready, &ready, sizeof ready) || !ready)
        return SHL_AGAIN;
    if (shl_map_peek(ask, SHL_LINK_OFFSET, &header, sizeof header) ||
        header.magic != SHL_LINK_MAGIC || header.major != SHL_LINK_MAJOR ||
        header.region_count > sizeof header.region / sizeof header.region[0])
        return SHL_BAD_PEER;
    for (uint32_t i = 0; i < header.region_count; i++) {
        if (header.region[i].id == SHL_REGION_CLAIM) {
            *offset = header.region[i].offset;
            return SHL_OK;
        }
    }
    return SHL_BAD_PEER;
}

/** Copy claim and epoch without mapping: the same sequence before and after
 * says that they are whole. */
static shl_status peek_claim(const struct shl_map *ask, size_t offset,
                             struct shl_claim *claim, uint32_t *epoch)
{
    const size_t words = offsetof(struct shl_claim_region, seqlock.word);
    uint32_t before = 0, after = 0;

    for (int tries = 0; tries < 10; tries++) {
        shl_status status = shl_map_peek(ask, offset, &before, sizeof before);
        if (!status)
            status = shl_map_peek(ask, offset + words, claim, sizeof *claim);
        if (!status)
            status = shl_map_peek(
                ask, offset + offsetof(struct shl_claim_region, epoch), epoch,
                sizeof *epoch);
        if (!status)
            status = shl_map_peek(ask, offset, &after, sizeof after);
        if (status)
            return status;
        if (before == after && !(before & 1)) {
            shl_text_clean(claim->tag, sizeof claim->tag);
            return SHL_OK;
        }
    }
    return SHL_AGAIN;
}

/** Who has claimed a device. The lease decides; the claim says who it is, and
 * is second witness against a lease that a child inherited. */
static void look_claim(const struct shl_map *ask, struct shl_device_info *info)
{
    struct shl_claim claim;
    uint32_t epoch = 0;
    size_t offset = 0;
    bool held = shl_lease_held(ask, SHL_LEASE_HOST);
    shl_status status = find_claim(ask, &offset);

    if (status == SHL_AGAIN) {
        info->state = SHL_STATE_STARTING;
        return;
    }
    info->state = held ? SHL_STATE_BUSY : SHL_STATE_FREE;
    if (status || peek_claim(ask, offset, &claim, &epoch) || !(epoch & 1))
        return;
    if (!held || !shl_process_alive(&(struct shl_process){
                     claim.pid, claim.start_time, claim.pid_namespace}))
        info->state = SHL_STATE_STALE;
    info->host_pid = claim.pid;
    info->mode = info->state == SHL_STATE_BUSY ? claim.mode : 0;
    if (claim.tag[0])
        memcpy(info->tag, claim.tag, sizeof info->tag);
}

static void copy_entry(const struct shl_board_entry *entry,
                       struct shl_device_info *info)
{
    const struct shl_identity *who = &entry->identity;

    memset(info, 0, sizeof *info);
    memcpy(info->id, who->id, sizeof info->id);
    memcpy(info->vendor, who->vendor, sizeof info->vendor);
    memcpy(info->category, who->category, sizeof info->category);
    memcpy(info->version, who->version, sizeof info->version);
    memcpy(info->tag, who->tag, sizeof info->tag);
    memcpy(info->segment, entry->segment, sizeof info->segment);
    info->pid = who->pid;
    info->in_channels = who->in_channels;
    info->out_channels = who->out_channels;
    info->rate_hz = who->rate_hz;
    info->block_frames = who->block_frames;
    info->quantum = who->quantum;
    info->latency_frames = who->latency_frames;
    info->param_count = who->param_count;
    info->tap_count = who->tap_count;
    info->modes = who->modes;
    info->drives = who->drives;
    info->capabilities = who->capabilities;
}

bool shl_registry_alive(const struct shl_board_entry *entry)
{
    return shl_process_alive(
        &(struct shl_process){entry->identity.pid, entry->identity.start_time,
                              entry->identity.pid_namespace});
}

shl_status shl_registry_look(shl_registry *registry, uint32_t slot,
                             struct shl_device_info *info)
{
    struct shl_board_entry entry;
    struct shl_map ask = SHL_MAP_NONE;
    shl_status status;

    if (!shl_board_held(&registry->view, slot)) {
        shl_board_sweep(&registry->view, slot);
        return SHL_NOT_FOUND;
    }
    /* held by somebody who has not written it yet, or by a dead device's
     * child */
    if (shl_board_read(&registry->view, slot, &entry) ||
        !shl_registry_alive(&entry))
        return SHL_NOT_FOUND;
    copy_entry(&entry, info);
    info->state = SHL_STATE_STARTING;
    status = shl_map_ask(entry.segment, &ask);
    if (status == SHL_NO_DESCRIPTORS || status == SHL_NO_MEMORY)
        return status;
    if (!status)
        look_claim(&ask, info);
    shl_map_close(&ask);
    return SHL_OK;
}

/* ---- scanning and cleaning --------------------------------------------------- */

shl_status shl_registry_scan(shl_registry *registry,
                             struct shl_device_info *info, uint32_t max,
                             uint32_t *count)
{
    uint32_t found = 0;
    shl_status status = refresh(registry);

    for (uint32_t slot = 0; slot < SHL_MAX_DEVICES && !status; slot++) {
        struct shl_device_info one;

        status = shl_registry_look(registry, slot, &one);
        if (status == SHL_OK) {
            if (found < max)
                info[found] = one;
            found++;
        }
        if (status == SHL_NOT_FOUND)
            status = SHL_OK;
    }
    if (!status && count)
        *count = found;
    return status;
}

/** A segment whose device is dead for certain: it says so itself, or nobody
 * has taken its lease for longer than making one takes. */
static void clean_segment(const char *name, uint64_t age_s, void *arg)
{
    struct shl_segment segment;
    struct shl_identity who;
    struct shl_map left = SHL_MAP_NONE;
    uint32_t *cleared = arg;
    bool dead = age_s >= 2;

    if (!shl_board_segment_name(name))
        return;
    if (!dead && shl_segment_open(name, &segment, NULL) == SHL_OK) {
        dead = shl_segment_identity(&segment, &who) == SHL_OK &&
               !shl_process_alive(&(struct shl_process){who.pid, who.start_time,
                                                        who.pid_namespace});
        shl_segment_close(&segment);
    }
    if (dead && shl_board_unlink_dead(name) &&
        shl_map_ask(name, &left) == SHL_NOT_FOUND)
        ++*cleared;
    shl_map_close(&left);
}

shl_status shl_registry_clean(shl_registry *registry, uint32_t *count)
{
    char prefix[24];
    uint32_t cleared = 0;
    shl_status status = refresh(registry);

    if (status)
        return status;
    for (uint32_t slot = 0; slot < SHL_MAX_DEVICES; slot++)
        cleared += shl_board_sweep(&registry->view, slot);
    /* segments of devices whose board was removed */
    snprintf(prefix, sizeof prefix, "/shl-%u-", (unsigned)shl_user_id());
    status = shl_map_each(prefix, clean_segment, &cleared);
    shl_board_sweep_plugins();
    if (!status && count)
        *count = cleared;
    return status;
}

/* ---- finding --------------------------------------------------------------- */

/** What a host asks for: an id, a name, a tag, or anything. */
struct wish {
    const char *id;
    const char *tag; /* instead of an id */
    const char *own; /* of the host: pass over who remembers another one */
    bool numbered;   /* the id has a number */
    bool any;
};

/** How well a device fits: 0 not at all, 2 exactly, 1 with _ for spaces. */
static int wish_fits(const struct wish *wish, const struct shl_device_info *one)
{
    char name[SHL_ID_SIZE];
    const char *text = one->id;

    if (wish->own && one->tag[0] && strcmp(wish->own, one->tag) != 0)
        return 0;
    if (wish->any)
        return 2;
    if (wish->tag)
        return strcmp(wish->tag, one->tag) == 0 ? 2 : 0;
    if (!wish->numbered) {
        if (shl_id_check(one->id, name, NULL, NULL))
            return 0;
        text = name;
    }
    return strcmp(wish->id, text) == 0        ? 2
           : shl_name_matches(wish->id, text) ? 1
                                              : 0;
}

/** Smaller is better: free before starting before busy, exact before similar,
 * then the number (for any device and for tags: the slot). */
static uint32_t wish_rank(const struct wish *wish,
                          const struct shl_device_info *one, uint32_t slot,
                          int fits)
{
    int32_t number = -1;
    uint32_t state = one->state == SHL_STATE_BUSY       ? 2
                     : one->state == SHL_STATE_STARTING ? 1
                                                        : 0;

    if (!wish->any && !wish->tag)
        shl_id_check(one->id, NULL, &number, NULL);
    return state << 28 | (fits == 2 ? 0u : 1u << 27) |
           (number >= 0 ? (uint32_t)number : slot);
}

static shl_status find(shl_registry *registry, const struct wish *wish,
                       struct shl_device_info *info)
{
    struct shl_device_info best;
    uint32_t best_rank = UINT32_MAX;
    shl_status status = refresh(registry);

    for (uint32_t slot = 0; slot < SHL_MAX_DEVICES && !status; slot++) {
        struct shl_device_info one;
        int fits;

        status = shl_registry_look(registry, slot, &one);
        fits = status ? 0 : wish_fits(wish, &one);
        if (fits && wish_rank(wish, &one, slot, fits) < best_rank) {
            best_rank = wish_rank(wish, &one, slot, fits);
            best = one;
        }
        if (status == SHL_NOT_FOUND)
            status = SHL_OK;
    }
    if (status)
        return status;
    if (best_rank == UINT32_MAX)
        return SHL_NOT_FOUND;
    *info = best;
    return best.state == SHL_STATE_BUSY       ? SHL_BUSY
           : best.state == SHL_STATE_STARTING ? SHL_AGAIN
                                              : SHL_OK;
}

shl_status shl_registry_find_id(shl_registry *registry, const char *id,
                                const char *own, struct shl_device_info *info)
{
    struct wish wish = {.id = id};
    int32_t number = -1;

    wish.any = id && strcmp(id, "*") == 0;
    if (!wish.any && shl_id_check(id, NULL, &number, NULL))
        return SHL_BAD_NAME;
    wish.numbered = number >= 0;
    if (!wish.numbered && own && own[0])
        wish.own = own;
    return find(registry, &wish, info);
}

shl_status shl_registry_find(shl_registry *registry, const char *id,
                             struct shl_device_info *info)
{
    return shl_registry_find_id(registry, id, NULL, info);
}

shl_status shl_registry_find_tag(shl_registry *registry, const char *tag,
                                 struct shl_device_info *info)
{
    struct wish wish = {.tag = tag};

    if (shl_tag_check(tag, NULL))
        return SHL_BAD_NAME;
    return tag[0] ? find(registry, &wish, info) : SHL_NOT_FOUND;
}
