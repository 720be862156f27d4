/*
 * pmm_internal.h - what pmm_start.c, which runs once, has of pmm.c and the other way round.
 */
#pragma once

#include "arch/boot.h"
#include "vm/pmm.h"

#define PAGE_SPANS_MAX BOOT_RANGES_MAX

/*
 * The stretches of RAM that have records, largest first, so the way from a frame to its record
 * and back nearly always ends at the first comparison. Nothing changes them after pmm_init.
 */
extern struct page_span page_spans[PAGE_SPANS_MAX];
extern unsigned page_span_count;

/* Makes all lists empty. Once, before all else here. */
void pmm_init_lists(void);

/* These frames, which nobody has, are free from now on. Takes the lock `pmm`. */
void pmm_give(struct page *first, size_t count);

/* So many pages more are in this state. Without a lock. */
void pmm_count_state(enum page_state state, int64_t pages);

/* All that is free now is what the machine has; a part of it becomes the reserve. */
void pmm_set_reserve(void);
