/*
 * memory_watch.h - memory that nobody may touch, where the compiler checks each access.
 *
 * In builds with the address sanitizer (the host's) a use of forbidden memory ends the
 * program with a report; in all others these do nothing.
 */
#pragma once

#include "lib/types.h"

#if __has_feature(address_sanitizer)
void __asan_poison_memory_region(const volatile void *begin, size_t size);
void __asan_unpoison_memory_region(const volatile void *begin, size_t size);

static inline void memory_forbid(void *begin, size_t size) {
    __asan_poison_memory_region(begin, size);
}
static inline void memory_allow(void *begin, size_t size) {
    __asan_unpoison_memory_region(begin, size);
}
#else
static inline void memory_forbid(void *begin, size_t size) {}
static inline void memory_allow(void *begin, size_t size) {}
#endif
