/* SPDX-License-Identifier: MIT */
/* The command device: a synth that announces itself, and a status line. The
 * main thread is the audio thread; a worker prints. */
#include "message_thread.h"
#include "options.h"
#include "player.h"
#include "taps.h"
#include "terminal.h"
#include "timer.h"
#include "tool.h"

#include "rate/samplerate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STATUS_MS  100u
#define WAIT_MS    100u
#define TEXT_OF(x) #x
#define VERSION_OF(major, minor, patch)                                        \
    TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)
#define MAX_REOPEN 3 /* a segment that is cut again and again is an attack */

struct run {
    struct shl_device_options options;
    struct player *player;
    struct message_thread *message_thread;
    shl_device *device;
    int quiet, verbose, terminal, fixed;
    int told_priority; /* in this claim, that it was refused */
    /* the printing worker's own */
    uint32_t host_pid; /* told last; 0: free */
    uint32_t looks;
    clock_t cpu_clock;
    uint64_t cpu_wall_ns;
    double cpu_percent;
};

/* ---- the worker: status -------------------------------------------------- */

static void describe_host(const struct shl_host_info *host, char *text,
                          size_t size)
{
    char tag[80] = "";

    terminal_plain(host->tag, tag, sizeof(tag));
    snprintf(text, size, "claimed by pid %u%s%s", host->pid,
             tag[0] ? ", tag " : "", tag);
}

/* Once per claim. */
static void tell_priority(struct run *run)
{
    const shl_status status = shl_device_get_priority(run->device);

    if (status == SHL_OK || status == SHL_AGAIN || run->told_priority)
        return;
    run->told_priority = 1;
    terminal_say(
        "%s: its host is realtime and this program may not be: %s; "
        "allow it (ulimit -r, limits.conf: rtprio) if blocks are missed",
        shl_device_id(run->device), shl_status_text(status));
}

static void tell_claim(struct run *run, int claimed,
                       const struct shl_host_info *host)
{
    const uint32_t pid = claimed ? host->pid : 0;
    char who[160];

    if (pid == run->host_pid)
        return;
    run->host_pid = pid;
    run->told_priority = 0;
    describe_host(host, who, sizeof(who));
    if (claimed)
        terminal_say("%s: %s, blocks of %u, %s", shl_device_id(run->device),
                     who, host->block_frames, shl_drive_name(host->drive));
    else
        terminal_say("%s: released, free", shl_device_id(run->device));
}

/* Once a second: this process's share of one processor. */
static void measure_cpu(struct run *run)
{
    const uint64_t now = shl_clock_ns();
    const clock_t used = clock();

    if (run->cpu_wall_ns && now - run->cpu_wall_ns < 1000000000u)
        return;
    if (run->cpu_wall_ns)
        run->cpu_percent = 100.0 * (double)(used - run->cpu_clock) /
                           (double)CLOCKS_PER_SEC /
                           ((double)(now - run->cpu_wall_ns) * 1e-9);
    run->cpu_wall_ns = now;
    run->cpu_clock = used;
}

static void print_figures(struct run *run, const char *state, int as_line)
{
    struct player_figures *figures = player_figures(run->player);
    const unsigned long long blocks =
        atomic_load_explicit(&figures->blocks, memory_order_relaxed);
    /* without a host nothing is rendered, and the last count would stay */
    const uint32_t voices =
        run->host_pid
            ? atomic_load_explicit(&figures->voices, memory_order_relaxed)
            : 0;
    const double peak = (double)player_take_peak(figures);
    char level[48] = "silent";
    char text[320];

    if (peak > 1e-6)
        snprintf(level, sizeof(level), "%s dBFS",
                 shl_places(20.0 * log10(peak), 1).text);
    snprintf(text, sizeof(text),
             "%s  %s  blocks %llu  voices %u  %s  cpu %s %%",
             shl_device_id(run->device), state, blocks, voices, level,
             shl_places(run->cpu_percent, 1).text);
    if (as_line)
        terminal_line(text);
    else
        terminal_say("%s", text);
}

static void print_status(void *argument)
{
    struct run *run = argument;
    struct shl_host_info host;
    char state[160] = "free";

    memset(&host, 0, sizeof(host));
    const int claimed = shl_device_claimed(run->device, &host);
    tell_claim(run, claimed, &host);
    tell_priority(run);
    measure_cpu(run);
    if (claimed)
        describe_host(&host, state, sizeof(state));
    if (run->terminal)
        print_figures(run, state, 1);
    else if (run->verbose && ++run->looks % 10 == 0)
        print_figures(run, state, 0);
}

/* ---- the audio thread ------------------------------------------------------ */

