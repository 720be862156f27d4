/* vdso_image.S - the vDSO's image, in whole pages of writable kernel data (vdso_image.h). */
#ifndef VDSO_IMAGE
#define VDSO_IMAGE "vdso/vdso.img"
#endif

    .section .data.vdso_image, "aw", @progbits
    .balign 4096
    .globl vdso_image_start
vdso_image_start:
    .incbin VDSO_IMAGE
    .balign 4096
    .globl vdso_image_end
vdso_image_end:

    .section .note.GNU-stack, "", @progbits
