/* SPDX-License-Identifier: MIT */
/* The boxes of a patch that is a device: their life, their clocks and audio, open,
 * close and tag. */
#include "pd/patch/patch.h"

#include "pd/cords.h"
#include "pd/flags.h"
#include "pd/remains.h"
#include "pd/saved.h"

#include <stdio.h>
#include <string.h>

#define POLL_MS   20
#define IDLE_MS   10 /* beyond two ticks without a perform */
#define BIND_SIZE 160

static t_class *patch_class, *return_class;

/* ---- device and return, joined by name ------------------------------------ */

static t_symbol *bond(const char *role, const char *name)
{
    char text[BIND_SIZE];

    snprintf(text, sizeof text, "#shmlink %s %s", role, name);
    return gensym(text);
}

static void join(t_patch *x, struct patch_return *r)
{
    x->x_return = r;
    r->r_patch = x;
    patch_announce_soon(x);
}

static void part(t_patch *x)
{
    if (!x || !x->x_return)
        return;
    x->x_return->r_patch = NULL;
    x->x_return = NULL;
    patch_announce_soon(x);
}

/* True if the name was free. */
static int bind_name(t_pd *pd, const char *role, const char *name,
                     t_symbol **bound)
{
    t_symbol *symbol = bond(role, name);

    if (symbol->s_thing)
        return 0;
    pd_bind(pd, symbol);
    *bound = symbol;
    return 1;
}

/* ---- clocks ---------------------------------------------------------------- */

/* A message that comes out may lead back to us, so each event leaves the queue
 * before it is told. */
static void patch_deliver(t_patch *x)
{
    const struct schedule_entry *first;
    double now = clock_getlogicaltime();

    while ((first = schedule_first(&x->x_heard)) && first->time <= now) {
        struct shl_event event = first->event;
        schedule_pop(&x->x_heard);
        patch_claim_event(x, &event);
    }
    if (first)
        clock_set(x->x_deliver, first->time);
}

static int idle(const t_patch *x)
{
    double tick_ms = x->x_frames * 1000.0 / x->x_rate_hz;

    if (!pd_getdspstate() || x->x_silent)
        return 1;
    return clock_gettimesince(x->x_performed) > 2 * tick_ms + IDLE_MS;
}

static void patch_poll(t_patch *x)
{
    if (x->x_ended)
        return;
    clock_delay(x->x_poll, POLL_MS);
    if (x->x_changed)
        patch_announce(x);
    if (!x->x_device)
        return;
    if (idle(x) && x->x_slave)
        slave_idle(x);
    else if (idle(x))
        free_idle(x);
    patch_claim_look(x);
    slave_serve(x);
}

/* ---- audio ---------------------------------------------------------------- */

static void perform_out(t_patch *x, t_sample *const *inlets)
{
    if (x->x_slave)
        slave_perform_out(x, inlets);
    else
        free_perform_out(x, inlets);
}

static t_int *patch_perform(t_int *w)
{
    t_patch *x = (t_patch *)w[1];

    shl_rt(1);
    if (x->x_slave)
        slave_perform_in(x, x->x_vectors);
    else
        free_perform_in(x, x->x_vectors);
    if (!x->x_effect)
        perform_out(x, x->x_vectors);
    shl_rt(0);
    return w + 2;
}

static t_int *return_perform(t_int *w)
{
    struct patch_return *r = (struct patch_return *)w[1];

    shl_rt(1);
    if (r->r_patch)
        perform_out(r->r_patch, r->r_vectors);
    shl_rt(0);
    return w + 2;
}

/* A tick is the unit here: a canvas with another block or rate has no place in
 * it. */
static int fits(struct replies *say, const t_signal *signal)
{
    double rate_hz = (double)signal->s_sr, own_hz = (double)sys_getsr();

    if (signal->s_n == sys_getblksize() && !(rate_hz > own_hz) &&
        !(rate_hz < own_hz))
        return 1;
    replies_complain(say,
                     "it works in Pd's own block of %d at %s Hz, not in %d at "
                     "%s Hz: put it outside the canvas with block~ or switch~",
                     sys_getblksize(), shl_digits(own_hz, 10).text, signal->s_n,
                     shl_digits(rate_hz, 10).text);
    return 0;
}

