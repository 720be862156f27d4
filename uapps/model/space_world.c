/*
 * space_world.c - model-vmar: the arenas, the steps on regions and mappings, and the choice of
 * the next.
 */
#include "model/space_world.h"

#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Objects ---- */

/* Name every page of an object anew. */
static void name_pages(struct space_world *world, int vmo) {
    for (uint64_t i = 0; i < world->expected.space.vmo[vmo].pages; i++) {
        world->expected.name[vmo][i] = ++world->next_name;
        world->expected.committed[vmo][i] = true;
        MUST(zx_vmo_write(world->vmo_all[vmo], &world->expected.name[vmo][i], i * PAGE, 8));
    }
}

static void make_vmo(struct space_world *world, int vmo, uint32_t options, zx_rights_t lost,
                     bool executable) {
    static const zx_rights_t perms[] = {ZX_RIGHT_READ, ZX_RIGHT_WRITE, ZX_RIGHT_EXECUTE};
    zx_info_handle_basic_t basic;
    zx_handle_t copy;
    MUST(zx_vmo_create(SPACE_VMO_PAGES * PAGE, options, &world->vmo_all[vmo]));
    MUST(zx_handle_duplicate(world->vmo_all[vmo], ZX_RIGHT_SAME_RIGHTS, &copy));
    if (executable)
        MUST(zx_vmo_replace_as_executable(copy, ZX_HANDLE_INVALID, &copy));
    MUST(zx_object_get_info(copy, ZX_INFO_HANDLE_BASIC, &basic, sizeof basic, NULL, NULL));
    MUST(zx_handle_replace(copy, basic.rights & ~lost, &world->vmo[vmo]));
    world->koid[vmo] = basic.koid;
    world->expected.space.vmo[vmo] =
        (struct space_vmo){SPACE_VMO_PAGES, 0, options & ZX_VMO_RESIZABLE};
    for (unsigned i = 0; i < COUNT(perms); i++)
        if (basic.rights & ~lost & perms[i])
            world->expected.space.vmo[vmo].rights |= 1u << i;
    name_pages(world, vmo);
}

/* ---- The arena ---- */

static void open_arena(struct space_world *world) {
    const zx_vm_option_t options = ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE |
                                   ZX_VM_CAN_MAP_EXECUTE | ZX_VM_CAN_MAP_SPECIFIC |
                                   (20u << ZX_VM_ALIGN_BASE);
    world->root = zx_vmar_root_self();
    if (world->elsewhere)
        MUST(zx_process_create(zx_job_default(), "elsewhere", 9, 0, &world->process,
                               &world->root));
    MUST(zx_vmar_allocate(world->root, options, 0, SPACE_PAGES * PAGE, &world->vmar[0],
                          &world->base));
}

static void close_arena(struct space_world *world) {
    if (world->expected.space.vmar[0].alive && !world->elsewhere)
        MUST(zx_vmar_destroy(world->vmar[0]));
    for (unsigned i = 0; i < SPACE_VMARS; i++)
        if (world->vmar[i]) {
            MUST(zx_handle_close(world->vmar[i]));
            world->vmar[i] = ZX_HANDLE_INVALID;
        }
    if (!world->elsewhere)
        return;
    MUST(zx_task_kill(world->process));
    MUST(zx_handle_close(world->process));
    MUST(zx_handle_close(world->root));
}

static void begin(struct lockstep *lockstep) {
    struct space_world *world = (struct space_world *)lockstep;
    uint8_t byte = 1;
    space_begin(&world->expected.space);
    world->elsewhere = draw_at(lockstep->seed, 99) & 1;
    MUST(zx_vmo_create(PAGE, 0, &world->scratch));
    MUST(zx_vmo_write(world->scratch, &byte, 0, 1));
    make_vmo(world, 0, 0, 0, false);
    make_vmo(world, 1, ZX_VMO_RESIZABLE, 0, false);
    make_vmo(world, 2, 0, ZX_RIGHT_WRITE, false);
    make_vmo(world, 3, 0, 0, true);
    open_arena(world);
}

