/* SPDX-License-Identifier: MIT */
/* CLAP plugins: found by path and id, loaded, active or not. */
#include "plug/clap/clap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is wanted ------------------------------------------------------------------ */

/* "path::id", "path#id", "path", "id" or "name" in two; either may be "". */
static void split(const char *spec, char *path, char *id)
{
    const char *cut = strstr(spec, "::");
    size_t length;

    if (!cut)
        cut = strchr(spec, '#');
    length = cut ? (size_t)(cut - spec) : strlen(spec);
    snprintf(path, SHL_PATH_SIZE, "%.*s", (int)length, spec);
    snprintf(id, SHL_PATH_SIZE, "%s", cut ? cut + (*cut == ':' ? 2 : 1) : "");
}

static int names(const struct clap_descriptor *descriptor, const char *wanted)
{
    return !strcmp(descriptor->id, wanted) ||
           (descriptor->name && shl_name_matches(wanted, descriptor->name));
}

/* The plugin of a library with this id or name; "": the first. */
static const struct clap_descriptor *
descriptor_of(const struct clap_library *library, const char *wanted)
{
    const struct clap_factory *factory = library->factory;
    const uint32_t count = factory->count(factory);

    for (uint32_t i = 0; i < count; i++) {
        const struct clap_descriptor *descriptor =
            factory->descriptor(factory, i);

        if (descriptor && descriptor->id &&
            (!wanted[0] || names(descriptor, wanted)))
            return descriptor;
    }
    return NULL;
}

/* ---- searched by name ------------------------------------------------------------------ */

struct wanted {
    const char *name;
    char path[SHL_PATH_SIZE];
    char id[SHL_PATH_SIZE];
};

/* By the name of its file, so that nothing is loaded. */
static int has_file_name(void *arg, const char *path)
{
    struct wanted *wanted = arg;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const size_t length = strlen(wanted->name);

    if (strncmp(name, wanted->name, length) ||
        (name[length] != 0 && strcmp(name + length, ".clap") != 0))
        return 0;
    snprintf(wanted->path, sizeof(wanted->path), "%s", path);
    return 1;
}

static int has_plugin(void *arg, const char *path)
{
    struct wanted *wanted = arg;
    struct clap_library library;
    struct shl_why why;
    const struct clap_descriptor *descriptor;

    if (clap_library_open(path, &library, &why))
        return 0;
    descriptor = descriptor_of(&library, wanted->name);
    if (descriptor) {
        snprintf(wanted->path, sizeof(wanted->path), "%s", path);
        snprintf(wanted->id, sizeof(wanted->id), "%s", descriptor->id);
    }
    clap_library_close(&library);
    return descriptor != NULL;
}

/* Fill in the path where only a name was given. */
static shl_status find(char *path, char *id, struct shl_why *why)
{
    struct wanted wanted = {.name = path};

    if (strchr(path, '/'))
        return SHL_OK;
    if (!clap_files(has_file_name, &wanted) &&
        !clap_files(has_plugin, &wanted)) {
        shl_why_set(why,
                    "there is no CLAP plugin \"%s\" in ~/.clap, "
                    "/usr/lib/clap, /usr/local/lib/clap or CLAP_PATH; "
                    "shmplug --scan lists those there are",
                    path);
        return SHL_NOT_FOUND;
    }
    snprintf(path, SHL_PATH_SIZE, "%s", wanted.path);
    if (!id[0])
        snprintf(id, SHL_PATH_SIZE, "%s", wanted.id);
    return SHL_OK;
}

/* ---- the plugin -------------------------------------------------------------------------- */

static const void *extension(const struct clap *clap, const char *name)
{
    return clap->own->extension ? clap->own->extension(clap->own, name) : NULL;
}

static void get_extensions(struct clap *clap)
{
    clap->audio_ports = extension(clap, CLAP_EXT_AUDIO_PORTS);
    clap->configs = extension(clap, CLAP_EXT_AUDIO_PORTS_CONFIG);
    clap->note_ports = extension(clap, CLAP_EXT_NOTE_PORTS);
    clap->params = extension(clap, CLAP_EXT_PARAMS);
    clap->state = extension(clap, CLAP_EXT_STATE);
    clap->latency = extension(clap, CLAP_EXT_LATENCY);
    clap->note_names = extension(clap, CLAP_EXT_NOTE_NAME);
    clap->timer = extension(clap, CLAP_EXT_TIMER);
    clap->fd = extension(clap, CLAP_EXT_FD);
}

