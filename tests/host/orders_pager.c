/*
 * orders_pager.c - two threads that wait for a pager's pages, while it answers, in all orders.
 */
#include "tests/host/orders.h"
#include "vm/page_source.h"
#include "vm/vmo_pager.h"

#define PAGES 2

static struct {
    struct page_source source;
    struct vmo *vmo, *aux;
    status_t first, second, supplied;
} pages;

static void nothing(struct page_source *source) {}
static const struct page_source_ops ops = {nothing, nothing, nothing};

static void prepare(void) {
    pages = (typeof(pages)){.first = ERR_INTERNAL, .second = ERR_INTERNAL};
    page_source_init(&pages.source, &ops, false);
    REQUIRE(vmo_create_pager(PAGES * PAGE_SIZE, false, &pages.source, &pages.vmo) == OK);
    REQUIRE(vmo_create(PAGES * PAGE_SIZE, false, &pages.aux) == OK);
    REQUIRE(vmo_commit(pages.aux, 0, PAGES * PAGE_SIZE) == OK);
}

/* ---- What threads do ---- */

static void want_both(void) { pages.first = vmo_commit(pages.vmo, 0, PAGES * PAGE_SIZE); }
static void want_the_last(void) { pages.second = vmo_commit(pages.vmo, PAGE_SIZE, PAGE_SIZE); }

static void supply(uint64_t first, uint64_t count) {
    pages.supplied = vmo_supply(pages.vmo, first * PAGE_SIZE, count * PAGE_SIZE, pages.aux,
                                first * PAGE_SIZE);
}
static void supply_all(void) { supply(0, PAGES); }
static void supply_backwards(void) {
    supply(1, 1);
    supply(0, 1);
}
static void fail_the_last_and_supply(void) {
    EXPECT_EQ(OK, vmo_fail_requests(pages.vmo, PAGE_SIZE, PAGE_SIZE, ERR_IO));
    supply_all();
}
static void kill_the_first_and_supply(void) {
    thread_set_pending(orders_thread(0), THREAD_PENDING_KILL);
    supply_all();
}
static void detach(void) { vmo_detach(pages.vmo); }

/* ---- What came of it ---- */

static void let_go(void) {
    EXPECT(list_is_empty(&pages.source.requests));
    vmo_unref(pages.vmo);
    vmo_unref(pages.aux);
}
static void check_both(void) {
    orders_saw("%s %s", orders_status(pages.first), orders_status(pages.second));
    let_go();
}
static void check_supply(void) {
    orders_saw("%s, supply %s", orders_status(pages.first), orders_status(pages.supplied));
    let_go();
}

ORDERS(pager, two_who_wait_are_served_by_parts, .switches = 2, .prepare = prepare,
       .work = {want_both, want_the_last, supply_backwards}, .check = check_both,
       .outcomes = {"OK OK"});
ORDERS(pager, a_failure_is_for_those_whose_request_it_touches, .switches = 2, .prepare = prepare,
       .work = {want_both, want_the_last, fail_the_last_and_supply}, .check = check_both,
       .outcomes = {"OK OK", "IO OK", "OK IO", "IO IO"});
ORDERS(pager, one_is_killed_and_the_other_is_served, .switches = 2, .prepare = prepare,
       .work = {want_both, want_the_last, kill_the_first_and_supply}, .check = check_both,
       .outcomes = {"OK OK", "KILLED OK"});
ORDERS(pager, pages_come_as_it_is_detached, .switches = 2, .prepare = prepare,
       .work = {want_both, supply_all, detach}, .check = check_supply,
       .outcomes = {"OK, supply OK", "BAD_STATE, supply OK", "BAD_STATE, supply BAD_STATE"});
