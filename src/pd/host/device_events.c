/* SPDX-License-Identifier: MIT */
/* What the device sends by itself, as messages: MIDI, SysEx put together from
 * its packets, and parameters that it changed,
 * modulates or holds. */
#include "pd/host/shmlink.h"

static void tell_midi(struct voice *x, const uint32_t *ump)
{
    uint8_t bytes[3] = {0, 0, 0};
    uint32_t i, port = ump[0] >> 24 & 0xf;
    t_atom atoms[4];

    if (shl_ump_to_midi(ump, bytes) == 0)
        return;
    for (i = 0; i < 3; i++)
        atoms_set_number(&atoms[i], bytes[i]);
    atoms_set_number(&atoms[3], port + 1);
    replies_send(&x->say, "midi", port ? 4 : 3, atoms);
}

static void finish_sysex(struct voice *x)
{
    static const uint8_t begin = 0xf0, end = 0xf7;
    uint32_t i, count = x->sysex_count;
    size_t size = (count + 2) * sizeof(t_atom);
    t_atom *atoms = getbytes(size);

    if (!atoms)
        return;
    atoms_set_number(&atoms[0], begin);
    for (i = 0; i < count; i++)
        atoms_set_number(&atoms[i + 1], x->sysex[i]);
    atoms_set_number(&atoms[count + 1], end);
    replies_send(&x->say, "sysex", (int)count + 2, atoms);
    freebytes(atoms, size);
}

/* A message that is longer than we hold, or whose beginning or end is missing,
 * is counted and left out as a whole. */
static void take_sysex(struct voice *x, const uint32_t *ump)
{
    uint8_t bytes[6];
    uint32_t i, count;
    int first, last;

    if (shl_sysex7_bytes(ump, bytes, &count, &first, &last))
        return;
    if (first) {
        x->sysex_lost += x->sysex_state != VOICE_SYSEX_NONE;
        x->sysex_state = VOICE_SYSEX_WHOLE;
        x->sysex_count = 0;
    }
    if (x->sysex_state != VOICE_SYSEX_WHOLE ||
        x->sysex_count + count > VOICE_SYSEX_MAX)
        x->sysex_state = VOICE_SYSEX_BROKEN;
    for (i = 0; i < count && x->sysex_state == VOICE_SYSEX_WHOLE; i++)
        x->sysex[x->sysex_count++] = bytes[i];
    if (!last)
        return;
    x->sysex_lost += x->sysex_state == VOICE_SYSEX_BROKEN;
    if (x->sysex_state == VOICE_SYSEX_WHOLE)
        finish_sysex(x);
    x->sysex_state = VOICE_SYSEX_NONE;
}

void device_events_ump(struct voice *x, const uint32_t *ump)
{
    if (ump[0] >> 28 == 3)
        take_sysex(x, ump);
    else
        tell_midi(x, ump);
}

static void tell_param(t_shmlink *x, const struct shl_event *event)
{
    int32_t index = shl_host_param_index(x->x_host, shl_event_id(event));
    const struct shl_param *param;
    t_atom atoms[3];
    char text[64];

    if (index < 0) {
        x->x_unknown++;
        return;
    }
    param = shl_host_param(x->x_host, (uint32_t)index);
    atoms_set_number(&atoms[0],
                     shl_host_param_number(x->x_host, (uint32_t)index));
    if (event->kind == SHL_EVENT_PARAM) {
        double value = shl_event_value(event);
        shl_param_text(param, value, text, sizeof text);
        atoms_set_number(&atoms[1], shl_param_normal(param, value));
        atoms_set_text(&atoms[2], text);
        replies_send(&x->x_say, "param_automated", 3, atoms);
    } else if (event->kind == SHL_EVENT_PARAM_MOD) {
        atoms_set_number(&atoms[1], shl_event_value(event));
        replies_send(&x->x_say, "param_mod", 2, atoms);
    } else if (event->kind == SHL_EVENT_GESTURE_BEGIN ||
               event->kind == SHL_EVENT_GESTURE_END) {
        atoms_set_number(&atoms[1], event->kind == SHL_EVENT_GESTURE_BEGIN);
        replies_send(&x->x_say, "param_touch", 2, atoms);
    }
}

void device_events_tell(t_shmlink *x, const struct shl_event *event)
{
    if (event->kind != SHL_EVENT_UMP)
        tell_param(x, event);
    else
        device_events_ump(&x->x_voice, event->data);
}
