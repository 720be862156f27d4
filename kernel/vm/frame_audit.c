/*
 * frame_audit.c - compares one address space with its regions, the memory objects that
 * they map, and the page records.
 *
 * Debug kernels do this to each process at its end, so every test that runs a program
 * has it done; tests call it by themselves, and memory_audit.c for all spaces.
 */
#include "vm/frame_audit.h"

#include "vm/pmm.h"

/* ---- Tables ---- */

struct table_walk {
    struct audit *audit;
    uint64_t tables;
};

static void audit_table(void *context, paddr_t address) {
    struct table_walk *walk = context;
    struct page *page = page_find(address);
    walk->tables++;
    if (!page || page->state != PAGE_TABLE)
        audit_found(walk->audit, AUDIT_TABLE_STATE, address.value, page ? page->state : PAGE_STATES,
                    PAGE_TABLE);
    else if (audit_met(walk->audit, &page->audit) > 1)
        audit_found(walk->audit, AUDIT_TABLE_COUNT, address.value, 2, 1);
}

static void audit_tables(struct aspace *aspace, struct audit *audit) {
    struct table_walk walk = {audit, 0};
    MUTEX_GUARD(&aspace->mmu_lock);
    mmu_for_each_table(&aspace->mmu, audit_table, &walk);
    if (walk.tables != aspace->mmu.table_pages)
        audit_found(audit, AUDIT_TABLE_COUNT, aspace->mmu.root.value, aspace->mmu.table_pages,
                    walk.tables);
    uint64_t wrong = mmu_wrong_counts(&aspace->mmu);
    if (wrong)
        audit_found(audit, AUDIT_TABLE_COUNT, aspace->mmu.root.value, wrong, 0);
    audit->tables += walk.tables;
}

/* ---- Entries ---- */

struct shown {
    vaddr_t va;
    paddr_t frame;
    unsigned prot;
};

/* Is it a frame for programs at all? Tells what it is if not. */
static bool is_for_users(const struct shown *shown, struct audit *audit) {
    const struct page *page = page_find(shown->frame);
    if (page ? page->state == PAGE_VMO || page_is_zero(page)
             : phys_is_device(shown->frame, PAGE_SIZE))
        return true;
    audit_found(audit, AUDIT_MAPPED_FRAME, shown->va, page ? page->state : PAGE_STATES, PAGE_VMO);
    return false;
}

static void audit_permission(const struct region *mapping, const struct shown *shown,
                             struct audit *audit) {
    unsigned allowed = MMU_READ | MMU_USER | mapping->cache_prot;
    allowed |= mapping->perm & ZX_VM_PERM_WRITE ? MMU_WRITE : 0;
    allowed |= mapping->perm & ZX_VM_PERM_EXECUTE ? MMU_EXECUTE : 0;
    if ((shown->prot & ~allowed) || (MMU_USER | mapping->cache_prot) & ~shown->prot)
        audit_found(audit, AUDIT_MAPPED_PERM, shown->va, shown->prot, allowed);
}

/* What should be there: a frame, or any of the zero pages, or nothing. */
struct expected {
    paddr_t frame;
    bool zero, nothing, exclusive;
};

static bool is_expected(const struct shown *shown, const struct expected *expected) {
    const struct page *page = page_find(shown->frame);
    if (expected->nothing)
        return false;
    return expected->zero ? page && page_is_zero(page)
                          : shown->frame.value == expected->frame.value;
}

static void compare(const struct region *mapping, const struct shown *shown,
                    const struct expected *expected, struct audit *audit) {
    if (!is_for_users(shown, audit))
        return;
    if (!is_expected(shown, expected))
        audit_found(audit, AUDIT_MAPPED_STALE, shown->va, shown->frame.value,
                    expected->nothing ? 0 : expected->frame.value);
    else if ((shown->prot & MMU_WRITE) && !expected->exclusive)
        audit_found(audit, AUDIT_MAPPED_WRITABLE, shown->va, shown->frame.value, 0);
    audit_permission(mapping, shown, audit);
}

/*
 * The entry is read while all that can change it is held: the object's lock, and what
 * looking at the page holds besides (a lazy clone's lender).
 */
static void compare_now(struct region *mapping, vaddr_t va, const struct expected *expected,
                        struct audit *audit) {
    struct shown shown = {.va = va};
    MUTEX_GUARD(&mapping->aspace->mmu_lock);
    if (mmu_query(&mapping->aspace->mmu, va, &shown.frame, &shown.prot))
        compare(mapping, &shown, expected, audit);
}

