/* The command watch: looks at the board again and again and tells the
 * difference, one line each. */
#include "options.h"
#include "table.h"
#include "terminal.h"
#include "tool.h"

#include <string.h>

static const char watch_more[] =
    "Prints one line for each change: added, removed, claimed, released or\n"
    "changed, then the words of `shmlink list` in its order. What is there at\n"
    "the start is told as added. Ends by Ctrl-C or after --for.\n";

static void tell(const char *what, const struct shl_device_info *info)
{
    char words[512];

    table_words(info, words, sizeof(words));
    terminal_say("%s %s", what, words);
}

/* The same registration: a device that ended and came back has a new segment.
 */
static const struct shl_device_info *
find_same(const struct table *table, const struct shl_device_info *info)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (!strcmp(table->device[i].segment, info->segment) &&
            !strcmp(table->device[i].id, info->id))
            return &table->device[i];
    return NULL;
}

static int is_claimed(const struct shl_device_info *info)
{
    return info->state == SHL_STATE_BUSY;
}

static void tell_change(const struct shl_device_info *before,
                        const struct shl_device_info *now)
{
    char old_words[512], new_words[512];

    if (is_claimed(before) && is_claimed(now) &&
        before->host_pid != now->host_pid)
        tell("released", before);
    if (is_claimed(now) &&
        (!is_claimed(before) || before->host_pid != now->host_pid)) {
        tell("claimed", now);
        return;
    }
    if (is_claimed(before) && !is_claimed(now)) {
        tell("released", now);
        return;
    }
    table_words(before, old_words, sizeof(old_words));
    table_words(now, new_words, sizeof(new_words));
    if (strcmp(old_words, new_words))
        tell("changed", now);
}

static void tell_difference(const struct table *before, const struct table *now)
{
    for (uint32_t i = 0; i < before->count; i++)
        if (!find_same(now, &before->device[i]))
            tell("removed", &before->device[i]);
    for (uint32_t i = 0; i < now->count; i++) {
        const struct shl_device_info *old = find_same(before, &now->device[i]);

        if (old)
            tell_change(old, &now->device[i]);
        else
            tell("added", &now->device[i]);
    }
}

static int watch(uint32_t interval_ms, double for_s)
{
    static struct table looks[2];
    uint64_t now = shl_clock_ns();
    const uint64_t until = now + (uint64_t)(for_s * 1e9);
    struct shl_why why = {""};

    for (int look = 0; !terminal_ended(); look = !look) {
        shl_status status = table_scan(&looks[look], &why);

        if (status)
            return tool_refused(status, &why);
        tell_difference(&looks[!look], &looks[look]);
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
