/* SPDX-License-Identifier: MIT */
/* Atoms <-> plain values: names, numbers and the description of a device. No
 * object, no outlet; both externals use it. */
#ifndef PD_ATOMS_H
#define PD_ATOMS_H

#include "shmlink/shmlink.h"

#include "m_pd.h"

#if defined(_WIN32)
#    define SHL_EXPORT __declspec(dllexport)
#else
#    define SHL_EXPORT __attribute__((visibility("default")))
#endif

#define ATOMS_DEVICE_COUNT 11 /* atoms that describe a device in a list */

/** Whether a number is one: neither NaN nor infinite. Looks at the bits, so
 * that fast-math flags cannot make it always true. */
int atoms_finite(double value);

/** Whether the atom is a finite number, and that number. */
int atoms_number(const t_atom *atom, double *value);

/** The same for a whole number from `least` to `most`. */
int atoms_whole(const t_atom *atom, double least, double most, double *value);

/** Some atoms as a person would type them, cut where there is no more room. */
void atoms_words(int argc, const t_atom *argv, char *text, size_t size);

/** Whether the atom can be a name: a symbol, or a finite number. */
int atoms_is_word(const t_atom *atom);

/** The atom as words: a symbol as it is, a number in up to 10 digits. */
void atoms_text(const t_atom *atom, char *text, size_t size);

/** A symbol for a name, as Pd shows it: _ for each space. */
t_symbol *atoms_name(const char *name);

/** The same, with - for an empty name, so that a list keeps its places. */
t_symbol *atoms_name_or_dash(const char *name);

/** `id pid in out rate block mode drive state host-pid tag`. */
void atoms_device(const struct shl_device_info *info,
                  t_atom atoms[ATOMS_DEVICE_COUNT]);

/** A shorthand for building lists. */
void atoms_set_number(t_atom *atom, double value);
void atoms_set_text(t_atom *atom, const char *text);

#endif
