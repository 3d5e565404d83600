/* SPDX-License-Identifier: MIT */
/* What stands in scratch: written and read again, at the published places, and
 * with every length and count that a peer can get wrong. */
#include "core/maolan/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exactly as long as it is: a sanitizer sees who goes beyond. */
static uint8_t *scratch;

static int begin(void **state)
{
    (void)state;
    scratch = calloc(1, SHL_SCRATCH_SIZE);
    return scratch ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(scratch);
    return 0;
}

static void put(uint32_t at, uint32_t value)
{
    memcpy(scratch + at, &value, 4);
}

static uint32_t get(uint32_t at)
{
    uint32_t value;
    memcpy(&value, scratch + at, 4);
    return value;
}

/* shows MP-33 */
static void names_of_every_length(void **state)
{
    static const uint32_t lengths[] = {0, 1, 255, 65532};
    char *sent = malloc(70000), *got = malloc(70000);
    (void)state;
    memset(sent, 'n', 70000);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(shl_scratch_name_write(scratch, sent, lengths[i]),
                         SHL_OK);
        assert_int_equal(get(0), lengths[i]);
        assert_int_equal(shl_scratch_name_read(scratch, got, 70000),
                         lengths[i] ? SHL_OK : SHL_NOT_FOUND);
        if (lengths[i])
            assert_int_equal(strlen(got), lengths[i]);
    }
    assert_int_equal(shl_scratch_name_write(scratch, sent, 65533),
                     SHL_NO_SPACE);
    put(0, 65533);
    assert_int_equal(shl_scratch_name_read(scratch, got, 70000), SHL_BAD_PEER);
    put(0, 0xDEADBEEF);
    assert_int_equal(shl_scratch_name_read(scratch, got, 70000), SHL_BAD_PEER);
    shl_scratch_name_write(scratch, "a\xFF\n\xC3\xA9", 5);
    assert_int_equal(shl_scratch_name_read(scratch, got, 70000), SHL_OK);
    assert_string_equal(got, "a??\xC3\xA9");
    /* cut in the middle of a character */
    assert_int_equal(shl_scratch_name_read(scratch, got, 5), SHL_OK);
    assert_string_equal(got, "a???");
    free(sent);
    free(got);
}

/* Hazards 4 and 5. */
/* shows MP-32 */
static void port_counts_are_clipped(void **state)
{
    const struct shl_port_counts sent = {2, 33, 1, 17};
    struct shl_port_counts got;
    (void)state;
    assert_int_equal(shl_scratch_ports_read(scratch, &got), SHL_NOT_FOUND);
    shl_scratch_ports_write(scratch, &sent);
    assert_int_equal(get(1024), 0x504F5254);
    assert_int_equal(get(1028), 2);
    assert_int_equal(get(1032), 32);
    assert_int_equal(get(1036), 1);
    assert_int_equal(get(1040), 16);
    put(1028, 0xFFFFFFFF);
    put(1036, 0xFFFFFFFF);
    assert_int_equal(shl_scratch_ports_read(scratch, &got), SHL_OK);
    assert_int_equal(got.audio_in, 32);
    assert_int_equal(got.midi_in, 16);
}

/* One magic for two blocks, at two places: neither is taken for the other. */
/* shows MP-34 */
static void a_directory_is_no_file_list(void **state)
{
    struct shl_table table;
    const char *text;
    uint32_t length;
    (void)state;
    assert_int_equal(shl_scratch_dir_write(scratch, "/a/b", 4, 1), SHL_OK);
    assert_int_equal(get(0), 0x46494C45);
    assert_int_equal(get(4), 4);
    assert_int_equal(shl_scratch_dir_read(scratch, &text, &length), SHL_OK);
    assert_int_equal(length, 4);
    assert_memory_equal(text, "/a/b", 4);
    assert_int_equal(
        shl_table_read(&table, SHL_TABLE_FILES, scratch, SHL_SCRATCH_SIZE),
        SHL_NOT_FOUND);
    put(4, 65529);
    assert_int_equal(shl_scratch_dir_read(scratch, &text, &length),
                     SHL_BAD_PEER);
    memset(scratch, 0, SHL_SCRATCH_SIZE);
    shl_table_write(&table, SHL_TABLE_FILES, scratch);
    shl_table_end(&table);
    assert_int_equal(shl_scratch_dir_read(scratch, &text, &length),
                     SHL_NOT_FOUND);
}

