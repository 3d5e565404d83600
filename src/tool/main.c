/* SPDX-License-Identifier: MIT */
/* The program `shmlink`: looks at the board, is a device, is a host. This file
 * finds the command; each command has a file. */
#include "tool.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"list", tool_list, "show the devices on the board"},
    {"watch", tool_watch, "tell what comes, goes and changes"},
    {"wait", tool_wait, "wait until a device is there"},
    {"clean", tool_clean, "clear what dead devices have left"},
    {"why", tool_why, "say whether a device could be claimed"},
    {"device", tool_device, "be a device: a polyphonic synth"},
    {"host", tool_host, "be a host: play notes on a device"},
    {"monitor", tool_monitor, "look at the link of a device"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *file)
{
    fprintf(file, "usage: shmlink COMMAND [options]\n\n"
                  "Sound and control between processes, through shared "
                  "memory.\n\ncommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(file, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fprintf(file,
            "\nshmlink COMMAND --help tells the options of a command, "
            "shmlink --version the version.\n"
            "exit codes: 0 done; 1 what was asked for did not happen; "
            "2 wrong usage;\n3 the system refused (shared memory, files)\n");
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(word, commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    if (!strcmp(word, "--help") || !strcmp(word, "-h") ||
        !strcmp(word, "help")) {
        print_usage(stdout);
        return TOOL_OK;
    }
    if (!strcmp(word, "--version")) {
        printf("shmlink %d.%d.%d\n", SHL_VERSION_MAJOR, SHL_VERSION_MINOR,
               SHL_VERSION_PATCH);
        return TOOL_OK;
    }
    if (argc > 1)
        tool_complain("there is no command '%s'; see shmlink --help", word);
    else
        print_usage(stderr);
    return TOOL_USAGE;
}
