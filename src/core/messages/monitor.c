/* SPDX-License-Identifier: MIT */
#include "shmlink/monitor.h"

#include "shmlink/number.h"

#include <math.h>
#include <stdio.h>

#define LOUD  0.01f
#define EVERY 1000u

void shl_monitor_levels(const struct shl_monitor *monitor, int out,
                        const float *const *planes, uint32_t channels,
                        uint32_t frames)
{
    if (!monitor->level)
        return;
    for (uint32_t c = 0; c < channels; c++) {
        float peak = 0;

        for (uint32_t i = 0; i < frames; i++)
            peak = fmaxf(peak, fabsf(planes[c][i]));
        monitor->level(monitor->arg, out, c, peak);
    }
}

void shl_peaks_keep(struct shl_peaks *peaks, int out, uint32_t channel,
                    float peak)
{
    if (channel >= sizeof peaks->peak[0] / sizeof peaks->peak[0][0])
        return;
    if (channel >= peaks->channels[out])
        peaks->channels[out] = channel + 1;
    if (peak > peaks->peak[out][channel])
        peaks->peak[out][channel] = peak;
}

/* ---- the console ------------------------------------------------------------ */

static const char *way(int out)
{
    return out ? "->" : "<-";
}

static void say(struct shl_console *console, const char *text)
{
    console->line(console->arg, text);
}

static void show_message(void *arg, int out, const struct shl_received *message)
{
    const struct shl_message_about *about =
        shl_message_get_about(message->type);
    char text[128];

    snprintf(text, sizeof text, "%s message %s (%u), id %08x, %u bytes%s",
             way(out), about ? about->name : "unknown", (unsigned)message->type,
             (unsigned)message->request, (unsigned)message->size,
             message->asks ? ", asks" : "");
    say(arg, text);
}

static void show_event(void *arg, int out, const struct shl_event *event)
{
    char text[128];

    if (event->kind == SHL_EVENT_UMP)
        snprintf(text, sizeof text, "%s event at %llu, UMP %08x %08x", way(out),
                 (unsigned long long)event->frame, (unsigned)event->data[0],
                 event->size > 4 ? (unsigned)event->data[1] : 0);
    else
        snprintf(text, sizeof text, "%s event at %llu, kind %u, id %u",
                 way(out), (unsigned long long)event->frame,
                 (unsigned)event->kind, (unsigned)event->data[0]);
    say(arg, text);
}

static void show_level(void *arg, int out, uint32_t channel, float peak)
{
    struct shl_console *console = arg;
    char text[64];

    if (!(peak >= LOUD) || console->levels++ % EVERY)
        return;
    snprintf(text, sizeof text, "%s level of channel %u: %s", way(out),
             (unsigned)channel + 1, shl_places((double)peak, 3).text);
    say(console, text);
}

static void show_error(void *arg, shl_status status, const char *text)
{
    char line[320];

    snprintf(line, sizeof line, "error %s: %.280s", shl_status_word(status),
             text);
    say(arg, line);
}

static void show_connection(void *arg, int linked, const char *who)
{
    char text[128];

    snprintf(text, sizeof text, "%s %.100s", linked ? "linked with" : "left",
             who);
    say(arg, text);
}

void shl_monitor_console(struct shl_console *console,
                         void (*line)(void *arg, const char *text), void *arg)
{
    SHL_RT_BEGIN("who asks for lines wants them, also from the audio thread")
    *console = (struct shl_console){.monitor = {.arg = console,
                                                .message = show_message,
                                                .event = show_event,
                                                .level = show_level,
                                                .error = show_error,
                                                .connection = show_connection},
                                    .line = line,
                                    .arg = arg};
    SHL_RT_END
}
