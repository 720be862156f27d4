/*
 * elf.h - a strict reader of ELF program headers, shared by kernel and ulib.
 *
 * A pure function over the first bytes of a file: it tells which parts of the
 * file go where, or why it will not. It takes 64-bit x86-64 executables that
 * need no other file: static ones (ET_EXEC) and static position-independent ones
 * (ET_DYN, which relocate themselves in their start code). Everything that it
 * gives back has been checked, so a loader needs no arithmetic checks of its own:
 *
 *   - segments are in rising order, and no page belongs to two of them;
 *   - offset and vaddr are congruent modulo the page size, filesz <= memsz,
 *     [offset, offset + filesz) lies in the file, vaddr + memsz <= ELF_TOP;
 *   - every segment is readable, none is both writable and executable;
 *   - entry lies in the file bytes of an executable segment.
 *
 * Includes nothing but freestanding headers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 16
#define ELF_HEADERS_MAX  64
#define ELF_PAGE         ((uint64_t)4096)
#define ELF_TOP          ((uint64_t)0x7ffffffff000) /* the end of user space */
#define ELF_ALIGN_MAX    ((uint64_t)1 << 30)
/* Header and program headers lie in this many first bytes, or the file is refused. */
#define ELF_PREFIX       ((size_t)4096)

#define ELF_VERDICTS(V)                                                                            \
    V(ELF_OK, "accepted")                                                                          \
    V(ELF_TOO_SHORT, "the file is shorter than an ELF header")                                     \
    V(ELF_BAD_MAGIC, "not an ELF file")                                                            \
    V(ELF_NOT_64_BIT, "not a 64-bit ELF file")                                                     \
    V(ELF_NOT_LITTLE_ENDIAN, "not a little-endian ELF file")                                       \
    V(ELF_BAD_VERSION, "unknown ELF version")                                                      \
    V(ELF_BAD_OS_ABI, "made for another operating system")                                         \
    V(ELF_NOT_EXECUTABLE, "neither an executable nor position-independent")                        \
    V(ELF_WRONG_MACHINE, "not for x86-64")                                                         \
    V(ELF_BAD_HEADER_SIZE, "an ELF header or program header has an unknown size")                  \
    V(ELF_NO_HEADERS, "no program headers")                                                        \
    V(ELF_TOO_MANY_HEADERS, "too many program headers")                                            \
    V(ELF_HEADERS_OUTSIDE, "the program headers are not in the file's first page")                 \
    V(ELF_HEADERS_MISALIGNED, "the program headers are misaligned")                                \
    V(ELF_NEEDS_INTERPRETER, "needs a dynamic linker")                                             \
    V(ELF_EXECUTABLE_STACK, "asks for an executable stack")                                        \
    V(ELF_NO_SEGMENTS, "nothing to load")                                                          \
    V(ELF_TOO_MANY_SEGMENTS, "too many segments")                                                  \
    V(ELF_FILE_LARGER_THAN_MEMORY, "a segment has more bytes in the file than in memory")          \
    V(ELF_OUTSIDE_FILE, "a segment lies outside the file")                                         \
    V(ELF_OUTSIDE_USER_SPACE, "a segment lies outside user space")                                 \
    V(ELF_MISALIGNED, "a segment's offset and address do not agree")                               \
    V(ELF_BAD_ALIGNMENT, "a segment's alignment is not a small power of two")                      \
    V(ELF_UNKNOWN_FLAGS, "a segment has unknown flags")                                            \
    V(ELF_NOT_READABLE, "a segment is not readable")                                               \
    V(ELF_WRITABLE_CODE, "a segment is both writable and executable")                              \
    V(ELF_OUT_OF_ORDER, "segments overlap or are out of order")                                    \
    V(ELF_ENTRY_OUTSIDE, "the entry point is not in executable bytes of the file")                 \
    V(ELF_BAD_PHDR, "PT_PHDR does not agree with the header")                                      \
    V(ELF_DUPLICATE, "a header that may occur once occurs twice")

enum elf_verdict {
#define V(name, text) name,
    ELF_VERDICTS(V)
#undef V
};

enum elf_prot { ELF_EXECUTE = 1, ELF_WRITE = 2, ELF_READ = 4 }; /* as in p_flags */

struct elf_segment {
    uint64_t vaddr, memsz; /* relative to the load base if is_pie */
    uint64_t offset, filesz;
    unsigned prot; /* ELF_READ | ... */
};

struct elf_image {
    bool is_pie;
    uint64_t entry;
    uint64_t low, span;      /* whole pages from the first to the last segment */
    uint64_t align;          /* what the load base must be a multiple of; at least a page */
    uint64_t phdr_vaddr;     /* where the program headers appear; 0: in no segment */
    unsigned phdr_count;
    uint64_t stack_size;     /* PT_GNU_STACK's wish; 0: none */
    unsigned segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/*
 * Read the headers of a file of `file_size` bytes, whose first `available` bytes
 * are at `bytes` (min(file_size, ELF_PREFIX) are enough). *out_image is
 * meaningful only on ELF_OK. No alignment of `bytes` is asked for.
 */
enum elf_verdict elf_parse(const void *bytes, size_t available, uint64_t file_size,
                           struct elf_image *out_image);
/* A phrase for a message. */
const char *elf_verdict_string(enum elf_verdict verdict);
