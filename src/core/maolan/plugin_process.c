/* SPDX-License-Identifier: MIT */
/* The life of a plugin program, on a thread of its own: its segment, its start, until
 * it is ready, its end. */
#include "core/maolan/plugin_process.h"

#include "core/board/board.h"
#include "core/shm/segment.h"
#include "shmlink/name.h"
#include "shmlink/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS   UINT64_C(1000000)
#define READY_S 10u   /* from the start until it is ready, unless told */
#define TELL_MS 1000u /* from then on, for what tells its layout */
#define END_MS  1000u /* from the end of its pipe until it has ended */
#define LOOK_MS 5u
#define REST_US 50000u /* between looks at a program that plays */
#define NAMES   10000u /* tried before giving up */
#define WORDS   12
/* Written where the other side has a choice: the highest that programs of ours
 * have always taken. Those of others never look at it. */
#define PROTOCOL 6u

/* Exit codes of such programs. */
#define NO_FORMAT 4u
#define NO_PLUGIN 5u

_Atomic uint32_t shl_plugin_process_patience_ms = 5000;

static _Atomic uint32_t alive; /* plugins of this process; relaxed */

uint32_t shl_plugin_process_get_count(void)
{
    return atomic_load_explicit(&alive, memory_order_relaxed);
}

enum shl_plugin_process_stage
shl_plugin_process_get_stage(const struct shl_plugin_process *plugin)
{
    /* acquire: all that the thread has written before */
    return (enum shl_plugin_process_stage)atomic_load_explicit(
        &plugin->stage, memory_order_acquire);
}

static void set_stage(struct shl_plugin_process *plugin,
                      enum shl_plugin_process_stage stage)
{
    /* release: pairs with the load above */
    atomic_store_explicit(&plugin->stage, (uint32_t)stage,
                          memory_order_release);
}

static bool quits(const struct shl_plugin_process *plugin)
{
    return atomic_load_explicit(&plugin->quit, memory_order_acquire) != 0;
}

static uint32_t calls_of(struct shl_plugin_process *plugin)
{
    return atomic_load_explicit(&plugin->calls, memory_order_seq_cst);
}

static void fail(struct shl_plugin_process *plugin, shl_status status)
{
    if (plugin->status)
        return;
    plugin->status = status;
    if (!plugin->why.text[0])
        shl_why_set(&plugin->why, "%s: %s", plugin->program,
                    shl_status_text(status));
}

/* ---- the segment ------------------------------------------------------------------- */

static void number_name(struct shl_plugin_process *plugin, uint32_t pid,
                        uint32_t n)
{
    snprintf(plugin->instance, sizeof plugin->instance, "%s-%u-%u",
             plugin->format, pid, n);
    snprintf(plugin->name, sizeof plugin->name, SHL_BOARD_PLUGIN "%u-%s", pid,
             plugin->instance);
}

/* Names can be foretold, so one that is there is not ours: the next. None comes
 * twice: a program that was given up before it had opened its segment would open
 * the next one's. A program that is told its protocol gets a segment without
 * room for a link area. */
static shl_status make_segment(struct shl_plugin_process *plugin)
{
    const struct shl_maolan_layout *b = &shl_maolan_layouts[SHL_LAYOUT_B16];
    static _Atomic uint32_t serial; /* relaxed: a number for each */
    uint32_t pid = shl_process_self().pid;
    shl_status st = SHL_TAKEN;

    for (uint32_t n = 0; n < NAMES && st == SHL_TAKEN; n++) {
        number_name(
            plugin, pid,
            atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed));
        /* held as long as it is mapped: whoever sweeps sees that we live */
        st = shl_map_create_held(
            plugin->name, plugin->protocol ? SHL_MAOLAN_SIZE : SHL_SEGMENT_SIZE,
            SHL_LEASE_MAKER, &plugin->map);
    }
    if (st)
        return st;
    atomic_store_explicit(&plugin->named, 1, memory_order_relaxed);
    st = shl_map_reserve(&plugin->map, 0, b->used_size);
    if (!st)
        shl_map_touch(&plugin->map, 0, b->used_size);
    return st;
}

void shl_plugin_process_unname(struct shl_plugin_process *plugin)
{
    /* one of the two who may, and only once: the name may be another's then */
    if (atomic_exchange_explicit(&plugin->named, 0, memory_order_acq_rel))
        shl_map_unlink(plugin->name);
}

static void store_word(struct shl_plugin_process *plugin, uint32_t offset,
                       uint32_t value)
{
    atomic_store_explicit(
        (_Atomic uint32_t *)(void *)(plugin->map.base + offset), value,
        memory_order_relaxed);
}

