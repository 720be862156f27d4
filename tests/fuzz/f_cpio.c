/*
 * f_cpio.c - the archive reader on any bytes: it ends, and stays inside.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static void check_entry(const uint8_t *copy, size_t size, const struct cpio_entry *entry) {
    const uint8_t *name = (const uint8_t *)entry->name;

    if (name < copy || name + entry->name_length >= copy + size ||
        strlen(entry->name) != entry->name_length || entry->name[0] == '/')
        abort();
    if (entry->data_offset > size || entry->size > size - entry->data_offset)
        abort();
    for (size_t i = 0; i < entry->size; i++)
        sink = copy[entry->data_offset + i];
}

static void try_archive(const uint8_t *data, size_t size) {
    struct cpio_reader reader;
    struct cpio_entry entry;
    uint8_t *copy = malloc(size ? size : 1);
    size_t entries = 0;

    memcpy(copy, data, size);
    cpio_open(&reader, copy, size);
    while (cpio_next(&reader, &entry) == CPIO_ENTRY) {
        check_entry(copy, size, &entry);
        if (++entries > size)
            abort();
    }
    (void)cpio_find(copy, size, "bin/init", &entry);
    free(copy);
}

/* Entries with well-formed headers of hostile sizes: 3 bytes and a tail for each. */
static size_t shape(const uint8_t *data, size_t size, uint8_t *out, size_t room) {
    size_t used = 0;

    while (size >= 3 && used + 200 < room) {
        unsigned name = data[0] % 64, length = data[1] << (data[2] % 25);
        snprintf((char *)out + used, 111,
                 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1u, 0100644u, 0u,
                 0u, 1u, 0u, length, 0u, 0u, 0u, 0u, name, 0u);
        used += 110;
        for (unsigned i = 0; i < name && size > 3; i++, size--)
            out[used++] = data++[3] % 128;
        used += data[2] % 5;
        data += 3;
        size -= 3;
    }
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t shaped[4096] = {0};

    try_archive(data, size);
    try_archive(shaped, shape(data, size, shaped, sizeof(shaped)));
    return 0;
}
