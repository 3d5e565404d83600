/* SPDX-License-Identifier: MIT */
/* A board for one test, and what the tests of board and registry ask of it. */
#ifndef BOARDS_H
#define BOARDS_H

#include "core/board/board.h"
#include "core/shm/segment.h"
#include "shmlink/registry.h"

extern char registry[16]; /* its name, as SHMLINK_REGISTRY has it */
extern char board[64];    /* the same as a file */

/** For cmocka: a board of our own, and its removal. */
int board_set_up(void **state);
int board_tear_down(void **state);

#define BOARD_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, board_set_up, board_tear_down)

/** Whether this is the long run. */
bool board_soak(void);

/** A plain identity. */
struct shl_identity board_identity(const char *id);

/** Sit down; whether that got this id. */
bool board_sit(struct shl_registration *registration, const char *wish,
               const char *got);

/** A view, or the end of the program. */
struct shl_board_view board_view(void);

/** Whether there is a shared memory object of this name. */
bool board_exists(const char *name);

/** Slots that are not empty or that somebody holds. */
uint32_t board_used(void);

/** Sweep all slots; how many were cleared. */
uint32_t board_sweep(void);

/** A device of this process: registration and segment, no thread. */
struct board_registered {
    struct shl_registration registration;
    struct shl_segment segment;
};

/** Be one and end it, or the end of the program. */
void board_start(struct board_registered *device, const char *wish);
void board_stop(struct board_registered *device);

/** Our board as everybody sees it, or the end of the program. */
shl_registry *board_registry(void);

/** A job for child_start: be a device of this id, without a sound. */
int board_device(void *id);

#endif
