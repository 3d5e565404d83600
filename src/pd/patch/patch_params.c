/* SPDX-License-Identifier: MIT */
/* Parameters that a patch declares for its hosts: what they are, their values,
 * setting them from here, and telling what hosts set. */
#include "pd/patch/patch.h"

#include <stdio.h>
#include <string.h>

/* The same name has the same id in each session, wherever it stands. */
static uint32_t id_of(const char *name)
{
    uint32_t h = 2166136261u;

    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 16777619u;
    return h;
}

static int32_t index_of(const t_patch *x, uint32_t id)
{
    uint32_t i;

    for (i = 0; i < x->x_param_count; i++) {
        if (x->x_params[i].id == id)
            return (int32_t)i;
    }
    return -1;
}

void patch_params_free(t_patch *x)
{
    freebytes(x->x_params, x->x_param_room * sizeof *x->x_params);
    freebytes(x->x_values, x->x_param_room * sizeof *x->x_values);
}

static int grow(t_patch *x)
{
    uint32_t room = x->x_param_room ? 2 * x->x_param_room : 16;
    size_t was = x->x_param_room;
    struct shl_param *params = getbytes(room * sizeof *params);
    double *values = getbytes(room * sizeof *values);

    if (!params || !values) {
        freebytes(params, room * sizeof *params);
        freebytes(values, room * sizeof *values);
        return 0;
    }
    if (was) {
        memcpy(params, x->x_params, was * sizeof *params);
        memcpy(values, x->x_values, was * sizeof *values);
    }
    patch_params_free(x);
    x->x_params = params;
    x->x_values = values;
    x->x_param_room = room;
    return 1;
}

/* ---- declaring ------------------------------------------------------------- */

static int read_param(const t_atom *argv, int argc, struct shl_param *param)
{
    char name[128], label[64] = "";

    if (argc < 4 || argc > 5 || argv[0].a_type != A_SYMBOL ||
        !atoms_number(&argv[1], &param->minimum) ||
        !atoms_number(&argv[2], &param->maximum) ||
        !atoms_number(&argv[3], &param->initial))
        return 0;
    atoms_text(&argv[0], name, sizeof name);
    if (argc > 4)
        atoms_text(&argv[4], label, sizeof label);
    if (strlen(name) >= sizeof param->name ||
        strlen(label) >= sizeof param->label)
        return 0;
    memcpy(param->name, name, strlen(name) + 1);
    memcpy(param->label, label, strlen(label) + 1);
    param->flags = SHL_PARAM_AUTOMATABLE;
    param->id = id_of(name);
    return shl_param_check(param) == SHL_OK;
}

/* The same name again: another range, and the value into it. */
static void param_add(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_param param = {.curve = SHL_CURVE_LINEAR};
    int32_t index;

    if (!read_param(argv, argc, &param)) {
        replies_refuse(&x->x_say, s, argc, argv,
                       "a name, a minimum, a maximum above it, a first value "
                       "between them and perhaps a unit",
                       "cutoff 20 20000 440 Hz");
        return;
    }
    index = index_of(x, param.id);
    if (index >= 0) {
        x->x_params[index] = param;
        x->x_values[index] = shl_param_clip(&param, x->x_values[index]);
    } else if (x->x_param_count == SHL_MAX_PARAMS ||
               (x->x_param_count == x->x_param_room && !grow(x))) {
        replies_error(&x->x_say, s, SHL_NO_MEMORY,
                      "param_add: no room for %s beside %u parameters",
                      param.name, (unsigned)x->x_param_count);
        return;
    } else {
        x->x_params[x->x_param_count] = param;
        x->x_values[x->x_param_count++] = param.initial;
    }
    patch_announce_soon(x);
}

void patch_params_show(t_patch *x)
{
    uint32_t i;

    for (i = 0; i < x->x_param_count; i++) {
        struct shl_event event = shl_event_param(
            0, SHL_EVENT_PARAM, x->x_params[i].id, x->x_values[i]);
        shl_device_send(x->x_device, &event);
    }
}

/* ---- telling ----------------------------------------------------------------- */

void patch_params_tell(t_patch *x, const struct shl_event *event)
{
    int32_t index = index_of(x, shl_event_id(event));
    const struct shl_param *param;
    double value = shl_event_value(event);
    t_atom atoms[4];

    if (index < 0)
        return;
    param = &x->x_params[index];
    atoms_set_number(&atoms[0], index);
    SETSYMBOL(&atoms[1], atoms_name(param->name));
    if (event->kind == SHL_EVENT_PARAM) {
        x->x_values[index] = value;
        atoms_set_number(&atoms[2], shl_param_normal(param, value));
        atoms_set_number(&atoms[3], value);
        replies_send(&x->x_say, "param", 4, atoms);
    } else if (event->kind == SHL_EVENT_PARAM_MOD) {
        atoms_set_number(&atoms[2], value);
        replies_send(&x->x_say, "param_mod", 3, atoms);
    } else {
        atoms_set_number(&atoms[2], event->kind == SHL_EVENT_GESTURE_BEGIN);
        replies_send(&x->x_say, "param_touch", 3, atoms);
    }
}

/* The parameter that an atom names, or NULL with the error. */
static const struct shl_param *find(t_patch *x, t_symbol *s, const t_atom *atom)
{
    double number;
    char name[128];
    uint32_t i;

    atoms_text(atom, name, sizeof name);
    if (atoms_number(atom, &number)) {
        if (x->x_param_count &&
            atoms_whole(atom, 0, x->x_param_count - 1, &number))
            return &x->x_params[(uint32_t)number];
    } else {
        for (i = 0; i < x->x_param_count; i++) {
            if (shl_name_matches(name, x->x_params[i].name))
                return &x->x_params[i];
        }
    }
    replies_error(&x->x_say, s, SHL_NOT_FOUND,
                  "%s: no parameter %s: this patch has declared %u with "
                  "param_add",
                  s->s_name, name, (unsigned)x->x_param_count);
    return NULL;
}

