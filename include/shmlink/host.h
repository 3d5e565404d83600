/* SPDX-License-Identifier: MIT */
/* The host role: find a device, claim it, play it, hear it; wait for it when
 * it is not there, link again when it returns. A host is one object, used by
 * one thread at a time (in Pd the scheduler's): [audio] functions make no
 * system call but the wake-up and the bounded wait, [control] ones may.
 *
 *     shl_host_open(host, "MySynth:0", 5000);
 *     shl_host_send(host, &event, offset);
 *     shl_host_process(host, in, out, frames);
 *     while (shl_host_event(host, &event, &offset)) ...
 *     shl_host_poll(host);    now and then
 */
#ifndef SHL_HOST_H
#define SHL_HOST_H

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

/** What is heard instead of a block that did not come. */
enum shl_host_onloss {
    SHL_HOST_FADE, /* to 0 over min(block, 128) frames, then silence */
    SHL_HOST_SILENCE,
    SHL_HOST_DRY, /* the inputs */
    SHL_HOST_HOLD /* the last sample */
};

struct shl_host_options {
    const char *registry;  /* as shl_registry_open takes it; NULL: default */
    uint32_t in_channels;  /* 0 to SHL_MAX_CHANNELS, what process() is given */
    uint32_t out_channels; /* 0 to SHL_MAX_CHANNELS, what process() fills */
    double rate_hz;
    uint32_t block_frames;   /* usual block */
    uint32_t reblock_frames; /* of the blocks exchanged with the device, 1 to
                                SHL_MAX_FRAMES; 0: the host's own, or what a
                                device that takes no other asks for. Not in the
                                free drive */
    uint32_t drive; /* enum shl_drive, see shl_host_drive; 0: lockstep if
                                the device can, else what it can */
    uint32_t mode;  /* one of enum shl_mode; 0: SHL_MODE_BOTH */
    uint32_t
        deadline_ms; /* 0: half a block, at least 1 ms; see shl_host_set_slack */
    enum shl_host_onloss onloss;
    int batch; /* rendering: the deadline is 30 s */
    /* of the free drive */
    uint32_t latency_frames; /* of each direction; 0: twice the larger block, at
                                least 10 ms, and as much as the blocks of both
                                sides come late. Raised when that was too
                                little, see SHL_NOTICE_LATENCY */
    uint32_t burst_frames;   /* that blocks of this host come late, as far as is
                                known: its program computes several at once */
    const struct shl_resampler *resampler; /* for other clocks; NULL: none */
    int resample; /* 1: take a device of another rate, if there is a resampler */
    /** Nanoseconds of a clock that host and device read in links within this
     * process, which then have the free drive whatever was asked for: both give
     * the same, when one thread runs both in its own time. NULL: none. */
    SHL_RT uint64_t (*clock_ns)(void);
    int clock_exact; /* 1: no block is ever late by it: if a time is not the one
                        expected, the clock has gone on without us */
};

typedef struct shl_host shl_host;

/** [control] SHL_BAD_VALUE, SHL_WRONG_CHANNELS, SHL_WRONG_BLOCK,
 * SHL_WRONG_DRIVE, SHL_WRONG_MODE, SHL_NO_MEMORY. */
shl_status shl_host_new(const struct shl_host_options *options,
                        shl_host **host);
/** Releases the claim. NULL is fine. [control] */
void shl_host_free(shl_host *host);

/** Want a device: "MySynth:0", "MySynth", "*". Links now if it can, else keeps
 * looking in shl_host_poll; waits for it at most wait_ms (0 in live use).
 * SHL_OK: linked (the claim may still be unanswered, see shl_host_linked).
 * Otherwise the reason, with a sentence in shl_host_why; all but SHL_BAD_NAME
 * keep looking. An earlier link is given up first. [control] */
shl_status shl_host_open(shl_host *host, const char *id, uint32_t wait_ms);

