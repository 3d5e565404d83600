/* SPDX-License-Identifier: MIT */
/* Whoever looks on: callbacks for all that goes over a link, and a monitor that
 * writes lines. A role without one pays a branch that never changes its mind. */
#ifndef SHL_MONITOR_H
#define SHL_MONITOR_H

#include "event.h"
#include "message.h"
#include "realtime.h"
#include "system.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Any function may be NULL. `out`: 1 for what this side sends, 0 for what it
 * gets. event and level are called by the audio thread: they must not
 * allocate, lock or print; the others by a control thread. The struct must
 * stay until it is replaced, on a device until that is closed. */
struct shl_monitor {
    void *arg;
    void (*message)(void *arg, int out, const struct shl_received *message);
    SHL_RT void (*event)(void *arg, int out, const struct shl_event *event);
    /** The largest absolute sample of one channel of one block. */
    SHL_RT void (*level)(void *arg, int out, uint32_t channel, float peak);
    void (*error)(void *arg, shl_status status, const char *text);
    /** linked: 1 a link has begun, 0 it has ended; who is at the other end. */
    void (*connection)(void *arg, int linked, const char *who);
    /** A counter of the link, or of the observer that follows it, has grown; observers
     * alone, and observer.h has the names. */
    void (*counter)(void *arg, const char *name, uint64_t value);
};

/** A monitor that has a line of text for everything but levels, and for levels
 * of at least -40 dB once in 1000. It formats where it is called, on the audio
 * thread too: for finding out, not for playing. */
struct shl_console {
    struct shl_monitor monitor; /* give its address to shl_..._monitor */
    void (*line)(void *arg, const char *text);
    void *arg;
    uint32_t levels;
};

/** `line` is called with each line, without its end; `arg` is passed on.
 * [control] */
void shl_monitor_console(struct shl_console *console,
                         void (*line)(void *arg, const char *text), void *arg);

/** What calls of `level` come to, by `out` and channel: for whoever shows them
 * now and then, and empties it with zeros. */
struct shl_peaks {
    uint32_t channels[2]; /* that have one */
    float peak[2][SHL_MAX_CHANNELS];
};

/** Keep a level in it, if it is the largest of its channel. [any] */
SHL_RT void shl_peaks_keep(struct shl_peaks *peaks, int out, uint32_t channel,
                           float peak);

/* ---- for the roles ------------------------------------------------------- */

SHL_RT void shl_monitor_levels(const struct shl_monitor *monitor, int out,
                               const float *const *planes, uint32_t channels,
                               uint32_t frames);

SHL_RT static inline void shl_monitor_event(const struct shl_monitor *monitor,
                                            int out,
                                            const struct shl_event *event)
{
    if (monitor && monitor->event)
        monitor->event(monitor->arg, out, event);
}

static inline void shl_monitor_message(const struct shl_monitor *monitor,
                                       int out,
                                       const struct shl_received *message)
{
    if (monitor && monitor->message)
        monitor->message(monitor->arg, out, message);
}

static inline void shl_monitor_error(const struct shl_monitor *monitor,
                                     shl_status status, const char *text)
{
    if (monitor && monitor->error)
        monitor->error(monitor->arg, status, text);
}

static inline void shl_monitor_connection(const struct shl_monitor *monitor,
                                          int linked, const char *who)
{
    if (monitor && monitor->connection)
        monitor->connection(monitor->arg, linked, who);
}

#ifdef __cplusplus
}
#endif
#endif
