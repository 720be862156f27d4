/*
 * launch.c - starts a program in a process of its own.
 *
 * The steps, each undone by closing the handles of `struct work` if a later one fails:
 * an empty process, the program, the vDSO, a stack, a thread, the start message, go.
 * A process that was never started ends when its last handle is closed.
 */
#include <jacinth/launch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "c/lock.h"
#include "zx/load.h"
#include "zx/message.h"
#include "zx/start.h"

#define STACK_SIZE     ((size_t)512 << 10)
#define STACK_SIZE_MAX ((size_t)64 << 20)

struct work {
    const struct jx_launch *launch;
    zx_handle_t process, vmar, thread; /* vmar: the root of the new address space */
    zx_handle_t channel, bootstrap; /* our end, the new process's end */
    struct loaded program;
    uintptr_t vdso, stack;
    struct message message;
    const char *step;   /* for the error line */
    const char *reason; /* of a bad file, else NULL */
};

/* --- the vDSO: mapped here once, so that its headers can be read --- */

struct vdso {
    struct jx_file file;
    struct elf_image image;
};

static zx_status_t open_vdso_locked(struct vdso *vdso) {
    const char *reason;
    zx_vaddr_t address = 0;
    struct jx_file *file = &vdso->file;
    file->vmo = start_find_handle(PA_HND(PA_VMO_VDSO, 0));
    zx_status_t status = zx_vmo_get_size(file->vmo, &file->size);
    if (status == ZX_OK)
        status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, file->vmo, 0, file->size,
                             &address);
    if (status != ZX_OK)
        return status;
    file->data = (const char *)address;
    return load_parse(file, &vdso->image, &reason);
}

static zx_status_t map_vdso(struct work *work) {
    static struct lock lock;
    static struct vdso vdso;
    static bool is_open;
    zx_status_t status = ZX_OK;
    struct loaded loaded;
    work->step = "the vDSO";
    lock_take(&lock);
    if (!is_open)
        status = open_vdso_locked(&vdso);
    is_open = status == ZX_OK;
    lock_drop(&lock);
    if (status == ZX_OK)
        status = load_image(work->vmar, &vdso.file, &vdso.image, &loaded);
    if (status != ZX_OK)
        return status;
    work->vdso = loaded.base;
    return zx_handle_close(loaded.region);
}

/* --- the steps --- */

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static zx_status_t create_process(struct work *work) {
    const struct jx_launch *launch = work->launch;
    const char *name = launch->name ? launch->name : last_part(launch->argv[0]);
    zx_handle_t job = launch->job != ZX_HANDLE_INVALID ? launch->job : zx_job_default();
    work->step = "the process";
    return zx_process_create(job, name, strlen(name), 0, &work->process, &work->vmar);
}

static zx_status_t load_program(struct work *work) {
    struct jx_file found;
    struct elf_image image;
    const struct jx_file *file = work->launch->file;
    zx_status_t status = ZX_OK;
    work->step = "the program";
    if (!file) {
        status = jx_file_find(work->launch->argv[0], &found);
        file = &found;
    }
    if (status == ZX_OK)
        status = load_parse(file, &image, &work->reason);
    if (status == ZX_OK)
        status = load_image(work->vmar, file, &image, &work->program);
    return status;
}

/* As the program asks, within reason. */
static size_t stack_size(const struct work *work) {
    uint64_t wish = work->program.stack_size;
    if (wish == 0)
        return STACK_SIZE;
    return wish < STACK_SIZE_MAX ? (wish + 2 * ZX_PAGE_SIZE - 1) & ~ZX_PAGE_MASK : STACK_SIZE_MAX;
}

/* The lowest page stays out of reach, so that an overflow faults at once. */
static zx_status_t map_stack(struct work *work) {
    zx_handle_t vmo;
    uintptr_t base = 0;
    size_t size = stack_size(work);
    work->step = "the stack";
    zx_status_t status = zx_vmo_create(size, 0, &vmo);
    if (status != ZX_OK)
        return status;
    status = zx_vmar_map(work->vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, size, &base);
    if (status == ZX_OK)
        status = zx_vmar_protect(work->vmar, 0, base, ZX_PAGE_SIZE);
    work->stack = base + size - 8; /* as after a call instruction */
    message_add_handle(&work->message, PA_HND(PA_VMO_STACK, 0), vmo);
    return status;
}

static zx_status_t create_thread(struct work *work) {
    work->step = "the thread";
    return zx_thread_create(work->process, "main", 4, 0, &work->thread);
}

