/* SPDX-License-Identifier: MIT */
#include "pd/observers.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define LOOK_MS    20
#define TAKE_MS    10
#define LEVELS_NS  100000000u
#define NEWS_MAX   100 /* of one observer at once, besides levels */
#define TEXT_BYTES 160

enum device_messages_kind {
    NEWS_EVENT,
    NEWS_MESSAGE,
    NEWS_CONNECTION,
    NEWS_COUNTER,
    NEWS_ERROR
};

struct news {
    enum device_messages_kind kind;
    int out; /* connection: linked */
    union {
        struct shl_event event;
        struct {
            uint32_t type, size;
        } message;
        struct {
            uint32_t pid;
            char tag[SHL_TAG_SIZE];
        } host;
        struct {
            const char *name;
            uint64_t value;
        } counter;
        struct {
            shl_status status;
            char text[TEXT_BYTES];
        } error;
    };
};

/* What one observer saw until the scheduler takes it. */
struct report {
    t_symbol *id;
    uint32_t count, left_out;
    struct news news[NEWS_MAX];
    struct shl_peaks peaks; /* no channels: none to tell */
    shl_status ended;
    char why[TEXT_BYTES];
};

struct look {
    t_symbol *asked; /* as the user wrote it, as well as the report's id */
    shl_observer *observer;
    struct shl_monitor monitor;
    uint64_t levels_ns;
    struct shl_peaks peaks; /* since they were reported */
    struct report report;
    /* stored by the worker with release when the report is whole, by the
     * scheduler with release when it is taken; each loads it with acquire */
    _Atomic uint32_t full;
};

struct observers {
    struct replies *say;
    t_clock *clock;
    shl_worker *worker; /* while it runs, the list below stays as it is */
    struct look *look[SHL_MAX_DEVICES];
    uint32_t count;
    uint32_t changes; /* of the list */
};

/* ---- the worker: what an observer tells ------------------------------------------ */

static struct news *add(struct report *report, enum device_messages_kind kind,
                        int out)
{
    struct news *news = &report->news[report->count];

    if (report->count == NEWS_MAX) {
        report->left_out++;
        return NULL;
    }
    report->count++;
    news->kind = kind;
    news->out = out;
    return news;
}

static void on_event(void *arg, int out, const struct shl_event *event)
{
    struct look *look = arg;
    struct news *news = add(&look->report, NEWS_EVENT, out);

    if (news)
        news->event = *event;
}

static void on_message(void *arg, int out, const struct shl_received *message)
{
    struct look *look = arg;
    struct news *news = add(&look->report, NEWS_MESSAGE, out);

    if (!news)
        return;
    news->message.type = message->type;
    news->message.size = message->size;
}

static void on_connection(void *arg, int linked, const char *who)
{
    struct look *look = arg;
    struct news *news = add(&look->report, NEWS_CONNECTION, linked);
    const char *tag = "";
    (void)who;

    if (!news)
        return;
    news->host.pid = shl_observer_host(look->observer, &tag);
    snprintf(news->host.tag, sizeof news->host.tag, "%s", tag);
}

static void on_counter(void *arg, const char *name, uint64_t value)
{
    struct look *look = arg;
    struct news *news = add(&look->report, NEWS_COUNTER, 0);

    if (!news)
        return;
    news->counter.name = name;
    news->counter.value = value;
}

static void on_error(void *arg, shl_status status, const char *text)
{
    struct look *look = arg;
    struct news *news = add(&look->report, NEWS_ERROR, 0);

    if (!news)
        return;
    news->error.status = status;
    snprintf(news->error.text, sizeof news->error.text, "%s", text);
}

static void on_level(void *arg, int out, uint32_t channel, float peak)
{
    struct look *look = arg;

    shl_peaks_keep(&look->peaks, out, channel, peak);
}

static void report_levels(struct look *look)
{
    uint64_t now = shl_clock_ns();

    if (now - look->levels_ns < LEVELS_NS)
        return;
    look->levels_ns = now;
    look->report.peaks = look->peaks;
    memset(&look->peaks, 0, sizeof look->peaks);
}

