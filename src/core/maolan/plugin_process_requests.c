/* SPDX-License-Identifier: MIT */
/* What a plugin program is asked, one after the other on its thread; and which
 * requests mean something else by the protocol number of the program. */
#include "core/maolan/plugin_process.h"

#include <stdlib.h>
#include <string.h>

#define MS_NS    UINT64_C(1000000)
#define TABLE_MS 1000u /* for the values after a restore */

void shl_pending_request_free(struct shl_pending_request *pending)
{
    if (pending) {
        free(pending->bytes);
        free(pending->table);
    }
    free(pending);
}

/* All that is there, the oldest first, linked by `next`. */
static struct shl_pending_request *take_all(struct shl_mpsc *list)
{
    return (struct shl_pending_request *)shl_mpsc_take(list);
}

static bool is_asked(uint32_t type)
{
    return (type >= SHL_PLUGIN_HOST_STATE_SAVE &&
            type <= SHL_PLUGIN_HOST_AU_PARAMS) ||
           type == SHL_PLUGIN_HOST_COLLECT;
}

static bool takes_bytes(uint32_t type)
{
    return type == SHL_PLUGIN_HOST_STATE_RESTORE ||
           type == SHL_PLUGIN_HOST_FOLDER || type == SHL_PLUGIN_HOST_FILE;
}

shl_status shl_plugin_process_ask(struct shl_plugin_process *plugin,
                                  uint32_t id, uint32_t number,
                                  const void *bytes, uint32_t size,
                                  uint32_t timeout_ms)
{
    struct shl_pending_request *pending;

    if (!is_asked(number) || size > SHL_SCRATCH_SIZE ||
        (size && !takes_bytes(number)))
        return SHL_BAD_VALUE;
    if (strcmp(plugin->format, "null") == 0 ||
        strcmp(plugin->format, "__test__") == 0)
        return SHL_UNSUPPORTED;
    pending = calloc(1, sizeof *pending);
    if (pending && size)
        pending->bytes = malloc(size);
    if (!pending || (size && !pending->bytes)) {
        shl_pending_request_free(pending);
        return SHL_NO_MEMORY;
    }
    if (size)
        memcpy(pending->bytes, bytes, size);
    pending->size = size;
    pending->id = id;
    pending->number = number;
    pending->deadline_ns = shl_clock_ns() + timeout_ms * MS_NS;
    shl_mpsc_push(&plugin->posted, &pending->node);
    atomic_fetch_add_explicit(&plugin->calls, 1, memory_order_seq_cst);
    shl_word_wake(&plugin->calls);
    return SHL_OK;
}

/* The stack gives them newest first: what was taken is put back in order, the
 * oldest on top. */
struct shl_pending_request *
shl_plugin_process_answer(struct shl_plugin_process *plugin)
{
    return take_all(&plugin->answered);
}

/* Another state, other values: these programs say their values when asked. */
static void read_values(struct shl_plugin_process *plugin,
                        struct shl_pending_request *pending, uint8_t *scratch)
{
    uint32_t size;

    if (pending->status || pending->number != SHL_MAOLAN_STATE_RESTORE ||
        strcmp(plugin->format, "lv2") || !plugin->param_count ||
        shl_plugin_request_do(plugin, SHL_MAOLAN_LV2_CONTROLS, NULL, 0,
                              shl_clock_ns() + TABLE_MS * MS_NS, scratch,
                              &size) ||
        !(pending->table = malloc(SHL_SCRATCH_SIZE)))
        return;
    memcpy(pending->table, scratch, SHL_SCRATCH_SIZE);
    pending->table_size = size;
}

/* ---- requests that changed their meaning ------------------------------------------------- */

/* The protocol number of the program, or the lowest that it may have; 0: it is
 * not known whether that is 4 to 6 or a later one. A program never says it: its
 * layout, its counter and its answers show it, and its user may know. The
 * counter is believed before the user, since later numbers copy files where
 * earlier ones list them. */
