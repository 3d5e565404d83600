/* SPDX-License-Identifier: MIT */
/* Presets: states in the user's own folder, one folder per name of a device.
 * The folder may change at any time, so it is looked at for each message. */
#include "pd/host/requests.h"
#include "pd/host/shmlink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "link"

/* ---- objects that show the same presets ------------------------------------------ */

static t_shmlink *all;

void presets_enlist(t_shmlink *x)
{
    x->x_next = all;
    all = x;
}

void presets_discharge(t_shmlink *x)
{
    t_shmlink **link = &all;

    while (*link && *link != x)
        link = &(*link)->x_next;
    if (*link)
        *link = x->x_next;
}

/* Every object whose device has this name is told, once. What it leads to may
 * delete any of them, and make others: so they are marked first, and each search
 * for a marked one begins anew. */
static void tell_change(const char *key)
{
    t_shmlink *x;

    for (x = all; x; x = x->x_next) {
        char own[64] = "";
        if (x->x_host)
            states_key(x, own);
        x->x_change_due |= strcmp(own, key) == 0;
    }
    while (1) {
        for (x = all; x && !x->x_change_due; x = x->x_next)
            continue;
        if (!x)
            return;
        x->x_change_due = 0;
        x->x_presets = -1;
        replies_text(&x->x_say, "preset_change", key);
    }
}

/* ---- on the other thread ---------------------------------------------------------- */

static int list(struct work *work)
{
    work->status =
        shl_store_list(&work->store, &work->presets, &work->count, &work->why);
    return work->status == SHL_OK;
}

/* Names in a patch may have _ for each space. */
static int find(struct work *work)
{
    uint32_t i;

    if (!list(work))
        return 0;
    for (i = 0; i < work->count && work->name[0]; i++) {
        if (strcmp(work->name, work->presets[i].name) == 0)
            return (work->index = (int32_t)i), 1;
    }
    for (i = 0; i < work->count && work->name[0]; i++) {
        if (shl_name_matches(work->name, work->presets[i].name))
            return (work->index = (int32_t)i), 1;
    }
    if (!work->name[0] && work->index >= 0 &&
        (uint32_t)work->index < work->count)
        return 1;
    work->status = SHL_NOT_FOUND;
    if (work->name[0])
        snprintf(work->why.text, sizeof work->why.text,
                 "there is no preset %s: preset_list tells those there are",
                 work->name);
    else
        snprintf(work->why.text, sizeof work->why.text,
                 "there is no preset %d: there are %u", (int)work->index,
                 (unsigned)work->count);
    return 0;
}

/* The preset's own spelling and its file. */
static int locate(struct work *work)
{
    if (!find(work))
        return 0;
    memcpy(work->name, work->presets[work->index].name, sizeof work->name);
    work->status =
        shl_store_path(&work->store, work->name, work->path, &work->why);
    return work->status == SHL_OK;
}

static void job_list(struct work *work)
{
    list(work);
}

static void job_locate(struct work *work)
{
    locate(work);
}

static void job_load(struct work *work)
{
    if (locate(work))
        work->status = shl_state_load(FORMAT, work->path, &work->file,
                                      &work->bytes, &work->size, &work->why);
}

/* An index is one that is there; a name may be new. */
static void job_save(struct work *work)
{
    if (!work->name[0] && !locate(work))
        return;
    work->status = shl_store_save(&work->store, work->name, work->bytes,
                                  work->size, &work->is_new, &work->why);
}

static void job_rename(struct work *work)
{
    if (locate(work))
        work->status =
            shl_store_rename(&work->store, work->name, work->to, &work->why);
}

static void job_delete(struct work *work)
{
    if (locate(work))
        work->status = shl_store_delete(&work->store, work->name, &work->why);
}

/* ---- steps -------------------------------------------------------------------------- */

/* Work on the folder of this device. False after the failing reply. */
static int prepare(t_shmlink *x, struct request *request,
                   void (*job)(struct work *))
{
    struct work *work = request_work_new(x, request, job);
    struct shl_why why = {""};
    char key[SHL_TEXT_SIZE];
    shl_status status;

    if (!work)
        return 0;
    states_key(x, key);
    status = shl_store_init(&work->store, FORMAT, key, &why);
    if (status) {
        request_fail(x, request, status, why.text);
        return 0;
    }
    memcpy(work->name, request->name, sizeof work->name);
    memcpy(work->to, request->to, sizeof work->to);
    work->index = request->index;
    return 1;
}

