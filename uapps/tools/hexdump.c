/*
 * hexdump - bytes as numbers and characters, sixteen on a line.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/tool.h"

static const char help[] =
    "usage: hexdump [FILE...]\n"
    "Shows the bytes of files, or of standard input: offset, sixteen bytes, characters.\n";

#define ROW 16

static void print_row(unsigned long offset, const unsigned char *bytes, size_t length) {
    printf("%08lx ", offset);
    for (size_t i = 0; i < ROW; i++) {
        if (i < length)
            printf("%s%02x", i % 8 ? " " : "  ", bytes[i]);
        else
            printf("%s", i % 8 ? "   " : "    ");
    }
    printf("  |");
    for (size_t i = 0; i < length; i++)
        putchar(isprint(bytes[i]) ? bytes[i] : '.');
    printf("|\n");
}

static void dump(struct reader *reader, const char *path) {
    unsigned char row[ROW];
    unsigned long offset = 0;
    size_t filled = 0, length;
    const char *bytes;
    while ((length = reader_next(reader, &bytes)) > 0 && !ferror(stdout)) {
        for (size_t i = 0; i < length; i++) {
            row[filled++] = (unsigned char)bytes[i];
            if (filled == ROW) {
                print_row(offset, row, ROW);
                offset += ROW;
                filled = 0;
            }
        }
    }
    if (filled > 0)
        print_row(offset, row, filled);
    printf("%08lx\n", offset + filled);
}

int main(int argc, char **argv) {
    tool_start(argc, argv, help);
    return reader_for_each(argc, argv, 1, dump);
}
