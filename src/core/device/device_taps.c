/* SPDX-License-Identifier: MIT */
/* The taps of a device: which of them its host wants, and in which planes. The
 * keeper answers tap_list and tap_select and writes the selection into a seqlock;
 * the audio thread takes it over at the next block. */
#include "core/device/device_state.h"

#include <stdio.h>
#include <string.h>

/* The selection as the seqlock carries it. */
static_assert(sizeof(struct shl_selection) % 8 == 0, "whole words");

/* ---- the keeper ---------------------------------------------------------- */

static void list(struct shl_device *device, uint32_t request)
{
    uint8_t bytes[4 + SHL_MAX_TAPS * (SHL_TAP_NAME_SIZE + 12)];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);

    shl_pack_u32(&pack, device->identity.tap_count);
    for (uint32_t i = 0; i < device->identity.tap_count; i++) {
        shl_pack_text(&pack, device->taps[i].name);
        shl_pack_u32(&pack, device->taps[i].kind);
        shl_pack_u32(&pack, device->taps[i].channels);
    }
    shl_responder_say(&device->responder, SHL_MESSAGE_REPLY, request, bytes,
                      (uint32_t)pack.used);
}

static shl_status wrong(struct shl_why *why, shl_status st, const char *name,
                        const char *text)
{
    snprintf(why->text, sizeof why->text, "tap %.39s: %s", name, text);
    return st;
}

/* One tap from `first` on, beside those that are there. */
static shl_status add(const struct shl_device *device, const char *name,
                      uint32_t first, struct shl_selection *selection,
                      struct shl_why *why)
{
    int32_t tap = shl_tap_find(device->taps, device->identity.tap_count, name);

    if (tap < 0)
        return wrong(why, SHL_NOT_FOUND, name, "this device has none");
    uint32_t channels = device->taps[tap].channels;
    if (first < device->identity.out_channels || first >= SHL_MAX_CHANNELS ||
        channels > SHL_MAX_CHANNELS - first)
        return wrong(why, SHL_WRONG_CHANNELS, name,
                     "its planes lie behind the device's own outputs and "
                     "within 32");
    uint32_t planes = (uint32_t)(((UINT64_C(1) << channels) - 1) << first);
    if (selection->planes & planes || selection->first[tap])
        return wrong(why, SHL_WRONG_CHANNELS, name,
                     "it is selected twice, or its planes are another tap's");
    selection->planes |= planes;
    selection->first[tap] = (uint8_t)(first + 1);
    if (first + channels > selection->end)
        selection->end = first + channels;
    return SHL_OK;
}

static shl_status read_selection(const struct shl_device *device,
                                 const struct shl_received *message,
                                 struct shl_selection *selection,
                                 struct shl_why *why)
{
    struct shl_unpack unpack = shl_unpack_from(message->bytes, message->size);
    uint32_t count = shl_unpack_u32(&unpack);
    shl_status st = SHL_OK;

    for (uint32_t i = 0; i < count && !unpack.bad && !st; i++) {
        char name[SHL_TAP_NAME_SIZE];
        uint32_t first = shl_unpack_u32(&unpack);
        shl_unpack_text(&unpack, name, sizeof name);
        if (!unpack.bad)
            st = add(device, name, first, selection, why);
    }
    if (!st && (unpack.bad || unpack.at != message->size)) {
        snprintf(why->text, sizeof why->text,
                 "tap_select: its payload is no list of channels and names");
        return SHL_BAD_VALUE;
    }
    return st;
}

/* Memory first, then the word that has the audio thread use it. */
static shl_status select_taps(struct shl_device *device,
                              const struct shl_received *message,
                              struct shl_why *why)
{
    struct shl_selection selection = {
        /* acquire: the claim of this epoch has been read */
        .epoch = atomic_load_explicit(&device->accepted, memory_order_acquire)};
    struct shl_claim claim;
    shl_status st = read_selection(device, message, &selection, why);

    if (st)
        return st;
    if (!selection.epoch ||
        shl_segment_claim_read(&device->segment, &claim) != SHL_OK)
        return wrong(why, SHL_AGAIN, "selection", "the claim is changing");
    if (claim.mode == SHL_MODE_MIDI && selection.planes)
        return wrong(why, SHL_UNSUPPORTED, "selection",
                     "this link carries no audio, its mode is midi");
    if (claim.drive == SHL_DRIVE_FREE &&
        selection.end > shl_duplex_channels(&device->identity, &claim, true))
        return wrong(why, SHL_WRONG_CHANNELS, "selection",
                     "the host claimed fewer channels than it needs");
    if (claim.drive != SHL_DRIVE_FREE && selection.planes)
        st = shl_segment_reserve_planes(&device->segment, selection.end);
    if (st)
        return wrong(why, st, "selection", shl_status_text(st));
    shl_seqlock_write(&device->selected, &selection, sizeof selection / 8);
    return SHL_OK;
}

int shl_device_answer_taps(void *arg, const struct shl_received *message)
{
    struct shl_device *device = arg;
    struct shl_why why = {""};

    if (!message->asks || !device->identity.tap_count)
        return 0;
    if (message->type == SHL_MESSAGE_TAP_LIST) {
        list(device, message->request);
        return 1;
    }
    if (message->type != SHL_MESSAGE_TAP_SELECT)
        return 0;
    shl_status st = select_taps(device, message, &why);
    if (st)
        shl_responder_refuse(&device->responder, message->request, st,
                             why.text);
    else
        shl_responder_say(&device->responder, SHL_MESSAGE_REPLY,
                          message->request, NULL, 0);
    return 1;
}

/* ---- the audio thread ------------------------------------------------------ */

/* Where the program writes each tap that is wanted; NULL for the others. */
static void point(struct shl_device *device,
                  const struct shl_selection *selection)
{
    float **to = device->tap_planes;

    for (uint32_t i = 0; i < device->identity.tap_count; i++) {
        uint32_t first = selection->first[i];
        device->tap[i] = NULL;
        if (!first)
            continue;
        device->tap[i] = to;
        for (uint32_t c = 0; c < device->taps[i].channels; c++)
            *to++ = device->free.duplex
                        ? shl_device_free_plane(device, first - 1 + c)
                        : shl_segment_plane(&device->segment, first - 1 + c,
                                            SHL_BUS_TO_HOST);
    }
    device->tapped = selection->planes;
}

void shl_device_take_taps(struct shl_device *device)
{
    struct shl_selection selection;

    if (shl_seqlock_look(&device->selected, &device->selection_seen, &selection,
                         sizeof selection / 8) &&
        selection.epoch == device->judged)
        point(device, &selection);
}

void shl_device_drop_taps(struct shl_device *device)
{
    memset(device->tap, 0, sizeof device->tap);
    device->tapped = 0;
}

/* ---- announcing ------------------------------------------------------------ */

shl_status shl_device_keep_taps(struct shl_device *device,
                                const struct shl_tap *taps, uint32_t count,
                                struct shl_why *why)
{
    shl_status st = shl_tap_check(taps, count, why);

    if (st)
        return st;
    if (count)
        memcpy(device->taps, taps, count * sizeof *taps);
    device->identity.tap_count = count;
    return SHL_OK;
}
