/*
 * test_space.h - for tests: let a kernel thread live in an address space, so that
 * its user copies go there as user code's accesses would.
 */
#pragma once

#include "vm/aspace.h"

/* NULL: back to the kernel's own. */
void test_space_enter(struct aspace *aspace);
/* Leave it, unmap everything and let it go. */
void test_space_end(struct aspace *aspace);
/* Map [offset, offset + length) of a VMO anywhere; `perm` as ZX_VM_PERM bits. */
status_t test_space_map(struct aspace *aspace, struct vmo *vmo, uint64_t offset, uint64_t length,
                        uint32_t perm, vaddr_t *out_address);
status_t test_space_unmap(struct aspace *aspace, vaddr_t address, uint64_t length);
/* One word through the space that was entered. */
bool test_space_load(vaddr_t address, uint64_t *out_value);
bool test_space_store(vaddr_t address, uint64_t value);
