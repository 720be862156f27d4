/*
 * elf_test.c - P06: one sound file, and a table of files with one field spoiled,
 * each of which must be refused for the right reason.
 *
 * The sound file has a read-only, an executable and a writable segment, a
 * PT_PHDR, a PT_DYNAMIC and a PT_GNU_STACK.
 */
#include "lib/elf.h"

#include "lib/ktest.h"
#include "lib/string.h"

#define FILE_SIZE 0x3000
#define PHOFF     64
#define PHSIZE    56
#define PH(index, field) (PHOFF + (index) * PHSIZE + (field))

enum { TYPE = 0, FLAGS = 4, OFFSET = 8, VADDR = 16, FILESZ = 32, MEMSZ = 40, ALIGN = 48 };
enum { PHDR, RO, CODE, DATA, DYNAMIC, STACK, HEADERS };

static uint8_t file[4096];
static struct elf_image image;

static void put(size_t offset, unsigned width, uint64_t value) {
    for (unsigned i = 0; i < width; i++)
        file[offset + i] = (uint8_t)(value >> (8 * i));
}

static void put_header(unsigned index, uint32_t type, uint32_t flags, uint64_t offset,
                       uint64_t filesz, uint64_t memsz, uint64_t align) {
    put(PH(index, TYPE), 4, type);
    put(PH(index, FLAGS), 4, flags);
    put(PH(index, OFFSET), 8, offset);
    put(PH(index, VADDR), 8, offset + (flags & ELF_WRITE ? 0x1000 : 0));
    put(PH(index, FILESZ), 8, filesz);
    put(PH(index, MEMSZ), 8, memsz);
    put(PH(index, ALIGN), 8, align);
}

static void make_sound_file(void) {
    memset(file, 0, sizeof(file));
    memcpy(file, "\x7f" "ELF\x02\x01\x01", 7);
    put(16, 2, 3);  /* ET_DYN */
    put(18, 2, 62); /* x86-64 */
    put(20, 4, 1);
    put(24, 8, 0x1010); /* entry */
    put(32, 8, PHOFF);
    put(52, 2, 64);
    put(54, 2, PHSIZE);
    put(56, 2, HEADERS);
    put_header(PHDR, 6, ELF_READ, PHOFF, HEADERS * PHSIZE, HEADERS * PHSIZE, 8);
    put_header(RO, 1, ELF_READ, 0, 0x800, 0x800, 0x1000);
    put_header(CODE, 1, ELF_READ | ELF_EXECUTE, 0x1000, 0x400, 0x400, 0x1000);
    put_header(DATA, 1, ELF_READ | ELF_WRITE, 0x2000, 0x200, 0x1800, 0x1000);
    put_header(DYNAMIC, 2, ELF_READ | ELF_WRITE, 0x2000, 0x100, 0x100, 8);
    put_header(STACK, 0x6474e551, ELF_READ | ELF_WRITE, 0, 0, 0x20000, 16);
}

KTEST_QUICK(elf, a_sound_file_is_read_field_by_field) {
    make_sound_file();
    REQUIRE(elf_parse(file, sizeof(file), FILE_SIZE, &image) == ELF_OK);
    EXPECT(image.is_pie);
    EXPECT_EQ(0x1010, image.entry);
    EXPECT_EQ(0, image.low);
    EXPECT_EQ(0x5000, image.span);
    EXPECT_EQ(PHOFF, image.phdr_vaddr);
    EXPECT_EQ(HEADERS, image.phdr_count);
    EXPECT_EQ(0x20000, image.stack_size);
    REQUIRE(image.segment_count == 3);
    EXPECT_EQ(0x1000, image.segments[1].vaddr);
    EXPECT_EQ(ELF_READ | ELF_EXECUTE, image.segments[1].prot);
    EXPECT_EQ(0x3000, image.segments[2].vaddr);
    EXPECT_EQ(0x2000, image.segments[2].offset);
    EXPECT_EQ(0x200, image.segments[2].filesz);
    EXPECT_EQ(0x1800, image.segments[2].memsz);
}

struct spoiled {
    size_t offset;
    unsigned width;
    uint64_t value;
    enum elf_verdict want;
};

