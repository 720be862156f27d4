/*
 * amd64.h - what the files of this folder share: a CPU's own structures, frames, tables.
 */
#pragma once

#include "arch/amd64/layout.h"
#include "arch/boot.h"
#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/types.h"

/* The registers of interrupted code, as entry.S pushes them; C reads and writes them there. */
struct user_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
ALWAYS_INLINE bool frame_is_user(const struct user_frame *frame) {
    return frame->cs & 3;
}

struct PACKED task_state {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map_offset;
};

/* A request from this CPU to others; see smp.c. */
struct cpu_request {
    _Atomic uint64_t pending; /* CPUs that have not answered */
    const struct tlb_batch *batch;
    vaddr_t kernel_base; /* a range of the kernel's half, if pages is not 0 */
    size_t kernel_pages;
    void (*call)(void *);
    void *context;
};

/* All of a CPU's own state; `cpu` is what portable code sees. */
struct amd64_cpu {
    struct cpu cpu; /* first: entry.S and cpu_this() know it */
    struct task_state tss ALIGNED(16);
    uint64_t gdt[8];
    uint32_t apic_id;
    struct mmu *loaded;              /* whose root CR3 holds; NULL: the kernel's */
    struct arch_thread *state_owner; /* whose extended state the registers hold */
    uint32_t hold_preempt;           /* not 0: interrupts do not switch threads */
    nstime_t deadline;               /* what the timer was armed for; TIME_INFINITE: nothing */
    uint64_t irq_off_since;
    uint64_t io_version;             /* of the ports that user code may use; 0: none */
    uint64_t io_copied;              /* the version that the map's pages hold */
    uint32_t io_pages;               /* of the map's room, made so far */
    vaddr_t idle_stack_base, idle_stack_top;
    _Atomic bool started, released; /* the hand-over of an application CPU */
    _Atomic uint64_t requests;      /* CPUs whose `request` waits for us */
    struct cpu_request request;     /* ours to others */
};
ALWAYS_INLINE struct amd64_cpu *amd64_this(void) {
    return (struct amd64_cpu *)cpu_this();
}
ALWAYS_INLINE struct amd64_cpu *amd64_cpu_of(struct cpu *cpu) {
    return (struct amd64_cpu *)cpu;
}

extern struct amd64_cpu boot_cpu;
extern char boot_stack_guard[], boot_stack[], boot_stack_top[];

/* cpu.c: features */
struct cpu_features {
    bool smep, smap, umip, huge_pages; /* huge: 1 GiB pages */
    bool rdrand, rdseed;
    bool xsave; /* else FXSAVE */
    uint64_t xcr0;
    size_t extended_state_size;
    unsigned physical_bits;
};
extern struct cpu_features cpu_features;
void cpu_check_features(void);  /* panics with one line if the processor is unfit */
void cpu_enable_features(void); /* on each CPU */

/* tables.c */
void tables_init(void);                  /* once: the IDT */
void tables_load(struct amd64_cpu *cpu); /* this CPU's GDT, TSS and the IDT */
/* Where the stacks of a CPU's interrupt stack table lie (lowest usable byte). */
vaddr_t ist_stack_base(unsigned cpu, unsigned ist);
status_t cpu_stacks_map(struct amd64_cpu *cpu); /* an application CPU's stacks */
void boot_cpu_stacks_map(void);

vaddr_t io_area_base(unsigned cpu); /* where io_map.c has its pages */
/* Of this CPU: the segment begins at `base`, and has so many bytes. */
void tables_set_tss(struct amd64_cpu *cpu, vaddr_t base, uint32_t size);

/* io_map.c */
#define NO_IO_MAP 0xffff /* in task_state: behind the end of every segment */
/* This CPU runs `mmu`, whose ports have this version (0: none). Interrupts off. */
void io_map_load(struct amd64_cpu *cpu, const struct mmu *mmu, uint64_t version) COLD;

/* trap.c, entry.S */
extern const uint64_t trap_stubs[256];
void trap_dispatch(struct user_frame *frame);
void trap_dispatch_ist(struct user_frame *frame);
void syscall_entry(void);
void syscall_slow_exit(struct user_frame *frame, uint64_t result);
void exit_to_user(struct user_frame *frame);
uint64_t syscall_forbidden(struct user_frame *frame);
uint64_t syscall_long_way(const struct user_frame *frame);
void trap_return(void) NORETURN;

/* mmu.c */
#define PTE_PRESENT  ((uint64_t)1 << 0)
#define PTE_WRITE    ((uint64_t)1 << 1)
#define PTE_USER     ((uint64_t)1 << 2)
#define PTE_PWT      ((uint64_t)1 << 3)
#define PTE_PCD      ((uint64_t)1 << 4)
#define PTE_ACCESSED ((uint64_t)1 << 5)
#define PTE_DIRTY    ((uint64_t)1 << 6)
#define PTE_HUGE     ((uint64_t)1 << 7)
#define PTE_GLOBAL   ((uint64_t)1 << 8)
#define PTE_NX       ((uint64_t)1 << 63)
#define PTE_ADDRESS  ((uint64_t)0x000ffffffffff000)
/* How many entries of the table below are in use: kept in the parent's entry. */
#define PTE_COUNT_SHIFT 52
#define PTE_COUNT_ONE   ((uint64_t)1 << PTE_COUNT_SHIFT)
#define PTE_COUNT_MASK  ((uint64_t)0x3ff << PTE_COUNT_SHIFT)

extern uint64_t boot_root[512], boot_directories[4 * 512], kernel_image_pointers[512];
extern uint64_t kernel_image_tables[4 * 512], fixed_directory[512], fixed_table[512];
extern uint64_t kernel_root[512];
/* Map any address of the kernel's half; table pages come from the door. */
status_t kernel_map_page(vaddr_t va, paddr_t address, unsigned prot);
/* Show a device's registers at a fixed slot, uncached; never undone. */
volatile void *fixed_map_device(uint64_t address);

/* Give a new root the kernel's top-level entries. */
void kernel_root_copy(uint64_t *root);

/* smp.c */
void smp_take_trampoline(void);
void smp_flush_kernel(vaddr_t va, size_t pages);
void smp_handle_requests(void);
void smp_request(uint64_t mask, const struct cpu_request *request);
ALWAYS_INLINE void preempt_hold(void) {
    amd64_this()->hold_preempt++;
    __asm__ volatile("" ::: "memory");
}
void preempt_release(void); /* interrupts on */

/* apic.c */
void apic_init(const struct platform_info *platform);
void apic_init_cpu(void);
void apic_end_of_interrupt(void);
void apic_send(uint32_t apic_id, uint8_t vector);
void apic_send_nmi(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, paddr_t trampoline);
uint32_t apic_id_this(void);
void apic_timer_start(uint32_t ticks);
uint32_t apic_timer_count(void);
void apic_route(unsigned isa_irq, uint8_t vector, uint32_t apic_id);

/* clock.c */
void clock_init(const struct platform_info *platform);
uint64_t clock_calibration_ticks(void); /* spent by clock_init on waiting for a clock */
void clock_interrupt(void);

/* uart.c */
void uart_init(void);
void uart_enable_interrupts(void);
void uart_interrupt(void);

/* boot.c */
void arch_entry(uint32_t loader, uint64_t info) NORETURN;

/* power.c */
void power_init(const struct platform_info *platform);

/* crash.c */
void crash_if_asked(void);
