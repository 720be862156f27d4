/*
 * sys_task.c - jobs, processes and threads (ZX-ABI.md section 3.12).
 */
#include <zircon/types.h>

#include "object/user_thread.h"
#include "syscall/sys_util.h"
#include "vm/aspace.h"

#define MEMORY_BLOCK_MAX MIB(64)

static status_t lookup_process(uint32_t handle, rights_t needed, struct process **out_process) {
    struct waitable *object;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_PROCESS, needed, &object);
    if (status == OK)
        *out_process = process_from(object);
    return status;
}

static status_t lookup_thread(uint32_t handle, rights_t needed, struct user_thread **out_thread) {
    struct waitable *object;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_THREAD, needed, &object);
    if (status == OK)
        *out_thread = user_thread_from(object);
    return status;
}

static status_t lookup_job(uint32_t handle, rights_t needed, struct job **out_job) {
    struct waitable *object;
    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_JOB, needed, &object);
    if (status == OK)
        *out_job = job_from(object);
    return status;
}

/* An entry point that a return to user mode can load without a fault in the kernel. */
static bool is_user_entry(vaddr_t entry) { return entry < USER_TOP; }

/* ---- Jobs ---- */

status_t sys_job_create(uint32_t parent_job, uint32_t options, struct user_out out) {
    AUTO(job) parent = NULL;
    struct job *job;
    if (options != 0)
        return ERR_INVALID_ARGS;
    status_t status = lookup_job(parent_job, ZX_RIGHT_MANAGE_JOB, &parent);
    if (status == OK)
        status = job_create(parent, &job);
    return status == OK ? sys_publish_new(out, &job->base) : status;
}

#define ENTRIES_MAX 32

/* Entries of the first version are set for good. */
static status_t copy_in_entries(uint32_t topic, struct user_in from, uint32_t count,
                                zx_policy_basic_v2_t *entries) {
    zx_policy_basic_v1_t v1;
    if (topic == ZX_JOB_POL_BASIC_V2)
        return user_copy_in(entries, from, count * sizeof(*entries));
    for (uint32_t i = 0; i < count; i++) {
        status_t status = user_copy_in(&v1, user_in_at(from, i * sizeof(v1)), sizeof(v1));
        if (status != OK)
            return status;
        entries[i] = (zx_policy_basic_v2_t){v1.condition, v1.policy, ZX_POL_OVERRIDE_DENY};
    }
    return OK;
}

static status_t set_basic_policy(uint32_t handle, uint32_t options, uint32_t topic,
                                 struct user_in policy, uint32_t count) {
    zx_policy_basic_v2_t entries[ENTRIES_MAX];
    AUTO(job) job = NULL;
    if (options > ZX_JOB_POL_ABSOLUTE || policy.address == 0 || count == 0 || count > ENTRIES_MAX)
        return ERR_INVALID_ARGS;
    status_t status = copy_in_entries(topic, policy, count, entries);
    if (status == OK)
        status = lookup_job(handle, ZX_RIGHT_SET_POLICY, &job);
    return status == OK
               ? job_set_policy(job, options == ZX_JOB_POL_ABSOLUTE, entries, count)
               : status;
}

static status_t set_slack_policy(uint32_t handle, uint32_t options, struct user_in policy,
                                 uint32_t count) {
    zx_policy_timer_slack_t slack;
    AUTO(job) job = NULL;
    if (options != ZX_JOB_POL_RELATIVE || policy.address == 0 || count != 1)
        return ERR_INVALID_ARGS;
    status_t status = user_copy_in(&slack, policy, sizeof(slack));
    if (status == OK)
        status = lookup_job(handle, ZX_RIGHT_SET_POLICY, &job);
    return status == OK ? job_set_slack(job, &slack) : status;
}

