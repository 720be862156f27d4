/*
 * paged.h - an object with a pager, for tests that are the pager themselves: another thread,
 * or a child, makes the access that has to wait.
 */
#pragma once

#include <threads.h>

#include "core-tests/support.h"

#define PAGER_SOON  zx_deadline_after(ZX_SEC(20))
#define PAGER_SHORT zx_deadline_after(ZX_MSEC(30)) /* for what must not come */

struct paged {
    zx_handle_t pager, port, vmo;
};

/* The options are those of zx_pager_create_vmo. */
struct paged paged_make(size_t pages, uint32_t options);
void paged_end(struct paged *s);
/* The next packet is this request; or there is none. */
void expect_packet(struct paged *s, uint16_t command, size_t page, size_t pages);
void expect_no_packet(struct paged *s);
/* Pages that begin with value, value + 1, ... */
void supply(struct paged *s, size_t page, size_t pages, uint8_t value);

/* --- accesses that may wait --- */

/* One byte, if nothing else is said. */
struct access {
    zx_handle_t vmo;
    size_t page, pages;
    bool write, commit, hint;
    volatile uint8_t *view; /* if set, the access is by it */
    zx_status_t status;
    uint8_t value;
    thrd_t thread;
};

/* Begins in a thread of its own; after the end, status and value are what it gave. */
void access_start(struct access *a);
void access_end(struct access *a);
