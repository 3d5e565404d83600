/* SPDX-License-Identifier: MIT */
#include "core/lockstep/loss.h"

#include <math.h>
#include <string.h>

static uint32_t fade_frames(uint32_t frames)
{
    return frames < SHL_FADE_FRAMES ? frames : SHL_FADE_FRAMES;
}

static uint32_t channels_in_range(uint32_t channels)
{
    return channels < SHL_MAX_CHANNELS ? channels : SHL_MAX_CHANNELS;
}

/* A device may end on infinity or NaN; fading from there would never end. */
static float heard(float sample)
{
    return isfinite(sample) ? sample : 0;
}

static void fade_in(float *out, uint32_t frames)
{
    uint32_t n = fade_frames(frames);

    for (uint32_t i = 0; i < n; i++)
        out[i] *= (float)(i + 1) / (float)n;
}

/* From 0 this is silence without arithmetic: what the blocks after the first
 * come to, and an object that has no device. */
static void fade_out(float *out, uint32_t frames, float from)
{
    uint32_t n = from == 0 ? 0 : fade_frames(frames);

    for (uint32_t i = 0; i < n; i++)
        out[i] = from * ((float)(n - 1 - i) / (float)n);
    memset(out + n, 0, (frames - n) * sizeof *out);
}

/* Such a sample has all bits of its exponent set: without its sign, one more at
 * their lowest reaches the place of the sign. Four at once, which compilers do
 * not see by themselves. */
#define LANES 4u
typedef uint32_t lanes __attribute__((vector_size(LANES * sizeof(uint32_t))));

static uint32_t look(uint32_t bits)
{
    return (bits & 0x7FFFFFFFu) + 0x00800000u;
}

static lanes look_at(const float *plane)
{
    lanes bits;

    memcpy(&bits, plane, sizeof bits);
    return (bits & 0x7FFFFFFFu) + 0x00800000u;
}

static bool has_bad(const float *plane, uint32_t frames)
{
    lanes found = {0}, more = {0};
    uint32_t at = 0, all, bits;

    for (; at + 4 * LANES <= frames; at += 4 * LANES) {
        found |= look_at(plane + at) | look_at(plane + at + LANES);
        more |= look_at(plane + at + (size_t)2 * LANES) |
                look_at(plane + at + (size_t)3 * LANES);
    }
    found |= more;
    all = found[0] | found[1] | found[2] | found[3];
    for (; at < frames; at++) {
        memcpy(&bits, plane + at, sizeof bits);
        all |= look(bits);
    }
    return all >> 31;
}

SHL_RT uint32_t shl_loss_clean(float *plane, uint32_t frames)
{
    uint32_t count = 0, bits;

    if (!has_bad(plane, frames))
        return 0;
    for (uint32_t i = 0; i < frames; i++) {
        memcpy(&bits, plane + i, sizeof bits);
        if (!(look(bits) >> 31))
            continue;
        plane[i] = 0;
        count++;
    }
    return count;
}

SHL_RT void shl_loss_came(struct shl_loss *loss, float *const *out,
                          uint32_t channels, uint32_t frames)
{
    int fade = loss->lost && (loss->policy == SHL_ONLOSS_FADE ||
                              loss->policy == SHL_ONLOSS_SILENCE);

    if (frames == 0)
        return;
    channels = channels_in_range(channels);
    for (uint32_t c = 0; c < channels; c++) {
        if (fade)
            fade_in(out[c], frames);
        loss->last[c] = heard(out[c][frames - 1]);
    }
    for (uint32_t c = channels; c < loss->channels; c++)
        loss->last[c] = 0;
    loss->channels = channels;
    loss->lost = 0;
}

static void fill_channel(enum shl_onloss policy, const float *dry, float last,
                         float *out, uint32_t frames)
{
    switch (policy) {
    case SHL_ONLOSS_FADE:
        fade_out(out, frames, last);
        break;
    case SHL_ONLOSS_HOLD:
        for (uint32_t i = 0; i < frames; i++)
            out[i] = last;
        break;
    case SHL_ONLOSS_DRY:
        if (dry) {
            memcpy(out, dry, frames * sizeof *out);
            break;
        }
        memset(out, 0, frames * sizeof *out);
        break;
    case SHL_ONLOSS_SILENCE:
        memset(out, 0, frames * sizeof *out);
        break;
    }
}

SHL_RT void shl_loss_fill(struct shl_loss *loss, const float *const *dry,
                          uint32_t dry_channels, float *const *out,
                          uint32_t channels, uint32_t frames)
{
    if (frames == 0)
        return;
    channels = channels_in_range(channels);
    for (uint32_t c = 0; c < channels; c++) {
        const float *in = dry && c < dry_channels ? dry[c] : NULL;
        fill_channel(loss->policy, in, loss->last[c], out[c], frames);
        loss->last[c] = heard(out[c][frames - 1]);
    }
    if (loss->channels < channels)
        loss->channels = channels;
    if (loss->lost < UINT32_MAX)
        loss->lost++;
}
