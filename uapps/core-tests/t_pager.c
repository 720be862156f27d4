/*
 * t_pager.c - pagers: what is asked, what answers do, who is woken. What is written is in
 * t_pager_dirty.c, lazy clones are in t_pager_clone.c.
 */
#include <jacinth/utest.h>
#include <zircon/syscalls.h>

#include "core-tests/paged.h"

/* --- reading --- */

TEST(pager_is_asked_for_an_absent_page_and_supplies_it) {
    struct paged s = paged_make(4, 0);
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
    paged_end(&s);
}

TEST(pager_is_asked_by_a_fault) {
    struct paged s = paged_make(4, 0);
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
    paged_end(&s);
}

TEST(pager_hears_once_of_a_page_that_many_wait_for) {
    struct paged s = paged_make(2, 0);
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
    paged_end(&s);
}

TEST(pager_may_answer_out_of_order_and_one_request_is_in_the_port) {
    struct paged s = paged_make(8, 0);
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
    paged_end(&s);
}

TEST(pager_read_of_many_pages_asks_for_up_to_sixteen_and_leaves_out_what_is_there) {
    struct paged s = paged_make(40, 0);
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
    paged_end(&s);
}

TEST(pager_commit_asks_for_the_whole_absent_run) {
    struct paged s = paged_make(100, 0);
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
    paged_end(&s);
}

/* --- ends --- */

TEST(pager_fails_a_request_and_the_next_access_asks_again) {
    struct paged s = paged_make(4, 0);
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
    paged_end(&s);
}

TEST(pager_detach_ends_requests_drops_clean_pages_and_says_complete) {
    struct paged s = paged_make(4, 0);
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
    struct paged s = paged_make(4, 0);
    volatile uint8_t *view = map_vmo(s.vmo, ZX_VM_PERM_READ, 4);
    close_handle(s.vmo);
    expect_no_packet(&s);
    unmap(view, 4);
    expect_packet(&s, ZX_PAGER_VMO_COMPLETE, 0, 0);
    close_handle(s.pager);
    close_handle(s.port);
}

TEST(pager_that_is_closed_ends_all_waits_and_takes_its_packets_along) {
    struct paged s = paged_make(4, 0);
    struct access a = {.vmo = s.vmo, .page = 0};
    access_start(&a);
    zx_nanosleep(PAGER_SHORT); /* its packet is in the port now, most likely */
    close_handle(s.pager);
    access_end(&a);
    EXPECT_EQ(ZX_ERR_BAD_STATE, a.status);
    expect_no_packet(&s);
    close_handle(s.vmo);
    close_handle(s.port);
}

TEST(pager_that_is_closed_takes_the_last_packet_of_an_object_that_is_gone_along) {
    struct paged s = paged_make(4, 0), other = paged_make(4, 0);
    close_handle(s.vmo); /* COMPLETE is in the port */
    close_handle(s.pager);
    expect_no_packet(&s);
    EXPECT_OK(zx_pager_detach_vmo(other.pager, other.vmo));
    close_handle(other.vmo);
    expect_packet(&other, ZX_PAGER_VMO_COMPLETE, 0, 0); /* what was read cannot be taken back */
    close_handle(other.pager);
    expect_no_packet(&other);
    close_handle(s.port);
    close_handle(other.port);
}

TEST(pager_requests_of_a_killed_thread_are_withdrawn) {
    struct paged s = paged_make(4, 0);
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
    EXPECT_OK(zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED, PAGER_SOON, NULL));
    expect_no_packet(&s);
    child_end(&child);
    supply(&s, 0, 1, 3); /* the object is as good as before */
    EXPECT_EQ(3, get(s.vmo, 0));
    paged_end(&s);
}

TEST(pager_shrink_ends_requests_behind_the_end) {
    struct paged s = paged_make(4, ZX_VMO_RESIZABLE);
    struct access a = {.vmo = s.vmo, .page = 3};
    access_start(&a);
    expect_packet(&s, ZX_PAGER_VMO_READ, 3, 1);
    EXPECT_OK(zx_vmo_set_size(s.vmo, PAGE));
    access_end(&a);
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, a.status);
    EXPECT_OK(zx_vmo_set_size(s.vmo, 4 * PAGE));
    EXPECT_EQ(0, get(s.vmo, 3)); /* what grew is zero, and not asked for */
    expect_no_packet(&s);
    paged_end(&s);
}

/* --- supplying --- */

TEST(pager_supply_keeps_what_is_there_and_takes_absent_pages_for_zeros) {
    struct paged s = paged_make(4, 0);
    supply(&s, 1, 1, 9);
    supply(&s, 0, 4, 20);
    EXPECT_EQ(20, get(s.vmo, 0));
    EXPECT_EQ(9, get(s.vmo, 1));
    paged_end(&s);

    s = paged_make(1000, 0);
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
    paged_end(&s);
}

TEST(pager_calls_refuse_in_the_documented_order) {
    struct paged s = paged_make(4, 0);
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
    paged_end(&s);
}

/* --- what the model found (uapps/model) --- */

TEST(pager_commit_of_what_no_pager_brings_any_more_is_refused) {
    struct paged s = paged_make(4, 0);
    supply(&s, 0, 1, 1);
    EXPECT_OK(zx_pager_detach_vmo(s.pager, s.vmo));
    EXPECT_EQ(ZX_ERR_BAD_STATE, zx_vmo_op_range(s.vmo, ZX_VMO_OP_COMMIT, 0, 4 * PAGE, NULL, 0));
    paged_end(&s);
}

TEST(pager_object_grows_to_any_size_without_a_request) {
    struct paged s = paged_make(2, ZX_VMO_RESIZABLE);
    EXPECT_OK(zx_vmo_set_size(s.vmo, 5 * PAGE + 7));
    EXPECT_EQ(0, get(s.vmo, 5));
    EXPECT_OK(zx_pager_detach_vmo(s.pager, s.vmo));
    EXPECT_OK(zx_vmo_set_size(s.vmo, 9 * PAGE + 1));
    paged_end(&s);
}
