/*
 * cpio_test.c - archives written here by hand, sound and spoiled.
 */
#include "lib/cpio.h"

#include "lib/fmt.h"
#include "lib/ktest.h"
#include "lib/string.h"

static char archive[4096];
static size_t used;
static struct cpio_entry entry;

/* Append an entry whose name is padded with NULs to `name_size` bytes (0: just one). */
static void put_entry(const char *name, size_t name_size, uint32_t mode, const char *data) {
    size_t length = strlen(data);

    if (name_size == 0)
        name_size = strlen(name) + 1;
    used += fmt_format(archive + used, sizeof(archive) - used,
                       "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08zx%08x", 1u, mode, 0u,
                       0u, 1u, 0u, (unsigned)length, 0u, 0u, 0u, 0u, name_size, 0u);
    memcpy(archive + used, name, strlen(name));
    used += name_size;
    used = round_up(used, 4);
    memcpy(archive + used, data, length);
    used += length;
    used = round_up(used, 4);
}

static void begin(void) {
    memset(archive, 0, sizeof(archive));
    used = 0;
}

static void make_sound_archive(void) {
    begin();
    put_entry(".", 0, 040755, "");
    put_entry("bin/one", 0, 0100755, "first");
    put_entry("./bin/two", 300, 0100644, "second file");
    put_entry("/boot/three", 0, 0100644, "");
    put_entry("TRAILER!!!", 0, 0, "");
}

static bool entry_is(const char *name, const char *data) {
    return entry.name_length == strlen(name) && memcmp(entry.name, name, entry.name_length) == 0 &&
           entry.size == strlen(data) && memcmp(archive + entry.data_offset, data, entry.size) == 0;
}

KTEST_QUICK(cpio, entries_come_in_order_with_plain_names) {
    struct cpio_reader reader;

    make_sound_archive();
    cpio_open(&reader, archive, used);
    EXPECT_EQ(CPIO_ENTRY, cpio_next(&reader, &entry));
    EXPECT(entry_is("", ""));
    EXPECT_EQ(CPIO_DIRECTORY, entry.mode & CPIO_TYPE_MASK);
    EXPECT_EQ(CPIO_ENTRY, cpio_next(&reader, &entry));
    EXPECT(entry_is("bin/one", "first"));
    EXPECT_EQ(CPIO_ENTRY, cpio_next(&reader, &entry));
    EXPECT(entry_is("bin/two", "second file"));
    EXPECT_EQ(CPIO_ENTRY, cpio_next(&reader, &entry));
    EXPECT(entry_is("boot/three", ""));
    EXPECT_EQ(CPIO_END, cpio_next(&reader, &entry));
    EXPECT_EQ(CPIO_END, cpio_next(&reader, &entry));
}

KTEST_QUICK(cpio, a_file_is_found_by_its_whole_name) {
    make_sound_archive();
    EXPECT_EQ(CPIO_ENTRY, cpio_find(archive, used, "bin/two", &entry));
    EXPECT(entry_is("bin/two", "second file"));
    EXPECT_EQ(CPIO_END, cpio_find(archive, used, "bin/tw", &entry));
    EXPECT_EQ(CPIO_END, cpio_find(archive, used, "", &entry));
}

KTEST_QUICK(cpio, an_archive_cut_anywhere_ends_with_an_error) {
    make_sound_archive();
    size_t trailer_ends = used - 3; /* three bytes of padding follow the name */
    for (size_t size = 0; size < trailer_ends; size++) {
        struct cpio_reader reader;
        enum cpio_verdict verdict;
        cpio_open(&reader, archive, size);
        do
            verdict = cpio_next(&reader, &entry);
        while (verdict == CPIO_ENTRY);
        EXPECT(verdict == CPIO_TRUNCATED || verdict == CPIO_OUTSIDE);
    }
}

static enum cpio_verdict first_after_change(size_t offset, const char *bytes) {
    struct cpio_reader reader;

    begin();
    put_entry("name", 0, 0100644, "data");
    put_entry("TRAILER!!!", 0, 0, "");
    memcpy(archive + offset, bytes, strlen(bytes));
    cpio_open(&reader, archive, used);
    return cpio_next(&reader, &entry);
}

KTEST_QUICK(cpio, spoiled_headers_are_named) {
    EXPECT_EQ(CPIO_ENTRY, first_after_change(5, "2"));
    EXPECT_EQ(CPIO_BAD_MAGIC, first_after_change(5, "7"));
    EXPECT_EQ(CPIO_BAD_MAGIC, first_after_change(0, "\xc7\x71"));
    EXPECT_EQ(CPIO_BAD_NUMBER, first_after_change(14, "g"));
    EXPECT_EQ(CPIO_BAD_NUMBER, first_after_change(102, "-"));
    EXPECT_EQ(CPIO_OUTSIDE, first_after_change(54, "ffffffff"));
    EXPECT_EQ(CPIO_OUTSIDE, first_after_change(94, "00000fff"));
    EXPECT_EQ(CPIO_BAD_NAME, first_after_change(94, "00001001"));
    EXPECT_EQ(CPIO_BAD_NAME, first_after_change(94, "ffffffff"));
    EXPECT_EQ(CPIO_BAD_NAME, first_after_change(94, "00000000"));
    EXPECT_EQ(CPIO_BAD_NAME, first_after_change(94, "00000004")); /* the NUL is cut off */
}
