/*
 * t_pager.c - pagers: what is asked, what answers do, who is woken, lazy clones.
 *
 * The test is the pager; another thread makes the access that has to wait.
 */
#include <jacinth/utest.h>
#include <string.h>
#include <threads.h>
#include <zircon/syscalls.h>

#include "core-tests/support.h"

#define KEY   77
#define SOON  zx_deadline_after(ZX_SEC(20))
#define SHORT zx_deadline_after(ZX_MSEC(30)) /* for what must not come */

struct scene {
    zx_handle_t pager, port, vmo;
};

static struct scene scene_make(size_t pages, uint32_t options) {
    struct scene s = {0};
    EXPECT_OK(zx_pager_create(0, &s.pager));
    EXPECT_OK(zx_port_create(0, &s.port));
    EXPECT_OK(zx_pager_create_vmo(s.pager, options, s.port, KEY, pages * PAGE, &s.vmo));
    return s;
}

static void scene_end(struct scene *s) {
    close_handle(s->vmo);
    close_handle(s->pager);
    close_handle(s->port);
}

/* The next packet is this request. */
static void expect_packet(struct scene *s, uint16_t command, size_t page, size_t pages) {
    zx_port_packet_t packet = {0};
    EXPECT_OK(zx_port_wait(s->port, SOON, &packet));
    EXPECT_EQ(KEY, packet.key);
    EXPECT_EQ(ZX_PKT_TYPE_PAGE_REQUEST, packet.type);
    EXPECT_EQ(command, packet.page_request.command);
    EXPECT_EQ(page * PAGE, packet.page_request.offset);
    EXPECT_EQ(pages * PAGE, packet.page_request.length);
}

static void expect_no_packet(struct scene *s) {
    zx_port_packet_t packet;
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(s->port, SHORT, &packet));
}

/* Pages that begin with value, value + 1, ... */
static void supply(struct scene *s, size_t page, size_t pages, uint8_t value) {
    zx_handle_t aux = make_vmo(pages);
    for (size_t i = 0; i < pages; i++)
        put(aux, i, (uint8_t)(value + i));
    EXPECT_OK(zx_pager_supply_pages(s->pager, s->vmo, page * PAGE, pages * PAGE, aux, 0));
    EXPECT_EQ(0, committed_pages(aux));
    close_handle(aux);
}

/* --- accesses that may wait --- */

struct access {
    zx_handle_t vmo;
    size_t page, pages;
    bool write, commit, hint;
    volatile uint8_t *view; /* if set, the access is by it */
    zx_status_t status;
    uint8_t value;
    thrd_t thread;
};

static int access_main(void *argument) {
    struct access *a = argument;
    static uint8_t bytes[64 * 4096];
    uint8_t one = a->value;
    a->status = ZX_OK;
    if (a->commit)
        a->status = zx_vmo_op_range(a->vmo, ZX_VMO_OP_COMMIT, 0, a->pages * PAGE, NULL, 0);
    else if (a->hint)
        a->status = zx_vmo_op_range(a->vmo, ZX_VMO_OP_ALWAYS_NEED, 0, a->pages * PAGE, NULL, 0);
    else if (a->view && a->write)
        a->view[a->page * PAGE] = a->value;
    else if (a->view)
        a->value = a->view[a->page * PAGE];
    else if (a->write)
        a->status = zx_vmo_write(a->vmo, &one, a->page * PAGE, 1);
    else if (a->pages > 1)
        a->status = zx_vmo_read(a->vmo, bytes, a->page * PAGE, a->pages * PAGE);
    else
        a->status = zx_vmo_read(a->vmo, &a->value, a->page * PAGE, 1);
    return 0;
}

static void access_start(struct access *a) {
    EXPECT_EQ(thrd_success, thrd_create(&a->thread, access_main, a));
}
static void access_end(struct access *a) { EXPECT_EQ(thrd_success, thrd_join(a->thread, NULL)); }

/* --- reading --- */

