/* SPDX-License-Identifier: MIT */
/* The command watch: looks at the board again and again and tells the
 * difference, one line each. */
#include "options.h"
#include "table.h"
#include "terminal.h"
#include "tool.h"

static const char watch_more[] =
    "Prints one line for each change: added, removed, claimed, released or\n"
    "changed, then the words of `shmlink list` in its order. What is there at\n"
    "the start is told as added. Ends by Ctrl-C or after --for.\n";

static void tell(void *arg, enum shl_change change,
                 const struct shl_device_info *info)
{
    char words[512];

    (void)arg;
    table_words(info, words, sizeof(words));
    terminal_say("%s %s", shl_change_name(change), words);
}

/* The board is opened anew each time, so that one that was removed and made
 * again is seen. */
static shl_status look(struct shl_look *known, struct shl_why *why)
{
    shl_registry *registry = NULL;
    shl_status status = shl_registry_open(NULL, &registry, why);

    if (status)
        return status;
    status = shl_registry_watch(registry, known, tell, NULL);
    shl_registry_close(registry);
    return status;
}

static int watch(uint32_t interval_ms, double for_s)
{
    static struct shl_look known;
    uint64_t now = shl_clock_ns();
    const uint64_t until = now + (uint64_t)(for_s * 1e9);
    struct shl_why why = {""};

    while (!terminal_ended()) {
        shl_status status = look(&known, &why);

        if (status)
            return tool_refused(status, &why);
        now += (uint64_t)interval_ms * 1000000u;
        if (for_s > 0 && now >= until) {
            terminal_sleep_until(until);
            break;
        }
        terminal_sleep_until(now);
    }
    return TOOL_OK;
}

int tool_watch(int argc, char **argv)
{
    uint32_t interval_ms = 100;
    double for_s = 0;
    const struct option options[] = {
        {.name = "interval",
         .type = OPTION_WHOLE,
         .value = &interval_ms,
         .least = 1,
         .most = 60000,
         .argument = "MS",
         .help = "milliseconds between two looks, default 100"},
        {.name = "for",
         .type = OPTION_REAL,
         .value = &for_s,
         .least = 0,
         .most = 86400,
         .argument = "S",
         .help = "end after so many seconds, default 0: do not"}};
    const struct command command = {
        .name = "watch",
        .summary = "Tells what comes to the board, leaves it and changes.",
        .options = options,
        .option_count = OPTION_COUNT(options),
        .more = watch_more};
    int result = options_read(&command, argc, argv);

    if (result != TOOL_GO_ON)
        return result;
    if (!terminal_catch_end())
        return tool_refused(SHL_SYSTEM, NULL);
    return watch(interval_ms, for_s);
}
