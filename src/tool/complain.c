/* SPDX-License-Identifier: MIT */
/* How each command says what went wrong: one line on stderr, and an exit code that
 * follows from the status. */
#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
