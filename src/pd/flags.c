/* SPDX-License-Identifier: MIT */
#include "pd/flags.h"

#include "pd/saved.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_MAX 16384 /* frames that a stream holds */

struct reader {
    struct flags *flags;
    struct replies *replies;
    const t_atom *argv;
    int argc;
    int at;
    int numbers;
    struct flags_zeros zeros;
    int names_refused;
};

void flags_init(struct flags *flags)
{
    memset(flags, 0, sizeof *flags);
    flags->in_channels = 2;
    flags->out_channels = 2;
    flags->mode = SHL_MODE_BOTH;
    flags->onloss = SHL_HOST_FADE;
}

struct flags_zeros flags_dollar_zeros(void)
{
    struct flags_zeros zeros;

    zeros.count = saved_dollar_zeros(zeros.number, FLAGS_ZEROS);
    return zeros;
}

/* Whether the number stands in the tag as a whole one. */
static int has_number(const char *tag, int number)
{
    char text[16];
    const char *found;
    size_t length;

    snprintf(text, sizeof text, "%d", number);
    length = strlen(text);
    for (found = strstr(tag, text); found; found = strstr(found + 1, text)) {
        int before = found > tag && found[-1] >= '0' && found[-1] <= '9';
        int after = found[length] >= '0' && found[length] <= '9';

        if (!before && !after)
            return 1;
    }
    return 0;
}

int flags_tag_check(const char *tag, const struct flags_zeros *zeros,
                    struct shl_why *why)
{
    int i;

    if (shl_tag_check(tag, why))
        return 0;
    for (i = 0; i < zeros->count; i++) {
        if (!has_number(tag, zeros->number[i]))
            continue;
        snprintf(why->text, sizeof why->text,
                 "the tag %s is made from $0, which is another number in "
                 "each session: use a name that stays the same",
                 tag);
        return 0;
    }
    return 1;
}

/* The word after a flag, or NULL with a line that names the flag and an example. */
static const t_atom *next_word(struct reader *reader, const char *flag,
                               const char *what, const char *example)
{
    const t_atom *next =
        reader->at + 1 < reader->argc ? &reader->argv[reader->at + 1] : NULL;

    if (!next ||
        (next->a_type == A_SYMBOL && next->a_w.w_symbol->s_name[0] == '-')) {
        replies_complain(reader->replies,
                         "%s needs a word after it, %s: type %s %s", flag, what,
                         flag, example);
        return NULL;
    }
    return &reader->argv[++reader->at];
}

/* A word that a flag does not take; the flag is as if it were not there. */
static void refuse_word(struct reader *reader, const char *flag,
                        const t_atom *word, const char *takes,
                        const char *example)
{
    char text[64];

    atoms_text(word, text, sizeof text);
    replies_complain(reader->replies, "%s: takes %s, not %s: type %s %s", flag,
                     takes, text, flag, example);
}

static void refuse_count(struct reader *reader, const char *flag,
                         const t_atom *word, const char *what, uint32_t most,
                         const char *example)
{
    char takes[80];

    snprintf(takes, sizeof takes, "%s from 1 to %u", what, (unsigned)most);
    refuse_word(reader, flag, word, takes, example);
}

static void read_tag(struct reader *reader)
{
    const t_atom *word = next_word(reader, "-tag", "the link tag", "lead");
    struct shl_why why;
    char tag[256];

    if (!word)
        return;
    atoms_text(word, tag, sizeof tag);
    if (flags_tag_check(tag, &reader->zeros, &why))
        snprintf(reader->flags->tag, sizeof reader->flags->tag, "%.63s", tag);
    else
        replies_complain(reader->replies, "-tag: %s", why.text);
}

static void read_deadline(struct reader *reader)
{
    const t_atom *word =
        next_word(reader, "-d", "the deadline of a block, ms", "2");
    double ms;

    if (!word)
        return;
    if (atoms_number(word, &ms) && ms >= 0 && ms <= 1000) {
        reader->flags->deadline_ms = (uint32_t)ms;
        if ((double)reader->flags->deadline_ms < ms)
            reader->flags->deadline_ms++;
    } else {
        refuse_word(reader, "-d", word,
                    "milliseconds from 0 (half a block) to 1000", "2");
    }
}

