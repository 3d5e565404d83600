/* SPDX-License-Identifier: MIT */
/* Command lines by table: one row per option serves for reading, checking and
 * --help, so the three cannot drift apart. Accepts `--id X` and `--id=X`. */
#ifndef TOOL_OPTIONS_H
#define TOOL_OPTIONS_H

enum option_type {
    OPTION_FLAG,  /* int: set to 1 */
    OPTION_TEXT,  /* const char *: not empty */
    OPTION_WHOLE, /* uint32_t, from least to most */
    OPTION_REAL   /* double, from least to most */
};

struct option {
    const char *name; /* without -- */
    char letter;      /* for -q, or 0 */
    enum option_type type;
    void *value; /* what it is stored to, holding the default */
    double least, most;
    const char *argument; /* how --help calls the value */
    const char *help;
    int required;
};

struct command {
    const char *name;
    const char *summary; /* one line */
    const char *operand; /* "ID", or NULL: takes none */
    const char **operand_value;
    const struct option *options;
    int option_count;
    const char *more; /* further text for --help, or NULL */
};

#define OPTION_COUNT(options) ((int)(sizeof(options) / sizeof((options)[0])))

/** Read a command line. TOOL_GO_ON: carry it out. Otherwise the exit code:
 * --help was printed, or one sentence named what is wrong. */
int options_read(const struct command *command, int argc, char **argv);

#endif
