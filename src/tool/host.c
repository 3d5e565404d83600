/* SPDX-License-Identifier: MIT */
/* The command host: reads what to play, finds the device, links, plays live or
 * into a file, and sums up. */
#include "listen.h"
#include "live.h"
#include "options.h"
#include "render.h"
#include "score_text.h"
#include "smf.h"
#include "terminal.h"
#include "tool.h"

#include "rate/samplerate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES 67108864u
#define LOOK_EVERY_MS  10u
#define TAIL_MS        2000.0
#define MIN_LINK_MS    1000u

struct job {
    const char *id, *tag, *wav, *notes, *midi, *tap;
    uint32_t block_frames, reblock_frames, deadline_ms;
    double seconds, wait_s;
    uint32_t drive, latency_frames, mode;
    uint32_t channels; /* that are heard: the device's, and a tap's */
    double rate_hz;    /* its own; 0: the device's */
    int pipelined, resample, quiet;
    struct score score;
    double loop_ms; /* of the built-in phrase, else 0 */
    struct shl_device_info device;
    shl_host *host;
    struct render *render;
    struct perform *perform;
};

/* ---- what to play --------------------------------------------------------------- */

/* The whole file; TOOL_GO_ON, or complain. The bytes are the caller's. */
static int read_file(const char *path, char **bytes, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *read = NULL;
    int error = errno;

    if (file) {
        read = malloc(MAX_FILE_BYTES + 1);
        *size = read ? fread(read, 1, MAX_FILE_BYTES + 1, file) : 0;
        error = !read || ferror(file) ? errno : 0;
        fclose(file);
    }
    if (error) {
        tool_complain("host: cannot read %s: %s", path, strerror(error));
    } else if (*size > MAX_FILE_BYTES) {
        tool_complain("host: %s is larger than 64 MiB, which no notes are",
                      path);
        error = 1;
    }
    if (error) {
        free(read);
        return TOOL_SYSTEM;
    }
    *bytes = read;
    return TOOL_GO_ON;
}

static int read_score_file(struct job *job, const char *path)
{
    struct shl_why why = {""};
    char *bytes = NULL;
    size_t size = 0;
    shl_status status;
    const int result = read_file(path, &bytes, &size);

    if (result != TOOL_GO_ON)
        return result;
    if (job->midi)
        status = smf_read((const uint8_t *)bytes, size, &job->score, &why);
    else
        status = notes_read(bytes, size, &job->score, &why);
    free(bytes);
    if (!status)
        return TOOL_GO_ON;
    if (status != SHL_BAD_VALUE)
        return tool_refused(status, &why);
    tool_complain("host: %s: %s", path, why.text);
    return TOOL_NO;
}

static int read_score(struct job *job)
{
    if (job->notes && job->midi) {
        tool_complain("host: --notes and --midi exclude each other; see "
                      "shmlink host --help");
        return TOOL_USAGE;
    }
    if (job->notes || job->midi)
        return read_score_file(job, job->notes ? job->notes : job->midi);
    const shl_status status = score_phrase(&job->score, &job->loop_ms);
    return status ? tool_refused(status, NULL) : TOOL_GO_ON;
}

/* How long: as asked, as the notes say, or until everything has died away. */
static uint64_t length_frames(const struct job *job)
{
    const double rate = job->rate_hz;

    if (job->seconds > 0)
        return score_frame(job->seconds * 1000.0, rate);
    if (job->score.end_ms > 0)
        return score_frame(job->score.end_ms, rate);
    if (!job->wav && job->loop_ms > 0)
        return UINT64_MAX;
    return score_frame(
        fmax(score_last_ms(&job->score) + TAIL_MS, job->score.rest_ms), rate);
}

/* Names to ids, now that the device is known. */
static int find_params(struct job *job)
{
    for (uint32_t i = 0; i < job->score.count; i++) {
        struct score_event *event = &job->score.event[i];

        if (!event->param)
            continue;
        const int32_t index = shl_host_param_find(job->host, event->param);
        if (index < 0) {
            tool_complain("host: %s has no parameter '%s'", job->device.id,
                          event->param);
            return TOOL_NO;
        }
        const struct shl_param *param =
            shl_host_param(job->host, (uint32_t)index);
        event->event = shl_event_param(
            0, SHL_EVENT_PARAM, param->id,
            shl_param_clip(param, shl_event_value(&event->event)));
    }
    return TOOL_GO_ON;
}

/* ---- the link --------------------------------------------------------------------- */

/* As the host role will: by tag first, then by id. */
static shl_status look(const struct job *job, struct shl_device_info *info,
                       struct shl_why *why)
{
    shl_registry *registry = NULL;
    shl_status status = shl_registry_open(NULL, &registry, why);

