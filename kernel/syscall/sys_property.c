/*
 * sys_property.c - properties of objects, and children by koid.
 */
#include "arch/boot.h"
#include "arch/mmu.h"
#include "object/exception_object.h"
#include "object/object.h"
#include "object/socket.h"
#include "object/stream.h"
#include "object/task_info.h"
#include "syscall/sys_util.h"
#include "vm/aspace.h"

/* ---- reading ---- */

static status_t get_name(struct waitable *object, struct user_out value, uint64_t size) {
    char name[OBJECT_NAME_SIZE];

    if (size < sizeof(name))
        return ERR_BUFFER_TOO_SMALL;
    object_get_name(object, name);
    return user_copy_out(value, name, sizeof(name));
}

static vaddr_t vdso_base(struct aspace *aspace) {
    MUTEX_GUARD(&aspace->lock);

    return aspace->vdso_base;
}

static status_t get_vdso_base(struct waitable *object, struct user_out value, uint64_t size) {
    if (size < sizeof(uintptr_t))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_PROCESS)
        return ERR_WRONG_TYPE;
    return user_copy_out_u64(value, vdso_base(process_from(object)->aspace));
}

static status_t get_threshold(struct waitable *object, uint32_t property, struct user_out value,
                              uint64_t size) {
    uint64_t rx, tx;

    if (size < sizeof(uint64_t))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_SOCKET)
        return ERR_WRONG_TYPE;
    socket_get_thresholds(socket_from(object), &rx, &tx);
    return user_copy_out_u64(value, property == ZX_PROP_SOCKET_RX_THRESHOLD ? rx : tx);
}

static status_t get_content_size(struct waitable *object, struct user_out value, uint64_t size) {
    if (size < sizeof(uint64_t))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_VMO)
        return ERR_WRONG_TYPE;
    return user_copy_out_u64(value, vmo_content_size(vmo_from(object)));
}

static status_t get_debug_word(struct waitable *object, uint32_t property, struct user_out value,
                               uint64_t size) {
    if (size < sizeof(uintptr_t))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_PROCESS)
        return ERR_WRONG_TYPE;
    struct process *process = process_from(object);
    return user_copy_out_u64(value, property == ZX_PROP_PROCESS_DEBUG_ADDR
                                        ? process_debug_addr(process)
                                        : process_break_on_load(process));
}

/* By what a tracer tells address spaces apart (CR3): a physical address, so only for debugging. */
static status_t get_trace_context(struct waitable *object, struct user_out value, uint64_t size) {
    if (!boot_option_bool("debug.syscalls", false))
        return ERR_NOT_SUPPORTED;
    if (size < sizeof(uintptr_t))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_PROCESS)
        return ERR_WRONG_TYPE;
    return user_copy_out_u64(value, process_from(object)->aspace->mmu.root.value);
}

static status_t get_exception(struct waitable *object, uint32_t property, struct user_out value,
                              uint64_t size) {
    if (size < sizeof(uint32_t))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_EXCEPTION)
        return ERR_WRONG_TYPE;
    struct exception_object *exception = exception_from(object);
    if (property == ZX_PROP_EXCEPTION_STATE)
        return user_copy_out_u32(value, exception_get_state(exception));
    if (!exception_has_strategy(exception))
        return ERR_BAD_STATE;
    return user_copy_out_u32(value, exception_get_strategy(exception));
}

static status_t get_append_mode(struct waitable *object, struct user_out value, uint64_t size) {
    uint8_t append;

    if (size < sizeof(append))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_STREAM)
        return ERR_WRONG_TYPE;
    append = stream_append_mode(stream_from(object));
    return user_copy_out(value, &append, sizeof(append));
}

