/* SPDX-License-Identifier: MIT */
/* The role of a Maolan plugin host: a DAW has started this program, made the
 * segment, and wakes it by a pipe. One byte is one unit of work, a block or a
 * request, and gets one byte back.
 *
 *     while ((status = shl_plugin_host_wait(serve, 100, &work)) != SHL_GONE) {
 *         if (status == SHL_OK && work.kind == SHL_WORK_BLOCK) {
 *             while (shl_plugin_host_event(serve, &event)) ...
 *             ... work.block.in, work.block.out ...
 *             shl_plugin_host_done(serve);
 *         } else if (status == SHL_OK) {
 *             ... work.request ...
 *             shl_plugin_host_answer(serve, SHL_OK);
 *         }
 *     }
 *
 * Protocol numbers 3 to 8. What the DAW wrote is loaded once, checked, used. */
#ifndef SHL_PLUGIN_HOST_H
#define SHL_PLUGIN_HOST_H

#include "block.h"
#include "event.h"
#include "param.h"
#include "realtime.h"
#include "scratchpad.h"
#include "system.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct shl_plugin_host shl_plugin_host;

struct shl_plugin_host_options {
    const char *segment; /* "/maolan-4711-clap-4711-0" */
    int doorbell;        /* descriptor to read bytes from */
    int answer;          /* descriptor to write bytes to */
    int alone;           /* 1: close every other end of these two pipes that
                            this process was given */
};

/** What a program tells before it is ready. */
struct shl_plugin_host_about {
    const char *name;             /* up to 65532 bytes of it are told */
    uint32_t audio_in, audio_out; /* channels */
    uint32_t midi_in, midi_out;   /* ports */
    uint32_t any_channels;        /* 1: takes what it gets; tells no counts */
    uint32_t latency_frames;
    double rate_hz; /* at which it runs */
};

enum shl_work_kind { SHL_WORK_BLOCK, SHL_WORK_REQUEST };

/** One unit of work. */
struct shl_work {
    uint32_t kind; /* enum shl_work_kind */
    /* SHL_MAX_CHANNELS planes each way, of which the DAW uses so many: of the
     * others inputs are silence and outputs go nowhere. 0 frames: only
     * events. */
    struct shl_block block;
    uint32_t in_channels, out_channels;
    uint32_t midi_in_ports, midi_out_ports;
    struct shl_plugin_host_request request;
};

/** Open and check what the DAW has made. `why` (may be NULL) has the sentence.
 * SHL_BAD_VALUE: the descriptors are no pipes of these directions. The segment:
 * SHL_NOT_FOUND, SHL_FOREIGN, SHL_CUT, SHL_WRONG_VERSION, SHL_NO_... SIGPIPE is
 * ignored from here on if it was at its default. [control] */
shl_status shl_plugin_host_open(const struct shl_plugin_host_options *options,
                                shl_plugin_host **plugin_host,
                                struct shl_why *why);

/** Let go of everything. The name stays: it is the DAW's. NULL is fine.
 * [control] */
void shl_plugin_host_close(shl_plugin_host *plugin_host);

/** Number of the protocol that the DAW speaks: 3 to 8. [any] */
uint32_t shl_plugin_host_version(const shl_plugin_host *plugin_host);

/** Sample rate that the DAW has filled in, or 0: it has not. [control] */
double shl_plugin_host_rate(const shl_plugin_host *plugin_host);

/** Channels that the DAW has asked for before the start, at most
 * SHL_MAX_CHANNELS; 0: it has not. [control] */
void shl_plugin_host_get_channels(const shl_plugin_host *plugin_host,
                                  uint32_t *inputs, uint32_t *outputs);

/** The DAW's segment if it has room for a link area that nobody has filled yet:
 * a name for shl_device_options; else NULL. Such a DAW prefers a link: be a
 * device, and keep shl_plugin_host_idle for its wish to end. [control] */
const char *shl_plugin_host_area(const shl_plugin_host *plugin_host);

/** Tell name, counts and latency; then the DAW is told that all is there.
 * [control] */
void shl_plugin_host_ready(shl_plugin_host *plugin_host,
                           const struct shl_plugin_host_about *about);

/** Put one word into the scratch area before ready: what the format __test__
 * does. [control] */
void shl_plugin_host_mark(shl_plugin_host *plugin_host, uint32_t word);

/** Count on: the one sign of life that this protocol has. wait does it, too.
 * [any] */
SHL_RT void shl_plugin_host_beat(shl_plugin_host *plugin_host);

/** Wait for work, at most timeout_ms. SHL_OK: *work is filled; end a block with
 * shl_plugin_host_done, a request with shl_plugin_host_answer. SHL_TIMEOUT:
 * nothing came. SHL_GONE: the DAW asks us to leave, or is gone itself.
 * SHL_BAD_PEER: somebody has cut the segment. [audio] No system calls but poll
 * and a read. */
SHL_RT shl_status shl_plugin_host_wait(shl_plugin_host *plugin_host,
                                       uint32_t timeout_ms,
                                       struct shl_work *work);

/** As wait, but what comes is neither taken nor answered: SHL_OK, a byte came.
 * What the format __test__ does. [audio] */
SHL_RT shl_status shl_plugin_host_idle(shl_plugin_host *plugin_host,
                                       uint32_t timeout_ms);

/* ---- blocks ---- */

/** Next event of this block, in order of time; 0 when there is none. Its place
 * is event->frame - block.frame, always inside the block. [audio] */
SHL_RT int shl_plugin_host_event(shl_plugin_host *plugin_host,
                                 struct shl_event *event);

/** Tell the DAW: MIDI, or a parameter that changed by itself. event->frame from
 * block.frame on. SHL_RING_FULL, SHL_UNSUPPORTED (SysEx, a port that the DAW
 * has not): counted. Between wait and done. [audio] */
SHL_RT shl_status shl_plugin_host_send(shl_plugin_host *plugin_host,
                                       const struct shl_event *event);

/** Latency from now on. [audio] */
SHL_RT void shl_plugin_host_set_latency(shl_plugin_host *plugin_host,
                                        uint32_t frames);

/** Answer the block. [audio] One write of one byte, which never waits. */
SHL_RT void shl_plugin_host_done(shl_plugin_host *plugin_host);

/** The state has changed: saving it gives other bytes. [any] */
void shl_plugin_host_dirty(shl_plugin_host *plugin_host);

/* ---- requests: by any thread, while the one that waited does not ---- */

/** Where the answer to the request at hand is written. [control] */
shl_scratchpad *shl_plugin_host_pad(shl_plugin_host *plugin_host);

/** Answer the request: the result, success or error, free the slot, and a byte
 * where this type has one. Takes as long as a DAW needs to begin its waiting, 2
 * ms at most. [control] */
SHL_RT void shl_plugin_host_answer(shl_plugin_host *plugin_host,
                                   shl_status status);

struct shl_plugin_host_stats {
    uint64_t blocks, requests;
    uint64_t unanswered; /* bytes that found the pipe full */
    uint64_t events_bad, events_moved, events_dropped;
    uint64_t rings_restarted; /* an index that could not be */
};

/** Counted since it was opened. [audio] */
SHL_RT void shl_plugin_host_get_stats(const shl_plugin_host *plugin_host,
                                      struct shl_plugin_host_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
