/* SPDX-License-Identifier: MIT */
/* What the tests of the host role share: one host, one peer, blocks of a
 * constant, and patience. For cmocka programs, which include it once. */
#ifndef HOSTING_H
#define HOSTING_H

#include "shmlink/host.h"

#include "core/shm/layout.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 20000 /* only a hang is that slow */

static shl_host *host;
static struct peer *peer;
static struct shl_notice notice;
static float in_memory[2][SHL_MAX_FRAMES];
static float out_memory[2][SHL_MAX_FRAMES];
static const float *const in[2] = {in_memory[0], in_memory[1]};
static float *const out[2] = {out_memory[0], out_memory[1]};

static inline struct shl_host_options usual(void)
{
    return (struct shl_host_options){.in_channels = 1,
                                     .out_channels = 1,
                                     .rate_hz = 48000,
                                     .block_frames = 64,
                                     .deadline_ms = 1000};
}

static inline void new_host(struct shl_host_options options)
{
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
}

static inline void new_peer(struct peer_wish wish)
{
    wish.in = 1;
    wish.out = 1;
    peer = peer_start(&wish);
    assert_non_null(peer);
}

/* Whoever looks clears what the dead have left. */
static inline void scan(void)
{
    shl_registry *registry;
    if (shl_registry_open(NULL, &registry, NULL) != SHL_OK)
        return;
    shl_registry_scan(registry, NULL, 0, NULL);
    shl_registry_close(registry);
}

static inline int tear_down(void **state)
{
    char segment[40] = "";
    (void)state;
    if (peer)
        snprintf(segment, sizeof segment, "%s", peer_report(peer)->segment);
    shl_host_free(host);
    peer_free(peer);
    host = NULL;
    peer = NULL;
    scan();
    return segment[0] && peer_there(segment);
}

/* Both there, linked and accepted. */
static inline void link_both(struct shl_host_options options,
                             struct peer_wish wish)
{
    new_peer(wish);
    new_host(options);
    assert_int_equal(shl_host_open(host, "Peer", LIMIT_MS), SHL_OK);
    assert_int_equal(shl_host_linked(host), 2);
    assert_true(shl_host_notice(host, &notice));
    assert_int_equal(notice.kind, SHL_NOTICE_OPEN);
}

static inline int play(float value, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        in_memory[0][i] = value;
    return shl_host_process(host, in, out, frames);
}

static inline bool constant(float value, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        if (out_memory[0][i] != value)
            return false;
    return true;
}

/* Play and poll until a notice of this kind comes. */
static inline bool wait_notice(enum shl_notice_kind kind)
{
    for (int i = 0; i < LIMIT_MS; i++) {
        while (shl_host_notice(host, &notice))
            if (notice.kind == kind)
                return true;
        play(1, 64);
        shl_host_poll(host);
        usleep(1000);
    }
    return false;
}

/* Until the device sounds again, as it should. */
static inline bool wait_sound(void)
{
    for (int i = 0; i < LIMIT_MS; i++) {
        if (play(1, 64) && play(1, 64) && constant(1, 64))
            return true;
        shl_host_poll(host);
        usleep(1000);
    }
    return false;
}

static inline struct shl_host_stats stats_now(void)
{
    struct shl_host_stats stats;
    shl_host_get_stats(host, &stats);
    return stats;
}

static inline void send_midi(uint8_t status, uint8_t a, uint8_t b,
                             uint32_t offset)
{
    struct shl_event event = shl_event_midi(0, 0, status, a, b);
    assert_int_equal(shl_host_send(host, &event, offset), SHL_OK);
}

static inline int start(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

#endif
