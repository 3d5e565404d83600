/* SPDX-License-Identifier: MIT */
#include "pd/replies.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX  400
#define GOALS     32 /* connections that are gone through by us */
#define RECENT_MS 2000
#define DEPTH_MAX 400 /* messages in messages: from here Pd counts */

void replies_init(struct replies *replies, t_object *object,
                  const char *class_name)
{
    memset(replies, 0, sizeof *replies);
    replies->object = object;
    replies->class_name = class_name;
}

/* ---- the outlet ----------------------------------------------------------- */

/* Pd's own way through an outlet reads each connection again after its message
 * has returned, when the message may have deleted it, or this very object. So we
 * go through copies, where Pd lets us, and look each up before it is used. */
typedef t_outconnect *(*t_first)(const t_object *, t_outlet **, int);
typedef t_outconnect *(*t_next)(t_outconnect *, t_object **, t_inlet **, int *);

static struct {
    t_first first;
    t_next next;
    int looked;
} walk;

static void look_up_walk(void)
{
    void *first, *next;

    walk.looked = 1;
    first = shl_symbol("obj_starttraverseoutlet");
    next = shl_symbol("obj_nexttraverseoutlet");
    if (!first || !next)
        return;
    memcpy(&walk.first, &first, sizeof first);
    memcpy(&walk.next, &next, sizeof next);
}

/* Up to `room` goals of the last outlet, the only one for messages; returns how
 * many there are. */
static int goals(const struct replies *replies, t_pd **goal, int room)
{
    t_outlet *outlet;
    t_outconnect *at =
        walk.first(replies->object, &outlet, replies->outlet_number);
    int count = 0;

    while (at) {
        t_object *object;
        t_inlet *inlet;
        int which;

        at = walk.next(at, &object, &inlet, &which);
        if (count < room)
            /* a t_inlet begins with its t_pd */
            goal[count] = inlet ? (t_pd *)inlet : &object->ob_pd;
        count++;
    }
    return count;
}

/* Whether this is still connected. */
static int leads_to(const struct replies *replies, const t_pd *one)
{
    t_pd *goal[GOALS];
    int i, count = replies->ended ? 0 : goals(replies, goal, GOALS);

    for (i = 0; i < count && i < GOALS; i++) {
        if (goal[i] == one)
            return 1;
    }
    return 0;
}

void replies_send(struct replies *replies, const char *selector, int count,
                  t_atom *atoms)
{
    static int depth;
    t_symbol *s = gensym(selector);
    t_pd *goal[GOALS];
    int i, found;

    if (replies->ended)
        return;
    if (!walk.looked)
        look_up_walk();
    found = walk.first && walk.next ? goals(replies, goal, GOALS) : GOALS + 1;
    if (found > GOALS || depth >= DEPTH_MAX) {
        outlet_anything(replies->outlet, s, count, atoms); /* and says so */
        return;
    }
    depth++;
    for (i = 0; i < found; i++) {
        if (i == 0 || leads_to(replies, goal[i]))
            pd_typedmess(goal[i], s, count, atoms);
    }
    depth--;
}

void replies_outlet(struct replies *replies, int before)
{
    replies->outlet_number = before;
    replies->outlet = outlet_new(replies->object, &s_anything);
}

/* ---- forms of messages ------------------------------------------------------ */

void replies_bare(struct replies *replies, const char *selector)
{
    replies_send(replies, selector, 0, NULL);
}

void replies_number(struct replies *replies, const char *selector,
                    double number)
{
    t_atom atom;

    atoms_set_number(&atom, number);
    replies_send(replies, selector, 1, &atom);
}

void replies_text(struct replies *replies, const char *selector,
                  const char *text)
{
    t_atom atom;

    atoms_set_text(&atom, text);
    replies_send(replies, selector, 1, &atom);
}

void replies_key_number(struct replies *replies, const char *selector,
                        const char *key, double number)
{
    t_atom atoms[2];

    atoms_set_text(&atoms[0], key);
    atoms_set_number(&atoms[1], number);
    replies_send(replies, selector, 2, atoms);
}

void replies_key_text(struct replies *replies, const char *selector,
                      const char *key, const char *text)
{
    t_atom atoms[2];

    atoms_set_text(&atoms[0], key);
    atoms_set_text(&atoms[1], text);
    replies_send(replies, selector, 2, atoms);
}

/* The core begins many sentences with the device's id, and so does the line;
 * once is enough. */
static const char *without_name(const struct replies *replies, const char *text)
{
    size_t length = strlen(replies->name);

    if (length && strncmp(text, replies->name, length) == 0 &&
        strncmp(text + length, ": ", 2) == 0)
        return text + length + 2;
    return text;
}

/* What has been held back of a line, before something else is said. */
static void tell_held(struct replies *replies, uint32_t i)
{
    uint32_t held = replies->recent[i].held;

    replies->recent[i].held = 0;
    if (held)
        logpost(replies->object, PD_NORMAL, "%s%s%s: %u more of: %s",
                replies->class_name, replies->name[0] ? " " : "", replies->name,
                (unsigned)held, replies->recent[i].text);
}

static void tell_all_held(struct replies *replies)
{
    uint32_t i;

    for (i = 0; i < REPLIES_RECENT; i++)
        tell_held(replies, i);
}

