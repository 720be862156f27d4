/*
 * t_huge.c - a range costs what is in it, not what it spans: 2^34 pages are quickly done.
 *
 * An operation that went page by page would outlast the limit of the whole run.
 */
#include <jacinth/utest.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "core-tests/support.h"

#define HUGE_PAGES ((uint64_t)1 << 34)
#define HUGE_BYTES (HUGE_PAGES * PAGE)

struct scene {
    zx_handle_t pager, port, vmo;
};

static struct scene scene_make(uint32_t options) {
    struct scene s = {0};
    EXPECT_OK(zx_pager_create(0, &s.pager));
    EXPECT_OK(zx_port_create(0, &s.port));
    EXPECT_OK(zx_pager_create_vmo(s.pager, options, s.port, 7, HUGE_BYTES, &s.vmo));
    return s;
}

static void scene_end(struct scene *s) {
    close_handle(s->vmo);
    close_handle(s->pager);
    close_handle(s->port);
}

/* All of it is zero, and dirty: it was shrunk to nothing and grew. */
static void make_zero(struct scene *s) {
    EXPECT_OK(zx_vmo_set_size(s->vmo, 0));
    EXPECT_OK(zx_vmo_set_size(s->vmo, HUGE_BYTES));
}

static struct {
    zx_handle_t vmo;
    uint32_t op;
    zx_status_t status;
} work;

static int op_on_everything(void *unused) {
    work.status = zx_vmo_op_range(work.vmo, work.op, 0, HUGE_BYTES, NULL, 0);
    return 0;
}

/* `op` on all of `vmo` asks for [first, first + pages), and hears that it can't be had. */
static void expect_request(struct scene *s, zx_handle_t vmo, uint32_t op, uint64_t first,
                           uint64_t pages) {
    zx_port_packet_t packet = {0};
    thrd_t thread;
    work.vmo = vmo;
    work.op = op;
    EXPECT_EQ(thrd_success, thrd_create(&thread, op_on_everything, NULL));
    EXPECT_OK(zx_port_wait(s->port, zx_deadline_after(ZX_SEC(20)), &packet));
    EXPECT_EQ(ZX_PAGER_VMO_READ, packet.page_request.command);
    EXPECT_EQ(first * PAGE, packet.page_request.offset);
    EXPECT_EQ(pages * PAGE, packet.page_request.length);
    EXPECT_OK(zx_pager_op_range(s->pager, ZX_PAGER_OP_FAIL, s->vmo, first * PAGE, pages * PAGE,
                                (uint64_t)ZX_ERR_IO));
    EXPECT_EQ(thrd_success, thrd_join(thread, NULL));
}

TEST(huge_commit_asks_the_pager_for_everything) {
    struct scene s = scene_make(0);
    expect_request(&s, s.vmo, ZX_VMO_OP_COMMIT, 0, HUGE_PAGES);
    EXPECT_EQ(ZX_ERR_IO, work.status);
    expect_request(&s, s.vmo, ZX_VMO_OP_ALWAYS_NEED, 0, HUGE_PAGES);
    EXPECT_OK(work.status);
    scene_end(&s);
}

TEST(huge_commit_passes_over_what_is_zero) {
    struct scene s = scene_make(ZX_VMO_RESIZABLE);
    EXPECT_OK(zx_vmo_op_range(s.vmo, ZX_VMO_OP_ZERO, 0, HUGE_BYTES - 3 * PAGE, NULL, 0));
    expect_request(&s, s.vmo, ZX_VMO_OP_COMMIT, HUGE_PAGES - 3, 3);
    EXPECT_EQ(ZX_ERR_IO, work.status);
    make_zero(&s);
    EXPECT_OK(zx_vmo_op_range(s.vmo, ZX_VMO_OP_COMMIT, 0, HUGE_BYTES, NULL, 0));
    EXPECT_EQ(0, committed_pages(s.vmo));
    scene_end(&s);
}

TEST(huge_clone_asks_for_what_it_borrows) {
    struct scene s = scene_make(0);
    zx_handle_t clone;
    EXPECT_OK(zx_vmo_create_child(s.vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, HUGE_BYTES,
                                  &clone));
    EXPECT_OK(zx_vmo_op_range(clone, ZX_VMO_OP_ZERO, 0, HUGE_BYTES / 2, NULL, 0));
    expect_request(&s, clone, ZX_VMO_OP_ALWAYS_NEED, HUGE_PAGES / 2, HUGE_PAGES / 2);
    EXPECT_OK(work.status);
    close_handle(clone);
    scene_end(&s);
}

TEST(huge_zero_of_what_is_dirty_already) {
    struct scene s = scene_make(ZX_VMO_RESIZABLE | ZX_VMO_TRAP_DIRTY);
    make_zero(&s);
    EXPECT_OK(zx_vmo_op_range(s.vmo, ZX_VMO_OP_ZERO, 0, HUGE_BYTES, NULL, 0));
    EXPECT_EQ(0, committed_pages(s.vmo));
    scene_end(&s);
}

TEST(huge_dirtying_ends_at_what_is_absent) {
    struct scene s = scene_make(ZX_VMO_RESIZABLE | ZX_VMO_TRAP_DIRTY);
    EXPECT_OK(zx_vmo_set_size(s.vmo, PAGE));
    EXPECT_OK(zx_vmo_set_size(s.vmo, HUGE_BYTES));
    EXPECT_EQ(ZX_ERR_NOT_FOUND, zx_pager_op_range(s.pager, ZX_PAGER_OP_DIRTY, s.vmo, 0, HUGE_BYTES, 0));
    EXPECT_EQ(0, committed_pages(s.vmo));
    scene_end(&s);
}

TEST(huge_mapping_of_what_is_present) {
    zx_handle_t vmo;
    zx_vaddr_t at;
    EXPECT_OK(zx_vmo_create(HUGE_BYTES, 0, &vmo));
    put(vmo, 5, 55);
    put(vmo, HUGE_PAGES - 7, 77);
    EXPECT_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_MAP_RANGE, 0, vmo, 0,
                          HUGE_BYTES, &at));
    EXPECT_EQ(55, *(volatile uint8_t *)(at + 5 * PAGE));
    EXPECT_EQ(77, *(volatile uint8_t *)(at + (HUGE_PAGES - 7) * PAGE));
    EXPECT_EQ(0, *(volatile uint8_t *)(at + HUGE_BYTES / 2));
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), at, HUGE_BYTES));
    close_handle(vmo);
}
