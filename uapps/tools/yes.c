/*
 * yes - a line, again and again, until nobody reads.
 */
#include <stdio.h>
#include <string.h>

#include "common/tool.h"

static const char help[] = "usage: yes [WORD...]\n"
                           "Writes the words, or y, line after line until its output is closed.\n";

int main(int argc, char **argv) {
    static char block[4096];
    char line[512];
    size_t length = 0, filled = 0;
    tool_start(argc, argv, help);
    for (int i = 1; i < argc && length < sizeof line; i++)
        length += (size_t)snprintf(line + length, sizeof line - length, "%s%s", argv[i],
                                   i + 1 < argc ? " " : "");
    if (argc == 1)
        line[length++] = 'y';
    if (length > sizeof line - 1)
        length = sizeof line - 1;
    line[length++] = '\n';
    for (; filled + length <= sizeof block; filled += length)
        memcpy(block + filled, line, length);
    while (fwrite(block, 1, filled, stdout) == filled)
        ;
    return 1;
}
