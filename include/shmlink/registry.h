/* SPDX-License-Identifier: MIT */
/* The board on which devices announce themselves: one per user. Slots and ids
 * are leases held by the kernel, so the dead are cleared by whoever looks next
 * and no daemon is needed. Looking claims nothing. */
#ifndef SHL_REGISTRY_H
#define SHL_REGISTRY_H

#include "name.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum shl_device_state {
    SHL_STATE_FREE,
    SHL_STATE_BUSY,    /* a live host holds the claim: host_pid, host_tag */
    SHL_STATE_STALE,   /* its host is gone: counts as free */
    SHL_STATE_STARTING /* announced, its segment is not there yet */
};

enum shl_drive {
    SHL_DRIVE_LOCKSTEP = 1,
    SHL_DRIVE_PIPELINED = 2,
    SHL_DRIVE_FREE = 4
};

/** What a link carries beside parameters and transport, which always travel. */
enum shl_mode {
    SHL_MODE_BOTH = 1,  /* audio and MIDI */
    SHL_MODE_AUDIO = 2, /* no MIDI */
    SHL_MODE_MIDI = 4   /* no audio: no plane is reserved, touched, copied */
};

enum shl_capability {
    SHL_CAP_PARAMS = 1 << 0,
    SHL_CAP_PARAM_TEXT = 1 << 1,
    SHL_CAP_PARAM_RAMP = 1 << 2,
    SHL_CAP_PARAM_OUT = 1 << 3,
    SHL_CAP_PROGRAMS = 1 << 4,
    SHL_CAP_STATE = 1 << 5,
    SHL_CAP_BANK = 1 << 6,
    SHL_CAP_MIDI_IN = 1 << 7,
    SHL_CAP_MIDI_OUT = 1 << 8,
    SHL_CAP_SYSEX_IN = 1 << 9,
    SHL_CAP_SYSEX_OUT = 1 << 10,
    SHL_CAP_DETUNE = 1 << 11, /* reads the pitch attribute of MIDI 2.0 notes */
    SHL_CAP_TRANSPORT_IN = 1 << 12,
    SHL_CAP_TRANSPORT_OUT = 1 << 13,
    SHL_CAP_BYPASS = 1 << 14,
    SHL_CAP_TAIL = 1 << 15,
    SHL_CAP_RESET = 1 << 16,
    SHL_CAP_OFFLINE = 1 << 17,
    SHL_CAP_LATENCY = 1 << 18,
    SHL_CAP_BUSSES = 1 << 19,
    SHL_CAP_EDITOR = 1 << 20,
    SHL_CAP_RESIZABLE = 1 << 21,
    SHL_CAP_SPAWN = 1 << 22,
    SHL_CAP_QUIT = 1 << 23,
    SHL_CAP_CAN_DO = 1 << 24,
    SHL_CAP_VENDOR = 1 << 25,
    SHL_CAP_SYNTH = 1 << 26, /* makes sound from notes alone */
    /* runs at its host's sample rate, whatever it says of its own */
    SHL_CAP_ANY_RATE = 1 << 27,
    SHL_CAP_COUNT = 28
};

/** Name of capability bit n (0 to SHL_CAP_COUNT - 1): "midi_in". [any] */
const char *shl_capability_name(uint32_t bit);
/** "lockstep", "pipelined", "free"; "both", "audio", "midi"; "free", "busy",
 * "stale", "starting". [any] */
const char *shl_drive_name(uint32_t drive);
const char *shl_mode_name(uint32_t mode);
const char *shl_state_name(enum shl_device_state state);

/** A device as the board shows it: a checked copy, all texts terminated. */
struct shl_device_info {
    char id[SHL_ID_SIZE]; /* "MySynth:0" */
    char vendor[SHL_TEXT_SIZE];
    char category[SHL_WORD_SIZE];
    char version[SHL_WORD_SIZE];
    char tag[SHL_TAG_SIZE]; /* of its present or last host; "" for none */
    uint32_t pid;
    uint32_t in_channels;  /* host to device */
    uint32_t out_channels; /* device to host */
    double rate_hz;
    uint32_t block_frames;
    uint32_t quantum;
    uint32_t latency_frames;
    uint32_t param_count;
    uint32_t tap_count;
    uint32_t modes;  /* enum shl_mode, or-ed */
    uint32_t drives; /* enum shl_drive, or-ed */
    uint64_t capabilities;
    enum shl_device_state state;
    uint32_t host_pid; /* 0: never claimed, or free */
    uint32_t mode;     /* of its present claim; 0: none */
    char segment[SHL_SEGMENT_NAME_SIZE];
    char wire[16]; /* of a link: "shm 1.2", "maolan 3"; "" where none is open */
};

typedef struct shl_registry shl_registry;

/** Open the board, creating it if there is none. `name`: separate set-up, NULL
 * for the variable SHMLINK_REGISTRY, "" for the user's own board. SHL_BAD_NAME
 * unless it is 1 to 12 of a-z, A-Z, 0-9 (or ""), and not 12 of 0-9, a-f: those
 * are names of segments. [control] */
shl_status shl_registry_open(const char *name, shl_registry **registry,
                             struct shl_why *why);
void shl_registry_close(shl_registry *registry);

/** Copy every live device, in slot order, at most `max`; clear the dead. *count
 * gets how many there are. [control] */
shl_status shl_registry_scan(shl_registry *registry,
                             struct shl_device_info *info, uint32_t max,
                             uint32_t *count);

/** The device that a host asking for `id` would get: exact id, `Name` for the
 * first free device of that name, `*` for the first free one at all; _ matches
 * a space. The lowest number comes first, for `*` the first slot. If only busy
 * ones match: SHL_BUSY and the first of them; SHL_AGAIN and the first of them
 * if it is just starting. [control] */
shl_status shl_registry_find(shl_registry *registry, const char *id,
                             struct shl_device_info *info);

/** The device that remembers this tag; otherwise as above. [control] */
shl_status shl_registry_find_tag(shl_registry *registry, const char *tag,
                                 struct shl_device_info *info);

/** The device that a host with this tag (NULL or "": none) asking for `id`
 * would get: the one that remembers the tag, otherwise by id. By a name without
 * a number, or *, devices that remember another tag are passed over: theirs may
 * be the host that comes next. If it gets none, `why` (may be NULL) says so.
 * Statuses as shl_registry_find. [control] */
shl_status shl_registry_find_for(shl_registry *registry, const char *id,
                                 const char *tag, struct shl_device_info *info,
                                 struct shl_why *why);

/** Clear dead slots and segments without one; *count gets how many. Segments
 * that dead hosts made for plugin programs go too, uncounted. [control] */
shl_status shl_registry_clean(shl_registry *registry, uint32_t *count);

/** One sentence: whether a host asking for `id` would get it, and if not why
 * and what to do. [control] */
void shl_registry_why(shl_registry *registry, const char *id, char *text,
                      size_t size);

#ifdef __cplusplus
}
#endif
#endif
