/*
 * sys_device.c - device memory, and memory that devices reach (ZX-ABI.md sections 3.4, 3.15).
 */
#include "object/resource.h"
#include "syscall/sys_resource.h"
#include "syscall/sys_util.h"
#include "vm/vmo.h"

status_t sys_vmo_create_physical(uint32_t resource, uint64_t address, uint64_t size,
                                 struct user_out out) {
    struct vmo *vmo;

    status_t status = sys_check_resource_range(resource, ZX_RSRC_KIND_MMIO, address, size);
    if (status == OK)
        status = vmo_create_physical(paddr(address), size, &vmo);
    return status != OK ? status : sys_publish_new(out, &vmo->base);
}
