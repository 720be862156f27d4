/*
 * world_view.c - the steps on mappings, in this process and in the other one.
 */
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "model/world.h"

/* ---- The other process ---- */

void world_open_space(struct world *world) {
    MUST(zx_process_create(zx_job_default(), "elsewhere", 9, 0, &world->other_process,
                           &world->other_vmar));
}

/* Its mappings go with it. */
void world_close_space(struct world *world) {
    MUST(zx_task_kill(world->other_process));
    MUST(zx_handle_close(world->other_process));
    MUST(zx_handle_close(world->other_vmar));
    for (unsigned i = 0; i < WORLD_VIEWS; i++) {
        struct world_view *view = &world->view[i];
        if (view->slot >= 0 && view->elsewhere) {
            model_drop(&world->model, view->slot);
            view->slot = -1;
        }
    }
}

void world_step_new_space(struct world *world) {
    world_tell(world, "the other process ends");
    lockstep_spare(&world->lockstep);
    world_close_space(world);
    world_open_space(world);
}

static zx_handle_t vmar_of(const struct world *world, const struct world_view *view) {
    return view->elsewhere ? world->other_vmar : zx_vmar_root_self();
}

/* ---- Which ---- */

static struct world_view *free_view(struct world *world) {
    for (unsigned i = 0; i < WORLD_VIEWS; i++)
        if (world->view[i].slot < 0)
            return &world->view[i];
    return NULL;
}

static struct world_view *any_view(struct world *world) {
    uint64_t first = world_draw(world, 0, WORLD_VIEWS);
    for (unsigned i = 0; i < WORLD_VIEWS; i++) {
        struct world_view *view = &world->view[(first + i) % WORLD_VIEWS];
        if (view->slot < 0)
            continue;
        world_is_about(world, view->slot);
        return view;
    }
    return NULL;
}

/* ---- Map, unmap, protect ---- */

static zx_status_t expect_map(const struct world *world, const struct world_view *view,
                              uint32_t options) {
    uint64_t size = model_size(&world->model, view->slot);
    if (view->writable && !world->may_write[view->slot])
        return ZX_ERR_ACCESS_DENIED;
    if (!(options & ZX_VM_ALLOW_FAULTS) && world->model.vmo[view->slot].is_discardable)
        return ZX_ERR_NOT_SUPPORTED;
    if (!(options & ZX_VM_ALLOW_FAULTS) && (view->first + view->pages) * PAGE > size)
        return ZX_ERR_BUFFER_TOO_SMALL;
    return ZX_OK;
}

void world_step_map(struct world *world) {
    struct world_view *free = free_view(world), view;
    view.slot = (int)world_draw(world, 0, MODEL_OBJECTS);
    if (!free || !world->handle[view.slot])
        return;
    world_is_about(world, view.slot);
    uint64_t pages = model_size(&world->model, view.slot) / PAGE;
    view.first = world_draw(world, 1, pages + 1);
    view.pages = 1 + world_draw(world, 2, world_draw(world, 3, 4) ? 6 : MODEL_PAGES);
    if (world_draw(world, 4, 3) == 0) {
        view.first = 0;
        view.pages = pages ? pages : 1;
    }
    view.elsewhere = lockstep_is_elsewhere(&world->lockstep, 5);
    view.writable = world_draw(world, 6, 4) != 0;
    uint32_t options = ZX_VM_PERM_READ | (view.writable ? ZX_VM_PERM_WRITE : 0) |
                       (world_draw(world, 7, 8) ? ZX_VM_ALLOW_FAULTS : 0) |
                       (world_draw(world, 8, 4) ? 0 : ZX_VM_MAP_RANGE);
    world_tell(world, "map %d%s: options %#x, pages %llu + %llu", view.slot,
               view.elsewhere ? " elsewhere" : "", options, (unsigned long long)view.first,
               (unsigned long long)view.pages);
    zx_status_t got = zx_vmar_map(vmar_of(world, &view), options, 0, world->handle[view.slot],
                                  view.first * PAGE, view.pages * PAGE, &view.address);
    if (!world_agrees(world, "vmar_map", expect_map(world, &view, options), got))
        return;
    *free = view;
    model_keep(&world->model, view.slot);
}

