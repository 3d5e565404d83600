/* SPDX-License-Identifier: MIT */
/* Which program runs a plugin: the one that was wished for, one that the environment
 * names, one beside this program, one of PATH; and why it does not start. */
#include "core/maolan/plugin_process.h"
#include "shmlink/name.h"

#include <stdio.h>
#include <string.h>

#define HEAD_SIZE 128

/* Whether the file at `path`, that `who` names, can be a program; else why not,
 * and what to type. */
static shl_status look_at(const char *who, const char *path,
                          struct shl_why *why)
{
    shl_status st = shl_program_look(path);

    if (!st)
        return SHL_OK;
    if (st == SHL_BAD_VALUE) {
        shl_why_set(why, "%.110s is not executable: type chmod +x %.110s", path,
                    path);
        return SHL_NO_PERMISSION;
    }
    shl_why_set(why, "%s names %.150s%s", who, path,
                st == SHL_NOT_FOUND  ? ": there is no such file"
                : st == SHL_BAD_NAME ? ", which is a folder, not a program"
                                     : ": you may not look into its folder");
    return st == SHL_BAD_NAME ? SHL_NOT_FOUND : st;
}

/* The first that a user has set counts, also when it is wrong: then that is
 * what has to be told. */
static shl_status named_program(const char *wish, const char *who, char *path,
                                struct shl_why *why)
{
    if (!strchr(wish, '/') &&
        shl_program_search(wish, path, SHL_PLUGIN_PROCESS_SPEC_SIZE))
        return SHL_OK;
    snprintf(path, SHL_PLUGIN_PROCESS_SPEC_SIZE, "%s", wish);
    if (strchr(wish, '/'))
        return look_at(who, path, why);
    shl_why_set(why,
                "%s names %.150s: no folder of PATH has a program of that "
                "name: give its whole path",
                who, wish);
    return SHL_NOT_FOUND;
}

/* One that cannot be executed has lost that on its way here: it counts. */
static bool program_beside(char *path)
{
    char folder[SHL_PLUGIN_PROCESS_SPEC_SIZE - 16];

    for (uint32_t n = 0; n < 2; n++) {
        if (!shl_program_folder(n, folder, sizeof folder))
            continue;
        snprintf(path, SHL_PLUGIN_PROCESS_SPEC_SIZE, "%sshmplug", folder);
        shl_status st = shl_program_look(path);
        if (st == SHL_OK || st == SHL_BAD_VALUE)
            return true;
    }
    return false;
}

shl_status shl_plugin_program_find(const char *wish, char *path,
                                   struct shl_why *why)
{
    static const char *const variables[] = {"SHMLINK_PLUGIN_HOST",
                                            "MAOLAN_PLUGIN_HOST"};

    if (wish && wish[0])
        return named_program(wish, "-host", path, why);
    for (int i = 0; i < 2; i++) {
        const char *value = shl_environment(variables[i]);
        if (value)
            return named_program(value, variables[i], path, why);
    }
    if (program_beside(path))
        return look_at("this program", path, why);
    if (shl_program_search("maolan-plugin-host", path,
                           SHL_PLUGIN_PROCESS_SPEC_SIZE) ||
        shl_program_search("shmplug", path, SHL_PLUGIN_PROCESS_SPEC_SIZE))
        return SHL_OK;
    shl_why_set(why,
                "there is no program that runs plugins: put shmplug beside "
                "this one, or name one in SHMLINK_PLUGIN_HOST or by -host");
    return SHL_NOT_FOUND;
}

/* The first line of the file, and whether it is a program's image. */
static bool read_head(const char *path, char head[HEAD_SIZE])
{
    FILE *file = fopen(path, "rb");
    size_t got = file ? fread(head, 1, HEAD_SIZE - 1, file) : 0;

    if (file)
        fclose(file);
    head[got] = 0;
    bool image = memcmp(head, "\177ELF", 4) == 0;
    head[strcspn(head, "\r\n")] = 0;
    return image;
}

/* The file is there and may be executed: that was looked at before. */
void shl_plugin_program_explain(struct shl_plugin_process *plugin,
                                shl_status status)
{
    char head[HEAD_SIZE] = "";
    bool image = read_head(plugin->program, head);
    const char *script = strncmp(head, "#!", 2) == 0 ? head + 2 : NULL;

    if (status == SHL_NOT_FOUND && script)
        shl_why_set(&plugin->why,
                    "%.120s does not start: its interpreter %.60s is not there",
                    plugin->program, script + strspn(script, " \t"));
    else if (status == SHL_NOT_FOUND)
        shl_why_set(&plugin->why,
                    "%.120s does not start: the loader that it names is not "
                    "there: it is built for another system or C library",
                    plugin->program);
    else if (status == SHL_NO_PERMISSION)
        shl_why_set(&plugin->why,
                    "%.120s does not start: the system forbids it: %s",
                    plugin->program,
                    script ? "its interpreter is not executable"
                           : "its file system may be mounted noexec");
    else if (status == SHL_FOREIGN && image)
        shl_why_set(&plugin->why,
                    "%.120s is no program of this system: it is built for "
                    "another processor, or damaged",
                    plugin->program);
    else if (status == SHL_FOREIGN)
        shl_why_set(&plugin->why,
                    "%.120s is no program of this system, and no script: its "
                    "first line does not begin with #!",
                    plugin->program);
}
