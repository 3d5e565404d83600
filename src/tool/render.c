/* SPDX-License-Identifier: MIT */
#include "render.h"
#include "shmlink/shmlink-plugin.h"

#include "terminal.h"

#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_WAV (UINT64_C(0xFFFFFFFF) - 65536u) /* bytes of sound */

struct render {
    struct render_options options;
    SNDFILE *file;
    shl_draft *draft; /* NULL: a device or a pipe, which libsndfile has open */
    sf_count_t at, length;
    shl_status status; /* why the draft could not be written */
    struct shl_why why;
    float *mixed; /* one block, interleaved */
};

/* ---- formats ------------------------------------------------------------------- */

/* All without loss, and so that equal sound gives equal bytes. */
static const struct format {
    const char *ending;
    int format, longer; /* of more than 4 GiB; 0: cannot be */
} formats[] = {
    {"wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, SF_FORMAT_RF64 | SF_FORMAT_FLOAT},
    {"rf64", SF_FORMAT_RF64 | SF_FORMAT_FLOAT,
     SF_FORMAT_RF64 | SF_FORMAT_FLOAT},
    {"w64", SF_FORMAT_W64 | SF_FORMAT_FLOAT, SF_FORMAT_W64 | SF_FORMAT_FLOAT},
    {"caf", SF_FORMAT_CAF | SF_FORMAT_FLOAT, SF_FORMAT_CAF | SF_FORMAT_FLOAT},
    {"aiff", SF_FORMAT_AIFF | SF_FORMAT_FLOAT, 0},
    {"aif", SF_FORMAT_AIFF | SF_FORMAT_FLOAT, 0},
    {"au", SF_FORMAT_AU | SF_FORMAT_FLOAT, 0},
    {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24,
     SF_FORMAT_FLAC | SF_FORMAT_PCM_24}};

static int same_letters(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a | 0x20) != *b)
            return 0;
    return *a == *b;
}

/* By the ending of the name; without one it is WAV. */
static const struct format *format_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    if (!dot || dot == name)
        return &formats[0];
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (same_letters(dot + 1, formats[i].ending))
            return &formats[i];
    return NULL;
}

shl_status render_check(const char *path, struct shl_why *why)
{
    if (format_of(path))
        return SHL_OK;
    snprintf(why->text, sizeof(why->text),
             "the ending of %.100s is no format: give the file the ending "
             ".wav, .rf64, .w64, .aiff, .caf, .au or .flac",
             path);
    return SHL_BAD_VALUE;
}

/* ---- the file, as libsndfile sees it ---------------------------------------------- */

static sf_count_t io_length(void *user)
{
    return ((struct render *)user)->length;
}

static sf_count_t io_tell(void *user)
{
    return ((struct render *)user)->at;
}

static sf_count_t io_seek(sf_count_t offset, int whence, void *user)
{
    struct render *render = user;
    const sf_count_t from = whence == SEEK_CUR   ? render->at
                            : whence == SEEK_END ? render->length
                                                 : 0;

    if (from + offset < 0)
        return -1;
    if (!render->status)
        render->status = shl_draft_seek(
            render->draft, (uint64_t)(from + offset), &render->why);
    if (render->status)
        return -1;
    return render->at = from + offset;
}

static sf_count_t io_write(const void *bytes, sf_count_t size, void *user)
{
    struct render *render = user;

    if (!render->status)
        render->status =
            shl_draft_write(render->draft, bytes, (size_t)size, &render->why);
    if (render->status)
        return 0;
    render->at += size;
    if (render->length < render->at)
        render->length = render->at;
    return size;
}

/* Nothing is read: files are begun anew. */
static sf_count_t io_read(void *bytes, sf_count_t size, void *user)
{
    (void)bytes;
    (void)size;
    (void)user;
    return 0;
}

static shl_status file_error(const struct render *render, const char *verb,
                             struct shl_why *why)
{
    if (render->status) {
        *why = render->why;
        return render->status;
    }
    snprintf(why->text, sizeof(why->text), "cannot %s %.120s: %s", verb,
             render->options.path, sf_strerror(render->file));
    return SHL_SYSTEM;
}

/* Something that is no file has its place and cannot be replaced: a device, a
 * pipe, and what /dev/stdout leads to. */
static int is_no_file(const char *path)
{
    uint8_t *bytes;
    size_t size;
    const shl_status status = shl_file_load(path, 0, &bytes, &size, NULL);

    if (!status)
        free(bytes);
    return status == SHL_BAD_NAME;
}

