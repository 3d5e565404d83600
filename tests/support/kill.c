/* SPDX-License-Identifier: MIT */
#include "kill.h"

#include "core/board/board.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

bool kill_options_read(int count, char **words, struct kill_options *options)
{
    for (int i = 1; i < count; i += 2) {
        if (strcmp(words[i], "--") == 0) {
            options->command = words + i + 1;
            break;
        }
        uint64_t value = i + 1 < count ? strtoull(words[i + 1], NULL, 10) : 0;
        if (strcmp(words[i], "--count") == 0)
            options->count = (uint32_t)value;
        else if (strcmp(words[i], "--seed") == 0)
            options->seed = value;
        else if (strcmp(words[i], "--delay") == 0)
            options->delay_us = (uint32_t)value;
        else if (strcmp(words[i], "--spread") == 0)
            options->spread_us = (uint32_t)value;
        else if (strcmp(words[i], "--period") == 0)
            options->period_us = (uint32_t)value;
    }
    if (options->count && options->command && options->command[0])
        return true;
    printf("usage: %s --count N [--seed N] [--delay us] [--spread us] "
           "[--period us] -- command ...\n",
           words[0]);
    return false;
}

pid_t kill_start(char **command)
{
    pid_t pid;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        int quiet = open("/dev/null", O_RDWR);
        /* it must not outlive us, whatever happens */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(quiet, 0);
        dup2(quiet, 1);
        dup2(quiet, 2);
        execvp(command[0], command);
        _exit(127);
    }
    return pid;
}

bool kill_now(pid_t pid)
{
    int status = 0;
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        ;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* The name in a slot, whole or half written. */
static bool slot_name(const struct shl_board_view *view, uint32_t slot,
                      char name[SHL_SEGMENT_NAME_SIZE])
{
    struct shl_board_entry entry;
    const struct shl_board_slot *at = &view->board->slot[slot];
    uint64_t words[sizeof entry / 8];
    for (size_t i = 0; i < sizeof entry / 8; i++)
        words[i] =
            atomic_load_explicit(&at->seqlock.word[i], memory_order_relaxed);
    memcpy(&entry, words, sizeof entry);
    entry.segment[sizeof entry.segment - 1] = 0;
    memcpy(name, entry.segment, sizeof entry.segment);
    return shl_board_segment_name(name);
}

static bool slot_clean(const struct shl_board_view *view, uint32_t slot)
{
    const struct shl_board_slot *at = &view->board->slot[slot];
    for (size_t i = 0; i < sizeof(struct shl_board_entry) / 8; i++)
        if (atomic_load_explicit(&at->seqlock.word[i], memory_order_relaxed))
            return false;
    return !(atomic_load_explicit(&at->seqlock.sequence, memory_order_relaxed) &
             1);
}

/* A segment's name is on the board before the segment is there, so the board
 * knows all that the dead can have left. */
static const char *left_on(const struct shl_board_view *view)
{
    static char name[SHL_MAX_DEVICES][SHL_SEGMENT_NAME_SIZE];
    shl_registry *registry;
    bool named[SHL_MAX_DEVICES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < SHL_MAX_DEVICES; i++)
        named[i] = slot_name(view, i, name[i]);
    if (shl_registry_open(NULL, &registry, NULL))
        return "no registry";
    shl_status st = shl_registry_scan(registry, NULL, 0, &count);
    shl_registry_close(registry);
    if (st || count)
        return "a device that is dead is still shown";
    for (uint32_t i = 0; i < SHL_MAX_DEVICES; i++) {
        if (named[i] && peer_there(name[i]))
            return "a segment is left in shared memory";
        if (!slot_clean(view, i))
            return "a slot is not empty";
        if (shl_board_held(view, i))
            return "a slot is held by nobody alive";
    }
    return NULL;
}

const char *kill_left(void)
{
    struct shl_board_view view;
    if (shl_board_open(NULL, &view, NULL))
        return "no board";
    const char *left = left_on(&view);
    shl_board_close(&view);
    return left;
}
