/*
 * cpio.c - the newc format: a header of 13 hexadecimal fields of 8 digits behind
 * a magic of 6, the name, padding to 4, the data, padding to 4.
 *
 * All sums are of 32-bit fields and of offsets below the archive's size, so they
 * fit 64 bits; each is compared with the size before it is used.
 */
#include "lib/cpio.h"

#include <stdbool.h>

enum { MAGIC_SIZE = 6, FIELD_SIZE = 8, HEADER_SIZE = 110 };
enum { FIELD_MODE = 1, FIELD_FILESIZE = 6, FIELD_NAMESIZE = 11, FIELD_COUNT = 13 };

static bool bytes_equal(const char *a, const char *b, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static size_t length_of(const char *s) {
    size_t length = 0;

    while (s[length])
        length++;
    return length;
}

/* The value of a hexadecimal digit, or -1. */
static int digit(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool read_fields(const uint8_t *header, uint32_t fields[FIELD_COUNT]) {
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        const uint8_t *text = header + MAGIC_SIZE + i * FIELD_SIZE;
        fields[i] = 0;
        for (unsigned j = 0; j < FIELD_SIZE; j++) {
            int value = digit(text[j]);
            if (value < 0)
                return false;
            fields[i] = fields[i] << 4 | (uint32_t)value;
        }
    }
    return true;
}

/* The first NUL within `size` bytes ends the name; false if there is none or it is first. */
static bool name_measure(const char *name, size_t size, size_t *out_length) {
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '\0') {
            *out_length = i;
            return i > 0;
        }
    }
    return false;
}

/* Take leading "/" and "./" off, and "." as a whole. */
static void name_strip(struct cpio_entry *entry) {
    for (;;) {
        const char *name = entry->name;
        size_t skip = 0;
        if (name[0] == '/')
            skip = 1;
        else if (name[0] == '.' && (name[1] == '/' || name[1] == '\0'))
            skip = 1;
        if (skip == 0)
            return;
        entry->name += skip;
        entry->name_length -= skip;
    }
}

static uint64_t align4(uint64_t value) { return (value + 3) & ~(uint64_t)3; }

void cpio_open(struct cpio_reader *reader, const void *base, size_t size) {
    *reader = (struct cpio_reader){base, size, 0};
}

enum cpio_verdict cpio_next(struct cpio_reader *reader, struct cpio_entry *out_entry) {
    const uint8_t *header = reader->base + reader->offset;
    uint64_t left = reader->size - reader->offset;
    uint32_t fields[FIELD_COUNT];
    struct cpio_entry entry;

    if (left < HEADER_SIZE)
        return CPIO_TRUNCATED;
    if (!bytes_equal((const char *)header, "07070", 5) || (header[5] != '1' && header[5] != '2'))
        return CPIO_BAD_MAGIC;
    if (!read_fields(header, fields))
        return CPIO_BAD_NUMBER;
    if (fields[FIELD_NAMESIZE] > CPIO_NAME_MAX)
        return CPIO_BAD_NAME;
    if (fields[FIELD_NAMESIZE] > left - HEADER_SIZE)
        return CPIO_OUTSIDE;
    entry.name = (const char *)header + HEADER_SIZE;
    if (!name_measure(entry.name, fields[FIELD_NAMESIZE], &entry.name_length))
        return CPIO_BAD_NAME;
    if (entry.name_length == 10 && bytes_equal(entry.name, "TRAILER!!!", 10))
        return CPIO_END;

    /* Padding counts from the archive's begin; the end's padding may be missing. */
    uint64_t data = align4(reader->offset + HEADER_SIZE + fields[FIELD_NAMESIZE]);
    if (data > reader->size || fields[FIELD_FILESIZE] > reader->size - data)
        return CPIO_OUTSIDE;
    uint64_t next = align4(data + fields[FIELD_FILESIZE]);
    reader->offset = next < reader->size ? (size_t)next : reader->size;
    entry.data_offset = (size_t)data;
    entry.size = fields[FIELD_FILESIZE];
    entry.mode = fields[FIELD_MODE];
    name_strip(&entry);
    *out_entry = entry;
    return CPIO_ENTRY;
}

enum cpio_verdict cpio_find(const void *base, size_t size, const char *name,
                            struct cpio_entry *out_entry) {
    struct cpio_reader reader;
    struct cpio_entry entry;
    enum cpio_verdict verdict;
    size_t length = length_of(name);

    cpio_open(&reader, base, size);
    while ((verdict = cpio_next(&reader, &entry)) == CPIO_ENTRY) {
        if ((entry.mode & CPIO_TYPE_MASK) != CPIO_FILE || entry.name_length != length ||
            !bytes_equal(entry.name, name, length))
            continue;
        *out_entry = entry;
        return CPIO_ENTRY;
    }
    return verdict;
}

const char *cpio_verdict_string(enum cpio_verdict verdict) {
    switch (verdict) {
#define V(name, text)                                                                              \
    case name:                                                                                     \
        return text;
        CPIO_VERDICTS(V)
#undef V
    }
    return "unknown";
}
