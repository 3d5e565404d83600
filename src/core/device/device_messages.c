/* SPDX-License-Identifier: MIT */
/* What a device does with messages: the public calls, each one verb of its
 * responder. */
#include "core/messages/responder.h"
#include "shmlink/device.h"

shl_status shl_device_on_message(shl_device *device,
                                 shl_message_handler handler, void *arg)
{
    return shl_responder_handle(shl_device_responder(device), handler, arg);
}

shl_status shl_device_reply(shl_device *device, uint32_t request,
                            const void *bytes, uint32_t size)
{
    return shl_responder_say(shl_device_responder(device), SHL_MESSAGE_REPLY,
                             request, bytes, size);
}

shl_status shl_device_refuse(shl_device *device, uint32_t request,
                             shl_status status, const char *text)
{
    return shl_responder_refuse(shl_device_responder(device), request, status,
                                text);
}

shl_status shl_device_post(shl_device *device, uint32_t type, const void *bytes,
                           uint32_t size)
{
    if (!type || type > UINT16_MAX || shl_message_answers(type))
        return SHL_BAD_VALUE;
    return shl_responder_say(shl_device_responder(device), type, 0, bytes,
                             size);
}

void shl_device_set_monitor(shl_device *device,
                            const struct shl_monitor *monitor)
{
    /* release: the struct is whole */
    atomic_store_explicit(&shl_device_responder(device)->monitor, monitor,
                          memory_order_release);
}