static void audit_entry_locked(struct region *mapping, struct vmo *vmo, vaddr_t va,
                               struct audit *audit) REQUIRES(vmo->lock) {
    uint64_t offset = mapping->view.offset + (va - mapping->start);
    struct expected expected = {.nothing = offset >= MIN(vmo->size, mapping->limit)};
    struct vmo_look look = {.lender = NULL};
    if (!expected.nothing && vmo->kind == VMO_PHYSICAL) {
        expected.frame = paddr(vmo->physical.value + offset);
        expected.exclusive = true;
    } else if (!expected.nothing && vmo_look_locked(vmo, offset >> PAGE_SHIFT, &look) == OK) {
        expected.frame = page_address(look.page);
        expected.zero = page_is_zero(look.page);
        expected.exclusive = look.exclusive;
    } else {
        expected.nothing = true;
    }
    compare_now(mapping, va, &expected, audit);
    vmo_look_end(&look);
}

static bool next_shown(struct aspace *aspace, vaddr_t from, vaddr_t end, struct shown *out_shown) {
    MUTEX_GUARD(&aspace->mmu_lock);
    return mmu_next(&aspace->mmu, from, end, &out_shown->va, &out_shown->frame, &out_shown->prot);
}

static void audit_mapping(struct region *mapping, struct audit *audit) {
    struct vmo *vmo = mapping->pages;
    struct shown shown;
    MUTEX_GUARD(&vmo->lock);
    for (vaddr_t at = mapping->start;
         next_shown(mapping->aspace, at, region_end(mapping), &shown); at = shown.va + PAGE_SIZE)
        audit_entry_locked(mapping, vmo, shown.va, audit);
}

static void audit_entries_locked(struct aspace *aspace, struct audit *audit)
    REQUIRES(aspace->lock) {
    struct shown shown;
    for (vaddr_t at = 0; next_shown(aspace, at, USER_TOP, &shown);) {
        struct region *mapping = aspace->root ? aspace_find_locked(aspace, shown.va) : NULL;
        if (mapping) {
            audit_mapping(mapping, audit);
            at = region_end(mapping);
            continue;
        }
        if (is_for_users(&shown, audit))
            audit_found(audit, AUDIT_MAPPED_STALE, shown.va, shown.frame.value, 0);
        at = shown.va + PAGE_SIZE;
    }
}

/* ---- Regions ---- */

static bool view_is_right(struct region *mapping) {
    struct vmo *vmo = mapping->pages;
    const struct vmo_view *view = &mapping->view;
    MUTEX_GUARD(&vmo->lock);
    return list_node_is_linked(&view->node) && view->aspace == mapping->aspace &&
           view->named == mapping->vmo && view->base == mapping->start &&
           view->length == mapping->size && vmo == vmo_pages_of(mapping->vmo);
}

/* In the order of a depth-first walk; NULL at the end. */
static struct region *next_region(struct region *at) {
    struct tree_node *node = at->kind == REGION_VMAR ? tree_first(&at->children) : NULL;
    for (; !node && at->parent; at = at->parent)
        node = tree_next(&at->node);
    return node ? tree_entry(node, struct region, node) : NULL;
}

static void audit_regions_locked(struct aspace *aspace, struct audit *audit)
    REQUIRES(aspace->lock) {
    uint64_t mappings = 0;
    for (struct region *at = aspace->root; at; at = next_region(at)) {
        if (at->kind != REGION_MAPPING)
            continue;
        mappings++;
        if (!view_is_right(at))
            audit_found(audit, AUDIT_VIEWS, at->start, 0, 1);
    }
    if (mappings != aspace->mapping_count)
        audit_found(audit, AUDIT_VIEWS, aspace->mmu.root.value, aspace->mapping_count, mappings);
}

void frame_audit_into(struct aspace *aspace, struct audit *audit) {
    MUTEX_GUARD(&aspace->lock);
    audit_tables(aspace, audit);
    audit_regions_locked(aspace, audit);
    audit_entries_locked(aspace, audit);
}

uint64_t frame_audit(struct aspace *aspace) {
    struct audit_to_log audit;
    audit_to_log_init(&audit);
    frame_audit_into(aspace, &audit.audit);
    return audit.differences;
}
