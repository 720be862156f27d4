/*
 * heap_pages.c - malloc's memory: a memory object, mapped, for each request.
 */
#include "c/heap_pages.h"

#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "zx/tls.h"

void *heap_map(size_t size) {
    zx_handle_t vmo;
    zx_vaddr_t address = 0;
    if (zx_vmo_create(size, 0, &vmo) != ZX_OK)
        return NULL;
    zx_status_t status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                                     vmo, 0, size, &address);
    (void)zx_handle_close(vmo);
    return status == ZX_OK ? (void *)address : NULL;
}

void heap_unmap(void *memory, size_t size) {
    (void)zx_vmar_unmap(zx_vmar_root_self(), (zx_vaddr_t)memory, size);
}

/* The canary is as good a secret as any, and costs no call. */
size_t heap_secret(void) { return tls_current()->canary; }
