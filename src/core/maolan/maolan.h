/* SPDX-License-Identifier: MIT */
/* The Maolan part of a mapped segment as either side uses it: words of the
 * header, blocks, transport, and the rings of parameters, echoes and MIDI, by a
 * row of the table of layouts. Slots become events and back here, and nowhere
 * else. What the peer wrote is loaded once, checked, used; what was wrong with
 * it is counted. Scratch is scratch.h's matter, wake-ups are the pipes'.
 *
 * One thread per side. No system calls. */
#ifndef SHL_MAOLAN_H
#define SHL_MAOLAN_H

#include "core/shm/layout.h"
#include "core/shm/ring.h"
#include "shmlink/event.h"
#include "shmlink/realtime.h"
#include "shmlink/transport.h"

enum shl_maolan_side {
    SHL_MAOLAN_DAW,   /* made the segment, rings the doorbell */
    SHL_MAOLAN_PLUGIN /* the plugin host: answers it */
};

/** Numbers of the request slot. */
enum shl_maolan_request {
    SHL_MAOLAN_STATE_SAVE = 1,
    SHL_MAOLAN_STATE_RESTORE,
    SHL_MAOLAN_GUI_SHOW, /* these two are answered without a byte */
    SHL_MAOLAN_GUI_HIDE,
    SHL_MAOLAN_RESOURCE_DIR,
    SHL_MAOLAN_FILE_LIST,
    SHL_MAOLAN_FILE_UPDATE,
    SHL_MAOLAN_LV2_CONTROLS,
    SHL_MAOLAN_CLAP_PARAMS,
    SHL_MAOLAN_LV2_NOTES,
    SHL_MAOLAN_CLAP_NOTES,
    SHL_MAOLAN_AUDIO_PORTS,
    SHL_MAOLAN_AU_PARAMS,
    SHL_MAOLAN_REQUESTS,
    /* from number 7 on */
    SHL_MAOLAN_COLLECT = 6,
    SHL_MAOLAN_RESOURCE_FILES = 7
};

/** What the peer did that it should not have, and what did not fit. */
struct shl_maolan_counts {
    uint64_t restarted; /* rings whose index could not be: begun anew */
    uint64_t bad;       /* slots refused: no MIDI 1.0 channel or system message,
                           a value that is no number, an unknown kind */
    uint64_t moved;     /* offsets behind the block: moved to its last frame */
    uint64_t full;      /* events that found their ring full */
    uint64_t unfit;     /* events with no form here: SysEx, a port too high */
};

/** One ring, and the first of its slots as an event: for taking in order. */
struct shl_maolan_source {
    struct shl_ring ring;
    uint32_t budget; /* slots that may still be taken in this block */
    bool popped;     /* slots, and not given back yet */
    bool there;      /* head and offset are the next one */
    uint32_t offset;
    struct shl_event head;
};

/** Parameters or echoes, then MIDI by port. */
#define SHL_MAOLAN_RINGS (1u + SHL_MAX_MIDI_PORTS)

struct shl_maolan {
    uint8_t *base;
    const struct shl_maolan_layout *layout;
    /* ports in use, at most layout->midi_ports, which is what they begin as */
    uint32_t ports_out, ports_in;
    struct shl_ring to[SHL_MAOLAN_RINGS];
    struct shl_maolan_source from[SHL_MAOLAN_RINGS];
    uint32_t unshown; /* bit n: ring n of `to` has slots to publish */
    uint32_t frames;  /* of the block whose events are taken */
    struct shl_maolan_counts counts;
};

/** DAW: write magic and version into a zeroed segment, and the rate where a
 * host of either layout looks for it. */
void shl_maolan_format(uint8_t *base, uint32_t version, double rate_hz);

/** DAW, once the layout of the peer is known and before the first block: take
 * away the rate that was written for the other one. */
void shl_maolan_settle(uint8_t *base, const struct shl_maolan_layout *layout);

