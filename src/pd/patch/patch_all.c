/* SPDX-License-Identifier: MIT */
/* All devices of this Pd: a list of their boxes, which of them keeps Pd's time, and
 * which are still to be announced. */
#include "pd/patch/patch.h"
#include "pd/slack.h"

static t_patch *keeper, *all;

void patch_enlist(t_patch *x)
{
    x->x_next = all;
    all = x;
}

t_patch *patch_first(void)
{
    return all;
}

void patch_discharge(t_patch *x)
{
    t_patch **at = &all;

    while (*at && *at != x)
        at = &(*at)->x_next;
    if (*at)
        *at = x->x_next;
    patch_leave_time(x);
}

int patch_keeps_time(const t_patch *x)
{
    return keeper == x;
}

void patch_take_time(t_patch *x)
{
    if (!keeper)
        keeper = x;
}

void patch_leave_time(t_patch *x)
{
    if (keeper == x) {
        keeper = NULL;
        slack_none(0);
    }
}

void patch_announce_soon(t_patch *x)
{
    x->x_changed = 1;
    clock_delay(x->x_poll, 0);
}

int patch_is_coming(void)
{
    const t_patch *x = patch_first();

    while (x && !x->x_changed)
        x = x->x_next;
    return x != NULL;
}
