/* SPDX-License-Identifier: MIT */
#include "core/lockstep/reblock.h"

#include "shmlink/arithmetic.h"

#include <stdlib.h>
#include <string.h>

static void lay_out(struct shl_reblock *reblock)
{
    float *plane = reblock->memory;
    for (uint32_t c = 0; c < reblock->in_channels; c++) {
        reblock->in[c] = plane;
        plane += reblock->frames;
    }
    for (uint32_t c = 0; c < reblock->out_channels; c++) {
        reblock->out[0][c] = plane;
        reblock->out[1][c] = plane + reblock->frames;
        plane += (size_t)2 * reblock->frames;
    }
}

shl_status shl_reblock_set(struct shl_reblock *reblock, uint32_t in_channels,
                           uint32_t out_channels, uint32_t frames,
                           uint32_t usual)
{
    uint32_t step = shl_gcd(frames, usual);
    if (frames == 0)
        shl_reblock_free(reblock);
    if (frames == 0 || (frames == reblock->frames && step == reblock->step))
        return SHL_OK;
    if (frames != reblock->frames) {
        size_t planes = in_channels + 2 * (size_t)out_channels;
        float *memory = calloc(planes ? planes * frames : 1, sizeof(float));
        if (!memory)
            return SHL_NO_MEMORY;
        free(reblock->memory);
        *reblock = (struct shl_reblock){.frames = frames,
                                        .in_channels = in_channels,
                                        .out_channels = out_channels,
                                        .memory = memory};
        lay_out(reblock);
    }
    reblock->step = step;
    reblock->latency_frames = frames - step;
    shl_reblock_reset(reblock);
    return SHL_OK;
}

void shl_reblock_free(struct shl_reblock *reblock)
{
    free(reblock->memory);
    *reblock = (struct shl_reblock){0};
}

/* The frames that wait end where the present half begins, so they lie at the
 * end of the other one: never more than a block, less one. */
static void silence(struct shl_reblock *reblock, uint32_t frames)
{
    uint32_t from = reblock->frames - reblock->waiting - frames;
    for (uint32_t c = 0; c < reblock->out_channels; c++)
        memset(reblock->out[reblock->half ^ 1][c] + from, 0,
               frames * sizeof(float));
    reblock->waiting += frames;
}

SHL_RT void shl_reblock_reset(struct shl_reblock *reblock)
{
    reblock->gathered = reblock->waiting = 0;
    reblock->half = 0;
    reblock->came[0] = reblock->came[1] = false;
    silence(reblock, reblock->latency_frames);
}

SHL_RT void shl_reblock_expect(struct shl_reblock *reblock, uint32_t frames)
{
    reblock->whole = true;
    if (frames % reblock->step == 0)
        return;
    uint32_t step = shl_gcd(reblock->step, frames);
    uint32_t more = reblock->step - step;
    silence(reblock, more);
    reblock->step = step;
    reblock->latency_frames += more;
}

SHL_RT uint32_t shl_reblock_room(const struct shl_reblock *reblock,
                                 uint32_t frames)
{
    uint32_t room = reblock->frames - reblock->gathered;
    return frames < room ? frames : room;
}

SHL_RT bool shl_reblock_gather(struct shl_reblock *reblock,
                               const float *const *in, uint32_t at,
                               uint32_t frames,
                               const struct shl_transport *transport)
{
    if (reblock->gathered == 0)
        reblock->transport = *transport;
    for (uint32_t c = 0; c < reblock->in_channels; c++)
        memcpy(reblock->in[c] + reblock->gathered, in[c] + at,
               frames * sizeof(float));
    reblock->gathered += frames;
    return reblock->gathered == reblock->frames;
}

SHL_RT float *const *shl_reblock_planes(struct shl_reblock *reblock)
{
    return reblock->out[reblock->half];
}

SHL_RT void shl_reblock_came(struct shl_reblock *reblock, bool from_device)
{
    reblock->came[reblock->half] = from_device;
    reblock->half ^= 1;
    reblock->gathered = 0;
    reblock->waiting += reblock->frames;
}

/* Out of one half; where it begins is counted back from where the next block
 * will be. */
static uint32_t read_half(struct shl_reblock *reblock, float *const *out,
                          uint32_t at, uint32_t frames)
{
    uint32_t n = reblock->frames;
    uint32_t back = reblock->waiting > n;
    uint32_t half = reblock->half ^ 1 ^ back;
    uint32_t left = reblock->waiting - back * n;
    uint32_t take = frames < left ? frames : left;
    for (uint32_t c = 0; c < reblock->out_channels; c++)
        memcpy(out[c] + at, reblock->out[half][c] + n - left,
               take * sizeof(float));
    reblock->whole = reblock->whole && reblock->came[half];
    reblock->waiting -= take;
    return take;
}

SHL_RT void shl_reblock_read(struct shl_reblock *reblock, float *const *out,
                             uint32_t at, uint32_t frames)
{
    while (frames > 0 && reblock->waiting > 0) {
        uint32_t taken = read_half(reblock, out, at, frames);
        at += taken;
        frames -= taken;
    }
}
