/* SPDX-License-Identifier: MIT */
/* Why a device is not there, or cannot be claimed: sentences that say what to do. */
#include "core/board/registry_state.h"
#include "core/shm/segment.h"

#include <stdio.h>
#include <string.h>

/** A process that holds the id of a device that is dead for certain: its child
 * has inherited the lease. 0 if there is none. */
static uint32_t dead_holder(shl_registry *registry, const char *id)
{
    struct shl_board_entry entry;

    for (uint32_t slot = 0; slot < SHL_MAX_DEVICES; slot++) {
        if (shl_board_held(&registry->view, slot) &&
            shl_board_read(&registry->view, slot, &entry) == SHL_OK &&
            strcmp(entry.identity.id, id) == 0 && !shl_registry_alive(&entry))
            return entry.identity.pid;
    }
    return 0;
}

/** The ids of all live devices, "A:0, B:1"; empty if there are none. */
static void list_ids(shl_registry *registry, char *text, size_t size)
{
    size_t length = 0;

    text[0] = 0;
    for (uint32_t slot = 0; slot < SHL_MAX_DEVICES; slot++) {
        struct shl_device_info one;

        if (shl_registry_look(registry, slot, &one))
            continue;
        if (length + strlen(one.id) + 8 > size) {
            snprintf(text + length, size - length, ", ...");
            return;
        }
        length += (size_t)snprintf(text + length, size - length, "%s%s",
                                   length ? ", " : "", one.id);
    }
}

/* Whether a shell takes this name as it is. */
static bool plain(const char *id)
{
    return id[0] && !id[strspn(id, "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:._-")];
}

/** Nobody there: whose board it is, and what may hide others. */
static void why_none(shl_registry *registry, const char *id,
                     struct shl_why *why)
{
    const char *hides = shl_sandbox();

    shl_why_set(
        why,
        "no device %s: none is running on the board %s of user %u "
        "(devices of other users are on boards of their own%s%s); start "
        "one, for example: shmlink device --id %s",
        id, registry->view.name, (unsigned)shl_user_id(), hides ? "; " : "",
        hides ? hides : "", plain(id) ? id : "MySynth");
}

static void why_missing(shl_registry *registry, const char *id,
                        struct shl_why *why)
{
    uint32_t dead = dead_holder(registry, id);
    char running[160];

    if (dead) {
        shl_why_set(why,
                    "%s: its process %u has ended, but a child of it still "
                    "holds its place: end that child",
                    id, (unsigned)dead);
        return;
    }
    list_ids(registry, running, sizeof running);
    if (running[0])
        shl_why_set(why, "no device %s on the board %s; running: %s", id,
                    registry->view.name, running);
    else
        why_none(registry, id, why);
}

/** Announced, but its segment cannot be opened yet, or never. */
static void why_starting(const struct shl_device_info *info,
                         struct shl_why *why)
{
    struct shl_map ask = SHL_MAP_NONE;
    shl_status status = shl_map_ask(info->segment, &ask);
    char fault[160];

    shl_map_close(&ask);
    if (status == SHL_FOREIGN || status == SHL_NO_PERMISSION) {
        shl_map_foreign(info->segment, fault, sizeof fault);
        shl_why_set(why, "%s (process %u) cannot be linked: %s", info->id,
                    (unsigned)info->pid, fault);
    } else if (status == SHL_NOT_FOUND) {
        shl_why_set(
            why,
            "%s (process %u) has no segment %s: it is just starting, or "
            "somebody has removed it and a new one comes within a "
            "second; if it does not, start the device again",
            info->id, (unsigned)info->pid, info->segment);
    } else {
        shl_why_set(
            why,
            "%s (process %u) is not ready: it is just starting; if that "
            "lasts, start the device again",
            info->id, (unsigned)info->pid);
    }
}

/** A device is free; would its segment open? */
static void why_free(const char *id, const struct shl_device_info *info,
                     struct shl_why *why)
{
    struct shl_segment segment;
    struct shl_identity who;
    struct shl_why fault = {""};

    if (shl_segment_open(info->segment, &segment, &fault)) {
        shl_why_set(why, "%s cannot be linked: %s", info->id, fault.text);
        return;
    }
    if (shl_segment_identity(&segment, &who))
        shl_why_set(why,
                    "%s cannot be linked: what it says of itself makes no "
                    "sense; start it again",
                    info->id);
    else if (shl_lease_held(&segment.ask, SHL_LEASE_HOST))
        shl_why_set(why,
                    "%s: its host, process %u, has ended, but a child of it "
                    "still holds the claim: end that child",
                    info->id, (unsigned)info->host_pid);
    else
        shl_why_set(why,
                    "%s is %s (process %u): a host that asks for %s gets "
                    "it",
                    info->id, shl_state_name(info->state), (unsigned)info->pid,
                    id);
    shl_segment_close(&segment);
}

static void why_busy(const struct shl_device_info *info, struct shl_why *why)
{
    char whose[40] = "in this very program";

    if (!info->host_pid) {
        shl_why_set(why, "%s is just being claimed by another host", info->id);
        return;
    }
    if (info->host_pid != shl_process_self().pid)
        snprintf(whose, sizeof whose, "by process %u",
                 (unsigned)info->host_pid);
    shl_why_set(why,
                "%s is claimed %s%s%s%s: close that host, or ask for another "
                "device",
                info->id, whose, info->tag[0] ? " (tag " : "", info->tag,
                info->tag[0] ? ")" : "");
}

void shl_registry_why(shl_registry *registry, const char *id, char *text,
                      size_t size)
{
    struct shl_device_info info;
    struct shl_why why = {""};
    char other[160];
    shl_status status = shl_registry_find(registry, id, &info);

    if (status == SHL_OK)
        why_free(id, &info, &why);
    else if (status == SHL_BUSY)
        why_busy(&info, &why);
    else if (status == SHL_AGAIN)
        why_starting(&info, &why);
    else if (status == SHL_NOT_FOUND)
        why_missing(registry, id, &why);
    else if (status != SHL_BAD_NAME || !shl_id_check(id, NULL, NULL, &why))
        shl_why_set(&why, "cannot look at the board %s: %s",
                    registry->view.name, shl_status_text(status));
    shl_board_skipped(&registry->view, other, sizeof other);
    if (size > 0)
        snprintf(text, size, "%s%s%s%s", why.text,
                 other[0] ? " (skipped: the board " : "", other,
                 other[0] ? ")" : "");
}

shl_status shl_registry_find_for(shl_registry *registry, const char *id,
                                 const char *tag, struct shl_device_info *info,
                                 struct shl_why *why)
{
    struct shl_device_info passed;
    shl_status status = SHL_NOT_FOUND;

    if (tag && tag[0])
        status = shl_registry_find_tag(registry, tag, info);
    if (status == SHL_OK)
        return SHL_OK;
    if (status == SHL_AGAIN) { /* it will be there in a moment */
        if (why)
            why_starting(info, why);
        return SHL_AGAIN;
    }
    status = shl_registry_find_id(registry, id, tag, info);
    if (status == SHL_OK || !why)
        return status;
    if (status == SHL_NOT_FOUND &&
        shl_registry_find(registry, id, &passed) == SHL_OK)
        shl_why_set(why,
                    "%s is free but remembers the tag %s: ask for it by its "
                    "number, or give this host that tag",
                    passed.id, passed.tag);
    else
        shl_registry_why(registry, id, why->text, sizeof why->text);
    return status;
}
