/* SPDX-License-Identifier: MIT */
/* Kills a device at random moments while a host plays it: its start, its claim,
 * its blocks, its end. After each death nothing may be left, the host must go
 * on, and now and then the next device must be heard.
 *
 *   kill_device --count 30 --seed 1 -- shmlink device --id Live:0 ...
 */

/* shows MP-52 DL-13 */
#include "kill.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT_NS 10000000000u /* only something stuck is that slow */

static shl_host *host;
static float memory[2][64];
static float *const out[2] = {memory[0], memory[1]};
static uint32_t period_us = 100;
static uint64_t slowest_ns, heard_blocks, heard_lives, unlinked_lives;

static bool play(void)
{
    struct shl_event event = shl_event_midi(0, 0, 0x90, 60, 100);
    struct shl_notice notice;
    uint32_t offset;
    shl_host_send(host, &event, 0);
    uint64_t began = shl_clock_ns();
    bool heard = shl_host_process(host, NULL, out, 64);
    uint64_t took = shl_clock_ns() - began;
    slowest_ns = took > slowest_ns ? took : slowest_ns;
    heard_blocks += heard;
    while (shl_host_event(host, &event, &offset))
        ;
    shl_host_poll(host);
    while (shl_host_notice(host, &notice))
        ;
    return heard;
}

/* Play until the moment comes, or until the device is heard. One life in twenty
 * is found by polling alone, which is slower; in the others the host asks. */
static bool live(uint64_t until_ns, bool asks, bool until_heard)
{
    uint64_t due_ns = shl_clock_ns();
    bool heard = false;
    if (asks)
        shl_host_open(host, "Live:0", 0); /* gives up the dead one at once */
    while (shl_clock_ns() < until_ns && !(heard && until_heard)) {
        if (asks && !shl_host_linked(host))
            shl_host_open(host, "Live:0", 0);
        due_ns += period_us * UINT64_C(1000);
        heard |= play();
        do
            usleep(100);
        while (shl_clock_ns() < due_ns && period_us > 100);
    }
    return heard;
}

static const char *one(const struct kill_options *options, uint32_t n,
                       uint64_t *random)
{
    uint64_t r = peer_random(random);
    uint64_t moment_us =
        options->delay_us + (uint32_t)(r >> 8) % (options->spread_us + 1);
    uint64_t moment_ns = moment_us * 1000;
    pid_t victim = kill_start(options->command);
    bool heard, asks = n % 20 != 0;
    if (r % 3 && asks) {
        /* killed while it starts, links, or has just begun to play */
        heard = live(shl_clock_ns() + moment_ns, true, false);
    } else {
        /* every third must be heard, however many have died before it */
        heard = live(shl_clock_ns() + LIMIT_NS, asks, true);
        if (!heard)
            return "a device that was started again was not heard";
        live(shl_clock_ns() + moment_ns / 4, false, false);
    }
    heard_lives += heard;
    unlinked_lives += !shl_host_linked(host);
    if (!kill_now(victim))
        return "the device ended by itself";
    play();
    if (slowest_ns > LIMIT_NS)
        return "the host was stuck";
    return kill_left();
}

int main(int count, char **words)
{
    struct kill_options options = {.seed = 1, .spread_us = 15000};
    struct shl_host_options wish = {.out_channels = 2,
                                    .rate_hz = 48000,
                                    .block_frames = 64,
                                    .deadline_ms = 2};
    if (!kill_options_read(count, words, &options))
        return 2;
    uint64_t random = options.seed;
    if (options.period_us)
        period_us = options.period_us;
    peer_own_board();
    if (shl_host_new(&wish, &host))
        return 3;
    shl_host_open(host, "Live:0", 0);
    for (uint32_t n = 0; n < options.count; n++) {
        const char *fault = one(&options, n, &random);
        if (fault) {
            char why[256];
            shl_host_why(host, why, sizeof why);
            printf("the host: %s\n", why);
            printf("kill_device: life %u of %u, seed %llu: %s\n", n,
                   options.count, (unsigned long long)options.seed, fault);
            return 1;
        }
    }
    shl_host_free(host);
    printf("%u devices killed, seed %llu: %llu had been heard, %llu were not "
           "linked yet; %llu blocks heard, slowest call of the host %.1f ms\n",
           options.count, (unsigned long long)options.seed,
           (unsigned long long)heard_lives, (unsigned long long)unlinked_lives,
           (unsigned long long)heard_blocks, (double)slowest_ns / 1e6);
    return 0;
}
