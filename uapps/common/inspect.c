/*
 * inspect.c - reading a stopped thread, and telling of it.
 */
#include "common/inspect.h"

#include <elf.h>
#include <jacinth/launch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "common/archive.h"
#include "common/tasks.h"
#include "syscall/expand.h"
#include "vdso/hash.h"

#define FRAMES_MAX 32

const char *inspect_exception_name(zx_excp_type_t type) {
    switch (type) {
    case ZX_EXCP_GENERAL: return "exception";
    case ZX_EXCP_FATAL_PAGE_FAULT: return "page fault";
    case ZX_EXCP_UNDEFINED_INSTRUCTION: return "undefined instruction";
    case ZX_EXCP_SW_BREAKPOINT: return "software breakpoint";
    case ZX_EXCP_HW_BREAKPOINT: return "hardware breakpoint or step";
    case ZX_EXCP_UNALIGNED_ACCESS: return "unaligned access";
    case ZX_EXCP_THREAD_STARTING: return "thread starting";
    case ZX_EXCP_THREAD_EXITING: return "thread exiting";
    case ZX_EXCP_PROCESS_STARTING: return "process starting";
    case ZX_EXCP_POLICY_ERROR: return "policy error";
    default: return "exception";
    }
}

/* --- modules --- */

static void read_name(zx_handle_t task, char name[ZX_MAX_NAME_LEN]) {
    if (zx_object_get_property(task, ZX_PROP_NAME, name, ZX_MAX_NAME_LEN) != ZX_OK)
        strlcpy(name, "?", ZX_MAX_NAME_LEN);
}

static zx_koid_t koid_of(zx_handle_t handle) {
    zx_info_handle_basic_t info = {0};
    (void)zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL);
    return info.koid;
}

/* What is loaded around an address. */
struct module {
    const zx_info_maps_t *mapping; /* NULL: nothing */
    uint64_t base;                 /* of the region it has for itself */
};

/* Each program and the vDSO lie in a region of their own, the deepest around the address. */
static struct module find_module(const zx_info_maps_t *maps, size_t count, uint64_t address) {
    struct module module = {0};
    for (size_t i = 0; i < count; i++) {
        const zx_info_maps_t *entry = &maps[i];
        if (address - entry->base >= entry->size)
            continue;
        if (entry->type == ZX_INFO_MAPS_TYPE_MAPPING)
            module.mapping = entry;
        else
            module.base = entry->base;
    }
    return module;
}

/* --- symbols --- */

/* The symbol table of a file, if it was not stripped. Records may lie at any offset. */
struct symbols {
    const char *table, *names;
    size_t count, names_size;
    uint64_t base; /* what the values are relative to */
};

static bool is_inside(const struct jx_file *file, uint64_t offset, uint64_t size) {
    return offset <= file->size && size <= file->size - offset;
}

static bool read_section(const struct jx_file *file, const Elf64_Ehdr *header, uint64_t index,
                         Elf64_Shdr *out_section) {
    uint64_t offset = header->e_shoff + index * sizeof *out_section;
    if (index >= header->e_shnum || offset < header->e_shoff ||
        !is_inside(file, offset, sizeof *out_section))
        return false;
    memcpy(out_section, file->data + offset, sizeof *out_section);
    return is_inside(file, out_section->sh_offset, out_section->sh_size);
}

static bool symbols_open(const struct jx_file *file, uint64_t base, struct symbols *out_symbols) {
    Elf64_Ehdr header;
    Elf64_Shdr table, names;
    if (!is_inside(file, 0, sizeof header) || memcmp(file->data, "\177ELF", 4) != 0)
        return false;
    memcpy(&header, file->data, sizeof header);
    for (uint64_t i = 0; read_section(file, &header, i, &table); i++) {
        if (table.sh_type != SHT_SYMTAB || !read_section(file, &header, table.sh_link, &names))
            continue;
        *out_symbols = (struct symbols){
            .table = file->data + table.sh_offset,
            .count = table.sh_size / sizeof(Elf64_Sym),
            .names = file->data + names.sh_offset,
            .names_size = names.sh_size,
            .base = header.e_type == ET_EXEC ? 0 : base,
        };
        return names.sh_size > 0 && out_symbols->names[names.sh_size - 1] == '\0';
    }
    return false;
}

