/* SPDX-License-Identifier: MIT */
/* Commands that look at the board once: list, wait, clean, why. */
#include "options.h"
#include "table.h"
#include "terminal.h"
#include "tool.h"

#include <stdio.h>

#define LOOK_EVERY_MS 20u

static const char list_more[] =
    "The columns: id, pid, channels in (host to device) and out, sample rate,\n"
    "usual block, transport mode (of the claim, else all on offer), drives,\n"
    "state (free, busy, stale: its host is gone, starting), pid of the host "
    "or\n"
    "0, link tag or -.\n"
    "\n"
    "--json prints one object:\n"
    "  version   text, of this program\n"
    "  count     number of devices\n"
    "  devices   array of objects with\n"
    "            the texts id, vendor, category, version, tag, state,\n"
    "            segment, mode (of the claim, or empty);\n"
    "            the numbers pid, in_channels, out_channels, rate_hz,\n"
    "            block_frames, quantum, latency_frames, param_count,\n"
    "            tap_count, host_pid;\n"
    "            claimed (true or false);\n"
    "            the arrays of texts modes, drives, capabilities\n"
    "  warnings  array of texts\n"
    "  errors    array of texts; not empty only if the exit code is not 0\n";

int tool_list(int argc, char **argv)
{
    int json = 0;
    const struct option options[] = {{.name = "json",
                                      .type = OPTION_FLAG,
                                      .value = &json,
                                      .help = "print JSON"}};
    const struct command command = {.name = "list",
                                    .summary =
                                        "Shows the devices on the board.",
                                    .options = options,
                                    .option_count = OPTION_COUNT(options),
                                    .more = list_more};
    struct table table = {.count = 0};
    struct shl_why why = {""};
    int result = options_read(&command, argc, argv);

    if (result != TOOL_GO_ON)
        return result;
    shl_status status = table_scan(&table, &why);
    if (json)
        table_json(stdout, &table,
                   !status       ? NULL
                   : why.text[0] ? why.text
                                 : shl_status_text(status));
    if (status)
        return tool_refused(status, &why);
    if (!json)
        table_print(&table);
    return TOOL_OK;
}

/* Whether the device is on the board and past its start; busy counts. */
static shl_status look_for(const char *id, struct shl_device_info *info,
                           struct shl_why *why)
{
    shl_registry *registry = NULL;
    shl_status status = shl_registry_open(NULL, &registry, why);

    if (status)
        return status;
    status = shl_registry_find(registry, id, info);
    if (!status || status == SHL_BUSY)
        status = info->state == SHL_STATE_STARTING ? SHL_AGAIN : SHL_OK;
    shl_registry_close(registry);
    return status;
}

int tool_wait(int argc, char **argv)
{
    const char *id = NULL;
    double timeout_s = 10;
    const struct option options[] = {{.name = "timeout",
                                      .type = OPTION_REAL,
                                      .value = &timeout_s,
                                      .least = 0,
                                      .most = 86400,
                                      .argument = "S",
                                      .help = "seconds, default 10"}};
    const struct command command = {
        .name = "wait",
        .summary = "Waits until a device is there: Name:n, Name, or * for any.",
        .operand = "ID",
        .operand_value = &id,
        .options = options,
        .option_count = OPTION_COUNT(options)};
    struct shl_device_info info;
    struct shl_why why = {""};
    int result = options_read(&command, argc, argv);

    if (result == TOOL_GO_ON)
        result = tool_check_id(id);
    if (result != TOOL_GO_ON)
        return result;
    if (!terminal_catch_end())
        return tool_refused(SHL_SYSTEM, NULL);
    uint64_t until = shl_clock_ns() + (uint64_t)(timeout_s * 1e9);
    for (;;) {
        shl_status status = look_for(id, &info, &why);

        if (!status)
            return TOOL_OK;
        if (status != SHL_NOT_FOUND && status != SHL_AGAIN)
            return tool_refused(status, &why);
        if (shl_clock_ns() >= until || terminal_ended())
            break;
        shl_sleep_ms(LOOK_EVERY_MS);
    }
    tool_complain("%s did not appear within %s s; see shmlink list", id,
                  shl_digits(timeout_s, 10).text);
    return TOOL_NO;
}

int tool_clean(int argc, char **argv)
{
    const struct command command = {
        .name = "clean",
        .summary = "Clears what dead devices have left, and says how many. "
                   "Every look at\nthe board does this, too; running devices "
                   "are not touched."};
    shl_registry *registry = NULL;
    struct shl_why why = {""};
    uint32_t count = 0;
    int result = options_read(&command, argc, argv);

    if (result != TOOL_GO_ON)
        return result;
    shl_status status = shl_registry_open(NULL, &registry, &why);
    if (!status) {
        status = shl_registry_clean(registry, &count);
        shl_registry_close(registry);
    }
    if (status)
        return tool_refused(status, &why);
    printf("cleared %u dead device%s\n", count, count == 1 ? "" : "s");
    return TOOL_OK;
}

int tool_why(int argc, char **argv)
{
    const char *id = NULL;
    const struct command command = {
        .name = "why",
        .summary = "Says in one line whether a host asking for this device "
                   "would get it, and if\nnot, why and what to do. Exit code "
                   "0: it would.",
        .operand = "ID",
        .operand_value = &id};
    shl_registry *registry = NULL;
    struct shl_device_info info;
    struct shl_why why = {""};
    char text[256] = "";
    int result = options_read(&command, argc, argv);

    if (result == TOOL_GO_ON)
        result = tool_check_id(id);
    if (result != TOOL_GO_ON)
        return result;
    shl_status status = shl_registry_open(NULL, &registry, &why);
    if (status)
        return tool_refused(status, &why);
    shl_registry_why(registry, id, text, sizeof(text));
    status = shl_registry_find(registry, id, &info);
    shl_registry_close(registry);
    printf("%s\n", text);
    return status ? TOOL_NO : TOOL_OK;
}
