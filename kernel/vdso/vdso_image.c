/* vdso_image.c - the vDSO's image, in whole pages of writable kernel data (vdso_image.h). */
#include "vdso/vdso_image.h"

#ifndef VDSO_IMAGE
#define VDSO_IMAGE "vdso/vdso.img"
#endif

__asm__(".section .data.vdso_image, \"aw\", @progbits\n"
        ".balign 4096\n"
        ".globl vdso_image_start\n"
        "vdso_image_start:\n"
        ".incbin \"" VDSO_IMAGE "\"\n"
        ".balign 4096\n"
        ".globl vdso_image_end\n"
        "vdso_image_end:\n"
        ".previous\n");
