/*
 * elf.c - reads ELF headers byte by byte at the offsets of the format.
 *
 * Fields are fetched by offset and width through `get`, which never reads beyond
 * what was checked to be available; no structure is laid over foreign memory.
 * Each check refuses with a reason of its own, so that the table of malformed
 * files in elf_test.c can tell that the right one fired.
 */
#include "lib/elf.h"

/* Offsets in the ELF header and in a program header. */
enum {
    EI_CLASS = 4, EI_DATA = 5, EI_VERSION = 6, EI_OSABI = 7,
    E_TYPE = 16, E_MACHINE = 18, E_VERSION = 20, E_ENTRY = 24, E_PHOFF = 32,
    E_EHSIZE = 52, E_PHENTSIZE = 54, E_PHNUM = 56, EHDR_SIZE = 64,

    P_TYPE = 0, P_FLAGS = 4, P_OFFSET = 8, P_VADDR = 16,
    P_FILESZ = 32, P_MEMSZ = 40, P_ALIGN = 48, PHDR_SIZE = 56,
};
enum { ET_EXEC = 2, ET_DYN = 3, EM_X86_64 = 62, OSABI_NONE = 0, OSABI_GNU = 3 };
enum { PT_LOAD = 1, PT_INTERP = 3, PT_PHDR = 6, PT_GNU_STACK = 0x6474e551 };

struct header {
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz, memsz, align;
};

/* What has been met so far. */
struct state {
    uint64_t file_size, phoff;
    uint64_t stated_phdr; /* PT_PHDR's address */
    bool has_phdr, has_stack;
    struct elf_image *image;
};

static uint64_t get(const uint8_t *bytes, size_t offset, unsigned width) {
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)bytes[offset + i] << (8 * i);
    return value;
}

static struct header get_header(const uint8_t *bytes) {
    return (struct header){
        .type = (uint32_t)get(bytes, P_TYPE, 4),
        .flags = (uint32_t)get(bytes, P_FLAGS, 4),
        .offset = get(bytes, P_OFFSET, 8),
        .vaddr = get(bytes, P_VADDR, 8),
        .filesz = get(bytes, P_FILESZ, 8),
        .memsz = get(bytes, P_MEMSZ, 8),
        .align = get(bytes, P_ALIGN, 8),
    };
}

static uint64_t page_down(uint64_t value) { return value & ~(ELF_PAGE - 1); }
static uint64_t page_up(uint64_t value) { return page_down(value + ELF_PAGE - 1); }

static enum elf_verdict check_ident(const uint8_t *bytes) {
    if (bytes[0] != 0x7f || bytes[1] != 'E' || bytes[2] != 'L' || bytes[3] != 'F')
        return ELF_BAD_MAGIC;
    if (bytes[EI_CLASS] != 2)
        return ELF_NOT_64_BIT;
    if (bytes[EI_DATA] != 1)
        return ELF_NOT_LITTLE_ENDIAN;
    if (bytes[EI_VERSION] != 1 || get(bytes, E_VERSION, 4) != 1)
        return ELF_BAD_VERSION;
    if (bytes[EI_OSABI] != OSABI_NONE && bytes[EI_OSABI] != OSABI_GNU)
        return ELF_BAD_OS_ABI;
    return ELF_OK;
}

static enum elf_verdict check_header(const uint8_t *bytes, size_t available) {
    enum elf_verdict verdict = check_ident(bytes);
    uint64_t type = get(bytes, E_TYPE, 2), phoff = get(bytes, E_PHOFF, 8);
    uint64_t count = get(bytes, E_PHNUM, 2);

    if (verdict != ELF_OK)
        return verdict;
    if (type != ET_EXEC && type != ET_DYN)
        return ELF_NOT_EXECUTABLE;
    if (get(bytes, E_MACHINE, 2) != EM_X86_64)
        return ELF_WRONG_MACHINE;
    if (get(bytes, E_EHSIZE, 2) != EHDR_SIZE)
        return ELF_BAD_HEADER_SIZE;
    if (count == 0)
        return ELF_NO_HEADERS;
    if (get(bytes, E_PHENTSIZE, 2) != PHDR_SIZE)
        return ELF_BAD_HEADER_SIZE;
    if (count > ELF_HEADERS_MAX)
        return ELF_TOO_MANY_HEADERS;
    if (phoff < EHDR_SIZE || phoff > available || count * PHDR_SIZE > available - phoff)
        return ELF_HEADERS_OUTSIDE;
    return phoff % 8 == 0 ? ELF_OK : ELF_HEADERS_MISALIGNED;
}

static bool is_power_of_two(uint64_t value) { return value && (value & (value - 1)) == 0; }

static enum elf_verdict check_place(const struct header *h, uint64_t file_size) {
    if (h->filesz > h->memsz)
        return ELF_FILE_LARGER_THAN_MEMORY;
    if (h->offset > file_size || h->filesz > file_size - h->offset)
        return ELF_OUTSIDE_FILE;
    if (h->vaddr > ELF_TOP || h->memsz > ELF_TOP - h->vaddr)
        return ELF_OUTSIDE_USER_SPACE;
    /* 0 and 1 both say that nothing is asked for beyond the page. */
    if (h->align > 1 && (!is_power_of_two(h->align) || h->align > ELF_ALIGN_MAX))
        return ELF_BAD_ALIGNMENT;
    uint64_t unit = h->align > ELF_PAGE ? h->align : ELF_PAGE;
    return (h->offset & (unit - 1)) == (h->vaddr & (unit - 1)) ? ELF_OK : ELF_MISALIGNED;
}

