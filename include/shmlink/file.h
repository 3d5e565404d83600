/* SPDX-License-Identifier: MIT */
/* Files that are written beside the audio: read whole, kept whole or not at
 * all, and names from the other side that must not lead anywhere. For control
 * threads and workers; every call may take as long as a disk does. */
#ifndef SHL_FILE_H
#define SHL_FILE_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Whether a name from somebody else may become a file: 1 to 127 bytes of
 * UTF-8 without control characters, no / \ or :, no leading dot. SHL_BAD_NAME,
 * with the sentence in `why` (may be NULL). [any] */
shl_status shl_file_name_check(const char *name, struct shl_why *why);

/** All bytes of a file, to be given to free(). SHL_NOT_FOUND,
 * SHL_NO_PERMISSION, SHL_BAD_VALUE if it has more than `limit` bytes or is no
 * file, SHL_NO_MEMORY, SHL_SYSTEM; with the sentence in `why`. [control] */
shl_status shl_file_load(const char *path, size_t limit, uint8_t **bytes,
                         size_t *size, struct shl_why *why);

/** Write a file as a whole: to a temporary file beside it first, then renamed,
 * so that whoever reads it sees the old one or the new one, and a failure leaves
 * the old one. The folder must exist; a file that is replaced hands on its
 * permissions, a link is replaced itself (see shl_path_follow).
 * SHL_NOT_FOUND (the folder), SHL_NO_PERMISSION, SHL_NO_SPACE, SHL_BAD_NAME if
 * something is there that is no file, such as a device, SHL_SYSTEM. [control] */
shl_status shl_file_save(const char *path, const void *bytes, size_t size,
                         struct shl_why *why);

/** The same in pieces: begin, write in order, then keep or drop. */
typedef struct shl_draft shl_draft;

/** Begin a file. As shl_file_save; SHL_NO_MEMORY. [control] */
shl_status shl_draft_new(const char *path, shl_draft **draft,
                         struct shl_why *why);
/** Append. SHL_NO_SPACE, SHL_SYSTEM. [control] */
shl_status shl_draft_write(shl_draft *draft, const void *bytes, size_t size,
                           struct shl_why *why);
/** What is written next goes to this place. As shl_draft_write. [control] */
shl_status shl_draft_seek(shl_draft *draft, uint64_t offset,
                          struct shl_why *why);
/** It is complete: give it its name, `replace` 1: also if there is a file of
 * that name, else SHL_TAKEN. The draft has ended either way. [control] */
shl_status shl_draft_keep(shl_draft *draft, int replace, struct shl_why *why);
/** Nothing of it stays. NULL is fine. [control] */
void shl_draft_drop(shl_draft *draft);

/** Where a path that a person has typed leads: links are followed, also one to
 * a file that is not there yet, so that a link is not replaced by the file it
 * should lead to. SHL_BAD_NAME: links that go in circles, or a path that is too
 * long. [control] */
shl_status shl_path_follow(const char *path, char target[SHL_PATH_SIZE],
                           struct shl_why *why);

/** Make a folder and those above it. SHL_NO_PERMISSION, SHL_NO_SPACE,
 * SHL_BAD_NAME if a file is in the way or the path is too long. [control] */
shl_status shl_folder_make(const char *path, struct shl_why *why);

#ifdef __cplusplus
}
#endif
#endif