static void clap_unload(struct plugin *plugin)
{
    struct clap *clap = clap_of(plugin);

    clap_role_take(CLAP_MAIN);
    if (clap->own)
        clap->own->destroy(clap->own);
    clap_library_close(&clap->library);
    clap_params_free(clap);
    clap_ports_free(clap);
    clap_process_free(clap);
    free(clap);
}

static struct plugin_about clap_about(const struct plugin *plugin)
{
    const struct clap *clap = clap_of(plugin);
    const struct clap_descriptor *own = clap->own->descriptor;

    return (struct plugin_about){
        .name = own->name ? own->name : own->id,
        .vendor = own->vendor ? own->vendor : "",
        .category = clap->category,
        .version = own->plugin_version ? own->plugin_version : ""};
}

static shl_status clap_activate(struct plugin *plugin, double rate_hz,
                                uint32_t frames, struct shl_why *why)
{
    struct clap *clap = clap_of(plugin);

    clap_role_take(CLAP_MAIN);
    if (clap->stale_params) {
        shl_status status = clap_params_read(clap, why);

        if (status)
            return status;
        clap->stale_params = 0;
    }
    if (!clap->own->activate(clap->own, rate_hz, 1, frames)) {
        shl_why_set(why,
                    "the plugin does not activate at %u Hz with blocks of "
                    "up to %u frames",
                    (unsigned)rate_hz, frames);
        return SHL_UNSUPPORTED;
    }
    clap->rate_hz = rate_hz;
    clap->active = 1;
    clap->frame = 0;
    atomic_store_explicit(&clap->latency_frames,
                          clap->latency ? clap->latency->get(clap->own) : 0,
                          memory_order_relaxed);
    return SHL_OK;
}

static void clap_deactivate(struct plugin *plugin)
{
    struct clap *clap = clap_of(plugin);

    if (!clap->active)
        return;
    if (clap->started) {
        /* the audio thread has ended: we are in its place */
        clap_role_take(CLAP_AUDIO);
        clap->own->stop(clap->own);
        clap->started = 0;
    }
    clap_role_take(CLAP_MAIN);
    clap->own->deactivate(clap->own);
    clap->active = 0;
}

static SHL_RT uint32_t clap_latency_frames(const struct plugin *plugin)
{
    return atomic_load_explicit(&clap_of(plugin)->latency_frames,
                                memory_order_relaxed);
}

static int clap_note_name(struct plugin *plugin, uint32_t index,
                          struct plugin_entry *entry)
{
    struct clap *clap = clap_of(plugin);
    struct clap_note_name name;

    if (!clap->note_names || index >= clap->note_names->count(clap->own))
        return 0;
    memset(&name, 0, sizeof(name));
    if (!clap->note_names->get(clap->own, index, &name))
        return 0;
    name.name[CLAP_TEXT_SIZE - 1] = 0;
    snprintf(clap->text, sizeof(clap->text), "%s", name.name);
    *entry = (struct plugin_entry){
        name.key < 0 ? 0 : (uint32_t)(name.key & 0x7F), clap->text};
    return 1;
}

static const struct plugin_calls calls = {.holds = PLUGIN_HOLD_RESTORE,
                                          .unload = clap_unload,
                                          .about = clap_about,
                                          .ports = clap_ports,
                                          .activate = clap_activate,
                                          .deactivate = clap_deactivate,
                                          .process = clap_process,
                                          .silence = clap_silence,
                                          .latency = clap_latency_frames,
                                          .params = clap_param_list,
                                          .value = clap_value,
                                          .text = clap_text,
                                          .save = clap_save,
                                          .restore = clap_restore,
                                          .note_name = clap_note_name,
                                          .set_ports = clap_set_ports,
                                          .tick = clap_tick};

/* ---- loading --------------------------------------------------------------------------------- */

/* The first of its features that says what it is. */
static void categorize(struct clap *clap)
{
    static const char *const kinds[] = {"instrument", "audio-effect",
                                        "note-effect", "note-detector",
                                        "analyzer"};
    const char *const *features = clap->own->descriptor->features;

    for (; features && *features; features++)
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
            if (!clap->category[0] && !strcmp(*features, kinds[i]))
                snprintf(clap->category, sizeof(clap->category), "%s",
                         kinds[i]);
}

