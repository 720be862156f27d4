/*
 * support.h - what the tests of memory and tasks share: small memory objects, handles
 * with fewer rights, and bare children.
 *
 * A bare child is a process that this program builds by hand: one page of machine
 * code, one page of data that the test sees too, and, if asked for, the vDSO. So a
 * child costs little, and all that it does is in the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/types.h>

#define PAGE ((size_t)ZX_PAGE_SIZE)
#define READ_WRITE (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)
#define CAN_MAP (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)

/* Close a handle; a test fails when that fails. */
void close_handle(zx_handle_t handle);
zx_rights_t rights_of(zx_handle_t handle);
zx_koid_t koid_of(zx_handle_t handle);
/* A second handle with exactly these rights, or without these. */
zx_handle_t copy_with(zx_handle_t handle, zx_rights_t rights);
zx_handle_t copy_without(zx_handle_t handle, zx_rights_t rights);
/* The root resource, if this program was given it; kept from the start. */
zx_handle_t root_resource(void);
/* New objects without options; the test fails, and gets no handle, if there is none. */
zx_handle_t make_job(zx_handle_t parent);
zx_handle_t make_event(void);
zx_handle_t make_port(void);
/* Booted without what this call needs: it answers ZX_ERR_NOT_SUPPORTED to anything. */
bool call_is_off(const char *name);
/* Handles of this process, by the kernel's own count, once its other threads have ended. */
unsigned own_handles(void);

/* --- memory objects --- */

zx_handle_t make_vmo(size_t pages);
zx_handle_t make_resizable_vmo(size_t pages);
zx_handle_t make_snapshot(zx_handle_t vmo, size_t pages);
/* One byte at the start of a page. */
void put(zx_handle_t vmo, size_t page, uint8_t value);
uint8_t get(zx_handle_t vmo, size_t page);
size_t committed_pages(zx_handle_t vmo);
zx_info_vmo_t vmo_info_of(zx_handle_t vmo);
/* Mapped into this process at a place of the kernel's choice. */
volatile uint8_t *map_vmo(zx_handle_t vmo, zx_vm_option_t perm, size_t pages);
void unmap(const volatile void *address, size_t pages);

/* --- bare children --- */

#define CHILD_CODE  ((uintptr_t)0x10000000)
#define CHILD_DATA  ((uintptr_t)0x10010000)
#define CHILD_STACK (CHILD_DATA + PAGE) /* the end of the data page */

struct child {
    zx_handle_t process, vmar, thread;
    volatile uint64_t *data; /* the child's data page, here */
    zx_handle_t data_vmo;
    uintptr_t vdso;          /* its base in the child; 0: none */
};

/*
 * A child with [code, code_end) at CHILD_CODE, not yet started. False after a failure,
 * which the running test was told about; the child is ended by child_end in any case.
 */
bool child_make(struct child *child, const void *code, const void *code_end);
bool child_make_in(struct child *child, zx_handle_t job, const void *code, const void *code_end);
/* Maps the vDSO, so that the child can call the kernel through child_call. */
bool child_give_vdso(struct child *child);
/* Where a call of the vDSO lies in the child; `call` is this program's zx_ function. */
uintptr_t child_call(const struct child *child, const char *name);
/* Starts it: rdi 0, rsi arg2, stack CHILD_STACK. */
zx_status_t child_start(struct child *child, uintptr_t arg2);
/* Waits for its end; its return code, or INT64_MIN after five seconds. */
int64_t child_wait(const struct child *child);
void child_end(struct child *child);
/* All of it: make, start, wait, end. */
int64_t child_run(const void *code, const void *code_end, uintptr_t arg2);

/*
 * A child that makes calls which the test wrote into its data page, one after another,
 * then runs into an undefined instruction. Its results stay in the page.
 */
#define CHILD_HANDLE UINT64_MAX /* as first argument: the handle it was started with */
bool script_make(struct child *child);
bool script_make_in(struct child *child, zx_handle_t job);
void script_add(struct child *child, unsigned index, const char *call, uint64_t a0, uint64_t a1,
                uint64_t a2, uint64_t a3);
int32_t script_result(const struct child *child, unsigned index);

/*
 * CODE(name, "instructions") defines machine code for a child between name and
 * name_end. It may run anywhere.
 */
#define CODE(name, text)                                                                           \
    extern const char name[], name##_end[];                                                        \
    __asm__(".pushsection .rodata." #name ",\"a\",@progbits\n"                                    \
            ".globl " #name ", " #name "_end\n.hidden " #name ", " #name "_end\n"                  \
            #name ":\n\t" text "\n" #name "_end:\n\t.popsection")

/*
 * For CODE: makes the call that rbx points to (its address, six arguments, room for what it
 * gives). A first argument of -1 stands for the handle in r12d.
 */
#define CODE_CALL_OF_ENTRY                                                                         \
    "mov 8(%rbx), %rdi\n\t"                                                                        \
    "cmp $-1, %rdi\n\t"                                                                            \
    "cmove %r12, %rdi\n\t"                                                                         \
    "mov 16(%rbx), %rsi\n\t"                                                                       \
    "mov 24(%rbx), %rdx\n\t"                                                                       \
    "mov 32(%rbx), %rcx\n\t"                                                                       \
    "mov 40(%rbx), %r8\n\t"                                                                        \
    "mov 48(%rbx), %r9\n\t"                                                                        \
    "call *(%rbx)\n\t"                                                                             \
    "mov %rax, 56(%rbx)\n\t"
