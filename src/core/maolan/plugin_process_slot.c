/* SPDX-License-Identifier: MIT */
/* The request slot of a plugin program, by an order that is safe with the hosts
 * there are: block size and status are cleared before the type is shown, bytes
 * only wake us, the next request waits until the last one's type is gone, and
 * bytes of blocks that nobody asked for are drained. */
#include "core/maolan/plugin_process.h"

#include <string.h>

#define MS_NS    UINT64_C(1000000)
#define LOOK_US  1000u /* between looks at the status */
#define QUIET_US 20000u
#define CALM_MS  200u  /* for stale bytes, also when they do not end */
#define CLEAR_MS 1000u /* for the type, once the status is there */

static uint32_t load(const struct shl_plugin_process *plugin, uint32_t offset)
{
    return shl_maolan_load(&plugin->maolan, offset);
}

static bool over(const struct shl_plugin_process *plugin, uint64_t deadline_ns)
{
    return atomic_load_explicit(&plugin->gone, memory_order_relaxed) ||
           atomic_load_explicit(&plugin->quit, memory_order_relaxed) ||
           shl_clock_ns() >= deadline_ns;
}

static shl_status overdue(const struct shl_plugin_process *plugin)
{
    return atomic_load_explicit(&plugin->gone, memory_order_relaxed) ||
                   atomic_load_explicit(&plugin->quit, memory_order_relaxed)
               ? SHL_GONE
               : SHL_TIMEOUT;
}

/* Sleep until a byte comes, or a moment: statuses may come without one. */
static void nap(struct shl_plugin_process *plugin)
{
    shl_plugin_bell_drain(plugin);
    shl_pipes_wait(&plugin->pipes, LOOK_US);
    shl_plugin_bell_drain(plugin);
}

/* The last block may still be under way, and the last request's type too. */
static shl_status settle(struct shl_plugin_process *plugin,
                         uint64_t deadline_ns)
{
    while (!shl_plugin_process_answered(plugin, 0)) {
        if (over(plugin, deadline_ns))
            return overdue(plugin);
        nap(plugin);
    }
    while (load(plugin, plugin->maolan.layout->request_type)) {
        if (over(plugin, deadline_ns))
            return overdue(plugin);
        nap(plugin);
    }
    return SHL_OK;
}

/* The host clears it last of all, and could clear the next one. One that has
 * not even a status keeps nobody waiting. */
static void clear_type(struct shl_plugin_process *plugin, uint32_t number,
                       bool done)
{
    const struct shl_maolan_layout *row = plugin->maolan.layout;
    uint64_t until_ns = shl_clock_ns() + (done ? CLEAR_MS * MS_NS : 0);

    while (load(plugin, row->request_type) == number && !over(plugin, until_ns))
        nap(plugin);
    shl_maolan_change(&plugin->maolan, row->request_type, number, 0);
}

/* A host gives one byte for the doorbell, and one for a request that it signals:
 * all but the window's. Those of LV2 differ there. */
static uint32_t bytes_of(const struct shl_plugin_process *plugin,
                         uint32_t number)
{
    bool window =
        number == SHL_MAOLAN_GUI_SHOW || number == SHL_MAOLAN_GUI_HIDE;

    return window && strcmp(plugin->format, "lv2") ? 1 : 2;
}

/* Bytes of a block that the request's doorbell may have made: until all are
 * there, or none has come for a while, which never is where an open editor's
 * timers make blocks. One that counts has told that nothing is to come. */
static void calm_down(struct shl_plugin_process *plugin, uint32_t number)
{
    uint64_t until_ns = shl_clock_ns() + CALM_MS * MS_NS;

    while (!shl_plugin_bell_tells(plugin) &&
           plugin->heard < bytes_of(plugin, number) &&
           !over(plugin, until_ns)) {
        shl_plugin_bell_drain(plugin);
        if (shl_pipes_wait(&plugin->pipes, QUIET_US) == SHL_TIMEOUT)
            break;
    }
    shl_plugin_bell_drain(plugin);
    plugin->owed = false;
}