TEST(pager_is_asked_for_an_absent_page_and_supplies_it) {
    struct scene s = scene_make(4, 0);
    struct access a = {.vmo = s.vmo, .page = 2};
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_READ, 2, 1);
    supply(&s, 2, 1, 42);
    access_end(&a);
    EXPECT_OK(a.status);
    EXPECT_EQ(42, a.value);
    EXPECT_EQ(42, get(s.vmo, 2)); /* it stays, and nobody is asked again */
    EXPECT_EQ(1, committed_pages(s.vmo));
    expect_no_packet(&s);
    scene_end(&s);
}

TEST(pager_is_asked_by_a_fault) {
    struct scene s = scene_make(4, 0);
    struct access a = {.view = map_vmo(s.vmo, READ_WRITE, 4), .page = 1};
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_READ, 1, 1);
    supply(&s, 0, 4, 10);
    access_end(&a);
    EXPECT_EQ(11, a.value);
    a.view[3 * PAGE] = 99;
    EXPECT_EQ(99, get(s.vmo, 3));
    expect_no_packet(&s);
    unmap(a.view, 4);
    scene_end(&s);
}

TEST(pager_hears_once_of_a_page_that_many_wait_for) {
    struct scene s = scene_make(2, 0);
    struct access a[4];
    for (int i = 0; i < 4; i++) {
        a[i] = (struct access){.vmo = s.vmo};
        access_start(&a[i]);
    }
    expect_packet(&s, ZX_PAGER_VMO_READ, 0, 1);
    expect_no_packet(&s);
    supply(&s, 0, 1, 7);
    for (int i = 0; i < 4; i++) {
        access_end(&a[i]);
        EXPECT_EQ(7, a[i].value);
    }
    scene_end(&s);
}

TEST(pager_may_answer_out_of_order_and_one_request_is_in_the_port) {
    struct scene s = scene_make(8, 0);
    struct access first = {.vmo = s.vmo, .page = 1}, second = {.vmo = s.vmo, .page = 5};
    access_start(&first);
    expect_packet(&s, ZX_PAGER_VMO_READ, 1, 1);
    access_start(&second);
    expect_packet(&s, ZX_PAGER_VMO_READ, 5, 1);
    supply(&s, 5, 1, 50);
    access_end(&second);
    EXPECT_EQ(50, second.value);
    supply(&s, 1, 1, 10);
    access_end(&first);
    EXPECT_EQ(10, first.value);
    scene_end(&s);
}

TEST(pager_read_of_many_pages_asks_for_up_to_sixteen_and_leaves_out_what_is_there) {
    struct scene s = scene_make(40, 0);
    supply(&s, 4, 1, 1);
    struct access a = {.vmo = s.vmo, .pages = 30};
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_READ, 0, 4);
    supply(&s, 0, 4, 1);
    expect_packet(&s, ZX_PAGER_VMO_READ, 5, 16);
    supply(&s, 5, 8, 1); /* a part does not wake it */
    expect_no_packet(&s);
    supply(&s, 13, 8, 1);
    expect_packet(&s, ZX_PAGER_VMO_READ, 21, 9);
    supply(&s, 21, 9, 1);
    access_end(&a);
    EXPECT_OK(a.status);
    scene_end(&s);
}

TEST(pager_commit_asks_for_the_whole_absent_run) {
    struct scene s = scene_make(100, 0);
    struct access a = {.vmo = s.vmo, .commit = true, .pages = 100};
    supply(&s, 30, 1, 0);
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_READ, 0, 30);
    supply(&s, 0, 30, 0);
    expect_packet(&s, ZX_PAGER_VMO_READ, 31, 69);
    supply(&s, 31, 69, 0);
    access_end(&a);
    EXPECT_OK(a.status);
    EXPECT_EQ(100, committed_pages(s.vmo));
    scene_end(&s);
}

/* --- ends --- */