static void read_block(struct reader *reader)
{
    const t_atom *word =
        next_word(reader, "-block", "the block for the device, frames", "256");
    double frames;

    if (!word)
        return;
    if (atoms_number(word, &frames) && frames >= 1 &&
        frames <= SHL_MAX_FRAMES && frames <= (double)(uint32_t)frames)
        reader->flags->block_frames = (uint32_t)frames;
    else
        refuse_count(reader, "-block", word, "a whole number of frames",
                     SHL_MAX_FRAMES, "256");
}

static void read_onloss(struct reader *reader)
{
    static const char *const words[] = {"fade", "silence", "dry", "hold"};
    const t_atom *word =
        next_word(reader, "-onloss", "fade, silence, dry or hold", "fade");
    char text[64];
    int i;

    if (!word)
        return;
    atoms_text(word, text, sizeof text);
    for (i = 0; i < 4; i++) {
        if (strcmp(text, words[i]) == 0) {
            reader->flags->onloss = (enum shl_host_onloss)i;
            return;
        }
    }
    refuse_word(reader, "-onloss", word, "fade, silence, dry or hold", "fade");
}

static void read_drive(struct reader *reader)
{
    const t_atom *word =
        next_word(reader, "-drive", "lockstep, pipelined or free", "free");
    char text[64];

    if (!word)
        return;
    atoms_text(word, text, sizeof text);
    if (strcmp(text, "lockstep") == 0)
        reader->flags->drive = SHL_DRIVE_LOCKSTEP;
    else if (strcmp(text, "pipelined") == 0)
        reader->flags->drive = SHL_DRIVE_PIPELINED;
    else if (strcmp(text, "free") == 0)
        reader->flags->drive = SHL_DRIVE_FREE;
    else
        refuse_word(reader, "-drive", word, "lockstep, pipelined or free",
                    "free");
}

static void read_mode(struct reader *reader)
{
    const t_atom *word =
        next_word(reader, "-mode", "both, audio or midi", "midi");
    char text[64];
    uint32_t mode;

    if (!word)
        return;
    atoms_text(word, text, sizeof text);
    for (mode = SHL_MODE_BOTH; mode <= SHL_MODE_MIDI; mode *= 2) {
        if (strcmp(text, shl_mode_name(mode)) == 0) {
            reader->flags->mode = mode;
            return;
        }
    }
    refuse_word(reader, "-mode", word, "both, audio or midi", "midi");
}

static void read_latency(struct reader *reader)
{
    const t_atom *word = next_word(reader, "-latency",
                                   "frames each way in the free drive", "1024");
    double frames;

    if (!word)
        return;
    if (atoms_number(word, &frames) && frames >= 1 && frames <= LATENCY_MAX &&
        frames <= (double)(uint32_t)frames)
        reader->flags->latency_frames = (uint32_t)frames;
    else
        refuse_count(reader, "-latency", word, "a whole number of frames",
                     LATENCY_MAX, "1024");
}

static void read_program(struct reader *reader)
{
    const t_atom *word =
        next_word(reader, "-host", "the program that runs plugins", "shmplug");

    if (word)
        atoms_text(word, reader->flags->program, sizeof reader->flags->program);
}

static void read_protocol(struct reader *reader)
{
    const t_atom *word =
        next_word(reader, "-protocol", "the Maolan protocol number", "8");
    double number;

    if (!word)
        return;
    if (atoms_number(word, &number) && number >= 3 && number <= 8 &&
        number <= (double)(uint32_t)number)
        reader->flags->protocol = (uint32_t)number;
    else
        refuse_word(reader, "-protocol", word, "a whole number from 3 to 8",
                    "8");
}

static void read_patience(struct reader *reader)
{
    const t_atom *word = next_word(reader, "-patience",
                                   "seconds for a program to get ready", "20");
    double seconds;

    if (!word)
        return;
    if (atoms_number(word, &seconds) && seconds >= 1 &&
        seconds <= SHL_PATIENCE_MOST)
        reader->flags->patience_s = (uint32_t)seconds;
    else
        refuse_count(reader, "-patience", word, "seconds", SHL_PATIENCE_MOST,
                     "20");
}

