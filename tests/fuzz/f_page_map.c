/*
 * f_page_map.c - page maps of fan-out 4 in lock step with plain arrays.
 *
 * With two bits a level a map of 64 pages has three levels, so every edge case of
 * growing, cutting and sharing is a few operations away. The map's code is
 * compiled into this file a second time, under other names, with that fan-out.
 */
#include <stdlib.h>

#define MAP_BITS 2
#define map_garbage_release   small_garbage_release
#define map_grow              small_grow
#define map_node_let_go       small_let_go
#define map_node_new          small_node_new
#define map_nodes_alive       small_nodes_alive
#define map_node_is_zero      small_node_is_zero
#define map_own_node          small_own_node
#define map_page_let_go       small_page_let_go
#define map_stash_count       small_stash_count
#define map_stash_fill        small_stash_fill
#define page_map_audit_zeros  small_audit_zeros
#define page_map_next_run     small_next_run
#define page_map_remove_clean small_remove_clean
#define map_stash_release     small_stash_release
#define page_map_charge       small_charge
#define page_map_check        small_check
#define page_map_clone        small_clone
#define page_map_alike        small_alike
#define page_map_cursor       small_cursor
#define page_map_cursor_replace small_cursor_replace
#define page_map_cursor_store small_cursor_store
#define page_map_destroy      small_destroy
#define page_map_find         small_find
#define page_map_init_markers small_init_markers
#define page_map_next         small_next
#define page_map_plan_clone   small_plan_clone
#define page_map_plan_own     small_plan_own
#define page_map_plan_remove  small_plan_remove
#define page_map_plan_zero    small_plan_zero
#define page_map_probe        small_probe
#define page_map_remove       small_remove
#define page_map_store        small_store
#define page_map_stretch      small_stretch
#define page_map_zero         small_zero
#include "../../kernel/vm/page_map.c"
#include "../../kernel/vm/page_map_zero.c"

#include "tests/host/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAPS  4
#define PAGES 80

static struct page_map maps[MAPS];
static unsigned shown[MAPS][PAGES]; /* the id of the page; 0: absent */
static unsigned next_id;

static void require(bool condition) {
    if (!condition)
        abort();
}

static unsigned holders(unsigned id) {
    unsigned count = 0;

    for (unsigned m = 0; m < MAPS; m++)
        for (unsigned i = 0; i < PAGES; i++)
            count += shown[m][i] == id;
    return count;
}

static unsigned id_of(const struct page *page) { return *(unsigned *)page_contents(page); }

static void check_map(unsigned m) {
    uint64_t pages = 0;

    for (unsigned i = 0; i < PAGES; i++) {
        bool exclusive = false;
        struct page *page = small_find(&maps[m], i, &exclusive);
        struct map_stretch stretch = small_stretch(&maps[m], i, PAGES);
        require((page != NULL) == (shown[m][i] != 0));
        require((stretch.slots ? stretch.slots[0] : NULL) == page);
        if (!page)
            continue;
        pages++;
        require(id_of(page) == shown[m][i]);
        require(exclusive == (holders(shown[m][i]) == 1));
    }
    require(pages == page_map_pages(&maps[m]));
    small_check(&maps[m]);
}

static void check_alive(uint64_t pages_before) {
    uint64_t distinct = 0;

    for (unsigned m = 0; m < MAPS; m++) {
        for (unsigned i = 0; i < PAGES; i++) {
            bool first = shown[m][i] != 0;
            for (unsigned earlier = 0; earlier < m && first; earlier++)
                for (unsigned j = 0; j < PAGES && first; j++)
                    first = shown[earlier][j] != shown[m][i];
            distinct += first;
        }
    }
    require(pmm_stats().pages[PAGE_VMO] - pages_before == distinct);
}

static void store(unsigned m, unsigned index, struct map_probe *probe, struct page *page) {
    struct map_stash stash = MAP_STASH_INIT;

    atomic_store(&page->count, 1);
    require(small_stash_fill(&stash, probe->needed) == OK);
    if (probe->needed)
        small_store(&maps[m], index, page, &stash);
    else if (probe->page)
        small_cursor_replace(&probe->cursor, probe->cursor.slot, page);
    else
        small_cursor_store(&probe->cursor, probe->cursor.slot, page);
    small_stash_release(&stash);
}

static void own(unsigned m, unsigned index) {
    struct map_probe probe;

    small_probe(&maps[m], index, &probe);
    require(probe.page == small_find(&maps[m], index, NULL));
    struct page *page = probe.page;
    if (!probe.exclusive) {
        require(small_plan_own(&maps[m], index) == probe.needed);
        page = pmm_alloc(PAGE_VMO);
        require(page != NULL);
        store(m, index, &probe, page);
    }
    shown[m][index] = *(unsigned *)page_contents(page) = ++next_id;
}

static void cut(unsigned m, unsigned first, unsigned last) {
    struct map_stash stash = MAP_STASH_INIT;

    require(small_stash_fill(&stash, small_plan_remove(&maps[m], first, last)) == OK);
    struct map_garbage garbage = MAP_GARBAGE_INIT;
    small_remove(&maps[m], first, last, &stash, &garbage);
    small_garbage_release(&garbage);
    small_stash_release(&stash);
    for (unsigned i = first; i <= last; i++)
        shown[m][i] = 0;
}

static void drop(unsigned m) {
    small_destroy(&maps[m]);
    memset(shown[m], 0, sizeof(shown[m]));
}

static void clone(unsigned from, unsigned to, unsigned first, unsigned count) {
    struct map_stash stash = MAP_STASH_INIT;

    drop(to);
    require(small_stash_fill(&stash, small_plan_clone(&maps[from], first, count)) == OK);
    small_clone(&maps[from], first, count, &stash, &maps[to]);
    small_stash_release(&stash);
    for (unsigned i = 0; i < count && first + i < PAGES; i++)
        shown[to][i] = shown[from][first + i];
}

static void operate(const uint8_t *op) {
    unsigned m = op[0] % MAPS, other = op[0] / MAPS % MAPS;
    unsigned a = op[1] % PAGES, b = op[2] % PAGES;

    switch (op[0] / (MAPS * MAPS) % 8) {
    case 0:
        if (m != other)
            clone(m, other, a, b);
        break;
    case 1:
        cut(m, MIN(a, b), MAX(a, b));
        break;
    case 2:
        drop(m);
        break;
    default:
        own(m, a);
        break;
    }
}

static void boot_once(void) {
    static const struct host_options options = {
        .cpus = 1, .memory = MIB(64), .seed = 1, .cmdline = ""};
    static bool done;

    if (!done)
        machine_init_plain(&options);
    done = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    boot_once();
    uint64_t pages_before = pmm_stats().pages[PAGE_VMO], nodes_before = small_nodes_alive();

    next_id = 0;
    for (size_t i = 0; i + 3 <= size && i < 600; i += 3) {
        operate(data + i);
        check_map(data[i] % MAPS);
        check_map(data[i] / MAPS % MAPS);
    }
    for (unsigned m = 0; m < MAPS; m++)
        check_map(m);
    check_alive(pages_before);
    for (unsigned m = 0; m < MAPS; m++)
        drop(m);
    check_alive(pages_before);
    require(nodes_before == small_nodes_alive());
    return 0;
}