static shl_status open_file(struct render *render, SF_INFO *info,
                            struct shl_why *why)
{
    SF_VIRTUAL_IO io = {.get_filelen = io_length,
                        .seek = io_seek,
                        .read = io_read,
                        .write = io_write,
                        .tell = io_tell};
    const char *path = render->options.path;
    char target[SHL_PATH_SIZE];

    if (is_no_file(path)) {
        render->file = sf_open(path, SFM_WRITE, info);
    } else {
        shl_status status = shl_path_follow(path, target, why);

        if (!status)
            status = shl_draft_new(target, &render->draft, why);
        if (status)
            return status;
        render->file = sf_open_virtual(&io, SFM_WRITE, info, render);
    }
    return render->file ? SHL_OK : file_error(render, "open", why);
}

static shl_status choose(const struct render_options *options, SF_INFO *info,
                         struct shl_why *why)
{
    const struct format *format = format_of(options->path);
    const uint64_t bytes = options->frames * options->channels * sizeof(float);

    if (!format)
        return render_check(options->path, why);
    info->format = bytes > LONGEST_WAV ? format->longer : format->format;
    if (!info->format) {
        snprintf(why->text, sizeof(why->text),
                 "%.100s would be longer than 4 GiB, which .%s cannot be: "
                 "give the file the ending .wav, .w64, .caf or .flac",
                 options->path, format->ending);
        return SHL_BAD_VALUE;
    }
    if (sf_format_check(info))
        return SHL_OK;
    snprintf(why->text, sizeof(why->text),
             "a .%s file cannot have %u channels at %s Hz: give the file "
             "the ending .wav",
             format->ending, options->channels,
             shl_digits(options->rate_hz, 10).text);
    return SHL_BAD_VALUE;
}

shl_status render_open(const struct render_options *options,
                       struct render **result, struct shl_why *why)
{
    SF_INFO info = {.samplerate = (int)(options->rate_hz + 0.5),
                    .channels = (int)options->channels};
    shl_status status = choose(options, &info, why);
    struct render *render = NULL;

    if (status)
        return status;
    render = calloc(1, sizeof(*render));
    if (!render)
        return SHL_NO_MEMORY;
    render->options = *options;
    render->mixed = calloc((size_t)options->channels * options->block_frames,
                           sizeof(float));
    status = render->mixed ? open_file(render, &info, why) : SHL_NO_MEMORY;
    if (status) {
        shl_draft_drop(render->draft);
        free(render->mixed);
        free(render);
        return status;
    }
    sf_command(render->file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
    sf_command(render->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
    *result = render;
    return SHL_OK;
}

static shl_status finish(struct render *render, int keep, struct shl_why *why)
{
    const int failed = sf_close(render->file);

    if (!keep) {
        shl_draft_drop(render->draft);
        return SHL_OK;
    }
    if (failed || render->status) {
        shl_draft_drop(render->draft);
        if (render->status) {
            *why = render->why;
            return render->status;
        }
        snprintf(why->text, sizeof(why->text),
                 "cannot write %.120s to its end: is the disk full?",
                 render->options.path);
        return SHL_SYSTEM;
    }
    return render->draft ? shl_draft_keep(render->draft, 1, why) : SHL_OK;
}

shl_status render_close(struct render *render, int keep, struct shl_why *why)
{
    if (!render)
        return SHL_OK;
    const shl_status status = finish(render, keep, why);
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

shl_status render_write(struct render *render, const float *const *planes,
                        uint32_t frames, struct shl_why *why)
{
    interleave(render, planes, frames);
    if (sf_writef_float(render->file, render->mixed, frames) == frames &&
        !render->status)
        return SHL_OK;
    return file_error(render, "write", why);
}

/* A block that did not come spoils a rendering. */
static shl_status check(shl_host *host, const struct perform *perform,
                        struct shl_why *why)
{
    const struct perform_figures *figures = perform_figures(perform);
    struct shl_host_stats stats;

    shl_host_get_stats(host, &stats);
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
        shl_status status = check(host, perform, why);

        if (!status)
            status = render_write(render, perform_planes(perform), frames, why);
        if (status)
            return status;
        if (terminal_ended()) {
            snprintf(why->text, sizeof(why->text),
                     "the rendering was ended before its end; %.120s is as it "
                     "was before",
                     render->options.path);
            return SHL_AGAIN;
        }
    }
    return SHL_OK;
}
