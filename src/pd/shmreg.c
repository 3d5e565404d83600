/* SPDX-License-Identifier: MIT */
/* [shmreg]: who is on the board. Questions are answered at once; watching is
 * done by a worker thread, since it goes on for hours beside the audio. The
 * worker fills one picture and waits until the scheduler has taken it. Looking
 * into links is done in observers.c. */
#include "pd/device_info.h"
#include "pd/observers.h"
#include "pd/remains.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define WATCH_MIN_MS 10
#define WATCH_MAX_MS 3600000
#define TAKE_MS      10 /* between looks for a new picture */

/* One look at the board. */
struct picture {
    shl_status status;
    struct shl_look look;
};

typedef struct shmreg {
    t_object x_obj;
    struct replies x_say;
    t_clock *x_clock;
    shl_worker *x_worker;
    struct picture x_known; /* as last told */
    struct picture x_new;   /* the worker's while x_full is 0, else ours */
    /* stored by the worker with release when x_new is whole, by the scheduler
     * with release when it is taken; each loads it with acquire */
    _Atomic uint32_t x_full;
    int x_told;                    /* what was there when the watch began */
    struct observers *x_observers; /* NULL: none was asked for */
} t_shmreg;

static t_class *shmreg_class;

/* ---- questions ----------------------------------------------------------- */

static void tell_device(t_shmreg *x, const char *selector,
                        const struct shl_device_info *info)
{
    t_atom atoms[ATOMS_DEVICE_COUNT];

    atoms_device(info, atoms);
    replies_send(&x->x_say, selector, ATOMS_DEVICE_COUNT, atoms);
}

static shl_status look(shl_registry *board, struct picture *picture)
{
    struct shl_look *seen = &picture->look;

    seen->count = 0;
    picture->status =
        shl_registry_scan(board, seen->device, SHL_MAX_DEVICES, &seen->count);
    if (seen->count > SHL_MAX_DEVICES)
        seen->count = SHL_MAX_DEVICES;
    return picture->status;
}

/* A picture of the board for one question; NULL after the failing replies.
 * Freed by the caller. */
static struct picture *look_for(t_shmreg *x, t_symbol *s, const char *failed)
{
    shl_registry *board = device_info_board(&x->x_say, s, failed);
    struct picture *picture;

    if (!board)
        return NULL;
    picture = getbytes(sizeof *picture);
    if (picture && look(board, picture)) {
        replies_number(&x->x_say, failed, 0);
        replies_error(&x->x_say, s, picture->status, "%s: %s", s->s_name,
                      shl_status_text(picture->status));
        freebytes(picture, sizeof *picture);
        picture = NULL;
    }
    shl_registry_close(board);
    return picture;
}

static void scan(t_shmreg *x, t_symbol *s)
{
    struct picture *picture = look_for(x, s, "done");
    uint32_t i;

    if (!picture)
        return;
    for (i = 0; i < picture->look.count; i++)
        tell_device(x, "device", &picture->look.device[i]);
    replies_number(&x->x_say, "done", picture->look.count);
    freebytes(picture, sizeof *picture);
}

static void shmreg_bang(t_shmreg *x)
{
    scan(x, gensym("scan"));
}

static void shmreg_scan(t_shmreg *x, t_symbol *s, int argc, t_atom *argv)
{
    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    scan(x, gensym("scan"));
}

static void shmreg_count(t_shmreg *x, t_symbol *s, int argc, t_atom *argv)
{
    struct picture *picture;

    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    picture = look_for(x, gensym("count"), "count");
    if (!picture)
        return;
    replies_number(&x->x_say, "count", picture->look.count);
    freebytes(picture, sizeof *picture);
}

/* The only word of a message, or 0 after the failing replies. */
static int only_word(t_shmreg *x, t_symbol *s, int argc, t_atom *argv,
                     const char *failed, const char *takes, const char *example,
                     char *word, size_t size)
{
    if (argc == 1 && atoms_is_word(argv)) {
        atoms_text(argv, word, size);
        return 1;
    }
    replies_number(&x->x_say, failed, 0);
    replies_refuse(&x->x_say, s, argc, argv, takes, example);
    return 0;
}

static void shmreg_info(t_shmreg *x, t_symbol *s, int argc, t_atom *argv)
{
    char id[128];

    if (only_word(x, s, argc, argv, "info_done", "one device (_ for a space)",
                  "MySynth:0", id, sizeof id))
        device_info_look_up(&x->x_say, s, id);
}

