/*
 * sys_exception.c - suspending tasks, their registers, and their exceptions (ZX-ABI.md
 * sections 3.12 and 3.13).
 */
#include <zircon/types.h>

#include "object/exception.h"
#include "object/exception_object.h"
#include "object/suspend_token.h"
#include "syscall/sys_util.h"
#include "vm/kheap.h"

/* ---- Suspension ---- */

static status_t suspend(struct waitable *object, struct waitable **out_token) {
    if (object->ops->type == ZX_OBJ_TYPE_THREAD) {
        struct user_thread *thread = user_thread_from(object);
        return thread == user_thread_current() ? ERR_NOT_SUPPORTED
                                               : suspend_thread(thread, out_token);
    }
    if (object->ops->type == ZX_OBJ_TYPE_PROCESS) {
        struct process *process = process_from(object);
        return process == process_current() ? ERR_NOT_SUPPORTED
                                            : suspend_process(process, out_token);
    }
    return ERR_WRONG_TYPE;
}

status_t sys_task_suspend(uint32_t handle, struct user_out token) {
    AUTO(waitable) object = NULL;
    struct waitable *made;

    status_t status = sys_lookup(handle, 0, ZX_RIGHT_WRITE, &object);
    if (status == OK)
        status = suspend(object, &made);
    return status == OK ? sys_publish_new(token, made) : status;
}

/* ---- Registers ---- */

struct set {
    uint32_t kind;
    size_t size;
    void *bytes; /* owned */
};

static status_t lookup_thread(uint32_t handle, rights_t needed, struct waitable **out_object) {
    return sys_lookup(handle, ZX_OBJ_TYPE_THREAD, needed, out_object);
}

static status_t set_make(uint32_t kind, uint64_t buffer_size, struct set *out_set) {
    *out_set = (struct set){kind, arch_register_set_size(kind), NULL};
    if (out_set->size == 0)
        return ERR_INVALID_ARGS;
    if (buffer_size < out_set->size)
        return ERR_BUFFER_TOO_SMALL;
    out_set->bytes = kheap_alloc(out_set->size);
    return out_set->bytes ? OK : ERR_NO_MEMORY;
}

static void set_free(struct set *set) { kheap_free(set->bytes); }
#define AUTO_SET __attribute__((cleanup(set_free))) struct set

status_t sys_thread_read_state(uint32_t handle, uint32_t kind, struct user_out buffer,
                               uint64_t buffer_size) {
    AUTO(waitable) object = NULL;
    AUTO_SET set = {};

    status_t status = lookup_thread(handle, ZX_RIGHT_READ, &object);
    if (status == OK)
        status = set_make(kind, buffer_size, &set);
    if (status == OK)
        status = user_thread_read_registers(user_thread_from(object), kind, set.bytes);
    return status == OK ? user_copy_out(buffer, set.bytes, set.size) : status;
}

status_t sys_thread_write_state(uint32_t handle, uint32_t kind, struct user_in buffer,
                                uint64_t buffer_size) {
    AUTO(waitable) object = NULL;
    AUTO_SET set = {};

    status_t status = lookup_thread(handle, ZX_RIGHT_WRITE, &object);
    if (status == OK)
        status = set_make(kind, buffer_size, &set);
    if (status == OK)
        status = user_copy_in(set.bytes, buffer, set.size);
    return status == OK ? user_thread_write_registers(user_thread_from(object), kind, set.bytes)
                        : status;
}

/* ---- Exceptions ---- */

static status_t bind(struct waitable *task, bool is_debugger, struct exception_binding *binding,
                     rights_t rights) {
    switch (task->ops->type) {
    case ZX_OBJ_TYPE_THREAD:
        return exception_bind_thread(user_thread_from(task), binding, rights);
    case ZX_OBJ_TYPE_PROCESS:
        return exception_bind_process(process_from(task), is_debugger, binding, rights);
    default:
        return job_bind_exceptions(job_from(task), is_debugger, binding, rights);
    }
}

static status_t check_task(const struct waitable *task, bool is_debugger, rights_t rights) {
    uint32_t type = task->ops->type;

    if (type == ZX_OBJ_TYPE_THREAD)
        return is_debugger ? ERR_INVALID_ARGS : OK;
    if (type != ZX_OBJ_TYPE_PROCESS && type != ZX_OBJ_TYPE_JOB)
        return ERR_WRONG_TYPE;
    return rights & ZX_RIGHT_ENUMERATE ? OK : ERR_ACCESS_DENIED;
}

#define HANDLER_RIGHTS                                                                             \
    (ZX_RIGHT_INSPECT | ZX_RIGHT_DUPLICATE | ZX_RIGHT_TRANSFER | ZX_RIGHT_MANAGE_THREAD)

status_t sys_task_create_exception_channel(uint32_t handle, uint32_t options,
                                           struct user_out out) {
    AUTO(waitable) task = NULL;
    struct exception_binding binding;
    bool is_debugger = options & ZX_EXCEPTION_CHANNEL_DEBUGGER;
    rights_t rights;

    if (options & ~ZX_EXCEPTION_CHANNEL_DEBUGGER)
        return ERR_INVALID_ARGS;
    status_t status = policy_check(ZX_POL_NEW_CHANNEL);
    if (status == OK)
        status = sys_lookup_rights(handle, 0, HANDLER_RIGHTS, &task, &rights);
    if (status == OK)
        status = check_task(task, is_debugger, rights);
    if (status == OK)
        status = exception_binding_make(&binding);
    if (status != OK)
        return status;
    /* Its handle is there before the slot's, so it is not found abandoned. */
    struct handle theirs =
        handle_make(&binding.theirs->end.base, ZX_DEFAULT_EXCEPTION_CHANNEL_RIGHTS);
    status = bind(task, is_debugger, &binding, rights);
    exception_binding_finish(&binding);
    if (status == OK)
        return sys_publish(out, theirs);
    handle_release(&theirs);
    return status;
}

static status_t lookup_exception(uint32_t handle, struct waitable **out_object) {
    return sys_lookup(handle, ZX_OBJ_TYPE_EXCEPTION, 0, out_object);
}

static status_t publish_task(struct user_out out, struct waitable *task, rights_t rights) {
    return rights ? sys_publish(out, handle_make(task, rights)) : ERR_ACCESS_DENIED;
}

status_t sys_exception_get_thread(uint32_t handle, struct user_out out) {
    AUTO(waitable) object = NULL;

    status_t status = lookup_exception(handle, &object);
    if (status != OK)
        return status;
    const struct exception_object *exception = exception_from(object);
    return publish_task(out, &exception->thread->base, exception->thread_rights);
}

status_t sys_exception_get_process(uint32_t handle, struct user_out out) {
    AUTO(waitable) object = NULL;

    status_t status = lookup_exception(handle, &object);
    if (status != OK)
        return status;
    const struct exception_object *exception = exception_from(object);
    return publish_task(out, &exception->thread->process->base, exception->process_rights);
}

/* ---- Critical processes ---- */

status_t sys_job_set_critical(uint32_t job_handle, uint32_t options, uint32_t process_handle) {
    AUTO(waitable) job = NULL;
    AUTO(waitable) process = NULL;

    if (options & ~ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO)
        return ERR_INVALID_ARGS;
    status_t status = sys_lookup(job_handle, ZX_OBJ_TYPE_JOB, ZX_RIGHT_DESTROY, &job);
    if (status == OK)
        status = sys_lookup(process_handle, ZX_OBJ_TYPE_PROCESS, ZX_RIGHT_WAIT, &process);
    return status == OK ? process_set_critical(process_from(process), job_from(job),
                                               options != 0)
                        : status;
}