static void end(struct lockstep *lockstep) {
    struct space_world *world = (struct space_world *)lockstep;
    close_arena(world);
    for (unsigned i = 0; i < SPACE_VMOS; i++) {
        MUST(zx_handle_close(world->vmo[i]));
        MUST(zx_handle_close(world->vmo_all[i]));
    }
    MUST(zx_handle_close(world->scratch));
}

/* Now and then the whole arena ends, and all handles to its regions; the next may be elsewhere. */
static void step_new_arena(struct space_world *world) {
    struct space_vmo objects[SPACE_VMOS];
    lockstep_spare(&world->lockstep);
    close_arena(world);
    world->elsewhere = lockstep_is_elsewhere(&world->lockstep, 1);
    memcpy(objects, world->expected.space.vmo, sizeof objects);
    space_begin(&world->expected.space);
    memcpy(world->expected.space.vmo, objects, sizeof objects);
    open_arena(world);
    space_tell(world, "a new arena%s", world->elsewhere ? " elsewhere" : "");
}

/* ---- Draws ---- */

/* Mostly one that is alive. The arena always has a handle. */
static int any_vmar(struct space_world *world) {
    int slot = (int)space_draw(world, 0, SPACE_VMARS + 4);
    if (slot >= SPACE_VMARS || !world->vmar[slot])
        return 0;
    return world->expected.space.vmar[slot].alive || space_draw(world, 1, 4) == 0 ? slot : 0;
}

/* Where something is mapped, the next from where the draw falls; else any page. */
static uint64_t any_page(struct space_world *world, unsigned index) {
    uint64_t first = space_draw(world, index, SPACE_PAGES);
    for (uint64_t i = 0; i < SPACE_PAGES; i++)
        if (world->expected.space.page[(first + i) % SPACE_PAGES].vmar >= 0)
            return (first + i) % SPACE_PAGES;
    return first;
}

static int free_slot(const struct space_world *world) {
    for (int i = 1; i < SPACE_VMARS; i++)
        if (!world->expected.space.vmar[i].used)
            return i;
    return -1;
}

/* How the place is chosen; `pages` is the size of what is placed. */
static uint32_t draw_place(struct space_world *world, int vmar, uint64_t pages,
                           uint64_t *out_offset) {
    const struct space_vmar *in = &world->expected.space.vmar[vmar];
    uint64_t kind = space_draw(world, 12, 16);
    uint32_t options = 0;
    *out_offset = 0;
    if (kind < 9) {
        options = ZX_VM_SPECIFIC;
        *out_offset = space_draw(world, 13, in->pages > pages ? in->pages - pages + 2 : 2) * PAGE;
    } else if (kind < 11) {
        options = ZX_VM_OFFSET_IS_UPPER_LIMIT;
        *out_offset = space_draw(world, 13, in->pages + 2) * PAGE;
    } else if (kind == 11) {
        *out_offset = space_draw(world, 13, 3 * PAGE);
        options = space_draw(world, 14, 2) ? ZX_VM_SPECIFIC : 0;
    }
    if (space_draw(world, 14, 6) == 0)
        options |= (uint32_t)(9 + space_draw(world, 13, 9)) << ZX_VM_ALIGN_BASE;
    return options;
}

static uint64_t draw_pages(struct space_world *world, unsigned index) {
    return space_draw(world, index, 24) == 0 ? space_draw(world, index + 1, 2 * SPACE_PAGES)
                                             : 1 + space_draw(world, index + 1, 14);
}

/* One option too many, now and then. */
static uint32_t draw_slip(struct space_world *world, unsigned index) {
    return space_draw(world, index, 64) == 0 ? 1u << space_draw(world, index + 1, 24) : 0;
}

/* ---- Allocate, map ---- */

