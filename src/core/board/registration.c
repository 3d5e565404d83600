/* SPDX-License-Identifier: MIT */
/* A device's place on the board: the leases on its slot and on its id, and what it
 * shows there. An id belongs to whoever holds the lease on the byte of its hash. */
#include "core/board/board.h"
#include "core/shm/seqlock.h"
#include "shmlink/name.h"

#include <stdio.h>
#include <string.h>

/* Leases on ids lie far behind the slots and below 2^63. */
#define ID_LEASES (UINT64_C(1) << 61)
/* More numbers of one name than there can be devices: some may be held by what
 * dead devices left behind. */
#define NUMBERS_TRIED 256

static void new_segment_name(char name[SHL_SEGMENT_NAME_SIZE])
{
    uint8_t random[6];

    shl_random_bytes(random, sizeof random);
    snprintf(name, SHL_SEGMENT_NAME_SIZE, "/shl-%u-%02x%02x%02x%02x%02x%02x",
             (unsigned)shl_user_id(), random[0], random[1], random[2],
             random[3], random[4], random[5]);
}

/** The byte whose lease means this id. */
static uint64_t id_byte(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return ID_LEASES + (hash & ((UINT64_C(1) << 60) - 1));
}

/** The process that shows an id on the board, 0 if none does. */
static uint32_t id_holder(const struct shl_board_view *view, const char *id)
{
    struct shl_board_entry entry;

    for (uint32_t i = 0; i < SHL_MAX_DEVICES; i++) {
        if (shl_board_read(view, i, &entry) == SHL_OK &&
            strcmp(entry.identity.id, id) == 0)
            return entry.identity.pid;
    }
    return 0;
}

static shl_status take_exact(struct shl_board_view *view, const char *id,
                             struct shl_why *why)
{
    shl_status status = shl_lease_take(&view->map, id_byte(id));
    uint32_t holder;

    if (status != SHL_BUSY) {
        if (status)
            shl_why_set(why, "cannot register %s: %s", id,
                        shl_status_text(status));
        return status;
    }
    holder = id_holder(view, id);
    if (holder)
        shl_why_set(why,
                    "%s is taken: process %u has it; end that device, or ask "
                    "for the name without a number",
                    id, (unsigned)holder);
    else
        shl_why_set(why, "%s is taken: ask for the name without a number", id);
    return SHL_TAKEN;
}

/** Take the lease on an id: the wish itself, or the first free number. `got`
 * receives the whole id. */
static shl_status take_id(struct shl_board_view *view, const char *wish,
                          char got[SHL_ID_SIZE], struct shl_why *why)
{
    char name[SHL_ID_SIZE];
    int32_t number = -1;
    shl_status status = shl_id_check(wish, name, &number, why);

    if (status)
        return status;
    if (number >= 0) {
        status = take_exact(view, wish, why);
        if (!status)
            memcpy(got, wish, strlen(wish) + 1);
        return status;
    }
    for (number = 0; number < NUMBERS_TRIED; number++) {
        char id[SHL_ID_SIZE + 16];
        int length = snprintf(id, sizeof id, "%s:%d", name, (int)number);

        if (length >= (int)SHL_ID_SIZE) {
            shl_why_set(why,
                        "\"%s\" is too long for a device: 47 bytes with its "
                        "number",
                        name);
            return SHL_BAD_NAME;
        }
        status = shl_lease_take(&view->map, id_byte(id));
        if (!status)
            memcpy(got, id, (size_t)length + 1);
        if (status != SHL_BUSY) {
            if (status)
                shl_why_set(why, "cannot register %s: %s", id,
                            shl_status_text(status));
            return status;
        }
    }
    shl_why_set(why, "%s:0 to %s:%d are all taken", name, name,
                NUMBERS_TRIED - 1);
    return SHL_TAKEN;
}

/** Take one slot if it is free; dead ones only if `dead`. */
static bool take_one(struct shl_board_view *view, uint32_t slot, bool dead)
{
    struct shl_board_slot *at = &view->board->slot[slot];

    if ((!dead && !shl_board_slot_empty(at)) ||
        shl_lease_take(&view->map, slot))
        return false;
    /* whoever had it before us may have died since we looked */
    if (shl_board_slot_empty(at) || shl_board_slot_clear(at))
        return true;
    shl_lease_drop(&view->map, slot);
    return false;
}

/** Take a slot: an empty one, else one of a dead device. */
static shl_status take_slot(struct shl_board_view *view, uint32_t *slot,
                            struct shl_why *why)
{
    /* a cleaner may hold the last free one for a moment */
    for (int round = 0; round < 5; round++) {
        for (int dead = 0; dead <= 1; dead++) {
            for (uint32_t i = 0; i < SHL_MAX_DEVICES; i++) {
                if (take_one(view, i, dead)) {
                    *slot = i;
                    return SHL_OK;
                }
            }
        }
        shl_sleep_ms(2);
    }
    shl_why_set(why,
                "the board %s is full: it holds %u devices; end one, or use "
                "another board with SHMLINK_REGISTRY",
                view->name, SHL_MAX_DEVICES);
    return SHL_BOARD_FULL;
}

