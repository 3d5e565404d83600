/* SPDX-License-Identifier: MIT */
#include "core/lockstep/bypass.h"

#include <stdlib.h>
#include <string.h>

shl_status shl_bypass_new(struct shl_bypass *bypass, uint32_t channels)
{
    *bypass = (struct shl_bypass){
        .channels = channels, .to_device = 1, .from_device = 1};
    if (channels == 0)
        return SHL_OK;
    bypass->history = calloc((size_t)channels * SHL_DRY_FRAMES, sizeof(float));
    bypass->memory =
        calloc((size_t)channels * 2 * SHL_MAX_FRAMES, sizeof(float));
    if (!bypass->history || !bypass->memory) {
        shl_bypass_free(bypass);
        return SHL_NO_MEMORY;
    }
    for (uint32_t c = 0; c < channels; c++) {
        bypass->dry[c] = bypass->memory + (size_t)2 * c * SHL_MAX_FRAMES;
        bypass->faded[c] = bypass->dry[c] + SHL_MAX_FRAMES;
    }
    return SHL_OK;
}

void shl_bypass_free(struct shl_bypass *bypass)
{
    free(bypass->history);
    free(bypass->memory);
    *bypass = (struct shl_bypass){0};
}

/* Copy between a plane and a place in the history, around its end. */
static void copy_in(float *history, uint32_t at, const float *in,
                    uint32_t frames)
{
    uint32_t first = SHL_DRY_FRAMES - at;
    if (first > frames)
        first = frames;
    memcpy(history + at, in, first * sizeof(float));
    if (first < frames)
        memcpy(history, in + first, (frames - first) * sizeof(float));
}

static void copy_out(float *out, const float *history, uint32_t at,
                     uint32_t frames)
{
    uint32_t first = SHL_DRY_FRAMES - at;
    if (first > frames)
        first = frames;
    memcpy(out, history + at, first * sizeof(float));
    if (first < frames)
        memcpy(out + first, history, (frames - first) * sizeof(float));
}

static float *plane(struct shl_bypass *bypass, uint32_t channel, uint32_t kind)
{
    return bypass->memory + ((size_t)2 * channel + kind) * SHL_MAX_FRAMES;
}

/* Without latency dry sound is the block itself, and a history would only push
 * better things out of the caches. */
static void dry_at_once(struct shl_bypass *bypass, const float *const *in,
                        uint32_t frames, bool dry)
{
    bypass->known = 0;
    for (uint32_t c = 0; dry && c < bypass->channels; c++)
        memcpy(plane(bypass, c, 0), in[c], frames * sizeof(float));
}

/* Keep the block; what was before the history began is silence. */
static void dry_later(struct shl_bypass *bypass, const float *const *in,
                      uint32_t frames, uint32_t latency, bool dry)
{
    const uint32_t mask = SHL_DRY_FRAMES - 1;
    uint32_t unknown = latency > bypass->known ? latency - bypass->known : 0;
    if (unknown > frames)
        unknown = frames;
    for (uint32_t c = 0; c < bypass->channels; c++) {
        float *history = bypass->history + (size_t)c * SHL_DRY_FRAMES;
        float *past = plane(bypass, c, 0);
        copy_in(history, bypass->at, in[c], frames);
        if (!dry)
            continue;
        memset(past, 0, unknown * sizeof(float));
        copy_out(past + unknown, history,
                 (bypass->at - latency + unknown) & mask, frames - unknown);
    }
    bypass->at = (bypass->at + frames) & mask;
    bypass->known += frames;
    if (bypass->known > SHL_DRY_FRAMES)
        bypass->known = SHL_DRY_FRAMES;
}

SHL_RT const float *const *shl_bypass_in(struct shl_bypass *bypass,
                                         const float *const *in,
                                         uint32_t frames, uint32_t latency,
                                         bool dry)
{
    dry = dry || bypass->mode != 0 || bypass->past_device != 0;
    if (latency > SHL_DRY_FRAMES - frames)
        latency = SHL_DRY_FRAMES - frames;
    if (latency == 0)
        dry_at_once(bypass, in, frames, dry);
    else
        dry_later(bypass, in, frames, latency, dry);
    float target = bypass->mode == 2 ? 0 : 1;
    if (bypass->to_device == 1 && target == 1)
        return in;
    float step = (target - bypass->to_device) / (float)frames;
    for (uint32_t c = 0; c < bypass->channels; c++) {
        float gain = bypass->to_device;
        float *faded = plane(bypass, c, 1);
        for (uint32_t i = 0; i < frames; i++)
            faded[i] = in[c][i] * (gain += step);
    }
    bypass->to_device = target;
    return bypass->faded;
}

SHL_RT void shl_bypass_out(struct shl_bypass *bypass, float *const *out,
                           uint32_t channels, uint32_t frames)
{
    float wet_end = bypass->mode == 1 ? 0 : 1;
    float dry_end = bypass->mode == 0 ? 0 : 1;
    float wet = bypass->from_device, dry = bypass->past_device;
    if (wet == 1 && wet_end == 1 && dry == 0 && dry_end == 0)
        return;
    float wet_step = (wet_end - wet) / (float)frames;
    float dry_step = (dry_end - dry) / (float)frames;
    for (uint32_t c = 0; c < channels; c++) {
        const float *past = c < bypass->channels ? bypass->dry[c] : NULL;
        for (uint32_t i = 0; i < frames; i++) {
            float at = (float)(i + 1);
            float sound = out[c][i] * (wet + wet_step * at);
            out[c][i] = past ? sound + past[i] * (dry + dry_step * at) : sound;
        }
    }
    bypass->from_device = wet_end;
    bypass->past_device = dry_end;
}