/* Pages [from, to) of the view go. The middle goes only if there is room for two ends. */
static void cut(struct world *world, struct world_view *view, uint64_t from, uint64_t to) {
    struct world_view *back = NULL;
    if (from > 0 && to < view->pages) {
        back = free_view(world);
        if (!back)
            return;
    }
    world_tell(world, "unmap pages %llu to %llu of %llu of a view of %d", (unsigned long long)from,
               (unsigned long long)to, (unsigned long long)view->pages, view->slot);
    if (!world_agrees(world, "vmar_unmap", ZX_OK,
                      zx_vmar_unmap(vmar_of(world, view), view->address + from * PAGE,
                                    (to - from) * PAGE)))
        return;
    if (back) {
        *back = *view;
        back->first += to;
        back->address += to * PAGE;
        back->pages -= to;
        view->pages = from;
        model_keep(&world->model, view->slot);
    } else if (from == 0 && to == view->pages) {
        model_drop(&world->model, view->slot);
        view->slot = -1;
    } else if (from == 0) {
        view->first += to;
        view->address += to * PAGE;
        view->pages -= to;
    } else {
        view->pages = from;
    }
}

void world_step_unmap(struct world *world) {
    struct world_view *view = any_view(world);
    if (!view)
        return;
    uint64_t from = 0, to = view->pages;
    if (world_draw(world, 1, 3) == 0) {
        from = world_draw(world, 2, view->pages);
        to = from + 1 + world_draw(world, 3, view->pages - from);
    }
    cut(world, view, from, to);
}

/* What was mapped from a handle without WRITE stays so: those are mapped read-only. */
void world_step_protect(struct world *world) {
    struct world_view *view = any_view(world);
    if (!view || !view->writable)
        return;
    uint32_t perm = ZX_VM_PERM_READ | (world_draw(world, 1, 2) ? ZX_VM_PERM_WRITE : 0);
    world_tell(world, "protect a view of %d: %#x, and back", view->slot, perm);
    zx_handle_t vmar = vmar_of(world, view);
    uint64_t length = view->pages * PAGE;
    world_agrees(world, "vmar_protect", ZX_OK, zx_vmar_protect(vmar, perm, view->address, length));
    if (perm == ZX_VM_PERM_READ && !view->elsewhere)
        world_agrees(world, "a write where only reading is allowed", ZX_ERR_INVALID_ARGS,
                     zx_vmo_read(world->scratch, (void *)view->address, 0, 1));
    if (perm == ZX_VM_PERM_READ)
        world_agrees(world, "vmar_protect", ZX_OK,
                     zx_vmar_protect(vmar, perm | ZX_VM_PERM_WRITE, view->address, length));
}

/*
 * An operation on a part of a view is one on the object, as far as that goes: what lies
 * past the object's end stays out of it. Only the committing ones want a writable mapping.
 */
