/* What a plugin program can be asked for beside the sound: its window, files,
 * names of notes, counts of ports. */
#include "pd/host/errands.h"
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

static void tell_list(t_shmlink *x, struct errand *errand,
                      enum shl_plugin_host_type type, const char *each,
                      int with_port)
{
    struct telling telling = {x, gensym(each), with_port};
    t_symbol *selector = errand->selector;
    uint32_t count;
    shl_status st = shl_plugin_request_list(type, errand->answer,
                                            (uint32_t)errand->answer_size,
                                            tell_entry, &telling, &count);

    if (st) {
        errand_fail(x, errand, st,
                    "the answer of the plugin program is not as it must be");
        return;
    }
    errand_done(errand);
    replies_number(&x->x_say, selector->s_name, count);
}

static void tell_files(t_shmlink *x, struct errand *errand)
{
    tell_list(x, errand, SHL_PLUGIN_HOST_FILES, "file", 0);
}

static void tell_notes(t_shmlink *x, struct errand *errand)
{
    tell_list(x, errand, SHL_PLUGIN_HOST_CLAP_NOTES, "note_name", 1);
}

static void tell_ports(t_shmlink *x, struct errand *errand)
{
    uint32_t counts[4];
    t_atom atoms[4];

    if (shl_plugin_request_ports(errand->answer, (uint32_t)errand->answer_size,
                                 counts)) {
        errand_fail(x, errand, SHL_BAD_PEER,
                    "the answer of the plugin program is not as it must be");
        return;
    }
    for (int i = 0; i < 4; i++)
        atoms_set_number(&atoms[i], counts[i]);
    errand_done(errand);
    replies_send(&x->x_say, "port_counts", 4, atoms);
}

static void tell_success(t_shmlink *x, struct errand *errand)
{
    t_symbol *selector = errand->selector;

    errand_done(errand);
    replies_number(&x->x_say, selector->s_name, 1);
}

/* The window has no reply of its own. */
static void tell_nothing(t_shmlink *x, struct errand *errand)
{
    (void)x;
    errand_done(errand);
}

/* ---- first steps -------------------------------------------------------------------- */

static void ask(t_shmlink *x, struct errand *errand,
                enum shl_plugin_host_type type, errand_step then)
{
    uint32_t size = SHL_PLUGIN_REQUEST_ASK_SIZE;
    uint8_t *bytes = malloc(size);
    shl_status st = bytes
                        ? shl_plugin_request_ask(type, (uint32_t)errand->index,
                                                 errand->path, bytes, &size)
                        : SHL_NO_MEMORY;

    if (st)
        errand_fail(x, errand, st, shl_status_text(st));
    else
        errand_ask(x, errand, SHL_MESSAGE_PLUGIN, bytes, size, then);
    free(bytes);
}

static void ask_folder(t_shmlink *x, struct errand *errand)
{
    ask(x, errand, SHL_PLUGIN_HOST_FOLDER, tell_success);
}

static void ask_files(t_shmlink *x, struct errand *errand)
{
    ask(x, errand, SHL_PLUGIN_HOST_FILES, tell_files);
}

static void ask_file(t_shmlink *x, struct errand *errand)
{
    ask(x, errand, SHL_PLUGIN_HOST_FILE, tell_success);
}

static void ask_collect(t_shmlink *x, struct errand *errand)
{
    ask(x, errand, SHL_PLUGIN_HOST_COLLECT, tell_success);
}

static void ask_notes(t_shmlink *x, struct errand *errand)
{
    int lv2 = strncmp(x->x_say.name, "lv2:", 4) == 0;

    ask(x, errand, lv2 ? SHL_PLUGIN_HOST_LV2_NOTES : SHL_PLUGIN_HOST_CLAP_NOTES,
        tell_notes);
}

static void ask_ports(t_shmlink *x, struct errand *errand)
{
    ask(x, errand, SHL_PLUGIN_HOST_PORTS, tell_ports);
}

static void ask_window(t_shmlink *x, struct errand *errand)
{
    ask(x, errand, errand->index ? SHL_PLUGIN_HOST_SHOW : SHL_PLUGIN_HOST_HIDE,
        tell_nothing);
}

/* ---- methods --------------------------------------------------------------------------- */

static void file_list(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    (void)argv;
    errands_bare(x, s, argc, ask_files);
}

static void note_names(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    (void)argv;
    errands_bare(x, s, argc, ask_notes);
}

static void port_counts(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    (void)argv;
    errands_bare(x, s, argc, ask_ports);
}

static void with_path(t_shmlink *x, t_symbol *s, const t_atom *path,
                      double index, errand_step begin)
{
    struct errand *errand = errands_new(x, s, begin, 0);

    if (!errand)
        return;
    atoms_text(path, errand->path, sizeof errand->path);
    errand->index = (int32_t)index;
    errands_add(x, errand);
}

static void file_collect(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    (void)argv;
    errands_bare(x, s, argc, ask_collect);
}

static void resource_dir(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double shared = 0;

    if (argc < 1 || argc > 2 || (argc == 2 && !atoms_number(argv + 1, &shared)))
        replies_fail(&x->x_say, s, SHL_BAD_VALUE,
                     "resource_dir: takes the path of a folder, and 1 if other "
                     "plugins share it: nothing was done");
    else
        with_path(x, s, argv, shared > 0 || shared < 0, ask_folder);
}

static void file_set(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double index = -1;

    if (argc != 2 || !atoms_number(argv, &index) || index < 0 || index > 1e9 ||
        index > (int)index)
        replies_fail(&x->x_say, s, SHL_BAD_VALUE,
                     "file_set: takes the number of a file and a path: nothing "
                     "was done");
    else
        with_path(x, s, &argv[1], index, ask_file);
}

static void vis(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct errand *errand;
    double show = 0;

    if (argc != 1 || !atoms_number(argv, &show)) {
        replies_fail(&x->x_say, s, SHL_BAD_VALUE,
                     "vis: takes 1 (show the window) or 0 (hide it): nothing "
                     "was done");
        return;
    }
    errand = errands_new(x, s, ask_window, SHL_CAP_EDITOR);
    if (!errand)
        return;
    errand->index = show > 0 || show < 0;
    errands_add(x, errand);
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
