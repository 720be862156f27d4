/*
 * doors.c - upcalls that a build without their layer needs for linking.
 *
 * Weak: the real ones win wherever they are built. Reaching one of these is a
 * fault of the test.
 */
#include "arch/upcall.h"
#include "lib/assert.h"

#define WEAK __attribute__((weak))

WEAK status_t upcall_page_fault(const struct fault *fault) { return ERR_NOT_FOUND; }
WEAK void upcall_pause(void) {}
WEAK void upcall_console_input(void) {}
WEAK void upcall_console_room(void) {}
