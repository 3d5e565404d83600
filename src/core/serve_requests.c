/* What the DAW asks for beside the audio: the request slot and the scratch
 * area. The scratch is copied out before anything in it is looked at. */
#include "serve_state.h"

#include <string.h>

/* A DAW publishes its request, rings, and only then begins to wait for the
 * byte. With an answer that is faster than this it would find the status first
 * and leave the byte for the next block to stumble over. */
#define WAIT_NS 1500000u

static_assert((int)SHL_SERVE_STATE_SAVE == (int)SHL_MAOLAN_STATE_SAVE, "wire");
static_assert((int)SHL_SERVE_SHOW == (int)SHL_MAOLAN_GUI_SHOW, "wire");
static_assert((int)SHL_SERVE_FOLDER == (int)SHL_MAOLAN_RESOURCE_DIR, "wire");
static_assert((int)SHL_SERVE_FILE == (int)SHL_MAOLAN_FILE_UPDATE, "wire");
static_assert((int)SHL_SERVE_PORTS == (int)SHL_MAOLAN_AUDIO_PORTS, "wire");

/* ---- what it brings ------------------------------------------------------------ */

static void copy_scratch(struct shl_serve *serve)
{
    memcpy(serve->given, serve->map.base + serve->maolan.layout->scratch,
           SHL_SCRATCH_SIZE);
}

static void read_state(struct shl_serve *serve,
                       struct shl_serve_request *request)
{
    request->size =
        shl_maolan_load(&serve->maolan, serve->maolan.layout->scratch_size);
    request->bytes = serve->given;
    if (request->size > SHL_SCRATCH_SIZE) {
        request->size = 0;
        request->problem = SHL_BAD_PEER;
    }
}

/* A path inside the copy gets its end mark there; the byte behind it is of no
 * more use. */
static void read_path(struct shl_serve *serve,
                      struct shl_serve_request *request)
{
    const char *path = NULL;
    uint32_t length = 0;

    request->problem = request->type == SHL_SERVE_FOLDER
                           ? shl_scratch_dir_read(serve->given, &path, &length)
                           : shl_scratch_update_read(
                                 serve->given, &request->index, &path, &length);
    if (!request->problem && memchr(path, 0, length))
        request->problem = SHL_BAD_PEER;
    if (request->problem)
        return;
    size_t at = (size_t)((const uint8_t *)path - serve->given);
    serve->given[at + length] = 0;
    request->path = (const char *)serve->given + at;
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
    request->window_api = api <= 2 ? api : 0;
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

static void begin_table(struct shl_serve *serve, enum shl_table_kind kind)
{
    shl_table_write(&serve->table, kind, serve->result);
    serve->tables = true;
    serve->begin = kind == SHL_TABLE_FILES ? SHL_FILE_REFS_OFFSET : 0;
    serve->sized = kind != SHL_TABLE_FILES;
}

void shl_serve_take_request(struct shl_serve *serve, uint32_t type,
                            struct shl_work *work)
{
    struct shl_serve_request *request = &work->request;

    serve->woken_ns = shl_clock_ns();
    serve->request = type;
    serve->requests++;
    serve->tables = serve->sized = false;
    serve->begin = serve->end = 0;
    work->kind = SHL_WORK_REQUEST;
    request->type = type;
    switch (type) {
    case SHL_SERVE_STATE_RESTORE:
        copy_scratch(serve);
        read_state(serve, request);
        break;
    case SHL_SERVE_FOLDER:
    case SHL_SERVE_FILE:
        copy_scratch(serve);
        read_path(serve, request);
        break;
    case SHL_SERVE_SHOW:
        read_window(serve, request);
        break;
    case SHL_SERVE_PORTS:
        read_ports(serve, request);
        break;
    case SHL_SERVE_FILES:
        begin_table(serve, SHL_TABLE_FILES);
        break;
    case SHL_SERVE_LV2_CONTROLS:
        begin_table(serve, SHL_TABLE_LV2_CONTROLS);
        break;
    case SHL_SERVE_CLAP_PARAMS:
        begin_table(serve, SHL_TABLE_CLAP_PARAMS);
        break;
    case SHL_SERVE_LV2_NOTES:
    case SHL_SERVE_CLAP_NOTES:
        begin_table(serve, SHL_TABLE_NOTES);
        break;
    default:
        break;
    }
}

/* ---- the answer -------------------------------------------------------------------- */

shl_status shl_serve_put_state(shl_serve *serve, const void *bytes, size_t size)
{
    if (serve->request != SHL_SERVE_STATE_SAVE)
        return SHL_UNSUPPORTED;
    if (size > SHL_SCRATCH_SIZE)
        return SHL_NO_SPACE;
    if (size)
        memcpy(serve->result, bytes, size);
    serve->begin = 0;
    serve->end = (uint32_t)size;
    serve->sized = true;
    return SHL_OK;
}

/* What is longer does not fit anyway. */
static uint32_t length_of(const char *text)
{
    size_t length = strlen(text);

    return length < SHL_SCRATCH_SIZE ? (uint32_t)length : SHL_SCRATCH_SIZE;
}

shl_status shl_serve_put(shl_serve *serve, const struct shl_serve_entry *entry)
{
    const char *module = entry->module ? entry->module : "";
    const struct shl_table_entry line = {.id = entry->id,
                                         .name_length = length_of(entry->name),
                                         .module_length = length_of(module),
                                         .name = entry->name,
                                         .module = module,
                                         .minimum = entry->minimum,
                                         .maximum = entry->maximum,
                                         .value = entry->value};

    return serve->tables ? shl_table_add(&serve->table, &line)
                         : SHL_UNSUPPORTED;
}

void shl_serve_put_ports(shl_serve *serve, uint32_t audio_in,
                         uint32_t audio_out, uint32_t midi_in,
                         uint32_t midi_out)
{
    const struct shl_port_counts counts = {audio_in, audio_out, midi_in,
                                           midi_out};

    if (serve->request != SHL_SERVE_PORTS)
        return;
    shl_scratch_ports_write(serve->result, &counts);
    serve->begin = SHL_PORT_COUNTS_OFFSET;
    serve->end = SHL_PORT_COUNTS_MIDI_OUT + 4;
}

static void publish(struct shl_serve *serve)
{
    const struct shl_maolan_layout *row = serve->maolan.layout;

    if (serve->tables)
        serve->end = shl_table_end(&serve->table);
    if (serve->end > serve->begin)
        memcpy(serve->map.base + row->scratch + serve->begin,
               serve->result + serve->begin, serve->end - serve->begin);
    if (serve->sized)
        shl_maolan_store(&serve->maolan, row->scratch_size, serve->end);
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
    wait_for_the_daw(serve);
    shl_maolan_store(&serve->maolan, row->request_status,
                     status ? SHL_REQUEST_ERROR : SHL_REQUEST_SUCCESS);
    /* a DAW that saw the status may have stored its next request already */
    shl_maolan_change(&serve->maolan, row->request_type, type, 0);
    serve->working = false;
    serve->request = 0;
    if (!is_silent(type))
        shl_serve_ring(serve);
}
