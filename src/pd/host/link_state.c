/* SPDX-License-Identifier: MIT */
/* How the link of [shmlink~] stands: questions that all files of the object may
 * ask, and that change nothing. */
#include "pd/host/shmlink.h"

#include <stdio.h>

#define IDLE_MS 10 /* beyond two blocks without a perform */

/* Only a board that cannot be opened leaves us without a host. */
static void why_no_host(char *text, size_t size)
{
    shl_registry *board = NULL;
    struct shl_why why = {""};
    shl_status status = shl_registry_open(NULL, &board, &why);

    shl_registry_close(board);
    if (status && why.text[0])
        snprintf(text, size, "%s", why.text);
    else
        snprintf(text, size, "the board: %s", shl_status_text(status));
}

void link_why(t_shmlink *x, char *text, size_t size)
{
    if (x->x_host)
        shl_host_why(x->x_host, text, size);
    else
        why_no_host(text, size);
}

int link_idle(const t_shmlink *x)
{
    double block_ms;

    if (!pd_getdspstate() || !x->x_rate_known)
        return 1;
    block_ms = x->x_frames * 1000.0 / x->x_rate_hz;
    return clock_gettimesince(x->x_performed) > 2 * block_ms + IDLE_MS;
}

int link_starting(const t_shmlink *x)
{
    return x->x_host && x->x_due && x->x_status == SHL_AGAIN &&
           flags_is_plugin(x->x_say.name);
}

const char *link_capability(uint64_t capability)
{
    uint32_t bit = 0;

    while (bit + 1 < SHL_CAP_COUNT && !(capability >> bit & 1))
        bit++;
    return shl_capability_name(bit);
}
