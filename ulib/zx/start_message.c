/*
 * start_message.c - reads the start message. It may come from anybody who could create
 * this process, so nothing in it is believed: offsets, counts and strings are checked
 * once, here. A pure function, so the host tests it.
 */
#include <string.h>
#include <zircon/processargs.h>

#include "zx/start.h"

/* Are there `count` terminated strings at `offset` of the message? */
NO_PROTECTOR static bool has_strings(const char *message, size_t size, uint32_t offset,
                                     uint32_t count) {
    size_t at = offset;
    for (uint32_t i = 0; i < count; i++) {
        while (at < size && message[at] != '\0')
            at++;
        if (at >= size)
            return false;
        at++;
    }
    return true;
}

NO_PROTECTOR bool start_parse(const void *message, size_t size, uint32_t handle_count,
                              struct start_args *out_args) {
    const zx_proc_args_t *header = message;
    *out_args = (struct start_args){0};
    if (size < sizeof *header || header->protocol != ZX_PROCARGS_PROTOCOL ||
        header->version != ZX_PROCARGS_VERSION)
        return false;
    if (header->handle_info_off % 4 != 0 || header->handle_info_off > size ||
        (size - header->handle_info_off) / 4 < handle_count)
        return false;
    if (!has_strings(message, size, header->args_off, header->args_num) ||
        !has_strings(message, size, header->environ_off, header->environ_num))
        return false;

    const char *bytes = message;
    *out_args = (struct start_args){
        .handle_count = handle_count,
        .infos = (const uint32_t *)(const void *)(bytes + header->handle_info_off),
        .argc = header->args_num,
        .envc = header->environ_num,
        .args = bytes + header->args_off,
        .environment = bytes + header->environ_off,
    };
    return true;
}

NO_PROTECTOR void start_fill_vector(const char *strings, uint32_t count, char **vector) {
    for (uint32_t i = 0; i < count; i++) {
        vector[i] = (char *)(uintptr_t)strings;
        strings += strlen(strings) + 1;
    }
    vector[count] = NULL;
}