static void param_get(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    const struct shl_param *param = argc == 1 ? find(x, s, argv) : NULL;
    t_atom atoms[3];
    char text[64];
    double value;

    if (!param) {
        replies_number(&x->x_say, "param_get", 0);
        if (argc != 1)
            replies_refuse(&x->x_say, s, argc, argv,
                           "one parameter, by index or name", "0");
        return;
    }
    value = x->x_values[param - x->x_params];
    shl_param_text(param, value, text, sizeof text);
    atoms_set_number(&atoms[0], (double)(param - x->x_params));
    atoms_set_number(&atoms[1], shl_param_normal(param, value));
    atoms_set_text(&atoms[2], text);
    replies_send(&x->x_say, "param_state", 3, atoms);
}

static void param_count(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    if (!replies_alone(&x->x_say, s, argc, argv))
        return;
    replies_number(&x->x_say, "param_count", x->x_param_count);
}

/* ---- setting from here --------------------------------------------------------- */

static void tell_clipped(t_patch *x, t_symbol *s, const struct shl_param *param,
                         double value, int in_units)
{
    double low = in_units ? param->minimum : 0;
    double high = in_units ? param->maximum : 1;

    if ((value < low || value > high) &&
        replies_once(&x->x_say, s, REPLIES_OBJECT))
        replies_complain(&x->x_say,
                         "%s: %s is outside %s to %s of %s: the nearer end "
                         "is used",
                         s->s_name, shl_digits(value, 10).text,
                         shl_digits(low, 10).text, shl_digits(high, 10).text,
                         param->name);
}

static void set_pairs(t_patch *x, t_symbol *s, int argc, t_atom *argv,
                      int in_units)
{
    int i;

    if (argc < 2 || argc % 2) {
        replies_refuse(&x->x_say, s, argc, argv,
                       "pairs, an index or a name and a value each",
                       in_units ? "0 20" : "0 0.5");
        return;
    }
    for (i = 0; i < argc; i += 2) {
        const struct shl_param *param = find(x, s, &argv[i]);
        struct shl_event event;
        double value;
        if (!param)
            continue;
        if (!atoms_number(&argv[i + 1], &value)) {
            char word[64];
            atoms_text(&argv[i + 1], word, sizeof word);
            replies_error(&x->x_say, s, SHL_BAD_VALUE,
                          "%s: %s cannot be %s: type a number, such as %s %s "
                          "0.5",
                          s->s_name, param->name, word, s->s_name, param->name);
            continue;
        }
        tell_clipped(x, s, param, value, in_units);
        value = in_units ? shl_param_clip(param, value)
                         : shl_param_plain(param, value);
        x->x_values[param - x->x_params] = value;
        event = shl_event_param(0, SHL_EVENT_PARAM, param->id, value);
        if (x->x_device)
            x->x_voice.ways->put(&x->x_voice, s, &event);
    }
}

static void param_set(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    set_pairs(x, s, argc, argv, 0);
}

static void param_plain(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    set_pairs(x, s, argc, argv, 1);
}

/* Modulation, in the parameter's own unit, and gestures: hosts are told, and the
 * values stay. */
static void send_pairs(t_patch *x, t_symbol *s, int argc, t_atom *argv,
                       int touch)
{
    char words[100];
    int i;

    if (argc < 2 || argc % 2) {
        replies_refuse(&x->x_say, s, argc, argv,
                       touch ? "pairs, an index or a name and 1 (held) or 0 "
                               "(let go) each"
                             : "pairs, an index or a name and an amount in the "
                               "unit of the parameter each",
                       touch ? "0 1" : "0 0.1");
        return;
    }
    for (i = 0; i < argc; i += 2) {
        const struct shl_param *param = find(x, s, &argv[i]);
        struct shl_event event;
        double value;
        if (!param)
            continue;
        if (touch ? !atoms_whole(&argv[i + 1], 0, 1, &value)
                  : !atoms_number(&argv[i + 1], &value)) {
            atoms_words(1, &argv[i + 1], words, sizeof words);
            replies_error(&x->x_say, s, SHL_BAD_VALUE,
                          "%s: %s cannot be %s: give %s", s->s_name,
                          param->name, words,
                          touch ? "1 (held) or 0 (let go)" : "a number");
            continue;
        }
        event = shl_event_param(0,
                                !touch      ? SHL_EVENT_PARAM_MOD
                                : value > 0 ? SHL_EVENT_GESTURE_BEGIN
                                            : SHL_EVENT_GESTURE_END,
                                param->id, touch ? 0 : value);
        if (x->x_device)
            x->x_voice.ways->put(&x->x_voice, s, &event);
    }
}

static void param_mod(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    send_pairs(x, s, argc, argv, 0);
}

static void param_touch(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    send_pairs(x, s, argc, argv, 1);
}

void patch_params_methods(t_class *c)
{
    class_addmethod(c, (t_method)param_add, gensym("param_add"), A_GIMME, 0);
    class_addmethod(c, (t_method)param_set, gensym("param_set"), A_GIMME, 0);
    class_addmethod(c, (t_method)param_plain, gensym("param_plain"), A_GIMME,
                    0);
    class_addmethod(c, (t_method)param_mod, gensym("param_mod"), A_GIMME, 0);
    class_addmethod(c, (t_method)param_touch, gensym("param_touch"), A_GIMME,
                    0);
    class_addmethod(c, (t_method)param_get, gensym("param_get"), A_GIMME, 0);
    class_addmethod(c, (t_method)param_count, gensym("param_count"), A_GIMME,
                    0);
}
