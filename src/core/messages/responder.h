/* SPDX-License-Identifier: MIT */
/* The device's side of messages: shows what comes to the program's handler and
 * to the built-in one, sends answers and what the device says by itself. Pumped
 * by the device's keeper thread, which sleeps on our bell. */
#ifndef SHL_RESPONDER_H
#define SHL_RESPONDER_H

#include "core/messages/message_queue.h"
#include "core/os/mpsc.h"
#include "shmlink/monitor.h"

struct shl_device;

struct shl_responder {
    struct shl_message_queue queue;
    /* any control thread pushes, the keeper uses the newest */
    struct shl_mpsc handlers;
    /* set by any control thread (release), used by the device's threads
     * (acquire) */
    _Atomic(const struct shl_monitor *) monitor;
    shl_message_handler own; /* the device's, behind the program's; or NULL */
    void *own_arg;
    char bye[SHL_TEXT_SIZE]; /* what a host said last */
    uint32_t bye_epoch;      /* of its claim */
    uint32_t refused; /* the transfer that was refused last: once is enough */
    /* answers that could not be kept; written by any control thread, relaxed */
    _Atomic uint64_t dropped;
};

/** `epoch`: of the claim that the device has accepted, 0 for none; `last`: the
 * same, and stays when it is over. */
void shl_responder_open(struct shl_responder *responder,
                        struct shl_messages *messages,
                        const _Atomic uint32_t *epoch,
                        const _Atomic uint32_t *last);

/** What the program's handler leaves is shown to this one, before it is
 * refused. Before the first pump. */
void shl_responder_own(struct shl_responder *responder,
                       shl_message_handler handler, void *arg);

/** The keeper has ended: say why, while the host still hears it. */
void shl_responder_bye(struct shl_responder *responder, const char *reason);

/** The keeper has ended. Harmless on zeros. */
void shl_responder_close(struct shl_responder *responder);

/** Take, answer, send; bounded: rings its own bell if there is more. [keeper]
 */
void shl_responder_pump(struct shl_responder *responder);

/** Later messages go to this handler first. SHL_NO_MEMORY. [any control] */
shl_status shl_responder_handle(struct shl_responder *responder,
                                shl_message_handler handler, void *arg);

/** Have the keeper send it. As shl_message_queue_post. [any control] */
shl_status shl_responder_say(struct shl_responder *responder, uint32_t type,
                             uint32_t request, const void *bytes,
                             uint32_t size);

/** Answer with an error; `text` NULL: the sentence of the status. */
shl_status shl_responder_refuse(struct shl_responder *responder,
                                uint32_t request, shl_status status,
                                const char *text);

static inline const struct shl_monitor *
shl_responder_monitor(const struct shl_responder *responder)
{
    /* acquire: the struct is whole */
    return atomic_load_explicit(&responder->monitor, memory_order_acquire);
}

/** The responder of a device. Kept by device.c. */
struct shl_responder *shl_device_responder(struct shl_device *device);

#endif
