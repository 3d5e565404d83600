/* SPDX-License-Identifier: MIT */
/* The request slot of a plugin program, by an order that is safe with the hosts
 * there are: block size and status are cleared before the type is shown, bytes
 * only wake us, the next request waits until the last one's type is gone, and
 * bytes of blocks that nobody asked for are drained. */
#include "core/maolan/plugin_process.h"

#include <stdlib.h>
#include <string.h>

#define MS_NS    UINT64_C(1000000)
#define LOOK_US  1000u /* between looks at the status */
#define QUIET_US 20000u
#define AGREED   4u
#define TABLE_MS 1000u /* for the values after a restore */
#define CALM_MS  200u  /* for stale bytes, also when they do not end */
#define CLEAR_MS 1000u /* for the type, once the status is there */

/* ---- who may ring ------------------------------------------------------------ */

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

static void let(struct shl_plugin_process *plugin)
{
    shl_plugin_process_let(plugin);
    shl_word_wake(&plugin->held);
}

static bool hold(struct shl_plugin_process *plugin, uint64_t deadline_ns)
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

/* ---- doorbell and answer -------------------------------------------------------- */

static void drain(struct shl_plugin_process *plugin)
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

    drain(plugin); /* what is left belongs to nobody */
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
        drain(plugin);
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

/* ---- one request ---------------------------------------------------------------------- */

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
    drain(plugin);
    shl_pipes_wait(&plugin->pipes, LOOK_US);
    drain(plugin);
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

    while (!(is_believed(&plugin->tasks) &&
             tasks_now(plugin) != plugin->tasks.seen) &&
           plugin->heard < bytes_of(plugin, number) &&
           !over(plugin, until_ns)) {
        drain(plugin);
        if (shl_pipes_wait(&plugin->pipes, QUIET_US) == SHL_TIMEOUT)
            break;
    }
    drain(plugin);
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
    if (!hold(plugin, deadline_ns))
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
    let(plugin);
    return st;
}

/* ---- requests ------------------------------------------------------------------------------ */

void shl_pending_request_free(struct shl_pending_request *pending)
{
    if (pending) {
        free(pending->bytes);
        free(pending->table);
    }
    free(pending);
}

static void push(_Atomic(struct shl_pending_request *) *stack,
                 struct shl_pending_request *pending)
{
    pending->next = atomic_load_explicit(stack, memory_order_relaxed);
    /* release: the pending is whole before the other side can see it */
    while (!atomic_compare_exchange_weak_explicit(stack, &pending->next,
                                                  pending, memory_order_release,
                                                  memory_order_relaxed))
        continue;
}

/* All that is there, oldest first. */
static struct shl_pending_request *
take_all(_Atomic(struct shl_pending_request *) *stack)
{
    /* acquire: they are whole */
    struct shl_pending_request *from =
        atomic_exchange_explicit(stack, NULL, memory_order_acquire);
    struct shl_pending_request *oldest = NULL;

    while (from) {
        struct shl_pending_request *next = from->next;
        from->next = oldest;
        oldest = from;
        from = next;
    }
    return oldest;
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
    push(&plugin->posted, pending);
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
    if (!plugin->number && responses_now(plugin))
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
    push(&plugin->answered, pending);
}

void shl_plugin_request_serve(struct shl_plugin_process *plugin)
{
    struct shl_pending_request *pending = take_all(&plugin->posted), *next;
    uint8_t *scratch = pending ? malloc(SHL_SCRATCH_SIZE) : NULL;

    for (; pending; pending = next) {
        next = pending->next;
        if (scratch) {
            serve(plugin, pending, scratch);
        } else {
            pending->status = SHL_NO_MEMORY;
            pending->size = 0;
            push(&plugin->answered, pending);
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
            struct shl_pending_request *next = lists[i]->next;
            shl_pending_request_free(lists[i]);
            lists[i] = next;
        }
}
