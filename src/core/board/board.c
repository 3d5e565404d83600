/* SPDX-License-Identifier: MIT */
/* Slots and their leases. A slot belongs to whoever holds the lease on its byte.
 * Whoever dies leaves free leases and a slot that the next one to look clears. */
#include "core/board/board.h"

#include "core/shm/segment.h"
#include "shmlink/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

shl_status shl_board_view_open(const char *base, struct shl_board_view *view)
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
    status = shl_board_view_open(base, &opened);
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
    shl_status status = shl_seqlock_read(&view->board->slot[slot].seqlock,
                                         &copy, SHL_BOARD_ENTRY_WORDS);

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
    uint64_t words[SHL_BOARD_ENTRY_WORDS];

    for (uint32_t i = 0; i < SHL_BOARD_ENTRY_WORDS; i++)
        words[i] =
            atomic_load_explicit(&slot->seqlock.word[i], memory_order_relaxed);
    memcpy(entry, words, sizeof *entry);
}

bool shl_board_slot_empty(const struct shl_board_slot *slot)
{
    uint64_t any =
        atomic_load_explicit(&slot->seqlock.sequence, memory_order_relaxed) & 1;

    for (uint32_t i = 0; i < SHL_BOARD_ENTRY_WORDS && !any; i++)
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

bool shl_board_slot_clear(struct shl_board_slot *slot)
{
    static const struct shl_board_entry nothing;
    struct shl_board_entry entry;

    slot_raw(slot, &entry);
    entry.segment[sizeof entry.segment - 1] = 0;
    if (shl_board_segment_name(entry.segment) &&
        !shl_board_unlink_dead(entry.segment))
        return false;
    shl_seqlock_write(&slot->seqlock, &nothing, SHL_BOARD_ENTRY_WORDS);
    return true;
}

bool shl_board_sweep(struct shl_board_view *view, uint32_t slot)
{
    struct shl_board_slot *at = &view->board->slot[slot];
    bool cleared = false;

    if (shl_board_slot_empty(at) || shl_lease_take(&view->map, slot))
        return false;
    /* another one may have cleared it before we had the lease */
    if (!shl_board_slot_empty(at))
        cleared = shl_board_slot_clear(at);
    shl_lease_drop(&view->map, slot);
    return cleared;
}