static void look_on(struct look *look)
{
    struct report *report = &look->report;
    struct shl_why why;

    /* acquire: the scheduler has read the last report */
    if (report->ended ||
        atomic_load_explicit(&look->full, memory_order_acquire))
        return;
    report->count = report->left_out = 0;
    report->peaks.channels[0] = report->peaks.channels[1] = 0;
    report->ended = shl_observer_poll(look->observer, &why);
    if (report->ended)
        snprintf(report->why, sizeof report->why, "%.*s", TEXT_BYTES - 1,
                 why.text);
    report_levels(look);
    /* release: the report is whole before the scheduler can see it */
    if (report->count || report->peaks.channels[0] ||
        report->peaks.channels[1] || report->ended)
        atomic_store_explicit(&look->full, 1, memory_order_release);
}

static void look_at_all(void *arg)
{
    struct observers *observers = arg;
    uint32_t i;

    for (i = 0; i < observers->count; i++)
        look_on(observers->look[i]);
}

/* ---- telling ------------------------------------------------------------------- */

static t_symbol *way(int out)
{
    return gensym(out ? "out" : "in");
}

static int event_atoms(const struct shl_event *event, t_atom *atoms)
{
    static const char *const kinds[] = {"param", "param_mod", "gesture_begin",
                                        "gesture_end"};
    uint8_t bytes[3];
    uint32_t i, count;
    char word[16];

    if (event->kind >= SHL_EVENT_PARAM &&
        event->kind <= SHL_EVENT_GESTURE_END) {
        SETSYMBOL(&atoms[0], gensym(kinds[event->kind - SHL_EVENT_PARAM]));
        atoms_set_number(&atoms[1], shl_event_id(event));
        atoms_set_number(&atoms[2], shl_event_value(event));
        return 3;
    }
    if (event->kind != SHL_EVENT_UMP) {
        SETSYMBOL(&atoms[0], gensym("kind"));
        atoms_set_number(&atoms[1], event->kind);
        return 2;
    }
    count = shl_ump_to_midi(event->data, bytes);
    SETSYMBOL(&atoms[0], gensym(count ? "midi" : "ump"));
    for (i = 0; i < count; i++)
        atoms_set_number(&atoms[1 + i], bytes[i]);
    if (count)
        return 1 + (int)count;
    /* as words: a float of Pd does not hold 32 bits */
    for (i = 0; i < event->size / 4u && i < 4; i++) {
        snprintf(word, sizeof word, "0x%08x", (unsigned)event->data[i]);
        SETSYMBOL(&atoms[1 + i], gensym(word));
    }
    return 1 + (int)i;
}

static void tell_event(struct replies *say, t_symbol *id,
                       const struct news *news)
{
    t_atom atoms[10];

    SETSYMBOL(&atoms[0], id);
    SETSYMBOL(&atoms[1], way(news->out));
    atoms_set_number(&atoms[2], (double)news->event.frame);
    replies_send(say, "event", 3 + event_atoms(&news->event, atoms + 3), atoms);
}

static void tell_message(struct replies *say, t_symbol *id,
                         const struct news *news)
{
    const struct shl_message_about *about =
        shl_message_get_about(news->message.type);
    t_atom atoms[3];

    SETSYMBOL(&atoms[0], id);
    if (about)
        SETSYMBOL(&atoms[1], gensym(about->name));
    else
        atoms_set_number(&atoms[1], news->message.type);
    atoms_set_number(&atoms[2], news->message.size);
    replies_send(say, news->out ? "command" : "response", 3, atoms);
}

static void tell_connection(struct replies *say, t_symbol *id,
                            const struct news *news)
{
    t_atom atoms[4];

    SETSYMBOL(&atoms[0], id);
    atoms_set_number(&atoms[1], news->out);
    atoms_set_number(&atoms[2], news->host.pid);
    SETSYMBOL(&atoms[3], atoms_name_or_dash(news->host.tag));
    replies_send(say, "connection", 4, atoms);
}

static void tell_counter(struct replies *say, t_symbol *id,
                         const struct news *news)
{
    t_atom atoms[3];

    SETSYMBOL(&atoms[0], id);
    SETSYMBOL(&atoms[1], gensym(news->counter.name));
    atoms_set_number(&atoms[2], (double)news->counter.value);
    replies_send(say, "counter", 3, atoms);
}

