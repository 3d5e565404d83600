/* SPDX-License-Identifier: MIT */
/* A value in shared memory that changes while it is being read, at the same place in
 * each run: its second part lies on a page that cannot be touched. The first touch
 * calls a function of the test's, as if the other process ran just then, and goes on. */
#ifndef TORN_H
#define TORN_H

#include <stddef.h>

/** Memory whose first `before` bytes lie on the first page and the rest on the second
 * one. Freed with torn_free(). */
void *torn_new(size_t before);
void torn_free(void);

/** The next touch of the second page calls `then` once. */
void torn_arm(void (*then)(void));

/** Whether it has been called since torn_arm(). */
int torn_happened(void);

#endif
