/* The host's side of messages: questions with ids and deadlines, what is told
 * without an answer, and what the device says by itself. Pumped by
 * shl_host_poll; one thread. */
#ifndef SHL_INQUIRY_H
#define SHL_INQUIRY_H

#include "core/messages/mail.h"
#include "core/messages/request.h"
#include "shmlink/monitor.h"

struct shl_host;

struct shl_inquiry {
    struct shl_mail mail;
    struct shl_requests requests;
    _Atomic uint32_t epoch; /* of our claim; nobody else looks at it */
    uint32_t links;         /* begun so far */
    shl_message_handler handler;
    void *arg;
    const struct shl_monitor *monitor;
    char bye[SHL_BYE_SIZE]; /* the device's, on this link */
};

/** A link begins. `messages` NULL: its device has none. */
void shl_inquiry_begin(struct shl_inquiry *inquiry,
                       struct shl_messages *messages, uint32_t epoch);

/** The link is about to end by our wish: say why, as far as there is room. */
void shl_inquiry_bye(struct shl_inquiry *inquiry, const char *reason);

/** The link is about to end: its rings are not touched any more. */
void shl_inquiry_end(struct shl_inquiry *inquiry);

/** It has ended: whoever still waits is told SHL_GONE. */
void shl_inquiry_gone(struct shl_inquiry *inquiry, uint64_t now_ns);

/** See shl_host_ask and shl_host_post. */
shl_status shl_inquiry_ask(struct shl_inquiry *inquiry, uint32_t type,
                           const void *bytes, uint32_t size,
                           uint32_t timeout_ms, uint64_t now_ns,
                           shl_answer_handler handler, void *arg, uint32_t *id);
shl_status shl_inquiry_post(struct shl_inquiry *inquiry, uint32_t type,
                            const void *bytes, uint32_t size);

/** Send and take if the claim is accepted; tell those whose time is over. */
void shl_inquiry_pump(struct shl_inquiry *inquiry, bool accepted,
                      uint64_t now_ns);

/** The inquiry of a host. Kept by host.c. */
struct shl_inquiry *shl_host_inquiry(struct shl_host *host);
const struct shl_inquiry *shl_host_inquiry_const(const struct shl_host *host);

#endif