static bool has_handle(const struct jx_launch *launch, uint32_t info) {
    for (size_t i = 0; i < launch->handle_count; i++) {
        if (launch->handles[i].info == info)
            return true;
    }
    return false;
}

/* What the new process inherits from this one, where it exists. */
static void add_inherited(struct work *work) {
    static const uint32_t always[] = {PA_HND(PA_VMO_VDSO, 0), PA_HND(PA_VMO_BOOTFS, 0)};
    const struct jx_launch *launch = work->launch;
    struct message *message = &work->message;
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        if (!has_handle(launch, always[i]))
            message_add_copy(message, always[i], start_find_handle(always[i]));
    }
    for (uint32_t fd = 0; fd < 3 && !(launch->flags & JX_LAUNCH_NO_STDIO); fd++) {
        if (!has_handle(launch, PA_HND(PA_FD, fd)))
            message_add_copy(message, PA_HND(PA_FD, fd), jx_stream_handle((int)fd));
    }
}

static void add_own_handles(struct work *work) {
    struct message *message = &work->message;
    zx_handle_t job = work->launch->job;
    message_add_copy(message, PA_HND(PA_PROC_SELF, 0), work->process);
    message_add_copy(message, PA_HND(PA_THREAD_SELF, 0), work->thread);
    message_add_copy(message, PA_HND(PA_JOB_DEFAULT, 0),
                     job != ZX_HANDLE_INVALID ? job : zx_job_default());
    message_add_handle(message, PA_HND(PA_VMAR_LOADED, 0), work->program.region);
    message_add_handle(message, PA_HND(PA_VMAR_ROOT, 0), work->vmar);
    work->program.region = work->vmar = ZX_HANDLE_INVALID;
}

static zx_status_t send_message(struct work *work) {
    const struct jx_launch *launch = work->launch;
    work->step = "the start message";
    add_own_handles(work);
    add_inherited(work);
    zx_status_t status = zx_channel_create(0, &work->channel, &work->bootstrap);
    if (status != ZX_OK)
        return status;
    return message_send(&work->message, work->channel, launch->argv,
                        launch->envp ? launch->envp : (const char *const *)environ);
}

static zx_status_t start_process(struct work *work) {
    zx_handle_t bootstrap = work->bootstrap;
    work->step = "the start";
    work->bootstrap = ZX_HANDLE_INVALID; /* given away whatever happens */
    return zx_process_start(work->process, work->thread, work->program.entry, work->stack,
                            bootstrap, work->vdso);
}

typedef zx_status_t launch_step(struct work *work);
static launch_step *const steps[] = {create_process, load_program,  map_vdso,     map_stack,
                                     create_thread,  send_message, start_process};

static void close_work(struct work *work) {
    const zx_handle_t handles[] = {work->vmar, work->thread, work->channel, work->bootstrap,
                                   work->program.region};
    message_close(&work->message);
    (void)zx_handle_close_many(handles, sizeof handles / sizeof handles[0]);
}

static void explain(const struct work *work, zx_status_t status, char *error, size_t size) {
    if (size > 0)
        snprintf(error, size, "%s: %s: %s", work->launch->argv[0], work->step,
                 work->reason ? work->reason : zx_status_get_string(status));
}

zx_status_t jx_launch(const struct jx_launch *launch, zx_handle_t *out_process, char *error,
                      size_t error_size) {
    struct work work = {.launch = launch, .step = "the handles"};
    zx_status_t status = ZX_OK;
    for (size_t i = 0; i < launch->handle_count; i++)
        message_add_handle(&work.message, launch->handles[i].info, launch->handles[i].handle);
    if (launch->handle_count > JX_LAUNCH_HANDLES)
        status = ZX_ERR_OUT_OF_RANGE;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == ZX_OK; i++)
        status = steps[i](&work);

    close_work(&work);
    if (status == ZX_OK) {
        *out_process = work.process;
    } else {
        (void)zx_handle_close(work.process);
        explain(&work, status, error, error_size);
    }
    return status;
}

zx_status_t jx_spawn(const char *const *argv, zx_handle_t *out_process) {
    const struct jx_launch launch = {.argv = argv};
    return jx_launch(&launch, out_process, NULL, 0);
}

zx_status_t jx_wait(zx_handle_t process, int64_t *out_code) {
    zx_info_process_t info;
    zx_status_t status =
        zx_object_wait_one(process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL);
    if (status == ZX_OK)
        status = zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL);
    if (status == ZX_OK)
        *out_code = info.return_code;
    (void)zx_handle_close(process);
    return status;
}
