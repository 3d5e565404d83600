/* SPDX-License-Identifier: MIT */
/* What a patch's file keeps of a box beside its words: lines that begin with #A
 * and come to the box that was made last. They are caught by an object of their
 * own, so that a line is never taken for a message that somebody sends.
 *
 * A patch that is opened by itself has its file for itself. An abstraction shares
 * its file with all its instances: nothing of one of them goes into it. */
#ifndef PD_SAVED_H
#define PD_SAVED_H

#include "pd/atoms.h"

struct saved;

typedef void (*saved_handler)(t_pd *owner, t_symbol *s, int argc, t_atom *argv);

/** Catch the lines that follow the box that is being made. NULL: no memory, and
 * nothing is caught. */
struct saved *saved_new(t_pd *owner, saved_handler handler);
void saved_free(struct saved *saved);

/** Whether the box is in an abstraction, a clone or a subpatch of one. NULL: as if
 * it were. */
int saved_is_shared(const struct saved *saved);

/** A line for the file, unless the word is empty. */
void saved_line(t_binbuf *b, const char *selector, const char *word);

/** The numbers that `$0` has in the canvas that is being loaded and in those
 * around it: a tag may come by creation arguments. How many there are. */
int saved_dollar_zeros(int *numbers, int most);

#endif
