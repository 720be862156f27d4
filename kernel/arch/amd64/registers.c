/*
 * registers.c - the registers of a thread that stands still, for those who debug it.
 *
 * A user thread in the kernel has its general registers in a frame at the top of its
 * kernel stack, whichever way it came in; FS and GS base in struct arch_thread, since
 * it has been switched away from; the rest in its XSAVE area, behind which its debug
 * registers lie. XSAVE tells by a bit for each component whether the area holds it;
 * components in their initial state are filled in before anybody looks.
 *
 * Debug registers are not part of the switch: a thread with an armed breakpoint keeps
 * ARCH_PENDING set, so each of its ways to user mode is the long one, which loads them
 * (debug_load). Nobody unloads them. What another thread then hits is a leftover, and
 * the first of these clears the processor's registers (debug_trap).
 */
#include "arch/amd64/registers.h"

#include <zircon/syscalls/debug.h>

#include "arch/amd64/regs.h"
#include "lib/assert.h"
#include "lib/string.h"

#define ST_OFFSET     32 /* in the XSAVE area; 16 bytes each */
#define XMM_OFFSET    160
#define HEADER_OFFSET 512
#define MXCSR_OFFSET  24
#define MASK_OFFSET   28
#define FCW_INIT      0x037f

#define XSTATE_X87 1u
#define XSTATE_SSE 2u
#define XSTATE_AVX 4u

/* CF PF AF ZF SF TF DF OF NT AC ID: all that user code may have as it likes. */
#define RFLAGS_USER ((uint64_t)0x244dd5)

#define DR6_INIT ((uint64_t)0xffff0ff0)
#define DR6_HITS ((uint64_t)0xf)
#define DR6_STEP ((uint64_t)1 << 14)
#define DR6_USER ((uint64_t)0xe00f)
#define DR7_INIT ((uint64_t)0x400)
#define DR7_USER ((uint64_t)0xffff03ff) /* neither GD nor what is reserved */
#define DR7_ARMED(dr7, i) ((dr7) >> (2 * (i)) & 3)
#define DR7_KIND(dr7, i)  ((dr7) >> (16 + 4 * (i)) & 3) /* 0 execution, 1 write, 2 I/O, 3 both */
#define DR7_LENGTH(dr7, i) ((dr7) >> (18 + 4 * (i)) & 3)

_Static_assert(sizeof(zx_thread_state_vector_regs_t) == REGISTER_SET_MAX, "the largest set");

static char *area_of(const struct arch_thread *thread) { return thread->extended_state; }

/* ---- General registers ---- */

struct user_frame *user_frame_of(const struct arch_thread *thread) {
    return (struct user_frame *)thread->stack_top - 1;
}

static void read_general(const struct arch_thread *thread, zx_thread_state_general_regs_t *out) {
    const struct user_frame *f = user_frame_of(thread);
    *out = (zx_thread_state_general_regs_t){
        .rax = f->rax, .rbx = f->rbx, .rcx = f->rcx, .rdx = f->rdx, .rsi = f->rsi,
        .rdi = f->rdi, .rbp = f->rbp, .rsp = f->rsp, .r8 = f->r8,   .r9 = f->r9,
        .r10 = f->r10, .r11 = f->r11, .r12 = f->r12, .r13 = f->r13, .r14 = f->r14,
        .r15 = f->r15, .rip = f->rip, .rflags = f->rflags,
        .fs_base = thread->fs_base,   .gs_base = thread->gs_base,
    };
}

static bool is_canonical(uint64_t address) {
    return (int64_t)(address << 16) >> 16 == (int64_t)address;
}

static status_t write_general(struct arch_thread *thread,
                              const zx_thread_state_general_regs_t *in) {
    struct user_frame *f = user_frame_of(thread);
    if (in->rip >= USER_TOP || !is_canonical(in->fs_base) || !is_canonical(in->gs_base))
        return ERR_INVALID_ARGS;
    f->rax = in->rax, f->rbx = in->rbx, f->rcx = in->rcx, f->rdx = in->rdx;
    f->rsi = in->rsi, f->rdi = in->rdi, f->rbp = in->rbp, f->rsp = in->rsp;
    f->r8 = in->r8, f->r9 = in->r9, f->r10 = in->r10, f->r11 = in->r11;
    f->r12 = in->r12, f->r13 = in->r13, f->r14 = in->r14, f->r15 = in->r15;
    f->rip = in->rip;
    f->rflags = (f->rflags & ~RFLAGS_USER) | (in->rflags & RFLAGS_USER);
    thread->fs_base = in->fs_base;
    thread->gs_base = in->gs_base;
    return OK;
}

static status_t write_single_step(struct arch_thread *thread, uint32_t on) {
    struct user_frame *f = user_frame_of(thread);
    if (on > 1)
        return ERR_INVALID_ARGS;
    f->rflags = (f->rflags & ~RFLAGS_TF) | (on ? RFLAGS_TF : 0);
    return OK;
}

/* ---- Extended state ---- */