static void tell_news(struct replies *say, t_symbol *id,
                      const struct news *news)
{
    switch (news->kind) {
    case NEWS_EVENT:
        tell_event(say, id, news);
        break;
    case NEWS_MESSAGE:
        tell_message(say, id, news);
        break;
    case NEWS_CONNECTION:
        tell_connection(say, id, news);
        break;
    case NEWS_COUNTER:
        tell_counter(say, id, news);
        break;
    case NEWS_ERROR:
        replies_error_quiet(say, gensym("monitor"), news->error.status,
                            news->error.text);
        break;
    }
}

static void tell_levels(struct replies *say, const struct report *report,
                        int out)
{
    t_atom atoms[4];
    uint32_t c;

    SETSYMBOL(&atoms[0], report->id);
    SETSYMBOL(&atoms[1], way(out));
    for (c = 0; c < report->peaks.channels[out]; c++) {
        atoms_set_number(&atoms[2], c + 1);
        atoms_set_number(&atoms[3], (double)report->peaks.peak[out][c]);
        replies_send(say, "level", 4, atoms);
    }
}

static void tell_id_number(struct replies *say, const char *selector,
                           t_symbol *id, double number)
{
    t_atom atoms[2];

    SETSYMBOL(&atoms[0], id);
    atoms_set_number(&atoms[1], number);
    replies_send(say, selector, 2, atoms);
}

static void tell_report(struct replies *say, const struct report *report)
{
    uint32_t i;

    for (i = 0; i < report->count; i++)
        tell_news(say, report->id, &report->news[i]);
    tell_levels(say, report, 1);
    tell_levels(say, report, 0);
    if (report->left_out)
        tell_id_number(say, "left_out", report->id, report->left_out);
}

/* ---- the list -------------------------------------------------------------------- */

static void stop(struct observers *observers)
{
    shl_worker_free(observers->worker);
    observers->worker = NULL;
    observers->changes++;
}

/* Go on looking, if there is anything to look at. */
static shl_status go_on(struct observers *observers)
{
    if (observers->count == 0) {
        clock_unset(observers->clock);
        return SHL_OK;
    }
    clock_delay(observers->clock, TAKE_MS);
    return shl_worker_new(look_at_all, observers, LOOK_MS, &observers->worker);
}

static void look_free(struct look *look)
{
    shl_observer_close(look->observer);
    freebytes(look, sizeof *look);
}

static int find(const struct observers *observers, t_symbol *name)
{
    uint32_t i;

    for (i = 0; i < observers->count; i++)
        if (observers->look[i]->report.id == name ||
            observers->look[i]->asked == name)
            return (int)i;
    return -1;
}

static void remove_look(struct observers *observers, int index)
{
    shl_status status;

    stop(observers);
    look_free(observers->look[index]);
    observers->look[index] = observers->look[--observers->count];
    status = go_on(observers);
    if (status)
        replies_error(observers->say, gensym("monitor"), status,
                      "monitor: %s: the others are not looked at any more",
                      shl_status_text(status));
}

/* The device left, or its segment makes no sense any more. */
static void tell_end(struct observers *observers, const struct report *report)
{
    t_atom id;

    SETSYMBOL(&id, report->id);
    if (report->ended == SHL_GONE)
        replies_send(observers->say, "gone", 1, &id);
    else
        replies_error(observers->say, gensym("monitor"), report->ended,
                      "monitor: %s", report->why);
    tell_id_number(observers->say, "monitor", report->id, 0);
}

/* What is told may lead to messages that change the list, so it is told from a
 * copy, and the rest of the list waits then. */
static int take(struct observers *observers, struct look *look)
{
    struct report *copy = getbytes(sizeof *copy);
    uint32_t changes = observers->changes;

    if (!copy)
        return 1;
    *copy = look->report;
    /* release: the worker may write the next one */
    atomic_store_explicit(&look->full, 0, memory_order_release);
    if (copy->ended)
        remove_look(observers, find(observers, copy->id));
    tell_report(observers->say, copy);
    if (copy->ended)
        tell_end(observers, copy);
    freebytes(copy, sizeof *copy);
    return changes == observers->changes;
}

