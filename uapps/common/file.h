/*
 * file.h - files of the image by the name that a person types, and input from either a
 * file or standard input.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jacinth/launch.h>

/* As jx_file_find, but a bare name is one of the top folder, not a program's. */
zx_status_t file_find(const char *path, struct jx_file *out_file);

struct reader {
    struct jx_file file;
    bool is_file;
    size_t offset;
    char buffer[4096];
};

/* NULL or "-": standard input. Complains by tool_fail. */
bool reader_open(struct reader *reader, const char *path);
/* The next bytes; 0 at the end. *out_bytes is valid until the next call. */
size_t reader_next(struct reader *reader, const char **out_bytes);

/*
 * For each of argv[first...] (standard input if there is none) open a reader and call
 * `each`; the exit code of the tool: 0, or 1 if one could not be opened.
 */
int reader_for_each(int argc, char **argv, int first,
                    void (*each)(struct reader *reader, const char *path));
