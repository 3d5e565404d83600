/* SPDX-License-Identifier: MIT */
/* The requests of the Maolan slot from the side that asks: the bytes of a
 * question are those of scratch, and answers of every kind are read, whatever
 * they claim. */
#include "shmlink/plugin_request.h"

#include "core/maolan/maolan.h"
#include "core/maolan/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static uint8_t bytes[SHL_PLUGIN_REQUEST_ASK_SIZE];

/* shows MP-29 */
static void numbers_are_those_of_the_protocol(void **state)
{
    (void)state;
    for (uint32_t type = SHL_PLUGIN_HOST_SHOW; type <= SHL_PLUGIN_HOST_PORTS;
         type++) {
        uint32_t size = sizeof bytes, number;
        assert_int_equal(shl_plugin_request_ask((enum shl_plugin_host_type)type,
                                                1, "/a", bytes, &size),
                         SHL_OK);
        memcpy(&number, bytes, 4);
        assert_int_equal(number, type);
    }
    assert_int_equal(SHL_PLUGIN_HOST_PORTS, SHL_MAOLAN_AUDIO_PORTS);
    uint32_t size = sizeof bytes;
    assert_int_equal(
        shl_plugin_request_ask(SHL_PLUGIN_HOST_AU_PARAMS, 0, "", bytes, &size),
        SHL_OK);
    assert_int_equal(shl_plugin_request_ask((enum shl_plugin_host_type)(
                                                SHL_PLUGIN_HOST_AU_PARAMS + 1),
                                            0, "", bytes, &size),
                     SHL_BAD_VALUE);
    size = sizeof bytes;
    assert_int_equal(
        shl_plugin_request_ask(SHL_PLUGIN_HOST_STATE_SAVE, 0, "", bytes, &size),
        SHL_BAD_VALUE);
}

/* shows MP-31 */
static void paths_go_as_in_scratch(void **state)
{
    const char *text;
    uint32_t size = sizeof bytes, length, index;
    static uint8_t scratch[SHL_SCRATCH_SIZE];
    static char path[70000];
    (void)state;
    assert_int_equal(shl_plugin_request_ask(SHL_PLUGIN_HOST_FILE, 7, "/a/b.wav",
                                            bytes, &size),
                     SHL_OK);
    memcpy(scratch, bytes + 4, size - 4);
    assert_int_equal(shl_scratch_update_read(scratch, &index, &text, &length),
                     SHL_OK);
    assert_int_equal(index, 7);
    assert_int_equal(length, 8);
    assert_memory_equal(text, "/a/b.wav", 8);
    size = 10;
    assert_int_equal(
        shl_plugin_request_ask(SHL_PLUGIN_HOST_FOLDER, 0, "/a/b", bytes, &size),
        SHL_NO_SPACE);
    size = sizeof bytes;
    memset(path, 'p', sizeof path - 1);
    assert_int_equal(
        shl_plugin_request_ask(SHL_PLUGIN_HOST_FOLDER, 0, path, bytes, &size),
        SHL_NO_SPACE);
}

struct seen {
    uint32_t count, last;
    char name[SHL_PLUGIN_REQUEST_ENTRY_SIZE];
};

static void see(void *arg, const struct shl_plugin_request_entry *entry)
{
    struct seen *seen = arg;
    seen->count++;
    seen->last = entry->id;
    strcpy(seen->name, entry->name);
}

/* shows MP-30 */
static void lists_are_read_one_by_one(void **state)
{
    static uint8_t scratch[SHL_SCRATCH_SIZE];
    static char name[3000];
    struct shl_table table;
    (void)state;
    memset(name, 'n', sizeof name);
    for (int kind = 0; kind < 2; kind++)
        for (uint32_t wanted = 0; wanted <= 1000; wanted += 500) {
            struct seen seen = {0};
            uint32_t count = 99;
            memset(scratch, 0, sizeof scratch);
            shl_table_write(&table, kind ? SHL_TABLE_NOTES : SHL_TABLE_FILES,
                            scratch);
            for (uint32_t n = 0; n < wanted; n++) {
                const struct shl_table_entry entry = {
                    .id = n,
                    .name = n ? "\xC3\xA9\n" : name,
                    .name_length = n ? 3 : sizeof name};
                assert_int_equal(shl_table_add(&table, &entry), SHL_OK);
            }
            uint32_t size = shl_table_end(&table);
            assert_int_equal(
                shl_plugin_request_list(kind ? SHL_PLUGIN_HOST_CLAP_NOTES
                                             : SHL_PLUGIN_HOST_FILES,
                                        scratch, size, see, &seen, &count),
                SHL_OK);
            assert_int_equal(count, wanted);
            assert_int_equal(seen.count, wanted);
            if (wanted)
                assert_string_equal(seen.name, "\xC3\xA9?");
        }
}

/* shows MP-35 */
static void lies_end_the_list(void **state)
{
    static uint8_t scratch[SHL_SCRATCH_SIZE];
    struct seen seen = {0};
    uint32_t count, four[4];
    (void)state;
    assert_int_equal(shl_plugin_request_list(SHL_PLUGIN_HOST_FILES, NULL, 0,
                                             see, &seen, &count),
                     SHL_BAD_PEER);
    assert_int_equal(shl_plugin_request_list(SHL_PLUGIN_HOST_CLAP_NOTES,
                                             scratch, 2, see, &seen, &count),
                     SHL_BAD_PEER);
    memset(scratch, 0xFF, sizeof scratch);
    assert_int_equal(shl_plugin_request_list(SHL_PLUGIN_HOST_CLAP_NOTES,
                                             scratch, sizeof scratch, see,
                                             &seen, &count),
                     SHL_BAD_PEER);
    assert_int_equal(seen.count, 0);
    assert_int_equal(shl_plugin_request_ports(scratch, sizeof scratch, four),
                     SHL_BAD_PEER);
    assert_int_equal(shl_plugin_request_ports(NULL, 0, four), SHL_BAD_PEER);
}

/* shows MP-32 */
static void counts_are_clipped(void **state)
{
    static uint8_t scratch[SHL_SCRATCH_SIZE];
    const struct shl_port_counts sent = {2, 40, 1, 17};
    uint32_t four[4];
    (void)state;
    shl_scratch_ports_write(scratch, &sent);
    memset(scratch + 1028, 0xFF, 4);
    assert_int_equal(shl_plugin_request_ports(scratch, 1044, four), SHL_OK);
    assert_int_equal(four[0], 32);
    assert_int_equal(four[1], 32);
    assert_int_equal(four[2], 1);
    assert_int_equal(four[3], 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_protocol),
        cmocka_unit_test(paths_go_as_in_scratch),
        cmocka_unit_test(lists_are_read_one_by_one),
        cmocka_unit_test(lies_end_the_list),
        cmocka_unit_test(counts_are_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
