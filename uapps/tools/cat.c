/*
 * cat - files, one after another, to standard output.
 */
#include <stdio.h>

#include "common/file.h"
#include "common/tool.h"

static const char help[] = "usage: cat [FILE...]\n"
                           "Writes files, or standard input, to standard output.\n";

static void copy(struct reader *reader, const char *path) {
    const char *bytes;
    size_t length;
    while ((length = reader_next(reader, &bytes)) > 0 && !ferror(stdout)) {
        fwrite(bytes, 1, length, stdout);
        fflush(stdout);
    }
}

int main(int argc, char **argv) {
    tool_start(argc, argv, help);
    int code = reader_for_each(argc, argv, 1, copy);
    return ferror(stdout) ? 1 : code;
}
