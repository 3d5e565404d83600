/* SPDX-License-Identifier: MIT */
/* Two helpers for whole numbers, written once. */
#ifndef SHL_ARITHMETIC_H
#define SHL_ARITHMETIC_H

#include "realtime.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The smaller of two numbers. [any] */
SHL_RT static inline uint32_t shl_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/** The greatest number that divides both; the other one if one is 0. [any] */
SHL_RT static inline uint32_t shl_gcd(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#ifdef __cplusplus
}
#endif

#endif
