/*
 * memory_audit.h - does all that is recorded about memory agree?
 *
 * Page records, page maps, page tables, families and counters are walked and compared,
 * over all memory objects and address spaces that there are (registry.h), and every
 * difference is named in the log.
 *
 * Each part is looked at under the lock that guards it, so an audit is safe at any
 * time; but sums over all of memory are true only when nobody is at work. So a
 * difference counts only if it is there, the same to the last number, in every one of
 * several passes, with a little sleep between them: what is on its way moves on.
 */
#pragma once

#include "vm/audit.h"

struct memory_audit {
    uint64_t differences;
    uint64_t kinds; /* a bit for each enum audit_kind among them */
};
struct memory_audit memory_audit(void);
