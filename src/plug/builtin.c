/* SPDX-License-Identifier: MIT */
/* What the plugins without a file share: the options behind their name, values as
 * bytes, and passing inputs on. */
#include "builtin.h"

#include <stdlib.h>
#include <string.h>

/* ---- options ------------------------------------------------------------------ */

static const struct builtin_option *
find_option(const struct builtin_option *options, size_t count,
            const char *text, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == length &&
            !memcmp(options[i].name, text, length))
            return &options[i];
    return NULL;
}

/* A whole number up to `most` from `text` to `end`. */
static int read_number(const char *text, const char *end, uint32_t most,
                       uint32_t *value)
{
    uint64_t sum = 0;

    if (text == end)
        return 0;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return 0;
        sum = sum * 10 + (uint64_t)(*text - '0');
        if (sum > most)
            return 0;
    }
    *value = (uint32_t)sum;
    return 1;
}

shl_status builtin_options(const char *name, const char *text,
                           const struct builtin_option *options, size_t count,
                           struct shl_why *why)
{
    while (*text) {
        const char *end = text + strcspn(text, ",");
        const char *sign = memchr(text, '=', (size_t)(end - text));
        const char *word_end = sign ? sign : end;
        const struct builtin_option *option =
            find_option(options, count, text, (size_t)(word_end - text));

        if (!option) {
            shl_why_set(why, "%s has no option %.*s", name,
                        (int)(word_end - text), text);
            return SHL_BAD_VALUE;
        }
        if (sign && !read_number(sign + 1, end, option->most, option->value)) {
            shl_why_set(why, "%s: %s must be a whole number up to %u", name,
                        option->name, option->most);
            return SHL_BAD_VALUE;
        }
        if (!sign)
            *option->value = 1;
        text = *end ? end + 1 : end;
    }
    return SHL_OK;
}

/* ---- values ------------------------------------------------------------------- */

shl_status builtin_save(struct state *state, const char *kind,
                        const struct shl_param *params,
                        const builtin_value *values, uint32_t count)
{
    double plain[BUILTIN_VALUES];
    uint8_t *bytes = malloc(shl_snapshot_size(count));

    if (!bytes)
        return SHL_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        plain[i] = builtin_get(&values[i]);
    shl_snapshot_write(kind, SHL_NO_PROGRAM, params, plain, count, bytes);
    state_write(state, bytes, shl_snapshot_size(count));
    free(bytes);
    return state->status;
}

shl_status builtin_restore(const uint8_t *bytes, size_t size, const char *kind,
                           const struct shl_param *params,
                           builtin_value *values, uint32_t count,
                           struct shl_why *why)
{
    double plain[BUILTIN_VALUES];
    uint32_t program;
    shl_status status;

    for (uint32_t i = 0; i < count; i++)
        plain[i] = builtin_get(&values[i]);
    status = shl_snapshot_read(kind, bytes, size, params, count, plain,
                               &program, why);
    for (uint32_t i = 0; i < count && !status; i++)
        builtin_set(&values[i], plain[i]);
    return status;
}

/* ---- audio -------------------------------------------------------------------- */

SHL_RT void builtin_pass(const struct plugin_block *block, uint32_t inputs,
                         uint32_t outputs)
{
    for (uint32_t c = 0; c < outputs; c++) {
        if (c < inputs)
            memcpy(block->out[c], block->in[c], block->frames * sizeof(float));
        else
            memset(block->out[c], 0, block->frames * sizeof(float));
    }
}