TEST(pager_fails_a_request_and_the_next_access_asks_again) {
    struct scene s = scene_make(4, 0);
    for (int i = 0; i < 2; i++) {
        struct access a = {.vmo = s.vmo, .page = 3};
        access_start(&a);
        expect_packet(&s, ZX_PAGER_VMO_READ, 3, 1);
        EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_FAIL, s.vmo, 0, 4 * PAGE,
                                    (uint64_t)(int64_t)ZX_ERR_IO_DATA_INTEGRITY));
        access_end(&a);
        EXPECT_EQ(ZX_ERR_IO_DATA_INTEGRITY, a.status);
    }
    EXPECT_OK(zx_pager_op_range(s.pager, ZX_PAGER_OP_FAIL, s.vmo, 0, PAGE,
                                (uint64_t)(int64_t)ZX_ERR_IO)); /* nothing to fail */
    scene_end(&s);
}

TEST(pager_detach_ends_requests_drops_clean_pages_and_says_complete) {
    struct scene s = scene_make(4, 0);
    supply(&s, 0, 2, 5);
    put(s.vmo, 1, 66); /* dirty: it stays */
    struct access a = {.vmo = s.vmo, .page = 3};
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_READ, 3, 1);
    EXPECT_OK(zx_pager_detach_vmo(s.pager, s.vmo));
    access_end(&a);
    EXPECT_EQ(ZX_ERR_BAD_STATE, a.status);
    EXPECT_EQ(1, committed_pages(s.vmo));
    EXPECT_EQ(66, get(s.vmo, 1));
    uint8_t byte;
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_read(s.vmo, &byte, 0, 1));
    zx_handle_t aux = make_vmo(1);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_pager_supply_pages(s.pager, s.vmo, 0, PAGE, aux, 0));
    close_handle(aux);
    EXPECT_OK(zx_pager_detach_vmo(s.pager, s.vmo));
    expect_packet(&s, ZX_PAGER_VMO_COMPLETE, 0, 0);
    close_handle(s.vmo);
    expect_no_packet(&s); /* one COMPLETE, not two */
    close_handle(s.pager);
    close_handle(s.port);
}

TEST(pager_hears_complete_when_the_object_goes) {
    struct scene s = scene_make(4, 0);
    volatile uint8_t *view = map_vmo(s.vmo, ZX_VM_PERM_READ, 4);
    close_handle(s.vmo);
    expect_no_packet(&s);
    unmap(view, 4);
    expect_packet(&s, ZX_PAGER_VMO_COMPLETE, 0, 0);
    close_handle(s.pager);
    close_handle(s.port);
}

TEST(pager_that_is_closed_ends_all_waits_and_takes_its_packets_along) {
    struct scene s = scene_make(4, 0);
    struct access a = {.vmo = s.vmo, .page = 0};
    access_start(&a);
    zx_nanosleep(SHORT); /* its packet is in the port now, most likely */
    close_handle(s.pager);
    access_end(&a);
    EXPECT_EQ(ZX_ERR_BAD_STATE, a.status);
    expect_no_packet(&s);
    close_handle(s.vmo);
    close_handle(s.port);
}

TEST(pager_requests_of_a_killed_thread_are_withdrawn) {
    struct scene s = scene_make(4, 0);
    struct child child;
    REQUIRE(script_make(&child));
    script_add(&child, 0, "zx_vmo_read", CHILD_HANDLE, CHILD_DATA + 2048, 0, 1);
    zx_handle_t copy = copy_with(s.vmo, ZX_RIGHT_SAME_RIGHTS);
    EXPECT_OK(zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK, copy,
                               CHILD_DATA));
    zx_info_thread_t info = {0};
    for (int i = 0; i < 1000 && info.state != ZX_THREAD_STATE_BLOCKED_PAGER; i++) {
        EXPECT_OK(zx_object_get_info(child.thread, ZX_INFO_THREAD, &info, sizeof info, NULL, NULL));
        zx_nanosleep(zx_deadline_after(ZX_MSEC(5)));
    }
    EXPECT_EQ(ZX_THREAD_STATE_BLOCKED_PAGER, info.state);
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_OK(zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED, SOON, NULL));
    expect_no_packet(&s);
    child_end(&child);
    supply(&s, 0, 1, 3); /* the object is as good as before */
    EXPECT_EQ(3, get(s.vmo, 0));
    scene_end(&s);
}

