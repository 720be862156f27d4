/*
 * main.c - core-tests: what the kernel promises to programs, asked through the real
 * stubs. One t_*.c file for each object type or part; see <jacinth/utest.h>.
 */
#include <jacinth/utest.h>

#include "core-tests/roles.h"

int main(int argc, char **argv) {
    if (argc > 1 && role_is_known(argv[1]))
        return role_play(argc, argv);
    return utest_main(argc, argv);
}