static void show_window(struct shl_plugin_process *plugin)
{
    const struct shl_maolan_layout *row = plugin->maolan.layout;

    shl_maolan_store(&plugin->maolan, row->parent_window, 0);
    shl_maolan_store(&plugin->maolan, row->parent_window + 4, 0);
    shl_maolan_store(&plugin->maolan, row->gui_mode, 1); /* floating */
    shl_maolan_store(&plugin->maolan, row->gui_parent_api, 0);
}

static void show_request(struct shl_plugin_process *plugin, uint32_t number,
                         const uint8_t *bytes, uint32_t size)
{
    const struct shl_maolan_layout *row = plugin->maolan.layout;

    if (size)
        memcpy(plugin->maolan.base + row->scratch, bytes, size);
    if (number == SHL_MAOLAN_GUI_SHOW)
        show_window(plugin);
    shl_maolan_store(&plugin->maolan, row->block_size, 0); /* see above */
    shl_maolan_store(&plugin->maolan, row->scratch_size, size);
    shl_maolan_store(&plugin->maolan, row->request_status, SHL_REQUEST_PENDING);
    shl_maolan_store(&plugin->maolan, row->request_type, number);
}

static shl_status wait_for_status(struct shl_plugin_process *plugin,
                                  uint64_t deadline_ns)
{
    uint32_t at = plugin->maolan.layout->request_status, status;

    while ((status = load(plugin, at)) == SHL_REQUEST_PENDING) {
        if (over(plugin, deadline_ns))
            return overdue(plugin);
        nap(plugin);
    }
    return status == SHL_REQUEST_SUCCESS ? SHL_OK : SHL_UNSUPPORTED;
}

/* What of scratch is the answer, by what the request says of its size. */
static uint32_t answer_size(const struct shl_plugin_process *plugin,
                            uint32_t number)
{
    uint32_t size = load(plugin, plugin->maolan.layout->scratch_size);

    switch (number) {
    case SHL_MAOLAN_STATE_SAVE:
    case SHL_MAOLAN_LV2_CONTROLS:
    case SHL_MAOLAN_CLAP_PARAMS:
    case SHL_MAOLAN_LV2_NOTES:
    case SHL_MAOLAN_CLAP_NOTES:
        return size < SHL_SCRATCH_SIZE ? size : SHL_SCRATCH_SIZE;
    case SHL_MAOLAN_FILE_LIST:
    case SHL_MAOLAN_RESOURCE_FILES:
    case SHL_MAOLAN_AU_PARAMS:
        return SHL_SCRATCH_SIZE;
    case SHL_MAOLAN_AUDIO_PORTS:
        return SHL_PORT_COUNTS_MIDI_OUT + 4;
    default:
        return 0;
    }
}

shl_status shl_plugin_request_do(struct shl_plugin_process *plugin,
                                 uint32_t number, const uint8_t *bytes,
                                 uint32_t size, uint64_t deadline_ns,
                                 uint8_t *scratch, uint32_t *scratch_size)
{
    shl_status st;

    *scratch_size = 0;
    if (!shl_plugin_bell_hold(plugin, deadline_ns))
        return SHL_TIMEOUT;
    st = settle(plugin, deadline_ns);
    if (!st) {
        show_request(plugin, number, bytes, size);
        st = shl_plugin_process_ring(plugin) ? SHL_TIMEOUT : SHL_OK;
        if (!st)
            st = wait_for_status(plugin, deadline_ns);
        if (!st) {
            *scratch_size = answer_size(plugin, number);
            memcpy(scratch,
                   plugin->maolan.base + plugin->maolan.layout->scratch,
                   SHL_SCRATCH_SIZE);
        }
        bool done = st == SHL_OK || st == SHL_UNSUPPORTED;
        clear_type(plugin, number, done);
        if (done)
            calm_down(plugin, number);
    }
    shl_plugin_bell_let(plugin);
    return st;
}
