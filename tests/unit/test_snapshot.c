/* SPDX-License-Identifier: MIT */
/* The bytes of a state: whole ones come back equal, all others are refused and
 * change nothing. */
#include "shmlink/snapshot.h"

#include "shmlink/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 3u
#define SIZE  (84u + 12u * COUNT)

static const struct shl_param params[COUNT] = {
    {.id = 7, .minimum = -1, .maximum = 1, .initial = 0, .name = "a"},
    {.id = 9, .minimum = 0, .maximum = 10, .initial = 5, .name = "b"},
    {.id = 4,
     .flags = SHL_PARAM_READ_ONLY,
     .minimum = 0,
     .maximum = 1,
     .initial = 0,
     .name = "meter"}};
static const double set[COUNT] = {0.25, 9.5, 0.75};

static void write_state(uint8_t *bytes)
{
    shl_snapshot_write("test synth", 3, params, set, COUNT, bytes);
}

static shl_status read_state(const uint8_t *bytes, size_t size, double *values,
                             uint32_t *program, struct shl_why *why)
{
    return shl_snapshot_read("test synth", bytes, size, params, COUNT, values,
                             program, why);
}

static void the_checksum_is_that_of_zip(void **state)
{
    (void)state;
    assert_int_equal(shl_checksum(0, "123456789", 9), 0xcbf43926u);
    assert_int_equal(shl_checksum(shl_checksum(0, "1234", 4), "56789", 5),
                     0xcbf43926u);
    assert_int_equal(shl_checksum(0, NULL, 0), 0);
}

/* shows DL-57 */
static void values_come_back_by_id(void **state)
{
    double values[COUNT] = {0, 0, 0.5};
    uint32_t program = 0;
    uint8_t bytes[SIZE];

    (void)state;
    assert_int_equal(shl_snapshot_size(COUNT), SIZE);
    write_state(bytes);
    assert_int_equal(read_state(bytes, SIZE, values, &program, NULL), SHL_OK);
    assert_int_equal(program, 3);
    assert_true(values[0] == 0.25 && values[1] == 9.5);
    assert_true(values[2] == 0.5); /* nobody sets a meter */
}

static void other_parameters_keep_what_they_have(void **state)
{
    const struct shl_param other[] = {
        {.id = 9, .minimum = 0, .maximum = 2, .initial = 1, .name = "b"},
        {.id = 1, .minimum = 0, .maximum = 2, .initial = 1, .name = "new"}};
    double values[2] = {1, 1.5};
    uint8_t bytes[SIZE];

    (void)state;
    write_state(bytes);
    assert_int_equal(shl_snapshot_read("test synth", bytes, SIZE, other, 2,
                                       values, NULL, NULL),
                     SHL_OK);
    assert_true(values[0] == 2); /* clipped */
    assert_true(values[1] == 1.5);
}

/* A whole state, but with what is no number in it: the value stays. */
static void what_is_no_number_changes_nothing(void **state)
{
    const double odd[] = {(double)NAN, (double)INFINITY, (double)-INFINITY};

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const double bad[COUNT] = {odd[i], 9.5, 0};
        double values[COUNT] = {0.5, 1, 0};
        uint8_t bytes[SIZE];

        shl_snapshot_write("test synth", 3, params, bad, COUNT, bytes);
        assert_int_equal(read_state(bytes, SIZE, values, NULL, NULL), SHL_OK);
        assert_true(values[0] == 0.5);
        assert_true(values[1] == 9.5);
    }
}

static void every_changed_byte_is_noticed(void **state)
{
    double values[COUNT] = {0.5, 1, 0};
    uint8_t bytes[SIZE];
    struct shl_why why;

    (void)state;
    for (size_t i = 0; i < SIZE; i++) {
        write_state(bytes);
        bytes[i] ^= 0x10;
        why.text[0] = 0;
        assert_int_not_equal(read_state(bytes, SIZE, values, NULL, &why),
                             SHL_OK);
        assert_true(why.text[0] != 0);
    }
    write_state(bytes);
    for (size_t size = 0; size < SIZE; size++)
        assert_int_equal(read_state(bytes, size, values, NULL, NULL),
                         SHL_BAD_VALUE);
    assert_true(values[0] == 0.5 && values[1] == 1);
}

static void foreign_and_later_states_are_named(void **state)
{
    double values[COUNT] = {0.5, 1, 0};
    uint8_t bytes[SIZE];
    struct shl_why why;

    (void)state;
    write_state(bytes);
    assert_int_equal(shl_snapshot_read("piano", bytes, SIZE, params, COUNT,
                                       values, NULL, &why),
                     SHL_FOREIGN);
    assert_string_equal(why.text, "this state is of test synth, not of piano");
    bytes[4] = 2;
    assert_int_equal(read_state(bytes, SIZE, values, NULL, &why),
                     SHL_WRONG_VERSION);
    assert_string_equal(why.text,
                        "this state is of version 2, known is version 1");
    assert_true(values[0] == 0.5 && values[1] == 1);
}

static uint8_t *write_file(const char *inside, size_t size)
{
    uint8_t *file = malloc(SHL_STATE_HEAD_SIZE + size + 1);

    assert_non_null(file);
    shl_state_head("link", "MySynth", (const uint8_t *)inside, size, file);
    memcpy(file + SHL_STATE_HEAD_SIZE, inside, size);
    return file;
}

static void a_file_tells_whose_state_it_holds(void **state)
{
    uint8_t *file = write_file("hello", 5);
    size_t size = SHL_STATE_HEAD_SIZE + 5, inside_size;
    const uint8_t *inside;
    char key[64];
    struct shl_why why;

    (void)state;
    assert_int_equal(
        shl_state_open("link", file, size, &inside, &inside_size, key, NULL),
        SHL_OK);
    assert_int_equal(inside_size, 5);
    assert_memory_equal(inside, "hello", 5);
    assert_string_equal(key, "MySynth");
    assert_int_equal(
        shl_state_open("lv2", file, size, &inside, &inside_size, NULL, &why),
        SHL_FOREIGN);
    assert_string_equal(why.text,
                        "this state of MySynth is of the format link, not lv2");
    for (size_t i = 0; i < size; i++) {
        file[i] ^= 1;
        assert_int_not_equal(shl_state_open("link", file, size, &inside,
                                            &inside_size, NULL, NULL),
                             SHL_OK);
        file[i] ^= 1;
        assert_int_not_equal(
            shl_state_open("link", file, i, &inside, &inside_size, NULL, NULL),
            SHL_OK);
    }
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_that_of_zip),
        cmocka_unit_test(values_come_back_by_id),
        cmocka_unit_test(other_parameters_keep_what_they_have),
        cmocka_unit_test(what_is_no_number_changes_nothing),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(foreign_and_later_states_are_named),
        cmocka_unit_test(a_file_tells_whose_state_it_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
