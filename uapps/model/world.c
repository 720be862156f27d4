/*
 * world.c - the steps on objects, and the choice of the next.
 */
#include "model/world.h"

#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- What all steps use ---- */

enum { ABOUT_NEW, ABOUT_ANONYMOUS, ABOUT_SNAPSHOT, ABOUT_ALIAS, ABOUT_DISCARDABLE,
       ABOUT_CONTIGUOUS, ABOUT_PAGER, ABOUT_LAZY, ABOUT_PHYSICAL, ABOUT_UNCACHED };
static const char *const subjects[LOCKSTEP_SUBJECTS] = {
    "any",        "anonymous", "snapshot", "alias",    "discardable",
    "contiguous", "pager",     "lazy",     "physical", "uncached"};

/* An alias of device memory, or of what is not cached, counts as what it shows. */
static unsigned about(const struct model_vmo *vmo, const struct model_vmo *pages) {
    if (pages->is_physical || pages->policy)
        return pages->is_physical ? ABOUT_PHYSICAL : ABOUT_UNCACHED;
    if (vmo->shown >= 0)
        return ABOUT_ALIAS;
    if (vmo->is_pager || vmo->lender >= 0)
        return vmo->is_pager ? ABOUT_PAGER : ABOUT_LAZY;
    if (vmo->is_discardable || vmo->is_contiguous)
        return vmo->is_discardable ? ABOUT_DISCARDABLE : ABOUT_CONTIGUOUS;
    return vmo->is_snapshot ? ABOUT_SNAPSHOT : ABOUT_ANONYMOUS;
}

void world_is_about(struct world *world, int slot) {
    world->lockstep.subject = 
        about(&world->model.vmo[slot], model_pages_of(&world->model, slot));
}

int world_with_handle(struct world *world, unsigned index) {
    int first = (int)world_draw(world, index, MODEL_OBJECTS);
    for (int i = 0; i < MODEL_OBJECTS; i++)
        if (world->handle[(first + i) % MODEL_OBJECTS]) {
            world_is_about(world, (first + i) % MODEL_OBJECTS);
            return (first + i) % MODEL_OBJECTS;
        }
    return -1;
}

int world_free_slot(const struct world *world) {
    for (int i = 0; i < MODEL_OBJECTS; i++)
        if (!world->model.vmo[i].alive)
            return i;
    return -1;
}

/* Mostly something inside `size`, often at the edge of a page, sometimes absurd. */
uint64_t world_draw_offset(const struct world *world, unsigned index, uint64_t size) {
    static const uint64_t odd[] = {UINT64_MAX, UINT64_MAX - 4095, (uint64_t)1 << 63,
                                   ((uint64_t)1 << 48) + 4096, UINT64_MAX - 8191};
    uint64_t inside = size ? world_draw(world, index, size) : 0;
    switch (world_draw(world, index + 1, 32)) {
    case 0:
        return odd[world_draw(world, index, COUNT(odd))];
    case 1:
        return size;
    case 2:
        return size + world_draw(world, index, 2 * PAGE);
    case 3 ... 12:
        return inside;
    case 13 ... 16:
        return inside | (PAGE - 1);
    default:
        return inside & ~(PAGE - 1);
    }
}

/* A size that fits the model, or one that no kernel grants. */
uint64_t world_draw_size(const struct world *world, unsigned index) {
    static const uint64_t odd[] = {UINT64_MAX, UINT64_MAX - 4094, ((uint64_t)1 << 48) + 1,
                                   (uint64_t)1 << 63};
    uint64_t pages = world_draw(world, index, MODEL_PAGES + 1);
    switch (world_draw(world, index + 1, 32)) {
    case 0:
        return odd[pages % COUNT(odd)];
    case 1:
        return 0;
    case 2 ... 9:
        return pages ? pages * PAGE - pages * 41 : 0;
    case 10 ... 15:
        return pages / 12 * PAGE;
    default:
        return pages * PAGE;
    }
}

/* ---- Birth and death ---- */

void world_note_object(struct world *world, int slot, zx_handle_t handle, bool may_write) {
    zx_info_handle_basic_t basic;
    MUST(zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &basic, sizeof basic, NULL, NULL));
    if (((basic.rights & ZX_RIGHT_WRITE) != 0) != may_write)
        world_differs(world, "the new handle has rights %#x", basic.rights);
    uint64_t birth = world->model.vmo[slot].birth;
    world->handle[slot] = handle;
    world->may_write[slot] = may_write;
    world->koid[slot] = basic.koid;
    world->known[birth % COUNT(world->known)].birth = birth;
    world->known[birth % COUNT(world->known)].koid = basic.koid;
}

