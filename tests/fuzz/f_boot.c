/*
 * f_boot.c - the readers of the loaders' tables on any bytes: a line, or sound ranges.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../host/boot_tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    uint8_t *copy = malloc(size); /* of the exact size, so that reading past it shows */
    for (size_t i = 1; i < size; i++)
        copy[i - 1] = data[i];
    if (boot_try(data[0] & 1, copy, size - 1)) {
        if (!boot_try_ranges_are_sound())
            abort();
    } else if (!boot_try_message[0]) {
        abort();
    }
    free(copy);
    return 0;
}