/* Symbol `i`; false if it is not the name of a place. */
static bool symbols_read(const struct symbols *symbols, size_t i, Elf64_Sym *out_symbol,
                         const char **out_name) {
    memcpy(out_symbol, symbols->table + i * sizeof *out_symbol, sizeof *out_symbol);
    unsigned type = ELF64_ST_TYPE(out_symbol->st_info);
    if (out_symbol->st_shndx == SHN_UNDEF || out_symbol->st_name >= symbols->names_size ||
        (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE))
        return false;
    *out_name = symbols->names + out_symbol->st_name;
    return **out_name != '\0';
}

/* The last symbol that begins at or before the address and, if it has a size, reaches there. */
static const char *symbols_around(const struct symbols *symbols, uint64_t address,
                                  uint64_t *out_offset) {
    const char *found = NULL, *name;
    uint64_t value = address - symbols->base, best = 0;
    Elf64_Sym symbol;
    for (size_t i = 0; i < symbols->count; i++) {
        if (!symbols_read(symbols, i, &symbol, &name) || symbol.st_value > value ||
            symbol.st_value < best ||
            (symbol.st_size > 0 && value - symbol.st_value >= symbol.st_size))
            continue;
        best = symbol.st_value;
        found = name;
    }
    *out_offset = value - best;
    return found;
}

static bool symbols_find(const struct symbols *symbols, const char *wanted, size_t length,
                         uint64_t *out_address) {
    const char *name;
    Elf64_Sym symbol;
    for (size_t i = 0; i < symbols->count; i++) {
        if (symbols_read(symbols, i, &symbol, &name) && strncmp(name, wanted, length) == 0 &&
            name[length] == '\0') {
            *out_address = symbol.st_value + symbols->base;
            return true;
        }
    }
    return false;
}

/* --- the vDSO, which has no symbols: it tells where each call lies --- */

static const struct {
    const char *name;
    uint32_t hash;
} calls[] = {
#define SYSCALL(name, text, needs, ...)        {"zx_" #name, VDSO_HASH("zx_" #name)},
#define SYSCALL_VOID(name, text, needs, ...)   {"zx_" #name, VDSO_HASH("zx_" #name)},
#define VDSO_CALL(type, name, text, ...)       {"zx_" #name, VDSO_HASH("zx_" #name)},
#define SYSCALL_INNER(name, text, needs, ...)
#include "syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_VOID
#undef VDSO_CALL
#undef SYSCALL_INNER
};

/* The call that begins last before `offset`. The vDSO is the same in every process. */
static const char *call_around(uint64_t offset, uint64_t *out_offset) {
    const char *found = NULL;
    uintptr_t own = 0;
    uint64_t best = 0;
    if (zx_object_get_property(zx_process_self(), ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &own,
                               sizeof own) != ZX_OK ||
        own == 0)
        return NULL;
    uintptr_t (*find)(uint32_t hash) =
        (uintptr_t(*)(uint32_t))(own + ((const Elf64_Ehdr *)own)->e_entry);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        uint64_t at = find(calls[i].hash) - own;
        if (at <= offset && at >= best) {
            best = at;
            found = calls[i].name;
        }
    }
    *out_offset = offset - best;
    return found;
}

/* --- places --- */

/* A program's pages are those of the boot archive, so its mappings tell its file. */
struct search {
    const zx_info_maps_mapping_t *mapping;
    struct jx_file file;
    bool found;
};

static bool visit_file(void *context, const struct archive_file *entry) {
    struct search *search = context;
    char path[256];
    if (entry->is_folder ||
        (size_t)snprintf(path, sizeof path, "/%s", entry->path) >= sizeof path ||
        jx_file_find(path, &search->file) != ZX_OK)
        return true;
    search->found = search->mapping->vmo_offset - search->file.offset < search->file.size &&
                    search->mapping->vmo_koid == koid_of(search->file.vmo);
    return !search->found;
}

static bool symbols_of_module(const struct module *module, struct symbols *out_symbols) {
    struct search search = {.mapping = &module->mapping->u.mapping};
    (void)archive_walk(visit_file, &search);
    return search.found && symbols_open(&search.file, module->base, out_symbols);
}

