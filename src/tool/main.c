/* SPDX-License-Identifier: MIT */
/* The program `shmlink`: looks at the board, is a device, is a host. This file
 * finds the command and says what went wrong; each command has a file. */
#include "tool.h"

#include <stdarg.h>
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

void tool_complain(const char *format, ...)
{
    va_list arguments;

    fputs("shmlink: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static int exit_code(shl_status status)
{
    switch (status) {
    case SHL_OK:
        return TOOL_OK;
    case SHL_BAD_NAME:
    case SHL_BAD_VALUE:
    case SHL_WRONG_BLOCK:
    case SHL_WRONG_CHANNELS:
        return TOOL_USAGE;
    case SHL_NO_MEMORY:
    case SHL_NO_SPACE:
    case SHL_NO_SHM:
    case SHL_NO_PERMISSION:
    case SHL_NO_DESCRIPTORS:
    case SHL_FOREIGN:
    case SHL_SYSTEM:
        return TOOL_SYSTEM;
    case SHL_AGAIN:
    case SHL_TIMEOUT:
    case SHL_NOT_FOUND:
    case SHL_BUSY:
    case SHL_GONE:
    case SHL_TAKEN:
    case SHL_BOARD_FULL:
    case SHL_RING_FULL:
    case SHL_WRONG_VERSION:
    case SHL_WRONG_RATE:
    case SHL_WRONG_DRIVE:
    case SHL_WRONG_MODE:
    case SHL_CUT:
    case SHL_BAD_PEER:
    case SHL_UNSUPPORTED:
    case SHL_NO_DEVICE:
    case SHL_STATUS_COUNT:
        break;
    }
    return TOOL_NO;
}

int tool_refused(shl_status status, const struct shl_why *why)
{
    tool_complain("%s",
                  why && why->text[0] ? why->text : shl_status_text(status));
    return exit_code(status);
}

int tool_check_id(const char *id)
{
    struct shl_why why = {""};
    char name[SHL_ID_SIZE];
    int32_t number;

    if (!strcmp(id, "*"))
        return TOOL_GO_ON;
    shl_status status = shl_id_check(id, name, &number, &why);
    return status ? tool_refused(status, &why) : TOOL_GO_ON;
}

int tool_check_tag(const char *tag)
{
    struct shl_why why = {""};
    shl_status status = tag ? shl_tag_check(tag, &why) : SHL_OK;

    return status ? tool_refused(status, &why) : TOOL_GO_ON;
}

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
