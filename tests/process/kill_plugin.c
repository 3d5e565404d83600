/* SPDX-License-Identifier: MIT */
/* Kills a plugin program at random moments while a host of ours starts and plays
 * it: its start, its link, its blocks. The host must go on, the next program
 * must be heard, and at last nothing may be left: no process, no descriptor, no
 * segment.
 *
 *   kill_plugin --count 30 --seed 1 -- ./shmplug builtin:synth 0
 */

/* shows MP-52 ME-01 */
#include "kill.h"

#include "core/os/platform.h"
#include "shmlink/host.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_NS 30000000000u /* only something stuck is that slow */

static shl_host *host;
static float memory[2][64];
static float *const out[2] = {memory[0], memory[1]};
static uint64_t killed_starting, killed_playing, ended_before, heard_blocks;

/* ---- what there is -------------------------------------------------------------- */

/* Whichever thread has started it; 0: there is none. */
static pid_t child(void)
{
    DIR *threads = opendir("/proc/self/task");
    struct dirent *thread;
    long pid = 0;

    while (threads && pid <= 0 && (thread = readdir(threads))) {
        char path[300];
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/children",
                 thread->d_name);
        file = thread->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file && fscanf(file, "%ld", &pid) != 1)
            pid = 0;
        if (file)
            fclose(file);
    }
    if (threads)
        closedir(threads);
    return (pid_t)pid;
}

static int descriptors(void)
{
    DIR *all = opendir("/proc/self/fd");
    int count = 0;

    while (all && readdir(all))
        count++;
    if (all)
        closedir(all);
    return count;
}

static void see_segment(const char *name, uint64_t age_s, void *arg)
{
    unsigned pid;

    (void)age_s;
    if (sscanf(name, "/maolan-%u-", &pid) == 1 && pid == (unsigned)getpid())
        ++*(int *)arg;
}

/* ---- one life --------------------------------------------------------------------- */

static bool play(void)
{
    struct shl_event event = shl_event_midi(0, 0, 0x90, 60, 100);
    struct shl_notice notice;
    uint32_t offset;
    bool heard;

    shl_host_send(host, &event, 0);
    heard = shl_host_process(host, NULL, out, 64) != 0;
    heard_blocks += heard;
    while (shl_host_event(host, &event, &offset))
        ;
    shl_host_poll(host);
    while (shl_host_notice(host, &notice))
        ;
    return heard;
}

/* Until the moment, until it is heard, or until it is gone. */
static bool live(uint64_t until_ns, bool until_heard)
{
    bool heard = false;

    while (shl_clock_ns() < until_ns && !(heard && until_heard)) {
        heard |= play();
        usleep(100);
    }
    return heard;
}

static const char *one(const struct kill_options *options, uint64_t *random)
{
    const struct shl_host_program what = {
        options->command[1], options->command[0],
        (uint32_t)strtoul(options->command[2], NULL, 10), 0, 0};
    const uint64_t r = peer_random(random);
    const uint64_t moment_ns =
        (options->delay_us + (r >> 8) % (options->spread_us + 1)) * 1000;
    const bool must_be_heard = r % 3 == 0;
    bool heard;
    pid_t pid;

    shl_host_spawn(host, &what, 0);
    heard = live(shl_clock_ns() + (must_be_heard ? LIMIT_NS : moment_ns),
                 must_be_heard);
    if (must_be_heard && !heard)
        return "a program that was started was not heard";
    if (must_be_heard)
        live(shl_clock_ns() + moment_ns / 4, false);
    pid = child();
    if (pid > 0)
        kill(pid, SIGKILL);
    ended_before += pid <= 0; /* or has not begun */
    killed_playing += pid > 0 && heard;
    killed_starting += pid > 0 && !heard;
    for (int i = 0; i < 3; i++)
        play();
    return NULL;
}

/* The host is gone: its programs, too. */
static const char *left(int before)
{
    uint64_t until_ns = shl_clock_ns() + LIMIT_NS;
    int segments = 0;

    while (shl_host_programs() && shl_clock_ns() < until_ns)
        usleep(1000);
    if (shl_host_programs())
        return "a program is still kept";
    if (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD)
        return "a process is left";
    shl_map_each("/maolan-", see_segment, &segments);
    if (segments)
        return "a segment is left in shared memory";
    return descriptors() == before ? NULL : "a descriptor is left open";
}

int main(int count, char **words)
{
    struct kill_options options = {.seed = 1, .spread_us = 30000};
    struct shl_host_options wish = {.out_channels = 2,
                                    .rate_hz = 48000,
                                    .block_frames = 64,
                                    .deadline_ms = 5};
    const char *fault = NULL;
    int before;

    if (!kill_options_read(count, words, &options) || !options.command[1] ||
        !options.command[2])
        return 2;
    uint64_t random = options.seed;
    peer_own_board();
    before = descriptors();
    if (shl_host_new(&wish, &host))
        return 3;
    for (uint32_t n = 0; n < options.count && !fault; n++) {
        fault = one(&options, &random);
        if (fault) {
            char why[256];
            shl_host_why(host, why, sizeof why);
            printf("the host: %s\n", why);
            printf("kill_plugin: life %u of %u, seed %llu\n", n, options.count,
                   (unsigned long long)options.seed);
        }
    }
    shl_host_free(host);
    if (!fault)
        fault = left(before);
    if (fault) {
        printf("kill_plugin: %s\n", fault);
        return 1;
    }
    printf("%u plugin programs (%s), seed %llu: %llu killed while they "
           "started, %llu while they played, %llu not there yet; %llu blocks "
           "heard\n",
           options.count, options.command[1], (unsigned long long)options.seed,
           (unsigned long long)killed_starting,
           (unsigned long long)killed_playing, (unsigned long long)ended_before,
           (unsigned long long)heard_blocks);
    return 0;
}
