/*
 * audit_plant.c - one way to be wrong for each kind of finding, and more for some.
 *
 * The world: `vmo` has four pages and a clone that shares them, and is mapped in
 * `space`, which shows its pages; `other` has four pages of its own. None of it is ever
 * loaded or used by a thread, so a fault in it hurts nobody.
 */
#include "vm/audit_plant.h"

#include "arch/upcall.h"
#include "vm/aspace.h"
#include "vm/fault.h"
#include "vm/pmm.h"

#ifdef JX_DEBUG

#define PAGES 8 /* the first four are committed */

static struct {
    unsigned planted; /* 0: nothing */
    struct vmo *vmo, *clone, *other;
    struct aspace *space;
    vaddr_t address; /* of vmo in space */
    struct page *page;
    struct map_stash stash;
} world;

/* ---- The world ---- */

static void world_end(void) {
    if (world.space) {
        aspace_destroy(world.space);
        aspace_unref(world.space);
    }
    struct vmo *vmos[] = {world.clone, world.vmo, world.other};
    for (unsigned i = 0; i < ARRAY_SIZE(vmos); i++)
        if (vmos[i])
            vmo_unref(vmos[i]);
    world = (typeof(world)){0};
}

static status_t make_vmo(struct vmo **out_vmo) {
    status_t status = vmo_create(PAGES * PAGE_SIZE, false, out_vmo);
    return status == OK ? vmo_commit(*out_vmo, 0, PAGES / 2 * PAGE_SIZE) : status;
}

static status_t map_vmo(void) {
    AUTO(region) root = aspace_root(world.space);
    return vmar_map(root, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, world.vmo, 0, PAGES * PAGE_SIZE,
                    PERM_MASK, &world.address);
}

static status_t world_make(void) {
    status_t status = make_vmo(&world.vmo);
    if (status == OK)
        status = make_vmo(&world.other);
    if (status == OK)
        status = vmo_create_snapshot(world.vmo, SNAPSHOT_FULL, 0, PAGES * PAGE_SIZE, false, &world.clone);
    if (status == OK)
        status = aspace_create(&world.space);
    if (status == OK)
        status = map_vmo();
    if (status == OK)
        status = aspace_fault(world.space, world.address, FAULT_READ); /* and its neighbours */
    return status;
}

static struct page *page_at(struct vmo *vmo, uint64_t index) {
    MUTEX_GUARD(&vmo->lock);
    return page_map_find(&vmo->map, index, NULL);
}

/* The only node of `other`. */
static struct map_node *leaf(void) { return world.other->map.root; }

static status_t show(uint64_t index, paddr_t frame, unsigned prot) {
    struct mmu_entry entry = {frame, prot | MMU_READ | MMU_USER};
    MUTEX_GUARD(&world.space->mmu_lock);
    return mmu_install(&world.space->mmu, world.address + index * PAGE_SIZE, &entry, 1);
}

static void clear_entries(uint64_t index, struct tlb_batch *batch) {
    MUTEX_GUARD(&world.space->mmu_lock);
    mmu_clear(&world.space->mmu, world.address + index * PAGE_SIZE, 1, batch);
}

static void hide(uint64_t index) {
    struct tlb_batch batch;
    tlb_batch_init(&batch);
    clear_entries(index, &batch);
    tlb_flush(&batch);
}

static status_t take_page(enum page_state state) {
    world.page = pmm_alloc(state);
    return world.page ? OK : ERR_NO_MEMORY;
}

/* ---- The faults: how to make each, and how to take it back ---- */

/* Cutting the window's edge gave the clone a leaf of its own. */
static status_t two_trees(void) {
    struct map_node *leaf_of_clone = world.clone->map.root;
    DEBUG_ASSERT(leaf_of_clone != world.vmo->map.root && leaf_of_clone->height == 0);
    leaf_of_clone->slot[(PAGES - 1) % MAP_FANOUT] = page_at(world.other, 0);
    leaf_of_clone->used++;
    leaf_of_clone->pages++;
    return OK;
}
static void two_trees_undo(void) {
    struct map_node *leaf_of_clone = world.clone->map.root;
    leaf_of_clone->slot[(PAGES - 1) % MAP_FANOUT] = NULL;
    leaf_of_clone->used--;
    leaf_of_clone->pages--;
}

static status_t writable(void) {
    return show(0, page_address(page_at(world.vmo, 0)), MMU_WRITE);
}
static void first_undo(void) { hide(0); }

static status_t executable(void) {
    return show(0, page_address(page_at(world.vmo, 0)), MMU_EXECUTE);
}

static status_t leaked_node(void) { return map_stash_fill(&world.stash, 1); }
static void leaked_node_undo(void) { map_stash_release(&world.stash); }

static status_t leaked_page(void) {
    status_t status = take_page(PAGE_VMO);
    if (status == OK)
        atomic_store(&world.page->count, 1);
    return status;
}
static void leaked_page_undo(void) { pmm_free(world.page, PAGE_VMO); }

static status_t node_total(void) {
    leaf()->pages++;
    return OK;
}
static void node_total_undo(void) { leaf()->pages--; }

static status_t node_used(void) {
    leaf()->used--;
    return OK;
}
static void node_used_undo(void) { leaf()->used++; }

/* A record that changes behind the counter's back. */
static status_t state_counter(void) {
    status_t status = take_page(PAGE_STACK);
    if (status == OK)
        atomic_store(&world.page->state, PAGE_WIRED);
    return status;
}
static void state_counter_undo(void) {
    atomic_store(&world.page->state, PAGE_STACK);
    pmm_free(world.page, PAGE_STACK);
}