static void patch_dsp(t_patch *x, t_signal **sp)
{
    uint32_t i, skipped = x->x_effect || !x->x_channels ? 1 : 0;
    double rate_hz = (double)sys_getsr();
    int silent = !fits(&x->x_say, sp[0]);

    if (x->x_effect)
        cords_make(sp + skipped, (int)x->x_channels);
    else
        cords_check(&x->x_say, sp, (int)x->x_channels);
    for (i = 0; i < x->x_channels; i++)
        x->x_vectors[i] = sp[i + skipped]->s_vec;
    if (rate_hz > x->x_rate_hz || rate_hz < x->x_rate_hz) {
        x->x_rate_hz = rate_hz;
        patch_announce_soon(x);
    }
    x->x_silent = silent;
    if (silent) {
        for (i = 0; i < x->x_channels && x->x_effect; i++)
            dsp_add_zero(x->x_vectors[i], sp[0]->s_n);
        return;
    }
    memset(&x->x_span, 0, sizeof x->x_span);
    x->x_performed = clock_getlogicaltime();
    clock_delay(x->x_tick, 0);
    dsp_add(patch_perform, 1, x);
}

static void return_dsp(struct patch_return *r, t_signal **sp)
{
    uint32_t i;

    cords_check(&r->r_say, sp, (int)r->r_channels);
    for (i = 0; i < r->r_channels; i++)
        r->r_vectors[i] = sp[i]->s_vec;
    if (fits(&r->r_say, sp[0]))
        dsp_add(return_perform, 1, r);
}

/* ---- life: the return ------------------------------------------------------ */

static void return_free(struct patch_return *r)
{
    part(r->r_patch);
    if (r->r_bound)
        pd_unbind(&r->r_obj.ob_pd, r->r_bound);
    freebytes(r->r_vectors, (r->r_channels + 1) * sizeof *r->r_vectors);
}

static void *return_new(struct patch_words *words)
{
    struct patch_return *r = (struct patch_return *)pd_new(return_class);
    uint32_t i;
    t_pd *device;

    replies_init(&r->r_say, &r->r_obj, "shmlink~ -return");
    r->r_channels = words->count ? words->numbers[0] : 2;
    if (!r->r_channels)
        r->r_channels = 1;
    r->r_vectors = getbytes((r->r_channels + 1) * sizeof *r->r_vectors);
    if (!r->r_vectors) {
        pd_free(&r->r_obj.ob_pd);
        return NULL;
    }
    for (i = 1; i < r->r_channels; i++)
        inlet_new(&r->r_obj, &r->r_obj.ob_pd, &s_signal, &s_signal);
    if (!patch_words_name(&r->r_say, words))
        return r;
    snprintf(r->r_say.name, sizeof r->r_say.name, "%s", words->name);
    if (!bind_name(&r->r_obj.ob_pd, "return", words->name, &r->r_bound)) {
        replies_complain(&r->r_say, "there is a return of this name already: "
                                    "this one stays silent");
        return r;
    }
    device = bond("device", words->name)->s_thing;
    if (device && *device == patch_class)
        join((t_patch *)device, r);
    return r;
}

/* ---- life: the device ------------------------------------------------------ */

/* When none of its methods is running any more. */
static void end(void *object)
{
    t_patch *x = object;

    patch_free_room(x);
    patch_params_free(x);
    patch_letters_free(x);
    if (x->x_tick)
        clock_free(x->x_tick);
    if (x->x_deliver)
        clock_free(x->x_deliver);
    if (x->x_poll)
        clock_free(x->x_poll);
    freebytes(x->x_vectors, (x->x_channels + 1) * sizeof *x->x_vectors);
}

static void patch_free(t_patch *x)
{
    saved_free(x->x_saved);
    x->x_saved = NULL;
    if (x->x_gone)
        *x->x_gone = 1;
    x->x_told = PATCH_NOT_TOLD; /* nobody is left to hear of it */
    memset(&x->x_held, 0, sizeof x->x_held);
    x->x_ended = 1;
    x->x_wish++;
    replies_end(&x->x_say);
    patch_leave(x);
    patch_discharge(x);
    x->x_wanted[0] = '\0';
    if (x->x_return)
        x->x_return->r_patch = NULL;
    x->x_return = NULL;
    if (x->x_bound)
        pd_unbind(&x->x_obj.ob_pd, x->x_bound);
    remains_leave(x, sizeof *x, end);
}

