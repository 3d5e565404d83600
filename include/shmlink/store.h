/* SPDX-License-Identifier: MIT */
/* Presets: states of devices as files of the user, in one folder per kind of
 * device. Files may come and go at any time, from any process, so nothing is
 * remembered between calls but where the folder is. For control threads and
 * workers. */
#ifndef SHL_STORE_H
#define SHL_STORE_H

#include "file.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One preset's name, as people write it. */
struct shl_preset {
    char name[SHL_FILE_NAME_SIZE];
};

/** Where things of one kind of device are kept. */
struct shl_store {
    char format[SHL_FORMAT_SIZE]; /* "link" */
    char key[SHL_TEXT_SIZE];      /* the device: "MySynth" */
    char folder[SHL_PATH_SIZE];
};

/** The folder of the user's presets: below SHMLINK_HOME, else below
 * XDG_DATA_HOME/shmlink, else ~/.local/share/shmlink. Nothing is made yet.
 * SHL_NOT_FOUND if the user has no home, SHL_BAD_NAME if the path is too long.
 * [control] */
shl_status shl_store_init(struct shl_store *store, const char *format,
                          const char *key, struct shl_why *why);

/** All presets by name, in the order of their letters; *presets is to be given
 * to free(), NULL if there are none. SHL_NO_MEMORY, SHL_NO_PERMISSION.
 * [control] */
shl_status shl_store_list(const struct shl_store *store,
                          struct shl_preset **presets, uint32_t *count,
                          struct shl_why *why);

/** The file of a preset. SHL_BAD_NAME. [any] */
shl_status shl_store_path(const struct shl_store *store, const char *name,
                          char path[SHL_PATH_SIZE], struct shl_why *why);

/** Read a state from any file: *file is to be given to free(), *state lies in
 * it. As shl_file_load and shl_state_open. [control] */
shl_status shl_state_load(const char *format, const char *path, uint8_t **file,
                          const uint8_t **state, size_t *size,
                          struct shl_why *why);

/** Write a state to any file. As shl_file_save. [control] */
shl_status shl_state_save(const char *format, const char *key, const char *path,
                          const void *state, size_t size, struct shl_why *why);

/** Write a preset, the folder too if need be; *is_new: there was none of this
 * name. [control] */
shl_status shl_store_save(const struct shl_store *store, const char *name,
                          const void *state, size_t size, int *is_new,
                          struct shl_why *why);

/** Give it another name; SHL_TAKEN, SHL_NOT_FOUND, SHL_BAD_NAME. [control] */
shl_status shl_store_rename(const struct shl_store *store, const char *name,
                            const char *to, struct shl_why *why);

/** Move it to the folder `trash` beside the presets, where a later one of the
 * same name replaces it. [control] */
shl_status shl_store_delete(const struct shl_store *store, const char *name,
                            struct shl_why *why);

#ifdef __cplusplus
}
#endif
#endif