static void step_create(struct world *world) {
    int slot = world_free_slot(world);
    uint64_t size = world_draw_size(world, 1);
    uint32_t options = world_draw(world, 3, 2) ? ZX_VMO_RESIZABLE : 0;
    zx_handle_t handle;
    if (slot < 0)
        return;
    if (world_draw(world, 5, 10) == 0)
        options |= ZX_VMO_DISCARDABLE;
    if (world_draw(world, 4, 64) == 0)
        options |= 1u << 30;
    world_tell(world, "create %d: size %#llx, options %#x", slot, (unsigned long long)size, options);
    zx_status_t want = model_create(&world->model, slot, size, options);
    if (world_agrees(world, "vmo_create", want, zx_vmo_create(size, options, &handle)))
        world_note_object(world, slot, handle, true);
}

static uint32_t draw_child_options(const struct world *world, const struct model_vmo *cells) {
    static const uint32_t types[] = {
        ZX_VMO_CHILD_SNAPSHOT,  ZX_VMO_CHILD_SNAPSHOT,  ZX_VMO_CHILD_SNAPSHOT,
        ZX_VMO_CHILD_SNAPSHOT,  ZX_VMO_CHILD_SLICE,     ZX_VMO_CHILD_SLICE,
        ZX_VMO_CHILD_REFERENCE, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE,
        ZX_VMO_CHILD_SNAPSHOT_MODIFIED};
    uint32_t options = types[world_draw(world, 1, COUNT(types))];
    bool has_pager = cells->is_pager || cells->lender >= 0;
    if (world_draw(world, 2, 8) == 0)
        options |= ZX_VMO_CHILD_NO_WRITE;
    if (world_draw(world, 3, 3) == 0)
        options |= ZX_VMO_CHILD_RESIZABLE;
    /* A full snapshot of what has a pager is refused; mostly one that is not. */
    if ((options & ZX_VMO_CHILD_SNAPSHOT) && has_pager && world_draw(world, 5, 8))
        options ^= ZX_VMO_CHILD_SNAPSHOT | (world_draw(world, 5, 16) % 2
                                                ? ZX_VMO_CHILD_SNAPSHOT_MODIFIED
                                                : ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE);
    /* Device memory has slices and nothing else. */
    if (cells->is_physical && world_draw(world, 5, 4))
        options = ZX_VMO_CHILD_SLICE | (options & ZX_VMO_CHILD_NO_WRITE);
    if (world_draw(world, 4, 64) == 0)
        options ^= 1u << world_draw(world, 5, 12);
    return options;
}

static void step_create_child(struct world *world) {
    int slot = world_free_slot(world), parent = world_with_handle(world, 0);
    if (slot < 0 || parent < 0)
        return;
    const struct model_vmo *cells = model_pages_of(&world->model, parent);
    uint32_t options = draw_child_options(world, cells);
    uint64_t parent_size = model_size(&world->model, parent);
    uint64_t offset = world_draw_offset(world, 6, parent_size), size = world_draw_size(world, 8);
    zx_handle_t handle;
    if (world_draw(world, 10, 3) == 0) { /* all of it */
        offset = 0;
        size = parent_size;
    }
    if ((options & ZX_VMO_CHILD_SLICE) && offset < parent_size && world_draw(world, 11, 4))
        size = world_draw(world, 12, parent_size - offset + 1);
    if ((options & ZX_VMO_CHILD_REFERENCE) && world_draw(world, 11, 4))
        offset = size = 0;
    world_tell(world, "child %d of %d: options %#x, offset %#llx, size %#llx", slot, parent,
               options, (unsigned long long)offset, (unsigned long long)size);
    bool aliases = options & (ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_REFERENCE);
    bool may_write = !(options & ZX_VMO_CHILD_NO_WRITE) && (!aliases || world->may_write[parent]);
    zx_status_t want = model_create_child(&world->model, slot, parent, options, offset, size);
    zx_status_t got = zx_vmo_create_child(world->handle[parent], options, offset, size, &handle);
    if (world_agrees(world, "vmo_create_child", want, got))
        world_note_object(world, slot, handle, may_write);
}

static void step_close(struct world *world) {
    int slot = world_with_handle(world, 0);
    if (slot < 0)
        return;
    world_tell(world, "close %d", slot);
    world_agrees(world, "handle_close", ZX_OK, zx_handle_close(world->handle[slot]));
    world->handle[slot] = ZX_HANDLE_INVALID;
    model_drop(&world->model, slot);
}