/* Is the address one that the model allows? Gives the page of the arena. */
static bool judge_place(struct space_world *world, int vmar, uint32_t options, uint64_t offset,
                        uint64_t pages, zx_vaddr_t address, uint64_t *first) {
    uint64_t at = (address - world->base) / PAGE;
    bool good = *first == SPACE_FLOATS
                    ? space_may_begin_at(&world->expected.space, vmar, options, offset, pages, at)
                    : at == *first;
    if (address % PAGE || !good)
        space_differs(world, "placed at page %lld of the arena", (long long)at);
    *first = at;
    return !world->lockstep.failed;
}

static void step_allocate(struct space_world *world) {
    int vmar = any_vmar(world), slot = free_slot(world);
    if (slot < 0)
        return;
    uint64_t offset, pages = draw_pages(world, 1) * 2, first, size = pages * PAGE;
    uint32_t options = draw_place(world, vmar, pages, &offset) | draw_slip(world, 3);
    zx_vaddr_t address;
    options |= (uint32_t)space_draw(world, 5, 8) << 7 |
               (space_draw(world, 6, 4) ? ZX_VM_CAN_MAP_READ : 0) |
               (space_draw(world, 7, 3) ? ZX_VM_CAN_MAP_SPECIFIC : 0);
    if (space_draw(world, 8, 32) == 0)
        size = space_draw(world, 9, 2) ? 0 : size - 1;
    space_tell(world, "allocate %d in %d: options %#x, offset %#llx, size %#llx", slot, vmar,
               options, (unsigned long long)offset, (unsigned long long)size);
    zx_status_t want = space_allocate(&world->expected.space, vmar, options, offset, size, &first);
    zx_status_t got = zx_vmar_allocate(world->vmar[vmar], options, offset, size,
                                       &world->vmar[slot], &address);
    if (!space_agrees(world, "vmar_allocate", want, got)) {
        world->vmar[slot] = got == ZX_OK ? world->vmar[slot] : ZX_HANDLE_INVALID;
        return;
    }
    if (judge_place(world, vmar, options, offset, size / PAGE, address, &first))
        space_put_vmar(&world->expected.space, slot, vmar, options, first, size / PAGE);
}

static uint32_t draw_perm(struct space_world *world, unsigned index) {
    static const uint32_t perms[] = {1, 1, 3, 3, 3, 3, 0, 5, 7, 2};
    return perms[space_draw(world, index, COUNT(perms))];
}

static void step_map(struct space_world *world) {
    int vmar = any_vmar(world), vmo = (int)space_draw(world, 1, SPACE_VMOS);
    uint64_t pages = draw_pages(world, 2), length = pages * PAGE, offset, first;
    uint64_t vmo_offset = space_draw(world, 4, SPACE_VMO_PAGES) * PAGE;
    uint32_t options = draw_place(world, vmar, pages, &offset) | draw_slip(world, 5) |
                       draw_perm(world, 7);
    zx_vaddr_t address;
    options |= space_draw(world, 8, 6) ? ZX_VM_ALLOW_FAULTS : 0;
    options |= space_draw(world, 9, 5) == 0 ? ZX_VM_MAP_RANGE : 0;
    if ((options & ZX_VM_SPECIFIC) && space_draw(world, 10, 3) == 0)
        options = (options & ~(uint32_t)(ZX_VM_SPECIFIC | ZX_VM_MAP_RANGE)) |
                  ZX_VM_SPECIFIC_OVERWRITE;
    if (space_draw(world, 11, 16) == 0)
        length -= space_draw(world, 10, 2) ? 100 : length;
    if (space_draw(world, 11, 64) == 1)
        vmo_offset += space_draw(world, 10, 2) ? 8 : UINT64_MAX - 2 * PAGE + 1;
    space_tell(world, "map %d in %d: options %#x, offset %#llx, object's %#llx, length %#llx", vmo,
               vmar, options, (unsigned long long)offset, (unsigned long long)vmo_offset,
               (unsigned long long)length);
    zx_status_t want =
        space_map(&world->expected.space, vmar, options, offset, vmo, vmo_offset, length, &first);
    zx_status_t got = zx_vmar_map(world->vmar[vmar], options, offset, world->vmo[vmo], vmo_offset,
                                  length, &address);
    pages = (length + PAGE - 1) / PAGE;
    if (space_agrees(world, "vmar_map", want, got) &&
        judge_place(world, vmar, options, offset, pages, address, &first))
        space_put_mapping(&world->expected.space, vmar, options, vmo, vmo_offset, first, pages);
}

