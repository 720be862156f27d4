/*
 * strings.h - comparisons that ignore case; declared by <string.h> as well.
 */
#pragma once

#include <string.h>

/* As memcmp, without an order; the compiler calls it by itself. */
int bcmp(const void *a, const void *b, size_t length);
