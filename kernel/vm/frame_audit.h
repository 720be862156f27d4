/*
 * frame_audit.h - do user programs see frames that are not theirs?
 */
#pragma once

#include "vm/aspace.h"

/*
 * Walk the page table of a space: the number of frames that user code can reach and
 * that are neither a memory object's nor the zero page, and of table pages that are
 * recorded as something else (P02). Each is named in the log.
 */
uint64_t frame_audit(struct aspace *aspace) EXCLUDES(aspace->lock);
