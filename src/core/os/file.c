/* SPDX-License-Identifier: MIT */
#include "shmlink/file.h"

#include "core/os/platform.h"
#include "shmlink/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAFT_SIZE  160 /* what a draft's name adds to a path, at most */
#define DRAFT_TRIES 16
#define LINKS       40 /* one behind the other, as the system follows them */

struct shl_draft {
    FILE *file;
    char path[SHL_PATH_SIZE];
    char temporary[SHL_PATH_SIZE + DRAFT_SIZE];
};

static void say(struct shl_why *why, const char *path, const char *text)
{
    if (why)
        snprintf(why->text, sizeof why->text, "%.160s: %s", path, text);
}

static const char *sentence(shl_status st)
{
    static const char *const texts[SHL_STATUS_COUNT] = {
        [SHL_NOT_FOUND] = "there is no such file or folder",
        [SHL_NO_PERMISSION] = "no permission for this file or folder",
        [SHL_NO_SPACE] = "the disk is full",
        [SHL_TAKEN] = "there is something of this name already",
        [SHL_BAD_NAME] = "not a path to a file, or too long"};

    return texts[st] ? texts[st] : shl_status_text(st);
}

static shl_status fail(struct shl_why *why, const char *path, shl_status st)
{
    say(why, path, sentence(st));
    return st;
}

/* ---- names ----------------------------------------------------------------- */

static bool clean(const char *name)
{
    char copy[SHL_FILE_NAME_SIZE];

    snprintf(copy, sizeof copy, "%s", name);
    shl_text_clean(copy, sizeof copy);
    return strcmp(copy, name) == 0;
}

shl_status shl_file_name_check(const char *name, struct shl_why *why)
{
    if (name[0] && name[0] != '.' && !strpbrk(name, "/\\:") && clean(name))
        return SHL_OK;
    if (why)
        snprintf(why->text, sizeof why->text,
                 "not a name for a file: it takes 1 to %d bytes without / \\ "
                 ": and control characters, and no dot in front",
                 SHL_FILE_NAME_SIZE - 1);
    return SHL_BAD_NAME;
}

/* ---- reading ------------------------------------------------------------------ */

/* As much as the file says it has. */
static shl_status read_all(FILE *file, uint64_t length, uint8_t **result,
                           size_t *size)
{
    uint8_t *bytes = malloc((size_t)length + 1);

    if (!bytes)
        return SHL_NO_MEMORY;
    *size = fread(bytes, 1, (size_t)length, file);
    if (*size != length || ferror(file)) {
        free(bytes);
        return SHL_SYSTEM;
    }
    *result = bytes;
    return SHL_OK;
}

shl_status shl_file_load(const char *path, size_t limit, uint8_t **bytes,
                         size_t *size, struct shl_why *why)
{
    uint64_t length;
    size_t count;
    FILE *file;
    shl_status st = shl_file_read_open(path, &file, &length);

    if (st)
        return fail(why, path, st);
    st = length > limit ? SHL_BAD_VALUE : read_all(file, length, bytes, &count);
    fclose(file);
    if (st == SHL_BAD_VALUE)
        say(why, path, "this file is too long");
    else if (st == SHL_SYSTEM)
        say(why, path, "this file cannot be read");
    else if (st)
        fail(why, path, st);
    else
        *size = count;
    return st;
}

/* ---- writing ------------------------------------------------------------------ */

/* Beside the file, hidden. Chance is in the name: what a writer that crashed
 * left behind, perhaps of our own number, is in nobody's way. */
static void name_temporary(struct shl_draft *draft)
{
    const char *slash = strrchr(draft->path, '/');
    int folder = slash ? (int)(slash - draft->path) + 1 : 0;
    uint32_t chance;

    shl_random_bytes(&chance, sizeof chance);
    snprintf(draft->temporary, sizeof draft->temporary,
             "%.*s.%.100s.%u-%08x.part", folder, draft->path,
             draft->path + folder, shl_process_self().pid, (unsigned)chance);
}

static bool ends_in_name(const char *path)
{
    size_t length = strlen(path);

    return length && length < SHL_PATH_SIZE && path[length - 1] != '/';
}

