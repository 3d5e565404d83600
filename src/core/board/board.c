/* SPDX-License-Identifier: MIT */
/* Slots, leases and registrations. A slot belongs to whoever holds the lease on its
 * byte, an id to whoever holds the lease on the byte of its hash. Whoever dies
 * leaves free leases and a slot that the next one to look clears. */
#include "core/board/board.h"

#include "core/shm/segment.h"
#include "shmlink/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_WORDS ((uint32_t)(sizeof(struct shl_board_entry) / 8))

/* Leases on ids lie far behind the slots and below 2^63. */
#define ID_LEASES (UINT64_C(1) << 61)

/* More numbers of one name than there can be devices: some may be held by what
 * dead devices left behind. */
#define NUMBERS_TRIED 256

/* Names that a board may have. */
#define BOARD_NUMBERS 16u

/* ---- names ----------------------------------------------------------------- */

/** Length of the run of hexadecimal digits as we write them. */
static size_t hex_length(const char *text)
{
    return strspn(text, "0123456789abcdef");
}

static size_t name_length(const char *text)
{
    return strspn(text, "0123456789"
                        "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

bool shl_board_segment_name(const char *name)
{
    char prefix[24];
    size_t length = (size_t)snprintf(prefix, sizeof prefix, "/shl-%u-",
                                     (unsigned)shl_user_id());

    return strncmp(name, prefix, length) == 0 &&
           hex_length(name + length) == 12 && !name[length + 12];
}

static void new_segment_name(char name[SHL_SEGMENT_NAME_SIZE])
{
    uint8_t random[6];

    shl_random_bytes(random, sizeof random);
    snprintf(name, SHL_SEGMENT_NAME_SIZE, "/shl-%u-%02x%02x%02x%02x%02x%02x",
             (unsigned)shl_user_id(), random[0], random[1], random[2],
             random[3], random[4], random[5]);
}

static shl_status board_name(const char *registry, char name[32],
                             struct shl_why *why)
{
    const char *wanted = registry ? registry : getenv("SHMLINK_REGISTRY");
    size_t length = wanted ? strlen(wanted) : 0;

    if (length > 12 || (length > 0 && name_length(wanted) != length)) {
        shl_why_set(why,
                    "\"%.60s\" is no name of a registry: use 1 to 12 of a-z, "
                    "A-Z, 0-9 (see SHMLINK_REGISTRY)",
                    wanted);
        return SHL_BAD_NAME;
    }
    if (length == 12 && hex_length(wanted) == 12) {
        shl_why_set(why,
                    "\"%s\" is no name of a registry: 12 hexadecimal digits "
                    "are names of segments (see SHMLINK_REGISTRY)",
                    wanted);
        return SHL_BAD_NAME;
    }
    snprintf(name, 32, length ? "/shl-%u-%s" : "/shl-%u",
             (unsigned)shl_user_id(), wanted);
    return SHL_OK;
}

/** The byte whose lease means this id. */
static uint64_t id_byte(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return ID_LEASES + (hash & ((UINT64_C(1) << 60) - 1));
}

/* ---- looking --------------------------------------------------------------- */

/** A board's name: the base, or with a number behind it. Shared memory is one
 * folder for all, so another user may have the name. */
static void numbered(const char *base, uint32_t number, char name[32])
{
    if (number)
        snprintf(name, 32, "%.28s.%u", base, number % BOARD_NUMBERS);
    else
        snprintf(name, 32, "%s", base);
}

static shl_status owner_of(const char *base, uint32_t number, uint32_t *owner)
{
    char name[32];

    numbered(base, number, name);
    return shl_map_owner(name, owner);
}

static bool is_ours(const char *base, uint32_t number)
{
    uint32_t owner = 0;

    return owner_of(base, number, &owner) == SHL_OK && owner == shl_user_id();
}

static bool is_missing(const char *base, uint32_t number)
{
    uint32_t owner = 0;

    return owner_of(base, number, &owner) == SHL_NOT_FOUND;
}

/** The board to be opened: the first that is ours, however it got its number; if
 * there is none, the first name that nobody has. Each name is looked at once: one
 * that was missing and is there by now was made by somebody, most likely by
 * another program of this user, and is to be tried before any with a higher
 * number. BOARD_NUMBERS: all are others'. */
static uint32_t choose(const char *base)
{
    uint32_t missing = BOARD_NUMBERS;

    for (uint32_t number = 0; number < BOARD_NUMBERS; number++) {
        uint32_t owner = 0;
        shl_status status = owner_of(base, number, &owner);

        if (status == SHL_OK && owner == shl_user_id())
            return number;
        if (status == SHL_NOT_FOUND && missing == BOARD_NUMBERS)
            missing = number;
    }
    return missing;
}

static shl_status view_open(const char *base, struct shl_board_view *view)
{
    struct shl_board_view opened;
    shl_status status = SHL_FOREIGN;

    memset(&opened, 0, sizeof opened);
    snprintf(opened.base, sizeof opened.base, "%s", base);
    snprintf(opened.name, sizeof opened.name, "%s", base);
    for (int tries = 0; tries < 10; tries++) {
        opened.number = choose(base);
        if (opened.number == BOARD_NUMBERS)
            break;
        numbered(base, opened.number, opened.name);
        status =
            shl_map_share(opened.name, sizeof(struct shl_board), &opened.map);
        /* somebody else was faster with this name: another one */
        if (!status || is_ours(base, opened.number))
            break;
    }
    memcpy(view->name, opened.name, sizeof view->name);
    if (status)
        return status;
    opened.board = (struct shl_board *)(void *)opened.map.base;
    *view = opened;
    return SHL_OK;
}

shl_status shl_board_open(const char *registry, struct shl_board_view *view,
                          struct shl_why *why)
{
    struct shl_board_view opened;
    char base[32] = "", fault[160];
    shl_status status = board_name(registry, base, why);

    if (status)
        return status;
    status = view_open(base, &opened);
    if (!status) {
        *view = opened;
        return SHL_OK;
    }
    if (status == SHL_FOREIGN || status == SHL_NO_PERMISSION) {
        shl_map_foreign(opened.name, fault, sizeof fault);
        shl_why_set(
            why,
            "cannot open the board %s: %s; or choose another board with "
            "SHMLINK_REGISTRY",
            opened.name, fault);
    } else {
        shl_why_set(why, "cannot open the board %s: %s", opened.name,
                    shl_status_text(status));
    }
    return status;
}

void shl_board_skipped(const struct shl_board_view *view, char *text,
                       size_t size)
{
    char name[32];

    text[0] = 0;
    for (uint32_t i = 0; i < view->number && !text[0]; i++) {
        if (is_missing(view->base, i))
            continue;
        numbered(view->base, i, name);
        shl_map_foreign(name, text, size);
    }
}

void shl_board_close(struct shl_board_view *view)
{
    shl_map_close(&view->map);
    view->board = NULL;
}

/** Whether there is a board of ours with a lower number: it wins, so that all
 * meet on one. */
static bool below(const struct shl_board_view *view)
{
    uint32_t number = 0;

    while (number < view->number && !is_ours(view->base, number))
        number++;
    return number < view->number;
}

bool shl_board_current(const struct shl_board_view *view)
{
    return view->board &&
           !(view->map.bad &&
             atomic_load_explicit(view->map.bad, memory_order_relaxed)) &&
           shl_map_current(&view->map, view->name) && !below(view);
}

shl_status shl_board_read(const struct shl_board_view *view, uint32_t slot,
                          struct shl_board_entry *entry)
{
    struct shl_board_entry copy;
    shl_status status =
        shl_seqlock_read(&view->board->slot[slot].seqlock, &copy, ENTRY_WORDS);

    if (status)
        return status;
    copy.segment[sizeof copy.segment - 1] = 0;
    if (copy.magic != SHL_BOARD_SLOT_MAGIC ||
        copy.version != SHL_BOARD_VERSION ||
        !shl_board_segment_name(copy.segment) ||
        shl_identity_check(&copy.identity))
        return SHL_NOT_FOUND;
    *entry = copy;
    return SHL_OK;
}

bool shl_board_held(const struct shl_board_view *view, uint32_t slot)
{
    return shl_lease_held(&view->map, slot);
}

/* ---- clearing -------------------------------------------------------------- */

/** Copy a slot as it is, whatever its sequence says: whole only for whoever
 * holds its lease. */
static void slot_raw(const struct shl_board_slot *slot,
                     struct shl_board_entry *entry)
{
    uint64_t words[ENTRY_WORDS];

    for (uint32_t i = 0; i < ENTRY_WORDS; i++)
        words[i] =
            atomic_load_explicit(&slot->seqlock.word[i], memory_order_relaxed);
    memcpy(entry, words, sizeof *entry);
}

/** Whether there is nothing in a slot, not even an interrupted write. */
static bool slot_empty(const struct shl_board_slot *slot)
{
    uint64_t any =
        atomic_load_explicit(&slot->seqlock.sequence, memory_order_relaxed) & 1;

    for (uint32_t i = 0; i < ENTRY_WORDS && !any; i++)
        any =
            atomic_load_explicit(&slot->seqlock.word[i], memory_order_relaxed);
    return !any;
}

bool shl_board_unlink_dead(const char *segment)
{
    struct shl_map ask = SHL_MAP_NONE;
    uint32_t magic = 0;
    shl_status status = shl_map_ask(segment, &ask);
    bool alive;

    /* gone already, or an object that is not ours: nothing for us to do */
    if (status == SHL_NOT_FOUND || status == SHL_FOREIGN ||
        status == SHL_NO_PERMISSION)
        return true;
    if (status)
        return false;
    status = shl_map_peek(&ask, 0, &magic, sizeof magic);
    /* a dying process may lose this lease after the one on its slot */
    alive = shl_lease_held(&ask, SHL_LEASE_DEVICE);
    /* no magic yet: it died while it made it */
    if (!alive &&
        (status == SHL_CUT || magic == 0 || magic == SHL_MAOLAN_MAGIC))
        shl_map_unlink(segment);
    shl_map_close(&ask);
    return !alive;
}

struct sweep {
    char names[16][SHL_BOARD_PLUGIN_SIZE];
    uint32_t count;
};

static void sweep_name(const char *name, uint64_t age_s, void *arg)
{
    struct sweep *sweep = arg;
    struct shl_process owner = {.pid_namespace =
                                    shl_process_self().pid_namespace};
    unsigned pid;

    (void)age_s;
    /* NOLINTNEXTLINE(cert-err34-c): a name of another form is not ours */
    if (sscanf(name, SHL_BOARD_PLUGIN "%u-", &pid) != 1 || sweep->count == 16 ||
        strlen(name) >= SHL_BOARD_PLUGIN_SIZE)
        return;
    owner.pid = pid;
    if (!shl_process_alive(&owner))
        strcpy(sweep->names[sweep->count++], name);
}

/** Whether anybody holds any lease of a segment. */
static bool any_lease(const struct shl_map *ask)
{
    return shl_lease_held(ask, SHL_LEASE_DEVICE) ||
           shl_lease_held(ask, SHL_LEASE_HOST) ||
           shl_lease_held(ask, SHL_LEASE_MAKER);
}

void shl_board_sweep_plugins(void)
{
    struct sweep sweep = {.count = 0};
    struct shl_map map = SHL_MAP_NONE;

    shl_map_each(SHL_BOARD_PLUGIN, sweep_name, &sweep);
    for (uint32_t i = 0; i < sweep.count; i++) {
        /* those of other DAWs are readable by all, and theirs to remove */
        if (shl_map_ask(sweep.names[i], &map) != SHL_OK)
            continue;
        if (!any_lease(&map) && shl_map_current(&map, sweep.names[i]))
            shl_map_unlink(sweep.names[i]);
        shl_map_close(&map);
    }
}

/** Clear a slot whose lease we hold. False if its segment is still held: then
 * it is left for the next one who looks. */
static bool slot_clear(struct shl_board_slot *slot)
{
    static const struct shl_board_entry nothing;
    struct shl_board_entry entry;

    slot_raw(slot, &entry);
    entry.segment[sizeof entry.segment - 1] = 0;
    if (shl_board_segment_name(entry.segment) &&
        !shl_board_unlink_dead(entry.segment))
        return false;
    shl_seqlock_write(&slot->seqlock, &nothing, ENTRY_WORDS);
    return true;
}

bool shl_board_sweep(struct shl_board_view *view, uint32_t slot)
{
    struct shl_board_slot *at = &view->board->slot[slot];
    bool cleared = false;

    if (slot_empty(at) || shl_lease_take(&view->map, slot))
        return false;
    /* another one may have cleared it before we had the lease */
    if (!slot_empty(at))
        cleared = slot_clear(at);
    shl_lease_drop(&view->map, slot);
    return cleared;
}

/* ---- registrations ----------------------------------------------------------------- */

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

    if ((!dead && !slot_empty(at)) || shl_lease_take(&view->map, slot))
        return false;
    /* whoever had it before us may have died since we looked */
    if (slot_empty(at) || slot_clear(at))
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
        &registration->entry, ENTRY_WORDS);
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
               &now, ENTRY_WORDS) == SHL_OK &&
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
    status = view_open(registration->view.base, &anew.view);
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
            &nothing, ENTRY_WORDS);
    shl_board_close(&registration->view);
}