status_t sys_object_get_property(uint32_t handle, uint32_t property, struct user_out value,
                                 uint64_t value_size) {
    AUTO(waitable) object = NULL;

    if (value.address == 0)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(handle, 0, ZX_RIGHT_GET_PROPERTY, &object);
    if (status != OK)
        return status;
    switch (property) {
    case ZX_PROP_NAME:
        return get_name(object, value, value_size);
    case ZX_PROP_PROCESS_VDSO_BASE_ADDRESS:
        return get_vdso_base(object, value, value_size);
    case ZX_PROP_SOCKET_RX_THRESHOLD:
    case ZX_PROP_SOCKET_TX_THRESHOLD:
        return get_threshold(object, property, value, value_size);
    case ZX_PROP_VMO_CONTENT_SIZE:
        return get_content_size(object, value, value_size);
    case ZX_PROP_STREAM_MODE_APPEND:
        return get_append_mode(object, value, value_size);
    case ZX_PROP_PROCESS_DEBUG_ADDR:
    case ZX_PROP_PROCESS_BREAK_ON_LOAD:
        return get_debug_word(object, property, value, value_size);
    case ZX_PROP_EXCEPTION_STATE:
    case ZX_PROP_EXCEPTION_STRATEGY:
        return get_exception(object, property, value, value_size);
    case ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID:
        return get_trace_context(object, value, value_size);
    default:
        return ERR_INVALID_ARGS;
    }
}

/* ---- writing ---- */

static status_t set_name(struct waitable *object, struct user_in value, uint64_t size) {
    char name[OBJECT_NAME_SIZE];

    status_t status = user_copy_name(name, value, size);
    return status != OK ? status : object_set_name(object, name);
}

static status_t set_register(struct waitable *object, uint32_t property, struct user_in value,
                             uint64_t size) {
    struct user_thread *self = user_thread_current();
    uint64_t base;

    if (size < sizeof(base))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_THREAD)
        return ERR_WRONG_TYPE;
    if (user_thread_from(object) != self)
        return ERR_ACCESS_DENIED;
    status_t status = user_copy_in(&base, value, sizeof(base));
    if (status != OK)
        return status;
    if (base >= USER_TOP)
        return ERR_INVALID_ARGS;
    if (property == ZX_PROP_REGISTER_FS)
        arch_set_user_fs_base(&self->thread.arch, base);
    else
        arch_set_user_gs_base(&self->thread.arch, base);
    return OK;
}

static status_t set_threshold(struct waitable *object, uint32_t property, struct user_in value,
                              uint64_t size) {
    uint64_t threshold;

    if (size < sizeof(threshold))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_SOCKET)
        return ERR_WRONG_TYPE;
    status_t status = user_copy_in(&threshold, value, sizeof(threshold));
    if (status != OK)
        return status;
    return property == ZX_PROP_SOCKET_RX_THRESHOLD
               ? socket_set_rx_threshold(socket_from(object), threshold)
               : socket_set_tx_threshold(socket_from(object), threshold);
}

/* Bytes behind the end are zeroed, so whoever may not write may not do this either. */
static status_t set_content_size(struct waitable *object, rights_t rights, struct user_in value,
                                 uint64_t size) {
    uint64_t content_size;

    if (size < sizeof(content_size))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_VMO)
        return ERR_WRONG_TYPE;
    if (!(rights & ZX_RIGHT_WRITE))
        return ERR_ACCESS_DENIED;
    status_t status = user_copy_in(&content_size, value, sizeof(content_size));
    return status == OK ? vmo_set_content_size(vmo_from(object), content_size) : status;
}

static status_t set_append_mode(struct waitable *object, struct user_in value, uint64_t size) {
    uint8_t append;

    if (size < sizeof(append))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_STREAM)
        return ERR_WRONG_TYPE;
    status_t status = user_copy_in(&append, value, sizeof(append));
    if (status == OK)
        stream_set_append_mode(stream_from(object), append != 0);
    return status;
}

static status_t set_kill_on_oom(struct waitable *object, struct user_in value, uint64_t size) {
    uint64_t allowed;

    if (size < sizeof(allowed))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_JOB)
        return ERR_WRONG_TYPE;
    status_t status = user_copy_in(&allowed, value, sizeof(allowed));
    if (status != OK)
        return status;
    if (allowed > 1)
        return ERR_INVALID_ARGS;
    job_set_kill_on_oom(job_from(object), allowed);
    return OK;
}

