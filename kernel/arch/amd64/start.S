/*
 * start.S - from the loader to C: both loaders enter in 32-bit mode, paging off.
 *
 * Builds the first page tables in the image's zeroed memory: the first 4 GiB at
 * their physical address and in the physical map (not executable but for the 2 MiB
 * that hold this code), and the image at -2 GiB with its final permissions. Then
 * long mode, the boot CPU's GS base and stack, and arch_entry(loader, info).
 */
#include "arch/amd64/layout.h"

#define LOW(symbol) (symbol - KERNEL_BASE)

#define PRESENT   0x001
#define WRITABLE  0x002
#define HUGE      0x080
#define GLOBAL    0x100
#define ACCESSED  0x060
#define NX_HIGH   0x80000000

        .section .boot.header, "a", @progbits
        .balign 8
header:
        .long 0xe85250d6, 0, header_end - header, -(0xe85250d6 + (header_end - header))
        .balign 8
        .word 6, 0              /* modules on page boundaries */
        .long 8
        .balign 8
        .word 0, 0
        .long 8
header_end:

        .section .note.Xen, "a", @note
        .balign 4
        .long 4, 4, 18          /* name's size, content's size, physical 32-bit entry */
        .asciz "Xen"
        .long start_pvh

        .section .boot.text, "ax", @progbits
        .code32
        .globl start_pvh
start_pvh:
        movl $LOADER_PVH, %eax
        .globl start_multiboot2
start_multiboot2:
        cli
        cld
        movl %eax, %ebp         /* the loader */
        rdtsc
        movl %eax, LOW(boot_entry_ticks)
        movl %edx, LOW(boot_entry_ticks) + 4
        movl $LOW(boot_stack_top), %esp
        pushl %ebx              /* its information */

        /* Without long mode or NX there is no kernel. */
        movl $0x80000000, %eax
        cpuid
        cmpl $0x80000001, %eax
        jb unfit
        movl $0x80000001, %eax
        cpuid
        andl $0x20100000, %edx
        cmpl $0x20100000, %edx
        jne unfit

        /* The first 4 GiB: 2048 entries in four tables. */
        movl $LOW(boot_directories), %edi
        xorl %eax, %eax
1:      movl %eax, %edx
        orl $(PRESENT | WRITABLE | ACCESSED | HUGE), %edx
        movl %edx, (%edi)
        movl $NX_HIGH, 4(%edi)
        addl $8, %edi
        addl $0x200000, %eax
        jnz 1b
        movl $(KERNEL_PHYSICAL | PRESENT | ACCESSED | HUGE), LOW(boot_directories) + 8
        movl $0, LOW(boot_directories) + 12

        movl $(LOW(boot_directories) + (PRESENT | WRITABLE)), %eax
        movl $LOW(boot_pointers), %edi
        movl $4, %ecx
2:      movl %eax, (%edi)
        addl $4096, %eax
        addl $8, %edi
        loop 2b

        /* The image, page by page. */
        movl $LOW(kernel_text_start), %eax
        movl $LOW(kernel_text_end), %ecx
        movl $(PRESENT | ACCESSED | GLOBAL), %edx
        xorl %ebx, %ebx
        call map_image
        movl $LOW(kernel_rodata_start), %eax
        movl $LOW(kernel_rodata_end), %ecx
        movl $NX_HIGH, %ebx
        call map_image
        movl $LOW(kernel_data_start), %eax
        movl $LOW(kernel_data_end), %ecx
        movl $(PRESENT | ACCESSED | WRITABLE | GLOBAL), %edx
        call map_image

        movl $(LOW(kernel_image_tables) + (PRESENT | WRITABLE)), %eax
        movl $(LOW(kernel_image_directory) + 8), %edi
        movl $4, %ecx