static void read_ports(t_patch *x, const struct patch_words *words)
{
    uint32_t in = words->count ? words->numbers[0] : 2;
    uint32_t out = words->count > 1 ? words->numbers[1] : 0;

    if (in && out)
        replies_complain(&x->x_say,
                         "inlets or outlets, not both, which would be a loop "
                         "of signals: %u outlets it is; what goes back goes to "
                         "[shmlink~ -return %s %u]",
                         (unsigned)out, words->name, (unsigned)in);
    x->x_effect = out > 0;
    x->x_channels = out ? out : in;
}

static int make_ports(t_patch *x)
{
    uint32_t i;

    for (i = 1; i < x->x_channels && !x->x_effect; i++)
        inlet_new(&x->x_obj, &x->x_obj.ob_pd, &s_signal, &s_signal);
    for (i = 0; i < x->x_channels && x->x_effect; i++)
        outlet_new(&x->x_obj, &s_signal);
    replies_outlet(&x->x_say, x->x_effect ? (int)x->x_channels : 0);
    x->x_vectors = getbytes((x->x_channels + 1) * sizeof *x->x_vectors);
    return x->x_vectors != NULL;
}

static void find_return(t_patch *x)
{
    t_pd *other;

    if (!x->x_effect || !x->x_box[0])
        return;
    if (!bind_name(&x->x_obj.ob_pd, "device", x->x_box, &x->x_bound)) {
        replies_complain(&x->x_say,
                         "this Pd has an effect of this name already: its "
                         "return stays with it; give this one another name");
        return;
    }
    other = bond("return", x->x_box)->s_thing;
    if (other && *other == return_class)
        join(x, (struct patch_return *)other);
}

/* Whether a name that the board or somebody gave is one of the box's, with a
 * number that the box leaves open. */
static int fits_box(const t_patch *x, const char *id)
{
    char name[SHL_ID_SIZE];

    if (x->x_box_number)
        return 0;
    return !x->x_box[0] ||
           (shl_id_check(id, name, NULL, NULL) == SHL_OK &&
            (strcmp(x->x_box, name) == 0 || shl_name_matches(x->x_box, name)));
}

/* A line of the file. What the box says wins, and a file that instances share
 * says nothing about this one. */
static void patch_saved(t_pd *owner, t_symbol *s, int argc, t_atom *argv)
{
    t_patch *x = (t_patch *)owner;
    char id[128] = "";

    if (argc)
        atoms_text(argv, id, sizeof id);
    if (saved_is_shared(x->x_saved) ||
        (s == gensym("open") && !fits_box(x, id)) ||
        (s == gensym("tag") && x->x_box_tag))
        return;
    x->x_reading = 1;
    pd_typedmess(owner, s, argc, argv);
    x->x_reading = 0;
}

void *patch_new(int argc, t_atom *argv)
{
    struct patch_words words = {.name = ""};
    struct replies say;
    t_patch *x;

    replies_init(&say, NULL, "shmlink~ -device");
    patch_words_read(&words, &say, argc, argv);
    if (words.is_return)
        return return_new(&words);
    x = remains_new(patch_class, sizeof *x);
    if (!x)
        return NULL;
    replies_init(&x->x_say, &x->x_obj, "shmlink~ -device");
    x->x_voice.ways = &patch_voice_ways;
    patch_enlist(x);
    x->x_slave = words.slave;
    x->x_rate_hz = (double)sys_getsr();
    x->x_frames = (uint32_t)sys_getblksize();
    x->x_tick = clock_new(x, (t_method)(x->x_slave ? slave_tick : free_tick));
    x->x_deliver = clock_new(x, (t_method)patch_deliver);
    x->x_poll = clock_new(x, (t_method)patch_poll);
    read_ports(x, &words);
    if (!make_ports(x) || !patch_letters_new(x)) {
        pd_free(&x->x_obj.ob_pd);
        return NULL;
    }
    x->x_saved = saved_new(&x->x_obj.ob_pd, patch_saved);
    x->x_zeros = flags_dollar_zeros();
    patch_words_name(&x->x_say, &words);
    x->x_box_number = x->x_asked = strchr(words.name, ':') != NULL;
    x->x_box_tag = words.tag[0] != '\0';
    snprintf(x->x_box, sizeof x->x_box, "%s", words.name);
    snprintf(x->x_wanted, sizeof x->x_wanted, "%s", words.name);
    snprintf(x->x_say.name, sizeof x->x_say.name, "%s", words.name);
    snprintf(x->x_tag, sizeof x->x_tag, "%s", words.tag);
    find_return(x);
    patch_announce_soon(x);
    return x;
}

/* ---- messages --------------------------------------------------------------- */

