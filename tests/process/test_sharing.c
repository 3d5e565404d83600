/* SPDX-License-Identifier: MIT */
/* What lies where in shared memory, beyond the offsets: nothing that only one
 * process can understand, no two writers on one line, no name that a system
 * with short ones would refuse. */
#include "core/shm/layout.h"
#include "shmlink/shmlink.h"

#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that a processor moves at once: two lines of 64, for those that fetch
 * them in pairs. */
#define APART 128

/* The shortest limit of a system that we know: 31 with the end mark. */
#define NAME_LIMIT 30

#define MOST_RANGES 1024

struct range {
    uint64_t begin, end;
};

/* shows DL-03 MP-19 */
static void two_writers_never_share_a_line(void **state)
{
    (void)state;
    assert_true(offsetof(struct shl_lines, device) -
                    offsetof(struct shl_lines, host) >=
                APART);
    assert_true(offsetof(struct shl_lines, host_parked) -
                    offsetof(struct shl_lines, device) >=
                APART);
    assert_true(offsetof(struct shl_lines, device_parked) -
                    offsetof(struct shl_lines, host_parked) >=
                APART);
    assert_true(offsetof(struct shl_message_ring, read) >= APART);
    assert_true(offsetof(struct shl_stream, read) >= APART);
    assert_int_equal(SHL_LINES_OFFSET % APART, 0);
    assert_int_equal(SHL_MESSAGES_OFFSET % APART, 0);
    assert_int_equal(SHL_STREAMS_OFFSET % APART, 0);
}

/* shows DL-06 */
static void message_has_256_bytes(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct shl_message), 256);
}

/* As board.c makes them, for the user with the longest number. */
/* shows DL-38 */
static void longest_name_is_short_enough(void **state)
{
    char name[64];

    (void)state;
    assert_true(snprintf(name, sizeof name, "/shl-%u-%s", UINT32_MAX,
                         "0123456789ab") <= NAME_LIMIT);
}

/* Where a process has something. Small numbers are no addresses. */
static uint32_t ranges_of(pid_t pid, struct range *range)
{
    char path[32], line[512];
    uint32_t count = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    file = fopen(path, "r");
    while (file && count < MOST_RANGES && fgets(line, sizeof line, file)) {
        char *end = NULL;

        range[count].begin = strtoull(line, &end, 16);
        range[count].end = strtoull(end + 1, NULL, 16);
        count += range[count].begin > UINT32_MAX;
    }
    if (file)
        fclose(file);
    return count;
}

static uint32_t addresses_in(const uint64_t *word, size_t words,
                             const struct range *range, uint32_t ranges)
{
    uint32_t found = 0;

    for (size_t i = 0; i < words; i++)
        for (uint32_t k = 0; word[i] > UINT32_MAX && k < ranges; k++)
            found += word[i] >= range[k].begin && word[i] < range[k].end;
    return found;
}

/* The bytes of a living segment, as anybody sees them. */
static const void *look(const char *name, size_t *size)
{
    struct stat about;
    int fd = shm_open(name, O_RDONLY, 0);
    void *bytes = MAP_FAILED;

    if (fd >= 0 && !fstat(fd, &about)) {
        *size = (size_t)about.st_size;
        bytes = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
    }
    if (fd >= 0)
        close(fd);
    return bytes == MAP_FAILED ? NULL : bytes;
}

/* A host and a device that have played, spoken and been heard. */
static shl_host *play(void)
{
    const struct shl_host_options options = {.in_channels = 1,
                                             .out_channels = 1,
                                             .rate_hz = 48000,
                                             .block_frames = 64,
                                             .deadline_ms = 1000};
    struct shl_event event = shl_event_midi(0, 0, 0x90, 60, 100);
    float in[64] = {0.5f}, out[64];
    const float *const ins[] = {in};
    float *const outs[] = {out};
    shl_host *host = NULL;

    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
    assert_int_equal(shl_host_open(host, "Peer:0", 20000), SHL_OK);
    for (int block = 0; block < 100; block++) {
        shl_host_send(host, &event, 3);
        shl_host_process(host, ins, outs, 64);
        shl_host_poll(host);
    }
    assert_int_equal(shl_host_ping(host, 0, NULL, NULL, NULL), SHL_OK);
    shl_host_poll(host);
    return host;
}

/* shows DL-05 */
static void no_word_of_a_segment_is_an_address(void **state)
{
    static struct range own[MOST_RANGES], others[MOST_RANGES];
    const struct peer_wish wish = {.in = 1, .out = 1};
    struct peer *peer = peer_start(&wish);
    size_t size = 0;
    const void *bytes;
    shl_host *host;
    uint64_t planted = (uint64_t)(uintptr_t)&own;

    (void)state;
    assert_non_null(peer);
    host = play();
    bytes = look(peer_report(peer)->segment, &size);
    assert_non_null(bytes);
    uint32_t own_count = ranges_of(getpid(), own);
    uint32_t others_count = ranges_of(peer_pid(peer), others);
    assert_true(own_count > 0 && others_count > 0);
    assert_int_equal(addresses_in(&planted, 1, own, own_count), 1);
    assert_int_equal(addresses_in(bytes, size / 8, own, own_count), 0);
    assert_int_equal(addresses_in(bytes, size / 8, others, others_count), 0);
    munmap((void *)(uintptr_t)bytes, size);
    shl_host_free(host);
    peer_free(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_writers_never_share_a_line),
        cmocka_unit_test(message_has_256_bytes),
        cmocka_unit_test(longest_name_is_short_enough),
        cmocka_unit_test(no_word_of_a_segment_is_an_address),
    };

    peer_own_board();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