/* shows MP-31 */
static void a_file_is_changed(void **state)
{
    const char *text;
    uint32_t length, index;
    (void)state;
    assert_int_equal(shl_scratch_update_read(scratch, &index, &text, &length),
                     SHL_NOT_FOUND);
    assert_int_equal(shl_scratch_update_write(scratch, 7, "/\xC3\xA9.wav", 7),
                     SHL_OK);
    assert_int_equal(get(0), 0x55504441);
    assert_int_equal(get(4), 7);
    assert_int_equal(get(8), 7);
    assert_int_equal(shl_scratch_update_read(scratch, &index, &text, &length),
                     SHL_OK);
    assert_int_equal(index, 7);
    assert_memory_equal(text, "/\xC3\xA9.wav", 7);
    assert_int_equal(shl_scratch_update_write(scratch, 7, "", 65525),
                     SHL_NO_SPACE);
    put(8, 65525);
    assert_int_equal(shl_scratch_update_read(scratch, &index, &text, &length),
                     SHL_BAD_PEER);
}

static struct shl_table_entry entry_of(uint32_t n, char *name, size_t size)
{
    snprintf(name, size, "/Kl\xC3\xA4nge/%u.wav", n);
    return (struct shl_table_entry){.id = n * 3,
                                    .name = name,
                                    .name_length = (uint32_t)strlen(name),
                                    .module = "osc/1",
                                    .module_length = 5,
                                    .minimum = -1,
                                    .maximum = n + 1.5,
                                    .value = 0.25};
}

static void compare(const struct shl_table_entry *got,
                    const struct shl_table_entry *sent,
                    enum shl_table_kind kind)
{
    assert_int_equal(got->id, sent->id);
    assert_int_equal(got->name_length, sent->name_length);
    assert_memory_equal(got->name, sent->name, sent->name_length);
    if (kind == SHL_TABLE_CLAP_PARAMS)
        assert_memory_equal(got->module, "osc/1", 5);
    if (kind == SHL_TABLE_CLAP_PARAMS || kind == SHL_TABLE_LV2_CONTROLS)
        assert_true(got->minimum == -1 && got->maximum == sent->maximum &&
                    got->value == 0.25);
}

/* shows MP-30 */
static void tables_of_every_kind_and_length(void **state)
{
    static const uint32_t counts[] = {0, 1, 1000};
    struct shl_table_entry sent, got;
    struct shl_table table;
    char name[64];
    (void)state;
    for (int kind = SHL_TABLE_FILES; kind <= SHL_TABLE_NOTES; kind++)
        for (size_t i = 0; i < 3; i++) {
            memset(scratch, 0xAA, SHL_SCRATCH_SIZE);
            shl_table_write(&table, (enum shl_table_kind)kind, scratch);
            for (uint32_t n = 0; n < counts[i]; n++) {
                sent = entry_of(n, name, sizeof name);
                assert_int_equal(shl_table_add(&table, &sent), SHL_OK);
            }
            uint32_t size = shl_table_end(&table);
            assert_int_equal(get(kind ? 0 : 2052), counts[i]);
            assert_int_equal(shl_table_read(&table, (enum shl_table_kind)kind,
                                            scratch, size),
                             SHL_OK);
            for (uint32_t n = 0; n < counts[i]; n++) {
                sent = entry_of(n, name, sizeof name);
                assert_int_equal(shl_table_next(&table, &got), SHL_OK);
                compare(&got, &sent, (enum shl_table_kind)kind);
            }
            assert_int_equal(shl_table_next(&table, &got), SHL_AGAIN);
        }
}

static void a_full_table_refuses_and_stands(void **state)
{
    struct shl_table_entry entry;
    struct shl_table table;
    char name[64];
    uint32_t count = 0, read = 0;
    (void)state;
    shl_table_write(&table, SHL_TABLE_CLAP_PARAMS, scratch);
    entry = entry_of(5, name, sizeof name);
    while (shl_table_add(&table, &entry) == SHL_OK)
        count++;
    entry.name_length = UINT32_MAX;
    entry.module_length = UINT32_MAX;
    assert_int_equal(shl_table_add(&table, &entry), SHL_NO_SPACE);
    uint32_t size = shl_table_end(&table);
    assert_true(size <= SHL_SCRATCH_SIZE);
    assert_int_equal(
        shl_table_read(&table, SHL_TABLE_CLAP_PARAMS, scratch, size), SHL_OK);
    while (shl_table_next(&table, &entry) == SHL_OK)
        read++;
    assert_int_equal(read, count);
}

