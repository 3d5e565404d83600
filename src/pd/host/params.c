/* SPDX-License-Identifier: MIT */
/* Parameters: what a device offers, what they are, and setting them. Indices
 * count from 0; names match exactly or with _ for each space. What is known is
 * answered from the copy made at linking. */
#include "pd/host/shmlink.h"

#include <stdio.h>

#define INFO_ATOMS 10

/* The parameter that an atom names; -1 and the error if there is none. */
static int32_t find(t_shmlink *x, t_symbol *s, const t_atom *atom)
{
    uint32_t count = shl_host_param_count(x->x_host);
    char name[128];
    double number;
    int32_t index = -1;

    atoms_text(atom, name, sizeof name);
    if (atoms_number(atom, &number)) {
        if (atoms_whole(atom, 0, UINT32_MAX, &number))
            index = shl_host_param_numbered(x->x_host, number);
        if (index >= 0)
            return index;
    } else if (atom->a_type == A_SYMBOL) {
        index = shl_host_param_find(x->x_host, name);
        if (index >= 0)
            return index;
    }
    replies_complain(&x->x_say,
                     "%s: no parameter %s: this device has %u: type param_list",
                     s->s_name, name, (unsigned)count);
    return -1;
}

static void tell_not_found(t_shmlink *x, t_symbol *s, const t_atom *atom)
{
    char name[128], text[200];

    atoms_text(atom, name, sizeof name);
    snprintf(text, sizeof text,
             "%s: no parameter %s: param_list tells those of this device",
             s->s_name, name);
    replies_error_quiet(&x->x_say, s, SHL_NOT_FOUND, text);
}

/* As last set, also by a message whose block has not been played yet. */
static double present_value(const t_shmlink *x, uint32_t index)
{
    double value = shl_host_param_value(x->x_host, index);

    schedule_value(&x->x_out, shl_host_param(x->x_host, index)->id, &value);
    return value;
}

static void tell_state(t_shmlink *x, uint32_t index)
{
    const struct shl_param *param = shl_host_param(x->x_host, index);
    double value = present_value(x, index);
    t_atom atoms[3];
    char text[64];

    shl_param_text(param, value, text, sizeof text);
    atoms_set_number(&atoms[0], shl_host_param_number(x->x_host, index));
    atoms_set_number(&atoms[1], shl_param_normal(param, value));
    atoms_set_text(&atoms[2], text);
    replies_send(&x->x_say, "param_state", 3, atoms);
}

static void tell_info(t_shmlink *x, uint32_t index)
{
    const struct shl_param *param = shl_host_param(x->x_host, index);
    t_atom atoms[INFO_ATOMS];

    atoms_set_number(&atoms[0], shl_host_param_number(x->x_host, index));
    SETSYMBOL(&atoms[1], atoms_name(param->name));
    atoms_set_text(&atoms[2], param->label);
    atoms_set_number(&atoms[3], (param->flags & SHL_PARAM_AUTOMATABLE) != 0);
    atoms_set_number(&atoms[4], param->minimum);
    atoms_set_number(&atoms[5], param->maximum);
    atoms_set_number(&atoms[6], param->initial);
    atoms_set_number(&atoms[7], param->steps);
    atoms_set_number(&atoms[8], param->flags & ~SHL_PARAM_NO_RANGE);
    SETSYMBOL(&atoms[9], atoms_name_or_dash(param->group));
    replies_send(&x->x_say, "param_info", INFO_ATOMS, atoms);
}

static void refuse_value(t_shmlink *x, t_symbol *s,
                         const struct shl_param *param, const t_atom *atom)
{
    char text[128], example[64];

    atoms_text(atom, text, sizeof text);
    shl_param_text(param, param->initial, example, sizeof example);
    replies_error(&x->x_say, s, SHL_BAD_VALUE,
                  "%s: %s cannot be %s: give a number, or a text such as %s",
                  s->s_name, param->name, text, example);
}

