/* SPDX-License-Identifier: MIT */
#include "pd/atoms.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int atoms_finite(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return (bits >> 52 & 0x7ff) != 0x7ff;
}

int atoms_number(const t_atom *atom, double *value)
{
    double number;

    if (atom->a_type != A_FLOAT)
        return 0;
    number = (double)atom->a_w.w_float;
    if (!atoms_finite(number))
        return 0;
    *value = number;
    return 1;
}

int atoms_whole(const t_atom *atom, double least, double most, double *value)
{
    double number;

    if (!atoms_number(atom, &number) || number < least || number > most ||
        number > (double)(int64_t)number || number < (double)(int64_t)number)
        return 0;
    *value = number;
    return 1;
}

void atoms_words(int argc, const t_atom *argv, char *text, size_t size)
{
    char word[64];
    size_t used = 0;
    int i;

    snprintf(text, size, "%s", argc ? "" : "nothing");
    for (i = 0; i < argc; i++) {
        atoms_text(&argv[i], word, sizeof word);
        if (used + strlen(word) + 8 >= size) {
            snprintf(text + used, size - used, " ...");
            return;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "",
                                 word);
    }
}

int atoms_is_word(const t_atom *atom)
{
    double number;

    return atom->a_type == A_SYMBOL || atoms_number(atom, &number);
}

void atoms_text(const t_atom *atom, char *text, size_t size)
{
    double number;

    if (atom->a_type == A_SYMBOL)
        snprintf(text, size, "%s", atom->a_w.w_symbol->s_name);
    else if (atoms_number(atom, &number))
        snprintf(text, size, "%s", shl_digits(number, 10).text);
    else
        snprintf(text, size, "%s",
                 atom->a_type == A_FLOAT ? "no finite number" : "?");
}

t_symbol *atoms_name(const char *name)
{
    char text[128];
    char *c;

    snprintf(text, sizeof text, "%s", name);
    for (c = text; *c; c++) {
        if (*c == ' ')
            *c = '_';
    }
    return gensym(text);
}

t_symbol *atoms_name_or_dash(const char *name)
{
    return atoms_name(name[0] ? name : "-");
}

void atoms_set_number(t_atom *atom, double value)
{
    SETFLOAT(atom, (t_float)value);
}

void atoms_set_text(t_atom *atom, const char *text)
{
    SETSYMBOL(atom, gensym(text));
}

/* A device that offers several modes or drives shows the one a host gets
 * without asking: the first of the core's order; a claimed one the mode of its
 * claim. */
static uint32_t first_of(uint32_t offered)
{
    return offered & (~offered + 1u);
}

void atoms_device(const struct shl_device_info *info,
                  t_atom atoms[ATOMS_DEVICE_COUNT])
{
    SETSYMBOL(&atoms[0], atoms_name(info->id));
    atoms_set_number(&atoms[1], info->pid);
    atoms_set_number(&atoms[2], info->in_channels);
    atoms_set_number(&atoms[3], info->out_channels);
    atoms_set_number(&atoms[4], info->rate_hz);
    atoms_set_number(&atoms[5], info->block_frames);
    atoms_set_text(
        &atoms[6],
        shl_mode_name(info->mode ? info->mode : first_of(info->modes)));
    atoms_set_text(&atoms[7], shl_drive_name(first_of(info->drives)));
    atoms_set_text(&atoms[8], shl_state_name(info->state));
    atoms_set_number(&atoms[9], info->host_pid);
    SETSYMBOL(&atoms[10], atoms_name_or_dash(info->tag));
}
