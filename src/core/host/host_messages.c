/* SPDX-License-Identifier: MIT */
/* What a host does with messages: the public calls, on its requester. */
#include "core/host/host_state.h"

#define NAP_US 2000u /* a device may die without ringing */

/* Raw MIDI is MIDI, too. */
static bool excluded(const shl_host *host, uint32_t type)
{
    struct shl_device_info info;

    return type == SHL_MESSAGE_MIDI_RAW &&
           shl_host_get_device(host, &info) == SHL_OK &&
           info.mode == SHL_MODE_AUDIO;
}

shl_status shl_host_ask(shl_host *host, uint32_t type, const void *bytes,
                        uint32_t size, uint32_t timeout_ms,
                        shl_answer_handler handler, void *arg,
                        uint32_t *request)
{
    if (!shl_host_linked(host))
        return SHL_NO_DEVICE;
    if (excluded(host, type))
        return SHL_UNSUPPORTED;
    struct shl_host_change *change =
        shl_host_plugin_change(host, type, bytes, size, &handler, &arg);
    shl_status st =
        shl_host_plugin_slot(host)
            ? shl_host_plugin_ask(host, type, bytes, size, timeout_ms, handler,
                                  arg, request)
            : shl_requester_ask(shl_host_requester(host), type, bytes, size,
                                timeout_ms, shl_clock_ns(), handler, arg,
                                request);
    if (st)
        shl_host_change_free(change);
    return st;
}

shl_status shl_host_post(shl_host *host, uint32_t type, const void *bytes,
                         uint32_t size)
{
    if (!shl_host_linked(host))
        return SHL_NO_DEVICE;
    if (!type || type > UINT16_MAX || shl_message_answers(type))
        return SHL_BAD_VALUE;
    if (excluded(host, type))
        return SHL_UNSUPPORTED;
    return shl_requester_post(shl_host_requester(host), type, bytes, size);
}

shl_status shl_host_ping(shl_host *host, uint32_t timeout_ms,
                         shl_answer_handler handler, void *arg,
                         uint32_t *request)
{
    return shl_host_ask(host, SHL_MESSAGE_PING, NULL, 0, timeout_ms, handler,
                        arg, request);
}

shl_status shl_host_await(shl_host *host, uint32_t request, uint32_t timeout_ms)
{
    struct shl_requester *requester = shl_host_requester(host);
    uint64_t until_ns = shl_clock_ns() + timeout_ms * UINT64_C(1000000);

    for (;;) {
        uint32_t seen = shl_message_queue_seen(&requester->queue);

        shl_host_poll(host);
        if (!shl_request_waits(&requester->requests, request))
            return SHL_OK;
        if (shl_clock_ns() >= until_ns)
            return SHL_TIMEOUT;
        shl_message_queue_nap(&requester->queue, seen, NAP_US);
    }
}

void shl_host_on_message(shl_host *host, shl_message_handler handler, void *arg)
{
    struct shl_requester *requester = shl_host_requester(host);

    requester->handler = handler;
    requester->arg = arg;
}

void shl_host_set_monitor(shl_host *host, const struct shl_monitor *monitor)
{
    shl_host_requester(host)->monitor = monitor;
}

void shl_host_get_message_stats(const shl_host *host,
                                struct shl_message_stats *stats)
{
    const struct shl_requester *requester = shl_host_requester_const(host);

    *stats =
        (struct shl_message_stats){.waiting = requester->requests.count,
                                   .late = requester->requests.late,
                                   .stale = requester->queue.stale,
                                   .faults = requester->queue.fragments.faults};
}
