/* SPDX-License-Identifier: MIT */
/* What the fuzzers share: an input that is taken piece by piece, 0 behind its
 * end, and promises that must hold. */
#ifndef INPUT_H
#define INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at, *end;
};

static inline uint32_t take(struct input *input, int bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes && input->at < input->end; i++)
        value |= (uint32_t)*input->at++ << 8 * i;
    return value;
}

static inline uint64_t take_u64(struct input *input)
{
    uint64_t low = take(input, 4);
    return low | (uint64_t)take(input, 4) << 32;
}

/* Says which promise was broken. */
#define MUST(x)                                                                \
    do {                                                                       \
        if (!(x)) {                                                            \
            fprintf(stderr, "not so: %s (line %d)\n", #x, __LINE__);           \
            abort();                                                           \
        }                                                                      \
    } while (0)

#endif