/* The flags of plugin programs, in a box and after open. */
static int read_plugin_flag(struct reader *reader, const char *flag)
{
    if (strcmp(flag, "-host") == 0)
        read_program(reader);
    else if (strcmp(flag, "-protocol") == 0)
        read_protocol(reader);
    else if (strcmp(flag, "-patience") == 0)
        read_patience(reader);
    else if (strcmp(flag, "-w") == 0)
        reader->flags->again = 1;
    else
        return 0;
    return 1;
}

int flags_is_plugin(const char *name)
{
    const char *colon = strchr(name, ':');

    return colon && colon > name &&
           (!colon[1] || colon[1 + strspn(colon + 1, "0123456789")]);
}

/* Flags that other hosts know, and what to say about them; NULL: nothing. */
static const struct {
    const char *flag;
    const char *note;
} accepted[] = {
    {"-n", NULL},
    {"-e", NULL},
    {"-p", NULL},
    {"-s", NULL},
    {"-b", "every device has a process of its own, always"},
    {"-sp", "samples cross the link in single precision, always"},
    {"-dp", "samples cross the link in single precision, always"},
};

static int read_accepted(struct reader *reader, const char *flag)
{
    size_t i;

    for (i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        if (strcmp(flag, accepted[i].flag))
            continue;
        if (accepted[i].note)
            replies_note(reader->replies, "%s: %s", flag, accepted[i].note);
        return 1;
    }
    return 0;
}

/* The numbers behind a flag that is refused belong to it, and are no channels. */
static void refuse_flag(struct reader *reader, const char *before,
                        const char *flag, const char *known)
{
    int first = reader->at + 1, count = 0;
    char numbers[80];
    double number;

    while (first + count < reader->argc &&
           atoms_number(&reader->argv[first + count], &number))
        count++;
    reader->at += count;
    atoms_words(count, reader->argv + first, numbers, sizeof numbers);
    replies_complain(reader->replies,
                     "%sunknown flag %s: it is skipped%s%s; the flags are %s",
                     before, flag, count ? ", with what is behind it: " : "",
                     count ? numbers : "", known);
}

static void read_flag(struct reader *reader, const char *flag)
{
    if (strcmp(flag, "-t") == 0)
        reader->flags->drive = SHL_DRIVE_PIPELINED;
    else if (strcmp(flag, "-tag") == 0)
        read_tag(reader);
    else if (strcmp(flag, "-d") == 0)
        read_deadline(reader);
    else if (strcmp(flag, "-block") == 0)
        read_block(reader);
    else if (strcmp(flag, "-onloss") == 0)
        read_onloss(reader);
    else if (strcmp(flag, "-drive") == 0)
        read_drive(reader);
    else if (strcmp(flag, "-mode") == 0)
        read_mode(reader);
    else if (strcmp(flag, "-latency") == 0)
        read_latency(reader);
    else if (strcmp(flag, "-resample") == 0)
        reader->flags->resample = 1;
    else if (strcmp(flag, "-must") == 0)
        reader->flags->must = 1;
    else if (strcmp(flag, "-render") == 0)
        reader->flags->render = 1;
    else if (!read_plugin_flag(reader, flag) && !read_accepted(reader, flag))
        refuse_flag(reader, "", flag,
                    "-t -tag -d -block -onloss -drive -mode -latency "
                    "-resample -must -render -host -protocol -patience -w");
}

static void read_name(struct reader *reader, const char *text)
{
    struct flags *flags = reader->flags;

    if (reader->names_refused)
        return;
    if (!flags->device[0]) {
        snprintf(flags->device, sizeof flags->device, "%s", text);
        return;
    }
    replies_complain(reader->replies,
                     "one device in a box, not both %s and %s: write a space "
                     "in a name as _ or \\ and a space",
                     flags->device, text);
    flags->device[0] = '\0';
    reader->names_refused = 1;
}