    if (status)
        return status;
    status = shl_registry_find_for(registry, job->id, job->tag, info, why);
    shl_registry_close(registry);
    return status;
}

static int find_device(struct job *job)
{
    const uint64_t until = shl_clock_ns() + (uint64_t)(job->wait_s * 1e9);
    struct shl_why why = {""};

    for (;;) {
        const shl_status status = look(job, &job->device, &why);

        if (!status) {
            if (!(job->rate_hz > 0))
                job->rate_hz = job->device.rate_hz;
            return TOOL_GO_ON;
        }
        if ((status != SHL_NOT_FOUND && status != SHL_BUSY &&
             status != SHL_AGAIN) ||
            shl_clock_ns() >= until || terminal_ended())
            return tool_refused(status, &why);
        shl_sleep_ms(LOOK_EVERY_MS);
    }
}

static int link_failed(const struct job *job, shl_status status)
{
    struct shl_why why = {""};

    shl_host_why(job->host, why.text, sizeof(why.text));
    return tool_refused(status, &why);
}

static int link_device(struct job *job)
{
    const struct shl_host_options options = {
        .out_channels = job->tap ? SHL_MAX_CHANNELS : job->device.out_channels,
        .rate_hz = job->rate_hz,
        .block_frames = job->block_frames,
        .reblock_frames = job->reblock_frames,
        .drive = job->drive,
        .mode = job->mode,
        .latency_frames = job->latency_frames,
        .resampler = rate_samplerate(),
        .resample = job->resample,
        .deadline_ms = job->deadline_ms,
        .batch = job->wav != NULL};
    const uint32_t wait_ms = (uint32_t)(job->wait_s * 1000.0);
    shl_status status = shl_host_new(&options, &job->host);

    if (status)
        return tool_refused(status, NULL);
    if (job->tag)
        status = shl_host_set_tag(job->host, job->tag);
    if (!status)
        status = shl_host_open(job->host, job->id,
                               wait_ms > MIN_LINK_MS ? wait_ms : MIN_LINK_MS);
    if (status)
        return link_failed(job, status);
    status = shl_host_get_device(job->host, &job->device);
    if (status)
        return link_failed(job, status);
    uint32_t more = 0;
    const int result = job->tap ? listen_route(job->host, job->tap,
                                               job->device.out_channels, &more)
                                : TOOL_GO_ON;
    job->channels = job->device.out_channels + more;
    return result;
}

/* ---- playing ---------------------------------------------------------------------- */

/* What the device or its host refused is told elsewhere. */
static int file_refused(shl_status status, const struct shl_why *why)
{
    const int is_system = status == SHL_NOT_FOUND || status == SHL_BAD_NAME;

    if (status != SHL_BAD_VALUE && !is_system)
        return tool_refused(status, why);
    tool_complain("%s", why->text);
    return is_system ? TOOL_SYSTEM : TOOL_NO;
}

static int open_file(struct job *job)
{
    const struct render_options options = {.path = job->wav,
                                           .rate_hz = job->rate_hz,
                                           .channels = job->channels,
                                           .block_frames = job->block_frames,
                                           .frames = length_frames(job)};
    struct shl_why why = {""};

    if (!job->wav)
        return TOOL_GO_ON;
    if (!options.channels) {
        tool_complain("host: %s has no outputs, so there is nothing to write",
                      job->device.id);
        return TOOL_NO;
    }
    const shl_status status = render_open(&options, &job->render, &why);
    return status ? file_refused(status, &why) : TOOL_GO_ON;
}

static double decibels(float level)
{
    return level > 0 ? 20.0 * log10((double)level) : -HUGE_VAL;
}

/* Of a link in the free drive. */
static void sum_up_clocks(const struct job *job)
{
    struct shl_host_stream stream;

    if (!shl_host_get_stream(job->host, &stream))
        return;
    terminal_say("clocks   %s, the device's %s%s ppm, %llu underruns, "
                 "%llu frames dropped, %llu doubled",
                 stream.mode, stream.drift_ppm < 0 ? "" : "+",
                 shl_places(stream.drift_ppm, 2).text,
                 (unsigned long long)stream.underruns,
                 (unsigned long long)stream.dropped,
                 (unsigned long long)stream.doubled);
}

/* What did not go as the notes say. */
static void sum_up_score(const struct job *job)
{
    const struct perform_figures *figures = perform_figures(job->perform);

    if (job->score.remark[0])
        terminal_say("file     %s: %s", job->midi, job->score.remark);
    if (figures->spread)
        terminal_say("spread   %llu events, too many at once for a link, were "
                     "sent up to %llu frames later",
                     (unsigned long long)figures->spread,
                     (unsigned long long)figures->wait_frames);
    if (figures->unheard)
        terminal_say("unheard  %llu parts of SysEx: the device takes none",
                     (unsigned long long)figures->unheard);
}

