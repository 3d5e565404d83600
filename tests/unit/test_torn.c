/* SPDX-License-Identifier: MIT */
/* A transport is never seen half: its words are plain, and whose turn it is says
 * who may touch them, also where one side gives the other's block up. */
#include "shmlink/shmlink.h"

#include "core/device/device_state.h"
#include "core/maolan/maolan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 8000u
#define FRAMES 16u

static shl_device *device;
static shl_host *host;
static pthread_t thread;
static _Atomic uint32_t quit, seen, torn;

/* Two sets that have no word in common. */
static void fill(struct shl_transport *t, uint32_t n)
{
    const uint32_t other = n & 1;

    t->frame = other ? UINT64_C(0x1111111100000000) : 7;
    t->tempo = other ? 60 : 181.25;
    t->beats = other ? 1e9 : 0.5;
    t->numerator = other ? 3 : 11;
    t->denominator = other ? 4 : 16;
    t->playing = other;
}

static int is_whole(const struct shl_transport *t)
{
    struct shl_transport wanted = *t;

    fill(&wanted, t->numerator == 3);
    return t->frame == wanted.frame && !(t->tempo < wanted.tempo) &&
           !(t->tempo > wanted.tempo) && !(t->beats < wanted.beats) &&
           !(t->beats > wanted.beats) && t->denominator == wanted.denominator &&
           t->playing == wanted.playing;
}

/* The words themselves must stand as they are until the block is answered:
 * whoever reads them has all this time. */
static int still_is(const struct shl_transport *told)
{
    const struct shl_transport now = shl_maolan_transport_read(
        device->segment.transport, device->identity.rate_hz);

    return is_whole(&now) && now.numerator == told->numerator;
}

static void *play(void *arg)
{
    struct shl_block block;
    uint32_t n = 0;

    (void)arg;
    while (!atomic_load(&quit)) {
        const shl_status status = shl_device_wait(device, 20, &block);

        if (status != SHL_OK)
            continue;
        if (block.frames) {
            atomic_fetch_add(&seen, 1);
            atomic_fetch_add(&torn, !is_whole(&block.transport));
        }
        if (++n % 1000 == 0)
            usleep(30000); /* until it is given up, and longer */
        atomic_fetch_add(&torn, !still_is(&block.transport));
        shl_device_done(device);
    }
    return NULL;
}

static int tear_down(void **state)
{
    (void)state;
    atomic_store(&quit, 1);
    if (device)
        pthread_join(thread, NULL);
    shl_host_free(host);
    shl_device_close(device);
    device = NULL;
    host = NULL;
    return 0;
}

static void turns(uint32_t drive)
{
    const struct shl_device_options d = {.id = "Torn",
                                         .in_channels = 1,
                                         .out_channels = 1,
                                         .rate_hz = 48000,
                                         .block_frames = FRAMES};
    const struct shl_host_options h = {.in_channels = 1,
                                       .out_channels = 1,
                                       .rate_hz = 48000,
                                       .block_frames = FRAMES,
                                       .drive = drive,
                                       .deadline_ms = 5};
    static float samples[FRAMES];
    const float *const in[1] = {samples};
    float *const out[1] = {samples};
    struct shl_host_stats stats;

    atomic_store(&quit, 0);
    atomic_store(&seen, 0);
    atomic_store(&torn, 0);
    assert_int_equal(shl_device_open(&d, &device, NULL), SHL_OK);
    assert_int_equal(pthread_create(&thread, NULL, play, NULL), 0);
    assert_int_equal(shl_host_new(&h, &host), SHL_OK);
    assert_int_equal(shl_host_open(host, "Torn", 30000), SHL_OK);
    for (uint32_t n = 0; n < 10 * BLOCKS && atomic_load(&seen) < BLOCKS; n++) {
        /* all of it anew, though the host moves it on by itself */
        fill(shl_host_transport(host), n);
        shl_host_process(host, in, out, FRAMES);
        shl_host_poll(host);
        if (n % 100 == 0)
            usleep(100);
    }
    shl_host_get_stats(host, &stats);
    assert_true(stats.missed > 0); /* some were given up */
    assert_true(atomic_load(&seen) > BLOCKS / 10);
    assert_int_equal(atomic_load(&torn), 0);
}

/* shows MP-26 */
static void whole_in_lockstep(void **state)
{
    (void)state;
    turns(SHL_DRIVE_LOCKSTEP);
}

/* shows MP-26 */
static void whole_one_block_late(void **state)
{
    (void)state;
    turns(SHL_DRIVE_PIPELINED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(whole_in_lockstep, tear_down),
        cmocka_unit_test_teardown(whole_one_block_late, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
