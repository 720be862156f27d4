/*
 * test_cut.h - for tests: is a clone one moment of an object in which threads count?
 *
 * The first words of each page have one writer each, who goes through the pages in order and
 * adds one in each of them. So in one moment no page is more than a step behind the first.
 */
#pragma once

#include "vm/vmo.h"

#define CUT_PAGES_MAX 12
#define CUT_WORDS_MAX 4

struct cut {
    uint64_t pages; /* the shape, set by whoever takes it */
    unsigned words;
    uint64_t word[CUT_PAGES_MAX][CUT_WORDS_MAX];
};

bool cut_take(struct vmo *vmo, struct cut *cut);
/* A clone of the pages is one moment, and stays that; without memory for it nothing is looked at. */
void cut_check_clone(struct vmo *vmo, uint64_t pages, unsigned words);
