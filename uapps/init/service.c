/*
 * service.c - one thread, one port, any number of connections.
 *
 * Each connection waits on the port with its record's address as key, once at a time:
 * the wait is made again after its packet was dealt with. So a record has no packet in
 * the port when it is freed, which happens when its peer is gone or the wait fails.
 * Only the service's thread touches the records.
 */
#include "init/service.h"

#include <jacinth/trace.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "common/system.h"

struct connection {
    zx_handle_t channel;
    uint32_t may; /* SYSTEM_MAY bits */
};

/* Set once, before the thread starts. */
static zx_handle_t port, root_resource;

static void connection_close(struct connection *connection) {
    (void)zx_handle_close(connection->channel);
    free(connection);
}

static zx_status_t connection_listen(struct connection *connection) {
    return zx_object_wait_async(connection->channel, port, (uint64_t)(uintptr_t)connection,
                                ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED, 0);
}

static zx_status_t connection_create(uint32_t may, zx_handle_t *out_client) {
    struct connection *connection = malloc(sizeof *connection);
    if (!connection)
        return ZX_ERR_NO_MEMORY;
    connection->may = may;
    zx_status_t status = zx_channel_create(0, &connection->channel, out_client);
    if (status != ZX_OK) {
        free(connection);
        return status;
    }
    status = connection_listen(connection);
    if (status != ZX_OK) {
        connection_close(connection);
        (void)zx_handle_close(*out_client);
        *out_client = ZX_HANDLE_INVALID;
    }
    return status;
}

void service_power_off(zx_handle_t resource) {
    (void)zx_system_powerctl(resource, ZX_SYSTEM_POWERCTL_SHUTDOWN, NULL);
}

static zx_status_t memory_figures(struct system_answer *answer) {
    zx_status_t status = zx_object_get_info(root_resource, ZX_INFO_KMEM_STATS, &answer->memory,
                                            sizeof answer->memory, NULL, NULL);
    if (status != ZX_OK)
        return status;
    return zx_object_get_info(root_resource, JX_INFO_PAGE_MAPS, &answer->page_maps,
                              sizeof answer->page_maps, NULL, NULL);
}

/* --- tracing --- */

static zx_status_t trace_control(uint32_t action, uint32_t options) {
    return zx_ktrace_control(root_resource, action, options, NULL);
}

/* What somebody who is gone began is ended. */
static zx_status_t trace_start(uint32_t argument) {
    zx_status_t status = trace_control(KTRACE_ACTION_STOP, 0);
    if (status == ZX_OK)
        status = trace_control(KTRACE_ACTION_REWIND, 0);
    if (status != ZX_OK)
        return status;
    return trace_control(argument & SYSTEM_TRACE_LAST ? KTRACE_ACTION_START_CIRCULAR
                                                      : KTRACE_ACTION_START,
                         argument & ~SYSTEM_TRACE_LAST);
}

/* The records go straight into the memory object. */
static zx_status_t read_records(zx_handle_t vmo, size_t size) {
    zx_vaddr_t address;
    size_t actual;
    zx_status_t status =
        zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, size, &address);
    if (status != ZX_OK)
        return status;
    status = zx_ktrace_read(root_resource, (void *)address, 0, size, &actual);
    (void)zx_vmar_unmap(zx_vmar_root_self(), address, size);
    return status;
}

static zx_status_t trace_end(zx_handle_t *out_vmo) {
    size_t size = 0;
    zx_handle_t vmo;
    zx_status_t status = trace_control(KTRACE_ACTION_STOP, 0);
    if (status == ZX_OK)
        status = zx_ktrace_read(root_resource, NULL, 0, 0, &size);
    size += sizeof(jx_trace_record_t); /* the last one stays JX_TRACE_NONE */
    if (status == ZX_OK)
        status = zx_vmo_create(size, 0, &vmo);
    if (status != ZX_OK)
        return status;
    status = read_records(vmo, size);
    (void)trace_control(KTRACE_ACTION_REWIND, 0);
    if (status == ZX_OK)
        *out_vmo = vmo;
    else
        (void)zx_handle_close(vmo);
    return status;
}

/* Do what is asked; *out_handle, if any, travels with the answer. */
static zx_status_t fulfil(const struct connection *connection, const struct system_request *request,
                          struct system_answer *answer, zx_handle_t *out_handle) {
    if (request->kind >= SYSTEM_REQUESTS)
        return ZX_ERR_INVALID_ARGS;
    if (!(connection->may & SYSTEM_MAY(request->kind)))
        return ZX_ERR_ACCESS_DENIED;
    switch ((enum system_request_kind)request->kind) {
    case SYSTEM_CONNECT:
        if (request->argument & ~connection->may)
            return ZX_ERR_ACCESS_DENIED;
        return connection_create(request->argument, out_handle);
    case SYSTEM_POWEROFF:
        return zx_system_powerctl(root_resource, ZX_SYSTEM_POWERCTL_SHUTDOWN, NULL);
    case SYSTEM_REBOOT:
        return zx_system_powerctl(root_resource, ZX_SYSTEM_POWERCTL_REBOOT, NULL);
    case SYSTEM_MEMORY:
        return memory_figures(answer);
    case SYSTEM_LOG:
        return zx_debuglog_create(root_resource, ZX_LOG_FLAG_READABLE, out_handle);
    case SYSTEM_DEBUG:
        return zx_debug_send_command(root_resource, request->text,
                                     strnlen(request->text, sizeof request->text));
    case SYSTEM_TRACE:
        return request->argument ? trace_start(request->argument) : trace_end(out_handle);
    case SYSTEM_REQUESTS:
        break;
    }
    return ZX_ERR_INVALID_ARGS;
}

/* One request, one answer. A message that is no request ends the connection. */
static zx_status_t serve_one(const struct connection *connection) {
    struct system_request request;
    struct system_answer answer = {0};
    zx_handle_t handle = ZX_HANDLE_INVALID;
    uint32_t size = 0;
    zx_status_t status =
        zx_channel_read(connection->channel, 0, &request, NULL, sizeof request, 0, &size, NULL);
    if (status != ZX_OK)
        return status;
    if (size != sizeof request)
        return ZX_ERR_INVALID_ARGS;

    answer.txid = request.txid;
    answer.status = fulfil(connection, &request, &answer, &handle);
    status = zx_channel_write(connection->channel, 0, &answer, sizeof answer, &handle,
                              handle != ZX_HANDLE_INVALID ? 1 : 0);
    if (status != ZX_OK)
        (void)zx_handle_close(handle);
    return status;
}

static int serve(void *unused) {
    zx_port_packet_t packet;
    while (zx_port_wait(port, ZX_TIME_INFINITE, &packet) == ZX_OK) {
        struct connection *connection = (struct connection *)(uintptr_t)packet.key;
        if (serve_one(connection) != ZX_OK || connection_listen(connection) != ZX_OK)
            connection_close(connection);
    }
    return 0;
}

zx_status_t service_start(zx_handle_t resource, zx_handle_t *out_system) {
    thrd_t thread;
    root_resource = resource;
    zx_status_t status = zx_port_create(0, &port);
    if (status == ZX_OK)
        status = connection_create(SYSTEM_MAY_ALL, out_system);
    if (status == ZX_OK && thrd_create(&thread, serve, NULL) != thrd_success)
        status = ZX_ERR_NO_MEMORY;
    return status;
}
