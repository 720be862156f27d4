/*
 * system.c - the asking side of system.h.
 */
#include "common/system.h"

#include <string.h>
#include <zircon/syscalls.h>

static zx_status_t send(zx_handle_t system, const struct system_request *request,
                        struct system_answer *out_answer, zx_handle_t *out_handle) {
    uint32_t bytes = 0, handles = 0;
    zx_channel_call_args_t call = {
        .wr_bytes = request,
        .wr_num_bytes = sizeof *request,
        .rd_bytes = out_answer,
        .rd_num_bytes = sizeof *out_answer,
        .rd_handles = out_handle,
        .rd_num_handles = 1,
    };
    *out_handle = ZX_HANDLE_INVALID;
    zx_status_t status = zx_channel_call(system, 0, ZX_TIME_INFINITE, &call, &bytes, &handles);
    if (status != ZX_OK)
        return status;
    return bytes == sizeof *out_answer ? out_answer->status : ZX_ERR_IO_DATA_INTEGRITY;
}

zx_status_t system_ask(zx_handle_t system, enum system_request_kind kind, uint32_t argument,
                       struct system_answer *out_answer, zx_handle_t *out_handle) {
    struct system_request request = {.kind = kind, .argument = argument};
    return send(system, &request, out_answer, out_handle);
}

zx_status_t system_debug(zx_handle_t system, const char *command) {
    struct system_request request = {.kind = SYSTEM_DEBUG};
    struct system_answer answer;
    zx_handle_t none;
    if (strlcpy(request.text, command, sizeof request.text) >= sizeof request.text)
        return ZX_ERR_OUT_OF_RANGE;
    return send(system, &request, &answer, &none);
}

zx_status_t system_connect(zx_handle_t system, uint32_t may, zx_handle_t *out_system) {
    struct system_answer answer;
    return system_ask(system, SYSTEM_CONNECT, may, &answer, out_system);
}