static const struct spoiled faults[] = {
    {0, 1, 0x7e, ELF_BAD_MAGIC},
    {3, 1, 'G', ELF_BAD_MAGIC},
    {4, 1, 1, ELF_NOT_64_BIT},
    {5, 1, 2, ELF_NOT_LITTLE_ENDIAN},
    {6, 1, 0, ELF_BAD_VERSION},
    {7, 1, 9, ELF_BAD_OS_ABI},
    {16, 2, 1, ELF_NOT_EXECUTABLE},
    {16, 2, 4, ELF_NOT_EXECUTABLE},
    {18, 2, 3, ELF_WRONG_MACHINE},
    {18, 2, 183, ELF_WRONG_MACHINE},
    {20, 4, 2, ELF_BAD_VERSION},
    {24, 8, 0xfff, ELF_ENTRY_OUTSIDE},
    {24, 8, 0x1400, ELF_ENTRY_OUTSIDE},
    {24, 8, 0x3000, ELF_ENTRY_OUTSIDE},
    {24, 8, UINT64_MAX, ELF_ENTRY_OUTSIDE},
    {32, 8, 0, ELF_HEADERS_OUTSIDE},
    {32, 8, 66, ELF_HEADERS_MISALIGNED},
    {32, 8, 4096 - 56, ELF_HEADERS_OUTSIDE},
    {32, 8, UINT64_MAX - 7, ELF_HEADERS_OUTSIDE},
    {52, 2, 63, ELF_BAD_HEADER_SIZE},
    {54, 2, 55, ELF_BAD_HEADER_SIZE},
    {54, 2, 0, ELF_BAD_HEADER_SIZE},
    {56, 2, 0, ELF_NO_HEADERS},
    {56, 2, 65, ELF_TOO_MANY_HEADERS},
    {56, 2, 0xffff, ELF_TOO_MANY_HEADERS},
    {PH(DYNAMIC, TYPE), 4, 3, ELF_NEEDS_INTERPRETER},
    {PH(DYNAMIC, TYPE), 4, 6, ELF_DUPLICATE},
    {PH(DYNAMIC, TYPE), 4, 0x6474e551, ELF_DUPLICATE},
    {PH(PHDR, OFFSET), 8, 72, ELF_BAD_PHDR},
    {PH(PHDR, VADDR), 8, 72, ELF_BAD_PHDR},
    {PH(STACK, FLAGS), 4, 7, ELF_EXECUTABLE_STACK},
    {PH(RO, VADDR), 8, 8, ELF_MISALIGNED},
    {PH(RO, VADDR), 8, 0x1000, ELF_OUT_OF_ORDER}, /* the code's page */
    {PH(RO, MEMSZ), 8, 0x7ff, ELF_FILE_LARGER_THAN_MEMORY},
    {PH(RO, MEMSZ), 8, 0x1001, ELF_OUT_OF_ORDER},
    {PH(RO, FLAGS), 4, 0, ELF_NOT_READABLE},
    {PH(RO, FLAGS), 4, ELF_EXECUTE, ELF_NOT_READABLE},
    {PH(RO, ALIGN), 8, 3, ELF_BAD_ALIGNMENT},
    {PH(CODE, OFFSET), 8, 0x1001, ELF_MISALIGNED},
    {PH(CODE, OFFSET), 8, 0x3000, ELF_OUTSIDE_FILE},
    {PH(CODE, OFFSET), 8, UINT64_MAX - 0xfff, ELF_OUTSIDE_FILE},
    {PH(CODE, FLAGS), 4, 7, ELF_WRITABLE_CODE},
    {PH(CODE, FLAGS), 4, 0x15, ELF_UNKNOWN_FLAGS},
    {PH(CODE, FLAGS), 4, ELF_READ, ELF_ENTRY_OUTSIDE},
    {PH(CODE, VADDR), 8, 0x5000, ELF_OUT_OF_ORDER},
    {PH(CODE, ALIGN), 8, 0x1800, ELF_BAD_ALIGNMENT},
    {PH(DATA, ALIGN), 8, 0x2000, ELF_MISALIGNED},
    {PH(CODE, ALIGN), 8, (uint64_t)1 << 31, ELF_BAD_ALIGNMENT},
    {PH(CODE, ALIGN), 8, (uint64_t)1 << 63, ELF_BAD_ALIGNMENT},
    {PH(DATA, FILESZ), 8, 0x1001, ELF_OUTSIDE_FILE},
    {PH(DATA, FILESZ), 8, UINT64_MAX, ELF_FILE_LARGER_THAN_MEMORY},
    {PH(DATA, MEMSZ), 8, UINT64_MAX, ELF_OUTSIDE_USER_SPACE},
    {PH(DATA, MEMSZ), 8, ELF_TOP - 0x2fff, ELF_OUTSIDE_USER_SPACE},
    {PH(DATA, VADDR), 8, ELF_TOP - 0x1000, ELF_OUTSIDE_USER_SPACE},
    {PH(DATA, VADDR), 8, UINT64_MAX - 0xfff, ELF_OUTSIDE_USER_SPACE},
    {PH(DATA, VADDR), 8, 0xffffffff80000000, ELF_OUTSIDE_USER_SPACE},
    {PH(DATA, VADDR), 8, 0x1000, ELF_OUT_OF_ORDER},
};