/* The words that no layout has moved: what is wished for, before the start. */
static void write_header(struct shl_plugin_process *plugin)
{
    const struct shl_maolan_layout *a = &shl_maolan_layouts[SHL_LAYOUT_A];

    store_word(plugin, a->input_channels, plugin->in_channels);
    store_word(plugin, a->output_channels, plugin->out_channels);
    shl_maolan_format(plugin->map.base,
                      plugin->protocol ? plugin->protocol : PROTOCOL,
                      plugin->rate_hz);
}

/* ---- starting ------------------------------------------------------------------------- */

static shl_status launch(struct shl_plugin_process *plugin)
{
    char numbers[4][32];
    const char *words[WORDS] = {plugin->program,
                                plugin->format,
                                plugin->spec,
                                plugin->name,
                                plugin->instance,
                                "3",
                                "4"};
    shl_status st;

    snprintf(numbers[0], 32, "%s", shl_digits(plugin->rate_hz, 17).text);
    /* these hosts prepare so much and copy no more; blocks may grow later */
    snprintf(numbers[1], 32, "%u", SHL_MAX_FRAMES);
    snprintf(numbers[2], 32, "%u", plugin->in_channels);
    snprintf(numbers[3], 32, "%u", plugin->out_channels);
    if (strcmp(plugin->format, "vst3") == 0 ||
        strcmp(plugin->format, "lv2") == 0 || strcmp(plugin->format, "au") == 0)
        for (int i = 0; i < 4; i++)
            words[7 + i] = numbers[i];
    st = shl_child_start(words, &plugin->pipes, &plugin->child);
    shl_pipes_started(&plugin->pipes);
    if (st)
        shl_plugin_program_explain(plugin, st);
    plugin->pid = plugin->child.pid;
    atomic_store_explicit(&plugin->starting, plugin->pid, memory_order_relaxed);
    return st;
}

/* Whether it has ended by itself; then how. */
static bool has_ended(struct shl_plugin_process *plugin, uint32_t timeout_ms)
{
    if (!shl_child_ended(&plugin->child, timeout_ms, &plugin->end))
        return false;
    plugin->unasked = true;
    return true;
}

static void explain_end(struct shl_plugin_process *plugin, bool ready)
{
    const char *when = ready ? "after it was ready" : "before it was ready";

    if (plugin->end.signal)
        shl_why_set(&plugin->why, "%.120s was ended by signal %u %s",
                    plugin->program, plugin->end.signal, when);
    else if (plugin->end.code == 0 && !ready)
        shl_why_set(&plugin->why,
                    "%.100s could not load %.100s: its own words are on the "
                    "standard error output",
                    plugin->program, plugin->spec);
    else
        shl_why_set(&plugin->why, "%.120s ended with exit code %u %s%s",
                    plugin->program, plugin->end.code, when,
                    plugin->end.code == NO_FORMAT   ? ": it has no such format"
                    : plugin->end.code == NO_PLUGIN ? ": it has no such plugin"
                                                    : "");
}

static shl_status wait_ready(struct shl_plugin_process *plugin)
{
    const struct shl_maolan_layout *a = &shl_maolan_layouts[SHL_LAYOUT_A];
    uint64_t until_ns =
        plugin->begun_ns + (uint64_t)plugin->patience_s * 1000 * MS_NS;

    while (!shl_maolan_load(&plugin->maolan, a->ready)) {
        if (has_ended(plugin, LOOK_MS)) {
            explain_end(plugin, false);
            return SHL_GONE;
        }
        if (quits(plugin))
            return SHL_GONE;
        if (shl_clock_ns() >= until_ns) {
            shl_why_set(&plugin->why,
                        "%.120s was not ready within %u seconds: it is "
                        "killed; give it longer with -patience %u",
                        plugin->program, plugin->patience_s,
                        6 * plugin->patience_s);
            return SHL_TIMEOUT;
        }
    }
    return SHL_OK;
}

static bool filled_area(const struct shl_plugin_process *plugin)
{
    uint32_t magic;

    if (plugin->map.size < SHL_SEGMENT_SIZE)
        return false;
    memcpy(&magic, plugin->map.base + SHL_LINK_OFFSET, sizeof magic);
    return magic == SHL_LINK_MAGIC;
}

/* Which layout it writes: what it left at its start, or what it was told. Some
 * say that they are ready before they have loaded; null says nothing ever, and
 * what it uses lies at the same place in all of them. */