void world_step_op_range(struct world *world) {
    static const uint32_t ops[] = {ZX_VMAR_OP_COMMIT, ZX_VMAR_OP_DECOMMIT, ZX_VMAR_OP_MAP_RANGE,
                                   ZX_VMAR_OP_DONT_NEED, ZX_VMAR_OP_ALWAYS_NEED};
    struct world_view *view = any_view(world);
    if (!view)
        return;
    uint32_t op = ops[world_draw(world, 1, sizeof ops / sizeof ops[0])];
    uint64_t from = world_draw(world, 2, view->pages);
    uint64_t count = 1 + world_draw(world, 3, view->pages - from);
    uint64_t offset = (view->first + from) * PAGE, size = model_size(&world->model, view->slot);
    bool changes = op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT;
    if (offset + count * PAGE > size)
        return;
    world_tell(world, "op %u on pages %llu + %llu of %d, mapped", op,
               (unsigned long long)(view->first + from), (unsigned long long)count, view->slot);
    zx_status_t want = ZX_OK;
    if (changes && !view->writable)
        want = ZX_ERR_ACCESS_DENIED;
    else if (op == ZX_VMAR_OP_COMMIT)
        want = model_commit(&world->model, view->slot, offset, count * PAGE);
    else if (op == ZX_VMAR_OP_DECOMMIT)
        want = model_decommit(&world->model, view->slot, offset, count * PAGE);
    world_agrees(world, "vmar_op_range", want,
                 zx_vmar_op_range(vmar_of(world, view), op, view->address + from * PAGE,
                                  count * PAGE, NULL, 0));
}

/* ---- Access ---- */

/* Through zx_process_write_memory, which looks at the object's size but not at permissions. */
static void store_elsewhere(struct world *world, struct world_view *view, uint64_t page,
                            uint64_t in_page, uint8_t byte) {
    size_t actual;
    zx_status_t want = model_write(&world->model, view->slot, (view->first + page) * PAGE + in_page,
                                   1, byte);
    world_agrees(world, "process_write_memory", want,
                 zx_process_write_memory(world->other_process,
                                         view->address + page * PAGE + in_page, &byte, 1,
                                         &actual));
}

void world_step_store(struct world *world) {
    struct world_view *view = any_view(world);
    if (!view)
        return;
    uint64_t page = world_draw(world, 1, view->pages);
    uint64_t in_page = world->model.sample_at[world_draw(world, 2, MODEL_SAMPLES)];
    uint8_t byte = (uint8_t)(1 + world_draw(world, 3, 255));
    zx_vaddr_t address = view->address + page * PAGE + in_page;
    world_tell(world, "store into page %llu of %d, mapped%s at %#llx",
               (unsigned long long)(view->first + page), view->slot,
               view->elsewhere ? " elsewhere" : "", (unsigned long long)view->address);
    if (view->elsewhere) {
        store_elsewhere(world, view, page, in_page, byte);
    } else if (!view->writable ||
               model_touch(&world->model, view->slot, view->first + page, true) != ZX_OK) {
        world_agrees(world, "a write that must fault", ZX_ERR_INVALID_ARGS,
                     zx_vmo_read(world->scratch, (void *)address, 0, 1));
    } else {
        world_agrees(world, "a write through a mapping", ZX_OK, ZX_OK);
        if (!lockstep_store(address, &byte, 1))
            world_differs(world, "page %llu of object %d can't be written through a mapping",
                          (unsigned long long)(view->first + page), view->slot);
        model_fill_byte(&world->model, view->slot, view->first + page, in_page, byte);
    }
}

/* The page through the view, compared; where nothing may be seen, the fault. */
static void load_page(struct world *world, struct world_view *view, uint64_t page) {
    zx_vaddr_t address = view->address + page * PAGE;
    if (view->elsewhere) {
        size_t actual = 0;
        zx_status_t want = model_read(&world->model, view->slot, (view->first + page) * PAGE, PAGE);
        zx_status_t got = zx_process_read_memory(world->other_process, address, world->buffer,
                                                 PAGE, &actual);
        if (world_agrees(world, "process_read_memory", want, got))
            world_check_page(world, view->slot, view->first + page, world->buffer, "elsewhere");
    } else if (model_touch(&world->model, view->slot, view->first + page, false) == ZX_OK) {
        world_agrees(world, "a read through a mapping", ZX_OK, ZX_OK);
        world_check_mapped(world, view->slot, view->first + page, address);
    } else {
        world_agrees(world, "a read that must fault", ZX_ERR_INVALID_ARGS,
                     zx_vmo_write(world->scratch, (const void *)address, 0, 1));
    }
}

