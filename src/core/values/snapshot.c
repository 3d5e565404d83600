/* SPDX-License-Identifier: MIT */
#include "shmlink/snapshot.h"

#include "shmlink/checksum.h"
#include "shmlink/message.h"
#include "shmlink/name.h"

#include <math.h>
#include <string.h>

/* A device's state: mark, version, checksum of what follows, kind text (with
 * its length, padded to 64 bytes), program, count, then id and value each. */
#define MARK       0x534c4853u /* SHLS */
#define VERSION    1u
#define HEAD_BYTES 84u
#define EACH_BYTES 12u

/* A file: mark, version, checksum of what follows, format (16 bytes), key (64
 * bytes), size u64, zeros, the state. */
#define FILE_MARK 0x464c4853u /* SHLF */

static shl_status refuse(struct shl_why *why, shl_status st, const char *text)
{
    shl_why_set(why, "%s", text);
    return st;
}

static void put_u32(uint8_t *to, uint32_t value)
{
    struct shl_pack pack = shl_pack_into(to, 4);

    shl_pack_u32(&pack, value);
}

static uint32_t get_u32(const uint8_t *from)
{
    struct shl_unpack unpack = shl_unpack_from(from, 4);

    return shl_unpack_u32(&unpack);
}

/* A text in a field of its own: at most size - 1 bytes, the rest 0. */
static void put_text(uint8_t *to, size_t size, const char *text)
{
    size_t length = strlen(text);

    memset(to, 0, size);
    memcpy(to, text, length < size ? length : size - 1);
}

static int get_text(const uint8_t *from, size_t size, char *text)
{
    memcpy(text, from, size);
    return memchr(text, 0, size) != NULL;
}

/* Mark, version and checksum of bytes that begin with them. */
static shl_status check(uint32_t mark, const uint8_t *bytes, size_t size,
                        size_t least, struct shl_why *why)
{
    if (size < 12 || get_u32(bytes) != mark)
        return refuse(why, SHL_BAD_VALUE, "these bytes are no state");
    if (get_u32(bytes + 4) != VERSION) {
        shl_why_set(why, "this state is of version %u, known is version %u",
                    (unsigned)get_u32(bytes + 4), VERSION);
        return SHL_WRONG_VERSION;
    }
    if (size < least ||
        get_u32(bytes + 8) != shl_checksum(0, bytes + 12, size - 12))
        return refuse(why, SHL_BAD_VALUE, "this state is damaged");
    return SHL_OK;
}

static void seal(uint32_t mark, uint8_t *bytes, uint32_t sum)
{
    put_u32(bytes, mark);
    put_u32(bytes + 4, VERSION);
    put_u32(bytes + 8, sum);
}

/* ---- a device's parameters ------------------------------------------------------ */

size_t shl_snapshot_size(uint32_t param_count)
{
    return HEAD_BYTES + (size_t)EACH_BYTES * param_count;
}

void shl_snapshot_write(const char *kind, uint32_t program,
                        const struct shl_param *params, const double *values,
                        uint32_t param_count, uint8_t *bytes)
{
    size_t size = shl_snapshot_size(param_count);
    struct shl_pack pack = shl_pack_into(bytes + HEAD_BYTES, size - HEAD_BYTES);

    put_text(bytes + 12, SHL_TEXT_SIZE, kind);
    put_u32(bytes + 76, program);
    put_u32(bytes + 80, param_count);
    for (uint32_t i = 0; i < param_count; i++) {
        shl_pack_u32(&pack, params[i].id);
        shl_pack_f64(&pack, values[i]);
    }
    seal(MARK, bytes, shl_checksum(0, bytes + 12, size - 12));
}

static void take(const uint8_t *from, uint32_t count,
                 const struct shl_param *params, uint32_t param_count,
                 double *values)
{
    struct shl_unpack unpack =
        shl_unpack_from(from, (size_t)count * EACH_BYTES);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = shl_unpack_u32(&unpack);
        double value = shl_unpack_f64(&unpack);

        for (uint32_t p = 0; p < param_count; p++)
            if (params[p].id == id && isfinite(value) &&
                !(params[p].flags & SHL_PARAM_READ_ONLY))
                values[p] = shl_param_clip(&params[p], value);
    }
}

shl_status shl_snapshot_read(const char *kind, const uint8_t *bytes,
                             size_t size, const struct shl_param *params,
                             uint32_t param_count, double *values,
                             uint32_t *program, struct shl_why *why)
{
    char whose[SHL_TEXT_SIZE];
    shl_status st = check(MARK, bytes, size, HEAD_BYTES, why);

    if (st)
        return st;
    if (!get_text(bytes + 12, sizeof whose, whose))
        return refuse(why, SHL_BAD_VALUE, "this state is damaged");
    if (strcmp(whose, kind) != 0) {
        shl_text_clean(whose, sizeof whose);
        shl_why_set(why, "this state is of %s, not of %s", whose, kind);
        return SHL_FOREIGN;
    }
    uint32_t count = get_u32(bytes + 80);
    if (count > SHL_MAX_PARAMS || shl_snapshot_size(count) != size)
        return refuse(why, SHL_BAD_VALUE, "this state is damaged");
    take(bytes + HEAD_BYTES, count, params, param_count, values);
    if (program)
        *program = get_u32(bytes + 76);
    return SHL_OK;
}

/* ---- a file with a state ---------------------------------------------------------- */

void shl_state_head(const char *format, const char *key, const uint8_t *state,
                    size_t size, uint8_t head[SHL_STATE_HEAD_SIZE])
{
    struct shl_pack pack = shl_pack_into(head + 92, 8);
    uint32_t sum;

    memset(head, 0, SHL_STATE_HEAD_SIZE);
    put_text(head + 12, 16, format);
    put_text(head + 28, 64, key);
    shl_pack_u64(&pack, size);
    sum = shl_checksum(0, head + 12, SHL_STATE_HEAD_SIZE - 12);
    seal(FILE_MARK, head, shl_checksum(sum, state, size));
}

shl_status shl_state_open(const char *format, const uint8_t *file, size_t size,
                          const uint8_t **state, size_t *state_size,
                          char key[SHL_TEXT_SIZE], struct shl_why *why)
{
    char found[16], whose[64];
    shl_status st = check(FILE_MARK, file, size, SHL_STATE_HEAD_SIZE, why);

    if (st)
        return st;
    struct shl_unpack unpack = shl_unpack_from(file + 92, 8);
    if (shl_unpack_u64(&unpack) != size - SHL_STATE_HEAD_SIZE ||
        !get_text(file + 12, sizeof found, found) ||
        !get_text(file + 28, sizeof whose, whose))
        return refuse(why, SHL_BAD_VALUE, "this state is damaged");
    shl_text_clean(whose, sizeof whose);
    if (strcmp(found, format) != 0) {
        shl_text_clean(found, sizeof found);
        shl_why_set(why, "this state of %s is of the format %s, not %s", whose,
                    found, format);
        return SHL_FOREIGN;
    }
    if (key)
        memcpy(key, whose, sizeof whose);
    *state = file + SHL_STATE_HEAD_SIZE;
    *state_size = size - SHL_STATE_HEAD_SIZE;
    return SHL_OK;
}