static void tell_count(t_shmlink *x, struct request *request)
{
    x->x_presets = (int)request->work->count;
    request_done(request);
    replies_number(&x->x_say, "preset_count", request->work->count);
}

static void tell_info(t_shmlink *x, const struct work *work, uint32_t index)
{
    char path[SHL_PATH_SIZE] = "";
    t_atom atoms[4];

    shl_store_path(&work->store, work->presets[index].name, path, NULL);
    atoms_set_number(&atoms[0], index);
    SETSYMBOL(&atoms[1], atoms_name(work->presets[index].name));
    atoms_set_text(&atoms[2], path);
    atoms_set_number(&atoms[3], 0); /* the user's own */
    replies_send(&x->x_say, "preset_info", 4, atoms);
}

static void tell_list(t_shmlink *x, struct request *request)
{
    uint32_t i;

    for (i = 0; i < request->work->count; i++)
        tell_info(x, request->work, i);
    x->x_presets = (int)i;
    request_done(request);
    replies_number(&x->x_say, "preset_list", i);
}

static void tell_one_info(t_shmlink *x, struct request *request)
{
    request_done(request);
    tell_info(x, request->work, (uint32_t)request->work->index);
}

static void begin_count(t_shmlink *x, struct request *request)
{
    if (prepare(x, request, job_list))
        request_work(x, request, tell_count);
}

static void begin_list(t_shmlink *x, struct request *request)
{
    if (prepare(x, request, job_list))
        request_work(x, request, tell_list);
}

static void begin_info(t_shmlink *x, struct request *request)
{
    if (prepare(x, request, job_locate))
        request_work(x, request, tell_one_info);
}

/* ---- load and save -------------------------------------------------------------------- */

static void make_current(t_shmlink *x, const char *name)
{
    snprintf(x->x_preset, sizeof x->x_preset, "%s", name);
}

static void tell_loaded(t_shmlink *x, struct request *request)
{
    shl_host_refresh(x->x_host);
    make_current(x, request->name);
    request_done(request);
    replies_number(&x->x_say, "preset_load", 1);
}

static void restore(t_shmlink *x, struct request *request)
{
    memcpy(request->name, request->work->name, sizeof request->name);
    request_ask(x, request, SHL_MESSAGE_STATE_RESTORE, request->work->bytes,
                request->work->size, tell_loaded);
}

static void begin_load(t_shmlink *x, struct request *request)
{
    if (prepare(x, request, job_load))
        request_work(x, request, restore);
}

static void tell_saved(t_shmlink *x, struct request *request)
{
    struct work *work = request->work;
    char key[SHL_TEXT_SIZE];

    snprintf(key, sizeof key, "%s", work->store.key);
    make_current(x, work->name);
    request_done(request);
    replies_number(&x->x_say, "preset_save", 1);
    if (work->is_new)
        tell_change(key);
}

static void save(t_shmlink *x, struct request *request)
{
    if (!prepare(x, request, job_save))
        return;
    states_hand_over(request);
    request_work(x, request, tell_saved);
}

static void begin_save(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_STATE_SAVE, NULL, 0, save);
}

/* ---- rename and delete ------------------------------------------------------------------ */

static void tell_changed(t_shmlink *x, struct request *request)
{
    struct work *work = request->work;
    char key[SHL_TEXT_SIZE];

    snprintf(key, sizeof key, "%s", work->store.key);
    if (strcmp(x->x_preset, work->name) == 0)
        make_current(x, work->to);
    request_done(request);
    replies_number(&x->x_say, request->selector->s_name, 1);
    tell_change(key);
}

static void begin_rename(t_shmlink *x, struct request *request)
{
    if (prepare(x, request, job_rename))
        request_work(x, request, tell_changed);
}

static void begin_delete(t_shmlink *x, struct request *request)
{
    if (prepare(x, request, job_delete))
        request_work(x, request, tell_changed);
}