/* Whether the same line was said a moment ago; if so, it is counted. */
static int said_just_now(struct replies *replies, const char *text)
{
    uint32_t i, hash = shl_checksum(0, text, strlen(text));
    double now = clock_getlogicaltime();

    for (i = 0; i < REPLIES_RECENT; i++) {
        int same = replies->recent[i].hash == hash &&
                   strncmp(replies->recent[i].text, text,
                           sizeof replies->recent[i].text - 1) == 0;
        if (!same || !replies->recent[i].text[0])
            continue;
        if (clock_gettimesince(replies->recent[i].time) > RECENT_MS)
            break;
        replies->recent[i].time = now;
        replies->recent[i].held++;
        return 1;
    }
    tell_all_held(replies);
    if (i == REPLIES_RECENT)
        i = replies->recent_next++ % REPLIES_RECENT;
    replies->recent[i].hash = hash;
    replies->recent[i].time = now;
    snprintf(replies->recent[i].text, sizeof replies->recent[i].text, "%s",
             text);
    return 0;
}

static void console(struct replies *replies, int is_error, const char *text)
{
    const char *space = replies->name[0] ? " " : "";

    if (replies->ended)
        return;
    text = without_name(replies, text);
    if (is_error && said_just_now(replies, text))
        return;
    if (is_error)
        pd_error(replies->object, "%s%s%s: %s", replies->class_name, space,
                 replies->name, text);
    else
        logpost(replies->object, PD_NORMAL, "%s%s%s: %s", replies->class_name,
                space, replies->name, text);
}

void replies_note(struct replies *replies, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    console(replies, 0, text);
}

void replies_complain(struct replies *replies, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    console(replies, 1, text);
}

/* Whether a sentence is a symbol already, or may become one. */
static int may_be_symbol(struct replies *replies, const char *text)
{
    uint32_t sum = shl_checksum(0, text, strlen(text)) | 1, at = sum;

    for (;; at++) {
        uint32_t *place = &replies->texts[at % REPLIES_TEXTS];
        if (*place == sum)
            return 1;
        if (*place)
            continue;
        if (replies->text_count >= REPLIES_TEXTS / 2)
            return 0;
        replies->text_count++;
        *place = sum;
        return 1;
    }
}

void replies_error_quiet(struct replies *replies, t_symbol *selector,
                         shl_status status, const char *text)
{
    t_atom atoms[3];

    SETSYMBOL(&atoms[0], selector);
    atoms_set_text(&atoms[1], shl_status_word(status));
    text = without_name(replies, text);
    atoms_set_text(&atoms[2], may_be_symbol(replies, text)
                                  ? text
                                  : "too many different errors: the console "
                                    "has them in words");
    replies_send(replies, "error", 3, atoms);
}

void replies_error(struct replies *replies, t_symbol *selector,
                   shl_status status, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    console(replies, 1, text);
    replies_error_quiet(replies, selector, status, text);
}

void replies_fail(struct replies *replies, t_symbol *selector,
                  shl_status status, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    console(replies, 1, text);
    replies_number(replies, selector->s_name, 0);
    replies_error_quiet(replies, selector, status, text);
}

void replies_refuse(struct replies *replies, t_symbol *selector, int argc,
                    const t_atom *argv, const char *takes, const char *example)
{
    char words[100];

    atoms_words(argc, argv, words, sizeof words);
    replies_error(replies, selector, SHL_BAD_VALUE,
                  "%s: takes %s, not %s: type %s%s%s", selector->s_name, takes,
                  words, selector->s_name, example[0] ? " " : "", example);
}

void replies_fail_words(struct replies *replies, t_symbol *selector, int argc,
                        const t_atom *argv, const char *takes,
                        const char *example)
{
    replies_number(replies, selector->s_name, 0);
    replies_refuse(replies, selector, argc, argv, takes, example);
}

int replies_alone(struct replies *replies, t_symbol *selector, int argc,
                  const t_atom *argv)
{
    if (argc)
        replies_refuse(replies, selector, argc, argv, "no words", "");
    return !argc;
}

void replies_end(struct replies *replies)
{
    tell_all_held(replies);
    replies->ended = 1;
}

int replies_said(const struct replies *replies, const t_symbol *selector,
                 enum replies_memory memory)
{
    uint32_t i;

    for (i = 0; i < replies->said_count; i++) {
        if (replies->said[i].selector == selector &&
            replies->said[i].memory == memory)
            return 1;
    }
    return 0;
}

int replies_once(struct replies *replies, t_symbol *selector,
                 enum replies_memory memory)
{
    if (replies_said(replies, selector, memory))
        return 0;
    if (replies->said_count < REPLIES_SAID_MAX) {
        replies->said[replies->said_count].selector = selector;
        replies->said[replies->said_count].memory = memory;
        replies->said_count++;
    }
    return 1;
}

void replies_forget_link(struct replies *replies)
{
    uint32_t i, kept = 0;

    for (i = 0; i < replies->said_count; i++) {
        if (replies->said[i].memory != REPLIES_LINK)
            replies->said[kept++] = replies->said[i];
    }
    replies->said_count = kept;
}