TEST(pager_shrink_ends_requests_behind_the_end) {
    struct scene s = scene_make(4, ZX_VMO_RESIZABLE);
    struct access a = {.vmo = s.vmo, .page = 3};
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_READ, 3, 1);
    EXPECT_OK(zx_vmo_set_size(s.vmo, PAGE));
    access_end(&a);
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, a.status);
    EXPECT_OK(zx_vmo_set_size(s.vmo, 4 * PAGE));
    EXPECT_EQ(0, get(s.vmo, 3)); /* what grew is zero, and not asked for */
    expect_no_packet(&s);
    scene_end(&s);
}

/* --- supplying --- */

TEST(pager_supply_keeps_what_is_there_and_takes_absent_pages_for_zeros) {
    struct scene s = scene_make(4, 0);
    supply(&s, 1, 1, 9);
    supply(&s, 0, 4, 20);
    EXPECT_EQ(20, get(s.vmo, 0));
    EXPECT_EQ(9, get(s.vmo, 1));
    scene_end(&s);

    s = scene_make(1000, 0);
    zx_handle_t aux = make_vmo(1000);
    EXPECT_OK(zx_pager_supply_pages(s.pager, s.vmo, 0, 1000 * PAGE, aux, 0));
    EXPECT_EQ(0, get(s.vmo, 0));
    EXPECT_EQ(0, get(s.vmo, 999));
    EXPECT_EQ(0, committed_pages(s.vmo));
    put(s.vmo, 500, 1);
    EXPECT_EQ(1, get(s.vmo, 500));
    EXPECT_EQ(0, get(s.vmo, 501));
    EXPECT_EQ(1, committed_pages(s.vmo));
    expect_no_packet(&s);
    close_handle(aux);
    scene_end(&s);
}

TEST(pager_calls_refuse_in_the_documented_order) {
    struct scene s = scene_make(4, 0);
    zx_handle_t aux = make_vmo(4), other = make_vmo(4), child, vmo;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_pager_create(1, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_pager_create_vmo(s.pager, ZX_VMO_DISCARDABLE, s.port, 0, PAGE, &vmo));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_pager_create_vmo(s.pager, 0, s.port, 0, UINT64_MAX, &vmo));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_pager_supply_pages(0, s.vmo, 1, PAGE, aux, 0));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_pager_supply_pages(0, s.vmo, 0, PAGE, aux, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_pager_supply_pages(s.pager, other, 0, PAGE, aux, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_pager_supply_pages(s.pager, s.vmo, 0, 5 * PAGE, aux, 0));
    put(aux, 0, 1);
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_pager_supply_pages(s.pager, s.vmo, 4 * PAGE, PAGE, aux, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_pager_supply_pages(s.pager, s.vmo, 0, PAGE, s.vmo, 0));
    child = make_snapshot(aux, 4);
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_pager_supply_pages(s.pager, s.vmo, 0, PAGE, aux, 0));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_pager_supply_pages(s.pager, s.vmo, 0, PAGE, child, 0));
    close_handle(child);
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_pager_op_range(s.pager, 9, s.vmo, 0, PAGE, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_pager_op_range(s.pager, ZX_PAGER_OP_FAIL, s.vmo, 0, PAGE, 0));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE,
              zx_pager_op_range(s.pager, ZX_PAGER_OP_FAIL, s.vmo, 0, 5 * PAGE,
                                (uint64_t)(int64_t)ZX_ERR_IO));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_pager_op_range(s.pager, ZX_PAGER_OP_DIRTY, s.vmo, 0, PAGE, 0));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_vmo_op_range(s.vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED,
              zx_vmo_create_child(s.vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    EXPECT(vmo_info_of(s.vmo).flags & ZX_INFO_VMO_PAGER_BACKED);
    close_handle(aux);
    close_handle(other);
    scene_end(&s);
}

/* --- dirty pages --- */

static size_t dirty_ranges(struct scene *s, zx_vmo_dirty_range_t *ranges, size_t room) {
    size_t actual = 0, avail = 0;
    zx_info_vmo_t info = vmo_info_of(s->vmo);
    EXPECT_OK(zx_pager_query_dirty_ranges(s->pager, s->vmo, 0, info.size_bytes, ranges,
                                          room * sizeof *ranges, &actual, &avail));
    EXPECT_EQ(avail, actual);
    return actual;
}

TEST(pager_pages_become_dirty_silently_and_clean_by_writeback) {
    struct scene s = scene_make(8, 0);
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
    scene_end(&s);
}

TEST(pager_that_traps_writes_is_asked_for_each_first_one) {
    struct scene s = scene_make(4, ZX_VMO_TRAP_DIRTY);
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
    scene_end(&s);
}

TEST(pager_object_that_grows_is_dirty_zero_there) {
    struct scene s = scene_make(2, ZX_VMO_RESIZABLE);
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
    scene_end(&s);
}

/* --- lazy clones --- */

static zx_handle_t lazy(zx_handle_t vmo, uint32_t kind, size_t page, size_t pages) {
    zx_handle_t child = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_vmo_create_child(vmo, kind, page * PAGE, pages * PAGE, &child));
    return child;
}

