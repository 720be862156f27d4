/*
 * world.h - real memory objects in lock step with the model.
 *
 * A world has a number of objects and of mappings of them, in this process and in a
 * second one that never runs and is looked at through zx_process_read_memory. Step
 * number n of a seed is drawn from both and means something in any state, so a failing
 * run can be repeated with steps left out (lockstep.h).
 */
#pragma once

#include "model/lockstep.h"
#include "model/vmo_model.h"

#define WORLD_VIEWS 12

struct world_view {
    int slot; /* of the object; -1: free */
    bool elsewhere;
    bool writable;
    zx_vaddr_t address;
    uint64_t first, pages; /* of the object */
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
