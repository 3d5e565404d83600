/* SPDX-License-Identifier: MIT */
/* What a plugin program can be asked for beside the sound: its window, files,
 * names of notes, counts of ports. */
#include "pd/host/requests.h"
#include "pd/host/shmlink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what came ------------------------------------------------------------------ */

struct telling {
    t_shmlink *x;
    t_symbol *selector;
    int with_port;
};

static void tell_entry(void *arg, const struct shl_plugin_request_entry *entry)
{
    const struct telling *telling = arg;
    t_atom atoms[3];
    int n = 0;

    if (telling->with_port)
        atoms_set_number(&atoms[n++], 1);
    atoms_set_number(&atoms[n++], entry->id);
    SETSYMBOL(&atoms[n], atoms_name(entry->name));
    replies_send(&telling->x->x_say, telling->selector->s_name, n + 1, atoms);
}

static void tell_list(t_shmlink *x, struct request *request,
                      enum shl_plugin_host_type type, const char *each,
                      int with_port)
{
    struct telling telling = {x, gensym(each), with_port};
    t_symbol *selector = request->selector;
    uint32_t count;
    shl_status st = shl_plugin_request_list(type, request->answer,
                                            (uint32_t)request->answer_size,
                                            tell_entry, &telling, &count);

    if (st) {
        request_fail(x, request, st,
                     "the answer of the plugin program is not as it must be");
        return;
    }
    request_done(request);
    replies_number(&x->x_say, selector->s_name, count);
}

static void tell_files(t_shmlink *x, struct request *request)
{
    tell_list(x, request, SHL_PLUGIN_HOST_FILES, "file", 0);
}

static void tell_notes(t_shmlink *x, struct request *request)
{
    tell_list(x, request, SHL_PLUGIN_HOST_CLAP_NOTES, "note_name", 1);
}

static void tell_ports(t_shmlink *x, struct request *request)
{
    uint32_t counts[4];
    t_atom atoms[4];

    if (shl_plugin_request_ports(request->answer,
                                 (uint32_t)request->answer_size, counts)) {
        request_fail(x, request, SHL_BAD_PEER,
                     "the answer of the plugin program is not as it must be");
        return;
    }
    for (int i = 0; i < 4; i++)
        atoms_set_number(&atoms[i], counts[i]);
    request_done(request);
    replies_send(&x->x_say, "port_counts", 4, atoms);
}

static void tell_success(t_shmlink *x, struct request *request)
{
    t_symbol *selector = request->selector;

    request_done(request);
    replies_number(&x->x_say, selector->s_name, 1);
}

/* The window has no reply of its own. */
static void tell_nothing(t_shmlink *x, struct request *request)
{
    (void)x;
    request_done(request);
}

/* ---- first steps -------------------------------------------------------------------- */

static void ask(t_shmlink *x, struct request *request,
                enum shl_plugin_host_type type, request_step then)
{
    uint32_t size = SHL_PLUGIN_REQUEST_ASK_SIZE;
    uint8_t *bytes = malloc(size);
    shl_status st = bytes
                        ? shl_plugin_request_ask(type, (uint32_t)request->index,
                                                 request->path, bytes, &size)
                        : SHL_NO_MEMORY;

    if (st)
        request_fail(x, request, st, shl_status_text(st));
    else
        request_ask(x, request, SHL_MESSAGE_PLUGIN, bytes, size, then);
    free(bytes);
}

static void ask_folder(t_shmlink *x, struct request *request)
{
    ask(x, request, SHL_PLUGIN_HOST_FOLDER, tell_success);
}

static void ask_files(t_shmlink *x, struct request *request)
{
    ask(x, request, SHL_PLUGIN_HOST_FILES, tell_files);
}

static void ask_file(t_shmlink *x, struct request *request)
{
    ask(x, request, SHL_PLUGIN_HOST_FILE, tell_success);
}

static void ask_collect(t_shmlink *x, struct request *request)
{
    ask(x, request, SHL_PLUGIN_HOST_COLLECT, tell_success);
}

static void ask_notes(t_shmlink *x, struct request *request)
{
    int lv2 = strncmp(x->x_say.name, "lv2:", 4) == 0;

    ask(x, request,
        lv2 ? SHL_PLUGIN_HOST_LV2_NOTES : SHL_PLUGIN_HOST_CLAP_NOTES,
        tell_notes);
}

static void ask_ports(t_shmlink *x, struct request *request)
{
    ask(x, request, SHL_PLUGIN_HOST_PORTS, tell_ports);
}

static void ask_window(t_shmlink *x, struct request *request)
{
    ask(x, request,
        request->index ? SHL_PLUGIN_HOST_SHOW : SHL_PLUGIN_HOST_HIDE,
        tell_nothing);
}

/* ---- methods --------------------------------------------------------------------------- */

static void file_list(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    requests_bare(x, s, argc, argv, ask_files);
}

static void note_names(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    requests_bare(x, s, argc, argv, ask_notes);
}

static void port_counts(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    requests_bare(x, s, argc, argv, ask_ports);
}

static void with_path(t_shmlink *x, t_symbol *s, const t_atom *path,
                      double index, request_step begin)
{
    struct request *request = requests_new(x, s, begin, 0);

    if (!request)
        return;
    atoms_text(path, request->path, sizeof request->path);
    request->index = (int32_t)index;
    requests_add(x, request);
}

static void file_collect(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    requests_bare(x, s, argc, argv, ask_collect);
}

static void resource_dir(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double shared = 0;

    if (argc < 1 || argc > 2 || (argc == 2 && !atoms_number(argv + 1, &shared)))
        replies_fail_words(&x->x_say, s, argc, argv,
                           "the path of a folder, and 1 if other plugins share "
                           "it",
                           "/path/of/folder");
    else
        with_path(x, s, argv, shared > 0 || shared < 0, ask_folder);
}

static void file_set(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double index = -1;

    if (argc != 2 || !atoms_number(argv, &index) || index < 0 || index > 1e9 ||
        index > (int)index)
        replies_fail_words(&x->x_say, s, argc, argv,
                           "the number of a file and a path",
                           "0 /path/of/file");
    else
        with_path(x, s, &argv[1], index, ask_file);
}

static void vis(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct request *request;
    double show = 0;

    if (argc != 1 || !atoms_number(argv, &show)) {
        replies_fail_words(&x->x_say, s, argc, argv,
                           "1 (show the window) or 0 (hide it)", "1");
        return;
    }
    request = requests_new(x, s, ask_window, SHL_CAP_EDITOR);
    if (!request)
        return;
    request->index = show > 0 || show < 0;
    requests_add(x, request);
}

void plugins_methods(t_class *c)
{
    waiting_add(c, (t_method)resource_dir, "resource_dir");
    waiting_add(c, (t_method)file_list, "file_list");
    waiting_add(c, (t_method)file_set, "file_set");
    waiting_add(c, (t_method)file_collect, "file_collect");
    waiting_add(c, (t_method)note_names, "note_names");
    waiting_add(c, (t_method)port_counts, "port_counts");
    waiting_add(c, (t_method)vis, "vis");
}
