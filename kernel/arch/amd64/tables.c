/*
 * tables.c - segment descriptors, interrupt gates, and the stacks that gates name.
 *
 * Each CPU has its own GDT and TSS. The IDT is one for all, in memory that is made
 * read-only to nobody but is written only here. Double fault, NMI, machine check and debug
 * exceptions run on stacks of their own, each between unmapped pages, in the fixed range:
 *
 *   ist_area(cpu): [gap][stack 1][gap][stack 2][gap][stack 3][gap][stack 4][gap][idle stack]
 *                  [gap]... [room for ports: io_map.c]
 *
 * The last 16 bytes of each such stack hold the CPU's address, because when these
 * exceptions come the GS base may still be the user's.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"
#include "arch/upcall.h"
#include "lib/assert.h"

#define GATE_INTERRUPT 0x8e
#define GATE_USER      0x60

struct PACKED gate {
    uint16_t offset0, selector;
    uint8_t ist, type;
    uint16_t offset1;
    uint32_t offset2, zero;
};
struct PACKED table_pointer {
    uint16_t limit;
    uint64_t base;
};

static struct gate idt[256] ALIGNED(16);
/* The boot CPU's stacks must exist before there is an allocator. */
static char boot_ist_stacks[IST_COUNT][IST_STACK_SIZE] ALIGNED(4096);

#define IST_PAGES      (IST_STACK_SIZE / PAGE_SIZE)
#define AREA_PAGES     32
#define AREA_IO        24
#define BOOT_AREA_SLOT 64 /* of fixed_table; the slots below are devices' */
#define IDLE_PAGES     (KERNEL_STACK_SIZE / PAGE_SIZE)

static vaddr_t area_base(unsigned cpu) {
    return FIXED_BASE +
           (cpu == 0 ? BOOT_AREA_SLOT * PAGE_SIZE : MIB(2) + (cpu - 1) * AREA_PAGES * PAGE_SIZE);
}
vaddr_t ist_stack_base(unsigned cpu, unsigned ist) {
    return area_base(cpu) + PAGE_SIZE + (ist - 1) * (IST_PAGES + 1) * PAGE_SIZE;
}

vaddr_t io_area_base(unsigned cpu) {
    return area_base(cpu) + AREA_IO * PAGE_SIZE;
}

static void ist_stack_mark(struct amd64_cpu *cpu, unsigned ist) {
    vaddr_t top = ist_stack_base(cpu->cpu.id, ist) + IST_STACK_SIZE;
    *(struct amd64_cpu **)(top - 16) = cpu;
    cpu->tss.ist[ist - 1] = top - 16;
}

void boot_cpu_stacks_map(void) {
    for (unsigned ist = 1; ist <= IST_COUNT; ist++) {
        vaddr_t base = ist_stack_base(0, ist);
        for (unsigned page = 0; page < IST_PAGES; page++) {
            uint64_t pa =
                (uint64_t)(uintptr_t)&boot_ist_stacks[ist - 1][page * PAGE_SIZE] - KERNEL_BASE;
            fixed_table[(base - FIXED_BASE) / PAGE_SIZE + page] =
                pa | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL | PTE_NX;
        }
        ist_stack_mark(&boot_cpu, ist);
    }
    boot_cpu.idle_stack_base = (vaddr_t)boot_stack;
    boot_cpu.idle_stack_top = (vaddr_t)boot_stack_top;
}

static status_t map_stack(vaddr_t base, unsigned pages) {
    for (unsigned i = 0; i < pages; i++) {
        paddr_t page;
        status_t status = upcall_stack_page_alloc(&page);
        if (status != OK)
            return status;
        status = kernel_map_page(base + i * PAGE_SIZE, page, MMU_READ | MMU_WRITE);
        if (status != OK)
            return status;
    }
    return OK;
}

/* What was mapped before a failure stays: the CPU is not started, and never asked for again. */
status_t cpu_stacks_map(struct amd64_cpu *cpu) {
    for (unsigned ist = 1; ist <= IST_COUNT; ist++) {
        status_t status = map_stack(ist_stack_base(cpu->cpu.id, ist), IST_PAGES);
        if (status != OK)
            return status;
        ist_stack_mark(cpu, ist);
    }
    cpu->idle_stack_base = ist_stack_base(cpu->cpu.id, IST_COUNT + 1);
    cpu->idle_stack_top = cpu->idle_stack_base + KERNEL_STACK_SIZE;
    return map_stack(cpu->idle_stack_base, IDLE_PAGES);
}

static void gate_set(unsigned vector, uint8_t ist, uint8_t more) {
    uint64_t offset = trap_stubs[vector];
    idt[vector] = (struct gate){
        .offset0 = (uint16_t)offset,
        .selector = SELECTOR_KERNEL_CODE,
        .ist = ist,
        .type = GATE_INTERRUPT | more,
        .offset1 = (uint16_t)(offset >> 16),
        .offset2 = (uint32_t)(offset >> 32),
    };
}

void tables_init(void) {
    for (unsigned vector = 0; vector < 256; vector++)
        gate_set(vector, 0, 0);
    gate_set(VECTOR_BREAKPOINT, 0, GATE_USER);
    gate_set(VECTOR_OVERFLOW, 0, GATE_USER);
    gate_set(VECTOR_DOUBLE_FAULT, IST_DOUBLE_FAULT, 0);
    gate_set(VECTOR_NMI, IST_NMI, 0);
    gate_set(VECTOR_MACHINE_CHECK, IST_MACHINE_CHECK, 0);
    gate_set(VECTOR_DEBUG, IST_DEBUG, 0);
}

void tables_set_tss(struct amd64_cpu *cpu, vaddr_t base, uint32_t size) {
    cpu->gdt[SELECTOR_TSS / 8] = (size - 1) | (base & 0xffffff) << 16 | (uint64_t)0x89 << 40 |
                                 (base >> 24 & 0xff) << 56;
    cpu->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
    __asm__ volatile("ltr %w0" ::"r"(SELECTOR_TSS) : "memory");
}

void tables_load(struct amd64_cpu *cpu) {
    cpu->tss.io_map_offset = NO_IO_MAP;
    cpu->gdt[0] = 0;
    cpu->gdt[SELECTOR_KERNEL_CODE / 8] = 0x00af9b000000ffff;
    cpu->gdt[SELECTOR_KERNEL_DATA / 8] = 0x00cf93000000ffff;
    cpu->gdt[SELECTOR_USER_CODE32 / 8] = 0; /* SYSRET's 32-bit form finds nothing */
    cpu->gdt[SELECTOR_USER_DATA / 8] = 0x00cff3000000ffff;
    cpu->gdt[SELECTOR_USER_CODE / 8] = 0x00affb000000ffff;

    struct table_pointer gdtr = {sizeof(cpu->gdt) - 1, (uint64_t)(uintptr_t)cpu->gdt};
    struct table_pointer idtr = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};
    __asm__ volatile("lgdt %0; lidt %1" ::"m"(gdtr), "m"(idtr) : "memory");
    tables_set_tss(cpu, (vaddr_t)&cpu->tss, sizeof(cpu->tss));
    __asm__ volatile(
        "pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:" ::"i"(SELECTOR_KERNEL_CODE)
        : "rax", "memory");
    __asm__ volatile("movl %0, %%ss; movl %1, %%ds; movl %1, %%es" ::"r"(SELECTOR_KERNEL_DATA),
                     "r"(0));
}
