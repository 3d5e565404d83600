/* SPDX-License-Identifier: MIT */
/* The transport as a pair of events: in the free drive there is no block that
 * it could go with. The sender writes a pair when something changes; from then
 * on the receiver knows it for every frame of the sender's. Pure values. */
#ifndef SHL_TRANSPORT_EVENTS_H
#define SHL_TRANSPORT_EVENTS_H

#include "shmlink/event.h"
#include "shmlink/realtime.h"
#include "shmlink/system.h"
#include "shmlink/transport.h"

#include <stdbool.h>

/* ---- sender ---- */

struct shl_transport_sender {
    struct shl_transport next; /* as the peer thinks it is now */
    bool sent;                 /* and it has heard of it */
};

/** Whether the transport is not what the peer thinks it is, and the pair of events
 * that tells it. [audio] */
SHL_RT bool shl_transport_news(const struct shl_transport_sender *sender,
                               const struct shl_transport *transport);
SHL_RT void shl_transport_pair(const struct shl_transport *transport,
                               uint64_t frame, struct shl_event pair[2]);

/** Whether it is another, not just how it goes on. [any] */
SHL_RT bool shl_transport_differs(const struct shl_transport *a,
                                  const struct shl_transport *b);

/* ---- receiver ---- */

struct shl_transport_receiver {
    struct shl_transport heard; /* as it was at `frame` */
    int64_t frame;              /* of the sender */
    struct shl_transport half;  /* tempo and meter of a pair */
    bool halved;
};

/** Nothing heard yet: the default, at the sender's rate. [audio] */
SHL_RT void shl_transport_begin(struct shl_transport_receiver *hearer,
                                double rate_hz);

/** Take an event; others than the pair's, and impossible ones, change nothing.
 * Returns false for those that could not be. [audio] */
SHL_RT bool shl_transport_receive(struct shl_transport_receiver *hearer,
                                  const struct shl_event *event);

/** The transport at a frame of the sender's, before or after the last news.
 * [audio] */
SHL_RT struct shl_transport
shl_transport_at(const struct shl_transport_receiver *hearer, int64_t frame);

#endif
