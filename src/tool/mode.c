/* SPDX-License-Identifier: MIT */
/* Transport modes as words on the command line. */
#include "tool.h"

#include <string.h>

static uint32_t mode_of(const char *word, size_t length)
{
    for (uint32_t mode = SHL_MODE_BOTH; mode <= SHL_MODE_MIDI; mode *= 2)
        if (strlen(shl_mode_name(mode)) == length &&
            strncmp(word, shl_mode_name(mode), length) == 0)
            return mode;
    return 0;
}

int tool_read_modes(const char *option, const char *text, int many,
                    uint32_t *modes)
{
    uint32_t read = 0;

    for (const char *word = text; text && word;) {
        const char *comma = many ? strchr(word, ',') : NULL;
        const size_t length = comma ? (size_t)(comma - word) : strlen(word);
        const uint32_t mode = mode_of(word, length);

        if (!mode) {
            tool_complain("%s: there is no transport mode %.*s: use both, "
                          "audio or midi%s",
                          option, (int)length, word,
                          many ? ", or several with commas" : "");
            return TOOL_USAGE;
        }
        read |= mode;
        word = comma ? comma + 1 : NULL;
    }
    if (text)
        *modes = read;
    return TOOL_GO_ON;
}
