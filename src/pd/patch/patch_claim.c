/* SPDX-License-Identifier: MIT */
/* What a host does to a patch that is a device: claims and releases it, sends
 * events, moves the transport; told on the outlet. */
#include "pd/patch/patch.h"

static void tell_released(t_patch *x)
{
    x->x_told = PATCH_NOT_TOLD;
    voice_forget_link(&x->x_voice);
    replies_bare(&x->x_say, "released");
}

void patch_claim_end(t_patch *x)
{
    uint32_t ump;

    while (shl_held_release(&x->x_held, &ump))
        device_events_ump(&x->x_voice, &ump);
    if (x->x_told != PATCH_NOT_TOLD)
        tell_released(x);
}

static void tell_claimed(t_patch *x, const struct shl_host_info *info)
{
    t_atom atoms[9];

    x->x_told_pid = info->pid;
    atoms_set_number(&atoms[0], info->pid);
    SETSYMBOL(&atoms[1], atoms_name_or_dash(info->tag));
    replies_send(&x->x_say, "claimed", 2, atoms);
    SETSYMBOL(&atoms[0], atoms_name(x->x_wanted));
    atoms_set_number(&atoms[1], info->in_channels);
    atoms_set_number(&atoms[2], info->out_channels);
    atoms_set_number(&atoms[3], info->rate_hz);
    atoms_set_number(&atoms[4], info->block_frames);
    atoms_set_number(&atoms[5], x->x_delay);
    atoms_set_text(&atoms[6], shl_drive_name(info->drive));
    atoms_set_number(&atoms[7], info->renders);
    atoms_set_text(&atoms[8], shl_mode_name(info->mode));
    replies_send(&x->x_say, "link", 9, atoms);
}

static void tell_loop(t_patch *x)
{
    x->x_loop_told = 1;
    replies_error(&x->x_say, gensym("loop"), SHL_UNSUPPORTED,
                  "its host is in this same Pd, which cannot wait for itself: "
                  "it is not followed until another host claims the device");
}

void patch_claim_look(t_patch *x)
{
    struct shl_host_info info;
    int claimed = shl_device_claimed(x->x_device, &info);

    if (!claimed) {
        x->x_looped = x->x_loop_told = 0;
        if (x->x_told != PATCH_NOT_TOLD && !schedule_count(&x->x_heard))
            tell_released(x); /* behind what its host left sounding */
        return;
    }
    if (x->x_told == PATCH_NOT_TOLD) {
        x->x_told = PATCH_TOLD;
        tell_claimed(x, &info);
    }
    if (x->x_looped && !x->x_loop_told)
        tell_loop(x);
}

static void tell_transport(t_patch *x, uint32_t place)
{
    const struct shl_transport *t = &x->x_transports[place % PATCH_TRANSPORTS];
    t_atom atoms[5];

    atoms_set_number(&atoms[0], t->playing);
    atoms_set_number(&atoms[1], t->tempo);
    atoms_set_number(&atoms[2], t->numerator);
    atoms_set_number(&atoms[3], t->denominator);
    atoms_set_number(&atoms[4], t->beats);
    replies_send(&x->x_say, "transport", 5, atoms);
}

void patch_claim_event(t_patch *x, const struct shl_event *event)
{
    struct shl_host_info info;

    if (event->kind == PATCH_TRANSPORT) {
        tell_transport(x, event->data[0]);
    } else if (event->kind == PATCH_CLAIMED) {
        if (x->x_device && shl_device_claimed(x->x_device, &info))
            tell_claimed(x, &info);
    } else if (event->kind == PATCH_RELEASED) {
        voice_forget_link(&x->x_voice);
        replies_bare(&x->x_say, "released");
    } else if (event->kind == SHL_EVENT_UMP) {
        shl_held_follow(&x->x_held, event->data);
        device_events_ump(&x->x_voice, event->data);
    } else {
        patch_params_tell(x, event);
    }
}
