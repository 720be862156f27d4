/*
 * user_ptr.h - pointers into user memory, which the kernel cannot follow by
 * accident: they are structures, and only user_copy.[ch] takes them apart.
 */
#pragma once

#include "lib/types.h"

struct user_in {
    vaddr_t address;
};
struct user_out {
    vaddr_t address;
};

ALWAYS_INLINE struct user_in user_in_at(struct user_in base, size_t offset) {
    return (struct user_in){base.address + offset};
}
ALWAYS_INLINE struct user_out user_out_at(struct user_out base, size_t offset) {
    return (struct user_out){base.address + offset};
}
