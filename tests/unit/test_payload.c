/* SPDX-License-Identifier: MIT */
/* The payload of each message: golden bytes for each row of the table, as they
 * were packed by hand before there was one, and every truncation of them. */
#include "shmlink/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* 1, 0.5 and 20 as doubles */
#define ONE    "\0\0\0\0\0\0\xF0\x3F"
#define HALF   "\0\0\0\0\0\0\xE0\x3F"
#define TWENTY "\0\0\0\0\0\0\x34\x40"

/* G(row, golden bytes, what makes them) */
#define GOLDEN(G)                                                              \
    G(error, "\1\0\0\0\2\0\0\0no", {1, "no"})                                  \
    G(bye, "\4\0\0\0done", {"done"})                                           \
    G(midi_raw, "\3\0\0\0\x90\x3C\x40", {3, midi, 3})                          \
    G(list, "\7\1\0\0", {0x107})                                               \
    G(param, "\2\0\0\0\1\0\0\0" HALF TWENTY ONE "\3\0\0\0cut\2\0\0\0Hz",       \
      {2, 1, 0.5, 20, 1, "cut", "Hz"})                                         \
    G(param_group, "\3\0\0\0env", {"env"})                                     \
    G(param_id, "\2\0\0\0", {2})                                               \
    G(param_value, HALF, {0.5})                                                \
    G(param_set, "\2\0\0\0" HALF, {2, 0.5})                                    \
    G(param_text, "\2\0\0\0" HALF "\1\0\0\0x", {2, 0.5, "x"})                  \
    G(param_words, HALF "\4\0\0\0half", {0.5, "half"})                         \
    G(program, "\5\0\0\0\4\0\0\0warm", {5, "warm"})                            \
    G(program_name, "\0\0\0\0", {""})                                          \
    G(program_set, "\5\0\0\0", {5})                                            \
    G(file_offer, "\3\0\0\0a.b\x08\7\6\5\4\3\2\1\xDD\xCC\xBB\xAA",             \
      {"a.b", 0x0102030405060708, 0xAABBCCDD})                                 \
    G(file_transfer, "\x11\0\0\0", {17})                                       \
    G(file_data, "\x11\0\0\0\0\1\0\0\0\0\0\0\x90\x3C\x40", {17, 256, midi, 3}) \
    G(file_kept, "\0\1\0\0\0\0\0\0", {256})                                    \
    G(tap, "\4\0\0\0osc1\1\0\0\0\2\0\0\0", {"osc1", 1, 2})                     \
    G(tap_choice, "\2\0\0\0\4\0\0\0osc1", {2, "osc1"})                         \
    G(buses, "\1\0\0\0\1\0\0\0", {1, 1})                                       \
    G(bus, "\2\0\0\0\3\0\0\0out", {2, "out"})                                  \
    G(log, "\2\0\0\0\2\0\0\0hi", {2, "hi"})                                    \
    G(plugin, "\6\0\0\0\x90\x3C\x40", {6, midi, 3})

static const uint8_t midi[] = {0x90, 0x3C, 0x40};

/* Each row by its own calls, so that one test goes over them all. */
#define CALLS(name, fields)                                                    \
    static bool again_##name(struct shl_unpack *unpack, struct shl_pack *pack) \
    {                                                                          \
        struct shl_payload_##name value;                                       \
                                                                               \
        if (!shl_unpack_##name(unpack, &value))                                \
            return false;                                                      \
        shl_pack_##name(pack, &value);                                         \
        return true;                                                           \
    }
SHL_PAYLOADS(CALLS)

#define PACK(name, bytes, ...)                                                 \
    static void write_##name(struct shl_pack *pack)                            \
    {                                                                          \
        const struct shl_payload_##name value = __VA_ARGS__;                   \
                                                                               \
        shl_pack_##name(pack, &value);                                         \
    }
GOLDEN(PACK)

struct row {
    const char *name, *bytes;
    size_t size;
    void (*write)(struct shl_pack *pack);
    bool (*again)(struct shl_unpack *unpack, struct shl_pack *pack);
};

#define ROW(name, bytes, ...)                                                  \
    {#name, bytes, sizeof(bytes) - 1, write_##name, again_##name},
static const struct row rows[] = {GOLDEN(ROW)};

#define ROWS (sizeof rows / sizeof rows[0])

static void every_row_has_golden_bytes(void **state)
{
#define COUNT(name, fields) +1
    uint8_t bytes[1024];

    (void)state;
    assert_int_equal(ROWS, 0 SHL_PAYLOADS(COUNT));
    for (size_t i = 0; i < ROWS; i++) {
        struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
        rows[i].write(&pack);
        if (pack.full || pack.used != rows[i].size ||
            memcmp(bytes, rows[i].bytes, pack.used) != 0)
            fail_msg("%s is packed into other bytes", rows[i].name);
    }
}

static void every_row_comes_back_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t bytes[1024];
        struct shl_unpack unpack = shl_unpack_from(rows[i].bytes, rows[i].size);
        struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
        assert_true(rows[i].again(&unpack, &pack));
        assert_true(shl_unpack_whole(&unpack));
        assert_int_equal(pack.used, rows[i].size);
        assert_memory_equal(bytes, rows[i].bytes, pack.used);
    }
}

