/*
 * stack_check.c - what a function calls that finds its frame overwritten. Nothing of
 * the stack can be trusted, so it only raises an exception.
 */

__attribute__((noreturn, no_stack_protector)) void __stack_chk_fail(void);

void __stack_chk_fail(void) { __builtin_trap(); }
