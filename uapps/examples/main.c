/*
 * main.c - runs the examples of docs/calls, which are build/gen/examples.c: a test for
 * each call, of its name.
 */
#include <jacinth/utest.h>

int main(int argc, char **argv) { return utest_main(argc, argv); }
