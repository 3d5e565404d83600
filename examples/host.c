/* SPDX-License-Identifier: MIT */
/* A host in one file: plays four notes on a device and prints the level of each
 * tenth of a second. Usage: host [ID] */
#include <shmlink/shmlink.h>

#include <math.h>
#include <stdio.h>

#define BLOCK 64
#define RATE  48000

int main(int argc, char **argv)
{
    static const uint8_t keys[] = {60, 64, 67, 72};
    const struct shl_host_options options = {
        .out_channels = 2, .rate_hz = RATE, .block_frames = BLOCK, .batch = 1};
    float left[BLOCK], right[BLOCK];
    float *const out[] = {left, right};
    struct shl_host_stats stats;
    double sum = 0;
    shl_host *host;
    char why[256];

    if (shl_host_new(&options, &host))
        return 1;
    if (shl_host_open(host, argc > 1 ? argv[1] : "Example", 5000)) {
        shl_host_why(host, why, sizeof(why));
        fprintf(stderr, "%s\n", why);
        shl_host_free(host);
        return 1;
    }
    for (uint32_t block = 0; block < 3 * RATE / BLOCK; block++) {
        const uint32_t half = block / 375, beat = block % 375;

        if (half < 4 && (beat == 0 || beat == 300)) {
            const struct shl_event event =
                shl_event_midi(0, 0, beat == 0 ? 0x90 : 0x80, keys[half], 100);
            shl_host_send(host, &event, 10); /* at its eleventh sample */
        }
        shl_host_process(host, NULL, out, BLOCK);
        for (int i = 0; i < BLOCK; i++)
            sum += (double)left[i] * (double)left[i];
        if (block % 75 == 74) {
            printf("%.1f s  %.4f\n", (block + 1) * BLOCK / (double)RATE,
                   sqrt(sum / (75 * BLOCK)));
            sum = 0;
        }
    }
    shl_host_get_stats(host, &stats);
    shl_host_free(host);
    return stats.missed > 0;
}
