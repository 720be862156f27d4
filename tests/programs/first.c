/*
 * first.c - a first process (`./jx exec --init`) that writes a word and ends with
 * the code of the first letter of its argument, or 9.
 */
#include <zircon/syscalls.h>

int main(int argc, char **argv) {
    zx_debug_write("first\n", 6);
    return argc > 1 ? argv[1][0] : 9;
}
