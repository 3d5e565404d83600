/* SPDX-License-Identifier: MIT */
/* The device role: announce, hear, sound, answer. A device is one object, used
 * by one thread at a time; a small keeper thread of its own watches board and
 * host, makes claims ready, and never touches audio.
 *
 *     while ((status = shl_device_wait(device, 100, &block)) != SHL_BAD_PEER) {
 *         if (status)
 *             continue;
 *         while (shl_device_event(device, &event)) ...
 *         ... block.in, block.out ...
 *         shl_device_done(device);
 *     }
 *
 * A device with a clock of its own calls shl_device_begin instead, once per block
 * of that clock, see there. */
#ifndef SHL_DEVICE_H
#define SHL_DEVICE_H

#include "block.h"
#include "event.h"
#include "message.h"
#include "monitor.h"
#include "param.h"
#include "realtime.h"
#include "registry.h"
#include "resampler.h"
#include "system.h"
#include "tap.h"
#include "transport.h"

#ifdef __cplusplus
extern "C" {
#endif

struct shl_device_options {
    const char *registry; /* as shl_registry_open takes it; NULL: default */
    const char *id;       /* "MySynth": next free number; "MySynth:3": that */
    const char *vendor, *category, *version; /* NULL: "" */
    const char *tag;       /* remembered from an earlier life, or NULL */
    uint32_t in_channels;  /* 0 to SHL_MAX_CHANNELS, host to device */
    uint32_t out_channels; /* 0 to SHL_MAX_CHANNELS, device to host */
    double rate_hz;
    uint32_t block_frames; /* its usual block, 1 to SHL_MAX_FRAMES; takes any */
    uint32_t quantum; /* takes whole multiples of this alone; 0 or 1: any */
    uint32_t latency_frames;
    uint64_t capabilities; /* enum shl_capability, or-ed */
    uint32_t drives;       /* enum shl_drive, or-ed; 0: lockstep, pipelined */
    uint32_t modes;        /* enum shl_mode, or-ed; 0: all three */
    /* of the free drive: what hosts of another rate or clock are read with, or
     * NULL; and the clock of links within this process, see shl_host_options */
    const struct shl_resampler *resampler;
    SHL_RT uint64_t (*clock_ns)(void);
    uint32_t burst_frames; /* that blocks begin late, as far as is known: its
                              program computes several at once */
    const struct shl_param *params; /* copied */
    uint32_t param_count;           /* 0 to SHL_MAX_PARAMS */
    const struct shl_tap *taps;     /* copied */
    uint32_t tap_count;             /* 0 to SHL_MAX_TAPS */
    const char *segment; /* NULL: one of its own, announced on the board. Else
                            the name of one that a DAW has made with room for a
                            link area, for that DAW alone; `id` is taken as it
                            is, with its number */
    int keep_priority;   /* 1: the audio thread's is nobody else's matter */
};

typedef struct shl_device shl_device;

/** Who has claimed the device. */
struct shl_host_info {
    uint32_t pid;
    char tag[SHL_TAG_SIZE];
    double rate_hz;
    uint32_t block_frames;
    uint32_t in_channels, out_channels;
    uint32_t drive;   /* enum shl_drive */
    uint32_t mode;    /* enum shl_mode */
    uint32_t renders; /* 1: waits for each block as long as it takes */
};

/** Announce a device; hosts can claim it at once. On failure nothing is left
 * behind and `why` (may be NULL) has the sentence. SHL_BAD_NAME, SHL_TAKEN,
 * SHL_BOARD_FULL, SHL_NO_SPACE, SHL_WRONG_CHANNELS, SHL_WRONG_BLOCK,
 * SHL_BAD_VALUE, SHL_NO_... [control] */
shl_status shl_device_open(const struct shl_device_options *options,
                           shl_device **device, struct shl_why *why);

/** Leave: the host is told by bye, the claim ends, slot and segment go. NULL is
 * fine. [control] */
void shl_device_close(shl_device *device);

/** The id it got: "MySynth:0". Valid until close. [any] */
const char *shl_device_id(const shl_device *device);

/** Name of its shared memory object. [any] */
const char *shl_device_segment(const shl_device *device);

/** Wait for a block, at most timeout_ms. SHL_OK: *block is filled, call
 * shl_device_done after it. SHL_TIMEOUT: nothing came. SHL_BAD_PEER: somebody
 * cut or overwrote the segment; close, open again. When a claim ends, one block
 * of 0 frames brings the note offs, pedals and wheels that its host left.
 * SHL_WRONG_DRIVE: the host that has claimed us wants the free drive, see
 * shl_device_begin. [audio] No system call but the wait, and those of a new
 * claim. */
SHL_RT shl_status shl_device_wait(shl_device *device, uint32_t timeout_ms,
                                  struct shl_block *block);

/** Begin a block of the device's own clock: 1 to SHL_MAX_FRAMES frames, once per
 * block, whether or not there is a host; waits for nothing. Without a host `in`
 * is silence and what is in `out` is heard by nobody. Hosts come by the free
 * drive, which the device must offer. SHL_OK: call shl_device_done after it;
 * block->frame counts what the device plays for this host. SHL_WRONG_DRIVE: the
 * host that has claimed us wants to be waited for, see shl_device_wait.
 * SHL_WRONG_BLOCK, SHL_BAD_PEER. When a claim ends, the next block brings the
 * note offs, pedals and wheels that its host left. [audio] No system call, but
 * when a claim begins. */
SHL_RT shl_status shl_device_begin(shl_device *device, uint32_t frames,
                                   struct shl_block *block);

/** Next event of this block, in order of time; 0 when there is none. Its place
 * is event->frame - block.frame, always inside the block. Values of parameters
 * are kept for hosts that ask. One of kind SHL_EVENT_PLAYHEAD says that from its
 * place on the transport is another, see shl_device_transport; what changes at
 * the first sample is in the block. [audio] */
SHL_RT int shl_device_event(shl_device *device, struct shl_event *event);

/** The transport at the last event of kind SHL_EVENT_PLAYHEAD. [audio] */
SHL_RT struct shl_transport shl_device_transport(const shl_device *device);

/** Tell the host: MIDI, or a parameter that changed by itself. event->frame
 * from block.frame on; goes out with shl_device_done. SHL_RING_FULL (counted),
 * SHL_NO_DEVICE when nobody has claimed it: parameters are kept all the same.
 * SHL_UNSUPPORTED: MIDI in mode audio (counted). Between wait and done. [audio]
 */
SHL_RT shl_status shl_device_send(shl_device *device,
                                  const struct shl_event *event);

/** A parameter has a value that the host itself has asked for, by a message or
 * a program: kept for hosts that ask, told to nobody. SHL_NOT_FOUND. [audio] */
SHL_RT shl_status shl_device_keep(shl_device *device, uint32_t id,
                                  double value);

/** Answer the block. [audio] One system call if the host sleeps; none in the
 * free drive. */
SHL_RT void shl_device_done(shl_device *device);

/** Have a wait for a block end with SHL_TIMEOUT, now or when it begins: there
 * is something else to do. [any control thread of the device] */
void shl_device_wake(shl_device *device);

/** Whether a host holds the claim now, and who. [any thread of the device] */
int shl_device_claimed(const shl_device *device, struct shl_host_info *info);

/** While a realtime host has claimed the device, the thread that waits for its
 * blocks runs one step below the host's, unless it is realtime already. SHL_OK:
 * so it does; SHL_AGAIN: there is no need; SHL_NO_PERMISSION, SHL_BAD_VALUE: it
 * was refused, and the host is told in a log message. [any thread of the
 * device] */
shl_status shl_device_get_priority(const shl_device *device);

/** The tag it remembers: what to store for the next life. [control] */
void shl_device_get_tag(const shl_device *device, char tag[SHL_TAG_SIZE]);

/** Change the latency it states. [audio] */
SHL_RT void shl_device_set_latency(shl_device *device, uint32_t frames);

/* ---- messages ----
 *
 * They travel beside the audio and have no place in its time. A thread of the
 * device's own takes them as they come, also while no block is waited for; the
 * handler runs on it. Everything here may be called by any control thread, and
 * by the handler. */

/** Show what hosts say to this handler; what it does not handle (returns 0) is
 * answered by a built-in one, which also answers each ping, whatever the
 * handler does. NULL takes it away. A handler that was replaced may just be
 * running: its arg must stay until the device is closed. SHL_NO_MEMORY.
 * [control] */
shl_status shl_device_on_message(shl_device *device,
                                 shl_message_handler handler, void *arg);

/** Answer a request that asks, now or later; the bytes are copied, at most
 * SHL_MAX_PAYLOAD. SHL_NO_DEVICE: no host has claimed us; SHL_RING_FULL: 192 MiB
 * wait already; SHL_BAD_VALUE, SHL_NO_MEMORY. [control] */
shl_status shl_device_reply(shl_device *device, uint32_t request,
                            const void *bytes, uint32_t size);

/** Answer it with an error. `text` NULL: the sentence of the status.
 * [control] */
shl_status shl_device_refuse(shl_device *device, uint32_t request,
                             shl_status status, const char *text);

/** Say something unasked: SHL_MESSAGE_LOG and others. As shl_device_reply.
 * [control] */
shl_status shl_device_post(shl_device *device, uint32_t type, const void *bytes,
                           uint32_t size);

/** Have somebody look on, or NULL. The struct must stay until the device is
 * closed. [control] */
void shl_device_set_monitor(shl_device *device,
                            const struct shl_monitor *monitor);

struct shl_device_stats {
    uint64_t blocks, events_dropped, events_raised, events_bad;
    uint64_t events_excluded; /* MIDI that the mode does not carry */
    uint64_t missed; /* free drive: blocks of which the host sent nothing */
};

/** Counted since it was opened. [audio] */
SHL_RT void shl_device_get_stats(const shl_device *device,
                                 struct shl_device_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
