/*
 * file.c - readers over the mapped archive and the standard input.
 */
#include "common/file.h"

#include <stdio.h>
#include <string.h>

#include "common/socket.h"
#include "common/tool.h"

zx_status_t file_find(const char *path, struct jx_file *out_file) {
    char full[256];
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    if ((size_t)snprintf(full, sizeof full, "/%s", path) >= sizeof full)
        return ZX_ERR_NOT_FOUND;
    return jx_file_find(full, out_file);
}

bool reader_open(struct reader *reader, const char *path) {
    reader->offset = 0;
    reader->is_file = path && strcmp(path, "-") != 0;
    if (!reader->is_file)
        return true;
    zx_status_t status = file_find(path, &reader->file);
    if (status != ZX_OK)
        tool_fail(status, "%s", path);
    return status == ZX_OK;
}

size_t reader_next(struct reader *reader, const char **out_bytes) {
    if (!reader->is_file) {
        *out_bytes = reader->buffer;
        return socket_read_some(jx_stream_handle(0), reader->buffer, sizeof reader->buffer);
    }
    size_t left = reader->file.size - reader->offset;
    size_t length = left < sizeof reader->buffer ? left : sizeof reader->buffer;
    *out_bytes = reader->file.data + reader->offset;
    reader->offset += length;
    return length;
}

int reader_for_each(int argc, char **argv, int first,
                    void (*each)(struct reader *reader, const char *path)) {
    static struct reader reader;
    int code = 0;
    if (first >= argc && reader_open(&reader, NULL))
        each(&reader, NULL);
    for (int i = first; i < argc; i++) {
        if (reader_open(&reader, argv[i]))
            each(&reader, argv[i]);
        else
            code = 1;
    }
    return code;
}