/* ---- Unmap, protect, destroy, close ---- */

/* Mostly inside the VMAR; bytes from the beginning of the arena. */
static void draw_range(struct space_world *world, int vmar, uint64_t *out_offset,
                       uint64_t *out_length) {
    const struct space_vmar *in = &world->expected.space.vmar[vmar];
    *out_offset = (in->first + space_draw(world, 2, in->pages)) * PAGE;
    *out_length = (1 + space_draw(world, 3, 12)) * PAGE;
    if (space_draw(world, 4, 24) == 0) { /* all of it */
        *out_offset = in->first * PAGE;
        *out_length = in->pages * PAGE;
    }
    if (space_draw(world, 5, 40) == 0)
        *out_length =
            space_draw(world, 6, 2) ? 0 : (space_draw(world, 7, 2) ? UINT64_MAX : UINT64_MAX >> 2);
    if (space_draw(world, 5, 40) == 1)
        *out_offset += 8;
    if (space_draw(world, 5, 40) == 2)
        *out_offset -= PAGE * space_draw(world, 6, 20);
    if (space_draw(world, 5, 8) == 3)
        *out_length -= 100;
}

static void step_unmap(struct space_world *world) {
    int vmar = any_vmar(world);
    uint64_t offset, length;
    draw_range(world, vmar, &offset, &length);
    space_tell(world, "unmap in %d: %#llx + %#llx", vmar, (unsigned long long)offset,
               (unsigned long long)length);
    zx_status_t want = space_unmap(&world->expected.space, vmar, offset, length);
    space_agrees(world, "vmar_unmap", want,
                 zx_vmar_unmap(world->vmar[vmar], world->base + offset, length));
}

static void step_protect(struct space_world *world) {
    int vmar = any_vmar(world);
    uint64_t offset, length;
    uint32_t perm = draw_perm(world, 8) | draw_slip(world, 9);
    draw_range(world, vmar, &offset, &length);
    uint64_t index = any_page(world, 11);
    int owner = world->expected.space.page[index].vmar;
    if (owner >= 0 && world->vmar[owner] && space_draw(world, 12, 4)) {
        vmar = owner;
        offset = index * PAGE;
        length = PAGE * (1 + space_draw(world, 13, 3)); /* a short one meets fewer gaps */
    }
    space_tell(world, "protect in %d: %#x, %#llx + %#llx", vmar, perm, (unsigned long long)offset,
               (unsigned long long)length);
    zx_status_t want = space_protect(&world->expected.space, vmar, perm, offset, length);
    space_agrees(world, "vmar_protect", want,
                 zx_vmar_protect(world->vmar[vmar], perm, world->base + offset, length));
}

/* What a whole page of an object is after the operation. */
static void op_effect(struct space_world *world, uint32_t op, uint64_t index) {
    const struct space_page *page = &world->expected.space.page[index];
    if (op == ZX_VMAR_OP_COMMIT)
        world->expected.committed[page->vmo][page->vmo_page] = true;
    if (op != ZX_VMAR_OP_DECOMMIT)
        return;
    world->expected.committed[page->vmo][page->vmo_page] = false;
    world->expected.name[page->vmo][page->vmo_page] = 0;
}

