/*
 * world_check.c - comparing what objects and mappings show with the model.
 */
#include <string.h>
#include <zircon/syscalls.h>

#include "model/world.h"

/* A call that failed half-way may have changed this page already. */
static bool is_changed(const struct world *world, int slot, uint64_t index, unsigned sample,
                       uint8_t got) {
    if (!world->lockstep.between)
        return false;
    const struct model_cell *cell = model_look(world->lockstep.other, slot, index);
    return cell && cell->bytes[sample] == got;
}

static void check_samples(struct world *world, int slot, uint64_t index,
                          const uint8_t got[MODEL_SAMPLES], const char *seen_by) {
    const struct model_cell *cell = model_look(&world->model, slot, index);
    for (unsigned i = 0; i < MODEL_SAMPLES; i++)
        if (got[i] != cell->bytes[i] && !is_changed(world, slot, index, i, got[i]))
            world_differs(world, "object %d, page %llu, byte %u: %s shows %u, not %u", slot,
                          (unsigned long long)index, world->model.sample_at[i], seen_by, got[i],
                          cell->bytes[i]);
}

void world_check_page(struct world *world, int slot, uint64_t index, const uint8_t *page,
                      const char *seen_by) {
    uint8_t got[MODEL_SAMPLES];
    for (unsigned i = 0; i < MODEL_SAMPLES; i++)
        got[i] = page[world->model.sample_at[i]];
    check_samples(world, slot, index, got, seen_by);
}

void world_check_mapped(struct world *world, int slot, uint64_t index, zx_vaddr_t address) {
    uint8_t got[MODEL_SAMPLES];
    for (unsigned i = 0; i < MODEL_SAMPLES; i++)
        if (!lockstep_load(address + world->model.sample_at[i], &got[i], 1)) {
            world_differs(world, "page %llu of object %d can't be read through a mapping",
                          (unsigned long long)index, slot);
            return;
        }
    check_samples(world, slot, index, got, "a mapping");
}

/* Pages that can be read without asking a pager. */
static void check_run(struct world *world, int slot, uint64_t from, uint64_t to) {
    zx_status_t got = zx_vmo_read(world->handle[slot], world->buffer, from * PAGE,
                                  (to - from) * PAGE);
    if (got != ZX_OK)
        world_differs(world, "object %d, pages %llu to %llu: vmo_read gives %d", slot,
                      (unsigned long long)from, (unsigned long long)to, got);
    for (uint64_t i = from; i < to; i++)
        world_check_page(world, slot, i, world->buffer + (i - from) * PAGE, "vmo_read of all");
}

/* Of the pages that nobody can read, one is tried. */
static void check_contents(struct world *world, int slot) {
    uint64_t pages = model_size(&world->model, slot) / PAGE;
    bool tried = world->lockstep.between;
    zx_status_t refused = model_refuses(&world->model, slot);
    if (refused != ZX_OK) { /* its mappings show what it has */
        world_agrees(world, "vmo_read of what is not cached", refused,
                     zx_vmo_read(world->handle[slot], world->buffer, 0, 1));
        return;
    }
    for (uint64_t i = 0, next; i < pages && !world->lockstep.failed; i = next) {
        zx_status_t status = model_touches(&world->model, slot, i);
        for (next = i + 1; next < pages && model_touches(&world->model, slot, next) == status;)
            next++;
        if (status == ZX_OK)
            check_run(world, slot, i, next);
        if (status == ZX_OK || status == ZX_ERR_SHOULD_WAIT || tried)
            continue;
        tried = true;
        world_agrees(world, "vmo_read of what nobody has", status,
                     zx_vmo_read(world->handle[slot], world->buffer, i * PAGE, 1));
    }
}

static void equal(struct world *world, int slot, const char *what, uint64_t want, uint64_t got) {
    if (want != got)
        world_differs(world, "object %d: %s is %llu, not %llu", slot, what,
                      (unsigned long long)got, (unsigned long long)want);
}

/* Mappings made from this object's handle, and the spaces that have any. */
static void check_mappings(struct world *world, int slot, const zx_info_vmo_t *info) {
    uint64_t here = 0, elsewhere = 0;
    for (unsigned i = 0; i < WORLD_VIEWS; i++) {
        here += world->view[i].slot == slot && !world->view[i].elsewhere;
        elsewhere += world->view[i].slot == slot && world->view[i].elsewhere;
    }
    equal(world, slot, "num_mappings", here + elsewhere, info->num_mappings);
    equal(world, slot, "share_count", (here > 0) + (elsewhere > 0), info->share_count);
}

