/*
 * cpu.c - what this processor can do, and switching it on.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"
#include "lib/assert.h"
#include "lib/string.h"

#define XCR0_X87       ((uint64_t)1)
#define XCR0_SSE       ((uint64_t)2)
#define XCR0_AVX       ((uint64_t)4)
#define XSAVE_AREA_MAX 4096

struct amd64_cpu boot_cpu ALIGNED(4096) = {.cpu = {.online = true}, .deadline = TIME_INFINITE};
struct cpu_features cpu_features;
static char first_missing[32];

static void need(bool has, const char *what) {
    if (!has && !first_missing[0])
        string_copy(first_missing, sizeof(first_missing), what);
}

/*
 * Without any extension of XSAVE (leaf 0Dh, 1) there is no AVX either, and FXSAVE
 * keeps the same state. That also avoids an emulator that hangs when OSXSAVE is set then.
 */
static void read_extended_state(void) {
    struct cpuid_result leaf = cpuid(0xd, 0);
    cpu_features.xsave = cpuid(0xd, 1).eax != 0;
    cpu_features.xcr0 = (XCR0_X87 | XCR0_SSE | XCR0_AVX) & leaf.eax;
    if (!cpu_features.xsave)
        cpu_features.xcr0 = XCR0_X87 | XCR0_SSE;
    cpu_features.extended_state_size = 512 + 64;
    if (!(cpu_features.xcr0 & XCR0_AVX))
        return;
    struct cpuid_result avx = cpuid(0xd, 2);
    if (avx.eax == 0 || avx.eax + avx.ebx > XSAVE_AREA_MAX)
        cpu_features.xcr0 &= ~XCR0_AVX;
    else
        cpu_features.extended_state_size = avx.eax + avx.ebx;
}

void cpu_check_features(void) {
    struct cpuid_result base = cpuid(0, 0), one = cpuid(1, 0), ext = cpuid(0x80000001, 0);
    struct cpuid_result seven = {0};
    if (base.eax >= 7)
        seven = cpuid(7, 0);
    need(one.edx >> 26 & 1, "SSE2");
    need(one.ecx >> 26 & 1, "XSAVE");
    need(base.eax >= 0xd, "CPUID leaf 0Dh");
    need(seven.ebx & 1, "FSGSBASE");
    need(ext.edx >> 20 & 1, "NX");
    need(ext.edx >> 11 & 1, "SYSCALL");
    need(one.edx >> 9 & 1, "a local APIC");
    if (first_missing[0])
        boot_fail("this processor is unfit: it lacks %s", first_missing);
    cpu_features.smep = seven.ebx >> 7 & 1;
    cpu_features.smap = seven.ebx >> 20 & 1;
    cpu_features.umip = seven.ecx >> 2 & 1;
    cpu_features.huge_pages = ext.edx >> 26 & 1;
    cpu_features.rdrand = one.ecx >> 30 & 1;
    cpu_features.rdseed = seven.ebx >> 18 & 1;
    cpu_features.physical_bits = 36;
    if (cpuid(0x80000000, 0).eax >= 0x80000008)
        cpu_features.physical_bits = cpuid(0x80000008, 0).eax & 0xff;
    read_extended_state();
}

static void xcr0_write(uint64_t value) {
    __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

void cpu_enable_features(void) {
    uint64_t cr4 = cr4_read() | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE;
    if (cpu_features.xsave)
        cr4 |= CR4_OSXSAVE;
    if (cpu_features.smep)
        cr4 |= CR4_SMEP;
    if (cpu_features.smap)
        cr4 |= CR4_SMAP;
    if (cpu_features.umip)
        cr4 |= CR4_UMIP;
    cr4_write(cr4);
    /* AM: a thread that sets AC in its flags gets ZX_EXCP_UNALIGNED_ACCESS; CPL 0 never does. */
    cr0_write((cr0_read() & ~(CR0_EM | CR0_TS | CR0_CD | CR0_NW)) | CR0_AM | CR0_MP | CR0_NE |
              CR0_WP);
    if (cpu_features.xsave)
        xcr0_write(cpu_features.xcr0);
    /* Memory types by table index: 0 write-back, 1 write-combining, 2 and 3 uncached. */
    msr_write(MSR_PAT, 0x0007040600070106);
    msr_write(MSR_STAR, (uint64_t)(SELECTOR_USER_CODE32 & ~3) << 48 | (uint64_t)3 << 48 |
                            (uint64_t)SELECTOR_KERNEL_CODE << 32);
    msr_write(MSR_LSTAR, (uint64_t)(uintptr_t)syscall_entry);
    msr_write(MSR_SFMASK, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_NT | RFLAGS_AC | RFLAGS_IOPL);
    msr_write(MSR_KERNEL_GS_BASE, 0);
}

bool cpu_random(uint64_t *out_bits) {
    bool ok = false;
    for (unsigned i = 0; i < 16 && !ok; i++) {
        if (cpu_features.rdseed)
            __asm__ volatile("rdseed %0; setc %1" : "=r"(*out_bits), "=qm"(ok)::"cc");
        else if (cpu_features.rdrand)
            __asm__ volatile("rdrand %0; setc %1" : "=r"(*out_bits), "=qm"(ok)::"cc");
        else
            return false;
    }
    return ok;
}

/* ---- Stacks ---- */

/* The compiler calls it when a function's guard word was overwritten. */
void __stack_chk_fail(void) NORETURN;
void __stack_chk_fail(void) {
    panic("a function's stack frame was overwritten");
}

bool cpu_on_own_stack(uintptr_t address) {
    const struct amd64_cpu *cpu = amd64_this();
    const struct thread *thread = cpu->cpu.current;
    const struct arch_thread *arch = (const struct arch_thread *)thread;
    if (thread && arch->stack_top && address >= arch->stack_base && address < arch->stack_top)
        return true;
    if (address >= cpu->idle_stack_base && address < cpu->idle_stack_top)
        return true;
    for (unsigned ist = 1; ist <= IST_COUNT; ist++) {
        vaddr_t base = ist_stack_base(cpu->cpu.id, ist);
        if (address >= base && address < base + IST_STACK_SIZE)
            return true;
    }
    return false;
}

/* Frames are followed upward only, inside what cpu_on_own_stack knows. */
static unsigned follow_frames(uintptr_t frame, uintptr_t *out_pcs, unsigned max,
                              bool (*readable)(uintptr_t)) {
    unsigned count = 0;
    while (count < max && frame % 8 == 0 && readable(frame) && readable(frame + 15)) {
        const uintptr_t *words = (const uintptr_t *)frame;
        if (words[1] == 0)
            break;
        out_pcs[count++] = words[1];
        if (words[0] <= frame)
            break;
        frame = words[0];
    }
    return count;
}

unsigned cpu_backtrace(uintptr_t frame, uintptr_t *out_pcs, unsigned max) {
    if (frame == 0)
        frame = (uintptr_t)__builtin_frame_address(0);
    return follow_frames(frame, out_pcs, max, cpu_on_own_stack);
}