/** Plugin host: SHL_CUT: shorter than a segment; SHL_FOREIGN: another magic;
 * SHL_WRONG_VERSION: *version is one that we do not speak. */
shl_status shl_maolan_recognise(const uint8_t *base, size_t size,
                                uint32_t *version,
                                const struct shl_maolan_layout **layout);

/** DAW: which layout the peer writes, by what it left behind at its start (the
 * segment was zeroed): NULL: nothing yet that tells. */
const struct shl_maolan_layout *shl_maolan_probe(const uint8_t *base);

/** Use a mapped segment of SHL_MAOLAN_SIZE bytes from one side, at the present
 * indices. */
void shl_maolan_init(struct shl_maolan *maolan, uint8_t *base,
                     const struct shl_maolan_layout *layout,
                     enum shl_maolan_side side);

/** A word by its offset in the row: acquire load, release store. One that the
 * layout lacks reads 0 and is not written. [audio] */
SHL_RT uint32_t shl_maolan_load(const struct shl_maolan *maolan,
                                uint32_t offset);
SHL_RT void shl_maolan_store(struct shl_maolan *maolan, uint32_t offset,
                             uint32_t value);
/** Take what is there and leave `value`. */
SHL_RT uint32_t shl_maolan_swap(struct shl_maolan *maolan, uint32_t offset,
                                uint32_t value);
/** Store `value` if the word is still `seen`. */
SHL_RT bool shl_maolan_change(struct shl_maolan *maolan, uint32_t offset,
                              uint32_t seen, uint32_t value);

/** Plane of a channel on a bus, NULL outside of the audio area. [audio] */
SHL_RT static inline float *shl_maolan_plane(const struct shl_maolan *maolan,
                                             uint32_t channel, uint32_t bus)
{
    if (channel >= SHL_MAX_CHANNELS || bus >= SHL_BUSES)
        return NULL;
    return (float *)(void *)(maolan->base + shl_plane_offset(channel, bus));
}

/** What the DAW says of a block. */
struct shl_maolan_block {
    uint32_t frames; /* 0: nothing to play (also for one that cannot be) */
    uint32_t in_channels, out_channels;
    uint32_t midi_in_ports, midi_out_ports;
};

/** Write: clipped to what the segment can hold. Read: likewise. [audio] */
SHL_RT void shl_maolan_block_write(struct shl_maolan *maolan,
                                   const struct shl_maolan_block *block);
SHL_RT void shl_maolan_block_read(const struct shl_maolan *maolan,
                                  struct shl_maolan_block *block);

/** The transport block at `at`. What makes no sense is read as the default one
 * at `rate_hz`. [audio] */
SHL_RT void shl_maolan_transport_write(uint8_t *at,
                                       const struct shl_transport *transport);
SHL_RT struct shl_transport shl_maolan_transport_read(const uint8_t *at,
                                                      double rate_hz);

/* ---- events to the peer ---- */

/** Put an event into its ring, `offset` frames into the block: parameters into
 * the parameter or echo ring, MIDI into the ring of its port. Not seen before
 * shl_maolan_show. SHL_RING_FULL, SHL_UNSUPPORTED (no form here, no such port),
 * both counted. [audio] */
SHL_RT shl_status shl_maolan_send(struct shl_maolan *maolan,
                                  const struct shl_event *event,
                                  uint32_t offset);

/** Let the peer see what was sent. Once per block, before the byte. [audio] */
SHL_RT void shl_maolan_show(struct shl_maolan *maolan);

/* ---- events from the peer ---- */

/** Begin to take what is there now, for a block of so many frames; at most what
 * a ring can hold. [audio] */
SHL_RT void shl_maolan_begin(struct shl_maolan *maolan, uint32_t frames);

/** The next event and its offset, in order of offset over all rings (where the
 * peer wrote each of them in order). event->frame is 0. False: that was the
 * last; the slots are the peer's again. [audio] */
SHL_RT bool shl_maolan_take(struct shl_maolan *maolan, struct shl_event *event,
                            uint32_t *offset);

#endif
