/*
 * user_copy.c - the C side of user_copy.S, and copies of whole pages.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"
#include "arch/amd64/trap.h"
#include "arch/mmu.h"

size_t user_copy(void *to, const void *from, size_t length);
bool user_load_u32(const uint32_t *from, uint32_t *out_value);

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

size_t arch_copy_from_user(void *to, vaddr_t from, size_t length) {
    return user_copy(to, (const void *)from, length);
}
size_t arch_copy_to_user(vaddr_t to, const void *from, size_t length) {
    return user_copy((void *)to, from, length);
}
bool arch_load_user_u32(vaddr_t from, uint32_t *out_value) {
    return user_load_u32((const uint32_t *)from, out_value);
}

bool arch_set_no_fault(bool no_fault) {
    struct arch_thread *thread = (struct arch_thread *)thread_current();
    bool before = thread->no_fault;
    thread->no_fault = no_fault;
    return before;
}

void arch_zero_page(void *page) {
    size_t count = PAGE_SIZE / 8;
    __asm__ volatile("rep stosq" : "+D"(page), "+c"(count) : "a"(0) : "memory");
}
void arch_copy_page(void *to, const void *from) {
    size_t count = PAGE_SIZE / 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count)::"memory");
}