static status_t set_debug_word(struct waitable *object, uint32_t property, struct user_in value,
                               uint64_t size) {
    uint64_t word;

    if (size < sizeof(word))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_PROCESS)
        return ERR_WRONG_TYPE;
    status_t status = user_copy_in(&word, value, sizeof(word));
    if (status != OK)
        return status;
    if (property == ZX_PROP_PROCESS_DEBUG_ADDR)
        return process_set_debug_addr(process_from(object), word);
    process_set_break_on_load(process_from(object), word);
    return OK;
}

static status_t set_exception(struct waitable *object, uint32_t property, struct user_in value,
                              uint64_t size) {
    uint32_t word;

    if (size < sizeof(word))
        return ERR_BUFFER_TOO_SMALL;
    if (object->ops->type != ZX_OBJ_TYPE_EXCEPTION)
        return ERR_WRONG_TYPE;
    struct exception_object *exception = exception_from(object);
    if (property == ZX_PROP_EXCEPTION_STRATEGY && !exception_has_strategy(exception))
        return ERR_BAD_STATE;
    status_t status = user_copy_in(&word, value, sizeof(word));
    if (status != OK)
        return status;
    return property == ZX_PROP_EXCEPTION_STATE ? exception_set_state(exception, word)
                                               : exception_set_strategy(exception, word);
}

status_t sys_object_set_property(uint32_t handle, uint32_t property, struct user_in value,
                                 uint64_t value_size) {
    AUTO(waitable) object = NULL;
    rights_t rights;

    if (value.address == 0)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup_rights(handle, 0, ZX_RIGHT_SET_PROPERTY, &object,
                                       &rights);
    if (status != OK)
        return status;
    switch (property) {
    case ZX_PROP_NAME:
        return set_name(object, value, value_size);
    case ZX_PROP_REGISTER_FS:
    case ZX_PROP_REGISTER_GS:
        return set_register(object, property, value, value_size);
    case ZX_PROP_SOCKET_RX_THRESHOLD:
    case ZX_PROP_SOCKET_TX_THRESHOLD:
        return set_threshold(object, property, value, value_size);
    case ZX_PROP_VMO_CONTENT_SIZE:
        return set_content_size(object, rights, value, value_size);
    case ZX_PROP_STREAM_MODE_APPEND:
        return set_append_mode(object, value, value_size);
    case ZX_PROP_JOB_KILL_ON_OOM:
        return set_kill_on_oom(object, value, value_size);
    case ZX_PROP_PROCESS_DEBUG_ADDR:
    case ZX_PROP_PROCESS_BREAK_ON_LOAD:
        return set_debug_word(object, property, value, value_size);
    case ZX_PROP_EXCEPTION_STATE:
    case ZX_PROP_EXCEPTION_STRATEGY:
        return set_exception(object, property, value, value_size);
    default:
        return ERR_INVALID_ARGS;
    }
}

/* ---- children ---- */

static status_t find_child(struct waitable *object, uint64_t koid, struct waitable **out_child) {
    if (object->ops->type == ZX_OBJ_TYPE_PROCESS)
        *out_child = process_find_thread(process_from(object), koid);
    else if (object->ops->type == ZX_OBJ_TYPE_JOB)
        *out_child = job_find_child(job_from(object), koid);
    else
        return policy_lookup_failed(ERR_WRONG_TYPE);
    return *out_child ? OK : ERR_NOT_FOUND;
}

status_t sys_object_get_child(uint32_t handle, uint64_t koid, uint32_t rights,
                              struct user_out out) {
    AUTO(waitable) object = NULL;
    struct waitable *child;
    rights_t held;

    status_t status =
        sys_lookup_rights(handle, 0, ZX_RIGHT_ENUMERATE, &object, &held);
    if (status != OK)
        return status;
    if (rights == ZX_RIGHT_SAME_RIGHTS)
        rights = held;
    if (!rights_are_subset(rights, held))
        return ERR_ACCESS_DENIED;
    status = find_child(object, koid, &child);
    return status != OK ? status : sys_publish(out, handle_adopt(child, rights));
}