/* The koid of the object that was born as number `birth`, if it is still known. */
static uint64_t koid_of(const struct world *world, uint64_t birth, uint64_t otherwise) {
    const unsigned at = birth % (sizeof world->known / sizeof world->known[0]);
    if (birth == 0)
        return 0;
    return world->known[at].birth == birth ? world->known[at].koid : otherwise;
}

static uint32_t expected_flags(const struct model_vmo *vmo, const struct model_vmo *pages) {
    bool has_pager = pages->is_pager || pages->lender >= 0;
    return (has_pager ? ZX_INFO_VMO_PAGER_BACKED : 0) |
           (pages->is_contiguous ? ZX_INFO_VMO_CONTIGUOUS : 0) | ZX_INFO_VMO_VIA_HANDLE |
           (pages->is_physical ? 0 : ZX_INFO_VMO_TYPE_PAGED) |
           (vmo->resizable ? ZX_INFO_VMO_RESIZABLE : 0) |
           (vmo->is_discardable ? ZX_INFO_VMO_DISCARDABLE : 0) |
           (vmo->is_snapshot ? ZX_INFO_VMO_IS_COW_CLONE : 0);
}

static void check_info(struct world *world, int slot) {
    const struct model_vmo *vmo = &world->model.vmo[slot];
    uint64_t charges[MODEL_OBJECTS], content = 0, size = 0;
    zx_info_vmo_t info;
    zx_signals_t signals = 0;
    zx_handle_t handle = world->handle[slot];
    MUST(zx_object_get_info(handle, ZX_INFO_VMO, &info, sizeof info, NULL, NULL));
    MUST(zx_vmo_get_size(handle, &size));
    MUST(zx_object_get_property(handle, ZX_PROP_VMO_CONTENT_SIZE, &content, sizeof content));
    (void)zx_object_wait_one(handle, ZX_VMO_ZERO_CHILDREN, 0, &signals);
    (void)model_charges(&world->model, charges);
    const uint32_t flags = ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_DISCARDABLE | ZX_INFO_VMO_VIA_HANDLE |
                           ZX_INFO_VMO_RESIZABLE | ZX_INFO_VMO_IS_COW_CLONE | ZX_INFO_VMO_PAGER_BACKED |
                           ZX_INFO_VMO_CONTIGUOUS;
    unsigned children = model_children(&world->model, slot);
    equal(world, slot, "its size", model_size(&world->model, slot), size);
    equal(world, slot, "size_bytes", model_size(&world->model, slot), info.size_bytes);
    equal(world, slot, "its content size", model_content_size(&world->model, slot), content);
    if (!world->lockstep.between)
        equal(world, slot, "committed_bytes", charges[slot] * PAGE, info.committed_bytes);
    equal(world, slot, "num_children", children, info.num_children);
    equal(world, slot, "ZERO_CHILDREN", children == 0, (signals & ZX_VMO_ZERO_CHILDREN) != 0);
    equal(world, slot, "koid", world->koid[slot], info.koid);
    equal(world, slot, "parent_koid", koid_of(world, vmo->made_from, info.parent_koid),
          info.parent_koid);
    equal(world, slot, "cache_policy", model_pages_of(&world->model, slot)->policy,
          info.cache_policy);
    equal(world, slot, "flags", expected_flags(vmo, model_pages_of(&world->model, slot)),
          info.flags & flags);
    check_mappings(world, slot, &info);
}

void world_check_object(struct world *world, int slot) {
    check_contents(world, slot);
    if (!world->lockstep.failed)
        check_info(world, slot);
}

void world_check(struct lockstep *lockstep) {
    struct world *world = (struct world *)lockstep;
    for (int slot = 0; slot < MODEL_OBJECTS && !world->lockstep.failed; slot++)
        if (world->handle[slot])
            world_check_object(world, slot);
    for (int slot = 0; slot < MODEL_OBJECTS && !world->lockstep.failed; slot++)
        if (world->keeper[slot] && !world->lockstep.between)
            world_check_pager(world, slot);
    for (unsigned i = 0; i < WORLD_VIEWS && !world->lockstep.failed; i++)
        if (world->view[i].slot >= 0)
            world_check_view(world, &world->view[i]);
}
