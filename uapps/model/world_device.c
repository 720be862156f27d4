/*
 * world_device.c - the steps on device memory, and on how caches treat objects.
 */
#include <stdio.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "model/world.h"

#define DEVICE_BYTES (MODEL_DEVICE * PAGE)

/* ---- The device's memory ---- */

/* What an earlier world has written there goes: as far as it is looked at. */
static void clear_device(struct world *world) {
    zx_handle_t vmo;
    zx_vaddr_t address;
    const uint8_t zero = 0;
    MUST(zx_vmo_create_physical(world->device, world->device_base, DEVICE_BYTES, &vmo));
    MUST(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0,
                     DEVICE_BYTES, &address));
    MUST(zx_handle_close(vmo));
    for (uint64_t i = 0; i < MODEL_DEVICE; i++)
        for (unsigned k = 0; k < MODEL_SAMPLES; k++)
            if (!lockstep_store(address + i * PAGE + world->model.sample_at[k], &zero, 1))
                stress_fail("page %llu of the device can't be written", (unsigned long long)i);
    MUST(zx_vmar_unmap(zx_vmar_root_self(), address, DEVICE_BYTES));
}

void world_begin_device(struct world *world) {
    zx_handle_t root = stress_root_resource();
    zx_paddr_t base;
    if (!lockstep_device_memory(LOCKSTEP_THREADS * DEVICE_BYTES, &base))
        return;
    world->device_base = base + lockstep_number(&world->lockstep) * DEVICE_BYTES;
    MUST(zx_resource_create(root, ZX_RSRC_KIND_MMIO, world->device_base, DEVICE_BYTES, "model", 5,
                            &world->device));
    clear_device(world);
}

void world_end_device(struct world *world) {
    if (world->device)
        MUST(zx_handle_close(world->device));
}

/* All worlds have it, or none. */
bool world_tell_device(const struct options *options) {
    uint64_t objects = 0;
    for (unsigned i = 0; i < options->threads; i++)
        objects += world_number(i)->physical_objects;
    if (objects)
        printf("model: %llu physical objects, of the device memory at %#llx\n",
               (unsigned long long)objects, (unsigned long long)world_number(0)->device_base);
    else
        printf("model: no physical objects: no device here has memory\n");
    return objects || !options->device;
}

/* ---- Steps ---- */

void world_step_create_physical(struct world *world) {
    int slot = world_free_slot(world);
    uint64_t first = world_draw(world, 1, MODEL_DEVICE), left = MODEL_DEVICE - first;
    uint64_t offset = first * PAGE, size = (1 + world_draw(world, 2, left)) * PAGE;
    zx_handle_t handle;
    if (slot < 0 || !world->device)
        return;
    if (world_draw(world, 3, 4) == 0)
        size -= world_draw(world, 4, PAGE);
    if (world_draw(world, 5, 12) == 0)
        size = world_draw(world, 6, 2) ? world_draw_size(world, 2) : left * PAGE + 1;
    if (world_draw(world, 7, 24) == 0)
        offset += world_draw(world, 8, 2 * PAGE);
    world_tell(world, "create %d physical: offset %#llx, size %#llx", slot,
               (unsigned long long)offset, (unsigned long long)size);
    zx_status_t want = model_create_physical(&world->model, slot, offset, size);
    if (!world_agrees(world, "vmo_create_physical", want,
                      zx_vmo_create_physical(world->device, world->device_base + offset, size,
                                             &handle)))
        return;
    world->physical_objects++;
    world_note_object(world, slot, handle, true);
}

static bool is_mapped(const struct world *world, int slot) {
    for (unsigned i = 0; i < WORLD_VIEWS; i++)
        if (world->view[i].slot == slot)
            return true;
    return false;
}

/* Most objects stay cached, or little could be done with them. */
void world_step_cache_policy(struct world *world) {
    int slot = world_with_handle(world, 0);
    uint32_t policy = world_draw(world, 1, 2) ? ZX_CACHE_POLICY_CACHED
                                              : (uint32_t)world_draw(world, 2, 4);
    if (slot < 0)
        return;
    if (world_draw(world, 3, 48) == 0)
        policy |= 1u << (2 + world_draw(world, 4, 30));
    world_tell(world, "cache policy of %d: %#x", slot, policy);
    zx_status_t want =
        model_set_cache_policy(&world->model, slot, policy, is_mapped(world, slot));
    world_agrees(world, "vmo_set_cache_policy", want,
                 zx_vmo_set_cache_policy(world->handle[slot], policy));
}