static void registration_show(struct shl_registration *registration)
{
    shl_seqlock_write(
        &registration->view.board->slot[registration->slot].seqlock,
        &registration->entry, SHL_BOARD_ENTRY_WORDS);
}

/** Leases and slot on an open board. On failure all leases are dropped. */
static shl_status registration_sit(struct shl_registration *registration,
                                   const char *wish, struct shl_why *why)
{
    char *id = registration->entry.identity.id;
    char got[SHL_ID_SIZE] = "";
    shl_status status = take_id(&registration->view, wish, got, why);

    if (status)
        return status;
    status = take_slot(&registration->view, &registration->slot, why);
    if (status) {
        shl_lease_drop(&registration->view.map, id_byte(got));
        return status;
    }
    memset(id, 0, SHL_ID_SIZE);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): zeros follow */
    memcpy(id, got, strlen(got));
    registration_show(registration);
    return SHL_OK;
}

static void registration_fill(struct shl_registration *registration,
                              const struct shl_identity *identity)
{
    struct shl_process self = shl_process_self();

    memset(&registration->entry, 0, sizeof registration->entry);
    registration->entry.magic = SHL_BOARD_SLOT_MAGIC;
    registration->entry.version = SHL_BOARD_VERSION;
    new_segment_name(registration->entry.segment);
    registration->entry.identity = *identity;
    registration->entry.identity.pid = self.pid;
    registration->entry.identity.start_time = self.start_time;
    registration->entry.identity.pid_namespace = self.pid_namespace;
}

shl_status shl_registration_take(const char *registry,
                                 struct shl_identity *identity,
                                 struct shl_registration *registration,
                                 struct shl_why *why)
{
    struct shl_registration taken;
    shl_status status = SHL_SYSTEM;

    memset(&taken, 0, sizeof taken);
    registration_fill(&taken, identity);
    /* again if the board was removed while we sat down */
    for (int tries = 0; tries < 10; tries++) {
        status = shl_board_open(registry, &taken.view, why);
        if (status)
            return status;
        status = registration_sit(&taken, identity->id, why);
        if (status) {
            shl_board_close(&taken.view);
            return status;
        }
        if (shl_board_current(&taken.view)) {
            *identity = taken.entry.identity;
            *registration = taken;
            return SHL_OK;
        }
        shl_board_close(&taken.view);
    }
    shl_why_set(why, "the board %s is removed again and again",
                taken.view.name);
    return SHL_SYSTEM;
}

void shl_registration_update(struct shl_registration *registration,
                             const struct shl_identity *identity)
{
    char id[SHL_ID_SIZE];

    /* the id is a lease, not a matter of taste */
    memcpy(id, registration->entry.identity.id, sizeof id);
    registration->entry.identity = *identity;
    memcpy(registration->entry.identity.id, id, sizeof id);
    registration_show(registration);
}

void shl_registration_rename(struct shl_registration *registration)
{
    new_segment_name(registration->entry.segment);
    registration_show(registration);
}

/** Whether the board still says what we wrote: somebody may have cut it short
 * and grown it again. */
static bool registration_shown(const struct shl_registration *registration)
{
    struct shl_board_entry now;

    return shl_seqlock_read(
               &registration->view.board->slot[registration->slot].seqlock,
               &now, SHL_BOARD_ENTRY_WORDS) == SHL_OK &&
           /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): bytes */
           memcmp(&now, &registration->entry, sizeof now) == 0;
}

shl_status shl_registration_renew(struct shl_registration *registration)
{
    struct shl_registration anew = *registration;
    bool shown = registration_shown(registration);
    shl_status status;

    if (shl_board_current(&registration->view)) {
        if (!shown)
            registration_show(registration);
        return SHL_OK;
    }
    status = shl_board_view_open(registration->view.base, &anew.view);
    if (status)
        return status;
    /* the same file, but cut short: our own leases on it are in the way */
    if (anew.view.number == registration->view.number &&
        shl_map_current(&registration->view.map, registration->view.name)) {
        shl_lease_drop(&registration->view.map, registration->slot);
        shl_lease_drop(&registration->view.map,
                       id_byte(registration->entry.identity.id));
    }
    status = registration_sit(&anew, registration->entry.identity.id, NULL);
    if (status) {
        shl_board_close(&anew.view);
        return status;
    }
    shl_board_close(&registration->view);
    *registration = anew;
    return SHL_OK;
}

void shl_registration_leave(struct shl_registration *registration)
{
    static const struct shl_board_entry nothing;

    if (registration->view.board)
        shl_seqlock_write(
            &registration->view.board->slot[registration->slot].seqlock,
            &nothing, SHL_BOARD_ENTRY_WORDS);
    shl_board_close(&registration->view);
}
