/* SPDX-License-Identifier: MIT */
/* What the commands of the program `shmlink` share: their names, their exit
 * codes, and how they complain. */
#ifndef TOOL_H
#define TOOL_H

#include "shmlink/shmlink-plugin.h"

/** Exit codes, the same for every command and told by its --help. */
enum tool_exit {
    TOOL_OK = 0,
    TOOL_NO = 1,     /* what was asked for did not happen, or a damaged file */
    TOOL_USAGE = 2,  /* wrong usage */
    TOOL_SYSTEM = 3, /* the system refused */
    TOOL_GO_ON = -1  /* no exit: the command is to be carried out */
};

/* The commands. argv[0] is the command's name. */
int tool_list(int argc, char **argv);
int tool_watch(int argc, char **argv);
int tool_wait(int argc, char **argv);
int tool_clean(int argc, char **argv);
int tool_why(int argc, char **argv);
int tool_device(int argc, char **argv);
int tool_host(int argc, char **argv);
int tool_monitor(int argc, char **argv);

/** One line on stderr: "shmlink: " and the sentence. */
__attribute__((format(printf, 1, 2))) void tool_complain(const char *format,
                                                         ...);

/** Complain with the core's sentence, or with the status's own where it is
 * empty, and turn the status into an exit code. */
int tool_refused(shl_status status, const struct shl_why *why);

/** Check what the user gave as an id: TOOL_GO_ON, or complain. `*` and names
 * without a number pass. */
int tool_check_id(const char *id);
int tool_check_tag(const char *tag);

/** Transport modes, one or (`many`) several with commas between; a NULL text
 * leaves them as they are. TOOL_GO_ON, or complain of the option. */
int tool_read_modes(const char *option, const char *text, int many,
                    uint32_t *modes);

/** Drives, likewise. */
int tool_read_drives(const char *option, const char *text, int many,
                     uint32_t *drives);

#endif