static void sum_up(const struct job *job)
{
    const struct perform_figures *figures = perform_figures(job->perform);
    const struct shl_device_info *device = &job->device;
    struct shl_host_stats stats;
    char id[64];

    if (job->quiet)
        return;
    shl_host_get_stats(job->host, &stats);
    terminal_plain(device->id, id, sizeof(id));
    terminal_say(
        "device   %s, pid %u, %u channels, %s Hz, %s, %s", id, device->pid,
        job->channels, shl_digits(device->rate_hz, 10).text,
        shl_drive_name(shl_host_drive(job->host)), shl_mode_name(device->mode));
    terminal_say("played   %s s, %llu notes, %llu events, %llu refused, "
                 "%llu heard",
                 shl_places((double)figures->position / job->rate_hz, 3).text,
                 (unsigned long long)figures->notes,
                 (unsigned long long)figures->events,
                 (unsigned long long)figures->refused,
                 (unsigned long long)figures->heard);
    terminal_say("blocks   %llu of %u frames, %llu missed, %llu late",
                 (unsigned long long)stats.blocks, shl_host_block(job->host),
                 (unsigned long long)stats.missed,
                 (unsigned long long)stats.late);
    terminal_say("latency  %u frames", shl_host_latency(job->host));
    sum_up_clocks(job);
    sum_up_score(job);
    terminal_say("peak     %s dBFS",
                 shl_places(decibels(figures->peak), 1).text);
    if (job->wav)
        terminal_say("file     %s", job->wav);
}

static int play(struct job *job)
{
    const struct live_options live = {.rate_hz = job->rate_hz,
                                      .block_frames = job->block_frames,
                                      .quiet = job->quiet};
    struct shl_why why = {""}, unheard;
    shl_status status;

    if (job->render) {
        status = render_play(job->render, job->host, job->perform, &why);
        const shl_status closed =
            render_close(job->render, !status, status ? &unheard : &why);
        job->render = NULL;
        if (!status)
            status = closed;
    } else {
        status = live_play(&live, job->host, job->perform);
    }
    if (status)
        return tool_refused(status, &why);
    sum_up(job);
    return TOOL_OK;
}

static int prepare(struct job *job)
{
    struct perform_options options = {.block_frames = job->block_frames};
    int result = find_params(job);

    if (result != TOOL_GO_ON)
        return result;
    score_arrange(&job->score, job->rate_hz);
    options.channels = job->tap ? SHL_MAX_CHANNELS : job->device.out_channels;
    options.frames = length_frames(job);
    if (!job->wav || job->seconds > 0)
        options.loop_frames = score_frame(job->loop_ms, job->rate_hz);
    job->perform = perform_new(&options, job->host, &job->score);
    return job->perform ? TOOL_GO_ON : tool_refused(SHL_NO_MEMORY, NULL);
}

static int run(struct job *job)
{
    struct shl_why why = {""};
    int result = read_score(job);

    if (result == TOOL_GO_ON && !terminal_catch_end())
        result = tool_refused(SHL_SYSTEM, NULL);
    if (result == TOOL_GO_ON)
        result = find_device(job);
    if (result == TOOL_GO_ON)
        result = link_device(job);
    if (result == TOOL_GO_ON)
        result = open_file(job);
    if (result == TOOL_GO_ON)
        result = prepare(job);
    if (result == TOOL_GO_ON)
        result = play(job);
    render_close(job->render, 0, &why);
    perform_free(job->perform);
    shl_host_free(job->host);
    score_free(&job->score);
    return result;
}

