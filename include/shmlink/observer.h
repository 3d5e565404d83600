/* SPDX-License-Identifier: MIT */
/* An observer: a third process (or a third party in one) that looks at a link
 * between two others and cannot disturb it. It opens the segment for reading
 * alone and maps it so, takes no lease, is waited for by nobody and wakes
 * nobody. It can be stopped, or die, and neither side will know. Whoever looks
 * at so much traffic from outside may come too late for some of it: that is
 * counted and told, too.
 *
 * Counters that a monitor is told of when they have grown: those of the link,
 * host_missed to device_restarts, as in PROTOCOL.md; and the observer's own, since
 * it was opened:
 *   unread_events_out, _in             gone before they could be read
 *   bad_events_out, _in                that make no sense
 *   unread_commands, unread_responses  messages or parts of them, likewise gone
 *   cut_commands, cut_responses        messages of which a part is missing
 *   bad_indices                        of rings; it went on at the present end
 * Levels are the peaks of the block that is there when it looks, in the free
 * drive of all frames since it looked before, without what is not finite: for
 * people, not for measuring. */
#ifndef SHL_OBSERVER_H
#define SHL_OBSERVER_H

#include "monitor.h"
#include "status.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct shl_observer shl_observer;

/** Begin to look at the device that a host asking for `id` would get, or that
 * another host has: `Name:n`, `Name` or `*`. `monitor` gets what happens from
 * now on, by shl_observer_poll alone; `out` is 1 for what the host sends, 0 for
 * what the device sends. The struct must stay until the observer is closed.
 * SHL_NOT_FOUND; SHL_AGAIN: the device is just starting; SHL_BAD_NAME,
 * SHL_WRONG_VERSION and what the system refuses; `why` (may be NULL) has the
 * sentence. [control] */
shl_status shl_observer_open(const char *id, const struct shl_monitor *monitor,
                             shl_observer **observer, struct shl_why *why);

/** Tell the monitor what happened since the last time; every 10 to 100 ms is
 * well. The work is bounded by what the rings hold. SHL_OK, or the end: SHL_GONE
 * when the device has left, SHL_CUT when its segment was cut short; `why` (may
 * be NULL) has the sentence. After the end nothing more comes. Callbacks must
 * not close the observer. [control] */
shl_status shl_observer_poll(shl_observer *observer, struct shl_why *why);

/** NULL is fine. [control] */
void shl_observer_close(shl_observer *observer);

/** Whom it looks at: "MySynth:0". Stays until it is closed. [control] */
const char *shl_observer_id(const shl_observer *observer);

/** The process of the host that has the device, or 0; its link tag, or "". Also
 * inside callbacks; the text stays until the next poll. [control] */
uint32_t shl_observer_host(const shl_observer *observer, const char **tag);

#ifdef __cplusplus
}
#endif
#endif
