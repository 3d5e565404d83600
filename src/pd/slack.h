/* SPDX-License-Identifier: MIT */
/* How long Pd can wait without a dropout: it computes its ticks ahead of the
 * sound card, by so much as its delay setting says (-audiobuf), less what it has
 * fallen behind. One for the whole of Pd, since all boxes wait on one thread. */
#ifndef PD_SLACK_H
#define PD_SLACK_H

#include <stdint.h>

/** Audio is about to start: look at Pd's settings. */
void slack_setup(double tick_ms);

/** A tick's first perform: remember how far ahead of the clock it is. Further
 * calls of a tick cost nothing. */
void slack_tick(double logical_time);

/** This Pd follows another one, and is waited for itself: 1, or no more: 0. */
void slack_none(int none);

/** Microseconds that a wait that begins now may take beyond half a block. For
 * shl_host_slack. [audio] */
uint32_t slack_us(void *unused);

#endif
