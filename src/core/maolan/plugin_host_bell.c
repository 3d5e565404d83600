/* SPDX-License-Identifier: MIT */
/* What a DAW looks at to see that the plugin host lives and has done something:
 * words that count, and the byte in its pipe. */
#include "core/maolan/plugin_host_state.h"

static void count_word(struct shl_plugin_host *plugin_host, uint32_t offset)
{
    /* release: a DAW takes what is counted for all that was made before */
    atomic_fetch_add_explicit(
        (_Atomic uint32_t *)(void *)(plugin_host->map.base + offset), 1,
        memory_order_release);
}

void shl_plugin_host_beat(shl_plugin_host *plugin_host)
{
    count_word(plugin_host, plugin_host->maolan.layout->heartbeat);
}

void shl_plugin_host_count(struct shl_plugin_host *plugin_host)
{
    count_word(plugin_host, plugin_host->maolan.layout->tasks_completed);
}

void shl_plugin_host_ring(struct shl_plugin_host *plugin_host)
{
    const shl_status status = shl_pipes_ring(&plugin_host->pipes);

    plugin_host->unanswered += status == SHL_RING_FULL;
    plugin_host->deaf = plugin_host->deaf || status == SHL_GONE;
}

/* A block is told by a counter and by a byte, always both and in this order:
 * some DAWs look at one, some at the other, some need the two together. A DAW
 * that says that it looks at the counter alone may never read its bytes; those
 * that find the pipe full then are no loss. To a DAW of an older number the
 * counter would tell a newer plugin host than this one is to it. */
void shl_plugin_host_respond(struct shl_plugin_host *plugin_host)
{
    const struct shl_maolan_layout *row = plugin_host->maolan.layout;
    const uint64_t before = plugin_host->unanswered;

    if (plugin_host->version >= SHL_VERSION_RESOURCES)
        count_word(plugin_host, row->response_counter);
    shl_plugin_host_ring(plugin_host);
    if (shl_maolan_load(&plugin_host->maolan, row->block_response_eventless))
        plugin_host->unanswered = before;
}