/* ---- Contents ---- */

/* What a call through this handle gives when it needs WRITE. */
bool world_is_denied(const struct world *world, int slot) { return !world->may_write[slot]; }

static void step_write(struct world *world) {
    int slot = world_with_handle(world, 0);
    if (slot < 0)
        return;
    uint64_t offset = world_draw_offset(world, 1, model_size(&world->model, slot));
    uint64_t length = world_draw(world, 3, 4) ? world_draw(world, 4, 300)
                                              : world_draw(world, 4, 3 * PAGE);
    uint8_t byte = (uint8_t)(1 + world_draw(world, 5, 255));
    world_tell(world, "write %d: offset %#llx, length %#llx", slot, (unsigned long long)offset,
               (unsigned long long)length);
    memset(world->buffer, byte, length);
    zx_status_t want = world_is_denied(world, slot)
                           ? ZX_ERR_ACCESS_DENIED
                           : model_write(&world->model, slot, offset, length, byte);
    world_agrees(world, "vmo_write", want,
                 zx_vmo_write(world->handle[slot], world->buffer, offset, length));
}

static void step_read(struct world *world) {
    int slot = world_with_handle(world, 0);
    if (slot < 0)
        return;
    uint64_t size = model_size(&world->model, slot);
    uint64_t offset = world_draw_offset(world, 1, size);
    uint64_t length = world_draw(world, 3, world_draw(world, 4, 8) ? 4 * PAGE : 24 * PAGE);
    world_tell(world, "read %d: offset %#llx, length %#llx", slot, (unsigned long long)offset,
               (unsigned long long)length);
    if (!world_agrees(world, "vmo_read", model_read(&world->model, slot, offset, length),
                      zx_vmo_read(world->handle[slot], world->buffer, offset, length)))
        return;
    uint64_t first = (offset + PAGE - 1) / PAGE;
    for (uint64_t i = first; (i + 1) * PAGE <= offset + length; i++)
        world_check_page(world, slot, i, world->buffer + (i * PAGE - offset), "vmo_read");
}

typedef zx_status_t range_model(struct model *model, int slot, uint64_t offset, uint64_t length);

static void range_step(struct world *world, uint32_t op, const char *name, range_model *expected) {
    int slot = world_with_handle(world, 0);
    if (slot < 0)
        return;
    uint64_t size = model_size(&world->model, slot);
    uint64_t offset = world_draw_offset(world, 1, size), length = world_draw_offset(world, 3, size);
    if (world_draw(world, 5, 2))
        length = world_draw(world, 6, 4) * PAGE;
    world_tell(world, "%s %d: offset %#llx, length %#llx", name, slot, (unsigned long long)offset,
               (unsigned long long)length);
    zx_status_t want = world_is_denied(world, slot) ? ZX_ERR_ACCESS_DENIED
                                              : expected(&world->model, slot, offset, length);
    world_agrees(world, name, want,
                 zx_vmo_op_range(world->handle[slot], op, offset, length, NULL, 0));
}

static void step_commit(struct world *world) {
    range_step(world, ZX_VMO_OP_COMMIT, "commit", model_commit);
}
static void step_decommit(struct world *world) {
    range_step(world, ZX_VMO_OP_DECOMMIT, "decommit", model_decommit);
}
static void step_zero(struct world *world) {
    range_step(world, ZX_VMO_OP_ZERO, "zero", model_zero);
}

static const char *name_of_op(uint32_t op) {
    switch (op) {
    case ZX_VMO_OP_DONT_NEED:
        return "dont_need";
    case ZX_VMO_OP_ALWAYS_NEED:
        return "always_need";
    case ZX_VMO_OP_LOCK:
        return "lock";
    case ZX_VMO_OP_TRY_LOCK:
        return "try_lock";
    case ZX_VMO_OP_UNLOCK:
        return "unlock";
    default:
        return "cache or unknown op";
    }
}

static void op_step(struct world *world, int slot, uint32_t op, uint64_t offset,
                    uint64_t length) {
    zx_vmo_lock_state_t state;
    world_tell(world, "op %u on %d: offset %#llx, length %#llx", op, slot,
               (unsigned long long)offset, (unsigned long long)length);
    if (op == ZX_VMO_OP_ALWAYS_NEED) /* without memory it brings less, and says nothing */
        lockstep_spare(&world->lockstep);
    bool was_discarded = world->model.vmo[slot].is_discarded;
    zx_status_t want = model_other_op(&world->model, slot, op, offset, length);
    bool done = world_agrees(world, name_of_op(op), want,
                             zx_vmo_op_range(world->handle[slot], op, offset, length, &state,
                                             sizeof state));
    if (done && op == ZX_VMO_OP_LOCK && state.discarded_size != (was_discarded ? length : 0))
        world_differs(world, "the lock of %d says that %llu bytes were discarded", slot,
                      (unsigned long long)state.discarded_size);
}

