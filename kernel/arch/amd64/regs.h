/*
 * regs.h - control registers, model-specific registers and ports.
 */
#pragma once

#include "lib/types.h"

#define CR0_MP ((uint64_t)1 << 1)
#define CR0_EM ((uint64_t)1 << 2)
#define CR0_TS ((uint64_t)1 << 3)
#define CR0_NE ((uint64_t)1 << 5)
#define CR0_WP ((uint64_t)1 << 16)
#define CR0_AM ((uint64_t)1 << 18)
#define CR0_NW ((uint64_t)1 << 29)
#define CR0_CD ((uint64_t)1 << 30)

#define CR4_PGE        ((uint64_t)1 << 7)
#define CR4_OSFXSR     ((uint64_t)1 << 9)
#define CR4_OSXMMEXCPT ((uint64_t)1 << 10)
#define CR4_UMIP       ((uint64_t)1 << 11)
#define CR4_FSGSBASE   ((uint64_t)1 << 16)
#define CR4_OSXSAVE    ((uint64_t)1 << 18)
#define CR4_SMEP       ((uint64_t)1 << 20)
#define CR4_SMAP       ((uint64_t)1 << 21)

#define RFLAGS_CF   ((uint64_t)1 << 0)
#define RFLAGS_ONE  ((uint64_t)1 << 1)
#define RFLAGS_TF   ((uint64_t)1 << 8)
#define RFLAGS_DF   ((uint64_t)1 << 10)
#define RFLAGS_IOPL ((uint64_t)3 << 12)
#define RFLAGS_NT   ((uint64_t)1 << 14)
#define RFLAGS_RF   ((uint64_t)1 << 16)
#define RFLAGS_AC   ((uint64_t)1 << 18)

#define MSR_APIC_BASE 0x1b
#define MSR_PAT       0x277

ALWAYS_INLINE uint8_t port_in8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
ALWAYS_INLINE uint32_t port_in32(uint16_t port) {
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
ALWAYS_INLINE void port_out8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
ALWAYS_INLINE void port_out16(uint16_t port, uint16_t value) {
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}
ALWAYS_INLINE void port_out32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}
ALWAYS_INLINE uint16_t port_in16(uint16_t port) {
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

ALWAYS_INLINE uint64_t msr_read(uint32_t msr) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}
ALWAYS_INLINE void msr_write(uint32_t msr, uint64_t value) {
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

#define CONTROL_REGISTER_(name)                                                                    \
    ALWAYS_INLINE uint64_t name##_read(void) {                                                     \
        uint64_t value;                                                                            \
        __asm__ volatile("movq %%" #name ", %0" : "=r"(value)::"memory");                          \
        return value;                                                                              \
    }                                                                                              \
    ALWAYS_INLINE void name##_write(uint64_t value) {                                              \
        __asm__ volatile("movq %0, %%" #name ::"r"(value) : "memory");                             \
    }
CONTROL_REGISTER_(cr0)
CONTROL_REGISTER_(cr3)
CONTROL_REGISTER_(cr4)

ALWAYS_INLINE uint64_t cr2_read(void) {
    uint64_t value;
    __asm__ volatile("movq %%cr2, %0" : "=r"(value)::"memory");
    return value;
}
ALWAYS_INLINE void page_invalidate(vaddr_t va) {
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};
ALWAYS_INLINE struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf) {
    struct cpuid_result r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}
