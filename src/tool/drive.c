/* SPDX-License-Identifier: MIT */
/* Drives as words on the command line. */
#include "tool.h"

#include <string.h>

static uint32_t drive_of(const char *word, size_t length)
{
    for (uint32_t drive = SHL_DRIVE_LOCKSTEP; drive <= SHL_DRIVE_FREE;
         drive *= 2)
        if (strlen(shl_drive_name(drive)) == length &&
            strncmp(word, shl_drive_name(drive), length) == 0)
            return drive;
    return 0;
}

int tool_read_drives(const char *option, const char *text, int many,
                     uint32_t *drives)
{
    const char *word = text;
    uint32_t read = 0;

    while (word) {
        const size_t length = many ? strcspn(word, ",") : strlen(word);
        const uint32_t drive = drive_of(word, length);

        if (!drive) {
            tool_complain("%s: there is no drive %.*s: use lockstep, pipelined "
                          "or free",
                          option, (int)length, word);
            return TOOL_USAGE;
        }
        read |= drive;
        word = word[length] ? word + length + 1 : NULL;
    }
    if (text)
        *drives = read;
    return TOOL_GO_ON;
}
