/* SPDX-License-Identifier: MIT */
/* Events: what is made, what is read back, and what a peer may not write. */
#include "shmlink/event.h"
#include "shmlink/midi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

static void parameter_event_carries_id_and_all_bits_of_the_value(void **state)
{
    static const double values[] = {0, -1, 1.0 / 3, 1e-300, -1e300, 440};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (int kind = SHL_EVENT_PARAM; kind <= SHL_EVENT_GESTURE_END;
             kind++) {
            struct shl_event e = shl_event_param(
                UINT64_MAX, (enum shl_event_kind)kind, 0xDEADBEEF, values[i]);
            double value = shl_event_value(&e);
            assert_int_equal(e.frame, UINT64_MAX);
            assert_int_equal(e.kind, kind);
            assert_int_equal(e.size, 20);
            assert_int_equal(shl_event_id(&e), 0xDEADBEEF);
            assert_memory_equal(&value, &values[i], sizeof value);
            assert_int_equal(shl_event_check(&e), SHL_OK);
        }
}

static void parameter_event_is_for_all_notes_ports_and_channels(void **state)
{
    struct shl_event e = shl_event_param(1, SHL_EVENT_PARAM, 2, 3);
    unsigned char bytes[20];

    (void)state;
    memcpy(bytes, e.data, sizeof bytes);
    for (int i = 12; i < 20; i++)
        assert_int_equal(bytes[i], 0xFF);
}

static void midi_event_is_one_word(void **state)
{
    struct shl_event e = shl_event_midi(99, 3, 0x91, 60, 100);

    (void)state;
    assert_int_equal(e.frame, 99);
    assert_int_equal(e.kind, SHL_EVENT_UMP);
    assert_int_equal(e.size, 4);
    assert_int_equal(e.data[0], 0x23913C64);
    assert_int_equal(e.data[1] | e.data[2] | e.data[3] | e.data[4], 0);
    assert_int_equal(shl_event_check(&e), SHL_OK);
    e = shl_event_midi(0, 0, 0x90, 0xFF, 0xFF); /* cut to 7 bits */
    assert_int_equal(e.data[0], 0x20907F7F);
    assert_int_equal(shl_event_check(&e), SHL_OK);
}

static void packets_of_every_type_pass_in_their_own_size_only(void **state)
{
    (void)state;
    for (uint32_t type = 0; type < 16; type++) {
        uint32_t ump[4] = {type << 28 | 0x00900000, 1, 2, 3};
        if (type == 1)
            ump[0] = 0x10F80000;
        if (type == 3)
            ump[0] = 0x30020102;
        for (uint32_t words = 1; words <= 4; words++) {
            struct shl_event e = shl_event_ump(0, ump, words);
            int fits = words == shl_ump_words(ump[0]);
            assert_memory_equal(e.data, ump, words * 4);
            assert_int_equal(shl_event_check(&e), fits ? SHL_OK : SHL_BAD_PEER);
        }
    }
}

static void too_many_words_are_cut(void **state)
{
    static const uint32_t ump[9] = {0xF0000000};
    struct shl_event e = shl_event_ump(0, ump, 9);

    (void)state;
    assert_int_equal(e.size, 16);
}

static shl_status check_word(uint32_t word0)
{
    uint32_t ump[2] = {word0, 0};
    struct shl_event e = shl_event_ump(0, ump, shl_ump_words(word0));

    return shl_event_check(&e);
}

static void channel_messages_must_have_status_and_seven_bits(void **state)
{
    (void)state;
    for (uint32_t status = 0; status < 256; status++)
        assert_int_equal(check_word(0x20000000 | status << 16),
                         status >= 0x80 && status < 0xF0 ? SHL_OK
                                                         : SHL_BAD_PEER);
    assert_int_equal(check_word(0x20908000), SHL_BAD_PEER);
    assert_int_equal(check_word(0x20900080), SHL_BAD_PEER);
}

static void system_messages_must_not_be_sysex(void **state)
{
    (void)state;
    for (uint32_t status = 0; status < 256; status++)
        assert_int_equal(check_word(0x10000000 | status << 16),
                         status > 0xF0 && status != 0xF7 ? SHL_OK
                                                         : SHL_BAD_PEER);
    assert_int_equal(check_word(0x10F28000), SHL_BAD_PEER);
}

static void sysex_packets_must_say_how_many_bytes_they_have(void **state)
{
    (void)state;
    for (uint32_t form = 0; form < 16; form++)
        for (uint32_t count = 0; count < 16; count++)
            assert_int_equal(check_word(0x30000000 | form << 20 | count << 16),
                             form < 4 && count < 7 ? SHL_OK : SHL_BAD_PEER);
    assert_int_equal(check_word(0x30018000), SHL_BAD_PEER);
    assert_int_equal(check_word(0x30010080), SHL_OK); /* not in use */
}

static void values_that_are_no_numbers_do_not_pass(void **state)
{
    static const double strange[] = {(double)NAN, (double)INFINITY,
                                     -(double)INFINITY};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct shl_event e = shl_event_param(0, SHL_EVENT_PARAM, 1, strange[i]);
        assert_int_equal(shl_event_check(&e), SHL_BAD_PEER);
    }
}

static void other_sizes_and_kinds_do_not_pass(void **state)
{
    struct shl_event e = shl_event_param(0, SHL_EVENT_PARAM, 1, 1);

    (void)state;
    for (uint32_t size = 0; size < 65536; size++) {
        e.size = (uint16_t)size;
        assert_int_equal(shl_event_check(&e),
                         size == 20 ? SHL_OK : SHL_BAD_PEER);
    }
    e.size = 20;
    for (uint32_t kind = 0; kind < 65536; kind++) {
        e.kind = (uint16_t)kind;
        assert_int_equal(shl_event_check(&e),
                         kind >= 2 && kind <= 5 ? SHL_OK : SHL_BAD_PEER);
    }
}

/* Whatever a peer writes, the check neither reads past the event nor stops. */
static void random_bytes_are_survived(void **state)
{
    uint64_t seed = 88172645463325252u;
    uint32_t good = 0;

    (void)state;
    for (int i = 0; i < 1000000; i++) {
        struct shl_event e;
        uint64_t words[4];
        for (int w = 0; w < 4; w++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            words[w] = seed;
        }
        memcpy(&e, words, sizeof e);
        e.kind %= 7;
        e.size %= 24;
        good += shl_event_check(&e) == SHL_OK;
    }
    assert_in_range(good, 1, 999999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_event_carries_id_and_all_bits_of_the_value),
        cmocka_unit_test(parameter_event_is_for_all_notes_ports_and_channels),
        cmocka_unit_test(midi_event_is_one_word),
        cmocka_unit_test(packets_of_every_type_pass_in_their_own_size_only),
        cmocka_unit_test(too_many_words_are_cut),
        cmocka_unit_test(channel_messages_must_have_status_and_seven_bits),
        cmocka_unit_test(system_messages_must_not_be_sysex),
        cmocka_unit_test(sysex_packets_must_say_how_many_bytes_they_have),
        cmocka_unit_test(values_that_are_no_numbers_do_not_pass),
        cmocka_unit_test(other_sizes_and_kinds_do_not_pass),
        cmocka_unit_test(random_bytes_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
