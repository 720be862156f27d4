/*
 * doors_weak.c - doors of arch/upcall.h until the layers above have them.
 *
 * To be deleted together with its line in tools/gen-build.py when the last of them
 * is written; a strong definition takes precedence meanwhile.
 */
#include "arch/upcall.h"
#include "lib/assert.h"

#define WEAK __attribute__((weak))

WEAK status_t upcall_page_fault(const struct fault *fault) {
    return ERR_NOT_FOUND;
}
WEAK void upcall_exception(const struct exception *exception) {
    panic("user exception: %s", exception->name);
}
WEAK void upcall_forbidden_syscall(const struct user_frame *frame) {
    panic("system call from outside the vDSO");
}
WEAK void upcall_console_input(void) {}
WEAK void upcall_console_room(void) {}
