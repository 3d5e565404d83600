/* SPDX-License-Identifier: MIT */
#include "pd/cords.h"

#include <stdio.h>
#include <string.h>

#define MULTICHANNEL 0x10 /* CLASS_MULTICHANNEL of newer headers */

typedef void (*t_setmultiout)(t_signal **, int);

/* The head of a signal since 0.54; the first three members never moved. */
struct newer_signal {
    int s_n;
    t_sample *s_vec;
    t_float s_sr;
    int s_nchans;
};

static t_setmultiout setmultiout(void)
{
    static t_setmultiout found;
    static int looked;
    void *symbol;

    if (!looked && (symbol = shl_symbol("signal_setmultiout")))
        memcpy(&found, &symbol, sizeof found);
    looked = 1;
    return found;
}

int cords_flag(void)
{
    return setmultiout() ? MULTICHANNEL : 0;
}

int cords_channels(const t_signal *signal)
{
    struct newer_signal newer;

    if (!setmultiout())
        return 1;
    memcpy(&newer, signal, sizeof newer);
    return newer.s_nchans;
}

void cords_check(struct replies *replies, t_signal **in, int count)
{
    char key[40];
    int i;

    for (i = 0; i < count; i++) {
        int channels = cords_channels(in[i]);
        snprintf(key, sizeof key, "cord %d %d", i + 1, channels);
        if (channels > 1 && replies_once(replies, gensym(key), REPLIES_OBJECT))
            replies_complain(replies,
                             "the cord at signal inlet %d has %d channels, and "
                             "an inlet takes one: the first is used; put "
                             "[snake_out~ %d] in front and connect each",
                             i + 1, channels, channels);
    }
}

void cords_make(t_signal **out, int count)
{
    int i;

    for (i = 0; i < count && setmultiout(); i++)
        setmultiout()(&out[i], 1);
}
