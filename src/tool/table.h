/* SPDX-License-Identifier: MIT */
/* How the board is shown: one device as a row of words, as JSON, and the whole
 * scan that list and watch begin with. */
#ifndef TOOL_TABLE_H
#define TOOL_TABLE_H

#include "shmlink/shmlink.h"

#include <stdio.h>

struct table {
    struct shl_device_info device[SHL_MAX_DEVICES];
    uint32_t count;
};

/** Open the board, look once, close it. The board may have been removed and
 * made anew between two looks; an open one would not notice. */
shl_status table_scan(struct table *table, struct shl_why *why);

/** The columns: a heading and one row per device. */
void table_print(const struct table *table);

/** "<id> <pid> <in> <out> <rate> <block> <mode> <drive> <state> <host pid>
 * <tag or ->", the words of [shmreg]; spaces in texts stay. */
void table_words(const struct shl_device_info *info, char *text, size_t size);

/** The object that `list --json --help` describes. `error`: why there is
 * nothing to show, or NULL. */
void table_json(FILE *file, const struct table *table, const char *error);

#endif
