/* SPDX-License-Identifier: MIT */
/* The command monitor: an observer of a link that has a line for everything. */
#include "options.h"
#include "terminal.h"
#include "tool.h"

#include <math.h>
#include <string.h>

#define LOOK_EVERY_MS   20u
#define LEVELS_EVERY_NS 500000000u
#define SHOWN_BYTES     16u

static const char monitor_more[] =
    "Looks at the link between a device and its host and disturbs neither: "
    "its\n"
    "segment is opened for reading alone. One line for each thing, with the\n"
    "seconds since the start; -> is from the host to the device:\n"
    "  claimed by, released by    a host: its process and its link tag\n"
    "  -> event at FRAME: ...     MIDI bytes, UMP words, parameters\n"
    "  -> message NAME ...        a command; <- a response\n"
    "  counter NAME N             it has grown: of the link (missed blocks,\n"
    "                             stalls, ...), or what this program was too\n"
    "                             late for (unread_..., cut_...)\n"
    "  error WORD: ...            such as a claim that was refused\n"
    "  levels ...                 peaks in dBFS, with --levels\n"
    "--json prints an object per line: time_s, what (as above), and host "
    "(true:\n"
    "sent by the host), frame, midi, ump, param, value, name, type, size, "
    "bytes,\n"
    "process, tag, word, text, channels where they fit.\n"
    "Ends when the device leaves, by Ctrl-C, or after --for.\n";

struct job {
    const char *id;
    uint32_t interval_ms;
    double timeout_s, for_s;
    int json, levels, quiet, line; /* line: a terminal shows the levels */
    shl_observer *observer;
    uint64_t started_ns, levels_ns;
    struct shl_peaks peaks; /* since they were last shown */
};

/* ---- one line ------------------------------------------------------------------ */

static double seconds(const struct job *job)
{
    return (double)(shl_clock_ns() - job->started_ns) * 1e-9;
}

static void json_begin(const struct job *job, const char *what)
{
    printf("{\"time_s\": %s, \"what\": \"%s\"",
           shl_places(seconds(job), 6).text, what);
}

static void json_text(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    terminal_json(stdout, text);
}

static void json_end(void)
{
    printf("}\n");
}

static const char *way(int out)
{
    return out ? "->" : "<-";
}

/* ---- what the observer tells ------------------------------------------------------- */

static void json_event(const struct shl_event *event)
{
    uint8_t bytes[3];
    uint32_t midi =
        event->kind == SHL_EVENT_UMP ? shl_ump_to_midi(event->data, bytes) : 0;

    printf(", \"frame\": %llu, \"kind\": %u", (unsigned long long)event->frame,
           (unsigned)event->kind);
    if (midi) {
        printf(", \"midi\": [");
        for (uint32_t i = 0; i < midi; i++)
            printf("%s%u", i ? ", " : "", (unsigned)bytes[i]);
        printf("]");
    } else if (event->kind == SHL_EVENT_UMP) {
        printf(", \"ump\": [");
        for (uint32_t i = 0; i < event->size / 4u; i++)
            printf("%s\"%08x\"", i ? ", " : "", (unsigned)event->data[i]);
        printf("]");
    } else if (event->kind >= SHL_EVENT_PARAM &&
               event->kind <= SHL_EVENT_GESTURE_END) {
        printf(", \"param\": %u, \"value\": %s", (unsigned)shl_event_id(event),
               shl_digits(shl_event_value(event), 17).text);
    }
}

static void event_words(const struct shl_event *event, char *text, size_t size)
{
    static const char *const kinds[] = {"param", "param_mod", "gesture_begin",
                                        "gesture_end"};
    uint8_t bytes[3];
    size_t used;

    if (event->kind >= SHL_EVENT_PARAM &&
        event->kind <= SHL_EVENT_GESTURE_END) {
        snprintf(text, size, "%s %u %s", kinds[event->kind - SHL_EVENT_PARAM],
                 (unsigned)shl_event_id(event),
                 shl_digits(shl_event_value(event), 9).text);
        return;
    }
    if (event->kind != SHL_EVENT_UMP) {
        snprintf(text, size, "kind %u", (unsigned)event->kind);
        return;
    }
    const uint32_t midi = shl_ump_to_midi(event->data, bytes);
    used = (size_t)snprintf(text, size, midi ? "midi" : "ump");
    for (uint32_t i = 0; i < midi && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, " %02x",
                                 (unsigned)bytes[i]);
    for (uint32_t i = 0; !midi && i < event->size / 4u && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, " %08x",
                                 (unsigned)event->data[i]);
}

static void on_event(void *arg, int out, const struct shl_event *event)
{
    const struct job *job = arg;
    char words[64];

    if (job->json) {
        json_begin(job, "event");
        printf(", \"host\": %s", out ? "true" : "false");
        json_event(event);
        json_end();
        return;
    }
    event_words(event, words, sizeof(words));
    terminal_say("%9s  %s event at %llu: %s", shl_places(seconds(job), 3).text,
                 way(out), (unsigned long long)event->frame, words);
}

