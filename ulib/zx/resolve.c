/*
 * resolve.c - makes a loaded program fit its place: its relocations, and the calls it
 * takes from the vDSO.
 *
 * Runs first, so it calls nothing and uses no pointer that a relocation would fill.
 */
#include <elf.h>

#include "zx/start.h"

struct stub_pair {
    uint32_t hash;
    int32_t slot; /* from this field to the slot */
};

extern const struct stub_pair stubs_begin[] __asm__("__start_zx_stubs")
    __attribute__((visibility("hidden")));
extern const struct stub_pair stubs_end[] __asm__("__stop_zx_stubs")
    __attribute__((visibility("hidden")));
extern const Elf64_Ehdr own_header __asm__("__ehdr_start") __attribute__((visibility("hidden")));

typedef uintptr_t find_function(uint32_t hash);

/*
 * The slot is in memory that the compiler takes for constant, since the pair is; the
 * address goes through an integer and an empty asm, or the store is optimised away.
 */
NO_PROTECTOR static void set_slot(const struct stub_pair *pair, uintptr_t value) {
    uintptr_t slot = (uintptr_t)&pair->slot + (uintptr_t)(intptr_t)pair->slot;
    __asm__("" : "+r"(slot));
    *(volatile uintptr_t *)slot = value;
}

NO_PROTECTOR void start_resolve(uintptr_t vdso) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)vdso;
    if (!header)
        __builtin_trap(); /* nothing can be called, not even exit */
    find_function *find = (find_function *)(vdso + header->e_entry);
    /* A call that this kernel lacks stays 0 and faults when it is used. */
    for (const struct stub_pair *pair = stubs_begin; pair < stubs_end; pair++)
        set_slot(pair, find(pair->hash));
}

NO_PROTECTOR bool start_find_segment(uint32_t type, struct start_segment *out_segment) {
    uintptr_t header = (uintptr_t)&own_header;
    uintptr_t base = own_header.e_type == ET_DYN ? header : 0;
    const Elf64_Phdr *phdr = (const Elf64_Phdr *)(header + own_header.e_phoff);
    for (unsigned i = 0; i < own_header.e_phnum; i++) {
        if (phdr[i].p_type != type)
            continue;
        *out_segment = (struct start_segment){.address = base + phdr[i].p_vaddr,
                                              .size = phdr[i].p_memsz,
                                              .file_size = phdr[i].p_filesz,
                                              .align = phdr[i].p_align};
        return true;
    }
    return false;
}

/* The table is found by the program header: the address of _DYNAMIC would need a relocation. */
NO_PROTECTOR void start_relocate(uintptr_t base) {
    uintptr_t table = 0, size = 0;
    struct start_segment dynamic;
    if (!start_find_segment(PT_DYNAMIC, &dynamic)) /* linked to a fixed address */
        return;
    for (const Elf64_Dyn *entry = (const Elf64_Dyn *)dynamic.address; entry->d_tag != DT_NULL;
         entry++) {
        if (entry->d_tag == DT_RELA)
            table = base + entry->d_un.d_ptr;
        else if (entry->d_tag == DT_RELASZ)
            size = entry->d_un.d_val;
    }
    const Elf64_Rela *end = (const Elf64_Rela *)(table + size);
    for (const Elf64_Rela *rela = (const Elf64_Rela *)table; rela < end; rela++) {
        if (ELF64_R_TYPE(rela->r_info) != R_X86_64_RELATIVE)
            __builtin_trap();
        *(uint64_t *)(base + rela->r_offset) = base + (uint64_t)rela->r_addend;
    }
}
