/*
 * t_pager_dirty.c - pages of a pager's object that are written to: dirty, asked about first,
 * written back.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>

#include "core-tests/paged.h"

static size_t dirty_ranges(struct paged *s, zx_vmo_dirty_range_t *ranges, size_t room) {
    size_t actual = 0, avail = 0;
    zx_info_vmo_t info = vmo_info_of(s->vmo);
    EXPECT_OK(zx_pager_query_dirty_ranges(s->pager, s->vmo, 0, info.size_bytes, ranges,
                                          room * sizeof *ranges, &actual, &avail));
    EXPECT_EQ(avail, actual);
    return actual;
}

TEST(pager_pages_become_dirty_silently_and_clean_by_writeback) {
    struct paged s = paged_make(8, 0);
    zx_vmo_dirty_range_t ranges[8];
    zx_pager_vmo_stats_t stats;
    supply(&s, 0, 8, 1);
    EXPECT_EQ(0, dirty_ranges(&s, ranges, 8));
    EXPECT_OK(zx_pager_query_vmo_stats(s.pager, s.vmo, 0, &stats, sizeof stats));
    EXPECT_EQ(0, stats.modified);
    volatile uint8_t *view = map_vmo(s.vmo, READ_WRITE, 8);
    EXPECT_EQ(3, view[2 * PAGE]);
    view[2 * PAGE] = 30;
    put(s.vmo, 3, 40);
    put(s.vmo, 6, 70);
    EXPECT_EQ(2, dirty_ranges(&s, ranges, 8));
    EXPECT_EQ(2 * PAGE, ranges[0].offset);
    EXPECT_EQ(2 * PAGE, ranges[0].length);
    EXPECT_EQ(6 * PAGE, ranges[1].offset);
    EXPECT_OK(zx_pager_query_vmo_stats(s.pager, s.vmo, ZX_PAGER_RESET_VMO_STATS, &stats,
                                       sizeof stats));
    EXPECT_EQ(ZX_PAGER_VMO_STATS_MODIFIED, stats.modified);

    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_WRITEBACK_BEGIN, s.vmo, 0, 8 * PAGE, 0));
    view[2 * PAGE] = 31; /* written in between: dirty again */
    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_WRITEBACK_END, s.vmo, 0, 8 * PAGE, 0));
    EXPECT_EQ(1, dirty_ranges(&s, ranges, 8));
    EXPECT_EQ(2 * PAGE, ranges[0].offset);
    EXPECT_EQ(PAGE, ranges[0].length);
    EXPECT_EQ(31, get(s.vmo, 2));
    unmap(view, 8);
    paged_end(&s);
}

TEST(pager_that_traps_writes_is_asked_for_each_first_one) {
    struct paged s = paged_make(4, ZX_VMO_TRAP_DIRTY);
    zx_vmo_dirty_range_t ranges[4];
    supply(&s, 0, 2, 1);
    struct access a = {.vmo = s.vmo, .page = 0, .write = true, .value = 9};
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_DIRTY, 0, 1);
    EXPECT_EQ(0, dirty_ranges(&s, ranges, 4));
    EXPECT_EQ(ZX_ERR_NOT_FOUND,
              zx_pager_op_range(s.pager, ZX_PAGER_OP_DIRTY, s.vmo, 2 * PAGE, PAGE, 0));
    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_DIRTY, s.vmo, 0, PAGE, 0));
    access_end(&a);
    EXPECT_OK(a.status);
    EXPECT_EQ(9, get(s.vmo, 0));
    EXPECT_EQ(1, dirty_ranges(&s, ranges, 4));
    put(s.vmo, 0, 10); /* dirty already: nobody asks */

    struct access b = {.vmo = s.vmo, .page = 3, .write = true, .value = 8};
    access_start(&b);
    expect_packet(&s, ZX_PAGER_VMO_READ, 3, 1); /* first the page, then leave to write */
    supply(&s, 3, 1, 1);
    expect_packet(&s, ZX_PAGER_VMO_DIRTY, 3, 1);
    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_FAIL, s.vmo, 3 * PAGE, PAGE,
                                (uint64_t)(int64_t)ZX_ERR_NO_SPACE));
    access_end(&b);
    EXPECT_EQ(ZX_ERR_NO_SPACE, b.status);
    EXPECT_EQ(1, get(s.vmo, 3));
    paged_end(&s);
}

TEST(pager_object_that_grows_is_dirty_zero_there) {
    struct paged s = paged_make(2, ZX_VMO_RESIZABLE);
    zx_vmo_dirty_range_t ranges[8];
    supply(&s, 0, 2, 1);
    EXPECT_OK(zx_vmo_set_size(s.vmo, 100 * PAGE));
    EXPECT_EQ(1, dirty_ranges(&s, ranges, 8));
    EXPECT_EQ(2 * PAGE, ranges[0].offset);
    EXPECT_EQ(98 * PAGE, ranges[0].length);
    EXPECT_EQ(ZX_VMO_DIRTY_RANGE_IS_ZERO, ranges[0].options);
    put(s.vmo, 50, 1);
    EXPECT_EQ(3, dirty_ranges(&s, ranges, 8));
    EXPECT_EQ(50 * PAGE, ranges[1].offset);
    EXPECT_EQ(PAGE, ranges[1].length);
    EXPECT_EQ(0, ranges[1].options);
    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_WRITEBACK_BEGIN, s.vmo, 2 * PAGE, 98 * PAGE,
                                ZX_VMO_DIRTY_RANGE_IS_ZERO));
    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_WRITEBACK_END, s.vmo, 2 * PAGE, 98 * PAGE, 0));
    EXPECT_EQ(1, dirty_ranges(&s, ranges, 8));
    EXPECT_EQ(50 * PAGE, ranges[0].offset);
    paged_end(&s);
}

TEST(pager_whole_page_zero_dirties_without_a_request) {
    struct paged s = paged_make(8, 0);
    zx_vmo_dirty_range_t ranges[4];
    EXPECT_OK(zx_vmo_op_range(s.vmo, ZX_VMO_OP_ZERO, PAGE, 4 * PAGE, NULL, 0));
    EXPECT_EQ(0, get(s.vmo, 2));
    EXPECT_EQ(1, dirty_ranges(&s, ranges, 4));
    EXPECT_EQ(4 * PAGE, ranges[0].length);
    expect_no_packet(&s);
    paged_end(&s);
}

/*
 * Zeros that are dirty, being written and clean are three things, wherever they are mapped.
 * The model found this (uapps/model).
 */
TEST(pager_zeros_are_mapped_anew_when_they_are_written_back) {
    struct paged s = paged_make(0, ZX_VMO_RESIZABLE);
    EXPECT_OK(zx_vmo_set_size(s.vmo, 8 * PAGE));
    volatile uint8_t *view = map_vmo(s.vmo, READ_WRITE, 8);
    EXPECT_EQ(0, view[0]);
    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_WRITEBACK_BEGIN, s.vmo, PAGE, 4 * PAGE, 0));
    view[7 * PAGE] = 7;
    for (size_t i = 0; i < 7; i++)
        EXPECT_EQ(0, view[i * PAGE]);
    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_WRITEBACK_END, s.vmo, 0, 8 * PAGE, 0));
    view[6 * PAGE] = 6;
    for (size_t i = 0; i < 6; i++)
        EXPECT_EQ(0, view[i * PAGE]);
    EXPECT_EQ(6, view[6 * PAGE]);
    EXPECT_EQ(7, view[7 * PAGE]);
    unmap(view, 8);
    paged_end(&s);
}
