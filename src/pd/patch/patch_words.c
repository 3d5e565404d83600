/* SPDX-License-Identifier: MIT */
/* The words in the box of a device or a return. */
#include "pd/patch/patch.h"

#include "pd/flags.h"

#include <stdio.h>
#include <string.h>

static void read_number(struct patch_words *words, struct replies *say,
                        double number)
{
    if (words->count >= 2 || number < 0 || number > SHL_MAX_CHANNELS ||
        number > (double)(uint32_t)number)
        replies_complain(say,
                         "%s: a device has 0 to %u inlets, then 0 to %u "
                         "outlets, and no other numbers",
                         shl_digits(number, 10).text, SHL_MAX_CHANNELS,
                         SHL_MAX_CHANNELS);
    else
        words->numbers[words->count++] = (uint32_t)number;
}

static void read_tag(struct patch_words *words, struct replies *say,
                     const t_atom *atom)
{
    const struct flags_zeros zeros = flags_dollar_zeros();
    struct shl_why why;
    char tag[256];

    atoms_text(atom, tag, sizeof tag);
    if (flags_tag_check(tag, &zeros, &why))
        snprintf(words->tag, sizeof words->tag, "%.63s", tag);
    else
        replies_complain(say, "-tag: %s", why.text);
}

static int is_kind(const t_atom *atom)
{
    const char *word =
        atom->a_type == A_SYMBOL ? atom->a_w.w_symbol->s_name : "";

    return strcmp(word, "-device") == 0 || strcmp(word, "-return") == 0;
}

static int has_name(int argc, const t_atom *argv)
{
    int i;

    for (i = 0; i < argc; i++) {
        if (argv[i].a_type != A_SYMBOL)
            continue;
        if (strcmp(argv[i].a_w.w_symbol->s_name, "-tag") == 0)
            i++;
        else if (argv[i].a_w.w_symbol->s_name[0] != '-')
            return 1;
    }
    return 0;
}

/* Where a number stands in the place of the name, and there is no other: its
 * index; else -1. */
static int number_for_name(int argc, const t_atom *argv)
{
    double number;
    int i;

    for (i = 0; i + 1 < argc && !has_name(argc, argv); i++) {
        if (is_kind(&argv[i]) && atoms_number(&argv[i + 1], &number))
            return i + 1;
    }
    return -1;
}

static void refuse_number(struct patch_words *words, struct replies *say,
                          double number)
{
    replies_complain(say,
                     "%s is a number, not a name: a device with this name "
                     "needs its number behind a colon: %s:0",
                     shl_digits(number, 10).text, shl_digits(number, 10).text);
    words->refused = 1;
}

/* The numbers behind it belong to it: returns how many. */
static int refuse_flag(struct replies *say, const char *flag, int argc,
                       const t_atom *argv)
{
    char numbers[80];
    double number;
    int count = 0;

    while (count < argc && atoms_number(&argv[count], &number))
        count++;
    atoms_words(count, argv, numbers, sizeof numbers);
    replies_complain(say,
                     "unknown flag %s: it is skipped%s%s; a patch as device "
                     "knows -slave and -tag",
                     flag, count ? ", with what is behind it: " : "",
                     count ? numbers : "");
    return count;
}

void patch_words_read(struct patch_words *words, struct replies *say, int argc,
                      const t_atom *argv)
{
    int i, no_name = number_for_name(argc, argv);
    char text[128];
    double number;

    for (i = 0; i < argc; i++) {
        if (i == no_name && atoms_number(&argv[i], &number)) {
            refuse_number(words, say, number);
            continue;
        }
        if (atoms_number(&argv[i], &number)) {
            read_number(words, say, number);
            continue;
        }
        atoms_text(&argv[i], text, sizeof text);
        if (is_kind(&argv[i]))
            words->is_return = text[1] == 'r';
        else if (strcmp(text, "-slave") == 0)
            words->slave = 1;
        else if (strcmp(text, "-tag") == 0 && i + 1 < argc)
            read_tag(words, say, &argv[++i]);
        else if (strcmp(text, "-tag") == 0)
            replies_complain(say, "-tag needs a word after it, the link tag: "
                                  "type -tag lead");
        else if (text[0] == '-')
            i += refuse_flag(say, text, argc - i - 1, argv + i + 1);
        else if (words->name[0])
            replies_complain(say,
                             "one name in a box, not both %s and %s: the "
                             "first is used",
                             words->name, text);
        else
            snprintf(words->name, sizeof words->name, "%s", text);
    }
}

int patch_wanted(int argc, const t_atom *argv)
{
    int i;

    for (i = 0; i < argc; i++) {
        if (is_kind(&argv[i]))
            return 1;
    }
    return 0;
}

int patch_words_name(struct replies *say, struct patch_words *words)
{
    char base[SHL_ID_SIZE], *name = words->name;
    struct shl_why why;
    int32_t number;

    if (!name[0]) {
        if (words->refused)
            return 0; /* and said */
        replies_complain(say, "-device and -return need a name after them");
        return 0;
    }
    if (shl_id_check(name, base, &number, &why) == SHL_OK)
        return 1;
    replies_complain(say, "%s", why.text);
    name[0] = '\0';
    return 0;
}
