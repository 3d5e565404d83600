/* SPDX-License-Identifier: MIT */
/* What the DAW asks for beside the audio: the request slot and the scratch
 * area. The scratch is copied out before anything in it is looked at. */
#include "core/maolan/plugin_host_state.h"

#include <string.h>

/* A DAW publishes its request, rings, and only then begins to wait for the
 * byte. With an answer that is faster than this it would find the status first
 * and leave the byte for the next block to stumble over. */
#define WAIT_NS 1500000u

/* ---- what it brings ------------------------------------------------------------ */

/* Bytes of scratch that this type uses. */
static uint32_t given_size(const struct shl_plugin_host *plugin_host,
                           uint32_t type)
{
    switch (type) {
    case SHL_PLUGIN_HOST_STATE_RESTORE:
        return shl_maolan_load(&plugin_host->maolan,
                               plugin_host->maolan.layout->scratch_size);
    case SHL_PLUGIN_HOST_FOLDER:
    case SHL_PLUGIN_HOST_FILE:
        return SHL_SCRATCH_SIZE;
    default:
        return 0;
    }
}

static void read_window(struct shl_plugin_host *plugin_host,
                        struct shl_plugin_host_request *request)
{
    const struct shl_maolan_layout *row = plugin_host->maolan.layout;
    uint32_t mode = shl_maolan_load(&plugin_host->maolan, row->gui_mode);
    uint32_t api = shl_maolan_load(&plugin_host->maolan, row->gui_parent_api);

    memcpy(&request->parent, plugin_host->map.base + row->parent_window,
           sizeof request->parent);
    request->floating = mode == 1;
    request->window_api = api <= 3 ? api : 0;
}

/* The counts of the header are those of the last block, unless the DAW has
 * stored others for this request. */
static void read_ports(struct shl_plugin_host *plugin_host,
                       struct shl_plugin_host_request *request)
{
    struct shl_maolan_block block;

    shl_maolan_block_read(&plugin_host->maolan, &block);
    request->audio_in = block.in_channels;
    request->audio_out = block.out_channels;
    request->wish = block.in_channels != plugin_host->last_in ||
                    block.out_channels != plugin_host->last_out;
    plugin_host->last_in = block.in_channels;
    plugin_host->last_out = block.out_channels;
}

void shl_plugin_host_take_request(struct shl_plugin_host *plugin_host,
                                  uint32_t type, struct shl_work *work)
{
    const uint32_t wire = type;

    type = shl_plugin_host_meaning(wire, plugin_host->version);
    plugin_host->woken_ns = shl_clock_ns();
    plugin_host->request = wire;
    plugin_host->asked = type;
    plugin_host->requests++;
    work->kind = SHL_WORK_REQUEST;
    shl_scratchpad_begin(plugin_host->pad, type,
                         plugin_host->map.base +
                             plugin_host->maolan.layout->scratch,
                         given_size(plugin_host, type), &work->request);
    work->request.relative = plugin_host->version >= SHL_VERSION_RESOURCES;
    if (plugin_host->version < SHL_VERSION_RESOURCES)
        work->request.shared = 0; /* whatever stands behind the text */
    if (type == SHL_PLUGIN_HOST_SHOW)
        read_window(plugin_host, &work->request);
    else if (type == SHL_PLUGIN_HOST_PORTS)
        read_ports(plugin_host, &work->request);
}

/* ---- the answer -------------------------------------------------------------------- */

shl_scratchpad *shl_plugin_host_pad(shl_plugin_host *plugin_host)
{
    return plugin_host->pad;
}

/* Of lists of files and of counts the DAW knows the end by what they say. */
static bool is_sized(uint32_t type)
{
    return type == SHL_PLUGIN_HOST_STATE_SAVE ||
           type == SHL_PLUGIN_HOST_AU_PARAMS ||
           (type >= SHL_PLUGIN_HOST_LV2_CONTROLS &&
            type <= SHL_PLUGIN_HOST_CLAP_NOTES);
}

static void publish(struct shl_plugin_host *plugin_host)
{
    const struct shl_maolan_layout *row = plugin_host->maolan.layout;
    uint32_t begin, end;
    const uint8_t *bytes =
        shl_scratchpad_answer(plugin_host->pad, &begin, &end);

    if (end > begin)
        memcpy(plugin_host->map.base + row->scratch + begin, bytes + begin,
               end - begin);
    if (plugin_host->asked == SHL_PLUGIN_HOST_AU_PARAMS)
        end -= SHL_AU_PARAMS_OFFSET;
    if (is_sized(plugin_host->asked))
        shl_maolan_store(&plugin_host->maolan, row->scratch_size, end);
}

/* Number 3 has one MIDI ring each way, whatever the plugin has. */
static void clip_ports(struct shl_plugin_host *plugin_host)
{
    const struct shl_maolan_layout *row = plugin_host->maolan.layout;
    uint8_t *scratch = plugin_host->map.base + row->scratch;
    struct shl_port_counts counts;

    if (shl_scratch_ports_read(scratch, &counts))
        return;
    if (counts.midi_in > row->midi_ports)
        counts.midi_in = row->midi_ports;
    if (counts.midi_out > row->midi_ports)
        counts.midi_out = row->midi_ports;
    shl_scratch_ports_write(scratch, &counts);
}

static SHL_RT void wait_for_the_daw(const struct shl_plugin_host *plugin_host)
{
    uint64_t gone_ns;

    while ((gone_ns = shl_clock_ns() - plugin_host->woken_ns) < WAIT_NS)
        SHL_RT_EXCEPT(
            "an answer that a DAW would miss: no block is played then",
            shl_sleep_ms((uint32_t)((WAIT_NS - gone_ns) / 1000000u) + 1);)
}

/* The DAW does not wait for an answer to these. */
static bool is_silent(uint32_t type)
{
    return type == SHL_PLUGIN_HOST_SHOW || type == SHL_PLUGIN_HOST_HIDE;
}

void shl_plugin_host_answer(shl_plugin_host *plugin_host, shl_status status)
{
    const struct shl_maolan_layout *row = plugin_host->maolan.layout;
    const uint32_t type = plugin_host->request;

    if (!plugin_host->working || !type)
        return;
    if (!status)
        publish(plugin_host);
    if (!status && plugin_host->asked == SHL_PLUGIN_HOST_PORTS)
        clip_ports(plugin_host);
    wait_for_the_daw(plugin_host);
    shl_maolan_store(&plugin_host->maolan, row->request_status,
                     status ? SHL_REQUEST_ERROR : SHL_REQUEST_SUCCESS);
    /* a DAW that saw the status may have stored its next request already */
    shl_maolan_change(&plugin_host->maolan, row->request_type, type, 0);
    plugin_host->working = false;
    plugin_host->request = 0;
    shl_plugin_host_count(plugin_host);
    if (!is_silent(type))
        shl_plugin_host_ring(plugin_host);
}