static char *ymm_high_of(const struct arch_thread *thread) {
    return cpu_features.xcr0 & XSTATE_AVX ? area_of(thread) + cpuid(0xd, 2).ebx : NULL;
}

/* From here on the area holds every component, and its processor's registers count no more. */
static void unfold(struct arch_thread *thread) {
    char *area = area_of(thread);
    uint64_t *present = (uint64_t *)(area + HEADER_OFFSET);
    thread->state_cpu = UINT32_MAX;
    if (!cpu_features.xsave)
        return;
    if (!(*present & XSTATE_X87)) {
        memset(area, 0, MXCSR_OFFSET);
        *(uint16_t *)area = FCW_INIT;
        memset(area + ST_OFFSET, 0, XMM_OFFSET - ST_OFFSET);
    }
    if (!(*present & XSTATE_SSE))
        memset(area + XMM_OFFSET, 0, 256);
    if (!(*present & XSTATE_AVX) && ymm_high_of(thread))
        memset(ymm_high_of(thread), 0, 256);
    *present |= cpu_features.xcr0;
}

/* fcw to fdp lie in both as FXSAVE has them; 80-bit registers have 48 bits of padding. */
static void read_fp(struct arch_thread *thread, zx_thread_state_fp_regs_t *out) {
    const char *area = area_of(thread);
    unfold(thread);
    memset(out, 0, sizeof(*out));
    memcpy(out, area, MXCSR_OFFSET);
    memcpy(out->st, area + ST_OFFSET, sizeof(out->st));
    out->reserved = 0;
    for (unsigned i = 0; i < 8; i++)
        out->st[i].high &= 0xffff;
}

static status_t write_fp(struct arch_thread *thread, const zx_thread_state_fp_regs_t *in) {
    char *area = area_of(thread);
    zx_thread_state_fp_regs_t clean = *in;
    clean.reserved = 0;
    for (unsigned i = 0; i < 8; i++)
        clean.st[i].high &= 0xffff;
    unfold(thread);
    memcpy(area, &clean, MXCSR_OFFSET);
    memcpy(area + ST_OFFSET, clean.st, sizeof(clean.st));
    return OK;
}

static void read_vector(struct arch_thread *thread, zx_thread_state_vector_regs_t *out) {
    const char *area = area_of(thread), *high = ymm_high_of(thread);
    unfold(thread);
    memset(out, 0, sizeof(*out));
    for (unsigned i = 0; i < 16; i++) {
        memcpy(&out->zmm[i].v[0], area + XMM_OFFSET + 16 * i, 16);
        if (high)
            memcpy(&out->zmm[i].v[2], high + 16 * i, 16);
    }
    memcpy(&out->mxcsr, area + MXCSR_OFFSET, sizeof(out->mxcsr));
}

/* The bits of MXCSR that this processor has; XRSTOR faults on any other. */
static uint32_t mxcsr_mask(void) {
    char area[512] ALIGNED(16);
    uint32_t mask;
    __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
    memcpy(&mask, area + MASK_OFFSET, sizeof(mask));
    return mask ? mask : 0xffbf;
}

static status_t write_vector(struct arch_thread *thread, const zx_thread_state_vector_regs_t *in) {
    char *area = area_of(thread), *high = ymm_high_of(thread);
    if (in->mxcsr & ~mxcsr_mask())
        return ERR_INVALID_ARGS;
    unfold(thread);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(area + XMM_OFFSET + 16 * i, &in->zmm[i].v[0], 16);
        if (high)
            memcpy(high + 16 * i, &in->zmm[i].v[2], 16);
    }
    memcpy(area + MXCSR_OFFSET, &in->mxcsr, sizeof(in->mxcsr));
    return OK;
}

/* ---- Debug registers ---- */

#define debug_regs zx_thread_state_debug_regs_t

size_t arch_extended_state_size(void) {
    return round_up(cpu_features.extended_state_size, 8) + sizeof(debug_regs);
}

static debug_regs *debug_of(const struct arch_thread *thread) {
    return (debug_regs *)(area_of(thread) + round_up(cpu_features.extended_state_size, 8));
}

void debug_init(struct arch_thread *thread) {
    *debug_of(thread) = (debug_regs){.dr6 = DR6_INIT, .dr7 = DR7_INIT};
}

static void dr_store(const debug_regs *regs) {
    __asm__ volatile("movq %0, %%dr0" ::"r"(regs->dr[0]));
    __asm__ volatile("movq %0, %%dr1" ::"r"(regs->dr[1]));
    __asm__ volatile("movq %0, %%dr2" ::"r"(regs->dr[2]));
    __asm__ volatile("movq %0, %%dr3" ::"r"(regs->dr[3]));
    __asm__ volatile("movq %0, %%dr6" ::"r"(DR6_INIT));
    __asm__ volatile("movq %0, %%dr7" ::"r"(regs->dr7));
}

void debug_load(const struct arch_thread *thread) { dr_store(debug_of(thread)); }

