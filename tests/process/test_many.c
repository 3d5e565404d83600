/* SPDX-License-Identifier: MIT */
/* As many devices and links as there may be: 64 of each, in one process and
 * between two; the next is refused by name, and nothing is left. */
#include "shmlink/host.h"

#include "peer.h"
#include "shmlink/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST    64
#define WAIT_MS 60000

static shl_device *device[MOST + 1];
static shl_host *host[MOST + 1];
static pid_t server;
static int server_input = -1, server_output = -1;

static int tear_down(void **state)
{
    (void)state;
    for (int k = 0; k <= MOST; k++) {
        shl_host_free(host[k]);
        shl_device_close(device[k]);
        host[k] = NULL;
        device[k] = NULL;
    }
    if (server) {
        close(server_input);
        close(server_output);
        while (waitpid(server, NULL, 0) < 0)
            ;
    }
    server = 0;
    return 0;
}

/* The segments that a process has mapped now: names in /dev/shm, the board aside.
 * Those of other programs of this user are none of ours. */
static char made[2 * MOST][64];
static uint32_t made_count;

static void remember_segments(pid_t pid)
{
    char path[64], line[512], prefix[48];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    snprintf(prefix, sizeof prefix, "/dev/shm/shl-%u-", (unsigned)getuid());
    FILE *maps = fopen(path, "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        char *name = strstr(line, prefix);
        if (!name)
            continue;
        name[strcspn(name, " \n")] = 0;
        uint32_t k = 0;
        while (k < made_count && strcmp(made[k], name) != 0)
            k++;
        if (strlen(name) != strlen(prefix) + 12 || k < made_count)
            continue;
        assert_true(made_count < 2 * MOST);
        strcpy(made[made_count++], name);
    }
    fclose(maps);
}

/* All of them were there, and none is. */
static void no_segment_is_left(uint32_t expected)
{
    assert_int_equal(made_count, expected);
    for (uint32_t k = 0; k < made_count; k++)
        assert_int_not_equal(access(made[k], F_OK), 0);
    made_count = 0;
}

/* ---- devices ------------------------------------------------------------------ */

static shl_status open_device(int k, struct shl_why *why)
{
    const struct shl_device_options options = {.id = "Many",
                                               .in_channels = 1,
                                               .out_channels = 1,
                                               .rate_hz = 48000,
                                               .block_frames = 64};
    return shl_device_open(&options, &device[k], why);
}

static void check_id(const char *id, int number)
{
    char expected[16];
    snprintf(expected, sizeof expected, "Many:%d", number);
    assert_string_equal(id, expected);
}

/* shows DL-10 DL-21 */
static void sixty_four_devices_have_numbers_the_next_has_none(void **state)
{
    struct shl_why why;
    uint32_t files = peer_descriptors();
    (void)state;
    for (int k = 0; k < MOST; k++) {
        assert_int_equal(open_device(k, &why), SHL_OK);
        check_id(shl_device_id(device[k]), k);
    }
    uint32_t all = peer_descriptors();
    assert_int_equal(open_device(MOST, &why), SHL_BOARD_FULL);
    assert_non_null(strstr(why.text, "64"));
    assert_int_equal(peer_descriptors(), all);
    /* the lowest that is free, each time */
    for (int k = 17; k < MOST; k += 21) {
        shl_device_close(device[k]);
        assert_int_equal(open_device(k, &why), SHL_OK);
        check_id(shl_device_id(device[k]), k);
    }
    remember_segments(getpid());
    tear_down(NULL);
    assert_int_equal(peer_descriptors(), files);
    no_segment_is_left(MOST);
}

/* ---- links -------------------------------------------------------------------- */

static shl_status open_host(int k)
{
    const struct shl_host_options options = {
        .in_channels = 1,
        .out_channels = 1,
        .rate_hz = 48000,
        .block_frames = 64,
        .drive = k % 2 ? SHL_DRIVE_PIPELINED : SHL_DRIVE_LOCKSTEP,
        .batch = 1};
    assert_int_equal(shl_host_new(&options, &host[k]), SHL_OK);
    return shl_host_open(host[k], "Many", 0);
}

/* Block `n` goes in; what comes out is of it, or of the one before. */
static void play_all(uint32_t n)
{
    for (int k = 0; k < MOST; k++) {
        float sound[64];
        const float *const ins[1] = {sound};
        float *const outs[1] = {sound};
        uint32_t first = (n - (uint32_t)(k % 2)) * 64;
        for (uint32_t i = 0; i < 64; i++)
            sound[i] = (float)(n * 64 + i);
        int came = shl_host_process(host[k], ins, outs, 64);
        assert_int_equal(came, n > 0 || k % 2 == 0);
        for (uint32_t i = 0; came && i < 64; i++)
            assert_true(sound[i] == (float)(first + i + (uint32_t)k + 1));
    }
}

static void wait_for_all(void)
{
    for (int k = 0; k < MOST; k++) {
        for (int i = 0; i < WAIT_MS && shl_host_linked(host[k]) < 2; i++) {
            shl_host_poll(host[k]);
            usleep(1000);
        }
        assert_int_equal(shl_host_linked(host[k]), 2);
    }
}

static void start_server(void)
{
    int to[2], from[2];
    char path[4096], line[64] = "";
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 16);
    assert_true(length > 0);
    path[length] = 0;
    strcpy(strrchr(path, '/') + 1, "many");
    assert_int_equal(pipe(to) || pipe(from), 0);
    fflush(NULL);
    server = fork();
    if (server == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execl(path, path, "64", "Many", (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    server_input = to[1];
    server_output = from[0];
    FILE *words = fdopen(dup(server_output), "r");
    for (int k = 0; fgets(line, sizeof line, words); k++) {
        line[strcspn(line, "\n")] = 0;
        if (strcmp(line, "ready") == 0)
            break;
        check_id(line, k);
    }
    fclose(words);
    assert_string_equal(line, "ready");
}

/* shows DL-21 DL-10 */
static void sixty_four_links_are_exact_and_all_there_are(void **state)
{
    struct shl_device_info info;
    char why[256];
    uint32_t rounds = getenv("SHL_SOAK") ? 2000 : 40;
    uint32_t files = peer_descriptors();
    (void)state;
    start_server();
    for (int k = 0; k < MOST; k++) {
        assert_int_equal(open_host(k), SHL_OK);
        assert_int_equal(shl_host_get_device(host[k], &info), SHL_OK);
        check_id(info.id, k);
    }
    assert_int_equal(open_host(MOST), SHL_BUSY);
    shl_host_why(host[MOST], why, sizeof why);
    assert_non_null(strstr(why, "Many"));
    wait_for_all();
    for (uint32_t n = 0; n < rounds; n++)
        play_all(n);
    remember_segments(getpid());
    tear_down(NULL);
    assert_int_equal(peer_descriptors(), files);
    no_segment_is_left(MOST);
}

static int start(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sixty_four_devices_have_numbers_the_next_has_none),
        TEST(sixty_four_links_are_exact_and_all_there_are),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
