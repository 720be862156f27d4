/*
 * main.c - core-tests: what the kernel promises to programs, asked through the real
 * stubs. One t_*.c file for each object type or part; see <jacinth/utest.h>.
 */
#include <jacinth/utest.h>

#include "core-tests/roles.h"
#include "core-tests/support.h"

/* Whatever the tests did, the kernel's records of memory agree; if it may be asked. */
static bool audit_is_clean(void) {
    return zx_debug_send_command(root_resource(), "frames", 6) != ZX_ERR_INTERNAL;
}

int main(int argc, char **argv) {
    if (argc > 1 && role_is_known(argv[1]))
        return role_play(argc, argv);
    int code = utest_main(argc, argv);
    return code == 0 && !audit_is_clean() ? 1 : code;
}