static void shmreg_find(t_shmreg *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_device_info info;
    struct shl_why why;
    shl_registry *board;
    shl_status status;
    char tag[128];

    if (!only_word(x, s, argc, argv, "done", "one link tag (_ for a space)",
                   "lead", tag, sizeof tag))
        return;
    status = shl_tag_check(tag, &why);
    if (status) {
        replies_number(&x->x_say, "done", 0);
        replies_error(&x->x_say, s, status, "find: %s", why.text);
        return;
    }
    board = device_info_board(&x->x_say, s, "done");
    if (!board)
        return;
    status = shl_registry_find_tag(board, tag, &info);
    shl_registry_close(board);
    /* whoever asks wants to know who has it, too */
    if (status == SHL_BUSY || status == SHL_AGAIN)
        status = SHL_OK;
    if (!status)
        tell_device(x, "device", &info);
    replies_number(&x->x_say, "done", status ? 0 : 1);
    if (status && status != SHL_NOT_FOUND)
        replies_error(&x->x_say, s, status, "find: %s",
                      shl_status_text(status));
}

static void shmreg_clean(t_shmreg *x, t_symbol *s, int argc, t_atom *argv)
{
    uint32_t count = 0;
    shl_registry *board;
    shl_status status;

    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    board = device_info_board(&x->x_say, s, "clean");
    if (!board)
        return;
    status = shl_registry_clean(board, &count);
    shl_registry_close(board);
    replies_number(&x->x_say, "clean", count);
    if (status)
        replies_error(&x->x_say, s, status, "clean: %s",
                      shl_status_text(status));
}

/* ---- watching ------------------------------------------------------------ */

/* The worker's job. It opens the board anew each time, so that one that was
 * removed and made again is seen. */
static void take_picture(void *arg)
{
    t_shmreg *x = arg;
    shl_registry *board = NULL;
    struct shl_why why;

    /* acquire: the scheduler has read the last picture */
    if (atomic_load_explicit(&x->x_full, memory_order_acquire))
        return;
    x->x_new.look.count = 0;
    x->x_new.status = shl_registry_open(NULL, &board, &why);
    if (!x->x_new.status)
        look(board, &x->x_new);
    shl_registry_close(board);
    /* release: the picture is whole before the scheduler can see it */
    atomic_store_explicit(&x->x_full, 1, memory_order_release);
}

static void tell_claim(t_shmreg *x, const struct shl_device_info *info)
{
    t_atom atoms[3];

    SETSYMBOL(&atoms[0], atoms_name(info->id));
    atoms_set_number(&atoms[1], info->host_pid);
    SETSYMBOL(&atoms[2], atoms_name_or_dash(info->tag));
    replies_send(&x->x_say, "claimed", 3, atoms);
}

static void tell_id(t_shmreg *x, const char *selector,
                    const struct shl_device_info *info)
{
    t_atom atom;

    SETSYMBOL(&atom, atoms_name(info->id));
    replies_send(&x->x_say, selector, 1, &atom);
}

static void tell_change(void *arg, enum shl_change change,
                        const struct shl_device_info *info)
{
    t_shmreg *x = arg;

    switch (change) {
    case SHL_CHANGE_REMOVED:
    case SHL_CHANGE_RELEASED:
        tell_id(x, shl_change_name(change), info);
        break;
    case SHL_CHANGE_ADDED:
        tell_device(x, "added", info);
        if (info->state == SHL_STATE_BUSY && info->host_pid)
            tell_claim(x, info);
        break;
    case SHL_CHANGE_CLAIMED:
        tell_claim(x, info);
        break;
    case SHL_CHANGE_CHANGED:
        tell_device(x, "changed", info);
        break;
    }
}

/* The first picture, as by scan. */
static void tell_all(t_shmreg *x, const struct shl_look *look)
{
    uint32_t i;

    x->x_told = 1; /* before what may begin another watch */
    for (i = 0; i < look->count; i++)
        tell_device(x, "device", &look->device[i]);
    replies_number(&x->x_say, "done", look->count);
}

/* What is told may lead to messages that stop the watch or begin another one,
 * so it is told from copies. */
static void tell_picture(t_shmreg *x)
{
    size_t size = 2 * sizeof(struct picture);
    struct picture *copy = getbytes(size);

    if (!copy)
        return;
    copy[0] = x->x_known;
    copy[1] = x->x_new;
    if (copy[1].status) /* nothing was seen, so nothing has changed */
        copy[1].look = copy[0].look;
    x->x_known = copy[1];
    /* release: the worker may write the next one */
    atomic_store_explicit(&x->x_full, 0, memory_order_release);
    if (copy[1].status && copy[1].status != copy[0].status)
        replies_error(&x->x_say, gensym("watch"), copy[1].status,
                      "watch: %s: it goes on trying",
                      shl_status_text(copy[1].status));
    if (x->x_told)
        shl_watch_compare(&copy[0].look, &copy[1].look, tell_change, x);
    else if (!copy[1].status)
        tell_all(x, &copy[1].look);
    freebytes(copy, size);
}

