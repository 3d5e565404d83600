/* SPDX-License-Identifier: MIT */
#include "loopback.h"

#include "core/os/platform.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loopback {
    shl_device *device;
    uint32_t in, out;
    pthread_t thread;
    _Atomic int quit, hold;
    _Atomic uint32_t frames, policy, priority;
    _Atomic uint64_t blocks;
};

static void listen(struct loopback *me, const struct shl_block *block)
{
    struct shl_event event;
    while (shl_device_event(me->device, &event)) {
        uint64_t at = event.frame - block->frame;
        if (event.kind != SHL_EVENT_UMP)
            continue;
        if ((event.data[0] >> 20 & 0xF) == 9 && me->out && at < block->frames)
            block->out[0][at] += (float)(event.data[0] & 127) / 128;
        shl_device_send(me->device, &event);
    }
}

static void play(struct loopback *me, const struct shl_block *block)
{
    uint32_t policy, priority;
    for (uint32_t c = 0; c < me->out; c++) {
        if (c < me->in)
            memcpy(block->out[c], block->in[c], block->frames * sizeof(float));
        else
            for (uint32_t i = 0; i < block->frames; i++)
                block->out[c][i] = (float)(block->transport.frame + i);
    }
    listen(me, block);
    shl_thread_priority(&policy, &priority);
    atomic_store(&me->policy, policy);
    atomic_store(&me->priority, priority);
    if (block->frames)
        atomic_store(&me->frames, block->frames);
    atomic_fetch_add(&me->blocks, block->frames > 0);
}

static void *run(void *arg)
{
    struct loopback *me = arg;
    struct shl_block block;
    while (!atomic_load(&me->quit)) {
        if (atomic_load(&me->hold)) {
            usleep(500);
            continue;
        }
        shl_status status = shl_device_wait(me->device, 20, &block);
        if (status == SHL_OK) {
            play(me, &block);
            shl_device_done(me->device);
        } else if (status != SHL_TIMEOUT) {
            break;
        }
    }
    return NULL;
}

struct loopback *loopback_start(const struct shl_device_options *options,
                                shl_status *status, struct shl_why *why)
{
    struct loopback *me = calloc(1, sizeof *me);
    me->in = options->in_channels;
    me->out = options->out_channels;
    *status = shl_device_open(options, &me->device, why);
    if (*status == SHL_OK && pthread_create(&me->thread, NULL, run, me) == 0)
        return me;
    shl_device_close(me->device);
    free(me);
    return NULL;
}

void loopback_end(struct loopback *me)
{
    if (!me)
        return;
    atomic_store(&me->quit, 1);
    pthread_join(me->thread, NULL);
    shl_device_close(me->device);
    free(me);
}

shl_device *loopback_device(struct loopback *me)
{
    return me->device;
}

uint32_t loopback_frames(const struct loopback *me)
{
    return atomic_load(&me->frames);
}

uint64_t loopback_blocks(const struct loopback *me)
{
    return atomic_load(&me->blocks);
}

void loopback_hold(struct loopback *me, int hold)
{
    atomic_store(&me->hold, hold);
}

void loopback_priority(const struct loopback *me, uint32_t *policy,
                       uint32_t *priority)
{
    *policy = atomic_load(&me->policy);
    *priority = atomic_load(&me->priority);
}