/* Hints refuse only nonsense; caches agree with memory; some objects can be locked. */
static void step_other_op(struct world *world) {
    static const uint32_t ops[] = {
        ZX_VMO_OP_DONT_NEED,   ZX_VMO_OP_ALWAYS_NEED,       ZX_VMO_OP_CACHE_SYNC,
        ZX_VMO_OP_CACHE_CLEAN, ZX_VMO_OP_CACHE_CLEAN_INVALIDATE, ZX_VMO_OP_LOCK,
        ZX_VMO_OP_TRY_LOCK,    ZX_VMO_OP_UNLOCK,            5,
        ZX_VMO_OP_ALWAYS_NEED + 100};
    int slot = world_with_handle(world, 0);
    uint32_t op = ops[world_draw(world, 5, COUNT(ops))];
    if (slot < 0)
        return;
    uint64_t size = model_size(&world->model, slot);
    uint64_t offset = world_draw_offset(world, 1, size), length = world_draw_offset(world, 3, size);
    if (world_draw(world, 6, 2)) { /* what a lock wants */
        offset = 0;
        length = size;
    }
    op_step(world, slot, op, offset, length);
}

/* One that can be locked, if there is any. */
static void step_lock(struct world *world) {
    static const uint32_t ops[] = {ZX_VMO_OP_LOCK, ZX_VMO_OP_TRY_LOCK, ZX_VMO_OP_UNLOCK,
                                   ZX_VMO_OP_UNLOCK};
    int slot = (int)world_draw(world, 0, MODEL_OBJECTS), tries = 0;
    while (tries++ < MODEL_OBJECTS &&
           !(world->handle[slot] && world->model.vmo[slot].is_discardable))
        slot = (slot + 1) % MODEL_OBJECTS;
    if (tries > MODEL_OBJECTS)
        return;
    world_is_about(world, slot);
    op_step(world, slot, ops[world_draw(world, 1, COUNT(ops))], 0,
            model_size(&world->model, slot));
}

static void step_set_size(struct world *world) {
    int slot = world_with_handle(world, 0);
    uint64_t size = world_draw_size(world, 1);
    if (slot < 0)
        return;
    world_tell(world, "set_size %d: %#llx", slot, (unsigned long long)size);
    zx_status_t want = world_is_denied(world, slot) ? ZX_ERR_ACCESS_DENIED
                                              : model_set_size(&world->model, slot, size);
    world_agrees(world, "vmo_set_size", want, zx_vmo_set_size(world->handle[slot], size));
}

static void step_set_content(struct world *world) {
    int slot = world_with_handle(world, 0);
    if (slot < 0)
        return;
    uint64_t content = world_draw_offset(world, 1, model_size(&world->model, slot));
    world_tell(world, "content size %d: %#llx", slot, (unsigned long long)content);
    zx_status_t want = world_is_denied(world, slot)
                           ? ZX_ERR_ACCESS_DENIED
                           : model_set_content_size(&world->model, slot, content);
    world_agrees(world, "set_property", want,
                 zx_object_set_property(world->handle[slot], ZX_PROP_VMO_CONTENT_SIZE, &content,
                                        sizeof content));
}

static void step_look(struct world *world) {
    int slot = world_with_handle(world, 0);
    if (slot >= 0)
        world_check_object(world, slot);
}

/* ---- The walk ---- */

typedef void step_function(struct world *world);

static void walk(struct world *world, step_function *const steps[], size_t count) {
    uint64_t which = world_draw(world, 15, count * 8 + 1);
    world_begin_answers(world);
    if (which == count * 8)
        world_step_new_space(world);
    else
        steps[which % count](world);
    world_check_requests(world);
}

/* What can be is reclaimed, on machines that know how; only ever in a single world. */
static void reclaim(struct lockstep *lockstep) {
    if (lockstep_reclaim())
        model_reclaim(&((struct world *)lockstep)->model);
}

static void step_reclaim(struct world *world) {
    if (lockstep_is_alone()) {
        world_tell(world, "memory is reclaimed");
        reclaim(&world->lockstep);
    }
}

