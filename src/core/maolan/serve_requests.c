/* What the DAW asks for beside the audio: the request slot and the scratch
 * area. The scratch is copied out before anything in it is looked at. */
#include "core/maolan/serve_state.h"

#include <string.h>

/* A DAW publishes its request, rings, and only then begins to wait for the
 * byte. With an answer that is faster than this it would find the status first
 * and leave the byte for the next block to stumble over. */
#define WAIT_NS 1500000u

/* ---- what it brings ------------------------------------------------------------ */

/* Bytes of scratch that this type uses. */
static uint32_t given_size(const struct shl_serve *serve, uint32_t type)
{
    switch (type) {
    case SHL_SERVE_STATE_RESTORE:
        return shl_maolan_load(&serve->maolan,
                               serve->maolan.layout->scratch_size);
    case SHL_SERVE_FOLDER:
    case SHL_SERVE_FILE:
        return SHL_SCRATCH_SIZE;
    default:
        return 0;
    }
}

static void read_window(struct shl_serve *serve,
                        struct shl_serve_request *request)
{
    const struct shl_maolan_layout *row = serve->maolan.layout;
    uint32_t mode = shl_maolan_load(&serve->maolan, row->gui_mode);
    uint32_t api = shl_maolan_load(&serve->maolan, row->gui_parent_api);

    memcpy(&request->parent, serve->map.base + row->parent_window,
           sizeof request->parent);
    request->floating = mode == 1;
    request->window_api = api <= 3 ? api : 0;
}

/* The counts of the header are those of the last block, unless the DAW has
 * stored others for this request. */
static void read_ports(struct shl_serve *serve,
                       struct shl_serve_request *request)
{
    struct shl_maolan_block block;

    shl_maolan_block_read(&serve->maolan, &block);
    request->audio_in = block.in_channels;
    request->audio_out = block.out_channels;
    request->wish = block.in_channels != serve->last_in ||
                    block.out_channels != serve->last_out;
    serve->last_in = block.in_channels;
    serve->last_out = block.out_channels;
}

void shl_serve_take_request(struct shl_serve *serve, uint32_t type,
                            struct shl_work *work)
{
    const uint32_t wire = type;

    type = shl_serve_meaning(wire, serve->version);
    serve->woken_ns = shl_clock_ns();
    serve->request = wire;
    serve->asked = type;
    serve->requests++;
    work->kind = SHL_WORK_REQUEST;
    shl_scratchpad_begin(serve->pad, type,
                         serve->map.base + serve->maolan.layout->scratch,
                         given_size(serve, type), &work->request);
    work->request.relative = serve->version >= SHL_VERSION_RESOURCES;
    if (serve->version < SHL_VERSION_RESOURCES)
        work->request.shared = 0; /* whatever stands behind the text */
    if (type == SHL_SERVE_SHOW)
        read_window(serve, &work->request);
    else if (type == SHL_SERVE_PORTS)
        read_ports(serve, &work->request);
}

/* ---- the answer -------------------------------------------------------------------- */

shl_scratchpad *shl_serve_pad(shl_serve *serve)
{
    return serve->pad;
}

/* Of lists of files and of counts the DAW knows the end by what they say. */
static bool is_sized(uint32_t type)
{
    return type == SHL_SERVE_STATE_SAVE || type == SHL_SERVE_AU_PARAMS ||
           (type >= SHL_SERVE_LV2_CONTROLS && type <= SHL_SERVE_CLAP_NOTES);
}

static void publish(struct shl_serve *serve)
{
    const struct shl_maolan_layout *row = serve->maolan.layout;
    uint32_t begin, end;
    const uint8_t *bytes = shl_scratchpad_answer(serve->pad, &begin, &end);

    if (end > begin)
        memcpy(serve->map.base + row->scratch + begin, bytes + begin,
               end - begin);
    if (serve->asked == SHL_SERVE_AU_PARAMS)
        end -= SHL_AU_PARAMS_OFFSET;
    if (is_sized(serve->asked))
        shl_maolan_store(&serve->maolan, row->scratch_size, end);
}

/* Number 3 has one MIDI ring each way, whatever the plugin has. */
static void clip_ports(struct shl_serve *serve)
{
    const struct shl_maolan_layout *row = serve->maolan.layout;
    uint8_t *scratch = serve->map.base + row->scratch;
    struct shl_port_counts counts;

    if (shl_scratch_ports_read(scratch, &counts))
        return;
    if (counts.midi_in > row->midi_ports)
        counts.midi_in = row->midi_ports;
    if (counts.midi_out > row->midi_ports)
        counts.midi_out = row->midi_ports;
    shl_scratch_ports_write(scratch, &counts);
}

static void wait_for_the_daw(const struct shl_serve *serve)
{
    uint64_t gone_ns;

    while ((gone_ns = shl_clock_ns() - serve->woken_ns) < WAIT_NS)
        shl_sleep_ms((uint32_t)((WAIT_NS - gone_ns) / 1000000u) + 1);
}

/* The DAW does not wait for an answer to these. */
static bool is_silent(uint32_t type)
{
    return type == SHL_SERVE_SHOW || type == SHL_SERVE_HIDE;
}

void shl_serve_answer(shl_serve *serve, shl_status status)
{
    const struct shl_maolan_layout *row = serve->maolan.layout;
    const uint32_t type = serve->request;

    if (!serve->working || !type)
        return;
    if (!status)
        publish(serve);
    if (!status && serve->asked == SHL_SERVE_PORTS)
        clip_ports(serve);
    wait_for_the_daw(serve);
    shl_maolan_store(&serve->maolan, row->request_status,
                     status ? SHL_REQUEST_ERROR : SHL_REQUEST_SUCCESS);
    /* a DAW that saw the status may have stored its next request already */
    shl_maolan_change(&serve->maolan, row->request_type, type, 0);
    serve->working = false;
    serve->request = 0;
    shl_serve_count(serve);
    if (!is_silent(type))
        shl_serve_ring(serve);
}
