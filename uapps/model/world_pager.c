/*
 * world_pager.c - the steps on objects with a pager: what the pager makes, brings and says
 * without being asked, and what it asks.
 */
#include <zircon/syscalls.h>
#include <zircon/syscalls/pager.h>

#include "model/world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Objects ---- */

/* A slot whose object the pager still has a handle to; -1: none. */
static int with_keeper(struct world *world, unsigned index) {
    int first = (int)world_draw(world, index, MODEL_OBJECTS);
    for (int i = 0; i < MODEL_OBJECTS; i++) {
        int slot = (first + i) % MODEL_OBJECTS;
        if (!world->keeper[slot])
            continue;
        world_is_about(world, slot);
        return slot;
    }
    return -1;
}

void world_step_create_pager(struct world *world) {
    int slot = world_free_slot(world);
    uint64_t size = world_draw_size(world, 1);
    uint32_t options = (world_draw(world, 3, 2) ? ZX_VMO_RESIZABLE : 0) |
                       (world_draw(world, 4, 2) ? ZX_VMO_TRAP_DIRTY : 0);
    zx_handle_t handle;
    if (slot < 0)
        return;
    if (world_draw(world, 5, 64) == 0)
        options |= world_draw(world, 6, 2) ? ZX_VMO_DISCARDABLE : 1u << 30;
    world_tell(world, "create %d with a pager: size %#llx, options %#x", slot,
               (unsigned long long)size, options);
    zx_status_t want = model_create_pager(&world->model, slot, size, options);
    if (!world_agrees(world, "pager_create_vmo", want,
                      zx_pager_create_vmo(world->pager, options, world->port, (uint64_t)slot, size,
                                          &handle)))
        return;
    world->pager_objects++;
    world_note_object(world, slot, handle, true);
    MUST(zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &world->keeper[slot]));
    model_keep(&world->model, slot);
}

/* Who depends on it must not wait for a pager that has no handle to it. */
void world_step_pager_close(struct world *world) {
    int slot = with_keeper(world, 0);
    if (slot < 0 || (world->handle[slot] && world_draw(world, 1, 8)))
        return;
    world_tell(world, "the pager lets go of %d", slot);
    lockstep_spare(&world->lockstep);
    if (world->model.vmo[slot].keepers > 1) {
        model_detach(&world->model, slot);
        world_agrees(world, "pager_detach_vmo", ZX_OK,
                     zx_pager_detach_vmo(world->pager, world->keeper[slot]));
    }
    MUST(zx_handle_close(world->keeper[slot]));
    world->keeper[slot] = ZX_HANDLE_INVALID;
    model_drop(&world->model, slot);
}

void world_step_detach(struct world *world) {
    int slot = with_keeper(world, 0);
    if (slot < 0 || world_draw(world, 1, 10))
        return;
    world_tell(world, "detach %d", slot);
    model_detach(&world->model, slot);
    world_agrees(world, "pager_detach_vmo", ZX_OK,
                 zx_pager_detach_vmo(world->pager, world->keeper[slot]));
}

/* ---- Pages come ---- */

void world_draw_pages(const struct world *world, unsigned index, uint64_t pages,
                      uint64_t *out_first, uint64_t *out_count) {
    *out_first = world_draw(world, index, pages + 1);
    *out_count = world_draw(world, index + 1, pages - *out_first + 1);
    if (world_draw(world, index + 2, 4) == 0) {
        *out_first = 0;
        *out_count = pages;
    }
    if (world_draw(world, index + 2, 32) == 31)
        *out_first += pages + 1 - *out_first + world_draw(world, index, 3);
}

/*
 * What was not asked for may come as well. In a call that is refused the first pages of
 * the supplying object may be gone, how many is nobody's business.
 */
