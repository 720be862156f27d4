/*
 * head - the first lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/tool.h"

static const char help[] =
    "usage: head [-n NUMBER | -NUMBER] [FILE...]\n"
    "Writes the first lines, 10 unless told, of files or of standard input.\n";

static unsigned long wanted = 10;

static void copy(struct reader *reader, const char *path) {
    const char *bytes;
    size_t length;
    unsigned long left = wanted;
    while (left > 0 && (length = reader_next(reader, &bytes)) > 0) {
        size_t used = 0;
        while (used < length && left > 0)
            left -= bytes[used++] == '\n';
        if (fwrite(bytes, 1, used, stdout) < used)
            return;
    }
    fflush(stdout);
}

/* Sets `wanted` from the options; the first argument behind them, or 0 for wrong usage. */
static int read_options(int argc, char **argv) {
    char *end;
    int next = 1;
    if (argc < 2 || argv[1][0] != '-' || argv[1][1] == '\0')
        return next;
    const char *number = argv[next++] + 1;
    if (*number == 'n') {
        number++;
        if (*number == '\0')
            number = next < argc ? argv[next++] : "";
    }
    wanted = strtoul(number, &end, 10);
    return *number >= '0' && *number <= '9' && *end == '\0' ? next : 0;
}

int main(int argc, char **argv) {
    tool_start(argc, argv, help);
    int first = read_options(argc, argv);
    return first > 0 ? reader_for_each(argc, argv, first, copy) : tool_usage();
}
