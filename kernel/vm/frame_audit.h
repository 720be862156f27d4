/*
 * frame_audit.h - does an address space show programs what it should, and no more?
 */
#pragma once

#include "vm/aspace.h"
#include "vm/audit.h"

/*
 * Walk the page table of a space: table pages that are recorded as something else,
 * frames that user code can reach and that are neither a memory object's nor the zero
 * page (P02), entries that don't show what the mapping's object has there, that are
 * writable though the page is not the object's alone, or that lie in no mapping.
 * Exact also while others are at work: each entry is looked at under the lock that
 * guards it.
 */
void frame_audit_into(struct aspace *aspace, struct audit *audit) EXCLUDES(aspace->lock);
/* The same, logged: the number of differences. */
uint64_t frame_audit(struct aspace *aspace) EXCLUDES(aspace->lock);
