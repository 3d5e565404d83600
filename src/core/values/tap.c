/* SPDX-License-Identifier: MIT */
#include "shmlink/tap.h"

#include "shmlink/name.h"
#include "shmlink/param.h"

#include <string.h>

const char *shl_tap_kind_name(uint32_t kind)
{
    static const char *const names[] = {"audio", "control", "gate"};

    return kind <= SHL_TAP_GATE ? names[kind] : "unknown";
}

static const char *fault_of(const struct shl_tap *tap)
{
    struct shl_why unheard;

    if (!memchr(tap->name, 0, sizeof tap->name))
        return "its name is longer than 39 bytes";
    if (!tap->name[0])
        return "it has no name";
    if (shl_tag_check(tap->name, &unheard))
        return "its name has control characters or is not UTF-8";
    if (tap->kind > SHL_TAP_GATE)
        return "its kind must be audio, control or gate";
    if (tap->channels < 1 || tap->channels > SHL_MAX_CHANNELS)
        return "it must have 1 to 32 channels";
    return NULL;
}

shl_status shl_tap_check(const struct shl_tap *taps, uint32_t count,
                         struct shl_why *why)
{
    if (count > SHL_MAX_TAPS) {
        shl_why_set(why, "a device has at most 64 taps, not %u",
                    (unsigned)count);
        return SHL_BAD_VALUE;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *fault = fault_of(&taps[i]);

        if (!fault && shl_tap_find(taps, i, taps[i].name) >= 0)
            fault = "another one has this name";
        if (!fault)
            continue;
        shl_why_set(why, "tap %u (%.39s) cannot be: %s", (unsigned)i,
                    taps[i].name, fault);
        return SHL_BAD_VALUE;
    }
    return SHL_OK;
}

int32_t shl_tap_find(const struct shl_tap *taps, uint32_t count,
                     const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(taps[i].name, name) == 0)
            return (int32_t)i;
    for (uint32_t i = 0; i < count; i++)
        if (shl_name_matches(name, taps[i].name))
            return (int32_t)i;
    return -1;
}