KTEST_QUICK(elf, P06_each_spoiled_field_is_refused_for_its_reason) {
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        make_sound_file();
        put(faults[i].offset, faults[i].width, faults[i].value);
        enum elf_verdict got = elf_parse(file, sizeof(file), FILE_SIZE, &image);
        if (got != faults[i].want)
            ktest_fail(__FILE__, __LINE__, "fault %zu (offset %zu): \"%s\", not \"%s\"", i,
                       faults[i].offset, elf_verdict_string(got),
                       elf_verdict_string(faults[i].want));
    }
}

KTEST_QUICK(elf, P06_a_file_cut_short_anywhere_is_refused) {
    make_sound_file();
    for (size_t length = 0; length < PHOFF + HEADERS * PHSIZE; length++) {
        enum elf_verdict got = elf_parse(file, length, FILE_SIZE, &image);
        EXPECT_EQ(length < 64 ? ELF_TOO_SHORT : ELF_HEADERS_OUTSIDE, got);
    }
    EXPECT_EQ(ELF_OK, elf_parse(file, sizeof(file), 0x2200, &image));
    EXPECT_EQ(ELF_OUTSIDE_FILE, elf_parse(file, sizeof(file), 0x21ff, &image));
    EXPECT_EQ(ELF_TOO_SHORT, elf_parse(file, sizeof(file), 63, &image));
}

KTEST_QUICK(elf, P06_segments_beyond_the_limit_are_refused) {
    make_sound_file();
    put(24, 8, 0x10);
    put(56, 2, 1 + 17);
    put_header(PHDR, 4, ELF_READ, 0, 0, 0, 0);
    for (unsigned i = 0; i < 17; i++)
        put_header(1 + i, 1, ELF_READ | ELF_EXECUTE, i * 0x100, 0x100, 0x100, 1);
    for (unsigned i = 0; i < 17; i++)
        put(PH(1 + i, VADDR), 8, i * 0x1000 + i * 0x100);
    EXPECT_EQ(ELF_TOO_MANY_SEGMENTS, elf_parse(file, sizeof(file), FILE_SIZE, &image));
    put(56, 2, 1 + 16);
    EXPECT_EQ(ELF_OK, elf_parse(file, sizeof(file), FILE_SIZE, &image));
}

KTEST_QUICK(elf, a_file_without_loadable_bytes_is_refused) {
    make_sound_file();
    for (unsigned i = RO; i <= DATA; i++)
        put(PH(i, TYPE), 4, 4);
    EXPECT_EQ(ELF_NO_SEGMENTS, elf_parse(file, sizeof(file), FILE_SIZE, &image));
}

KTEST_QUICK(elf, the_last_user_bytes_may_be_used) {
    make_sound_file();
    put(PH(DATA, VADDR), 8, ELF_TOP - 0x2000);
    put(PH(DATA, MEMSZ), 8, 0x2000);
    REQUIRE(elf_parse(file, sizeof(file), FILE_SIZE, &image) == ELF_OK);
    EXPECT_EQ(ELF_TOP, image.low + image.span);
}
