/*
 * user_copy.h - the only ways to read and write user memory.
 *
 * user_copy_in/out may fault pages in, so they run under no lock; any address
 * that the process cannot read or write gives ERR_INVALID_ARGS and an unknown
 * part may have been copied. The _nofault forms never fault: they say how far they
 * came and may be used under locks; after a short copy the caller drops its lock,
 * calls user_touch, and goes on.
 */
#pragma once

#include "arch/mmu.h"
#include "lib/types.h"
#include "lib/user_ptr.h"

ALWAYS_INLINE status_t user_copy_in(void *to, struct user_in from, size_t length) {
    bool good = range_within(from.address, length, USER_TOP) &&
                arch_copy_from_user(to, from.address, length) == 0;
    return likely(good) ? OK : ERR_INVALID_ARGS;
}
ALWAYS_INLINE status_t user_copy_out(struct user_out to, const void *from, size_t length) {
    bool good = range_within(to.address, length, USER_TOP) &&
                arch_copy_to_user(to.address, from, length) == 0;
    return likely(good) ? OK : ERR_INVALID_ARGS;
}
/* Bytes copied. */
size_t user_copy_in_nofault(void *to, struct user_in from, size_t length);
size_t user_copy_out_nofault(struct user_out to, const void *from, size_t length);
/* Make one user address accessible now; ERR_INVALID_ARGS if it cannot be. */
status_t user_touch_read(vaddr_t address);
status_t user_touch_write(vaddr_t address);

ALWAYS_INLINE status_t user_copy_out_u32(struct user_out to, uint32_t value) {
    if (unlikely(to.address > USER_TOP - sizeof(value)))
        return ERR_INVALID_ARGS;
    return likely(arch_store_user_u32(to.address, value)) ? OK : ERR_INVALID_ARGS;
}
ALWAYS_INLINE status_t user_copy_out_u64(struct user_out to, uint64_t value) {
    if (unlikely(to.address > USER_TOP - sizeof(value)))
        return ERR_INVALID_ARGS;
    return likely(arch_store_user_u64(to.address, value)) ? OK : ERR_INVALID_ARGS;
}
/* True if it was stored. */
ALWAYS_INLINE bool user_copy_out_u32_nofault(struct user_out to, uint32_t value) {
    if (unlikely(to.address > USER_TOP - sizeof(value)))
        return false;
    bool before = arch_set_no_fault(true);
    bool stored = arch_store_user_u32(to.address, value);
    arch_set_no_fault(before);
    return stored;
}
/* True if it was loaded. */
ALWAYS_INLINE bool user_copy_in_u32_nofault(struct user_in from, uint32_t *out_value) {
    if (unlikely(from.address > USER_TOP - sizeof(*out_value)))
        return false;
    bool before = arch_set_no_fault(true);
    bool loaded = arch_load_user_u32(from.address, out_value);
    arch_set_no_fault(before);
    return loaded;
}
/* For `actual` and the like, which may be NULL. */
ALWAYS_INLINE status_t user_copy_out_u64_optional(struct user_out to, uint64_t value) {
    return to.address == 0 ? OK : user_copy_out_u64(to, value);
}
ALWAYS_INLINE status_t user_copy_out_u32_optional(struct user_out to, uint32_t value) {
    return to.address == 0 ? OK : user_copy_out_u32(to, value);
}
/*
 * A name argument (ZX-ABI.md section 3.12): at most 31 characters are kept, the
 * rest of 32 is zeroed. ERR_INVALID_ARGS for a bad or NULL pointer.
 */
#define OBJECT_NAME_SIZE 32
status_t user_copy_name(char out_name[OBJECT_NAME_SIZE], struct user_in from, size_t length);
