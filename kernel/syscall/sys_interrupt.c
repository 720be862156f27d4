/*
 * sys_interrupt.c - interrupts (ZX-ABI.md section 3.15).
 */
#include <zircon/types.h>

#include "object/interrupt.h"
#include "object/msi.h"
#include "object/resource.h"
#include "syscall/sys_resource.h"
#include "syscall/sys_util.h"

status_t sys_interrupt_create(uint32_t src_obj, uint32_t src_num, uint32_t options,
                              struct user_out out_handle) {
    struct interrupt *interrupt;

    if (options & ZX_INTERRUPT_VIRTUAL) {
        if (options != ZX_INTERRUPT_VIRTUAL)
            return ERR_INVALID_ARGS;
        status_t status = interrupt_create_virtual(&interrupt);
        return status != OK ? status : sys_publish_new(out_handle, &interrupt->base);
    }
    status_t status = sys_check_resource_range(src_obj, ZX_RSRC_KIND_IRQ, src_num, 1);
    if (status == OK)
        status = interrupt_create_line(src_num, options, &interrupt);
    return status != OK ? status : sys_publish_new(out_handle, &interrupt->base);
}

status_t sys_interrupt_bind(uint32_t handle, uint32_t port_handle, uint64_t key,
                            uint32_t options) {
    AUTO(waitable) object = NULL;
    AUTO(waitable) port_object = NULL;

    if (options != ZX_INTERRUPT_BIND && options != ZX_INTERRUPT_UNBIND)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_READ, &object);
    if (status == OK)
        status = sys_lookup(port_handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port_object);
    if (status != OK)
        return status;
    struct port *port = port_from(port_object);
    if (!(port->options & ZX_PORT_BIND_TO_INTERRUPT))
        return ERR_WRONG_TYPE;
    return options == ZX_INTERRUPT_BIND ? interrupt_bind(interrupt_from(object), port, key)
                                        : interrupt_unbind(interrupt_from(object), port);
}

status_t sys_interrupt_wait(uint32_t handle, struct user_out out_timestamp) {
    AUTO(waitable) object = NULL;
    nstime_t timestamp;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_WAIT, &object);
    if (status == OK)
        status = interrupt_wait(interrupt_from(object), &timestamp);
    return status != OK ? status : user_copy_out_u64_optional(out_timestamp, (uint64_t)timestamp);
}

status_t sys_interrupt_ack(uint32_t handle) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_WRITE, &object);
    return status != OK ? status : interrupt_ack(interrupt_from(object));
}

status_t sys_interrupt_destroy(uint32_t handle) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_INTERRUPT, 0, &object);
    return status != OK ? status : interrupt_end(interrupt_from(object));
}

status_t sys_interrupt_trigger(uint32_t handle, uint32_t options, int64_t timestamp) {
    AUTO(waitable) object = NULL;

    if (options != 0)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_SIGNAL, &object);
    return status != OK ? status : interrupt_trigger(interrupt_from(object), timestamp);
}

/* ---- Messages ---- */

status_t sys_msi_allocate(uint32_t handle, uint32_t count, struct user_out out_allocation) {
    struct msi *msi;

    status_t status = sys_check_resource(handle, ZX_RSRC_KIND_ROOT);
    if (status == OK)
        status = msi_create(count, &msi);
    return status != OK ? status : sys_publish_new(out_allocation, &msi->base);
}

status_t sys_msi_create(uint32_t handle, uint32_t options, uint32_t msi_id, uint32_t vmo,
                        uint64_t vmo_offset, struct user_out out_interrupt) {
    AUTO(waitable) object = NULL;
    AUTO(waitable) vmo_object = NULL;
    struct interrupt *interrupt;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_MSI, 0, &object);
    if (status == OK)
        status = sys_lookup(vmo, ZX_OBJ_TYPE_VMO, ZX_RIGHT_MAP, &vmo_object);
    if (status == OK)
        status = msi_create_interrupt(msi_from(object), options, msi_id, vmo_from(vmo_object),
                                      vmo_offset, &interrupt);
    return status != OK ? status : sys_publish_new(out_interrupt, &interrupt->base);
}
