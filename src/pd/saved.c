/* SPDX-License-Identifier: MIT */
#include "pd/saved.h"

#include <g_canvas.h>

#include <stdlib.h>

struct saved {
    t_pd s_pd;
    t_pd *s_owner;
    saved_handler s_handler;
    t_canvas *s_canvas;
    int s_shared; /* when it was made: [clone] hides later whose its copies are */
};

static t_class *saved_class;

static t_symbol *line(void)
{
    return gensym("#A");
}

static void saved_anything(struct saved *saved, t_symbol *s, int argc,
                           t_atom *argv)
{
    saved->s_handler(saved->s_owner, s, argc, argv);
}

static int is_shared(t_canvas *canvas)
{
    const t_canvas *root = canvas ? canvas_getrootfor(canvas) : NULL;

    return root && (root->gl_owner || root->gl_isclone);
}

struct saved *saved_new(t_pd *owner, saved_handler handler)
{
    struct saved *saved;

    if (!saved_class) {
        saved_class = class_new(gensym("shmlink~ saved"), NULL, NULL,
                                sizeof(struct saved), CLASS_PD, A_NULL);
        class_addanything(saved_class, (t_method)saved_anything);
    }
    saved = (struct saved *)pd_new(saved_class);
    if (!saved)
        return NULL;
    saved->s_owner = owner;
    saved->s_handler = handler;
    saved->s_canvas = canvas_getcurrent();
    saved->s_shared = is_shared(saved->s_canvas);
    line()->s_thing = NULL; /* of the box before */
    pd_bind(&saved->s_pd, line());
    return saved;
}

void saved_free(struct saved *saved)
{
    t_pd *bound;

    if (!saved)
        return;
    while ((bound = pd_findbyclass(line(), saved_class)) &&
           bound == &saved->s_pd)
        pd_unbind(bound, line());
    pd_free(&saved->s_pd);
}

int saved_is_shared(const struct saved *saved)
{
    return !saved || saved->s_shared || is_shared(saved->s_canvas);
}

void saved_line(t_binbuf *b, const char *selector, const char *word)
{
    if (word[0])
        binbuf_addv(b, "sss;", line(), gensym(selector), gensym(word));
}

int saved_dollar_zeros(int *numbers, int most)
{
    t_canvas *canvas = canvas_getcurrent();
    int count = 0;

    for (; canvas && count < most; canvas = canvas->gl_owner) {
        const t_symbol *zero = canvas_realizedollar(canvas, gensym("$0"));
        /* NOLINTNEXTLINE(cert-err34-c): 0 is no number of a canvas */
        int number = atoi(zero->s_name);

        if (number && (!count || numbers[count - 1] != number))
            numbers[count++] = number;
    }
    return count;
}
