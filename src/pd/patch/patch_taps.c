/* SPDX-License-Identifier: MIT */
/* The taps that a patch declares: points whose signals enter through its last
 * inlets, in the order of declaring. */
#include "pd/patch/patch.h"

#include <stdio.h>
#include <string.h>

void patch_taps_take(t_patch *x)
{
    memcpy(x->x_taps, x->x_declared, sizeof x->x_taps);
    x->x_tap_count = x->x_declared_count;
}

uint32_t patch_taps_channels(const t_patch *x)
{
    uint32_t i, channels = 0;

    for (i = 0; i < x->x_declared_count; i++)
        channels += x->x_declared[i].channels;
    return channels;
}

static int read_kind(const t_atom *atom, uint32_t *kind)
{
    char word[32];

    atoms_text(atom, word, sizeof word);
    for (*kind = 0; *kind <= SHL_TAP_GATE; (*kind)++) {
        if (strcmp(word, shl_tap_kind_name(*kind)) == 0)
            return 1;
    }
    return 0;
}

static int read_tap(const t_atom *argv, int argc, struct shl_tap *tap)
{
    double channels = 1;
    char name[128];

    if (argc < 1 || argc > 3 || argv[0].a_type != A_SYMBOL ||
        (argc > 1 && !read_kind(&argv[1], &tap->kind)) ||
        (argc > 2 && !atoms_whole(&argv[2], 1, SHL_MAX_CHANNELS, &channels)) ||
        !(channels >= 1 && channels <= SHL_MAX_CHANNELS))
        return 0;
    atoms_text(&argv[0], name, sizeof name);
    if (strlen(name) >= sizeof tap->name)
        return 0;
    memcpy(tap->name, name, strlen(name) + 1);
    tap->channels = (uint32_t)channels;
    return shl_tap_check(tap, 1, NULL) == SHL_OK;
}

/* The same name again: another kind or width, at the same place. */
static void patch_tap(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_tap tap = {.kind = SHL_TAP_AUDIO};
    int32_t index;

    if (!read_tap(argv, argc, &tap)) {
        replies_refuse(
            &x->x_say, s, argc, argv,
            "a name, a kind (audio, control or gate) and a number of "
            "channels",
            "env control 1");
        return;
    }
    index = shl_tap_find(x->x_declared, x->x_declared_count, tap.name);
    if (index < 0 && x->x_declared_count == SHL_MAX_TAPS) {
        replies_error(&x->x_say, s, SHL_BAD_VALUE,
                      "tap: a device has at most %u taps", SHL_MAX_TAPS);
        return;
    }
    x->x_declared[index < 0 ? x->x_declared_count++ : (uint32_t)index] = tap;
    patch_announce_soon(x);
}

void patch_taps_methods(t_class *c)
{
    class_addmethod(c, (t_method)patch_tap, gensym("tap"), A_GIMME, 0);
}
