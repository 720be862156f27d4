/*
 * world.h - real memory objects in lock step with the model.
 *
 * A world has a number of objects and of mappings of them, in this process and in a
 * second one that never runs and is looked at through zx_process_read_memory. Step
 * number n of a seed is drawn from both and means something in any state, so a failing
 * run can be repeated with steps left out (lockstep.h).
 *
 * Objects with a pager are served by a thread of the world's own, the companion: it
 * answers what a call asks for as the model has it, and writes down what it was asked
 * (world_companion.c). It acts only while the world's own thread waits for it.
 */
#pragma once

#include "model/lockstep.h"
#include "model/vmo_model.h"

#define WORLD_VIEWS 16
#define WORLD_PINS  4

struct world_view {
    int slot; /* of the object; -1: free */
    bool elsewhere;
    bool writable;
    zx_vaddr_t address;
    uint64_t first, pages; /* of the object */
};

struct world_pin {
    int slot; /* -1: free */
    zx_handle_t pmt;
    uint64_t offset, length;
};

/* What the companion saw and did. */
struct world_companion {
    _Atomic unsigned request_count; /* of this step */
    struct model_request request[MODEL_REQUESTS];
    _Atomic uint64_t completes; /* COMPLETE packets */
    zx_handle_t aux;            /* from which it supplies; empty in between */
    uint8_t page[ZX_PAGE_SIZE];
};

struct world {
    struct lockstep lockstep; /* first */
    struct model model;
    zx_handle_t handle[MODEL_OBJECTS]; /* ZX_HANDLE_INVALID: closed, or free */
    bool may_write[MODEL_OBJECTS];     /* the handle's right */
    uint64_t koid[MODEL_OBJECTS];
    struct { uint64_t birth, koid; } known[256]; /* koids of objects that may be gone */
    struct world_view view[WORLD_VIEWS];
    zx_handle_t other_process, other_vmar;
    zx_handle_t scratch; /* one committed page, to try accesses with */
    zx_handle_t pager, port, aux;
    zx_handle_t keeper[MODEL_OBJECTS]; /* the pager's own handles to its objects */
    uint64_t pager_objects;            /* ever made */
    struct world_companion companion;
    uint8_t page[ZX_PAGE_SIZE];        /* zeros, but for the places that are looked at */
    zx_handle_t bti; /* ZX_HANDLE_INVALID: nothing is pinned here */
    zx_handle_t device; /* an MMIO resource; ZX_HANDLE_INVALID: there are no physical objects */
    zx_paddr_t device_base;
    uint64_t physical_objects; /* ever made */
    struct world_pin pin[WORLD_PINS];
    uint8_t buffer[MODEL_PAGES * ZX_PAGE_SIZE];
};

void world_check(struct lockstep *lockstep); /* for struct lockstep_kind */

/* ---- For the world_*.c files ---- */

#define world_differs(world, ...) lockstep_differs(&(world)->lockstep, __VA_ARGS__)
#define world_tell(world, ...)    lockstep_tell(&(world)->lockstep, __VA_ARGS__)
#define world_agrees(world, what, want, got) lockstep_agrees(&(world)->lockstep, what, want, got)
#define world_draw(world, index, below) lockstep_draw(&(world)->lockstep, index, below)

void world_check_page(struct world *world, int slot, uint64_t index, const uint8_t *bytes,
                      const char *seen_by);
/* The same through a mapping in this process. */
void world_check_mapped(struct world *world, int slot, uint64_t index, zx_vaddr_t address);
void world_check_object(struct world *world, int slot);
void world_check_view(struct world *world, struct world_view *view);

/* A slot that has a handle, the next from where draw `index` falls; -1: none. */
int world_with_handle(struct world *world, unsigned index);
int world_free_slot(const struct world *world);
/* What kind of thing this step is about, for the counts. */
void world_is_about(struct world *world, int slot);
uint64_t world_draw_size(const struct world *world, unsigned index);
uint64_t world_draw_offset(const struct world *world, unsigned index, uint64_t size);
void world_note_object(struct world *world, int slot, zx_handle_t handle, bool may_write);
bool world_is_denied(const struct world *world, int slot); /* WRITE, to this handle */

struct world *world_number(unsigned index);

/* world_companion.c: who answers for pagers */
void world_begin_pager(struct world *world);
void world_end_pager(struct world *world);
void world_begin_answers(struct world *world); /* of a step: what the pager will do */
void world_check_requests(struct world *world);
/* Pages from the model's source into the empty object; zeros stay absent. */
zx_status_t world_fill_aux(struct world *world, zx_handle_t aux, int slot, uint64_t first,
                           uint64_t count, uint8_t page[ZX_PAGE_SIZE]);

/* world_pager.c: the steps of pagers */
void world_check_pager(struct world *world, int slot);
/* Pages of an object, mostly inside; sometimes all of it, or past its end. */
void world_draw_pages(const struct world *world, unsigned index, uint64_t pages,
                      uint64_t *out_first, uint64_t *out_count);
void world_step_create_pager(struct world *world);
void world_step_supply(struct world *world);
void world_step_supply_object(struct world *world);
void world_step_pager_op(struct world *world);
void world_step_query(struct world *world);
void world_step_detach(struct world *world);
void world_step_pager_close(struct world *world);
void world_step_foreign(struct world *world);

/* world_pin.c: the steps of devices */
void world_begin_pins(struct world *world);
void world_end_pins(struct world *world);
void world_step_create_contiguous(struct world *world);
void world_step_pin(struct world *world);
void world_step_unpin(struct world *world);

/* world_device.c: the steps on device memory, and on how caches treat objects */
void world_begin_device(struct world *world);
void world_end_device(struct world *world);
bool world_tell_device(const struct options *options); /* for struct lockstep_kind */
void world_step_create_physical(struct world *world);
void world_step_cache_policy(struct world *world);

/* world_view.c: the steps on mappings */
void world_step_map(struct world *world);
void world_step_unmap(struct world *world);
void world_step_protect(struct world *world);
void world_step_store(struct world *world);
void world_step_load(struct world *world);
void world_step_copy(struct world *world);
void world_step_op_range(struct world *world);
void world_step_new_space(struct world *world);
void world_open_space(struct world *world);
void world_close_space(struct world *world);