/* Without a name: as it was. `id`, in a saved patch, is the same. */
static void patch_open(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_why why;
    char name[128], base[SHL_ID_SIZE];
    int32_t number = -1;

    x->x_wish++;
    if (argc) {
        atoms_text(argv, name, sizeof name);
        if (argc > 1) {
            replies_refuse(&x->x_say, s, argc, argv,
                           "one name (_ for a space), or nothing for the name "
                           "that it had",
                           "MyPatch");
            return;
        }
        if (!atoms_is_word(argv))
            name[0] = '\0';
        if (shl_id_check(name, base, &number, &why)) {
            replies_error(&x->x_say, s, SHL_BAD_NAME, "%s", why.text);
            return;
        }
        snprintf(x->x_wanted, sizeof x->x_wanted, "%s", name);
        x->x_asked = !x->x_reading && number >= 0;
    } else if (!x->x_wanted[0]) {
        snprintf(x->x_wanted, sizeof x->x_wanted, "%s", x->x_box);
    }
    patch_announce_soon(x);
}

static void patch_close(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    x->x_wish++;
    if (!x->x_device && !x->x_changed)
        return;
    x->x_changed = 0;
    patch_leave(x);
    replies_bare(&x->x_say, "close");
}

static void patch_tag(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_why why;
    char tag[256] = "";
    int words = argc > 1 || (argc && !atoms_is_word(argv));

    if (argc)
        atoms_text(argv, tag, sizeof tag);
    if (words) {
        replies_refuse(&x->x_say, s, argc, argv, "one word, or none for no tag",
                       "lead");
        return;
    }
    if (!flags_tag_check(tag, &x->x_zeros, &why)) {
        replies_error(&x->x_say, s, SHL_BAD_NAME, "tag: %s", why.text);
        return;
    }
    if (x->x_device) {
        shl_device_close(x->x_device);
        x->x_device = NULL;
        patch_letters_forget(x);
        patch_forget_claim(x);
    }
    snprintf(x->x_tag, sizeof x->x_tag, "%.63s", tag);
    patch_announce_soon(x);
}

static void patch_save(t_gobj *z, t_binbuf *b)
{
    t_patch *x = (t_patch *)z;

    if (x->x_device)
        shl_device_get_tag(x->x_device, x->x_tag);
    binbuf_addv(b, "ssii", gensym("#X"), gensym("obj"), (int)x->x_obj.te_xpix,
                (int)x->x_obj.te_ypix);
    binbuf_addbinbuf(b, x->x_obj.te_binbuf);
    binbuf_addsemi(b);
    obj_saveformat(&x->x_obj, b);
    if (saved_is_shared(x->x_saved))
        return;
    if (!x->x_box_tag)
        saved_line(b, "tag", x->x_tag);
    if (strchr(x->x_wanted, ':') && fits_box(x, x->x_wanted))
        saved_line(b, "open", x->x_wanted);
}

static void add_method(t_class *c, t_method method, const char *selector)
{
    class_addmethod(c, method, gensym(selector), A_GIMME, 0);
}

void patch_setup(void)
{
    t_symbol *name = gensym("shmlink~");

    patch_class =
        class_new(name, NULL, (t_method)patch_free, 0, /* see remains.h */
                  CLASS_DEFAULT | cords_flag(), A_NULL);
    CLASS_MAINSIGNALIN(patch_class, t_patch, x_f);
    class_addmethod(patch_class, (t_method)patch_dsp, gensym("dsp"), A_CANT, 0);
    class_addmethod(patch_class, (t_method)patch_open, gensym("open"), A_GIMME,
                    0);
    class_addmethod(patch_class, (t_method)patch_close, gensym("close"),
                    A_GIMME, 0);
    class_addmethod(patch_class, (t_method)patch_tag, gensym("tag"), A_GIMME,
                    0);
    class_setsavefn(patch_class, patch_save);
    notes_methods(patch_class, add_method);
    patch_params_methods(patch_class);
    patch_letters_methods(patch_class);
    patch_facts_methods(patch_class);
    patch_taps_methods(patch_class);
    return_class = class_new(name, NULL, (t_method)return_free,
                             sizeof(struct patch_return),
                             CLASS_DEFAULT | cords_flag(), A_NULL);
    CLASS_MAINSIGNALIN(return_class, struct patch_return, r_f);
    class_addmethod(return_class, (t_method)return_dsp, gensym("dsp"), A_CANT,
                    0);
}