static void tell_clipped(t_shmlink *x, t_symbol *s,
                         const struct shl_param *param, double value,
                         double low, double high)
{
    if ((value < low || value > high) && !(param->flags & SHL_PARAM_NO_RANGE) &&
        replies_once(&x->x_say, s, REPLIES_OBJECT))
        replies_complain(&x->x_say,
                         "%s: %s is outside %s to %s of %s: the nearer end "
                         "is used",
                         s->s_name, shl_digits(value, 10).text,
                         shl_digits(low, 10).text, shl_digits(high, 10).text,
                         param->name);
}

/* The plain value that an atom means for a parameter. */
static int read_value(t_shmlink *x, t_symbol *s, const struct shl_param *param,
                      const t_atom *atom, int in_units, double *plain)
{
    double number;

    if (atom->a_type == A_SYMBOL)
        return shl_param_read(param, atom->a_w.w_symbol->s_name, plain) ==
               SHL_OK;
    if (!atoms_number(atom, &number))
        return 0;
    if (in_units) {
        tell_clipped(x, s, param, number, param->minimum, param->maximum);
        *plain = shl_param_clip(param, number);
    } else {
        tell_clipped(x, s, param, number, 0, 1);
        *plain = shl_param_plain(param, number);
    }
    return 1;
}

static void set_one(t_shmlink *x, t_symbol *s, const t_atom *pair, int in_units)
{
    int32_t index = find(x, s, &pair[0]);
    const struct shl_param *param;
    struct shl_event event;
    double plain;

    if (index < 0) {
        tell_not_found(x, s, &pair[0]);
        return;
    }
    param = shl_host_param(x->x_host, (uint32_t)index);
    if (param->flags & SHL_PARAM_READ_ONLY) {
        replies_error(&x->x_say, s, SHL_UNSUPPORTED,
                      "%s: %s is written by the device alone: it can only be "
                      "read, with param_get",
                      s->s_name, param->name);
        return;
    }
    if (!read_value(x, s, param, &pair[1], in_units, &plain)) {
        refuse_value(x, s, param, &pair[1]);
        return;
    }
    event = shl_event_param(0, SHL_EVENT_PARAM, param->id, plain);
    connection_put(x, s, &event);
}

static void set_pairs(t_shmlink *x, t_symbol *s, int argc, t_atom *argv,
                      int in_units)
{
    int i;

    if (!connection_offers(x, s, SHL_CAP_PARAMS))
        return;
    if (argc < 2 || argc % 2) {
        replies_refuse(&x->x_say, s, argc, argv,
                       "pairs, an index or a name and a value each",
                       in_units ? "0 20" : "0 0.5");
        return;
    }
    for (i = 0; i < argc; i += 2)
        set_one(x, s, &argv[i], in_units);
}

/* One pair of modulation, in the parameter's own unit, or of a gesture. */
static void send_one(t_shmlink *x, t_symbol *s, const t_atom *pair, int touch)
{
    int32_t index = find(x, s, &pair[0]);
    const struct shl_param *param;
    struct shl_event event;
    char word[64];
    double value;

    if (index < 0) {
        tell_not_found(x, s, &pair[0]);
        return;
    }
    param = shl_host_param(x->x_host, (uint32_t)index);
    if (touch ? !atoms_whole(&pair[1], 0, 1, &value)
              : !atoms_number(&pair[1], &value)) {
        atoms_text(&pair[1], word, sizeof word);
        replies_error(&x->x_say, s, SHL_BAD_VALUE,
                      "%s: %s cannot be %s: give %s", s->s_name, param->name,
                      word, touch ? "1 (held) or 0 (let go)" : "a number");
        return;
    }
    event = shl_event_param(0,
                            !touch      ? SHL_EVENT_PARAM_MOD
                            : value > 0 ? SHL_EVENT_GESTURE_BEGIN
                                        : SHL_EVENT_GESTURE_END,
                            param->id, touch ? 0 : value);
    connection_put(x, s, &event);
}

