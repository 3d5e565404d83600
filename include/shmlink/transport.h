/* SPDX-License-Identifier: MIT */
/* Where the music is: tempo, meter, playhead. Pure values; the host keeps the
 * clock, advances it by the frames it plays, and shows it to the device. */
#ifndef SHL_TRANSPORT_H
#define SHL_TRANSPORT_H

#include "realtime.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct shl_transport {
    double beats;         /* playhead in quarter notes, 0 or more */
    uint64_t frame;       /* the same in frames at rate_hz */
    double tempo;         /* quarter notes per minute, above 0 */
    uint32_t numerator;   /* 1 or more */
    uint32_t denominator; /* 1 or more */
    uint32_t playing;     /* 0 or 1 */
    uint32_t reserved;    /* 0 */
    double rate_hz;       /* of the host */
};

/** 120 beats per minute, 4/4, at 0, stopped. [any] */
SHL_RT struct shl_transport shl_transport_default(double rate_hz);

/** Go on by `frames` if playing. [any] */
SHL_RT void shl_transport_advance(struct shl_transport *transport,
                                  uint32_t frames);

/** Put the playhead at `beats` quarter notes; below 0, NaN and
 * what is beyond any music count as 0. [any] */
void shl_transport_locate(struct shl_transport *transport, double beats);

#ifdef __cplusplus
}
#endif
#endif