static enum elf_verdict check_flags(uint32_t flags) {
    if (flags & ~(uint32_t)(ELF_READ | ELF_WRITE | ELF_EXECUTE))
        return ELF_UNKNOWN_FLAGS;
    if (!(flags & ELF_READ))
        return ELF_NOT_READABLE;
    if ((flags & ELF_WRITE) && (flags & ELF_EXECUTE))
        return ELF_WRITABLE_CODE;
    return ELF_OK;
}

static enum elf_verdict add_segment(struct state *state, const struct header *h) {
    struct elf_image *image = state->image;
    enum elf_verdict verdict = check_place(h, state->file_size);

    if (verdict == ELF_OK)
        verdict = check_flags(h->flags);
    if (verdict != ELF_OK)
        return verdict;
    if (h->memsz == 0)
        return ELF_OK; /* nothing to load */
    if (image->segment_count == ELF_SEGMENTS_MAX)
        return ELF_TOO_MANY_SEGMENTS;
    if (image->segment_count == 0)
        image->low = page_down(h->vaddr);
    else if (page_down(h->vaddr) < image->low + image->span)
        return ELF_OUT_OF_ORDER;

    image->segments[image->segment_count++] =
        (struct elf_segment){h->vaddr, h->memsz, h->offset, h->filesz, h->flags};
    image->span = page_up(h->vaddr + h->memsz) - image->low;
    if (h->align > image->align)
        image->align = h->align;
    return ELF_OK;
}

static enum elf_verdict add_header(struct state *state, const struct header *h) {
    switch (h->type) {
    case PT_LOAD:
        return add_segment(state, h);
    case PT_INTERP:
        return ELF_NEEDS_INTERPRETER;
    case PT_PHDR:
        if (state->has_phdr)
            return ELF_DUPLICATE;
        state->has_phdr = true;
        state->stated_phdr = h->vaddr;
        return h->offset == state->phoff ? ELF_OK : ELF_BAD_PHDR;
    case PT_GNU_STACK:
        if (state->has_stack)
            return ELF_DUPLICATE;
        state->has_stack = true;
        state->image->stack_size = h->memsz;
        return h->flags & ELF_EXECUTE ? ELF_EXECUTABLE_STACK : ELF_OK;
    default: /* notes, the thread template, relocations: the program's own business */
        return ELF_OK;
    }
}

static bool has_executable_byte(const struct elf_image *image, uint64_t address) {
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segments[i];
        if ((s->prot & ELF_EXECUTE) && address >= s->vaddr && address - s->vaddr < s->filesz)
            return true;
    }
    return false;
}

/* The address at which `length` bytes of the file from `offset` appear; 0: nowhere. */
static uint64_t address_of_bytes(const struct elf_image *image, uint64_t offset, uint64_t length) {
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segments[i];
        if (offset >= s->offset && offset - s->offset <= s->filesz &&
            length <= s->filesz - (offset - s->offset))
            return s->vaddr + (offset - s->offset);
    }
    return 0;
}

static enum elf_verdict check_whole(struct state *state) {
    struct elf_image *image = state->image;

    if (image->segment_count == 0)
        return ELF_NO_SEGMENTS;
    if (!has_executable_byte(image, image->entry))
        return ELF_ENTRY_OUTSIDE;
    image->phdr_vaddr =
        address_of_bytes(image, state->phoff, (uint64_t)image->phdr_count * PHDR_SIZE);
    if (state->has_phdr && state->stated_phdr != image->phdr_vaddr)
        return ELF_BAD_PHDR;
    return ELF_OK;
}

enum elf_verdict elf_parse(const void *file, size_t available, uint64_t file_size,
                           struct elf_image *out_image) {
    const uint8_t *bytes = file;

    *out_image = (struct elf_image){.align = ELF_PAGE};
    if (available > file_size)
        available = (size_t)file_size;
    if (available > ELF_PREFIX)
        available = ELF_PREFIX;
    if (available < EHDR_SIZE)
        return ELF_TOO_SHORT;
    enum elf_verdict verdict = check_header(bytes, available);
    if (verdict != ELF_OK)
        return verdict;

    struct state state = {
        .file_size = file_size, .phoff = get(bytes, E_PHOFF, 8), .image = out_image};
    out_image->is_pie = get(bytes, E_TYPE, 2) == ET_DYN;
    out_image->entry = get(bytes, E_ENTRY, 8);
    out_image->phdr_count = (unsigned)get(bytes, E_PHNUM, 2);
    for (unsigned i = 0; i < out_image->phdr_count; i++) {
        struct header h = get_header(bytes + state.phoff + i * PHDR_SIZE);
        verdict = add_header(&state, &h);
        if (verdict != ELF_OK)
            return verdict;
    }
    return check_whole(&state);
}

const char *elf_verdict_string(enum elf_verdict verdict) {
    switch (verdict) {
#define V(name, text)                                                                              \
    case name:                                                                                     \
        return text;
        ELF_VERDICTS(V)
#undef V
    }
    return "unknown";
}