status_t sys_job_set_policy(uint32_t handle, uint32_t options, uint32_t topic,
                            struct user_in policy, uint32_t count) {
    switch (topic) {
    case ZX_JOB_POL_BASIC_V1:
    case ZX_JOB_POL_BASIC_V2:
        return set_basic_policy(handle, options, topic, policy, count);
    case ZX_JOB_POL_TIMER_SLACK:
        return set_slack_policy(handle, options, policy, count);
    default:
        return ERR_INVALID_ARGS;
    }
}

status_t sys_task_kill(uint32_t handle) {
    AUTO(waitable) object = NULL;
    status_t status = sys_lookup(handle, 0, ZX_RIGHT_DESTROY, &object);
    if (status != OK)
        return status;
    if (object->ops->type == ZX_OBJ_TYPE_PROCESS)
        process_kill(process_from(object), ZX_TASK_RETCODE_SYSCALL_KILL);
    else if (object->ops->type == ZX_OBJ_TYPE_JOB)
        job_kill(job_from(object), ZX_TASK_RETCODE_SYSCALL_KILL);
    else
        return policy_lookup_failed(ERR_WRONG_TYPE);
    return OK;
}

/* ---- Processes ---- */

/* The root region's handle may do all that the region may. */
static struct handle root_region_handle(struct process *process) {
    AUTO(region) root = aspace_root(process->aspace);
    return handle_make(&root->base, root->base.ops->default_rights | root->possible << 2);
}

status_t sys_process_create(uint32_t job_handle, struct user_in name, uint64_t name_size,
                            uint32_t options, struct user_out proc_handle,
                            struct user_out vmar_handle) {
    AUTO(job) job = NULL;
    AUTO(process) process = NULL;
    char kernel_name[OBJECT_NAME_SIZE];
    if (options != 0)
        return ERR_INVALID_ARGS;
    status_t status = policy_check(ZX_POL_NEW_PROCESS);
    if (status == OK)
        status = user_copy_name(kernel_name, name, name_size);
    if (status == OK)
        status = lookup_job(job_handle, ZX_RIGHT_MANAGE_PROCESS, &job);
    if (status == OK)
        status = process_create(job, kernel_name, &process);
    if (status != OK)
        return status;
    struct handle vmar = root_region_handle(process);
    return sys_publish_two(proc_handle, handle_make(&process->base, ZX_DEFAULT_PROCESS_RIGHTS),
                           vmar_handle, vmar);
}

/* The handle appears in the new process before its first instruction, or not at all. */
static status_t start_with_handle(struct process *process, struct user_thread *thread,
                                  struct handle *arg1, vaddr_t entry, vaddr_t stack,
                                  uint64_t arg2) {
    uint32_t value = 0;
    status_t status = OK;
    if (arg1->object)
        status = handle_table_add(&process->handles, *arg1, &value);
    if (status != OK)
        return status;
    status = process_start(process, thread, entry, stack, value, arg2);
    if (status == OK)
        arg1->object = NULL; /* the new process's now */
    else if (value && handle_table_remove(&process->handles, value, arg1) != OK)
        arg1->object = NULL; /* its process died meanwhile and closed it */
    return status;
}

static status_t process_start_checked(uint32_t handle, uint32_t thread_handle,
                                      status_t arg1_status, struct handle *arg1, vaddr_t entry,
                                      vaddr_t stack, uint64_t arg2) {
    AUTO(process) process = NULL;
    AUTO(user_thread) thread = NULL;
    status_t status = lookup_process(handle, ZX_RIGHT_WRITE, &process);
    if (status == OK)
        status = lookup_thread(thread_handle, ZX_RIGHT_WRITE, &thread);
    if (status != OK)
        return status;
    if (thread->process != process)
        return ERR_ACCESS_DENIED;
    if (arg1_status != OK)
        return arg1_status;
    if (arg1->object && !(arg1->rights & ZX_RIGHT_TRANSFER))
        return ERR_ACCESS_DENIED;
    if (process_state(process) != PROCESS_INITIAL)
        return ERR_BAD_STATE;
    if (!is_user_entry(entry))
        return ERR_INVALID_ARGS;
    return start_with_handle(process, thread, arg1, entry, stack, arg2);
}

