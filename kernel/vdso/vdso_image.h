/*
 * vdso_image.h - the vDSO's image in the kernel, and the layout that vdso.ld fixes.
 *
 * [vdso_image_start, vdso_image_end) is whole pages in the kernel's writable data:
 * the kernel fills the time page there, then makes the memory object of these
 * frames. A process maps all of it in one piece:
 *
 *     0                       ELF headers          read
 *     VDSO_TIME_PAGE_OFFSET   struct time_page     read
 *     VDSO_CODE_OFFSET        code, to the end     read, execute
 *
 * The image's ELF entry point is find(hash), which user space calls (ulib/zx/start.c).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define VDSO_TIME_PAGE_OFFSET ((size_t)0x1000)
#define VDSO_CODE_OFFSET      ((size_t)0x2000)

extern uint8_t vdso_image_start[], vdso_image_end[];