static const struct shl_maolan_layout *
find_layout(struct shl_plugin_process *plugin)
{
    const struct shl_maolan_layout *told =
        shl_layout_of_version(plugin->protocol ? plugin->protocol : PROTOCOL);
    uint64_t until_ns = shl_clock_ns() + TELL_MS * MS_NS;

    if (plugin->protocol || strcmp(plugin->format, "null") == 0)
        return told;
    for (;;) {
        const struct shl_maolan_layout *found =
            shl_maolan_probe(plugin->map.base);
        if (found || shl_clock_ns() >= until_ns || quits(plugin))
            return found ? found : told;
        if (has_ended(plugin, LOOK_MS))
            return told;
    }
}

/* A program looks at no number: one that writes another layout than it was told
 * of shows it by where its start-up data are, and would be heard as silence. */
static shl_status check_layout(struct shl_plugin_process *plugin)
{
    const struct shl_maolan_layout *told =
        shl_layout_of_version(plugin->protocol);
    const struct shl_maolan_layout *found = shl_maolan_probe(plugin->map.base);

    if (!told || !found || found->scratch == told->scratch)
        return SHL_OK;
    shl_why_set(&plugin->why, "%.120s speaks protocol %s, not %u",
                plugin->program, found->version_low == 3 ? "3" : "4 to 8",
                plugin->protocol);
    return SHL_WRONG_VERSION;
}

/* ---- its life -------------------------------------------------------------------------------- */

static shl_status begin(struct shl_plugin_process *plugin)
{
    char path[SHL_PLUGIN_PROCESS_SPEC_SIZE];
    shl_status st =
        shl_plugin_program_find(plugin->program, path, &plugin->why);

    if (st)
        return st;
    memcpy(plugin->program, path, sizeof path);
    shl_board_sweep_plugins();
    st = make_segment(plugin);
    if (!st)
        st = shl_pipes_make(&plugin->pipes);
    if (st)
        return st;
    write_header(plugin);
    shl_maolan_init(
        &plugin->maolan, plugin->map.base,
        shl_layout_of_version(plugin->protocol ? plugin->protocol : PROTOCOL),
        SHL_MAOLAN_DAW);
    st = launch(plugin);
    if (!st)
        st = wait_ready(plugin);
    if (!st)
        st = check_layout(plugin);
    return st;
}

static void settle_layout(struct shl_plugin_process *plugin)
{
    const struct shl_maolan_layout *row = find_layout(plugin);

    shl_maolan_settle(plugin->map.base, row);
    if (!plugin->protocol && row->version_high < PROTOCOL)
        store_word(plugin, row->version, row->version_high);
    shl_maolan_init(&plugin->maolan, plugin->map.base, row, SHL_MAOLAN_DAW);
}

/* Until it is to end, or has ended by itself. */
static void live(struct shl_plugin_process *plugin)
{
    while (!quits(plugin)) {
        uint32_t seen = calls_of(plugin);
        shl_plugin_request_serve(plugin);
        if (has_ended(plugin, 0))
            break;
        /* its pipe may end before it has: then that is a matter of moments */
        shl_word_wait(&plugin->calls, seen,
                      atomic_load_explicit(&plugin->gone, memory_order_relaxed)
                          ? LOOK_MS * 1000
                          : REST_US);
    }
}

/* In good order: asked, given its time, killed. Harmless twice. */
static void finish(struct shl_plugin_process *plugin)
{
    if (plugin->maolan.base)
        shl_maolan_store(&plugin->maolan,
                         plugin->maolan.layout->shutdown_request, 1);
    if (plugin->child.pid) {
        shl_pipes_ring(&plugin->pipes);
        if (plugin->status == SHL_TIMEOUT ||
            !shl_child_ended(&plugin->child, shl_plugin_process_patience_ms,
                             &plugin->end))
            shl_child_kill(&plugin->child, &plugin->end);
    }
    shl_pipes_close(&plugin->pipes);
    shl_plugin_process_unname(plugin);
}

static void destroy(struct shl_plugin_process *plugin)
{
    shl_plugin_request_clear(plugin);
    shl_map_close(&plugin->map);
    free(plugin->params);
    free(plugin->state);
    free(plugin);
    atomic_fetch_sub_explicit(&alive, 1, memory_order_relaxed);
}

/* What there is to know before the first block; some end over it. */
static shl_status meet(struct shl_plugin_process *plugin)
{
    plugin->has_area = filled_area(plugin);
    if (!plugin->has_area) {
        settle_layout(plugin);
        shl_plugin_about_read(plugin);
        shl_plugin_process_unname(plugin);
    }
    bool gone = atomic_load_explicit(&plugin->gone, memory_order_relaxed);
    if (!has_ended(plugin, gone ? END_MS : 0))
        return SHL_OK;
    explain_end(plugin, true);
    return SHL_GONE;
}