3:      movl %eax, (%edi)
        addl $4096, %eax
        addl $8, %edi
        loop 3b
        movl $(LOW(kernel_image_directory) + (PRESENT | WRITABLE)), LOW(kernel_image_pointers) + 510 * 8
        movl $(LOW(fixed_directory) + (PRESENT | WRITABLE)), LOW(kernel_image_pointers) + 511 * 8
        movl $(LOW(fixed_table) + (PRESENT | WRITABLE)), LOW(fixed_directory)
        movl $(LOW(boot_pointers) + (PRESENT | WRITABLE)), LOW(boot_root)
        movl $(LOW(boot_pointers) + (PRESENT | WRITABLE)), LOW(boot_root) + 256 * 8
        movl $(LOW(kernel_image_pointers) + (PRESENT | WRITABLE)), LOW(boot_root) + 511 * 8

        movl $LOW(boot_root), %eax
        movl %eax, %cr3
        movl %cr4, %eax
        orl $0xa0, %eax         /* PAE, PGE */
        movl %eax, %cr4
        movl $MSR_EFER, %ecx
        rdmsr
        orl $0x901, %eax        /* SCE, LME, NXE */
        wrmsr
        movl %cr0, %eax
        andl $0x9fffffff, %eax  /* not CD, not NW */
        orl $0x80010001, %eax   /* PG, WP, PE */
        movl %eax, %cr0
        lgdt boot_gdt_pointer
        ljmpl $SELECTOR_KERNEL_CODE, $start64

/* Map the image's pages from physical eax up to ecx: flags edx (low), ebx (high). */
map_image:
        movl %eax, %edi
        subl $KERNEL_PHYSICAL, %edi
        shrl $9, %edi           /* 8 bytes for each 4096 */
        addl $LOW(kernel_image_tables), %edi
1:      cmpl %ecx, %eax
        jae 2f
        movl %eax, %esi
        orl %edx, %esi
        movl %esi, (%edi)
        movl %ebx, 4(%edi)
        addl $4096, %eax
        addl $8, %edi
        jmp 1b
2:      ret

/* One line to the serial port at whatever speed it has, and a stop. */
unfit:
        movl $unfit_text, %esi
1:      lodsb
        testb %al, %al
        jz 3f
        movb %al, %bl
        movl $10000, %ecx
2:      movw $0x3fd, %dx
        inb %dx, %al
        testb $0x20, %al
        loopz 2b
        movb %bl, %al
        movw $0x3f8, %dx
        outb %al, %dx
        movw $0xe9, %dx
        outb %al, %dx
        jmp 1b
3:      cli
        hlt
        jmp 3b
unfit_text:
        .asciz "jacinth: this processor is unfit: it lacks long mode or NX\n"

        .balign 8
boot_gdt:
        .quad 0
        .quad 0x00af9b000000ffff
        .quad 0x00cf93000000ffff
boot_gdt_pointer:
        .word 23
        .long boot_gdt

        .code64
start64:
        movl (%rsp), %esi       /* the information that was pushed */
        movabsq $start_high, %rax
        jmpq *%rax

        .section .text.entry, "ax", @progbits
start_high:
        leaq boot_stack_top(%rip), %rsp
        xorl %eax, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl %eax, %fs
        movl %eax, %gs
        /* The stack protector reads %gs:0x28, so the boot CPU's area comes first. */
        leaq boot_cpu(%rip), %rax
        movq %rax, (%rax)
        rdtsc
        shlq $32, %rdx
        orq %rdx, %rax
        movabsq $0x9e3779b97f4a7c15, %rdx
        imulq %rdx, %rax
        xorb %al, %al           /* a zero byte stops string overruns */
        leaq boot_cpu(%rip), %rdx
        movq %rax, CPU_STACK_GUARD(%rdx)
        movq %rdx, %rax
        shrq $32, %rdx
        movl $MSR_GS_BASE, %ecx
        wrmsr
        movl %ebp, %edi
        xorl %ebp, %ebp         /* the end of the chain of frames */
        call arch_entry
1:      cli
        hlt
        jmp 1b

        .section .data, "aw", @progbits
        .balign 8
        .globl boot_entry_ticks
boot_entry_ticks:       .quad 0 /* when the first instruction ran */

        .section .bss.pages, "aw", @nobits
        .balign 4096
        .globl boot_root, boot_directories, kernel_image_pointers, kernel_image_directory
        .globl kernel_image_tables, fixed_directory, fixed_table
        .globl boot_stack_guard, boot_stack, boot_stack_top
boot_root:              .skip 4096
boot_pointers:          .skip 4096
boot_directories:       .skip 4 * 4096
kernel_image_pointers:  .skip 4096
kernel_image_directory: .skip 4096
kernel_image_tables:    .skip 4 * 4096
fixed_directory:        .skip 4096
fixed_table:            .skip 4096
boot_stack_guard:       .skip 4096
boot_stack:             .skip BOOT_STACK_SIZE
boot_stack_top:

        .section .note.GNU-stack, "", @progbits