/* ---- messages ------------------------------------------------------------------------------ */

static int refuse_words(t_shmlink *x, t_symbol *s, int argc, const t_atom *argv,
                        const char *takes, const char *example)
{
    replies_fail_words(&x->x_say, s, argc, argv, takes, example);
    return 0;
}

static int refuse(t_shmlink *x, t_symbol *s, const char *text)
{
    replies_fail(&x->x_say, s, SHL_BAD_VALUE, "%s: %s", s->s_name, text);
    return 0;
}

/* An index, a name, or -1 for the one that was loaded or saved last. */
static int read_preset(t_shmlink *x, t_symbol *s, int argc, const t_atom *argv,
                       struct request *request)
{
    char name[MAXPDSTRING];
    double number;

    if (argc && atoms_number(argv, &number)) {
        if (atoms_whole(argv, 0, SHL_MAX_PRESETS - 1, &number)) {
            request->index = (int32_t)number;
            return 1;
        }
        if (!atoms_whole(argv, -1, -1, &number))
            return refuse_words(x, s, argc, argv,
                                "a whole number from 0, or -1 for the last "
                                "preset (preset_list tells all)",
                                "0");
        if (!x->x_preset[0])
            return refuse(x, s,
                          "-1 is the last preset, and none was loaded or saved "
                          "here yet: type preset_list");
        memcpy(request->name, x->x_preset, sizeof request->name);
        return 1;
    }
    if (!argc || argv->a_type != A_SYMBOL)
        return refuse_words(x, s, argc, argv,
                            "the number or the name of a preset", "warm");
    atoms_text(argv, name, sizeof name);
    if (strlen(name) >= sizeof request->name || shl_file_name_check(name, NULL))
        return refuse_words(x, s, argc, argv,
                            "a name for a file: at most 127 bytes without / "
                            "\\ : and no dot in front",
                            "warm");
    memcpy(request->name, name, strlen(name) + 1);
    return 1;
}

static void add_preset(t_shmlink *x, t_symbol *s, int argc, t_atom *argv,
                       request_step begin, uint64_t needs)
{
    struct request *request = requests_new(x, s, begin, needs);

    if (!request)
        return;
    if (read_preset(x, s, argc, argv, request) &&
        requests_async(x, s, argc - 1, argv + 1))
        requests_add(x, request);
    else
        requests_cancel(request);
}

static void preset_count(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    requests_bare(x, s, argc, argv, begin_count);
}

static void preset_list(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    requests_bare(x, s, argc, argv, begin_list);
}

static void preset_info(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    add_preset(x, s, argc, argv, begin_info, 0);
}

static void preset_load(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    add_preset(x, s, argc, argv, begin_load, SHL_CAP_STATE);
}

static void preset_save(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    add_preset(x, s, argc, argv, begin_save, SHL_CAP_STATE);
}

static void preset_delete(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    add_preset(x, s, argc, argv, begin_delete, 0);
}

static void preset_rename(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct request *request = requests_new(x, s, begin_rename, 0);
    char name[MAXPDSTRING] = "";

    if (!request)
        return;
    if (argc == 2)
        atoms_text(&argv[1], name, sizeof name);
    if (argc != 2 || strlen(name) >= sizeof request->to ||
        shl_file_name_check(name, NULL))
        refuse_words(x, s, argc, argv,
                     "a preset and its new name, a name for a file",
                     "warm cold");
    else if (read_preset(x, s, argc, argv, request)) {
        memcpy(request->to, name, strlen(name) + 1);
        requests_add(x, request);
        return;
    }
    requests_cancel(request);
}

void presets_methods(t_class *c)
{
    static const struct {
        const char *selector;
        void (*method)(t_shmlink *, t_symbol *, int, t_atom *);
    } table[] = {
        {"preset_count", preset_count},   {"preset_list", preset_list},
        {"preset_info", preset_info},     {"preset_load", preset_load},
        {"preset_save", preset_save},     {"preset_rename", preset_rename},
        {"preset_delete", preset_delete},
    };
    size_t i;

    for (i = 0; i < sizeof table / sizeof *table; i++)
        waiting_add(c, (t_method)table[i].method, table[i].selector);
}