/* With `is_return` the address is behind a call, which may be a function's last instruction. */
static void describe(zx_handle_t process, const struct module *module, uint64_t address,
                     bool is_return, char text[INSPECT_PLACE]) {
    struct symbols symbols;
    bool is_vdso = strcmp(module->mapping->name, "vdso") == 0;
    char name[ZX_MAX_NAME_LEN];
    const char *symbol = NULL;
    uint64_t offset;
    read_name(process, name);
    snprintf(text, INSPECT_PLACE, "%s+%#llx", is_vdso ? "vdso" : name,
             (unsigned long long)(address - module->base));
    if (is_vdso)
        symbol = call_around(address - is_return - module->base, &offset);
    else if (symbols_of_module(module, &symbols))
        symbol = symbols_around(&symbols, address - is_return, &offset);
    size_t length = strlen(text);
    if (symbol)
        snprintf(text + length, INSPECT_PLACE - length, " %.*s+%#llx", ZX_MAX_NAME_LEN * 2, symbol,
                 (unsigned long long)(offset + is_return));
}

static const char *place_of(zx_handle_t process, uint64_t address, bool is_return,
                            char text[INSPECT_PLACE]) {
    size_t count;
    void *maps;
    strlcpy(text, "?", INSPECT_PLACE);
    if (tasks_list(process, ZX_INFO_PROCESS_MAPS, sizeof(zx_info_maps_t), &maps, &count) != ZX_OK)
        return text;
    const struct module module = find_module(maps, count, address);
    if (module.mapping)
        describe(process, &module, address, is_return, text);
    free(maps);
    return text;
}

const char *inspect_place(zx_handle_t process, uint64_t address, char text[INSPECT_PLACE]) {
    return place_of(process, address, false, text);
}

bool inspect_find(zx_handle_t process, const char *name, size_t length, uint64_t *out_address) {
    bool found = false;
    size_t count;
    void *maps;
    if (tasks_list(process, ZX_INFO_PROCESS_MAPS, sizeof(zx_info_maps_t), &maps, &count) != ZX_OK)
        return false;
    const zx_info_maps_t *entries = maps;
    for (size_t i = 0; !found && i < count; i++) {
        struct symbols symbols;
        if (entries[i].type != ZX_INFO_MAPS_TYPE_MAPPING ||
            !(entries[i].u.mapping.mmu_flags & ZX_VM_PERM_EXECUTE))
            continue;
        const struct module module = find_module(maps, count, entries[i].base);
        found = symbols_of_module(&module, &symbols) &&
                symbols_find(&symbols, name, length, out_address);
    }
    free(maps);
    return found;
}

/* --- reports --- */

static void print_page_fault(const zx_exception_report_v2_t *report) {
    const zx_x86_64_exc_data_t *x86 = &report->context.arch.u.x86_64;
    printf("  %s of %#llx: %s\n",
           x86->err_code & 16  ? "execution"
           : x86->err_code & 2 ? "write"
                               : "read",
           (unsigned long long)x86->cr2, zx_status_get_string((zx_status_t)report->synth_code));
}

void inspect_print_exception(zx_handle_t process, zx_handle_t thread,
                             const zx_exception_report_v2_t *report) {
    char process_name[ZX_MAX_NAME_LEN], thread_name[ZX_MAX_NAME_LEN];
    read_name(process, process_name);
    read_name(thread, thread_name);
    printf("process %s (%llu), thread %s (%llu): %s\n", process_name,
           (unsigned long long)koid_of(process), thread_name, (unsigned long long)koid_of(thread),
           inspect_exception_name(report->header.type));
    if (report->header.type == ZX_EXCP_FATAL_PAGE_FAULT)
        print_page_fault(report);
    else if (report->header.type == ZX_EXCP_POLICY_ERROR)
        printf("  code %u, %u\n", report->synth_code, report->synth_data);
    else if (ZX_EXCP_IS_ARCH(report->header.type))
        printf("  vector %llu, error code %#llx\n",
               (unsigned long long)report->context.arch.u.x86_64.vector,
               (unsigned long long)report->context.arch.u.x86_64.err_code);
}

static zx_status_t read_registers(zx_handle_t thread, zx_thread_state_general_regs_t *out) {
    return zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, out, sizeof *out);
}

static void print_three(const char *a, uint64_t x, const char *b, uint64_t y, const char *c,
                        uint64_t z) {
    printf("  %-3s %016llx  %-3s %016llx  %-3s %016llx\n", a, (unsigned long long)x, b,
           (unsigned long long)y, c, (unsigned long long)z);
}

