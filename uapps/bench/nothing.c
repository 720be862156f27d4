/*
 * nothing.c - bench-nothing: the smallest program there is. It uses no library: from
 * the vDSO's ELF header it takes the entry point, asks it for zx_process_exit, and
 * calls that.
 */
#include <elf.h>
#include <stdint.h>
#include <zircon/types.h>

#include "vdso/hash.h"

typedef void *find_function(uint32_t hash);
typedef void exit_function(int64_t code);

__attribute__((noreturn, no_stack_protector)) void _start(zx_handle_t bootstrap, uintptr_t vdso);

void _start(zx_handle_t bootstrap, uintptr_t vdso) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)vdso;
    find_function *find = (find_function *)(vdso + header->e_entry);
    ((exit_function *)find(VDSO_HASH("zx_process_exit")))(0);
    __builtin_trap();
}
