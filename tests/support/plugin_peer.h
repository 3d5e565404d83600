/* SPDX-License-Identifier: MIT */
/* What the tests of plugin programs share that speak Maolan only: a host, one peer
 * program (maolan_peer.c) that behaves as the ones there are, and worse, and a look
 * that nothing is left behind. For cmocka programs, which include it once. */
#ifndef PLUGIN_PEER_H
#define PLUGIN_PEER_H

#include "core/host/host_state.h"
#include "core/maolan/plugin_process.h"

#include "hosting.h"

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char peer_path[512];
static int descriptors_before;

static inline int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static inline int segments_there(void)
{
    DIR *folder = opendir("/dev/shm");
    struct dirent *entry;
    char own[32];
    int count = 0;
    snprintf(own, sizeof own, "maolan-%d-", (int)getpid());
    while (folder && (entry = readdir(folder)))
        count += strncmp(entry->d_name, own, strlen(own)) == 0;
    if (folder)
        closedir(folder);
    return count;
}

static inline int children_there(void)
{
    return waitpid(-1, NULL, WNOHANG | WNOWAIT) >= 0;
}

static inline int begin(void **state)
{
    (void)state;
    descriptors_before = open_descriptors();
    return 0;
}

/* Everything has to be gone: processes, descriptors, segments. */
static inline int end(void **state)
{
    (void)state;
    shl_host_free(host);
    host = NULL;
    for (int i = 0; i < LIMIT_MS && shl_host_programs(); i++)
        usleep(1000);
    if (shl_host_programs() || segments_there() || children_there() ||
        open_descriptors() != descriptors_before) {
        print_error("left behind: %u programs, %d segments, %d descriptors\n",
                    shl_host_programs(), segments_there(),
                    open_descriptors() - descriptors_before);
        return -1;
    }
    return 0;
}

static inline struct shl_host_options stereo(void)
{
    struct shl_host_options options = usual();
    options.in_channels = options.out_channels = 2;
    return options;
}

static inline shl_status spawn_as(const char *plugin, uint32_t protocol,
                                  int again, uint32_t wait_ms)
{
    const struct shl_host_program what = {plugin, peer_path, protocol, again,
                                          0};
    return shl_host_spawn(host, &what, wait_ms);
}

/* A host of its own for each, the one before being given up. */
static inline void fresh(struct shl_host_options options)
{
    shl_host_free(host);
    host = NULL;
    new_host(options);
}

static inline void spawn(const char *plugin)
{
    fresh(stereo());
    assert_int_equal(spawn_as(plugin, 0, 0, LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_linked(host), 2);
    assert_true(shl_host_notice(host, &notice));
    assert_int_equal(notice.kind, SHL_NOTICE_OPEN);
}

static inline void spawn_told(const char *plugin, uint32_t protocol)
{
    fresh(stereo());
    assert_int_equal(spawn_as(plugin, protocol, 0, LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_linked(host), 2);
}

static inline int play_both(float left, float right, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        in_memory[0][i] = left + (float)i;
        in_memory[1][i] = right - (float)i;
    }
    return shl_host_process(host, in, out, frames);
}

static inline bool both_came(float left, float right, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        if (out_memory[0][i] != left + (float)i ||
            out_memory[1][i] != right - (float)i)
            return false;
    return true;
}

static const char *const layouts[] = {"A", "B8", "B16"};

/* The peer program stands beside this one. */
static inline void find_peer(int argc, char **argv)
{
    (void)argc;
    const char *slash = strrchr(argv[0], '/');
    snprintf(peer_path, sizeof peer_path, "%.*smaolan_peer",
             slash ? (int)(slash - argv[0] + 1) : 0, argv[0]);
    shl_plugin_process_patience_ms =
        300; /* for those that do not end by themselves */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

struct heard {
    int count;
    shl_status status;
    uint32_t size;
    uint8_t *bytes;
    char text[256];
};

static inline void on_answer(void *arg, const struct shl_answer *answer)
{
    struct heard *heard = arg;
    heard->count++;
    heard->status = answer->status;
    heard->size = answer->size;
    snprintf(heard->text, sizeof heard->text, "%s",
             answer->text ? answer->text : "");
    if (heard->bytes && answer->size)
        memcpy(heard->bytes, answer->bytes, answer->size);
}

static inline shl_status ask(uint32_t type, const void *bytes, uint32_t size,
                             struct heard *heard)
{
    uint32_t request = 0;
    shl_status st =
        shl_host_ask(host, type, bytes, size, 0, on_answer, heard, &request);
    heard->count = 0;
    if (st)
        return st;
    assert_int_equal(shl_host_await(host, request, LIMIT_MS), SHL_OK);
    assert_int_equal(heard->count, 1);
    return heard->status;
}

static inline shl_status ask_slot(uint32_t number, const void *bytes,
                                  uint32_t size, struct heard *heard)
{
    static uint8_t message[SHL_SCRATCH_SIZE + 100];
    memcpy(message, &number, 4);
    if (size)
        memcpy(message + 4, bytes, size);
    return ask(SHL_MESSAGE_PLUGIN, message, size + 4, heard);
}

#endif
