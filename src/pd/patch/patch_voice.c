/* SPDX-License-Identifier: MIT */
/* How a patch as device sends what host and device have in common, notes above
 * all, to its host. */
#include "pd/patch/patch.h"

static int voice_offers(struct voice *v, t_symbol *selector,
                        uint64_t capability)
{
    t_patch *x = (t_patch *)v;
    struct shl_host_info info;
    (void)capability;

    if (x->x_device && shl_device_claimed(x->x_device, &info) &&
        info.mode == SHL_MODE_AUDIO) {
        if (replies_once(&x->x_say, selector, REPLIES_LINK))
            replies_error(&x->x_say, selector, SHL_UNSUPPORTED,
                          "%s: the mode of this link is audio, which carries "
                          "no MIDI: nothing was sent",
                          selector->s_name);
        return 0;
    }
    if (x->x_device)
        return 1;
    if (replies_once(&x->x_say, selector, REPLIES_LINK))
        replies_error(&x->x_say, selector, SHL_NO_DEVICE,
                      "%s: the device is not on the board: send open",
                      selector->s_name);
    return 0;
}

static int voice_detunes(struct voice *v)
{
    (void)v;
    return 0; /* hosts state no such capability */
}

static void voice_put(struct voice *v, t_symbol *selector,
                      const struct shl_event *event)
{
    t_patch *x = (t_patch *)v;

    if (!schedule_push(&x->x_spoken, clock_getlogicaltime(), event) &&
        replies_once(&x->x_say, gensym("queue full"), REPLIES_LINK))
        replies_error(&x->x_say, selector, SHL_RING_FULL,
                      "%s: more than %d events in one block: the rest is lost "
                      "and counted in stats",
                      selector->s_name, SCHEDULE_SIZE);
}

static uint32_t voice_room(const struct voice *v)
{
    return schedule_room(&((const t_patch *)v)->x_spoken);
}

static int voice_send_long(struct voice *v, t_symbol *selector,
                           const uint8_t *bytes, size_t size)
{
    t_patch *x = (t_patch *)v;

    return patch_letters_send_sysex(x, selector, bytes, size);
}

const struct voice_ways patch_voice_ways = {
    voice_offers, voice_detunes, voice_put, voice_room, voice_send_long};
