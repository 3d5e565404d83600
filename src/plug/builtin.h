/* SPDX-License-Identifier: MIT */
/* What the plugins without a file have in common: the options behind their
 * name, values that both threads may read, and who makes which. */
#ifndef PLUG_BUILTIN_H
#define PLUG_BUILTIN_H

#include "plugin.h"

#include <stdatomic.h>

/** One word of "name:word=7,word" by its name. */
struct builtin_option {
    const char *name;
    uint32_t *value; /* without a number: 1 */
    uint32_t most;
};

/** Read the options behind a name. SHL_BAD_VALUE and a sentence. [control] */
shl_status builtin_options(const char *name, const char *text,
                           const struct builtin_option *options, size_t count,
                           struct shl_why *why);

/** A plain value: the bits of a double, relaxed; it stands for itself. */
typedef _Atomic uint64_t builtin_value;

/** [any] */
static inline double builtin_get(const builtin_value *value)
{
    const union {
        uint64_t bits;
        double real;
    } both = {atomic_load_explicit(value, memory_order_relaxed)};

    return both.real;
}

/** [any] */
static inline void builtin_set(builtin_value *value, double real)
{
    const union {
        double real;
        uint64_t bits;
    } both = {real};

    atomic_store_explicit(value, both.bits, memory_order_relaxed);
}

/** Values by id as bytes, and back. `kind`: whose they are. On failure nothing
 * has changed. At most BUILTIN_VALUES. [control] */
#define BUILTIN_VALUES 64u
shl_status builtin_save(struct state *state, const char *kind,
                        const struct shl_param *params,
                        const builtin_value *values, uint32_t count);
shl_status builtin_restore(const uint8_t *bytes, size_t size, const char *kind,
                           const struct shl_param *params,
                           builtin_value *values, uint32_t count,
                           struct shl_why *why);

/** Copy inputs to outputs, silence where there is no input. [audio] */
SHL_RT void builtin_pass(const struct plugin_block *block, uint32_t inputs,
                         uint32_t outputs);

/** Who makes a plugin: the text behind its name, or "". */
typedef shl_status builtin_maker(const struct plugin_load *load,
                                 const char *options, struct plugin **plugin,
                                 struct shl_why *why);

builtin_maker builtin_null, builtin_gain, builtin_crash, builtin_hang,
    builtin_synth, builtin_fixture;

#endif
