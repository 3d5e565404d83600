/* SPDX-License-Identifier: MIT */
/* shmplug: carries one plugin, for a DAW that has started it or as a device on
 * the board. Which of these, the command line says. */
#include "control.h"
#include "log.h"
#include "scan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRACE_S    3u /* from being asked to end until being killed */
#define TEST_MARK  0xDEADBEEFu
#define DAW_WORDS  6
#define PLUG_WORDS 2 /* --register */
#define SIZE_WORDS 4 /* rate, block, inputs, outputs */

static const char help[] =
    "shmplug FORMAT SPEC SEGMENT INSTANCE DOORBELL ANSWER\n"
    "        [RATE BLOCK INPUTS OUTPUTS]\n"
    "shmplug --register NAME FORMAT SPEC [RATE BLOCK INPUTS OUTPUTS]\n"
    "shmplug --scan [FORMAT]\n"
    "shmplug --scan --format FORMAT [--path PATH | --system] [--output FILE]\n"
    "\n"
    "Carries one plugin in a process of its own.\n"
    "\n"
    "The first form is that of a Maolan plugin host: a DAW starts it. SEGMENT "
    "is\n"
    "the shared memory object it has made, DOORBELL and ANSWER are descriptors "
    "of\n"
    "two pipes. The second form announces the plugin on the board as a device\n"
    "that any host may claim; it ends by Ctrl-C or SIGTERM. The third prints "
    "as\n"
    "JSON which plugins there are, the fourth the same in the words of Maolan "
    "DAWs.\n"
    "\n"
    "  FORMAT   null      passes its inputs on; SPEC is not looked at\n"
    "           builtin   SPEC: null, gain, synth, fixture, crash, hang\n"
    "           clap      SPEC: PATH, PATH::ID, or an ID or name that is "
    "looked "
    "for\n"
    "                     in CLAP_PATH, ~/.clap, /usr/lib/clap; builtin::NAME\n"
    "  SPEC     __test__, __crash__, __hang__ with any format: for tests of "
    "DAWs\n"
    "\n"
    "  --log-level none|error|warning|info|debug    anywhere; default info\n"
    "  --help, --version\n"
    "\n"
    "Exit codes: 0 ended in good order, 1 wrong arguments, 2 the segment "
    "cannot be\n"
    "used, 3 bad descriptors, 4 no such format, 5 no such plugin, 6 the plugin "
    "does\n"
    "not load, 7 the board refuses the device, 8 the plugin hangs.\n";

/* ---- words ---------------------------------------------------------------------- */

static int read_whole(const char *text, uint32_t least, uint32_t most,
                      uint32_t *value)
{
    char *end;

    errno = 0;
    const unsigned long long read = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || read < least ||
        read > most)
        return 0;
    *value = (uint32_t)read;
    return 1;
}

static int read_rate(const char *text, double *rate_hz)
{
    const char *end;
    const double read = shl_number_read(text, &end);

    if (end == text || *end || !isfinite(read) || read < 1000 || read > 1e6)
        return 0;
    *rate_hz = read;
    return 1;
}

static int wrong(const char *text)
{
    log_say(PLUGIN_ERROR, "%s; --help shows how it is called", text);
    return PLUG_USAGE;
}

static int read_sizes(char **words, struct control_options *options)
{
    if (!read_rate(words[0], &options->rate_hz))
        return wrong("the rate must be 1000 to 1000000 Hz");
    if (!read_whole(words[1], 1, SHL_MAX_FRAMES, &options->block_frames))
        return wrong("the block must be 1 to 4096 frames");
    if (!read_whole(words[2], 0, SHL_MAX_CHANNELS, &options->inputs) ||
        !read_whole(words[3], 0, SHL_MAX_CHANNELS, &options->outputs))
        return wrong("inputs and outputs must be 0 to 32");
    return PLUG_OK;
}

