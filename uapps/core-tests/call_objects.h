/*
 * call_objects.h - the objects that calls are made on. They live until call_tidy (calls.h); a
 * test fails when one cannot be made.
 */
#pragma once

#include "core-tests/support.h"

/* Have this handle closed by call_tidy, too; the handle. */
zx_handle_t keep(zx_handle_t handle);
/* Close it now. Pinned memory that is merely closed is in quarantine for ever. */
void drop(zx_handle_t handle);

zx_handle_t some_event(void);
zx_handle_t some_port(void);
zx_handle_t some_clock(void);
zx_handle_t some_profile(void);
zx_handle_t some_interrupt(void); /* a virtual one */
zx_handle_t interrupt_port(void); /* that interrupts can be bound to */

/* One end of two, at which something can be read, with a handle or without. */
zx_handle_t channel_with_message(bool with_handle);
zx_handle_t socket_with_bytes(void);
zx_handle_t fifo_with_elements(void);

zx_handle_t some_vmo(void); /* of one page; so are the others' */
zx_handle_t some_stream(void);
zx_handle_t some_pager(void);
/* Both, of one another. */
void pager_scene(uint64_t *pager_argument, uint64_t *vmo_argument);
zx_handle_t some_region(void); /* of four pages, which may be mapped for reading */
zx_handle_t dead_region(void);
zx_handle_t some_iommu(void);
zx_handle_t some_device(void); /* a BTI */

zx_handle_t idle_process(void); /* not started */
/* Of a child, one of which there is at a time: suspended, or the exception that it is in. */
zx_handle_t stopped_thread(void);
zx_handle_t faulting_thread(void);
