/* SPDX-License-Identifier: MIT */
#include "samplerate.h"

/* NOLINTNEXTLINE(readability-duplicate-include): ours has the same name */
#include <samplerate.h>

#include <stddef.h>

/* Half the filter, in input frames: 22,438 coefficients, 491 to a frame. */
#define AHEAD 48u

static void *make(uint32_t channels)
{
    return src_new(SRC_SINC_MEDIUM_QUALITY, (int)channels, NULL);
}

/* The ratio is set beforehand, so that it holds for the whole call: the place
 * in the stream is then known exactly, and the steps between two calls are too
 * small to be heard. libsamplerate allocates at creation only. */
static SHL_RT uint32_t process(void *state, double step, const float *in,
                               uint32_t in_frames, float *out,
                               uint32_t out_frames, uint32_t *used)
{
    SRC_DATA data = {.data_in = in,
                     .data_out = out,
                     .input_frames = (long)in_frames,
                     .output_frames = (long)out_frames,
                     .src_ratio = 1.0 / step};

    *used = 0;
    SHL_RT_BEGIN("libsamplerate, which says nothing of itself")
    if (out_frames == 0 && in_frames == 0) {
        src_reset(state);
        return 0;
    }
    if (src_set_ratio(state, data.src_ratio) || src_process(state, &data))
        return 0;
    SHL_RT_END
    *used = (uint32_t)data.input_frames_used;
    return (uint32_t)data.output_frames_gen;
}

static void destroy(void *state)
{
    if (state)
        src_delete(state);
}

const struct shl_resampler *rate_samplerate(void)
{
    static const struct shl_resampler samplerate = {
        .ahead_frames = AHEAD,
        .make = make,
        .process = process,
        .destroy = destroy,
    };

    return &samplerate;
}
