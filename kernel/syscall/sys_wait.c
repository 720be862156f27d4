/*
 * sys_wait.c - waiting for signals, setting them, and ports.
 */
#include "object/object.h"
#include "object/port.h"
#include "object/wait.h"
#include "syscall/sys_util.h"
#include "vm/kheap.h"

status_t sys_object_wait_one(uint32_t handle, uint32_t signals, int64_t deadline,
                             struct user_out observed) {
    struct wait_result result = wait_one(sys_table(), handle, signals, deadline);
    status_t status = result.status;

    if (unlikely(status != OK) && status != ERR_TIMED_OUT && status != ERR_CANCELED)
        return policy_lookup_failed(status);
    status_t copied = user_copy_out_u32_optional(observed, result.observed);
    return copied != OK ? copied : status;
}

static status_t wait_items(zx_wait_item_t *items, struct user_out user_items, size_t count,
                           nstime_t deadline) {
    size_t size = count * sizeof(*items);

    status_t status = user_copy_in(items, (struct user_in){user_items.address}, size);
    if (status != OK)
        return status;
    status = wait_many(sys_table(), items, count, deadline);
    if (status != OK && status != ERR_TIMED_OUT && status != ERR_CANCELED)
        return policy_lookup_failed(status);
    status_t copied = user_copy_out(user_items, items, size);
    return copied != OK ? copied : status;
}

#define ITEMS_ON_STACK 8

status_t sys_object_wait_many(struct user_out items, uint64_t count, int64_t deadline) {
    zx_wait_item_t few[ITEMS_ON_STACK];

    if (count > ZX_WAIT_MANY_MAX_ITEMS)
        return ERR_OUT_OF_RANGE;
    if (count <= ITEMS_ON_STACK)
        return wait_items(few, items, count, deadline);
    zx_wait_item_t *many = kheap_alloc(count * sizeof(*many));
    if (!many)
        return ERR_NO_MEMORY;
    status_t status = wait_items(many, items, count, deadline);
    kheap_free(many);
    return status;
}

status_t sys_object_wait_async(uint32_t handle, uint32_t port, uint64_t key, uint32_t signals,
                               uint32_t options) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(port, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &object);
    if (status != OK)
        return status;
    status = port_wait_async(port_from(object), sys_table(), handle, key, signals, options);
    return likely(status == OK) ? OK : policy_lookup_failed(status);
}

status_t sys_object_signal(uint32_t handle, uint32_t clear_mask, uint32_t set_mask) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, 0, ZX_RIGHT_SIGNAL, &object);
    return status != OK ? status : object_signal(object, clear_mask, set_mask);
}

status_t sys_object_signal_peer(uint32_t handle, uint32_t clear_mask, uint32_t set_mask) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, 0, ZX_RIGHT_SIGNAL_PEER, &object);
    return status != OK ? status : object_signal_peer(object, clear_mask, set_mask);
}

/* ---- ports ---- */

status_t sys_port_create(uint32_t options, struct user_out out) {
    struct port *port;

    if (options & ~ZX_PORT_BIND_TO_INTERRUPT)
        return ERR_INVALID_ARGS;
    status_t status = policy_check(ZX_POL_NEW_PORT);
    if (status == OK)
        status = port_create(options, &port);
    return status != OK ? status : sys_publish_new(out, &port->base);
}

status_t sys_port_queue(uint32_t handle, struct user_in packet) {
    AUTO(waitable) object = NULL;
    zx_port_packet_t copy;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &object);
    if (status != OK)
        return status;
    status = user_copy_in(&copy, packet, sizeof(copy));
    return status != OK ? status : port_queue(port_from(object), &copy);
}

status_t sys_port_wait(uint32_t handle, int64_t deadline, struct user_out packet) {
    AUTO(waitable) object = NULL;
    zx_port_packet_t taken;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_READ, &object);
    if (status != OK)
        return status;
    status = port_wait(port_from(object), deadline, &taken);
    return status != OK ? status : user_copy_out(packet, &taken, sizeof(taken));
}

status_t sys_port_cancel(uint32_t handle, uint32_t source, uint64_t key) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &object);
    if (status != OK)
        return status;
    status = port_cancel(port_from(object), sys_table(), source, key);
    return likely(status == OK) ? OK : policy_lookup_failed(status);
}