void world_step_load(struct world *world) {
    struct world_view *view = any_view(world);
    if (view) {
        uint64_t page = world_draw(world, 1, view->pages);
        world_tell(world, "load page %llu of %d, mapped%s", (unsigned long long)(view->first + page),
                   view->slot, view->elsewhere ? " elsewhere" : "");
        load_page(world, view, page);
    }
}

/*
 * Where nobody can look a try at the first page is enough; what would be asked for is
 * left alone.
 */
void world_check_view(struct world *world, struct world_view *view) {
    bool tried = world->lockstep.between;
    zx_status_t refused = view->elsewhere ? model_refuses(&world->model, view->slot) : ZX_OK;
    for (uint64_t page = 0; page < view->pages && !world->lockstep.failed; page++) {
        zx_status_t status = model_touches(&world->model, view->slot, view->first + page);
        status = refused == ZX_OK ? status : refused;
        if (status == ZX_OK || (status != ZX_ERR_SHOULD_WAIT && !tried))
            load_page(world, view, page);
        tried |= status != ZX_OK && status != ZX_ERR_SHOULD_WAIT;
    }
}

/* ---- Kernel copies from one mapping to an object, and back ---- */

/*
 * One whole page between an object and a mapping, which may be of that same object.
 * The kernel faults the mapped page in while it copies; that the pager fails then is
 * told as a bad address.
 */
static void copy_to_view(struct world *world, int slot, uint64_t index, struct world_view *view,
                         uint64_t page) {
    struct model *model = &world->model;
    void *address = (void *)(view->address + page * PAGE);
    world_tell(world, "copy page %llu of %d to page %llu of %d, mapped", (unsigned long long)index,
               slot, (unsigned long long)(view->first + page), view->slot);
    zx_status_t want = model_read(model, slot, index * PAGE, PAGE);
    if (want == ZX_OK && (!view->writable ||
                          model_touch(model, view->slot, view->first + page, true) != ZX_OK))
        want = ZX_ERR_INVALID_ARGS;
    if (world_agrees(world, "vmo_read into a mapping", want,
                     zx_vmo_read(world->handle[slot], address, index * PAGE, PAGE)))
        model_fill_page(model, view->slot, view->first + page,
                        model_look(model, slot, index)->bytes);
}

static void copy_from_view(struct world *world, int slot, uint64_t index, struct world_view *view,
                           uint64_t page) {
    struct model *model = &world->model;
    const void *address = (const void *)(view->address + page * PAGE);
    world_tell(world, "copy page %llu of %d, mapped, to page %llu of %d",
               (unsigned long long)(view->first + page), view->slot, (unsigned long long)index,
               slot);
    zx_status_t want = model_own_page(model, slot, index);
    if (want == ZX_OK && model_touch(model, view->slot, view->first + page, false) != ZX_OK)
        want = ZX_ERR_INVALID_ARGS;
    if (world_agrees(world, "vmo_write from a mapping", want,
                     zx_vmo_write(world->handle[slot], address, index * PAGE, PAGE)))
        model_fill_page(model, slot, index,
                        model_look(model, view->slot, view->first + page)->bytes);
}

void world_step_copy(struct world *world) {
    struct world_view *view = any_view(world);
    int slot = (int)world_draw(world, 1, MODEL_OBJECTS);
    if (!view || view->elsewhere || !world->handle[slot])
        return;
    uint64_t size = model_size(&world->model, slot), page = world_draw(world, 2, view->pages);
    uint64_t index = size ? world_draw(world, 3, size / PAGE) : 0;
    if (index * PAGE >= size || model_size(&world->model, view->slot) / PAGE <= view->first + page)
        return;
    world_is_about(world, slot);
    if (world_draw(world, 4, 2))
        copy_to_view(world, slot, index, view, page);
    else if (world->may_write[slot])
        copy_from_view(world, slot, index, view, page);
}