/* Past the end of an object the result depends on where mappings begin: left out. */
static bool all_there(const struct space_world *world, uint64_t offset, uint64_t length) {
    for (uint64_t i = offset / PAGE; i < SPACE_PAGES && i <= (offset + length - 1) / PAGE; i++) {
        const struct space_page *page = &world->expected.space.page[i];
        if (page->vmar >= 0 && page->vmo_page >= world->expected.space.vmo[page->vmo].pages)
            return false;
    }
    return true;
}

static void step_op_range(struct space_world *world) {
    static const uint32_t ops[] = {ZX_VMAR_OP_COMMIT, ZX_VMAR_OP_COMMIT, ZX_VMAR_OP_DECOMMIT,
                                   ZX_VMAR_OP_DECOMMIT, ZX_VMAR_OP_MAP_RANGE, ZX_VMAR_OP_MAP_RANGE,
                                   ZX_VMAR_OP_DONT_NEED, ZX_VMAR_OP_ALWAYS_NEED};
    int vmar = any_vmar(world);
    uint32_t op = ops[space_draw(world, 8, COUNT(ops))];
    uint64_t offset, length, done, index = any_page(world, 9);
    int owner = world->expected.space.page[index].vmar;
    draw_range(world, vmar, &offset, &length);
    if (owner >= 0 && world->vmar[owner] && space_draw(world, 10, 4)) {
        vmar = owner;
        offset = index * PAGE;
        length = PAGE * (1 + space_draw(world, 11, 4)) - space_draw(world, 12, 2);
    }
    if (!all_there(world, offset, length))
        return;
    space_tell(world, "op %u in %d: %#llx + %#llx", op, vmar, (unsigned long long)offset,
               (unsigned long long)length);
    zx_status_t want = space_op_range(&world->expected.space, vmar, op, offset, length, &done);
    space_agrees(world, "vmar_op_range", want,
                 zx_vmar_op_range(world->vmar[vmar], op, world->base + offset, length, NULL, 0));
    for (uint64_t i = 0; i < done; i++)
        op_effect(world, op, offset / PAGE + i);
}

static void step_destroy(struct space_world *world) {
    int vmar = any_vmar(world);
    if (vmar == 0 && space_draw(world, 1, 6))
        return;
    space_tell(world, "destroy %d", vmar);
    zx_status_t want = space_destroy(&world->expected.space, vmar);
    space_agrees(world, "vmar_destroy", want, zx_vmar_destroy(world->vmar[vmar]));
}

/* A region without a handle lives on in its parent; its slot is free when it is dead. */
static void step_close(struct space_world *world) {
    int vmar = any_vmar(world);
    if (vmar <= 0 || (world->expected.space.vmar[vmar].alive && space_draw(world, 1, 4)))
        return;
    space_tell(world, "close %d", vmar);
    space_agrees(world, "handle_close", ZX_OK, zx_handle_close(world->vmar[vmar]));
    world->vmar[vmar] = ZX_HANDLE_INVALID;
}

static void free_dead_slots(struct space_world *world) {
    for (int i = 1; i < SPACE_VMARS; i++)
        if (!world->expected.space.vmar[i].alive && !world->vmar[i])
            world->expected.space.vmar[i].used = false;
}

/* A weaker handle to the same region. */
static void step_weaken(struct space_world *world) {
    int vmar = any_vmar(world);
    zx_info_handle_basic_t basic;
    if (vmar <= 0)
        return;
    uint32_t lost = 1u << space_draw(world, 1, 3);
    space_tell(world, "the handle of %d loses %#x", vmar, lost);
    MUST(zx_object_get_info(world->vmar[vmar], ZX_INFO_HANDLE_BASIC, &basic, sizeof basic, NULL,
                            NULL));
    MUST(zx_handle_replace(world->vmar[vmar], basic.rights & ~(lost << 2), &world->vmar[vmar]));
    world->expected.space.vmar[vmar].rights &= ~lost;
}

