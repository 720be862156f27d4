/*
 * place.c - see place.h.
 */
#include "core-tests/place.h"

#include <jacinth/utest.h>

struct place make_place(zx_vm_option_t options, size_t size) {
    struct place place = {0};
    EXPECT_OK(zx_vmar_allocate(zx_vmar_root_self(), options, 0, size, &place.vmar, &place.base));
    return place;
}

struct place usual_place(void) {
    return make_place(CAN_MAP | ZX_VM_CAN_MAP_SPECIFIC, SIXTEEN);
}

void drop_place(struct place place) {
    EXPECT_OK(zx_vmar_destroy(place.vmar));
    close_handle(place.vmar);
}

zx_status_t map_in(struct place place, zx_vm_option_t options, size_t page, zx_handle_t vmo,
                   size_t vmo_page, size_t pages) {
    zx_vaddr_t got = 0;
    zx_status_t status = zx_vmar_map(place.vmar, options, page * PAGE, vmo, vmo_page * PAGE,
                                     pages * PAGE, &got);
    if (status == ZX_OK && (options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)))
        EXPECT_EQ(place.base + page * PAGE, got);
    return status;
}

volatile uint8_t *byte_of(struct place place, size_t page) {
    return (volatile uint8_t *)(place.base + page * PAGE);
}

bool place_can_read(struct place place, size_t page) {
    static zx_handle_t target;
    if (target == ZX_HANDLE_INVALID)
        target = make_vmo(1);
    return zx_vmo_write(target, (const void *)byte_of(place, page), 0, 1) == ZX_OK;
}
bool place_can_write(struct place place, size_t page) {
    static zx_handle_t source;
    if (source == ZX_HANDLE_INVALID)
        source = make_vmo(1);
    return zx_vmo_read(source, (void *)(uintptr_t)byte_of(place, page), 0, 1) == ZX_OK;
}

zx_handle_t numbered(size_t pages) {
    zx_handle_t vmo = make_vmo(pages);
    for (size_t i = 0; i < pages; i++)
        put(vmo, i, (uint8_t)(i + 1));
    return vmo;
}
