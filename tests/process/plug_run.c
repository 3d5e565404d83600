/* SPDX-License-Identifier: MIT */
/* A DAW in a program, for scripts: starts a plugin program and does what its
 * arguments say.
 *
 *   plug_run [--protocol N] [--inherit] PROGRAM FORMAT SPEC [SIZES ..] -- WORD ..
 *
 *   --inherit   gives it all four ends of the pipes, as the DAWs in use do
 *   ready       waits until it is ready
 *   blocks=N    has it play N blocks of 64 frames, two channels
 *   block       has one begun, and does not wait for its end
 *   end         asks it to end; eof: closes the doorbell; cut: cuts the segment
 *   term        sends it SIGTERM
 *   mark        prints the first word of the scratch area
 *   die         dies by SIGKILL itself, the plugin program's pid printed
 *
 * Prints a line for each word, and at last `exit N`, `signal N`, or `stuck`. */
#define _GNU_SOURCE 1

#include "fake_daw.h"

#include "core/os/platform.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 60000
#define BELL        3
#define NEWS        4

static struct fake_daw daw;
static pid_t child;
static int ended, status;

static bool has_ended(void)
{
    if (!ended && waitpid(child, &status, WNOHANG) == child)
        ended = 1;
    return ended;
}

static void keep_over_exec(int from, int to)
{
    if (from == to)
        fcntl(to, F_SETFD, 0);
    else
        dup2(from, to);
}

/* The ends go out of the way first, so that none is overwritten. */
static void give_pipes(bool all)
{
    const int bell = fcntl(daw.doorbell[0], F_DUPFD_CLOEXEC, 10);
    const int news = fcntl(daw.answer[1], F_DUPFD_CLOEXEC, 10);
    const int others[] = {
        fcntl(daw.doorbell[1], all ? F_DUPFD : F_DUPFD_CLOEXEC, 10),
        fcntl(daw.answer[0], all ? F_DUPFD : F_DUPFD_CLOEXEC, 10)};

    (void)others;
    keep_over_exec(bell, BELL);
    keep_over_exec(news, NEWS);
}

static void start(char **words, int count, bool inherit)
{
    char *line[16] = {words[0], words[1], words[2]};
    char bell[8], news[8], instance[] = "clap-1-0";

    child = fork();
    if (child)
        return;
    snprintf(bell, sizeof bell, "%d", BELL);
    snprintf(news, sizeof news, "%d", NEWS);
    line[3] = daw.name;
    line[4] = instance;
    line[5] = bell;
    line[6] = news;
    for (int i = 3; i < count && i < 10; i++)
        line[4 + i] = words[i];
    give_pipes(inherit);
    execv(words[0], line);
    _exit(127);
}

static void wait_ready(void)
{
    bool over = false;

    /* it may have been ready before it ended */
    for (int ms = 0; ms < PATIENCE_MS && !over; ms++) {
        over = has_ended();
        if (fake_daw_word(&daw, daw.maolan.layout->ready)) {
            puts("ready");
            return;
        }
        shl_sleep_ms(1);
    }
    puts("not ready");
}

/* Ring for a block, and see that the byte is taken. */
static void begin_block(void)
{
    int left = 1;

    fake_daw_block(&daw, 64, 2, 2);
    for (int ms = 0; ms < PATIENCE_MS && left && !has_ended(); ms++) {
        if (ioctl(daw.doorbell[1], FIONREAD, &left))
            return;
        shl_sleep_ms(1);
    }
}

/* One block, unless it ends. */
static bool play(void)
{
    struct pollfd look = {.fd = daw.answer[0], .events = POLLIN};
    uint8_t byte;

    fake_daw_block(&daw, 64, 2, 2);
    for (int ms = 0; ms < PATIENCE_MS && !has_ended(); ms += 10)
        if (poll(&look, 1, 10) == 1)
            return read(daw.answer[0], &byte, 1) == 1;
    return false;
}

static void play_many(unsigned long count)
{
    unsigned long played = 0;

    while (played < count && play())
        played++;
    printf("blocks %lu\n", played);
}

static void shut(int *fd)
{
    close(*fd);
    *fd = -1;
}

static void die(void)
{
    printf("child %d\n", (int)child);
    fflush(stdout);
    shm_unlink(daw.name);
    raise(SIGKILL);
}

static void obey(const char *word)
{
    uint32_t mark;

    if (!strcmp(word, "ready")) {
        wait_ready();
    } else if (!strncmp(word, "blocks=", 7)) {
        play_many(strtoul(word + 7, NULL, 10));
    } else if (!strcmp(word, "block")) {
        begin_block();
    } else if (!strcmp(word, "end")) {
        fake_daw_set(&daw, daw.maolan.layout->shutdown_request, 1);
        fake_daw_ring(&daw);
    } else if (!strcmp(word, "eof")) {
        shut(&daw.doorbell[1]);
    } else if (!strcmp(word, "cut")) {
        if (ftruncate(daw.fd, 0))
            perror("cut");
        fake_daw_ring(&daw);
    } else if (!strcmp(word, "term")) {
        kill(child, SIGTERM);
    } else if (!strcmp(word, "mark")) {
        memcpy(&mark, fake_daw_scratch(&daw), sizeof mark);
        printf("mark %X\n", mark);
    } else if (!strcmp(word, "die")) {
        die();
    }
    fflush(stdout);
}

static int tell_end(void)
{
    for (int ms = 0; ms < PATIENCE_MS && !has_ended(); ms++)
        shl_sleep_ms(1);
    if (!ended) {
        puts("stuck");
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    } else if (WIFSIGNALED(status)) {
        printf("signal %d\n", WTERMSIG(status));
    } else {
        printf("exit %d\n", WEXITSTATUS(status));
    }
    fake_daw_close(&daw);
    return 0;
}

int main(int argc, char **argv)
{
    uint32_t protocol = 3;
    bool inherit = false;
    int at = 1, words;

    signal(SIGPIPE, SIG_IGN);
    for (; at < argc && argv[at][0] == '-' && argv[at][1] == '-'; at++) {
        if (!strcmp(argv[at], "--inherit"))
            inherit = true;
        else if (!strcmp(argv[at], "--protocol") && at + 1 < argc)
            protocol = (uint32_t)strtoul(argv[++at], NULL, 10);
    }
    for (words = at; words < argc && strcmp(argv[words], "--"); words++)
        continue;
    if (words - at < 3 || words == argc ||
        !fake_daw_open(&daw, protocol, SHL_MAOLAN_SIZE))
        return 2;
    start(argv + at, words - at, inherit);
    shut(&daw.doorbell[0]);
    shut(&daw.answer[1]);
    for (int i = words + 1; i < argc; i++)
        obey(argv[i]);
    return tell_end();
}
