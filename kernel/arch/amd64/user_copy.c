/*
 * user_copy.c - the C side of user_copy.S, and copies of whole pages.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"
#include "arch/amd64/trap.h"
#include "arch/mmu.h"

/* A row of user_copy_table; kernel.ld marks its ends. */
struct user_copy_row {
    uint64_t from, to;
};
extern const struct user_copy_row user_copy_table_start[], user_copy_table_end[];

uint64_t user_copy_fixup(uint64_t rip) {
    for (const struct user_copy_row *row = user_copy_table_start; row < user_copy_table_end; row++)
        if (row->from == rip)
            return row->to;
    return 0;
}

void arch_zero_page(void *page) {
    size_t count = PAGE_SIZE / 8;
    __asm__ volatile("rep stosq" : "+D"(page), "+c"(count) : "a"(0) : "memory");
}
void arch_copy_page(void *to, const void *from) {
    size_t count = PAGE_SIZE / 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count)::"memory");
}

#define CACHE_LINE 64
void arch_flush_page(const void *page) {
    for (size_t i = 0; i < PAGE_SIZE; i += CACHE_LINE)
        __asm__ volatile("clflush %0" : : "m"(((const char *)page)[i]) : "memory");
    __asm__ volatile("mfence" ::: "memory");
}
