/*
 * common.c - objects that several rows start from.
 */
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "bench/bench.h"

zx_handle_t vmo_new(size_t size) {
    zx_handle_t vmo;
    CHECK(zx_vmo_create(size, 0, &vmo));
    return vmo;
}

zx_handle_t vmo_committed(size_t size) {
    zx_handle_t vmo = vmo_new(size);
    CHECK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, size, NULL, 0));
    return vmo;
}

uintptr_t map_whole(zx_handle_t vmo, size_t size) {
    zx_vaddr_t address;
    CHECK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, size,
                      &address));
    return address;
}

void unmap(uintptr_t address, size_t size) {
    CHECK(zx_vmar_unmap(zx_vmar_root_self(), address, size));
}

zx_handle_t event_new(void) {
    zx_handle_t event;
    CHECK(zx_event_create(0, &event));
    return event;
}

zx_handle_t duplicate(zx_handle_t handle) {
    zx_handle_t copy;
    CHECK(zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &copy));
    return copy;
}

void touch_pages(uintptr_t address, size_t size, size_t stride) {
    for (uintptr_t at = address; at < address + size; at += stride * PAGE)
        *(volatile uint8_t *)at = 1;
}
