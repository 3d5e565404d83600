#include "render.h"

#include "terminal.h"

#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>

struct render {
    struct render_options options;
    SNDFILE *file;
    float *mixed; /* one block, interleaved */
};

static shl_status file_error(const struct render *render, const char *verb,
                             struct shl_why *why)
{
    snprintf(why->text, sizeof(why->text), "cannot %s %.120s: %s", verb,
             render->options.path, sf_strerror(render->file));
    return SHL_SYSTEM;
}

shl_status render_open(const struct render_options *options,
                       struct render **result, struct shl_why *why)
{
    struct render *render = calloc(1, sizeof(*render));
    SF_INFO info = {.samplerate = (int)(options->rate_hz + 0.5),
                    .channels = (int)options->channels,
                    .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    shl_status status = SHL_NO_MEMORY;

    if (!render)
        return status;
    render->options = *options;
    render->mixed = calloc((size_t)options->channels * options->block_frames,
                           sizeof(float));
    if (!render->mixed)
        goto fail;
    render->file = sf_open(options->path, SFM_WRITE, &info);
    if (!render->file) {
        status = file_error(render, "open", why);
        goto fail;
    }
    sf_command(render->file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
    *result = render;
    return SHL_OK;

fail:
    free(render->mixed);
    free(render);
    return status;
}

shl_status render_close(struct render *render, int keep, struct shl_why *why)
{
    shl_status status = SHL_OK;

    if (!render)
        return SHL_OK;
    if (sf_close(render->file) && keep) {
        snprintf(why->text, sizeof(why->text),
                 "cannot write %.120s to its end: is the disk full?",
                 render->options.path);
        status = SHL_SYSTEM;
    }
    if (!keep)
        remove(render->options.path);
    free(render->mixed);
    free(render);
    return status;
}

static void interleave(struct render *render, const float *const *planes,
                       uint32_t frames)
{
    const uint32_t channels = render->options.channels;

    for (uint32_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++)
            render->mixed[i * channels + c] = planes[c][i];
}

/* A block that did not come spoils a rendering. */
static shl_status check(shl_host *host, const struct perform *perform,
                        struct shl_why *why)
{
    const struct perform_figures *figures = perform_figures(perform);
    struct shl_host_stats stats;

    shl_host_stats(host, &stats);
    if (figures->refused) {
        snprintf(why->text, sizeof(why->text),
                 "an event near frame %llu could not be sent: %s",
                 (unsigned long long)figures->position,
                 shl_status_text(figures->why));
        return figures->why;
    }
    if (!stats.missed && shl_host_linked(host))
        return SHL_OK;
    snprintf(why->text, sizeof(why->text),
             "the device stopped answering near frame %llu; look at shmlink "
             "list and render again",
             (unsigned long long)figures->position);
    return SHL_GONE;
}

shl_status render_play(struct render *render, shl_host *host,
                       struct perform *perform, struct shl_why *why)
{
    uint32_t frames;

    while ((frames = perform_block(perform)) > 0) {
        const shl_status status = check(host, perform, why);

        if (status)
            return status;
        interleave(render, perform_planes(perform), frames);
        if (sf_writef_float(render->file, render->mixed, frames) != frames)
            return file_error(render, "write", why);
        if (terminal_ended()) {
            snprintf(why->text, sizeof(why->text), "the rendering was ended");
            return SHL_AGAIN;
        }
    }
    return SHL_OK;
}
