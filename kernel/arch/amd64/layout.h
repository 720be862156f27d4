/*
 * layout.h - numbers that C, assembly and the linker script's results share.
 *
 * The virtual address space of the kernel's half:
 *
 *   0xffff800000000000  the physical map: all RAM, writable, never executable
 *   0xffffc90000000000  the kernel's range for stacks and device mappings (512 GiB)
 *   0xffffffff80000000  the image, at the same offset from its physical address
 *   0xffffffffc0000000  fixed slots: a window for firmware tables, the interrupt
 *                       controllers, and every CPU's own stacks
 *
 * Offsets into C structures are asserted in layout_check.c.
 */
#pragma once

#define KERNEL_BASE     0xffffffff80000000
#define PHYSICAL_MAP    0xffff800000000000
#define FIXED_BASE      0xffffffffc0000000
#define KERNEL_PHYSICAL 0x200000

#define BOOT_STACK_SIZE 16384

/* Segment selectors. SYSRET wants: 32-bit user code, user data, 64-bit user code. */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_CODE32 0x1b
#define SELECTOR_USER_DATA   0x23
#define SELECTOR_USER_CODE   0x2b
#define SELECTOR_TSS         0x30

#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define LOADER_MULTIBOOT2 0x36d76289
#define LOADER_PVH        0x336ec578

/* struct cpu */
#define CPU_CURRENT      0x08
#define CPU_KERNEL_STACK 0x10
#define CPU_SCRATCH      0x18
#define CPU_STACK_GUARD  0x28
#define CPU_SYSCALLS     0x1b8

/* struct arch_thread, and the `pending` word that follows it */
#define THREAD_RSP           0
#define THREAD_WINDOW_BEGIN  8
#define THREAD_WINDOW_LENGTH 16
#define THREAD_PENDING       80

/* struct user_frame */
#define FRAME_R15    0
#define FRAME_R14    8
#define FRAME_R13    16
#define FRAME_R12    24
#define FRAME_RBP    32
#define FRAME_RBX    40
#define FRAME_R11    48
#define FRAME_R10    56
#define FRAME_R9     64
#define FRAME_R8     72
#define FRAME_RAX    80
#define FRAME_RCX    88
#define FRAME_RDX    96
#define FRAME_RSI    104
#define FRAME_RDI    112
#define FRAME_VECTOR 120
#define FRAME_ERROR  128
#define FRAME_RIP    136
#define FRAME_CS     144
#define FRAME_RFLAGS 152
#define FRAME_RSP    160
#define FRAME_SS     168
#define FRAME_SIZE   176

/* Vectors. 0 to 31 are the processor's exceptions. */
#define VECTOR_DEBUG         1
#define VECTOR_NMI           2
#define VECTOR_BREAKPOINT    3
#define VECTOR_OVERFLOW      4
#define VECTOR_INVALID       6
#define VECTOR_DOUBLE_FAULT  8
#define VECTOR_PROTECTION    13
#define VECTOR_PAGE_FAULT    14
#define VECTOR_ALIGNMENT     17
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_PIC           0x20 /* 16 of them: only spurious ones ever come */
#define VECTOR_GSI           0x30 /* the kernel's own devices, by ISA number */
#define VECTOR_IRQ           0x40 /* IRQ_VECTORS of them, for devices of programs */
#define VECTOR_TIMER         0xe0
#define VECTOR_RESCHEDULE    0xe1
#define VECTOR_REQUEST       0xe2 /* flush or call from another CPU */
#define VECTOR_APIC_ERROR    0xfe
#define VECTOR_SPURIOUS      0xff
#define VECTOR_SYSCALL       0x100 /* in a frame only: it was made by SYSCALL */

/* Stacks of the interrupt stack table. */
#define IST_DOUBLE_FAULT  1
#define IST_NMI           2
#define IST_MACHINE_CHECK 3
#define IST_DEBUG         4
#define IST_COUNT         4
#define IST_STACK_SIZE    8192
