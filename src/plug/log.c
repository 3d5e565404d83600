/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = {"none", "error", "warning", "info",
                                    "debug"};
static enum plugin_level limit = PLUGIN_INFO;

void log_set_level(enum plugin_level level)
{
    limit = level;
}

int log_level_of(const char *word)
{
    for (int i = 0; i <= PLUGIN_DEBUG; i++)
        if (!strcmp(word, words[i]))
            return i;
    return -1;
}

void log_say(enum plugin_level level, const char *format, ...)
{
    char text[1024];
    va_list list;

    if (level > limit || level == PLUGIN_NONE)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    shl_text_clean(text, sizeof(text));
    /* in one write: others may say something at the same time */
    if (level < PLUGIN_INFO)
        fprintf(stderr, "shmplug: %s: %s\n", words[level], text);
    else
        fprintf(stderr, "shmplug: %s\n", text);
}
