/* SPDX-License-Identifier: MIT */
/* The state of a CLAP plugin: its own bytes as they are; of one that keeps none, the
 * values of its parameters. Streams give and take all that is asked for at once:
 * there are plugins that do not ask again. */
#include "plug/clap/clap.h"

#include <stdlib.h>
#include <string.h>

/* What values begin with; no plugin's own bytes do. */
static const char values_mark[16] = "shmlink clap 1\n";

/* ---- saving ----------------------------------------------------------------------- */

static int64_t stream_write(const struct clap_stream_out *stream,
                            const void *bytes, uint64_t size)
{
    if (size > SHL_MAX_PAYLOAD ||
        !state_write(stream->owner, bytes, (size_t)size))
        return -1;
    return (int64_t)size;
}

static shl_status save_values(struct clap *clap, struct state *state)
{
    if (!state_write(state, values_mark, sizeof(values_mark)))
        return state->status;
    for (uint32_t i = 0; i < clap->param_count; i++) {
        const struct clap_param_state *param = &clap->param[i];
        const double value = clap_value_get(param);

        if (param->info.flags & CLAP_PARAM_READ_ONLY)
            continue;
        if (!state_write(state, &param->info.id, sizeof(param->info.id)) ||
            !state_write(state, &value, sizeof(value)))
            return state->status;
    }
    return SHL_OK;
}

shl_status clap_save(struct plugin *plugin, struct state *state,
                     struct shl_why *why)
{
    struct clap *clap = clap_of(plugin);
    const struct clap_stream_out stream = {state, stream_write};

    if (!clap->state)
        return save_values(clap, state);
    if (clap->state->save(clap->own, &stream) && !state->status)
        return SHL_OK;
    if (state->status)
        return state->status;
    shl_why_set(why, "the plugin does not give its state");
    return SHL_UNSUPPORTED;
}

/* ---- restoring ---------------------------------------------------------------------- */

struct source {
    const uint8_t *bytes;
    size_t size, at;
};

static int64_t stream_read(const struct clap_stream_in *stream, void *bytes,
                           uint64_t size)
{
    struct source *source = stream->owner;
    const size_t left = source->size - source->at;
    const size_t now = size < left ? (size_t)size : left;

    if (now > 0)
        memcpy(bytes, source->bytes + source->at, now);
    source->at += now;
    return (int64_t)now;
}

static shl_status restore_values(struct clap *clap, const uint8_t *bytes,
                                 size_t size, struct shl_why *why)
{
    const size_t row = sizeof(uint32_t) + sizeof(double);
    const size_t count = (size - sizeof(values_mark)) / row;
    uint32_t *ids = calloc(count + 1, sizeof(*ids));
    double *values = calloc(count + 1, sizeof(*values));
    shl_status status = ids && values ? SHL_OK : SHL_NO_MEMORY;

    if (!status && (size - sizeof(values_mark)) % row) {
        shl_why_set(why, "this state has been cut");
        status = SHL_BAD_VALUE;
    }
    for (size_t i = 0; !status && i < count; i++) {
        const uint8_t *at = bytes + sizeof(values_mark) + i * row;

        memcpy(&ids[i], at, sizeof(ids[i]));
        memcpy(&values[i], at + sizeof(ids[i]), sizeof(values[i]));
    }
    if (!status)
        clap_params_set(clap, ids, values, (uint32_t)count);
    free(ids);
    free(values);
    return status;
}

shl_status clap_restore(struct plugin *plugin, const uint8_t *bytes,
                        size_t size, struct shl_why *why)
{
    struct clap *clap = clap_of(plugin);
    struct source source = {bytes, size, 0};
    const struct clap_stream_in stream = {&source, stream_read};

    if (size >= sizeof(values_mark) &&
        !memcmp(bytes, values_mark, sizeof(values_mark)))
        return restore_values(clap, bytes, size, why);
    if (!clap->state) {
        shl_why_set(why, "this is no state of a plugin that keeps none");
        return SHL_BAD_VALUE;
    }
    if (!clap->state->load(clap->own, &stream)) {
        shl_why_set(why, "the plugin refuses this state");
        return SHL_BAD_VALUE;
    }
    clap_params_values(clap);
    return SHL_OK;
}
