/*
 * known_good.S - the smallest machine that says it is alive: `./jx doctor` boots it.
 *
 * It enters by PVH in 32-bit mode, writes one line to the serial port and to the
 * debug port, and ends QEMU with code 0x10. If this fails, the environment is to
 * blame and not the kernel.
 */
    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long start

    .section .text, "ax"
    .code32
    .globl start
start:
    movl $message, %esi
next:
    lodsb
    testb %al, %al
    jz end
    outb %al, $0xe9
    movw $0x3f8, %dx
    outb %al, %dx
    jmp next
end:
    movw $0x3fd, %dx
wait:
    inb %dx, %al
    testb $0x40, %al
    jz wait
    movl $0x10, %eax
    outl %eax, $0xf4
    cli
    hlt
message:
    .asciz "jx: known good\n"