/* Hazards 6 and 7. */
/* shows MP-35 */
static void promises_take_no_memory(void **state)
{
    struct shl_table_entry entry;
    struct shl_table table;
    (void)state;
    for (int kind = SHL_TABLE_FILES; kind <= SHL_TABLE_NOTES; kind++) {
        memset(scratch, 0, SHL_SCRATCH_SIZE);
        put(2048, 0x46494C45);
        uint32_t count_at = kind ? 0 : 2052;
        put(count_at, 0xFFFFFFFF);
        assert_int_equal(shl_table_read(&table, (enum shl_table_kind)kind,
                                        scratch, 0xFFFFFFFF),
                         SHL_BAD_PEER);
        assert_int_equal(
            shl_table_read(&table, (enum shl_table_kind)kind, scratch, 3),
            SHL_BAD_PEER);
        /* the count fits, a name does not */
        put(count_at, 2);
        put(count_at + 8, 0xFFFFFFF0);
        assert_int_equal(shl_table_read(&table, (enum shl_table_kind)kind,
                                        scratch, SHL_SCRATCH_SIZE),
                         SHL_OK);
        assert_int_equal(shl_table_next(&table, &entry), SHL_BAD_PEER);
        assert_int_equal(shl_table_next(&table, &entry), SHL_AGAIN);
    }
}

/* Every table that bytes can be, cut at every length. */
static void random_tables_do_no_harm(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct shl_table_entry entry;
        struct shl_table table;
        uint64_t sum = 0;
        for (uint32_t i = 0; i < 64; i++) {
            seed = seed * 1664525 + 1013904223;
            scratch[(round & 1 ? 2048 : 0) + i] =
                seed >> 30 ? 0 : (uint8_t)(seed >> 20);
        }
        put(2048, 0x46494C45);
        uint32_t size = seed % 3 ? SHL_SCRATCH_SIZE : seed >> 16;
        if (shl_table_read(&table, (enum shl_table_kind)(round % 4), scratch,
                           size))
            continue;
        while (shl_table_next(&table, &entry) == SHL_OK)
            for (uint32_t i = 0; i < entry.name_length; i++)
                sum += (uint8_t)entry.name[i];
        assert_true(sum < UINT64_MAX);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

static uint32_t put_at(uint8_t *bytes, uint32_t at, uint32_t word)
{
    memcpy(bytes + at, &word, 4);
    return at + 4;
}

/* Hazard 8: plugin hosts check the bodies of a state, not the words before. */
/* shows MP-35 */
static void a_state_of_lv2_is_whole_or_refused(void **state)
{
    uint8_t bytes[256] = {0};
    uint32_t words[8], count = 0, at = 0, size;

    (void)state;
    words[count++] = at;
    at = put_at(bytes, at, 2); /* ports */
    for (uint32_t i = 0; i < 2; i++) {
        at = put_at(bytes, at, i);
        at = put_at(bytes, at, 0x3F800000u);
    }
    words[count++] = at;
    at = put_at(bytes, at, 1); /* properties */
    for (uint32_t i = 0; i < 3; i++) {
        if (i == 2)
            at = put_at(bytes, at, 1); /* flags */
        words[count++] = at;
        at = put_at(bytes, at, 5 + i);
        at += 5 + i;
    }
    size = at;
    assert_int_equal(shl_scratch_lv2_state_check(bytes, size), SHL_OK);
    for (at = 0; at < size; at++)
        assert_int_equal(shl_scratch_lv2_state_check(bytes, at), SHL_BAD_VALUE);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t n = 0; n < 4; n++) {
            static const uint32_t wrong[] = {200, 0x7FFFFFFFu, 0x20000000u,
                                             0xFFFFFFFFu};
            uint8_t other[256];

            memcpy(other, bytes, sizeof other);
            put_at(other, words[i], wrong[n]);
            assert_int_equal(shl_scratch_lv2_state_check(other, size),
                             SHL_BAD_VALUE);
        }
    assert_int_equal(shl_scratch_lv2_state_check(bytes, 8), SHL_BAD_VALUE);
    memset(bytes, 0, 8); /* none of either */
    assert_int_equal(shl_scratch_lv2_state_check(bytes, 8), SHL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_of_every_length),
        TEST(port_counts_are_clipped),
        TEST(a_directory_is_no_file_list),
        TEST(a_file_is_changed),
        TEST(tables_of_every_kind_and_length),
        TEST(a_full_table_refuses_and_stands),
        TEST(promises_take_no_memory),
        TEST(a_state_of_lv2_is_whole_or_refused),
        TEST(random_tables_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