struct shl_host_program {
    const char *plugin;  /* "clap:/path/file.clap::id", "lv2:URI", "null:" */
    const char *program; /* that runs it, a path or a name; NULL: the one that
                            SHMLINK_PLUGIN_HOST or MAOLAN_PLUGIN_HOST names,
                            shmplug beside this code, or one from PATH */
    uint32_t protocol;   /* Maolan 3 to 8; 0: whatever it understands */
    int again;           /* start it again when it has crashed, with its state:
                            at once; one that dies before a second of audio
                            after 0.5, 1 and 2 s, then no more */
    uint32_t patience_s; /* until it must be ready, at most SHL_PATIENCE_MOST;
                            0: 10 */
};

#define SHL_PATIENCE_MOST 3600u

/** Start a program that runs a plugin, and want it as if it were a device: see
 * shl_host_open. SHL_AGAIN: it is starting, which takes 10 s at most, or as long
 * as is said; failures are told once and end the wish's looking. It ends with
 * shl_host_close, the next open, and the host. SHL_BAD_NAME, SHL_BAD_VALUE:
 * nothing was changed. [control] */
shl_status shl_host_spawn(shl_host *host, const struct shl_host_program *what,
                          uint32_t wait_ms);

/** How often programs of the present wish have crashed. [control] */
uint32_t shl_host_crashes(const shl_host *host);

/** Programs that this process has started and that have not ended yet, those
 * of closed links included. [any] */
uint32_t shl_host_programs(void);

/** Give up the link and the wish, and tell the device by bye. It goes on, a
 * program that we started ends, without anybody waiting for it. [control] */
void shl_host_close(shl_host *host);

/** The link tag for the present and later links; "" for none. With a tag the
 * device that remembers it is looked for first, and one that remembers another is
 * taken only by its number: see shl_registry_find_for. SHL_BAD_NAME. [control] */
shl_status shl_host_set_tag(shl_host *host, const char *tag);

/** Whether an id with its number means this very device (1): somebody has just
 * asked for it, so a device that remembers our tag is not looked for. 0, as at
 * first: the tag comes first. Another wish or tag changes nothing of it.
 * [control]
 */
void shl_host_set_literal(shl_host *host, int on);

/** Rate or usual block have changed: the device must match the rate, or the
 * link is given up and looked for again; so is a free link, with either.
 * [control] */
shl_status shl_host_setup(shl_host *host, double rate_hz,
                          uint32_t block_frames);

/** How long to wait for a block, at most 1000 ms; 0: half a block, at least
 * 1 ms, and the slack. What is heard when it does not come. [control] */
void shl_host_set_deadline(shl_host *host, uint32_t ms);
void shl_host_set_onloss(shl_host *host, enum shl_host_onloss onloss);

/** Who has blocks in store (a buffer of audio behind the host) can wait longer
 * than half a block now and then. slack_us(arg) says how long a wait that begins
 * now may be beyond that, in microseconds; no more than the store can do without,
 * less after a wait than before, and at most 100 ms count. It is asked on the
 * audio thread, only when a block is not there after a short look. Without effect
 * on a deadline that was chosen, and on rendering. NULL: none. [control] */
void shl_host_set_slack(shl_host *host, SHL_RT uint32_t (*slack_us)(void *arg),
                        void *arg);

/** Link, notice a dead device, send what waits while no audio runs. Call every
 * 5 to 100 ms. [control] */
void shl_host_poll(shl_host *host);

/** Send what waits now: for a host that knows that no block will come soon.
 * [control] */
void shl_host_flush(shl_host *host);

/** Whether the device is through with all events sent so far; 1 without a
 * link. What is asked then is asked after them. [control] */
int shl_host_heard(const shl_host *host);

