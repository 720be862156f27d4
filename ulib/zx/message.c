/*
 * message.c - the start message's bytes: header, one word a handle, arguments,
 * environment. start_message.c reads what is written here.
 */
#include "zx/message.h"

#include <stdlib.h>
#include <string.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

void message_add_handle(struct message *message, uint32_t info, zx_handle_t handle) {
    if (handle == ZX_HANDLE_INVALID)
        return;
    if (message->count == ZX_CHANNEL_MAX_MSG_HANDLES) {
        message->status = ZX_ERR_OUT_OF_RANGE;
        (void)zx_handle_close(handle);
        return;
    }
    message->infos[message->count] = info;
    message->handles[message->count++] = handle;
}

void message_add_copy(struct message *message, uint32_t info, zx_handle_t handle) {
    zx_handle_t copy;
    if (handle == ZX_HANDLE_INVALID)
        return;
    zx_status_t status = zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &copy);
    if (status == ZX_OK)
        message_add_handle(message, info, copy);
    else
        message->status = status;
}

struct strings {
    uint32_t count;
    size_t size;
};

static struct strings measure(const char *const *list) {
    struct strings strings = {0};
    for (; list && list[strings.count]; strings.count++)
        strings.size += strlen(list[strings.count]) + 1;
    return strings;
}

static char *copy_strings(char *to, const char *const *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        to = stpcpy(to, list[i]) + 1;
    return to;
}

static void fill(char *bytes, const struct message *message, const char *const *argv,
                 const char *const *envp) {
    struct strings args = measure(argv), environment = measure(envp);
    uint32_t infos_size = message->count * (uint32_t)sizeof message->infos[0];
    zx_proc_args_t header = {
        .protocol = ZX_PROCARGS_PROTOCOL,
        .version = ZX_PROCARGS_VERSION,
        .handle_info_off = sizeof header,
        .args_off = (uint32_t)sizeof header + infos_size,
        .args_num = args.count,
        .environ_num = environment.count,
    };
    header.environ_off = header.args_off + (uint32_t)args.size;
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + header.handle_info_off, message->infos, infos_size);
    copy_strings(bytes + header.args_off, argv, args.count);
    copy_strings(bytes + header.environ_off, envp, environment.count);
}

void message_close(struct message *message) {
    (void)zx_handle_close_many(message->handles, message->count);
    message->count = 0;
}

zx_status_t message_send(struct message *message, zx_handle_t channel, const char *const *argv,
                         const char *const *envp) {
    char small[1024];
    zx_status_t status = message->status;
    size_t size = sizeof(zx_proc_args_t) + message->count * sizeof message->infos[0] +
                  measure(argv).size + measure(envp).size;
    if (status == ZX_OK && size > ZX_CHANNEL_MAX_MSG_BYTES)
        status = ZX_ERR_OUT_OF_RANGE;
    if (status != ZX_OK) {
        message_close(message);
        return status;
    }
    char *bytes = size <= sizeof small ? small : malloc(size);
    if (!bytes) {
        message_close(message);
        return ZX_ERR_NO_MEMORY;
    }
    fill(bytes, message, argv, envp);
    status = zx_channel_write(channel, 0, bytes, (uint32_t)size, message->handles, message->count);
    message->count = 0;
    if (bytes != small)
        free(bytes);
    return status;
}