static status_t table_as_heap(void) {
    atomic_store(&page_of(world.space->mmu.root)->state, PAGE_HEAP);
    return OK;
}
static void table_as_heap_undo(void) {
    atomic_store(&page_of(world.space->mmu.root)->state, PAGE_TABLE);
}

static status_t heap_shown(void) {
    return show(PAGES - 1, paddr(round_down(virt_to_phys(world.space).value, PAGE_SIZE)), 0);
}
static void heap_shown_undo(void) { hide(PAGES - 1); }

/* The object gets another page there, and nobody hides the old one, which the clone keeps. */
static status_t stale(void) {
    MUTEX_GUARD(&world.vmo->lock);
    status_t status = map_stash_fill(&world.stash, page_map_plan_own(&world.vmo->map, 0));
    if (status == OK)
        status = take_page(PAGE_VMO);
    if (status == OK) {
        atomic_store(&world.page->count, 1);
        page_map_store(&world.vmo->map, 0, world.page, &world.stash);
    }
    map_stash_release(&world.stash);
    return status;
}

static status_t page_count(void) {
    atomic_fetch_add(&page_at(world.other, 1)->count, 1);
    return OK;
}
static void page_count_undo(void) { atomic_fetch_sub(&page_at(world.other, 1)->count, 1); }

static status_t node_count(void) {
    atomic_fetch_add(&leaf()->count, 1);
    return OK;
}
static void node_count_undo(void) { atomic_fetch_sub(&leaf()->count, 1); }

static status_t table_count(void) {
    world.space->mmu.table_pages++;
    return OK;
}
static void table_count_undo(void) { world.space->mmu.table_pages--; }

static status_t leaked_table(void) {
    paddr_t address;
    status_t status = upcall_table_page_alloc(&address);
    if (status == OK)
        world.page = page_of(address);
    return status;
}
static void leaked_table_undo(void) { upcall_table_page_free(page_address(world.page)); }

static status_t view_count(void) {
    world.vmo->view_count++;
    return OK;
}
static void view_count_undo(void) { world.vmo->view_count--; }

static status_t child_count(void) {
    world.vmo->child_count++;
    return OK;
}
static void child_count_undo(void) { world.vmo->child_count--; }

static status_t heap_page(void) { return take_page(PAGE_HEAP); }
static void heap_page_undo(void) { pmm_free(world.page, PAGE_HEAP); }

static status_t slot_state(void) {
    atomic_store(&page_at(world.other, 2)->state, PAGE_STACK);
    return OK;
}
static void slot_state_undo(void) { atomic_store(&page_at(world.other, 2)->state, PAGE_VMO); }

static const struct {
    struct audit_plant about;
    status_t (*plant)(void);
    void (*undo)(void);
} plants[] = {
    {{"a page in two trees with count one", AUDIT_PAGE_COUNT}, two_trees, two_trees_undo},
    {{"a writable mapping of a shared page", AUDIT_MAPPED_WRITABLE}, writable, first_undo},
    {{"a leaked node", AUDIT_NODES_LEAKED}, leaked_node, leaked_node_undo},
    {{"a leaked page", AUDIT_PAGE_LEAKED}, leaked_page, leaked_page_undo},
    {{"a wrong total in a node", AUDIT_NODE_TOTALS}, node_total, node_total_undo},
    {{"a wrong counter of a page state", AUDIT_STATE_COUNTER}, state_counter, state_counter_undo},
    {{"a page table recorded as heap", AUDIT_TABLE_STATE}, table_as_heap, table_as_heap_undo},
    {{"a heap frame shown to programs", AUDIT_MAPPED_FRAME}, heap_shown, heap_shown_undo},
    {{"a stale mapping", AUDIT_MAPPED_STALE}, stale, first_undo},
    {{"a page's count too high", AUDIT_PAGE_COUNT}, page_count, page_count_undo},
    {{"a node's count too high", AUDIT_NODE_COUNT}, node_count, node_count_undo},
    {{"a wrong number of used slots", AUDIT_NODE_TOTALS}, node_used, node_used_undo},
    {{"a wrong count of table pages", AUDIT_TABLE_COUNT}, table_count, table_count_undo},
    {{"a leaked table page", AUDIT_TABLE_LEAKED}, leaked_table, leaked_table_undo},
    {{"a wrong count of views", AUDIT_VIEWS}, view_count, view_count_undo},
    {{"a wrong count of children", AUDIT_FAMILY}, child_count, child_count_undo},
    {{"a heap page that is in no slab", AUDIT_HEAP_COUNTER}, heap_page, heap_page_undo},
    {{"a slot that holds a kernel stack", AUDIT_PAGE_STATE}, slot_state, slot_state_undo},
    {{"an executable mapping of data", AUDIT_MAPPED_PERM}, executable, first_undo},
};

const struct audit_plant *audit_plant_get(unsigned number) {
    return number - 1 < ARRAY_SIZE(plants) ? &plants[number - 1].about : NULL;
}

status_t audit_plant(unsigned number) {
    if (!audit_plant_get(number))
        return ERR_NOT_FOUND;
    if (world.space)
        return ERR_BAD_STATE;
    status_t status = world_make();
    if (status == OK)
        status = plants[number - 1].plant();
    if (status == OK)
        world.planted = number;
    else
        world_end();
    return status;
}

void audit_unplant(void) {
    if (!world.planted)
        return;
    plants[world.planted - 1].undo();
    world_end();
}

#else

const struct audit_plant *audit_plant_get(unsigned number) { return NULL; }
status_t audit_plant(unsigned number) { return ERR_NOT_SUPPORTED; }
void audit_unplant(void) {}

#endif