void world_step_supply(struct world *world) {
    int slot = with_keeper(world, 0);
    uint64_t first, count;
    if (slot < 0)
        return;
    const struct model_vmo *vmo = &world->model.vmo[slot];
    world_draw_pages(world, 1, vmo->pages, &first, &count);
    world_tell(world, "supply %d: pages %llu + %llu", slot, (unsigned long long)first,
               (unsigned long long)count);
    if (first + count <= MODEL_PAGES)
        while (world_fill_aux(world, world->aux, slot, first, count, world->page) != ZX_OK)
            continue;
    zx_status_t want = model_supply_source(&world->model, slot, first, count);
    world_agrees(world, "pager_supply_pages", want,
                 zx_pager_supply_pages(world->pager, world->keeper[slot], first * PAGE,
                                       count * PAGE, world->aux, 0));
    if (want != ZX_OK)
        MUST(zx_vmo_op_range(world->aux, ZX_VMO_OP_DECOMMIT, 0, MODEL_PAGES * PAGE, NULL, 0));
}

/* From any object, if it can be told what happens to it. */
void world_step_supply_object(struct world *world) {
    int slot = with_keeper(world, 0), aux = world_with_handle(world, 1);
    uint64_t first, count;
    if (slot < 0 || aux < 0 || !world->may_write[aux])
        return;
    const struct model_vmo *vmo = &world->model.vmo[slot], *from = &world->model.vmo[aux];
    world_draw_pages(world, 2, vmo->pages, &first, &count);
    uint64_t aux_first = world_draw(world, 5, from->pages + 1);
    if (vmo->is_detached || from->pins || first + count > vmo->pages)
        return;
    if (from->shown < 0 && aux_first + count > from->pages && world_draw(world, 6, 4))
        count = from->pages - aux_first;
    world_tell(world, "supply %d: pages %llu + %llu from %d, %llu", slot, (unsigned long long)first,
               (unsigned long long)count, aux, (unsigned long long)aux_first);
    zx_status_t want = model_supply(&world->model, slot, first, count, aux, aux_first);
    world_agrees(world, "pager_supply_pages from", want,
                 zx_pager_supply_pages(world->pager, world->keeper[slot], first * PAGE,
                                       count * PAGE, world->handle[aux], aux_first * PAGE));
}

/* ---- What the pager says of pages ---- */

static uint64_t draw_data(const struct world *world, uint32_t op) {
    if (world_draw(world, 5, 24) == 0)
        return world_draw(world, 6, 2) ? 2 : 1;
    if (op == ZX_PAGER_OP_FAIL)
        return (uint64_t)(int64_t)ZX_ERR_IO;
    return op == ZX_PAGER_OP_WRITEBACK_BEGIN && world_draw(world, 5, 4) == 0;
}

void world_step_pager_op(struct world *world) {
    static const uint32_t ops[] = {ZX_PAGER_OP_DIRTY,           ZX_PAGER_OP_DIRTY,
                                   ZX_PAGER_OP_WRITEBACK_BEGIN, ZX_PAGER_OP_WRITEBACK_BEGIN,
                                   ZX_PAGER_OP_WRITEBACK_BEGIN, ZX_PAGER_OP_WRITEBACK_END,
                                   ZX_PAGER_OP_WRITEBACK_END,   ZX_PAGER_OP_WRITEBACK_END,
                                   ZX_PAGER_OP_FAIL,            7};
    static const char *const names[] = {"unknown op", "fail", "dirty", "writeback_begin",
                                        "writeback_end"};
    int slot = with_keeper(world, 0);
    uint32_t op = ops[world_draw(world, 1, COUNT(ops))];
    uint64_t first, count, data = draw_data(world, op);
    if (slot < 0)
        return;
    world_draw_pages(world, 2, world->model.vmo[slot].pages, &first, &count);
    uint64_t offset = first * PAGE + (world_draw(world, 7, 64) == 0);
    world_tell(world, "pager op %u on %d: pages %llu + %llu, data %#llx", op, slot,
               (unsigned long long)first, (unsigned long long)count, (unsigned long long)data);
    zx_status_t want = model_pager_op(&world->model, slot, op, offset, count * PAGE, data);
    world_agrees(world, op < COUNT(names) ? names[op] : names[0], want,
                 zx_pager_op_range(world->pager, op, world->keeper[slot], offset, count * PAGE,
                                   data));
}

