/*
 * reclaim.h - getting memory back when it runs out.
 *
 * In this order, each only if those before gave nothing:
 *   1. what the heap keeps for later: empty slabs, the CPUs' caches of free blocks;
 *   2. kernel stacks kept for the next thread;
 *   3. one object's pages: first those hinted as not needed, then unlocked discardable
 *      ones and clean pages of a pager, the longest untouched first (vmo_reclaim.c).
 * Page tables need no turn: one that becomes empty is freed at once (arch/amd64/mmu.c).
 *
 * Only between steps that hold no lock: an allocation never waits for this.
 */
#pragma once

#include "lib/types.h"

/* Free something. False: there is nothing. No lock held. */
bool reclaim_memory(void);

/* vmo_reclaim.c */
void vmo_reclaim_init(void); /* once, at boot */
/* Take the pages of the first object that has any to lose; how many. */
uint64_t vmo_reclaim(void);
/*
 * Pages of all such objects. Of those with a pager also the pages of the one that loses
 * them first, and of the one that loses them last.
 */
struct reclaim_stats {
    uint64_t pager, pager_first, pager_last;
    uint64_t discardable_locked, discardable_unlocked;
};
struct reclaim_stats vmo_reclaim_stats(void);