TEST(pager_lazy_clone_shows_the_parent_until_it_writes) {
    struct scene s = scene_make(4, 0);
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
    scene_end(&s);
}

TEST(pager_clone_of_a_lazy_clone_freezes_what_its_parent_has_written) {
    struct scene s = scene_make(4, 0);
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
    scene_end(&s);
}

TEST(pager_lazy_clone_is_cut_when_the_parent_shrinks) {
    struct scene s = scene_make(4, ZX_VMO_RESIZABLE);
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
    scene_end(&s);
}

TEST(pager_lazy_clone_is_zeroed_without_asking_and_detach_fails_the_rest) {
    struct scene s = scene_make(1 << 20, 0); /* 4 GiB */
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
    scene_end(&s);
}

TEST(pager_whole_page_zero_dirties_without_a_request) {
    struct scene s = scene_make(8, 0);
    zx_vmo_dirty_range_t ranges[4];
    EXPECT_OK(zx_vmo_op_range(s.vmo, ZX_VMO_OP_ZERO, PAGE, 4 * PAGE, NULL, 0));
    EXPECT_EQ(0, get(s.vmo, 2));
    EXPECT_EQ(1, dirty_ranges(&s, ranges, 4));
    EXPECT_EQ(4 * PAGE, ranges[0].length);
    expect_no_packet(&s);
    scene_end(&s);
}

/* --- what the model found (uapps/model) --- */

TEST(pager_commit_of_what_no_pager_brings_any_more_is_refused) {
    struct scene s = scene_make(4, 0);
    supply(&s, 0, 1, 1);
    EXPECT_OK(zx_pager_detach_vmo(s.pager, s.vmo));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_op_range(s.vmo, ZX_VMO_OP_COMMIT, 0, 4 * PAGE, NULL, 0));
    scene_end(&s);
}

TEST(pager_object_grows_to_any_size_without_a_request) {
    struct scene s = scene_make(2, ZX_VMO_RESIZABLE);
    EXPECT_OK(zx_vmo_set_size(s.vmo, 5 * PAGE + 7));
    EXPECT_EQ(0, get(s.vmo, 5));
    EXPECT_OK(zx_pager_detach_vmo(s.pager, s.vmo));
    EXPECT_OK(zx_vmo_set_size(s.vmo, 9 * PAGE + 1));
    scene_end(&s);
}

TEST(pager_hint_on_a_lazy_clone_brings_what_lies_behind_a_page_of_its_own) {
    struct scene s = scene_make(4, 0);
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
    scene_end(&s);
}

/* Zeros that are dirty, being written and clean are three things, wherever they are mapped. */
TEST(pager_zeros_are_mapped_anew_when_they_are_written_back) {
    struct scene s = scene_make(0, ZX_VMO_RESIZABLE);
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
    scene_end(&s);
}
