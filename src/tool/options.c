/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "tool.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 32

static void print_option(const struct option *option)
{
    char left[64];
    char letter[5] = "";

    if (option->letter)
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
             option->argument ? " " : "",
             option->argument ? option->argument : "");
    printf("  %-22s %s", left, option->help);
    if (option->type == OPTION_WHOLE || option->type == OPTION_REAL)
        printf(" (%s to %s)", shl_digits(option->least, 10).text,
               shl_digits(option->most, 10).text);
    if (option->required)
        printf(", required");
    printf("\n");
}

static void print_help(const struct command *command)
{
    printf("usage: shmlink %s%s%s [options]\n\n%s\n", command->name,
           command->operand ? " " : "",
           command->operand ? command->operand : "", command->summary);
    printf("\noptions:\n");
    for (int i = 0; i < command->option_count; i++)
        print_option(&command->options[i]);
    printf("  %-22s this text\n", "-h, --help");
    if (command->more)
        printf("\n%s", command->more);
    printf("\nexit codes: 0 done; 1 what was asked for did not happen; "
           "2 wrong usage;\n3 the system refused (shared memory, files)\n"
           "SHMLINK_REGISTRY in the environment names a board of its own.\n");
}

__attribute__((format(printf, 2, 3))) static int
complain(const struct command *command, const char *format, ...)
{
    char sentence[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    tool_complain("%s: %s; see shmlink %s --help", command->name, sentence,
                  command->name);
    return TOOL_USAGE;
}

static int read_whole(const struct option *option, const char *text)
{
    char *end = NULL;

    if ((*text < '0' || *text > '9') && *text != '-' && *text != '+')
        return 0;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end)
        return 0;
    if ((double)number < option->least || (double)number > option->most)
        return 0;
    *(uint32_t *)option->value = (uint32_t)number;
    return 1;
}

static int read_real(const struct option *option, const char *text)
{
    const char *end = NULL;

    if (*text <= ' ')
        return 0;
    double number = shl_number_read(text, &end);
    if (end == text || *end || !isfinite(number))
        return 0;
    if (number < option->least || number > option->most)
        return 0;
    *(double *)option->value = number;
    return 1;
}

static int store(const struct command *command, const struct option *option,
                 const char *text)
{
    char range[160];
    int fits = 1;

    switch (option->type) {
    case OPTION_FLAG:
        *(int *)option->value = 1;
        return TOOL_GO_ON;
    case OPTION_TEXT:
        if (!*text)
            return complain(command, "--%s needs a value that is not empty",
                            option->name);
        *(const char **)option->value = text;
        return TOOL_GO_ON;
    case OPTION_WHOLE:
        fits = read_whole(option, text);
        break;
    case OPTION_REAL:
        fits = read_real(option, text);
        break;
    }
    if (fits)
        return TOOL_GO_ON;
    snprintf(
        range, sizeof(range), "--%s must be a %s from %s to %s", option->name,
        option->type == OPTION_WHOLE ? "whole number" : "number",
        shl_digits(option->least, 10).text, shl_digits(option->most, 10).text);
    return complain(command, "%s, not '%s'", range, text);
}

/* The row that `word` names (after --, up to an = sign), or NULL. */
static const struct option *find_long(const struct command *command,
                                      const char *word, size_t length)
{
    for (int i = 0; i < command->option_count; i++) {
        const char *name = command->options[i].name;

        if (strlen(name) == length && !memcmp(name, word, length))
            return &command->options[i];
    }
    return NULL;
}

static const struct option *find_letter(const struct command *command,
                                        const char *word)
{
    for (int i = 0; i < command->option_count; i++)
        if (command->options[i].letter == word[1] && !word[2])
            return &command->options[i];
    return NULL;
}

/* One option with its value; moves *index past what it used. */
static int read_option(const struct command *command, int argc, char **argv,
                       int *index, unsigned char *seen)
{
    const char *word = argv[*index];
    const char *equals = NULL;
    const struct option *option;

    if (word[1] == '-') {
        equals = strchr(word, '=');
        option =
            find_long(command, word + 2,
                      equals ? (size_t)(equals - word - 2) : strlen(word + 2));
    } else {
        option = find_letter(command, word);
    }
    if (!option)
        return complain(command, "there is no option '%s'", word);
    if (seen[option - command->options]++)
        return complain(command, "--%s is given twice", option->name);
    if (option->type == OPTION_FLAG) {
        if (equals)
            return complain(command, "--%s takes no value, not '%s'",
                            option->name, equals + 1);
        return store(command, option, "");
    }
    if (equals)
        return store(command, option, equals + 1);
    if (*index + 1 >= argc || !strncmp(argv[*index + 1], "--", 2))
        return complain(command, "--%s needs a value: %s", option->name,
                        option->argument);
    return store(command, option, argv[++*index]);
}

static int check_complete(const struct command *command,
                          const unsigned char *seen, const char *operand)
{
    for (int i = 0; i < command->option_count; i++)
        if (command->options[i].required && !seen[i])
            return complain(command, "--%s %s is missing",
                            command->options[i].name,
                            command->options[i].argument);
    if (command->operand && !operand)
        return complain(command, "%s is missing", command->operand);
    if (command->operand)
        *command->operand_value = operand;
    return TOOL_GO_ON;
}

int options_read(const struct command *command, int argc, char **argv)
{
    unsigned char seen[SEEN_MAX] = {0};
    const char *operand = NULL;

    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            print_help(command);
            return TOOL_OK;
        }
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1]) {
            int result = read_option(command, argc, argv, &i, seen);

            if (result != TOOL_GO_ON)
                return result;
        } else if (command->operand && !operand) {
            operand = argv[i];
        } else {
            return complain(command, "'%s' is one word too many", argv[i]);
        }
    }
    return check_complete(command, seen, operand);
}