/* Take --log-level and its word out of the command line. False: no level. */
static int take_log_level(int *count, char **words)
{
    for (int i = 0; i < *count; i++) {
        if (strcmp(words[i], "--log-level"))
            continue;
        const int level = i + 1 < *count ? log_level_of(words[i + 1]) : -1;
        if (level < 0)
            return 0;
        log_set_level((enum plugin_level)level);
        for (int k = i; k + 2 < *count; k++)
            words[k] = words[k + 2];
        *count -= 2;
        i--;
    }
    return 1;
}

/* ---- special specs ----------------------------------------------------------------- */

static const struct shl_plugin_host_about nobody = {.name = "",
                                                    .any_channels = 1};

/* Leaves a mark, lives and answers nothing. */
static int serve_test(const char *format, shl_plugin_host *plugin_host)
{
    shl_status status;

    shl_plugin_host_mark(plugin_host, TEST_MARK);
    if (strcmp(format, "clap")) /* as the one in use has it */
        shl_plugin_host_ready(plugin_host, &nobody);
    do {
        status = shl_plugin_host_idle(plugin_host, 100);
    } while ((!status || status == SHL_TIMEOUT) && !shl_ending());
    return status == SHL_BAD_PEER ? PLUG_NO_SEGMENT : PLUG_OK;
}

/* Does not come back from those that never end. */
static void serve_special(const char *spec, shl_plugin_host *plugin_host)
{
    if (!strcmp(spec, "__crash__")) {
        shl_plugin_host_ready(plugin_host, &nobody);
        abort();
    }
    if (!strcmp(spec, "__hang__")) {
        shl_plugin_host_ready(plugin_host, &nobody);
        for (;;)
            shl_sleep_ms(1000);
    }
}

static int is_test(const struct control_options *options)
{
    return !strcmp(options->format, "__test__") ||
           !strcmp(options->spec, "__test__");
}

static int is_special(const struct control_options *options)
{
    return is_test(options) || !strcmp(options->spec, "__crash__") ||
           !strcmp(options->spec, "__hang__");
}

/* Formats of the protocol; this program may not have them. */
static int is_format(const char *name)
{
    static const char *const names[] = {"clap", "vst3", "lv2", "au",
                                        "__test__"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(name, names[i]))
            return 1;
    return plugin_format(name) != NULL;
}

/* ---- the three forms ----------------------------------------------------------------- */

static int code_of(shl_status status)
{
    return status == SHL_BAD_VALUE ? PLUG_NO_PIPES : PLUG_NO_SEGMENT;
}

static int run_for_daw(char **words, struct control_options *options)
{
    struct shl_plugin_host_options how = {.segment = words[2], .alone = 1};
    uint32_t doorbell, answer;
    struct shl_why why = {""};
    shl_plugin_host *plugin_host;
    shl_status status;
    int code;

    const char *spec = options->spec;

    if (!is_format(options->format) ||
        (!plugin_format_of(options->format, &spec) && !is_special(options))) {
        log_say(PLUGIN_ERROR, "there is no format %s here: --scan tells which",
                options->format);
        return PLUG_NO_FORMAT;
    }
    if (!read_whole(words[4], 0, INT32_MAX, &doorbell) ||
        !read_whole(words[5], 0, INT32_MAX, &answer)) {
        log_say(PLUGIN_ERROR, "%s and %s must be numbers of descriptors",
                words[4], words[5]);
        return PLUG_NO_PIPES;
    }
    options->follows = 1;
    if (!shl_parent_follow(&options->parent))
        return PLUG_OK;
    how.doorbell = (int)doorbell;
    how.answer = (int)answer;
    status = shl_plugin_host_open(&how, &plugin_host, &why);
    if (status) {
        log_say(PLUGIN_ERROR, "%s", why.text);
        return code_of(status);
    }
    if (!is_test(options))
        serve_special(options->spec, plugin_host);
    shl_ending_catch(GRACE_S);
    code = is_test(options) ? serve_test(options->format, plugin_host)
                            : control_serve(options, plugin_host);
    shl_plugin_host_close(plugin_host);
    return code;
}

