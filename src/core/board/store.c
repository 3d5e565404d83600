/* SPDX-License-Identifier: MIT */
#include "shmlink/store.h"

#include "core/os/platform.h"
#include "shmlink/message.h"
#include "shmlink/name.h"
#include "shmlink/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDING ".shl"

/* ---- where ------------------------------------------------------------------- */

/* What cannot be in the name of a file becomes _. */
static void copy_key(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from[0] ? from : "_");
    shl_text_clean(to, size);
    for (char *c = to; *c; c++)
        if (strchr("/\\:*?\"<>|", *c) || (c == to && *c == '.'))
            *c = '_';
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] == '/' ? value : NULL;
}

static int root(char *to, size_t size)
{
    const char *path = environment("SHMLINK_HOME");

    if (path)
        return snprintf(to, size, "%s", path);
    path = environment("XDG_DATA_HOME");
    if (path)
        return snprintf(to, size, "%s/shmlink", path);
    path = environment("HOME");
    return path ? snprintf(to, size, "%s/.local/share/shmlink", path) : -1;
}

shl_status shl_store_init(struct shl_store *store, const char *format,
                          const char *key, struct shl_why *why)
{
    char home[SHL_PATH_SIZE];
    struct shl_store made = {.format = ""};
    int length = root(home, sizeof home);

    if (length < 0) {
        shl_why_set(why, "no folder for presets: set HOME or XDG_DATA_HOME");
        return SHL_NOT_FOUND;
    }
    snprintf(made.format, sizeof made.format, "%s", format);
    copy_key(made.key, sizeof made.key, key);
    if ((size_t)length < sizeof home)
        length = snprintf(made.folder, sizeof made.folder, "%s/presets/%s/%s",
                          home, made.format, made.key);
    if ((size_t)length >= sizeof made.folder) {
        shl_why_set(why, "the path of the folder for presets is too long");
        return SHL_BAD_NAME;
    }
    *store = made;
    return SHL_OK;
}

shl_status shl_store_path(const struct shl_store *store, const char *name,
                          char path[SHL_PATH_SIZE], struct shl_why *why)
{
    shl_status st = shl_file_name_check(name, why);

    if (st)
        return st;
    if (strlen(name) + sizeof ENDING <= SHL_FILE_NAME_SIZE &&
        (size_t)snprintf(path, SHL_PATH_SIZE, "%s/%s" ENDING, store->folder,
                         name) < SHL_PATH_SIZE)
        return SHL_OK;
    shl_why_set(why, "this name of a preset is too long");
    return SHL_BAD_NAME;
}

/* ---- what is there -------------------------------------------------------------- */

struct list {
    struct shl_preset *presets;
    uint32_t count, room;
    shl_status status;
};

static bool grow(struct list *list)
{
    uint32_t room = list->room ? 2 * list->room : 32;
    struct shl_preset *more =
        realloc(list->presets, room * sizeof *list->presets);

    if (!more)
        return false;
    list->presets = more;
    list->room = room;
    return true;
}

static bool each(void *arg, const char *file)
{
    struct list *list = arg;
    struct shl_preset preset;
    size_t length = strlen(file), ending = sizeof ENDING - 1;

    if (length <= ending || length >= sizeof preset.name ||
        strcmp(file + length - ending, ENDING) != 0 ||
        shl_file_name_check(file, NULL))
        return true;
    if (list->count == SHL_MAX_PRESETS)
        return false;
    if (list->count == list->room && !grow(list)) {
        list->status = SHL_NO_MEMORY;
        return false;
    }
    memset(&preset, 0, sizeof preset);
    memcpy(preset.name, file, length - ending);
    list->presets[list->count++] = preset;
    return true;
}

static int by_letters(const void *a, const void *b)
{
    const struct shl_preset *first = a, *second = b;

    return strcmp(first->name, second->name);
}

shl_status shl_store_list(const struct shl_store *store,
                          struct shl_preset **presets, uint32_t *count,
                          struct shl_why *why)
{
    struct list list = {.status = SHL_OK};
    shl_status st = shl_dir_each(store->folder, each, &list);

