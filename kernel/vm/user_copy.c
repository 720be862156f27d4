/*
 * user_copy.c - checked copies; the machine's part is in arch (mmu.h).
 */
#include "vm/user_copy.h"

#include "arch/mmu.h"
#include "arch/spinlock.h"
#include "arch/upcall.h"
#include "lib/string.h"
#include "sched/thread.h"
#include "vm/fault.h"

/*
 * Up to the end of user space: so a short copy always stops at an address that
 * cannot be touched, and whoever touches and tries again comes to an end.
 */
static size_t clip_to_user(vaddr_t address, size_t length) {
    return address < USER_TOP ? MIN(length, USER_TOP - address) : 0;
}

size_t user_copy_in_nofault(void *to, struct user_in from, size_t length) {
    length = clip_to_user(from.address, length);
    bool before = arch_set_no_fault(true);
    size_t left = arch_copy_from_user(to, from.address, length);
    arch_set_no_fault(before);
    return length - left;
}

size_t user_copy_out_nofault(struct user_out to, const void *from, size_t length) {
    length = clip_to_user(to.address, length);
    bool before = arch_set_no_fault(true);
    size_t left = arch_copy_to_user(to.address, from, length);
    arch_set_no_fault(before);
    return length - left;
}

static status_t touch(vaddr_t address, enum fault_access access) {
    struct aspace *aspace = thread_current()->aspace;
    if (!aspace || address < USER_BASE || address >= USER_TOP)
        return ERR_INVALID_ARGS;
    status_t status;
    while ((status = aspace_fault(aspace, address, access)) == ERR_INTERNAL_RETRY)
        upcall_pause(); /* as in a copy that may fault */
    return status == OK ? OK : ERR_INVALID_ARGS;
}

status_t user_touch_read(vaddr_t address) { return touch(address, FAULT_READ); }
status_t user_touch_write(vaddr_t address) { return touch(address, FAULT_WRITE); }

status_t user_copy_name(char out_name[OBJECT_NAME_SIZE], struct user_in from, size_t length) {
    size_t kept = MIN(length, (size_t)OBJECT_NAME_SIZE - 1);
    char name[OBJECT_NAME_SIZE] = {0};
    if (!from.address)
        return ERR_INVALID_ARGS;
    status_t status = user_copy_in(name, from, kept);
    if (status != OK)
        return status;
    memset(out_name, 0, OBJECT_NAME_SIZE);
    memcpy(out_name, name, strnlen(name, kept));
    return OK;
}
