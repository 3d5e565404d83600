/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include "terminal.h"

#include <stdio.h>

#define ANSWER_MS 30000u

static void keep(void *arg, const struct shl_answer *answer)
{
    *(shl_status *)arg = answer->status;
}

/* What there is to choose from, in one line. */
static void complain(const shl_host *host, const char *name)
{
    char list[512] = "", shown[1024];
    size_t used = 0;

    for (uint32_t i = 0; i < shl_host_tap_count(host); i++) {
        const int n = snprintf(list + used, sizeof(list) - used, "%s%s",
                               i ? ", " : "", shl_host_tap(host, i)->name);

        if (n < 0 || used + (size_t)n >= sizeof(list))
            break;
        used += (size_t)n;
    }
    terminal_plain(list[0] ? list : "none", shown, sizeof(shown));
    tool_complain("host: the device has no tap %s; it has: %s", name, shown);
}

int listen_route(shl_host *host, const char *name, uint32_t first,
                 uint32_t *channels)
{
    const int32_t tap = shl_host_tap_find(host, name);
    struct shl_why why = {""};
    shl_status answer = SHL_TIMEOUT;
    uint32_t request;

    if (tap < 0) {
        complain(host, name);
        return TOOL_NO;
    }
    shl_status status = shl_host_route(host, (uint32_t)tap, first, keep,
                                       &answer, &request, &why);
    if (!status)
        status = shl_host_await(host, request, ANSWER_MS);
    if (!status)
        status = answer;
    if (status)
        return tool_refused(status, &why);
    *channels = shl_host_tap(host, (uint32_t)tap)->channels;
    return TOOL_GO_ON;
}