static uint64_t dr6_take(void) {
    uint64_t dr6;
    __asm__ volatile("movq %%dr6, %0" : "=r"(dr6));
    __asm__ volatile("movq %0, %%dr6" ::"r"(DR6_INIT));
    return dr6;
}

/* The hits of breakpoints that the thread has armed; *out_fault: one before an execution. */
static uint64_t own_hits(const debug_regs *regs, uint64_t dr6, bool *out_fault) {
    uint64_t hits = 0;
    *out_fault = false;
    for (unsigned i = 0; i < 4; i++) {
        if (!(dr6 >> i & 1) || !DR7_ARMED(regs->dr7, i))
            continue;
        hits |= (uint64_t)1 << i;
        *out_fault |= DR7_KIND(regs->dr7, i) == 0;
    }
    return hits;
}

bool debug_trap(struct user_frame *frame) {
    debug_regs *regs = debug_of((struct arch_thread *)thread_current());
    bool fault;
    uint64_t dr6 = dr6_take();
    uint64_t hits = own_hits(regs, dr6, &fault);
    if ((dr6 & DR6_HITS) && !hits)
        dr_store(&(debug_regs){.dr7 = DR7_INIT});
    if ((dr6 & DR6_HITS) && !hits && !(dr6 & DR6_STEP))
        return false;
    regs->dr6 = DR6_INIT | hits | (dr6 & DR6_STEP);
    if (fault) /* when it is handled, the instruction is to run */
        frame->rflags |= RFLAGS_RF;
    return true;
}

void debug_step_over_syscall(struct user_frame *frame) {
    debug_of((struct arch_thread *)thread_current())->dr6 = DR6_INIT | DR6_STEP;
    frame->vector = VECTOR_DEBUG;
    frame->error = 0;
}

void debug_forget_kernel_hits(void) { (void)dr6_take(); }

/* An address of user code, and neither a breakpoint on I/O nor a long instruction. */
static bool is_sound(const debug_regs *regs) {
    for (unsigned i = 0; i < 4; i++) {
        if (regs->dr[i] >= USER_TOP || DR7_KIND(regs->dr7, i) == 2)
            return false;
        if (DR7_KIND(regs->dr7, i) == 0 && DR7_LENGTH(regs->dr7, i) != 0)
            return false;
    }
    return true;
}

static status_t write_debug(struct arch_thread *thread, const debug_regs *in) {
    debug_regs clean = *in;
    if (!is_sound(in))
        return ERR_INVALID_ARGS;
    clean.dr6 = DR6_INIT | (in->dr6 & DR6_USER);
    clean.dr7 = DR7_INIT | (in->dr7 & DR7_USER);
    *debug_of(thread) = clean;
    if (clean.dr7 & 0xff)
        atomic_fetch_or(pending_of(thread), ARCH_PENDING);
    else
        atomic_fetch_and(pending_of(thread), ~ARCH_PENDING);
    return OK;
}

/* ---- By kind ---- */

size_t arch_register_set_size(uint32_t kind) {
    switch (kind) {
    case ZX_THREAD_STATE_GENERAL_REGS: return sizeof(zx_thread_state_general_regs_t);
    case ZX_THREAD_STATE_FP_REGS: return sizeof(zx_thread_state_fp_regs_t);
    case ZX_THREAD_STATE_VECTOR_REGS: return sizeof(zx_thread_state_vector_regs_t);
    case ZX_THREAD_STATE_DEBUG_REGS: return sizeof(debug_regs);
    case ZX_THREAD_STATE_SINGLE_STEP: return sizeof(zx_thread_state_single_step_t);
    default: return 0;
    }
}

status_t arch_registers_read(struct arch_thread *thread, uint32_t kind, void *set) {
    switch (kind) {
    case ZX_THREAD_STATE_GENERAL_REGS: read_general(thread, set); break;
    case ZX_THREAD_STATE_FP_REGS: read_fp(thread, set); break;
    case ZX_THREAD_STATE_VECTOR_REGS: read_vector(thread, set); break;
    case ZX_THREAD_STATE_DEBUG_REGS: *(debug_regs *)set = *debug_of(thread); break;
    case ZX_THREAD_STATE_SINGLE_STEP:
        *(uint32_t *)set = (user_frame_of(thread)->rflags & RFLAGS_TF) != 0;
        break;
    default: return ERR_INVALID_ARGS;
    }
    return OK;
}

status_t arch_registers_write(struct arch_thread *thread, uint32_t kind, const void *set) {
    switch (kind) {
    case ZX_THREAD_STATE_GENERAL_REGS: return write_general(thread, set);
    case ZX_THREAD_STATE_FP_REGS: return write_fp(thread, set);
    case ZX_THREAD_STATE_VECTOR_REGS: return write_vector(thread, set);
    case ZX_THREAD_STATE_DEBUG_REGS: return write_debug(thread, set);
    case ZX_THREAD_STATE_SINGLE_STEP: return write_single_step(thread, *(const uint32_t *)set);
    default: return ERR_INVALID_ARGS;
    }
}