static void payload_hex(const struct shl_received *message, char *bytes,
                        size_t size)
{
    const uint32_t shown =
        message->size < SHOWN_BYTES ? message->size : SHOWN_BYTES;
    size_t used = 0;

    bytes[0] = 0;
    for (uint32_t i = 0; i < shown; i++)
        used += (size_t)snprintf(bytes + used, size - used, "%s%02x",
                                 i ? " " : "", (unsigned)message->bytes[i]);
    if (shown < message->size)
        snprintf(bytes + used, size - used, " ...");
}

static void on_message(void *arg, int out, const struct shl_received *message)
{
    const struct job *job = arg;
    const struct shl_message_about *about =
        shl_message_get_about(message->type);
    const char *name = about ? about->name : "unknown";
    char bytes[3 * SHOWN_BYTES + 8], reason[SHL_TEXT_SIZE];
    const char *shown = bytes;

    payload_hex(message, bytes, sizeof(bytes));
    shl_bye_text(message, reason);
    if (reason[0])
        shown = reason;
    if (job->json) {
        json_begin(job, "message");
        printf(", \"host\": %s, \"type\": %u, \"name\": \"%s\", \"request\": "
               "%u, \"asks\": %s, \"size\": %u, \"bytes\": \"%s\"",
               out ? "true" : "false", (unsigned)message->type, name,
               (unsigned)message->request, message->asks ? "true" : "false",
               (unsigned)message->size, bytes);
        json_end();
        return;
    }
    terminal_say("%9s  %s message %s (%u), id %08x, %u bytes%s%s%s",
                 shl_places(seconds(job), 3).text, way(out), name,
                 (unsigned)message->type, (unsigned)message->request,
                 (unsigned)message->size, message->asks ? ", asks" : "",
                 shown[0] ? ": " : "", shown);
}

static void on_connection(void *arg, int linked, const char *who)
{
    const struct job *job = arg;
    const char *tag = "";
    const uint32_t pid = shl_observer_host(job->observer, &tag);
    char plain[160];

    if (job->json) {
        json_begin(job, linked ? "claimed" : "released");
        printf(", \"process\": %u", (unsigned)pid);
        json_text("tag", tag);
        json_end();
        return;
    }
    terminal_plain(who, plain, sizeof(plain));
    terminal_say("%9s  %s by %s", shl_places(seconds(job), 3).text,
                 linked ? "claimed" : "released", plain);
}

static void on_error(void *arg, shl_status status, const char *text)
{
    const struct job *job = arg;
    char plain[320];

    if (job->json) {
        json_begin(job, "error");
        json_text("word", shl_status_word(status));
        json_text("text", text);
        json_end();
        return;
    }
    terminal_plain(text, plain, sizeof(plain));
    terminal_say("%9s  error %s: %s", shl_places(seconds(job), 3).text,
                 shl_status_word(status), plain);
}

static void on_counter(void *arg, const char *name, uint64_t value)
{
    const struct job *job = arg;

    if (job->json) {
        json_begin(job, "counter");
        printf(", \"name\": \"%s\", \"value\": %llu", name,
               (unsigned long long)value);
        json_end();
        return;
    }
    terminal_say("%9s  counter %s %llu", shl_places(seconds(job), 3).text, name,
                 (unsigned long long)value);
}

static void on_level(void *arg, int out, uint32_t channel, float peak)
{
    struct job *job = arg;

    shl_peaks_keep(&job->peaks, out, channel, peak);
}

/* ---- levels, now and then ---------------------------------------------------------- */

static void add_levels(const struct job *job, int out, char *text, size_t size)
{
    size_t used = strlen(text);

    for (uint32_t c = 0; c < job->peaks.channels[out] && used < size; c++) {
        const float peak = job->peaks.peak[out][c];

        if (c == 0)
            used += (size_t)snprintf(text + used, size - used, " %s", way(out));
        if (used >= size)
            return;
        if (peak > 1e-6f)
            used += (size_t)snprintf(
                text + used, size - used, " %s",
                shl_places(20.0 * log10((double)peak), 1).text);
        else
            used += (size_t)snprintf(text + used, size - used, " -inf");
    }
}

static void json_levels(const struct job *job, int out)
{
    json_begin(job, "levels");
    printf(", \"host\": %s, \"channels\": [", out ? "true" : "false");
    for (uint32_t c = 0; c < job->peaks.channels[out]; c++)
        printf("%s%s", c ? ", " : "",
               shl_digits((double)job->peaks.peak[out][c], 6).text);
    printf("]");
    json_end();
}

