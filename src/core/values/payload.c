/* SPDX-License-Identifier: MIT */
#include "shmlink/payload.h"

#include <string.h>

static void pack_rest(struct shl_pack *pack, const uint8_t *bytes,
                      uint32_t size)
{
    if (pack->full || size > pack->size - pack->used) {
        pack->full = true;
        return;
    }
    if (size)
        memcpy(pack->bytes + pack->used, bytes, size);
    pack->used += size;
}

static const uint8_t *unpack_rest(struct shl_unpack *unpack, uint32_t *size)
{
    const uint8_t *from = NULL;

    *size = 0;
    if (unpack->bad)
        return NULL;
    *size = (uint32_t)(unpack->size - unpack->at);
    from = unpack->bytes ? unpack->bytes + unpack->at : NULL;
    unpack->at = unpack->size;
    return from;
}

/* clang-format off */
#define PUT_u32(field) shl_pack_u32(pack, from->field);
#define PUT_u64(field) shl_pack_u64(pack, from->field);
#define PUT_f64(field) shl_pack_f64(pack, from->field);
#define PUT_text(field) shl_pack_text(pack, from->field);
#define PUT_bytes(field) pack_rest(pack, from->field, from->field##_size);
#define PUT(kind, field, room, words, note) PUT_##kind(field)

#define GET_u32(field) to->field = shl_unpack_u32(unpack);
#define GET_u64(field) to->field = shl_unpack_u64(unpack);
#define GET_f64(field) to->field = shl_unpack_f64(unpack);
#define GET_text(field) shl_unpack_text(unpack, to->field, sizeof to->field);
#define GET_bytes(field) to->field = unpack_rest(unpack, &to->field##_size);
#define GET(kind, field, room, words, note) GET_##kind(field)

#define DEFINE(name, fields) \
    void shl_pack_##name(struct shl_pack *pack, \
                         const struct shl_payload_##name *from) \
    { \
        fields(PUT) \
    } \
    bool shl_unpack_##name(struct shl_unpack *unpack, \
                           struct shl_payload_##name *to) \
    { \
        fields(GET) \
        return !unpack->bad; \
    }
SHL_PAYLOADS(DEFINE)
/* clang-format on */

static struct shl_payload_param about(const struct shl_param *param)
{
    struct shl_payload_param row = {.id = param->id,
                                    .flags = param->flags,
                                    .minimum = param->minimum,
                                    .maximum = param->maximum,
                                    .initial = param->initial};

    memcpy(row.name, param->name, sizeof row.name);
    memcpy(row.unit, param->label, sizeof row.unit);
    return row;
}

void shl_pack_params(struct shl_pack *pack, const struct shl_param *params,
                     uint32_t count)
{
    const struct shl_payload_list list = {count};

    shl_pack_list(pack, &list);
    for (uint32_t i = 0; i < count; i++) {
        const struct shl_payload_param row = about(&params[i]);
        shl_pack_param(pack, &row);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct shl_payload_param_group row;
        memcpy(row.group, params[i].group, sizeof row.group);
        shl_pack_param_group(pack, &row);
    }
}

void shl_pack_bus_layout(struct shl_pack *pack, uint32_t inputs,
                         uint32_t outputs)
{
    const struct shl_payload_buses buses = {inputs > 0, outputs > 0};
    const struct shl_payload_bus in = {inputs, "in"}, out = {outputs, "out"};

    shl_pack_buses(pack, &buses);
    if (inputs)
        shl_pack_bus(pack, &in);
    if (outputs)
        shl_pack_bus(pack, &out);
}
