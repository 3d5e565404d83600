/* SPDX-License-Identifier: MIT */
/* The board itself: 64 slots in one shared object, each owned by whoever holds
 * the lease on its byte. A registration is a device's place on it. What names mean and
 * who may get whom is registry.h's matter. All [control]. */
#ifndef SHL_BOARD_H
#define SHL_BOARD_H

#include "core/os/platform.h"
#include "core/shm/layout.h"

/** An open board. Looking and sitting never share one: a description does not
 * see its own leases. */
struct shl_board_view {
    char name[32]; /* "/shl-1000" or "/shl-1000-x", or with ".1" behind it */
    char base[32]; /* without: what it is called if nobody else has the name */
    uint32_t number;
    struct shl_map map;
    struct shl_board *board;
};

/** See shl_registry_open. */
shl_status shl_board_open(const char *registry, struct shl_board_view *view,
                          struct shl_why *why);
void shl_board_close(struct shl_board_view *view);

/** Half a sentence on the first board that another user has under a name of ours:
 * it was skipped. Empty if there is none. */
void shl_board_skipped(const struct shl_board_view *view, char *text,
                       size_t size);

/** Whether the object that we have mapped is still what opening the board would
 * give. */
bool shl_board_current(const struct shl_board_view *view);

/** A checked copy of a slot: SHL_NOT_FOUND if it is empty or makes no sense,
 * SHL_AGAIN if its writer died or dawdles in the middle. Texts are terminated,
 * the segment's name is one of our pattern. */
shl_status shl_board_read(const struct shl_board_view *view, uint32_t slot,
                          struct shl_board_entry *entry);

/** Whether somebody holds the slot's lease. */
bool shl_board_held(const struct shl_board_view *view, uint32_t slot);

/** Clear a slot that nobody holds: unlink its segment, empty it. True if there
 * was something to clear. Takes the slot's lease meanwhile, so no one else can
 * clear or take it. */
bool shl_board_sweep(struct shl_board_view *view, uint32_t slot);

/** Whether this is a name that our segments have. */
bool shl_board_segment_name(const char *name);

/** Unlink a segment whose device is dead, if it is one of ours. False if it
 * must stay, because somebody holds its device lease or the system would not
 * say. */
bool shl_board_unlink_dead(const char *segment);

/** Segments for plugin programs are on no board: this, the process id of their
 * host, and more. */
#define SHL_BOARD_PLUGIN      "/maolan-"
#define SHL_BOARD_PLUGIN_SIZE 256u

/** Unlink those whose host was one of ours and died while its plugin got ready,
 * some at a time. The pid in the name may be of another namespace, so what counts is
 * that nobody holds a lease on it: ours have one from their first instant. */
void shl_board_sweep_plugins(void);

/* ---- for registration.c ---- */

#define SHL_BOARD_ENTRY_WORDS ((uint32_t)(sizeof(struct shl_board_entry) / 8))

/** Open the board of this base name, or the one with a number behind it where the
 * name is another user's. */
shl_status shl_board_view_open(const char *base, struct shl_board_view *view);

/** Whether there is nothing in a slot, not even an interrupted write. */
bool shl_board_slot_empty(const struct shl_board_slot *slot);

/** Clear a slot whose lease we hold. False if its segment is still held: then
 * it is left for the next one who looks. */
bool shl_board_slot_clear(struct shl_board_slot *slot);

/* ---- registration.c ---- */

/** A device's place. Its description holds two leases: slot and id. */
struct shl_registration {
    struct shl_board_view view;
    uint32_t slot;
    struct shl_board_entry entry;
};

/** Sit down: identity->id is the wish ("MySynth", "MySynth:3") and becomes the
 * id got ("MySynth:0"). Leases first, then the slot; entry.segment is the name
 * to create the segment under. SHL_TAKEN, SHL_BOARD_FULL. */
shl_status shl_registration_take(const char *registry,
                                 struct shl_identity *identity,
                                 struct shl_registration *registration,
                                 struct shl_why *why);

/** Show a changed identity. */
void shl_registration_update(struct shl_registration *registration,
                             const struct shl_identity *identity);

/** Show another name for the segment, in entry.segment: what has the old one is
 * not ours. */
void shl_registration_rename(struct shl_registration *registration);

/** If the board was removed: sit down anew, same id and segment, on the one
 * that is there now. SHL_OK also if there was nothing to do. */
shl_status shl_registration_renew(struct shl_registration *registration);

/** Empty the slot, drop the leases. Its device unlinks the segment before: the
 * slot is what leads a cleaner to it. */
void shl_registration_leave(struct shl_registration *registration);

#endif
