/*
 * flood.c - what happens to a process that floods.
 */
#include "object/flood.h"

#include "object/exception.h"

/* Who handles the exception may let it go on, or make it stop; with nobody there it ends. */
void flood_report(uint32_t code) { (void)exception_policy(code, 0); }