static shl_status open_temporary(struct shl_draft *draft)
{
    shl_status st = SHL_TAKEN;

    for (int tries = 0; st == SHL_TAKEN && tries < DRAFT_TRIES; tries++) {
        name_temporary(draft);
        st = shl_file_write_open(draft->temporary, &draft->file);
    }
    if (!st)
        shl_file_mode_of(draft->file, draft->path);
    return st;
}

shl_status shl_draft_new(const char *path, shl_draft **result,
                         struct shl_why *why)
{
    struct shl_draft *draft = calloc(1, sizeof *draft);
    shl_status st = SHL_BAD_NAME;

    if (!draft)
        return fail(why, path, SHL_NO_MEMORY);
    if (ends_in_name(path)) {
        memcpy(draft->path, path, strlen(path) + 1);
        st = open_temporary(draft);
    }
    if (st) {
        free(draft);
        return fail(why, path, st);
    }
    *result = draft;
    return SHL_OK;
}

shl_status shl_draft_write(shl_draft *draft, const void *bytes, size_t size,
                           struct shl_why *why)
{
    shl_status st = shl_file_write(draft->file, bytes, size);

    return st ? fail(why, draft->path, st) : SHL_OK;
}

shl_status shl_draft_seek(shl_draft *draft, uint64_t offset,
                          struct shl_why *why)
{
    shl_status st = shl_file_seek(draft->file, offset);

    return st ? fail(why, draft->path, st) : SHL_OK;
}

void shl_draft_drop(shl_draft *draft)
{
    if (!draft)
        return;
    shl_file_close(draft->file);
    remove(draft->temporary);
    free(draft);
}

shl_status shl_draft_keep(shl_draft *draft, int replace, struct shl_why *why)
{
    shl_status st = shl_file_settle(draft->file);

    if (!st)
        st = shl_file_move(draft->temporary, draft->path, replace != 0);
    if (st) {
        fail(why, draft->path, st);
        shl_draft_drop(draft);
        return st;
    }
    shl_file_close(draft->file);
    free(draft);
    return SHL_OK;
}

shl_status shl_file_save(const char *path, const void *bytes, size_t size,
                         struct shl_why *why)
{
    shl_draft *draft;
    shl_status st = shl_draft_new(path, &draft, why);

    if (st)
        return st;
    st = shl_draft_write(draft, bytes, size, why);
    if (!st)
        return shl_draft_keep(draft, 1, why);
    shl_draft_drop(draft);
    return st;
}

/* ---- links --------------------------------------------------------------------- */

/* What a link says, seen from where it lies. */
static shl_status follow_one(char path[SHL_PATH_SIZE])
{
    char target[SHL_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    shl_status st = shl_link_read(path, target, sizeof target);

    if (st)
        return st;
    if (target[0] == '/')
        folder = 0;
    if (folder + strlen(target) >= SHL_PATH_SIZE)
        return SHL_BAD_NAME;
    memcpy(path + folder, target, strlen(target) + 1);
    return SHL_OK;
}

shl_status shl_path_follow(const char *path, char target[SHL_PATH_SIZE],
                           struct shl_why *why)
{
    char at[SHL_PATH_SIZE];
    shl_status st = strlen(path) < sizeof at ? SHL_OK : SHL_BAD_NAME;

    if (!st)
        memcpy(at, path, strlen(path) + 1);
    for (int links = 0; !st; links++)
        st = links < LINKS ? follow_one(at) : SHL_BAD_NAME;
    if (st != SHL_NOT_FOUND)
        return fail(why, path, st);
    memcpy(target, at, strlen(at) + 1);
    return SHL_OK;
}

/* ---- folders ------------------------------------------------------------------- */

shl_status shl_folder_make(const char *path, struct shl_why *why)
{
    char part[SHL_PATH_SIZE];
    size_t length = strlen(path);
    shl_status st = SHL_BAD_NAME;

    if (!length || length >= sizeof part)
        return fail(why, path, SHL_BAD_NAME);
    memcpy(part, path, length + 1);
    for (char *c = part + 1;; c++) {
        if (*c && *c != '/')
            continue;
        char end = *c;
        *c = 0;
        st = shl_dir_make(part);
        if (st || !end)
            break;
        *c = '/';
    }
    return st ? fail(why, path, st) : SHL_OK;
}
