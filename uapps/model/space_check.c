/*
 * space_check.c - comparing regions with the model: what each page shows, and what the kernel
 * tells of them.
 */
#include "model/space_world.h"

#include <zircon/process.h>
#include <zircon/syscalls.h>

/* ---- Looking ---- */

/* What a read at the address should give here: the fault, or the name of the page. */
static void look_here(struct space_world *world, uint64_t index) {
    const struct space_page *page = &world->expected.space.page[index];
    const void *address = (const void *)(world->base + index * PAGE);
    uint64_t word = 0;
    bool there = page->vmar >= 0 && page->vmo_page < world->expected.space.vmo[page->vmo].pages;
    bool may_read = there && (page->perm & ZX_VM_PERM_READ);
    if (!may_read) {
        space_agrees(world, "a read that must fault", ZX_ERR_INVALID_ARGS,
                     zx_vmo_write(world->scratch, address, 8, 8));
        return;
    }
    if (!lockstep_load((uintptr_t)address, &word, sizeof word))
        space_differs(world, "page %llu can't be read", (unsigned long long)index);
    else if (word != world->expected.name[page->vmo][page->vmo_page])
        space_differs(world, "page %llu shows %llu, not %llu: page %llu of object %d",
                      (unsigned long long)index, (unsigned long long)word,
                      (unsigned long long)world->expected.name[page->vmo][page->vmo_page],
                      (unsigned long long)page->vmo_page, page->vmo);
    if (!(page->perm & ZX_VM_PERM_WRITE))
        space_agrees(world, "a write that must fault", ZX_ERR_INVALID_ARGS,
                     zx_vmo_read(world->scratch, (void *)(uintptr_t)address, 0, 1));
}

/* Elsewhere permissions play no part: the maps tell them. */
static void look_elsewhere(struct space_world *world, uint64_t index) {
    const struct space_page *page = &world->expected.space.page[index];
    uint64_t word = 0;
    size_t actual;
    zx_status_t want = ZX_ERR_NO_MEMORY;
    if (page->vmar >= 0)
        want = page->vmo_page < world->expected.space.vmo[page->vmo].pages ? ZX_OK
                                                                           : ZX_ERR_OUT_OF_RANGE;
    zx_status_t got = zx_process_read_memory(world->process, world->base + index * PAGE, &word,
                                             sizeof word, &actual);
    if (space_agrees(world, "process_read_memory", want, got) &&
        word != world->expected.name[page->vmo][page->vmo_page])
        space_differs(world, "page %llu elsewhere shows %llu, not %llu", (unsigned long long)index,
                      (unsigned long long)word,
                      (unsigned long long)world->expected.name[page->vmo][page->vmo_page]);
}

void space_look(struct space_world *world, uint64_t index) {
    if (world->elsewhere)
        look_elsewhere(world, index);
    else
        look_here(world, index);
}

/* ---- What the kernel tells ---- */

/* A mapping's entry: each of its pages must be what the model has there. */
static uint64_t check_mapping_entry(struct space_world *world, const zx_info_maps_t *entry) {
    uint64_t first = (entry->base - world->base) / PAGE, pages = entry->size / PAGE;
    uint64_t committed = 0;
    for (uint64_t i = 0; i < pages && !world->lockstep.failed; i++) {
        const struct space_page *page = &world->expected.space.page[first + i];
        if (first + i >= SPACE_PAGES || page->vmar < 0 ||
            entry->u.mapping.vmo_koid != world->koid[page->vmo] ||
            entry->u.mapping.vmo_offset != (page->vmo_page - i) * PAGE ||
            entry->u.mapping.mmu_flags != page->perm ||
            entry->depth != space_depth(&world->expected.space, page->vmar) + 3)
            space_differs(world, "the maps are wrong at page %llu",
                          (unsigned long long)(first + i));
        else if (page->vmo_page < SPACE_VMO_PAGES)
            committed += world->expected.committed[page->vmo][page->vmo_page];
    }
    if (committed != entry->u.mapping.committed_pages && !world->lockstep.between)
        space_differs(world, "the mapping at page %llu has %llu committed pages, not %llu",
                      (unsigned long long)first,
                      (unsigned long long)entry->u.mapping.committed_pages,
                      (unsigned long long)committed);
    return pages;
}

static bool is_known_vmar(const struct space_world *world, const zx_info_maps_t *entry) {
    for (int i = 0; i < SPACE_VMARS; i++) {
        const struct space_vmar *vmar = &world->expected.space.vmar[i];
        if (vmar->alive && world->base + vmar->first * PAGE == entry->base &&
            vmar->pages * PAGE == entry->size &&
            space_depth(&world->expected.space, i) + 2 == entry->depth)
            return true;
    }
    return false;
}

/* Entries ascend; every VMAR and every mapped page is told exactly once. */
static void check_maps(struct space_world *world) {
    size_t actual = 0, available = 0;
    uint64_t vmars = 0, pages = 0;
    zx_vaddr_t last = 0;
    MUST(zx_object_get_info(world->process, ZX_INFO_PROCESS_MAPS, world->maps, sizeof world->maps,
                            &actual, &available));
    if (actual != available || actual < 2)
        space_differs(world, "%zu of %zu maps", actual, available);
    for (size_t i = 2; i < actual && !world->lockstep.failed; i++) {
        const zx_info_maps_t *entry = &world->maps[i];
        if (entry->base < last)
            space_differs(world, "maps out of order at entry %zu", i);
        last = entry->base;
        if (entry->type == ZX_INFO_MAPS_TYPE_MAPPING)
            pages += check_mapping_entry(world, entry);
        else if (is_known_vmar(world, entry))
            vmars++;
        else
            space_differs(world, "the maps tell of an unknown region, entry %zu", i);
    }
    for (int i = 0; i < SPACE_VMARS; i++)
        vmars -= world->expected.space.vmar[i].alive;
    for (unsigned i = 0; i < SPACE_PAGES; i++)
        pages -= world->expected.space.page[i].vmar >= 0;
    if (vmars || pages)
        space_differs(world, "the maps lack %lld regions, %lld pages", -(long long)vmars,
                      -(long long)pages);
}

void space_check(struct lockstep *lockstep) {
    struct space_world *world = (struct space_world *)lockstep;
    for (uint64_t i = 0; i < SPACE_PAGES && !lockstep->failed; i++)
        space_look(world, i);
    for (int i = 0; i < SPACE_VMARS && !lockstep->failed; i++) {
        zx_info_vmar_t info;
        if (!world->vmar[i])
            continue;
        MUST(zx_object_get_info(world->vmar[i], ZX_INFO_VMAR, &info, sizeof info, NULL, NULL));
        if (info.base != world->base + world->expected.space.vmar[i].first * PAGE ||
            info.len != world->expected.space.vmar[i].pages * PAGE)
            space_differs(world, "region %d tells a wrong place", i);
    }
    if (world->elsewhere && !lockstep->failed)
        check_maps(world);
}
