/* SPDX-License-Identifier: MIT */
/* Files that a host sends to `shmlink device`, into one folder that its user
 * has named. A name is never a path, nothing that exists is replaced, and a
 * file appears when all of it has come and its checksum is right. */
#ifndef TOOL_INBOX_H
#define TOOL_INBOX_H

#include "shmlink/shmlink-plugin.h"

#define INBOX_LIMIT     (UINT64_C(1) << 28) /* bytes of one file */
#define INBOX_TRANSFERS 4                   /* at once; the oldest is dropped */

struct inbox;

/** @param folder  must exist; NULL: no files are taken. @return NULL if there
 * is no memory. [control] */
struct inbox *inbox_new(const char *folder);
/** Unfinished files are removed. [control] */
void inbox_free(struct inbox *inbox);

/** A file is offered: *transfer names it from now on. An empty one is complete
 * at once. [control] */
shl_status inbox_offer(struct inbox *inbox, const char *name, uint64_t size,
                       uint32_t checksum, uint32_t *transfer,
                       struct shl_why *why);

/** Bytes of it, in order. *kept: how many have come; *name: which file is
 * complete now, or NULL. [control] */
shl_status inbox_data(struct inbox *inbox, uint32_t transfer, uint64_t offset,
                      const uint8_t *bytes, uint32_t size, uint64_t *kept,
                      const char **name, struct shl_why *why);

#endif
