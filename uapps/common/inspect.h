/*
 * inspect.h - a stopped thread as a person reads it: why, where, its registers and callers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/syscalls/exception.h>
#include <zircon/types.h>

/* "page fault", ...; "exception" for a type that does not exist. */
const char *inspect_exception_name(zx_excp_type_t type);
/*
 * NAME+0xOFFSET of what is loaded at an address, or "?"; behind that SYMBOL+0xOFFSET, if its
 * file in the boot archive has symbols. Returns `text`.
 */
#define INSPECT_PLACE 160
const char *inspect_place(zx_handle_t process, uint64_t address, char text[INSPECT_PLACE]);
/* Where a symbol of one of the loaded programs lies; `name` has so many bytes. */
bool inspect_find(zx_handle_t process, const char *name, size_t length, uint64_t *out_address);
/* Print process, thread and what happened, in one or two lines. */
void inspect_print_exception(zx_handle_t process, zx_handle_t thread,
                             const zx_exception_report_v2_t *report);
zx_status_t inspect_print_registers(zx_handle_t thread);
/* Callers by frame pointers: "  #N 0xADDRESS PLACE", as the kernel's reports have them. */
zx_status_t inspect_print_backtrace(zx_handle_t process, zx_handle_t thread);
/* So many bytes as hexadecimal and text. */
zx_status_t inspect_print_memory(zx_handle_t process, uint64_t address, size_t length);