/* On the heap, so that a read beyond is seen; and no room is written beyond. A
 * row that ends in bytes of any number may be whole for some. */
static void truncations_are_bad_or_shorter(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t size = 0; size < rows[i].size; size++) {
            uint8_t *cut = malloc(size + !size), *small = malloc(size + !size);
            struct shl_unpack unpack = shl_unpack_from(cut, size);
            struct shl_pack pack = shl_pack_into(small, size);

            assert_true(cut && small);
            memcpy(cut, rows[i].bytes, size);
            if (rows[i].again(&unpack, &pack)) {
                assert_true(shl_unpack_whole(&unpack));
                assert_int_equal(pack.used, size);
            } else {
                assert_true(unpack.bad);
            }
            pack = shl_pack_into(small, size);
            rows[i].write(&pack);
            assert_true(pack.full && pack.used <= size);
            free(cut);
            free(small);
        }
}

/* A length beyond the payload, beyond the room, and a text with a 0 inside. */
static void lengths_that_lie_are_bad(void **state)
{
    static const uint8_t beyond[] = {0xFF, 0xFF, 0xFF, 0xFF, 'a', 'b'};
    static const uint8_t inside[] = {3, 0, 0, 0, 'a', 0, 'b'};
    uint8_t long_one[4 + SHL_TEXT_SIZE] = {SHL_TEXT_SIZE};
    struct shl_payload_bye bye;
    struct shl_unpack unpack = shl_unpack_from(beyond, sizeof beyond);

    (void)state;
    assert_false(shl_unpack_bye(&unpack, &bye));
    assert_string_equal(bye.reason, "");
    unpack = shl_unpack_from(inside, sizeof inside);
    assert_false(shl_unpack_bye(&unpack, &bye));
    memset(long_one + 4, 'a', SHL_TEXT_SIZE);
    unpack = shl_unpack_from(long_one, sizeof long_one);
    assert_false(shl_unpack_bye(&unpack, &bye));
    assert_string_equal(bye.reason, "");
}

/* A reader from before the groups finds the bytes it has always found, and
 * stops; one that knows them finds none from a device of before. */
static void groups_lie_behind_the_old_list(void **state)
{
    static const char old[] =
        "\1\0\0\0\2\0\0\0\1\0\0\0" HALF TWENTY ONE "\3\0\0\0cut\2\0\0\0Hz";
    const struct shl_param param = {.id = 2,
                                    .flags = 1,
                                    .minimum = 0.5,
                                    .maximum = 20,
                                    .initial = 1,
                                    .name = "cut",
                                    .label = "Hz",
                                    .group = "env"};
    struct shl_payload_list list;
    struct shl_payload_param row;
    struct shl_payload_param_group group;
    uint8_t bytes[200];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    struct shl_unpack unpack;

    (void)state;
    shl_pack_params(&pack, &param, 1);
    assert_int_equal(pack.used, sizeof old - 1 + 7);
    assert_memory_equal(bytes, old, sizeof old - 1);
    for (size_t size = sizeof old - 1; size <= pack.used; size += 7) {
        unpack = shl_unpack_from(bytes, size);
        assert_true(shl_unpack_list(&unpack, &list) && list.count == 1);
        assert_true(shl_unpack_param(&unpack, &row));
        assert_string_equal(row.name, "cut");
        assert_int_equal(shl_unpack_param_group(&unpack, &group),
                         size == pack.used);
        assert_string_equal(group.group, size == pack.used ? "env" : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_golden_bytes),
        cmocka_unit_test(every_row_comes_back_whole),
        cmocka_unit_test(truncations_are_bad_or_shorter),
        cmocka_unit_test(lengths_that_lie_are_bad),
        cmocka_unit_test(groups_lie_behind_the_old_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
