/* SPDX-License-Identifier: MIT */
/* Messages: 256 bytes each, the table of types, values in a payload. */
#include "shmlink/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

/* DL-06 */
static void message_has_256_bytes_and_golden_ones(void **state)
{
    static const uint8_t golden[16] = {10, 0, 1, 7, 0x44, 0x33, 0x22, 0x11,
                                       2,  0, 0, 0, 0xE1, 1,    0,    0};
    struct shl_message message = {.type = SHL_MESSAGE_PARAM_GET,
                                  .flags = SHL_MESSAGE_ASKS | 7 << 8,
                                  .request = 0x11223344,
                                  .part = 2,
                                  .total = 481,
                                  .payload = {0xAB}};
    const uint8_t *bytes = (const uint8_t *)&message;

    (void)state;
    assert_int_equal(sizeof message, 256);
    assert_memory_equal(bytes, golden, sizeof golden);
    assert_int_equal(bytes[16], 0xAB);
    for (size_t i = 17; i < 256; i++)
        assert_int_equal(bytes[i], 0);
}

/* shows DL-06 */
static void packed_values_have_golden_bytes(void **state)
{
    static const uint8_t golden[] = {
        0x78, 0x56, 0x34, 0x12, 8, 7, 6,    5,    4,    3,   2, 1,
        0,    0,    0,    0,    0, 0, 0xF0, 0x3F, 4,    0,   0, 0,
        'o',  's',  'c',  '1',  2, 0, 0,    0,    0xF8, 0xFF};
    uint8_t bytes[sizeof golden];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);

    (void)state;
    shl_pack_u32(&pack, 0x12345678);
    shl_pack_u64(&pack, 0x0102030405060708);
    shl_pack_f64(&pack, 1.0);
    shl_pack_text(&pack, "osc1");
    shl_pack_bytes(&pack, "\xF8\xFF", 2);
    assert_false(pack.full);
    assert_int_equal(pack.used, sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);
}

static void unpacked_values_are_those_packed(void **state)
{
    uint8_t bytes[SHL_MESSAGE_PAYLOAD];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    struct shl_unpack unpack;
    const uint8_t *data;
    uint32_t size;
    char text[8];

    (void)state;
    shl_pack_u32(&pack, UINT32_MAX);
    shl_pack_u64(&pack, UINT64_MAX - 1);
    shl_pack_f64(&pack, -HUGE_VAL);
    shl_pack_text(&pack, "");
    shl_pack_text(&pack, "1234567");
    shl_pack_bytes(&pack, "\0\1\2", 3);
    unpack = shl_unpack_from(bytes, pack.used);
    assert_int_equal(shl_unpack_u32(&unpack), UINT32_MAX);
    assert_true(shl_unpack_u64(&unpack) == UINT64_MAX - 1);
    assert_true(shl_unpack_f64(&unpack) == -HUGE_VAL);
    shl_unpack_text(&unpack, text, sizeof text);
    assert_string_equal(text, "");
    shl_unpack_text(&unpack, text, sizeof text);
    assert_string_equal(text, "1234567");
    data = shl_unpack_bytes(&unpack, &size);
    assert_int_equal(size, 3);
    assert_memory_equal(data, "\0\1\2", 3);
    assert_false(unpack.bad);
    assert_int_equal(unpack.at, unpack.size);
}

static void what_does_not_fit_is_left_out_as_a_whole(void **state)
{
    uint8_t bytes[12];
    struct shl_pack pack = shl_pack_into(bytes, 11);

    (void)state;
    memset(bytes, 0x55, sizeof bytes);
    shl_pack_text(&pack, "12345678"); /* 12 bytes */
    assert_true(pack.full);
    assert_int_equal(pack.used, 0);
    shl_pack_u32(&pack, 1); /* would fit, but would not be found there */
    assert_int_equal(pack.used, 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0x55);
}

/* DL-08: raw MIDI of 1 byte to all that a payload holds, and a length that
 * lies. */
