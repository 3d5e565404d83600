/* SPDX-License-Identifier: MIT */
/* Hostile states: bytes that pretend to be a device's parameters, or a file.
 * They are refused and change nothing, or leave values inside their ranges. */
#include "shmlink/checksum.h"
#include "shmlink/snapshot.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct shl_param params[] = {
    {.id = 0, .minimum = -1, .maximum = 1, .name = "a"},
    {.id = 1, .minimum = 5, .maximum = 10, .initial = 5, .name = "b"}};

static void check(bool good)
{
    if (!good)
        abort();
}

static void read_values(const uint8_t *bytes, size_t size)
{
    double values[2] = {0.5, 7};
    uint32_t program = 1;
    struct shl_why why;
    shl_status st =
        shl_snapshot_read("x", bytes, size, params, 2, values, &program, &why);

    if (st)
        check(values[0] == 0.5 && values[1] == 7 && program == 1 &&
              memchr(why.text, 0, sizeof why.text));
    check(values[0] >= -1 && values[0] <= 1);
    check(values[1] >= 5 && values[1] <= 10);
}

static void open_file(const uint8_t *bytes, size_t size)
{
    const uint8_t *state;
    size_t inside;
    char key[64];
    struct shl_why why;

    if (shl_state_open("link", bytes, size, &state, &inside, key, &why))
        return;
    check(state >= bytes && inside <= size && state + inside == bytes + size &&
          memchr(key, 0, sizeof key));
}

/* As it is, and with the right beginning, which no chance would find. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t marks[2][8] = {{'S', 'H', 'L', 'S', 1, 0, 0, 0},
                                        {'S', 'H', 'L', 'F', 1, 0, 0, 0}};
    uint8_t *copy = malloc(size + 12);

    read_values(data, size);
    open_file(data, size);
    for (int i = 0; copy && i < 2; i++) {
        uint32_t sum = shl_checksum(0, data, size);

        memcpy(copy, marks[i], 8);
        memcpy(copy + 8, &sum, 4);
        if (size)
            memcpy(copy + 12, data, size);
        read_values(copy, size + 12);
        open_file(copy, size + 12);
    }
    free(copy);
    return 0;
}
