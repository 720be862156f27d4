/*
 * process.c - the handles that start code found, for <zircon/process.h>.
 *
 * Looked up each time: a program has few, and asks rarely. Who takes a handle away
 * wins it alone, also among threads.
 */
#include <zircon/process.h>

#include <zircon/processargs.h>

#include "zx/start.h"
#include "zx/tls.h"

NO_PROTECTOR zx_handle_t start_find_handle(uint32_t info) {
    for (uint32_t i = 0; i < start_handles.count; i++) {
        if (start_handles.infos[i] == info)
            return start_handles.handles[i];
    }
    return ZX_HANDLE_INVALID;
}

zx_handle_t zx_take_startup_handle(uint32_t hnd_info) {
    for (uint32_t i = 0; i < start_handles.count; i++) {
        if (start_handles.infos[i] != hnd_info)
            continue;
        zx_handle_t handle =
            __atomic_exchange_n(&start_handles.handles[i], ZX_HANDLE_INVALID, __ATOMIC_ACQ_REL);
        if (handle != ZX_HANDLE_INVALID)
            return handle;
    }
    return ZX_HANDLE_INVALID;
}

zx_handle_t zx_process_self(void) { return start_find_handle(PA_HND(PA_PROC_SELF, 0)); }
zx_handle_t zx_vmar_root_self(void) { return start_find_handle(PA_HND(PA_VMAR_ROOT, 0)); }
zx_handle_t zx_job_default(void) { return start_find_handle(PA_HND(PA_JOB_DEFAULT, 0)); }
zx_handle_t zx_thread_self(void) { return tls_current()->handle; }