/* shows DL-08 */
static void length_beyond_the_payload_is_refused(void **state)
{
    uint8_t midi[SHL_MESSAGE_PAYLOAD], bytes[SHL_MESSAGE_PAYLOAD];
    uint32_t size;

    (void)state;
    memset(midi, 0x7F, sizeof midi);
    for (uint32_t n = 1; n <= SHL_MESSAGE_PAYLOAD - 4; n++) {
        struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
        struct shl_unpack unpack;
        shl_pack_bytes(&pack, midi, n);
        assert_false(pack.full);
        unpack = shl_unpack_from(bytes, pack.used);
        assert_ptr_equal(shl_unpack_bytes(&unpack, &size), bytes + 4);
        assert_int_equal(size, n);
        for (uint32_t lie = 1; lie < 3; lie++) {
            uint32_t length = lie == 1 ? n + 1 : UINT32_MAX - n;
            memcpy(bytes, &length, sizeof length);
            unpack = shl_unpack_from(bytes, pack.used);
            assert_null(shl_unpack_bytes(&unpack, &size));
            assert_int_equal(size, 0);
            assert_true(unpack.bad);
        }
    }
}

static void short_payloads_give_zeros_and_say_so(void **state)
{
    static const uint8_t bytes[7] = {1, 2, 3, 4, 5, 6, 7};
    struct shl_unpack unpack = shl_unpack_from(bytes, sizeof bytes);
    char text[4] = "abc";

    (void)state;
    assert_true(shl_unpack_u64(&unpack) == 0);
    assert_true(unpack.bad);
    assert_int_equal(shl_unpack_u32(&unpack), 0);
    shl_unpack_text(&unpack, text, sizeof text);
    assert_string_equal(text, "");
}

static void text_with_a_zero_or_too_long_is_refused(void **state)
{
    static const uint8_t zero[] = {3, 0, 0, 0, 'a', 0, 'b'};
    static const uint8_t four[] = {4, 0, 0, 0, 'a', 'b', 'c', 'd'};
    struct shl_unpack unpack = shl_unpack_from(zero, sizeof zero);
    char text[4];

    (void)state;
    shl_unpack_text(&unpack, text, sizeof text);
    assert_true(unpack.bad);
    assert_string_equal(text, "");
    unpack = shl_unpack_from(four, sizeof four);
    shl_unpack_text(&unpack, text, sizeof text);
    assert_true(unpack.bad);
    assert_string_equal(text, "");
}

/* DL-09 */
static void every_type_is_described_and_no_other(void **state)
{
    (void)state;
    assert_null(shl_message_get_about(0));
    assert_null(shl_message_get_about(SHL_MESSAGE_TYPES));
    assert_null(shl_message_get_about(UINT32_MAX));
    for (uint32_t type = 1; type < SHL_MESSAGE_TYPES; type++) {
        const struct shl_message_about *about = shl_message_get_about(type);
        assert_non_null(about);
        assert_true(about->name[0] && about->payload[0] && about->answer[0]);
        assert_true(about->timeout_ms == 0 || about->errors[0]);
        assert_int_equal(shl_message_answers(type),
                         type >= SHL_MESSAGE_PONG && type <= SHL_MESSAGE_ERROR);
        for (uint32_t other = 1; other < type; other++)
            assert_string_not_equal(about->name,
                                    shl_message_get_about(other)->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_has_256_bytes_and_golden_ones),
        cmocka_unit_test(packed_values_have_golden_bytes),
        cmocka_unit_test(unpacked_values_are_those_packed),
        cmocka_unit_test(what_does_not_fit_is_left_out_as_a_whole),
        cmocka_unit_test(length_beyond_the_payload_is_refused),
        cmocka_unit_test(short_payloads_give_zeros_and_say_so),
        cmocka_unit_test(text_with_a_zero_or_too_long_is_refused),
        cmocka_unit_test(every_type_is_described_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
