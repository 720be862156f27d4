/*
 * inline_mmu.h - the page table of one address space, for amd64.
 */
#pragma once

#include <stdatomic.h>

#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/io_ports.h"
#include "lib/types.h"

struct mmu {
    paddr_t root;            /* the top-level table; set once */
    _Atomic uint64_t loaded; /* CPUs whose CR3 holds it */

    /* Under the caller's lock. */
    uint64_t table_pages;  /* lower-half tables and the root */
    uint64_t near_tag;     /* of the last-level table used last: address >> 21; no table: -1 */
    uint64_t *near_parent; /* the entry that points to it */
    struct io_ports io;
};

#define PHYSICAL_MAP 0xffff800000000000 /* where all RAM is mapped */
#define KERNEL_BASE  0xffffffff80000000 /* the image, as far from its physical address */

#define PHYSICAL_MAP_END 0xffffc90000000000
#define IMAGE_MAX        0x40000000

paddr_t mmu_kernel_walk(uint64_t va); /* of a mapped page of the kernel's range */

ALWAYS_INLINE void *phys_to_virt(paddr_t address) {
    return (void *)(PHYSICAL_MAP + address.value);
}
ALWAYS_INLINE paddr_t virt_to_phys(const void *address) {
    uint64_t value = (uint64_t)(uintptr_t)address;
    if (likely(value < PHYSICAL_MAP_END))
        return paddr(value - PHYSICAL_MAP);
    return value - KERNEL_BASE < IMAGE_MAX ? paddr(value - KERNEL_BASE) : mmu_kernel_walk(value);
}

ALWAYS_INLINE bool arch_set_no_fault(bool no_fault) {
    struct arch_thread *thread = (struct arch_thread *)thread_current();
    bool before = thread->no_fault;
    thread->no_fault = no_fault;
    return before;
}

/* STAC and CLAC: see user_copy.S. */
#define USER_ACCESS_SITE(instruction)                                                              \
    "77: " instruction "\n"                                                                        \
    ".pushsection access_guard_sites, \"a\", @progbits\n"                                          \
    ".balign 8\n"                                                                                  \
    ".quad 77b\n"                                                                                  \
    ".popsection\n"

/* Inline, because many calls end with one or two of these: a row of user_copy_table each. */
ALWAYS_INLINE bool arch_store_user_u32(vaddr_t to, uint32_t value) {
    __asm__ goto(USER_ACCESS_SITE("stac")
                 "1: movl %1, (%0)\n"
                 USER_ACCESS_SITE("clac")
                 ".pushsection user_copy_table, \"a\", @progbits\n"
                 ".balign 8\n"
                 ".quad 1b, %l[failed]\n"
                 ".popsection\n"
                 :
                 : "r"(to), "r"(value)
                 : "memory"
                 : failed);
    return true;
failed:
    __asm__ volatile(USER_ACCESS_SITE("clac")::: "memory");
    return false;
}