static int run_register(int count, char **words)
{
    struct control_options options = {
        .block_frames = 64, .inputs = PLUGIN_ANY, .outputs = PLUGIN_ANY};
    struct shl_why why = {""};
    int code = PLUG_OK;

    if (count != 1 + PLUG_WORDS && count != 1 + PLUG_WORDS + SIZE_WORDS)
        return wrong("--register takes a name, a format and a spec, and "
                     "perhaps rate, block, inputs and outputs");
    options.name = words[0];
    options.format = words[1];
    options.spec = words[2];
    if (count > 1 + PLUG_WORDS)
        code = read_sizes(words + 1 + PLUG_WORDS, &options);
    if (code)
        return code;
    if (shl_id_check(options.name, NULL, NULL, &why)) {
        log_say(PLUGIN_ERROR, "%s", why.text);
        return PLUG_USAGE;
    }
    shl_ending_catch(GRACE_S);
    return control_register(&options);
}

/* As DAWs ask: options in any order, other words not looked at. */
static int run_daw_scan(int count, char **words)
{
    struct scan_options scan = {NULL, NULL, NULL};

    for (int i = 0; i < count; i++) {
        const char **value = !strcmp(words[i], "--format")   ? &scan.format
                             : !strcmp(words[i], "--path")   ? &scan.path
                             : !strcmp(words[i], "--output") ? &scan.output
                                                             : NULL;
        if (value && i + 1 < count)
            *value = words[++i];
        else if (value)
            return wrong("--format, --path and --output have a word each");
    }
    if (!scan.format)
        return wrong("a DAW scans by --scan --format FORMAT --path PATH, or "
                     "--system for the path");
    if (scan.path && !strcmp(scan.path, "--system"))
        scan.path = NULL;
    if (!is_format(scan.format)) {
        log_say(PLUGIN_ERROR, "there is no format %s here: --scan tells which",
                scan.format);
        return PLUG_NO_FORMAT;
    }
    if (scan_for_daw(&scan))
        return PLUG_OK;
    log_say(PLUGIN_ERROR, "%s cannot be written",
            scan.output ? scan.output : "standard output");
    return PLUG_USAGE;
}

static int run_scan(int count, char **words)
{
    if (count && words[0][0] == '-')
        return run_daw_scan(count, words);
    if (count > 1)
        return wrong("--scan takes one format at most");
    if (scan_print(count ? words[0] : NULL))
        return PLUG_OK;
    log_say(PLUGIN_ERROR, "there is no format %s here: --scan tells which",
            words[0]);
    return PLUG_NO_FORMAT;
}

static int run_words(int count, char **words)
{
    struct control_options options = {.block_frames = SHL_MAX_FRAMES,
                                      .inputs = PLUGIN_ANY,
                                      .outputs = PLUGIN_ANY};
    int code = PLUG_OK;

    if (count != DAW_WORDS && count != DAW_WORDS + SIZE_WORDS)
        return wrong("a DAW gives format, spec, segment, instance and two "
                     "descriptors, and perhaps rate, block, inputs and "
                     "outputs");
    options.format = words[0];
    options.spec = words[1];
    if (count > DAW_WORDS)
        code = read_sizes(words + DAW_WORDS, &options);
    return code ? code : run_for_daw(words, &options);
}

int main(int argc, char **argv)
{
    int count = argc - 1;
    char **words = argv + 1;

    if (!take_log_level(&count, words))
        return wrong("--log-level is none, error, warning, info or debug");
    if (count == 1 && !strcmp(words[0], "--help"))
        return fputs(help, stdout) < 0;
    if (count == 1 && !strcmp(words[0], "--version"))
        return printf("shmplug %s\n", SHL_META_VERSION) < 0;
    if (count && !strcmp(words[0], "--register"))
        return run_register(count - 1, words + 1);
    if (count && !strcmp(words[0], "--scan"))
        return run_scan(count - 1, words + 1);
    if (count && words[0][0] == '-') {
        log_say(PLUGIN_ERROR, "there is no option %s; see shmplug --help",
                words[0]);
        return PLUG_USAGE;
    }
    return run_words(count, words);
}
