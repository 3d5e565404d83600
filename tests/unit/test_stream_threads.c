/* SPDX-License-Identifier: MIT */
/* A stream between two threads: no sample is torn, stale, or heard twice. */
#define _POSIX_C_SOURCE 200809L

#include "core/free/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define FRAMES   2000000u
#define BLOCK    64u
#define CHANNELS 2u
#define MOST     4096u /* unread: the writer waits, as its clock would not */
#define PATIENCE 20000000u

static struct shl_stream shared;

static float value(uint64_t frame, uint32_t channel)
{
    return (float)(frame % 8388593u) + (float)channel * 0.5f;
}

static void *write_all(void *arg)
{
    float planes[CHANNELS][BLOCK];
    const float *in[CHANNELS] = {planes[0], planes[1]};
    uint64_t patience = PATIENCE;
    shl_stream_writer *writer = arg;

    for (uint64_t frame = 0; frame < FRAMES && patience; frame += BLOCK) {
        for (uint32_t c = 0; c < CHANNELS; c++)
            for (uint32_t i = 0; i < BLOCK; i++)
                planes[c][i] = value(frame + i, c);
        while (patience &&
               (int64_t)(frame - atomic_load(&shared.read)) > MOST) {
            sched_yield();
            patience--;
        }
        shl_stream_write(writer, in, BLOCK, 1000000000u + frame * 20833u);
    }
    return patience ? NULL : arg;
}

static void two_threads_tear_nothing(void **state)
{
    (void)state;
    const struct shl_stream_memory memory = shl_stream_memory_of(&shared);
    const struct shl_stream_options options = {.channels = CHANNELS,
                                               .rate_hz = 48000.0,
                                               .from_hz = 48000.0,
                                               .block_frames = BLOCK,
                                               .from_frames = BLOCK,
                                               .one_clock = true};
    float planes[CHANNELS][BLOCK];
    float *const out[CHANNELS] = {planes[0], planes[1]};
    shl_stream_writer *writer;
    shl_stream_reader *reader;
    int64_t first = 0, end = 0, heard_until = 0;
    uint64_t heard = 0, wrong = 0;
    void *failed = NULL;
    pthread_t thread;
    bool faded = true;
    struct shl_stream_stats stats = {0};

    assert_int_equal(shl_stream_writer_new(&memory, CHANNELS, 48000.0, &writer),
                     SHL_OK);
    assert_int_equal(shl_stream_reader_new(&memory, &options, &reader), SHL_OK);
    assert_int_equal(pthread_create(&thread, NULL, write_all, writer), 0);
    for (uint64_t turn = 0; turn < PATIENCE && end + MOST < (int64_t)FRAMES;
         turn++) {
        uint64_t before = stats.underruns + stats.skips;
        bool whole = shl_stream_read(reader, out, BLOCK, 1000000000u);
        shl_stream_get_stats(reader, &stats);
        /* another place within the call is faded in, too */
        faded = faded || stats.underruns + stats.skips != before;
        if (!whole) {
            faded = true;
            sched_yield();
            continue;
        }
        shl_stream_read_part(reader, &first, &end);
        /* before the first frame there is silence, of any length */
        wrong += heard_until > 0 && first < heard_until;
        heard_until = end;
        for (uint32_t c = 0; c < CHANNELS && !faded; c++)
            for (uint32_t i = 0; i < BLOCK && first > 0; i++)
                wrong += planes[c][i] < value((uint64_t)first + i, c) ||
                         planes[c][i] > value((uint64_t)first + i, c);
        heard += faded || first <= 0 ? 0 : BLOCK;
        faded = false;
    }
    /* let the writer end */
    atomic_store(&shared.read, FRAMES);
    pthread_join(thread, &failed);
    print_message("# figure: %llu frames from thread to thread\n",
                  (unsigned long long)heard);
    assert_null(failed);
    assert_int_equal(wrong, 0);
    assert_true(heard > 0);
    shl_stream_reader_free(reader);
    shl_stream_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_tear_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