static void observers_take(struct observers *observers)
{
    uint32_t i;

    clock_delay(observers->clock, TAKE_MS);
    for (i = 0; i < observers->count; i++) {
        struct look *look = observers->look[i];

        /* acquire: the report is whole */
        if (atomic_load_explicit(&look->full, memory_order_acquire) &&
            !take(observers, look))
            return;
    }
}

/* ---- the message --------------------------------------------------------------------- */

static shl_status look_new(t_symbol *asked, const char *id, struct look **made,
                           struct shl_why *why)
{
    struct look *look = getbytes(sizeof *look);
    shl_status status;

    if (!look) {
        snprintf(why->text, sizeof why->text, "%s",
                 shl_status_text(SHL_NO_MEMORY));
        return SHL_NO_MEMORY;
    }
    memset(look, 0, sizeof *look);
    look->asked = asked;
    look->monitor = (struct shl_monitor){.arg = look,
                                         .message = on_message,
                                         .event = on_event,
                                         .level = on_level,
                                         .error = on_error,
                                         .connection = on_connection,
                                         .counter = on_counter};
    status = shl_observer_open(id, &look->monitor, &look->observer, why);
    if (status) {
        freebytes(look, sizeof *look);
        return status;
    }
    look->report.id = atoms_name(shl_observer_id(look->observer));
    *made = look;
    return SHL_OK;
}

static void begin(struct observers *observers, t_symbol *selector,
                  const char *id)
{
    t_symbol *asked = atoms_name(id);
    struct look *look = NULL;
    struct shl_why why = {"64 devices are looked at already"};
    shl_status status = SHL_BOARD_FULL;
    int known = find(observers, asked);

    if (known < 0 && observers->count < SHL_MAX_DEVICES)
        status = look_new(asked, id, &look, &why);
    if (look && find(observers, look->report.id) >= 0) {
        known = find(observers, look->report.id);
        look_free(look); /* by another name */
        look = NULL;
    }
    if (look) {
        stop(observers);
        observers->look[observers->count++] = look;
        status = go_on(observers);
        if (status) {
            snprintf(why.text, sizeof why.text, "%s", shl_status_text(status));
            observers->count--;
            look_free(look);
            go_on(observers);
        }
    }
    if (known >= 0 || !status) {
        tell_id_number(observers->say, "monitor",
                       known >= 0
                           ? observers->look[known]->report.id
                           : observers->look[observers->count - 1]->report.id,
                       1);
        return;
    }
    tell_id_number(observers->say, "monitor", asked, 0);
    replies_error(observers->say, selector, status, "monitor: %s", why.text);
}

void observers_message(struct observers *observers, t_symbol *selector,
                       int argc, t_atom *argv)
{
    char id[128];
    double on;
    int index;
    t_symbol *name;

    if (argc != 2 || !atoms_is_word(argv) ||
        !atoms_whole(&argv[1], 0, 1, &on)) {
        replies_refuse(observers->say, selector, argc, argv,
                       "one device, and 1 or 0", "MySynth:0 1");
        return;
    }
    atoms_text(argv, id, sizeof id);
    if (on > 0 || on < 0) {
        begin(observers, selector, id);
        return;
    }
    name = atoms_name(id);
    index = find(observers, name);
    if (index >= 0) {
        name = observers->look[index]->report.id;
        remove_look(observers, index);
    }
    tell_id_number(observers->say, "monitor", name, 0);
}

/* ---- life -------------------------------------------------------------------------------- */

struct observers *observers_new(struct replies *replies)
{
    struct observers *observers = getbytes(sizeof *observers);

    if (!observers)
        return NULL;
    memset(observers, 0, sizeof *observers);
    observers->say = replies;
    observers->clock = clock_new(observers, (t_method)observers_take);
    return observers;
}

void observers_free(struct observers *observers)
{
    uint32_t i;

    if (!observers)
        return;
    shl_worker_free(observers->worker);
    clock_free(observers->clock);
    for (i = 0; i < observers->count; i++)
        look_free(observers->look[i]);
    freebytes(observers, sizeof *observers);
}