/* Blocks when the host asks for them, until a host wants the free drive. */
static shl_status play_for_host(struct run *run)
{
    struct shl_block block;
    shl_status status = SHL_OK;

    shl_rt(1);
    while (!terminal_ended()) {
        status = shl_device_wait(run->device, WAIT_MS, &block);
        if (status == SHL_OK) {
            player_block(run->player, run->device, &block);
            shl_device_done(run->device);
        } else if (status == SHL_TIMEOUT) {
            player_heed(run->player, run->device);
        } else {
            break;
        }
    }
    shl_rt(0);
    return status;
}

/* Blocks by the system's clock, until a host wants to be waited for, or there
 * is none and we may wait for the next. */
static shl_status play_in_own_time(struct run *run)
{
    const struct shl_device_options *options = &run->options;
    const int waits = options->drives != SHL_DRIVE_FREE;
    struct shl_host_info host;
    struct shl_block block;
    struct timer timer;
    shl_status status = SHL_OK;

    timer_start(&timer, options->rate_hz, options->block_frames);
    while (!terminal_ended()) {
        shl_rt(1);
        status = shl_device_begin(run->device, options->block_frames, &block);
        if (status == SHL_OK) {
            player_block(run->player, run->device, &block);
            shl_device_done(run->device);
        }
        shl_rt(0);
        if (status || (waits && !shl_device_claimed(run->device, &host)))
            break;
        timer_next(&timer);
    }
    return status;
}

/* Until the user ends it or the segment has gone bad. */
static shl_status play(struct run *run)
{
    int own_time = run->options.drives == SHL_DRIVE_FREE;
    shl_status status = SHL_OK;

    while (!terminal_ended()) {
        status = own_time ? play_in_own_time(run) : play_for_host(run);
        if (status && status != SHL_TIMEOUT && status != SHL_WRONG_DRIVE)
            break;
        own_time = !own_time || run->options.drives == SHL_DRIVE_FREE;
    }
    return terminal_ended() ? SHL_OK : status;
}

static void tell_start(const struct run *run)
{
    const struct shl_device_options *options = &run->options;

    if (run->quiet)
        return;
    terminal_say(
        "%s: ready, %u in, %u out, %s Hz%s, blocks of %u",
        shl_device_id(run->device), options->in_channels, options->out_channels,
        shl_digits(options->rate_hz, 10).text,
        options->capabilities & SHL_CAP_ANY_RATE ? " or that of its host" : "",
        options->block_frames);
    if (run->verbose)
        terminal_say("%s: segment %s, %u parameters, latency %u frames, "
                     "%d voices",
                     shl_device_id(run->device),
                     shl_device_segment(run->device), options->param_count,
                     options->latency_frames, SYNTH_VOICES);
}

static void tell_end(struct run *run)
{
    struct player_figures *figures = player_figures(run->player);
    struct shl_device_stats stats;

    if (run->quiet)
        return;
    shl_device_get_stats(run->device, &stats);
    terminal_say(
        "%s: ended, %llu notes, %llu blocks, events: %llu dropped, %llu bad",
        shl_device_id(run->device),
        (unsigned long long)atomic_load_explicit(&figures->notes,
                                                 memory_order_relaxed),
        (unsigned long long)atomic_load_explicit(&figures->blocks,
                                                 memory_order_relaxed),
        (unsigned long long)stats.events_dropped,
        (unsigned long long)stats.events_bad);
}

/* Play with the worker beside it, from open to close. */
static shl_status play_open(struct run *run)
{
    shl_worker *worker = NULL;
    shl_status status = SHL_OK;

    tell_start(run);
    if (!run->quiet)
        status = shl_worker_new(print_status, run, STATUS_MS, &worker);
    if (!status)
        status = message_thread_open(run->message_thread, run->device);
    if (!status) {
        status = play(run);
        message_thread_close(run->message_thread);
    }
    shl_worker_free(worker);
    return status;
}

static int run_device(struct run *run)
{
    struct shl_why why = {""};
    char id[SHL_ID_SIZE];
    char tag[SHL_TAG_SIZE];
    shl_status status = shl_device_open(&run->options, &run->device, &why);

    if (status)
        return tool_refused(status, &why);
    snprintf(id, sizeof(id), "%s", shl_device_id(run->device));
    for (int opened = 1;; opened++) {
        status = play_open(run);
        if (!status)
            break;
        shl_device_get_tag(run->device, tag);
        shl_device_close(run->device);
        tool_complain("%s: %s; %s", id, shl_status_text(status),
                      opened < MAX_REOPEN ? "announcing it anew" : "giving up");
        if (opened == MAX_REOPEN)
            return TOOL_NO;
        run->options.id = id;
        run->options.tag = tag;
        run->host_pid = 0;
        status = shl_device_open(&run->options, &run->device, &why);
        if (status)
            return tool_refused(status, &why);
    }
    tell_end(run);
    shl_device_close(run->device);
    return TOOL_OK;
}

/* ---- the command line -------------------------------------------------------- */