static void show_levels(struct job *job)
{
    const uint64_t now = shl_clock_ns();
    char text[1024] = "levels";

    if (now - job->levels_ns < LEVELS_EVERY_NS)
        return;
    job->levels_ns = now;
    if (!job->peaks.channels[0] && !job->peaks.channels[1])
        return;
    add_levels(job, 1, text, sizeof(text));
    add_levels(job, 0, text, sizeof(text));
    for (int out = 1; out >= 0 && job->levels && job->json; out--)
        if (job->peaks.channels[out])
            json_levels(job, out);
    if (job->levels && !job->json)
        terminal_say("%9s  %s", shl_places(seconds(job), 3).text, text);
    else if (job->line)
        terminal_line(text);
    memset(&job->peaks, 0, sizeof(job->peaks));
}

/* ---- the command --------------------------------------------------------------------- */

/* Until the device is there; an exit code, or TOOL_GO_ON. */
static int open_observer(struct job *job, const struct shl_monitor *monitor)
{
    const uint64_t until = shl_clock_ns() + (uint64_t)(job->timeout_s * 1e9);
    struct shl_why why = {""};

    for (;;) {
        shl_status status =
            shl_observer_open(job->id, monitor, &job->observer, &why);

        if (!status)
            return TOOL_GO_ON;
        if (status != SHL_NOT_FOUND && status != SHL_AGAIN)
            return tool_refused(status, &why);
        if (shl_clock_ns() >= until || terminal_ended())
            return tool_refused(status, &why);
        shl_sleep_ms(LOOK_EVERY_MS);
    }
}

static int look_on(struct job *job)
{
    const uint64_t until = job->started_ns + (uint64_t)(job->for_s * 1e9);
    uint64_t now = job->started_ns;
    struct shl_why why = {""};

    while (!terminal_ended() && !ferror(stdout)) {
        shl_status status = shl_observer_poll(job->observer, &why);

        if (status == SHL_GONE) {
            if (job->json) {
                json_begin(job, "gone");
                json_end();
            } else if (!job->quiet) {
                terminal_say("%9s  %s", shl_places(seconds(job), 3).text,
                             why.text);
            }
            return TOOL_OK;
        }
        if (status)
            return tool_refused(status, &why);
        show_levels(job);
        fflush(stdout);
        now = shl_clock_ns();
        if (job->for_s > 0 && now >= until)
            break;
        terminal_sleep_until(now + (uint64_t)job->interval_ms * 1000000u);
    }
    return TOOL_OK;
}

static int monitor(struct job *job)
{
    SHL_RT_BEGIN("an observer calls it: no audio thread")
    const struct shl_monitor callbacks = {.arg = job,
                                          .message = on_message,
                                          .event = on_event,
                                          .level = on_level,
                                          .error = on_error,
                                          .connection = on_connection,
                                          .counter = on_counter};
    SHL_RT_END
    int result = open_observer(job, &callbacks);

    if (result != TOOL_GO_ON)
        return result;
    job->started_ns = job->levels_ns = shl_clock_ns();
    if (job->json) {
        json_begin(job, "begin");
        json_text("id", shl_observer_id(job->observer));
        json_end();
    } else if (!job->quiet) {
        terminal_say("%9s  looking at %s", "0.000",
                     shl_observer_id(job->observer));
    }
    job->line = !job->json && !job->quiet && terminal_is_one();
    result = look_on(job);
    shl_observer_close(job->observer);
    return result;
}

int tool_monitor(int argc, char **argv)
{
    struct job job = {.interval_ms = 20};
    const struct option options[] = {
        {.name = "timeout",
         .type = OPTION_REAL,
         .value = &job.timeout_s,
         .least = 0,
         .most = 86400,
         .argument = "S",
         .help = "seconds to wait for the device, default 0"},
        {.name = "for",
         .type = OPTION_REAL,
         .value = &job.for_s,
         .least = 0,
         .most = 86400,
         .argument = "S",
         .help = "end after so many seconds, default 0: do not"},
        {.name = "interval",
         .type = OPTION_WHOLE,
         .value = &job.interval_ms,
         .least = 1,
         .most = 1000,
         .argument = "MS",
         .help = "milliseconds between two looks, default 20"},
        {.name = "levels",
         .type = OPTION_FLAG,
         .value = &job.levels,
         .help = "a line with the levels, twice a second"},
        {.name = "json",
         .type = OPTION_FLAG,
         .value = &job.json,
         .help = "print JSON, an object per line"},
        {.name = "quiet",
         .letter = 'q',
         .type = OPTION_FLAG,
         .value = &job.quiet,
         .help = "no first and last line, no levels on a terminal"}};
    const struct command command = {
        .name = "monitor",
        .summary = "Looks at what goes over the link of a device.",
        .operand = "ID",
        .operand_value = &job.id,
        .options = options,
        .option_count = OPTION_COUNT(options),
        .more = monitor_more};
    int result = options_read(&command, argc, argv);

    if (result == TOOL_GO_ON)
        result = tool_check_id(job.id);
    if (result != TOOL_GO_ON)
        return result;
    if (!terminal_catch_end())
        return tool_refused(SHL_SYSTEM, NULL);
    return monitor(&job);
}
