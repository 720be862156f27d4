/*
 * cpio.h - walks a "newc" cpio archive in memory; shared by kernel and ulib.
 *
 * The walk touches nothing outside [base, base + size) and ends at the entry
 * named TRAILER!!!. Names may be padded with NULs (our image aligns file data
 * to pages that way); readers stop at the first. Leading "/" and "./" are taken
 * off, so the archive's root has the empty name.
 *
 * Includes nothing but freestanding headers.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CPIO_VERDICTS(V)                                                                           \
    V(CPIO_ENTRY, "an entry")                                                                      \
    V(CPIO_END, "the end of the archive")                                                          \
    V(CPIO_TRUNCATED, "the archive ends without its trailer")                                      \
    V(CPIO_BAD_MAGIC, "an entry does not begin with 070701 or 070702")                             \
    V(CPIO_BAD_NUMBER, "a header field is not a hexadecimal number")                               \
    V(CPIO_BAD_NAME, "a name is empty, too long or not terminated")                                \
    V(CPIO_OUTSIDE, "an entry reaches beyond the archive")

enum cpio_verdict {
#define V(name, text) name,
    CPIO_VERDICTS(V)
#undef V
};

#define CPIO_NAME_MAX ((size_t)4096) /* with padding, as Linux has it */

enum cpio_mode { CPIO_TYPE_MASK = 0170000, CPIO_DIRECTORY = 0040000, CPIO_FILE = 0100000 };

struct cpio_reader {
    const uint8_t *base;
    size_t size, offset;
};

struct cpio_entry {
    const char *name; /* inside the archive, terminated */
    size_t name_length;
    size_t data_offset; /* from the archive's begin */
    uint32_t size, mode;
};

void cpio_open(struct cpio_reader *reader, const void *base, size_t size);
/* The next entry; after CPIO_END or an error the same answer again. */
enum cpio_verdict cpio_next(struct cpio_reader *reader, struct cpio_entry *out_entry);
/* The first regular file named `name` (no leading slash); CPIO_END if there is none. */
enum cpio_verdict cpio_find(const void *base, size_t size, const char *name,
                            struct cpio_entry *out_entry);
const char *cpio_verdict_string(enum cpio_verdict verdict);
