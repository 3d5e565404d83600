/* SPDX-License-Identifier: MIT */
/* The doorbell of a plugin program and the answer to it: who may ring, and what of
 * bytes and counters is believed. */
#include "core/maolan/plugin_process.h"

#define AGREED 4u

SHL_RT bool shl_plugin_process_hold(struct shl_plugin_process *plugin,
                                    uint32_t wait_us)
{
    uint64_t began_ns = 0;

    for (;;) {
        uint32_t held = SHL_PLUGIN_PROCESS_NOBODY;
        /* acquire: what the other has done to rings and counts */
        if (atomic_compare_exchange_strong_explicit(
                &plugin->held, &held, SHL_PLUGIN_PROCESS_AUDIO,
                memory_order_acquire, memory_order_relaxed))
            return true;
        uint64_t now_ns = wait_us ? shl_clock_ns() : 0;
        if (!began_ns)
            began_ns = now_ns;
        if (now_ns - began_ns >= wait_us * UINT64_C(1000))
            return false;
        shl_word_wait(&plugin->held, held,
                      wait_us - (uint32_t)((now_ns - began_ns) / 1000));
    }
}

SHL_RT void shl_plugin_process_let(struct shl_plugin_process *plugin)
{
    /* release: pairs with the acquire of who holds it next */
    atomic_store_explicit(&plugin->held, SHL_PLUGIN_PROCESS_NOBODY,
                          memory_order_release);
}

void shl_plugin_bell_let(struct shl_plugin_process *plugin)
{
    shl_plugin_process_let(plugin);
    shl_word_wake(&plugin->held);
}

bool shl_plugin_bell_hold(struct shl_plugin_process *plugin,
                          uint64_t deadline_ns)
{
    for (;;) {
        uint32_t held = SHL_PLUGIN_PROCESS_NOBODY;
        /* acquire: as above */
        if (atomic_compare_exchange_strong_explicit(
                &plugin->held, &held, SHL_PLUGIN_PROCESS_SLOT,
                memory_order_acquire, memory_order_relaxed))
            return true;
        if (shl_clock_ns() >= deadline_ns)
            return false;
        shl_word_wait(&plugin->held, held, 200); /* it is let without a call */
    }
}

void shl_plugin_bell_drain(struct shl_plugin_process *plugin)
{
    uint32_t count;

    if (shl_pipes_drain(&plugin->pipes, &count) == SHL_GONE)
        atomic_store_explicit(&plugin->gone, 1, memory_order_relaxed);
    plugin->heard += count;
}

static uint32_t tasks_now(const struct shl_plugin_process *plugin)
{
    return shl_maolan_load(&plugin->maolan,
                           plugin->maolan.layout->tasks_completed);
}

/* Also of a program that was said to be older than this word. */
static uint32_t responses_now(const struct shl_plugin_process *plugin)
{
    uint32_t at = shl_maolan_layouts[SHL_LAYOUT_B16].response_counter;

    return shl_maolan_load(
        &plugin->maolan, plugin->maolan.layout->midi_ports > 1 ? at : SHL_NONE);
}

bool shl_plugin_process_counts(const struct shl_plugin_process *plugin)
{
    return responses_now(plugin) != 0;
}

SHL_RT shl_status shl_plugin_process_ring(struct shl_plugin_process *plugin)
{
    const struct shl_maolan_layout *row = plugin->maolan.layout;
    shl_status st;

    shl_plugin_bell_drain(plugin); /* what is left belongs to nobody */
    plugin->heard = 0;
    plugin->tasks.seen = tasks_now(plugin);
    plugin->responses.seen = responses_now(plugin);
    shl_maolan_store(&plugin->maolan, row->tasks_issued, plugin->rung + 1);
    st = shl_pipes_ring(&plugin->pipes);
    if (!st)
        plugin->rung++;
    plugin->owed = true;
    return st;
}

/* A program that counts what it has done, before each byte, tells more than its
 * bytes: none of them is stale. Believed once they have agreed a few times. */
static bool is_believed(const struct shl_plugin_process_count *count)
{
    return count->agreed >= AGREED;
}

bool shl_plugin_bell_tells(const struct shl_plugin_process *plugin)
{
    return is_believed(&plugin->tasks) &&
           tasks_now(plugin) != plugin->tasks.seen;
}

static bool seems_answered(const struct shl_plugin_process *plugin)
{
    if (is_believed(&plugin->tasks))
        return tasks_now(plugin) != plugin->tasks.seen;
    if (is_believed(&plugin->responses))
        return responses_now(plugin) != plugin->responses.seen;
    return plugin->heard > 0;
}

static void agree(struct shl_plugin_process_count *count, uint32_t now)
{
    if (now != count->seen + 1)
        count->agreed = 0;
    else if (count->agreed < AGREED)
        count->agreed++;
}

static bool note_answer(struct shl_plugin_process *plugin)
{
    plugin->owed = false;
    agree(&plugin->tasks, tasks_now(plugin));
    agree(&plugin->responses, responses_now(plugin));
    return true;
}

SHL_RT bool shl_plugin_process_answered(struct shl_plugin_process *plugin,
                                        uint32_t timeout_us)
{
    uint64_t began_ns = timeout_us ? shl_clock_ns() : 0, gone_us = 0;

    if (!plugin->owed)
        return true;
    for (;;) {
        shl_plugin_bell_drain(plugin);
        if (seems_answered(plugin))
            return note_answer(plugin);
        if (gone_us >= timeout_us ||
            atomic_load_explicit(&plugin->gone, memory_order_relaxed))
            break;
        shl_pipes_wait(&plugin->pipes, timeout_us - (uint32_t)gone_us);
        gone_us = (shl_clock_ns() - began_ns) / 1000;
    }
    if (timeout_us && plugin->heard > 0) /* it counts something else */
        plugin->tasks.agreed = plugin->responses.agreed = 0;
    return seems_answered(plugin) && note_answer(plugin);
}
