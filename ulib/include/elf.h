/*
 * elf.h - the parts of the ELF format that a program of this system meets: its own
 * headers and relocations. lib/elf.h of the kernel checks files before they are loaded.
 */
#pragma once

#include <stdint.h>

typedef struct {
    unsigned char e_ident[16];
    uint16_t e_type, e_machine;
    uint32_t e_version;
    uint64_t e_entry, e_phoff, e_shoff;
    uint32_t e_flags;
    uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
} Elf64_Ehdr;

typedef struct {
    uint32_t p_type, p_flags;
    uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
} Elf64_Phdr;

typedef struct {
    int64_t d_tag;
    union {
        uint64_t d_val, d_ptr;
    } d_un;
} Elf64_Dyn;

typedef struct {
    uint64_t r_offset, r_info;
    int64_t r_addend;
} Elf64_Rela;

/* A section, and a symbol of one with SHT_SYMTAB; nobody needs them to run a program. */
typedef struct {
    uint32_t sh_name, sh_type;
    uint64_t sh_flags, sh_addr, sh_offset, sh_size;
    uint32_t sh_link, sh_info;
    uint64_t sh_addralign, sh_entsize;
} Elf64_Shdr;

typedef struct {
    uint32_t st_name;
    uint8_t st_info, st_other;
    uint16_t st_shndx;
    uint64_t st_value, st_size;
} Elf64_Sym;

#define ET_EXEC 2
#define ET_DYN  3

#define PT_LOAD      1
#define PT_DYNAMIC   2
#define PT_TLS       7
#define PT_GNU_STACK 0x6474e551
#define PT_GNU_RELRO 0x6474e552

#define DT_NULL   0
#define DT_RELA   7
#define DT_RELASZ 8

#define ELF64_R_TYPE(info) ((uint32_t)(info))
#define R_X86_64_RELATIVE  8

#define SHN_UNDEF             0
#define SHT_SYMTAB            2
#define STT_OBJECT            1
#define STT_FUNC              2
#define STT_NOTYPE            0
#define ELF64_ST_TYPE(info)   ((info) & 0xf)
