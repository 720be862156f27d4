/*
 * console_dev.h - the console for threads: writing and reading that wait.
 *
 * Bytes travel through the small rings of arch/console.h; this file makes threads
 * sleep while a ring is full or empty, and interrupts wake them.
 */
#pragma once

#include "lib/types.h"

/*
 * Write all bytes, in one piece among other writers. ERR_INTERNAL_* when the
 * thread is killed or suspended first: a part may have been written.
 */
status_t console_dev_write(const char *bytes, size_t length);
/*
 * Wait for a byte, then take what is there, at most `size`; '\r' becomes '\n'.
 * ERR_INTERNAL_*: nothing was taken.
 */
status_t console_dev_read(char *buffer, size_t size, size_t *out_length);
/* `debug.write=0`: user code may not write (see zx_debug_write). */
void console_dev_set_user_output(bool allowed);
bool console_dev_allows_user_output(void);
/* Once, at boot. */
void console_dev_init(void);