static shl_status create(struct clap *clap, const char *path, const char *id,
                         struct shl_why *why)
{
    const struct clap_descriptor *descriptor =
        descriptor_of(&clap->library, id);
    const struct clap_factory *factory = clap->library.factory;

    if (!descriptor) {
        shl_why_set(why, "there is no plugin \"%s\" in \"%s\"", id, path);
        return SHL_NOT_FOUND;
    }
    clap->own = factory->create(factory, &clap->host, descriptor->id);
    if (!clap->own) {
        shl_why_set(why, "\"%s\" does not make its plugin \"%s\"", path,
                    descriptor->id);
        return SHL_UNSUPPORTED;
    }
    if (!clap->own->descriptor || !clap->own->init(clap->own)) {
        shl_why_set(why, "the plugin \"%s\" does not begin", descriptor->id);
        return SHL_UNSUPPORTED;
    }
    get_extensions(clap);
    categorize(clap);
    return SHL_OK;
}

static shl_status open_plugin(struct clap *clap, const char *spec,
                              struct shl_why *why)
{
    char path[SHL_PATH_SIZE], id[SHL_PATH_SIZE];
    shl_status status;

    split(spec, path, id);
    status = find(path, id, why);
    if (!status)
        status = clap_library_open(path, &clap->library, why);
    if (!status)
        status = create(clap, path, id, why);
    if (!status)
        status = clap_ports_read(clap, why);
    if (!status)
        status = clap_params_read(clap, why);
    if (!status)
        status = clap_process_init(clap);
    return status;
}

static shl_status clap_load(const struct plugin_load *load,
                            struct plugin **plugin, struct shl_why *why)
{
    struct clap *clap = calloc(1, sizeof(*clap));
    shl_status status;

    if (!clap) {
        shl_why_set(why, "there is no memory for a plugin");
        return SHL_NO_MEMORY;
    }
    clap->plugin.calls = &calls;
    clap->owner = load->owner;
    clap_host_init(clap);
    status = open_plugin(clap, load->spec, why);
    if (!status &&
        (load->inputs != PLUGIN_ANY || load->outputs != PLUGIN_ANY)) {
        struct shl_why unsaid;

        /* a wish: a plugin that has other counts keeps them */
        clap_set_ports(&clap->plugin, load->inputs, load->outputs, &unsaid);
    }
    if (status) {
        clap_unload(&clap->plugin);
        return status;
    }
    *plugin = &clap->plugin;
    return SHL_OK;
}

/* ---- what there is ----------------------------------------------------------------------------- */

struct scan {
    void (*found)(void *arg, const struct plugin_found *plugin);
    void *arg;
};

static void scan_plugin(const struct scan *scan, const char *path,
                        const struct clap_descriptor *descriptor)
{
    char spec[2 * SHL_PATH_SIZE];
    struct shl_why why;
    struct plugin *plugin;
    struct plugin_load load = {.spec = spec,
                               .rate_hz = 48000,
                               .block_frames = 64,
                               .inputs = PLUGIN_ANY,
                               .outputs = PLUGIN_ANY};
    const struct shl_param *list;

    snprintf(spec, sizeof(spec), "%s::%s", path, descriptor->id);
    if (clap_load(&load, &plugin, &why))
        return;
    const struct plugin_found found = {.spec = spec,
                                       .about = clap_about(plugin),
                                       .ports = clap_ports(plugin),
                                       .params =
                                           clap_param_list(plugin, &list)};
    scan->found(scan->arg, &found);
    clap_unload(plugin);
}

static int scan_file(void *arg, const char *path)
{
    struct clap_library library;
    struct shl_why why;
    uint32_t count;

    if (clap_library_open(path, &library, &why))
        return 0;
    count = library.factory->count(library.factory);
    for (uint32_t i = 0; i < count; i++) {
        const struct clap_descriptor *descriptor =
            library.factory->descriptor(library.factory, i);

        if (descriptor && descriptor->id)
            scan_plugin(arg, path, descriptor);
    }
    clap_library_close(&library);
    return 0;
}

static void clap_scan(void (*found)(void *arg,
                                    const struct plugin_found *plugin),
                      void *arg)
{
    struct scan scan = {found, arg};

    clap_files(scan_file, &scan);
}

const struct plugin_format plugin_clap = {"clap", clap_load, clap_scan};
