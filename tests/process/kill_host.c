/* SPDX-License-Identifier: MIT */
/* Kills a host at random moments while it plays a device: after each death the
 * device must have let go of everything that sounded, and the next host must be
 * heard at once.
 *
 *   kill_host --count 30 --seed 1 -- shmlink host --id Live:0 ...
 */

/* shows MP-52 DL-24 */
#include "kill.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT_MS 10000 /* only something stuck is that slow */

static struct peer *device;
static uint64_t lives_with_notes, lives_claimed, looked_alone;

static bool eventually(const _Atomic uint32_t *word, uint32_t wanted)
{
    for (int i = 0; i < LIMIT_MS; i++) {
        if (atomic_load(word) == wanted)
            return true;
        usleep(1000);
    }
    return false;
}

/* A host of our own: linked, heard, and the first thing that the device did
 * was to end what the dead one had left. */
static const char *next_host(void)
{
    struct peer_report *report = peer_report(device);
    struct shl_host_options wish = {.out_channels = 1,
                                    .rate_hz = 48000,
                                    .block_frames = 64,
                                    .deadline_ms = 1000};
    float sound[64];
    float *const out[1] = {sound};
    const char *fault = NULL;
    shl_host *host;
    if (shl_host_new(&wish, &host))
        return "no host could be made";
    if (shl_host_open(host, "Live:0", LIMIT_MS))
        fault = "the device could not be claimed by the next host";
    else if (!shl_host_process(host, NULL, out, 64))
        fault = "the next host did not hear the device";
    else if (atomic_load(&report->held))
        fault = "the device held on to what a dead host had played";
    shl_host_free(host);
    return fault;
}

static const char *one(const struct kill_options *options, uint32_t n,
                       uint64_t *random)
{
    struct peer_report *report = peer_report(device);
    uint64_t r = peer_random(random);
    uint32_t ons = report->ons, fresh = report->fresh_blocks;
    pid_t victim = kill_start(options->command);
    usleep(options->delay_us + (uint32_t)(r >> 8) % (options->spread_us + 1));
    if (!kill_now(victim))
        return "the host ended by itself";
    lives_with_notes += report->ons > ons;
    lives_claimed += report->fresh_blocks > fresh;
    /* sometimes nobody comes, and the device notices by itself */
    if (n % 10 == 0) {
        looked_alone++;
        if (!eventually(&report->held, 0))
            return "the device did not let go by itself";
    }
    return next_host();
}

int main(int count, char **words)
{
    struct kill_options options = {.seed = 1, .spread_us = 15000};
    struct peer_wish wish = {.id = "Live:0", .out = 1};
    const char *fault = NULL;
    if (!kill_options_read(count, words, &options))
        return 2;
    uint64_t random = options.seed;
    peer_own_board();
    device = peer_start(&wish);
    for (uint32_t n = 0; n < options.count && !fault; n++) {
        fault = one(&options, n, &random);
        if (fault)
            printf("kill_host: life %u of %u, seed %llu: %s\n", n,
                   options.count, (unsigned long long)options.seed, fault);
    }
    uint32_t blocks = peer_report(device)->blocks;
    peer_free(device);
    if (!fault && lives_with_notes * 4 < options.count)
        fault = "too few hosts lived until they played: give --delay";
    if (!fault)
        fault = kill_left();
    if (fault) {
        printf("kill_host: %s\n", fault);
        return 1;
    }
    printf("%u hosts killed, seed %llu: %llu had claimed, %llu had played "
           "notes, %llu let go without a next host; %u blocks\n",
           options.count, (unsigned long long)options.seed,
           (unsigned long long)lives_claimed,
           (unsigned long long)lives_with_notes,
           (unsigned long long)looked_alone, blocks);
    return 0;
}
