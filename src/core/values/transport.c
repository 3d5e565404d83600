/* SPDX-License-Identifier: MIT */
#include "shmlink/transport.h"

#define LAST_BEAT  1e15
#define LAST_FRAME 9e18

struct shl_transport shl_transport_default(double rate_hz)
{
    struct shl_transport transport = {
        .tempo = 120, .numerator = 4, .denominator = 4, .rate_hz = rate_hz};
    return transport;
}

void shl_transport_advance(struct shl_transport *transport, uint32_t frames)
{
    if (!transport->playing || !(transport->rate_hz > 0))
        return;
    transport->frame += frames;
    transport->beats +=
        (double)frames * transport->tempo / (60 * transport->rate_hz);
}

void shl_transport_locate(struct shl_transport *transport, double beats)
{
    double frame;

    transport->beats = beats > 0 && beats < LAST_BEAT ? beats : 0;
    frame = transport->beats * 60 * transport->rate_hz / transport->tempo;
    /* a tempo near 0 could lead beyond every integer */
    transport->frame = frame > 0 && frame < LAST_FRAME ? (uint64_t)frame : 0;
}