status_t sys_process_start(uint32_t handle, uint32_t thread, uint64_t entry, uint64_t stack,
                           uint32_t arg1, uint64_t arg2) {
    struct handle first = {NULL, 0};
    status_t arg1_status = OK;
    if (arg1 != 0)
        arg1_status = handle_table_remove(sys_table(), arg1, &first);
    if (arg1_status != OK)
        arg1_status = policy_lookup_failed(arg1_status);
    status_t status =
        process_start_checked(handle, thread, arg1_status, &first, entry, stack, arg2);
    handle_release(&first);
    return status;
}

void sys_process_exit(int64_t retcode) { process_exit(retcode); }

/* Resolve and clip one transfer. */
static status_t memory_place(uint32_t handle, rights_t needed, uint64_t vaddr, uint64_t size,
                             struct aspace_place *out_place) {
    AUTO(process) process = NULL;
    if (size == 0 || size > MEMORY_BLOCK_MAX)
        return ERR_INVALID_ARGS;
    status_t status = lookup_process(handle, needed, &process);
    if (status == OK)
        status = aspace_resolve(process->aspace, vaddr, out_place);
    if (status == OK)
        out_place->left = MIN(out_place->left, size);
    return status;
}

status_t sys_process_read_memory(uint32_t handle, uint64_t vaddr, struct user_out buffer,
                                 uint64_t buffer_size, struct user_out actual) {
    struct aspace_place place;
    if (!buffer.address)
        return ERR_INVALID_ARGS;
    status_t status = memory_place(handle, ZX_RIGHT_READ | ZX_RIGHT_WRITE, vaddr, buffer_size,
                                   &place);
    if (status != OK)
        return status;
    AUTO(vmo) vmo = place.vmo;
    status = vmo_read(vmo, place.offset, buffer, place.left);
    return status == OK ? user_copy_out_u64_optional(actual, place.left) : status;
}

status_t sys_process_write_memory(uint32_t handle, uint64_t vaddr, struct user_in buffer,
                                  uint64_t buffer_size, struct user_out actual) {
    struct aspace_place place;
    if (!buffer.address)
        return ERR_INVALID_ARGS;
    status_t status = memory_place(handle, ZX_RIGHT_WRITE, vaddr, buffer_size, &place);
    if (status != OK)
        return status;
    AUTO(vmo) vmo = place.vmo;
    if (place.is_vdso || vmo->immutable)
        return ERR_ACCESS_DENIED;
    status = vmo_write(vmo, place.offset, buffer, place.left);
    return status == OK ? user_copy_out_u64_optional(actual, place.left) : status;
}

/* ---- Threads ---- */

status_t sys_thread_create(uint32_t process_handle, struct user_in name, uint64_t name_size,
                           uint32_t options, struct user_out out) {
    AUTO(process) process = NULL;
    struct user_thread *thread;
    char kernel_name[OBJECT_NAME_SIZE];
    if (options != 0)
        return ERR_INVALID_ARGS;
    status_t status = user_copy_name(kernel_name, name, name_size);
    if (status == OK)
        status = lookup_process(process_handle, ZX_RIGHT_MANAGE_THREAD, &process);
    if (status == OK)
        status = user_thread_create(process, kernel_name, &thread);
    return status == OK ? sys_publish_new(out, &thread->base) : status;
}

status_t sys_thread_start(uint32_t handle, uint64_t thread_entry, uint64_t stack, uint64_t arg1,
                          uint64_t arg2) {
    AUTO(user_thread) thread = NULL;
    status_t status = lookup_thread(handle, ZX_RIGHT_MANAGE_THREAD, &thread);
    if (status != OK)
        return status;
    if (!is_user_entry(thread_entry))
        return ERR_INVALID_ARGS;
    return user_thread_start(thread, thread_entry, stack, arg1, arg2);
}

void sys_thread_exit(void) { user_thread_exit(); }