static void run(void *arg)
{
    struct shl_plugin_process *plugin = arg;
    shl_status st = begin(plugin);

    if (!st)
        st = meet(plugin);
    bool ready = !st;
    if (ready) {
        set_stage(plugin, SHL_PLUGIN_PROCESS_READY);
        live(plugin);
        if (plugin->unasked)
            explain_end(plugin, true);
        st = SHL_GONE;
    }
    fail(plugin, st);
    /* one that was ready is in use until it is let go */
    if (!ready)
        finish(plugin);
    if (!ready || plugin->unasked)
        set_stage(plugin, SHL_PLUGIN_PROCESS_ENDED);
    while (!quits(plugin))
        shl_word_wait(&plugin->calls, calls_of(plugin), REST_US);
    finish(plugin);
    destroy(plugin);
}

static shl_status check(const struct shl_plugin_process_options *options,
                        struct shl_why *why)
{
    size_t length = strlen(options->format);

    if (length == 0 || length >= SHL_PLUGIN_PROCESS_FORMAT_SIZE ||
        strspn(options->format, "abcdefghijklmnopqrstuvwxyz0123456789_") !=
            length) {
        shl_why_set(why, "\"%.40s\" is no format of plugins", options->format);
        return SHL_BAD_NAME;
    }
    if (strlen(options->spec) >= SHL_PLUGIN_PROCESS_SPEC_SIZE ||
        (options->program &&
         strlen(options->program) >= SHL_PLUGIN_PROCESS_SPEC_SIZE)) {
        shl_why_set(why, "the name of a plugin or program has %u bytes at most",
                    SHL_PLUGIN_PROCESS_SPEC_SIZE - 1);
        return SHL_BAD_NAME;
    }
    if (options->protocol && !shl_layout_of_version(options->protocol)) {
        shl_why_set(why, "protocol %u is none of %u to %u", options->protocol,
                    SHL_VERSION_LOW, SHL_VERSION_HIGH);
        return SHL_BAD_VALUE;
    }
    return SHL_OK;
}

shl_status
shl_plugin_process_start(const struct shl_plugin_process_options *options,
                         struct shl_plugin_process **result,
                         struct shl_why *why)
{
    struct shl_plugin_process *plugin;
    shl_status st = check(options, why);

    if (st)
        return st;
    plugin = calloc(1, sizeof *plugin);
    if (!plugin)
        return SHL_NO_MEMORY;
    strcpy(plugin->format, options->format);
    strcpy(plugin->spec, options->spec);
    if (options->program)
        strcpy(plugin->program, options->program);
    plugin->protocol = options->protocol;
    plugin->rate_hz = options->rate_hz;
    plugin->block_frames = options->block_frames;
    plugin->in_channels = options->in_channels;
    plugin->out_channels = options->out_channels;
    plugin->map = (struct shl_map)SHL_MAP_NONE;
    plugin->pipes = (struct shl_pipes)SHL_PIPES_NONE;
    plugin->child = (struct shl_child)SHL_CHILD_NONE;
    plugin->save = options->save;
    plugin->patience_s = options->patience_s ? options->patience_s : READY_S;
    plugin->begun_ns = shl_clock_ns();
    plugin->restored = SHL_AGAIN;
    if (options->state_size && options->state_size <= SHL_SCRATCH_SIZE) {
        plugin->state = malloc(options->state_size);
        if (!plugin->state) {
            free(plugin);
            return SHL_NO_MEMORY;
        }
        memcpy(plugin->state, options->state, options->state_size);
        plugin->state_size = options->state_size;
    }
    atomic_fetch_add_explicit(&alive, 1, memory_order_relaxed);
    st = shl_thread_start(run, plugin);
    if (st) {
        atomic_fetch_sub_explicit(&alive, 1, memory_order_relaxed);
        free(plugin->state);
        free(plugin);
        return st;
    }
    *result = plugin;
    return SHL_OK;
}

void shl_plugin_process_end(struct shl_plugin_process *plugin)
{
    if (!plugin)
        return;
    /* release: we have done with it; afterwards it may be gone any time */
    atomic_fetch_add_explicit(&plugin->calls, 1, memory_order_seq_cst);
    shl_plugin_process_unname(plugin);
    atomic_store_explicit(&plugin->quit, 1, memory_order_release);
}
