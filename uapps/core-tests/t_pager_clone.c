/*
 * t_pager_clone.c - lazy clones of a pager's object: what they show, and what of it is theirs.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>

#include "core-tests/paged.h"

static zx_handle_t lazy(zx_handle_t vmo, uint32_t kind, size_t page, size_t pages) {
    zx_handle_t child = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_vmo_create_child(vmo, kind, page * PAGE, pages * PAGE, &child));
    return child;
}

TEST(pager_lazy_clone_shows_the_parent_until_it_writes) {
    struct paged s = paged_make(4, 0);
    zx_handle_t child = lazy(s.vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 1, 3);
    struct access a = {.vmo = child, .page = 1};
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_READ, 2, 1); /* in the parent's offsets */
    supply(&s, 0, 4, 10);
    access_end(&a);
    EXPECT_EQ(12, a.value);
    volatile uint8_t *view = map_vmo(child, READ_WRITE, 3);
    EXPECT_EQ(13, view[2 * PAGE]);
    put(s.vmo, 3, 99);
    EXPECT_EQ(99, view[2 * PAGE]); /* still the parent's */
    view[2 * PAGE] = 1;
    EXPECT_EQ(99, get(s.vmo, 3));
    EXPECT_EQ(1, get(child, 2));
    put(s.vmo, 3, 98);
    EXPECT_EQ(1, view[2 * PAGE]);
    EXPECT_EQ(1, committed_pages(child));
    EXPECT_EQ(4, committed_pages(s.vmo));
    EXPECT(vmo_info_of(child).flags & ZX_INFO_VMO_PAGER_BACKED);
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_vmo_op_range(child, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
    unmap(view, 3);
    close_handle(child);
    paged_end(&s);
}

TEST(pager_clone_of_a_lazy_clone_freezes_what_its_parent_has_written) {
    struct paged s = paged_make(4, 0);
    supply(&s, 0, 4, 10);
    zx_handle_t child = lazy(s.vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, 4);
    put(child, 1, 50);
    zx_handle_t grandchild = lazy(child, ZX_VMO_CHILD_SNAPSHOT_MODIFIED, 1, 3);
    put(child, 1, 51);
    EXPECT_EQ(50, get(grandchild, 0));
    put(s.vmo, 2, 60);
    EXPECT_EQ(60, get(grandchild, 1));
    EXPECT_EQ(60, get(child, 2));
    put(grandchild, 0, 70);
    EXPECT_EQ(51, get(child, 1));
    close_handle(child);
    EXPECT_EQ(70, get(grandchild, 0));
    EXPECT_EQ(13, get(grandchild, 2));
    close_handle(grandchild);
    paged_end(&s);
}

TEST(pager_lazy_clone_is_cut_when_the_parent_shrinks) {
    struct paged s = paged_make(4, ZX_VMO_RESIZABLE);
    supply(&s, 0, 4, 10);
    zx_handle_t child = lazy(s.vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, 4);
    volatile uint8_t *view = map_vmo(child, READ_WRITE, 4);
    EXPECT_EQ(13, view[3 * PAGE]);
    put(child, 2, 77);
    EXPECT_OK(zx_vmo_set_size(s.vmo, PAGE));
    EXPECT_EQ(10, view[0]);
    EXPECT_EQ(0, view[PAGE]);
    EXPECT_EQ(77, view[2 * PAGE]);
    EXPECT_EQ(0, view[3 * PAGE]);
    EXPECT_OK(zx_vmo_set_size(s.vmo, 4 * PAGE));
    EXPECT_EQ(0, view[3 * PAGE]);
    put(s.vmo, 3, 5);
    EXPECT_EQ(0, view[3 * PAGE]); /* for good */
    unmap(view, 4);
    close_handle(child);
    paged_end(&s);
}

TEST(pager_lazy_clone_is_zeroed_without_asking_and_detach_fails_the_rest) {
    struct paged s = paged_make(1 << 20, 0); /* 4 GiB */
    zx_handle_t child = lazy(s.vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, 1 << 20);
    EXPECT_OK(zx_vmo_op_range(child, ZX_VMO_OP_ZERO, PAGE, ((1ull << 20) - 2) * PAGE, NULL, 0));
    EXPECT_EQ(0, get(child, 1));
    EXPECT_EQ(0, get(child, 1 << 19));
    EXPECT_EQ(0, committed_pages(child));
    put(child, 1 << 19, 4);
    EXPECT_EQ(4, get(child, 1 << 19));
    EXPECT_EQ(1, committed_pages(child));
    expect_no_packet(&s);
    EXPECT_OK(zx_pager_detach_vmo(s.pager, s.vmo));
    uint8_t byte;
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_read(child, &byte, 0, 1));
    EXPECT_EQ(0, get(child, 7));
    close_handle(child);
    paged_end(&s);
}

/* The model found this (uapps/model). */
TEST(pager_hint_on_a_lazy_clone_brings_what_lies_behind_a_page_of_its_own) {
    struct paged s = paged_make(4, 0);
    zx_handle_t child = lazy(s.vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, 4);
    supply(&s, 0, 2, 1);
    put(child, 1, 9);
    struct access a = {.vmo = child, .pages = 4, .hint = true};
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_READ, 2, 2);
    supply(&s, 2, 2, 3);
    access_end(&a);
    EXPECT_OK(a.status);
    EXPECT_EQ(4, get(child, 3));
    close_handle(child);
    paged_end(&s);
}
