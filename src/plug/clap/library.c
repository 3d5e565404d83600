/* SPDX-License-Identifier: MIT */
/* Files of CLAP plugins: where they are, and how one is loaded. */
#define _GNU_SOURCE /* scandir, RTLD_NODELETE */
#include "plug/clap/clap.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH 8 /* folders in folders; links may lead round in a ring */

/* ---- one library ------------------------------------------------------------------ */

static int is_folder(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* A file that is a folder has the library inside, by the same name. */
static shl_status library_path(const char *path, char *library,
                               struct shl_why *why)
{
    struct stat about;
    char plain[SHL_PATH_SIZE];
    size_t length;
    const char *name;

    if (stat(path, &about)) {
        shl_why_set(why, "there is no file \"%s\"", path);
        return SHL_NOT_FOUND;
    }
    snprintf(library, SHL_PATH_SIZE, "%s", path);
    if (!S_ISDIR(about.st_mode))
        return SHL_OK;
    snprintf(plain, sizeof(plain), "%s", path);
    length = strlen(plain);
    while (length > 1 && plain[length - 1] == '/')
        plain[--length] = 0;
    name = strrchr(plain, '/');
    name = name ? name + 1 : plain;
    if (snprintf(library, SHL_PATH_SIZE, "%s/%s", plain, name) >=
            (int)SHL_PATH_SIZE ||
        stat(library, &about) || S_ISDIR(about.st_mode)) {
        shl_why_set(why, "there is no library %.200s in the folder \"%s\"",
                    name, path);
        return SHL_NOT_FOUND;
    }
    return SHL_OK;
}

static shl_status begin(const char *path, struct clap_library *library,
                        struct shl_why *why)
{
    library->entry = dlsym(library->handle, CLAP_ENTRY_SYMBOL);
    if (!library->entry) {
        shl_why_set(why, "\"%s\" is no CLAP plugin: it has no symbol %s", path,
                    CLAP_ENTRY_SYMBOL);
        return SHL_UNSUPPORTED;
    }
    if (library->entry->version.major < 1) {
        shl_why_set(why, "\"%s\" speaks CLAP %u.%u; this program speaks 1.x",
                    path, library->entry->version.major,
                    library->entry->version.minor);
        return SHL_UNSUPPORTED;
    }
    if (!library->entry->init(path)) {
        shl_why_set(why, "\"%s\" refuses to begin", path);
        return SHL_UNSUPPORTED;
    }
    library->begun = 1;
    library->factory = library->entry->factory(CLAP_FACTORY);
    if (!library->factory) {
        shl_why_set(why, "\"%s\" makes no plugins", path);
        return SHL_UNSUPPORTED;
    }
    return SHL_OK;
}

shl_status clap_library_open(const char *path, struct clap_library *library,
                             struct shl_why *why)
{
    char file[SHL_PATH_SIZE];
    shl_status status = library_path(path, file, why);

    memset(library, 0, sizeof(*library));
    if (status)
        return status;
    /* it stays in memory: some leave threads behind that still run its code */
    library->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library->handle) {
        shl_why_set(why, "\"%s\" does not load: %s", path, dlerror());
        return SHL_UNSUPPORTED;
    }
    status = begin(path, library, why);
    if (status)
        clap_library_close(library);
    return status;
}

void clap_library_close(struct clap_library *library)
{
    if (library->begun)
        library->entry->deinit();
    if (library->handle)
        dlclose(library->handle);
    memset(library, 0, sizeof(*library));
}

/* ---- all of them ------------------------------------------------------------------- */

struct search {
    int (*found)(void *arg, const char *path);
    void *arg;
};

static int ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);

    return length > tail && !strcmp(text + length - tail, end);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int search_folder(const struct search *search, const char *folder,
                         int depth)
{
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, NULL, by_name);
    int is_done = 0;

    for (int i = 0; i < count; i++) {
        char path[SHL_PATH_SIZE];
        const char *name = names[i]->d_name;
        const int length = snprintf(path, sizeof(path), "%s/%s", folder, name);

        if (is_done || name[0] == '.' || length >= (int)sizeof(path))
            continue;
        if (ends_with(name, ".clap"))
            is_done = search->found(search->arg, path);
        else if (depth > 0 && is_folder(path))
            is_done = search_folder(search, path, depth - 1);
    }
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return is_done;
}

static int search_list(const struct search *search, const char *list)
{
    char folder[SHL_PATH_SIZE];
    size_t length;
    int is_done = 0;

    for (; list && *list && !is_done; list += length + (list[length] == ':')) {
        length = strcspn(list, ":");
        if (length == 0 || length >= sizeof(folder))
            continue;
        memcpy(folder, list, length);
        folder[length] = 0;
        is_done = search_folder(search, folder, DEPTH);
    }
    return is_done;
}

int clap_files(int (*found)(void *arg, const char *path), void *arg)
{
    const struct search search = {found, arg};
    const char *home = getenv("HOME");
    char own[SHL_PATH_SIZE];

    if (search_list(&search, getenv("CLAP_PATH")))
        return 1;
    if (home && home[0] &&
        snprintf(own, sizeof(own), "%s/.clap", home) < (int)sizeof(own) &&
        search_folder(&search, own, DEPTH))
        return 1;
    return search_folder(&search, "/usr/lib/clap", DEPTH) ||
           search_folder(&search, "/usr/local/lib/clap", DEPTH);
}