enum shl_notice_kind {
    SHL_NOTICE_OPEN = 1, /* linked and accepted */
    SHL_NOTICE_REFUSED,  /* status says why; it keeps looking */
    SHL_NOTICE_GONE,     /* the device left, see reason; it keeps looking */
    SHL_NOTICE_STALLED,  /* value: blocks missed in a row */
    SHL_NOTICE_RESUMED,  /* value: blocks lost */
    SHL_NOTICE_XRUN,     /* value: blocks missed since the link began. In the
                            free drive also the times that frames were missing
                            for the device; detail[0]: latency_frames that
                            would have done, where too few were asked for */
    SHL_NOTICE_LATENCY,  /* value: frames */
    /* of programs that we started */
    SHL_NOTICE_CRASH, /* detail: pid, signal or 0, exit code; value: 1: no other
                         is started, see shl_host_why */
    SHL_NOTICE_STARTING, /* each 2 s. value: seconds; detail: pid, how many it
                            has */
    SHL_NOTICE_MISFIT,   /* its protocol number is another than was said: see
                          shl_host_why */
    SHL_NOTICE_DIRTY,    /* its state has changed by itself */
    SHL_NOTICE_PORTS     /* detail: audio in, audio out, MIDI in, MIDI out */
};

struct shl_notice {
    enum shl_notice_kind kind;
    shl_status status;
    uint64_t value;
    char id[SHL_ID_SIZE];
    uint32_t detail[4];
    char reason[SHL_TEXT_SIZE]; /* gone: what the device said; "": nothing */
};

/** What has happened, oldest first; 0 when there is nothing. [control] */
int shl_host_notice(shl_host *host, struct shl_notice *notice);

/* ---- audio ---- */

/** One block: send `in`, fill `out`. What does not come in time is replaced
 * and counted. `in` and `out` planes may be the same memory, also crosswise.
 * @param frames 1 to SHL_MAX_FRAMES.
 * @return 1 if the audio came from the device. [audio] */
SHL_RT int shl_host_process(shl_host *host, const float *const *in,
                            float *const *out, uint32_t frames);

/** Send an event with the next block, `offset` frames into it (event->frame is
 * ignored). In order of offset. SHL_NO_DEVICE, SHL_RING_FULL (counted),
 * SHL_UNSUPPORTED (by capability; MIDI in mode audio, counted), SHL_BAD_VALUE.
 * [audio] */
SHL_RT shl_status shl_host_send(shl_host *host, const struct shl_event *event,
                                uint32_t offset);

/** Next event from the device; *offset is its place in the block that was
 * played last (0 if none was). Returns 0 when there is none. [audio] */
SHL_RT int shl_host_event(shl_host *host, struct shl_event *event,
                          uint32_t *offset);

/** End everything that sounds: held notes, pedals, wheels, then all sound off
 * on the channels used. [audio] */
SHL_RT shl_status shl_host_panic(shl_host *host);

/** 0 off, 1 hard: inputs to outputs after a crossfade, 2 soft: the device
 * hears silence and rings out over the dry inputs. [audio] */
SHL_RT void shl_host_set_bypass(shl_host *host, uint32_t mode);

/** From the sample `offset` of the next block on, the transport is another: for
 * the device too, in every drive, as if it was an event of that sample. In order
 * of offset, also with events. A plugin program without a link area gets it with
 * the first block that begins there or later. [audio] */
SHL_RT void shl_host_transport_event(shl_host *host,
                                     const struct shl_transport *transport,
                                     uint32_t offset);

/** The transport at that sample of the next block. [audio] */
SHL_RT struct shl_transport shl_host_transport_at(const shl_host *host,
                                                  uint32_t offset);

/** The transport that goes with the next block; the host advances it. [audio]
 */
SHL_RT struct shl_transport *shl_host_transport(shl_host *host);

/* ---- messages ----
 *
 * They travel beside the audio and have no place in its time. What is asked and
 * said goes out with shl_host_poll, which also calls all handlers; a handler
 * may ask and post, but not close or free the host. */

