/*
 * processargs.h - the message that a new process finds on its bootstrap channel.
 *
 * zx_proc_args_t comes first; the arrays it points to lie at byte offsets from the
 * start of the message. The handles of the message are described by one 32-bit
 * PA_HND() word each.
 */
#pragma once

#include <stdint.h>
#include <zircon/types.h>

#define ZX_PROCARGS_PROTOCOL 0x4150585du
#define ZX_PROCARGS_VERSION  0x00001000u

typedef struct zx_proc_args {
    uint32_t protocol;        /* ZX_PROCARGS_PROTOCOL */
    uint32_t version;         /* ZX_PROCARGS_VERSION */
    uint32_t handle_info_off; /* one uint32_t for each handle */
    uint32_t args_off;        /* args_num strings, each with its NUL, one after another */
    uint32_t args_num;
    uint32_t environ_off; /* the same: "NAME=VALUE" */
    uint32_t environ_num;
    uint32_t names_off; /* the same: the names that PA_NS_DIR arguments count in */
    uint32_t names_num;
} zx_proc_args_t;
_Static_assert(sizeof(zx_proc_args_t) == 36, "ABI");

/* A handle's description: a type and an argument, whose meaning the type tells. */
#define PA_HND(type, arg)    (((uint32_t)(type) & 0xffu) | (((uint32_t)(arg) & 0xffffu) << 16))
#define PA_HND_TYPE(info)    ((uint32_t)(info) & 0xffu)
#define PA_HND_SUBTYPE(info) (((uint32_t)(info) >> 8) & 0xffu)
#define PA_HND_ARG(info)     (((uint32_t)(info) >> 16) & 0xffffu)

/* The process's own. */
#define PA_PROC_SELF   0x01u
#define PA_THREAD_SELF 0x02u
#define PA_JOB_DEFAULT 0x03u
#define PA_VMAR_ROOT   0x04u
#define PA_VMAR_LOADED 0x05u /* the region that the program was loaded into */

/* Loading. */
#define PA_LDSVC_LOADER    0x10u
#define PA_VMO_VDSO        0x11u
#define PA_VMO_STACK       0x13u
#define PA_VMO_EXECUTABLE  0x14u
#define PA_VMO_BOOTDATA    0x1au
#define PA_VMO_BOOTFS      0x1bu /* the initrd: a cpio archive */
#define PA_VMO_KERNEL_FILE 0x1cu

/* Files and services. */
#define PA_NS_DIR            0x20u /* argument: index in the table of names */
#define PA_FD                0x30u /* argument: 0 input, 1 output, 2 error, ... */
#define PA_FDIO_REMOTE       0x32u
#define PA_FDIO_LOGGER       0x35u /* a debuglog */
#define PA_FDIO_SOCKET       0x36u
#define PA_DIRECTORY_REQUEST 0x3bu
#define PA_RESOURCE          0x3fu

/* For whatever the two programs agree on. */
#define PA_USER0 0xf0u
#define PA_USER1 0xf1u
#define PA_USER2 0xf2u
