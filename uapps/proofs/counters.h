/*
 * counters.h - what the kernel has given away: pages of memory objects, kernel heap,
 * page tables, stacks, and this program's handles.
 */
#pragma once

#include <stdint.h>

struct counters {
    uint64_t vmo, heap, tables, stacks, handles;
};

struct counters count_settled(void);
/* A test fails when the counters are not back. */
void expect_back(const char *what, struct counters before);
