/*
 * echo - its arguments on a line.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/tool.h"

static const char help[] =
    "usage: echo [-n] [WORD...]\n"
    "Writes the words with spaces between, and a newline unless -n is given.\n";

int main(int argc, char **argv) {
    tool_start(argc, argv, help);
    bool newline = argc < 2 || strcmp(argv[1], "-n") != 0;
    for (int i = newline ? 1 : 2; i < argc; i++)
        printf("%s%s", argv[i], i + 1 < argc ? " " : "");
    if (newline)
        putchar('\n');
    return fflush(stdout) == 0 ? 0 : 1;
}
