/*
 * space_world.h - real regions in lock step with an array of pages (space_model.h).
 *
 * A world has one arena after another, some in this process, where every page is read
 * and written (by kernel copies where that must fault), some in a process that never
 * runs, where the maps that the kernel tells are compared as well. Each page of an object
 * carries its own name, so a look at an address tells which object and page are there.
 */
#pragma once

#include "model/lockstep.h"
#include "model/space_model.h"

#define SPACE_VMO_PAGES 48
#define SPACE_MAPS_MAX  512

struct space_world {
    struct lockstep lockstep; /* first */
    struct space_expected {   /* the model */
        struct space space;
        uint64_t name[SPACE_VMOS][SPACE_VMO_PAGES]; /* first word of each page */
        bool committed[SPACE_VMOS][SPACE_VMO_PAGES];
    } expected;
    bool elsewhere;
    zx_handle_t process;      /* elsewhere only */
    zx_handle_t root;         /* borrowed if here */
    zx_vaddr_t base;          /* of the arena */
    zx_handle_t vmar[SPACE_VMARS];
    zx_handle_t vmo[SPACE_VMOS], vmo_all[SPACE_VMOS]; /* as mapped; with all rights */
    uint64_t koid[SPACE_VMOS];
    uint64_t next_name;
    zx_handle_t scratch;
    zx_info_maps_t maps[SPACE_MAPS_MAX];
};

void space_check(struct lockstep *lockstep); /* for struct lockstep_kind */

/* ---- For the space_*.c files ---- */

#define space_differs(world, ...) lockstep_differs(&(world)->lockstep, __VA_ARGS__)
#define space_tell(world, ...)    lockstep_tell(&(world)->lockstep, __VA_ARGS__)
#define space_agrees(world, what, want, got) lockstep_agrees(&(world)->lockstep, what, want, got)
#define space_draw(world, index, below) lockstep_draw(&(world)->lockstep, index, below)

/* A page of the arena is what the model has there. */
void space_look(struct space_world *world, uint64_t index);
