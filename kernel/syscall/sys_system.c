/*
 * sys_system.c - random numbers, resources, power.
 */
#include <zircon/syscalls/system.h>

#include "arch/cpu.h"
#include "object/memory_pressure.h"
#include "object/resource.h"
#include "syscall/sys_resource.h"
#include "syscall/sys_util.h"
#include "vm/entropy.h"

status_t sys_cprng_draw_once(struct user_out buffer, uint64_t buffer_size) {
    uint8_t bytes[ZX_CPRNG_DRAW_MAX_LEN];

    if (buffer_size > sizeof(bytes))
        return ERR_INVALID_ARGS;
    entropy_draw(bytes, buffer_size);
    return user_copy_out(buffer, bytes, buffer_size);
}

status_t sys_cprng_add_entropy(struct user_in buffer, uint64_t buffer_size) {
    uint8_t bytes[ZX_CPRNG_ADD_ENTROPY_MAX_LEN];

    if (buffer_size > sizeof(bytes))
        return ERR_INVALID_ARGS;
    status_t status = user_copy_in(bytes, buffer, buffer_size);
    if (status == OK)
        entropy_mix(bytes, buffer_size);
    return status;
}

/* ---- resources ---- */

status_t sys_check_resource(uint32_t handle, uint32_t kind) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_RESOURCE, 0, &object);
    return status != OK ? status : resource_check(resource_from(object), kind);
}

status_t sys_check_resource_range(uint32_t handle, uint32_t kind, uint64_t start, uint64_t size) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_RESOURCE, 0, &object);
    return status != OK ? status : resource_check_range(resource_from(object), kind, start, size);
}

status_t sys_resource_create(uint32_t parent_rsrc, uint32_t options, uint64_t base, uint64_t size,
                             struct user_in name, uint64_t name_size,
                             struct user_out resource_out) {
    AUTO(waitable) object = NULL;
    char kept_name[OBJECT_NAME_SIZE];
    struct resource *resource;

    status_t status = sys_lookup(parent_rsrc, ZX_OBJ_TYPE_RESOURCE, ZX_RIGHT_WRITE, &object);
    if (status != OK)
        return status;
    status = resource_check_create(resource_from(object), options);
    if (status == OK)
        status = user_copy_name(kept_name, name, name_size);
    if (status == OK)
        status = resource_create(resource_from(object), options, base, size, kept_name, &resource);
    return status != OK ? status : sys_publish_new(resource_out, &resource->base);
}

/* ---- memory pressure ---- */

status_t sys_system_get_event(uint32_t root_job, uint32_t kind, struct user_out event) {
    AUTO(waitable) job = NULL;
    const rights_t needed = kind == ZX_SYSTEM_EVENT_OUT_OF_MEMORY ? ZX_RIGHT_MANAGE_PROCESS : 0;

    status_t status = sys_lookup(root_job, ZX_OBJ_TYPE_JOB, needed, &job);
    if (status != OK)
        return status;
    if (job_from(job) != job_root())
        return ERR_ACCESS_DENIED;
    struct waitable *object = memory_pressure_event(kind);
    if (!object)
        return ERR_INVALID_ARGS;
    return sys_publish(event, handle_make(object, ZX_RIGHT_WAIT | ZX_RIGHT_DUPLICATE |
                                                      ZX_RIGHT_TRANSFER));
}

/* ---- power ---- */

/* Only off: to come back from any other state every driver would have to help. */
static status_t enter_s_state(const zx_system_powerctl_arg_t *arg) {
    uint8_t target = arg->acpi_transition_s_state.target_s_state;

    if (target < 1 || target > 5)
        return ERR_INVALID_ARGS;
    if (target == 5)
        machine_end(MACHINE_POWEROFF, 0);
    return cpu_count() > 1 ? ERR_BAD_STATE : ERR_NOT_SUPPORTED;
}

status_t sys_system_powerctl(uint32_t resource, uint32_t cmd, struct user_in arg) {
    zx_system_powerctl_arg_t copy = {0};
    status_t status = sys_check_resource(resource, ZX_RSRC_KIND_ROOT);

    if (status == OK && (cmd == ZX_SYSTEM_POWERCTL_ACPI_TRANSITION_S_STATE ||
                         cmd == ZX_SYSTEM_POWERCTL_X86_SET_PKG_PL1))
        status = user_copy_in(&copy, arg, sizeof(copy));
    if (status != OK)
        return status;
    switch (cmd) {
    case ZX_SYSTEM_POWERCTL_REBOOT:
    case ZX_SYSTEM_POWERCTL_REBOOT_BOOTLOADER:
    case ZX_SYSTEM_POWERCTL_REBOOT_RECOVERY:
        machine_end(MACHINE_REBOOT, 0);
    case ZX_SYSTEM_POWERCTL_SHUTDOWN:
        machine_end(MACHINE_POWEROFF, 0);
    case ZX_SYSTEM_POWERCTL_ACK_KERNEL_INITIATED_REBOOT:
        return ERR_BAD_STATE;
    case ZX_SYSTEM_POWERCTL_ENABLE_ALL_CPUS: /* they are, from boot to the end */
        return OK;
    case ZX_SYSTEM_POWERCTL_DISABLE_ALL_CPUS_BUT_PRIMARY:
        return cpu_count() > 1 ? ERR_NOT_SUPPORTED : OK;
    case ZX_SYSTEM_POWERCTL_ACPI_TRANSITION_S_STATE:
        return enter_s_state(&copy);
    case ZX_SYSTEM_POWERCTL_X86_SET_PKG_PL1:
        return ERR_NOT_SUPPORTED;
    default:
        return ERR_INVALID_ARGS;
    }
}
