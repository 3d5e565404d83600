/* SPDX-License-Identifier: MIT */
/* What becomes of the device on the board: announced as the box has it, and taken
 * away. */
#include "pd/patch/patch.h"

#include "rate/samplerate.h"

#include <stdio.h>
#include <string.h>

static void tell_closed(t_patch *x, const char *reason)
{
    t_atom atoms[3];

    atoms_set_number(&atoms[0], 0);
    SETSYMBOL(&atoms[1], atoms_name_or_dash(x->x_wanted));
    atoms_set_text(&atoms[2], reason);
    replies_send(&x->x_say, "open", 3, atoms);
}

static uint64_t capabilities(const t_patch *x, uint32_t in_channels)
{
    uint64_t all = SHL_CAP_MIDI_IN | SHL_CAP_MIDI_OUT | SHL_CAP_SYSEX_IN |
                   SHL_CAP_SYSEX_OUT | SHL_CAP_TRANSPORT_IN | SHL_CAP_LATENCY;

    if (x->x_param_count)
        all |= SHL_CAP_PARAMS | SHL_CAP_PARAM_TEXT | SHL_CAP_PARAM_OUT;
    all |= patch_letters_capabilities(x);
    return in_channels ? all : all | SHL_CAP_SYNTH;
}

static shl_status open_device(t_patch *x)
{
    uint32_t back = x->x_return ? x->x_return->r_channels : 0;
    uint32_t sent = x->x_effect ? back : x->x_channels;
    uint32_t taps = patch_taps_channels(x);
    struct shl_device_options options = {
        .id = x->x_wanted,
        .vendor = "Pure Data",
        .category = x->x_effect ? "effect" : "instrument",
        .tag = x->x_tag[0] ? x->x_tag : NULL,
        .in_channels = x->x_effect ? x->x_channels : 0,
        .out_channels = sent - taps,
        .rate_hz = x->x_rate_hz,
        .block_frames = x->x_frames,
        .latency_frames = x->x_latency,
        .drives = x->x_slave ? SHL_DRIVE_PIPELINED : SHL_DRIVE_FREE,
        .resampler = rate_samplerate(),
        .clock_ns = schedule_clock,
        .burst_frames = schedule_burst(x->x_rate_hz),
        .params = x->x_params,
        .param_count = x->x_param_count,
        .taps = x->x_declared,
        .tap_count = x->x_declared_count};

    if (taps > sent) {
        snprintf(x->x_why.text, sizeof x->x_why.text,
                 "its taps need %u inlets, the last ones of %s, which has %u: "
                 "give it more",
                 (unsigned)taps, x->x_effect ? "the return" : "this box",
                 (unsigned)sent);
        return SHL_WRONG_CHANNELS;
    }
    patch_taps_take(x);
    x->x_outs = options.out_channels;
    options.capabilities = capabilities(x, options.in_channels);
    if (x->x_slave && patch_keeps_time(x))
        options.drives |= SHL_DRIVE_LOCKSTEP;
    if (!patch_make_room(x, options.in_channels, sent)) {
        snprintf(x->x_why.text, sizeof x->x_why.text,
                 "no memory for %u channels", (unsigned)x->x_channels);
        return SHL_NO_MEMORY;
    }
    return shl_device_open(&options, &x->x_device, &x->x_why);
}

static uint32_t own_pid(const t_patch *x)
{
    struct shl_device_info info = {.pid = 0};
    shl_registry *board = NULL;

    if (shl_registry_open(NULL, &board, NULL))
        return 0;
    shl_registry_find(board, shl_device_id(x->x_device), &info);
    shl_registry_close(board);
    return info.pid;
}

void patch_forget_claim(t_patch *x)
{
    x->x_working = x->x_due = 0;
    schedule_clear(&x->x_heard);
    schedule_clear(&x->x_going);
    voice_forget_link(&x->x_voice);
    replies_forget_link(&x->x_say);
    patch_claim_end(x);
}

void patch_leave(t_patch *x)
{
    if (!x->x_device)
        return;
    shl_device_get_tag(x->x_device, x->x_tag);
    shl_device_close(x->x_device);
    x->x_device = NULL;
    patch_leave_time(x);
    patch_letters_forget(x);
    patch_forget_claim(x);
}

/* A number that the board gave once is no promise: a copy of this box may have it
 * by now. */
static void take_next(t_patch *x)
{
    char had[sizeof x->x_wanted], name[SHL_ID_SIZE];
    struct shl_why why = x->x_why;

    if (shl_id_check(x->x_wanted, name, NULL, NULL))
        return;
    memcpy(had, x->x_wanted, sizeof had);
    snprintf(x->x_wanted, sizeof x->x_wanted, "%s", name);
    x->x_status = open_device(x);
    if (x->x_status) {
        x->x_why = why;
        snprintf(x->x_wanted, sizeof x->x_wanted, "%s", had);
        return;
    }
    replies_note(&x->x_say,
                 "%s, the number of this box so far, is taken: it is %s now; "
                 "to keep a number, write it into the box: -device %s",
                 had, shl_device_id(x->x_device), shl_device_id(x->x_device));
}

void patch_announce(t_patch *x)
{
    uint32_t wish = x->x_wish;
    t_atom atoms[2];

    x->x_changed = 0;
    patch_leave(x);
    /* what was told of that may have led to an open or a close, or to our end */
    if (!x->x_wanted[0] || x->x_wish != wish)
        return;
    if (x->x_slave)
        patch_take_time(x);
    x->x_status = open_device(x);
    if (x->x_status == SHL_TAKEN && !x->x_asked)
        take_next(x);
    if (x->x_status) {
        patch_leave_time(x);
        tell_closed(x, shl_status_word(x->x_status));
        replies_error(&x->x_say, gensym("open"), x->x_status, "%s",
                      x->x_why.text);
        return;
    }
    snprintf(x->x_wanted, sizeof x->x_wanted, "%s", shl_device_id(x->x_device));
    snprintf(x->x_say.name, sizeof x->x_say.name, "%s", x->x_wanted);
    x->x_pid = own_pid(x);
    patch_params_show(x);
    patch_letters_listen(x);
    atoms_set_number(&atoms[0], 1);
    SETSYMBOL(&atoms[1], atoms_name(x->x_wanted));
    replies_send(&x->x_say, "open", 2, atoms);
}
