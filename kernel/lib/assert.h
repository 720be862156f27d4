/*
 * assert.h - ASSERT states what is proved; panic says what was broken.
 *
 * ASSERT stays in release builds where a breach would corrupt memory;
 * DEBUG_ASSERT is compiled only into debug and host builds. What a user can
 * cause is a status, never an assertion. `panic` prints the message, the held
 * locks, the stack and what the reporters of panic.c add, once, and stops the
 * machine with a failing exit code.
 */
#pragma once

#include "lib/compiler.h"

void panic(const char *format, ...) NORETURN COLD PRINTF_LIKE(1, 2);
void assert_failed(const char *file, int line, const char *what) NORETURN COLD;

#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (unlikely(!(cond)))                                                                     \
            assert_failed(__FILE__, __LINE__, #cond);                                              \
    } while (0)

#ifdef JX_DEBUG
#define DEBUG_ASSERT(cond) ASSERT(cond)
#else
#define DEBUG_ASSERT(cond) ((void)sizeof(cond))
#endif

#define UNREACHABLE(why) panic("unreachable: %s", why)