/** Ask the device. Exactly one answer follows, whatever happens: the reply, an
 * error with its sentence, SHL_TIMEOUT after timeout_ms (0: what is usual for the
 * type and the size), or SHL_GONE when the link ends. A long answer that has
 * begun to come gets a second for each MiB on top. The bytes are copied, at most
 * SHL_MAX_PAYLOAD. `handler` and `request` may be NULL. No answer follows a
 * failure: SHL_NO_DEVICE; SHL_UNSUPPORTED: the device has no messages, or it is
 * raw MIDI and the link in mode audio; SHL_RING_FULL: SHL_MAX_REQUESTS are in
 * flight, or 192 MiB wait; SHL_BAD_VALUE; SHL_NO_MEMORY. [control] */
shl_status shl_host_ask(shl_host *host, uint32_t type, const void *bytes,
                        uint32_t size, uint32_t timeout_ms,
                        shl_answer_handler handler, void *arg,
                        uint32_t *request);

/** Say something that needs no answer. As above. [control] */
shl_status shl_host_post(shl_host *host, uint32_t type, const void *bytes,
                         uint32_t size);

/** Ask for a sign of life: took_ns of the answer is the time there and back,
 * polls included. [control] */
shl_status shl_host_ping(shl_host *host, uint32_t timeout_ms,
                         shl_answer_handler handler, void *arg,
                         uint32_t *request);

/** Poll until this request has had its answer, or for timeout_ms. SHL_OK: it
 * has; SHL_TIMEOUT: not yet. [control] Blocks: not in live use. */
shl_status shl_host_await(shl_host *host, uint32_t request,
                          uint32_t timeout_ms);

/** Show what the device says unasked to this handler, or to NULL. [control] */
void shl_host_on_message(shl_host *host, shl_message_handler handler,
                         void *arg);

/** Have somebody look on, or NULL. The struct must stay until it is replaced.
 * [control] */
void shl_host_set_monitor(shl_host *host, const struct shl_monitor *monitor);

struct shl_message_stats {
    uint32_t waiting; /* requests in flight */
    uint64_t late;    /* answers after the request had ended, dropped */
    uint64_t stale;   /* messages of an earlier claim, dropped */
    uint64_t faults;  /* transfers with missing or wrong parts */
};

/** Of the present link, but `late`. [control] */
void shl_host_get_message_stats(const shl_host *host,
                                struct shl_message_stats *stats);

/* ---- what is known ---- */

/** 2: linked and accepted, 1: claimed, not answered yet, 0: no. [any] */
int shl_host_linked(const shl_host *host);

/** The drive of the present link: the one that was asked for, else free where
 * both ends are one process and the device offers it (they would wait for each
 * other), or where rates differ and `resample` is set; else the first that the
 * device offers of lockstep, pipelined, free. 0: no link. [any] */
uint32_t shl_host_drive(const shl_host *host);

/** How a link in the free drive follows the device's clock. */
struct shl_host_stream {
    const char *mode;   /* "copy": one clock; "convert": one clock, two rates;
                               "steered": two clocks, resampled; "corrected": two
                               clocks, frames dropped and doubled */
    double ratio;       /* the device's frames per frame of ours, now */
    double drift_ppm;   /* how much faster its clock runs than ours */
    double off_frames;  /* from the latency that is aimed at, estimated */
    uint64_t underruns; /* times that frames were missing */
    uint64_t silent_frames;    /* that were replaced */
    uint64_t skips;            /* times that it went to another place */
    uint64_t dropped, doubled; /* frames, "corrected" only */
    uint32_t spare_frames; /* least that was left to read, since last asked */
};

/** Of the present link; 0 if that is not in the free drive. [audio] */
SHL_RT int shl_host_get_stream(shl_host *host, struct shl_host_stream *stream);

/** The device it is linked to, as copied at linking; SHL_NO_DEVICE. [control]
 */
shl_status shl_host_get_device(const shl_host *host,
                               struct shl_device_info *info);

/** Parameter by index (0 to param_count - 1), as copied at linking; NULL when
 * there is none. Valid until the link ends. [any] */