static void step_any(struct lockstep *lockstep) {
    static step_function *const steps[] = {
        step_create,       step_create,         step_create_child, step_create_child,
        step_create_child, step_create_child,   step_create_child, step_create_child,
        step_close,        step_close,          step_close,        step_close,
        step_write,        step_write,          step_write,        step_write,
        step_write,        step_write,          step_read,         step_read,
        step_commit,       step_decommit,       step_decommit,     step_zero,
        step_zero,         step_set_size,       step_set_size,     step_set_content,
        step_look,         world_step_map,      world_step_map,    world_step_map,
        world_step_map,    world_step_unmap,    world_step_unmap,  world_step_unmap,
        world_step_store,  world_step_store,    world_step_store,  world_step_store,
        world_step_store,  world_step_store,    world_step_load,   world_step_load,
        world_step_load,   world_step_protect,  world_step_copy,   world_step_copy,
        step_other_op,     step_other_op,       world_step_op_range,
        step_reclaim,      step_lock,           step_lock,          step_lock,
        world_step_create_pager,  world_step_create_pager,  world_step_create_contiguous,
        world_step_supply,        world_step_supply,        world_step_supply_object,
        world_step_pager_op,      world_step_pager_op,      world_step_pager_op,
        world_step_pager_op,      world_step_query,         world_step_detach,
        world_step_pager_close,   world_step_pager_close,   world_step_foreign,
        world_step_pin,           world_step_pin,           world_step_unpin,
        world_step_create_physical, world_step_create_physical, world_step_cache_policy,
        world_step_cache_policy,
    };
    walk((struct world *)lockstep, steps, COUNT(steps));
}

/* Much looked at and written to through mappings, while what is behind them changes. */
static void step_fault(struct lockstep *lockstep) {
    static step_function *const steps[] = {
        step_create,       step_create_child,  step_create_child, step_close,
        step_decommit,     step_zero,          step_set_size,     world_step_map,
        world_step_map,    world_step_unmap,   world_step_store,  world_step_store,
        world_step_store,  world_step_store,   world_step_load,   world_step_load,
        world_step_load,   world_step_protect, world_step_copy,   world_step_op_range,
        world_step_create_pager, world_step_pager_close, world_step_supply,
        world_step_pager_op,     world_step_create_physical, world_step_cache_policy,
    };
    walk((struct world *)lockstep, steps, COUNT(steps));
}

static void begin(struct lockstep *lockstep) {
    struct world *world = (struct world *)lockstep;
    uint8_t byte = 1;
    model_begin(&world->model, lockstep->seed);
    for (unsigned i = 0; i < WORLD_VIEWS; i++)
        world->view[i].slot = -1;
    MUST(zx_vmo_create(PAGE, 0, &world->scratch));
    MUST(zx_vmo_write(world->scratch, &byte, 0, 1));
    world_open_space(world);
    world_begin_pins(world);
    world_begin_device(world);
    world_begin_pager(world);
}

static uint64_t pages(const struct lockstep *lockstep) {
    const struct world *world = (const struct world *)lockstep;
    uint64_t charges[MODEL_OBJECTS];
    return model_charges(&world->model, charges);
}

static void end(struct lockstep *lockstep) {
    struct world *world = (struct world *)lockstep;
    world_close_space(world);
    for (unsigned i = 0; i < WORLD_VIEWS; i++)
        if (world->view[i].slot >= 0)
            MUST(zx_vmar_unmap(zx_vmar_root_self(), world->view[i].address,
                               world->view[i].pages * PAGE));
    for (unsigned i = 0; i < MODEL_OBJECTS; i++)
        if (world->handle[i])
            MUST(zx_handle_close(world->handle[i]));
    MUST(zx_handle_close(world->scratch));
    world_end_pins(world);
    world_end_device(world);
    world_end_pager(world);
}

static struct world worlds[LOCKSTEP_THREADS];
struct world *world_number(unsigned index) { return &worlds[index]; }

#define KIND(its_name, its_step)                                                                   \
    {                                                                                              \
        .name = its_name, .worlds = &worlds[0].lockstep, .world_size = sizeof worlds[0],           \
        .model_at = offsetof(struct world, model), .model_size = sizeof worlds[0].model,           \
        .begin = begin, .step = its_step, .check = world_check, .end = end, .pages = pages,        \
        .reclaim = reclaim, .subjects = subjects, .tell = world_tell_device,                       \
    }
const struct lockstep_kind lockstep_objects = KIND("model", step_any);
const struct lockstep_kind lockstep_faults = KIND("model-fault", step_fault);
