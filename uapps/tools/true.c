/*
 * true - ends well; the same file is `false`, which does not.
 */
#include <string.h>

#include "common/tool.h"

static const char help[] = "usage: true | false\n"
                           "Ends with code 0, or 1.\n";

int main(int argc, char **argv) {
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    tool_start(argc, argv, help);
    return argc > 0 && strcmp(slash ? slash + 1 : argv[0], "false") == 0;
}