const struct shl_param *shl_host_param(const shl_host *host, uint32_t index);
uint32_t shl_host_param_count(const shl_host *host);
/** Its plain value as last set or heard. [any] */
double shl_host_param_value(const shl_host *host, uint32_t index);
/** Take all values afresh: after a program or a state, which the device does
 * not tell event by event. [control] */
void shl_host_refresh(shl_host *host);
/** Index of an id or a name (exact, or _ for spaces); -1. [any] */
int32_t shl_host_param_find(const shl_host *host, const char *name);
int32_t shl_host_param_index(const shl_host *host, uint32_t id);

/** What a user's number for a parameter means: its index; its id where the
 * device has no table of them (a plugin program of a kind that tells none),
 * which so becomes known. -1: no such parameter. And the number by index.
 * [any] */
int32_t shl_host_param_numbered(shl_host *host, double number);
uint32_t shl_host_param_number(const shl_host *host, uint32_t index);

/* ---- taps ----
 *
 * Points of the device that can be heard beside its own outputs. A tap comes out
 * of process() from the channel on that it was routed to, behind the channels
 * that the device fills itself. All routes end with the link. */

#define SHL_NO_ROUTE UINT32_MAX

/** Tap by index (0 to tap_count - 1), as copied at linking; NULL when there is
 * none. Valid until the link ends. [any] */
const struct shl_tap *shl_host_tap(const shl_host *host, uint32_t index);
uint32_t shl_host_tap_count(const shl_host *host);
/** Index of a name (exact, or _ for spaces); -1. [any] */
int32_t shl_host_tap_find(const shl_host *host, const char *name);

/** Have a tap come out from `channel` on, or no more (SHL_NO_ROUTE). The device
 * reserves memory and answers, as with shl_host_ask: `handler` gets its answer,
 * from the next block on the tap is heard. Until then its channels are silent.
 * SHL_NO_DEVICE, SHL_NOT_FOUND, SHL_WRONG_CHANNELS, SHL_UNSUPPORTED: mode midi;
 * and what shl_host_ask says. `handler`, `request` and `why` may be NULL.
 * [control] */
shl_status shl_host_route(shl_host *host, uint32_t tap, uint32_t channel,
                          shl_answer_handler handler, void *arg,
                          uint32_t *request, struct shl_why *why);

/** The first channel of a tap as the device has confirmed it, or SHL_NO_ROUTE.
 * [any] */
uint32_t shl_host_routed(const shl_host *host, uint32_t tap);

/** Frames from a signal inlet to the matching outlet: the link's own share,
 * and the sum with the device's. [any] */
uint32_t shl_host_link_latency(const shl_host *host);
SHL_RT uint32_t shl_host_latency(const shl_host *host);

/** Frames of the blocks that are exchanged with the device: reblock_frames, or
 * what the device wants, or the usual block. [any] */
uint32_t shl_host_block(const shl_host *host);

struct shl_host_stats {
    uint64_t blocks;        /* asked for while linked */
    uint64_t missed;        /* replaced */
    uint64_t late;          /* answered after they were given up */
    uint64_t silent_frames; /* frames of replaced blocks */
    uint64_t stalls;
    uint64_t events_sent, events_received;
    uint64_t events_dropped;  /* ring full */
    uint64_t events_late;     /* sent one block or more after their time */
    uint64_t events_raised;   /* frame was before its predecessor's */
    uint64_t events_bad;      /* from the device, refused */
    uint64_t events_excluded; /* MIDI that the mode does not carry; modulation
                                 and gestures where there is no such thing */
    uint64_t links;           /* times linked */
    uint64_t samples_bad;     /* no numbers, or infinite: played as silence */
};

/** Counted over all its links. [control] */
void shl_host_get_stats(const shl_host *host, struct shl_host_stats *stats);

/** One line: why there is no link and what to do, or that all is well.
 * [control] */
void shl_host_why(shl_host *host, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