static void shmreg_take(t_shmreg *x)
{
    clock_delay(x->x_clock, TAKE_MS);
    /* acquire: the picture is whole */
    if (atomic_load_explicit(&x->x_full, memory_order_acquire))
        tell_picture(x);
}

static void stop_watching(t_shmreg *x)
{
    shl_worker_free(x->x_worker);
    x->x_worker = NULL;
    clock_unset(x->x_clock);
    atomic_store_explicit(&x->x_full, 0, memory_order_relaxed);
    memset(&x->x_known, 0, sizeof x->x_known);
    x->x_told = 0;
}

static void shmreg_watch(t_shmreg *x, t_symbol *s, int argc, t_atom *argv)
{
    shl_status status;
    double ms;

    if (argc != 1 || !atoms_number(argv, &ms) || ms < 0 || ms > WATCH_MAX_MS) {
        char takes[80];
        snprintf(takes, sizeof takes,
                 "milliseconds between looks, from %d to %d, or 0 to stop",
                 WATCH_MIN_MS, WATCH_MAX_MS);
        replies_refuse(&x->x_say, s, argc, argv, takes, "500");
        return;
    }
    stop_watching(x);
    if (!(ms > 0))
        return;
    if (ms < WATCH_MIN_MS) {
        replies_note(&x->x_say, "watch: %s ms is too short: %d is used",
                     shl_digits(ms, 10).text, WATCH_MIN_MS);
        ms = WATCH_MIN_MS;
    }
    status = shl_worker_new(take_picture, x, (uint32_t)ms, &x->x_worker);
    if (status) {
        replies_error(&x->x_say, s, status, "watch: %s",
                      shl_status_text(status));
        return;
    }
    clock_delay(x->x_clock, TAKE_MS);
}

static void shmreg_monitor(t_shmreg *x, t_symbol *s, int argc, t_atom *argv)
{
    if (!x->x_observers)
        x->x_observers = observers_new(&x->x_say);
    if (x->x_observers)
        observers_message(x->x_observers, s, argc, argv);
    else
        replies_error(&x->x_say, s, SHL_NO_MEMORY, "monitor: %s",
                      shl_status_text(SHL_NO_MEMORY));
}

/* ---- life ---------------------------------------------------------------- */

/* When none of its methods is running any more. */
static void end(void *object)
{
    t_shmreg *x = object;

    shl_worker_free(x->x_worker);
    clock_free(x->x_clock);
    observers_free(x->x_observers);
}

static void shmreg_free(t_shmreg *x)
{
    replies_end(&x->x_say);
    clock_unset(x->x_clock);
    remains_leave(x, sizeof *x, end);
}

static void *shmreg_new(t_symbol *s, int argc, t_atom *argv)
{
    t_shmreg *x = remains_new(shmreg_class, sizeof *x);
    (void)s;
    (void)argv;

    if (!x)
        return NULL;

    replies_init(&x->x_say, &x->x_obj, "shmreg");
    replies_outlet(&x->x_say, 0);
    x->x_clock = clock_new(x, (t_method)shmreg_take);
    if (argc)
        replies_complain(&x->x_say, "takes no words in its box: send them as "
                                    "messages, such as info MySynth:0");
    return x;
}

SHL_EXPORT
void shmreg_setup(void);

void shmreg_setup(void)
{
    t_class *c = class_new(gensym("shmreg"), (t_newmethod)shmreg_new,
                           (t_method)shmreg_free, 0, CLASS_DEFAULT, A_GIMME,
                           0); /* its memory is its own: remains.h */

    shmreg_class = c;
    class_addbang(c, (t_method)shmreg_bang);
    class_addmethod(c, (t_method)shmreg_scan, gensym("scan"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmreg_watch, gensym("watch"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmreg_monitor, gensym("monitor"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmreg_info, gensym("info"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmreg_find, gensym("find"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmreg_count, gensym("count"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmreg_clean, gensym("clean"), A_GIMME, 0);
    logpost(NULL, PD_DEBUG, "shmreg %d.%d.%d", SHL_VERSION_MAJOR,
            SHL_VERSION_MINOR, SHL_VERSION_PATCH);
}
