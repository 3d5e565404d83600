/* SPDX-License-Identifier: MIT */
/* What is known of a device, as `info key value` lines: the same for
 * [shmlink~] and [shmreg]. */
#ifndef PD_SHEET_H
#define PD_SHEET_H

#include "pd/replies.h"

/** All lines that describe the device itself; no end marker. */
void device_info_tell(struct replies *replies,
                      const struct shl_device_info *info, const char *state);

/** The same of the plugin in a program that we have started, `what` being what
 * was opened: "clap:/path/file.clap::id". */
void device_info_tell_plugin(struct replies *replies,
                             const struct shl_device_info *info,
                             const char *state, const char *what);

/** Look a device up on the board and tell of it, with `info_done 1` or the
 * error and `info_done 0`. */
void device_info_look_up(struct replies *replies, t_symbol *selector,
                         const char *id);

/** The board, opened anew so that a board that was replaced is seen; NULL and
 * the error, with the reply `failed 0`. Close it with shl_registry_close. */
shl_registry *device_info_board(struct replies *replies, t_symbol *selector,
                                const char *failed);

#endif