static uint32_t number_of(struct shl_plugin_process *plugin)
{
    const struct shl_maolan_layout *row = plugin->maolan.layout;

    if (row->midi_in_ports == SHL_NONE)
        return row->version_high;
    if (!plugin->number && shl_plugin_process_counts(plugin))
        plugin->number = SHL_VERSION_RESOURCES;
    return plugin->number ? plugin->number : plugin->protocol;
}

/* Whether its answer has a list of files, which is what number 7 answers to the
 * request that changed a file before. */
static bool has_files(const uint8_t *scratch)
{
    uint32_t magic;

    memcpy(&magic, scratch + SHL_FILE_REFS_OFFSET, sizeof magic);
    return magic == SHL_FILE_REFS_MAGIC;
}

/* Messages carry about 170 bytes of such a sentence. */
#define NO_CHANGE                                                              \
    "this plugin program speaks Maolan protocol number 7 or later, which "     \
    "cannot change a file: use resource_dir and file_collect"
#define NO_COLLECT                                                             \
    "this plugin program speaks Maolan protocol number 6 or earlier, which "   \
    "cannot copy files: use file_set"
#define NO_NUMBER                                                              \
    "the Maolan protocol number of this plugin program is not known; number "  \
    "7 would copy files where 6 lists them: open it with -protocol 6 or 7"
#define TOO_LONG                                                               \
    "a path of 2,000 bytes needs the Maolan protocol number of the plugin "    \
    "program: open it with -protocol 6 if it has that"

static shl_status refuse(struct shl_pending_request *pending, const char *text)
{
    pending->text = text;
    return SHL_UNSUPPORTED;
}

static shl_status do_wire(struct shl_plugin_process *plugin,
                          struct shl_pending_request *pending, uint32_t wire,
                          uint8_t *scratch, uint32_t *size)
{
    return shl_plugin_request_do(plugin, wire, pending->bytes, pending->size,
                                 pending->deadline_ns, scratch, size);
}

/* Request 7 with these bytes, where no list of files stands that was there
 * before. */
static shl_status do_seven(struct shl_plugin_process *plugin,
                           struct shl_pending_request *pending,
                           const uint8_t *bytes, uint32_t length,
                           uint8_t *scratch, uint32_t *size)
{
    uint8_t padded[SHL_FILE_REFS_OFFSET + 4] = {0};

    if (length > SHL_FILE_REFS_OFFSET)
        return shl_plugin_request_do(plugin, SHL_MAOLAN_FILE_UPDATE, bytes,
                                     length, pending->deadline_ns, scratch,
                                     size);
    if (length)
        memcpy(padded, bytes, length);
    return shl_plugin_request_do(plugin, SHL_MAOLAN_FILE_UPDATE, padded,
                                 sizeof padded, pending->deadline_ns, scratch,
                                 size);
}

/* Where the number is not known: 7 without a block lists the files, or does
 * nothing. */
static shl_status list_files(struct shl_plugin_process *plugin,
                             struct shl_pending_request *pending,
                             uint8_t *scratch, uint32_t *size)
{
    uint32_t number = number_of(plugin);
    shl_status st;

    if (number && number < SHL_VERSION_RESOURCES)
        return do_wire(plugin, pending, SHL_MAOLAN_FILE_LIST, scratch, size);
    st = do_seven(plugin, pending, NULL, 0, scratch, size);
    if (!st && has_files(scratch)) {
        plugin->number = SHL_VERSION_RESOURCES;
        *size = SHL_SCRATCH_SIZE;
    } else if (!number && (!st || st == SHL_UNSUPPORTED)) {
        st = refuse(pending, NO_NUMBER);
    }
    return st;
}

static shl_status change_file(struct shl_plugin_process *plugin,
                              struct shl_pending_request *pending,
                              uint8_t *scratch, uint32_t *size)
{
    uint32_t number = number_of(plugin);
    shl_status st;

    if (number >= SHL_VERSION_RESOURCES)
        return refuse(pending, NO_CHANGE);
    if (!number && pending->size > SHL_FILE_REFS_OFFSET)
        return refuse(pending, TOO_LONG);
    st =
        do_seven(plugin, pending, pending->bytes, pending->size, scratch, size);
    *size = 0;
    /* it has listed them, and changed nothing */
    if (!st && pending->size <= SHL_FILE_REFS_OFFSET && has_files(scratch)) {
        plugin->number = SHL_VERSION_RESOURCES;
        st = refuse(pending, NO_CHANGE);
    }
    return st;
}

