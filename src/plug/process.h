/* SPDX-License-Identifier: MIT */
/* The audio thread of a plugin, and all that it touches: it takes units of work
 * from a DAW or from the board, and gives blocks to the plugin. Requests it
 * hands to the control thread and waits. */
#ifndef PLUG_PROCESS_H
#define PLUG_PROCESS_H

#include "plugin.h"

/** Where blocks come from: one of the two. */
struct process_road {
    shl_plugin_host *plugin_host;
    shl_device *device;
    uint32_t in_channels, out_channels; /* that the device has */
};

struct process;

/** An audio thread that does not run yet. The plugin is active and stays so;
 * `control` is rung whenever the control thread has something to do. NULL: no
 * memory. [control] */
struct process *process_new(struct plugin *plugin,
                            const struct process_road *road, double rate_hz,
                            shl_bell *control);

/** Not running, or never started. NULL is fine. [control] */
void process_free(struct process *process);

/** Let it run. SHL_NO_MEMORY. [control] */
shl_status process_start(struct process *process);

/** Have it end, wait at most timeout_ms. False: it hangs in the plugin, and
 * nothing of the two may be freed any more. [control] */
int process_stop(struct process *process, uint32_t timeout_ms);

/** Whether it has left by itself: SHL_GONE, the DAW wants no more; others: what
 * went wrong. [control] */
int process_ended(const struct process *process, shl_status *status);

/** A request that waits for the control thread, or NULL. After the answer
 * process_go_on. [control] */
const struct shl_plugin_host_request *process_request(struct process *process);
void process_go_on(struct process *process);

/** Keep the plugin still: blocks are answered with silence until
 * process_release. False: the plugin has not come back from its block within
 * timeout_ms; then it is not held. [control] */
int process_hold(struct process *process, uint32_t timeout_ms);
void process_release(struct process *process);

/** Values may have changed behind the other side's back: tell with the next
 * block. [control] */
void process_tell(struct process *process);

/** Give the plugin an event beside those of the road: with the next block, or at
 * once while none is played. False: PROCESS_GIVEN wait already. [control] */
#define PROCESS_GIVEN 256u
int process_give(struct process *process, const struct shl_event *event);

/** Wait until all that was given is heard, and all values that process_tell was
 * called for are where hosts look, at most timeout_ms. [control] */
int process_given(struct process *process, uint32_t timeout_ms);

/** End all notes and tails with the next block. [control] */
void process_silence(struct process *process);

/** Counted since the start, each for itself. */
struct process_figures {
    uint64_t blocks;
    uint64_t bad_samples;  /* not finite: replaced by 0 */
    uint64_t held_events;  /* came while the plugin was held: not heard */
    uint64_t sends_failed; /* the plugin said more than there was room for */
};
void process_figures(const struct process *process,
                     struct process_figures *figures);

/** One unit of work, if one comes within timeout_ms: what the thread does all
 * the time. For tests. [audio] */
SHL_RT shl_status process_once(struct process *process, uint32_t timeout_ms);

#endif