/* ---- the command line -------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-function-size): a table of options */
int tool_host(int argc, char **argv)
{
    struct job job = {.block_frames = 64, .wait_s = 5};
    const char *drive = NULL, *mode = NULL;
    struct shl_why why = {""};
    const struct option options[] = {
        {.name = "id",
         .type = OPTION_TEXT,
         .value = &job.id,
         .required = 1,
         .argument = "NAME",
         .help = "MySynth:0, MySynth for a free one of that name, * for any"},
        {.name = "tag",
         .type = OPTION_TEXT,
         .value = &job.tag,
         .argument = "TAG",
         .help = "link tag: looked for before the id"},
        {.name = "wav",
         .type = OPTION_TEXT,
         .value = &job.wav,
         .argument = "FILE",
         .help = "render into a .wav, .rf64, .w64, .aiff, .caf, .au or .flac "
                 "file, as fast as possible"},
        {.name = "notes",
         .type = OPTION_TEXT,
         .value = &job.notes,
         .argument = "FILE",
         .help = "play this text, see below"},
        {.name = "midi",
         .type = OPTION_TEXT,
         .value = &job.midi,
         .argument = "FILE",
         .help = "play this Standard MIDI File"},
        {.name = "seconds",
         .type = OPTION_REAL,
         .value = &job.seconds,
         .least = 0.001,
         .most = SCORE_MAX_MS / 1000.0,
         .argument = "S",
         .help = "how long, default 2 s after the last event, or to the "
                 "end of a MIDI file"},
        {.name = "blocksize",
         .type = OPTION_WHOLE,
         .value = &job.block_frames,
         .least = 1,
         .most = SHL_MAX_FRAMES,
         .argument = "N",
         .help = "frames, default 64"},
        {.name = "samplerate",
         .type = OPTION_REAL,
         .value = &job.rate_hz,
         .least = 8000,
         .most = 384000,
         .argument = "HZ",
         .help = "default the device's; another one with --resample"},
        {.name = "reblock",
         .type = OPTION_WHOLE,
         .value = &job.reblock_frames,
         .least = 1,
         .most = SHL_MAX_FRAMES,
         .argument = "N",
         .help = "exchange blocks of N frames with the device"},
        {.name = "mode",
         .type = OPTION_TEXT,
         .value = &mode,
         .argument = "MODE",
         .help = "transport mode: both, audio or midi; default both"},
        {.name = "tap",
         .type = OPTION_TEXT,
         .value = &job.tap,
         .argument = "NAME",
         .help = "hear this tap behind the device's outputs"},
        {.name = "drive",
         .type = OPTION_TEXT,
         .value = &drive,
         .argument = "NAME",
         .help = "lockstep, pipelined or free: each keeps its own time; "
                 "default what the device offers"},
        {.name = "pipelined",
         .type = OPTION_FLAG,
         .value = &job.pipelined,
         .help = "as --drive pipelined: one block of latency"},
        {.name = "latency",
         .type = OPTION_WHOLE,
         .value = &job.latency_frames,
         .least = 1,
         .most = 16384,
         .argument = "N",
         .help = "drive free: frames each way, default two blocks, 10 ms"},
        {.name = "resample",
         .type = OPTION_FLAG,
         .value = &job.resample,
         .help = "drive free: take a device of another sample rate"},
        {.name = "deadline",
         .type = OPTION_WHOLE,
         .value = &job.deadline_ms,
         .least = 1,
         .most = 1000,
         .argument = "MS",
         .help = "live: wait for a block, default half a block"},
        {.name = "wait",
         .type = OPTION_REAL,
         .value = &job.wait_s,
         .least = 0,
         .most = 86400,
         .argument = "S",
         .help = "for the device to be there and free, default 5"},
        {.name = "quiet",
         .letter = 'q',
         .type = OPTION_FLAG,
         .value = &job.quiet,
         .help = "print nothing but errors"}};
    const struct command command = {
        .name = "host",
        .summary = "Is a host: plays notes on a device. Without --notes and "
                   "--midi a built-in\nphrase, live again and again until "
                   "Ctrl-C. Live playing goes on without the\ndevice and links "
                   "again when it returns; a rendering that missed a block\n"
                   "or is ended fails, and a file that was there stays as it "
                   "was.",
        .options = options,
        .option_count = OPTION_COUNT(options),
        .more = notes_help};

    int result = options_read(&command, argc, argv);
    if (result == TOOL_GO_ON)
        result = tool_check_id(job.id);
    if (result == TOOL_GO_ON)
        result = tool_check_tag(job.tag);
    if (result == TOOL_GO_ON)
        result = tool_read_drives("host: --drive", drive, 0, &job.drive);
    if (result == TOOL_GO_ON)
        result = tool_read_modes("host: --mode", mode, 0, &job.mode);
    if (result == TOOL_GO_ON && job.mode == SHL_MODE_MIDI && job.wav) {
        tool_complain("host: --mode midi and --wav exclude each other: there "
                      "is no audio to write");
        return TOOL_USAGE;
    }
    if (result == TOOL_GO_ON && job.wav && render_check(job.wav, &why)) {
        tool_complain("host: --wav: %s", why.text);
        return TOOL_USAGE;
    }
    if (result == TOOL_GO_ON && job.pipelined && drive &&
        job.drive != SHL_DRIVE_PIPELINED) {
        tool_complain("host: --pipelined and --drive %s exclude each other; "
                      "see shmlink host --help",
                      drive);
        result = TOOL_USAGE;
    }
    if (job.pipelined)
        job.drive = SHL_DRIVE_PIPELINED;
    return result == TOOL_GO_ON ? run(&job) : result;
}
