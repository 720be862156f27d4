/*
 * fault.h - resolving a fault of user code or of a user copy.
 */
#pragma once

#include "arch/upcall.h"
#include "vm/aspace.h"

/*
 * Make `address` accessible in `aspace`. ERR_NOT_FOUND nothing mapped,
 * ERR_ACCESS_DENIED, ERR_OUT_OF_RANGE past the VMO's end, ERR_NO_MEMORY. Interrupts
 * on, no lock held.
 */
status_t aspace_fault(struct aspace *aspace, vaddr_t address, enum fault_access access);
