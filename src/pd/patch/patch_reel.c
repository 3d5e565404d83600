/* SPDX-License-Identifier: MIT */
/* A reel: frames that wait between the blocks of a host and the ticks of Pd. */
#include "pd/patch/patch.h"

#include <string.h>

float *reel_plane(const struct reel *reel, uint32_t channel)
{
    return reel->samples + (size_t)channel * reel->room;
}

static void reel_free(struct reel *reel)
{
    if (reel->samples)
        freebytes(reel->samples, reel->size);
    memset(reel, 0, sizeof *reel);
}

static int reel_make(struct reel *reel, uint32_t channels)
{
    reel_free(reel);
    reel->room = REEL_ROOM;
    reel->channels = channels;
    reel->size = (size_t)channels * (size_t)REEL_ROOM * sizeof(float);
    if (channels)
        reel->samples = getbytes(reel->size);
    return !channels || reel->samples;
}

void reel_advance(struct reel *reel, uint32_t frames)
{
    uint32_t c;

    reel->count -= frames;
    for (c = 0; c < reel->channels; c++)
        memmove(reel_plane(reel, c), reel_plane(reel, c) + frames,
                reel->count * sizeof(float));
}

void reel_delay(struct reel *reel, uint32_t frames)
{
    uint32_t c;

    for (c = 0; c < reel->channels; c++) {
        float *plane = reel_plane(reel, c);
        memmove(plane + frames, plane, reel->count * sizeof(float));
        memset(plane, 0, frames * sizeof(float));
    }
    reel->count += frames;
}

int patch_make_room(t_patch *x, uint32_t in_channels, uint32_t out_channels)
{
    return reel_make(&x->x_in, in_channels) &&
           reel_make(&x->x_out, out_channels);
}

void patch_free_room(t_patch *x)
{
    reel_free(&x->x_in);
    reel_free(&x->x_out);
}