zx_status_t inspect_print_registers(zx_handle_t thread) {
    zx_thread_state_general_regs_t r;
    zx_status_t status = read_registers(thread, &r);
    if (status != ZX_OK)
        return status;
    print_three("rip", r.rip, "rsp", r.rsp, "rbp", r.rbp);
    print_three("rax", r.rax, "rbx", r.rbx, "rcx", r.rcx);
    print_three("rdx", r.rdx, "rsi", r.rsi, "rdi", r.rdi);
    print_three("r8", r.r8, "r9", r.r9, "r10", r.r10);
    print_three("r11", r.r11, "r12", r.r12, "r13", r.r13);
    print_three("r14", r.r14, "r15", r.r15, "fl", r.rflags);
    print_three("fs", r.fs_base, "gs", r.gs_base, "", 0);
    return ZX_OK;
}

static void print_frame(zx_handle_t process, unsigned number, uint64_t address) {
    char place[INSPECT_PLACE];
    printf("  #%u %#llx %s\n", number, (unsigned long long)address,
           place_of(process, address, number > 0, place));
}

/* Before its first two instructions, push %rbp and mov %rsp,%rbp, a function has no frame. */
static bool is_begin(const uint8_t code[4]) {
    static const uint8_t begin[] = {0x55, 0x48, 0x89, 0xe5};
    return memcmp(code, begin, sizeof begin) == 0;
}

/*
 * From here a function only pops registers, but for %rbp, and returns: it never had a frame, or
 * has none any more. The calls of the vDSO are such, at and behind their syscall instruction.
 */
static bool is_end(const uint8_t *code, size_t length, unsigned *out_words) {
    size_t at = code[0] == 0x0f && code[1] == 0x05 ? 2 : 0;
    for (*out_words = 0; at + 1 < length && code[at] != 0xc3; ++*out_words) {
        bool is_long = code[at] == 0x41; /* %r8 to %r15 */
        uint8_t pop = code[at + is_long];
        if ((pop & 0xf8) != 0x58 || (!is_long && (pop == 0x5d || pop == 0x5c)))
            return false;
        at += 1 + is_long;
    }
    return at < length && code[at] == 0xc3;
}

/* The caller of a function without a frame: its address is near the stack's top. */
static bool frameless_caller(zx_handle_t process, const zx_thread_state_general_regs_t *r,
                             uint64_t *out_address) {
    uint8_t code[1 + 12];
    size_t actual = 0;
    unsigned words = 0;
    if (zx_process_read_memory(process, r->rip - 1, code, sizeof code, &actual) != ZX_OK ||
        actual != sizeof code)
        return false;
    if (is_begin(code))
        words = 1;
    else if (!is_begin(code + 1) && !is_end(code + 1, sizeof code - 1, &words))
        return false;
    return zx_process_read_memory(process, r->rsp + 8 * words, out_address, sizeof *out_address,
                                  &actual) == ZX_OK &&
           actual == sizeof *out_address;
}

zx_status_t inspect_print_backtrace(zx_handle_t process, zx_handle_t thread) {
    struct {
        uint64_t next, return_address;
    } link;
    unsigned number = 0;
    zx_thread_state_general_regs_t r;
    size_t actual = 0;
    zx_status_t status = read_registers(thread, &r);
    if (status != ZX_OK)
        return status;
    print_frame(process, number++, r.rip);
    if (frameless_caller(process, &r, &link.return_address))
        print_frame(process, number++, link.return_address);
    while (number < FRAMES_MAX && r.rbp != 0 && r.rbp % 8 == 0) {
        status = zx_process_read_memory(process, r.rbp, &link, sizeof link, &actual);
        if (status != ZX_OK || actual != sizeof link || link.return_address == 0)
            break;
        print_frame(process, number++, link.return_address);
        if (link.next <= r.rbp)
            break;
        r.rbp = link.next;
    }
    return ZX_OK;
}

static void print_line(uint64_t address, const uint8_t *bytes, size_t count) {
    printf("%012llx ", (unsigned long long)address);
    for (size_t i = 0; i < 16; i++) {
        if (i < count)
            printf(" %02x", bytes[i]);
        else
            printf("   ");
    }
    printf("  ");
    for (size_t i = 0; i < count; i++)
        putchar(bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '.');
    putchar('\n');
}

zx_status_t inspect_print_memory(zx_handle_t process, uint64_t address, size_t length) {
    uint8_t bytes[16];
    while (length > 0) {
        size_t wanted = length < sizeof bytes ? length : sizeof bytes, actual = 0;
        zx_status_t status = zx_process_read_memory(process, address, bytes, wanted, &actual);
        if (status != ZX_OK)
            return status;
        print_line(address, bytes, actual);
        address += actual;
        length -= actual;
    }
    return ZX_OK;
}
