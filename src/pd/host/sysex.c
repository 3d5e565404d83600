/* SPDX-License-Identifier: MIT */
/* SysEx that is too long for an event goes by message, in the order of the
 * requests. */
#include "pd/host/requests.h"
#include "pd/host/shmlink.h"

#include <stdlib.h>
#include <string.h>

static void tell_nothing(t_shmlink *x, struct request *request)
{
    (void)x;
    request_done(request);
}

static void ask_sysex(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_MIDI_RAW, request->bytes, request->size,
                tell_nothing);
}

int sysex_sends(const t_shmlink *x)
{
    const struct request *request = x->x_requests.first;

    while (request && request->begin != ask_sysex)
        request = request->next;
    return request != NULL;
}

/* Port u32, then the bytes, from F0 to F7. */
void sysex_send(t_shmlink *x, t_symbol *s, const uint8_t *bytes, size_t size)
{
    struct request *request = requests_new(x, s, ask_sysex, SHL_CAP_SYSEX_IN);
    uint8_t *to = request ? malloc(size + 6) : NULL;

    if (!request)
        return;
    if (!to) {
        requests_cancel(request);
        replies_fail(&x->x_say, s, SHL_NO_MEMORY, "%s: out of memory",
                     s->s_name);
        return;
    }
    request->bytes = to;
    memset(to, 0, 4);
    to += 4;
    if (bytes[0] != 0xf0)
        *to++ = 0xf0;
    memcpy(to, bytes, size);
    to += size;
    if (bytes[size - 1] != 0xf7)
        *to++ = 0xf7;
    request->size = (size_t)(to - request->bytes);
    requests_add(x, request);
}
