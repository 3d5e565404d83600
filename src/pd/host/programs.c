/* SPDX-License-Identifier: MIT */
/* The device's own programs, and resetting it. */
#include "pd/host/requests.h"
#include "pd/host/shmlink.h"

#include <stdio.h>

/* ---- programs ------------------------------------------------------------------ */

static struct shl_unpack answer_of(const struct request *request)
{
    return shl_unpack_from(request->answer, request->answer_size);
}

static void bad_answer(t_shmlink *x, struct request *request)
{
    request_fail(x, request, SHL_BAD_PEER,
                 "the answer of the device is not as it must be");
}

static void tell_name(t_shmlink *x, uint32_t index, const char *name)
{
    t_atom atoms[2];

    atoms_set_number(&atoms[0], index);
    SETSYMBOL(&atoms[1], atoms_name(name));
    replies_send(&x->x_say, "program_name", 2, atoms);
}

/* `index u32, name text`, to be told as a number or as a name. */
static int read_program(t_shmlink *x, struct request *request, uint32_t *index,
                        char name[128])
{
    struct shl_unpack unpack = answer_of(request);

    *index = shl_unpack_u32(&unpack);
    shl_unpack_text(&unpack, name, 128);
    if (!unpack.bad)
        return 1;
    bad_answer(x, request);
    return 0;
}

static void tell_program(t_shmlink *x, struct request *request)
{
    uint32_t index;
    char name[128];

    if (!read_program(x, request, &index, name))
        return;
    shl_host_refresh(x->x_host);
    request_done(request);
    replies_number(&x->x_say, "program", index);
}

static void tell_program_name(t_shmlink *x, struct request *request)
{
    uint32_t index;
    char name[128];

    if (!read_program(x, request, &index, name))
        return;
    request_done(request);
    tell_name(x, index, name);
}

/* The list: what comes before `first`, then what is told. */
static void tell_names(t_shmlink *x, struct request *request)
{
    struct shl_unpack unpack = answer_of(request);
    uint32_t i, told = 0, count = shl_unpack_u32(&unpack);
    char name[128];

    for (i = 0; i < count && !unpack.bad; i++) {
        shl_unpack_text(&unpack, name, sizeof name);
        if (unpack.bad || i < request->first || told == request->count)
            continue;
        tell_name(x, i, name);
        told++;
    }
    if (unpack.bad) {
        bad_answer(x, request);
        return;
    }
    x->x_programs = (int)count;
    request_done(request);
    replies_number(&x->x_say, "program_list", told);
}

static void tell_one_name(t_shmlink *x, struct request *request)
{
    struct shl_unpack unpack = answer_of(request);
    uint32_t i, count = shl_unpack_u32(&unpack);
    char name[128] = "", text[80];

    if (!unpack.bad && request->first >= count) {
        snprintf(text, sizeof text, "programs go from 0 to %d", (int)count - 1);
        request_fail(x, request, SHL_NOT_FOUND, text);
        return;
    }
    for (i = 0; i <= request->first && !unpack.bad; i++)
        shl_unpack_text(&unpack, name, sizeof name);
    if (unpack.bad) {
        bad_answer(x, request);
        return;
    }
    request_done(request);
    tell_name(x, request->first, name);
}

static void tell_count(t_shmlink *x, struct request *request)
{
    struct shl_unpack unpack = answer_of(request);
    uint32_t count = shl_unpack_u32(&unpack);

    if (unpack.bad) {
        bad_answer(x, request);
        return;
    }
    x->x_programs = (int)count;
    request_done(request);
    replies_number(&x->x_say, "program_count", count);
}

/* ---- first steps ----------------------------------------------------------------- */

static void ask_set(t_shmlink *x, struct request *request)
{
    uint8_t bytes[4];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);

    shl_pack_u32(&pack, request->first);
    request_ask(x, request, SHL_MESSAGE_PROGRAM_SET, bytes, sizeof bytes,
                tell_program);
}

static void ask_get(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_PROGRAM_GET, NULL, 0, tell_program);
}

static void ask_name(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_PROGRAM_GET, NULL, 0,
                tell_program_name);
}

static void ask_one_name(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_PROGRAM_LIST, NULL, 0, tell_one_name);
}

static void ask_count(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_PROGRAM_LIST, NULL, 0, tell_count);
}

static void ask_list(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_PROGRAM_LIST, NULL, 0, tell_names);
}

/* ---- messages --------------------------------------------------------------------- */

static void add(t_shmlink *x, t_symbol *s, request_step begin, uint32_t first,
                uint32_t count)
{
    struct request *request = requests_new(x, s, begin, SHL_CAP_PROGRAMS);

    if (!request)
        return;
    request->first = first;
    request->count = count;
    requests_add(x, request);
}

/* Up to `max` whole numbers from 0. False after the failing reply. */
static int read_numbers(t_shmlink *x, t_symbol *s, int argc, t_atom *argv,
                        int min, int max, const char *takes,
                        const char *example, uint32_t *numbers)
{
    double number;
    int i;

    for (i = 0; i < argc && i < max; i++) {
        if (!atoms_whole(&argv[i], 0, 1e9, &number))
            break;
        numbers[i] = (uint32_t)number;
    }
    if (i == argc && argc >= min)
        return 1;
    replies_fail_words(&x->x_say, s, argc, argv, takes, example);
    return 0;
}

static void program_set(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    uint32_t number;

    if (read_numbers(x, s, argc, argv, 1, 1, "the number of a program", "1",
                     &number))
        add(x, s, ask_set, number, 0);
}

static void program_get(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    if (read_numbers(x, s, argc, argv, 0, 0, "no words", "", NULL))
        add(x, s, ask_get, 0, 0);
}

static void program_name_get(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    uint32_t number = 0;

    if (read_numbers(x, s, argc, argv, 0, 1,
                     "the number of a program, or nothing for the present one",
                     "1", &number))
        add(x, s, argc ? ask_one_name : ask_name, number, 0);
}

static void program_count(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    if (read_numbers(x, s, argc, argv, 0, 0, "no words", "", NULL))
        add(x, s, ask_count, 0, 0);
}

static void program_list(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    uint32_t numbers[2] = {0, UINT32_MAX};

    if (read_numbers(x, s, argc, argv, 0, 2,
                     "nothing, or a first number and a count", "0 3", numbers))
        add(x, s, ask_list, numbers[0], numbers[1]);
}

/* ---- reset -------------------------------------------------------------------------- */

static void tell_reset(t_shmlink *x, struct request *request)
{
    shl_host_refresh(x->x_host);
    request_done(request);
    replies_bare(&x->x_say, "reset");
}

static void ask_reset(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_RESET, NULL, 0, tell_reset);
}

static void shmlink_reset(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct request *request;

    if (!requests_async(x, s, argc, argv))
        return;
    request = requests_new(x, s, ask_reset, SHL_CAP_RESET);
    if (request)
        requests_add(x, request);
}

void programs_methods(t_class *c)
{
    waiting_add(c, (t_method)program_set, "program_set");
    waiting_add(c, (t_method)program_get, "program_get");
    waiting_add(c, (t_method)program_name_get, "program_name_get");
    waiting_add(c, (t_method)program_count, "program_count");
    waiting_add(c, (t_method)program_list, "program_list");
    waiting_add(c, (t_method)shmlink_reset, "reset");
}