/* ---- Objects change under their mappings ---- */

static void step_resize(struct space_world *world) {
    uint64_t pages = space_draw(world, 1, SPACE_VMO_PAGES + 1),
             old = world->expected.space.vmo[1].pages;
    space_tell(world, "object 1 gets %llu pages", (unsigned long long)pages);
    space_agrees(world, "vmo_set_size", ZX_OK, zx_vmo_set_size(world->vmo_all[1], pages * PAGE));
    world->expected.space.vmo[1].pages = pages;
    for (uint64_t i = pages; i < old; i++) {
        world->expected.name[1][i] = 0;
        world->expected.committed[1][i] = false;
    }
    if (space_draw(world, 2, 2))
        name_pages(world, 1);
}

/* ---- Looking, storing ---- */

static void step_look(struct space_world *world) {
    uint64_t index = space_draw(world, 0, SPACE_PAGES);
    space_tell(world, "look at page %llu", (unsigned long long)index);
    space_look(world, index);
}

/* Write a new name through the mapping; all other views of that page must show it. */
static void step_store(struct space_world *world) {
    uint64_t index = any_page(world, 0), name = ++world->next_name;
    const struct space_page *page = &world->expected.space.page[index];
    if (page->vmar < 0 || page->vmo_page >= world->expected.space.vmo[page->vmo].pages ||
        !(page->perm & ZX_VM_PERM_WRITE))
        return;
    space_tell(world, "store at page %llu", (unsigned long long)index);
    zx_vaddr_t address = world->base + index * PAGE;
    size_t actual;
    if (world->elsewhere)
        MUST(zx_process_write_memory(world->process, address, &name, sizeof name, &actual));
    else
        space_agrees(world, "a store", ZX_OK,
                     lockstep_store(address, &name, sizeof name) ? ZX_OK : ZX_ERR_INVALID_ARGS);
    world->expected.name[page->vmo][page->vmo_page] = name;
    world->expected.committed[page->vmo][page->vmo_page] = true;
}

/* ---- The walk ---- */

static void step(struct lockstep *lockstep) {
    static void (*const steps[])(struct space_world * world) = {
        step_allocate, step_allocate, step_allocate, step_map,   step_map,     step_map,
        step_map,      step_map,      step_map,      step_map,   step_unmap,   step_unmap,
        step_unmap,    step_protect,  step_protect,  step_look,  step_look,    step_look,
        step_store,    step_store,    step_store,    step_close, step_destroy, step_resize,
        step_store,    step_look,     step_protect,  step_map,   step_weaken,  step_op_range,
        step_op_range, step_op_range,
    };
    struct space_world *world = (struct space_world *)lockstep;
    uint64_t which = space_draw(world, 15, COUNT(steps) * 16);
    free_dead_slots(world);
    if (which == 0 || !world->expected.space.vmar[0].alive)
        step_new_arena(world);
    else
        steps[which % COUNT(steps)](world);
}

static uint64_t pages(const struct lockstep *lockstep) {
    const struct space_world *world = (const struct space_world *)lockstep;
    uint64_t pages = 0;
    for (unsigned vmo = 0; vmo < SPACE_VMOS; vmo++)
        for (unsigned i = 0; i < SPACE_VMO_PAGES; i++)
            pages += world->expected.committed[vmo][i];
    return pages - SPACE_VMOS * SPACE_VMO_PAGES; /* all of them were there before */
}

static struct space_world worlds[LOCKSTEP_THREADS];

const struct lockstep_kind lockstep_spaces = {
    .name = "model-vmar",
    .worlds = &worlds[0].lockstep,
    .world_size = sizeof worlds[0],
    .model_at = offsetof(struct space_world, expected),
    .model_size = sizeof worlds[0].expected,
    .begin = begin,
    .step = step,
    .check = space_check,
    .end = end,
    .pages = pages,
};
