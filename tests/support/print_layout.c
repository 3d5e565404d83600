/* SPDX-License-Identifier: MIT */
/* Prints every shared field with its offset and size. A 32-bit and a 64-bit
 * build must print the same: m32.sh compares them. */
#include "core/shm/layout.h"

#include "fields.h"

#include <inttypes.h>
#include <stdio.h>

int main(void)
{
    size_t count = sizeof shared_fields / sizeof *shared_fields;
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &shared_fields[i];
        printf("%s.%s %" PRIu32 " %" PRIu32 "\n", f->of,
               f->name ? f->name : "size", f->offset, f->size);
    }
    return count > 0 ? 0 : 1;
}
