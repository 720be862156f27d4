/*
 * test_cut.c - looking at clones of what changes; see test_cut.h.
 */
#include "vm/test_cut.h"

#include "lib/ktest.h"
#include "lib/string.h"
#include "sched/sched.h"

#define YIELDS 20 /* between two looks */

bool cut_take(struct vmo *vmo, struct cut *cut) {
    for (uint64_t page = 0; page < cut->pages; page++)
        if (vmo_read_kernel(vmo, page * PAGE_SIZE, cut->word[page],
                            cut->words * sizeof(uint64_t)) != OK)
            return false;
    return true;
}

static void expect_one_moment(const struct cut *cut) {
    for (unsigned word = 0; word < cut->words; word++) {
        for (uint64_t page = 1; page < cut->pages; page++) {
            uint64_t earlier = cut->word[page - 1][word], later = cut->word[page][word];
            EXPECT(later <= earlier && earlier <= cut->word[cut->pages - 1][word] + 1);
        }
    }
}

void cut_check_clone(struct vmo *vmo, uint64_t pages, unsigned words) {
    struct cut first = {.pages = pages, .words = words}, second = first;
    AUTO(vmo) clone = NULL;

    if (vmo_create_snapshot(vmo, SNAPSHOT_FULL, 0, pages * PAGE_SIZE, false, &clone) != OK)
        return;
    EXPECT(cut_take(clone, &first));
    expect_one_moment(&first);
    for (unsigned i = 0; i < YIELDS; i++)
        sched_yield();
    EXPECT(cut_take(clone, &second));
    EXPECT_EQ(0, memcmp(&first, &second, sizeof(first)));
}