    if (st == SHL_OK)
        st = list.status;
    if (st && st != SHL_NOT_FOUND) {
        free(list.presets);
        shl_why_set(why, "%s: %s", store->folder, shl_status_text(st));
        return st;
    }
    if (list.count)
        qsort(list.presets, list.count, sizeof *list.presets, by_letters);
    *presets = list.presets;
    *count = list.count;
    return SHL_OK;
}

/* ---- states in files -------------------------------------------------------------- */

shl_status shl_state_load(const char *format, const char *path, uint8_t **file,
                          const uint8_t **state, size_t *size,
                          struct shl_why *why)
{
    uint8_t *bytes;
    size_t length;
    shl_status st = shl_file_load(path, SHL_MAX_PAYLOAD + SHL_STATE_HEAD_SIZE,
                                  &bytes, &length, why);

    if (st)
        return st;
    st = shl_state_open(format, bytes, length, state, size, NULL, why);
    if (st)
        free(bytes);
    else
        *file = bytes;
    return st;
}

shl_status shl_state_save(const char *format, const char *key, const char *path,
                          const void *state, size_t size, struct shl_why *why)
{
    uint8_t head[SHL_STATE_HEAD_SIZE];
    shl_draft *draft;
    shl_status st = shl_draft_new(path, &draft, why);

    if (st)
        return st;
    shl_state_head(format, key, state, size, head);
    st = shl_draft_write(draft, head, sizeof head, why);
    if (!st)
        st = shl_draft_write(draft, state, size, why);
    if (!st)
        return shl_draft_keep(draft, 1, why);
    shl_draft_drop(draft);
    return st;
}

/* ---- changing --------------------------------------------------------------------- */

static int exists(const char *path)
{
    uint64_t length;
    FILE *file;

    if (shl_file_read_open(path, &file, &length))
        return 0;
    fclose(file);
    return 1;
}

shl_status shl_store_save(const struct shl_store *store, const char *name,
                          const void *state, size_t size, int *is_new,
                          struct shl_why *why)
{
    char path[SHL_PATH_SIZE];
    shl_status st = shl_store_path(store, name, path, why);

    if (!st)
        st = shl_folder_make(store->folder, why);
    if (st)
        return st;
    *is_new = !exists(path);
    return shl_state_save(store->format, store->key, path, state, size, why);
}

static shl_status say(struct shl_why *why, const char *name, shl_status st)
{
    if (st == SHL_NOT_FOUND)
        shl_why_set(why, "there is no preset %s", name);
    else if (st == SHL_TAKEN)
        shl_why_set(why, "there is a preset %s already", name);
    else if (st)
        shl_why_set(why, "preset %s: %s", name, shl_status_text(st));
    return st;
}

shl_status shl_store_rename(const struct shl_store *store, const char *name,
                            const char *to, struct shl_why *why)
{
    char from_path[SHL_PATH_SIZE], to_path[SHL_PATH_SIZE];
    shl_status st = shl_store_path(store, name, from_path, why);

    if (!st)
        st = shl_store_path(store, to, to_path, why);
    if (st)
        return st;
    st = shl_file_move(from_path, to_path, false);
    return say(why, st == SHL_TAKEN ? to : name, st);
}

shl_status shl_store_delete(const struct shl_store *store, const char *name,
                            struct shl_why *why)
{
    char path[SHL_PATH_SIZE], trash[SHL_PATH_SIZE];
    struct shl_store bin = *store;
    shl_status st = shl_store_path(store, name, path, why);

    if (st)
        return st;
    if (!exists(path))
        return say(why, name, SHL_NOT_FOUND);
    if ((size_t)snprintf(bin.folder, sizeof bin.folder, "%s/trash",
                         store->folder) >= sizeof bin.folder)
        return say(why, name, SHL_BAD_NAME);
    st = shl_folder_make(bin.folder, why);
    if (!st)
        st = shl_store_path(&bin, name, trash, why);
    return st ? st : say(why, name, shl_file_move(path, trash, true));
}
