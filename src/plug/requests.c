/* SPDX-License-Identifier: MIT */
#include "requests.h"

#include "log.h"

#include <string.h>

static shl_status missing(struct shl_why *why, const char *what)
{
    shl_why_set(why, "this plugin has no %s", what);
    return SHL_UNSUPPORTED;
}

static shl_status save(shl_scratchpad *pad, struct plugin *plugin,
                       struct shl_why *why)
{
    struct state state = {.status = SHL_OK};
    shl_status status = state_save(plugin, &state, why);

    if (status)
        return status;
    status = shl_scratchpad_state(pad, state.bytes, state.size);
    if (status)
        shl_why_set(why, "the state has %zu bytes; this protocol carries 65536",
                    state.size);
    state_free(&state);
    return status;
}

/* A table that does not fit is answered as far as it goes: a DAW can do more
 * with most of the parameters than with none. */
static void tell_cut(shl_status status, const char *what, uint32_t there,
                     uint32_t of)
{
    if (status == SHL_NO_SPACE)
        log_say(PLUGIN_WARNING, "%s: %u of %u fit into the scratch area", what,
                there, of);
}

static shl_status put_params(shl_scratchpad *pad, struct plugin *plugin,
                             uint32_t type, struct shl_why *why)
{
    const struct shl_param *list;
    const uint32_t count =
        plugin->calls->params ? plugin->calls->params(plugin, &list) : 0;
    shl_status status = SHL_OK;
    uint32_t i;

    if (!plugin->calls->params)
        return missing(why, "parameters");
    for (i = 0; i < count; i++) {
        const struct shl_plugin_host_entry entry = {
            .id = list[i].id,
            .name = list[i].name,
            .module = list[i].group,
            .minimum = list[i].minimum,
            .maximum = list[i].maximum,
            .value = type == SHL_PLUGIN_HOST_LV2_CONTROLS
                         ? plugin->calls->value(plugin, list[i].id)
                         : list[i].initial};

        status = shl_scratchpad_put(pad, &entry);
        if (status)
            break;
    }
    tell_cut(status, "parameters", i, count);
    return SHL_OK;
}

typedef int give_entry(struct plugin *plugin, uint32_t index,
                       struct plugin_entry *entry);

static shl_status put_entries(shl_scratchpad *pad, struct plugin *plugin,
                              give_entry *give, const char *what,
                              struct shl_why *why)
{
    struct plugin_entry entry;
    shl_status status = SHL_OK;
    uint32_t there = 0, all = 0;

    if (!give)
        return missing(why, what);
    for (; give(plugin, all, &entry); all++) {
        const struct shl_plugin_host_entry line = {.id = entry.number,
                                                   .name = entry.text};

        if (!status)
            status = shl_scratchpad_put(pad, &line);
        there += !status;
    }
    tell_cut(status, what, there, all);
    return SHL_OK;
}

static shl_status set_file(struct plugin *plugin,
                           const struct shl_plugin_host_request *request,
                           struct shl_why *why)
{
    const struct plugin_entry entry = {request->index, request->path};

    if (!plugin->calls->set_file)
        return missing(why, "files");
    return plugin->calls->set_file(plugin, &entry, why);
}

static shl_status set_folder(struct plugin *plugin,
                             const struct shl_plugin_host_request *request,
                             struct shl_why *why)
{
    if (!plugin->calls->set_folder)
        return missing(why, "folder for its files");
    return plugin->calls->set_folder(plugin, request->path,
                                     (int)request->shared);
}

static shl_status collect(struct plugin *plugin, struct shl_why *why)
{
    if (!plugin->calls->collect)
        return missing(why, "files to copy into a folder");
    return plugin->calls->collect(plugin, why);
}

void requests_put_ports(shl_scratchpad *pad, const struct plugin *plugin)
{
    const struct plugin_ports ports = plugin->calls->ports(plugin);

    shl_scratchpad_ports(pad, ports.audio_in, ports.audio_out, ports.midi_in,
                         ports.midi_out);
}

/* The DAW's counts are a wish; what the plugin makes of it holds once it has
 * been made active anew. */
static shl_status ports(shl_scratchpad *pad, struct plugin *plugin,
                        const struct shl_plugin_host_request *request,
                        struct requests_needs *needs, struct shl_why *why)
{
    const struct plugin_ports now = plugin->calls->ports(plugin);

    requests_put_ports(pad, plugin);
    if (!request->wish || now.any || !plugin->calls->set_ports ||
        (now.audio_in == request->audio_in &&
         now.audio_out == request->audio_out))
        return SHL_OK;
    needs->restart = 1;
    return plugin->calls->set_ports(plugin, request->audio_in,
                                    request->audio_out, why);
}

static shl_status show(struct plugin *plugin,
                       const struct shl_plugin_host_request *request,
                       struct shl_why *why)
{
    const struct plugin_window window = {request->parent, request->floating,
                                         request->window_api};

    if (!plugin->calls->show)
        return missing(why, "window");
    return plugin->calls->show(plugin, &window, why);
}

static shl_status hide(struct plugin *plugin)
{
    if (plugin->calls->hide)
        plugin->calls->hide(plugin);
    return SHL_OK;
}

shl_status requests_answer(shl_scratchpad *pad, struct plugin *plugin,
                           const struct shl_plugin_host_request *request,
                           struct requests_needs *needs, struct shl_why *why)
{
    if (request->problem) {
        shl_why_set(why, "what the DAW sent with it makes no sense");
        return request->problem;
    }
    switch (request->type) {
    case SHL_PLUGIN_HOST_STATE_SAVE:
        return save(pad, plugin, why);
    case SHL_PLUGIN_HOST_STATE_RESTORE:
        needs->tell = 1;
        return state_restore(plugin, request->bytes, request->size, why);
    case SHL_PLUGIN_HOST_SHOW:
        return show(plugin, request, why);
    case SHL_PLUGIN_HOST_HIDE:
        return hide(plugin);
    case SHL_PLUGIN_HOST_FOLDER:
        return set_folder(plugin, request, why);
    case SHL_PLUGIN_HOST_FILES:
        return put_entries(
            pad, plugin,
            request->relative ? plugin->calls->resource : plugin->calls->file,
            request->relative ? "files in its folder" : "files", why);
    case SHL_PLUGIN_HOST_COLLECT:
        return collect(plugin, why);
    case SHL_PLUGIN_HOST_FILE:
        return set_file(plugin, request, why);
    case SHL_PLUGIN_HOST_LV2_CONTROLS:
    case SHL_PLUGIN_HOST_CLAP_PARAMS:
    case SHL_PLUGIN_HOST_AU_PARAMS:
        return put_params(pad, plugin, request->type, why);
    case SHL_PLUGIN_HOST_LV2_NOTES:
    case SHL_PLUGIN_HOST_CLAP_NOTES:
        return put_entries(pad, plugin, plugin->calls->note_name, "note names",
                           why);
    case SHL_PLUGIN_HOST_PORTS:
        return ports(pad, plugin, request, needs, why);
    default:
        shl_why_set(why, "there is no request %u", request->type);
        return SHL_UNSUPPORTED;
    }
}