/* Others have nothing to say of them. */
void world_step_foreign(struct world *world) {
    int slot = world_with_handle(world, 0);
    if (slot < 0 || world->model.vmo[slot].is_pager)
        return;
    zx_handle_t handle = world->handle[slot];
    zx_status_t got = world_draw(world, 1, 3) == 0 ? zx_pager_detach_vmo(world->pager, handle)
                      : world_draw(world, 1, 3) == 1
                          ? zx_pager_op_range(world->pager, ZX_PAGER_OP_DIRTY, handle, 0, 0, 0)
                          : zx_pager_supply_pages(world->pager, handle, 0, 0, world->aux, 0);
    world_agrees(world, "a pager's call on another's object", ZX_ERR_INVALID_ARGS, got);
}

/* ---- Asking what is dirty ---- */

/* Pages [first, end) as the call tells of them; `cut` bytes are missing at either end. */
static void compare_dirty(struct world *world, int slot, uint64_t first, uint64_t end,
                          uint64_t cut) {
    zx_vmo_dirty_range_t *ranges = (zx_vmo_dirty_range_t *)world->buffer;
    uint64_t actual = 0, avail = 0, at, count, want = 0;
    bool is_zero;
    MUST(zx_pager_query_dirty_ranges(world->pager, world->keeper[slot], first * PAGE + cut,
                                     (end - first) * PAGE - 2 * cut, ranges,
                                     (MODEL_PAGES + 1) * sizeof *ranges, &actual, &avail));
    for (uint64_t i = first; i < end && model_next_dirty(&world->model, slot, i, end, &at, &count,
                                                         &is_zero);
         i = at + count, want++)
        if (want >= actual || ranges[want].offset != at * PAGE ||
            ranges[want].length != count * PAGE ||
            ranges[want].options != (is_zero ? ZX_VMO_DIRTY_RANGE_IS_ZERO : 0))
            world_differs(world, "dirty range %llu of %d is not pages %llu + %llu, %s",
                          (unsigned long long)want, slot, (unsigned long long)at,
                          (unsigned long long)count, is_zero ? "zero" : "not zero");
    if (want != actual || want != avail)
        world_differs(world, "%d has %llu dirty ranges, not %llu", slot,
                      (unsigned long long)actual, (unsigned long long)want);
}

static void compare_modified(struct world *world, int slot, uint32_t options) {
    struct model_vmo *vmo = &world->model.vmo[slot];
    zx_pager_vmo_stats_t stats;
    MUST(zx_pager_query_vmo_stats(world->pager, world->keeper[slot], options, &stats,
                                  sizeof stats));
    bool is_known = vmo->is_modified || !vmo->may_be_modified;
    if (is_known && (stats.modified == ZX_PAGER_VMO_STATS_MODIFIED) != vmo->is_modified)
        world_differs(world, "%d is told to be modified: %u", slot, stats.modified);
    if (options)
        vmo->is_modified = vmo->may_be_modified = false;
}

void world_check_pager(struct world *world, int slot) {
    compare_dirty(world, slot, 0, world->model.vmo[slot].pages, 0);
    compare_modified(world, slot, 0);
}

void world_step_query(struct world *world) {
    int slot = with_keeper(world, 0);
    uint64_t first, count, pages;
    if (slot < 0)
        return;
    pages = world->model.vmo[slot].pages;
    world_draw_pages(world, 1, pages, &first, &count);
    lockstep_spare(&world->lockstep);
    if (first + count > pages) {
        world_agrees(world, "query_dirty_ranges", ZX_ERR_OUT_OF_RANGE,
                     zx_pager_query_dirty_ranges(world->pager, world->keeper[slot], first * PAGE,
                                                 count * PAGE, NULL, 0, NULL, NULL));
        return;
    }
    world_tell(world, "what is dirty in %d, pages %llu + %llu", slot, (unsigned long long)first,
               (unsigned long long)count);
    compare_dirty(world, slot, first, first + count, count ? world_draw(world, 4, PAGE / 2) : 0);
    compare_modified(world, slot, world_draw(world, 5, 2) ? ZX_PAGER_RESET_VMO_STATS : 0);
    world_agrees(world, "query_dirty_ranges", ZX_OK, ZX_OK);
}