static void read_channels(struct reader *reader, double number)
{
    uint32_t *count = reader->numbers ? &reader->flags->out_channels
                                      : &reader->flags->in_channels;
    const char *what = reader->numbers ? "outlets" : "inlets";

    if (reader->numbers++ >= 2) {
        replies_complain(reader->replies,
                         "too many numbers: %s is left out: a box takes a "
                         "device, the number of inlets and the number of "
                         "outlets",
                         shl_digits(number, 10).text);
        return;
    }
    if (number >= 0 && number <= SHL_MAX_CHANNELS) {
        *count = (uint32_t)number;
        if ((double)*count < number)
            replies_complain(
                reader->replies, "%s %s is no whole number: %u are made",
                shl_digits(number, 10).text, what, (unsigned)*count);
        return;
    }
    *count = number < 0 ? 0 : SHL_MAX_CHANNELS;
    replies_complain(reader->replies,
                     "%s %s: a link has 0 to %u each way, so it gets %u "
                     "(a device with this name needs its number: %s:0)",
                     shl_digits(number, 10).text, what, SHL_MAX_CHANNELS,
                     (unsigned)*count, shl_digits(number, 10).text);
}

void flags_read(struct flags *flags, struct replies *replies, int argc,
                const t_atom *argv)
{
    struct reader reader = {.flags = flags,
                            .replies = replies,
                            .argv = argv,
                            .argc = argc,
                            .zeros = flags_dollar_zeros()};
    double number;
    char text[REPLIES_NAME];

    for (; reader.at < argc; reader.at++) {
        if (atoms_number(&argv[reader.at], &number)) {
            read_channels(&reader, number);
            continue;
        }
        atoms_text(&argv[reader.at], text, sizeof text);
        if (text[0] == '-' && text[1])
            read_flag(&reader, text);
        else
            read_name(&reader, text);
    }
}

/* One flag after open, and its word if it takes one. */
static int open_flag(struct reader *reader)
{
    const t_atom *atom = &reader->argv[reader->at];
    char flag[128];

    if (atom->a_type != A_SYMBOL)
        return 0;
    atoms_text(atom, flag, sizeof flag);
    if (flag[0] != '-' || !flag[1])
        return 0;
    if (strcmp(flag, "-t") == 0)
        reader->flags->drive = SHL_DRIVE_PIPELINED;
    else if (!read_plugin_flag(reader, flag) && !read_accepted(reader, flag))
        refuse_flag(reader, "open: ", flag,
                    "-e -t -p -b -host -protocol -patience -w");
    return 1;
}

/* The first word that is no flag must be a name. */
static int open_name(struct flags *flags, const t_atom *atom,
                     struct shl_why *why)
{
    double number;

    if (atoms_number(atom, &number)) {
        snprintf(why->text, sizeof why->text,
                 "%s is a number, not a device: a device with this name "
                 "needs its number in front of a colon: open %s:0",
                 shl_digits(number, 10).text, shl_digits(number, 10).text);
        return 0;
    }
    if (!atoms_is_word(atom)) {
        snprintf(why->text, sizeof why->text,
                 "open takes a name, such as MySynth:0, and this number is "
                 "none");
        return 0;
    }
    atoms_text(atom, flags->device, sizeof flags->device);
    return 1;
}

int flags_read_open(struct flags *flags, struct replies *replies, int argc,
                    const t_atom *argv, struct shl_why *why)
{
    struct reader reader = {
        .flags = flags, .replies = replies, .argv = argv, .argc = argc};
    char text[REPLIES_NAME];
    double async;
    int words = 0;

    flags->device[0] = '\0';
    for (; reader.at < argc; reader.at++) {
        const t_atom *atom = &argv[reader.at];
        if (open_flag(&reader))
            continue;
        atoms_text(atom, text, sizeof text);
        if (words++ == 0) {
            if (!open_name(flags, atom, why))
                return 0;
        } else if (atom->a_type == A_SYMBOL) {
            snprintf(why->text, sizeof why->text,
                     "one device, not both %.40s and %.40s: write a space in "
                     "a name as _ or \\ and a space",
                     flags->device, text);
            return 0;
        } else if (words > 2 || !atoms_whole(atom, 0, 1, &async)) {
            replies_complain(replies,
                             "open: %s is left out: behind the name only async "
                             "may stand, 0 or 1",
                             text);
        }
    }
    if (words)
        return 1;
    snprintf(why->text, sizeof why->text,
             "open needs a device: open MySynth:0, or open * for any");
    return 0;
}
