/*
 * place.h - regions to map in, for the tests of address regions: each test has one of its
 * own, so that nothing depends on what else this program has mapped.
 */
#pragma once

#include "core-tests/support.h"

#define SIXTEEN (16 * PAGE) /* the size of a usual place */

struct place {
    zx_handle_t vmar;
    uintptr_t base;
};

/* In the root region, anywhere; the options are those of zx_vmar_allocate. */
struct place make_place(zx_vm_option_t options, size_t size);
/* SIXTEEN bytes that may be mapped in any way. */
struct place usual_place(void);
void drop_place(struct place place);
/* Map `pages` of a VMO at a page of the place; the status. */
zx_status_t map_in(struct place place, zx_vm_option_t options, size_t page, zx_handle_t vmo,
                   size_t vmo_page, size_t pages);
/* The first byte of a page. */
volatile uint8_t *byte_of(struct place place, size_t page);
/* Can a page be read, or written? Asked of the kernel, which copies; a write leaves a 0. */
bool place_can_read(struct place place, size_t page);
bool place_can_write(struct place place, size_t page);
/* A VMO whose page i begins with i + 1. */
zx_handle_t numbered(size_t pages);