/* What the device does with them is its own affair; its values stay. */
static void send_pairs(t_shmlink *x, t_symbol *s, int argc, t_atom *argv,
                       int touch)
{
    int i;

    if (!connection_offers(x, s, SHL_CAP_PARAMS))
        return;
    if (argc < 2 || argc % 2) {
        replies_refuse(&x->x_say, s, argc, argv,
                       touch ? "pairs, an index or a name and 1 (held) or 0 "
                               "(let go) each"
                             : "pairs, an index or a name and an amount in the "
                               "unit of the parameter each",
                       touch ? "0 1" : "0 0.1");
        return;
    }
    for (i = 0; i < argc; i += 2)
        send_one(x, s, &argv[i], touch);
}

static void param_mod(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    send_pairs(x, s, argc, argv, 0);
}

static void param_touch(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    send_pairs(x, s, argc, argv, 1);
}

static void param_set(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    set_pairs(x, s, argc, argv, 0);
}

static void param_plain(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    set_pairs(x, s, argc, argv, 1);
}

/* For requests that take one parameter: its index, or -1 after the failing
 * replies. */
static int32_t find_for(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    int32_t index;

    if (!connection_ready(x, s, 1))
        return -1;
    if (argc != 1) {
        replies_fail_words(&x->x_say, s, argc, argv,
                           "one parameter, by index or name", "0");
        return -1;
    }
    index = find(x, s, argv);
    if (index < 0) {
        replies_number(&x->x_say, s->s_name, 0);
        tell_not_found(x, s, argv);
    }
    return index;
}

static void param_get(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    int32_t index = find_for(x, s, argc, argv);

    if (index >= 0)
        tell_state(x, (uint32_t)index);
}

static void param_info(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    int32_t index = find_for(x, s, argc, argv);

    if (index >= 0)
        tell_info(x, (uint32_t)index);
}

static void param_count(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    if (argc)
        replies_fail_words(&x->x_say, s, argc, argv, "no words", "");
    else if (connection_ready(x, s, 1))
        replies_number(&x->x_say, "param_count",
                       shl_host_param_count(x->x_host));
}

/* Outlets may lead to messages that end the link, so the count is asked for at
 * each step. */
static void param_list(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    uint32_t i;

    if (!connection_ready(x, s, 1))
        return;
    if (argc) {
        replies_fail_words(&x->x_say, s, argc, argv, "no words", "");
        return;
    }
    for (i = 0; i < shl_host_param_count(x->x_host); i++)
        tell_info(x, i);
    replies_number(&x->x_say, "param_list", i);
}

static void param_dump(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double first = 0, count = 1e9;
    uint32_t i, done = 0;

    if (!connection_ready(x, s, 1))
        return;
    if (argc > 2 || (argc > 0 && !atoms_whole(&argv[0], 0, 1e9, &first)) ||
        (argc > 1 && !atoms_whole(&argv[1], 0, 1e9, &count))) {
        replies_fail_words(&x->x_say, s, argc, argv,
                           "nothing, or a first index and a count", "0 3");
        return;
    }
    for (i = (uint32_t)first;
         i < shl_host_param_count(x->x_host) && done < count; i++, done++)
        tell_state(x, i);
    replies_number(&x->x_say, "param_dump", done);
}

void params_methods(t_class *c)
{
    waiting_add(c, (t_method)param_set, "param_set");
    waiting_add(c, (t_method)param_plain, "param_plain");
    waiting_add(c, (t_method)param_mod, "param_mod");
    waiting_add(c, (t_method)param_touch, "param_touch");
    waiting_add(c, (t_method)param_get, "param_get");
    waiting_add(c, (t_method)param_info, "param_info");
    waiting_add(c, (t_method)param_count, "param_count");
    waiting_add(c, (t_method)param_list, "param_list");
    waiting_add(c, (t_method)param_dump, "param_dump");
}
