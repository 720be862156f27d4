/*
 * world_pin.c - the steps on what only devices make: contiguous objects, and pins.
 */
#include <zircon/syscalls.h>

#include "model/world.h"

void world_begin_pins(struct world *world) {
    for (unsigned i = 0; i < WORLD_PINS; i++)
        world->pin[i].slot = -1;
    world->bti = lockstep_bti();
}

static void unpin(struct world_pin *pin) {
    MUST(zx_pmt_unpin(pin->pmt));
    pin->slot = -1;
}

void world_end_pins(struct world *world) {
    for (unsigned i = 0; i < WORLD_PINS; i++)
        if (world->pin[i].slot >= 0)
            unpin(&world->pin[i]);
    if (world->bti)
        MUST(zx_handle_close(world->bti));
}

void world_step_create_contiguous(struct world *world) {
    int slot = world_free_slot(world);
    uint64_t size = world_draw(world, 1, 12 * PAGE);
    zx_handle_t handle;
    if (slot < 0 || !world->bti)
        return;
    world_tell(world, "create %d contiguous: size %#llx", slot, (unsigned long long)size);
    zx_status_t want = model_create_contiguous(&world->model, slot, size);
    if (world_agrees(world, "vmo_create_contiguous", want,
                     zx_vmo_create_contiguous(world->bti, size, 0, &handle)))
        world_note_object(world, slot, handle, true);
}

static struct world_pin *free_pin(struct world *world) {
    for (unsigned i = 0; i < WORLD_PINS; i++)
        if (world->pin[i].slot < 0)
            return &world->pin[i];
    return NULL;
}

/*
 * No two pages have one address; of a contiguous object they follow each other, of a physical
 * one they are known.
 */
static void check_addresses(struct world *world, int slot, uint64_t first,
                            const zx_paddr_t *addresses, uint64_t count) {
    const struct model_vmo *vmo = &world->model.vmo[slot];
    const struct model_vmo *pages = model_pages_of(&world->model, slot);
    bool is_run = pages->is_contiguous || pages->is_physical;
    uint64_t device_page = pages->device_first + (vmo->shown < 0 ? 0 : vmo->shown_first) + first;
    if (pages->is_physical && addresses[0] != world->device_base + device_page * PAGE)
        world_differs(world, "%d is pinned at another place of the device", slot);
    for (uint64_t i = 1; i < count; i++)
        if (addresses[i] == addresses[i - 1] ||
            (is_run && addresses[i] != addresses[i - 1] + PAGE))
            world_differs(world, "page %llu of %d is pinned at a wrong address",
                          (unsigned long long)i, slot);
}

void world_step_pin(struct world *world) {
    int slot = world_with_handle(world, 0);
    struct world_pin *pin = free_pin(world);
    zx_paddr_t addresses[MODEL_PAGES + 2];
    uint64_t first, count;
    if (slot < 0 || !pin || !world->bti)
        return;
    world_draw_pages(world, 1, model_size(&world->model, slot) / PAGE, &first, &count);
    if (world_draw(world, 4, 2) && count > 3)
        count = 3;
    bool write = world_draw(world, 5, 2);
    world_tell(world, "pin %d%s: pages %llu + %llu", slot, write ? " for writing" : "",
               (unsigned long long)first, (unsigned long long)count);
    zx_status_t want = write && world_is_denied(world, slot)
                           ? ZX_ERR_ACCESS_DENIED
                           : model_pin(&world->model, slot, first * PAGE, count * PAGE, write);
    zx_handle_t pmt;
    if (!world_agrees(world, "bti_pin", want,
                      zx_bti_pin(world->bti, write ? ZX_BTI_PERM_WRITE : ZX_BTI_PERM_READ,
                                 world->handle[slot], first * PAGE, count * PAGE, addresses, count,
                                 &pmt)))
        return;
    check_addresses(world, slot, first, addresses, count);
    *pin = (struct world_pin){slot, pmt, first * PAGE, count * PAGE};
}

void world_step_unpin(struct world *world) {
    struct world_pin *pin = &world->pin[world_draw(world, 0, WORLD_PINS)];
    if (pin->slot < 0)
        return;
    world_is_about(world, pin->slot);
    world_tell(world, "unpin %d", pin->slot);
    lockstep_spare(&world->lockstep);
    model_unpin(&world->model, pin->slot, pin->offset, pin->length);
    unpin(pin);
    world_agrees(world, "pmt_unpin", ZX_OK, ZX_OK);
}