static const char device_more[] =
    "The synth: 32 voices of two detuned saws through a resonant low-pass,\n"
    "all channels and ports, velocity, pitch bend of 2 semitones, sustain\n"
    "pedal. Its parameters: gain (dB), attack (ms), release (ms), tune\n"
    "(cents), cutoff (Hz), resonance (Q), decay (ms), sustain (%), lfo (Hz),\n"
    "vibrato (cents). Controllers move them over their whole range, and the\n"
    "host is told: 1 vibrato, 7 gain, 71 resonance, 72 release, 73 attack,\n"
    "74 cutoff. 120, 121 and 123 are heard. A new host hears nothing of the\n"
    "last one; the parameters stay as they are. With inputs, input i is\n"
    "added to output i.\n"
    "\n"
    "By message it has 8 programs, saves and restores its state, resets, and\n"
    "takes files (256 MiB at most, none that exists) if --files names a\n"
    "folder.\n"
    "\n"
    "Taps, for hosts that listen inside: osc1 and osc2 (what enters the\n"
    "filter), filter (what leaves it), lfo, env (of the newest note), gate\n"
    "(1 while a key is down), bus1 (the synth, left and right), bus2 (what\n"
    "came in, if there are inputs). They are not late by --latency, and\n"
    "there are none with --click.\n"
    "\n"
    "For tests: --click makes of a note on one sample of height velocity /\n"
    "127 on all outputs; --echo and --sysex send every note, or all SysEx,\n"
    "back to the host.\n";

static int start(struct run *run, struct player_options *player,
                 struct message_thread_options *message_thread)
{
    int result;

    if (run->quiet)
        run->verbose = 0;
    run->terminal = terminal_is_one();
    player->exchange = message_thread->exchange = exchange_new();
    run->player = message_thread->exchange ? player_new(player) : NULL;
    run->message_thread =
        message_thread->exchange ? message_thread_new(message_thread) : NULL;
    if (!run->player || !run->message_thread)
        result = tool_refused(SHL_NO_MEMORY, NULL);
    else if (terminal_catch_end())
        result = run_device(run);
    else
        result = tool_refused(SHL_SYSTEM, NULL);
    message_thread_free(run->message_thread);
    player_free(run->player);
    exchange_free(message_thread->exchange);
    return result;
}

/* Ids, tags and texts that the board cannot carry are refused by name here;
 * a device cannot be called *. */
static int check_texts(const struct shl_device_options *options)
{
    struct shl_why why = {""};
    char name[SHL_ID_SIZE];
    int32_t number;
    shl_status status = shl_id_check(options->id, name, &number, &why);

    if (status)
        return tool_refused(status, &why);
    if (shl_tag_check(options->vendor, &why)) {
        tool_complain("device: --vendor must be 1 to 63 bytes of UTF-8 without "
                      "control characters");
        return TOOL_USAGE;
    }
    return tool_check_tag(options->tag);
}

/* The folder is made if it is not there, so that it is known to be one. */
static int check_files(const char *folder)
{
    struct shl_why why = {""};

    if (!folder || shl_folder_make(folder, &why) == SHL_OK)
        return TOOL_GO_ON;
    tool_complain("device: --files: %s", why.text);
    return TOOL_NO;
}

