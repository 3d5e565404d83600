/* SPDX-License-Identifier: MIT */
#include "core/free/transport_events.h"

#include <math.h>
#include <string.h>

#define TEMPO_SIZE    16u
#define PLAYHEAD_SIZE 20u

/* ---- sender ---- */

SHL_RT bool shl_transport_news(const struct shl_transport_sender *sender,
                               const struct shl_transport *transport)
{
    return !sender->sent ||
           /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): bytes */
           memcmp(&sender->next, transport, sizeof *transport) != 0;
}

SHL_RT void shl_transport_pair(const struct shl_transport *transport,
                               uint64_t frame, struct shl_event pair[2])
{
    pair[0] = (struct shl_event){
        .frame = frame, .kind = SHL_EVENT_TEMPO, .size = TEMPO_SIZE};
    memcpy(&pair[0].data[0], &transport->tempo, 8);
    pair[0].data[2] = transport->numerator;
    pair[0].data[3] = transport->denominator;
    pair[1] = (struct shl_event){
        .frame = frame, .kind = SHL_EVENT_PLAYHEAD, .size = PLAYHEAD_SIZE};
    memcpy(&pair[1].data[0], &transport->frame, 8);
    memcpy(&pair[1].data[2], &transport->beats, 8);
    pair[1].data[4] = transport->playing ? 1 : 0;
}

bool shl_transport_differs(const struct shl_transport *a,
                           const struct shl_transport *b)
{
    return !(fabs(a->beats - b->beats) < 1e-9) ||
           !(fabs(a->tempo - b->tempo) < 1e-9) ||
           a->numerator != b->numerator || a->denominator != b->denominator ||
           a->playing != b->playing;
}

/* ---- receiver ---- */

SHL_RT void shl_transport_begin(struct shl_transport_receiver *hearer,
                                double rate_hz)
{
    memset(hearer, 0, sizeof *hearer);
    hearer->heard = shl_transport_default(rate_hz);
}

static bool hear_tempo(struct shl_transport_receiver *hearer,
                       const struct shl_event *event)
{
    struct shl_transport *half = &hearer->half;

    *half = hearer->heard;
    memcpy(&half->tempo, &event->data[0], 8);
    half->numerator = event->data[2];
    half->denominator = event->data[3];
    hearer->halved = event->size == TEMPO_SIZE && isfinite(half->tempo) &&
                     half->tempo > 0 && half->numerator && half->denominator;
    return hearer->halved;
}

static bool hear_playhead(struct shl_transport_receiver *hearer,
                          const struct shl_event *event)
{
    struct shl_transport *half = &hearer->half;
    bool whole = hearer->halved;

    hearer->halved = false;
    memcpy(&half->frame, &event->data[0], 8);
    memcpy(&half->beats, &event->data[2], 8);
    half->playing = event->data[4] & 1u;
    if (!whole || event->size != PLAYHEAD_SIZE || !isfinite(half->beats))
        return false;
    hearer->heard = *half;
    hearer->frame = (int64_t)event->frame;
    return true;
}

SHL_RT bool shl_transport_receive(struct shl_transport_receiver *hearer,
                                  const struct shl_event *event)
{
    if (event->kind == SHL_EVENT_TEMPO)
        return hear_tempo(hearer, event);
    if (event->kind == SHL_EVENT_PLAYHEAD)
        return hear_playhead(hearer, event);
    return true;
}

SHL_RT struct shl_transport
shl_transport_at(const struct shl_transport_receiver *hearer, int64_t frame)
{
    struct shl_transport at = hearer->heard;
    /* unsigned: a peer may have made up the number */
    int64_t frames = (int64_t)((uint64_t)frame - (uint64_t)hearer->frame);
    double beats;

    if (!at.playing)
        return at;
    beats = at.beats + (double)frames * at.tempo / (60 * at.rate_hz);
    at.frame += (uint64_t)frames;
    if (!isfinite(beats) || beats < 0 || (int64_t)at.frame < 0)
        beats = 0, at.frame = 0;
    at.beats = beats;
    return at;
}