static shl_status collect(struct shl_plugin_process *plugin,
                          struct shl_pending_request *pending, uint8_t *scratch,
                          uint32_t *size)
{
    uint32_t number = number_of(plugin);

    if (!number)
        return refuse(pending, NO_NUMBER);
    if (number < SHL_VERSION_RESOURCES)
        return refuse(pending, NO_COLLECT);
    return do_wire(plugin, pending, SHL_MAOLAN_COLLECT, scratch, size);
}

/* A state from a file may be anybody's, or cut. */
static shl_status restore(struct shl_plugin_process *plugin,
                          struct shl_pending_request *pending, uint8_t *scratch,
                          uint32_t *size)
{
    if (strcmp(plugin->format, "lv2") == 0 &&
        shl_scratch_lv2_state_check(pending->bytes, pending->size)) {
        pending->text = "these bytes are no whole state of an LV2 plugin, and "
                        "the plugin program would not notice: nothing was sent";
        return SHL_BAD_VALUE;
    }
    return do_wire(plugin, pending, SHL_MAOLAN_STATE_RESTORE, scratch, size);
}

static shl_status perform(struct shl_plugin_process *plugin,
                          struct shl_pending_request *pending, uint8_t *scratch,
                          uint32_t *size)
{
    switch (pending->number) {
    case SHL_PLUGIN_HOST_STATE_RESTORE:
        return restore(plugin, pending, scratch, size);
    case SHL_PLUGIN_HOST_FILES:
        return list_files(plugin, pending, scratch, size);
    case SHL_PLUGIN_HOST_FILE:
        return change_file(plugin, pending, scratch, size);
    case SHL_PLUGIN_HOST_COLLECT:
        return collect(plugin, pending, scratch, size);
    default:
        return do_wire(plugin, pending, pending->number, scratch, size);
    }
}

static void serve(struct shl_plugin_process *plugin,
                  struct shl_pending_request *pending, uint8_t *scratch)
{
    uint32_t size = 0;
    uint8_t *bytes = NULL;

    if (shl_clock_ns() >= pending->deadline_ns)
        pending->status = SHL_TIMEOUT;
    else
        pending->status = perform(plugin, pending, scratch, &size);
    if (size && !(bytes = malloc(size)))
        pending->status = SHL_NO_MEMORY;
    free(pending->bytes);
    pending->bytes = bytes;
    pending->size = bytes ? size : 0;
    if (bytes)
        memcpy(bytes, scratch, size);
    read_values(plugin, pending, scratch);
    shl_mpsc_push(&plugin->answered, &pending->node);
}

void shl_plugin_request_serve(struct shl_plugin_process *plugin)
{
    struct shl_pending_request *pending = take_all(&plugin->posted), *next;
    uint8_t *scratch = pending ? malloc(SHL_SCRATCH_SIZE) : NULL;

    for (; pending; pending = next) {
        next = shl_pending_request_next(pending);
        if (scratch) {
            serve(plugin, pending, scratch);
        } else {
            pending->status = SHL_NO_MEMORY;
            pending->size = 0;
            shl_mpsc_push(&plugin->answered, &pending->node);
        }
    }
    free(scratch);
}

void shl_plugin_request_clear(struct shl_plugin_process *plugin)
{
    struct shl_pending_request *lists[] = {take_all(&plugin->posted),
                                           take_all(&plugin->answered)};

    for (int i = 0; i < 2; i++)
        while (lists[i]) {
            struct shl_pending_request *next =
                shl_pending_request_next(lists[i]);
            shl_pending_request_free(lists[i]);
            lists[i] = next;
        }
}