/* NOLINTNEXTLINE(readability-function-size): a table of options */
int tool_device(int argc, char **argv)
{
    struct run run = {
        .options = {.vendor = "shmlink",
                    .category = "synth",
                    .version = VERSION_OF(SHL_VERSION_MAJOR, SHL_VERSION_MINOR,
                                          SHL_VERSION_PATCH),
                    .rate_hz = 0,
                    .block_frames = 64,
                    .out_channels = 2,
                    .params = synth_params(),
                    .param_count = SYNTH_PARAMS}};
    struct player_options player = {.click = 0};
    struct message_thread_options message_thread = {.kind = "shmlink synth"};
    struct shl_tap taps[TAPS_MAX];
    const char *modes = NULL, *drives = NULL;
    struct shl_device_options *o = &run.options;
    const struct option options[] = {
        {.name = "id",
         .type = OPTION_TEXT,
         .value = &o->id,
         .required = 1,
         .argument = "NAME",
         .help = "MySynth: the next free number; MySynth:3: that one"},
        {.name = "samplerate",
         .type = OPTION_REAL,
         .value = &o->rate_hz,
         .least = 8000,
         .most = 384000,
         .argument = "HZ",
         .help = "default that of its host"},
        {.name = "blocksize",
         .type = OPTION_WHOLE,
         .value = &o->block_frames,
         .least = 1,
         .most = SHL_MAX_FRAMES,
         .argument = "N",
         .help = "preferred frames, default 64; takes any"},
        {.name = "fixed",
         .type = OPTION_FLAG,
         .value = &run.fixed,
         .help = "take whole blocks of --blocksize alone"},
        {.name = "channels",
         .type = OPTION_WHOLE,
         .value = &o->out_channels,
         .least = 1,
         .most = SHL_MAX_CHANNELS,
         .argument = "N",
         .help = "outputs, default 2"},
        {.name = "inputs",
         .type = OPTION_WHOLE,
         .value = &o->in_channels,
         .least = 0,
         .most = SHL_MAX_CHANNELS,
         .argument = "N",
         .help = "inputs, default 0"},
        {.name = "latency",
         .type = OPTION_WHOLE,
         .value = &o->latency_frames,
         .least = 0,
         .most = PLAYER_MAX_LATENCY,
         .argument = "N",
         .help = "frames its output is late, default 0"},
        {.name = "drive",
         .type = OPTION_TEXT,
         .value = &drives,
         .argument = "LIST",
         .help = "drives on offer, default lockstep,pipelined; free: it keeps "
                 "its own time"},
        {.name = "modes",
         .type = OPTION_TEXT,
         .value = &modes,
         .argument = "LIST",
         .help = "transport modes on offer, default both,audio,midi"},
        {.name = "tag",
         .type = OPTION_TEXT,
         .value = &o->tag,
         .argument = "TAG",
         .help = "link tag to remember"},
        {.name = "vendor",
         .type = OPTION_TEXT,
         .value = &o->vendor,
         .argument = "TEXT",
         .help = "shown on the board"},
        {.name = "files",
         .type = OPTION_TEXT,
         .value = &message_thread.files,
         .argument = "FOLDER",
         .help = "takes files from hosts, into this folder"},
        {.name = "keep-priority",
         .type = OPTION_FLAG,
         .value = &o->keep_priority,
         .help = "do not follow a realtime host"},
        {.name = "quiet",
         .letter = 'q',
         .type = OPTION_FLAG,
         .value = &run.quiet,
         .help = "print nothing but errors"},
        {.name = "verbose",
         .type = OPTION_FLAG,
         .value = &run.verbose,
         .help = "print more, also off a terminal"},
        {.name = "click",
         .type = OPTION_FLAG,
         .value = &player.click,
         .help = "for tests, see below"},
        {.name = "echo",
         .type = OPTION_FLAG,
         .value = &player.echo,
         .help = "for tests, see below"},
        {.name = "sysex",
         .type = OPTION_FLAG,
         .value = &player.sysex,
         .help = "for tests, see below"}};
    const struct command command = {
        .name = "device",
        .summary = "Is a device: a polyphonic synth that hosts find on the "
                   "board.\nEnds by Ctrl-C or SIGTERM and leaves nothing.",
        .options = options,
        .option_count = OPTION_COUNT(options),
        .more = device_more};
    int result = options_read(&command, argc, argv);

    if (result == TOOL_GO_ON)
        result = check_texts(o);
    if (result == TOOL_GO_ON)
        result = check_files(message_thread.files);
    if (result == TOOL_GO_ON)
        result = tool_read_modes("device: --modes", modes, 1, &o->modes);
    if (result == TOOL_GO_ON)
        result = tool_read_drives("device: --drive", drives, 1, &o->drives);
    if (result != TOOL_GO_ON)
        return result;
    if (run.fixed)
        o->quantum = o->block_frames;
    o->capabilities = SHL_CAP_PARAMS | SHL_CAP_PARAM_TEXT | SHL_CAP_PARAM_OUT |
                      SHL_CAP_PROGRAMS | SHL_CAP_STATE | SHL_CAP_MIDI_IN |
                      SHL_CAP_DETUNE | SHL_CAP_RESET | SHL_CAP_BUSSES |
                      SHL_CAP_SYNTH;
    if (player.echo)
        o->capabilities |= SHL_CAP_MIDI_OUT;
    if (player.sysex)
        o->capabilities |= SHL_CAP_SYSEX_IN | SHL_CAP_SYSEX_OUT;
    if (o->latency_frames)
        o->capabilities |= SHL_CAP_LATENCY;
    if (!player.click) {
        o->taps = taps;
        o->tap_count = taps_list(o->in_channels, taps);
    }
    o->resampler = rate_samplerate();
    player.any_rate = !(o->rate_hz > 0) && o->drives != SHL_DRIVE_FREE;
    if (!(o->rate_hz > 0))
        o->rate_hz = 48000;
    if (player.any_rate)
        o->capabilities |= SHL_CAP_ANY_RATE;
    player.rate_hz = o->rate_hz;
    player.in_channels = o->in_channels;
    player.out_channels = o->out_channels;
    player.latency_frames = o->latency_frames;
    message_thread.in_channels = o->in_channels;
    message_thread.out_channels = o->out_channels;
    message_thread.sysex = player.sysex;
    return start(&run, &player, &message_thread);
}
