/* SPDX-License-Identifier: MIT */
/* The fixture of the segment tests: one segment, complete but not ready, under
 * a name of its own, and a host that opens it. After cmocka.h. */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include "core/shm/segment.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char name[32];
static struct shl_segment device; /* as its device sees it */

static struct shl_identity good_identity(void)
{
    struct shl_process self = shl_process_self();
    struct shl_identity who = {
        .id = "MySynth:0",
        .vendor = "Test",
        .rate_hz = 48000,
        .block_frames = 64,
        .in_channels = 2,
        .out_channels = 2,
        .param_count = 3,
        .pid = self.pid,
        .start_time = self.start_time,
        .pid_namespace = self.pid_namespace,
    };

    return who;
}

static void say_identity(const struct shl_identity *who)
{
    shl_seqlock_write(&device.identity->seqlock, who, sizeof *who / 8);
}

/** A segment, complete but not ready. */
static int set_up(void **state)
{
    struct shl_identity who = good_identity();

    (void)state;
    snprintf(name, sizeof name, "/shltest-%d", (int)getpid());
    if (shl_segment_create(name, 48000, &device))
        return -1;
    say_identity(&who);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shl_map_unlink(name);
    shl_segment_close(&device);
    return 0;
}

static shl_status opened(struct shl_why *why)
{
    struct shl_segment host;
    shl_status status;

    memset(&host, 0x55, sizeof host);
    status = shl_segment_open(name, &host, why);
    if (!status) {
        shl_segment_close(&host);
        assert_int_equal(host.map.fd, -1);
        shl_segment_close(&host);
    }
    return status;
}

static void open_host(struct shl_segment *host)
{
    struct shl_why why = {""};

    if (shl_segment_open(name, host, &why))
        fail_msg("%s", why.text);
}

#endif
