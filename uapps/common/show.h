/*
 * show.h - numbers and names as the tools print them.
 */
#pragma once

#include <stddef.h>
#include <zircon/syscalls/object.h>
#include <zircon/types.h>

#define SHOW_SIZE 16

/* Bytes in at most 5 columns: 0, 512, 12K, 3.4M, 256M. Returns `text`. */
const char *show_bytes(uint64_t bytes, char text[SHOW_SIZE]);
/* Seconds with milliseconds. Returns `text`. */
const char *show_time(zx_duration_t time, char text[SHOW_SIZE]);
/* "process", "vmo", ...; "?" for a type that does not exist. */
const char *show_type(zx_obj_type_t type);
/* "running", "futex", ...: what a thread does, or waits for; at most 9 columns. */
const char *show_thread_state(zx_thread_state_t state);
/* A letter or a dash for each right, in the order of their bits. */
#define SHOW_RIGHTS 22
const char *show_rights(zx_rights_t rights, char text[SHOW_RIGHTS]);
/* What the letters mean, for --help. */
#define SHOW_RIGHTS_HELP                                                                           \
    "Rights, in this order: Duplicate Transfer Read Write eXecute Map Get-property\n"              \
    "Set-property Enumerate destrOy set-Policy get-poLicy sIgnal signal-peer(J) wAit\n"            \
    "iNspect manage-job(1) manage-process(2) manage-thread(3) profile(4) socket(5).\n"
