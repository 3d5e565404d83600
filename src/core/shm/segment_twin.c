/* SPDX-License-Identifier: MIT */
/* A new segment in the place of one whose name has disappeared. */
#include "core/shm/segment_state.h"

#include <string.h>

/** Copy words that others may be writing: what is torn is written again, or
 * belongs to a link that goes on with the old ones. */
static void copy_words(const struct shl_segment *to,
                       const struct shl_segment *from, struct place place)
{
    for (uint32_t i = 0; i < place.size; i += 4)
        word_set(to, place.offset + i,
                 atomic_load_explicit(shl_segment_word(from, place.offset + i),
                                      memory_order_relaxed));
}

/** All but planes and streams, whose content means nothing without a claim. The
 * word `ready` is stored last. */
static void copy_content(const struct shl_segment *to,
                         const struct shl_segment *from, uint32_t param_count)
{
    for (int i = 0; i < COMMON; i++) {
        struct place place = shl_segment_common(to, i);
        uint32_t ready = to->layout->ready;

        if (ready >= place.offset && ready < place.offset + place.size) {
            uint32_t after = place.offset + place.size - ready - 4;

            copy_words(to, from,
                       (struct place){place.offset, ready - place.offset});
            copy_words(to, from, (struct place){ready + 4, after});
        } else {
            copy_words(to, from, place);
        }
    }
    copy_words(to, from,
               (struct place){SHL_PARAMS_OFFSET,
                              param_count * sizeof(struct shl_param_slot)});
}

/** How many parameters there are to be copied. */
static uint32_t params_of(const struct shl_segment *s)
{
    struct shl_identity who;

    return shl_segment_identity(s, &who) ? 0 : who.param_count;
}

static shl_status fill_twin(struct shl_segment *twin,
                            const struct shl_segment *segment,
                            uint32_t channels)
{
    uint32_t params = params_of(segment);
    shl_status status = shl_map_ask(twin->name, &twin->ask);

    /* the claim first: the object has a name already */
    if (!status)
        status = shl_lease_take(&twin->ask, SHL_LEASE_HOST);
    if (!status)
        status = shl_lease_take(&twin->map, SHL_LEASE_DEVICE);
    if (!status)
        status = shl_segment_reserve_common(twin);
    if (!status)
        status = shl_segment_reserve_planes(twin, channels);
    if (!status)
        status = shl_map_reserve(&twin->map, SHL_PARAMS_OFFSET,
                                 params * sizeof(struct shl_param_slot));
    if (status)
        return status;
    shl_segment_point_own(twin);
    copy_content(twin, segment, params);
    shl_segment_ready(twin);
    return SHL_OK;
}

shl_status shl_segment_twin(const struct shl_segment *segment, const char *name,
                            uint32_t channels, struct shl_segment *twin)
{
    struct shl_segment made;
    shl_status status = shl_segment_begin(name, &made);

    if (!status)
        status = shl_map_create(name, SHL_SEGMENT_SIZE, &made.map);
    if (status)
        return status;
    status = fill_twin(&made, segment, channels);
    if (status) {
        shl_map_unlink(name);
        shl_segment_close(&made);
        return status;
    }
    *twin = made;
    return SHL_OK;
}

/** The values of parameters, as they are there. */
static void read_values(const struct shl_segment *s, uint64_t *values,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] =
            atomic_load_explicit(&s->params[i].value, memory_order_relaxed);
}

/** What was set while both changed places went to the old ones. */
static void mend_values(struct shl_segment *segment,
                        const struct shl_segment *old, const uint64_t *values,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t was = values[i];
        uint64_t now =
            atomic_load_explicit(&old->params[i].value, memory_order_relaxed);

        if (now != was)
            atomic_compare_exchange_strong_explicit(
                &segment->params[i].value, &was, now, memory_order_relaxed,
                memory_order_relaxed);
    }
}

shl_status shl_segment_become(struct shl_segment *segment,
                              struct shl_segment *twin)
{
    static const struct shl_map none = SHL_MAP_NONE;
    uint64_t values[SHL_MAX_PARAMS];
    uint32_t params = params_of(segment);
    struct shl_map ask = segment->ask;
    /* nobody claims the old one any more */
    shl_status status = shl_lease_take(&segment->ask, SHL_LEASE_HOST);

    if (status)
        return status;
    read_values(segment, values, params);
    copy_content(twin, segment, params);
    for (uint32_t i = 0; i < params; i++)
        atomic_store_explicit(&twin->params[i].value, values[i],
                              memory_order_relaxed);
    status = shl_map_exchange(&segment->map, &twin->map);
    if (status) {
        shl_lease_drop(&segment->ask, SHL_LEASE_HOST);
        return status;
    }
    mend_values(segment, twin, values, params);
    memcpy(segment->name, twin->name, sizeof segment->name);
    /* who sleeps there looks again, here */
    shl_word_wake(&twin->lines->host.doorbell);
    shl_word_wake(&twin->messages->commands.bell);
    segment->ask = twin->ask;
    twin->ask = ask;
    shl_lease_drop(&segment->ask, SHL_LEASE_HOST);
    shl_segment_close(twin);
    twin->map = twin->ask = none;
    return SHL_OK;
}
