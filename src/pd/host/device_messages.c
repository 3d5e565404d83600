/* SPDX-License-Identifier: MIT */
/* What the device says by message, unasked: lines for the console, programs it
 * changed to, MIDI without a time. */
#include "pd/host/shmlink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEWS_MAX   256      /* that wait to be told */
#define NEWS_BYTES 33554432 /* of all of them */
#define LINE_MS    1000     /* at most LINES on the console in that time */
#define LINES      10

struct news {
    struct news *next;
    uint32_t type;
    size_t size;
    uint8_t bytes[];
};

/* ---- taking: while the core polls, which must not be disturbed ------------------ */

int device_messages_take(void *arg, const struct shl_received *message)
{
    t_shmlink *x = arg;
    struct news *news;

    if (message->type != SHL_MESSAGE_LOG &&
        message->type != SHL_MESSAGE_PROGRAM_SET &&
        message->type != SHL_MESSAGE_MIDI_RAW)
        return 0;
    if (x->x_posts_count == NEWS_MAX ||
        x->x_posts_bytes + message->size > NEWS_BYTES ||
        !(news = malloc(sizeof *news + message->size))) {
        x->x_posts_lost++;
        return 1;
    }
    news->next = NULL;
    news->type = message->type;
    news->size = message->size;
    if (message->size)
        memcpy(news->bytes, message->bytes, message->size);
    if (x->x_posts_last)
        x->x_posts_last->next = news;
    else
        x->x_posts = news;
    x->x_posts_last = news;
    x->x_posts_count++;
    x->x_posts_bytes += message->size;
    return 1;
}

static struct news *next_news(t_shmlink *x)
{
    struct news *news = x->x_posts;

    if (!news)
        return NULL;
    x->x_posts = news->next;
    if (!x->x_posts)
        x->x_posts_last = NULL;
    x->x_posts_count--;
    x->x_posts_bytes -= news->size;
    return news;
}

void device_messages_forget(t_shmlink *x)
{
    struct news *news;

    while ((news = next_news(x)))
        free(news);
}

/* ---- telling ----------------------------------------------------------------------- */

/* A device that talks without end does not fill the console. */
static int may_print(t_shmlink *x)
{
    if (clock_gettimesince(x->x_lines_since) > LINE_MS) {
        if (x->x_lines > LINES)
            replies_note(&x->x_say,
                         "%u more lines of the device were not "
                         "shown here",
                         (unsigned)(x->x_lines - LINES));
        x->x_lines = 0;
        x->x_lines_since = clock_getlogicaltime();
    }
    return x->x_lines++ < LINES;
}

static void tell_log(t_shmlink *x, const struct news *news)
{
    static const char *const words[] = {"error", "warning", "note"};
    struct shl_unpack unpack = shl_unpack_from(news->bytes, news->size);
    uint32_t level = shl_unpack_u32(&unpack);
    char text[512];
    t_atom atoms[2];

    shl_unpack_text(&unpack, text, sizeof text);
    if (unpack.bad) {
        x->x_posts_lost++;
        return;
    }
    shl_text_clean(text, sizeof text);
    if (level > 2)
        level = 2;
    if (may_print(x)) {
        if (level == 0)
            replies_complain(&x->x_say, "the device says: %s", text);
        else
            replies_note(&x->x_say, "the device says: %s", text);
    }
    atoms_set_text(&atoms[0], words[level]);
    atoms_set_text(&atoms[1], text);
    replies_send(&x->x_say, "log", 2, atoms);
}

static void tell_program(t_shmlink *x, const struct news *news)
{
    struct shl_unpack unpack = shl_unpack_from(news->bytes, news->size);
    uint32_t number = shl_unpack_u32(&unpack);

    if (unpack.bad) {
        x->x_posts_lost++;
        return;
    }
    shl_host_refresh(x->x_host);
    replies_number(&x->x_say, "program", number);
}

/* Bytes as they come; SysEx in one message, however long. */
static void tell_midi(t_shmlink *x, const struct news *news)
{
    size_t i, count = news->size > 4 ? news->size - 4 : 0;
    t_atom *atoms = count ? getbytes(count * sizeof *atoms) : NULL;

    if (!atoms) {
        x->x_posts_lost++;
        return;
    }
    for (i = 0; i < count; i++)
        atoms_set_number(&atoms[i], news->bytes[i + 4]);
    replies_send(&x->x_say, news->bytes[4] == 0xf0 ? "sysex" : "midi",
                 (int)count, atoms);
    freebytes(atoms, count * sizeof *atoms);
}

static void tell_lost(t_shmlink *x)
{
    uint64_t count = x->x_posts_lost - x->x_posts_lost_told;

    if (!count)
        return;
    x->x_posts_lost_told = x->x_posts_lost;
    replies_error(&x->x_say, gensym("log"), SHL_RING_FULL,
                  "messages of the device that were too many, too long or "
                  "not as they must be: %s",
                  shl_places((double)count, 0).text);
}

void device_messages_tell(t_shmlink *x)
{
    struct news *news;

    while ((news = next_news(x))) {
        if (news->type == SHL_MESSAGE_LOG)
            tell_log(x, news);
        else if (news->type == SHL_MESSAGE_PROGRAM_SET)
            tell_program(x, news);
        else
            tell_midi(x, news);
        free(news);
    }
    tell_lost(x);
}
