/*
 * world.h - real memory objects in lock step with the model.
 *
 * A world has a number of objects and of mappings of them, in this process and in a
 * second one that never runs and is looked at through zx_process_read_memory. Step
 * number n of a seed is drawn from both and means something in any state, so a failing
 * run can be repeated with steps left out.
 */
#pragma once

#include "model/vmo_model.h"
#include "stress/stress.h"

#define WORLD_VIEWS 12

struct world_view {
    int slot; /* of the object; -1: free */
    bool elsewhere;
    bool writable;
    zx_vaddr_t address;
    uint64_t first, pages; /* of the object */
};

struct world {
    struct model model;
    zx_handle_t handle[MODEL_OBJECTS]; /* ZX_HANDLE_INVALID: closed, or free */
    bool may_write[MODEL_OBJECTS];     /* the handle's right */
    uint64_t koid[MODEL_OBJECTS];
    struct { uint64_t birth, koid; } known[256]; /* koids of objects that may be gone */
    struct world_view view[WORLD_VIEWS];
    zx_handle_t other_process, other_vmar;
    zx_handle_t scratch; /* one committed page, to try accesses with */

    uint64_t seed, step;
    uint64_t calls, refused; /* made, and of these rightly refused */
    bool tells;       /* prints each step */
    bool failed;
    char problem[200]; /* the first difference */
    uint8_t buffer[MODEL_PAGES * ZX_PAGE_SIZE];
};

void world_begin(struct world *world, uint64_t seed);
/* Take step number `step`; false once something differs. */
bool world_step(struct world *world, uint64_t step);
/* Compare everything. */
bool world_check(struct world *world);
/* The pages that the objects should have in all. */
uint64_t world_pages(const struct world *world);
/* Let go of everything that a step made. */
void world_end(struct world *world);

/* ---- For the world_*.c files ---- */

void world_differs(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void world_tell(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Does a call's status agree? Counts refusals. Returns whether it was ZX_OK. */
bool world_agrees(struct world *world, const char *what, zx_status_t want, zx_status_t got);
/* Draw number `index` of this step. */
uint64_t world_draw(const struct world *world, unsigned index, uint64_t below);

void world_check_page(struct world *world, int slot, uint64_t index, const uint8_t *bytes,
                      const char *seen_by);
void world_check_object(struct world *world, int slot);
void world_check_view(struct world *world, struct world_view *view);

/* world_view.c: the steps on mappings */
void world_step_map(struct world *world);
void world_step_unmap(struct world *world);
void world_step_protect(struct world *world);
void world_step_store(struct world *world);
void world_step_load(struct world *world);
void world_step_copy(struct world *world);
void world_step_new_space(struct world *world);
void world_open_space(struct world *world);
void world_close_space(struct world *world);
