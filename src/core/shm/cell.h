/* A value of several words in shared memory, that one process writes and others
 * copy whole: a sequence before it, odd while it is being written. */
#ifndef SHL_CELL_H
#define SHL_CELL_H

#include "shmlink/status.h"

#include <stdint.h>

/** Copy a value out of a cell; SHL_AGAIN if the writer keeps it busy (bounded
 * tries). `words` of 8 bytes. [any] */
shl_status shl_cell_read(const void *cell, void *value, uint32_t words);
/** Write a cell. One writer at a time. [any] */
void shl_cell_write(void *cell, const void *value, uint32_t words);

#endif
